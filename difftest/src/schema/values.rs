//! Values of the schema's data types.

use anyhow::{Context, Result, bail};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::random::Random;

/// Repetitions of `*` and `+` beyond the least number.
const MAX_MORE: u32 = 6;

/// A value of a data type. Numbers are of the pattern only, so that some are too large.
pub fn data(kind: &str, pattern: Option<&str>, random: &mut Random) -> Result<String> {
    let Some(pattern) = pattern else {
        return Ok(match kind {
            "string" | "token" => text(random),
            "unsignedInt" | "unsignedLong" | "positiveInteger" | "int" | "integer" => random.below(300).to_string(),
            _ => bail!("cannot sample the data type {kind}"),
        });
    };
    let number = matches!(kind, "unsignedInt" | "unsignedLong");
    if number && random.percent(20) {
        let boundaries = ["0", "65535", "65536", "4294967295", "4294967296", "18446744073709551615", "00", "065535"];
        return Ok(random.pick(&boundaries).to_owned());
    }
    let parsed = regex_syntax::parse(pattern).with_context(|| format!("cannot read the pattern {pattern}"))?;
    let mut value = String::new();
    sample(&parsed, random, &mut value);
    Ok(value)
}

fn sample(pattern: &Hir, random: &mut Random, value: &mut String) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => value.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => value.push(character(class, random)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min + MAX_MORE);
            let more = usize::try_from(most - repetition.min).unwrap_or_default();
            let times = repetition.min as usize + random.below(more + 1);
            for _ in 0..times {
                sample(&repetition.sub, random, value);
            }
        }
        HirKind::Capture(capture) => sample(&capture.sub, random, value),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, random, value)),
        HirKind::Alternation(parts) => sample(&parts[random.below(parts.len())], random, value),
    }
}

fn character(class: &Class, random: &mut Random) -> char {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    // Classes such as `.` contain nearly everything: mostly printable ASCII is taken of them.
    let contains = |character: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&u32::from(character)));
    if contains(' ') && contains('\u{e9}') {
        let character = text_character(random);
        return if contains(character) { character } else { 'a' };
    }
    let (start, end) = random.pick(&ranges);
    let offset = random.below(usize::try_from(end - start).unwrap_or_default() + 1);
    u32::try_from(offset).ok().and_then(|offset| char::from_u32(start + offset)).unwrap_or('a')
}

/// Any text that a document can contain.
pub fn text(random: &mut Random) -> String {
    let length = random.pick(&[0, 1, 1, 3, 3, 8, 8, 20]);
    (0..length).map(|_| text_character(random)).collect()
}

fn text_character(random: &mut Random) -> char {
    if random.percent(6) {
        return random.pick(&['\t', '\n', '\r', '\u{a0}', '\u{e9}', '\u{3b1}', '\u{2028}', '\u{6f22}', '\u{1f600}']);
    }
    let printable = u32::try_from(random.below(95)).unwrap_or_default();
    char::from_u32(0x20 + printable).unwrap_or('a')
}

/// A value with one character more, less or another, or in other letters.
pub fn spoil(value: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = value.chars().collect();
    let place = random.below(characters.len() + 1);
    match random.below(4) {
        0 => characters.insert(place, text_character(random)),
        1 if place < characters.len() => drop(characters.remove(place)),
        2 if place < characters.len() => characters[place] = text_character(random),
        _ => return value.to_uppercase(),
    }
    characters.into_iter().collect()
}
