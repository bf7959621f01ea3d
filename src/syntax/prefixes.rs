//! Which namespace prefixes are declared, and what becomes of those that are not.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::rules::Rule;
use crate::wording;

use super::find_outside_quotes;
use super::scan::Scanner;
use super::tag::{continues_name, is_space};

/// Stands for the colon of an undeclared prefix in the repaired document; a character of names that looks like one.
pub const COLON_PLACEHOLDER: char = '\u{a789}';

/// The declared prefixes.
pub(super) struct Prefixes<'a> {
    /// How often each is declared: in the open elements or, where it cannot be told which are open, anywhere.
    declared: HashMap<&'a str, usize>,
    /// Those that each open element declares, unless that cannot be told.
    open: Option<Vec<Vec<&'a str>>>,
}

impl<'a> Prefixes<'a> {
    pub fn new(text: &'a str, tags_match: bool) -> Self {
        if tags_match {
            return Self { declared: HashMap::new(), open: Some(Vec::new()) };
        }
        Self { declared: declared(text).map(|name| (name, 1)).collect(), open: None }
    }

    /// Enters an element, whose start tag `rest` begins with.
    pub fn enter(&mut self, rest: &'a str) {
        let Some(open) = &mut self.open else { return };
        let names: Vec<_> = declared(tag(rest)).collect();
        for name in &names {
            *self.declared.entry(name).or_default() += 1;
        }
        open.push(names);
    }

    /// Leaves the innermost element.
    pub fn leave(&mut self) {
        for name in self.open.as_mut().and_then(Vec::pop).unwrap_or_default() {
            self.declared.entry(name).and_modify(|times| *times -= 1);
        }
    }

    /// The edit that makes a name with an undeclared prefix one without.
    pub fn undeclared(&self, name: &str, start: usize) -> Option<Edit> {
        let (prefix, _) = name.split_once(':')?;
        if matches!(prefix, "xml" | "xmlns") || self.declared.get(prefix).is_some_and(|times| *times > 0) {
            return None;
        }
        let colon = start + prefix.len();
        Some(Edit { span: Span::new(colon, colon + 1), text: COLON_PLACEHOLDER.to_string() })
    }
}

/// The prefixes that the tags of a text declare.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    let names =
        text.match_indices("xmlns:").filter(|(at, _)| text.get(..*at).is_some_and(|before| before.ends_with(is_space)));
    let names = names.filter_map(|(at, found)| text.get(at + found.len()..));
    names.filter_map(|rest| rest.get(..rest.find(|character: char| !continues_name(character))?))
}

/// The start tag that a text begins with, as far as the next `<`, which no tag holds.
fn tag(text: &str) -> &str {
    let next = text.match_indices('<').find(|(at, _)| *at > 0).map_or(text.len(), |(at, _)| at);
    let text = text.get(..next).unwrap_or_default();
    text.get(..find_outside_quotes(text, &['>']).unwrap_or(next)).unwrap_or_default()
}

/// A prefix that is not declared is part of the name to libxml2, which then is one that libvirt does not know.
pub(super) fn check(scanner: &mut Scanner<'_>, name: &str, start: usize) {
    let Some(repair) = scanner.prefixes.undeclared(name, start) else { return };
    let (prefix, local) = name.split_once(':').unwrap_or_default();
    let span = Span::new(start, start + prefix.len() + 1);
    if scanner.at_root() && scanner.text.get(..start).is_some_and(|before| before.ends_with('<')) {
        let diagnostic = Diagnostic::new(Rule::WrongRoot, span, wording::wrong_root(name))
            .help(format!("write <{local}>, without a namespace prefix"))
            .libvirt(format!("XML error: expecting root element of 'domainbackup', not '{name}'"))
            .unsafe_fix(wording::remove("the prefix"), span, "");
        return scanner.report(diagnostic);
    }
    let diagnostic =
        Diagnostic::new(Rule::UndeclaredPrefix, span, format!("undeclared namespace prefix {}", wording::code(prefix)))
            .help(wording::NO_NAMESPACE)
            .unsafe_fix(wording::remove("the prefix"), span, "");
    scanner.report_repaired(diagnostic, vec![repair]);
}
