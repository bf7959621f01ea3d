//! Limits, so that hostile input costs no more than ordinary input of its size.

use memchr::memmem;

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;

/// roxmltree sets 72 bytes aside for each `<` and each `=`, wherever they stand. A hundred thousand disks with all that a
/// disk can have take less.
const MAX_MARKUP: usize = 3_000_000;
/// What a declaration of a namespace begins with.
pub(super) const NAMESPACE: &[u8] = b"xmlns";
/// roxmltree compares each attribute of a tag with all others: beyond some thousands that takes seconds.
const MAX_ATTRIBUTES: usize = 10_000;
/// roxmltree's work grows with the cube of the namespace declarations. libvirt's documents have none, a domain a few.
const MAX_NAMESPACES: usize = 500;
/// libxml2, and so libvirt, goes no deeper.
pub(super) const MAX_DEPTH: usize = 256;
/// Nor does it take longer names, in bytes.
const MAX_NAME_LENGTH: usize = 50_000;
/// roxmltree counts bytes in 32 bits.
const MAX_LENGTH: usize = u32::MAX as usize;

/// Looks for what would make parsing slow.
pub(super) fn before_parsing(text: &str) -> Option<Diagnostic> {
    if text.len() >= MAX_LENGTH {
        return Some(too_large(Span::default(), format!("document is larger than {MAX_LENGTH} bytes")));
    }
    if text.len() > MAX_MARKUP
        && text.bytes().filter(|byte| is_markup(*byte)).count() > MAX_MARKUP
        && let Some((start, _)) = text.bytes().enumerate().filter(|(_, byte)| is_markup(*byte)).nth(MAX_MARKUP)
    {
        return Some(too_large(Span::new(start, start + 1), format!("more than {MAX_MARKUP} tags and attributes")));
    }
    let mut declarations = memmem::find_iter(text.as_bytes(), NAMESPACE);
    if let Some(start) = declarations.nth(MAX_NAMESPACES) {
        return Some(too_large(
            Span::new(start, start + NAMESPACE.len()),
            format!("more than {MAX_NAMESPACES} namespace declarations"),
        ));
    }
    check_attributes(text)
}

/// What roxmltree takes for a sign of an element or an attribute.
fn is_markup(byte: u8) -> bool {
    matches!(byte, b'<' | b'=')
}

/// Counts `=` between one `<` and the next, which is at least the number of attributes.
fn check_attributes(text: &str) -> Option<Diagnostic> {
    if text.len() < MAX_ATTRIBUTES {
        return None;
    }
    let mut start = 0;
    for tag in text.split('<') {
        if tag.len() >= MAX_ATTRIBUTES * 2 {
            // Text and values may hold any number of them; only a tag's own count.
            let until = tag.find('>').unwrap_or(tag.len());
            let equals = tag.bytes().take(until).filter(|byte| *byte == b'=').count();
            if equals > MAX_ATTRIBUTES {
                return Some(too_large(
                    Span::new(start.max(1) - 1, start),
                    format!("a tag with more than {MAX_ATTRIBUTES} attributes"),
                ));
            }
        }
        start += tag.len() + 1;
    }
    None
}

fn too_large(span: Span, what: String) -> Diagnostic {
    Diagnostic::new(Rule::TooLarge, span, what).help("check that this is the right file").libvirt("Excessive size")
}

/// Checks a start tag whose element is `depth` deep, and its names: the root is 1 deep.
pub(super) fn check_tag(depth: usize, tag: Span, names: impl Iterator<Item = Span>) -> Option<Diagnostic> {
    if let Some(name) = names.into_iter().find(|name| name.range().len() > MAX_NAME_LENGTH) {
        let found = too_large(name, format!("a name of more than {MAX_NAME_LENGTH} bytes"));
        return Some(found.libvirt("Name too long: NCName"));
    }
    (depth > MAX_DEPTH).then(|| too_deep(tag))
}

fn too_deep(tag: Span) -> Diagnostic {
    Diagnostic::new(Rule::TooDeep, tag, format!("elements nest more than {MAX_DEPTH} deep"))
        .help("a backup needs seven levels at most: look for missing end tags")
        .libvirt("Excessive depth in document: 256, use XML_PARSE_HUGE option")
}
