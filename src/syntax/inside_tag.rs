//! Content of a tag that is not an attribute: comments, placeholders, characters that look like a space.

use crate::ambiguous::Ambiguous;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::placeholder::{self, Placeholder};
use crate::rules::Rule;
use crate::wording::{self, is_space};

use super::scan::{Scanner, known_elements};
use super::tag::starts_name;

/// Skips content at the scanner's place that does not belong to the tag that starts at `start`; returns whether it did.
pub(super) fn skip(scanner: &mut Scanner<'_>, start: usize) -> bool {
    let rest = scanner.rest();
    if rest.starts_with("<!--") {
        return comment(scanner, start);
    }
    if rest.starts_with("# ") || rest.starts_with("// ") {
        return line_comment(scanner);
    }
    if let Some(placeholder) = placeholder::at_start(rest) {
        let at = scanner.position;
        scanner.position += placeholder.end();
        report_placeholder(scanner, at, placeholder);
        return true;
    }
    ambiguous_characters(scanner)
}

/// A comment that the tag goes on after.
fn comment(scanner: &mut Scanner<'_>, start: usize) -> bool {
    let rest = scanner.ahead();
    let Some(length) = rest.find("-->").map(|end| end + "-->".len()) else { return false };
    let after = rest.get(length..).unwrap_or_default().trim_start_matches(is_space);
    let goes_on = after.starts_with(['>', '/']) || after.starts_with("<!--") || after.starts_with(starts_name);
    if !goes_on {
        return false;
    }
    let span = Span::new(scanner.position, scanner.position + length);
    let written = scanner.text.get(span.range()).unwrap_or_default().to_owned();
    let edits = vec![Edit { span: Span::new(start, start), text: written }, Edit { span, text: String::new() }];
    let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "comment inside a tag")
        .help("move it before or after the tag")
        .fix(wording::move_to("the place before the tag"), Applicability::Safe, edits);
    scanner.report(diagnostic);
    scanner.position += length;
    true
}

/// `# …` or `// …`, as programs have comments.
fn line_comment(scanner: &mut Scanner<'_>) -> bool {
    let rest = scanner.rest();
    let length = rest.find(['\n', '>', '<', '=']).unwrap_or(rest.len());
    if rest.get(length..).is_some_and(|rest| rest.starts_with('=')) {
        return false;
    }
    let length = rest.get(..length).unwrap_or_default().trim_end().trim_end_matches('/').trim_end().len();
    let span = Span::new(scanner.position, scanner.position + length);
    let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "comment inside a tag")
        .help("write <!-- … --> before or after the tag")
        .libvirt("error parsing attribute name");
    scanner.report(diagnostic);
    scanner.position += length;
    true
}

pub(super) fn report_placeholder(scanner: &mut Scanner<'_>, at: usize, placeholder: Placeholder<'_>) {
    let span = Span::new(at, at + placeholder.written.len());
    let diagnostic = Diagnostic::new(Rule::XmlPlaceholder, span, placeholder.message()).help(placeholder.help());
    scanner.report_as_one(diagnostic);
}

/// The placeholder in angle brackets that a part of a value starts with; an element's tag is none.
pub(super) fn placeholder_in_value(text: &str) -> Option<Placeholder<'_>> {
    let found = placeholder::in_angle_brackets(text)?;
    let name = found.written.trim_matches(['<', '>']);
    (!known_elements().any(|known| known == name)).then_some(found)
}

/// Whether each `<` of a value starts a placeholder, so that none shows that the closing quote is missing.
pub(super) fn holds_placeholders(value: &str) -> bool {
    let mut rest = value;
    while let Some(at) = rest.find('<') {
        let Some(placeholder) = rest.get(at..).and_then(placeholder_in_value) else { return false };
        rest = rest.get(at + placeholder.end()..).unwrap_or_default();
    }
    rest.len() < value.len() && !value.contains('\n')
}

/// Characters that a tag cannot hold and that look like white space, like `=` or like nothing.
fn ambiguous_characters(scanner: &mut Scanner<'_>) -> bool {
    let rest = scanner.rest();
    let is_ambiguous = |next: char| Ambiguous::new(next).is_some_and(Ambiguous::is_invisible);
    let length = rest.find(|next: char| !is_ambiguous(next)).unwrap_or(rest.len());
    if length == 0 {
        return false;
    }
    report_ambiguous(scanner, scanner.position, scanner.position + length);
    scanner.position += length;
    true
}

/// Reports the ambiguous characters of a part of the document; all of a document are one mistake.
pub(super) fn report_ambiguous(scanner: &mut Scanner<'_>, start: usize, end: usize) {
    let written = scanner.text.get(start..end).unwrap_or_default();
    let Some(first) = written.chars().find_map(Ambiguous::new) else { return };
    let edits: Vec<_> = written
        .char_indices()
        .filter_map(|(at, character)| {
            let found = Ambiguous::new(character)?;
            let span = Span::new(start + at, start + at + character.len_utf8());
            Some(Edit { span, text: found.looks_like.to_owned() })
        })
        .collect();
    let diagnostic = Diagnostic::new(Rule::XmlAmbiguousCharacter, Span::new(start, end), first.message())
        .help(first.help())
        .fix(first.fix_message(), Applicability::Safe, edits);
    scanner.report_as_one(diagnostic);
}
