//! A pasted error message of virsh, libvirt or QEMU → the rules behind it, best first.
//!
//! The templates are the lines that the rules' pages quote from libvirt. Names, paths and numbers are others in every
//! message, so lines are compared by their fixed words, and the rarer a word is among the pages, the more it counts.
//! Words that no page has do not count: a cut or partly translated message still finds its rule.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::rules::{RULES, Rule};

/// The heading of the section of a rule's page that quotes libvirt.
const HEADING: &str = "\n## What libvirt says\n";
/// Longer messages are cut: libvirt's are a few lines.
const MAX_MESSAGE: usize = 16 * 1024;
/// Lines of a message that are looked at.
const MAX_LINES: usize = 40;
/// Longer words are names.
const MAX_WORD: usize = 40;
/// Quotes of more words than this are sentences, not names.
const MAX_NAME_WORDS: usize = 2;
/// A message that fits more rules than this equally well names none of them.
const MAX_TIED: usize = 5;
/// At most this many rules are returned.
const MAX_RULES: usize = 5;
/// The least score of a match.
const MIN_SCORE: f64 = 0.5;
/// The least part of a line, by weight, that a message must share.
const MIN_SHARED_PART: f64 = 0.35;
/// Words of at most this many letters, such as `the`, count a quarter.
const MAX_SHORT_WORD: usize = 3;
/// Scores that differ by less are equal.
const TIE: f64 = 0.01;
/// Rules whose score is below this part of the best are not returned.
const KEPT_PART: f64 = 0.55;

/// What a message says about the mistake.
#[derive(Debug)]
pub enum Explanation {
    /// These rules can be behind it, best first.
    Rules(Vec<Match>),
    /// libvirt prints it for too many different mistakes.
    NamesNothing(Match),
    /// It is like no message that is known.
    Unknown,
}

/// A rule that can be behind a message.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The rule.
    pub rule: Rule,
    /// The line of its page that is most like the message.
    pub line: &'static str,
    /// How much it is like the message, from 0 to 1.
    pub score: f64,
}

/// Finds the rules behind a message.
#[must_use]
pub fn explain(message: &str) -> Explanation {
    static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);
    let message = message.get(..message.floor_char_boundary(MAX_MESSAGE)).unwrap_or(message);
    let lines: Vec<_> = without_excerpts(message).into_iter().take(MAX_LINES).collect();
    // A message may have been wrapped: its lines are also looked at as one.
    let joined = lines.join(" ");
    let candidates = lines.iter().copied().chain([joined.as_str()]);
    let rankings: Vec<_> = candidates.map(|line| TEMPLATES.rank(line)).filter(|ranking| !ranking.is_empty()).collect();
    let best = |ranking: &Vec<Match>| ranking.first().map_or(0.0, |first| first.score);
    let top = rankings.iter().map(best).fold(0.0, f64::max);
    // Of several lines, the one that fits the fewest rules says most.
    let candidates = rankings.into_iter().filter(|ranking| best(ranking) >= top * KEPT_PART);
    let Some(mut ranking) = candidates.min_by_key(|ranking| tied(ranking)) else { return Explanation::Unknown };
    match ranking.first() {
        Some(first) if tied(&ranking) > MAX_TIED => Explanation::NamesNothing(*first),
        _ => {
            let least = best(&ranking) * KEPT_PART;
            ranking.retain(|found| found.score >= least);
            ranking.truncate(MAX_RULES);
            Explanation::Rules(ranking)
        }
    }
}

/// How many rules share the best score.
fn tied(ranking: &[Match]) -> usize {
    let top = ranking.first().map_or(0.0, |first| first.score);
    ranking.iter().filter(|found| found.score >= top - TIE).count()
}

/// A line of a rule's page.
struct Template {
    rule: Rule,
    line: &'static str,
    words: Vec<String>,
    weight: f64,
}

/// The lines of all pages, and how much each word counts.
struct Templates {
    lines: Vec<Template>,
    weights: HashMap<String, f64>,
}

impl Templates {
    fn new() -> Self {
        let mut lines = Vec::new();
        let mut rules_with: HashMap<String, usize> = HashMap::new();
        for rule in RULES {
            let mut of_rule = HashSet::new();
            for line in quoted_lines(rule.entry().page) {
                let words = fixed_words(line);
                of_rule.extend(words.iter().cloned());
                lines.push(Template { rule: *rule, line, words, weight: 0.0 });
            }
            for word in of_rule {
                *rules_with.entry(word).or_default() += 1;
            }
        }
        #[allow(clippy::cast_precision_loss)]
        let weight = |word: &str, count: usize| {
            let rarity = (1.0 + RULES.len() as f64 / count as f64).ln();
            if word.len() <= MAX_SHORT_WORD { rarity / 4.0 } else { rarity }
        };
        let weigh = |(word, count): (String, usize)| {
            let weight = weight(&word, count);
            (word, weight)
        };
        let weights: HashMap<_, _> = rules_with.into_iter().map(weigh).collect();
        for template in &mut lines {
            template.weight = template.words.iter().filter_map(|word| weights.get(word)).sum();
        }
        Self { lines, weights }
    }

    /// The rules whose lines are like this one, best first.
    fn rank(&self, line: &str) -> Vec<Match> {
        let words = fixed_words(line);
        let weight_of = |word: &String| self.weights.get(word).copied().unwrap_or(0.0);
        let weight: f64 = words.iter().map(weight_of).sum();
        let mut ranking: Vec<Match> = Vec::new();
        for template in &self.lines {
            let common: Vec<_> = common(&words, &template.words);
            let shared: f64 = common.iter().map(|word| weight_of(word)).sum();
            // A word or two are no evidence, unless they are most of the line.
            if shared < MIN_SHARED_PART * template.weight {
                continue;
            }
            // What the message has and the line has not counts more than the reverse: messages get cut.
            let score = shared / (0.65 * weight + 0.35 * template.weight).max(f64::MIN_POSITIVE);
            if score < MIN_SCORE {
                continue;
            }
            let found = Match { rule: template.rule, line: template.line, score };
            match ranking.iter_mut().find(|known| known.rule == template.rule) {
                Some(known) if known.score < score => *known = found,
                Some(_) => {}
                None => ranking.push(found),
            }
        }
        // The sort is stable, so rules that fit equally well are in the order of the stages that find them.
        ranking.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranking
    }
}

/// The words that two sorted lists share, each as often as in both.
fn common<'w>(first: &'w [String], second: &[String]) -> Vec<&'w String> {
    let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
    let mut shared = Vec::new();
    while let (Some(one), Some(other)) = (first.peek(), second.peek()) {
        match one.cmp(other) {
            Ordering::Less => {
                first.next();
            }
            Ordering::Greater => {
                second.next();
            }
            Ordering::Equal => {
                shared.extend(first.next());
                second.next();
            }
        }
    }
    shared
}

/// The lines that a page quotes from libvirt.
fn quoted_lines(page: &'static str) -> impl Iterator<Item = &'static str> {
    let section = page.split_once(HEADING).map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    // Text outside and inside of fences takes turns.
    let blocks = section.split("```").skip(1).step_by(2);
    blocks.flat_map(|block| without_excerpts(block.split_once('\n').map_or("", |(_, lines)| lines)))
}

/// The lines of a message; not the line of the document that libxml2 quotes, nor the arrow below it.
fn without_excerpts(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.ends_with('^') && line.bytes().all(|byte| matches!(byte, b'-' | b'^')) {
            kept.pop();
        } else {
            kept.push(line);
        }
    }
    kept.retain(|line| !line.is_empty());
    kept
}

/// The words of a line that are the same in every message of its kind, sorted: not names in quotes, paths and numbers.
fn fixed_words(line: &str) -> Vec<String> {
    let line = without_place(line.strip_prefix("error: ").unwrap_or(line));
    let mut words = Vec::new();
    for part in unquoted(line).split_whitespace() {
        let word = part.trim_matches(|character: char| !character.is_alphanumeric());
        let is_name = word.contains(|character: char| character.is_ascii_digit() || matches!(character, '/' | '\\'));
        if !word.is_empty() && !is_name && word.len() <= MAX_WORD {
            words.push(word.to_lowercase());
        }
    }
    words.sort_unstable();
    words
}

/// A line without the place that libxml2 writes before it: `at line 3: ` or `(domain_backup):3: `.
fn without_place(line: &str) -> &str {
    let place = line.split_once(": ").filter(|(place, _)| {
        let numbered = place.strip_prefix("at line ").or_else(|| place.rsplit_once("):").map(|(_, number)| number));
        numbered.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    place.map_or(line, |(_, rest)| rest)
}

/// A line with its quoted parts replaced by spaces. An apostrophe inside a word is no quote.
fn unquoted(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut previous = ' ';
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        let opens = matches!(character, '\'' | '"' | '«' | '„' | '“' | '`') && !previous.is_alphanumeric();
        let end = if opens { closing_quote(rest.as_str(), character) } else { None };
        if let Some((quoted, after)) = end {
            // A quoted sentence is QEMU's, within libvirt's.
            let is_sentence = quoted.split_whitespace().count() > MAX_NAME_WORDS;
            kept.push_str(if is_sentence { quoted } else { " " });
            rest = after.chars();
            previous = ' ';
        } else {
            kept.push(character);
            previous = character;
        }
    }
    kept
}

/// What is quoted, and what follows the quote that closes it.
fn closing_quote(rest: &str, open: char) -> Option<(&str, &str)> {
    let closing: &[char] = match open {
        '«' => &['»'],
        '„' | '“' => &['“', '”'],
        '\'' => &['\''],
        '`' => &['`', '\''],
        _ => &['"'],
    };
    let is_end = |after: &str| !after.starts_with(char::is_alphanumeric);
    let ends =
        rest.match_indices(closing).filter_map(|(at, quote)| Some((rest.get(..at)?, rest.get(at + quote.len()..)?)));
    ends.into_iter().find(|(_, after)| is_end(after))
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::release::Release;
    use crate::{Options, check_bytes, domain};

    /// The rules of a message, at most three.
    fn rules(message: &str) -> Vec<&'static str> {
        match explain(message) {
            Explanation::Rules(found) => found.iter().take(3).map(|found| found.rule.name()).collect(),
            Explanation::NamesNothing(_) => vec!["nothing"],
            Explanation::Unknown => Vec::new(),
        }
    }

    fn lines(file: &Path) -> Vec<Value> {
        fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn tests(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
    }

    /// Messages of libvirt, and the rules that `check` reports for a document that it refused with them.
    fn recorded_messages() -> BTreeMap<String, BTreeSet<&'static str>> {
        const MAX_DOCUMENTS: usize = 1;
        let domains: HashMap<String, String> = lines(&tests("conformance/domains.jsonl"))
            .iter()
            .map(|line| (line["name"].as_str().unwrap().to_owned(), line["domain"].as_str().unwrap().to_owned()))
            .collect();
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut messages: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for file in fs::read_dir(tests("conformance")).unwrap().map(|entry| entry.unwrap().path()) {
            // Checkpoints are refused in the same words.
            let is_backup = |case: &Value| !case["backup"].is_null() || !case["backup_latin1"].is_null();
            for case in lines(&file).into_iter().filter(is_backup) {
                for answer in case["answers"].as_array().into_iter().flatten() {
                    let Some(message) = answer["message"].as_str() else { continue };
                    // What is wrong with a domain is libvirt's business.
                    let is_of_backup = ["parse", "align"].contains(&answer["stage"].as_str().unwrap());
                    let count = seen.entry(message.to_owned()).or_default();
                    if !is_of_backup || *count >= MAX_DOCUMENTS {
                        continue;
                    }
                    *count += 1;
                    let release = answer["releases"].as_array().unwrap().last().unwrap().as_str().unwrap();
                    let release = Release::at_or_before(release).unwrap();
                    let domain = case["domain"].as_str().map(|name| domain::read(&domains[name], release).0.unwrap());
                    let bytes = case["backup"].as_str().map_or_else(
                        || case["backup_latin1"].as_str().unwrap().chars().map(|byte| byte as u8).collect(),
                        |text| text.as_bytes().to_vec(),
                    );
                    let status = case["status"].as_bool() == Some(true);
                    let suffix = case["suffix"].as_str().unwrap_or_default().to_owned();
                    let options = Options { release, suffix, status, ..Options::default() };
                    let found = check_bytes(&bytes, domain.as_ref(), &options);
                    let errors = found.iter().filter(|diagnostic| diagnostic.is_error());
                    messages
                        .entry(message.to_owned())
                        .or_default()
                        .extend(errors.map(|diagnostic| diagnostic.rule.name()));
                }
            }
        }
        for case in lines(&tests("preflight/scenarios.jsonl")) {
            let (Some(message), Some(rule)) = (case["message"].as_str(), case["rule"].as_str()) else { continue };
            messages.entry(message.to_owned()).or_default().insert(Rule::from_name(rule).unwrap().name());
        }
        messages
    }

    #[test]
    fn recorded_messages_find_their_rules() {
        const MIN_MESSAGES: usize = 1000;
        const MIN_FOUND: f64 = 0.97;
        let messages = recorded_messages();
        assert!(messages.len() >= MIN_MESSAGES, "{}", messages.len());
        let (mut found, mut named, mut missed) = (0, 0, Vec::new());
        for (message, expected) in &messages {
            let rules = rules(message);
            if rules == ["nothing"] {
                assert!(message.contains("in interleave"), "{message}");
                continue;
            }
            named += 1;
            if rules.iter().any(|rule| expected.contains(rule)) {
                found += 1;
            } else {
                missed.push(format!("{message}\n   {expected:?}, not {rules:?}"));
            }
        }
        let rate = f64::from(found) / f64::from(named);
        println!("{found} of {named} messages ({:.1} %)", rate * 100.0);
        assert!(rate >= MIN_FOUND, "{found} of {named}\n{}", missed.join("\n"));
    }

    #[test]
    fn a_message_finds_its_rule_whatever_its_names_are() {
        for (message, rule) in [
            (
                "error: checkpoint inconsistent: missing or broken bitmap 'x y' for disk 'sdq'",
                "checkpoint/disk-not-covered",
            ),
            // Cut at either end, wrapped, in other case.
            ("missing or broken bitmap", "checkpoint/disk-not-covered"),
            (
                "error: checkpoint inconsistent: missing or\n  broken bitmap 'a' for disk 'b'",
                "checkpoint/disk-not-covered",
            ),
            ("internal error: disk 'vdc' has a blockj", "qemu/running-job"),
            ("OPERATION FAILED: domain moment nightly-7 already exists", "checkpoint/name-exists"),
            // What libvirt puts before it is translated, QEMU's own words are not.
            (
                "Fehler: Interner Fehler: QEMU-Befehl »block-export-add« kann nicht ausgeführt werden: NBD server already \
                 has export named 'vdb'",
                "qemu/duplicate-export",
            ),
            (
                "Fehler: Nicht unterstützte Operation: block jobs are not supported on transient disk 'vda'",
                "qemu/transient-disk",
            ),
            ("error: unsupported configuration: no disks selected for backup\n\n", "qemu/no-disks"),
            (
                "error: XML document failed to validate against schema: Unable to validate doc against \
                 /usr/share/libvirt/schemas/domainbackup.rng\nInvalid attribute mode for element domainbackup",
                "schema/missing-server",
            ),
        ] {
            // Another rule may have the very same message.
            assert!(rules(message).iter().take(2).any(|found| *found == rule), "{message}: {:?}", rules(message));
        }
    }

    #[test]
    fn the_schemas_usual_message_names_nothing() {
        for message in [
            "Extra element disks in interleave",
            "error: XML document failed to validate against schema: Unable to validate doc against \
             /usr/share/libvirt/schemas/domainbackup.rng\nExtra element server in interleave\nElement domainbackup failed \
             to validate content",
            "XML document failed to validate against schema",
        ] {
            assert_eq!(rules(message), ["nothing"], "{message}");
        }
    }

    #[test]
    fn other_text_is_unknown() {
        for message in [
            "",
            "  \n",
            "the quick brown fox jumps over the lazy dog",
            "^",
            "'''",
            "---^\n---^",
            "error: failed to get domain 'x'",
        ] {
            assert_eq!(rules(message), [""; 0], "{message}");
        }
        assert!(rules(&"'a b c d ".repeat(100_000)).is_empty());
    }
}
