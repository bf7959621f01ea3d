//! Writing files so that they are either the old ones or the new ones, whatever happens on the way.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Replaces the content of a file: a temporary file beside it, its permissions kept, synced and renamed. A symbolic
/// link is followed, not replaced.
///
/// # Errors
///
/// Fails, and leaves the file as it was, when anything on the way does.
pub fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    let directory = path.parent().context("it has no directory")?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    temporary.write_all(content)?;
    keep_owner(&metadata, temporary.path());
    temporary.as_file().set_permissions(metadata.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path)?;
    Ok(())
}

/// Only root may give a file away; for everybody else the owner is the same already.
#[cfg(unix)]
fn keep_owner(metadata: &fs::Metadata, path: &Path) {
    use std::os::unix::fs::MetadataExt;
    let _ = std::os::unix::fs::chown(path, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::Metadata, _: &Path) {}
