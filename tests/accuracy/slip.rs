//! Random slips of the keyboard and of copying in the text of a document: one each, the same ones in each run.

use std::ops::Range;

/// A text with one slip, and its kind.
pub struct Slip {
    pub kind: &'static str,
    pub text: String,
}

/// A generator of numbers that needs no quality (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

const KINDS: [&str; 24] = [
    "character left out",
    "character doubled",
    "characters swapped",
    "character replaced",
    "character inserted",
    "capital letter",
    "quote left out",
    "other quote",
    "typographic quote",
    "no-break space",
    "invalid character",
    "ampersand",
    "space around a value",
    "space left out",
    "attribute doubled",
    "attribute renamed",
    "attribute in a namespace",
    "namespace on an element",
    "prefix on an element",
    "line doubled",
    "line left out",
    "lines swapped",
    "backslash in an end tag",
    "slash left out",
];

/// A text with one slip, unless there is no place for the chosen one.
pub fn slip(text: &str, random: &mut Random) -> Option<Slip> {
    let kind = random.pick(&KINDS);
    let mut changed = text.to_owned();
    let characters: Vec<Range<usize>> = text.char_indices().map(|(at, found)| at..at + found.len_utf8()).collect();
    let at = random.pick(&characters);
    let attribute = || text.match_indices("='").map(|(equals, _)| attribute_around(text, equals)).collect::<Vec<_>>();
    let names: Vec<_> = starts_of_names(text);
    let lines: Vec<Range<usize>> = lines(text);
    match kind {
        "character left out" => changed.replace_range(at, ""),
        "character doubled" => changed.insert_str(at.end, &text[at]),
        "characters swapped" => {
            let next = characters.iter().find(|next| next.start == at.end)?;
            let swapped = format!("{}{}", &text[next.clone()], &text[at.clone()]);
            changed.replace_range(at.start..next.end, &swapped);
        }
        "character replaced" => changed.replace_range(at, random.pick(&["a", "e", "x", "m", "1", "-"])),
        "character inserted" => changed.insert_str(at.start, random.pick(&["a", "s", "x", "q", "2", " "])),
        "capital letter" => changed.replace_range(at.clone(), &text[at].to_ascii_uppercase()),
        "quote left out" | "other quote" | "typographic quote" => {
            let quotes: Vec<_> = text.match_indices('\'').map(|(at, _)| at).collect();
            let at = random.pick(&quotes);
            let new = match kind {
                "quote left out" => "",
                "other quote" => "\"",
                _ => "’",
            };
            changed.replace_range(at..=at, new);
        }
        "no-break space" | "space left out" => {
            let spaces: Vec<_> = text.match_indices(' ').map(|(at, _)| at).collect();
            let at = random.pick(&spaces);
            changed.replace_range(at..=at, if kind == "no-break space" { "\u{a0}" } else { "" });
        }
        "invalid character" => changed.insert_str(at.start, random.pick(&["\u{1}", "\u{fffe}", "\u{8}"])),
        "ampersand" => changed.insert(at.start, '&'),
        "space around a value" => {
            let attributes = attribute();
            let (_, value) = random.pick(&attributes);
            changed.insert(if random.below(2) == 0 { value.start } else { value.end }, ' ');
        }
        "attribute doubled" => {
            let attributes = attribute();
            let (whole, _) = random.pick(&attributes);
            changed.insert_str(whole.end, &format!(" {}", &text[whole.clone()]));
        }
        "attribute renamed" => {
            let attributes = attribute();
            let (whole, value) = random.pick(&attributes);
            let new = random.pick(&["host", "path", "filename", "format", "device", "kind", "id", "dest"]);
            changed.replace_range(whole.start..value.start - 2, new);
        }
        "attribute in a namespace" => {
            let attributes = attribute();
            changed.insert_str(random.pick(&attributes).0.start, "b:");
        }
        "namespace on an element" => changed.insert_str(random.pick(&names).end, " xmlns='urn:x'"),
        "prefix on an element" => changed.insert_str(random.pick(&names).start, "b:"),
        "line doubled" => {
            let line = random.pick(&lines);
            changed.insert_str(line.end, &text[line]);
        }
        "line left out" => changed.replace_range(random.pick(&lines), ""),
        "lines swapped" => {
            let first = random.below(lines.len().checked_sub(1).filter(|last| *last > 0)?);
            let (first, second) = (lines[first].clone(), lines[first + 1].clone());
            changed.replace_range(first.start..second.end, &format!("{}{}", &text[second.clone()], &text[first]));
        }
        "backslash in an end tag" => {
            let ends: Vec<_> = text.match_indices("</").map(|(at, _)| at).collect();
            let at = random.pick(&ends);
            changed.replace_range(at + 1..at + 2, "\\");
        }
        _ => {
            let slashes: Vec<_> = text
                .match_indices('/')
                .filter(|(at, _)| text[..*at].ends_with('<') || text[at + 1..].starts_with('>'))
                .map(|(at, _)| at)
                .collect();
            let at = random.pick(&slashes);
            changed.replace_range(at..=at, "");
        }
    }
    (changed != text).then_some(Slip { kind, text: changed })
}

/// An attribute and its value, by the place of `='`.
fn attribute_around(text: &str, equals: usize) -> (Range<usize>, Range<usize>) {
    let start = text[..equals].rfind(' ').map_or(0, |space| space + 1);
    let end = equals + 2 + text[equals + 2..].find('\'').unwrap();
    (start..end + 1, equals + 2..end)
}

fn starts_of_names(text: &str) -> Vec<Range<usize>> {
    let tags = text.match_indices('<').filter(|(at, _)| !text[at + 1..].starts_with('/'));
    tags.map(|(at, _)| at + 1..at + 1 + text[at + 1..].find([' ', '>', '/']).unwrap()).collect()
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            range
        })
        .collect()
}
