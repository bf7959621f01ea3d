//! Errors in the nesting of the tags → diagnostics.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;
use crate::wording::{self, truncate_for_display};

use super::matching::{Explanation, Opened, StartTagState, TagError, Token, TokenKind, explain};
use super::scan::{Scanner, known_elements};

/// At most this many outer elements are shown for one that the document ends in.
const MAX_OUTER_SHOWN: usize = 3;

/// Reports every tag that does not fit the others.
pub(super) fn check<'a>(scanner: &mut Scanner<'a>) -> Explanation<'a> {
    let tokens = std::mem::take(&mut scanner.tokens);
    let explanation = explain(&tokens, scanner.truncated);
    let libvirt = mismatch_message(scanner.text, &tokens);
    let mut reporter = Reporter { scanner, tokens: &tokens, libvirt, outside: [false; 2] };
    for error in &explanation.errors {
        reporter.report(*error);
    }
    reporter.end_of_document(&explanation.open);
    scanner.tokens = tokens;
    explanation
}

struct Reporter<'s, 't, 'a> {
    scanner: &'s mut Scanner<'a>,
    tokens: &'t [Token<'a>],
    /// What libvirt prints for tags that do not match.
    libvirt: String,
    /// Whether something is reported before the root element, and after it.
    outside: [bool; 2],
}

impl<'a> Reporter<'_, '_, 'a> {
    fn token(&self, number: usize) -> Option<Token<'a>> {
        self.tokens.get(number).copied()
    }

    fn report(&mut self, error: TagError<'a>) {
        let _ = match error {
            TagError::Unclosed(opened, before) => self.unclosed(opened, before),
            TagError::Stray(end) => self.stray(end),
            TagError::Misordered(end) => self.misordered(end),
            TagError::Mismatched(opened, end) => self.mismatched(opened, end),
            TagError::BadStartTag(opened, end) => self.bad_start_tag(opened, end),
            TagError::StartForEnd(opened, number) => self.start_for_end(opened, number),
            TagError::Outside(number) => self.outside(number),
            TagError::SecondRoot(number) => self.second_root(number),
        };
    }

    /// An element that has no end tag, where a token shows that it should.
    fn unclosed(&mut self, opened: Opened<'a>, before: usize) -> Option<()> {
        let start = self.token(opened.token)?;
        let next = self.token(before)?;
        let fix = self.closing_edit(start, opened.name, next.span.start as usize);
        let here = if next.kind == TokenKind::End { next.span } else { beginning(next) };
        let diagnostic = Diagnostic::new(
            Rule::UnclosedElement,
            start.span,
            format!("missing end tag </{}>", truncate_for_display(start.name)),
        )
        .label(here, "expected before this")
        .help(format!("write </{}>, or `/>` at the end of the start tag", start.name))
        .libvirt(&*self.libvirt)
        .fix(wording::insert("the end tag"), Applicability::Unsafe, vec![fix]);
        self.scanner.report(diagnostic);
        Some(())
    }

    /// The edit that closes an element at a place: in its start tag, if it would hold nothing.
    fn closing_edit(&self, start: Token<'_>, name: &str, place: usize) -> Edit {
        let text = self.scanner.text;
        let between = text.get(start.span.end as usize..place).unwrap_or_default();
        let bracket = Span::new((start.span.end as usize).saturating_sub(1), start.span.end as usize);
        if between.trim().is_empty() && text.get(bracket.range()) == Some(">") {
            return Edit { span: bracket.before(), text: "/".to_owned() };
        }
        let before = text.get(..place).unwrap_or_default().trim_end().len();
        Edit { span: Span::new(before, before), text: format!("</{name}>") }
    }

    fn stray(&mut self, end: usize) -> Option<()> {
        let tag = self.token(end)?;
        let name = truncate_for_display(tag.name);
        let diagnostic = Diagnostic::new(Rule::UnexpectedEndTag, tag.span, wording::unexpected_end_tag(&name))
            .help("remove it, or write the start tag")
            .libvirt(&*self.libvirt)
            .unsafe_fix(wording::remove("it"), tag.span, "");
        self.scanner.report(diagnostic);
        Some(())
    }

    /// The element is reported as not closed; this is where it is.
    fn misordered(&mut self, end: usize) -> Option<()> {
        let tag = self.token(end)?;
        self.scanner.extend_last(tag.span, "found here", Edit { span: tag.span, text: String::new() });
        Some(())
    }

    fn mismatched(&mut self, opened: Opened<'a>, end: usize) -> Option<()> {
        let start = self.token(opened.token)?;
        let end = self.token(end)?;
        let is_known = |name: &str| known_elements().any(|known| known == name);
        if is_known(end.name) && !is_known(start.name) {
            self.mismatch(start, start.name_span, end, end.name_span, end.name);
        } else {
            self.mismatch(start, end.name_span_or_tag(), end, start.span, start.name);
        }
        Some(())
    }

    fn mismatch(&mut self, start: Token<'_>, report_span: Span, end: Token<'_>, other: Span, right: &str) {
        let message =
            format!("<{}> is closed by </{}>", truncate_for_display(start.name), truncate_for_display(end.name));
        let is_start = report_span == start.name_span;
        let edit = if is_start { start.name_span } else { end.name_span };
        let diagnostic = Diagnostic::new(Rule::MismatchedTag, report_span, message)
            .label(other, if is_start { "its end tag" } else { "its start tag" })
            .help(format!("write `{right}` in both tags"))
            .libvirt(&*self.libvirt)
            .safe_fix(wording::replace_with(&wording::code(right)), edit, right);
        self.scanner.report(diagnostic);
    }

    fn bad_start_tag(&mut self, opened: Opened<'a>, end: usize) -> Option<()> {
        let start = self.token(opened.token)?;
        let end = self.token(end)?;
        match (opened.state, start.kind) {
            (StartTagState::Renamed, _) => self.mismatch(start, start.name_span, end, end.span, opened.name),
            (StartTagState::Missing, _) => self.missing_start_tag(opened, start, end),
            (_, TokenKind::Empty(slash)) => {
                let name = start.name;
                let diagnostic = Diagnostic::new(Rule::UnexpectedEndTag, slash, wording::unexpected_end_tag(name))
                    .label(end.span, "the end tag is here")
                    .help("remove the `/` at the end of the start tag, or the end tag")
                    .libvirt(&*self.libvirt)
                    .unsafe_fix(wording::remove("the `/`"), slash, "");
                self.scanner.report(diagnostic);
            }
            _ => {}
        }
        Some(())
    }

    /// An end tag, and content before it, without the start tag.
    fn missing_start_tag(&mut self, opened: Opened<'a>, content: Token<'a>, end: Token<'a>) {
        let name = opened.name;
        let place = content.span.before();
        let diagnostic = Diagnostic::new(Rule::UnexpectedEndTag, end.span, wording::unexpected_end_tag(name))
            .label(beginning(content), "the start tag may be missing here")
            .help(format!("write <{name}> where the element starts, or remove </{name}>"))
            .libvirt(&*self.libvirt)
            .unsafe_fix(wording::insert(&wording::tag(name)), place, format!("<{name}>"));
        self.scanner.report(diagnostic);
    }

    fn start_for_end(&mut self, opened: Opened<'a>, number: usize) -> Option<()> {
        let tag = self.token(number)?;
        let start = self.token(opened.token)?;
        let name = tag.name;
        let diagnostic =
            Diagnostic::new(Rule::UnclosedElement, tag.span, format!("unexpected start tag <{name}> inside <{name}>"))
                .label(start.span, "this element is open")
                .help(format!("write </{name}>"))
                .libvirt(&*self.libvirt)
                .unsafe_fix(wording::replace_with(&format!("</{name}>")), tag.name_span.before(), "/");
        self.scanner.report(diagnostic);
        Some(())
    }

    fn outside(&mut self, number: usize) -> Option<()> {
        let token = self.token(number)?;
        let is_tag = |token: &Token<'_>| matches!(token.kind, TokenKind::Start { .. } | TokenKind::Empty(_));
        let after = self.tokens.get(..number)?.iter().any(is_tag);
        let remove = Edit { span: token.span, text: String::new() };
        // Errors in it are no others.
        self.scanner.withdraw_within(token.span);
        if std::mem::replace(self.outside.get_mut(usize::from(after))?, true) {
            return Some(());
        }
        let (place, libvirt) = if after {
            ("after", "Extra content at the end of the document")
        } else {
            ("before", "Start tag expected, '<' not found")
        };
        let message = wording::outside_root(token.name, place);
        let diagnostic = Diagnostic::new(Rule::OutsideRoot, token.span, message)
            .help("remove it, or write it as a comment: <!-- … -->")
            .libvirt(libvirt)
            .fix(wording::remove("it"), Applicability::Unsafe, vec![remove]);
        self.scanner.report(diagnostic);
        Some(())
    }

    fn second_root(&mut self, number: usize) -> Option<()> {
        let tag = self.token(number)?.span;
        if self.outside[1] {
            // Content after the root element is reported once.
            return Some(());
        }
        let diagnostic = Diagnostic::new(Rule::OutsideRoot, tag, wording::outside_root("element", "after"))
            .help("a document has one root element: move this into it, or into a file of its own")
            .libvirt("Extra content at the end of the document");
        self.scanner.report(diagnostic);
        Some(())
    }

    fn end_of_document(&mut self, open: &[Opened<'a>]) {
        let Some((innermost, outer)) = open.split_first() else {
            if !self.tokens.iter().any(|token| matches!(token.kind, TokenKind::Start { .. } | TokenKind::Empty(_))) {
                self.scanner.no_root();
            }
            return;
        };
        let Some(tag) = self.token(innermost.token) else { return };
        let end = self.scanner.text.len();
        let edit = self.closing_edit(tag, innermost.name, end);
        let message = wording::ends_inside(&wording::tag(innermost.name));
        let mut diagnostic = Diagnostic::new(Rule::UnclosedElement, tag.span, message);
        let shown = outer.get(..MAX_OUTER_SHOWN).unwrap_or(outer);
        let root = outer.last().filter(|_| shown.len() < outer.len());
        for tag in shown.iter().chain(root).filter_map(|element| self.token(element.token)) {
            diagnostic = diagnostic.label(tag.span, "also open");
        }
        let ends = end_tags(std::slice::from_ref(innermost)) + &end_tags(shown);
        let closing = end_tags(outer);
        let mut edits = vec![edit];
        match edits.first_mut().filter(|edit| !edit.text.starts_with('/')) {
            Some(edit) => edit.text.push_str(&closing),
            None => edits.push(Edit { span: Span::new(end, end), text: closing }),
        }
        let diagnostic =
            diagnostic.help(format!("write {ends} at the end, if nothing else is missing")).libvirt(&*self.libvirt);
        // A document that ends inside a disk has lost more than end tags.
        if matches!(innermost.name, "domainbackup" | "disks") {
            let title = wording::insert("the end tags");
            self.scanner.report(diagnostic.fix(title, Applicability::Unsafe, edits));
        } else {
            self.scanner.report(diagnostic);
        }
    }
}

fn end_tags(elements: &[Opened<'_>]) -> String {
    elements.iter().flat_map(|element| ["</", element.name, ">"]).collect()
}

/// What libxml2 prints for the first tag that does not match, or for the innermost element that is still open at the end.
fn mismatch_message(text: &str, tokens: &[Token<'_>]) -> String {
    let line = |token: &Token<'_>| text.get(..token.span.start as usize).unwrap_or_default().matches('\n').count() + 1;
    let mut open: Vec<&Token<'_>> = Vec::new();
    let mut root_is_closed = false;
    for token in tokens {
        match token.kind {
            TokenKind::Text => {}
            _ if root_is_closed => return "Extra content at the end of the document".to_owned(),
            TokenKind::Start { .. } => open.push(token),
            TokenKind::Empty(_) => root_is_closed = open.is_empty(),
            TokenKind::End => {
                let Some(start) = open.pop() else { return "StartTag: invalid element name".to_owned() };
                if start.name != token.name {
                    return format!(
                        "Opening and ending tag mismatch: {} line {} and {}",
                        start.name,
                        line(start),
                        token.name
                    );
                }
                root_is_closed = open.is_empty();
            }
        }
    }
    open.last().map_or_else(String::new, |tag| format!("Premature end of data in tag {} line {}", tag.name, line(tag)))
}

/// Where something begins that is not to be shown whole.
fn beginning(token: Token<'_>) -> Span {
    match token.kind {
        TokenKind::Text => token.span.before(),
        _ => Span { end: token.span.start + 1, ..token.span },
    }
}
