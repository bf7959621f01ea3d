//! Compares diagnostics with what a real libvirtd with QEMU printed when a backup was started:
//! `preflight/scenarios.jsonl`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use backupxml::checkpoint::{self, Existing};
use backupxml::diagnostic::Diagnostic;
use backupxml::release::Release;
use backupxml::rules::Severity;
use backupxml::{Options, check, domain};
use serde::Deserialize;

/// A scenario as recorded.
#[derive(Deserialize)]
struct Scenario {
    name: String,
    backup: String,
    domain: String,
    checkpoint: Option<String>,
    #[serde(default)]
    existing: Vec<String>,
    #[serde(default)]
    dumps: Vec<String>,
    #[serde(default)]
    reuse_external: bool,
    verdict: String,
    message: Option<String>,
    rule: Option<String>,
    /// What a second run printed, after the first had ended; `None` when it was accepted or not tried.
    #[serde(default)]
    again: Option<String>,
}

const MIN_SCENARIOS: usize = 900;

fn scenarios() -> Vec<Scenario> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/preflight/scenarios.jsonl");
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).expect("a scenario")).collect()
}

impl Scenario {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        let (domain, mut found) = domain::read(&self.domain, Release::default());
        let mut options = Options { reuse_external: self.reuse_external, ..Options::default() };
        if let Some(text) = &self.checkpoint {
            let (checkpoint, more) = checkpoint::read(text, options.release);
            found.extend(more);
            options.checkpoint = checkpoint.map(Arc::new);
        }
        let dumps = self.dumps.iter().flat_map(|dump| checkpoint::read_existing(dump).expect("a checkpoint"));
        let names = self.existing.iter().map(Existing::named);
        options.existing = Some(if self.dumps.is_empty() { names.collect() } else { dumps.collect() });
        let own_name = options.checkpoint.as_ref().and_then(|checkpoint| checkpoint.name.clone());
        options.suffix = own_name.map_or_else(|| self.time(), |name| name.value);
        found.extend(check(&self.backup, domain.as_ref(), &options));
        found
    }

    /// The time of the recording in seconds since 1970, if the message contains a generated name.
    fn time(&self) -> String {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        let message = self.message.as_deref().unwrap_or_default();
        message
            .split(['.', '\''])
            .map(digits)
            .find(|digits| digits.len() == 10)
            .unwrap_or_else(|| "1795550000".to_owned())
    }

    fn errors(&self) -> Vec<Diagnostic> {
        self.diagnostics().into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect()
    }
}

#[test]
fn every_verdict_is_predicted() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= MIN_SCENARIOS, "{}", scenarios.len());
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        if scenario.rule.as_deref() == Some("advice/inactive-domain") {
            let warned = scenario
                .diagnostics()
                .iter()
                .any(|diagnostic| Some(diagnostic.rule.name()) == scenario.rule.as_deref());
            if !warned {
                wrong.push(format!("{}: no warning", scenario.name));
            }
            continue;
        }
        let errors = scenario.errors();
        if errors.is_empty() == (scenario.verdict == "refused") {
            wrong.push(format!("{}: {} ({:?}), not {errors:?}", scenario.name, scenario.verdict, scenario.message));
        } else if let Some(rule) = &scenario.rule
            && !is_reported(&errors, rule, &scenario.name)
        {
            let found: Vec<_> = errors.iter().map(|error| error.rule.name()).collect();
            wrong.push(format!("{}: {rule}, not {found:?}", scenario.name));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Scenarios with several mistakes, beside those whose names begin with `both-`.
const SEVERAL_MISTAKES: [(&str, &str); 2] = [
    ("push-all-generated-of-one-image", "the disks share their image and their destination"),
    ("document-namespace", "each element is in the namespace, and the name is not read"),
];

/// Whether the rule is among the errors, and there is no other one.
fn is_reported(errors: &[Diagnostic], rule: &str, name: &str) -> bool {
    let may_have_others = name.starts_with("both-") || SEVERAL_MISTAKES.iter().any(|(several, _)| *several == name);
    let is_of_rule = |error: &Diagnostic| error.rule.name() == rule;
    errors.iter().any(is_of_rule) && (may_have_others || errors.iter().all(is_of_rule))
}

/// Scenarios for which libvirt prints another message first, and why.
const OTHER_WORDS: [(&str, &str); 23] = [
    ("own-path-above-earlier", "the directory was not there"),
    ("own-path-below-earlier-made", "the directory was there"),
    ("own-socket-above-scratch-missing", "the directory was not there"),
    ("push-onto-shareable-image-taken-too", "the disk's own lock comes first"),
    ("push-onto-shareable-image-taken-before", "the disk's own lock comes first"),
    ("push-onto-own-shareable-image-reused", "the disk's own lock comes first"),
    ("push-onto-own-shareable-device", "the disk's own lock comes first"),
    ("push-target-ends-in-dot-dot", "the directory before the dots was not there"),
    ("copying-onto-the-copy-reused", "the copy that runs has another lock"),
    ("socket-ends-in-dot-dot", "the directory was there"),
    ("document-disk-too-many-doubled", "it counts the disks first"),
    ("both-stopped-and-checkpoint-raw", "it looks at the domain's state first"),
    ("document-disk-too-many", "it counts the disks first; two of them are not the domain's"),
    ("encrypted-raw-secret-missing", "it looks for the secret first"),
    ("encrypted-vdi-secret-missing", "it looks for the secret first"),
    ("encrypted-vmdk-secret-missing", "it looks for the secret first"),
    ("encrypted-qcow-secret-missing", "it looks for the secret first"),
    ("domain-stopped-unknown-disk", "it looks at the domain's state first"),
    ("domain-stopped-bad-checkpoint", "it looks at the checkpoint's document first"),
    ("push-onto-other-device-raw", "the devices had different sizes, which comes before the lock"),
    ("document-not-closed", "libxml2 adds the line"),
    ("document-two-roots", "libxml2 adds the line"),
    ("document-name-1024", "QEMU refuses it before libvirt does"),
];

#[test]
fn libvirts_words_are_its_own() {
    let mut wrong = Vec::new();
    for scenario in scenarios().iter().filter(|scenario| scenario.verdict == "refused") {
        let message = scenario.message.as_deref().unwrap_or_default();
        let errors = scenario.errors();
        let chosen: Vec<_> = errors.iter().filter_map(|error| error.libvirt.as_deref()).collect();
        let first_line = |words: &str| words.lines().next().unwrap_or_default().to_owned();
        let has_other = OTHER_WORDS.iter().any(|(name, _)| *name == scenario.name);
        // Of a message that repeats a very long name the beginning is kept.
        let agrees = |words: &&str| match words.strip_suffix('…') {
            Some(beginning) => beginning.len() > 990 && message.starts_with(beginning),
            None => first_line(words) == first_line(message),
        };
        if !errors.is_empty() && !has_other && !chosen.iter().any(agrees) {
            wrong.push(format!("{}:\n  {message}\n  {chosen:?}", scenario.name));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The rules of the warnings about a start that was accepted.
fn warnings(scenario: &Scenario) -> BTreeSet<&'static str> {
    scenario.diagnostics().iter().map(|diagnostic| diagnostic.rule.name()).collect()
}

#[test]
fn a_fixed_target_is_what_a_second_run_fails_for() {
    let mut wrong = Vec::new();
    for scenario in scenarios().iter().filter(|scenario| scenario.verdict == "accepted") {
        // With a checkpoint, its name is what the next run fails for.
        let fails =
            scenario.checkpoint.is_none() && scenario.again.as_ref().is_some_and(|said| said.ends_with("exists"));
        if warnings(scenario).contains("advice/fixed-target") != fails {
            wrong.push(format!("{}: {:?}", scenario.name, scenario.again));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The other warnings about starts that were accepted: `preflight/warnings.txt` lists each, reviewed for being true.
#[test]
fn accepted_starts_have_only_the_warnings_that_are_listed() {
    let mut by_rule: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for scenario in scenarios().iter().filter(|scenario| scenario.verdict == "accepted") {
        for rule in warnings(scenario).into_iter().filter(|rule| *rule != "advice/fixed-target") {
            by_rule.entry(rule).or_default().push(scenario.name.clone());
        }
    }
    let mut text = String::new();
    for (rule, names) in by_rule {
        writeln!(text, "{rule}").unwrap();
        for name in names {
            writeln!(text, "    {name}").unwrap();
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/preflight/warnings.txt");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), text, "INSTA_UPDATE=always writes {path} again");
}
