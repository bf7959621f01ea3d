//! Destinations: whether a new file can be made there.

use std::collections::HashMap;

use crate::backup::{Disk, Labelling, Seclabel, StorageFormat, StorageType};
use crate::diagnostic::Diagnostic;
use crate::host::files::{End, FileSystem, Id, Kind, Place, Wish};
use crate::host::sizes::bytes;
use crate::preflight::destination::{format_of, place_of_path};
use crate::rules::Rule;

use super::{Host, existing, no_way, warning};

/// What the header and the first tables of a new qcow2 image take: three clusters.
const HEADER_BYTES: u64 = 3 * CLUSTER_BYTES;
const CLUSTER_BYTES: u64 = 64 << 10;

pub(super) fn check(host: &Host<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<(Id, &str), &Disk> = HashMap::new();
    for disk in host.context.included_disks() {
        let Some(place) = disk.path().and_then(|path| host.place(&path.value)) else { continue };
        let is_new = disk.storage_type.value == StorageType::File && !host.context.options.reuse_external;
        let found = if is_new { check_new(host, disk, place) } else { existing::check(host, disk, place) };
        if found.is_some() {
            diagnostics.extend(found);
            continue;
        }
        let Some(identity) = identity(place) else { continue };
        match seen.get(&identity) {
            Some(first) => diagnostics.extend(check_shared(host, disk, first, is_new)),
            None => {
                seen.insert(identity, disk);
            }
        }
    }
}

/// Which file a path leads to; one that is still to be made is known by its directory and its name in that.
fn identity(place: &Place) -> Option<(Id, &str)> {
    match &place.end {
        End::Found(node) => Some((node.id, "")),
        _ => Some((place.directory()?.id, place.resolved.rsplit('/').next()?)),
    }
}

fn check_new(host: &Host<'_, '_>, disk: &Disk, place: &Place) -> Option<Diagnostic> {
    let path = &*disk.path()?.value;
    let name = &disk.name.value;
    if let End::Found(node) = &place.end {
        let what = node.kind.words();
        return Some(
            host.about(Rule::DestinationExists, disk, format!("{path} exists: it is {what}"))
                .help(match node.kind {
                    Kind::Directory => "write the path of a new file in it",
                    Kind::File => "write a path where nothing is; or remove the file, if it is an old backup",
                    _ => "write a path where nothing is; a device is written as type='block' with <target dev>",
                })
                .libvirt(format!("invalid argument: store '{path}' for backup of '{name}' exists")),
        );
    }
    if let Some(no_way) = no_way(place) {
        return Some(
            host.about(Rule::MissingDirectory, disk, format!("libvirt cannot create {path}: {}", no_way.what))
                .help("create the directory, or write a path in one that exists")
                .libvirt(format!("failed to create image file '{path}': {}", no_way.said)),
        );
    }
    let system = host.file_system(place);
    if let Some(system) = system.filter(|system| system.is_virtual()) {
        return Some(
            host.about(Rule::PermissionDenied, disk, format!("no file can be created in {}", system.mount))
                .help("write a path on a file system that holds data")
                .libvirt(format!("failed to create image file '{path}': {}", system.refusal())),
        );
    }
    if system.is_some_and(|system| system.read_only) {
        return Some(read_only(host, disk, path, place));
    }
    check_permission(host, disk, path, place).or_else(|| check_room(host, disk, path, system?))
}

pub(super) fn read_only(host: &Host<'_, '_>, disk: &Disk, path: &str, place: &Place) -> Diagnostic {
    let mount = host.file_system(place).map(|system| system.mount.as_str()).filter(|mount| !mount.is_empty());
    let where_ = mount.map_or(String::new(), |mount| format!(" at {mount}"));
    let libvirt = if host.context.options.reuse_external || disk.storage_type.value == StorageType::Block {
        format!(
            "internal error: unable to execute QEMU command 'blockdev-add': Could not open '{path}': Read-only file system"
        )
    } else {
        format!("failed to create image file '{path}': Read-only file system")
    };
    host.about(Rule::ReadOnlyFileSystem, disk, format!("{path} is on a file system that is mounted read-only{where_}"))
        .help("mount it so that it can be written to, or write another path")
        .libvirt(libvirt)
}

/// Whether QEMU's user can reach a new file, and in a session libvirt make it.
fn check_permission(host: &Host<'_, '_>, disk: &Disk, path: &str, place: &Place) -> Option<Diagnostic> {
    let user = host.plain_user()?;
    let closed = host.closed(place).map(|directory| format!("cannot enter {directory}"));
    if host.facts.vm.is_session() {
        let closed = closed.or_else(|| {
            let directory = place.directory()?;
            let may = user.may(Wish::CHANGE, directory.access);
            (may == Some(false)).then(|| format!("cannot create files in {}", directory.path))
        })?;
        return Some(
            host.about(Rule::PermissionDenied, disk, format!("libvirt, which runs as user {}, {closed}", user.uid))
                .help("write a path in a directory of that user")
                .libvirt(format!("failed to create image file '{path}': Permission denied")),
        );
    }
    let closed = closed.or_else(|| {
        keeps_owner(disk, user.uid)
            .then(|| format!("cannot open {path}: its <seclabel> leaves the file to another user"))
    })?;
    Some(
        host.about(Rule::PermissionDenied, disk, format!("QEMU, which runs as user {}, {closed}", user.uid))
            .help("let that user pass (chmod o+x on the directory, or setfacl), or write a path that it can reach")
            .libvirt(format!(
                "internal error: unable to execute QEMU command 'blockdev-add': Could not open '{path}': Permission denied"
            )),
    )
}

/// Whether security labels keep libvirt from giving the file to QEMU's user.
pub(super) fn keeps_owner(disk: &Disk, uid: u32) -> bool {
    let labels = disk.destination.iter().flat_map(|destination| &destination.seclabels);
    let mut of_users = labels.filter(|label| label.model.as_ref().is_some_and(|model| model.value == "dac"));
    let is_others = |label: &Seclabel| {
        let owner =
            label.label.as_ref().and_then(|label| label.value.split(':').next()?.trim_start_matches('+').parse().ok());
        owner.is_some_and(|owner: u32| owner != uid)
    };
    of_users.any(|label| match label.labelling {
        Labelling::Relabelled => is_others(label),
        Labelling::Kept => true,
        Labelling::Skipped => false,
    })
}

/// Whether the file system has room for the header of an image, and takes a file of the disk's size.
fn check_room(host: &Host<'_, '_>, disk: &Disk, path: &str, system: &FileSystem) -> Option<Diagnostic> {
    let free = if host.plain_user().is_some() { system.free } else { system.free_for_root };
    let what = if system.free_files == Some(0) {
        Some(("no inodes", format!("failed to create image file '{path}': No space left on device")))
    } else if free < HEADER_BYTES && format_of(disk) != StorageFormat::Raw {
        let table = if free < CLUSTER_BYTES { "qcow2 header" } else { "refcount table" };
        let said =
            format!("operation failed: failed to format image: 'Could not write {table}: No space left on device'");
        Some(("too little space", said))
    } else {
        None
    };
    if let Some((what, libvirt)) = what {
        return Some(
            host.about(Rule::NotEnoughSpace, disk, format!("{what} left on the file system of {path}"))
                .help("make room there, or write a path on another file system")
                .libvirt(libvirt),
        );
    }
    let capacity = host.facts.vm.disks.get(&*disk.name.value)?.capacity;
    let largest =
        system.largest_file().filter(|largest| capacity > *largest && format_of(disk) == StorageFormat::Raw)?;
    Some(
        host.about(
            Rule::FileTooLarge,
            disk,
            format!(
                "{path} would have {}, and {} takes files of {} at the most",
                bytes(capacity),
                system.kind,
                bytes(largest)
            ),
        )
        .help("write qcow2, which starts small, or a path on another file system")
        .libvirt("operation failed: failed to format image: 'Could not resize file: File too large'"),
    )
}

/// Two destinations that are one file, though they are spelt differently.
fn check_shared(host: &Host<'_, '_>, disk: &Disk, first: &Disk, is_new: bool) -> Option<Diagnostic> {
    let (path, first_path) = (&*disk.path()?.value, &*first.path()?.value);
    // Of equal paths the documents say it.
    let raw = [disk, first].map(|disk| format_of(disk) == StorageFormat::Raw);
    if path == first_path {
        return None;
    }
    let name = &disk.name.value;
    let diagnostic = host
        .about(Rule::SameDestination, disk, format!("{path} and {first_path} are one destination"))
        .primary_label(format!("of `{name}`"))
        .label(place_of_path(host.context, first), format!("of `{}`", first.name.value));
    // QEMU takes no locks on what it writes as raw bytes, and locks a device by its node.
    let [own_node, first_node] =
        [path, first_path].map(|path| host.place(path).and_then(Place::node).map(|node| node.lock_id));
    if !is_new && (raw == [true, true] || own_node != first_node) {
        let help =
            "give each disk a destination of its own: QEMU does not notice, and each backup overwrites the other";
        return Some(warning(diagnostic.help(help)));
    }
    Some(diagnostic.help("give each disk a destination of its own").libvirt(if is_new {
        format!("invalid argument: store '{path}' for backup of '{name}' exists")
    } else {
        existing::locked(host, disk, "write")
    }))
}
