//! Records libvirt's answers, which the conformance test replays without libvirt.
//!
//! A part is a file of JSON lines, one case per line, in the order of generation; the domains that cases share are in a
//! separate file. Recording again replaces the answers of the release that is asked and keeps those of others. Cases in
//! a file that are not generated are asked about too, so cases can be added by hand.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::case::{Answer, Case, Kind, Stage};
use crate::generate::{self, Domains};
use crate::session::Session;
use crate::systematic;

#[derive(Args)]
pub struct Options {
    /// How to run this program where libvirt is, such as 'chroot /srv/debian /opt/difftest'
    #[arg(long, value_name = "COMMAND")]
    run_in: String,
    /// The release that is expected there
    #[arg(long, value_name = "X.Y.Z")]
    release_name: String,
    /// The number of random backups
    #[arg(long, default_value_t = 1600)]
    random: u64,
    /// The number of random checkpoints
    #[arg(long, default_value_t = 600)]
    random_checkpoints: u64,
    /// Forget cases that are in the files and are not generated, except those of found.jsonl
    #[arg(long)]
    fresh: bool,
    /// Ask about the cases of this file only, such as checkpoint; repeatable
    #[arg(long, value_name = "NAME")]
    part: Vec<String>,
    /// The directory to write, such as tests/conformance
    directory: PathBuf,
}

/// The file of cases found by comparisons.
const FOUND: &str = "found";

/// A line of a part.
#[derive(Clone, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup: Option<String>,
    /// Bytes that are not UTF-8, each as the character with its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup_latin1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint_latin1: Option<String>,
    /// The name of a line in `domains.jsonl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    suffix: String,
    #[serde(default, skip_serializing_if = "is_false")]
    status: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    redefine: bool,
    #[serde(default)]
    answers: Vec<Recorded>,
}

/// The answer of some releases.
#[derive(Clone, Serialize, Deserialize)]
struct Recorded {
    releases: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A case that will be written to a part.
struct Entry {
    seed: Option<u64>,
    case: Case,
    answers: Vec<Recorded>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let mut session = Session::start(&options.run_in)?;
    let (expected, found) = (options.release_name.as_str(), session.release());
    ensure!(found == expected, "libvirt {found} answers, not {expected}");
    let mut domains = DomainFile::read(options.directory.join("domains.jsonl"))?;
    let mut parts: Vec<(&str, Vec<Entry>)> = vec![(FOUND, Vec::new())];
    for (name, cases) in systematic::parts() {
        parts.push((name, cases.into_iter().map(|case| Entry { seed: None, case, answers: Vec::new() }).collect()));
    }
    let random = |seed, checkpoint| Entry {
        seed: Some(seed),
        case: generate::case(seed, Domains::Shared, checkpoint),
        answers: Vec::new(),
    };
    parts.push(("random", (1..=options.random).map(|seed| random(seed, false)).collect()));
    parts.push(("random-checkpoint", (1..=options.random_checkpoints).map(|seed| random(seed, true)).collect()));
    let mut count = 0;
    for (name, mut entries) in parts {
        let path = options.directory.join(format!("{name}.jsonl"));
        if !options.part.is_empty() && !options.part.iter().any(|part| part == name) {
            // Its domains are still in use.
            for entry in read_part(&path, &domains)? {
                Line::new(&entry, &mut domains);
            }
            continue;
        }
        merge(&mut entries, read_part(&path, &domains)?, options.fresh && name != FOUND);
        for entry in &mut entries {
            record(&mut session, entry, expected)?;
        }
        entries.retain(|entry| !entry.answers.is_empty());
        count += entries.len();
        write_part(&path, &entries, &mut domains)?;
    }
    domains.write()?;
    println!("{count} cases, answered by {expected}");
    Ok(ExitCode::SUCCESS)
}

/// Gives generated cases their earlier answers, and appends the cases that were not generated.
fn merge(entries: &mut Vec<Entry>, old: Vec<Entry>, fresh: bool) {
    let mut seen = HashSet::new();
    entries.retain(|entry| entry.case.can_be_recorded() && seen.insert(entry.case.clone()));
    let mut known: BTreeMap<Case, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        known.insert(entry.case.clone(), index);
    }
    for entry in old {
        match known.get(&entry.case) {
            Some(&index) => entries[index].answers = entry.answers,
            None if !fresh => entries.push(entry),
            None => {}
        }
    }
}

impl Case {
    fn can_be_recorded(&self) -> bool {
        self.can_be_asked() && self.domain.as_deref().is_none_or(|domain| str::from_utf8(domain).is_ok())
    }
}

fn record(session: &mut Session, entry: &mut Entry, release: &str) -> Result<()> {
    for recorded in &mut entry.answers {
        recorded.releases.retain(|known| known != release);
    }
    entry.answers.retain(|recorded| !recorded.releases.is_empty());
    let Some(answer) = session.ask(&entry.case)? else {
        eprintln!("libvirt {release} crashes on {}", entry.case.document.escape_ascii());
        return Ok(());
    };
    let new = Recorded::new(answer, release);
    if let Some(same) = entry.answers.iter_mut().find(|recorded| recorded.says_as(&new)) {
        same.releases.push(release.to_owned());
        same.releases.sort_by_key(|release| numbers(release));
    } else {
        entry.answers.push(new);
        entry.answers.sort_by_key(|recorded| recorded.releases.first().map(|release| numbers(release)));
    }
    Ok(())
}

/// A release, ordered by version.
fn numbers(release: &str) -> Vec<u32> {
    release.split('.').filter_map(|number| number.parse().ok()).collect()
}

impl Recorded {
    fn new(answer: Answer, release: &str) -> Self {
        let releases = vec![release.to_owned()];
        match answer {
            Answer::Accepted(text) => Self { releases, accepted: Some(text), stage: None, message: None },
            Answer::Refused { stage, message } => {
                Self { releases, accepted: None, stage: Some(stage), message: Some(message) }
            }
        }
    }

    fn says_as(&self, other: &Self) -> bool {
        (&self.accepted, self.stage, &self.message) == (&other.accepted, other.stage, &other.message)
    }
}

fn read_part(path: &Path, domains: &DomainFile) -> Result<Vec<Entry>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), index + 1))?;
        entries.push(line.into_entry(domains)?);
    }
    Ok(entries)
}

impl Line {
    fn into_entry(self, domains: &DomainFile) -> Result<Entry> {
        let (kind, text, latin1) = match (self.backup, self.backup_latin1, self.checkpoint, self.checkpoint_latin1) {
            (text, latin1, None, None) => (if self.status { Kind::Status } else { Kind::Backup }, text, latin1),
            (None, None, text, latin1) => {
                (if self.redefine { Kind::Redefinition } else { Kind::Checkpoint }, text, latin1)
            }
            _ => bail!("a case is either a backup or a checkpoint"),
        };
        let document = match (text, latin1) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => {
                text.chars().map(|character| u8::try_from(u32::from(character))).collect::<Result<_, _>>()?
            }
            _ => bail!("a case has one document"),
        };
        let domain = self.domain.map(|name| domains.text(&name)).transpose()?;
        let case = Case { kind, document, domain: domain.map(String::into_bytes), suffix: self.suffix };
        Ok(Entry { seed: self.seed, case, answers: self.answers })
    }

    fn new(entry: &Entry, domains: &mut DomainFile) -> Self {
        let case = &entry.case;
        let text = String::from_utf8(case.document.clone()).ok();
        let latin1 = text.is_none().then(|| case.document.iter().map(|&byte| char::from(byte)).collect());
        let domain = case.domain.as_ref().map(|text| domains.name(&String::from_utf8_lossy(text)));
        let (backup, checkpoint) = if case.kind.is_checkpoint() { (None, text) } else { (text, None) };
        let (backup_latin1, checkpoint_latin1) =
            if case.kind.is_checkpoint() { (None, latin1) } else { (latin1, None) };
        Self {
            seed: entry.seed,
            backup,
            backup_latin1,
            checkpoint,
            checkpoint_latin1,
            domain,
            suffix: case.suffix.clone(),
            status: case.kind == Kind::Status,
            redefine: case.kind == Kind::Redefinition,
            answers: entry.answers.clone(),
        }
    }
}

fn write_part(path: &Path, entries: &[Entry], domains: &mut DomainFile) -> Result<()> {
    let mut text = String::new();
    for entry in entries {
        text.push_str(&serde_json::to_string(&Line::new(entry, domains))?);
        text.push('\n');
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The domains that cases name.
struct DomainFile {
    path: PathBuf,
    names: BTreeMap<String, String>,
    used: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct DomainLine {
    name: String,
    domain: String,
}

impl DomainFile {
    fn read(path: PathBuf) -> Result<Self> {
        let text = if path.exists() { fs::read_to_string(&path)? } else { String::new() };
        let mut names = BTreeMap::new();
        for line in text.lines() {
            let line: DomainLine = serde_json::from_str(line)?;
            names.insert(line.domain, line.name);
        }
        Ok(Self { path, names, used: BTreeMap::new() })
    }

    fn text(&self, name: &str) -> Result<String> {
        let found = self.names.iter().find(|(_, known)| *known == name);
        found.map(|(text, _)| text.clone()).with_context(|| format!("there is no domain {name}"))
    }

    /// The name of a domain; a new one gets the next number.
    fn name(&mut self, text: &str) -> String {
        let numbers = self.names.values().filter_map(|name| name.strip_prefix('d')?.parse::<u32>().ok());
        let number = numbers.max().unwrap_or(0) + 1;
        let name = self.names.entry(text.to_owned()).or_insert_with(|| format!("d{number:03}")).clone();
        self.used.insert(name.clone(), text.to_owned());
        name
    }

    fn write(&self) -> Result<()> {
        let mut text = String::new();
        for (name, domain) in &self.used {
            let line = DomainLine { name: name.clone(), domain: domain.clone() };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        fs::write(&self.path, text).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
