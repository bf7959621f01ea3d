//! Plants one mistake in a good document, everywhere and in every way, and looks whether it is the one that is found.
//!
//! Several mistakes at once are planted too. The rates are printed: `cargo test --test accuracy -- --nocapture`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "accuracy/document.rs"]
mod document;
#[path = "accuracy/mutation.rs"]
mod mutation;
#[path = "accuracy/syntax.rs"]
mod syntax;

use std::collections::BTreeMap;
use std::ops::Range;

use backupxml::diagnostic::Diagnostic;
use backupxml::fix::{Consent, apply, fix};
use backupxml::{Options, check, normalize};

use document::documents;
use mutation::{Mutant, mutants};

/// So that nothing passes for want of mutants.
const FEWEST_MUTANTS: usize = 3_000;
const FEWEST_SYNTAX_MUTANTS: usize = 800;
const FEWEST_COMBINED: usize = 500;
/// Misses that are shown; one cause makes many.
const SHOWN: usize = 25;

#[derive(Default)]
struct Rate {
    all: usize,
    pointed_at: usize,
    alone: usize,
}

#[derive(Default)]
struct Tally {
    rates: BTreeMap<&'static str, Rate>,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, kind: &'static str, text: &str, regions: &[Range<usize>], findings: &[Diagnostic]) {
        let rate = self.rates.entry(kind).or_default();
        let pointed_at = findings.first().is_some_and(|first| lies_on(first, regions));
        rate.all += 1;
        rate.pointed_at += usize::from(pointed_at);
        rate.alone += usize::from(findings.len() == 1);
        if !pointed_at || findings.len() != 1 {
            let found: Vec<_> = findings
                .iter()
                .map(|finding| format!("    {} {:?} {}", finding.rule, finding.primary.span.range(), finding.message))
                .collect();
            self.misses.push(format!("{kind} {regions:?}\n  {text}\n{}", found.join("\n")));
        }
    }

    #[track_caller]
    fn judge(&self, fewest: usize) {
        let sum = |of: fn(&Rate) -> usize| self.rates.values().map(of).sum::<usize>();
        let (all, pointed_at, alone) = (sum(|rate| rate.all), sum(|rate| rate.pointed_at), sum(|rate| rate.alone));
        for (kind, rate) in &self.rates {
            println!("{kind:32} {:5} mutants, pointed at {:5}, alone {:5}", rate.all, rate.pointed_at, rate.alone);
        }
        println!("{:32} {all:5} mutants, pointed at {pointed_at:5}, alone {alone:5}", "all");
        let misses: Vec<_> = self.misses.iter().take(SHOWN).map(String::as_str).collect();
        println!("{}", misses.join("\n"));
        assert!(all >= fewest, "only {all} mutants");
        assert!(pointed_at * 100 >= all * 99, "pointed at {pointed_at} of {all}");
        assert!(alone * 100 >= all * 98, "alone in {alone} of {all}");
    }
}

fn lies_on(finding: &Diagnostic, regions: &[Range<usize>]) -> bool {
    let span = finding.primary.span.range();
    regions.iter().any(|region| region.start <= span.start && span.end <= region.end)
}

/// What libvirt refuses; advice is for what it takes.
fn errors(text: &str) -> Vec<Diagnostic> {
    check(text, None, &Options::default()).into_iter().filter(Diagnostic::is_error).collect()
}

fn is_refused(text: &str) -> bool {
    normalize(text, None, &Options::default()).is_err()
}

#[test]
fn documents_to_mutate_are_good() {
    for document in documents() {
        let text = document.write().0;
        assert_eq!(errors(&text), [], "{text}");
    }
}

#[test]
fn one_mistake_is_pointed_at_and_nothing_else() {
    let mut tally = Tally::default();
    for document in documents() {
        for Mutant { kind, text, regions } in mutants(&document) {
            if is_refused(&text) {
                tally.count(kind, &text, &regions, &errors(&text));
            }
        }
    }
    tally.judge(FEWEST_MUTANTS);
}

#[test]
fn one_mistake_of_syntax_is_pointed_at_and_nothing_else() {
    let mut tally = Tally::default();
    for document in documents() {
        for Mutant { kind, text, regions } in syntax::mutants(&document) {
            if is_refused(&text) {
                tally.count(kind, &text, &regions, &errors(&text));
            }
        }
    }
    tally.judge(FEWEST_SYNTAX_MUTANTS);
}

#[test]
fn each_of_several_mistakes_is_pointed_at_and_nothing_else() {
    let (mut all, mut right) = (0, 0);
    let mut misses = Vec::new();
    for (text, regions) in mutation::combined() {
        let findings = errors(&text);
        let each = regions.iter().all(|region| findings.iter().any(|finding| lies_on(finding, region)));
        all += 1;
        if each && findings.len() == regions.len() {
            right += 1;
        } else {
            let found: Vec<_> = findings
                .iter()
                .map(|finding| format!("    {} {:?} {}", finding.rule, finding.primary.span.range(), finding.message))
                .collect();
            misses.push(format!("{regions:?}\n  {text}\n{}", found.join("\n")));
        }
    }
    println!("{right} of {all}\n{}", misses.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n"));
    assert!(all >= FEWEST_COMBINED, "only {all}");
    assert!(right * 100 >= all * 98, "{right} of {all}");
}

/// Applies each fix of each mistake by itself, and all of them until nothing changes.
#[test]
fn fixes_mend_what_they_are_for() {
    const FEWEST_FIXABLE_IN_100: usize = 70;
    let options = Options::default();
    let mut by_rule: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut useless = Vec::new();
    for document in documents() {
        for Mutant { text, .. } in mutants(&document).into_iter().chain(syntax::mutants(&document)) {
            let before = errors(&text);
            let Some(first) = before.first() else { continue };
            let (all, fixable) = by_rule.entry(first.rule.name()).or_default();
            *all += 1;
            *fixable += usize::from(!first.fixes.is_empty());
            let count = |findings: &[Diagnostic]| findings.iter().filter(|found| found.rule == first.rule).count();
            for fix in &first.fixes {
                let after = apply(&text, fix.edits.clone()).map(|text| (errors(&text), text));
                if after.as_ref().is_none_or(|(after, _)| count(after) >= count(&before)) {
                    useless.push(format!("{} by {}\n  {text}\n  {after:?}", first.rule, fix.message));
                }
            }
            let mended = fix(&text, None, &options, Consent::All);
            assert!(
                mended.diagnostics.iter().filter(|found| found.is_error()).count() <= before.len(),
                "worse: {text}\n{}",
                mended.text
            );
            let again = fix(&mended.text, None, &options, Consent::All);
            assert_eq!(again.text, mended.text, "not at an end");
        }
    }
    for (rule, (all, fixable)) in &by_rule {
        println!("{rule:36} {fixable:5} of {all:5} have a fix");
    }
    let (all, fixable) = by_rule.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{:36} {fixable:5} of {all:5}", "all");
    println!("{}", useless.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n"));
    assert!(useless.is_empty(), "{} fixes mend nothing", useless.len());
    assert!(fixable * 100 >= all * FEWEST_FIXABLE_IN_100, "{fixable} of {all}");
}
