//! Starts on a real daemon, predicted again from what virsh and the machine showed just before.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use backupxml::diagnostic::Diagnostic;
use backupxml::host::answers::{Question, read, split};
use backupxml::host::{Facts, Files, Vm};
use backupxml::release::Release;
use backupxml::rules::RULES;
use backupxml::{Domain, Options, check, checkpoint};

/// A line of `scenarios.jsonl`, as `difftest/host.py` writes it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    name: String,
    #[serde(rename = "as")]
    mode: String,
    backup: String,
    checkpoint: Option<String>,
    #[serde(default)]
    reuse_external: bool,
    verdict: String,
    message: Option<String>,
    answers: BTreeMap<String, String>,
    files: Files,
}

/// Refusals that nothing shows beforehand, and why.
const UNSEEN: [(&str, &str); 2] = [
    ("bitmap-left-in-this-run", "the bitmap is in the memory of QEMU only"),
    ("tls-own-directory", "the daemon chose its directory of certificates when it started"),
];

fn recorded() -> Vec<Recorded> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/host/scenarios.jsonl")).unwrap();
    let mut recorded: Vec<Recorded> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let domains: BTreeMap<_, _> = recorded
        .iter()
        .map(|line| (format!("= {}/{}", line.mode, line.name), line.answers["dumpxml"].clone()))
        .collect();
    for line in &mut recorded {
        let domain = line.answers.get_mut("dumpxml").unwrap();
        if let Some(same) = domains.get(domain) {
            domain.clone_from(same);
        }
    }
    recorded
}

/// The question that a recorded answer is of, by the name of virsh's command and its words.
fn question(command: &str) -> Question {
    let words: Vec<_> = command.split(' ').map(str::to_owned).collect();
    match words.as_slice() {
        [name] => {
            let all = backupxml::host::answers::QUESTIONS;
            all.into_iter().find(|question| question.name() == name).unwrap_or_else(|| panic!("unknown: {name}"))
        }
        [name, checkpoint] if name == "checkpoint-dumpxml" => Question::Checkpoint(checkpoint.clone()),
        [name, disk] if name == "blockjob" => Question::BlockJob(disk.clone()),
        [name, volume, pool] if name == "vol-path" => Question::VolumePath((pool.clone(), volume.clone())),
        _ => panic!("unknown: {command}"),
    }
}

impl Recorded {
    fn facts(&self) -> Facts {
        let mut vm = Vm::default();
        // The list of checkpoints comes before what each of them covers.
        let mut answers: Vec<_> = self.answers.iter().map(|(command, answer)| (question(command), answer)).collect();
        answers.sort();
        for (question, answer) in answers {
            let answer = split("@", 1, &format!("@0@{answer}\n@end@")).unwrap().remove(0);
            read(&question, &answer, &mut vm);
        }
        Facts { vm, files: Some(self.files.clone()) }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let facts = self.facts();
        let release = facts.vm.release.as_deref().and_then(Release::nearest).unwrap();
        let checkpoint = self.checkpoint.as_deref().and_then(|text| checkpoint::read(text, release).0);
        let name = checkpoint.as_ref().and_then(|checkpoint| checkpoint.name.as_ref()).map(|name| name.value.clone());
        let options = Options {
            release,
            suffix: name.unwrap_or_else(|| "1700000000".to_owned()),
            checkpoint: checkpoint.map(Arc::new),
            existing: facts.vm.checkpoints.clone().map(Into::into),
            reuse_external: self.reuse_external,
            host: Some(Arc::new(facts)),
            ..Options::default()
        };
        let domain = Domain::parse(&self.answers["dumpxml"]).unwrap();
        check(&self.backup, Some(&domain), &options)
    }
}

#[test]
fn verdicts_follow_from_the_facts() {
    let recorded = recorded();
    assert!(recorded.len() >= 280, "{}", recorded.len());
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in &recorded {
        let diagnostics = line.diagnostics();
        let errors: Vec<_> =
            diagnostics.iter().filter(|found| found.is_error()).map(|found| found.rule.name()).collect();
        if errors.is_empty() == (line.verdict == "refused") {
            wrong.push(format!(
                "{}: {} {}, {errors:?}",
                line.name,
                line.verdict,
                line.message.as_deref().unwrap_or("")
            ));
        }
        found.extend(errors);
    }
    wrong.retain(|line| !UNSEEN.iter().any(|(name, _)| line.starts_with(&format!("{name}:"))));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rules = RULES.iter().filter(|rule| rule.family() == "host");
    let without: Vec<_> = rules.map(|rule| rule.name()).filter(|name| !found.contains(name)).collect();
    assert!(without.is_empty(), "rules without a recording: {without:?}");
}

#[test]
fn refusals_that_nothing_shows_are_still_unseen() {
    let recorded = recorded();
    for (name, _) in UNSEEN {
        let line = recorded.iter().find(|line| line.name == name).unwrap();
        assert_eq!(line.verdict, "refused", "{name}");
        assert!(!line.diagnostics().iter().any(Diagnostic::is_error), "{name}");
    }
}

/// Warnings of the host for what was accepted, and messages other than the one that libvirt printed.
#[test]
fn warnings_and_messages_are_those_that_were_read() {
    let mut report = String::new();
    for line in recorded() {
        let diagnostics = line.diagnostics();
        let (name, mode) = (&line.name, &line.mode);
        for warning in diagnostics.iter().filter(|found| !found.is_error() && found.rule.family() == "host") {
            writeln!(report, "{mode}/{name}, {}: {warning}", line.verdict).unwrap();
        }
        let said = line.message.as_deref().and_then(|message| message.lines().next()).unwrap_or_default();
        let mut errors = diagnostics.iter().filter(|found| found.is_error()).peekable();
        let first = errors.peek().and_then(|found| found.libvirt.clone()).unwrap_or_default();
        if !said.is_empty() && !first.is_empty() && !errors.any(|found| found.libvirt.as_deref() == Some(said)) {
            writeln!(report, "{mode}/{name}\n  libvirt: {said}\n  not:     {first}").unwrap();
        }
    }
    insta::with_settings!({ snapshot_path => "host", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("recordings", report);
    });
}
