//! The recovering scanner: from one piece of markup to the next.

use crate::ambiguous::Ambiguous;
use crate::diagnostic::{self, Applicability, Diagnostic, Edit, Label, Span};
use crate::placeholder;
use crate::rules::Rule;
use crate::schema::SHAPES;
use crate::wording::{self, is_space, space_length, trim};

use super::matching::{Token, TokenKind};
use super::recover::{self, Piece, PieceKind};
use super::tree::{AttributeData, Document};
use super::{declaration, inside_tag, reference, structure, tag};

/// Maximum number of errors of syntax that are reported.
pub(super) const MAX_DIAGNOSTICS: usize = 1_000;
/// Maximum number of edits of a fix.
const MAX_EDITS: usize = 100_000;
/// Bytes that are searched for an end tag: more than any element of a backup takes, and few enough to do it for every
/// tag.
const MAX_LOOKAHEAD: usize = 4_096;
/// Elements of state files that are not in the schema.
const STATE_ELEMENTS: [&str; 3] = ["privateData", "objects", "TLSx509"];

/// Reads a document that may have errors of syntax. With `tags_match`, nothing is wrong with its tags: what looks like a
/// tag without its `<` is text.
pub(super) fn scan(text: &str, tags_match: bool) -> Document<'_> {
    let mut scanner = Scanner::new(text, tags_match);
    scanner.document();
    let explanation = structure::check(&mut scanner);
    let Scanner { tokens, pieces, attributes, diagnostics, is_cut_off, doubtful, .. } = scanner;
    let mut document = recover::build(text, attributes, &tokens, &pieces, &explanation);
    document.errors.extend(diagnostics);
    document.errors.sort_by_key(|diagnostic| diagnostic.primary.span);
    document.errors.truncate(MAX_DIAGNOSTICS);
    document.is_complete &= !is_cut_off;
    document.broken.attributes = doubtful;
    document.broken.sort();
    document
}

/// The scanner's place and what it knows. Each flag is a thing of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Scanner<'a> {
    pub text: &'a str,
    pub position: usize,
    pub in_value: bool,
    /// Whether the start tag that is being read is at its end, although no > says so.
    pub tag_ended: bool,
    pub tokens: Vec<Token<'a>>,
    pub attributes: Vec<AttributeData<'a>>,
    /// Attributes of which it is not known what they are to be.
    pub doubtful: Vec<Span>,
    /// Whether the document ends in the middle of something.
    pub truncated: bool,
    tags_match: bool,
    pieces: Vec<Piece>,
    /// The numbers of the pieces that hold nothing but characters that look like white space.
    ambiguous_text: Vec<usize>,
    diagnostics: Vec<Diagnostic>,
    /// Whether so much is lost that the rest cannot be checked.
    is_cut_off: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, tags_match: bool) -> Self {
        Self {
            text,
            tags_match,
            position: 0,
            in_value: false,
            tag_ended: false,
            tokens: Vec::new(),
            attributes: Vec::new(),
            doubtful: Vec::new(),
            truncated: false,
            pieces: Vec::new(),
            ambiguous_text: Vec::new(),
            diagnostics: Vec::new(),
            is_cut_off: false,
        }
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        // Errors in the tags are reported last: space is left for them.
        if self.diagnostics.len() < MAX_DIAGNOSTICS * 2 {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports that the document ends where it cannot. Elements that are open then are not reported.
    pub fn report_end(&mut self, diagnostic: Diagnostic) {
        self.report(diagnostic);
        self.truncated = true;
        self.is_cut_off = true;
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
        let Some(last) = self.diagnostics.last_mut() else { return };
        last.secondary.push(Label { document: diagnostic::Document::Backup, span, message: message.to_owned() });
        if let Some(fix) = last.fixes.first_mut() {
            fix.edits.push(edit);
        }
    }

    /// Reports an error that a document repeats: all of a rule are one diagnostic.
    pub fn report_as_one(&mut self, diagnostic: Diagnostic) {
        let known = self.diagnostics.iter_mut().find(|known| known.rule == diagnostic.rule);
        let Some(known) = known else { return self.report(diagnostic) };
        let edits = diagnostic.fixes.into_iter().flat_map(|fix| fix.edits);
        if known.secondary.len() < MAX_DIAGNOSTICS {
            known.secondary.push(diagnostic.primary);
        }
        match known.fixes.first_mut() {
            Some(fix) if fix.edits.len() < MAX_EDITS => fix.edits.extend(edits),
            _ => known.fixes.clear(),
        }
    }

    /// Whether what comes is the root element.
    pub fn at_root(&self) -> bool {
        !self.tokens.iter().any(|token| token.kind != TokenKind::Text)
    }

    /// The text that is searched to guess what is intended here.
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
            for number in std::mem::take(&mut self.ambiguous_text) {
                let Some(piece) = self.pieces.get_mut(number) else { continue };
                piece.kind = PieceKind::Ignored;
                let written = self.text.get(piece.span.range()).unwrap_or_default();
                let start = piece.span.range().start + space_length(written);
                inside_tag::report_ambiguous(self, start, start + trim(written).len());
            }
        }
    }

    fn piece(&mut self, kind: PieceKind, start: usize, end: usize) {
        self.pieces.push(Piece { kind, span: Span::new(start, end), next_token: self.tokens.len() });
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
        let is_invisible = |next: char| Ambiguous::new(next).is_some_and(Ambiguous::is_invisible);
        let trimmed = trim(written);
        if trimmed.is_empty() || !trimmed.chars().all(|next| is_space(next) || is_invisible(next)) {
            return false;
        }
        if self.at_root() {
            let start = start + space_length(written);
            inside_tag::report_ambiguous(self, start, start + trimmed.len());
        } else {
            self.ambiguous_text.push(self.pieces.len());
            self.piece(PieceKind::Text, start, end);
        }
        true
    }

    /// Takes note of text.
    fn text_token(&mut self, start: usize, end: usize, name: &'static str) {
        self.piece(PieceKind::Text, start, end);
        let written = self.text.get(start..end).unwrap_or_default();
        let trimmed = trim(written);
        let start = start + space_length(written);
        if !trimmed.is_empty() {
            let span = Span::new(start, start + trimmed.len());
            self.tokens.push(Token { kind: TokenKind::Text, name, span, name_span: span, attributes: (0, 0) });
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
            inside_tag::report_placeholder(self, at, placeholder);
        } else if rest.starts_with("<?") {
            self.instruction();
        } else if rest.starts_with("</") {
            self.position += 2;
            self.end_tag(self.position - 2);
        } else if rest.strip_prefix("<\\").is_some_and(|after| after.starts_with(tag::starts_name)) {
            self.backslash_in_end_tag();
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
        let name = start + length + self.text.get(start + length..).map_or(0, space_length);
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

    /// Reads `<\disk>`.
    fn backslash_in_end_tag(&mut self) {
        let start = self.position;
        let backslash = Span::new(start + 1, start + 2);
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, Span::new(start, start + 2), "`\\` in an end tag")
            .help("write `</` at the start of an end tag")
            .libvirt("StartTag: invalid element name")
            .safe_fix(wording::replace_with("`/`"), backslash, "/");
        self.report(diagnostic);
        self.position += 2;
        self.end_tag(start);
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
        self.piece(PieceKind::Text, self.position, self.position + 1);
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
        self.piece(PieceKind::Comment, start, self.position);
        self.allowed_only(start + 4, start + 4 + end);
    }

    /// A comment that another one starts in is not closed. It is assumed to end before the next tag.
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
        self.piece(PieceKind::Comment, start, end);
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
        self.text_token(start, self.position, "CDATA section");
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
        let is_separated = after.is_empty() || after.starts_with(is_space);
        if name.eq_ignore_ascii_case("xml") {
            let span = Span::new(start, self.position);
            if self.tokens.len() == 1 && self.at_root() {
                // Text before it is reported, and nothing else keeps it from the start.
                return;
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
        } else {
            self.piece(PieceKind::Instruction, start, self.position);
        }
        self.allowed_only(start, self.position);
    }

    /// Takes note of a start tag: `slash` is the `/` of one that closes itself.
    pub fn opened(&mut self, name: &'a str, span: Span, name_span: Span, slash: Option<Span>, attributes: (u32, u32)) {
        let has_attributes = self.text.get(span.range()).is_some_and(|written| written.contains('='));
        let kind = slash.map_or(TokenKind::Start { has_attributes }, TokenKind::Empty);
        self.tokens.push(Token { kind, name, span, name_span, attributes });
    }

    /// Reads an end tag that starts at `start`, from its name on.
    fn end_tag(&mut self, start: usize) {
        let name_start = self.position;
        let after = self.rest();
        let name_length = after.find(|character: char| !tag::continues_name(character)).unwrap_or(after.len());
        let name = after.get(..name_length).unwrap_or_default();
        self.position = name_start + name_length;
        loop {
            self.position += space_length(self.rest());
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
        let span = Span::new(start, self.position);
        let name_span = Span::new(name_start, name_start + name_length);
        self.tokens.push(Token { kind: TokenKind::End, name, span, name_span, attributes: (0, 0) });
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
        self.is_cut_off = true;
        if !self.diagnostics.is_empty() {
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

pub(super) fn is_known_element(name: &str) -> bool {
    known_elements().any(|known| known == name)
}

/// The names of libvirt's elements.
pub(super) fn known_elements() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(shape, _)| shape.name).chain(STATE_ELEMENTS)
}
