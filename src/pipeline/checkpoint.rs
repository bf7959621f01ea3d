//! The stages of a checkpoint that is a document of its own.

use super::follow_up::{overlaps, spans_of};
use super::{Checked, Purpose, in_order};
use crate::checkpoint::{self, Checkpoint};
use crate::diagnostic::{Diagnostic, Document};
use crate::domain::Domain;
use crate::options::Options;
use crate::{preflight, syntax};

/// Whether a document is a checkpoint, by its root element.
pub(super) fn is_checkpoint(document: &syntax::Document<'_>, options: &Options) -> bool {
    !options.status && checkpoint::is_intended(document.root())
}

pub(super) fn run_stages<T>(
    document: syntax::Document<'_>,
    domain: Option<&Domain>,
    options: &Options,
    purpose: Purpose,
    then: impl Fn(&Checkpoint) -> T,
) -> (Option<T>, Checked) {
    let (checkpoint, mut diagnostics) = checkpoint::parse(&document, options.release, options.redefine);
    drop(document);
    let Some(written) = checkpoint else { return (None, diagnostics.into()) };
    let mut aligned = written.clone();
    add_new(&mut diagnostics, align(&mut aligned, domain, options, purpose));
    let mut not_checked = Vec::new();
    if purpose == Purpose::Check {
        let (later, open) = preflight::check_checkpoint(written, domain, options);
        // Here the checkpoint is the main document, not a companion of a backup.
        let later = later.into_iter().map(|found| found.relabelled(Document::Checkpoint, Document::Backup));
        add_new(&mut diagnostics, later.collect());
        not_checked = open;
    }
    let is_sound = !diagnostics.iter().any(Diagnostic::is_error);
    // Advice is for what libvirt accepts.
    diagnostics.retain(|diagnostic| diagnostic.is_error() || is_sound && purpose == Purpose::Check);
    (is_sound.then(|| then(&aligned)), Checked { diagnostics: in_order(diagnostics), not_checked })
}

pub(super) fn align(
    aligned: &mut Checkpoint,
    domain: Option<&Domain>,
    options: &Options,
    purpose: Purpose,
) -> Vec<Diagnostic> {
    match domain {
        Some(domain) if options.redefine => checkpoint::align_redefined(aligned, domain),
        Some(domain) => checkpoint::align(aligned, domain, &options.suffix),
        None => {
            let mut diagnostics = Vec::new();
            if options.explicit {
                diagnostics.extend(checkpoint::name_bitmaps(aligned));
            }
            if purpose == Purpose::Check {
                diagnostics.extend(checkpoint::check_without_domain(aligned));
            }
            diagnostics
        }
    }
}

/// Adds what a later stage found. What it found where an earlier one did follows from that.
fn add_new(diagnostics: &mut Vec<Diagnostic>, later: Vec<Diagnostic>) {
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).cloned().collect();
    let known = spans_of(&errors);
    let follows =
        |later: &Diagnostic| later.primary.document == Document::Backup && overlaps(&known, later.primary.span);
    diagnostics.extend(later.into_iter().filter(|later| !follows(later)));
}
