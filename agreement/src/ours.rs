//! What the library of this workspace makes of a case.

use anyhow::Result;

use crate::case::Case;

/// The library's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted(String),
    /// With what it says libvirt prints, when it says so.
    Refused(Option<String>),
}

/// The one place that calls the library.
#[cfg(feature = "library")]
pub fn normalize(case: &Case, release: &str) -> Result<Verdict> {
    use anyhow::Context;
    use backupxml::release::Release;

    let release = Release::ALL
        .into_iter()
        .find(|known| known.name() == release)
        .with_context(|| format!("the library does not answer for {release}"))?;
    let options = backupxml::Options { release, suffix: case.suffix.clone(), status: case.status, explicit: false };
    Ok(match backupxml::normalize(&case.backup, case.domain.as_deref(), &options) {
        Ok(text) => Verdict::Accepted(text),
        Err(findings) => Verdict::Refused(findings.first().and_then(|finding| finding.libvirt.clone())),
    })
}

#[cfg(not(feature = "library"))]
pub fn normalize(_: &Case, _: &str) -> Result<Verdict> {
    anyhow::bail!("built without the library: compare with --against COMMAND, or build with --features library")
}
