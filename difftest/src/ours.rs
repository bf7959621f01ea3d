//! The library's answer to a case.

use anyhow::{Context, Result};
use backupxml::release::Release;

use crate::case::Case;

/// The library's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted(String),
    /// Refused, with the libvirt message of each diagnostic; libvirt itself prints only one.
    Refused(Vec<String>),
}

/// The only place that calls the library.
pub fn normalize(case: &Case, release: &str) -> Result<Verdict> {
    let release = Release::ALL
        .into_iter()
        .find(|known| known.name() == release)
        .with_context(|| format!("the library does not answer for {release}"))?;
    let options = backupxml::Options {
        release,
        suffix: case.suffix.clone(),
        status: case.status,
        ..backupxml::Options::default()
    };
    Ok(match backupxml::normalize_bytes(&case.backup, case.domain.as_deref(), &options) {
        Ok(text) => Verdict::Accepted(text),
        Err(diagnostics) => {
            Verdict::Refused(diagnostics.into_iter().filter_map(|diagnostic| diagnostic.libvirt).collect())
        }
    })
}
