//! A finding: which rule, where, what is wrong, and what to write instead.
//!
//! Stages make these; reports render them. Neither knows the other.

use std::fmt;
use std::ops::Range;

use crate::rules::{Rule, Severity};

/// A range of bytes in a decoded document: `start..end`, both on character boundaries.
///
/// Offsets are 32 bits wide, as the XML parser's own are: documents are smaller than 4 GiB.
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

/// Which of the documents of a run a label or an edit is about.
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

/// A place in a document, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The document it lies in.
    pub document: Document,
    /// The bytes it covers.
    pub span: Span,
    /// A few words shown beside it; may be empty.
    pub message: String,
}

/// A replacement of some bytes of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Span,
    /// What stands there instead.
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
    /// What it does, as an imperative sentence without a full stop.
    pub message: String,
    /// How certain it is.
    pub applicability: Applicability,
    /// The edits; they do not overlap and apply together.
    pub edits: Vec<Edit>,
}

/// Findings about one document that are kept: many times what anybody reads, and what a report of them takes stays
/// below 1 GiB.
pub const MAX_DIAGNOSTICS: usize = 100_000;

/// Keeps a finding, up to one more than [`MAX_DIAGNOSTICS`].
pub(crate) fn push_bounded(diagnostics: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    if diagnostics.len() <= MAX_DIAGNOSTICS {
        diagnostics.push(diagnostic);
    }
}

/// Sorts diagnostics by document, then by place.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.document, diagnostic.primary.span));
}

/// Says that there are more findings than are kept, if there are.
pub(crate) fn truncate_with_note(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() > MAX_DIAGNOSTICS {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        let span = diagnostics.last().map(|last| last.primary.span.after()).unwrap_or_default();
        let message = format!("there are more than {MAX_DIAGNOSTICS} findings, and the rest is left out");
        diagnostics.push(Diagnostic::new(Rule::TooLarge, span, message).help("mend the ones above first"));
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule it breaks.
    pub rule: Rule,
    /// How much it weighs: the rule's own weight, unless another was asked for.
    pub severity: Severity,
    /// What is wrong, in the user's words; no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// What libvirt prints for it.
    pub libvirt: Option<String>,
    /// The smallest thing that is wrong.
    pub primary: Label,
    /// Other places that have to do with it.
    pub secondary: Vec<Label>,
    /// Ways to mend it, the likeliest first.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A finding about `span` of the backup document.
    #[must_use]
    pub fn new(rule: Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity(),
            message: message.into(),
            help: None,
            libvirt: None,
            primary: Label { document: Document::Backup, span, message: String::new() },
            secondary: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Moves the primary label into another document.
    #[must_use]
    pub fn in_document(mut self, document: Document) -> Self {
        self.primary.document = document;
        self
    }

    /// Moves all of it into another document; what would mend a backup mends nothing else.
    #[must_use]
    pub fn moved_to(mut self, document: Document) -> Self {
        self.primary.document = document;
        self.secondary.iter_mut().for_each(|label| label.document = document);
        self.fixes.clear();
        self
    }

    /// Whether it makes the document one that libvirt refuses.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what libvirt prints.
    #[must_use]
    pub fn libvirt(mut self, message: impl Into<String>) -> Self {
        self.libvirt = Some(message.into());
        self
    }

    /// Puts words beside the primary label.
    #[must_use]
    pub fn primary_label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = message.into();
        self
    }

    /// Adds a label on another place of the backup.
    #[must_use]
    pub fn label(self, span: Span, message: impl Into<String>) -> Self {
        self.label_in(Document::Backup, span, message)
    }

    /// Adds a label on another place of either document.
    #[must_use]
    pub fn label_in(mut self, document: Document, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label { document, span, message: message.into() });
        self
    }

    /// Adds a fix of one edit whose meaning cannot be other than what was written.
    #[must_use]
    pub fn safe_fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix(message, Applicability::Safe, vec![Edit { span, text: text.into() }])
    }

    /// Adds a fix of one edit that the author has to agree with.
    #[must_use]
    pub fn unsafe_fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix(message, Applicability::Unsafe, vec![Edit { span, text: text.into() }])
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fixes.push(Fix { message: message.into(), applicability, edits });
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
