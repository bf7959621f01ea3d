//! Placeholders of templates and scripts that nothing has filled in: `${DISK}`, `{{ disk }}`, `%(disk)s`, `CHANGEME`.

use crate::wording::code;

/// Longer ones are not looked for, so that a text full of opening marks takes no longer than any other.
const MAX_LENGTH: usize = 160;

/// What was to fill a placeholder in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Variable,
    Command,
    Template,
    FormatString,
    Word,
}

/// What may stand between the marks of a placeholder.
#[derive(Clone, Copy)]
enum Content {
    Any,
    /// A letter or `_`, then letters, digits and `_.-`.
    Name,
    /// The same in capitals.
    Capitals,
}

/// Marks around a placeholder. What libvirt accepts is more likely what its author wanted: there the marks must be
/// unmistakable.
struct Marks {
    open: &'static str,
    close: &'static str,
    content: Content,
    unmistakable: bool,
    kind: Kind,
}

const fn marks(open: &'static str, close: &'static str, content: Content, unmistakable: bool, kind: Kind) -> Marks {
    Marks { open, close, content, unmistakable, kind }
}

/// The first that fits is taken, so that longer marks come before shorter ones.
const MARKS: [Marks; 17] = [
    marks("{{", "}}", Content::Any, true, Kind::Template),
    marks("{%", "%}", Content::Any, true, Kind::Template),
    marks("<%", "%>", Content::Any, true, Kind::Template),
    marks("#{", "}", Content::Any, true, Kind::Template),
    marks("${", "}", Content::Any, true, Kind::Variable),
    marks("$(", ")", Content::Any, true, Kind::Command),
    marks("`", "`", Content::Any, true, Kind::Command),
    marks("%(", ")s", Content::Name, true, Kind::FormatString),
    marks("%(", ")d", Content::Name, true, Kind::FormatString),
    marks("%{", "}", Content::Name, true, Kind::FormatString),
    marks("{", "}", Content::Name, true, Kind::FormatString),
    marks("@", "@", Content::Name, true, Kind::Template),
    marks("%", "%", Content::Capitals, true, Kind::Variable),
    marks("__", "__", Content::Capitals, true, Kind::Word),
    marks("[[", "]]", Content::Any, false, Kind::Template),
    marks("<", ">", Content::Capitals, false, Kind::Word),
    marks("[", "]", Content::Capitals, false, Kind::Word),
];

/// What people write where a value is still to come.
const WORDS: [&str; 11] = [
    "CHANGEME",
    "CHANGE_ME",
    "CHANGE-ME",
    "changeme",
    "REPLACEME",
    "REPLACE_ME",
    "REPLACE-ME",
    "PLACEHOLDER",
    "FIXME",
    "TODO",
    "TBD",
];

/// Conversions of printf and format that stand by themselves.
const CONVERSIONS: [&str; 3] = ["%s", "%d", "{}"];

/// A placeholder in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder<'t> {
    /// The offset of its first byte.
    pub start: usize,
    pub written: &'t str,
    kind: Kind,
}

impl Placeholder<'_> {
    pub fn end(&self) -> usize {
        self.start + self.written.len()
    }

    /// What is wrong with it.
    pub fn message(&self) -> String {
        let what = match self.kind {
            Kind::Variable => "unexpanded variable",
            Kind::Command => "unexpanded command",
            Kind::Template => "unexpanded template expression",
            Kind::FormatString => "unexpanded field of a format string",
            Kind::Word => "unfilled placeholder",
        };
        format!("{what} {}", code(self.written))
    }

    pub fn help(&self) -> &'static str {
        match self.kind {
            Kind::Variable | Kind::Command => {
                "libvirt expands no variables and runs no commands: check the output of the script, not its source"
            }
            Kind::Template => "render the template first, and check its output",
            Kind::FormatString => "fill in the format string first, and check the result",
            Kind::Word => "replace it with the value",
        }
    }
}

/// The first placeholder of a text that libvirt accepts, where only unmistakable ones count.
pub(crate) fn find(text: &str) -> Option<Placeholder<'_>> {
    first(text, true)
}

/// The first placeholder of a text that libvirt refuses.
pub(crate) fn find_in_invalid(text: &str) -> Option<Placeholder<'_>> {
    first(text, false)
}

/// The placeholder that a text starts with.
pub(crate) fn at_start(text: &str) -> Option<Placeholder<'_>> {
    let (kind, length) = length_at(text, None, true)?;
    Some(Placeholder { start: 0, written: text.get(..length)?, kind })
}

/// The placeholder in angle brackets that a text starts with.
pub(crate) fn in_angle_brackets(text: &str) -> Option<Placeholder<'_>> {
    let (kind, length) = length_at(text, None, false).filter(|_| text.starts_with('<'))?;
    Some(Placeholder { start: 0, written: text.get(..length)?, kind })
}

fn first(text: &str, unmistakable: bool) -> Option<Placeholder<'_>> {
    let mut before = None;
    text.char_indices().find_map(|(start, character)| {
        let previous = before.replace(character);
        let rest = text.get(start..)?;
        let (kind, length) = length_at(rest, previous, unmistakable)?;
        Some(Placeholder { start, written: rest.get(..length)?, kind })
    })
}

/// The kind and length of the placeholder that `text` starts with, `previous` being the character before it.
fn length_at(text: &str, previous: Option<char>, unmistakable: bool) -> Option<(Kind, usize)> {
    let first = text.bytes().next()?;
    if first == b'$'
        && let Some(length) = name_length(text.get(1..)?)
    {
        return Some((Kind::Variable, 1 + length));
    }
    if matches!(first, b'{' | b'<' | b'#' | b'$' | b'`' | b'%' | b'@' | b'_' | b'[') {
        let marks = MARKS.iter().filter(|marks| marks.unmistakable || !unmistakable);
        let delimited = marks.filter_map(|marks| Some((marks.kind, delimited_length(text, marks)?)));
        if let Some(found) = delimited.into_iter().next() {
            return Some(found);
        }
        let is_conversion = |conversion: &&&str| text.starts_with(**conversion);
        if !unmistakable && let Some(conversion) = CONVERSIONS.iter().find(is_conversion) {
            return Some((Kind::FormatString, conversion.len()));
        }
    }
    if previous.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let ends = |word: &str| !text.get(word.len()..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    let word = WORDS.iter().find(|word| text.starts_with(**word) && ends(word))?;
    Some((Kind::Word, word.len()))
}

/// How long the name is that a text starts with.
fn name_length(text: &str) -> Option<usize> {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let length = text.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(text.len());
    (starts && length > 0).then_some(length)
}

fn delimited_length(text: &str, marks: &Marks) -> Option<usize> {
    let rest = text.strip_prefix(marks.open)?;
    let near = rest.get(..rest.floor_char_boundary(MAX_LENGTH)).unwrap_or_default();
    let content = near.get(..near.find(marks.close)?)?;
    let is_name = |in_capitals: bool| {
        let may_start = |first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '.');
        let continues = |next: char| {
            (next.is_ascii_alphanumeric() || matches!(next, '_' | '.' | '-'))
                && !(in_capitals && next.is_ascii_lowercase())
        };
        content.starts_with(may_start) && content.chars().all(continues)
    };
    let fits = match marks.content {
        Content::Any => !content.trim().is_empty(),
        Content::Name => is_name(false),
        Content::Capitals => is_name(true),
    };
    fits.then_some(marks.open.len() + content.len() + marks.close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<&str> {
        find(text).map(|placeholder| placeholder.written)
    }

    #[test]
    fn placeholders_are_found_in_accepted_text() {
        for (text, expected) in [
            ("/b/${X}/y", "${X}"),
            ("/b/$X/y", "$X"),
            ("/b/$(date +%F)", "$(date +%F)"),
            ("/b/`date`.img", "`date`"),
            ("{{ x }}", "{{ x }}"),
            ("a{% if x %}", "{% if x %}"),
            ("<%= x %>", "<%= x %>"),
            ("#{@x}", "#{@x}"),
            ("/@datadir@/x", "@datadir@"),
            ("%(x)s", "%(x)s"),
            ("/b/{disk}.img", "{disk}"),
            ("%BACKUP%\\x", "%BACKUP%"),
            ("/b/CHANGEME", "CHANGEME"),
            ("/b/TODO.img", "TODO"),
            ("__DISK__", "__DISK__"),
        ] {
            assert_eq!(written(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_name_is_none() {
        for text in ["/d$/x", "100%", "a@b", "{0}", "[old]", "TODOS", "mastodon", "50%/60%", "/a%20b", "%s", "__x__"] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn in_what_libvirt_refuses_less_is_enough() {
        for text in ["%s", "{}", "<DISK>", "[DISK]", "[[ x ]]"] {
            assert_eq!(find_in_invalid(text).map(|placeholder| placeholder.written), Some(text));
        }
        assert_eq!(find_in_invalid("qcow3"), None);
    }

    #[test]
    fn many_opening_marks_take_no_longer() {
        assert_eq!(written(&"{{".repeat(200_000)), None);
    }
}
