//! Characters that look like others, or like nothing: a zero width space, a Cyrillic а, a full-width ＝.
//!
//! Copied text is full of them, and a reader of a message cannot see them: they are named by code point.

mod table;

use crate::wording;

use table::TABLE;

/// A character that is easily taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous {
    pub character: char,
    /// What it looks like: a space, nothing, a letter.
    pub looks_like: &'static str,
    name: &'static str,
}

impl Ambiguous {
    pub fn new(character: char) -> Option<Self> {
        if character.is_ascii() {
            return None;
        }
        let found = TABLE.binary_search_by_key(&character, |(known, _, _)| *known).ok()?;
        let &(character, looks_like, name) = TABLE.get(found)?;
        Some(Self { character, looks_like, name })
    }

    /// Whether it cannot be seen, or not be told from a space.
    pub fn is_invisible(self) -> bool {
        self.looks_like.trim().is_empty()
    }

    /// What is wrong with a text that holds it.
    pub fn message(self) -> String {
        match self.looks_like {
            "" => format!("invisible character {self}"),
            " " => format!("{self} in place of a space"),
            looks_like => format!("{self} in place of `{looks_like}`"),
        }
    }

    pub fn help(self) -> String {
        match self.looks_like {
            "" => "remove it; it may have been copied along".to_owned(),
            " " => "write a space; web pages and word processors use other characters".to_owned(),
            looks_like => format!("write `{looks_like}`"),
        }
    }

    pub fn fix_message(self) -> String {
        match self.looks_like {
            "" => wording::remove("it"),
            " " => wording::replace_with("a space"),
            looks_like => wording::replace_with(&wording::code(looks_like)),
        }
    }
}

/// `U+200B ZERO WIDTH SPACE`
impl std::fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "U+{:04X} {}", u32::from(self.character), self.name)
    }
}

/// The ambiguous characters of a text and their offsets.
pub(crate) fn all(text: &str) -> impl Iterator<Item = (usize, Ambiguous)> {
    text.char_indices().filter_map(|(at, character)| Some((at, Ambiguous::new(character)?)))
}

/// The text with what each ambiguous character looks like in its place; `None` if there is none.
pub(crate) fn replaced(text: &str) -> Option<String> {
    if text.is_ascii() || all(text).next().is_none() {
        return None;
    }
    let mut replaced = String::with_capacity(text.len());
    for character in text.chars() {
        match Ambiguous::new(character) {
            Some(ambiguous) => replaced.push_str(ambiguous.looks_like),
            None => replaced.push(character),
        }
    }
    Some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_leads_to_ascii() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|(character, looks_like, _)| !character.is_ascii() && looks_like.is_ascii()));
    }

    #[test]
    fn characters_are_named_and_replaced() {
        let ambiguous = Ambiguous::new('\u{200b}').unwrap();
        assert_eq!(ambiguous.to_string(), "U+200B ZERO WIDTH SPACE");
        assert!(ambiguous.is_invisible());
        assert_eq!(replaced("ｖd\u{430}\u{a0}"), Some("vda ".to_owned()));
        assert_eq!(replaced("größe 备份"), None);
    }
}
