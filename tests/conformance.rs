//! Replays recorded answers of each release of libvirt; no libvirt is needed.
//!
//! `docs/conformance.md` describes the recording.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use backupxml::diagnostic::Diagnostic;
use backupxml::release::Release;
use backupxml::rules::Rule;
use serde::Deserialize;

/// Minimum numbers of cases, so that the test cannot pass without any.
const MIN_CASES: usize = 6000;
const MIN_ACCEPTED: usize = 2500;
const MIN_REFUSED: usize = 2500;
const MIN_MESSAGES: usize = 400;
/// Maximum number of differences to print; one bug gives hundreds.
const SHOWN: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The seed of a random case.
    seed: Option<u64>,
    backup: Option<String>,
    /// Bytes that are not UTF-8, each as the character with its number.
    backup_latin1: Option<String>,
    checkpoint: Option<String>,
    checkpoint_latin1: Option<String>,
    /// A name in `domains.jsonl`.
    domain: Option<String>,
    #[serde(default)]
    suffix: String,
    #[serde(default)]
    status: bool,
    #[serde(default)]
    redefine: bool,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    releases: Vec<String>,
    accepted: Option<String>,
    stage: Option<Stage>,
    message: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Parse,
    Domain,
    Align,
    Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Domain {
    name: String,
    domain: String,
}

/// A case and the line it was read from.
struct Placed {
    place: String,
    case: Case,
}

struct Recordings {
    cases: Vec<Placed>,
    domains: BTreeMap<String, String>,
}

impl Recordings {
    fn read() -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
        let domains = lines(&directory.join("domains.jsonl"));
        let domains = domains.into_iter().map(|(_, Domain { name, domain })| (name, domain)).collect();
        let files = fs::read_dir(&directory).expect("the recordings are there").map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
        files.retain(|path| !path.ends_with("domains.jsonl"));
        files.sort();
        let cases = files.iter().flat_map(|path| lines(path)).map(|(place, case)| Placed { place, case }).collect();
        Self { cases, domains }
    }

    fn normalize(&self, case: &Case, release: Release) -> Result<String, Vec<Diagnostic>> {
        let domain = case.domain.as_ref().map(|name| self.domains[name].as_bytes());
        let options = backupxml::Options {
            release,
            suffix: case.suffix.clone(),
            status: case.status,
            redefine: case.redefine,
            ..backupxml::Options::default()
        };
        let text = backupxml::normalize_bytes(&case.bytes(), domain, &options)?;
        Ok(if case.is_checkpoint() { without_domain(&text) } else { text })
    }
}

fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Vec<(String, T)> {
    let name = path.file_name().expect("a file").to_string_lossy();
    let text = fs::read_to_string(path).expect("a recording is UTF-8");
    let numbered = text.lines().enumerate().map(|(index, line)| (format!("{name}:{}", index + 1), line));
    numbered
        .map(|(place, line)| {
            let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            (place, value)
        })
        .collect()
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let text = self.backup.as_ref().or(self.checkpoint.as_ref());
        match (text, self.backup_latin1.as_ref().or(self.checkpoint_latin1.as_ref())) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect(),
            _ => panic!("a case has one document"),
        }
    }

    fn is_checkpoint(&self) -> bool {
        self.checkpoint.is_some() || self.checkpoint_latin1.is_some()
    }

    fn answer(&self, release: Release) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.releases.iter().any(|known| known == release.name()))
    }

    /// libvirt expands an internal subset; backupxml refuses it with one error.
    fn has_internal_subset(&self) -> bool {
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes);
        text.split_once("<!DOCTYPE")
            .is_some_and(|(_, after)| after.split('>').next().is_some_and(|it| it.contains('[')))
    }
}

impl Answer {
    /// The message of the schema's validator.
    fn schema_message(&self) -> Option<&str> {
        let message = self.message.as_deref()?;
        (self.stage == Some(Stage::Parse) && message.contains("failed to validate against schema")).then_some(message)
    }

    /// The message, unless it comes from the schema validator or the XML parser, whose text is not reproduced.
    fn own_message(&self) -> Option<&str> {
        let message = self.message.as_deref()?;
        let theirs = message.contains("failed to validate against schema")
            || message.starts_with("at line ")
            || message.starts_with("(domain_backup):")
            || message.starts_with("(domain_checkpoint):");
        (matches!(self.stage, Some(Stage::Parse | Stage::Align)) && !theirs).then_some(message)
    }
}

/// libvirt was asked to leave out the `<domain>` of a checkpoint, which backupxml copies.
fn without_domain(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\n  <domain") else { return text.to_owned() };
    let after = rest.rsplit_once("</domain>").map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// Whether libvirt, asked for a checkpoint, found another root. The kind of a document follows from its root here, so
/// backupxml takes it for a wrong backup.
fn is_about_other_root(case: &Case, message: &str) -> bool {
    case.is_checkpoint() && message.starts_with("XML error: expecting root element")
}

/// libvirt writes these characters verbatim and loses them when it reads its output; backupxml writes references.
fn raw_white_space(text: &str) -> String {
    text.replace("&#9;", "\t").replace("&#10;", "\n").replace("&#13;", "\r")
}

/// Schema messages of each release that are predicted word for word.
const MIN_SCHEMA_MESSAGES: usize = 2_200;

/// The results of one release.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    domain_refused: usize,
    references: usize,
    subsets: usize,
    messages: usize,
    differences: Vec<String>,
}

impl Tally {
    fn verdict(&mut self, recordings: &Recordings, placed: &Placed, release: Release) {
        let case = &placed.case;
        let Some(answer) = case.answer(release) else { return };
        if answer.stage == Some(Stage::Domain) {
            // Other requirements of libvirt on a domain than those on its disks are not checked.
            self.domain_refused += 1;
            return;
        }
        let ours = recordings.normalize(case, release);
        match (&answer.accepted, &ours) {
            (_, Err(_)) if case.has_internal_subset() => self.subsets += 1,
            // A domain's disk without a target: libvirt accepts it, and crashes if the backup lists a disk.
            (Some(_), Err(diagnostics))
                if diagnostics.iter().all(|diagnostic| diagnostic.rule == Rule::InvalidDomainDisk) =>
            {
                self.domain_refused += 1;
            }
            (Some(theirs), Ok(ours)) if theirs == ours => self.accepted += 1,
            (Some(theirs), Ok(ours)) if *theirs == raw_white_space(ours) => {
                self.accepted += 1;
                self.references += 1;
            }
            (None, Err(_)) => self.refused += 1,
            _ => self.differ(placed, answer, &ours),
        }
    }

    fn message(&mut self, recordings: &Recordings, placed: &Placed, release: Release) {
        let Some(answer) = placed.case.answer(release) else { return };
        let Some(theirs) = answer.own_message() else { return };
        if is_about_other_root(&placed.case, theirs) {
            return;
        }
        // The other test checks accepted documents.
        let Err(diagnostics) = recordings.normalize(&placed.case, release) else { return };
        if diagnostics.iter().any(|diagnostic| diagnostic.libvirt.as_deref() == Some(theirs)) {
            self.messages += 1;
        } else {
            self.differ(placed, answer, &Err(diagnostics));
        }
    }

    /// The schema message applies to the whole document: all schema diagnostics quote the same one.
    fn schema_message(&mut self, recordings: &Recordings, placed: &Placed, release: Release) {
        let Some(answer) = placed.case.answer(release) else { return };
        let Some(theirs) = answer.schema_message() else { return };
        let Err(diagnostics) = recordings.normalize(&placed.case, release) else { return };
        let is_schema = |diagnostic: &&Diagnostic| {
            let quotes = |words: &str| diagnostic.libvirt.as_deref().is_some_and(|libvirt| libvirt.starts_with(words));
            diagnostic.rule.family() == "schema" && quotes("") || quotes("XML document failed to validate")
        };
        let mut ours =
            diagnostics.iter().filter(is_schema).filter_map(|diagnostic| diagnostic.libvirt.as_deref()).peekable();
        if ours.peek().is_some() && ours.all(|ours| ours == theirs) {
            self.messages += 1;
        } else {
            self.differ(placed, answer, &Err(diagnostics));
        }
    }

    fn differ(&mut self, placed: &Placed, answer: &Answer, ours: &Result<String, Vec<Diagnostic>>) {
        let Placed { place, case } = placed;
        let mut text = place.clone();
        if let Some(seed) = case.seed {
            let _ = write!(text, " (seed {seed})");
        }
        let _ = write!(text, "\n  {}", case.bytes().escape_ascii());
        if let Some(domain) = &case.domain {
            let _ = write!(text, "\n  domain {domain}, suffix {:?}", case.suffix);
        }
        let theirs = answer.accepted.as_ref().or(answer.message.as_ref());
        let _ = write!(text, "\n  libvirt: {:?} {theirs:?}", answer.stage);
        let ours = match ours {
            Ok(text) => format!("{text:?}"),
            Err(diagnostics) => diagnostics
                .iter()
                .map(|diagnostic| {
                    format!("\n    {:?}: {} — {:?}", diagnostic.rule, diagnostic.message, diagnostic.libvirt)
                })
                .collect::<Vec<_>>()
                .concat(),
        };
        let _ = write!(text, "\n  ours: {ours}");
        self.differences.push(text);
    }

    fn assert_no_differences(&self, release: Release) {
        let shown = self.differences.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n\n");
        assert!(self.differences.is_empty(), "{} differences from libvirt {release}:\n{shown}", self.differences.len());
    }
}

#[track_caller]
fn verdicts_and_text_agree(release: Release) {
    let recordings = Recordings::read();
    let mut tally = Tally::default();
    for placed in &recordings.cases {
        tally.verdict(&recordings, placed, release);
    }
    println!(
        "libvirt {release}: {} accepted ({} with references for white space), {} refused, {} internal subsets, {} domains refused",
        tally.accepted, tally.references, tally.refused, tally.subsets, tally.domain_refused
    );
    tally.assert_no_differences(release);
    assert!(recordings.cases.len() >= MIN_CASES, "only {} cases", recordings.cases.len());
    assert!(tally.accepted >= MIN_ACCEPTED, "only {} accepted", tally.accepted);
    assert!(tally.refused >= MIN_REFUSED, "only {} refused", tally.refused);
    assert!(tally.references > 0 && tally.subsets > 0, "a deliberate difference is not covered any more");
}

#[track_caller]
fn messages_agree(release: Release) {
    let recordings = Recordings::read();
    let mut tally = Tally::default();
    for placed in &recordings.cases {
        tally.message(&recordings, placed, release);
    }
    println!("libvirt {release}: {} messages", tally.messages);
    tally.assert_no_differences(release);
    assert!(tally.messages >= MIN_MESSAGES, "only {} messages", tally.messages);
}

#[test]
fn verdicts_and_text_of_9_0_0() {
    verdicts_and_text_agree(Release::V9_0_0);
}

#[test]
fn verdicts_and_text_of_11_3_0() {
    verdicts_and_text_agree(Release::V11_3_0);
}

#[test]
fn verdicts_and_text_of_12_8_0() {
    verdicts_and_text_agree(Release::V12_8_0);
}

#[test]
fn messages_of_9_0_0() {
    messages_agree(Release::V9_0_0);
}

#[test]
fn messages_of_11_3_0() {
    messages_agree(Release::V11_3_0);
}

#[test]
fn messages_of_12_8_0() {
    messages_agree(Release::V12_8_0);
}

#[test]
fn schema_messages_agree_but_for_those_listed() {
    let recordings = Recordings::read();
    let mut differing = BTreeSet::new();
    for release in [Release::V9_0_0, Release::V11_3_0, Release::V12_8_0] {
        let mut tally = Tally::default();
        for placed in &recordings.cases {
            let before = tally.differences.len();
            tally.schema_message(&recordings, placed, release);
            if tally.differences.len() > before {
                differing.insert(placed.place.as_str());
            }
        }
        println!("libvirt {release}: {} schema messages, {} differ", tally.messages, tally.differences.len());
        tally.differences.retain(|text| !OTHER_SCHEMA_MESSAGE.iter().any(|(place, _)| is_at(text, place)));
        tally.assert_no_differences(release);
        assert!(tally.messages >= MIN_SCHEMA_MESSAGES, "only {} schema messages", tally.messages);
    }
    let listed: BTreeSet<_> = OTHER_SCHEMA_MESSAGE.iter().map(|(place, _)| *place).collect();
    assert_eq!(differing, listed, "a listed message agrees now");
}

fn is_at(difference: &str, place: &str) -> bool {
    difference.strip_prefix(place).is_some_and(|rest| rest.starts_with([' ', '\n']))
}

/// Documents with another schema message in some release, and why.
const OTHER_SCHEMA_MESSAGE: [(&str, &str); 16] = [
    ("random-checkpoint.jsonl:91", "an undeclared prefix is quoted from the XML parser"),
    ("random-checkpoint.jsonl:404", "an undeclared prefix is quoted from the XML parser"),
    ("random.jsonl:322", "an undeclared prefix is quoted from the XML parser"),
    ("random.jsonl:655", "libxml2 has no name for a CDATA section between elements"),
    ("random.jsonl:780", "an undeclared prefix is quoted from the XML parser"),
    ("random.jsonl:1212", "an undeclared prefix is quoted from the XML parser"),
    ("random.jsonl:1449", "an undeclared prefix is quoted from the XML parser"),
    ("spelling.jsonl:48", "libxml2 has no name for a CDATA section between elements"),
    ("spelling.jsonl:87", "an undeclared prefix is quoted from the XML parser"),
    ("spelling.jsonl:159", "an internal subset is refused before the schema is looked at"),
    ("spelling.jsonl:167", "an internal subset is refused before the schema is looked at"),
    ("spelling.jsonl:168", "an internal subset is refused before the schema is looked at"),
    ("spelling.jsonl:175", "9.0.0 and 11.3.0 allow one level more"),
    ("word.jsonl:145", "9.0.0 knows no fd transport, and the white space is reported instead"),
    ("word.jsonl:146", "9.0.0 knows no fd transport, and the white space is reported instead"),
    ("word.jsonl:147", "9.0.0 knows no fd transport, and the white space is reported instead"),
];
