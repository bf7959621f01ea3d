//! The library's answer to a case.

use anyhow::{Context, Result};
use backupxml::release::Release;

use crate::case::{Case, Kind};

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
        status: case.kind == Kind::Status,
        redefine: case.kind == Kind::Redefinition,
        ..backupxml::Options::default()
    };
    Ok(match backupxml::normalize_bytes(&case.document, case.domain.as_deref(), &options) {
        Ok(text) if case.kind.is_checkpoint() => Verdict::Accepted(without_domain(&text)),
        Ok(text) => Verdict::Accepted(text),
        Err(diagnostics) => {
            Verdict::Refused(diagnostics.into_iter().filter_map(|diagnostic| diagnostic.libvirt).collect())
        }
    })
}

/// A checkpoint's text without its `<domain>`, which libvirt is asked to leave out: the library copies what it holds.
fn without_domain(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\n  <domain") else { return text.to_owned() };
    let after = rest.rsplit_once("</domain>").map_or("", |(_, after)| after);
    format!("{before}{after}")
}
