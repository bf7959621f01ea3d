//! Random documents sampled from libvirt's own RELAX NG schema, which knows nothing of this project's tables, and the
//! same documents with single characters changed.

mod grammar;
mod values;

use std::path::Path;

use anyhow::Result;

use crate::case::{Case, Kind};
use crate::generate::domain;
use crate::random::Random;
use crate::xml::Element;

use grammar::{Grammar, Sampler};

/// Places of one document that are edited, one for each case.
const EDITS: u64 = 256;

/// The generator of cases.
pub struct Schema {
    grammar: Grammar,
}

impl Schema {
    /// Reads a schema, such as libvirt's `domainbackup.rng`, and what it includes.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self { grammar: Grammar::read(path)? })
    }

    /// The case of a seed. Every other one is a document of its own; those between are edited, as many in a row from one
    /// document as have room in it.
    pub fn case(&self, seed: u64) -> Result<Case> {
        if seed.is_multiple_of(2) {
            let random = &mut Random::new(seed ^ 0x5C4E_3A00);
            let faults = if random.percent(40) { random.pick(&[10, 30, 100]) } else { 0 };
            return self.sample(random, faults);
        }
        let index = seed / 2;
        let mut case = self.sample(&mut Random::new((index / EDITS) ^ 0x5C4E_3A01), 0)?;
        edit(&mut case.document, index % EDITS, &mut Random::new(seed ^ 0x5C4E_3A02));
        Ok(case)
    }

    fn sample(&self, random: &mut Random, faults: u32) -> Result<Case> {
        let domain = random.percent(60).then(|| domain::domain(random.next()));
        let mut root = Sampler { grammar: &self.grammar, random, faults }.document()?;
        if let Some(domain) = domain.as_ref().filter(|domain| !domain.disks.is_empty()) {
            let targets: Vec<_> = domain.disks.iter().map(|disk| disk.target.as_str()).collect();
            name_disks(&mut root, &targets, random);
        }
        let document = if random.percent(60) { root.plain() } else { root.odd(random) };
        let mut document = document.into_bytes();
        document.retain(|byte| *byte != 0);
        let kind = match root.name.as_str() {
            "domaincheckpoint" if random.percent(35) => Kind::Redefinition,
            "domaincheckpoint" => Kind::Checkpoint,
            _ => Kind::Backup,
        };
        Ok(Case { kind, document, domain: domain.map(|domain| domain.text.into_bytes()), suffix: "S".into() })
    }
}

/// Replaces most of the sampled names by those of the domain's disks, each one once, so that some documents fit.
fn name_disks(element: &mut Element, targets: &[&str], random: &mut Random) {
    for disks in element.elements_mut().filter(|element| element.name == "disks") {
        let mut unused = targets.to_vec();
        random.shuffle(&mut unused);
        for disk in disks.elements_mut() {
            let name = disk.attributes.iter_mut().find(|(name, _)| name == "name");
            if let Some((_, value)) = name
                && random.percent(95)
                && let Some(target) = unused.pop()
            {
                target.clone_into(value);
            }
        }
    }
}

/// What is written in an edited place.
const CHARACTERS: &[&str] = &[
    "<",
    ">",
    "/",
    "=",
    "'",
    "\"",
    "&",
    ":",
    "!",
    "?",
    "-",
    ";",
    "#",
    "[",
    "]",
    " ",
    "\n",
    "\t",
    "\r",
    ".",
    ",",
    "_",
    "\\",
    "a",
    "d",
    "n",
    "s",
    "x",
    "y",
    "A",
    "0",
    "1",
    "9",
    "\u{a0}",
    "\u{e9}",
    "\u{200b}",
    "\u{6f22}",
    "\u{1f600}",
    "\u{1}",
    "\u{7f}",
    "\u{fffe}",
];

/// Removes, replaces, inserts, doubles or exchanges one character in the given one of [`EDITS`] parts of the document.
fn edit(document: &mut Vec<u8>, part: u64, random: &mut Random) {
    let mut characters: Vec<char> = String::from_utf8_lossy(document).chars().collect();
    let share = usize::try_from(part).unwrap_or_default() * characters.len();
    let step = characters.len().div_ceil(256).max(1);
    let place = (share / 256 + random.below(step)).min(characters.len().saturating_sub(1));
    let written = random.pick(CHARACTERS).chars();
    match random.below(6) {
        0 => drop(characters.remove(place)),
        1 => characters.insert(place, characters[place]),
        2 if place + 1 < characters.len() => characters.swap(place, place + 1),
        3 => characters[place] = toggled(characters[place]),
        4 => drop(characters.splice(place..place, written)),
        _ => drop(characters.splice(place..=place, written)),
    }
    *document = characters.into_iter().collect::<String>().into_bytes();
}

/// The character in the other case, or the next one.
fn toggled(character: char) -> char {
    if character.is_ascii_lowercase() {
        character.to_ascii_uppercase()
    } else if character.is_ascii_uppercase() {
        character.to_ascii_lowercase()
    } else {
        char::from_u32(u32::from(character) + 1).unwrap_or(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"<grammar xmlns="http://relaxng.org/ns/structure/1.0">
      <start><ref name="root"/></start>
      <define name="root"><element name="domainbackup"><interleave>
        <optional><attribute name="mode"><choice><value>push</value><value>pull</value></choice></attribute></optional>
        <zeroOrMore><element name="disk"><attribute name="name"><ref name="name"/></attribute></element></zeroOrMore>
      </interleave></element></define>
      <define name="name"><data type="string"><param name="pattern">[ab]{2}(x|y)?</param></data></define>
    </grammar>"#;

    fn schema() -> Schema {
        Schema { grammar: Grammar::parse(SCHEMA).unwrap() }
    }

    #[test]
    fn a_case_is_a_function_of_its_seed() {
        for seed in 0..300 {
            assert_eq!(schema().case(seed).unwrap(), schema().case(seed).unwrap());
        }
    }

    #[test]
    fn samples_follow_the_schema() {
        let grammar = Grammar::parse(SCHEMA).unwrap();
        let mut lengths = [0; 2];
        for seed in 0..300 {
            let random = &mut Random::new(seed);
            let mut root = Sampler { grammar: &grammar, random, faults: 0 }.document().unwrap();
            assert_eq!(root.name, "domainbackup");
            assert!(root.attributes.iter().all(|(name, value)| name == "mode" && ["push", "pull"].contains(&&**value)));
            for disk in root.elements_mut() {
                let (_, name) = &disk.attributes[0];
                assert!(name.starts_with(['a', 'b']) && (2..=3).contains(&name.len()), "{name}");
                lengths[name.len() - 2] += 1;
            }
        }
        assert!(lengths.iter().all(|count| *count > 50), "{lengths:?}");
    }

    #[test]
    fn each_part_of_a_document_is_edited() {
        let text = "<domainbackup/>".repeat(20);
        let first_change = |part| {
            let mut edited = text.clone().into_bytes();
            edit(&mut edited, part, &mut Random::new(part));
            text.bytes().zip(edited).position(|(before, after)| before != after)
        };
        let early = (0..EDITS / 4).filter_map(first_change).max();
        let late = (EDITS * 3 / 4..EDITS).filter_map(first_change).max();
        assert!(early < Some(text.len() / 3) && late > Some(text.len() * 2 / 3), "{early:?} {late:?}");
    }
}
