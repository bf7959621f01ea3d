//! Attribute values and text as written → their characters: references replaced, line ends normalized.
//!
//! Errors are reported by `reference`. Here characters that XML does not allow are skipped, and an `&` that starts no
//! reference is kept.

use std::borrow::Cow;

use super::reference::{HTML, is_allowed};

/// The value of an attribute, `None` if it is what is written.
pub(super) fn of_attribute(written: &str) -> Option<Box<str>> {
    if written.chars().all(|next| next >= ' ' && next != '&' && is_allowed(next)) {
        return None;
    }
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '&' => reference(rest, &mut value),
            // A carriage return and a line feed are one end of a line.
            '\r' if rest.starts_with("\r\n") => 1,
            '\t' | '\n' | '\r' => {
                value.push(' ');
                1
            }
            _ => character(next, &mut value),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Some(value.into())
}

/// The characters of text.
pub(super) fn of_text(written: &str) -> Cow<'_, str> {
    if written.chars().all(|next| !matches!(next, '&' | '<' | '\r') && is_allowed(next)) {
        return Cow::Borrowed(written);
    }
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '&' => reference(rest, &mut value),
            '<' if rest.starts_with(CDATA) => {
                let (content, length) = cdata(rest);
                value.push_str(&line_ends(content));
                length
            }
            '\r' => {
                value.push('\n');
                if rest.starts_with("\r\n") { 2 } else { 1 }
            }
            _ => character(next, &mut value),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(value)
}

/// What a CDATA section begins with.
pub(crate) const CDATA: &str = "<![CDATA[";

/// The content of the CDATA section that a text begins with, and the length of the section.
pub(crate) fn cdata(text: &str) -> (&str, usize) {
    let body = text.get(CDATA.len()..).unwrap_or_default();
    match body.find("]]>") {
        Some(end) => (body.get(..end).unwrap_or_default(), CDATA.len() + end + 3),
        None => (body, text.len()),
    }
}

/// Text whose lines end in a line feed only.
pub(crate) fn line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

fn character(character: char, value: &mut String) -> usize {
    value.extend(Some(character).filter(|character| is_allowed(*character)));
    character.len_utf8()
}

/// Appends the character of the reference that a text begins with; returns the length of the reference.
fn reference(text: &str, value: &mut String) -> usize {
    let body = text.get(1..).unwrap_or_default();
    let length = body.find(|next: char| !next.is_ascii_alphanumeric() && next != '#').unwrap_or(body.len());
    let name = body.get(..length).unwrap_or_default();
    let is_closed = body.get(length..).is_some_and(|rest| rest.starts_with(';'));
    let is_number = name.starts_with('#');
    match dereference(name).or_else(|| html(name)).filter(|_| is_closed) {
        Some(found) => value.extend(Some(found).filter(|found| is_allowed(*found))),
        None if is_closed && is_number => {}
        None => {
            value.push('&');
            return 1;
        }
    }
    length + 2
}

fn html(name: &str) -> Option<char> {
    let (_, number) = HTML.iter().find(|(entity, _)| *entity == name)?;
    dereference(number.trim_matches(['&', ';']))
}

/// The character of a reference, which is given without its `&` and `;`.
pub(crate) fn dereference(reference: &str) -> Option<char> {
    match reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
