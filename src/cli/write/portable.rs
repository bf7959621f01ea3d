//! Where nothing is known of the system but what the standard library knows.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    size: u64,
    modified: SystemTime,
}

impl Identity {
    pub(super) fn new(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self { size: metadata.len(), modified: metadata.modified()? })
    }
}

pub(super) fn replace(path: &Path, read: &Identity, content: &[u8]) -> anyhow::Result<Option<String>> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    if !metadata.is_file() {
        bail!("it is not a regular file");
    }
    if metadata.permissions().readonly() {
        bail!("it is read-only");
    }
    let directory = path.parent().context("it has no directory")?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory).context("cannot create a file in its directory")?;
    temporary.write_all(content)?;
    temporary.as_file().set_permissions(metadata.permissions())?;
    temporary.as_file().sync_all()?;
    if Identity::new(&fs::metadata(&path)?)? != *read {
        bail!("it has changed since it was read");
    }
    temporary.persist(&path)?;
    Ok(None)
}

pub(super) fn create(directory: &Path, name: &OsStr, content: &[u8]) -> anyhow::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(directory).context("cannot create a file in its directory")?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(directory.join(name))?;
    Ok(())
}
