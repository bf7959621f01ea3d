//! Advice about what is backed up and what a checkpoint covers: a chain of backups needs every disk in both.

use std::collections::HashSet;

use crate::backup::{BackupMode, Disk};
use crate::checkpoint::Checkpoint;
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{Domain, DomainDisk, Source};
use crate::preflight::checkpoint::{can_cover, covered, excluded};
use crate::preflight::incremental::{has_bitmap_format, renamed_disks};
use crate::preflight::{Context, disk};
use crate::release::Release;
use crate::rules::Rule;
use crate::wording::join_with_and;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(renamed_disks(context));
    let Some(domain) = context.domain else { return };
    diagnostics.extend(unlisted_disks(context, domain));
    let Some(checkpoint) = context.options.checkpoint.as_deref() else { return };
    let covered = covered(context, checkpoint).unwrap_or_default();
    diagnostics.extend(not_backed_up(context, checkpoint, &covered));
    diagnostics.extend(not_covered(context, checkpoint, &covered));
}

/// A disk that was added later is missing from the backup, until it is needed.
fn unlisted_disks(context: &Context<'_>, domain: &Domain) -> Option<Diagnostic> {
    let disks_tag = context.backup.disks_tag.span?;
    let unlisted = context.backup.disks.iter().filter(|disk| disk.name.span.is_none());
    let unlisted: HashSet<_> = unlisted.map(|disk| &*disk.name.value).collect();
    let is_missing = |found: &&DomainDisk| {
        let is_writable = found.source != Source::Empty && !found.read_only;
        is_writable && unlisted.contains(&*found.target) && disk::unsupported(found, Span::default()).is_none()
    };
    let missing: Vec<_> = domain.disks.iter().filter(is_missing).collect();
    let first = missing.first()?;
    let names: Vec<_> = missing.iter().map(|disk| &*disk.target).collect();
    let (disk, is) = if names.len() == 1 { ("disk", "is") } else { ("disks", "are") };
    let message = format!("writable {disk} {} {is} not listed, and not backed up", join_with_and(&names));
    let excluded = format!("<disk name='{}' backup='no'/>", first.target);
    let help = match line_to_include(context, first) {
        Some(line) => format!("add {line}, or {excluded} to exclude it explicitly"),
        None => format!("add the disk with a destination, or {excluded} to exclude it explicitly"),
    };
    let diagnostic = Diagnostic::new(Rule::DiskExcluded, disks_tag, message).help(help);
    let labels = missing.iter().map(|disk| (disk.tag, format!("`{}`", disk.target)));
    Some(labels.fold(diagnostic, |diagnostic, (tag, label)| diagnostic.label_in(Document::Domain, tag, label)))
}

/// The line that includes a disk, if libvirt accepts one without a destination.
fn line_to_include(context: &Context<'_>, found: &DomainDisk) -> Option<String> {
    let Source::File(_) = found.source else { return None };
    if !disk::is_supported(found) || context.options.release < Release::V11_3_0 {
        return None;
    }
    let is_full = context.backup.incremental.is_some() && !has_bitmap_format(found);
    let mode = if is_full { " backupmode='full'" } else { "" };
    Some(format!("<disk name='{}'{mode}/>", found.target))
}

fn in_checkpoint(rule: Rule, checkpoint: &Checkpoint, message: String) -> Diagnostic {
    Diagnostic::new(rule, checkpoint.tag, message).in_document(Document::Checkpoint)
}

/// The next incremental backup starts from this checkpoint, and holds nothing from before.
fn not_backed_up(context: &Context<'_>, checkpoint: &Checkpoint, covered: &HashSet<&str>) -> Option<Diagnostic> {
    let mut names: Vec<_> = covered.iter().copied().filter(|target| !context.is_included(target)).collect();
    if names.is_empty() {
        return None;
    }
    names.sort_unstable();
    let (verb, them) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
    let message = format!("checkpoint covers {}, which {verb} not backed up with it", join_with_and(&names));
    Some(in_checkpoint(Rule::CheckpointedNotBackedUp, checkpoint, message).help(format!(
        "back {them} up too, or use checkpoint='no': a backup from this checkpoint has only later changes"
    )))
}

/// An incremental backup of a disk starts from a checkpoint that covers it.
fn not_covered<'c>(context: &Context<'c>, checkpoint: &'c Checkpoint, covered: &HashSet<&str>) -> Vec<Diagnostic> {
    let excluded = excluded(context, checkpoint);
    let mut coverable: Vec<&str> = Vec::new();
    let mut never: Vec<&DomainDisk> = Vec::new();
    for disk in context.included_disks().filter(|disk| !covered.contains(&*disk.name.value)) {
        let Some(domain_disk) = context.domain_disk(disk) else { continue };
        let is_said = excluded.contains(&*domain_disk.target);
        if can_cover(domain_disk) {
            // Among incremental disks, one that is full is one that is always full.
            if !(is_said || has_full_mode(disk) && context.backup.incremental.is_some()) {
                coverable.push(&disk.name.value);
            }
        } else if !is_said && !has_full_mode(disk) {
            never.push(domain_disk);
        }
    }
    let mut found = Vec::new();
    if !coverable.is_empty() {
        let names = join_with_and(&coverable);
        let message = format!("checkpoint does not cover {names}: no incremental backup can start from it");
        found.push(
            in_checkpoint(Rule::BackedUpNotCheckpointed, checkpoint, message)
                .help("list each in <disks> of the checkpoint, with checkpoint='no' to exclude it"),
        );
    }
    if let Some(first) = never.first() {
        let names: Vec<_> = never.iter().map(|disk| &*disk.target).collect();
        let message = format!("no checkpoint can cover {}: {}", join_with_and(&names), why_never(first));
        let diagnostic = in_checkpoint(Rule::BackedUpNotCheckpointed, checkpoint, message)
            .help("use backupmode='full' in each backup, also in incremental ones");
        let labels = never.iter().map(|disk| (disk.tag, format!("`{}`", disk.target)));
        found.push(
            labels.fold(diagnostic, |diagnostic, (tag, label)| diagnostic.label_in(Document::Domain, tag, label)),
        );
    }
    found
}

fn has_full_mode(disk: &Disk) -> bool {
    disk.backupmode.as_ref().is_some_and(|mode| mode.value == BackupMode::Full && mode.span.is_some())
}

fn why_never(disk: &DomainDisk) -> String {
    if disk.read_only {
        "the disk is read-only".to_owned()
    } else {
        format!("format `{}` has no bitmaps", disk.format.map_or("raw", |format| format.name()))
    }
}
