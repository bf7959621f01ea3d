//! Diagnostics → text for people and programs: one file an output format. Nothing here knows a rule.

mod concise;
mod full;
mod github;
mod json;
mod sarif;
mod summary;
pub(crate) mod visible;

pub(crate) use full::write_not_checked;
pub(crate) use json::diagnostics as diagnostics_as_json;
pub(crate) use visible::line as visible_line;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Applicability, Diagnostic, Document, Fix, Label, NotChecked};
use crate::rules::Rule;
use crate::source::Source;

use summary::{Fixable, Summary};

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the lines that they are about.
    Full,
    /// One line each.
    Concise,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
}

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No errors.
    Ok,
    /// At least one error.
    Failed,
    /// Not a backup, and passed over as asked.
    Skipped,
    /// It could not be read.
    Unreadable,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The domain and the checkpoint that a backup was checked with.
#[derive(Debug, Default)]
pub struct Companions {
    /// The domain.
    pub domain: Option<Arc<Source>>,
    /// The checkpoint.
    pub checkpoint: Option<Arc<Source>>,
}

/// One file and what was found in it.
#[derive(Debug)]
pub struct CheckedFile {
    name: String,
    source: Option<Source>,
    companions: Companions,
    /// What became of it.
    pub status: Status,
    diagnostics: Vec<Diagnostic>,
    /// What could not be checked.
    pub not_checked: Vec<NotChecked>,
}

impl CheckedFile {
    /// A file that was read, and what it was held against.
    #[must_use]
    pub fn new(source: Source, companions: Companions, status: Status, diagnostics: Vec<Diagnostic>) -> Self {
        let (name, source) = (source.name().to_owned(), Some(source));
        Self { name, source, companions, status, diagnostics, not_checked: Vec::new() }
    }

    /// Adds what could not be checked.
    #[must_use]
    pub fn with_not_checked(self, not_checked: Vec<NotChecked>) -> Self {
        Self { not_checked, ..self }
    }

    /// A file that could not be read.
    #[must_use]
    pub fn unreadable(name: String) -> Self {
        Self {
            name,
            source: None,
            companions: Companions::default(),
            status: Status::Unreadable,
            diagnostics: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document that a label lies in; there is none without a text to point at.
    fn document(&self, label: &Label) -> Option<&Source> {
        match label.document {
            Document::Backup => self.source.as_ref(),
            Document::Domain => self.companions.domain.as_deref(),
            Document::Checkpoint => self.companions.checkpoint.as_deref(),
        }
    }
}

/// How a report for people looks.
#[derive(Clone, Copy, Debug)]
pub struct Appearance {
    /// Whether it is coloured.
    pub color: bool,
    /// How many columns it may take.
    pub width: usize,
    /// Whether the closing line is omitted.
    pub quiet: bool,
}

/// A path as it is written in reports that other programs read: relative to the working directory where it lies below
/// that, with `/` between its parts.
fn path(name: &str) -> String {
    let written = Path::new(name);
    let here = written.is_absolute().then(std::env::current_dir).and_then(Result::ok);
    let relative =
        here.and_then(|here| written.strip_prefix(here).ok()).map(|path| path.to_string_lossy().into_owned());
    let name = relative.unwrap_or_else(|| name.to_owned());
    let name = if cfg!(windows) { name.replace('\\', "/") } else { name };
    name.strip_prefix("./").map(str::to_owned).unwrap_or(name)
}

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The form.
    pub format: Format,
    /// The looks of a form for people.
    pub appearance: Appearance,
    /// The fixes that are left to apply.
    pub offered_fixes: OfferedFixes,
}

/// Which fixes options of the command can still apply to the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedFixes {
    /// None.
    None,
    /// Those that the author has to confirm.
    Unsafe,
    /// All of them.
    All,
}

/// What a report says of one file.
#[derive(Debug)]
pub struct FileReport {
    /// What became of the file.
    pub status: Status,
    errors: usize,
    warnings: usize,
    fixable: Fixable,
    /// The rules that it names.
    rules: BTreeSet<Rule>,
    text: Vec<u8>,
}

impl FileReport {
    /// Whether there is nothing to be said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl Style {
    /// The same form, for a file that is not a terminal.
    #[must_use]
    pub fn for_file(self) -> Self {
        let appearance = Appearance { color: false, width: 80, ..self.appearance };
        Self { appearance, ..self }
    }

    /// Writes what there is to say of one file, whatever its place in the report is.
    ///
    /// # Errors
    ///
    /// Fails when a diagnostic cannot be drawn.
    pub fn report(self, checked: &CheckedFile) -> io::Result<FileReport> {
        let errors = checked.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        let mut text = Vec::new();
        match self.format {
            Format::Full => full::file(&mut text, checked, self.appearance)?,
            Format::Concise => concise::file(&mut text, checked)?,
            Format::Json => json::file(&mut text, checked)?,
            Format::Github => github::file(&mut text, checked)?,
            Format::Sarif => sarif::file(&mut text, checked)?,
        }
        let warnings = checked.diagnostics.len() - errors;
        let fixable = self.offered_fixes.count(checked);
        let rules = checked.diagnostics.iter().map(|diagnostic| diagnostic.rule).collect();
        Ok(FileReport { status: checked.status, errors, warnings, fixable, rules, text })
    }
}

impl OfferedFixes {
    /// How many diagnostics of a file have one of these fixes.
    fn count(self, checked: &CheckedFile) -> Fixable {
        let mut fixable = Fixable::default();
        if self == Self::None || !checked.source.as_ref().is_some_and(Source::is_as_on_disk) {
            return fixable;
        }
        for diagnostic in &checked.diagnostics {
            let is_safe = |fix: &Fix| fix.applicability == Applicability::Safe;
            match self {
                Self::All if diagnostic.fixes.iter().any(is_safe) => fixable.safe += 1,
                _ if diagnostic.fixes.iter().any(|fix| !is_safe(fix)) => fixable.only_unsafe += 1,
                _ => {}
            }
        }
        fixable
    }
}

/// Puts parts together as they come, and then what they come to.
#[derive(Debug)]
pub struct Reporter {
    style: Style,
    summary: Summary,
    /// Whether a list has been begun that the next part goes on with.
    begun: bool,
    /// The rules that were found.
    rules: BTreeSet<Rule>,
}

impl Reporter {
    /// A report of no files yet.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, summary: Summary::default(), begun: false, rules: BTreeSet::new() }
    }

    /// Writes what there is to say of the next file.
    ///
    /// # Errors
    ///
    /// Fails when `out` does.
    pub fn add(&mut self, out: &mut dyn Write, report: &FileReport) -> io::Result<()> {
        if self.summary.files == 0 {
            self.start(out)?;
        }
        self.summary.files += 1;
        self.summary.failed += usize::from(matches!(report.status, Status::Failed | Status::Unreadable));
        self.summary.unreadable += usize::from(report.status == Status::Unreadable);
        self.summary.skipped += usize::from(report.status == Status::Skipped);
        self.summary.errors += report.errors;
        self.summary.warnings += report.warnings;
        self.summary.with_diagnostics += usize::from(report.errors + report.warnings > 0);
        self.summary.fixable.safe += report.fixable.safe;
        self.summary.fixable.only_unsafe += report.fixable.only_unsafe;
        self.rules.extend(&report.rules);
        if report.is_empty() {
            return Ok(());
        }
        if matches!(self.style.format, Format::Json | Format::Sarif) {
            out.write_all(if self.begun { b",\n  " } else { b"\n  " })?;
        }
        self.begun = true;
        out.write_all(&report.text)
    }

    /// Counts a file that could not be written.
    pub fn note_unwritten(&mut self) {
        self.summary.unwritten += 1;
    }

    fn start(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.style.format {
            Format::Json => json::start(out),
            Format::Sarif => sarif::start(out),
            Format::Full | Format::Concise | Format::Github => Ok(()),
        }
    }

    /// Writes the end of the report.
    ///
    /// # Errors
    ///
    /// Fails when `out` does.
    pub fn finish(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.summary.files == 0 {
            self.start(out)?;
        }
        let appearance = self.style.appearance;
        match self.style.format {
            Format::Full if !appearance.quiet => summary::write(out, &self.summary, appearance),
            Format::Json => json::finish(out, &self.summary),
            Format::Sarif => sarif::finish(out, &self.rules),
            Format::Full | Format::Concise | Format::Github => Ok(()),
        }?;
        out.flush()
    }
}
