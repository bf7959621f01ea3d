//! Which diagnostics of a later stage follow from those of an earlier one, and are not reported.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;

/// What cannot be the name of a disk is often the path of one: the domain tells of which.
pub(super) fn attach_disk_suggestions(diagnostics: &mut [Diagnostic], unknown_disks: Vec<Diagnostic>) {
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

pub(super) fn spans_of(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let mut spans: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.primary.span).collect();
    spans.sort_unstable();
    spans
}

/// Attributes that are written twice: which of the two is meant cannot be told, nor what follows from it.
pub(super) fn duplicated_attribute_spans(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let doubled = diagnostics.iter().filter(|diagnostic| diagnostic.rule == Rule::DuplicateAttribute);
    let mut spans: Vec<_> = doubled.flat_map(Diagnostic::labels).map(|label| label.span).collect();
    spans.sort_unstable();
    spans
}

/// Start tags of elements that are not closed: what seems to be missing in them may be behind the end.
pub(super) fn unclosed_tag_spans(diagnostics: &[Diagnostic]) -> Vec<Span> {
    let unclosed = diagnostics.iter().filter(|diagnostic| diagnostic.rule == Rule::UnclosedElement);
    unclosed.flat_map(Diagnostic::labels).map(|label| label.span).collect()
}

pub(super) fn is_tag(text: &str, span: Span) -> bool {
    text.get(span.range()).is_some_and(|written| written.starts_with('<'))
}

/// Whether `span` shares a byte with one of `known`, which are in order, or is empty and touches one.
pub(super) fn overlaps(known: &[Span], span: Span) -> bool {
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
