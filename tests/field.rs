//! Documents as people and tools write them, and the answer to each: one error that names the cause.
//!
//! `tests/field/*.txt` hold cases. A case names the rules that are broken (none: the document is good), words that the
//! report must hold, and what its fix is: none, a safe or an unsafe one, and the document that it makes. ⟦ and ⟧ mark
//! the place of each diagnostic.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fs;
use std::ops::Range;
use std::path::Path;

use backupxml::diagnostic::{Applicability, Diagnostic};
use backupxml::fix::fix;
use backupxml::rules::Rule;
use backupxml::{Options, check};

const MIN_CASES: usize = 210;

#[derive(Default)]
struct Case {
    name: String,
    rules: Vec<String>,
    words: Vec<String>,
    accepted: bool,
    fix: Option<String>,
    text: String,
    marks: Vec<Range<usize>>,
    fixed: Option<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let kind = file.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(file).unwrap();
            text.split("### case: ").skip(1).map(|case| parse(&kind, case)).collect::<Vec<_>>()
        })
        .collect()
}

fn parse(kind: &str, written: &str) -> Case {
    let (head, body) = written.split_once("### document\n").expect("a document");
    let (document, fixed) = match body.split_once("### fixed\n") {
        Some((document, fixed)) => (document, Some(fixed.to_owned())),
        None => (body, None),
    };
    let mut lines = head.lines();
    let mut case = Case { name: format!("{kind}/{}", lines.next().unwrap()), fixed, ..Case::default() };
    for line in lines {
        let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", case.name));
        let list = || value.split(", ").map(str::to_owned).collect();
        match key {
            "rule" => case.rules = list(),
            "says" => case.words = list(),
            "libvirt" => case.accepted = value == "accepts",
            "fix" => case.fix = Some(value.to_owned()),
            _ => panic!("{}: {line}", case.name),
        }
    }
    let mut rest = document;
    while let Some((before, after)) = rest.split_once('⟦') {
        let (marked, after) = after.split_once('⟧').expect("a ⟧ for each ⟦");
        case.text += before;
        case.marks.push(case.text.len()..case.text.len() + marked.len());
        case.text += marked;
        rest = after;
    }
    case.text += rest;
    case
}

/// Everything that a report of the diagnostics says.
fn words(diagnostics: &[Diagnostic]) -> String {
    let of = |diagnostic: &Diagnostic| {
        let labels = diagnostic.labels().map(|label| label.message.clone());
        let fixes = diagnostic.fixes.iter().map(|fix| fix.message.clone());
        let help = diagnostic.help.clone();
        std::iter::once(diagnostic.message.clone())
            .chain(help)
            .chain(labels)
            .chain(fixes)
            .collect::<Vec<_>>()
            .join("\n")
    };
    diagnostics.iter().map(of).collect::<Vec<_>>().join("\n")
}

/// What is wrong with the answer to a case.
fn complaint(case: &Case) -> Option<String> {
    let options = Options { suffix: "s".to_owned(), ..Options::default() };
    let mut diagnostics = check(&case.text, None, &options);
    // Advice about what a case is not about.
    diagnostics.retain(|diagnostic| diagnostic.rule != Rule::FixedTarget);
    let found: Vec<_> =
        diagnostics.iter().map(|diagnostic| (diagnostic.rule.name(), diagnostic.primary.span.range())).collect();
    let expected: Vec<_> = case.rules.iter().map(String::as_str).zip(case.marks.iter().cloned()).collect();
    if found != expected || case.rules.len() != case.marks.len() {
        let found: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| {
                format!(
                    "{diagnostic} {:?} `{}`",
                    diagnostic.primary.span.range(),
                    &case.text[diagnostic.primary.span.range()]
                )
            })
            .collect();
        return Some(format!("expected {expected:?}, found\n  {}", found.join("\n  ")));
    }
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.is_error() && diagnostic.rule != Rule::DocumentType);
    if refused == case.accepted {
        return Some("libvirt's verdict is another".to_owned());
    }
    let words = words(&diagnostics);
    if let Some(missing) = case.words.iter().find(|word| !words.to_lowercase().contains(&word.to_lowercase())) {
        return Some(format!("does not say {missing}:\n{words}"));
    }
    let fixes: Vec<_> = diagnostics.iter().flat_map(|diagnostic| &diagnostic.fixes).collect();
    let kind = match fixes.first() {
        None => "none",
        Some(fix) if fix.applicability == Applicability::Safe => "safe",
        Some(_) => "unsafe",
    };
    if case.fix.as_ref().is_some_and(|expected| expected != kind) {
        return Some(format!("expected fix: {}, found {kind}: {fixes:?}", case.fix.as_deref().unwrap()));
    }
    let Some(expected) = case.fixed.as_ref() else {
        // A fix changes what was meant to be changed only if someone has read what it makes.
        let changed = fix(&case.text, None, &options, Applicability::Unsafe).text;
        return (changed != case.text).then(|| format!("is fixed, and the case does not say to what:\n{changed}"));
    };
    let consent = if kind == "safe" { Applicability::Safe } else { Applicability::Unsafe };
    let result = fix(&case.text, None, &options, consent).text;
    (result != *expected).then(|| format!("fixed to\n{result}"))
}

#[test]
fn each_document_is_answered_by_its_cause() {
    let cases = cases();
    let wrong: Vec<_> = cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, complaint(case)?))).collect();
    println!("{} of {} as expected", cases.len() - wrong.len(), cases.len());
    assert!(cases.len() >= MIN_CASES, "{}", cases.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
