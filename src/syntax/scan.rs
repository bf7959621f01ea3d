//! The recovering scanner: from one piece of markup to the next, with the elements that are open.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::parse::nearest;
use crate::rules::Rule;
use crate::schema::SHAPES;

use super::repair::Repaired;
use super::{Syntax, reference, tag};

/// More findings than anybody reads; what comes after is left aside.
const MOST_FINDINGS: usize = 1_000;
/// Bytes that are searched for an end tag to tell what was meant: more than any element of a backup takes, and few
/// enough to do it for every tag.
const FARTHEST_AHEAD: usize = 4_096;
/// At most this many outer elements are shown for one that the document ends in.
const MOST_OUTER_SHOWN: usize = 3;
/// Elements of state files, beside those of the schema.
const STATE_ELEMENTS: [&str; 3] = ["privateData", "objects", "TLSx509"];

/// Finds every mistake of syntax that the scanner has words for.
pub(super) fn scan(text: &str) -> Syntax {
    let mut scanner = Scanner::new(text, false);
    scanner.document();
    if scanner.diagnostics.iter().any(|diagnostic| is_about_tags(diagnostic.rule)) {
        // The tags do not match: what is known of libvirt's elements tells better which one is wrong.
        scanner = Scanner::new(text, true);
        scanner.document();
    }
    let Scanner { mut diagnostics, edits, beyond_repair, .. } = scanner;
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
    let repaired = (!beyond_repair && !diagnostics.is_empty()).then(|| Repaired::new(text, edits));
    let repaired = repaired.filter(|repaired| super::parse_with(&repaired.text, true).is_ok());
    Syntax { diagnostics, repaired }
}

fn is_about_tags(rule: Rule) -> bool {
    matches!(rule, Rule::UnclosedElement | Rule::MismatchedTag | Rule::UnexpectedEndTag)
}

/// An element whose start tag was read and whose end tag was not.
pub(super) struct Open<'a> {
    pub name: &'a str,
    /// Its start tag.
    pub tag: Span,
    /// Where its first child stands that could not be one.
    pub stranger: Option<usize>,
    /// For each name, the last child that closed itself: its number and its `/`.
    pub closed_itself: Vec<(&'a str, usize, Span)>,
    /// How many children there are so far.
    pub children: usize,
}

/// The scanner's place and what it knows. Each flag is a thing of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Scanner<'a> {
    pub text: &'a str,
    pub position: usize,
    pub in_value: bool,
    /// Whether the start tag that is being read is at its end, although no > says so.
    pub tag_ended: bool,
    /// Whether libvirt's grammar tells where an element ends that is not closed.
    guess: bool,
    pub declared: HashSet<&'a str>,
    open: Vec<Open<'a>>,
    /// How many of the open elements have a name.
    names: HashMap<&'a str, usize>,
    root_seen: bool,
    outside_reported: bool,
    curly: Option<usize>,
    diagnostics: Vec<Diagnostic>,
    edits: Vec<Edit>,
    beyond_repair: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, guess: bool) -> Self {
        Self {
            text,
            guess,
            declared: tag::declared_prefixes(text),
            position: 0,
            in_value: false,
            tag_ended: false,
            open: Vec::new(),
            names: HashMap::new(),
            root_seen: false,
            outside_reported: false,
            curly: None,
            diagnostics: Vec::new(),
            edits: Vec::new(),
            beyond_repair: false,
        }
    }

    /// Reports a finding; its first fix goes into the repaired document.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let repair = diagnostic.fixes.first().map(|fix| fix.edits.clone());
        self.beyond_repair |= repair.is_none();
        self.report_repaired(diagnostic, repair.unwrap_or_default());
    }

    /// Reports a finding that the repaired document mends in another way than its author should.
    pub fn report_repaired(&mut self, diagnostic: Diagnostic, repair: Vec<Edit>) {
        self.edits.extend(repair);
        if self.diagnostics.len() < MOST_FINDINGS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports that the document ends where it cannot; nothing is to be said of what is open.
    pub fn report_end(&mut self, diagnostic: Diagnostic) {
        self.report(diagnostic);
        self.open.clear();
        self.root_seen = true;
        self.beyond_repair = true;
    }

    /// Reports curly quotes: all of a document are one mistake.
    pub fn report_curly(&mut self, diagnostic: Diagnostic) {
        let known = self.curly.and_then(|index| self.diagnostics.get_mut(index));
        let Some(known) = known else {
            self.curly = Some(self.diagnostics.len());
            return self.report(diagnostic);
        };
        for fix in diagnostic.fixes {
            self.edits.extend(fix.edits.iter().cloned());
            if let Some(known) = known.fixes.first_mut() {
                known.edits.extend(fix.edits);
            }
        }
        known.others.push(diagnostic.primary);
    }

    /// Whether what comes is the root element.
    pub fn at_root(&self) -> bool {
        !self.root_seen
    }

    /// Puts an edit into the repaired document that belongs to a finding made before.
    pub fn also_repair(&mut self, edit: Edit) {
        self.edits.push(edit);
    }

    /// As much of what comes as is looked at to guess what was meant.
    pub fn ahead(&self) -> &'a str {
        let rest = self.rest();
        rest.get(..rest.floor_char_boundary(FARTHEST_AHEAD)).unwrap_or_default()
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn document(&mut self) {
        if self.rest().starts_with('\u{feff}') {
            self.position += '\u{feff}'.len_utf8();
        }
        self.declaration();
        while self.position < self.text.len() {
            if self.rest().starts_with('<') {
                self.markup();
            } else {
                self.characters();
            }
        }
        self.end_of_document();
    }

    /// Checks the XML declaration for what roxmltree does not.
    fn declaration(&mut self) {
        let rest = self.rest();
        if !rest.starts_with("<?xml") || !rest.get(5..).is_some_and(|after| after.starts_with(char::is_whitespace)) {
            return;
        }
        let Some(end) = rest.find("?>") else { return };
        let start = self.position;
        let declaration = rest.get(..end).unwrap_or_default();
        let value_of = |name: &str| {
            let after = declaration.find(name)? + name.len();
            let quoted = declaration.get(after..)?.trim_start().strip_prefix('=')?.trim_start();
            let quote = quoted.chars().next()?;
            let (value, _) = quoted.get(1..)?.split_once(quote)?;
            let at = start + declaration.len() - quoted.len() + 1;
            Some((value, Span::new(at, at + value.len())))
        };
        if let Some((version, span)) = value_of("version")
            && !version
                .strip_prefix("1.")
                .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "there is no such version of XML")
                .help("write version='1.0'")
                .libvirt(format!("Unsupported version '{version}'"))
                .safe_fix("write 1.0", span, "1.0");
            self.report(diagnostic);
        }
        if let Some((standalone, span)) = value_of("standalone")
            && !matches!(standalone, "yes" | "no")
        {
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "standalone is neither 'yes' nor 'no'")
                .help("write standalone='yes' or 'no', or leave it out")
                .libvirt("standalone accepts only 'yes' or 'no'")
                .unsafe_fix("write yes", span, "yes");
            self.report(diagnostic);
        }
        self.position += end + 2;
    }

    fn characters(&mut self) {
        let start = self.position;
        let length = self.rest().find('<').unwrap_or(self.rest().len());
        self.position += length;
        if !self.open.is_empty() {
            reference::check(self, start, self.position);
            return;
        }
        let written = self.text.get(start..self.position).unwrap_or_default();
        let trimmed = written.trim_matches([' ', '\t', '\r', '\n']);
        if !trimmed.is_empty() {
            let start = start + (written.len() - written.trim_start_matches([' ', '\t', '\r', '\n']).len());
            self.outside(Span::new(start, start + trimmed.len()), "text");
        }
    }

    /// Reports something outside of the root, once before it and once after it.
    fn outside(&mut self, span: Span, what: &str) {
        let (message, help, libvirt) = if self.root_seen {
            (format!("there is {what} after the root element"), "remove it", "Extra content at the end of the document")
        } else {
            (format!("there is {what} before the root element"), "remove it", "Start tag expected, '<' not found")
        };
        if self.outside_reported {
            self.edits.push(Edit { span, text: String::new() });
            return;
        }
        self.outside_reported = self.root_seen;
        let diagnostic = Diagnostic::new(Rule::OutsideRoot, span, message).help(help).libvirt(libvirt).unsafe_fix(
            "remove it",
            span,
            "",
        );
        self.report(diagnostic);
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
        } else if rest.starts_with("<?") {
            self.instruction();
        } else if rest.starts_with("</") {
            self.end_tag();
        } else if rest.get(1..).is_some_and(|after| after.starts_with(tag::starts_name)) {
            tag::start_tag(self);
        } else {
            self.raw_less_than();
        }
    }

    fn raw_less_than(&mut self) {
        let span = Span::new(self.position, self.position + 1);
        let diagnostic = Diagnostic::new(Rule::UnescapedLessThan, span, "a raw < starts no tag here")
            .help("write &lt; for a <, or complete the tag")
            .libvirt("StartTag: invalid element name");
        let diagnostic = if self.open.is_empty() {
            diagnostic.unsafe_fix("remove it", span, "")
        } else {
            diagnostic.safe_fix("write &lt;", span, "&lt;")
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
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "-- stands inside a comment")
                .help("a comment holds no two hyphens in a row")
                .libvirt("Double hyphen within comment")
                .fix("write = for the hyphens", false, edits.take(MOST_FINDINGS).collect());
            self.report(diagnostic);
        }
        self.position = start + 4 + end + 3;
        self.allowed_only(start + 4, start + 4 + end);
    }

    /// Reports characters that XML allows nowhere.
    fn allowed_only(&mut self, start: usize, end: usize) {
        let written = self.text.get(start..end).unwrap_or_default();
        if let Some((at, character)) = written.char_indices().find(|(_, character)| !reference::is_allowed(*character))
        {
            let span = Span::new(start + at, start + at + character.len_utf8());
            let code = u32::from(character);
            let diagnostic = Diagnostic::new(
                Rule::InvalidCharacter,
                span,
                format!("the character U+{code:04X} is not allowed in XML"),
            )
            .help("remove it")
            .libvirt(format!("Invalid Char value {code}"))
            .unsafe_fix("remove it", span, "");
            self.report(diagnostic);
        }
    }

    fn unclosed(&mut self, length: usize, what: &str, end: &str) {
        let span = Span::new(self.position, self.position + length);
        let end_of_text = self.text.len();
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, format!("this {what} is not closed"))
            .help(format!("write {end} where it ends"))
            .libvirt(format!("{what} not terminated"))
            .unsafe_fix(format!("remove the rest, from the {what} on"), Span::new(self.position, end_of_text), "");
        self.report(diagnostic);
        self.position = end_of_text;
    }

    fn cdata(&mut self) {
        let start = self.position;
        let body = self.text.get(start + 9..).unwrap_or_default();
        let Some(end) = body.find("]]>") else {
            return self.unclosed(9, "CDATA section", "]]>");
        };
        self.position = start + 9 + end + 3;
        if self.open.is_empty() {
            self.outside(Span::new(start, self.position), "a CDATA section");
        }
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
            let diagnostic =
                Diagnostic::new(Rule::NotWellFormed, span, "the XML declaration does not stand at the very start")
                    .help("put it at the start of the file, before any white space, or remove it")
                    .libvirt("XML declaration allowed only at the start of the document")
                    .unsafe_fix("remove it", span, "");
            self.report(diagnostic);
        } else if !name.starts_with(tag::starts_name) || !is_separated {
            let span = Span::new(start, self.position);
            let message = "a processing instruction starts with a name and a space";
            let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, message)
                .help("remove it")
                .libvirt(format!("ParsePI: PI {name} space expected"))
                .unsafe_fix("remove it", span, "");
            self.report(diagnostic);
        }
        self.allowed_only(start, self.position);
    }

    /// Takes note of a start tag: `slash` is the `/` of one that closes itself.
    pub fn opened(&mut self, name: &'a str, tag: Span, slash: Option<Span>) {
        if self.open.is_empty() && self.root_seen {
            self.second_root(tag);
            return;
        }
        self.root_seen = true;
        self.close_before_same_name(name, tag);
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
            if parent.stranger.is_none() && !may_hold(parent.name, name) {
                parent.stranger = Some(tag.start as usize);
            }
            if let Some(slash) = slash.filter(|_| is_known(name)) {
                parent.closed_itself.retain(|(other, _, _)| *other != name);
                parent.closed_itself.push((name, parent.children, slash));
            }
        }
        if slash.is_some() {
            return;
        }
        *self.names.entry(name).or_default() += 1;
        self.open.push(Open { name, tag, stranger: None, closed_itself: Vec::new(), children: 0 });
    }

    /// No known element stands in one of its own name: the outer one was never closed.
    fn close_before_same_name(&mut self, name: &'a str, tag: Span) {
        if !self.guess || !is_known(name) || self.names.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(open) = self.pop() {
            let last = open.name == name;
            self.report_unclosed(&open, tag.start as usize, None);
            if last {
                break;
            }
        }
    }

    fn second_root(&mut self, tag: Span) {
        let rest = Span::new(tag.start as usize, self.text.len());
        let diagnostic = Diagnostic::new(Rule::OutsideRoot, tag, "there is a second root element")
            .help("remove it, or put it into the first")
            .libvirt("Extra content at the end of the document")
            .unsafe_fix("remove everything after the root element", rest, "");
        if !self.outside_reported {
            self.report(diagnostic);
        }
        self.position = self.text.len();
    }

    fn pop(&mut self) -> Option<Open<'a>> {
        let open = self.open.pop()?;
        if let Some(count) = self.names.get_mut(open.name) {
            *count = count.saturating_sub(1);
        }

        Some(open)
    }

    fn end_tag(&mut self) {
        let start = self.position;
        let after = self.text.get(start + 2..).unwrap_or_default();
        let name_length = after.find(|character: char| !tag::continues_name(character)).unwrap_or(after.len());
        let name = after.get(..name_length).unwrap_or_default();
        let rest = after.get(name_length..).unwrap_or_default();
        let padding = rest.len() - rest.trim_start().len();
        let end = start + 2 + name_length + padding;
        if self.text.get(end..).is_some_and(|rest| rest.starts_with('>')) {
            self.position = end + 1;
        } else {
            self.end_tag_without_end(start, start + 2 + name_length);
        }
        if let Some(edit) = tag::undeclared_prefix(&self.declared, name, start + 2) {
            self.also_repair(edit);
        }
        self.closed(name, Span::new(start, self.position), Span::new(start + 2, start + 2 + name_length));
    }

    fn end_tag_without_end(&mut self, start: usize, name_end: usize) {
        let rest = self.text.get(name_end..).unwrap_or_default();
        let stop = rest.find(['<', '>']).unwrap_or(rest.len());
        let junk = rest.get(..stop).unwrap_or_default().trim_end();
        let span = Span::new(start, name_end + junk.len());
        let is_closed = rest.get(stop..).is_some_and(|rest| rest.starts_with('>'));
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, "this end tag is not closed")
            .help("write </ and the name and >, nothing else")
            .libvirt("expected '>'");
        let diagnostic = if is_closed {
            diagnostic.unsafe_fix("remove what does not belong", Span::new(name_end, name_end + stop), "")
        } else {
            diagnostic.safe_fix("write >", Span::new(name_end, name_end + junk.len()), ">")
        };
        self.report(diagnostic);
        self.position = name_end + if is_closed { stop + 1 } else { junk.len() };
    }

    fn closed(&mut self, name: &'a str, tag: Span, name_span: Span) {
        if self.open.last().is_some_and(|open| open.name == name) {
            self.pop();
            return;
        }
        if self.names.get(name).is_some_and(|count| *count > 0) {
            while let Some(open) = self.pop() {
                if open.name == name {
                    break;
                }
                self.report_unclosed(&open, tag.start as usize, Some(tag));
            }
            return;
        }
        self.unmatched(name, tag, name_span);
    }

    /// An end tag that no open element has: misspelt, the end of a misspelt one, or one too many.
    fn unmatched(&mut self, name: &'a str, tag: Span, name_span: Span) {
        let before = self.text.get(..tag.start as usize).unwrap_or_default().trim_end();
        let doubled = before
            .strip_suffix('>')
            .and_then(|before| before.strip_suffix(name))
            .is_some_and(|before| before.ends_with("</"));
        let Some(top) = self.open.last().filter(|_| !doubled) else {
            return self.stray(name, tag, None);
        };
        let closed = top.closed_itself.iter().find(|(closed, _, _)| *closed == name);
        let slash = closed.map(|(_, number, slash)| (*slash, *number < top.children));
        if let Some((slash, true)) = slash {
            return self.stray(name, tag, Some(slash));
        }
        let (top_name, top_tag) = (top.name, top.tag);
        if slash.is_none() && self.is_meant_for(name, top_name) {
            let top_name_span = Span::new(top_tag.start as usize + 1, top_tag.start as usize + 1 + top_name.len());
            let opening_is_wrong = is_known(name) && !is_known(top_name);
            let (blamed, other, right) =
                if opening_is_wrong { (top_name_span, name_span, name) } else { (name_span, top_tag, top_name) };
            let diagnostic =
                Diagnostic::new(Rule::MismatchedTag, blamed, format!("<{top_name}> is closed by </{name}>"))
                    .also(other, if opening_is_wrong { "its end tag" } else { "its start tag" })
                    .help(format!("write {right}"))
                    .libvirt(format!("Opening and ending tag mismatch: {top_name} and {name}"))
                    .safe_fix(format!("write {right}"), blamed, right);
            self.report(diagnostic);
            self.pop();
            return;
        }
        self.stray(name, tag, None);
    }

    /// Whether an end tag called `name` was meant to close the innermost element.
    fn is_meant_for(&self, name: &str, top: &str) -> bool {
        let near = nearest(name, std::iter::once(top)).or(nearest(top, std::iter::once(name)));
        if name.is_empty() || near.is_some() && !(is_known(name) && is_known(top)) {
            return true;
        }
        // Otherwise the next end tag tells: if it is not this element's, nothing else closes it.
        let rest = self.ahead();
        let next = rest.find("</").and_then(|at| rest.get(at + 2..)).unwrap_or_default();
        let next = next.split(|character: char| !tag::continues_name(character)).next().unwrap_or_default();
        next != top
    }

    fn stray(&mut self, name: &str, tag: Span, slash: Option<Span>) {
        let shown: String = name.chars().take(60).collect();
        let diagnostic = match slash {
            Some(slash) => Diagnostic::new(
                Rule::UnexpectedEndTag,
                slash,
                format!("<{shown} …/> closes itself here, but there is a </{shown}> further down"),
            )
            .also(tag, "this closes nothing")
            .help("remove the /")
            .unsafe_fix("remove the /", slash, ""),
            None => Diagnostic::new(Rule::UnexpectedEndTag, tag, format!("</{shown}> closes nothing that is open"))
                .help("remove it")
                .unsafe_fix("remove it", tag, ""),
        };
        self.report(diagnostic.libvirt(format!("Opening and ending tag mismatch: {shown}")));
    }

    /// Reports an element that has no end tag, where `before` is the place that closes it at the latest.
    fn report_unclosed(&mut self, open: &Open<'a>, before: usize, closed_by: Option<Span>) {
        let place = open.stranger.unwrap_or(before).min(before);
        let fix = closing_edit(self.text, open, place);
        let diagnostic = Diagnostic::new(Rule::UnclosedElement, open.tag, format!("<{}> is not closed", open.name));
        let diagnostic = match closed_by {
            Some(tag) => diagnostic.also(tag, "it should have been closed before this"),
            None => diagnostic.also(Span::new(before, before + 1), "it should have been closed before this"),
        };
        let diagnostic = diagnostic
            .help(format!("write </{}>, or end the start tag with />", open.name))
            .libvirt(format!("Opening and ending tag mismatch: {}", open.name))
            .fix("close it", false, vec![fix]);
        self.report(diagnostic);
    }

    fn end_of_document(&mut self) {
        let Some(innermost) = self.pop() else {
            if !self.root_seen {
                self.no_root();
            }
            return;
        };
        let mut edits = vec![closing_edit(self.text, &innermost, innermost.stranger.unwrap_or(self.text.len()))];
        let mut diagnostic = Diagnostic::new(
            Rule::UnclosedElement,
            innermost.tag,
            format!("the document ends inside <{}>", innermost.name),
        );
        let mut closing = String::new();
        let mut ends = vec![format!("</{}>", innermost.name)];
        while let Some(outer) = self.pop() {
            if ends.len() <= MOST_OUTER_SHOWN {
                diagnostic = diagnostic.also(outer.tag, "and inside this");
                ends.push(format!("</{}>", outer.name));
            }
            closing.push_str("</");
            closing.push_str(outer.name);
            closing.push('>');
        }
        let end = Span::new(self.text.len(), self.text.len());
        match edits.last_mut().filter(|edit| edit.span == end) {
            Some(edit) => edit.text.push_str(&closing),
            None => edits.push(Edit { span: end, text: closing }),
        }
        let diagnostic = diagnostic
            .help(format!("write {} at the end, if nothing else is missing", ends.join("")))
            .libvirt(format!("Premature end of data in tag {}", innermost.name))
            .fix("close what is open", false, edits);
        self.report(diagnostic);
    }

    fn no_root(&mut self) {
        if !self.diagnostics.is_empty() {
            self.beyond_repair = true;
            return;
        }
        let end = self.text.len();
        let message = if self.text.trim().is_empty() { "the document is empty" } else { "the document has no element" };
        let diagnostic = Diagnostic::new(Rule::Empty, Span::new(end, end), message)
            .help("write at least <domainbackup/>, which backs up every disk of the domain")
            .libvirt("Document is empty");
        self.report(diagnostic);
    }
}

/// The edit that closes an element at a place: in its start tag, if it would hold nothing.
fn closing_edit(text: &str, open: &Open<'_>, place: usize) -> Edit {
    let between = text.get(open.tag.end as usize..place).unwrap_or_default();
    let bracket = Span::new((open.tag.end as usize).saturating_sub(1), open.tag.end as usize);
    if between.trim().is_empty() && text.get(bracket.range()) == Some(">") {
        return Edit { span: bracket.before(), text: "/".to_owned() };
    }
    Edit { span: Span::new(place, place), text: format!("</{}>", open.name) }
}

/// Whether libvirt has an element of this name in a backup.
fn is_known(name: &str) -> bool {
    known_elements().any(|known| known == name)
}

/// The names of libvirt's elements.
pub(super) fn known_elements() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(shape, _)| shape.name).chain(STATE_ELEMENTS)
}

/// Whether `child` may stand in `parent`, as far as that is known.
fn may_hold(parent: &str, child: &str) -> bool {
    let homes = SHAPES.iter().find(|(shape, _)| shape.name == child).map(|(_, homes)| *homes);
    !is_known(parent) || homes.is_none_or(|homes| homes.contains(&parent) || parent == "objects")
}
