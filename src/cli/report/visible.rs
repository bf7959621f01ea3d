//! Makes characters visible that would steer a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal would do something else with a character than show it.
fn controls_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The symbol for a character that steers, one column wide; tabs stay.
pub(super) fn symbol(character: char) -> char {
    match character {
        '\t' => character,
        '\u{7f}' => '\u{2421}',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ if controls_terminal(character) => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// Text on one line, with symbols for what steers.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(controls_terminal) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|character| if character == '\t' { '\u{2409}' } else { symbol(character) }).collect())
}

/// A line of a document, with symbols for what steers; tabs stay.
pub(crate) fn text(line: &str) -> Cow<'_, str> {
    if !line.contains(controls_terminal) {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.chars().map(symbol).collect())
}

/// JSON in which what steers stands as `\u…`. Outside of strings there is nothing that could.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(controls_terminal) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if controls_terminal(character) && character != '\n' {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(line("a\u{1b}[31m\n\u{9b}\u{202e}é\t"), "a␛[31m␊\u{fffd}\u{fffd}é␉");
        assert_eq!(line("a\u{2028}\u{feff}b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(json("\"\u{9b}\""), "\"\\u009b\"");
        assert!(matches!(line("plain é"), Cow::Borrowed(_)));
    }
}
