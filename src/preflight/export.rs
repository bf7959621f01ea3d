//! What a pull mode backup offers over NBD.

use std::collections::HashMap;

use crate::backup::{Disk, Mode, Server, Text, Transport};
use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;
use crate::wording::quoted;

use super::Context;
use super::destination::{is_directory, is_incremental};

/// NBD's limit on a string, and QEMU's on the name of an export, in bytes.
const MAX_EXPORT_NAME_LENGTH: usize = 4096;
/// QEMU's limit on the name of a bitmap, in bytes.
const MAX_BITMAP_NAME_LENGTH: usize = 1023;
/// The room for a path in a Unix socket's address, in bytes; QEMU does without a NUL at the end.
const MAX_SOCKET_PATH_LENGTH: usize = 108;

pub(super) fn check(context: &Context<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    if context.backup.mode != Mode::Pull {
        return;
    }
    if let Some(server) = &context.backup.server {
        diagnostics.extend(check_server(server, context.options.release));
    }
    let mut seen: HashMap<&str, &Disk<'_>> = HashMap::new();
    for disk in context.included_disks() {
        let export = export_of(disk);
        if export.len() > MAX_EXPORT_NAME_LENGTH
            && let Some(written) = &disk.exportname
        {
            let diagnostic = too_long(Rule::ExportNameLength, written, "an export", MAX_EXPORT_NAME_LENGTH);
            diagnostics.push(diagnostic.libvirt(format!(
                "internal error: unable to execute QEMU command 'block-export-add': export name '{export}' too long"
            )));
        } else if let Some(first) = seen.get(export) {
            diagnostics.push(duplicate(context, disk, first));
        } else {
            seen.insert(export, disk);
        }
        if let Some(bitmap) = disk.exportbitmap.as_ref().filter(|_| is_incremental(disk)) {
            diagnostics.extend(check_bitmap(bitmap));
        }
    }
}

fn check_server(server: &Server<'_>, release: Release) -> Option<Diagnostic> {
    if let Some(socket) = server.socket.as_ref().filter(|socket| socket.value.len() > MAX_SOCKET_PATH_LENGTH) {
        return Some(
            Diagnostic::new(
                Rule::SocketPathLength,
                socket.span,
                format!(
                    "the socket's path takes {} bytes, and {MAX_SOCKET_PATH_LENGTH} are the most",
                    socket.value.len()
                ),
            )
            .help("write a shorter path, such as one below /run")
            .libvirt(format!(
                "internal error: unable to execute QEMU command 'nbd-server-start': UNIX socket path '{}' is too long",
                socket.value
            )),
        );
    }
    if let Some(socket) = server.socket.as_ref().filter(|socket| is_directory(&socket.value)) {
        return Some(
            Diagnostic::new(Rule::DirectoryDestination, socket.span, "the path of the socket is that of a directory")
                .help("write the path of a file in it")
                .libvirt(format!(
                    "internal error: unable to execute QEMU command 'nbd-server-start': Failed to bind socket to {}: No \
                     such file or directory",
                    socket.value
                )),
        );
    }
    let needs_port = release < Release::V12_8_0 && server.transport == Transport::Tcp && server.port == 0;
    needs_port.then(|| {
        Diagnostic::new(Rule::MissingPort, server.tag.span, format!("libvirt {release} wants the port of a TCP server"))
            .help("add port='10809', NBD's own; libvirt 12.8.0 and later choose one themselves")
            .libvirt("unsupported configuration: must specify TCP port for now")
    })
}

/// The name that a disk is exported by: its target, unless another is given.
fn export_of<'d>(disk: &'d Disk<'_>) -> &'d str {
    disk.exportname.as_ref().map_or(&disk.name.value, |name| &name.value)
}

fn too_long(rule: Rule, text: &Text<'_>, what: &str, longest: usize) -> Diagnostic {
    Diagnostic::new(
        rule,
        text.span,
        format!("the name of {what} has {} bytes, and {longest} are the most there can be", text.value.len()),
    )
    .help("write a shorter name")
}

fn place_of_export(context: &Context<'_, '_>, disk: &Disk<'_>) -> Span {
    disk.exportname.as_ref().map_or_else(|| context.place_of(disk), |name| name.span)
}

fn duplicate(context: &Context<'_, '_>, disk: &Disk<'_>, first: &Disk<'_>) -> Diagnostic {
    let export = export_of(disk);
    // Blame what was chosen, not what a disk is called by nature.
    let (report_span, other) =
        if disk.exportname.is_none() && first.exportname.is_some() { (first, disk) } else { (disk, first) };
    let words = |disk: &Disk<'_>| match disk.exportname {
        Some(_) => format!("of '{}'", disk.name.value),
        None => format!("'{}' is exported by its own name", disk.name.value),
    };
    Diagnostic::new(
        Rule::DuplicateExport,
        place_of_export(context, report_span),
        format!("'{}' and '{}' are exported by one name, {}", first.name.value, disk.name.value, quoted(export)),
    )
    .primary_label(words(report_span))
    .label(place_of_export(context, other), words(other))
    .help("give each disk an exportname of its own, or none")
    .libvirt(format!("internal error: unable to execute QEMU command 'block-export-add': NBD server already has export named '{export}'"))
}

fn check_bitmap(bitmap: &Text<'_>) -> Option<Diagnostic> {
    if bitmap.value.is_empty() {
        return Some(
            Diagnostic::new(Rule::ExportBitmapName, bitmap.span, "the name of the export's bitmap is empty")
                .help("write a name, or remove exportbitmap for the default")
                .libvirt("internal error: unable to execute QEMU command 'transaction': Bitmap name cannot be empty"),
        );
    }
    (bitmap.value.len() > MAX_BITMAP_NAME_LENGTH).then(|| {
        too_long(Rule::ExportBitmapName, bitmap, "a bitmap", MAX_BITMAP_NAME_LENGTH).libvirt(format!(
            "internal error: unable to execute QEMU command 'transaction': Bitmap name too long: {}",
            bitmap.value
        ))
    })
}
