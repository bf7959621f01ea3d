//! Any pair of a backup and a domain, split at the first NUL.
#![no_main]

use backupxml::release::Release;
use backupxml::{Options, check, domain, normalize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pair: &str| {
    let (backup, domain) = pair.split_once('\0').unwrap_or((pair, "<domain/>"));
    let (domain, diagnostics) = domain::read(domain);
    assert!(domain.is_some() || !diagnostics.is_empty());
    let Some(domain) = domain else { return };
    for release in Release::ALL {
        let options = Options { release, suffix: "s".to_owned(), ..Options::default() };
        let findings = check(backup, Some(&domain), &options);
        let normalized = normalize(backup, Some(&domain), &options);
        assert_eq!(normalized.is_ok(), findings.is_empty(), "{findings:?}");
    }
});
