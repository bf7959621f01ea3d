//! Destinations that have to exist: devices, and files that are reused.

use crate::backup::{Disk, StorageFormat, StorageType};
use crate::diagnostic::Diagnostic;
use crate::host::files::{End, ImageFile, Kind, Lock, Node, Place, Wish};
use crate::preflight::destination::format_of;
use crate::rules::Rule;

use super::destination::{keeps_owner, read_only};
use super::{Host, no_way};

/// The smallest device that takes the header of a qcow2 image.
const MIN_DEVICE_BYTES: u64 = 192 << 10;
const BLOCKDEV_ADD: &str = "internal error: unable to execute QEMU command 'blockdev-add': ";
const TRANSACTION: &str = "internal error: unable to execute QEMU command 'transaction': ";
const FORMAT: &str = "operation failed: failed to format image: ";

/// A destination that is opened, not made.
struct Existing<'d> {
    disk: &'d Disk,
    path: &'d str,
    is_raw: bool,
    /// Whether libvirt makes an image on it.
    is_formatted: bool,
}

pub(super) fn check(host: &Host<'_, '_>, disk: &Disk, place: &Place) -> Option<Diagnostic> {
    let is_raw = format_of(disk) == StorageFormat::Raw;
    let is_formatted = !host.context.options.reuse_external && !is_raw;
    let existing = Existing { disk, path: &disk.path()?.value, is_raw, is_formatted };
    let said = match &place.end {
        End::Found(node) => return check_node(host, &existing, place, node),
        End::Absent => "No such file or directory",
        End::Closed(_) => return check_permission(host, &existing, place),
        _ => no_way(place)?.said,
    };
    let path = existing.path;
    let what = if disk.storage_type.value == StorageType::Block { "device" } else { "file" };
    Some(
        host.about(Rule::MissingFile, disk, format!("the {what} {path} does not exist"))
            .help(match disk.storage_type.value {
                StorageType::Block => "attach the device, or write the path of one that exists".to_owned(),
                StorageType::File => format!(
                    "create it, of format {} and of the disk's size; or start without --reuse-external",
                    format_of(disk).name()
                ),
            })
            .libvirt(if host.facts.vm.is_session() {
                format!("{BLOCKDEV_ADD}Could not open '{path}': {said}")
            } else {
                format!("unable to stat: {path}: {said}")
            }),
    )
}

fn check_node(host: &Host<'_, '_>, existing: &Existing<'_>, place: &Place, node: &Node) -> Option<Diagnostic> {
    check_kind(host, existing, node)
        .or_else(|| check_writable(host, existing, place, node))
        .or_else(|| check_locks(host, existing, node))
        .or_else(|| check_content(host, existing, node))
}

fn check_kind(host: &Host<'_, '_>, existing: &Existing<'_>, node: &Node) -> Option<Diagnostic> {
    let path = existing.path;
    let (fits, driver, wanted, word) = match existing.disk.storage_type.value {
        StorageType::File => (node.kind == Kind::File, "file", "a regular file", "type='block' with <target dev>"),
        StorageType::Block => (
            matches!(node.kind, Kind::Block | Kind::Character),
            "host_device",
            "either a character or block device",
            "type='file' with <target file>",
        ),
    };
    let what = node.kind.words();
    if !fits {
        return Some(
            host.about(Rule::WrongFileType, existing.disk, format!("{path} is {what}"))
                .help(if matches!(node.kind, Kind::File | Kind::Block) {
                    format!("write {word}, or the path of something else")
                } else {
                    "write the path of something else".to_owned()
                })
                .libvirt(format!("{BLOCKDEV_ADD}'{driver}' driver requires '{path}' to be {wanted}")),
        );
    }
    (node.kind == Kind::Character).then(|| {
        host.about(Rule::WrongFileType, existing.disk, format!("{path} is {what}, which holds no image"))
            .help("write the path of a block device")
            .libvirt(if existing.is_raw {
                format!("{TRANSACTION}Source and target image have different sizes")
            } else {
                format!("{FORMAT}'Image is not in qcow2 format'")
            })
    })
}

fn check_writable(host: &Host<'_, '_>, existing: &Existing<'_>, place: &Place, node: &Node) -> Option<Diagnostic> {
    let (disk, path) = (existing.disk, existing.path);
    if node.kind == Kind::Block && (node.read_only || node.size == Some(0)) {
        let why = if node.read_only { "is read-only" } else { "has no medium" };
        return Some(
            host.about(Rule::ReadOnlyDevice, disk, format!("the device {path} {why}"))
                .help("make it writable (blockdev --setrw), insert a medium, or write the path of another device")
                .libvirt(if existing.is_formatted {
                    format!("{FORMAT}'The device is not writable: Permission denied'")
                } else {
                    format!("{BLOCKDEV_ADD}The device is not writable: Permission denied")
                }),
        );
    }
    if node.kind == Kind::File && host.file_system(place).is_some_and(|system| system.read_only) {
        return Some(read_only(host, disk, path, place));
    }
    check_permission(host, existing, place).or_else(|| check_owner(host, existing, node))
}

fn check_permission(host: &Host<'_, '_>, existing: &Existing<'_>, place: &Place) -> Option<Diagnostic> {
    let (user, directory) = (host.plain_user()?, host.closed(place)?);
    let message = format!("QEMU, which runs as user {}, cannot enter {directory}", user.uid);
    Some(
        host.about(Rule::PermissionDenied, existing.disk, message)
            .help("let that user pass (chmod o+x on the directory, or setfacl), or write another path")
            .libvirt(format!("{BLOCKDEV_ADD}Could not open '{}': Permission denied", existing.path)),
    )
}

/// libvirt as root gives the destination to QEMU's user, unless a label says otherwise.
fn check_owner(host: &Host<'_, '_>, existing: &Existing<'_>, node: &Node) -> Option<Diagnostic> {
    let (user, path) = (host.plain_user()?, existing.path);
    let keeps_owner = host.facts.vm.is_session() || keeps_owner(existing.disk, user.uid);
    let may = user.may(Wish::WRITE, node.access);
    (keeps_owner && may == Some(false)).then(|| {
        let message = format!("QEMU, which runs as user {}, cannot write to {path}", user.uid);
        host.about(Rule::PermissionDenied, existing.disk, message)
            .help("give it to that user with chown")
            .libvirt(format!("{BLOCKDEV_ADD}Could not open '{path}': Permission denied"))
    })
}

/// What QEMU says of a lock, by what it wants to do.
pub(super) fn locked(host: &Host<'_, '_>, disk: &Disk, permission: &str) -> String {
    let lock = format!("Failed to get \"{permission}\" lock");
    match (format_of(disk) == StorageFormat::Raw, disk.storage_type.value, host.context.options.reuse_external) {
        (true, ..) => format!("{TRANSACTION}Could not create node: {lock}"),
        (false, StorageType::Block, false) => format!("{FORMAT}'{lock}'"),
        (false, ..) => format!("{BLOCKDEV_ADD}{lock}"),
    }
}

/// Locks that another QEMU, or a qemu-nbd, holds on the destination. A raw destination suffers other writers.
fn check_locks(host: &Host<'_, '_>, existing: &Existing<'_>, node: &Node) -> Option<Diagnostic> {
    let Lock { writes, resizes, denies_writing, denies_resizing } = *host.files.locks.get(&node.lock_id)?;
    let permission = if existing.is_raw {
        denies_writing.then_some("write")?
    } else if denies_writing {
        "write"
    } else if denies_resizing {
        "resize"
    } else if writes {
        "shared \"write"
    } else if resizes {
        "shared \"resize"
    } else {
        return None;
    };
    let user = host.own_image(node);
    let message = match &user {
        Some(target) => format!("{} is the image of `{target}`", existing.path),
        None => format!("{} is in use by another program", existing.path),
    };
    Some(
        host.about(Rule::ImageInUse, existing.disk, message)
            .help(match user {
                Some(_) => "write a path that nothing uses yet",
                None => "end the program that has it open (another domain, qemu-nbd), or write another path",
            })
            .libvirt(locked(host, existing.disk, permission)),
    )
}

/// What is there already, where it has to fit the disk.
fn check_content(host: &Host<'_, '_>, existing: &Existing<'_>, node: &Node) -> Option<Diagnostic> {
    let (disk, path) = (existing.disk, existing.path);
    let capacity = host.facts.vm.disks.get(&*disk.name.value).map(|sizes| sizes.capacity)?;
    let other_size = |size: u64, what: &str| {
        host.about(Rule::ImageSize, disk, format!("{path} has {size} bytes, and `{}` has {capacity}", disk.name.value))
            .help(what.to_owned())
            .libvirt(format!("{TRANSACTION}Source and target image have different sizes"))
    };
    if existing.is_formatted {
        let size = node.size.filter(|size| *size < MIN_DEVICE_BYTES)?;
        return Some(
            host.about(Rule::ImageSize, disk, format!("the device {path} has {size} bytes, too few for an image"))
                .help("write the path of a larger device")
                .libvirt(format!("{FORMAT}'Could not write refcount table: No space left on device'")),
        );
    }
    if existing.is_raw {
        let size = node.size.filter(|size| *size != capacity)?;
        return Some(other_size(size, "a raw destination has just the size of the disk"));
    }
    let image = host.files.images.get(path)?;
    check_header(host, existing, image).or_else(|| {
        let differs = image.virtual_size != capacity;
        differs.then(|| other_size(image.virtual_size, "resize it with qemu-img resize, or create it anew"))
    })
}

fn check_header(host: &Host<'_, '_>, existing: &Existing<'_>, image: &ImageFile) -> Option<Diagnostic> {
    let (disk, path) = (existing.disk, existing.path);
    let format = format_of(disk);
    let is_encrypted = disk.destination.as_ref().is_some_and(|destination| destination.encryption.is_some());
    let (what, said) = if image.format != wanted(format) {
        (format!("of format {}", image.format), format!("Image is not in {} format", format.name()))
    } else if let Some(error) = &image.error {
        ("truncated".to_owned(), error.clone())
    } else if image.corrupt {
        ("marked as corrupt".to_owned(), "qcow2: Image is corrupt; cannot be opened read/write".to_owned())
    } else if image.encrypted && !is_encrypted {
        ("encrypted".to_owned(), "Parameter 'encrypt.key-secret' is required for cipher".to_owned())
    } else if !image.encrypted && is_encrypted {
        ("not encrypted".to_owned(), "No encryption in image header, but options specified format 'luks'".to_owned())
    } else {
        return None;
    };
    Some(
        host.about(Rule::ImageFormat, disk, format!("{path} is {what}"))
            .help(format!(
                "create it anew as the backup describes it: format {}{}",
                format.name(),
                if is_encrypted { ", encrypted" } else { "" }
            ))
            .libvirt(format!("{BLOCKDEV_ADD}{said}")),
    )
}

/// What qemu-img calls a format.
fn wanted(format: StorageFormat) -> &'static str {
    match format {
        StorageFormat::Vhd => "vhdx",
        StorageFormat::Ploop => "parallels",
        other => other.name(),
    }
}

impl Host<'_, '_> {
    /// The disk of the domain whose image this is, under whatever name.
    fn own_image(&self, node: &Node) -> Option<String> {
        let disks = self.context.domain.into_iter().flat_map(|domain| &domain.disks);
        let mut images = disks.filter_map(|disk| Some((disk, disk.source.path()?)));
        let is_same = |path: &str| self.place(path).and_then(Place::node).is_some_and(|image| image.id == node.id);
        images.find(|(_, path)| is_same(path)).map(|(disk, _)| disk.target.to_string())
    }
}
