//! The NBD server of a pull mode backup: its socket, or its address and port.

use std::net::IpAddr;

use crate::backup::{Address, Server, Text};
use crate::diagnostic::{Diagnostic, Document};
use crate::domain::{PathKind, UsedPath, UsedPort};
use crate::release::Release;
use crate::rules::Rule;
use crate::wording::code;

use super::Context;
use super::destination::{describe, is_directory, labelled};
use super::paths::{Found, Occupant, Paths};

/// The room for a path in a Unix socket's address, in bytes; QEMU does without a NUL at the end.
const MAX_SOCKET_PATH_LENGTH: usize = 108;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(server) = &context.backup.server else { return };
    match &server.address {
        Address::Tcp { name, port } => diagnostics.extend(check_port(context, server, &name.value, *port)),
        Address::Unix { socket } => diagnostics.extend(check_socket(context, socket)),
        Address::Fd { .. } => {}
    }
}

fn failure(words: impl std::fmt::Display) -> String {
    format!("internal error: unable to execute QEMU command 'nbd-server-start': {words}")
}

fn check_socket(context: &Context<'_>, socket: &Text) -> Option<Diagnostic> {
    let path = &*socket.value;
    if path.len() > MAX_SOCKET_PATH_LENGTH {
        let length = path.len();
        let message =
            format!("path of the socket is too long: {length} bytes, at most {MAX_SOCKET_PATH_LENGTH} are allowed");
        return Some(
            Diagnostic::new(Rule::SocketPathLength, socket.place(), message)
                .help("use a shorter path, such as one below /run")
                .libvirt(failure(format_args!("UNIX socket path '{path}' is too long"))),
        );
    }
    if is_directory(path) {
        let message = format!("invalid value {} for attribute `socket`: it is a directory", code(path));
        return Some(
            Diagnostic::new(Rule::DirectoryDestination, socket.place(), message)
                .help("use the path of a file in the directory")
                .libvirt(failure(format_args!("Failed to bind socket to {path}: No such file or directory"))),
        );
    }
    let destinations = destinations(context);
    [context.paths(), &destinations].into_iter().find_map(|paths| match paths.find(path) {
        Found::Below(occupant) => {
            let message = format!("path of the socket is below {}, which is not a directory", describe(occupant));
            let diagnostic = Diagnostic::new(Rule::DestinationBelowFile, socket.place(), message)
                .help("use a path in a directory")
                .libvirt(failure(format_args!("Failed to unlink socket {path}: Not a directory")));
            Some(labelled(context, diagnostic, occupant))
        }
        Found::Above(occupant) | Found::At(occupant @ Occupant::Used(UsedPath { kind: PathKind::Directory, .. })) => {
            let is_above = matches!(occupant, Occupant::Used(UsedPath { kind: PathKind::Directory, .. }));
            let what = if is_above { "" } else { "the directory of " };
            let message = format!("path of the socket is {what}{}", describe(occupant));
            let diagnostic = Diagnostic::new(Rule::DirectoryDestination, socket.place(), message)
                .help("use the path of a file in the directory")
                .libvirt(failure(format_args!("Failed to unlink socket {path}: Is a directory")));
            Some(labelled(context, diagnostic, occupant))
        }
        Found::At(_) | Found::Nothing => None,
    })
}

fn destinations<'c>(context: &Context<'c>) -> Paths<'c> {
    let mut paths = Paths::default();
    for disk in context.included_disks() {
        if let Some(path) = disk.path() {
            paths.insert(&path.value, Occupant::Destination(disk));
        }
    }
    paths
}

/// What QEMU removes to make the socket, if anything is known to be at its path.
pub(super) fn replaced_by_socket<'c>(context: &Context<'c>, socket: &Text) -> Option<Occupant<'c>> {
    let destinations = destinations(context);
    [context.paths(), &destinations].into_iter().find_map(|paths| match paths.find(&socket.value) {
        Found::At(occupant) => Some(occupant),
        Found::Nothing | Found::Below(_) | Found::Above(_) => None,
    })
}

fn check_port(context: &Context<'_>, server: &Server, name: &str, port: u16) -> Option<Diagnostic> {
    let release = context.options.release;
    if port == 0 {
        return (release < Release::V12_8_0).then(|| {
            Diagnostic::new(
                Rule::MissingPort,
                server.tag.place(),
                format!("missing attribute `port`: libvirt {release} requires it for a TCP server"),
            )
            .help("add port='10809', the port of NBD; libvirt 12.8.0 and later choose one themselves")
            .libvirt("unsupported configuration: must specify TCP port for now")
        });
    }
    let ports = context.domain.into_iter().flat_map(|domain| &domain.used_ports);
    let used = ports.into_iter().find(|used| used.port == port && overlaps(used, name))?;
    let message = format!("port {port} is in use: {} of the domain listens on it", used.usage);
    Some(
        Diagnostic::new(Rule::DomainPort, server.tag.place(), message)
            .label_in(Document::Domain, used.tag, "used here")
            .help("use another port; libvirt chooses one if `port` is not given")
            .libvirt(failure("Failed to find an available port: Address already in use")),
    )
}

/// Whether a port that is used keeps QEMU from listening at `host` too, certainly.
///
/// QEMU takes an IPv6 wildcard for IPv4 too unless that is in use. For a name with several addresses one that is free is
/// enough.
fn overlaps(used: &UsedPort, host: &str) -> bool {
    if used.host.eq_ignore_ascii_case(host) {
        return true;
    }
    let used = if used.host.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { &used.host };
    let (Ok(used), Ok(host)) = (used.parse::<IpAddr>(), host.parse::<IpAddr>()) else { return false };
    let (used, host) = (used.to_canonical(), host.to_canonical());
    match (used, host) {
        (IpAddr::V6(used), IpAddr::V4(_)) => used.is_unspecified(),
        (IpAddr::V4(_), IpAddr::V6(_)) => false,
        _ => used == host || used.is_unspecified() || host.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn addresses_of_one_port_overlap_as_qemu_binds_them() {
        let overlap = |used: &str, host| {
            overlaps(&UsedPort { host: used.into(), port: 1, usage: "".into(), tag: Span::default() }, host)
        };
        for (used, host, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("0.0.0.0", "127.0.0.1", true),
            ("127.0.0.1", "0.0.0.0", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "localhost", false),
            ("localhost", "localhost", true),
            ("localhost", "127.0.0.1", true),
            ("127.0.0.1", "::1", false),
            ("0.0.0.0", "::", false),
            ("::", "127.0.0.1", true),
            ("::", "::1", true),
            ("::1", "::1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
        ] {
            assert_eq!(overlap(used, host), expected, "{used} {host}");
        }
    }
}
