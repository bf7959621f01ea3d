//! What libvirt accepts, and is likely to lose data, expose it or surprise.

mod coverage;
mod destination;

use std::net::IpAddr;

use crate::backup::{Address, Mode, Server, Text};
use crate::diagnostic::{Diagnostic, Document};
use crate::domain::Domain;
use crate::rules::Rule;

use super::Context;
use super::destination::{describe, is_incremental, labelled};
use super::server::replaced_by_socket;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(unused_incremental(context));
    diagnostics.extend(unused_export_bitmaps(context));
    if let Some(server) = &context.backup.server {
        diagnostics.extend(plain_server(server));
        diagnostics.extend(server.socket().and_then(|socket| replacing_socket(context, socket)));
    }
    destination::check(context, diagnostics);
    coverage::check(context, diagnostics);
}

/// Each disk has a mode or a checkpoint of its own, so that of the backup has no effect; it is not even looked up.
fn unused_incremental(context: &Context<'_>) -> Option<Diagnostic> {
    let incremental = context.backup.incremental.as_ref()?;
    let is_used = context.included_disks().any(|disk| {
        // libvirt's own form repeats the name on each disk.
        disk.incremental.as_ref().is_some_and(|used| used.value == incremental.value) && is_incremental(disk)
    });
    if is_used || context.included_disks().next().is_none() {
        return None;
    }
    let is_full = !context.included_disks().any(is_incremental);
    let message = if is_full {
        "unused <incremental>: every disk is backed up in full"
    } else {
        "unused <incremental>: no disk starts from this checkpoint"
    };
    let help = if is_full {
        "remove <incremental>; or remove backupmode='full' from the disks of which only changes are wanted"
    } else {
        "remove <incremental>: each disk has its own `incremental`, or backupmode='full'"
    };
    Some(Diagnostic::new(Rule::UnusedIncremental, incremental.place(), message).help(help))
}

fn unused_export_bitmaps(context: &Context<'_>) -> Vec<Diagnostic> {
    if context.backup.mode != Mode::Pull {
        return Vec::new();
    }
    let full = context.included_disks().filter(|disk| !is_incremental(disk));
    let unused = full.filter_map(|disk| disk.exportbitmap.as_ref()).map(|bitmap| {
        Diagnostic::new(
            Rule::UnusedExportBitmap,
            bitmap.place(),
            "unused attribute `exportbitmap`: a full backup exports no bitmap",
        )
        .help("remove `exportbitmap`; or name a checkpoint in <incremental>, and the changes since then are exported")
    });
    unused.collect()
}

/// NBD has no passwords: who reaches the port reads the disks.
fn plain_server(server: &Server) -> Option<Diagnostic> {
    let Address::Tcp { name, .. } = &server.address else { return None };
    (server.tls != Some(true) && !is_loopback(&name.value)).then(|| {
        Diagnostic::new(
            Rule::PlainServer,
            name.place(),
            "unprotected server: anyone who can reach it can read the disks",
        )
        .primary_label("NBD without TLS asks for no password")
        .help("add tls='yes', or use `localhost` or a Unix socket")
    })
}

/// Whether a name or an address is that of this host alone.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_short_address =
        || host.starts_with("127.") && host.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    let names = ["localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"];
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => names.contains(&host.as_str()) || host.ends_with(".localhost") || is_short_address(),
    }
}

/// QEMU removes what is at the path of its socket.
fn replacing_socket(context: &Context<'_>, socket: &Text) -> Option<Diagnostic> {
    let occupant = replaced_by_socket(context, socket)?;
    let message = format!("path of the socket is in use: {} is removed", describe(occupant));
    let diagnostic = Diagnostic::new(Rule::UnguardedDestination, socket.place(), message)
        .help("use a path that nothing uses yet, such as one below /run");
    Some(labelled(context, diagnostic, occupant))
}

pub(super) fn inactive(domain: &Domain) -> Option<Diagnostic> {
    (!domain.active).then(|| {
        Diagnostic::new(
            Rule::InactiveDomain,
            domain.tag,
            "domain is not running: only a running domain can be backed up",
        )
        .in_document(Document::Domain)
        .help("start it first; `virsh dumpxml` of a running domain prints an `id`")
        .libvirt("Operation not supported: cannot perform disk backup for inactive domain")
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_is_known_by_name_and_address() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "ip6-localhost",
            "127.0.0.1",
            "127.1",
            "127.255.0.9",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.example.org", "127.example.org", "0.0.0.0", "::", "::ffff:192.0.2.1", "192.0.2.1", "backup"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
