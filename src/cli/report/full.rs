//! Diagnostics with the lines that they are about, drawn by miette.
//!
//! miette shows whole lines and looks for them from the start of the text. Backups are often one line, and long, so it
//! is given a snippet instead: the few lines around the labels, cut to a window, with what would steer a terminal made
//! visible, and lines and columns that are still those of the file.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use anstream::adapter::strip_str;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode,
    SourceSpan, SpanContents,
};

use crate::diagnostic::{Applicability, Diagnostic, Label, NotChecked};
use crate::rules;
use crate::source::Source;

use super::{Appearance, CheckedFile, visible};

/// Columns that line numbers and frames take.
const MARGIN: usize = 8;
/// The fewest columns that source is shown in, however narrow the terminal.
const MIN_WIDTH: usize = 40;
/// Places outside of the snippet that are named one by one.
const MAX_NOTES: usize = 3;
/// Lines between two labels that still share a snippet.
const MAX_LINE_DISTANCE: usize = 3;

pub(super) fn file(out: &mut dyn Write, checked: &CheckedFile, appearance: Appearance) -> io::Result<()> {
    draw_diagnostics(out, checked, appearance)?;
    if !appearance.quiet {
        for not_checked in &checked.not_checked {
            write_not_checked(out, not_checked, appearance.width)?;
        }
    }
    Ok(())
}

/// A line that says what was not checked.
pub(crate) fn write_not_checked(out: &mut dyn Write, not_checked: &NotChecked, width: usize) -> io::Result<()> {
    let note = visible::line(&format!("note: {not_checked}")).into_owned();
    let wrapping = textwrap::Options::new(width)
        .subsequent_indent("  ")
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    writeln!(out, "{}", textwrap::fill(&note, wrapping))
}

fn draw_diagnostics(out: &mut dyn Write, checked: &CheckedFile, appearance: Appearance) -> io::Result<()> {
    let columns = appearance.width.saturating_sub(MARGIN).max(MIN_WIDTH);
    let mut last_libvirt = None;
    for diagnostic in &checked.diagnostics {
        let Some(source) = checked.document(&diagnostic.primary) else { continue };
        let shown = Shown::new(checked, source, diagnostic, columns);
        let mut text = shown.draw(appearance.width)?;
        let mut footer = |head: &str, body: &str| {
            let indent = " ".repeat(head.len() + 3);
            let wrapping = textwrap::Options::new(appearance.width)
                .subsequent_indent(&indent)
                .word_separator(textwrap::WordSeparator::AsciiSpace)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            let line = format!("  \x1b[36m{head}:\x1b[0m {}", visible::line(body));
            text.push_str(&textwrap::fill(&line, wrapping));
            text.push('\n');
        };
        for fix in diagnostic.fixes.iter().take(MAX_NOTES) {
            footer(if fix.applicability == Applicability::Safe { "fix" } else { "fix (unsafe)" }, &fix.message);
        }
        for note in shown.notes.iter().take(MAX_NOTES) {
            footer("note", note);
        }
        if let Some(more @ 1..) = shown.notes.len().checked_sub(MAX_NOTES) {
            footer("note", &format!("and {more} more"));
        }
        // libvirt has one message for everything that its schema refuses.
        if let Some(libvirt) = diagnostic.libvirt.as_ref().filter(|libvirt| last_libvirt != Some(*libvirt)) {
            footer("libvirt says", informative_line(libvirt));
            last_libvirt = Some(libvirt);
        }
        if appearance.color { writeln!(out, "{text}")? } else { writeln!(out, "{}", strip_str(&text))? }
    }
    Ok(())
}

/// Underlines what the primary label covers with heavy lines, as rustc does. miette draws all labels alike, but each in
/// its style, so the primary one is found by the code of `style`.
fn emphasize(report: &str, style: &str) -> String {
    let mut pieces = report.split(style);
    let mut emphasized = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (styled, rest) = piece.find('\x1b').and_then(|end| piece.split_at_checked(end)).unwrap_or((piece, ""));
        emphasized.push_str(style);
        if styled.chars().all(|character| " ▲─┬".contains(character)) {
            emphasized.push_str(&styled.replace('─', "━").replace('┬', "┯"));
        } else {
            emphasized.push_str(styled);
        }
        emphasized.push_str(rest);
    }
    emphasized
}

/// The informative line of libvirt's message: for the schema, the second.
fn informative_line(message: &str) -> &str {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    if first.starts_with("XML document failed to validate") { lines.next().unwrap_or(first) } else { first }
}

/// A diagnostic as miette wants it.
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    message: String,
    snippet: Snippet,
    labels: Vec<LabeledSpan>,
    /// Labels that lie too far away for the snippet, or in another file.
    notes: Vec<String>,
}

impl<'a> Shown<'a> {
    fn new(checked: &CheckedFile, source: &Source, diagnostic: &'a Diagnostic, columns: usize) -> Self {
        let view = View::new(source, &diagnostic.primary, columns);
        let is_near = |label: &&Label| label.document == diagnostic.primary.document && view.covers(source, label);
        let secondary: Vec<_> = diagnostic.secondary.iter().filter(is_near).collect();
        let snippet = view.snippet(source, &diagnostic.primary, &secondary);
        let secondary_labels = secondary.iter().map(|label| snippet.label(label, false));
        let labels = std::iter::once(snippet.label(&diagnostic.primary, true)).chain(secondary_labels).collect();
        let far = diagnostic.secondary.iter().filter(|label| !is_near(label));
        let notes = far.filter_map(|label| Some(note(checked.document(label)?, label))).collect();
        let message = format!("{} [{}]", visible::line(&diagnostic.message), diagnostic.rule);
        Self { diagnostic, message, snippet, labels, notes }
    }

    /// The report, with colours.
    fn draw(&self, width: usize) -> io::Result<String> {
        let mut theme = GraphicalTheme::unicode();
        "error:".clone_into(&mut theme.characters.error);
        "warning:".clone_into(&mut theme.characters.warning);
        let (primary, code) = match self.diagnostic.severity {
            rules::Severity::Error => (theme.styles.error, "\x1b[31m"),
            rules::Severity::Warning => (theme.styles.warning, "\x1b[33m"),
        };
        // miette gives styles to labels in the order in which they stand in the text.
        let mut labels: Vec<_> = self.labels.iter().collect();
        labels.sort_by_key(|label| label.offset());
        let secondary = theme.styles.advice;
        let style = |label: &&LabeledSpan| if label.primary() { primary } else { secondary };
        theme.styles.highlights = labels.iter().map(style).collect();
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_links(false)
            .without_cause_chain()
            // Attributes and the names of rules stay whole.
            .with_word_separator(textwrap::WordSeparator::AsciiSpace)
            .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
            .with_context_lines(1);
        let mut text = String::new();
        handler.render_report(&mut text, self).map_err(io::Error::other)?;
        let text = text.trim_matches('\n').trim_end();
        let mut text = emphasize(text.strip_prefix("  ").unwrap_or(text), code);
        text.push('\n');
        Ok(text)
    }
}

fn note(source: &Source, label: &Label) -> String {
    let (line, column) = source.line_column(label.span.range().start);
    let message = if label.message.is_empty() { "this" } else { &label.message };
    format!("{}:{line}:{column}: {}", visible::line(source.name()), visible::line(message))
}

/// What of a file is shown around a primary label.
enum View {
    /// The lines around it, none of them longer than the terminal is wide.
    Lines { line: usize, columns: usize },
    /// These bytes of its long line.
    Window(Range<usize>),
}

impl View {
    fn new(source: &Source, primary: &Label, columns: usize) -> Self {
        let start = primary.span.range().start;
        let line = source.line_of(start);
        let range = source.line_range(line);
        if range.len() <= columns {
            return Self::Lines { line, columns };
        }
        let text = source.text();
        let from = start.saturating_sub(columns / 3).max(range.start);
        let to = (from + columns).min(range.end);
        Self::Window(text.floor_char_boundary(from)..text.floor_char_boundary(to))
    }

    fn covers(&self, source: &Source, label: &Label) -> bool {
        let span = label.span.range();
        match self {
            Self::Lines { line, columns } => {
                let other = source.line_of(span.start);
                let (first, last) = ((*line).min(other), (*line).max(other));
                last - first <= MAX_LINE_DISTANCE
                    && (first..=last).all(|line| source.line_range(line).len() <= *columns)
            }
            Self::Window(bytes) => bytes.start <= span.start && span.end <= bytes.end,
        }
    }

    fn snippet(&self, source: &Source, primary: &Label, secondary: &[&Label]) -> Snippet {
        let (bytes, first_line) = match self {
            Self::Window(bytes) => (bytes.clone(), source.line_of(bytes.start)),
            Self::Lines { line, columns } => {
                let lines = secondary.iter().map(|label| source.line_of(label.span.range().start)).chain([*line]);
                let (first, last) = lines.fold((*line, *line), |(first, last), line| (first.min(line), last.max(line)));
                // One line before for orientation, unless it would not fit.
                let before = first.saturating_sub(1).max(1);
                let first = if source.line_range(before).len() <= *columns { before } else { first };
                (source.line_range(first).start..source.line_range(last).end, first)
            }
        };
        // A label at the very end of the text still needs a place.
        let bytes = bytes.start.min(primary.span.range().start)..bytes.end;
        Snippet::new(source, bytes, first_line, primary.span.range())
    }
}

/// A few lines of a file, or a window of one, fit for a terminal.
#[derive(Debug)]
struct Snippet {
    name: String,
    text: String,
    /// The first line's number, from 0.
    first_line: usize,
    /// The bytes of the file that the primary label covers, and its line and column, both from 0.
    primary: Range<usize>,
    place: (usize, usize),
    /// Pairs of offsets, file and snippet, from which they go on alike.
    pieces: Vec<(usize, usize)>,
}

impl Snippet {
    fn new(source: &Source, bytes: Range<usize>, first_line: usize, primary: Range<usize>) -> Self {
        let text = source.text();
        let line_start = source.line_range(first_line).start;
        let (line, column) = source.line_column(primary.start);
        let mut snippet = Self {
            name: visible::line(source.name()).into_owned(),
            text: String::new(),
            first_line: first_line - 1,
            primary,
            place: (line - 1, column - 1),
            pieces: Vec::new(),
        };
        let line_end = source.line_range(source.line_of(bytes.end)).end;
        let cut = (bytes.start > line_start, bytes.end < line_end);
        snippet.append(text.get(bytes.clone()).unwrap_or_default(), bytes.start, cut);
        snippet
    }

    /// Adds the part of the file that starts at `start`; `cut` is whether there is more of its line at either end.
    fn append(&mut self, text: &str, start: usize, cut: (bool, bool)) {
        self.pieces.push((start, 0));
        let last = text.char_indices().next_back().map_or(0, |(last, _)| last);
        for (position, character) in text.char_indices() {
            let (offset, length) = (start + position, self.text.len());
            match character {
                _ if cut.0 && position == 0 || cut.1 && position == last => self.text.push('…'),
                '\n' | '\t' => self.text.push(character),
                '\r' if text.get(position + 1..).is_some_and(|rest| rest.starts_with('\n')) => self.text.push(' '),
                // A byte order mark takes no room.
                '\u{feff}' if offset == 0 => {}
                // Elsewhere it is as good as any other space.
                '\u{a0}' if self.primary.contains(&offset) => visible::push_number(&mut self.text, character),
                '[' if self.text.ends_with("##") => visible::push_number(&mut self.text, character),
                _ => visible::push(&mut self.text, character),
            }
            if self.text.len() - length != character.len_utf8() {
                self.pieces.push((offset + character.len_utf8(), self.text.len()));
            }
        }
    }

    /// The offset in the snippet of a byte of the file; the snippet's end for bytes after it.
    fn offset(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(file, _)| *file <= offset);
        let (file, snippet) = after.checked_sub(1).and_then(|last| self.pieces.get(last)).copied().unwrap_or_default();
        self.text.floor_char_boundary(snippet + offset.saturating_sub(file))
    }

    /// A label in the snippet, cut to its first line.
    fn label(&self, label: &Label, primary: bool) -> LabeledSpan {
        let start = self.offset(label.span.range().start);
        let end = self.offset(label.span.range().end).max(start);
        let covered = self.text.get(start..end).unwrap_or_default();
        let length = covered.find('\n').unwrap_or(covered.len());
        let message = Some(visible::line(&label.message).into_owned()).filter(|message| !message.is_empty());
        if primary {
            LabeledSpan::new_primary_with_span(message, (start, length))
        } else {
            LabeledSpan::new_with_span(message, (start, length))
        }
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_before: usize,
        _context_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // With context, miette asks for what to draw: the snippet. Without, for where the primary label is.
        let draws = context_before > 0;
        let (offset, length) = if draws { (0, self.text.len()) } else { (span.offset(), span.len()) };
        let data = self.text.get(offset..offset + length).ok_or(MietteError::OutOfBounds)?;
        let (line, column) = if draws { (self.first_line, 0) } else { self.place };
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            (offset, length).into(),
            line,
            column,
            data.matches('\n').count() + 1,
        );
        Ok(Box::new(contents))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.diagnostic.severity {
            rules::Severity::Error => Severity::Error,
            rules::Severity::Warning => Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.diagnostic.help.as_deref()?;
        Some(Box::new(visible::line(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.snippet)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
