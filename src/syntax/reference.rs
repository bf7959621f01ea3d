//! Characters and references in text and in values.

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording;

use super::inside_tag::{placeholder_in_value, report_placeholder};
use super::scan::Scanner;

/// Entities of HTML that are common in copied text, and references to their characters.
pub(super) const HTML: [(&str, &str); 6] = [
    ("nbsp", "&#160;"),
    ("ndash", "&#8211;"),
    ("mdash", "&#8212;"),
    ("hellip", "&#8230;"),
    ("lsquo", "&#8216;"),
    ("rsquo", "&#8217;"),
];

/// Whether XML allows a character.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Checks the characters and references of `start..end`. In a value, a `<` is reported too; in text there is none.
pub(super) fn check(scanner: &mut Scanner<'_>, start: usize, end: usize) {
    let written = scanner.text.get(start..end).unwrap_or_default();
    for (position, character) in written.char_indices() {
        let at = start + position;
        match character {
            '&' => reference(scanner, at, end),
            '<' => less_than(scanner, at),
            ']' if written.get(position..).is_some_and(|rest| rest.starts_with("]]>")) && !scanner.in_value => {
                cdata_end(scanner, at);
            }
            _ if !is_allowed(character) => invalid_character(scanner, at, character),
            _ => {}
        }
    }
}

fn reference(scanner: &mut Scanner<'_>, at: usize, end: usize) {
    let rest = scanner.text.get(at + 1..end).unwrap_or_default();
    let length =
        rest.find(|character: char| !character.is_alphanumeric() && !matches!(character, '#' | '_' | '-' | '.'));
    let name = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
    let closed = rest.get(name.len()..).is_some_and(|after| after.starts_with(';'));
    let whole = Span::new(at, at + 1 + name.len() + usize::from(closed));
    if closed {
        if let Some(number) = name.strip_prefix('#') {
            return numbered(scanner, number, whole);
        }
        if matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") {
            return;
        }
        if !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '.')) {
            return unknown_entity(scanner, name, whole);
        }
    }
    if scanner.text.get(..at).is_some_and(|before| before.ends_with('&')) {
        // It was reported with the one before.
        return;
    }
    let run = 1 + rest.len() - rest.trim_start_matches('&').len();
    let span = Span::new(at, at + run);
    let libvirt = match name.chars().next() {
        Some('#') if name.starts_with("#x") => "CharRef: invalid hexadecimal value",
        Some('#') => "CharRef: invalid decimal value",
        Some(first) if first.is_alphabetic() || first == '_' => "EntityRef: expecting ';'",
        _ => "xmlParseEntityRef: no name",
    };
    let (message, escaped) = match run {
        1 => ("unescaped `&`".to_owned(), "&amp;".to_owned()),
        _ => (format!("unescaped `{}`", "&".repeat(run.min(4))), "&amp;".repeat(run)),
    };
    let diagnostic = Diagnostic::new(Rule::UnescapedAmpersand, span, message)
        .help("write `&amp;` for each `&`")
        .libvirt(libvirt)
        .safe_fix(wording::replace_with("`&amp;`"), span, escaped);
    scanner.report(diagnostic);
}

fn unknown_entity(scanner: &mut Scanner<'_>, name: &str, whole: Span) {
    let known = HTML.iter().find(|(entity, _)| *entity == name).map(|(_, number)| *number);
    let diagnostic =
        Diagnostic::new(Rule::UnknownEntity, whole, format!("unknown entity {}", wording::code(&format!("&{name};"))))
            .libvirt(format!("Entity '{name}' not defined"));
    let diagnostic = match known {
        Some(number) => diagnostic.help(format!("write `{number}`")).unsafe_fix(wording::replace_with(&wording::code(number)), whole, number),
        None => diagnostic.help(format!("expected `&lt;`, `&gt;`, `&amp;`, `&quot;` or `&apos;`; write `&amp;{name};` for these characters themselves")).unsafe_fix(
            wording::replace_with(&wording::code(&format!("&amp;{name};"))),
            whole,
            format!("&amp;{name};"),
        ),
    };
    scanner.report(diagnostic);
}

fn numbered(scanner: &mut Scanner<'_>, number: &str, whole: Span) {
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    };
    let signed = number.contains(['+', '-']);
    if code.is_some_and(|code| char::from_u32(code).is_some_and(is_allowed)) && !signed {
        return;
    }
    let written = scanner.text.get(whole.range()).unwrap_or_default();
    let diagnostic = Diagnostic::new(
        Rule::InvalidCharacter,
        whole,
        format!("reference {} to a character that is not allowed in XML", wording::code(written)),
    )
    .help("remove it")
    .libvirt(format!("xmlParseCharRef: invalid xmlChar value {}", code.unwrap_or_default()))
    .unsafe_fix(wording::remove("it"), whole, "");
    scanner.report(diagnostic);
}

fn less_than(scanner: &mut Scanner<'_>, at: usize) {
    let span = Span::new(at, at + 1);
    let rest = scanner.text.get(at..).unwrap_or_default();
    if let Some(placeholder) = placeholder_in_value(rest).filter(|_| scanner.in_value) {
        return report_placeholder(scanner, at, placeholder);
    }
    let diagnostic = Diagnostic::new(Rule::UnescapedLessThan, span, wording::UNESCAPED_LESS_THAN)
        .help("write `&lt;`")
        .libvirt("Unescaped '<' not allowed in attributes values")
        .safe_fix(wording::replace_with("`&lt;`"), span, "&lt;");
    scanner.report(diagnostic);
}

fn cdata_end(scanner: &mut Scanner<'_>, at: usize) {
    let span = Span::new(at, at + 3);
    let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "`]]>` is not allowed in text")
        .help("write `]]&gt;`")
        .libvirt("Sequence ']]>' not allowed in content")
        .safe_fix(wording::replace_with("`]]&gt;`"), span, "]]&gt;");
    scanner.report(diagnostic);
}

fn invalid_character(scanner: &mut Scanner<'_>, at: usize, character: char) {
    let span = Span::new(at, at + character.len_utf8());
    let code = u32::from(character);
    let diagnostic = Diagnostic::new(Rule::InvalidCharacter, span, wording::character_not_allowed(code))
        .help("remove it")
        .libvirt(format!("PCDATA invalid Char value {code}"))
        .unsafe_fix(wording::remove("it"), span, "");
    scanner.report(diagnostic);
}
