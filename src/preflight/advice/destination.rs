//! Advice about destinations: what the copies hold, who can read them, and what is in the way of the next backup.

use crate::backup::{Disk, Mode, StorageFormat, StorageType};
use crate::diagnostic::{Diagnostic, Document};
use crate::domain::Source;
use crate::preflight::Context;
use crate::preflight::destination::{self, describe, format_of, is_incremental, labelled, place_of_path};
use crate::rules::Rule;
use crate::wording::join_with_and;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(incremental_without_backing(context));
    diagnostics.extend(live_backing_files(context));
    diagnostics.extend(unnamed_files(context));
    diagnostics.extend(fixed_targets(context));
    diagnostics.extend(unguarded(context));
    diagnostics.extend(unencrypted_copies(context));
}

/// Whether QEMU makes the image of an incremental push itself: one that exists keeps its header and its data.
fn is_new_increment(context: &Context<'_>, disk: &Disk) -> bool {
    context.backup.mode == Mode::Push && !context.options.reuse_external && is_incremental(disk)
}

/// QEMU writes a backing file into the headers of these only.
fn has_backing_file(format: StorageFormat) -> bool {
    matches!(format, StorageFormat::Qcow2 | StorageFormat::Qcow | StorageFormat::Qed)
}

/// What did not change reads as zeros, and nothing in the file distinguishes the two. A raw device keeps what it held.
fn incremental_without_backing(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for disk in context.included_disks().filter(|disk| is_new_increment(context, disk)) {
        let Some(format) = disk.format.as_ref().filter(|format| !has_backing_file(format.value)) else { continue };
        if disk.storage_type.value == StorageType::Block && format.value == StorageFormat::Raw {
            continue;
        }
        let word = format.value.name();
        let message = format!("unchanged data of `{}` reads as zeros in a new `{word}` image", disk.name.value);
        found.push(
            Diagnostic::new(Rule::IncrementalIntoRaw, format.place(), message)
                .help("use `qcow2`, which keeps changed and unchanged data apart, or back up the whole disk"),
        );
    }
    found
}

/// The header of a new increment names the image of the running disk, which goes on changing.
fn live_backing_files(context: &Context<'_>) -> Option<Diagnostic> {
    let new = context.included_disks().filter(|disk| is_new_increment(context, disk));
    let backed: Vec<_> = new.filter(|disk| has_backing_file(format_of(disk))).collect();
    let first = backed.first()?;
    let names: Vec<_> = backed.iter().map(|disk| &*disk.name.value).collect();
    let message = format!("incremental backup of {} has the live disk as its backing file", join_with_and(&names));
    Some(
        Diagnostic::new(Rule::LiveBackingFile, place_of_path(context, first), message)
            .help("before you read it, set the previous backup: qemu-img rebase -u -b PREVIOUS -F qcow2 BACKUP"),
    )
}

/// libvirt names a file after a volume, if the volume is one.
fn unnamed_files(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for disk in context.included_disks().filter(|disk| disk.path().is_none()) {
        let Some(domain_disk) = context.domain_disk(disk).filter(|disk| disk.source == Source::Other("volume")) else {
            continue;
        };
        let name = &disk.name.value;
        let message = format!(
            "destination of `{name}` depends on its storage pool: libvirt generates one only if the volume is a file"
        );
        found.push(
            Diagnostic::new(Rule::VolumeDestination, context.place_of(disk), message)
                .label_in(Document::Domain, domain_disk.tag, "this disk is a volume")
                .help(format!("give `{name}` a destination, or check the type of the pool with `virsh pool-dumpxml`")),
        );
    }
    found
}

/// A new file must not exist. libvirt removes scratch files itself; a target stays, and the next run finds it. With a
/// checkpoint, no run can be repeated: the next one needs another name.
fn fixed_targets(context: &Context<'_>) -> Option<Diagnostic> {
    let is_repeatable = !context.options.reuse_external && context.options.checkpoint.is_none();
    if !is_repeatable || context.backup.mode == Mode::Pull {
        return None;
    }
    let is_fixed = |disk: &&Disk| {
        let path = disk.path().filter(|path| path.span.is_some() && disk.storage_type.value == StorageType::File);
        path.is_some_and(|path| !has_date(&path.value))
    };
    let fixed: Vec<_> = context.included_disks().filter(is_fixed).collect();
    let first = fixed.first()?;
    let others = match fixed.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let message = format!("fixed target: a second run of this backup fails, as the file exists then{others}");
    Some(
        Diagnostic::new(Rule::FixedTarget, place_of_path(context, first), message)
            .help("use a new path each time, or omit <target> and libvirt generates one"),
    )
}

/// Whether a path holds a date or a time, so that another run has another path.
fn has_date(path: &str) -> bool {
    const DIGITS_OF_A_DATE: usize = 6;
    let mut digits = 0;
    let mut before = b'/';
    for byte in path.bytes() {
        if byte.is_ascii_digit() {
            digits += 1;
        } else if !(matches!(byte, b'-' | b'_' | b'.' | b':' | b'T') && before.is_ascii_digit()) {
            digits = 0;
        }
        if digits >= DIGITS_OF_A_DATE {
            return true;
        }
        before = byte;
    }
    false
}

fn unguarded(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = destination::unguarded(context).into_iter().map(|(disk, occupant)| {
        let message = format!("backup of `{}` overwrites {}", disk.name.value, describe(occupant));
        let diagnostic = Diagnostic::new(Rule::UnguardedDestination, place_of_path(context, disk), message)
            .help("use a path that nothing uses yet: QEMU does not lock raw images against this");
        labelled(context, diagnostic, occupant)
    });
    found.collect()
}

fn unencrypted_copies(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for disk in context.included_disks() {
        let Some(domain_disk) = context.domain_disk(disk).filter(|disk| disk.encrypted) else { continue };
        if disk.destination.as_ref().is_some_and(|destination| destination.encryption.is_some()) {
            continue;
        }
        let (what, element) = match context.backup.mode {
            Mode::Push => ("backup", "target"),
            Mode::Pull => ("scratch file", "scratch"),
        };
        let message = format!("{what} of `{}` is not encrypted, but the disk is", disk.name.value);
        found.push(
            Diagnostic::new(Rule::UnencryptedCopy, place_of_path(context, disk), message)
                .label_in(Document::Domain, domain_disk.tag, "this disk is encrypted")
                .help(format!("add <encryption format='luks'> with a <secret> to <{element}>, in format `qcow2`")),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::has_date;

    #[test]
    fn dates_in_paths_are_seen() {
        for path in ["/b/20260914/vda", "/b/vda-2026-09-14.qcow2", "/b/vda.1795597244", "/b/2026_09_14", "/b/260914"] {
            assert!(has_date(path), "{path}");
        }
        for path in ["/b/vda.qcow2", "/b/vm1/disk2/vda3.qcow2", "/b/12345", "/b/10.0.0/vda", "/srv/r2d2/x86"] {
            assert!(!has_date(path), "{path}");
        }
    }
}
