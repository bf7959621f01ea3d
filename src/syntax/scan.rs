//! The recovering scanner: from one piece of markup to the next.

use crate::ambiguous::Ambiguous;
use crate::diagnostic::{Applicability, Diagnostic, Document, Edit, Label, Span};
use crate::placeholder;
use crate::rules::Rule;
use crate::schema::SHAPES;
use crate::wording;

use super::matching::{Token, TokenKind};
use super::prefixes::Prefixes;
use super::repair::Repaired;
use super::{Syntax, declaration, inside_tag, reference, structure, tag};

/// More findings than anybody reads; what comes after is left aside.
const MAX_DIAGNOSTICS: usize = 1_000;
/// More edits than make a backup of any document.
const MAX_EDITS: usize = 100_000;
/// Bytes that are searched for an end tag to tell what was meant: more than any element of a backup takes, and few
/// enough to do it for every tag.
const MAX_LOOKAHEAD: usize = 4_096;
/// Elements of state files, beside those of the schema.
const STATE_ELEMENTS: [&str; 3] = ["privateData", "objects", "TLSx509"];

/// Finds every mistake of syntax that the scanner has words for. With `tags_match`, nothing is wrong with the tags: what
/// looks like one without its `<` is text, and prefixes are declared only in the element that declares them.
pub(super) fn scan(text: &str, tags_match: bool) -> Syntax {
    let mut scanner = Scanner::new(text, tags_match);
    scanner.document();
    let Scanner { mut diagnostics, edits, unrecoverable, .. } = scanner;
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    let repaired = (!unrecoverable && !edits.is_empty()).then(|| Repaired::new(text, edits));
    let repaired = repaired.filter(|repaired| super::parse_with(&repaired.text, true).is_ok());
    Syntax { diagnostics, repaired }
}

/// The scanner's place and what it knows. Each flag is a thing of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Scanner<'a> {
    pub text: &'a str,
    pub position: usize,
    pub in_value: bool,
    /// Whether the start tag that is being read is at its end, although no > says so.
    pub tag_ended: bool,
    pub prefixes: Prefixes<'a>,
    tags_match: bool,
    tokens: Vec<Token<'a>>,
    /// Whether the document ends in the middle of something.
    truncated: bool,
    /// Text between elements that holds nothing but characters that look like white space.
    ambiguous_text: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
    edits: Vec<Edit>,
    unrecoverable: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, tags_match: bool) -> Self {
        Self {
            text,
            prefixes: Prefixes::new(text, tags_match),
            tags_match,
            position: 0,
            in_value: false,
            tag_ended: false,
            tokens: Vec::new(),
            truncated: false,
            ambiguous_text: Vec::new(),
            diagnostics: Vec::new(),
            edits: Vec::new(),
            unrecoverable: false,
        }
    }

    /// Reports a finding; its first fix goes into the repaired document.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let repair = diagnostic.fixes.first().map(|fix| fix.edits.clone());
        self.unrecoverable |= repair.is_none();
        self.report_repaired(diagnostic, repair.unwrap_or_default());
    }

    /// Reports a finding that the repaired document mends in another way than its author should.
    pub fn report_repaired(&mut self, diagnostic: Diagnostic, repair: Vec<Edit>) {
        self.repair(repair);
        // The tags are judged when everything else is; so much is kept for them.
        if self.diagnostics.len() < MAX_DIAGNOSTICS * 2 {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Puts edits into the repaired document, unless they are more than anybody makes.
    fn repair(&mut self, edits: impl IntoIterator<Item = Edit>) {
        if self.edits.len() < MAX_EDITS {
            self.edits.extend(edits);
        } else {
            self.unrecoverable = true;
        }
    }

    /// Reports that the document ends where it cannot; nothing is to be said of what is open.
    pub fn report_end(&mut self, diagnostic: Diagnostic) {
        self.report(diagnostic);
        self.truncated = true;
        self.unrecoverable = true;
    }

    /// Takes back what was reported about a part of the document.
    pub fn withdraw_within(&mut self, span: Span) {
        self.diagnostics.retain(|diagnostic| {
            let found = diagnostic.primary.span;
            found.start < span.start || found.end > span.end
        });
    }

    /// Adds a label and an edit to what was reported last.
    pub fn extend_last(&mut self, span: Span, message: &str, edit: Edit) {
        self.repair([edit.clone()]);
        let Some(last) = self.diagnostics.last_mut() else { return };
        last.secondary.push(Label { document: Document::Backup, span, message: message.to_owned() });
        if let Some(fix) = last.fixes.first_mut() {
            fix.edits.push(edit);
        }
    }

    /// Reports a mistake that a document makes again and again: all of a rule are one diagnostic.
    pub fn report_as_one(&mut self, diagnostic: Diagnostic, repair: Vec<Edit>) {
        let known = self.diagnostics.iter_mut().find(|known| known.rule == diagnostic.rule);
        let Some(known) = known else { return self.report_repaired(diagnostic, repair) };
        let edits = diagnostic.fixes.into_iter().flat_map(|fix| fix.edits);
        if known.secondary.len() < MAX_DIAGNOSTICS {
            known.secondary.push(diagnostic.primary);
        }
        match known.fixes.first_mut() {
            Some(fix) if fix.edits.len() < MAX_EDITS => fix.edits.extend(edits),
            _ => known.fixes.clear(),
        }
        self.repair(repair);
    }

    /// Whether what comes is the root element.
    pub fn at_root(&self) -> bool {
        !self.tokens.iter().any(|token| token.kind != TokenKind::Text)
    }

    /// Puts an edit into the repaired document that belongs to a finding made before.
    pub fn also_repair(&mut self, edit: Edit) {
        self.repair([edit]);
    }

    /// As much of what comes as is looked at to guess what was meant.
    pub fn ahead(&self) -> &'a str {
        let rest = self.rest();
        rest.get(..rest.floor_char_boundary(MAX_LOOKAHEAD)).unwrap_or_default()
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn document(&mut self) {
        if self.rest().starts_with('\u{feff}') {
            self.position += '\u{feff}'.len_utf8();
        }
        declaration::declaration(self);
        while self.position < self.text.len() {
            if self.rest().starts_with('<') {
                self.markup();
            } else {
                self.characters();
            }
        }
        if self.diagnostics.iter().any(|diagnostic| diagnostic.rule == Rule::XmlAmbiguousCharacter) {
            for span in std::mem::take(&mut self.ambiguous_text) {
                inside_tag::report_ambiguous(self, span.start as usize, span.end as usize);
            }
        }
        let tokens = std::mem::take(&mut self.tokens);
        structure::check(self, &tokens, self.truncated);
    }

    fn characters(&mut self) {
        let start = self.position;
        let length = self.rest().find('<').unwrap_or(self.rest().len());
        let written = self.text.get(start..start + length).unwrap_or_default();
        if let Some(tag) = tag::without_less_than(written).filter(|_| !self.tags_match) {
            return self.tag_without_less_than(start, start + tag);
        }
        self.position += length;
        if self.ambiguous_white_space(start, self.position) {
            return;
        }
        self.text_token(start, self.position, "text");
        reference::check(self, start, self.position);
    }

    /// Takes note of text that only looks like white space; before the root element, libxml2 refuses it.
    fn ambiguous_white_space(&mut self, start: usize, end: usize) -> bool {
        let written = self.text.get(start..end).unwrap_or_default();
        let is_space = |next: char| matches!(next, ' ' | '\t' | '\r' | '\n');
        let is_invisible = |next: char| Ambiguous::new(next).is_some_and(Ambiguous::is_invisible);
        let trimmed = written.trim_matches(is_space);
        if trimmed.is_empty() || !trimmed.chars().all(|next| is_space(next) || is_invisible(next)) {
            return false;
        }
        let start = start + (written.len() - written.trim_start_matches(is_space).len());
        if self.at_root() {
            inside_tag::report_ambiguous(self, start, start + trimmed.len());
        } else {
            self.ambiguous_text.push(Span::new(start, start + trimmed.len()));
        }
        true
    }

    /// Takes note of text, if it is more than white space.
    fn text_token(&mut self, start: usize, end: usize, name: &'static str) {
        let written = self.text.get(start..end).unwrap_or_default();
        let trimmed = written.trim_matches([' ', '\t', '\r', '\n']);
        let start = start + (written.len() - written.trim_start_matches([' ', '\t', '\r', '\n']).len());
        if !trimmed.is_empty() {
            let span = Span::new(start, start + trimmed.len());
            self.tokens.push(Token { kind: TokenKind::Text, name, span, name_span: span });
        }
    }

    /// Reads a tag that lacks its `<`, and text before it.
    fn tag_without_less_than(&mut self, start: usize, tag: usize) {
        self.text_token(start, tag, "text");
        reference::check(self, start, tag);
        let written = self.text.get(tag..).unwrap_or_default();
        let span = Span::new(tag, tag + written.find('>').map_or(written.len(), |end| end + 1));
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, wording::TAG_WITHOUT_LESS_THAN)
            .help("write `<` before it")
            .libvirt("Opening and ending tag mismatch")
            .safe_fix(wording::insert("`<`"), Span::new(tag, tag), "<");
        self.report(diagnostic);
        if written.starts_with('/') {
            self.position = tag + 1;
            self.end_tag(tag);
        } else {
            self.position = tag;
            tag::start_tag(self, tag);
        }
    }

    fn markup(&mut self) {
        let rest = self.rest();
        if rest.starts_with("<!--") {
            self.comment();
        } else if rest.starts_with("<![CDATA[") {
            self.cdata();
        } else if rest.starts_with("<!DOCTYPE") {
            // Without an internal subset there is nothing in it.
            self.position += rest.find('>').map_or(rest.len(), |end| end + 1);
        } else if let Some(placeholder) = placeholder::at_start(rest) {
            let at = self.position;
            self.position += placeholder.end();
            let edit = Edit { span: Span::new(at, self.position), text: String::new() };
            inside_tag::report_placeholder(self, at, placeholder, edit);
        } else if rest.starts_with("<?") {
            self.instruction();
        } else if rest.starts_with("</") {
            self.position += 2;
            self.end_tag(self.position - 2);
        } else if is_less_than_in_text(rest) {
            self.raw_less_than();
        } else if rest.get(1..).is_some_and(|after| after.starts_with(tag::starts_name)) {
            self.position += 1;
            tag::start_tag(self, self.position - 1);
        } else if let Some(length) = tag::space_before_name(rest) {
            self.space_in_tag(length);
        } else {
            self.raw_less_than();
        }
    }

    /// Reads a tag with white space after its `<` or `</`.
    fn space_in_tag(&mut self, length: usize) {
        let start = self.position;
        let is_end = self.text.get(start..start + length).is_some_and(|written| written.ends_with('/'));
        let name = start + length + self.text.get(start + length..).map_or(0, tag::space_length);
        let space = Span::new(start + 1, name);
        let kept = if is_end { "/" } else { "" };
        let diagnostic =
            Diagnostic::new(Rule::NotWellFormed, Span::new(start, name), "white space before the name in a tag")
                .help("write the name right after `<` or `</`")
                .libvirt("StartTag: invalid element name")
                .safe_fix(wording::REMOVE_WHITE_SPACE, space, kept);
        self.report(diagnostic);
        self.position = name;
        if is_end { self.end_tag(start) } else { tag::start_tag(self, start) }
    }

    fn raw_less_than(&mut self) {
        let span = Span::new(self.position, self.position + 1);
        let diagnostic = Diagnostic::new(Rule::UnescapedLessThan, span, wording::UNESCAPED_LESS_THAN)
            .help("write `&lt;`, or complete the tag")
            .libvirt("StartTag: invalid element name");
        let diagnostic = if self.at_root() {
            diagnostic.unsafe_fix(wording::remove("it"), span, "")
        } else {
            diagnostic.safe_fix(wording::replace_with("`&lt;`"), span, "&lt;")
        };
        self.report(diagnostic);
        self.position += 1;
    }

    fn comment(&mut self) {
        let start = self.position;
        let body = self.text.get(start + 4..).unwrap_or_default();
        let Some(end) = body.find("-->") else {
            return self.unclosed(4, "comment", "-->");
        };
        let content = body.get(..end).unwrap_or_default();
        if let Some(inner) = content.find("<!--") {
            return self.comment_in_comment(start, start + 4 + inner);
        }
        // Two hyphens end a comment or are wrong; a hyphen before the end makes three.
        let doubled = content.find("--").or(content.ends_with('-').then(|| content.len() - 1));
        if let Some(doubled) = doubled {
            let span = Span::new(start + 4 + doubled, start + 4 + doubled + 2);
            let bytes = content.as_bytes();
            let hyphens = bytes
                .iter()
                .enumerate()
                .filter(|(at, byte)| **byte == b'-' && bytes.get(at + 1).is_none_or(|next| *next == b'-'));
            let edits =
                hyphens.map(|(at, _)| Edit { span: Span::new(start + 4 + at, start + 5 + at), text: "=".to_owned() });
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "`--` is not allowed in a comment")
                .help("write other characters than two hyphens in a row")
                .libvirt(double_hyphen_message(content.get(..doubled).unwrap_or_default()))
                .fix(wording::replace_with("`==`"), Applicability::Unsafe, edits.take(MAX_DIAGNOSTICS).collect());
            self.report(diagnostic);
        }
        self.position = start + 4 + end + 3;
        self.allowed_only(start + 4, start + 4 + end);
    }

    /// A comment that another one starts in was never closed: where it ends nobody can tell, but before the next tag.
    fn comment_in_comment(&mut self, start: usize, inner: usize) {
        let content = self.text.get(start + 4..inner).unwrap_or_default();
        let end = start
            + 4
            + content
                .find('<')
                .map_or(content.len(), |tag| content.get(..tag).map_or(tag, |text| text.trim_end().len()));
        let diagnostic =
            Diagnostic::new(Rule::NotWellFormed, Span::new(start, start + 4), wording::not_closed("comment"))
                .label(Span::new(inner, inner + 4), "the next comment starts here")
                .help("write `-->` where it ends")
                .libvirt(double_hyphen_message(self.text.get(start + 4..inner + 2).unwrap_or_default()))
                .unsafe_fix(wording::insert("`-->` before the next tag"), Span::new(end, end), " -->");
        self.report(diagnostic);
        self.position = end;
    }

    /// Reports characters that XML allows nowhere.
    fn allowed_only(&mut self, start: usize, end: usize) {
        let written = self.text.get(start..end).unwrap_or_default();
        if let Some((at, character)) = written.char_indices().find(|(_, character)| !reference::is_allowed(*character))
        {
            let span = Span::new(start + at, start + at + character.len_utf8());
            let code = u32::from(character);
            let diagnostic = Diagnostic::new(Rule::InvalidCharacter, span, wording::character_not_allowed(code))
                .help("remove it")
                .libvirt(format!("Invalid Char value {code}"))
                .unsafe_fix(wording::remove("it"), span, "");
            self.report(diagnostic);
        }
    }

    fn unclosed(&mut self, length: usize, what: &str, end: &str) {
        let span = Span::new(self.position, self.position + length);
        let end_of_text = self.text.len();
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, wording::not_closed(what))
            .help(format!("write `{end}` where it ends"))
            .libvirt(format!("{what} not terminated"));
        self.report_end(diagnostic);
        self.position = end_of_text;
    }

    fn cdata(&mut self) {
        let start = self.position;
        let body = self.text.get(start + 9..).unwrap_or_default();
        let Some(end) = body.find("]]>") else {
            return self.unclosed(9, "CDATA section", "]]>");
        };
        self.position = start + 9 + end + 3;
        let span = Span::new(start, self.position);
        self.tokens.push(Token { kind: TokenKind::Text, name: "CDATA section", span, name_span: span });
        self.allowed_only(start + 9, start + 9 + end);
    }

    fn instruction(&mut self) {
        let start = self.position;
        let rest = self.rest();
        let Some(end) = rest.find("?>") else {
            return self.unclosed(2, "processing instruction", "?>");
        };
        self.position = start + end + 2;
        let target = rest.get(2..end).unwrap_or_default();
        let name_length = target.find(|character: char| !tag::continues_name(character)).unwrap_or(target.len());
        let (name, after) = target.split_at_checked(name_length).unwrap_or_default();
        let is_separated = after.is_empty() || after.starts_with([' ', '\t', '\r', '\n']);
        if name.eq_ignore_ascii_case("xml") {
            let span = Span::new(start, self.position);
            if self.tokens.len() == 1 && self.at_root() {
                // Text before it is reported, and nothing else keeps it from the start.
                return self.also_repair(Edit { span, text: String::new() });
            }
            let diagnostic =
                Diagnostic::new(Rule::NotWellFormed, span, "XML declaration after the start of the document")
                    .help("move it to the start of the file, before any white space, or remove it")
                    .libvirt("XML declaration allowed only at the start of the document")
                    .unsafe_fix(wording::remove("it"), span, "");
            self.report(diagnostic);
        } else if !name.starts_with(tag::starts_name) || !is_separated {
            let span = Span::new(start, self.position);
            let message = "invalid processing instruction";
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, message)
                .help("remove it, or write <?name …?>")
                .libvirt(format!("ParsePI: PI {name} space expected"))
                .unsafe_fix(wording::remove("it"), span, "");
            self.report(diagnostic);
        }
        self.allowed_only(start, self.position);
    }

    /// Takes note of a start tag: `slash` is the `/` of one that closes itself.
    pub fn opened(&mut self, name: &'a str, tag: Span, name_span: Span, slash: Option<Span>) {
        let has_attributes = self.text.get(tag.range()).is_some_and(|written| written.contains('='));
        let kind = slash.map_or(TokenKind::Start { has_attributes }, TokenKind::Empty);
        self.tokens.push(Token { kind, name, span: tag, name_span });
    }

    /// Reads an end tag that starts at `start`, from its name on.
    fn end_tag(&mut self, start: usize) {
        let name_start = self.position;
        let after = self.rest();
        let name_length = after.find(|character: char| !tag::continues_name(character)).unwrap_or(after.len());
        let name = after.get(..name_length).unwrap_or_default();
        self.position = name_start + name_length;
        loop {
            self.position += tag::space_length(self.rest());
            if !inside_tag::skip(self, start) {
                break;
            }
        }
        let end = self.position;
        let mut name = name;
        if self.text.get(end..).is_some_and(|rest| rest.starts_with('>')) {
            self.position = end + 1;
        } else if let Some(open) = self.innermost_open().filter(|open| end == self.text.len() && open.starts_with(name))
        {
            self.truncated_end_tag(start, name_start + name_length, open.get(name.len()..).unwrap_or_default());
            name = open;
        } else {
            self.end_tag_without_end(start, name_start + name_length);
        }
        if let Some(edit) = self.prefixes.undeclared(name, name_start) {
            self.also_repair(edit);
        }
        self.prefixes.leave();
        let span = Span::new(start, self.position);
        let name_span = Span::new(name_start, name_start + name_length);
        self.tokens.push(Token { kind: TokenKind::End, name, span, name_span });
    }

    /// The name of the innermost open element, if the tags so far match.
    fn innermost_open(&self) -> Option<&'a str> {
        let mut open = Vec::new();
        for token in &self.tokens {
            match token.kind {
                TokenKind::Start { .. } => open.push(token.name),
                TokenKind::End if open.pop() != Some(token.name) => return None,
                _ => {}
            }
        }
        open.pop()
    }

    /// Reports that the document ends in an end tag, of which `missing` and a `>` are lost.
    fn truncated_end_tag(&mut self, start: usize, name_end: usize, missing: &str) {
        let written = self.text.get(start..name_end).unwrap_or_default();
        let span = Span::new(start, name_end);
        let diagnostic = Diagnostic::new(
            Rule::NotWellFormed,
            span,
            wording::ends_inside(&format!("the end tag {}", wording::truncate_for_display(written))),
        )
        .help("complete the tag, and what comes after it")
        .libvirt("expected '>'");
        let is_last = self.tokens.iter().filter(|token| token.name == "domainbackup").count() == 1
            && written.trim_start_matches("</").len() + missing.len() == "domainbackup".len();
        let edit = Edit { span: span.after(), text: format!("{missing}>") };
        if is_last {
            self.report(diagnostic.fix(wording::insert("the rest of the tag"), Applicability::Safe, vec![edit]));
        } else {
            self.report_end(diagnostic);
        }
    }

    fn end_tag_without_end(&mut self, start: usize, name_end: usize) {
        let rest = self.text.get(name_end..).unwrap_or_default();
        let stop = rest.find(['<', '>']).unwrap_or(rest.len());
        let unexpected_characters = rest.get(..stop).unwrap_or_default().trim_end();
        let span = Span::new(start, name_end + unexpected_characters.len());
        let is_closed = rest.get(stop..).is_some_and(|rest| rest.starts_with('>'));
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, wording::not_closed("end tag"))
            .help("write `</`, the name and `>`, nothing else")
            .libvirt("expected '>'");
        let diagnostic = if is_closed {
            diagnostic.unsafe_fix(wording::remove("the rest of the tag"), Span::new(name_end, name_end + stop), "")
        } else {
            diagnostic.safe_fix(
                wording::insert("`>`"),
                Span::new(name_end, name_end + unexpected_characters.len()),
                ">",
            )
        };
        self.report(diagnostic);
        self.position = name_end + if is_closed { stop + 1 } else { unexpected_characters.len() };
    }

    /// Reports that there is no element.
    pub fn no_root(&mut self) {
        if !self.diagnostics.is_empty() {
            self.unrecoverable = true;
            return;
        }
        let end = self.text.len();
        let message = if self.text.trim().is_empty() { "the document is empty" } else { "the document has no element" };
        let diagnostic = Diagnostic::new(Rule::Empty, Span::new(end, end), message)
            .help("write at least <domainbackup/>, which backs up every disk of the domain")
            .libvirt(if self.text.is_empty() { "Document is empty" } else { "Start tag expected, '<' not found" });
        self.report(diagnostic);
    }
}

/// What libxml2 prints for two hyphens in a comment, after `before` in it.
fn double_hyphen_message(before: &str) -> String {
    if !before.is_ascii() {
        "Comment must not contain '--' (double-hyphen)".to_owned()
    } else if before.is_empty() {
        "Double hyphen within comment".to_owned()
    } else {
        let shown: String = before.replace("\r\n", "\n").chars().take(50).collect();
        format!("Double hyphen within comment: <!--{shown}")
    }
}

/// Whether a `<` starts no tag but is the last thing but words in an element that holds text: what comes next is that
/// element's end tag.
fn is_less_than_in_text(rest: &str) -> bool {
    let after = rest.get(1..).unwrap_or_default();
    let stop = after.find(['<', '>']).unwrap_or(after.len());
    let next = after.get(stop..).unwrap_or_default();
    ["incremental", "label"].into_iter().any(|name| {
        // `<label` right before `</label>` has lost its >.
        let end = next.strip_prefix("</").and_then(|end| end.strip_prefix(name));
        end.is_some_and(|end| end.starts_with('>')) && !after.starts_with(name)
    })
}

/// The names of libvirt's elements.
pub(super) fn known_elements() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(shape, _)| shape.name).chain(STATE_ELEMENTS)
}
