//! The text of an element as libvirt reads it.
//!
//! Text is everything around comments, processing instructions and CDATA marks, but libvirt has libxml2 drop
//! "ignorable" white space, and libxml2 goes by what stands around it. A chunk of white space before a tag, comment,
//! CDATA section or carriage return is dropped, unless
//!
//! - it is all there is in the element,
//! - text stands just before it, or is the first thing in the element (a CDATA section is no text here),
//! - or some chunk of characters before it in the element was kept; up to 11.3.0 (libxml2 2.9.14) only one that starts
//!   with white space or something beyond ASCII.

use crate::release::Release;
use crate::syntax::value::{CDATA, cdata, dereference, line_ends};
use crate::syntax::{Content, Element};
use crate::wording::trim;

/// The text of `node`, that of elements in it included, as `release` reads it.
pub(crate) fn text_of(node: Element<'_, '_>, release: Release) -> String {
    let mut content = node.content();
    match (content.next(), content.next()) {
        (None, _) => String::new(),
        (Some(Content::Text(only)), None) if !only.written.contains(['&', '<', '\r']) => only.written.to_owned(),
        _ => text_around(node, release),
    }
}

/// What libxml2 remembers of an element while it collects its text.
#[derive(Default)]
struct WhitespaceState {
    first_is_text: Option<bool>,
    last_is_text: bool,
    keep_white_space: bool,
}

impl WhitespaceState {
    fn add(&mut self, is_text: bool) {
        self.first_is_text.get_or_insert(is_text);
        self.last_is_text = is_text;
    }

    fn keep(&self, chunk: &Chunk<'_>) -> bool {
        match chunk.kind {
            Kind::Reference | Kind::Cdata => true,
            Kind::Characters(next) => {
                self.keep_white_space
                    || self.last_is_text
                    || self.first_is_text == Some(true)
                    || next == Next::Other
                    || (next == Next::EndTag && self.first_is_text.is_none())
                    || !trim(chunk.written).is_empty()
            }
        }
    }
}

fn text_around(node: Element<'_, '_>, release: Release) -> String {
    let mut collected = String::new();
    let mut state = WhitespaceState::default();
    let mut content = node.content().peekable();
    while let Some(piece) = content.next() {
        let Content::Text(text) = piece else {
            state.add(false);
            collected.extend(piece.element().map(|element| text_of(element, release)));
            continue;
        };
        for chunk in chunks(text.written, content.peek().is_none()) {
            if state.keep(&chunk) {
                chunk.append_to(&mut collected);
                state.keep_white_space |= chunk.keeps_later_white_space(release);
                state.add(chunk.kind != Kind::Cdata);
            }
        }
    }
    collected
}

/// A piece of text that libxml2 looks at by itself.
struct Chunk<'a> {
    written: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Characters, and what follows them.
    Characters(Next),
    /// The name between `&` and `;`.
    Reference,
    /// The contents of a CDATA section.
    Cdata,
}

#[derive(Clone, Copy, PartialEq)]
enum Next {
    EndTag,
    Markup,
    Other,
}

impl Chunk<'_> {
    /// Whether, once it is kept, all white space after it is.
    fn keeps_later_white_space(&self, release: Release) -> bool {
        let takes_slow_path = |first: char| !first.is_ascii() || first.is_ascii_whitespace();
        matches!(self.kind, Kind::Characters(_))
            && (release >= Release::V12_8_0 || self.written.starts_with(takes_slow_path))
    }

    fn append_to(&self, text: &mut String) {
        match self.kind {
            Kind::Reference => text.extend(dereference(self.written)),
            _ => text.push_str(&line_ends(self.written)),
        }
    }
}

/// Splits what is written between two tags or comments.
fn chunks(written: &str, ends_element: bool) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = written;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.starts_with(CDATA) {
            let (content, length) = cdata(rest);
            rest = rest.get(length..).unwrap_or_default();
            return Some(Chunk { written: content, kind: Kind::Cdata });
        }
        if let Some((content, after)) = rest.strip_prefix('&').and_then(|reference| reference.split_once(';')) {
            rest = after;
            return Some(Chunk { written: content, kind: Kind::Reference });
        }
        let chunk;
        (chunk, rest) = characters(rest, ends_element)?;
        Some(chunk)
    })
}

/// The first chunk of characters, and what comes after it.
fn characters(written: &str, ends_element: bool) -> Option<(Chunk<'_>, &str)> {
    let takes_slow_path = |character: char| character == '\r' || !character.is_ascii();
    // The carriage return of a pair with a line feed ends a chunk and goes; the line feed starts the next one.
    let after_pair = written.strip_prefix("\r\n");
    let written = if after_pair.is_some() { written.get(1..)? } else { written };
    // What is the first character here starts neither a tag nor a reference.
    let starts_markup = |(at, next): &(usize, char)| *at > 0 && matches!(next, '<' | '&');
    let markup = written.char_indices().find(starts_markup).map_or(written.len(), |(at, _)| at);
    let stop = match after_pair {
        Some(rest) if rest.starts_with(takes_slow_path) => Some(0),
        _ => written.get(..markup)?.find(takes_slow_path),
    };
    let (end, next) = match stop {
        Some(0) | None => (markup, next_of(written, markup, ends_element)),
        Some(stop) if written.get(stop..).is_some_and(|rest| rest.starts_with('\r')) => (stop, Next::Markup),
        Some(stop) => (stop, Next::Other),
    };
    let (written, after) = written.split_at_checked(end)?;
    Some((Chunk { written, kind: Kind::Characters(next) }, after))
}

fn next_of(written: &str, end: usize, ends_element: bool) -> Next {
    match written.get(end..).and_then(|rest| rest.chars().next()) {
        Some('&') => Next::Other,
        None if ends_element => Next::EndTag,
        _ => Next::Markup,
    }
}
