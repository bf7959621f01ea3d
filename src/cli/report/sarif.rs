//! SARIF 2.1.0: one run, a result for each diagnostic, written file by file, and the rules that were found.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Document, Fix, Label, Span};
use crate::rules::{Rule, Severity};
use crate::source::Source;

use super::{CheckedFile, path, visible};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn start(out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "{{\"$schema\": \"{SCHEMA}\", \"version\": \"2.1.0\", \"runs\": [{{\"columnKind\": \"unicodeCodePoints\",\n \
         \"results\": ["
    )
}

fn describe(rule: Rule) -> Value {
    let page = rule.entry().page;
    let meaning =
        page.split("\n## ").nth(1).and_then(|section| section.split_once('\n')).map_or("", |(_, text)| text.trim());
    json!({
        "id": rule.name(),
        "shortDescription": {"text": rule.entry().title},
        "fullDescription": {"text": meaning},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": level(rule.severity())},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

pub(super) fn file(out: &mut dyn Write, checked: &CheckedFile) -> io::Result<()> {
    let results = checked.diagnostics.iter().filter_map(|diagnostic| result(checked, diagnostic));
    for (index, result) in results.enumerate() {
        let separator = if index == 0 { "" } else { ",\n  " };
        write!(out, "{separator}{}", visible::json(&result.to_string()))?;
    }
    Ok(())
}

/// Writes the end, with the rules that were found.
pub(super) fn finish(out: &mut dyn Write, rules: &BTreeSet<Rule>) -> io::Result<()> {
    let rules: Vec<_> = rules.iter().map(|rule| describe(*rule)).collect();
    let driver = json!({"name": "backupxml", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    writeln!(out, "\n ],\n \"tool\": {{\"driver\": {driver}}}}}]}}")
}

fn result(checked: &CheckedFile, diagnostic: &Diagnostic) -> Option<Value> {
    let location = |label: &Label| Some(location(checked.document(label)?, label));
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push('\n');
        message.push_str(help);
    }
    let fixes: Vec<_> = diagnostic.fixes.iter().filter_map(|found| fix(checked, found)).collect();
    let related: Vec<_> = diagnostic.secondary.iter().filter_map(location).collect();
    let mut result = json!({
        "ruleId": diagnostic.rule.name(),
        "level": level(diagnostic.severity),
        "message": {"text": message},
        "locations": [location(&diagnostic.primary)?],
    });
    let object = result.as_object_mut()?;
    if !related.is_empty() {
        object.insert("relatedLocations".to_owned(), related.into());
    }
    if !fixes.is_empty() {
        object.insert("fixes".to_owned(), fixes.into());
    }
    Some(result)
}

fn location(source: &Source, label: &Label) -> Value {
    let place = json!({"artifactLocation": {"uri": uri(source.name())}, "region": region(source, label.span)});
    if label.message.is_empty() {
        json!({"physicalLocation": place})
    } else {
        json!({"physicalLocation": place, "message": {"text": label.message}})
    }
}

fn region(source: &Source, span: Span) -> Value {
    let range = span.range();
    let (line, column) = source.line_column(range.start);
    let (end_line, end_column) = source.line_column(range.end);
    let (start, end) = (source.offset_on_disk(range.start), source.offset_on_disk(range.end));
    json!({
        "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
        "byteOffset": start, "byteLength": end.saturating_sub(start),
    })
}

fn fix(checked: &CheckedFile, fix: &Fix) -> Option<Value> {
    let place = Label { document: Document::Backup, span: Span::default(), message: String::new() };
    let source = checked.document(&place)?;
    let replacements: Vec<_> = fix
        .edits
        .iter()
        .map(|edit| json!({"deletedRegion": region(source, edit.span), "insertedContent": {"text": edit.text}}))
        .collect();
    Some(json!({
        "description": {"text": fix.message},
        "artifactChanges": [{"artifactLocation": {"uri": uri(source.name())}, "replacements": replacements}],
    }))
}

/// A path as a relative reference: `/` between its parts, everything else that a URI cannot hold as percent codes.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in path(name).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./a b/c%.xml"), "a%20b/c%25.xml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
