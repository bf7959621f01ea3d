//! Reading what is to be looked at: files, pipes and devices, never more of them than is taken.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::write::Identity;
use crate::source::MAX_BYTES;

/// What was read.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Which file it is, so that no other is written; standard input is none.
    pub(super) identity: Option<Identity>,
}

/// Reads a file, whatever kind of file it is: all of it, or one byte more than is taken.
pub(super) fn file(path: &Path) -> anyhow::Result<Content> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(context)?;
    let metadata = file.metadata().with_context(context)?;
    if metadata.is_dir() {
        // The error of reading it would not say so.
        bail!("cannot read {}: is a directory", path.display());
    }
    // Before the content, so that a change while that is read shows.
    let identity = Identity::new(&metadata).with_context(context)?;
    let expected = usize::try_from(metadata.len()).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let bytes = read(file, expected).with_context(context)?;
    Ok(Content { bytes, identity: Some(identity) })
}

/// Reads standard input.
pub(super) fn standard_input(stdin: &mut dyn Read) -> anyhow::Result<Content> {
    let bytes = read(stdin, 0).context("cannot read standard input")?;
    Ok(Content { bytes, identity: None })
}

fn read(from: impl Read, expected: usize) -> io::Result<Vec<u8>> {
    // One byte more, so that the end is seen without asking for more room.
    let mut bytes = Vec::with_capacity(expected + 1);
    from.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_beyond_the_size_limit() {
        let bytes = standard_input(&mut io::repeat(b' ')).unwrap().bytes;
        assert_eq!(bytes.len(), MAX_BYTES + 1);
    }
}
