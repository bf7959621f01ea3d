//! The whole report of every fixture in `tests/rules`, and of the documents in `tests/reports`, as it is printed.
//!
//! Each report is a file in `tests/golden`: a change of any message, label, help, fix or quotation shows in the diff.
//! `INSTA_UPDATE=always cargo test --test golden` writes them again; read the diff before you commit it.

#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "fixtures/mod.rs"]
mod fixtures;
#[allow(dead_code)]
#[path = "cli/process.rs"]
mod process;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use backupxml::rules::RULES;
use fixtures::{WITH_DOMAIN, fixtures, rule_of, shared_domain, unmarked};
use process::{Run, command, directory};
use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// A command line, and the files that it reads.
struct Case {
    name: String,
    arguments: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Case {
    /// The case of a fixture: `check` with the options that the fixture's name and companion files imply.
    fn of_fixture(path: &Path) -> Self {
        let (rule, variant) = rule_of(path);
        let mut case = Self { name: format!("{rule}{variant}").replace('/', "-"), arguments: vec![], files: vec![] };
        let mut argument = |text: &str| case.arguments.push(text.to_owned());
        argument("check");
        if let Some(release) = variant.strip_prefix('@') {
            argument("--libvirt-version");
            argument(release);
        }
        if variant == ".status" {
            argument("--status");
        }
        let mut domain = fs::read_to_string(path.with_extension("domain.xml")).ok();
        if domain.is_none() && WITH_DOMAIN.iter().any(|family| rule.starts_with(family)) {
            domain = Some(shared_domain());
        }
        let checkpoint = fs::read_to_string(path.with_extension("checkpoint.xml")).ok();
        for (name, text) in [("domain", domain), ("checkpoint", checkpoint)] {
            let Some(text) = text else { continue };
            argument(&format!("--{name}"));
            argument(&format!("{name}.xml"));
            case.files.push((format!("{name}.xml"), unmarked(&text).0.into_bytes()));
        }
        if let Ok(dump) = fs::read_to_string(path.with_extension("existing.xml")) {
            ["--existing-checkpoint", "@existing.xml"].into_iter().for_each(&mut argument);
            case.files.push(("existing.xml".to_owned(), dump.into_bytes()));
        }
        if let Ok(options) = fs::read_to_string(path.with_extension("options")) {
            options.split_whitespace().for_each(&mut argument);
        }
        argument("backup.xml");
        case.files.push(("backup.xml".to_owned(), unmarked(&fs::read_to_string(path).unwrap()).0.into_bytes()));
        case
    }

    /// The case of a document in `tests/reports`: the command line is in the file `NAME.command`.
    /// It runs with `backup.xml`, and with the domain and the checkpoint of `examples`.
    fn of_report(path: &Path) -> Self {
        let text = fs::read(path).unwrap();
        let arguments = fs::read_to_string(path.with_extension("command")).unwrap();
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let example = |name: &str| fs::read(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let companions = ["domain.xml", "checkpoint.xml"].map(|name| (name.to_owned(), example(name)));
        let files = [("backup.xml".to_owned(), text)].into_iter().chain(companions).collect();
        Self { name: format!("report-{name}"), arguments, files }
    }

    /// The command line, what it prints, and what each fix changes.
    fn report(&self) -> String {
        let files: Vec<_> = self.files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let place = directory(&format!("golden/{}", self.name), &files);
        let run = |more: &[&str]| {
            let arguments: Vec<_> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
            let output = command(&arguments).env("SOURCE_DATE_EPOCH", "1700000000").current_dir(&place).output();
            Run::from(output.expect("it runs"))
        };
        let Run { status, stdout, stderr } = run(&[]);
        let mut report = format!("$ backupxml {}\n{stdout}", self.arguments.join(" "));
        if !stderr.is_empty() {
            write!(report, "(standard error)\n{stderr}").unwrap();
        }
        writeln!(report, "(exit status {status})").unwrap();
        if self.is_full_report() {
            let json: Value = serde_json::from_str(&run(&["--format", "json"]).stdout).expect("a report in JSON");
            for diagnostic in json["files"][0]["diagnostics"].as_array().unwrap() {
                report.push_str(&fixes(diagnostic, &self.files));
            }
        }
        report
    }

    fn is_full_report(&self) -> bool {
        self.arguments[0] == "check"
            && !self.arguments.iter().any(|argument| ["--format", "--fix"].contains(&argument.as_str()))
    }
}

/// The title of each fix of a diagnostic, and the lines that it changes.
fn fixes(diagnostic: &Value, files: &[(String, Vec<u8>)]) -> String {
    let mut shown = String::new();
    for fix in diagnostic["fixes"].as_array().unwrap() {
        let safety = if fix["safe"].as_bool().unwrap() { "safe" } else { "unsafe" };
        let rule = diagnostic["rule"].as_str().unwrap();
        writeln!(shown, "\n{safety} fix for {rule}: {}", fix["message"].as_str().unwrap()).unwrap();
        let mut edits: Vec<_> = fix["edits"].as_array().unwrap().iter().collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit["start"].as_u64()));
        let path = edits[0]["path"].as_str().unwrap();
        let before = &files.iter().find(|(name, _)| name == path).unwrap().1;
        let mut after = before.clone();
        for edit in edits {
            let offset = |name: &str| usize::try_from(edit[name].as_u64().unwrap()).unwrap();
            after.splice(offset("start")..offset("end"), edit["text"].as_str().unwrap().bytes());
        }
        let [before, after] = [before, &after].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        for change in similar::TextDiff::from_lines(&before, &after).iter_all_changes() {
            if change.tag() != similar::ChangeTag::Equal {
                writeln!(shown, "{}{}", change.tag(), change.value().trim_end_matches('\n')).unwrap();
            }
        }
    }
    shown
}

/// A document larger than the limits, generated here instead of stored.
fn too_large() -> Case {
    let name = "n".repeat(50_001);
    Case {
        name: "xml-too-large".to_owned(),
        arguments: vec!["check".to_owned(), "backup.xml".to_owned()],
        files: vec![("backup.xml".to_owned(), format!("<domainbackup>\n  <{name}/>\n</domainbackup>\n").into_bytes())],
    }
}

fn reports() -> Vec<PathBuf> {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "xml")).collect();
    files.sort();
    files
}

#[test]
fn reports_are_as_recorded() {
    let mut cases: Vec<_> = fixtures().iter().map(|path| Case::of_fixture(path)).collect();
    cases.extend(reports().iter().map(|path| Case::of_report(path)));
    cases.push(too_large());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(GOLDEN);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let changed: Vec<_> = settings.bind(|| {
        let differs = |case: &&Case| {
            let compare = || insta::assert_snapshot!(case.name.as_str(), case.report());
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(compare)).is_err()
        };
        cases.iter().filter(differs).map(|case| case.name.clone()).collect()
    });
    assert!(changed.is_empty(), "{} reports changed: {}", changed.len(), changed.join(", "));

    let recorded = fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let expected: BTreeSet<_> = cases.iter().map(|case| format!("{}.snap", case.name)).collect();
    let stale: Vec<_> =
        recorded.filter(|name| name.strip_suffix(".new").is_none() && !expected.contains(name)).collect();
    assert!(stale.is_empty(), "files without a case: {}", stale.join(", "));
}

#[test]
fn every_rule_has_a_recorded_report() {
    let recorded = fs::read_dir(GOLDEN).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let recorded: String = recorded.collect();
    // Reports about hosts are recorded by `tests/host.rs`.
    let rules = RULES.iter().filter(|rule| rule.family() != "host");
    let without: Vec<_> = rules.map(|rule| rule.name()).filter(|name| !recorded.contains(*name)).collect();
    assert!(without.is_empty(), "{without:?}");
}
