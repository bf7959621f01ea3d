//! Validates, explains and normalizes libvirt's `<domainbackup>` XML, in agreement with libvirt.
//!
//! [`check`] tells everything that is wrong with a backup, [`normalize`] prints it as libvirt itself would after
//! aligning it with a domain. Both go one way, whose steps can be taken singly: [`parse()`] makes a [`Backup`] of a
//! document, [`align()`] completes it with the disks of a [`Domain`], [`format()`] writes it. [`build`] makes backups
//! without a document.
//!
//! ```
//! use backupxml::{Domain, Options, align, check, format, normalize, parse};
//!
//! # fn main() -> Result<(), Vec<backupxml::diagnostic::Diagnostic>> {
//! let domain = Domain::parse(
//!     "<domain><devices>
//!        <disk><source file='/images/vm.qcow2'/><target dev='vda' bus='virtio'/></disk>
//!      </devices></domain>",
//! )?;
//! let options = Options { suffix: "monday".to_owned(), ..Options::default() };
//!
//! let mut backup = parse("<domainbackup><incremental>sunday</incremental></domainbackup>", &options)?;
//! align(&mut backup, &domain, &options)?;
//! assert_eq!(backup.disks[0].incremental.as_ref().unwrap().value, "sunday");
//! assert_eq!(
//!     format(&backup),
//!     "<domainbackup mode='push'>
//!   <incremental>sunday</incremental>
//!   <disks>
//!     <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='sunday'>
//!       <target file='/images/vm.qcow2.monday'/>
//!     </disk>
//!   </disks>
//! </domainbackup>
//! "
//! );
//! assert_eq!(normalize("<domainbackup/>", None, &options)?, "<domainbackup mode='push'/>\n");
//!
//! let findings = check("<domainbackup><disks><disk name='vdb'/></disks></domainbackup>", Some(&domain), &options);
//! assert_eq!(findings[0].to_string(), "error: the domain has no disk 'vdb' [align/no-such-disk]");
//! # Ok(())
//! # }
//! ```
//!
//! Text is taken as it is; functions that end in `_bytes` take files, and decode them as libvirt would.
//! The feature `cli`, on by default, holds the program `backupxml` and what only that needs.

#![deny(missing_docs)]

// What tests, fuzzing and the program reach into is public without being documented, and may change.
#[doc(hidden)]
pub mod align;
pub mod backup;
pub mod build;
pub mod checkpoint;
pub mod compose;
pub mod diagnostic;
pub mod domain;
pub mod fix;
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub mod parse;
pub mod plan;
mod preflight;
pub mod release;
pub mod rules;
mod schema;
pub mod source;
#[doc(hidden)]
pub mod syntax;

#[cfg(feature = "cli")]
#[doc(hidden)]
#[path = "cli/args.rs"]
pub mod cli;
#[cfg(feature = "cli")]
mod comment;
#[cfg(feature = "cli")]
mod levels;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod run;
#[cfg(feature = "cli")]
mod suppression;
#[cfg(feature = "cli")]
mod write;

use std::collections::HashMap;
use std::sync::Arc;

pub use backup::Backup;
use checkpoint::{Checkpoint, Existing};
use diagnostic::Document::Backup as InBackup;
use diagnostic::{Diagnostic, Span};
pub use domain::Domain;
use release::Release;
use rules::Rule;
use source::Source;

/// What a document is held against.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The release to answer for.
    pub release: Release,
    /// What generated names end in: the checkpoint's name or, as libvirt does, the seconds since 1970.
    pub suffix: String,
    /// Whether the document is one of libvirtd's own state files, to which the schema does not apply.
    pub status: bool,
    /// Whether, without a domain, each disk's resulting mode and checkpoint are filled in all the same.
    pub explicit: bool,
    /// Whether destinations are files that exist already (`virsh backup-begin --reuse-external`).
    pub reuse_external: bool,
    /// The checkpoint that is to be made along with the backup.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// The checkpoints that the domain has; `None` when nobody said.
    pub existing: Option<Arc<[Existing]>>,
}

/// Reads a backup.
///
/// # Errors
///
/// Returns everything that is wrong with it, in the order of the document, when libvirt would refuse it whatever the
/// domain is.
pub fn parse(text: &str, options: &Options) -> Result<Backup<'static>, Vec<Diagnostic>> {
    let (backup, diagnostics) = examine(text, None, options, Purpose::Normalize, |backup| backup.clone().into_owned());
    backup.ok_or(diagnostics)
}

/// As [`parse()`], from the bytes of a file.
///
/// # Errors
///
/// Returns everything that is wrong with it.
pub fn parse_bytes(bytes: &[u8], options: &Options) -> Result<Backup<'static>, Vec<Diagnostic>> {
    let (source, mut diagnostics) = Source::new("backup.xml", bytes.to_vec(), options.release);
    match parse(source.text(), options) {
        Ok(backup) if diagnostics.is_empty() => Ok(backup),
        Ok(_) => Err(diagnostics),
        Err(findings) => {
            diagnostics.extend(findings);
            Err(diagnostics)
        }
    }
}

/// Completes a backup as libvirt does before it starts: with the domain's other disks, the names of files that it
/// would generate, and each disk's resulting mode and checkpoint.
///
/// # Errors
///
/// Returns everything that keeps the backup from fitting the domain; the backup is then half done.
pub fn align(backup: &mut Backup<'_>, domain: &Domain, options: &Options) -> Result<(), Vec<Diagnostic>> {
    let diagnostics = align::align(backup, domain, &options.suffix, options.release);
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// The text that libvirt prints for a backup.
#[must_use]
pub fn format(backup: &Backup<'_>) -> String {
    format::format(backup)
}

/// Everything that is wrong with a backup, in the order of the document.
///
/// Without a domain, only what needs none is found: that a disk is listed twice, but not that there is no such disk.
#[must_use]
pub fn check(text: &str, domain: Option<&Domain>, options: &Options) -> Vec<Diagnostic> {
    examine(text, domain, options, Purpose::Check, |_| ()).1
}

/// What would happen to each disk of the domain, and everything that is wrong with the backup or noteworthy about it.
///
/// There is no plan for a backup that libvirt's parser or alignment refuses; there is one for a backup that only its
/// driver would refuse.
#[must_use]
pub fn plan(text: &str, domain: &Domain, options: &Options) -> (Option<plan::Plan>, Vec<Diagnostic>) {
    examine(text, Some(domain), options, Purpose::Check, |backup| plan::of(backup, domain))
}

/// What a backup is looked at for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Everything that can be told.
    Check,
    /// What libvirt makes of it before its driver sees it.
    Normalize,
}

/// As [`check`], from the bytes of a file.
#[must_use]
pub fn check_bytes(bytes: &[u8], domain: Option<&Domain>, options: &Options) -> Vec<Diagnostic> {
    let (source, mut diagnostics) = Source::new("backup.xml", bytes.to_vec(), options.release);
    diagnostics.extend(check(source.text(), domain, options));
    diagnostic::sort(&mut diagnostics);
    diagnostics
}

/// The text that libvirt would print for a backup: aligned with `domain` if there is one, only parsed otherwise.
///
/// # Errors
///
/// Returns everything that is wrong with the backup, in the order of the document, when libvirt would refuse it.
pub fn normalize(text: &str, domain: Option<&Domain>, options: &Options) -> Result<String, Vec<Diagnostic>> {
    let (formatted, diagnostics) = examine(text, domain, options, Purpose::Normalize, format::format);
    formatted.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
}

/// As [`normalize`], from the bytes of the files, which are decoded as libvirt would.
///
/// # Errors
///
/// Returns everything that is wrong with either file when libvirt would refuse it.
pub fn normalize_bytes(backup: &[u8], domain: Option<&[u8]>, options: &Options) -> Result<String, Vec<Diagnostic>> {
    let (backup, mut diagnostics) = Source::new("backup.xml", backup.to_vec(), options.release);
    let mut aligned_with = None;
    if let Some(domain) = domain {
        let (source, findings) = Source::new("domain.xml", domain.to_vec(), options.release);
        diagnostics.extend(findings.into_iter().map(|finding| finding.wholly_in(diagnostic::Document::Domain)));
        let (domain, findings) = domain::read(source.text(), options.release);
        diagnostics.extend(findings);
        aligned_with = domain;
    }
    match normalize(backup.text(), aligned_with.as_ref(), options) {
        Ok(text) if diagnostics.is_empty() => Ok(text),
        Ok(_) => Err(diagnostics),
        Err(findings) => Err(diagnostics.into_iter().chain(findings).collect()),
    }
}

/// The name of the root element, if the document has one that can be read; for telling backups from other files.
#[must_use]
pub fn root_name(text: &str) -> Option<String> {
    syntax::root_name(text).map(str::to_owned)
}

/// The whole way: text → document → backup → aligned backup, which `then` gets if nothing is wrong with it.
fn examine<T>(
    text: &str,
    domain: Option<&Domain>,
    options: &Options,
    purpose: Purpose,
    then: impl Fn(&Backup<'_>) -> T,
) -> (Option<T>, Vec<Diagnostic>) {
    let stages = |document: roxmltree::Document<'_>| examine_document(document, domain, options, purpose, &then);
    let syntax = match syntax::parse(text) {
        Ok(document) => return stages(document),
        Err(syntax) => syntax,
    };
    if options.status || syntax.diagnostics.is_empty() {
        // An undeclared prefix is a warning to libxml2, and without the schema nothing comes of it.
        if let Some(repaired) = syntax.without_prefixes()
            && let Ok(document) = syntax::parse(&repaired.text)
        {
            let (result, diagnostics) = stages(document);
            let in_original = |found| repaired.in_original(found, InBackup);
            return (result, diagnostics.into_iter().filter_map(in_original).collect());
        }
    }
    // Mistakes of syntax hide nothing: the later stages look at the document as it would be without them.
    let mut diagnostics = syntax.diagnostics;
    if let Some(repaired) = syntax.repaired
        && let Ok(document) = syntax::parse(&repaired.text)
    {
        let later = stages(document).1.into_iter().filter_map(|found| repaired.in_original(found, InBackup));
        let known = spans_of(&diagnostics);
        let doubtful = doubtful_attributes(&diagnostics);
        let unfinished = unfinished_tags(&diagnostics);
        let is_new = |later: &Diagnostic| {
            let mut attributes = later.labels().map(|label| label.span).filter(|span| !is_tag(text, *span));
            let follows = overlaps(&known, later.primary.span) || unfinished.contains(&later.primary.span);
            !follows && !attributes.any(|span| overlaps(&doubtful, span))
        };
        // Advice is for what libvirt takes.
        diagnostics.extend(later.filter(Diagnostic::is_error).filter(is_new).collect::<Vec<_>>());
    }
    (None, in_order(diagnostics))
}

fn examine_document<T>(
    document: roxmltree::Document<'_>,
    domain: Option<&Domain>,
    options: &Options,
    purpose: Purpose,
    then: impl Fn(&Backup<'_>) -> T,
) -> (Option<T>, Vec<Diagnostic>) {
    let (backup, mut diagnostics) = if options.status {
        parse::parse_status(&document, options.release)
    } else {
        parse::parse(&document, options.release)
    };
    let newer = domain.filter(|_| purpose == Purpose::Check && !options.status);
    let newer = newer.and_then(|domain| newer_than_host(&document, domain, options));
    // What is left of the document is in the backup; it takes as much memory as all that follows.
    drop(document);
    let Some(mut backup) = backup else { return (None, diagnostics) };
    let aligned = match domain {
        Some(domain) => align::align(&mut backup, domain, &options.suffix, options.release),
        None if options.explicit || purpose == Purpose::Check => align::align_alone(&mut backup),
        None => Vec::new(),
    };
    // What a stage finds at a place that an earlier one found wrong follows from that.
    let known = spans_of(&diagnostics);
    let (follow, new): (Vec<_>, Vec<_>) = aligned.into_iter().partition(|new| overlaps(&known, new.primary.span));
    name_meant_disks(&mut diagnostics, follow);
    diagnostics.extend(new);
    let is_sound = diagnostics.is_empty();
    let result = is_sound.then(|| then(&backup));
    if purpose == Purpose::Check && !options.status {
        let known = spans_of(&diagnostics);
        let later = preflight::examine(&backup, domain, options, is_sound).into_iter();
        let follows = |later: &Diagnostic| {
            later.primary.document == diagnostic::Document::Backup && overlaps(&known, later.primary.span)
        };
        diagnostics.extend(later.filter(|later| !follows(later)).collect::<Vec<_>>());
        diagnostics.extend(newer.filter(|_| is_sound));
    }
    (result, in_order(diagnostics))
}

/// What an old host would refuse, where the domain looks as if it had one.
fn newer_than_host(document: &roxmltree::Document<'_>, domain: &Domain, options: &Options) -> Option<Diagnostic> {
    let host = domain.old_host().filter(|_| options.release > Release::V9_0_0)?;
    let refused = parse::parse(document, Release::V9_0_0).1.into_iter().next()?;
    let span = refused.primary.span;
    Some(
        Diagnostic::new(
            Rule::NewerRelease,
            span,
            format!("libvirt 9.0.0 refuses this, and the domain looks as if its host were {host}: {}", refused.message),
        )
        .also_in(diagnostic::Document::Domain, domain.tag, format!("the machine is of {host}"))
        .help("check with --libvirt-version 9.0.0, and ask virsh version on the host"),
    )
}

/// What cannot be the name of a disk is often the path of one: the domain tells of which.
fn name_meant_disks(diagnostics: &mut [Diagnostic], unknown_disks: Vec<Diagnostic>) {
    let names = diagnostics.iter_mut().filter(|diagnostic| diagnostic.rule == Rule::InvalidDiskName);
    let mut names: HashMap<Span, &mut Diagnostic> =
        names.map(|diagnostic| (diagnostic.primary.span, diagnostic)).collect();
    for unknown in unknown_disks.into_iter().filter(|unknown| unknown.rule == Rule::NoSuchDisk) {
        if let Some(diagnostic) = names.get_mut(&unknown.primary.span) {
            diagnostic.help = unknown.help;
            diagnostic.fixes = unknown.fixes;
        }
    }
}

fn spans_of(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let mut spans: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.primary.span).collect();
    spans.sort_unstable();
    spans
}

/// Attributes that are written twice: which of the two is meant cannot be told, nor what follows from it.
fn doubtful_attributes(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let doubled = diagnostics.iter().filter(|diagnostic| diagnostic.rule == Rule::DuplicateAttribute);
    let mut spans: Vec<_> = doubled.flat_map(Diagnostic::labels).map(|label| label.span).collect();
    spans.sort_unstable();
    spans
}

/// Start tags of elements that are not closed: what seems to be missing in them may be behind the end.
fn unfinished_tags(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let unclosed = diagnostics.iter().filter(|diagnostic| diagnostic.rule == Rule::UnclosedElement);
    unclosed.flat_map(Diagnostic::labels).map(|label| label.span).collect()
}

fn is_tag(text: &str, span: Span) -> bool {
    text.get(span.range()).is_some_and(|written| written.starts_with('<'))
}

/// Whether `span` shares a byte with one of `known`, which are in order, or is empty and touches one.
fn overlaps(known: &[Span], span: Span) -> bool {
    let is_empty = span.start == span.end;
    let after = known.partition_point(|known| known.start < span.end || is_empty && known.start == span.end);
    // Findings of the stages before are small and lie apart, or begin at one place: the last few decide.
    known
        .get(..after)
        .into_iter()
        .flatten()
        .rev()
        .take(3)
        .any(|known| span.start < known.end || is_empty && span.start == known.end)
}

fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostic::sort(&mut diagnostics);
    diagnostic::bound(&mut diagnostics);
    diagnostics
}
