//! The checkpoints that a backup starts from.

use std::collections::HashSet;

use crate::backup::{Disk, Text};
use crate::checkpoint::{Existing, is_name};
use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::{closest_match, quoted, trim};

use super::Context;
use super::destination::is_incremental;

/// At most this many checkpoints are listed in a help line, and compared with one that is not there.
const MAX_LISTED: usize = 12;
const MAX_COMPARED: usize = 200;

pub(super) fn check(context: &Context<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    // The backup's own checkpoint is that of many disks, and one mistake.
    let mut reported: HashSet<Span> = HashSet::new();
    for disk in context.included_disks().filter(|disk| is_incremental(disk)) {
        let Some(incremental) = &disk.incremental else { continue };
        if reported.contains(&incremental.span) {
            continue;
        }
        let wrong = check_name(disk, incremental).or_else(|| check_existing(context, disk, incremental));
        if let Some((diagnostic, is_of_all)) = wrong {
            diagnostics.push(diagnostic);
            if is_of_all {
                reported.insert(incremental.span);
            }
        }
    }
}

fn not_found(disk: &Disk<'_>, name: &str) -> String {
    let disk = &disk.name.value;
    format!("Domain checkpoint not found: Checkpoint '{name}' for incremental backup of disk '{disk}' not found")
}

/// What libvirt prints where the image has no bitmap of the checkpoint.
pub(super) fn no_bitmap(disk: &Disk<'_>, name: &str) -> String {
    format!("checkpoint inconsistent: missing or broken bitmap '{name}' for disk '{}'", disk.name.value)
}

/// Names that no checkpoint can have. The flag tells that every disk with this name has the same mistake.
fn check_name(disk: &Disk<'_>, incremental: &Text<'_>) -> Option<(Diagnostic, bool)> {
    let name = &*incremental.value;
    if is_name(name) {
        return None;
    }
    let message = if name.is_empty() {
        "the checkpoint to start from has no name".to_owned()
    } else {
        format!("no checkpoint can be called {}", quoted(name))
    };
    let help = match trim(name) {
        "" => "write the name of a checkpoint, as virsh checkpoint-list prints it".to_owned(),
        trimmed if is_name(trimmed) => format!("write {trimmed}, without the white space around it"),
        _ => "checkpoints have letters, digits, _, - and dots in their names, and no dot first".to_owned(),
    };
    Some((
        Diagnostic::new(Rule::ImpossibleCheckpoint, incremental.span, message)
            .help(help)
            .libvirt(not_found(disk, name)),
        true,
    ))
}

fn check_existing(context: &Context<'_, '_>, disk: &Disk<'_>, incremental: &Text<'_>) -> Option<(Diagnostic, bool)> {
    let name = &*incremental.value;
    // The one that is made along with the backup is there too by now, and has no bitmap yet.
    if context.options.checkpoint.as_ref().is_some_and(|new| new.is_called(name)) {
        return None;
    }
    // With none told, nothing is said about missing ones.
    let existing = context.options.existing.as_deref()?;
    let Some(found) = context.existing(name) else {
        return Some((no_such_checkpoint(existing, disk, incremental), true));
    };
    let is_covered = match &found.disks {
        Some(covered) => covered.contains(&*disk.name.value),
        // Nobody said, but no other disk can have a bitmap.
        None => context.domain_disk(disk).is_none_or(super::checkpoint::can_have_bitmap),
    };
    if is_covered {
        return None;
    }
    let target = &disk.name.value;
    let message = format!("the checkpoint '{name}' has no bitmap of '{target}' to start from");
    let diagnostic = Diagnostic::new(Rule::DiskNotCovered, context.place_of(disk), message)
        .label(incremental.span, "the checkpoint")
        .help(format!("back '{target}' up in full: <disk name='{target}' backupmode='full'/>"))
        .libvirt(no_bitmap(disk, name));
    Some((diagnostic, false))
}

fn no_such_checkpoint(existing: &[Existing], disk: &Disk<'_>, incremental: &Text<'_>) -> Diagnostic {
    let name = &*incremental.value;
    let names = || existing.iter().map(|existing| &*existing.name);
    let mut all = names().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    if existing.len() > MAX_LISTED {
        all.push_str(", …");
    }
    let help = match (existing.is_empty(), closest_match(name, names().take(MAX_COMPARED))) {
        (true, _) => "it has none: make a full backup first".to_owned(),
        (false, Some(suggestion)) => format!("did you mean '{suggestion}'? The domain has {all}"),
        (false, None) => format!("the domain has {all}"),
    };
    Diagnostic::new(Rule::NoSuchCheckpoint, incremental.span, format!("the domain has no checkpoint {}", quoted(name)))
        .help(help)
        .libvirt(not_found(disk, name))
}
