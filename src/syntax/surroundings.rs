//! What stands around a document, or in its place: a shell script, a mail, JSON.
//!
//! It is asked about text only that is no XML, and has one answer: what the text is or was copied from, and which parts
//! of it to cut so that the document is left.

mod coating;
mod instead;

use crate::ambiguous::Ambiguous;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::placeholder;
use crate::rules::Rule;

use super::clean::Cleaned;
use super::scan::known_elements;
use super::tag::{continues_name, starts_name};
use super::tree::Document;

/// What is wrong with the text as a whole, and what is left of it without that.
struct Cause {
    diagnostic: Diagnostic,
    edits: Vec<Edit>,
    fix: Option<Applicability>,
}

/// Finds the one thing that keeps a whole text from being a document.
pub(super) fn check(text: &str) -> Option<Document<'_>> {
    let cause = instead::find_with_tags(text)
        .or_else(|| coating::find(text))
        .or_else(|| around(text))
        .or_else(|| instead::find(text))?;
    let cleaned = (!cause.edits.is_empty()).then(|| Cleaned::new(text, cause.edits.clone()));
    let cleaned = cleaned.filter(|cleaned| cleaned.text != text && !cleaned.text.trim().is_empty());
    let diagnostic = match cause.fix {
        Some(applies) if cleaned.is_some() => cause.diagnostic.fix("keep the document only", applies, cause.edits),
        _ => cause.diagnostic,
    };
    Some(Document { cleaned, ..Document::unreadable(text, diagnostic) })
}

/// What text around a document comes from.
struct Source {
    what: &'static str,
    /// Whether a line, its white space aside, shows it.
    shows: fn(&str) -> bool,
    fix: Option<Applicability>,
}

const fn source(what: &'static str, shows: fn(&str) -> bool) -> Source {
    Source { what, shows, fix: Some(Applicability::Safe) }
}

/// The first that a line shows is the answer.
const SOURCES: [Source; 11] = [
    source("CDATA section", |line| line.starts_with("<![CDATA[")),
    source("mis-decoded byte order mark", |line| matches!(line, "ï»¿" | "þÿ" | "ÿþ")),
    source("Markdown code fence", |line| line.starts_with("```") || line.starts_with("~~~")),
    source("output of virsh", |line| starts_with_any(line, &["Welcome to virsh", "virsh # ", "virsh > "])),
    source("shell prompt", is_prompt),
    source("shell command", is_shell),
    Source { what: "JSON", shows: |line| line.starts_with(['{', '[']), fix: None },
    source("HTTP header", |line| starts_with_any(line, &["HTTP/1.", "HTTP/2", "Content-Type:"])),
    Source { what: "mail header", shows: is_mail_header, fix: Some(Applicability::Unsafe) },
    source("string of a program", opens_string),
    source("YAML", is_yaml),
];

pub(super) fn starts_with_any(text: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| text.starts_with(beginning))
}

/// `$ cat x`, `# cat x`, `[root@host ~]# cat x`, `root@host:~# cat x`
fn is_prompt(line: &str) -> bool {
    let Some(end) = line.find(['#', '$']) else { return false };
    let (host, after) = line.split_at_checked(end).unwrap_or_default();
    let is_host = host.is_empty() || host.contains('@') && (host.contains(':') || host.starts_with('['));
    is_host && (after.len() == 1 || after.get(1..).is_some_and(|after| after.starts_with(' ')))
}

fn is_shell(line: &str) -> bool {
    const COMMANDS: [&str; 11] =
        ["#!/", "cat ", "tee ", "echo ", "printf ", "virsh ", "sudo ", "export ", "local ", "set -", "read -"];
    let assigned =
        line.split_once('=').is_some_and(|(name, value)| is_word(name) && value.starts_with(['\'', '"', '$']));
    starts_with_any(line, &COMMANDS) || line.contains("<<") || assigned
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_mail_header(line: &str) -> bool {
    starts_with_any(line, &["From:", "From ", "To:", "Subject:", "Date:", "Message-ID:", "Return-Path:", "Received:"])
}

/// Whether a line ends in an opened string: `xml = """`, `return f'`, `x := r"`
fn opens_string(line: &str) -> bool {
    let opened = line.trim_end_matches(['\'', '"', '`']);
    let before = opened.trim_end_matches(|prefix: char| prefix.is_ascii_alphabetic() || prefix == '#').trim_end();
    opened.len() < line.len() && (before.is_empty() || before.ends_with(['=', '(', ',']) || opened.ends_with("return "))
}

/// `key: value`, `key: |`, `- item`, `---`
pub(super) fn is_yaml(line: &str) -> bool {
    let item = line.strip_prefix("- ").unwrap_or(line);
    let key = item.split_once(':').map(|(key, value)| (key.trim_matches(['"', '\'']), value));
    let is_key = |key: &str| {
        let continues = |next: char| next.is_alphanumeric() || matches!(next, '_' | '-' | '.' | '/');
        !key.is_empty() && key.chars().all(continues)
    };
    line == "---" || key.is_some_and(|(key, value)| is_key(key) && (value.is_empty() || value.starts_with(' ')))
}

/// Text before the root element, after it, or both.
fn around(text: &str) -> Option<Cause> {
    let root = root_of(text)?;
    let before = outside(text, 0, root.start as usize);
    let after = outside(text, root.end as usize, text.len());
    let first = *before.first().or(after.first())?;
    let place = if before.is_empty() { "after" } else { "before" };
    let line = first_line(text, first);
    let lines = |pieces: &[Span]| -> Vec<&str> {
        pieces.iter().flat_map(|piece| text.get(piece.range()).unwrap_or_default().lines()).collect()
    };
    let all: Vec<_> = lines(&before).into_iter().chain(lines(&after)).map(str::trim).collect();
    let found = SOURCES.iter().find(|source| all.iter().any(|line| (source.shows)(line)));
    let mut edits: Vec<_> = before.iter().map(|piece| cut_before(text, *piece, root.start as usize)).collect();
    if !after.is_empty() {
        let rest = Span { start: root.end, end: Span::new(0, text.len()).end };
        edits.push(Edit { span: rest, text: if text.ends_with('\n') { "\n" } else { "" }.to_owned() });
    }
    let written = text.get(line.range()).unwrap_or_default();
    if starts_with_any(written, &["<?", "<!--", "<!DOCTYPE"]) {
        // Broken, but in its place.
        return None;
    }
    if written.starts_with('<') && place == "after" {
        return second_document(text, first, edits);
    }
    let cause = |rule, span, message: String, help: String, fix| Cause {
        diagnostic: Diagnostic::new(rule, span, message).help(help).libvirt(libvirt(text, place == "before")),
        edits: edits.clone(),
        fix,
    };
    if let Some(placeholder) = placeholder::at_start(written) {
        let span = Span::new(line.start as usize, line.start as usize + placeholder.end());
        return Some(cause(Rule::XmlPlaceholder, span, placeholder.message(), placeholder.help().to_owned(), None));
    }
    if let Some(found) = written.chars().next().and_then(Ambiguous::new)
        && all.iter().all(|line| line.chars().all(|next| Ambiguous::new(next).is_some()))
    {
        if place == "before" {
            // The scanner finds these along with others.
            return None;
        }
        return Some(cause(
            Rule::XmlAmbiguousCharacter,
            line,
            found.message(),
            found.help(),
            Some(Applicability::Safe),
        ));
    }
    let (what, fix) = found.map_or(("text", Some(Applicability::Unsafe)), |source| (source.what, source.fix));
    let span = if what == "CDATA section" { Span::new(line.start as usize, line.start as usize + 9) } else { line };
    Some(cause(
        Rule::OutsideRoot,
        span,
        format!("{what} {place} the root element"),
        "save the document by itself: from <?xml or the root's start tag to the root's end tag".to_owned(),
        fix,
    ))
}

/// Another document after the first; an element that belongs into a backup is none.
fn second_document(text: &str, piece: Span, edits: Vec<Edit>) -> Option<Cause> {
    let written = text.get(piece.range())?;
    let name = written.get(1..)?.split(|next: char| !continues_name(next)).next().filter(|name| !name.is_empty())?;
    let is_root = matches!(name, "domainbackup" | "domaincheckpoint");
    if !is_root && known_elements().any(|known| known == name) {
        return None;
    }
    let tag = Span::new(piece.start as usize, piece.start as usize + written.find('>')? + 1);
    let help = match name {
        "domaincheckpoint" => {
            "save it to a file of its own, the second argument: virsh backup-begin DOMAIN BACKUP CHECKPOINT"
        }
        _ => "save each document to a file of its own",
    };
    let message = format!("second document <{name}> after the root element");
    let diagnostic = Diagnostic::new(Rule::OutsideRoot, tag, message).help(help).libvirt(libvirt(text, false));
    Some(Cause { diagnostic, edits, fix: None })
}

/// What libxml2 says of text outside the root element.
fn libvirt(text: &str, is_before: bool) -> &'static str {
    if !is_before {
        "Extra content at the end of the document"
    } else if text.trim_start().starts_with('<') {
        "StartTag: invalid element name"
    } else {
        "Start tag expected, '<' not found"
    }
}

/// The line that a piece of text begins with, as far as it belongs to the piece.
fn first_line(text: &str, piece: Span) -> Span {
    let written = text.get(piece.range()).unwrap_or_default();
    let line = written.lines().next().unwrap_or_default().trim_end();
    Span::new(piece.start as usize, piece.start as usize + line.len())
}

/// Cuts a piece of text before the root element, with the white space after it up to the next line's indentation; and all
/// of it where an XML declaration follows, which has to be the first thing.
fn cut_before(text: &str, piece: Span, root: usize) -> Edit {
    let rest = text.get(piece.end as usize..root).unwrap_or_default();
    let space = rest.len() - rest.trim_start().len();
    let is_declaration = rest.get(space..).is_some_and(|rest| rest.starts_with("<?xml "));
    let line = rest.get(..space).unwrap_or_default().rfind('\n').map_or(space, |feed| feed + 1);
    let (start, after) = if is_declaration { (0, space) } else { (piece.start as usize, line) };
    Edit { span: Span::new(start, piece.end as usize + after), text: String::new() }
}

/// The root element: from its start tag to its end tag.
pub(super) fn root_of(text: &str) -> Option<Span> {
    let start = root_start(text)?;
    let rest = text.get(start..)?;
    let name = rest.get(1..)?.split(|next: char| !continues_name(next)).next()?;
    let end_tag = format!("</{name}");
    let ends_name = |at: &usize| !rest.get(at + end_tag.len()..).is_some_and(|rest| rest.starts_with(continues_name));
    let tag = rest.get(..rest.find('>').map_or(rest.len(), |end| end + 1))?;
    let mut end_tags = rest.match_indices(&end_tag).map(|(at, _)| at).filter(|at| ends_name(at));
    let end = match end_tags.next() {
        // One that closes itself, before another.
        Some(end) if tag.ends_with("/>") && rest.get(1..end)?.contains(&format!("<{name}")) => tag.len(),
        Some(end) => end + rest.get(end..)?.find('>')? + 1,
        None if tag.ends_with("/>") => tag.len(),
        // The end is lost.
        None => rest.len(),
    };
    Some(Span::new(start, start + end))
}

/// Where the root element starts: a tag of a name that libvirt knows, or else the first tag.
fn root_start(text: &str) -> Option<usize> {
    let tags = || {
        let after = |at: usize| text.get(at + 1..).unwrap_or_default();
        let is_tag =
            move |at: &usize| after(*at).starts_with(starts_name) && !text.get(..*at).is_some_and(|b| b.ends_with('<'));
        text.match_indices('<').map(|(at, _)| at).filter(is_tag)
    };
    let first = tags().next()?;
    let name = |at: usize| text.get(at + 1..).and_then(|rest| rest.split(|next: char| !continues_name(next)).next());
    let is_root = |at: &usize| name(*at).is_some_and(|name| matches!(name, "domainbackup" | "domaincheckpoint"));
    let is_known = name(first).is_some_and(|name| known_elements().any(|known| known == name));
    // Within another element, a backup is not the root.
    let is_element = name(first).is_some_and(|name| text.contains(&format!("</{name}")));
    if is_known || is_element { Some(first) } else { tags().find(is_root).or(Some(first)) }
}

/// The pieces of text in a part of a document outside its root that are no comment, instruction or white space.
fn outside(text: &str, start: usize, end: usize) -> Vec<Span> {
    let mut pieces = Vec::new();
    let mut at = start;
    while let Some(rest) = text.get(at..end).filter(|rest| !rest.is_empty()) {
        let length = misc_length(rest);
        if length > 0 {
            at += length;
            continue;
        }
        let next = rest.match_indices('<').map(|(next, _)| next).find(|next| *next > 0 && is_misc(rest.get(*next..)));
        let length = next.unwrap_or(rest.len());
        let piece = rest.get(..length).unwrap_or_default().trim_end();
        pieces.push(Span::new(at, at + piece.len()));
        at += length;
    }
    pieces
}

fn is_misc(text: Option<&str>) -> bool {
    text.is_some_and(|text| starts_with_any(text, &["<!--", "<?", "<!DOCTYPE"]))
}

/// How much of what may stand outside a root element a text starts with.
fn misc_length(text: &str) -> usize {
    let space = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
    if space > 0 {
        return space;
    }
    let ends = [("<!--", "-->"), ("<?", "?>"), ("<!DOCTYPE", ">")];
    let end = ends.iter().find(|(start, _)| text.starts_with(start)).map(|(_, end)| *end);
    end.and_then(|end| Some(text.find(end)? + end.len())).unwrap_or(0)
}
