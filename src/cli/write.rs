//! Replaces files so that they are either the old ones or the new ones, whatever happens on the way.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::fs;
use std::path::Path;

use anyhow::Context;

#[cfg(not(unix))]
use portable as system;
#[cfg(unix)]
use unix as system;

/// What identifies a file as it was read: another file differs, and so does the same file after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(system::Identity);

impl Identity {
    /// The identity of an open file.
    ///
    /// # Errors
    ///
    /// Fails where the system does not keep the time of the last change.
    pub fn new(metadata: &fs::Metadata) -> std::io::Result<Self> {
        system::Identity::new(metadata).map(Self)
    }
}

/// Replaces the content of a file that was read as `read`: a temporary file in the same directory, with the same access
/// rights, is synced and renamed. A symbolic link is followed, not replaced. Returns a remark about what an interrupted
/// run had left in the directory, if anything.
///
/// # Errors
///
/// Fails, and leaves the file as it is, when it is no longer the file that was read, when its access rights cannot be
/// kept, and when anything on the way fails.
pub fn replace(path: &Path, read: &Identity, content: &[u8]) -> anyhow::Result<Option<String>> {
    system::replace(path, &read.0, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file that exists or not: one that exists is replaced as by [`replace`], a new one appears whole.
///
/// # Errors
///
/// Fails, and leaves what was there, when anything on the way does.
pub fn create_or_replace(path: &Path, content: &[u8]) -> anyhow::Result<Option<String>> {
    let failed = || format!("cannot write {}", path.display());
    // A symbolic link is something to replace, also where it leads nowhere: that fails.
    if fs::symlink_metadata(path).is_ok() {
        let existing = fs::metadata(path).and_then(|metadata| Identity::new(&metadata)).with_context(failed)?;
        return replace(path, &existing, content);
    }
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let name = path.file_name().context("it has no name").with_context(failed)?;
    system::create(directory, name, content).map(|()| None).with_context(failed)
}
