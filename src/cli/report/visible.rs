//! Makes characters visible that a terminal does not show as what they are: controls, marks that change the direction
//! of text, and those without any width. What people read goes through here, and so does JSON.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is not seen, or changes how others are.
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Format characters of scripts and of text in two directions.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tags, and more variation selectors.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Writes a character as people are to see it: a picture of one column for the controls of ASCII, the number of any other
/// that is hidden.
pub(super) fn push(out: &mut String, character: char) {
    match character {
        '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(character))),
        _ if is_hidden(character) => push_number(out, character),
        _ => out.push(character),
    }
}

/// Writes the number of a character, as `<U+200B>`.
pub(super) fn push_number(out: &mut String, character: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, "<U+{:04X}>", u32::from(character));
}

/// Text on one line: the name of a file, a message. No-break spaces are shown too, for they look like spaces and are
/// not.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    const NO_BREAK_SPACES: [char; 2] = ['\u{a0}', '\u{202f}'];
    let text = inert(text);
    let is_shown = |character: char| is_hidden(character) || NO_BREAK_SPACES.contains(&character);
    if !text.contains(is_shown) {
        return text;
    }
    let mut line = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if NO_BREAK_SPACES.contains(&character) {
            push_number(&mut line, character);
        } else {
            push(&mut line, character);
        }
    }
    Cow::Owned(line)
}

/// A line of a document; tabs stay.
pub(crate) fn text(line: &str) -> Cow<'_, str> {
    if !line.contains(is_hidden) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len() + 16);
    for character in line.chars() {
        if character == '\t' { text.push('\t') } else { push(&mut text, character) }
    }
    Cow::Owned(text)
}

/// Text that GitHub takes for no workflow command, wherever a line is broken: `::warning::` at the start of a line and
/// `##[warning]` anywhere are commands.
fn inert(text: &str) -> Cow<'_, str> {
    const OLD_COMMAND: &str = "##[";
    let mut commands = text.match_indices("::").map(|(at, _)| at).filter(|at| is_command(text, at + 2)).peekable();
    let mut inert = Cow::Borrowed(text);
    if commands.peek().is_some() {
        let mut changed = String::with_capacity(text.len() + 16);
        let mut done = 0;
        for at in commands {
            changed.push_str(text.get(done..at).unwrap_or_default());
            push_number(&mut changed, ':');
            done = at + 1;
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        inert = Cow::Owned(changed);
    }
    if inert.contains(OLD_COMMAND) { Cow::Owned(inert.replace(OLD_COMMAND, "##<U+005B>")) } else { inert }
}

/// Whether a word that could be a command's name starts at `start`; a group of an IPv6 address could not.
fn is_command(text: &str, start: usize) -> bool {
    let letters = text.get(start..).unwrap_or_default().bytes();
    letters.take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'-').any(|byte| !byte.is_ascii_hexdigit())
}

/// JSON in which hidden characters stand as `\u…`. Outside of strings there are none but line feeds.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
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
    fn hidden_characters_are_shown() {
        assert_eq!(line("a\u{1b}[31m\n\u{9b}\u{202e}é\t\u{7f}"), "a␛[31m␊<U+009B><U+202E>é␉<U+007F>");
        assert_eq!(line("a\u{2028}\u{feff}b\u{200b}\u{e0041}"), "a<U+2028><U+FEFF>b<U+200B><U+E0041>");
        assert_eq!(line("10\u{a0}GB"), "10<U+00A0>GB");
        assert_eq!(text("\ta\u{a0}b\u{ad}\r"), "\ta\u{a0}b<U+00AD>␍");
        for plain in ["plain é", "a: b", "fe80::abcd:1", "::1", "::ffff:1.2.3.4", "漢字"] {
            assert!(matches!(line(plain), Cow::Borrowed(_)), "{plain}");
        }
    }

    #[test]
    fn json_means_what_it_did() {
        let text = "\u{9b}\u{200b}\u{e0041}\u{fe0f}";
        let escaped = json(&format!("\"{text}\"")).into_owned();
        assert_eq!(escaped, "\"\\u009b\\u200b\\udb40\\udc41\\ufe0f\"");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn no_text_is_a_workflow_command() {
        assert_eq!(line("::error file=x::y"), "<U+003A>:error file=x<U+003A>:y");
        assert_eq!(line("a ::error::b"), "a <U+003A>:error::b");
        assert_eq!(line("a##[error]b"), "a##<U+005B>error]b");
    }
}
