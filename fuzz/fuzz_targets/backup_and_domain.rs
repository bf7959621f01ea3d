//! Any pair of a backup and a domain, separated by the first NUL: spans are inside their documents, `plan` and
//! `normalize` agree on what is accepted, and fixes do not add errors.
#![no_main]

use backupxml::diagnostic::{Applicability, Diagnostic, Document};
use backupxml::fix::fix;
use backupxml::release::Release;
use backupxml::{Options, domain, normalize, plan};
use libfuzzer_sys::fuzz_target;

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
}

fuzz_target!(|pair: &str| {
    let (backup, domain_text) = pair.split_once('\0').unwrap_or((pair, "<domain/>"));
    let (domain, diagnostics) = domain::read(domain_text, Release::default());
    assert!(domain.is_some() || !diagnostics.is_empty());
    let Some(domain) = domain else { return };
    for release in Release::ALL {
        let options = Options { release, suffix: "s".to_owned(), ..Options::default() };
        let (plan, diagnostics) = plan(backup, &domain, &options);
        for label in diagnostics.iter().flat_map(Diagnostic::labels) {
            let text = if label.document == Document::Backup { backup } else { domain_text };
            assert!(text.get(label.span.range()).is_some(), "{label:?}");
        }
        // What only the driver refuses is normalized and planned nevertheless.
        let refused =
            diagnostics.iter().any(|found| found.is_error() && !["qemu", "checkpoint"].contains(&found.rule.family()));
        let normalized = normalize(backup, Some(&domain), &options);
        assert_eq!((plan.is_some(), normalized.is_ok()), (!refused, !refused), "{diagnostics:?}");
        if release == Release::default() && !diagnostics.is_empty() {
            let fixed = fix(backup, Some(&domain), &options, Applicability::Unsafe);
            assert!(errors(&fixed.diagnostics) <= errors(&diagnostics), "{:?}", fixed.text);
        }
    }
});
