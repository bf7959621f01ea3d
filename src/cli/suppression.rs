//! Comments that silence diagnostics: `<!-- backupxml: allow(rule) reason -->`.
//!
//! One before the root element holds for the whole file, any other for the line after it.

use std::collections::HashMap;

use memchr::memmem;

use crate::cli::levels::Selector;
use crate::diagnostic::{Diagnostic, Document, MAX_DIAGNOSTICS, Span, sort};
use crate::rules::Rule;
use crate::source::Source;

const OPENING: &str = "<!--";
const CLOSING: &str = "-->";
const MARK: &str = "backupxml:";

/// A rule, or a family of them, that a comment allows.
struct Suppression<'a> {
    rule: &'a str,
    /// Where it is named.
    span: Span,
    /// The line it holds for; none is the whole file.
    line: Option<usize>,
    used: bool,
}

/// Drops the diagnostics that comments of the file allow. A comment that allows nothing is a diagnostic itself.
#[must_use]
pub fn apply(source: &Source, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut suppressions = find(source);
    if suppressions.is_empty() {
        return diagnostics;
    }
    let mut by_place = HashMap::new();
    for (index, suppression) in suppressions.iter().enumerate() {
        by_place.entry((suppression.line, suppression.rule)).or_insert(index);
    }
    let mut kept: Vec<_> = diagnostics
        .into_iter()
        .filter(|diagnostic| {
            let is_here = diagnostic.primary.document == Document::Backup;
            let line = is_here.then(|| source.line_of(diagnostic.primary.span.range().start));
            let rule = diagnostic.rule;
            let places = line.map(Some).into_iter().chain([None]);
            let mut names = places.flat_map(|line| [rule.name(), rule.family(), "all"].map(|name| (line, name)));
            let matching = names.find_map(|name| by_place.get(&name)).and_then(|index| suppressions.get_mut(*index));
            matching.map(|suppression| suppression.used = true).is_none()
        })
        .collect();
    kept.extend(suppressions.iter().filter(|suppression| !suppression.used).map(unused));
    sort(&mut kept);
    kept
}

fn find(source: &Source) -> Vec<Suppression<'_>> {
    let text = source.text();
    let root = text.match_indices('<').map(|(at, _)| at).find(|at| {
        text.get(at + 1..).is_some_and(|rest| rest.starts_with(|first: char| first.is_alphabetic() || first == '_'))
    });
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(before) = find_in(text, next, OPENING).filter(|_| found.len() < MAX_DIAGNOSTICS) {
        let start = before + OPENING.len();
        let Some(end) = find_in(text, start, CLOSING) else { break };
        next = end + CLOSING.len();
        let comment = text.get(start..end).unwrap_or_default();
        let Some(list) =
            comment.trim_start().strip_prefix(MARK).and_then(|rest| rest.trim_start().strip_prefix("allow("))
        else {
            continue;
        };
        let Some((list, _)) = list.split_once(')') else { continue };
        let is_at_top = root.is_none_or(|root| end < root);
        let line = (!is_at_top).then(|| source.line_of(end) + 1);
        let list_start = list.as_ptr() as usize - text.as_ptr() as usize;
        for rule in list.split(',').take(MAX_DIAGNOSTICS) {
            let at =
                list_start + (rule.as_ptr() as usize - list.as_ptr() as usize) + (rule.len() - rule.trim_start().len());
            let rule = rule.trim();
            found.push(Suppression { rule, span: Span::new(at, at + rule.len()), line, used: false });
        }
    }
    found
}

/// Where `what` stands, from `start` on.
fn find_in(text: &str, start: usize, what: &str) -> Option<usize> {
    Some(start + memmem::find(text.as_bytes().get(start..)?, what.as_bytes())?)
}

fn unused(suppression: &Suppression<'_>) -> Diagnostic {
    let known = Selector::parse(suppression.rule).is_some();
    let shown: String = suppression.rule.chars().take(60).collect();
    let (message, help) = if known {
        let place = if suppression.line.is_none() { "in this file" } else { "on the next line" };
        (format!("unused suppression: no diagnostic of {shown} {place}"), "remove the comment")
    } else {
        (format!("unknown rule {shown} in a suppression comment"), "use a name that `backupxml rules` lists")
    };
    Diagnostic::new(Rule::UnusedSuppression, suppression.span, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::release::Release;

    fn rules(text: &str) -> Vec<&'static str> {
        let (source, _) = Source::new("b.xml", text.as_bytes().to_vec(), Release::default());
        let found = apply(&source, crate::check(text, None, &Options::default()));
        found.iter().map(|diagnostic| diagnostic.rule.name()).collect()
    }

    #[test]
    fn a_comment_allows_what_is_on_the_next_line() {
        let disk = "<disk name='vda' bogus='1'/>";
        let above = "<!-- backupxml: allow(schema/unknown-attribute) a tool of ours adds it -->";
        assert_eq!(rules(&format!("<domainbackup><disks>\n{above}\n{disk}\n</disks></domainbackup>")), [""; 0]);
        assert_eq!(
            rules(&format!("<domainbackup><disks>\n{above}\n\n{disk}\n</disks></domainbackup>")),
            ["advice/unused-suppression", "schema/unknown-attribute"]
        );
    }

    #[test]
    fn a_comment_at_the_top_allows_it_in_the_whole_file() {
        let top = "<!-- backupxml: allow(schema/unknown-attribute, schema/missing-server) -->";
        assert_eq!(
            rules(&format!(
                "{top}\n<domainbackup mode='pull'>\n\n<disks>\n<disk name='vda' bogus='1'/></disks></domainbackup>"
            )),
            [""; 0]
        );
    }

    #[test]
    fn unused_suppressions_are_reported() {
        assert_eq!(rules("<!-- backupxml: allow(schema/namespace) --><domainbackup/>"), ["advice/unused-suppression"]);
        assert_eq!(rules("<!-- backupxml: allow(schema/no-such) --><domainbackup/>"), ["advice/unused-suppression"]);
        assert_eq!(rules("<!-- backupxml is nice --><domainbackup/>"), [""; 0]);
    }
}
