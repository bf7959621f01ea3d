//! What a running domain has besides its disks' images: files, sockets and devices by their paths, and TCP ports.

use std::borrow::Cow;

use crate::diagnostic::Span;
use crate::syntax::Element;

/// A path that the domain uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPath {
    /// The path, as written.
    pub path: Box<str>,
    /// What is at the path.
    pub kind: PathKind,
    /// What the domain uses it for, such as `the log file of <serial>`.
    pub usage: Box<str>,
    /// The start tag of the element that names it.
    pub tag: Span,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A Unix socket.
    Socket,
    /// A character or block device.
    Device,
    /// A directory.
    Directory,
}

/// A TCP port that the domain listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPort {
    /// The address or host name it is bound to.
    pub host: Box<str>,
    /// The number.
    pub port: u16,
    /// What listens there, such as "the VNC server".
    pub usage: Box<str>,
    /// The start tag of the element that names it.
    pub tag: Span,
}

/// Elements below `<os>` whose text is the path of a file, and what it is.
const BOOT_FILES: [(&str, &str); 6] = [
    ("kernel", "the kernel image"),
    ("initrd", "the initial RAM disk"),
    ("dtb", "the device tree"),
    ("shim", "the boot shim"),
    ("loader", "the firmware"),
    ("nvram", "the NVRAM"),
];

/// Collects the paths that the domain uses.
pub(super) fn paths(root: Element<'_, '_>) -> Vec<UsedPath> {
    let mut paths = Vec::new();
    if let Some(os) = root.child("os") {
        for (name, usage) in BOOT_FILES {
            for node in os.children().filter(|node| node.is(name)) {
                let source = node.child("source").and_then(|source| source.any_value("file"));
                push(
                    &mut paths,
                    node,
                    source.map(Cow::Borrowed).or_else(|| node.text()).as_deref(),
                    PathKind::File,
                    usage.to_owned(),
                );
            }
        }
    }
    if let (Some(_), Some("kvm" | "qemu"), Some(name)) = (root.any_value("id"), root.any_value("type"), name(root)) {
        let path = format!("/var/log/libvirt/qemu/{name}.log");
        push(&mut paths, root, Some(&path), PathKind::File, "the log of QEMU".to_owned());
    }
    for device in devices(root) {
        match device.name() {
            "emulator" => push(&mut paths, device, device.text().as_deref(), PathKind::File, "the emulator".to_owned()),
            "disk" => push_disk(&mut paths, device),
            "graphics" => push_graphics(&mut paths, device),
            "filesystem" => {
                let directory = device.child("source").and_then(|source| source.any_value("dir"));
                push(&mut paths, device, directory, PathKind::Directory, "the directory of <filesystem>".to_owned());
            }
            _ => push_character_device(&mut paths, device),
        }
    }
    paths
}

fn name<'i>(root: Element<'_, 'i>) -> Option<Cow<'i, str>> {
    root.child("name")?.text()
}

fn devices<'a, 'i>(root: Element<'a, 'i>) -> impl Iterator<Item = Element<'a, 'i>> {
    let lists = root.children().filter(|child| child.is("devices"));
    lists.flat_map(Element::children)
}

fn push(paths: &mut Vec<UsedPath>, node: Element<'_, '_>, path: Option<&str>, kind: PathKind, usage: String) {
    let Some(path) = path.map(str::trim).filter(|path| path.starts_with('/')) else { return };
    paths.push(UsedPath { path: path.into(), kind, usage: usage.into(), tag: node.tag() });
}

/// What a disk uses that is not an image: the socket of a server, a directory.
fn push_disk(paths: &mut Vec<UsedPath>, disk: Element<'_, '_>) {
    let Some(source) = disk.child("source") else { return };
    let target = disk.child("target").and_then(|target| target.any_value("dev")).unwrap_or_default();
    push(paths, disk, source.any_value("dir"), PathKind::Directory, format!("the directory of `{target}`"));
    let host = source.child("host").and_then(|host| host.any_value("socket"));
    let vhost = source.any_value("path").filter(|_| source.any_value("type") == Some("unix"));
    push(paths, disk, host.or(vhost), PathKind::Socket, format!("the socket of `{target}`"));
}

fn push_graphics(paths: &mut Vec<UsedPath>, graphics: Element<'_, '_>) {
    let mut listens = graphics.children().filter(|node| node.is("listen"));
    let socket = graphics.any_value("socket").or_else(|| listens.find_map(|node| node.any_value("socket")));
    push(paths, graphics, socket, PathKind::Socket, "the socket of <graphics>".to_owned());
}

/// `<serial>`, `<channel>` and the like have a source of some type, and may keep a log.
fn push_character_device(paths: &mut Vec<UsedPath>, device: Element<'_, '_>) {
    let name = device.name();
    let log = device.child("log").and_then(|log| log.any_value("file"));
    push(paths, device, log, PathKind::File, format!("the log file of <{name}>"));
    let Some(source) = device.child("source") else { return };
    let (kind, word) = match device.any_value("type").or_else(|| source.any_value("type")) {
        Some("file") => (PathKind::File, "file"),
        Some("unix" | "vhostuser") => (PathKind::Socket, "socket"),
        Some("dev") => (PathKind::Device, "device"),
        _ => return,
    };
    push(paths, device, source.any_value("path"), kind, format!("the {word} of <{name}>"));
}

/// Collects the TCP ports that the domain listens on.
pub(super) fn ports(root: Element<'_, '_>) -> Vec<UsedPort> {
    let mut ports = Vec::new();
    for device in devices(root) {
        if device.name() == "graphics" {
            push_graphics_ports(&mut ports, device);
        } else if device.any_value("type") == Some("tcp") {
            let binds = |source: &Element<'_, '_>| source.any_value("mode") == Some("bind");
            let sources = device.children().filter(|child| child.is("source"));
            for source in sources.filter(binds) {
                let usage = format!("<{}>", device.name());
                let host = source.any_value("host");
                ports.extend(used_port(device, host, source.any_value("service"), usage));
            }
        }
    }
    ports
}

fn push_graphics_ports(ports: &mut Vec<UsedPort>, graphics: Element<'_, '_>) {
    let kind = match graphics.any_value("type") {
        Some("vnc") => "VNC",
        Some("spice") => "SPICE",
        _ => return,
    };
    let mut listens = graphics.children().filter(|node| node.is("listen"));
    let address = listens.find_map(|node| node.any_value("address")).or(graphics.any_value("listen"));
    for (name, what) in [("port", "server"), ("tlsPort", "TLS server"), ("websocket", "websocket")] {
        ports.extend(used_port(graphics, address, graphics.any_value(name), format!("the {kind} {what}")));
    }
}

/// A port that is not chosen yet is -1.
fn used_port(node: Element<'_, '_>, host: Option<&str>, port: Option<&str>, usage: String) -> Option<UsedPort> {
    let port = port?.parse().ok().filter(|port| *port != 0)?;
    Some(UsedPort { host: host?.into(), port, usage: usage.into(), tag: node.tag() })
}
