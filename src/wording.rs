//! Names, values and lists in messages, and suggestions for misspelt words.

/// Maximum number of the domain's disks that a message lists.
pub(crate) const MAX_DISKS_LISTED: usize = 12;

/// Longer names are not compared with known words.
const MAX_COMPARED_LENGTH: usize = 32;

/// The word among `words` that is closest to `written`, if it is close enough to be a misspelling of it.
pub(crate) fn closest_match<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if written.len() > MAX_COMPARED_LENGTH {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    let length = lower.chars().count();
    let max_distance_to = |word: &str| max_distance(word.len().max(lower.len()));
    words
        // The distance is at least the difference of the lengths, which takes no time for a very long word.
        .filter(|word| word.chars().count().abs_diff(length) <= max_distance_to(word))
        .map(|word| (strsim::osa_distance(&lower, word), word))
        .filter(|(distance, word)| *distance <= max_distance_to(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The maximum edit distance of a misspelling of a word of `length` bytes.
fn max_distance(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=11 => 2,
        _ => 3,
    }
}

/// A name or value for a message, truncated if it is long. Reports make hidden characters visible.
pub(crate) fn truncate_for_display(name: &str) -> String {
    const MAX_LENGTH: usize = 60;
    let mut characters = name.chars();
    let mut shown: String = characters.by_ref().take(MAX_LENGTH).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Whether `written` differs from `intended` by case or a single edit only, so that a fix is safe.
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

/// Lists names of disks, as in `'vda', 'vdb' and 'vdc'`; at most [`MAX_DISKS_LISTED`] of them.
pub(crate) fn join_with_and(names: &[&str]) -> String {
    if let Some(first) = names.get(..MAX_DISKS_LISTED).filter(|first| first.len() < names.len()) {
        return format!("{} and {} more", join_with_and(first), names.len() - first.len());
    }
    match names {
        [] => String::new(),
        [only] => code(only),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| code(name)).collect();
            format!("{} and {}", first.join(", "), code(last))
        }
    }
}

/// The first disks of a domain, as in `vda, vdb`.
pub(crate) fn list_targets<'a>(targets: impl Iterator<Item = &'a str>) -> String {
    let mut targets = targets.map(truncate_for_display);
    let mut all = targets.by_ref().take(MAX_DISKS_LISTED).collect::<Vec<_>>().join(", ");
    if targets.next().is_some() {
        all.push_str(", …");
    }
    all
}

/// `value` without leading and trailing XML white space.
#[must_use]
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches(is_space)
}

/// Whether a character is white space to XML.
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The length of the white space that a text begins with, in bytes.
pub(crate) fn space_length(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_space).len()
}

/// A name or value between backticks.
pub(crate) fn code(written: &str) -> String {
    format!("`{}`", truncate_for_display(written))
}

/// The start tag of an element called `name`.
pub(crate) fn tag(name: &str) -> String {
    format!("<{}>", truncate_for_display(name))
}

/// `name='value'`, in the quotes that the value leaves free.
pub(crate) fn setting(name: &str, value: &str) -> String {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    format!("{name}={quote}{}{quote}", truncate_for_display(value))
}

/// The same, whole: for a document.
pub(crate) fn quoted_setting(name: &str, value: &str) -> String {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    format!("{name}={quote}{value}{quote}")
}

// What is wrong.

pub(crate) fn missing_element(name: &str) -> String {
    format!("missing element {}", tag(name))
}

pub(crate) fn missing_attribute(name: &str, element: &str) -> String {
    format!("missing attribute `{name}` on {}", tag(element))
}

pub(crate) fn unknown_element(name: &str, parent: &str) -> String {
    format!("unknown element {} in {}", tag(name), tag(parent))
}

pub(crate) fn unknown_attribute(name: &str, element: &str) -> String {
    format!("unknown attribute {} on {}", code(name), tag(element))
}

pub(crate) fn element_not_allowed(name: &str, parent: &str) -> String {
    format!("{} is not allowed in {}", tag(name), tag(parent))
}

pub(crate) fn attribute_not_allowed(name: &str, element: &str) -> String {
    format!("attribute {} is not allowed on {}", code(name), tag(element))
}

pub(crate) fn duplicate_element(name: &str, parent: &str) -> String {
    format!("duplicate element {} in {}", tag(name), tag(parent))
}

pub(crate) fn duplicate_attribute(name: &str) -> String {
    format!("duplicate attribute {}", code(name))
}

pub(crate) fn invalid_value(value: &str, attribute: &str, element: &str) -> String {
    format!("invalid value {} for attribute `{attribute}` of {}", code(value), tag(element))
}

pub(crate) fn wrong_root(name: &str) -> String {
    format!("wrong root element {}", tag(name))
}

pub(crate) fn in_namespace(name: &str, namespace: &str) -> String {
    format!("{} is in namespace {}", tag(name), code(namespace))
}

pub(crate) fn text_not_allowed(element: &str) -> String {
    format!("text is not allowed in {}", tag(element))
}

pub(crate) fn white_space_around(attribute: &str, element: &str) -> String {
    format!("white space around the value of attribute `{attribute}` of {}", tag(element))
}

pub(crate) fn port_out_of_range(value: &str) -> String {
    format!("port {} is out of range (0 to 65535)", truncate_for_display(value))
}

pub(crate) fn unexpected_end_tag(name: &str) -> String {
    format!("unexpected end tag </{}>", truncate_for_display(name))
}

pub(crate) fn not_closed(what: &str) -> String {
    format!("{what} is not closed")
}

pub(crate) fn ends_inside(what: &str) -> String {
    format!("document ends inside {what}")
}

/// Something `before` or `after` the root element.
pub(crate) fn outside_root(what: &str, place: &str) -> String {
    format!("{what} {place} the root element")
}

pub(crate) fn character_not_allowed(code: u32) -> String {
    format!("character U+{code:04X} is not allowed in XML")
}

/// For a setting of the XML declaration.
pub(crate) fn invalid_setting(value: &str, name: &str) -> String {
    format!("invalid value {} for `{name}` of the XML declaration", code(value))
}

pub(crate) const UNESCAPED_LESS_THAN: &str = "unescaped `<`";
pub(crate) const TAG_WITHOUT_LESS_THAN: &str = "missing `<` at the start of a tag";

pub(crate) fn not_absolute(value: &str, attribute: &str) -> String {
    format!("`{attribute}` must be an absolute path, got {}", code(value))
}

// Labels.

pub(crate) const FIRST_ONE: &str = "first one here";
pub(crate) const SAME_HERE: &str = "the same here";
pub(crate) const REQUIRED_BY_THIS: &str = "required by this";
pub(crate) const TYPE_IS_SET_HERE: &str = "type is set here";
pub(crate) const TRANSPORT_IS_SET_HERE: &str = "transport is set here";

// What to write instead.

/// What may be written: "expected" and the words.
pub(crate) fn expected<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<_> = words.iter().map(|word| code(word.as_ref())).collect();
    format!("expected {}", join_with_or(&words))
}

pub(crate) fn did_you_mean(shown: &str) -> String {
    format!("did you mean {shown}?")
}

/// For a name that differs from one of libvirt's.
pub(crate) fn did_you_mean_name(written: &str, intended: &str, shown: &str) -> String {
    if written.eq_ignore_ascii_case(intended) {
        let case = if intended.contains(|letter: char| letter.is_ascii_uppercase()) {
            "case-sensitive"
        } else {
            "in lower case"
        };
        format!("names are {case}: write {shown}")
    } else {
        did_you_mean(shown)
    }
}

/// What an element may hold: its attributes, or its children.
pub(crate) fn known_attributes(element: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return format!("{} has no attributes", tag(element));
    }
    let names: Vec<_> = names.iter().map(|name| code(name)).collect();
    format!("attributes of {}: {}", tag(element), names.join(", "))
}

pub(crate) fn known_elements(parent: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return format!("{} has no child elements", tag(parent));
    }
    let names: Vec<_> = names.iter().map(|name| tag(name)).collect();
    format!("elements in {}: {}", tag(parent), names.join(", "))
}

/// Where a misplaced element or attribute belongs.
pub(crate) fn belongs(shown: &str, parents: &[String]) -> String {
    format!("{shown} belongs to {}", join_with_or(parents))
}

pub(crate) const WRITE_ABSOLUTE_PATH: &str = "write an absolute path, which starts with `/`";
pub(crate) const NO_ROOT_PREFIX: &str = "write the name without a namespace prefix";
pub(crate) const ONLY_LISTED_DISKS: &str =
    "<disks> includes only the disks that it lists: list each one, and those to exclude with backup='no'";
pub(crate) const NO_NAMESPACE: &str = "remove it: libvirt's elements and attributes are in no namespace";
pub(crate) const REMOVE_WHITE_SPACE: &str = "remove the white space";
pub(crate) const NEWER_LIBVIRT: &str = "a newer libvirt may know it";

// What fixes do.

pub(crate) fn remove(shown: &str) -> String {
    format!("remove {shown}")
}

pub(crate) fn into_comment(shown: &str) -> String {
    format!("move {shown} into a comment")
}

pub(crate) fn insert(shown: &str) -> String {
    format!("insert {shown}")
}

pub(crate) fn add(shown: &str) -> String {
    format!("add {shown}")
}

pub(crate) fn replace_with(shown: &str) -> String {
    format!("replace it with {shown}")
}

pub(crate) fn rename_to(shown: &str) -> String {
    format!("rename it to {shown}")
}

pub(crate) fn move_to(shown: &str) -> String {
    format!("move it to {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short() {
        assert_eq!(truncate_for_display(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
        assert_eq!(truncate_for_display(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn a_setting_is_quoted_so_that_it_can_be_copied() {
        assert_eq!(setting("name", "vda"), "name='vda'");
        assert_eq!(setting("file", "/it's"), "file=\"/it's\"");
    }
}
