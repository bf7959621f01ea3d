//! What stands in the place of a document: JSON, a page of HTML, a message of virsh.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;

use super::{Cause, first_line, is_yaml, root_of, starts_with_any};

/// Something that is not XML, and how it begins.
struct Other {
    what: &'static str,
    /// Whether a text, without the white space before it, is of this kind.
    is: fn(&str) -> bool,
    help: &'static str,
}

const fn other(what: &'static str, is: fn(&str) -> bool) -> Other {
    Other { what, is, help: "write the backup as XML; <domainbackup/> alone backs up every disk" }
}

/// Kinds that may hold tags.
const WITH_TAGS: [Other; 5] = [
    Other {
        what: "an HTML page",
        is: is_html,
        help: "check what was downloaded: this is a web page, not the document",
    },
    other("an RTF document", |text| text.starts_with("{\\rtf")),
    other("a PDF document", |text| text.starts_with("%PDF-")),
    other("an archive or office document", |text| text.starts_with("PK\u{3}\u{4}")),
    other("HTML-escaped XML", |text| text.starts_with("&lt;")),
];

/// Kinds that hold no tag.
const WITHOUT_TAGS: [Other; 10] = [
    Other { what: "percent-encoded XML", is: |text| starts_with_any(text, &["%3C", "%3c"]), help: "decode it first" },
    Other { what: "Base64", is: is_base64, help: "decode it first: base64 -d FILE" },
    other("INI or TOML", |text| {
        first(text).starts_with('[')
            && first(text).ends_with(']')
            && first(text).len() > 2
            && !first(text).contains(['"', '{', ','])
    }),
    other("JSON", |text| text.starts_with(['{', '['])),
    other("a script", |text| text.starts_with("#!")),
    other("output of virsh", |text| starts_with_any(text, &VIRSH)),
    other("YAML", |text| is_yaml(first(text)) && text.lines().count() > 1),
    other("INI or TOML", |text| first(text).split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))),
    other("a diff", |text| starts_with_any(text, &["diff ", "--- ", "@@ "])),
    other("text", |_| true),
];

const VIRSH: [&str; 8] =
    ["error: ", "Backup started", "Domain ", "Welcome to virsh", " Name ", "Id ", "setlocale", "Job type:"];

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end()
}

fn is_html(text: &str) -> bool {
    let is = |beginning: &str| text.get(..beginning.len()).is_some_and(|text| text.eq_ignore_ascii_case(beginning));
    is("<!doctype html") || is("<html>") || is("<html ")
}

/// Whether a text is Base64, of something that begins with `<` at that.
fn is_base64(text: &str) -> bool {
    let is_digit = |next: char| next.is_ascii_alphanumeric() || matches!(next, '+' | '/' | '=' | '\r' | '\n');
    starts_with_any(text, &["PD", "PG", "77u/P"]) && text.trim_end().chars().all(is_digit)
}

/// What begins in a way that no document does, whatever it holds.
pub(super) fn find_with_tags(text: &str) -> Option<Cause> {
    find_in(text, &WITH_TAGS)
}

/// What text without a tag is.
pub(super) fn find(text: &str) -> Option<Cause> {
    // A comment or a declaration by itself is a document without an element.
    let is_other = root_of(text).is_none() && !text.trim_start().starts_with('<');
    is_other.then(|| find_in(text, &WITHOUT_TAGS)).flatten()
}

fn find_in(text: &str, kinds: &[Other]) -> Option<Cause> {
    let start = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
    let written = text.get(start..).filter(|written| !written.is_empty())?;
    let found = kinds.iter().find(|other| (other.is)(written))?;
    let escaped = found.what == "HTML-escaped XML";
    let span =
        if escaped { Span::new(start, start + "&lt;".len()) } else { first_line(text, Span::new(start, text.len())) };
    let mut diagnostic = Diagnostic::new(Rule::NotXml, span, format!("this is {}, not XML", found.what));
    diagnostic = diagnostic.help(if escaped { "write < for &lt;, > for &gt; and so on" } else { found.help });
    if !written.starts_with('<') {
        diagnostic = diagnostic.libvirt("Start tag expected, '<' not found");
    }
    let edits = if escaped { unescaped(text) } else { Vec::new() };
    Some(Cause { diagnostic, edits, fix: Some(Applicability::Safe) })
}

/// The edits that write the characters for HTML's references.
fn unescaped(text: &str) -> Vec<Edit> {
    const REFERENCES: [(&str, &str); 8] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    let reference = |at: usize| {
        let rest = text.get(at..)?;
        let (written, character) = REFERENCES.iter().find(|(written, _)| rest.starts_with(written))?;
        Some(Edit { span: Span::new(at, at + written.len()), text: (*character).to_owned() })
    };
    text.match_indices('&').filter_map(|(at, _)| reference(at)).collect()
}
