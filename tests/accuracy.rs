//! Inserts one mistake into an accepted document, everywhere and in every way, and checks that it is reported at its
//! place and that nothing else is.
//!
//! Combinations of several mistakes are tested too. The rates are printed: `cargo test --test accuracy -- --nocapture`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "accuracy/document.rs"]
mod document;
#[path = "accuracy/mutation.rs"]
mod mutation;
#[path = "accuracy/slip.rs"]
mod slip;
#[path = "accuracy/syntax.rs"]
mod syntax;

use std::collections::BTreeMap;
use std::ops::Range;

use backupxml::diagnostic::{Applicability, Diagnostic};
use backupxml::fix::{apply, fix};
use backupxml::{Options, check, normalize};

use document::documents;
use mutation::{Mutant, mutants};

/// Minimum numbers of mutants, so that the tests cannot pass without any.
const MIN_MUTANTS: usize = 3_000;
const MIN_SYNTAX_MUTANTS: usize = 800;
const MIN_COMBINED: usize = 500;
/// Maximum number of misses to print; one cause gives many.
const MAX_SHOWN: usize = 25;

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
    fn count(&mut self, kind: &'static str, text: &str, regions: &[Range<usize>], diagnostics: &[Diagnostic]) {
        let rate = self.rates.entry(kind).or_default();
        let pointed_at = diagnostics.first().is_some_and(|first| is_within(first, regions));
        rate.all += 1;
        rate.pointed_at += usize::from(pointed_at);
        rate.alone += usize::from(diagnostics.len() == 1);
        if !pointed_at || diagnostics.len() != 1 {
            let found: Vec<_> = diagnostics
                .iter()
                .map(|diagnostic| {
                    format!("    {} {:?} {}", diagnostic.rule, diagnostic.primary.span.range(), diagnostic.message)
                })
                .collect();
            self.misses.push(format!("{kind} {regions:?}\n  {text}\n{}", found.join("\n")));
        }
    }

    #[track_caller]
    fn judge(&self, min: usize) {
        let sum = |of: fn(&Rate) -> usize| self.rates.values().map(of).sum::<usize>();
        let (all, pointed_at, alone) = (sum(|rate| rate.all), sum(|rate| rate.pointed_at), sum(|rate| rate.alone));
        for (kind, rate) in &self.rates {
            println!("{kind:32} {:5} mutants, pointed at {:5}, alone {:5}", rate.all, rate.pointed_at, rate.alone);
        }
        println!("{:32} {all:5} mutants, pointed at {pointed_at:5}, alone {alone:5}", "all");
        let misses: Vec<_> = self.misses.iter().take(MAX_SHOWN).map(String::as_str).collect();
        println!("{}", misses.join("\n"));
        assert!(all >= min, "only {all} mutants");
        assert!(pointed_at * 100 >= all * 99, "pointed at {pointed_at} of {all}");
        assert!(alone * 100 >= all * 98, "alone in {alone} of {all}");
    }
}

fn is_within(diagnostic: &Diagnostic, regions: &[Range<usize>]) -> bool {
    let span = diagnostic.primary.span.range();
    regions.iter().any(|region| region.start <= span.start && span.end <= region.end)
}

/// Errors only: warnings are about documents that libvirt accepts.
fn errors(text: &str) -> Vec<Diagnostic> {
    check(text, None, &Options::default()).into_iter().filter(Diagnostic::is_error).collect()
}

fn is_refused(text: &str) -> bool {
    normalize(text, None, &Options::default()).is_err()
}

#[test]
fn documents_to_mutate_are_accepted() {
    for document in documents() {
        let text = document.write().0;
        assert_eq!(errors(&text), [], "{text}");
    }
}

#[test]
fn one_mistake_gives_one_diagnostic_at_its_place() {
    let mut tally = Tally::default();
    for document in documents() {
        for Mutant { kind, text, regions } in mutants(&document) {
            if is_refused(&text) {
                tally.count(kind, &text, &regions, &errors(&text));
            }
        }
    }
    tally.judge(MIN_MUTANTS);
}

#[test]
fn one_syntax_mistake_gives_one_diagnostic_at_its_place() {
    let mut tally = Tally::default();
    for document in documents() {
        for Mutant { kind, text, regions } in syntax::mutants(&document) {
            if is_refused(&text) {
                tally.count(kind, &text, &regions, &errors(&text));
            }
        }
    }
    tally.judge(MIN_SYNTAX_MUTANTS);
}

#[test]
fn several_mistakes_give_one_diagnostic_each() {
    let (mut all, mut right) = (0, 0);
    let mut misses = Vec::new();
    for (text, regions) in mutation::combined() {
        let diagnostics = errors(&text);
        let each = regions.iter().all(|region| diagnostics.iter().any(|diagnostic| is_within(diagnostic, region)));
        all += 1;
        if each && diagnostics.len() == regions.len() {
            right += 1;
        } else {
            let found: Vec<_> = diagnostics
                .iter()
                .map(|diagnostic| {
                    format!("    {} {:?} {}", diagnostic.rule, diagnostic.primary.span.range(), diagnostic.message)
                })
                .collect();
            misses.push(format!("{regions:?}\n  {text}\n{}", found.join("\n")));
        }
    }
    println!("{right} of {all}\n{}", misses.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join("\n"));
    assert!(all >= MIN_COMBINED, "only {all}");
    assert!(right * 100 >= all * 98, "{right} of {all}");
}

/// Applies each fix of each diagnostic alone, and all fixes together.
#[test]
fn fixes_resolve_their_diagnostics() {
    const MIN_FIXABLE_PERCENT: usize = 70;
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
            let count =
                |diagnostics: &[Diagnostic]| diagnostics.iter().filter(|found| found.rule == first.rule).count();
            for fix in &first.fixes {
                let after = apply(&text, fix.edits.clone()).map(|text| (errors(&text), text));
                if after.as_ref().is_none_or(|(after, _)| count(after) >= count(&before)) {
                    useless.push(format!("{} by {}\n  {text}\n  {after:?}", first.rule, fix.message));
                }
            }
            let fixed = fix(&text, None, &options, Applicability::Unsafe);
            assert!(
                fixed.diagnostics.iter().filter(|found| found.is_error()).count() <= before.len(),
                "worse: {text}\n{}",
                fixed.text
            );
            let again = fix(&fixed.text, None, &options, Applicability::Unsafe);
            assert_eq!(again.text, fixed.text, "not at an end");
        }
    }
    for (rule, (all, fixable)) in &by_rule {
        println!("{rule:36} {fixable:5} of {all:5} have a fix");
    }
    let (all, fixable) = by_rule.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{:36} {fixable:5} of {all:5}", "all");
    println!("{}", useless.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join("\n"));
    assert!(useless.is_empty(), "{} fixes change no error", useless.len());
    assert!(fixable * 100 >= all * MIN_FIXABLE_PERCENT, "{fixable} of {all}");
}

/// What unsafe fixes make of documents with one mistake: accepted again, and the same backup as before the mistake.
#[test]
fn unsafe_fixes_restore_what_was_written() {
    const SLIPS: usize = 1_000;
    const MIN_ACCEPTED_PERCENT: usize = 79;
    const MIN_SAME_PERCENT: usize = 76;
    let options = Options::default();
    let mut random = slip::Random(0x5eed);
    let documents = documents();
    let mut mistakes = Vec::new();
    while mistakes.len() < SLIPS {
        let document = &documents[random.below(documents.len())];
        let original = document.write().0;
        if mistakes.len() % 4 == 0 {
            let mut all = mutants(document);
            let Mutant { kind, text, .. } = all.swap_remove(random.below(all.len()));
            mistakes.push((kind, original, text));
        } else if let Some(slip) = slip::slip(&original, &mut random) {
            mistakes.push((slip.kind, original, slip.text));
        }
    }
    let mut rates: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut misses = Vec::new();
    for (kind, original, text) in mistakes.into_iter().filter(|(_, _, text)| is_refused(text)) {
        let rate = rates.entry(kind).or_default();
        let fixed = fix(&text, None, &options, Applicability::Unsafe);
        let result = normalize(&fixed.text, None, &options);
        let is_same = result.as_ref().ok() == normalize(&original, None, &options).ok().as_ref();
        let alone = errors(&text).len() == 1;
        for (count, holds) in rate.iter_mut().zip([true, alone, result.is_ok(), is_same]) {
            *count += usize::from(holds);
        }
        if !is_same || !alone {
            let found = errors(&text).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n   ");
            let verdict = if is_same {
                "same"
            } else if result.is_ok() {
                "DIFFERENT"
            } else {
                "REFUSED"
            };
            misses.push(format!("{verdict} {kind}\n{text}\n   {found}\n>>>\n{}", fixed.text));
        }
    }
    let mut all = [0; 4];
    for (kind, rate) in &rates {
        println!("{kind:32} {:5} refused, alone {:5}, accepted {:5}, same {:5}", rate[0], rate[1], rate[2], rate[3]);
        all.iter_mut().zip(rate).for_each(|(sum, one)| *sum += one);
    }
    println!("{:32} {:5} refused, alone {:5}, accepted {:5}, same {:5}", "all", all[0], all[1], all[2], all[3]);
    if let Some(file) = std::env::var_os("MISSES") {
        std::fs::write(file, misses.join("\n\n")).unwrap();
    }
    assert!(all[2] * 100 >= all[0] * MIN_ACCEPTED_PERCENT, "accepted {} of {}", all[2], all[0]);
    assert!(all[3] * 100 >= all[0] * MIN_SAME_PERCENT, "same {} of {}", all[3], all[0]);
}
