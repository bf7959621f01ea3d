//! Asks virsh, on a read-only connection: questions → what it knows of a domain.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, bail};

use crate::diagnostic::Diagnostic;
use crate::domain::{self, Domain};
use crate::host::Vm;
use crate::host::answers::{self, Answer, Question};
use crate::release::Release;
use crate::source::Source;
use crate::wording::closest_match;

/// How long virsh may take. libvirt itself waits for 30 seconds when something holds the domain.
const TIME_LIMIT: Duration = Duration::from_secs(40);
/// Longest answer that is read: many times a host of a thousand disks.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Questions to one process: an argument may have 128 KiB.
const MAX_QUESTIONS: usize = 250;

/// How virsh is run.
pub(in crate::cli) struct Virsh {
    /// The program, and arguments that come before virsh's own.
    command: Vec<String>,
    uri: Option<String>,
    limit: Duration,
}

/// What virsh said of a domain.
#[derive(Debug)]
pub(in crate::cli) struct Gathered {
    name: String,
    /// What `virsh dumpxml` prints.
    domain: String,
    pub(in crate::cli) vm: Vm,
}

/// What documents name, so that one process can answer all that matters to them.
#[derive(Debug, Default)]
pub(in crate::cli) struct Names {
    pub(in crate::cli) disks: BTreeSet<String>,
    /// Whether every disk matters: a backup without `<disks>` names none.
    pub(in crate::cli) every_disk: bool,
    pub(in crate::cli) checkpoints: BTreeSet<String>,
    /// Whether every checkpoint matters, not just those that are named.
    pub(in crate::cli) every_checkpoint: bool,
}

impl Virsh {
    /// `command` is a program, or a command line with white space between its words.
    pub(in crate::cli) fn new(command: &str, uri: Option<&str>) -> anyhow::Result<Self> {
        let command: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
        if command.is_empty() {
            bail!("--virsh names no command");
        }
        Ok(Self { command, uri: uri.map(str::to_owned), limit: TIME_LIMIT })
    }

    /// Asks everything about a domain that a backup may depend on.
    pub(in crate::cli) fn gather(&self, name: &str, names: &Names) -> anyhow::Result<Gathered> {
        let mut questions = answers::QUESTIONS.to_vec();
        questions.extend(names.checkpoints.iter().cloned().map(Question::Checkpoint));
        questions.extend(names.disks.iter().cloned().map(Question::BlockJob));
        let mut vm = Vm { is_elsewhere: self.is_elsewhere(), ..Vm::default() };
        let mut xml = String::new();
        let mut refusal = None;
        for (question, answer) in self.ask(name, &questions)? {
            if question == Question::Domain {
                xml.clone_from(&answer.text);
                refusal.clone_from(&answer.error);
            }
            answers::read(&question, &answer, &mut vm);
        }
        if !xml.starts_with('<') {
            return Err(self.no_domain(name, &vm, refusal));
        }
        let domain = domain::read(&xml, Release::default()).0.unwrap_or_default();
        // What the documents did not name, and the domain has.
        let more: Vec<_> =
            further_questions(&domain, &vm, names).into_iter().filter(|new| !questions.contains(new)).collect();
        if !more.is_empty() {
            for (question, answer) in self.ask(name, &more)? {
                answers::read(&question, &answer, &mut vm);
            }
        }
        Ok(Gathered { name: name.to_owned(), domain: xml, vm })
    }

    /// Whether virsh is run on another machine.
    fn is_elsewhere(&self) -> bool {
        let program = self.command.first().and_then(|program| program.rsplit('/').next());
        program == Some("ssh")
    }

    /// Why there is no domain to ask about, with a name that is near, if there is one.
    fn no_domain(&self, name: &str, vm: &Vm, refusal: Option<String>) -> anyhow::Error {
        let uri = if vm.uri.is_empty() { "libvirt" } else { &vm.uri };
        let known = self.ask(name, &[Question::Domains]).unwrap_or_default();
        let known: Vec<_> =
            known.iter().flat_map(|(_, answer)| answer.text.lines()).filter(|line| !line.is_empty()).collect();
        let hint = if let Some(near) = closest_match(name, known.iter().copied()) {
            format!("; did you mean {near}?")
        } else if vm.is_session() {
            "; domains of the system are at --connect qemu:///system".to_owned()
        } else {
            String::new()
        };
        if known.contains(&name) {
            return anyhow!("{uri} cannot say what the domain {name} is: {}", refusal.unwrap_or_default());
        }
        anyhow!("{uri} has no domain {name}{hint}")
    }

    /// Has virsh answer all questions, with one process unless they are very many.
    fn ask(&self, domain: &str, questions: &[Question]) -> anyhow::Result<Vec<(Question, Answer)>> {
        let mut answers = Vec::with_capacity(questions.len());
        for questions in questions.chunks(MAX_QUESTIONS) {
            answers.extend(self.ask_at_once(domain, questions.to_vec())?);
        }
        Ok(answers)
    }

    /// Has one process answer all questions. Those that this virsh does not know are omitted.
    fn ask_at_once(&self, domain: &str, mut questions: Vec<Question>) -> anyhow::Result<Vec<(Question, Answer)>> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mark = format!("@@{:x}-{:x}@", std::process::id(), since_1970.as_nanos());
        loop {
            let text = self.run(&answers::script(&mark, domain, &questions))?;
            if let Some(answers) = answers::split(&mark, questions.len(), &text) {
                return Ok(questions.into_iter().zip(answers).collect());
            }
            // virsh parses the whole line before it does anything.
            let before = questions.len();
            if let Some(unknown) = answers::unknown_command(&text) {
                questions.retain(|question| question.name() != unknown);
            }
            if questions.len() == before || questions.is_empty() {
                let said = answers::errors(&text);
                bail!("{} said: {}", self.shown(), if said.is_empty() { "nothing" } else { &said });
            }
        }
    }

    /// How virsh is called in messages.
    fn shown(&self) -> String {
        self.command.join(" ")
    }

    /// Both streams go into one pipe, so that an error stands with the answer it is of.
    fn run(&self, script: &str) -> anyhow::Result<String> {
        let context = || format!("cannot run {}", self.shown());
        let (mut reader, writer) = io::pipe().with_context(context)?;
        let Some((program, arguments)) = self.command.split_first() else { bail!("--virsh names no command") };
        let mut command = Command::new(program);
        command.args(arguments).args(["-r", "-q"]);
        if let Some(uri) = &self.uri {
            command.args(["-c", uri]);
        }
        command.arg(script).env("LC_ALL", "C").stdin(Stdio::null());
        command.stdout(writer.try_clone().with_context(context)?).stderr(writer);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                anyhow!("cannot run {program}: there is no such program; install virsh, or give --virsh")
            }
            _ => anyhow!("cannot run {}: {error}", self.shown()),
        })?;
        // It holds the other ends of the pipe.
        drop(command);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let result = reader.by_ref().take(MAX_ANSWER_BYTES).read_to_end(&mut bytes).map(|_| bytes);
            // After the time limit the receiver is gone.
            let _ = sender.send(result);
        });
        let answer = receiver.recv_timeout(self.limit);
        if answer.is_err() {
            // It may be gone already.
            let _ = child.kill();
        }
        let _ = child.wait();
        let Ok(answer) = answer else {
            bail!("{} did not answer within {} seconds", self.shown(), self.limit.as_secs());
        };
        Ok(String::from_utf8_lossy(&answer.with_context(context)?).into_owned())
    }
}

/// What only the domain's own XML and the list of its checkpoints lead to.
fn further_questions(domain: &Domain, vm: &Vm, names: &Names) -> Vec<Question> {
    let mut questions = Vec::new();
    if names.every_checkpoint {
        questions.extend(vm.checkpoints.iter().flatten().map(|existing| Question::Checkpoint(existing.name.clone())));
    }
    if names.every_disk {
        let disks = domain.disks.iter().filter(|disk| !disk.read_only);
        questions.extend(disks.map(|disk| Question::BlockJob(disk.target.to_string())));
    }
    questions.extend(vm.volumes.values().cloned().map(Question::VolumePath));
    questions
}

impl Gathered {
    /// The domain's XML, as a document that labels are put on.
    pub(in crate::cli) fn source(&mut self, release: Release) -> (Source, Vec<Diagnostic>) {
        Source::new(format!("virsh dumpxml {}", self.name), std::mem::take(&mut self.domain).into_bytes(), release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virsh_that_hangs_is_ended() {
        let command = ["sh", "-c", "sleep 60"].map(str::to_owned).into();
        let virsh = Virsh { command, uri: None, limit: Duration::from_millis(200) };
        let error = virsh.gather("shop", &Names::default()).unwrap_err().to_string();
        assert_eq!(error, "sh -c sleep 60 did not answer within 0 seconds");
    }
}
