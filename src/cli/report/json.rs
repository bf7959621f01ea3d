//! One JSON object: `{"schema_version": 1, "files": […], "summary": {…}}`, written file by file.

use std::io::{self, Write};

use serde::Serialize;

use crate::diagnostic::{Applicability, Diagnostic, Document, Edit, Fix, Label, NotChecked};
use crate::source::Source;

use super::{CheckedFile, Summary, visible};

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    status: &'a str,
    diagnostics: Vec<JsonDiagnostic<'a>>,
    not_checked: &'a [NotChecked],
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    rule: &'a str,
    severity: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    libvirt: Option<&'a str>,
    labels: Vec<JsonLabel<'a>>,
    fixes: Vec<JsonFix<'a>>,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    path: &'a str,
    start: usize,
    end: usize,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    primary: bool,
    message: &'a str,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    message: &'a str,
    safe: bool,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: &'a str,
    start: usize,
    end: usize,
    text: &'a str,
}

pub(super) fn start(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema_version\": 1,\n \"files\": [")
}

pub(super) fn file(out: &mut dyn Write, checked: &CheckedFile) -> io::Result<()> {
    let file = JsonFile {
        path: &checked.name,
        status: checked.status.name(),
        diagnostics: checked.diagnostics.iter().map(|found| diagnostic(checked, found)).collect(),
        not_checked: &checked.not_checked,
    };
    let text = serde_json::to_string(&file)?;
    write!(out, "{}", visible::json(&text))
}

pub(super) fn finish(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let Summary { files, failed, skipped, errors, warnings, .. } = summary;
    writeln!(
        out,
        "],\n \"summary\": {{\"files\": {files}, \"failed\": {failed}, \"skipped\": {skipped}, \
         \"errors\": {errors}, \"warnings\": {warnings}}}}}"
    )
}

/// The diagnostics of one file.
pub(crate) fn diagnostics(checked: &CheckedFile) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(checked.diagnostics.iter().map(|found| diagnostic(checked, found)).collect::<Vec<_>>())
}

fn diagnostic<'a>(checked: &'a CheckedFile, diagnostic: &'a Diagnostic) -> JsonDiagnostic<'a> {
    let labels = diagnostic.labels().enumerate();
    JsonDiagnostic {
        rule: diagnostic.rule.name(),
        severity: diagnostic.severity.name(),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        libvirt: diagnostic.libvirt.as_deref(),
        labels: labels.filter_map(|(index, found)| Some(label(checked.document(found)?, found, index == 0))).collect(),
        fixes: diagnostic.fixes.iter().filter_map(|found| fix(checked, found)).collect(),
    }
}

fn label<'a>(source: &'a Source, label: &'a Label, primary: bool) -> JsonLabel<'a> {
    let range = label.span.range();
    let (line, column) = source.line_column(range.start);
    let (end_line, end_column) = source.line_column(range.end);
    JsonLabel {
        path: source.name(),
        start: source.offset_on_disk(range.start),
        end: source.offset_on_disk(range.end),
        line,
        column,
        end_line,
        end_column,
        primary,
        message: &label.message,
    }
}

fn fix<'a>(checked: &'a CheckedFile, fix: &'a Fix) -> Option<JsonFix<'a>> {
    let place = Label { document: Document::Backup, span: crate::diagnostic::Span::default(), message: String::new() };
    let source = checked.document(&place)?;
    let edit = |Edit { span, text }: &'a Edit| JsonEdit {
        path: source.name(),
        start: source.offset_on_disk(span.range().start),
        end: source.offset_on_disk(span.range().end),
        text,
    };
    Some(JsonFix {
        message: &fix.message,
        safe: fix.applicability == Applicability::Safe,
        edits: fix.edits.iter().map(edit).collect(),
    })
}
