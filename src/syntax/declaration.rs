//! The XML declaration, of which roxmltree takes more than libxml2 does.

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::{self, is_space};

use super::scan::Scanner;

/// The settings of a declaration, in their order; only the first is required.
const NAMES: [&str; 3] = ["version", "encoding", "standalone"];

/// Checks the declaration at the scanner's place, if there is one, and continues after it.
pub(super) fn declaration(scanner: &mut Scanner<'_>) {
    let Some(rest) = scanner.rest().strip_prefix("<?xml").filter(|rest| rest.starts_with(is_space)) else { return };
    let Some(end) = rest.find("?>") else { return };
    let start = scanner.position + "<?xml".len();
    scanner.position = start + end + "?>".len();
    let whole = Span::new(start - "<?xml".len(), scanner.position);
    match settings(rest.get(..end).unwrap_or_default(), start) {
        Some(settings) => settings.iter().for_each(|setting| check(scanner, setting)),
        None => scanner.report(
            Diagnostic::new(Rule::NotWellFormed, whole, "invalid XML declaration")
                .help("write <?xml version='1.0' encoding='UTF-8'?>, or remove it")
                .libvirt("parsing XML declaration: '?>' expected")
                .unsafe_fix(wording::remove("it"), whole, ""),
        ),
    }
}

struct Setting<'a> {
    name: &'static str,
    value: &'a str,
    span: Span,
}

/// The settings, if they are written as the grammar requires; `start` is the place of `written`.
fn settings(written: &str, start: usize) -> Option<Vec<Setting<'_>>> {
    let mut settings: Vec<Setting<'_>> = Vec::with_capacity(NAMES.len());
    let mut rest = written;
    let mut names = NAMES.iter();
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return settings.first().is_some_and(|first| first.name == "version").then_some(settings);
        }
        if trimmed.len() == rest.len() {
            return None;
        }
        let name = names.find(|name| trimmed.starts_with(**name))?;
        let after = trimmed.get(name.len()..)?.trim_start_matches(is_space).strip_prefix('=')?;
        let quoted = after.trim_start_matches(is_space);
        let quote = quoted.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (value, after) = quoted.get(1..)?.split_once(quote)?;
        let at = start + written.len() - quoted.len() + 1;
        settings.push(Setting { name, value, span: Span::new(at, at + value.len()) });
        rest = after;
    }
}

/// Checks a value; encodings are checked when the document is decoded.
fn check(scanner: &mut Scanner<'_>, setting: &Setting<'_>) {
    let Setting { name, value, span } = *setting;
    let is_version =
        |value: &str| value.strip_prefix("1.").is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()));
    if name == "version" && !is_version(value) {
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, wording::invalid_setting(value, name))
            .help("write version='1.0'")
            .libvirt(format!("Unsupported version '{value}'"))
            .safe_fix(wording::replace_with("`1.0`"), span, "1.0");
        scanner.report(diagnostic);
    }
    if name == "standalone" && !matches!(value, "yes" | "no") {
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, wording::invalid_setting(value, name))
            .help(wording::expected(&["yes", "no"]))
            .libvirt("standalone accepts only 'yes' or 'no'")
            .unsafe_fix(wording::replace_with("`yes`"), span, "yes");
        scanner.report(diagnostic);
    }
}
