//! The checkpoints that a backup starts from.

use std::collections::HashSet;

use crate::backup::{Disk, StorageFormat, Text};
use crate::checkpoint::{Bitmap, Existing, is_name};
use crate::diagnostic::{Diagnostic, Document, NotChecked, Span};
use crate::domain::DomainDisk;
use crate::rules::Rule;
use crate::wording::{closest_match, code, join_with_and, trim, truncate_for_display};

use super::Context;
use super::destination::is_incremental;

/// At most this many checkpoints are listed in a help line, and compared with one that is not there.
const MAX_LISTED: usize = 12;
const MAX_COMPARED: usize = 200;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // The backup's own checkpoint is that of many disks, and one mistake.
    let mut reported: HashSet<Span> = HashSet::new();
    for disk in context.included_disks().filter(|disk| is_incremental(disk)) {
        let Some(incremental) = &disk.incremental else { continue };
        if reported.contains(&incremental.place()) {
            continue;
        }
        let wrong = check_name(disk, incremental).or_else(|| check_existing(context, disk, incremental));
        if let Some((diagnostic, is_of_all)) = wrong {
            diagnostics.push(diagnostic);
            if is_of_all {
                reported.insert(incremental.place());
            }
        }
    }
}

/// What is not known of the checkpoints that the backup starts from, in one entry.
pub(super) fn not_checked(context: &Context<'_>) -> Option<NotChecked> {
    let mut names: Vec<&str> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut disks: Vec<&str> = Vec::new();
    for disk in context.included_disks().filter(|disk| is_incremental(disk)) {
        let Some(incremental) = &disk.incremental else { continue };
        let name = &*incremental.value;
        let is_open = match context.options.existing {
            None => true,
            Some(_) => context.existing(name).is_some_and(|existing| existing.disks.is_none()),
        };
        let is_wrong =
            || check_name(disk, incremental).or_else(|| check_existing(context, disk, incremental)).is_some();
        if !is_open || context.is_new_checkpoint(name) || is_wrong() {
            continue;
        }
        disks.push(&disk.name.value);
        if seen.insert(name) {
            names.push(name);
        }
    }
    let listed: Vec<_> =
        names.iter().take(MAX_LISTED).map(|name| format!("`{}`", truncate_for_display(name))).collect();
    let checkpoint = match names.len() {
        0 => return None,
        1 => "checkpoint",
        _ => "checkpoints",
    };
    let (verb, what) = if names.len() == 1 { ("exists and covers", "covers") } else { ("exist and cover", "cover") };
    let verb = if context.options.existing.is_none() { verb } else { what };
    let message = format!("whether {checkpoint} {} {verb} {}", listed.join(", "), join_with_and(&disks));
    Some(
        NotChecked::new(message)
            .help("pass --existing-checkpoint @FILE with the output of `virsh checkpoint-dumpxml DOMAIN CHECKPOINT`"),
    )
}

fn not_found(disk: &Disk, name: &str) -> String {
    let disk = &disk.name.value;
    format!("Domain checkpoint not found: Checkpoint '{name}' for incremental backup of disk '{disk}' not found")
}

/// What libvirt prints where the image has no bitmap of the checkpoint.
pub(super) fn no_bitmap(disk: &Disk, name: &str) -> String {
    format!("checkpoint inconsistent: missing or broken bitmap '{name}' for disk '{}'", disk.name.value)
}

/// Names that no checkpoint can have. The flag is whether every disk with this name has the same mistake.
fn check_name(disk: &Disk, incremental: &Text) -> Option<(Diagnostic, bool)> {
    let name = &*incremental.value;
    if is_name(name) {
        return None;
    }
    let message = if name.is_empty() {
        "missing name of the checkpoint to start from".to_owned()
    } else {
        format!("invalid checkpoint name {}", code(name))
    };
    let help = match trim(name) {
        "" => "use a name that `virsh checkpoint-list` prints".to_owned(),
        trimmed if is_name(trimmed) => format!("remove the white space around `{trimmed}`"),
        _ => "expected letters, digits, `_`, `-` and `.`, not starting with `.`".to_owned(),
    };
    Some((
        Diagnostic::new(Rule::ImpossibleCheckpoint, incremental.place(), message)
            .help(help)
            .libvirt(not_found(disk, name)),
        true,
    ))
}

fn check_existing(context: &Context<'_>, disk: &Disk, incremental: &Text) -> Option<(Diagnostic, bool)> {
    let name = &*incremental.value;
    // The new checkpoint exists too by now, and has no bitmap yet.
    if context.is_new_checkpoint(name) {
        return None;
    }
    if let Some(existing) = context.options.existing.as_deref()
        && context.existing(name).is_none()
    {
        return Some((no_such_checkpoint(existing, disk, incremental), true));
    }
    let target = &disk.name.value;
    if let Some(domain_disk) = context.domain_disk(disk).filter(|disk| !has_bitmap_format(disk)) {
        let format = domain_disk.format.unwrap_or(StorageFormat::Raw).name();
        let message = format!("no bitmap for `{target}`: images in format `{format}` have none");
        let diagnostic = not_covered(context, disk, Rule::DiskNotCovered, message).label_in(
            Document::Domain,
            domain_disk.tag,
            format!("in format `{format}`"),
        );
        return Some((diagnostic, false));
    }
    let covered = context.existing(name)?.disks.as_ref()?;
    let shown = truncate_for_display(name);
    match covered.get(&**target) {
        Some(Bitmap::Lost) => {
            let message = format!("bitmap `{shown}` of `{target}` is lost: libvirt does not find it in the image");
            let mut diagnostic =
                not_covered(context, disk, Rule::LostBitmap, message).label(incremental.place(), "the checkpoint");
            let mut existing = context.options.existing.iter().flat_map(|existing| existing.iter()).rev();
            if let (Some(newest), Some(help)) = (existing.find(|other| other.is_usable_for(target)), &diagnostic.help) {
                diagnostic.help = Some(format!("start from `{}`, or {help}", truncate_for_display(&newest.name)));
            }
            Some((diagnostic, false))
        }
        Some(Bitmap::Listed | Bitmap::Found(_)) => None,
        None if context.renamed_from(name).is_some() => None,
        None => {
            let message = format!("checkpoint `{shown}` does not cover `{target}`");
            let diagnostic = not_covered(context, disk, Rule::DiskNotCovered, message);
            Some((diagnostic.label(incremental.place(), "the checkpoint"), false))
        }
    }
}

fn not_covered(context: &Context<'_>, disk: &Disk, rule: Rule, message: String) -> Diagnostic {
    let target = &disk.name.value;
    let name = disk.incremental.as_ref().map(|incremental| &*incremental.value).unwrap_or_default();
    Diagnostic::new(rule, context.place_of(disk), message)
        .help(format!("back up the whole disk: <disk name='{target}' backupmode='full'/>"))
        .libvirt(no_bitmap(disk, name))
}

/// Whether the images of a disk can hold bitmaps; libvirt takes a format that is not written for raw.
pub(super) fn has_bitmap_format(disk: &DomainDisk) -> bool {
    disk.format == Some(StorageFormat::Qcow2)
}

/// Incremental disks that the checkpoint does not cover under their names, but may cover under others: libvirt looks for
/// the bitmap in the image of a disk, whatever the disk was called when the checkpoint was made.
pub(super) fn renamed_disks(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for disk in context.included_disks().filter(|disk| is_incremental(disk)) {
        let Some(incremental) = &disk.incremental else { continue };
        let covered = context.existing(&incremental.value).and_then(|existing| existing.disks.as_ref());
        let target = &*disk.name.value;
        if covered.is_none_or(|covered| covered.contains_key(target)) {
            continue;
        }
        let Some(other) = context.renamed_from(&incremental.value) else { continue };
        let name = truncate_for_display(&incremental.value);
        let message = format!(
            "checkpoint `{name}` covers `{}`, which the domain does not have, but not `{target}`",
            truncate_for_display(other)
        );
        found.push(
            Diagnostic::new(Rule::DiskRenamed, context.place_of(disk), message)
                .help(format!(
                    "this works if `{target}` has the same image as that disk; otherwise use backupmode='full'"
                ))
                .label(incremental.place(), "the checkpoint"),
        );
    }
    found
}

fn no_such_checkpoint(existing: &[Existing], disk: &Disk, incremental: &Text) -> Diagnostic {
    let name = &*incremental.value;
    let names = || existing.iter().map(|existing| &*existing.name);
    let mut all = names().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    if existing.len() > MAX_LISTED {
        all.push_str(", …");
    }
    let help = match (existing.is_empty(), closest_match(name, names().take(MAX_COMPARED))) {
        (true, _) => "the domain has no checkpoints: make a full backup first".to_owned(),
        (false, Some(suggestion)) => format!("did you mean `{suggestion}`? The domain has {all}"),
        (false, None) => format!("the domain has {all}"),
    };
    Diagnostic::new(Rule::NoSuchCheckpoint, incremental.place(), format!("unknown checkpoint {}", code(name)))
        .help(help)
        .libvirt(not_found(disk, name))
}
