//! What a running domain has besides its disks' images: files, sockets and devices by their paths, and TCP ports.

use roxmltree::Node;

use crate::diagnostic::Span;
use crate::syntax::start_tag;

use super::{attribute, child, is_unprefixed};

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
pub(super) fn paths(root: Node<'_, '_>) -> Vec<UsedPath> {
    let mut paths = Vec::new();
    if let Some(os) = child(root, "os") {
        for (name, usage) in BOOT_FILES {
            for node in os.children().filter(|node| is_unprefixed(*node, name)) {
                let source = child(node, "source").and_then(|source| attribute(source, "file"));
                push(&mut paths, node, source.or_else(|| node.text()), PathKind::File, usage.to_owned());
            }
        }
    }
    if let (Some(_), Some("kvm" | "qemu"), Some(name)) = (attribute(root, "id"), attribute(root, "type"), name(root)) {
        let path = format!("/var/log/libvirt/qemu/{name}.log");
        push(&mut paths, root, Some(&path), PathKind::File, "the log of QEMU".to_owned());
    }
    for device in devices(root) {
        match device.tag_name().name() {
            "emulator" => push(&mut paths, device, device.text(), PathKind::File, "the emulator".to_owned()),
            "disk" => push_disk(&mut paths, device),
            "graphics" => push_graphics(&mut paths, device),
            "filesystem" => {
                let directory = child(device, "source").and_then(|source| attribute(source, "dir"));
                push(&mut paths, device, directory, PathKind::Directory, "the directory of <filesystem>".to_owned());
            }
            _ => push_character_device(&mut paths, device),
        }
    }
    paths
}

fn name<'a>(root: Node<'a, '_>) -> Option<&'a str> {
    child(root, "name")?.text()
}

fn devices<'a, 'i>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let lists = root.children().filter(|child| is_unprefixed(*child, "devices"));
    lists.flat_map(|devices| devices.children()).filter(Node::is_element)
}

fn push(paths: &mut Vec<UsedPath>, node: Node<'_, '_>, path: Option<&str>, kind: PathKind, usage: String) {
    let Some(path) = path.map(str::trim).filter(|path| path.starts_with('/')) else { return };
    paths.push(UsedPath { path: path.into(), kind, usage: usage.into(), tag: start_tag(node) });
}

/// What a disk uses that is not an image: the socket of a server, a directory.
fn push_disk(paths: &mut Vec<UsedPath>, disk: Node<'_, '_>) {
    let Some(source) = child(disk, "source") else { return };
    let target = child(disk, "target").and_then(|target| attribute(target, "dev")).unwrap_or_default();
    push(paths, disk, attribute(source, "dir"), PathKind::Directory, format!("the directory of `{target}`"));
    let host = child(source, "host").and_then(|host| attribute(host, "socket"));
    let vhost = attribute(source, "path").filter(|_| attribute(source, "type") == Some("unix"));
    push(paths, disk, host.or(vhost), PathKind::Socket, format!("the socket of `{target}`"));
}

fn push_graphics(paths: &mut Vec<UsedPath>, graphics: Node<'_, '_>) {
    let mut listens = graphics.children().filter(|node| is_unprefixed(*node, "listen"));
    let socket = attribute(graphics, "socket").or_else(|| listens.find_map(|node| attribute(node, "socket")));
    push(paths, graphics, socket, PathKind::Socket, "the socket of <graphics>".to_owned());
}

/// `<serial>`, `<channel>` and the like have a source of some type, and may keep a log.
fn push_character_device(paths: &mut Vec<UsedPath>, device: Node<'_, '_>) {
    let name = device.tag_name().name();
    let log = child(device, "log").and_then(|log| attribute(log, "file"));
    push(paths, device, log, PathKind::File, format!("the log file of <{name}>"));
    let Some(source) = child(device, "source") else { return };
    let (kind, word) = match attribute(device, "type").or_else(|| attribute(source, "type")) {
        Some("file") => (PathKind::File, "file"),
        Some("unix" | "vhostuser") => (PathKind::Socket, "socket"),
        Some("dev") => (PathKind::Device, "device"),
        _ => return,
    };
    push(paths, device, attribute(source, "path"), kind, format!("the {word} of <{name}>"));
}

/// Collects the TCP ports that the domain listens on.
pub(super) fn ports(root: Node<'_, '_>) -> Vec<UsedPort> {
    let mut ports = Vec::new();
    for device in devices(root) {
        if device.tag_name().name() == "graphics" {
            push_graphics_ports(&mut ports, device);
        } else if attribute(device, "type") == Some("tcp") {
            let binds = |source: &Node<'_, '_>| attribute(*source, "mode") == Some("bind");
            let sources = device.children().filter(|child| is_unprefixed(*child, "source"));
            for source in sources.filter(binds) {
                let usage = format!("<{}>", device.tag_name().name());
                let host = attribute(source, "host");
                ports.extend(used_port(device, host, attribute(source, "service"), usage));
            }
        }
    }
    ports
}

fn push_graphics_ports(ports: &mut Vec<UsedPort>, graphics: Node<'_, '_>) {
    let kind = match attribute(graphics, "type") {
        Some("vnc") => "VNC",
        Some("spice") => "SPICE",
        _ => return,
    };
    let mut listens = graphics.children().filter(|node| is_unprefixed(*node, "listen"));
    let address = listens.find_map(|node| attribute(node, "address")).or(attribute(graphics, "listen"));
    for (name, what) in [("port", "server"), ("tlsPort", "TLS server"), ("websocket", "websocket")] {
        ports.extend(used_port(graphics, address, attribute(graphics, name), format!("the {kind} {what}")));
    }
}

/// A port that is not chosen yet is -1.
fn used_port(node: Node<'_, '_>, host: Option<&str>, port: Option<&str>, usage: String) -> Option<UsedPort> {
    let port = port?.parse().ok().filter(|port| *port != 0)?;
    Some(UsedPort { host: host?.into(), port, usage: usage.into(), tag: start_tag(node) })
}
