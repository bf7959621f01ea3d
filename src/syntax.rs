//! Text → syntax tree, always, with every error of syntax.
//!
//! roxmltree parses. It stops at the first error and often cannot say where that is, so a document that it refuses is read
//! again by a scanner that recovers: it reports one diagnostic for each error, and builds the tree that the document would
//! have without them, so that a missing quote hides nothing else.

mod build;
mod clean;
mod declaration;
mod inside_tag;
mod limits;
mod matching;
mod recover;
mod reference;
mod scan;
mod structure;
mod surroundings;
mod tag;
mod tree;
pub(crate) mod value;

use std::collections::HashMap;

use memchr::memmem;
use roxmltree::ParsingOptions;

use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;
use crate::wording;

pub(crate) use clean::Cleaned;
pub(crate) use tag::without_less_than;
pub use tree::Document;
pub(crate) use tree::{Attribute, Content, Element, Text};

/// Parses a document. Refuses what libvirt's libxml2 refuses, and a document type with an internal subset.
pub fn parse(text: &str) -> Document<'_> {
    if let Some(error) = limits::before_parsing(text) {
        return Document::unreadable(text, error);
    }
    let allow_dtd = match check_document_type(text) {
        Ok(is_present) => is_present,
        Err(error) => return Document::unreadable(text, *error),
    };
    let options = ParsingOptions { allow_dtd, ..ParsingOptions::default() };
    let error = match roxmltree::Document::parse_with_options(text, options) {
        Ok(_) if needs_strict_scan(text) => return scan::scan(text, true),
        Ok(parsed) => return build::from_roxmltree(&parsed),
        Err(error) => error,
    };
    if matches!(error, roxmltree::Error::UnknownNamespace(..)) {
        // That may be all that is wrong.
        let document = scan::scan(text, true);
        if document.is_well_formed() {
            return document;
        }
    }
    if let Some(document) = surroundings::check(text) {
        return document;
    }
    let mut document = scan::scan(text, false);
    // The scanner reports attributes that have one name. That two names are the same in a namespace is no error to libxml2.
    let is_of_namespace = matches!(error, roxmltree::Error::DuplicatedAttribute(..));
    if document.errors.is_empty() && !document.is_tolerated && !is_of_namespace {
        document.errors.push(from_roxmltree_error(text, &error));
    }
    document
}

/// Parses a document that has no errors of syntax.
///
/// # Errors
///
/// Returns everything that is wrong with the syntax.
pub fn parse_valid(text: &str) -> Result<Document<'_>, Vec<Diagnostic>> {
    let document = parse(text);
    if document.errors.is_empty() { Ok(document) } else { Err(document.errors) }
}

/// Whether there is anything in a document that roxmltree lets through and libxml2 might not: references by number,
/// an unusual XML declaration, processing instructions, a second declaration of a namespace.
fn needs_strict_scan(text: &str) -> bool {
    let content = after_plain_declaration(text).unwrap_or(text);
    has(content, b"&#") || has(content, b"<?") || declares_twice(text)
}

fn has(text: &str, what: &[u8]) -> bool {
    memmem::find(text.as_bytes(), what).is_some()
}

/// What follows the XML declaration that most documents begin with, and about which there is nothing to say.
fn after_plain_declaration(text: &str) -> Option<&str> {
    let quoted = |text: &'_ str, word: &str| {
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        Some(text.len() - text.strip_prefix(quote)?.strip_prefix(word)?.strip_prefix(quote)?.len())
    };
    let mut rest = text.strip_prefix("<?xml version=")?;
    rest = rest.get(quoted(rest, "1.0")?..)?;
    if let Some(encoding) = rest.strip_prefix(" encoding=") {
        let length = quoted(encoding, "UTF-8").or_else(|| quoted(encoding, "utf-8"))?;
        rest = encoding.get(length..)?;
    }
    rest.trim_start_matches(' ').strip_prefix("?>")
}

/// Whether one namespace prefix may be declared twice in a tag; there are few declarations, which is a limit.
fn declares_twice(text: &str) -> bool {
    let name = |at| {
        let rest = text.get(at + limits::NAMESPACE.len()..).unwrap_or_default();
        rest.split(['=', ' ', '\t', '\r', '\n']).next().unwrap_or_default()
    };
    let mut names: Vec<_> = memmem::find_iter(text.as_bytes(), limits::NAMESPACE).map(name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() < count
}

/// Finds a document type declaration. One without an internal subset declares nothing, and libvirt ignores it.
fn check_document_type(text: &str) -> Result<bool, Box<Diagnostic>> {
    let Some(start) = memmem::find(text.as_bytes(), b"<!DOCTYPE") else { return Ok(false) };
    let rest = text.get(start..).unwrap_or_default();
    let end = find_outside_quotes(rest, &['>', '[']).unwrap_or(rest.len());
    if !rest.get(end..).is_some_and(|end| end.starts_with('[')) {
        return match bad_identifier(rest.get(..end).unwrap_or_default()) {
            Some(offset) => Err(unfinished_identifier(text, start, start + end + 1, start + offset).into()),
            None => Ok(true),
        };
    }
    let length = rest.find("]>").map_or(end + 1, |close| close + 2);
    let mut edits = vec![Edit { span: Span::new(start, start + length), text: String::new() }];
    edits.extend(entity_edits(text, rest.get(..length).unwrap_or_default(), start + length));
    let diagnostic = Diagnostic::new(
        Rule::DocumentType,
        Span::new(start, start + end + 1),
        "the entities of a document type declaration are not supported",
    )
    .help("remove <!DOCTYPE …>, and write the values of its entities where they are used")
    .fix(wording::remove("<!DOCTYPE …>"), Applicability::Unsafe, edits);
    Err(diagnostic.into())
}

/// Longer names of entities are not looked for.
const MAX_ENTITY_LENGTH: usize = 64;

/// The edits that write the values of the entities that a declaration names for the references to them.
fn entity_edits(text: &str, declaration: &str, from: usize) -> Vec<Edit> {
    let value = |written: &str| -> Option<(String, String)> {
        let (name, rest) = written.trim_start().split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (value, _) = rest.get(1..)?.split_once(quote)?;
        Some((format!("&{name};"), value.to_owned()))
    };
    let values: HashMap<_, _> = declaration.split("<!ENTITY").skip(1).filter_map(value).collect();
    let rest = text.get(from..).unwrap_or_default();
    let reference = |(at, _): (usize, &str)| {
        let near = rest.get(at..rest.floor_char_boundary(at + MAX_ENTITY_LENGTH))?;
        let written = near.get(..=near.find(';')?)?;
        let span = Span::new(from + at, from + at + written.len());
        Some(Edit { span, text: values.get(written)?.clone() })
    };
    rest.match_indices('&').filter_map(reference).collect()
}

/// The place of the first of some characters in a tag or declaration, outside quotes.
fn find_outside_quotes(text: &str, wanted: &[char]) -> Option<usize> {
    let mut quote = None;
    text.find(|character| {
        match quote {
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
        quote.is_none() && wanted.contains(&character)
    })
}

/// The first character that does not belong into the identifiers of a document type declaration.
fn bad_identifier(declaration: &str) -> Option<usize> {
    let mut is_public = declaration.split(['\'', '"']).next().is_some_and(|before| before.contains("PUBLIC"));
    let mut quote = None;
    declaration.char_indices().find_map(|(offset, character)| {
        let is_good = match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                true
            }
            (None, _) => true,
            (Some(open), _) if open == character => {
                (quote, is_public) = (None, false);
                true
            }
            _ if is_public => character.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(character),
            _ => reference::is_allowed(character),
        };
        (!is_good).then_some(offset)
    })
}

fn unfinished_identifier(text: &str, start: usize, end: usize, at: usize) -> Diagnostic {
    let length = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Diagnostic::new(
        Rule::NotWellFormed,
        Span::new(at, at + length),
        "invalid character in an identifier of the document type",
    )
    .help("remove <!DOCTYPE …>: a backup needs none")
    .libvirt("Unfinished System or Public ID \" or ' expected")
    .unsafe_fix(wording::remove("<!DOCTYPE …>"), Span::new(start, end), "")
}

/// What roxmltree refuses and the scanner does not.
fn from_roxmltree_error(text: &str, error: &roxmltree::Error) -> Diagnostic {
    let position = error.pos();
    let line_start =
        text.match_indices('\n').nth((position.row as usize).wrapping_sub(2)).map_or(0, |(feed, _)| feed + 1);
    let line = text.get(line_start..).unwrap_or_default();
    let start = line.char_indices().nth((position.col as usize).saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let start = line_start + start;
    let end = text.get(start..).and_then(|rest| rest.chars().next()).map_or(start, |next| start + next.len_utf8());
    let words = error.to_string();
    let words = words.split(" at ").next().unwrap_or(&words);
    Diagnostic::new(Rule::NotWellFormed, Span::new(start, end), format!("not well-formed: {words}"))
        .help("fix the XML here")
}

/// The name of the root element, if there is a start tag that has one.
#[must_use]
pub fn root_name(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.get(rest.find('<')?..)?;
        let skipped = match rest.as_bytes().get(1)? {
            b'?' => rest.find("?>")? + 2,
            b'!' if rest.starts_with("<!--") => rest.find("-->")? + 3,
            b'!' => rest.find('>')? + 1,
            _ => {
                let name = rest.get(1..)?;
                let end =
                    name.find(|character: char| character.is_whitespace() || matches!(character, '/' | '>' | '<'));
                return name.get(..end.unwrap_or(name.len())).filter(|name| !name.is_empty());
            }
        };
        rest = rest.get(skipped..)?;
    }
}

#[cfg(test)]
mod tests;
