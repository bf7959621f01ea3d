//! Decides which diagnostics of a later stage are consequences of those of an earlier one.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Document, Span};
use crate::placeholder;
use crate::rules::Rule;

/// Moves the suggestions about unknown disks to the diagnostics about invalid disk names: such a name is often the path
/// of an image.
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

/// Whether `span` shares a byte with one of `known`, which is sorted, or is empty and adjacent to one.
pub(super) fn overlaps(known: &[Span], span: Span) -> bool {
    let is_empty = span.start == span.end;
    let after = known.partition_point(|known| known.start < span.end || is_empty && known.start == span.end);
    // Earlier diagnostics are small and do not overlap, or start at one place: checking the last few is enough.
    known
        .get(..after)
        .into_iter()
        .flatten()
        .rev()
        .take(3)
        .any(|known| span.start < known.end || is_empty && span.start == known.end)
}

/// Removes what is reported where a placeholder is, if that is reported: what will stand there is not known.
pub(super) fn remove_placeholder_follow_ups(diagnostics: &mut Vec<Diagnostic>, text: &str) {
    let is_of_markup = |diagnostic: &Diagnostic| diagnostic.rule == Rule::XmlPlaceholder;
    let is_of_value = |diagnostic: &Diagnostic| diagnostic.rule == Rule::SchemaPlaceholder;
    let in_markup = diagnostics.iter().any(is_of_markup);
    if !in_markup && !diagnostics.iter().any(is_of_value) {
        return;
    }
    diagnostics.retain(|diagnostic| {
        let is_reported = is_of_markup(diagnostic) || is_of_value(diagnostic) && !in_markup;
        let label = &diagnostic.primary;
        let written = text.get(label.span.range()).filter(|_| label.document == Document::Backup);
        is_reported || written.is_none_or(|written| placeholder::find_in_invalid(written).is_none())
    });
}
