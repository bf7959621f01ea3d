//! A diagnostic: the rule, the places, what is wrong, and how to fix it.
//!
//! Stages create diagnostics and reports render them; neither depends on the other.

use std::fmt;
use std::ops::Range;

use crate::rules::{Rule, Severity};

/// A range of bytes in a decoded document: `start..end`, both on character boundaries.
///
/// Offsets have 32 bits, as in the XML parser: documents are smaller than 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end`; offsets beyond 4 GiB are clamped.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The same range in `usize`, for slicing.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The empty span just before this one.
    #[must_use]
    pub fn before(self) -> Self {
        Self { start: self.start, end: self.start }
    }

    /// The empty span just after this one.
    #[must_use]
    pub fn after(self) -> Self {
        Self { start: self.end, end: self.end }
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// The document that a label or an edit refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// The `<domainbackup>`.
    #[default]
    Backup,
    /// The `<domain>` given with `--domain`.
    Domain,
    /// The `<domaincheckpoint>` given with `--checkpoint`.
    Checkpoint,
}

/// A place in a document with an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The document.
    pub document: Document,
    /// The bytes it covers.
    pub span: Span,
    /// A short text next to the marked bytes; may be empty.
    pub message: String,
}

/// A replacement of some bytes of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub span: Span,
    /// The replacement.
    pub text: String,
}

/// How certain a fix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// The result cannot differ from what the author intended.
    Safe,
    /// The result may differ from what the author intended: a person has to confirm it.
    Unsafe,
}

impl Applicability {
    /// `Safe` if `certain`, else `Unsafe`.
    #[must_use]
    pub(crate) fn safe_if(certain: bool) -> Self {
        if certain { Self::Safe } else { Self::Unsafe }
    }
}

/// A replacement that resolves a diagnostic of the backup document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The title, an imperative sentence without a full stop.
    pub message: String,
    /// How certain it is.
    pub applicability: Applicability,
    /// The edits; they do not overlap and apply together.
    pub edits: Vec<Edit>,
}

/// Maximum number of bytes of a message, a help text, a label or the title of a fix, and of what libvirt prints.
///
/// A name can be as long as the document, and each of many diagnostics may repeat it.
const MAX_TEXT: usize = 1_000;

/// A text of a diagnostic, cut at [`MAX_TEXT`].
fn bounded(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Maximum number of diagnostics per document. Reporting this many takes less than 1 GiB.
pub const MAX_DIAGNOSTICS: usize = 100_000;

/// The most bytes that alignment adds to a document: names of destinations, and the names of checkpoints that disks and
/// bitmaps take over. A larger result could not be read as a file.
pub(crate) const MAX_ADDED: usize = 64 << 20;

/// That alignment would add more than [`MAX_ADDED`] to the document of this root element.
pub(crate) fn too_much_added(root: Span) -> Diagnostic {
    let message = format!("libvirt would add more than {} MiB of names to the disks", MAX_ADDED >> 20);
    Diagnostic::new(Rule::TooLarge, root, message).help("use shorter names for the checkpoint and the suffix")
}

/// Adds a diagnostic unless there are more than [`MAX_DIAGNOSTICS`] already.
pub(crate) fn push_bounded(diagnostics: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    if diagnostics.len() <= MAX_DIAGNOSTICS {
        diagnostics.push(diagnostic);
    }
}

/// Adds what is wrong with a decoded text to what could not be decoded of it: a value, name or tag with bytes that are
/// wrong is not reported again.
pub(crate) fn extend_undecodable(diagnostics: &mut Vec<Diagnostic>, later: Vec<Diagnostic>) {
    let mut spans: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.primary.span).collect();
    spans.sort_unstable();
    let holds_one = |span: Span| {
        let first = spans.partition_point(|undecodable| undecodable.start < span.start);
        spans.get(first).is_some_and(|undecodable| undecodable.end <= span.end)
    };
    diagnostics.extend(later.into_iter().filter(|diagnostic| !holds_one(diagnostic.primary.span)));
}

/// Sorts diagnostics by document, then by place.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.document, diagnostic.primary.span));
}

/// Cuts the list at [`MAX_DIAGNOSTICS`] and adds a note if it is longer.
pub(crate) fn truncate_with_note(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() > MAX_DIAGNOSTICS {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        let span = diagnostics.last().map(|last| last.primary.span.after()).unwrap_or_default();
        let message = format!("more than {MAX_DIAGNOSTICS} diagnostics: the rest is not shown");
        diagnostics.push(Diagnostic::new(Rule::TooLarge, span, message).help("fix the errors above first"));
    }
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that is violated.
    pub rule: Rule,
    /// The severity: that of the rule, unless the user changed it.
    pub severity: Severity,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    /// The message that libvirt prints for it.
    pub libvirt: Option<String>,
    /// The smallest part of the document that is wrong.
    pub primary: Label,
    /// Related places.
    pub secondary: Vec<Label>,
    /// Fixes, the most likely first.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A diagnostic at `span` of the backup document.
    #[must_use]
    pub fn new(rule: Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity(),
            message: bounded(message),
            help: None,
            libvirt: None,
            primary: Label { document: Document::Backup, span, message: String::new() },
            secondary: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Sets the document of the primary label.
    #[must_use]
    pub fn in_document(mut self, document: Document) -> Self {
        self.primary.document = document;
        self
    }

    /// Sets the document of all labels and drops the fixes, which apply to backup documents only.
    #[must_use]
    pub fn moved_to(mut self, document: Document) -> Self {
        self.primary.document = document;
        self.secondary.iter_mut().for_each(|label| label.document = document);
        self.fixes.clear();
        self
    }

    /// Moves its labels in document `from` into document `to`, for a document that is given in another role. Fixes are of
    /// the main document: they go when that is moved.
    #[must_use]
    pub(crate) fn relabelled(mut self, from: Document, to: Document) -> Self {
        for label in std::iter::once(&mut self.primary).chain(&mut self.secondary) {
            if label.document == from {
                label.document = to;
            }
        }
        if from == Document::Backup {
            self.fixes.clear();
        }
        self
    }

    /// Whether libvirt would refuse the document because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Sets the help text.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(bounded(help));
        self
    }

    /// Sets the message that libvirt prints. Of one that repeats a very long name the beginning is kept.
    #[must_use]
    pub fn libvirt(mut self, message: impl Into<String>) -> Self {
        self.libvirt = Some(bounded(message));
        self
    }

    /// Sets the text of the primary label.
    #[must_use]
    pub fn primary_label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = bounded(message);
        self
    }

    /// Adds a label in the backup document.
    #[must_use]
    pub fn label(self, span: Span, message: impl Into<String>) -> Self {
        self.label_in(Document::Backup, span, message)
    }

    /// Adds a label in any document.
    #[must_use]
    pub fn label_in(mut self, document: Document, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label { document, span, message: bounded(message) });
        self
    }

    /// Adds a fix, if there is one.
    #[must_use]
    pub(crate) fn with_fix(mut self, fix: Option<Fix>) -> Self {
        self.fixes.extend(fix);
        self
    }

    /// Adds a fix of one edit that cannot change what the author intended.
    #[must_use]
    pub fn safe_fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix(message, Applicability::Safe, vec![Edit { span, text: text.into() }])
    }

    /// Adds a fix of one edit that a person has to confirm.
    #[must_use]
    pub fn unsafe_fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix(message, Applicability::Unsafe, vec![Edit { span, text: text.into() }])
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fixes.push(Fix { message: bounded(message), applicability, edits });
        self
    }

    /// All labels, the primary one first.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.primary).chain(&self.secondary)
    }
}

/// `error: what is wrong [rule]`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.severity.name(), self.message, self.rule)
    }
}

impl std::error::Error for Diagnostic {}

/// Something that could not be checked: the given documents leave it open, or this process could not look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(serde::Deserialize, serde::Serialize))]
pub struct NotChecked {
    /// What was not checked, such as "whether checkpoint `monday` covers `vda`".
    pub message: String,
    /// What to do so that it is checked.
    pub help: Option<String>,
}

impl NotChecked {
    /// What was not checked.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Sets what to do so that it is checked.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// `not checked: whether checkpoint X covers vda; pass …`
impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not checked: {}", self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded() {
        let long = "é".repeat(MAX_TEXT);
        let diagnostic = Diagnostic::new(Rule::TooLarge, Span::default(), &*long)
            .help(&*long)
            .libvirt(&*long)
            .primary_label(&*long)
            .label(Span::default(), &*long)
            .safe_fix(&*long, Span::default(), &*long);
        let [second] = &diagnostic.secondary[..] else { panic!("one label") };
        let [fix] = &diagnostic.fixes[..] else { panic!("one fix") };
        let texts = [&diagnostic.message, &diagnostic.primary.message, &second.message, &fix.message];
        for text in texts.into_iter().chain(&diagnostic.help).chain(&diagnostic.libvirt) {
            assert_eq!(*text, "é".repeat(MAX_TEXT / 2) + "…");
        }
        assert_eq!(fix.edits[0].text, long);
        assert_eq!(bounded("x".repeat(MAX_TEXT)), "x".repeat(MAX_TEXT));
    }
}
