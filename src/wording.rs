//! Names, values and lists in messages, and the known word that a misspelt one resembles.

/// At most this many of a domain's disks are listed in a help line.
pub(crate) const MAX_DISKS_LISTED: usize = 12;

/// Names longer than this are not worth comparing with ours.
const MAX_COMPARED_LENGTH: usize = 32;

/// The word among `words` that `written` was likely meant to be.
pub(crate) fn closest_match<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if written.len() > MAX_COMPARED_LENGTH {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    words
        .map(|word| (strsim::osa_distance(&lower, word), word))
        .filter(|(distance, word)| *distance <= max_distance(word.len().max(lower.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many slips of the pen a word of `length` bytes may have.
fn max_distance(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=11 => 2,
        _ => 3,
    }
}

/// A name or value for a message: on one line, and what is very long is cut.
pub(crate) fn truncate_for_display(name: &str) -> String {
    const MAX_LENGTH: usize = 60;
    let mut characters = name.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(MAX_LENGTH) {
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
    format!("'{}'", truncate_for_display(value))
}

/// Whether `written` differs from `intended` by case or one slip only, so that the meaning is beyond doubt.
pub(crate) fn is_single_typo(written: &str, intended: &str) -> bool {
    let lower = trim(written).to_ascii_lowercase();
    lower.len() > 1 && strsim::osa_distance(&lower, intended) <= 1
}

/// `a`, `a or b`, `a, b or c`
pub(crate) fn join_with_or<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [word] => word.as_ref().to_owned(),
        [words @ .., last] => {
            let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", words.join(", "), last.as_ref())
        }
    }
}

/// Joins the names of disks for a sentence: `'vda', 'vdb' and 'vdc'`; of very many, the first.
pub(crate) fn join_with_and(names: &[&str]) -> String {
    if let Some(first) = names.get(..MAX_DISKS_LISTED).filter(|first| first.len() < names.len()) {
        return format!("{} and {} more", join_with_and(first), names.len() - first.len());
    }
    match names {
        [] => String::new(),
        [only] => format!("'{only}'"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| format!("'{name}'")).collect();
            format!("{} and '{last}'", first.join(", "))
        }
    }
}

/// `value` without the white space that XML knows around it.
#[must_use]
pub(crate) fn trim(value: &str) -> &str {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t' | b'\n' | b'\r'));
    if is_space(value.as_bytes().first()) || is_space(value.as_bytes().last()) {
        return value.trim_matches([' ', '\t', '\n', '\r']);
    }
    value
}
