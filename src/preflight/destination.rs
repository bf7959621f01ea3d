//! Where the data goes: places that two disks share, that the domain uses, or that QEMU cannot make.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::backup::{BackupMode, Disk, Mode, StorageFormat, StorageType};
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{DomainDisk, Source};
use crate::rules::Rule;

use super::Context;

/// Linux's limit on the name of a file, in bytes.
const MAX_FILE_NAME_LENGTH: usize = 255;
/// Linux's limit on a path, in bytes, the NUL at its end included.
const MAX_PATH_LENGTH: usize = 4096;

/// An image of the domain that is in use while it runs.
pub(super) struct Image<'c> {
    disk: &'c DomainDisk,
    /// Whether it is what the disk reads and writes, not one behind it.
    is_unprefixed: bool,
    is_device: bool,
}

pub(super) fn check(context: &Context<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let images = images(context);
    let mut used: HashMap<Cow<'_, str>, &Disk<'_>> = HashMap::new();
    for disk in context.included_disks() {
        diagnostics.extend(check_format(context, disk));
        let Some(path) = disk.path().filter(|path| !is_unreadable(path.value.as_ref(), path.span)) else { continue };
        let normal = normalized(&path.value);
        if let Some(diagnostic) = check_name(context, disk).or_else(|| check_use(context, disk, images.get(&normal))) {
            diagnostics.push(diagnostic);
            continue;
        }
        match used.entry(normal) {
            Entry::Vacant(entry) => {
                entry.insert(disk);
            }
            Entry::Occupied(first) => diagnostics.extend(check_shared(context, disk, first.get())),
        }
    }
    check_shared_images(context, diagnostics);
}

/// What parsing puts where there is a path that it could not read.
fn is_unreadable(path: &str, span: Span) -> bool {
    path == "/" && span == Span::default()
}

/// The path without what makes no difference to where it leads: `//`, `/./` and `/x/../`.
fn normalized(path: &str) -> Cow<'_, str> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    if path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain)) {
        return Cow::Borrowed(path);
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Cow::Owned(format!("/{}", parts.join("/")))
}

/// Images by their paths.
pub(super) type Images<'c> = HashMap<Cow<'c, str>, Image<'c>>;

/// Every image that the domain has open.
fn images<'x, 'c>(context: &'x Context<'c, '_>) -> &'x Images<'c> {
    context.images.get_or_init(|| {
        let mut images = HashMap::new();
        for disk in context.domain.into_iter().flat_map(|domain| &domain.disks) {
            let own = std::iter::once((&disk.source, true));
            for (source, is_unprefixed) in own.chain(disk.other_images.iter().map(|other| (other, false))) {
                if let Some(path) = source.path() {
                    let is_device = matches!(source, Source::Block(_));
                    images.entry(normalized(path)).or_insert(Image { disk, is_unprefixed, is_device });
                }
            }
        }
        images
    })
}

/// The format that QEMU writes: libvirt takes qcow2 unless another is named.
pub(super) fn format_of(disk: &Disk<'_>) -> StorageFormat {
    disk.format.as_ref().map_or(StorageFormat::Qcow2, |format| format.value)
}

fn element(context: &Context<'_, '_>) -> &'static str {
    match context.backup.mode {
        Mode::Push => "target",
        Mode::Pull => "scratch",
    }
}

/// Whether a path can only be that of a directory.
pub(super) fn is_directory(path: &str) -> bool {
    ["/", "/.", "/.."].iter().any(|end| path.ends_with(end))
}

/// Where a destination is written, or what it was generated for.
pub(super) fn place_of_path(context: &Context<'_, '_>, disk: &Disk<'_>) -> Span {
    let written = disk.path().map(|path| path.span).filter(|span| *span != Span::default());
    written.unwrap_or_else(|| context.place_of(disk))
}

/// Paths that no file can have.
fn check_name(context: &Context<'_, '_>, disk: &Disk<'_>) -> Option<Diagnostic> {
    let path = disk.path()?;
    let (name, value) = (&disk.name.value, &*path.value);
    let place = place_of_path(context, disk);
    let generated = path.span == Span::default();
    if is_directory(value) {
        let element = element(context);
        return Some(
            Diagnostic::new(Rule::DirectoryDestination, place, format!("the <{element}> of '{name}' is a directory"))
                .help("write the path of a file in it")
                .libvirt(directory_message(context, disk, value)),
        );
    }
    let longest = value.split('/').map(str::len).max().unwrap_or_default();
    if longest <= MAX_FILE_NAME_LENGTH && value.len() < MAX_PATH_LENGTH {
        return None;
    }
    let what = if longest > MAX_FILE_NAME_LENGTH {
        format!("a file name of {longest} bytes, and {MAX_FILE_NAME_LENGTH} are the most there can be")
    } else {
        format!("a path of {} bytes, and {} are the most there can be", value.len(), MAX_PATH_LENGTH - 1)
    };
    let (message, help) = if generated {
        (
            format!("libvirt would generate {what}, for '{name}'"),
            format!("give '{name}' a shorter <{}>", element(context)),
        )
    } else {
        (format!("'{name}' goes to {what}"), "write a shorter path".to_owned())
    };
    Some(Diagnostic::new(Rule::FileNameLength, place, message).help(help).libvirt(if context.options.reuse_external {
        format!("unable to stat: {value}: File name too long")
    } else {
        format!("failed to create image file '{value}': File name too long")
    }))
}

fn directory_message(context: &Context<'_, '_>, disk: &Disk<'_>, path: &str) -> String {
    if context.options.reuse_external {
        format!("unable to stat: {path}: Not a directory")
    } else if path.ends_with("/..") || path.bytes().all(|byte| byte == b'/') {
        exists(disk, path)
    } else if path.ends_with("/.") {
        format!("failed to create image file '{path}': No such file or directory")
    } else {
        format!("failed to create image file '{path}': Is a directory")
    }
}

/// Formats that QEMU has no writer for.
fn check_format(context: &Context<'_, '_>, disk: &Disk<'_>) -> Option<Diagnostic> {
    let format = disk.format.as_ref()?;
    let word = format.value.name();
    let refused = match format.value {
        StorageFormat::Dir => {
            "unsupported configuration: 'directory' storage format is not directly supported by QEMU, use 'dir' disk \
             type instead"
                .to_owned()
        }
        StorageFormat::Iso => {
            "unsupported configuration: storage format 'iso' is not directly supported by QEMU, use 'raw' instead"
                .to_owned()
        }
        StorageFormat::Fat => {
            "unsupported configuration: storage format 'fat' is supported only with 'dir' storage type".to_owned()
        }
        StorageFormat::Cow => "unsupported configuration: 'cow' storage format is not supported".to_owned(),
        StorageFormat::Bochs | StorageFormat::Cloop | StorageFormat::Dmg if context.options.reuse_external => {
            "internal error: unable to execute QEMU command 'blockdev-add': Image is read-only".to_owned()
        }
        StorageFormat::Bochs | StorageFormat::Cloop | StorageFormat::Dmg => {
            format!("Operation not supported: can't create storage format '{word}'")
        }
        StorageFormat::Qed if disk.storage_type == StorageType::Block && !context.options.reuse_external => {
            "operation failed: failed to format image: 'Cannot resize device files'".to_owned()
        }
        StorageFormat::Vmdk if is_incremental(disk) && !context.options.reuse_external => {
            "operation failed: failed to format image: 'Failed to get shared \"write\" lock'".to_owned()
        }
        _ => return None,
    };
    let message = match format.value {
        StorageFormat::Qed => "QEMU cannot make a qed image on a block device".to_owned(),
        StorageFormat::Vmdk => "QEMU cannot make a vmdk image for an incremental backup".to_owned(),
        _ => format!("QEMU cannot write images of format {word}"),
    };
    Some(
        Diagnostic::new(Rule::UnsupportedFormat, format.span, message)
            .help("write qcow2 or raw")
            .libvirt(refused)
            .unsafe_fix("write qcow2", format.span, "qcow2"),
    )
}

pub(super) fn is_incremental(disk: &Disk<'_>) -> bool {
    disk.backupmode.as_ref().is_some_and(|mode| mode.value == BackupMode::Incremental)
}

fn exists(disk: &Disk<'_>, path: &str) -> String {
    format!("invalid argument: store '{path}' for backup of '{}' exists", disk.name.value)
}

fn no_file(path: &str) -> String {
    format!(
        "internal error: unable to execute QEMU command 'blockdev-add': 'file' driver requires '{path}' to be a regular \
         file"
    )
}

fn no_device(path: &str) -> String {
    format!(
        "internal error: unable to execute QEMU command 'blockdev-add': 'host_device' driver requires '{path}' to be \
         either a character or block device"
    )
}

/// What QEMU says of the lock that keeps a destination from being written, in a format that is raw or not.
fn locked(context: &Context<'_, '_>, disk: &Disk<'_>, is_raw: bool, is_shareable: bool) -> String {
    let lock = if is_shareable { "shared \"write\" lock" } else { "\"write\" lock" };
    if is_raw {
        // Nothing is looked at before the job starts.
        format!(
            "internal error: unable to execute QEMU command 'transaction': Could not create node: Failed to get {lock}"
        )
    } else if disk.storage_type == StorageType::Block && !context.options.reuse_external {
        format!("operation failed: failed to format image: 'Failed to get {lock}'")
    } else {
        format!("internal error: unable to execute QEMU command 'blockdev-add': Failed to get {lock}")
    }
}

/// Images that the domain has open: a new file cannot take their place, and QEMU holds a lock on each.
fn check_use(context: &Context<'_, '_>, disk: &Disk<'_>, image: Option<&Image<'_>>) -> Option<Diagnostic> {
    let image = image?;
    let path = &*disk.path()?.value;
    let target = &image.disk.target;
    let reuse = context.options.reuse_external;
    let is_block = disk.storage_type == StorageType::Block;
    // Nobody locks a shareable image that is not backed up itself, and QEMU locks none that it writes as raw bytes.
    let is_guarded = !image.disk.shareable || !image.is_unprefixed || context.is_included(&image.disk.target);
    let overwrites = !is_guarded && format_of(disk) == StorageFormat::Raw;
    let libvirt = match (is_block, image.is_device) {
        (true, false) => no_device(path),
        (false, _) if !reuse => exists(disk, path),
        (false, true) => no_file(path),
        _ if overwrites => return None,
        _ => locked(context, disk, format_of(disk) == StorageFormat::Raw, image.disk.shareable),
    };
    let what = match (image.is_unprefixed, image.is_device) {
        (true, false) => format!("the image of '{target}'"),
        (true, true) => format!("the device of '{target}'"),
        (false, _) => format!("an image behind '{target}'"),
    };
    let message = format!("the backup of '{}' would overwrite {what}", disk.name.value);
    Some(
        Diagnostic::new(Rule::DestinationInUse, place_of_path(context, disk), message)
            .label_in(Document::Domain, image.disk.tag, "this disk uses it")
            .help("write a path that nothing uses yet")
            .libvirt(libvirt),
    )
}

/// A destination that an earlier disk has already.
fn check_shared(context: &Context<'_, '_>, disk: &Disk<'_>, first: &Disk<'_>) -> Option<Diagnostic> {
    let path = &*disk.path()?.value;
    let raw = [disk, first].map(|disk| format_of(disk) == StorageFormat::Raw);
    let kinds = (disk.storage_type == StorageType::Block, first.storage_type == StorageType::Block);
    let libvirt = match kinds {
        (false, _) if !context.options.reuse_external => exists(disk, path),
        (false, true) => no_file(path),
        (true, false) => no_device(path),
        // QEMU takes no lock on what it writes as raw bytes.
        _ if raw == [true, true] => return None,
        _ => locked(context, disk, raw.contains(&true), false),
    };
    let message = format!("'{}' and '{}' have one destination", first.name.value, disk.name.value);
    Some(
        Diagnostic::new(Rule::DuplicateDestination, place_of_path(context, disk), message)
            .primary_label(format!("of '{}'", disk.name.value))
            .label(place_of_path(context, first), format!("of '{}'", first.name.value))
            .help("give each disk a destination of its own")
            .libvirt(libvirt),
    )
}

/// A disk whose image another disk writes to cannot be backed up, whether that other one takes part or not.
fn check_shared_images(context: &Context<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let shared = context.domain.into_iter().flat_map(|domain| &domain.disks).filter(|disk| disk.shareable);
    let mut by_path: HashMap<Cow<'_, str>, Vec<&DomainDisk>> = HashMap::new();
    for disk in shared {
        // Two of those that write are enough to find another one.
        if let Some(path) = disk.source.path().filter(|_| !disk.read_only) {
            let disks = by_path.entry(normalized(path)).or_default();
            disks.extend((disks.len() < 2).then_some(disk));
        }
    }
    for disk in context.included_disks() {
        let Some(own) = context.domain_disk(disk) else { continue };
        // One finding an image is enough.
        let Some(disks) = own.source.path().and_then(|path| by_path.get_mut(&normalized(path))) else { continue };
        let other = disks.iter().find(|other| other.target != own.target).copied();
        let Some(other) = other else { continue };
        disks.clear();
        let message = format!("the image of '{}' is that of '{}' too, which can write to it", own.target, other.target);
        diagnostics.push(
            Diagnostic::new(Rule::SharedImage, context.place_of(disk), message)
                .label_in(Document::Domain, own.tag, format!("'{}'", own.target))
                .label_in(Document::Domain, other.tag, format!("'{}'", other.target))
                .help("leave it out: no backup of an image that two disks of one domain share can start")
                .libvirt(
                    "internal error: unable to execute QEMU command 'transaction': Could not replace node: Failed to \
                     get shared \"write\" lock",
                ),
        );
    }
}

/// Disks whose raw destinations QEMU does not guard: those that two share, and those that a shareable disk uses.
pub(super) fn unguarded<'c, 'a>(context: &Context<'c, 'a>) -> Vec<(&'c Disk<'a>, String)> {
    let is_raw = |disk: &&Disk<'_>| format_of(disk) == StorageFormat::Raw;
    let mut found = Vec::new();
    if !context.included_disks().any(|disk| is_raw(&disk)) {
        return found;
    }
    let images = images(context);
    let mut used: HashMap<Cow<'_, str>, &Disk<'_>> = HashMap::new();
    let open = |disk: &&Disk<'_>| context.options.reuse_external || disk.storage_type == StorageType::Block;
    for disk in context.included_disks().filter(is_raw).filter(open) {
        let Some(path) = disk.path() else { continue };
        let normal = normalized(&path.value);
        if let Some(image) = images.get(&normal).filter(|image| image.disk.shareable && image.is_unprefixed) {
            found.push((disk, format!("overwrites the shareable disk '{}' of the domain", image.disk.target)));
        } else if let Some(first) = used.get(&normal) {
            found
                .push((disk, format!("overwrites the backup of '{}', which goes to the same place", first.name.value)));
        }
        used.entry(normal).or_insert(disk);
    }
    found
}

/// The disk of the domain that has an image at `path`.
pub(super) fn user_of<'c>(context: &Context<'c, '_>, path: &str) -> Option<&'c DomainDisk> {
    images(context).get(&normalized(path)).map(|image| image.disk)
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn paths_that_lead_to_one_place_are_one() {
        for path in ["/a/b", "//a/b", "/a//b", "/a/./b", "/a/x/../b", "/../a/b", "/a/b/"] {
            assert_eq!(normalized(path), "/a/b", "{path}");
        }
        assert_ne!(normalized("/a/B"), "/a/b");
    }
}
