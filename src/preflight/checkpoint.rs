//! The checkpoint passed along with a backup, against the domain and the checkpoints it has.

use std::collections::HashSet;

use crate::backup::{Mode, Spanned, StorageFormat};
use crate::checkpoint::align::{is_coverable, resolve};
use crate::checkpoint::{Checkpoint, CheckpointDisk};
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{Domain, DomainDisk};
use crate::rules::Rule;
use crate::wording::code;

use super::Context;
use super::destination::is_incremental;
use super::incremental::no_bitmap;

/// libvirt writes `NAME.xml.new` first, and Linux takes 255 bytes.
const MAX_NAME_LENGTH: usize = 247;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let checkpoint = context.options.checkpoint.as_deref();
    let covered = checkpoint.and_then(|checkpoint| Some((checkpoint, covered(context, checkpoint)?)));
    let new = covered.as_ref().map(|(checkpoint, covered)| (*checkpoint, covered));
    diagnostics.extend(check_temporary_bitmap(context, new));
    let Some(checkpoint) = checkpoint else { return };
    if let Some(name) = &checkpoint.name {
        diagnostics.extend(check_name(context, name));
    }
    if let Some(domain) = context.domain {
        align(context, checkpoint, domain, diagnostics);
    }
}

/// The parent of a checkpoint to redefine has to exist.
pub(super) fn check_parent(context: &Context<'_>) -> Option<Diagnostic> {
    context.options.existing.as_ref()?;
    let checkpoint = context.options.checkpoint.as_deref()?;
    let (name, parent) = (checkpoint.name.as_ref()?, checkpoint.parent.as_ref()?);
    if context.existing(&parent.value).is_some() || parent.value == name.value {
        return None;
    }
    Some(
        diagnostic(Rule::NoSuchCheckpoint, parent.place(), format!("unknown checkpoint `{}`", parent.value))
            .help("redefine the parent first, or remove <parent>")
            .libvirt(format!("invalid argument: parent {} for moment {} not found", parent.value, name.value)),
    )
}

/// A diagnostic in the checkpoint's document.
fn diagnostic(rule: Rule, span: Span, message: String) -> Diagnostic {
    Diagnostic::new(rule, span, message).in_document(Document::Checkpoint)
}

fn check_name(context: &Context<'_>, name: &Spanned<String>) -> Option<Diagnostic> {
    let value = &name.value;
    let exists = context.existing(value).is_some();
    let incremental = context.included_disks().filter(|disk| is_incremental(disk));
    let mut bases = incremental.filter_map(|disk| Some((disk, disk.incremental.as_ref()?)));
    let base = bases.find(|(_, incremental)| *incremental.value == **value);
    if value.len() > MAX_NAME_LENGTH {
        let length = value.len();
        let message = format!("checkpoint name is too long: {length} bytes, at most {MAX_NAME_LENGTH} are allowed");
        return Some(
            diagnostic(Rule::CheckpointNameLength, name.place(), message)
                .help("use a shorter name")
                .libvirt(format!("internal error: unable to save metadata for checkpoint {value}")),
        );
    }
    let exists_already = || format!("operation failed: domain moment {value} already exists");
    let help = "use a name that no checkpoint of the domain has";
    match base {
        Some((disk, base)) => Some(
            diagnostic(
                Rule::CheckpointIsBase,
                name.place(),
                format!("duplicate checkpoint name `{value}`: the backup starts from the checkpoint of this name"),
            )
            .label(base.place(), "the checkpoint to start from")
            .help(help)
            .libvirt(if exists { exists_already() } else { no_bitmap(disk, value) }),
        ),
        None => exists.then(|| {
            diagnostic(
                Rule::CheckpointExists,
                name.place(),
                format!("duplicate checkpoint name `{value}`: the domain has a checkpoint of this name"),
            )
            .help(help)
            .libvirt(exists_already())
        }),
    }
}

/// Aligns the checkpoint's disks with the domain's, as libvirt does.
fn align(context: &Context<'_>, checkpoint: &Checkpoint, domain: &Domain, diagnostics: &mut Vec<Diagnostic>) {
    if checkpoint.disks.is_none() {
        let all = domain.disks.iter().filter(|disk| is_coverable(disk));
        diagnostics.extend(all.filter_map(|disk| check_image(context, disk, checkpoint.tag, false)));
        return;
    }
    let resolved = resolve(checkpoint, domain);
    // The main document is the backup here.
    let moved = |found: Diagnostic| found.relabelled(Document::Backup, Document::Checkpoint);
    diagnostics.extend(resolved.diagnostics.into_iter().map(moved));
    let with_bitmap = resolved.disks.into_iter().filter(|(disk, found)| disk.has_bitmap() && is_coverable(found));
    diagnostics.extend(with_bitmap.filter_map(|(disk, found)| check_disk(context, checkpoint, disk, found)));
}

fn check_disk(
    context: &Context<'_>,
    checkpoint: &Checkpoint,
    disk: &CheckpointDisk,
    found: &DomainDisk,
) -> Option<Diagnostic> {
    let differs = |bitmap: &&Spanned<String>| checkpoint.name.as_ref().is_none_or(|name| name.value != bitmap.value);
    if let Some(bitmap) = disk.bitmap.as_ref().filter(differs) {
        let expected = checkpoint.name.as_ref().map_or(&*context.options.suffix, |name| &*name.value);
        let target = &found.target;
        let diagnostic = diagnostic(
            Rule::CheckpointBitmapName,
            bitmap.place(),
            format!("invalid value {} for attribute `bitmap`", code(&bitmap.value)),
        )
        .help("remove `bitmap`, or use the name of the checkpoint")
        .libvirt(format!(
            "unsupported configuration: bitmap for disk '{target}' must match checkpoint name '{expected}'"
        ));
        return Some(checkpoint.name.iter().fold(diagnostic, |diagnostic, name| {
            diagnostic.label_in(Document::Checkpoint, name.place(), "the name of the checkpoint")
        }));
    }
    check_image(context, found, disk.name.place(), true)
}

/// Whether a checkpoint can cover a disk.
pub(crate) fn can_cover(disk: &DomainDisk) -> bool {
    is_coverable(disk)
        && disk.format == Some(StorageFormat::Qcow2)
        && super::disk::unsupported(disk, Span::default()).is_none()
}

/// Only qcow2 images keep bitmaps, and the disk has to be one that block jobs run on.
fn check_image(context: &Context<'_>, found: &DomainDisk, place: Span, listed: bool) -> Option<Diagnostic> {
    let format = found.format.unwrap_or(StorageFormat::Raw);
    if format == StorageFormat::Qcow2 {
        // One that is backed up is reported there.
        let unsupported = super::disk::unsupported(found, place).filter(|_| !context.is_included(&found.target))?;
        return Some(unsupported.in_document(Document::Checkpoint).help(no_checkpoint(found, listed)));
    }
    let (name, word) = (&found.target, format.name());
    Some(
        diagnostic(
            Rule::CheckpointFormat,
            place,
            format!("disk `{name}` is in format `{word}`: a checkpoint cannot cover it"),
        )
        .label_in(Document::Domain, found.tag, "the disk")
        .help(no_checkpoint(found, listed))
        .libvirt(format!("unsupported configuration: checkpoint for disk {name} unsupported for storage type {word}")),
    )
}

fn no_checkpoint(disk: &DomainDisk, listed: bool) -> String {
    let element = format!("<disk name='{}' checkpoint='no'/>", disk.target);
    if listed {
        format!("use {element}")
    } else {
        format!("list the disks of the checkpoint in <disks>, with {element}")
    }
}

/// libvirt makes a bitmap of its own for an incremental push, which a checkpoint's must not be called like.
fn check_temporary_bitmap(context: &Context<'_>, new: Option<(&Checkpoint, &HashSet<&str>)>) -> Option<Diagnostic> {
    if context.backup.mode != Mode::Push {
        return None;
    }
    context.included_disks().filter(|disk| is_incremental(disk)).find_map(|disk| {
        let target = &*disk.name.value;
        let name = format!("backup-{target}");
        let clash = "internal error: unable to execute QEMU command 'transaction': Bitmap already exists: ";
        let help = "use another name: libvirt creates a temporary bitmap of this name for an incremental push";
        if let Some(place) = new.filter(|(_, covered)| covered.contains(target)).and_then(|(new, _)| new.name.as_ref())
            && place.value == name
        {
            let message = format!("reserved checkpoint name `{name}` in a push mode backup of `{target}`");
            return Some(
                diagnostic(Rule::TemporaryBitmap, place.place(), message).help(help).libvirt(format!("{clash}{name}")),
            );
        }
        let covers = context.existing(&name)?.disks.as_ref().is_none_or(|disks| disks.contains_key(target));
        covers.then(|| {
            let message =
                format!("checkpoint `{name}` has the name of a temporary bitmap that the backup of `{target}` needs");
            Diagnostic::new(Rule::TemporaryBitmap, context.place_of(disk), message)
                .help("delete the checkpoint, or use backupmode='full', or pull mode")
                .libvirt(format!("{clash}{name}"))
        })
    })
}

/// The targets of the disks that get a bitmap.
pub(super) fn covered<'c>(context: &Context<'c>, checkpoint: &'c Checkpoint) -> Option<HashSet<&'c str>> {
    let domain = context.domain?;
    let targets = match &checkpoint.disks {
        None => domain.disks.iter().filter(|disk| is_coverable(disk)).map(|disk| &*disk.target).collect(),
        Some(disks) => disks
            .iter()
            .filter(|disk| disk.has_bitmap())
            .filter_map(|disk| context.find_checkpoint_disk(&disk.name.value))
            .map(|disk| &*disk.target)
            .collect(),
    };
    Some(targets)
}

/// The targets of the disks that a checkpoint lists only to exclude them.
pub(super) fn excluded<'c>(context: &Context<'c>, checkpoint: &'c Checkpoint) -> HashSet<&'c str> {
    let excluded = checkpoint.disks.iter().flatten().filter(|listed| !listed.has_bitmap());
    excluded.filter_map(|listed| context.find_checkpoint_disk(&listed.name.value)).map(|disk| &*disk.target).collect()
}
