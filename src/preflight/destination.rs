//! Where the data goes: places that two disks share, that the domain uses, or that QEMU cannot make.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::backup::{BackupMode, Disk, Mode, StorageFormat, StorageType};
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{DomainDisk, PathKind, UsedPath};
use crate::rules::Rule;

use super::Context;
use super::paths::{Found, Occupant, Paths};

/// Linux's limit on the name of a file, in bytes.
const MAX_FILE_NAME_LENGTH: usize = 255;
/// Linux's limit on a path, in bytes, the NUL at its end included.
const MAX_PATH_LENGTH: usize = 4096;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut destinations = Paths::default();
    for disk in context.included_disks() {
        diagnostics.extend(check_format(context, disk));
        let Some(path) = disk.path() else { continue };
        let value = &*path.value;
        let wrong = check_name(context, disk)
            .or_else(|| check_occupied(context, disk, context.paths().find(value)))
            .or_else(|| check_occupied(context, disk, destinations.find(value)));
        diagnostics.extend(wrong);
        destinations.insert(value, Occupant::Destination(disk));
    }
    check_shared_images(context, diagnostics);
}

/// A destination must be free, its parent a directory, and it must not be a directory itself.
fn check_occupied(context: &Context<'_>, disk: &Disk, found: Found<Occupant<'_>>) -> Option<Diagnostic> {
    match found {
        Found::Nothing => None,
        Found::At(Occupant::Image { disk: user, is_own, is_device }) => {
            check_image(context, disk, user, is_own, is_device)
        }
        Found::At(Occupant::Used(used)) => check_used(context, disk, used),
        // A disk that is listed twice is reported as that.
        Found::At(Occupant::Destination(first)) if first.name.value == disk.name.value => None,
        Found::At(Occupant::Destination(first)) => check_shared(context, disk, first),
        Found::Below(occupant) => Some(below(context, disk, occupant)),
        Found::Above(occupant) => Some(above(context, disk, occupant)),
    }
}

/// What is at a path, for a sentence.
pub(super) fn describe(occupant: Occupant<'_>) -> String {
    match occupant {
        Occupant::Image { disk, is_own: true, is_device: false } => format!("the image of `{}`", disk.target),
        Occupant::Image { disk, is_own: true, is_device: true } => format!("the device of `{}`", disk.target),
        Occupant::Image { disk, .. } => format!("an image behind `{}`", disk.target),
        Occupant::Used(used) => used.usage.to_string(),
        Occupant::Destination(disk) => format!("the destination of `{}`", disk.name.value),
    }
}

/// Points at what occupies a path.
pub(super) fn labelled(context: &Context<'_>, diagnostic: Diagnostic, occupant: Occupant<'_>) -> Diagnostic {
    match occupant {
        Occupant::Image { disk, .. } => diagnostic.label_in(Document::Domain, disk.tag, "used by this disk"),
        Occupant::Used(used) => diagnostic.label_in(Document::Domain, used.tag, "used here"),
        Occupant::Destination(disk) => diagnostic.label(place_of_path(context, disk), describe(occupant)),
    }
}

fn below(context: &Context<'_>, disk: &Disk, occupant: Occupant<'_>) -> Diagnostic {
    let (name, path) = (&disk.name.value, disk.path().map(|path| &*path.value).unwrap_or_default());
    let message = format!("destination of `{name}` is below {}, which is not a directory", describe(occupant));
    let diagnostic = Diagnostic::new(Rule::DestinationBelowFile, place_of_path(context, disk), message)
        .help("use a path in a directory")
        .libvirt(if context.options.reuse_external || disk.storage_type.value == StorageType::Block {
            format!("unable to stat: {path}: Not a directory")
        } else {
            format!("failed to create image file '{path}': Not a directory")
        });
    labelled(context, diagnostic, occupant)
}

/// A destination that is a directory, as another path leads through it.
fn above(context: &Context<'_>, disk: &Disk, occupant: Occupant<'_>) -> Diagnostic {
    let (name, path) = (&disk.name.value, disk.path().map(|path| &*path.value).unwrap_or_default());
    let message = format!("destination of `{name}` is the directory of {}", describe(occupant));
    let diagnostic = Diagnostic::new(Rule::DirectoryDestination, place_of_path(context, disk), message)
        .help("use the path of a file in the directory")
        .libvirt(match (disk.storage_type.value, context.options.reuse_external) {
            (StorageType::Block, _) => no_device(path),
            (StorageType::File, true) => no_file(path),
            (StorageType::File, false) => exists(disk, path),
        });
    labelled(context, diagnostic, occupant)
}

/// Something else of the domain: it exists while the domain runs.
fn check_used(context: &Context<'_>, disk: &Disk, used: &UsedPath) -> Option<Diagnostic> {
    let path = &*disk.path()?.value;
    let libvirt = match (disk.storage_type.value, context.options.reuse_external, used.kind) {
        (StorageType::File, false, _) => exists(disk, path),
        (StorageType::File, true, PathKind::Directory) => no_file(path),
        (StorageType::File, true, PathKind::Socket) => {
            let open = "internal error: unable to execute QEMU command 'blockdev-add': Could not open";
            format!("{open} '{path}': No such device or address")
        }
        (StorageType::Block, _, PathKind::File | PathKind::Directory) => no_device(path),
        // What becomes of these depends on what is in them.
        (StorageType::File, true, PathKind::File | PathKind::Device)
        | (StorageType::Block, _, PathKind::Socket | PathKind::Device) => return None,
    };
    Some(in_use(context, disk, Occupant::Used(used)).libvirt(libvirt))
}

fn in_use(context: &Context<'_>, disk: &Disk, occupant: Occupant<'_>) -> Diagnostic {
    let message = format!("destination of `{}` is in use: it is {}", disk.name.value, describe(occupant));
    let diagnostic = Diagnostic::new(Rule::DestinationInUse, place_of_path(context, disk), message)
        .help("use a path that nothing uses yet");
    labelled(context, diagnostic, occupant)
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

/// The format that QEMU writes: libvirt takes qcow2 unless another is named.
pub(super) fn format_of(disk: &Disk) -> StorageFormat {
    disk.format.as_ref().map_or(StorageFormat::Qcow2, |format| format.value)
}

fn element(context: &Context<'_>) -> &'static str {
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
pub(super) fn place_of_path(context: &Context<'_>, disk: &Disk) -> Span {
    disk.path().and_then(|path| path.span).unwrap_or_else(|| context.place_of(disk))
}

/// Paths that no file can have.
fn check_name(context: &Context<'_>, disk: &Disk) -> Option<Diagnostic> {
    let path = disk.path()?;
    let (name, value) = (&disk.name.value, &*path.value);
    let place = place_of_path(context, disk);
    let generated = path.span.is_none();
    if is_directory(value) {
        let element = element(context);
        return Some(
            Diagnostic::new(Rule::DirectoryDestination, place, format!("<{element}> of `{name}` is a directory"))
                .help("use the path of a file in the directory")
                .libvirt(directory_message(context, disk, value)),
        );
    }
    let longest = value.split('/').map(str::len).max().unwrap_or_default();
    if longest <= MAX_FILE_NAME_LENGTH && value.len() < MAX_PATH_LENGTH {
        return None;
    }
    let (what, length, max) = if longest > MAX_FILE_NAME_LENGTH {
        ("file name", longest, MAX_FILE_NAME_LENGTH)
    } else {
        ("path", value.len(), MAX_PATH_LENGTH - 1)
    };
    let (message, help) = if generated {
        (
            format!("generated {what} for `{name}` is too long: {length} bytes, at most {max} are allowed"),
            format!("add a <{}> with a shorter path", element(context)),
        )
    } else {
        (format!("{what} is too long: {length} bytes, at most {max} are allowed"), "use a shorter path".to_owned())
    };
    Some(Diagnostic::new(Rule::FileNameLength, place, message).help(help).libvirt(if context.options.reuse_external {
        format!("unable to stat: {value}: File name too long")
    } else {
        format!("failed to create image file '{value}': File name too long")
    }))
}

fn directory_message(context: &Context<'_>, disk: &Disk, path: &str) -> String {
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
fn check_format(context: &Context<'_>, disk: &Disk) -> Option<Diagnostic> {
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
        StorageFormat::Qed if disk.storage_type.value == StorageType::Block && !context.options.reuse_external => {
            "operation failed: failed to format image: 'Cannot resize device files'".to_owned()
        }
        StorageFormat::Vmdk if is_incremental(disk) && !context.options.reuse_external => {
            "operation failed: failed to format image: 'Failed to get shared \"write\" lock'".to_owned()
        }
        _ => return None,
    };
    let message = match format.value {
        StorageFormat::Qed => "unsupported format `qed` for a block device".to_owned(),
        StorageFormat::Vmdk => "unsupported format `vmdk` for an incremental backup".to_owned(),
        _ => format!("unsupported format `{word}`: QEMU cannot write it"),
    };
    Some(
        Diagnostic::new(Rule::UnsupportedFormat, format.place(), message)
            .help("use `qcow2` or `raw`")
            .libvirt(refused)
            .unsafe_fix("use `qcow2`", format.place(), "qcow2"),
    )
}

pub(super) fn is_incremental(disk: &Disk) -> bool {
    disk.backupmode.as_ref().is_some_and(|mode| mode.value == BackupMode::Incremental)
}

fn exists(disk: &Disk, path: &str) -> String {
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
fn locked(context: &Context<'_>, disk: &Disk, is_raw: bool, is_shareable: bool) -> String {
    let lock = if is_shareable { "shared \"write\" lock" } else { "\"write\" lock" };
    if is_raw {
        // Nothing is looked at before the job starts.
        format!(
            "internal error: unable to execute QEMU command 'transaction': Could not create node: Failed to get {lock}"
        )
    } else if disk.storage_type.value == StorageType::Block && !context.options.reuse_external {
        format!("operation failed: failed to format image: 'Failed to get {lock}'")
    } else {
        format!("internal error: unable to execute QEMU command 'blockdev-add': Failed to get {lock}")
    }
}

/// Images that the domain has open: a new file cannot take their place, and QEMU holds a lock on each.
fn check_image(
    context: &Context<'_>,
    disk: &Disk,
    user: &DomainDisk,
    is_own: bool,
    is_device: bool,
) -> Option<Diagnostic> {
    let path = &*disk.path()?.value;
    let reuse = context.options.reuse_external;
    let is_raw = format_of(disk) == StorageFormat::Raw;
    // Nothing locks a shareable image that is not backed up itself, and QEMU locks none that it writes as raw bytes.
    let is_locked = !user.shareable || !is_own || context.is_included(&user.target);
    let libvirt = match (disk.storage_type.value, is_device) {
        (StorageType::Block, false) => no_device(path),
        (StorageType::File, _) if !reuse => exists(disk, path),
        (StorageType::File, true) => no_file(path),
        _ if is_raw && !is_locked => return None,
        _ => locked(context, disk, is_raw, user.shareable),
    };
    Some(in_use(context, disk, Occupant::Image { disk: user, is_own, is_device }).libvirt(libvirt))
}

/// A destination that an earlier disk has already.
fn check_shared(context: &Context<'_>, disk: &Disk, first: &Disk) -> Option<Diagnostic> {
    let path = &*disk.path()?.value;
    let raw = [disk, first].map(|disk| format_of(disk) == StorageFormat::Raw);
    let kinds = (disk.storage_type.value == StorageType::Block, first.storage_type.value == StorageType::Block);
    let libvirt = match kinds {
        (false, _) if !context.options.reuse_external => exists(disk, path),
        (false, true) => no_file(path),
        (true, false) => no_device(path),
        // QEMU takes no lock on what it writes as raw bytes.
        _ if raw == [true, true] => return None,
        _ => locked(context, disk, raw.contains(&true), false),
    };
    let message = format!("duplicate destination of `{}` and `{}`", first.name.value, disk.name.value);
    Some(
        Diagnostic::new(Rule::DuplicateDestination, place_of_path(context, disk), message)
            .primary_label(format!("of `{}`", disk.name.value))
            .label(place_of_path(context, first), format!("of `{}`", first.name.value))
            .help("give each disk its own destination")
            .libvirt(libvirt),
    )
}

/// A disk whose image another disk writes to cannot be backed up, whether that other one takes part or not.
fn check_shared_images(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
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
        // One diagnostic an image is enough.
        let Some(disks) = own.source.path().and_then(|path| by_path.get_mut(&normalized(path))) else { continue };
        let other = disks.iter().find(|other| other.target != own.target).copied();
        let Some(other) = other else { continue };
        disks.clear();
        let message = format!("image of `{}` is shared with `{}`, which can write to it", own.target, other.target);
        diagnostics.push(
            Diagnostic::new(Rule::SharedImage, context.place_of(disk), message)
                .label_in(Document::Domain, own.tag, format!("`{}`", own.target))
                .label_in(Document::Domain, other.tag, format!("`{}`", other.target))
                .help(format!("exclude it: <disk name='{}' backup='no'/>", own.target))
                .libvirt(
                    "internal error: unable to execute QEMU command 'transaction': Could not replace node: Failed to \
                     get shared \"write\" lock",
                ),
        );
    }
}

/// Disks whose raw destinations QEMU does not guard: those that two share, and those that the domain uses.
pub(super) fn unguarded<'c>(context: &Context<'c>) -> Vec<(&'c Disk, Occupant<'c>)> {
    let is_raw = |disk: &&Disk| format_of(disk) == StorageFormat::Raw;
    let exists = |disk: &&Disk| context.options.reuse_external || disk.storage_type.value == StorageType::Block;
    let mut destinations = Paths::default();
    let mut found = Vec::new();
    for disk in context.included_disks().filter(is_raw).filter(exists) {
        let Some(path) = disk.path() else { continue };
        let used = [context.paths().find(&path.value), destinations.find(&path.value)];
        let occupants = used.into_iter().filter_map(|used| match used {
            Found::At(occupant) => Some(occupant),
            Found::Nothing | Found::Below(_) | Found::Above(_) => None,
        });
        found.extend(occupants.map(|occupant| (disk, occupant)).next());
        destinations.insert(&path.value, Occupant::Destination(disk));
    }
    found
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
