//! Why a name, value or text is wrong, where one look at its characters shows it: a placeholder that was not filled in,
//! or a character that looks like another.

use crate::ambiguous::{self, Ambiguous};
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::placeholder;
use crate::rules::Rule;
use crate::syntax::Attribute;
use crate::wording::{self, trim};

use super::element::Context;

/// The cause of a value that libvirt refuses.
pub(super) fn of_value(
    context: &Context<'_>,
    attribute: &Attribute<'_>,
    element: &str,
    accepts: impl Fn(&str) -> bool,
) -> Option<Diagnostic> {
    if let Some(found) = placeholder::find_in_invalid(attribute.value) {
        let message = format!("{} in attribute `{}` of {}", found.message(), attribute.name, wording::tag(element));
        let diagnostic = Diagnostic::new(Rule::SchemaPlaceholder, attribute.report_span(), message);
        return Some(diagnostic.help(found.help()));
    }
    let replaced = ambiguous::replaced(attribute.value)?;
    let trimmed = trim(&replaced);
    if !accepts(trimmed) {
        return None;
    }
    let written = context.text.get(attribute.value_span.range())?;
    let run = first_run(written, attribute.value_span.start as usize)?;
    let edits = if trimmed == replaced && written == attribute.value {
        replacements(written, attribute.value_span.start as usize)
    } else {
        vec![Edit { span: attribute.value_span, text: trimmed.to_owned() }]
    };
    Some(ambiguous_characters(context, run, edits))
}

/// The cause of text where there may be none.
pub(super) fn of_text(context: &Context<'_>, span: Span) -> Option<Diagnostic> {
    let written = context.text.get(span.range())?;
    let start = span.start as usize;
    if let Some(found) = placeholder::find_in_invalid(written) {
        let span = Span::new(start + found.start, start + found.end());
        return Some(Diagnostic::new(Rule::SchemaPlaceholder, span, found.message()).help(found.help()));
    }
    let is_markup = holds_markup(written);
    let looks_empty = ambiguous::replaced(written).is_some_and(|replaced| replaced.trim().is_empty());
    let run = first_run(written, start).filter(|_| is_markup || looks_empty)?;
    Some(ambiguous_characters(context, run, replacements(written, start)))
}

/// Whether a text holds a tag in characters that only look like `<` and `>`.
pub(super) fn holds_markup(text: &str) -> bool {
    ambiguous::all(text).any(|(_, found)| matches!(found.looks_like, "<" | ">"))
}

/// The cause of a name that is one of `known` but for the look of its characters, and that name. `places` are where it
/// is written.
pub(super) fn of_name(
    context: &Context<'_>,
    name: &str,
    known: impl Iterator<Item = &'static str>,
    places: &[usize],
) -> Option<(Diagnostic, &'static str)> {
    let replaced = ambiguous::replaced(name)?;
    let intended = known.into_iter().find(|known| *known == replaced)?;
    let run = first_run(name, *places.first()?)?;
    let edits = places.iter().flat_map(|start| replacements(name, *start)).collect();
    Some((ambiguous_characters(context, run, edits), intended))
}

fn ambiguous_characters(context: &Context<'_>, span: Span, edits: Vec<Edit>) -> Diagnostic {
    let written = context.text.get(span.range()).unwrap_or_default();
    let first = written.chars().find_map(Ambiguous::new);
    let diagnostic = |message: String| Diagnostic::new(Rule::SchemaAmbiguousCharacter, span, message);
    match first {
        Some(first) => {
            diagnostic(first.message()).help(first.help()).fix(first.fix_message(), Applicability::Safe, edits)
        }
        // Written as a reference.
        None => diagnostic("ambiguous character".to_owned()).help("write the characters themselves").fix(
            wording::replace_with("plain characters"),
            Applicability::Safe,
            edits,
        ),
    }
}

/// The first characters in a row that look like others; `start` is where the text is.
fn first_run(text: &str, start: usize) -> Option<Span> {
    let Some((first, _)) = ambiguous::all(text).next() else { return Some(Span::new(start, start + text.len())) };
    let rest = text.get(first..)?;
    let length = rest.find(|next: char| Ambiguous::new(next).is_none()).unwrap_or(rest.len());
    Some(Span::new(start + first, start + first + length))
}

fn replacements(text: &str, start: usize) -> Vec<Edit> {
    let edit = |(at, found): (usize, Ambiguous)| Edit {
        span: Span::new(start + at, start + at + found.character.len_utf8()),
        text: found.looks_like.to_owned(),
    };
    ambiguous::all(text).map(edit).collect()
}
