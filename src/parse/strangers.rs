//! What does not belong: unknown and misplaced attributes and children, values that are not allowed.
//!
//! One mistake is one error. A misspelt name is reported once and then taken for the name that was meant, so that
//! nothing is missing after it; a thing in the wrong place is reported there, and not as missing elsewhere.

mod attribute;
mod child;
mod value;

pub(crate) use attribute::attribute;
pub(super) use attribute::meant_help;
pub(crate) use child::children;
pub(super) use child::{namespace_declaration, rename};
pub(crate) use value::value;

use crate::schema::trim;

/// Names longer than this are not worth comparing with ours.
const LONGEST_NAME_TO_COMPARE: usize = 32;

/// The types that a domain's disk may have and a backup's may not.
pub(super) const FOREIGN_TYPES: [&str; 6] = ["network", "volume", "nvme", "dir", "vhostuser", "vhostvdpa"];

/// The word among `words` that `written` was likely meant to be.
pub(crate) fn nearest<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if written.len() > LONGEST_NAME_TO_COMPARE {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    words
        .map(|word| (strsim::osa_distance(&lower, word), word))
        .filter(|(distance, word)| *distance <= tolerance(word.len().max(lower.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many slips of the pen a word of `length` bytes may have.
fn tolerance(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=11 => 2,
        _ => 3,
    }
}

/// A name or value for a message: on one line, and what is very long is cut.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = name.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(LONGEST) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A value for a message, in single quotes.
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", shortened(value))
}

/// Whether `written` differs from `meant` by case or one slip only, so that the meaning is beyond doubt.
pub(crate) fn is_slip(written: &str, meant: &str) -> bool {
    let lower = trim(written).to_ascii_lowercase();
    lower.len() > 1 && strsim::osa_distance(&lower, meant) <= 1
}
