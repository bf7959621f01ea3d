//! The server of a pull: its address, port, socket and certificates.

use std::net::IpAddr;

use crate::backup::{Address, Server, Text};
use crate::diagnostic::Diagnostic;
use crate::host::files::{self, End, Kind, Listener, Place, Wish};
use crate::rules::Rule;

use super::{Host, no_way};

const START: &str = "internal error: unable to execute QEMU command 'nbd-server-start': ";
const STICKY: u32 = 0o1000;

pub(super) fn check(host: &Host<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(server) = &host.context.backup.server else { return };
    if let Some(certificates) = host.files.certificates.as_ref().filter(|_| server.tls == Some(true)) {
        let (problem, said) = (&certificates.problem, &certificates.said);
        diagnostics.push(
            Diagnostic::new(Rule::Certificates, server.tag.place(), format!("QEMU cannot use TLS: {problem}"))
                .help("install ca-cert.pem, server-cert.pem and server-key.pem there, readable by QEMU; or remove tls='yes'")
                .libvirt(format!("internal error: unable to execute QEMU command 'object-add': {said}")),
        );
    }
    match &server.address {
        Address::Tcp { name, port } => diagnostics.extend(check_address(host, server, name, *port)),
        Address::Unix { socket } => diagnostics.extend(check_socket(host, socket)),
        Address::Fd { .. } => {}
    }
}

fn check_address(host: &Host<'_, '_>, server: &Server, name: &Text, port: u16) -> Option<Diagnostic> {
    let addresses = match host.files.hosts.get(&*name.value)? {
        files::Host::Local(addresses) => addresses,
        files::Host::Elsewhere(addresses) => {
            let shown = addresses.first().map(ToString::to_string).unwrap_or_default();
            return Some(
                Diagnostic::new(Rule::ForeignAddress, name.place(), format!("{shown} is no address of this host"))
                    .help("write an address of this host, or 0.0.0.0 for all of them")
                    .libvirt(format!("{START}Failed to bind socket: Cannot assign requested address")),
            );
        }
        files::Host::Unknown(error) => {
            let port = if port == 0 { 10809 } else { port };
            let error = error.rsplit(": ").next().unwrap_or(error);
            return Some(
                Diagnostic::new(Rule::UnknownHost, name.place(), format!("the name {} does not resolve", name.value))
                    .help("write an address of this host, or localhost")
                    .libvirt(format!("{START}address resolution failed for {}:{port}: {error}", name.value)),
            );
        }
        files::Host::Unasked => return None,
    };
    if port == 0 {
        return None;
    }
    if host.plain_user().is_some() && port < host.files.first_unprivileged_port {
        return Some(
            Diagnostic::new(
                Rule::PrivilegedPort,
                server.tag.place(),
                format!("QEMU, which is not root, cannot use port {port}"),
            )
            .help(format!("write a port from {} on", host.files.first_unprivileged_port))
            .libvirt(format!("{START}Failed to bind socket: Permission denied")),
        );
    }
    check_port(host, server, port, addresses)
}

/// QEMU takes the first address whose port is free.
fn check_port(host: &Host<'_, '_>, server: &Server, port: u16, addresses: &[IpAddr]) -> Option<Diagnostic> {
    let is_taken = |address: &IpAddr| host.files.listeners.iter().any(|listener| listens(listener, *address, port));
    addresses.iter().all(is_taken).then(|| {
        Diagnostic::new(Rule::PortInUse, server.tag.place(), format!("another program listens on port {port}"))
            .help("write another port; or, since libvirt 12.8.0, none at all")
            .libvirt(format!("{START}Failed to find an available port: Address already in use"))
    })
}

/// Whether a listener is in the way of another one at `address`.
fn listens(listener: &Listener, address: IpAddr, port: u16) -> bool {
    let is_any = listener.address.is_unspecified() || address.is_unspecified();
    let is_same_family = listener.address.is_ipv4() == address.is_ipv4();
    listener.port == port
        && if is_same_family { is_any || listener.address == address } else { address.is_ipv4() && listener.takes_ipv4 }
}

fn check_socket(host: &Host<'_, '_>, socket: &Text) -> Option<Diagnostic> {
    let (path, place) = (&*socket.value, host.files.socket.as_ref()?);
    let diagnostic = |rule, message: String| Diagnostic::new(rule, socket.place(), message);
    // What is there is removed first; only that nothing is there does not matter.
    let unlink = |said: &str| format!("{START}Failed to unlink socket {path}: {said}");
    if let Some(no_way) = no_way(place) {
        let is_missing = matches!(place.end, End::NoDirectory(_));
        let bind = format!("{START}Failed to bind socket to {path}: {}", no_way.said);
        return Some(
            diagnostic(Rule::MissingDirectory, format!("QEMU cannot create {path}: {}", no_way.what))
                .help("create the directory, or write a path in one that exists")
                .libvirt(if is_missing { bind } else { unlink(no_way.said) }),
        );
    }
    if let Some(system) = host.file_system(place).filter(|system| system.is_virtual()) {
        let said = if system.kind == "proc" { "No such file or directory" } else { "Operation not permitted" };
        return Some(
            diagnostic(Rule::PermissionDenied, format!("no socket can be created in {}", system.mount))
                .help("write a path on a file system that holds data")
                .libvirt(format!("{START}Failed to bind socket to {path}: {said}")),
        );
    }
    if host.file_system(place).is_some_and(|system| system.read_only) {
        return Some(
            diagnostic(Rule::ReadOnlyFileSystem, format!("{path} is on a file system that is mounted read-only"))
                .help("write another path")
                .libvirt(unlink("Read-only file system")),
        );
    }
    if place.node().is_some_and(|node| node.kind == Kind::Directory) {
        return Some(
            diagnostic(Rule::SocketPath, format!("{path} is a directory"))
                .help("write the path of a file in it")
                .libvirt(unlink("Is a directory")),
        );
    }
    check_socket_permission(host, socket, place)
}

/// QEMU creates the socket itself, and removes what was there.
fn check_socket_permission(host: &Host<'_, '_>, socket: &Text, place: &Place) -> Option<Diagnostic> {
    let (path, user) = (&*socket.value, host.plain_user()?);
    let unlink = format!("{START}Failed to unlink socket {path}: ");
    let (what, said) = if let Some(closed) = host.closed(place) {
        (format!("cannot enter {closed}"), format!("{unlink}Permission denied"))
    } else if let Some(directory) = place.directory().filter(|it| user.may(Wish::CHANGE, it.access) == Some(false)) {
        let bind = format!("{START}Failed to bind socket to {path}: ");
        let failed = if place.node().is_some() { unlink } else { bind };
        (format!("cannot create a socket in {}", directory.path), format!("{failed}Permission denied"))
    } else {
        let directory = place.directory()?;
        let node = place.node().filter(|_| directory.access.mode & STICKY != 0)?;
        let owner = node.access.uid;
        if [owner, directory.access.uid].contains(&user.uid) {
            return None;
        }
        (format!("cannot remove {path}, which belongs to user {owner}"), format!("{unlink}Operation not permitted"))
    };
    Some(
        Diagnostic::new(
            Rule::PermissionDenied,
            socket.place(),
            format!("QEMU, which runs as user {}, {what}", user.uid),
        )
        .help("write a path in a directory that QEMU can write to")
        .libvirt(said),
    )
}
