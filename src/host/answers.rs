//! Questions to virsh, and what its answers say: text → facts.
//!
//! All questions go to one process, which prints a mark before each answer. What an older virsh, or another driver,
//! does not answer is a fact less.

use std::collections::{BTreeMap, HashMap};

use crate::checkpoint::{Bitmap, Existing};
use crate::syntax::{self, Element};

use super::{DiskSizes, Job, Secret, State, Vm, Volume};

/// A question about a domain, or about its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// The connection's URI.
    Uri,
    /// The releases.
    Version,
    /// The domain's XML, as it runs.
    Domain,
    /// Whether it runs, and why not.
    State,
    /// The job that holds it.
    Job,
    /// The backup that runs.
    RunningBackup,
    /// The names of its checkpoints.
    Checkpoints,
    /// The sizes of its disks and their backing chains.
    Sizes,
    /// The secrets.
    Secrets,
    /// The names of all domains.
    Domains,
    /// The disks that a checkpoint covers, and what changed since.
    Checkpoint(String),
    /// The block job of a disk.
    BlockJob(String),
    /// The file behind a volume.
    VolumePath(Volume),
}

/// What is asked of every domain.
pub const QUESTIONS: [Question; 9] = [
    Question::Uri,
    Question::Version,
    Question::Domain,
    Question::State,
    Question::Job,
    Question::RunningBackup,
    Question::Checkpoints,
    Question::Sizes,
    Question::Secrets,
];

/// What virsh said to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The answer, without white space around it.
    pub text: String,
    /// The error message, if there was one.
    pub error: Option<String>,
}

impl Question {
    /// The command of virsh that answers it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Version => "version",
            Self::Domain => "dumpxml",
            Self::State => "domstate",
            Self::Job => "domjobinfo",
            Self::RunningBackup => "backup-dumpxml",
            Self::Checkpoints => "checkpoint-list",
            Self::Sizes => "domstats",
            Self::Secrets => "secret-list",
            Self::Domains => "list",
            Self::Checkpoint(_) => "checkpoint-dumpxml",
            Self::BlockJob(_) => "blockjob",
            Self::VolumePath(_) => "vol-path",
        }
    }

    fn command(&self, domain: &str) -> String {
        let name = self.name();
        let of_domain = format!("{name} --domain {}", quoted(domain));
        match self {
            Self::Uri | Self::Secrets => name.to_owned(),
            Self::Version => format!("{name} --daemon"),
            Self::Domains => format!("{name} --all --name"),
            Self::Domain | Self::Job | Self::RunningBackup => of_domain,
            Self::State => format!("{of_domain} --reason"),
            Self::Checkpoints => format!("{of_domain} --name --topological"),
            Self::Sizes => format!("{of_domain} --block --backing --nowait"),
            Self::Checkpoint(checkpoint) => {
                format!("{of_domain} --checkpointname {} --no-domain --size", quoted(checkpoint))
            }
            Self::BlockJob(disk) => format!("{of_domain} --path {}", quoted(disk)),
            Self::VolumePath((pool, volume)) => format!("{name} --vol {} --pool {}", quoted(volume), quoted(pool)),
        }
    }
}

/// A word for virsh's own parser, which reads single quotes as a shell does.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The argument that has virsh answer each question behind a mark.
#[must_use]
pub fn script(mark: &str, domain: &str, questions: &[Question]) -> String {
    let commands = questions.iter().zip(0..).map(|(question, number)| {
        // echo ends no line.
        format!("echo {mark}{number}@; {}; ", question.command(domain))
    });
    commands.chain([format!("echo {mark}end@")]).collect()
}

/// The answers, in the order of the questions; nothing when virsh did not come so far as to answer any.
#[must_use]
pub fn split(mark: &str, count: usize, text: &str) -> Option<Vec<Answer>> {
    let mut rest = text.split_once(&format!("{mark}0@"))?.1;
    let mut answers = Vec::with_capacity(count);
    for next in 1..=count {
        let next = if next == count { "end".to_owned() } else { next.to_string() };
        let (text, after) = rest.split_once(&format!("{mark}{next}@")).unwrap_or((rest, ""));
        let error = errors(text);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with(ERROR)).collect();
        let error = (!error.is_empty()).then_some(error);
        answers.push(Answer { text: lines.join("\n").trim().to_owned(), error });
        rest = after;
    }
    Some(answers)
}

const ERROR: &str = "error: ";

/// What virsh says is wrong, in one line.
#[must_use]
pub fn errors(text: &str) -> String {
    let errors = text.lines().filter_map(|line| line.strip_prefix(ERROR)).map(str::trim);
    errors.collect::<Vec<_>>().join(": ")
}

/// The command that this virsh does not know, or not with these options: it then answers nothing at all.
#[must_use]
pub fn unknown_command(text: &str) -> Option<&str> {
    let said = text.lines().find_map(|line| line.strip_prefix(ERROR))?;
    let named = said.strip_prefix("unknown command: '").or_else(|| said.strip_prefix("command '"))?;
    Some(named.split_once('\'')?.0)
}

/// Adds an answer to what is known of a domain.
pub fn read(question: &Question, answer: &Answer, vm: &mut Vm) {
    let (answer, failed) = (answer.text.as_str(), answer.error.is_some());
    match question {
        Question::Uri => answer.lines().next().unwrap_or_default().clone_into(&mut vm.uri),
        Question::Version => vm.release = daemon_release(answer),
        Question::State => vm.state = state(answer),
        Question::Job => vm.job = vm.job.take().or_else(|| job(answer)),
        Question::RunningBackup => vm.job = backup_job(answer).or(vm.job.take()),
        Question::Checkpoints => {
            let names = answer.lines().map(str::trim).filter(|name| !name.is_empty()).map(Existing::named);
            vm.checkpoints = (!failed).then(|| names.collect());
        }
        Question::Sizes => vm.disks = sizes(answer),
        Question::Secrets => vm.secrets = (!failed).then(|| secrets(answer)),
        Question::Checkpoint(name) => {
            let existing = vm.checkpoints.iter_mut().flatten().find(|existing| existing.name == *name);
            if let Some(existing) = existing {
                existing.disks = covered_disks(answer);
            }
        }
        Question::BlockJob(disk) => {
            if let Some(line) = answer.lines().find(|line| !line.trim().is_empty()) {
                vm.block_jobs.insert(disk.clone(), line.trim().to_owned());
            }
        }
        Question::VolumePath(volume) => {
            if answer.starts_with('/') {
                vm.volume_paths.insert(volume.clone(), answer.to_owned());
            }
        }
        Question::Domain => domain(answer, vm),
        Question::Domains => {}
    }
}

/// What of the domain's XML only the host has to do with.
fn domain(answer: &str, vm: &mut Vm) {
    let Ok(document) = syntax::parse_valid(answer) else { return };
    let root = document.root();
    let labels = root.children().filter(|child| child.is("seclabel") && child.attribute("model") == Some("dac"));
    let mut labels = labels.flat_map(Element::children).filter(|child| child.is("label"));
    vm.user = labels.next().and_then(Element::text).map(|label| label.trim().to_owned());
    let devices = root.children().filter(|child| child.is("devices"));
    for disk in devices.flat_map(Element::children).filter(|child| child.is("disk")) {
        let child = |name| disk.child(name);
        let volume = child("source").and_then(|source| Some((source.attribute("pool")?, source.attribute("volume")?)));
        let target = child("target").and_then(|target| target.attribute("dev"));
        let Some(target) = target else { continue };
        if let Some((pool, volume)) = volume {
            vm.volumes.insert(target.to_owned(), (pool.to_owned(), volume.to_owned()));
        }
        if let Some(index) = child("source").and_then(|source| source.attribute("index")) {
            vm.indexes.insert(target.to_owned(), index.to_owned());
        }
    }
}

/// `Running against daemon: 12.8.0`
fn daemon_release(answer: &str) -> Option<String> {
    let release = answer.lines().find_map(|line| line.strip_prefix("Running against daemon: "))?;
    Some(release.trim().to_owned())
}

/// `running (booted)`
fn state(answer: &str) -> Option<State> {
    let state = answer.lines().next()?.split(" (").next()?.trim();
    match state {
        "" | "no state" => None,
        // A crashed domain that is kept has no QEMU that would answer; one that is "in shutdown" still has.
        "shut off" | "crashed" => Some(State::Inactive(state.to_owned())),
        _ => Some(State::Active),
    }
}

/// A value of `Name:   value`.
fn field<'t>(answer: &'t str, name: &str) -> Option<&'t str> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn job(answer: &str) -> Option<Job> {
    let kind = field(answer, "Job type").filter(|kind| *kind != "None")?;
    // A job that has ended is shown until it is asked for.
    if matches!(kind, "Completed" | "Failed" | "Cancelled") {
        return None;
    }
    let operation = field(answer, "Operation").unwrap_or(kind);
    Some(if operation == "Backup" { Job::PushBackup } else { Job::Other(operation.to_owned()) })
}

/// The backup that `virsh backup-dumpxml` prints.
fn backup_job(answer: &str) -> Option<Job> {
    let document = syntax::parse_valid(answer).ok()?;
    let root = document.root();
    if root.name() != "domainbackup" {
        return None;
    }
    Some(if root.attribute("mode") == Some("pull") { Job::PullBackup } else { Job::PushBackup })
}

/// What `virsh domstats --block --backing` prints: the images of a disk one after another, its own first.
fn sizes(answer: &str) -> BTreeMap<String, DiskSizes> {
    let mut images: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
    for line in answer.lines() {
        let Some((number, rest)) = line.trim().strip_prefix("block.").and_then(|rest| rest.split_once('.')) else {
            continue;
        };
        let (Ok(number), Some((name, value))) = (number.parse(), rest.split_once('=')) else { continue };
        images.entry(number).or_default().insert(name, value);
    }
    let mut disks: BTreeMap<String, DiskSizes> = BTreeMap::new();
    let mut last = "";
    for image in images.values() {
        let number = |name| image.get(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        let name = image.get("name").copied().unwrap_or(last);
        let is_own = name != last;
        last = name;
        let sizes = disks.entry(name.to_owned()).or_default();
        if is_own {
            sizes.capacity = number("capacity");
        }
        sizes.allocation = sizes.allocation.saturating_add(number("physical"));
    }
    disks
}

/// What `virsh secret-list` prints: `UUID  type id`, with or without heads.
fn secrets(answer: &str) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for line in answer.lines() {
        let Some((uuid, usage)) = line.trim().split_once(char::is_whitespace) else { continue };
        if uuid.len() != 36 || !uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            continue;
        }
        let (usage_type, usage) = usage.trim().split_once(' ').unwrap_or((usage.trim(), ""));
        let secret =
            Secret { uuid: uuid.to_ascii_lowercase(), usage_type: usage_type.to_owned(), usage: usage.to_owned() };
        secrets.push(secret);
    }
    secrets
}

/// The disks of `virsh checkpoint-dumpxml`.
fn covered_disks(answer: &str) -> Option<HashMap<String, Bitmap>> {
    let document = syntax::parse_valid(answer).ok()?;
    let root = document.root();
    if root.name() != "domaincheckpoint" {
        return None;
    }
    let disks = root.children().find(|child| child.name() == "disks");
    let disks = disks.into_iter().flat_map(Element::children);
    let covered = disks.filter(|disk| disk.attribute("checkpoint") == Some("bitmap")).filter_map(|disk| {
        let bitmap = match disk.attribute("size").and_then(|size| size.parse().ok()) {
            Some(size) => Bitmap::Found(size),
            None => Bitmap::Lost,
        };
        Some((disk.attribute("name")?.to_owned(), bitmap))
    });
    Some(covered.collect())
}

#[cfg(test)]
mod tests;
