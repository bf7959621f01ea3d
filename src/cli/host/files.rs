//! Looks at the files, devices and addresses that a backup has to do with. Nothing is opened for writing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketType};

use crate::diagnostic::NotChecked;
use crate::host::Vm;
use crate::host::files::{Directory, End, FileSystem, Files, Host, Id, Kind, Listener, Lock, Node, Place, User};
use crate::host::probes::Probes;

use super::resolve::{resolve, resolve_entry};
use super::{AS_ROOT, image};

/// How long a name server may take.
const RESOLVER_LIMIT: Duration = Duration::from_secs(3);
/// The lowest port that needs no privilege, unless the kernel says otherwise.
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;
/// Bytes of a sector, in which the kernel gives the size of a device.
const SECTOR_BYTES: u64 = 512;
/// QEMU's locks are on single bytes of an image: from the first of these on what it does, from the second what it
/// suffers no other to do.
const USED: u64 = 100;
const DENIED: u64 = 200;
/// QEMU's numbers of permissions.
const WRITE: u64 = 1;
const RESIZE: u64 = 3;

/// Looks at everything that is asked for.
pub(in crate::cli) fn look(probes: &Probes, vm: &Vm) -> Files {
    let mut files = Files { user: user(vm), first_unprivileged_port: first_unprivileged_port(), ..Files::default() };
    for path in &probes.images {
        // An image that is in use and not to be found shows that libvirt sees other files.
        if resolve(path).is_missing() {
            files.other_view = Some(format!("the domain's image {path} does not exist here"));
            files.not_checked.insert(NotChecked::new("files: this process does not see those that libvirt sees"));
            return files;
        }
    }
    files.other_view = other_namespace();
    let mounts = mounts(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default());
    for path in probes.paths.iter().chain(&probes.images).chain(&probes.headers) {
        let mut place = resolve(path);
        if let End::Found(node) = &mut place.end {
            size_of_device(node);
        }
        add_file_system(&mut files, &place, &mounts);
        if let (End::Closed(directory), false) = (&place.end, vm.is_session()) {
            files
                .not_checked
                .insert(NotChecked::new(format!("files in {directory}, which is closed to this user")).help(AS_ROOT));
        }
        files.paths.insert(path.clone(), place);
    }
    if let Some(socket) = &probes.socket {
        let place = resolve_entry(socket);
        add_file_system(&mut files, &place, &mounts);
        files.socket = Some(place);
    }
    if !probes.paths.is_empty() {
        files.locks = locks(&fs::read_to_string("/proc/locks").unwrap_or_default());
        let found: BTreeSet<_> = files.paths.values().filter_map(Place::node).map(|node| node.lock_id).collect();
        files.locks.retain(|id, _| found.contains(id));
    }
    for path in &probes.headers {
        if let Some(image) = image::look(path, &mut files.not_checked) {
            files.images.insert(path.clone(), image);
        }
    }
    if let Some(name) = &probes.host {
        files.hosts.insert(name.clone(), host(name));
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let tables = tables.iter().map(|table| fs::read_to_string(table).unwrap_or_default());
        files.listeners =
            tables.flat_map(|table| listeners(&table)).filter(|listener| Some(listener.port) == probes.port).collect();
        let has_own = files.listeners.iter().any(|listener| listener.address.is_ipv4());
        for listener in files.listeners.iter_mut().filter(|_| !has_own) {
            listener.takes_ipv4 = listener.address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && is_bound(listener.port);
        }
    }
    if probes.certificates {
        files.certificates = super::certificates::look(vm, files.user.as_ref(), &mut files.not_checked);
    }
    files
}

/// Whom QEMU runs as: the domain's label, or in a session the user of this process.
fn user(vm: &Vm) -> Option<User> {
    if vm.is_session() {
        let groups = rustix::process::getgroups().unwrap_or_default().into_iter().map(rustix::process::Gid::as_raw);
        let own = rustix::process::getegid().as_raw();
        return Some(User { uid: rustix::process::geteuid().as_raw(), groups: groups.chain([own]).collect() });
    }
    let (user, group) = vm.user.as_ref()?.split_once(':')?;
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (users, groups) = (read("/etc/passwd"), read("/etc/group"));
    let uid = number(user, &users)?;
    let name = users.lines().find(|line| line.split(':').nth(2) == Some(&uid.to_string()));
    let name = name.and_then(|line| line.split(':').next());
    let is_member = |line: &&str| {
        line.split(':').nth(3).is_some_and(|members| members.split(',').any(|member| Some(member) == name))
    };
    let more = groups.lines().filter(is_member).filter_map(|line| line.split(':').nth(2)?.parse().ok());
    Some(User { uid, groups: number(group, &groups).into_iter().chain(more).collect() })
}

/// A user or group: `+64055`, or a name of the table.
fn number(written: &str, table: &str) -> Option<u32> {
    if let Ok(number) = written.trim_start_matches('+').parse() {
        return Some(number);
    }
    let line = table.lines().find(|line| line.split(':').next() == Some(written))?;
    line.split(':').nth(2)?.parse().ok()
}

fn first_unprivileged_port() -> u16 {
    let written = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    written.ok().and_then(|port| port.trim().parse().ok()).unwrap_or(FIRST_UNPRIVILEGED_PORT)
}

/// Why the daemon may see other files: it has another root, or other mounts.
fn other_namespace() -> Option<String> {
    let names = ["libvirtd", "virtqemud"];
    let pid = names.iter().find_map(|name| {
        let pid = fs::read_to_string(format!("/run/{name}.pid"))
            .or_else(|_| fs::read_to_string(format!("/run/libvirt/{name}.pid")));
        Some((name, pid.ok()?.trim().parse::<u32>().ok()?))
    });
    let (name, pid) = pid?;
    let mounts = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    match (mounts(&pid.to_string()), mounts("self")) {
        (Some(its), Some(own)) if its != own => Some(format!("{name} has a mount namespace of its own")),
        _ => None,
    }
}

/// The size of a block device, and whether it can be written to.
fn size_of_device(node: &mut Node) {
    if node.kind != Kind::Block {
        return;
    }
    let device = node.id.device;
    let folder = format!("/sys/dev/block/{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let number = |name: &str| fs::read_to_string(format!("{folder}/{name}")).ok()?.trim().parse::<u64>().ok();
    node.size = number("size").map(|sectors| sectors.saturating_mul(SECTOR_BYTES));
    node.read_only = number("ro") == Some(1);
}

fn add_file_system(files: &mut Files, place: &Place, mounts: &BTreeMap<u64, (String, String)>) {
    if let Some(directory) = place.directory()
        && !files.file_systems.contains_key(&directory.path)
        && let Some(system) = file_system(directory, mounts)
    {
        files.file_systems.insert(directory.path.clone(), system);
    }
}

fn file_system(directory: &Directory, mounts: &BTreeMap<u64, (String, String)>) -> Option<FileSystem> {
    let found = rustix::fs::statvfs(&directory.path).ok()?;
    let device = directory.id.device;
    let (mount, kind) = mounts.get(&device).cloned().unwrap_or_default();
    Some(FileSystem {
        device,
        mount,
        kind,
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
        free: found.f_bavail.saturating_mul(found.f_frsize),
        free_for_root: found.f_bfree.saturating_mul(found.f_frsize),
        free_files: (found.f_files > 0).then_some(found.f_ffree),
        block: found.f_frsize,
    })
}

/// Mount points and types by device, from `/proc/self/mountinfo`.
fn mounts(table: &str) -> BTreeMap<u64, (String, String)> {
    let mut mounts = BTreeMap::new();
    for line in table.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount)) = (words.nth(2), words.nth(1)) else { continue };
        let kind = line.split_once(" - ").and_then(|(_, rest)| rest.split(' ').next());
        let numbers =
            device.split_once(':').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        if let (Some((major, minor)), Some(kind)) = (numbers, kind) {
            mounts.entry(rustix::fs::makedev(major, minor)).or_insert((mount.to_owned(), kind.to_owned()));
        }
    }
    mounts
}

/// The locks of QEMU, from `/proc/locks`: `6: OFDLCK ADVISORY  READ -1 fe:00:10177682 201 201`
fn locks(table: &str) -> BTreeMap<Id, Lock> {
    let mut locks: BTreeMap<Id, Lock> = BTreeMap::new();
    for line in table.lines().filter(|line| line.contains("OFDLCK") || line.contains("POSIX")) {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let Some([id, first, last]) = words.last_chunk() else { continue };
        let mut numbers = id.split(':');
        let mut hexadecimal = || numbers.next().and_then(|number| u32::from_str_radix(number, 16).ok());
        let (Some(major), Some(minor)) = (hexadecimal(), hexadecimal()) else { continue };
        let Some(inode) = id.rsplit(':').next().and_then(|inode| inode.parse().ok()) else { continue };
        let Ok(first) = first.parse::<u64>() else { continue };
        let last = last.parse::<u64>().unwrap_or(u64::MAX);
        let covers = |byte| first <= byte && byte <= last;
        let lock = locks.entry(Id { device: rustix::fs::makedev(major, minor), inode }).or_default();
        lock.writes |= covers(USED + WRITE);
        lock.resizes |= covers(USED + RESIZE);
        lock.denies_writing |= covers(DENIED + WRITE);
        lock.denies_resizing |= covers(DENIED + RESIZE);
    }
    locks
}

/// Ports that something listens on, from `/proc/net/tcp` or `tcp6`.
fn listeners(table: &str) -> Vec<Listener> {
    const LISTEN: &str = "0A";
    let listener = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (address, port) = words.nth(1)?.split_once(':')?;
        (words.nth(1)? == LISTEN).then_some(())?;
        let port = u16::from_str_radix(port, 16).ok()?;
        Some(Listener { address: address_from_hexadecimal(address)?, port, takes_ipv4: false })
    };
    table.lines().filter_map(listener).collect()
}

/// Whether a port is taken on IPv4. The tables do not say whether a listener on every IPv6 address takes it, so a
/// socket is bound to it for a moment, which does not listen.
fn is_bound(port: u16) -> bool {
    let try_bind = || {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        net::sockopt::set_socket_reuseaddr(&socket, true)?;
        net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    };
    try_bind() == Err(Errno::ADDRINUSE)
}

/// The kernel prints words of 32 bits as numbers of the machine.
fn address_from_hexadecimal(written: &str) -> Option<IpAddr> {
    let mut bytes = Vec::with_capacity(16);
    for start in (0..written.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(written.get(start..start + 8)?, 16).ok()?.to_ne_bytes());
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    <[u8; 16]>::try_from(bytes.as_slice()).ok().map(|bytes| Ipv6Addr::from(bytes).into())
}

/// The addresses of a name, and whether they are this host's: only then can a socket be bound to one.
fn host(name: &str) -> Host {
    let (sender, receiver) = mpsc::channel();
    let asked = (name.to_owned(), 0);
    thread::spawn(move || {
        sender.send(asked.to_socket_addrs().map(|found| found.map(|address| address.ip()).collect::<BTreeSet<_>>()))
    });
    let found = match receiver.recv_timeout(RESOLVER_LIMIT) {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Host::Unknown(error.to_string()),
        Err(_) => return Host::Unasked,
    };
    let (local, elsewhere): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| UdpSocket::bind((*address, 0)).is_ok());
    if local.is_empty() { Host::Elsewhere(elsewhere) } else { Host::Local(local) }
}
