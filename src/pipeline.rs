//! The stages in order: text → document → backup → aligned backup, with the diagnostics of each.

mod checkpoint;
mod follow_up;

use crate::align::{align as align_with_domain, align_without_domain, unnamed_volumes};
use crate::backup::Backup;
use crate::checkpoint::{Checkpoint, format as write_checkpoint};
use crate::diagnostic::Document::Backup as InBackup;
use crate::diagnostic::{self, Diagnostic, Document, NotChecked};
use crate::domain::{self, Domain};
use crate::format::format as write;
#[cfg(feature = "cli")]
use crate::host::{Vm, probes::Probes};
use crate::options::Options;
use crate::parse::{parse as parse_document, parse_status};
use crate::plan::Plan;
use crate::rules::Rule;
use crate::source::Source;
use crate::{preflight, syntax};

use checkpoint::is_checkpoint;
use follow_up::{attach_disk_suggestions, overlaps, remove_placeholder_follow_ups, spans_of};

/// Parses a backup document.
///
/// # Errors
///
/// Returns all errors, sorted by place, if libvirt would refuse the document for every domain.
pub fn parse(text: &str, options: &Options) -> Result<Backup, Vec<Diagnostic>> {
    let (backup, checked) =
        run(text, options, &|document| run_stages(document, None, options, Purpose::Normalize, Backup::clone));
    backup.ok_or(checked.diagnostics)
}

/// Completes a checkpoint as libvirt does before it creates it: disks are named by their targets, in the order of the
/// domain, and each has the name of its bitmap. One to redefine is completed with the domain that it contains.
///
/// # Errors
///
/// Returns all errors if the checkpoint does not fit the domain; it is then incomplete.
pub fn align_checkpoint(
    checkpoint: &mut Checkpoint,
    domain: &Domain,
    options: &Options,
) -> Result<(), Vec<Diagnostic>> {
    let diagnostics = checkpoint::align(checkpoint, Some(domain), options, Purpose::Normalize);
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// Parses a checkpoint document.
///
/// # Errors
///
/// Returns all errors, sorted by place, if libvirt would refuse the document for every domain.
pub fn parse_checkpoint(text: &str, options: &Options) -> Result<Checkpoint, Vec<Diagnostic>> {
    let purpose = Purpose::Normalize;
    let (checkpoint, checked) =
        run(text, options, &|document| checkpoint::run_stages(document, None, options, purpose, Checkpoint::clone));
    checkpoint.ok_or(checked.diagnostics)
}

/// Like [`parse()`], for the bytes of a file, which are decoded as libvirt would decode them.
///
/// # Errors
///
/// Returns all errors.
pub fn parse_bytes(bytes: &[u8], options: &Options) -> Result<Backup, Vec<Diagnostic>> {
    let (source, mut diagnostics) = Source::new("backup.xml", bytes.to_vec(), options.release);
    match parse(source.text(), options) {
        Ok(backup) if diagnostics.is_empty() => Ok(backup),
        Ok(_) => Err(diagnostics),
        Err(more) => {
            diagnostics.extend(more);
            Err(diagnostics)
        }
    }
}

/// Aligns a backup with a domain as libvirt does before the start: adds the domain's other disks, generates missing
/// file names, and sets each disk's resulting mode and base checkpoint.
///
/// # Errors
///
/// Returns everything in the backup that does not fit the domain; the backup is then only partly aligned.
pub fn align(backup: &mut Backup, domain: &Domain, options: &Options) -> Result<(), Vec<Diagnostic>> {
    let mut diagnostics = align_with_domain(backup, domain, &options.suffix, options.release);
    diagnostics.extend(unnamed_volumes(backup, domain, options.release));
    diagnostics.retain(Diagnostic::is_error);
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// The text that libvirt prints for a backup.
#[must_use]
pub fn format(backup: &Backup) -> String {
    write(backup)
}

/// What a check found, and what it could not check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Everything that is wrong, in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be checked.
    pub not_checked: Vec<NotChecked>,
}

impl From<Vec<Diagnostic>> for Checked {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, not_checked: Vec::new() }
    }
}

/// All errors and warnings about a backup document, sorted by place.
///
/// Without a domain, only what does not depend on one is reported: that a disk is listed twice, but not that the domain
/// has no such disk.
#[must_use]
pub fn check(text: &str, domain: Option<&Domain>, options: &Options) -> Vec<Diagnostic> {
    check_in_detail(text, domain, options).diagnostics
}

/// As [`check`], with what could not be checked.
#[must_use]
pub fn check_in_detail(text: &str, domain: Option<&Domain>, options: &Options) -> Checked {
    let purpose = Purpose::Check;
    let stages = |document: syntax::Document<'_>| {
        if is_checkpoint(&document, options) {
            checkpoint::run_stages(document, domain, options, purpose, |_| ())
        } else {
            run_stages(document, domain, options, purpose, |_| ())
        }
    };
    run(text, options, &stages).1
}

/// What would happen to each disk of the domain, and all errors and warnings about the backup.
///
/// There is no plan if libvirt's parser or alignment refuses the backup; there is one if only its driver would.
#[must_use]
pub fn plan(text: &str, domain: &Domain, options: &Options) -> (Option<Plan>, Checked) {
    let then = |backup: &Backup| Plan::from_aligned(backup, domain, options.host.as_deref());
    run(text, options, &|document| run_stages(document, Some(domain), options, Purpose::Check, then))
}

/// What of this machine has to be looked at for a document; nothing for one that does not fit the domain.
#[cfg(feature = "cli")]
pub(crate) fn probes(text: &str, domain: &Domain, vm: &Vm, options: &Options) -> Option<Probes> {
    let purpose = Purpose::Normalize;
    let of_backup =
        |backup: &Backup| Probes::new(backup, domain, vm, options.reuse_external, options.checkpoint.as_deref());
    let of_checkpoint = |checkpoint: &Checkpoint| {
        Probes::new(&Backup::new(crate::backup::Mode::Push), domain, vm, false, Some(checkpoint))
    };
    let stages = |document: syntax::Document<'_>| {
        if is_checkpoint(&document, options) {
            checkpoint::run_stages(document, Some(domain), options, purpose, of_checkpoint)
        } else {
            run_stages(document, Some(domain), options, purpose, of_backup)
        }
    };
    run(text, options, &stages).0
}

/// Like [`check`], for the bytes of a file, which are decoded as libvirt would decode them.
#[must_use]
pub fn check_bytes(bytes: &[u8], domain: Option<&Domain>, options: &Options) -> Vec<Diagnostic> {
    let (source, mut diagnostics) = Source::new("backup.xml", bytes.to_vec(), options.release);
    diagnostic::extend_undecodable(&mut diagnostics, check(source.text(), domain, options));
    diagnostic::sort(&mut diagnostics);
    diagnostics
}

/// The text that libvirt would print for a backup document: aligned with `domain` if there is one, else only parsed.
///
/// # Errors
///
/// Returns all errors, sorted by place, if libvirt's parser or alignment would refuse the backup.
pub fn normalize(text: &str, domain: Option<&Domain>, options: &Options) -> Result<String, Vec<Diagnostic>> {
    let purpose = Purpose::Normalize;
    let stages = |document: syntax::Document<'_>| {
        if is_checkpoint(&document, options) {
            checkpoint::run_stages(document, domain, options, purpose, write_checkpoint)
        } else {
            run_stages(document, domain, options, purpose, write)
        }
    };
    let (formatted, checked) = run(text, options, &stages);
    formatted.filter(|_| checked.diagnostics.is_empty()).ok_or(checked.diagnostics)
}

/// Like [`normalize`], for the bytes of the files, which are decoded as libvirt would decode them.
///
/// # Errors
///
/// Returns all errors if libvirt would refuse either file.
pub fn normalize_bytes(backup: &[u8], domain: Option<&[u8]>, options: &Options) -> Result<String, Vec<Diagnostic>> {
    let (backup, mut diagnostics) = Source::new("backup.xml", backup.to_vec(), options.release);
    let mut aligned_with = None;
    if let Some(domain) = domain {
        let (source, more) = Source::new("domain.xml", domain.to_vec(), options.release);
        diagnostics.extend(more.into_iter().map(|diagnostic| diagnostic.moved_to(Document::Domain)));
        let (domain, more) = domain::read(source.text(), options.release);
        diagnostics.extend(more);
        aligned_with = domain;
    }
    match normalize(backup.text(), aligned_with.as_ref(), options) {
        Ok(text) if diagnostics.is_empty() => Ok(text),
        Ok(_) => Err(diagnostics),
        Err(more) => Err(diagnostics.into_iter().chain(more).collect()),
    }
}

/// The name of the root element, or `None` if the text has no readable start tag. Distinguishes backups from other
/// files.
#[must_use]
pub fn root_name(text: &str) -> Option<String> {
    syntax::root_name(text).map(str::to_owned)
}

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Everything.
    Check,
    /// Only what libvirt checks before its driver does.
    Normalize,
}

/// Runs `stages` on a text, also where its syntax is wrong.
fn run<T>(
    text: &str,
    options: &Options,
    stages: &dyn Fn(syntax::Document<'_>) -> (Option<T>, Checked),
) -> (Option<T>, Checked) {
    let mut document = syntax::parse(text);
    let mut diagnostics = std::mem::take(&mut document.errors);
    // Without the schema, libxml2 only warns about an undeclared prefix.
    diagnostics.retain(|error| !options.status || error.rule != Rule::UndeclaredPrefix);
    if diagnostics.is_empty() {
        return stages(document);
    }
    // Syntax errors do not hide later errors: the later stages check what there is. Warnings are reported only if libvirt
    // accepts the document.
    let later = if let Some(cleaned) = document.cleaned.take() {
        let later = run(&cleaned.text, options, stages).1.diagnostics;
        later.into_iter().filter_map(|found| cleaned.in_original(found, InBackup)).collect()
    } else if document.is_complete {
        let broken = std::mem::take(&mut document.broken);
        let mut later = stages(document).1.diagnostics;
        later.retain(|found| !broken.explains(found));
        later
    } else {
        Vec::new()
    };
    let known = spans_of(&diagnostics);
    for mut found in later {
        if found.is_error() && !overlaps(&known, found.primary.span) {
            // Fixes are for what is well-formed.
            found.fixes.clear();
            diagnostics.push(found);
        }
    }
    remove_placeholder_follow_ups(&mut diagnostics, text);
    (None, in_order(diagnostics).into())
}

/// Document → backup → aligned backup, which `then` gets if nothing is wrong with it.
fn run_stages<T>(
    document: syntax::Document<'_>,
    domain: Option<&Domain>,
    options: &Options,
    purpose: Purpose,
    then: impl Fn(&Backup) -> T,
) -> (Option<T>, Checked) {
    let (backup, mut diagnostics) = if options.status {
        parse_status(&document, options.release)
    } else {
        parse_document(&document, options.release)
    };
    // What is left of the document is in the backup; it takes as much memory as all that follows.
    let text = document.text();
    drop(document);
    let Some(mut backup) = backup else { return (None, diagnostics.into()) };
    let mut aligned = match domain {
        Some(domain) => {
            let mut aligned = align_with_domain(&mut backup, domain, &options.suffix, options.release);
            if purpose == Purpose::Normalize {
                aligned.extend(unnamed_volumes(&backup, domain, options.release));
            }
            aligned
        }
        None if options.explicit || purpose == Purpose::Check => align_without_domain(&mut backup),
        None => Vec::new(),
    };
    // Advice is for what libvirt accepts.
    let is_advice = |found: &mut Diagnostic| !found.is_error();
    let mut advice: Vec<_> = diagnostics.extract_if(.., is_advice).chain(aligned.extract_if(.., is_advice)).collect();
    // A diagnostic at a place where an earlier stage reported one is a consequence of it.
    let known = spans_of(&diagnostics);
    let (follow, new): (Vec<_>, Vec<_>) = aligned.into_iter().partition(|new| overlaps(&known, new.primary.span));
    attach_disk_suggestions(&mut diagnostics, follow);
    diagnostics.extend(new);
    let is_sound = diagnostics.is_empty();
    let result = is_sound.then(|| then(&backup));
    let mut not_checked = Vec::new();
    if purpose == Purpose::Check && !options.status {
        let known = spans_of(&diagnostics);
        let (later, open) = preflight::check(&backup, domain, options, is_sound);
        not_checked = open;
        let follows =
            |later: &Diagnostic| later.primary.document == Document::Backup && overlaps(&known, later.primary.span);
        diagnostics.extend(later.into_iter().filter(|later| !follows(later)).collect::<Vec<_>>());
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.append(&mut advice);
        }
        if is_sound {
            let errors: Vec<_> = diagnostics.iter().filter(|found| found.is_error()).cloned().collect();
            let known = spans_of(&errors);
            let mut literal = preflight::literal::check(&backup, text);
            literal.retain(|found| !overlaps(&known, found.primary.span));
            // Advice about a placeholder is for the value that will be there.
            let placeholders: Vec<_> =
                literal.iter().filter(|found| found.rule == Rule::AdvicePlaceholder).cloned().collect();
            let replaced = spans_of(&placeholders);
            diagnostics.retain(|found| found.is_error() || !overlaps(&replaced, found.primary.span));
            diagnostics.extend(literal);
        }
    }
    remove_placeholder_follow_ups(&mut diagnostics, text);
    (result, Checked { diagnostics: in_order(diagnostics), not_checked })
}

fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostic::sort(&mut diagnostics);
    diagnostic::truncate_with_note(&mut diagnostics);
    diagnostics
}
