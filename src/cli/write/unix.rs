//! Through a descriptor of the directory, so that no name is looked up twice and no symbolic link leads elsewhere.

mod attributes;
mod signals;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;

/// Bytes of a file's name that its temporary file's name repeats, so that this one is not too long.
const MAX_NAME: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Only the kernel sets this time, so that it cannot be set back.
    changed: (i64, i64),
}

impl Identity {
    // As the portable one, which can fail.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn new(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

pub(super) fn replace(path: &Path, read: &Identity, content: &[u8]) -> anyhow::Result<Option<String>> {
    let path = fs::canonicalize(path)?;
    let (directory, name) = path.parent().zip(path.file_name()).context("it is not a regular file")?;
    let directory = open_directory(directory)?;
    let old = open_unchanged(&directory, name, read)?;
    check_replaceable(&old.metadata()?)?;
    let locked = lock(&old)?;
    let _held = signals::hold();
    let (mut temporary, leftover) = Temporary::create(&directory, name, Mode::RUSR | Mode::WUSR, locked)?;
    temporary.file.write_all(content)?;
    keep_access(&old, &temporary.file)?;
    temporary.file.sync_all()?;
    open_unchanged(&directory, name, read)?;
    temporary.rename(name)?;
    // The new name is on disk when its directory is. Not every file system can do that.
    let _ = fsync(&directory);
    Ok(leftover)
}

pub(super) fn create(directory: &Path, name: &OsStr, content: &[u8]) -> anyhow::Result<()> {
    let directory = open_directory(directory)?;
    let _held = signals::hold();
    // The process's mask applies, as to any new file.
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let (mut temporary, _) = Temporary::create(&directory, name, mode, false)?;
    temporary.file.write_all(content)?;
    temporary.file.sync_all()?;
    temporary.rename(name)?;
    let _ = fsync(&directory);
    Ok(())
}

fn open_directory(directory: &Path) -> anyhow::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, directory, flags, Mode::empty()).context("cannot open its directory")
}

/// Opens a file by its name in a directory, if it is still the one that was read.
fn open_unchanged(directory: &OwnedFd, name: &OsStr, read: &Identity) -> anyhow::Result<File> {
    const CHANGED: &str = "it has changed since it was read";
    // A pipe or a terminal that has taken the file's place must not hold up the program, nor become its own.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP | Errno::NOENT) => bail!(CHANGED),
        Err(error) => return Err(error.into()),
    };
    if Identity::new(&file.metadata()?)? != *read {
        bail!(CHANGED);
    }
    Ok(file)
}

/// Refuses what a new file in the place of the old one would not be the same as.
fn check_replaceable(metadata: &fs::Metadata) -> anyhow::Result<()> {
    if !metadata.is_file() {
        bail!("it is not a regular file");
    }
    if metadata.permissions().readonly() {
        bail!("it is read-only");
    }
    let links = metadata.nlink();
    if links > 1 {
        bail!("it has {links} names (hard links), and the other names would keep the old content");
    }
    Ok(())
}

/// Keeps other runs from writing the same file. Whether that is possible depends on the file system.
fn lock(file: &File) -> anyhow::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => bail!("another process has locked it"),
        Err(_) => Ok(false),
    }
}

/// Gives the new file the owner, the extended attributes (with access control lists and security labels) and the mode of
/// the old one.
fn keep_access(old: &File, new: &File) -> anyhow::Result<()> {
    let (wanted, given) = (old.metadata()?, new.metadata()?);
    // Only root may give a file away.
    if (wanted.uid(), wanted.gid()) != (given.uid(), given.gid()) {
        fchown(new, Some(wanted.uid()), Some(wanted.gid())).context("cannot keep its owner")?;
    }
    attributes::copy(old, new)?;
    new.set_permissions(wanted.permissions())?;
    Ok(())
}

/// A file that goes again unless it is renamed.
struct Temporary<'a> {
    directory: &'a OwnedFd,
    name: OsString,
    file: File,
    renamed: bool,
}

impl<'a> Temporary<'a> {
    /// Creates the temporary file for `target`, which has one name only, so that a later run finds it. What has that name
    /// is removed if its lock shows that no other process is writing it.
    fn create(
        directory: &'a OwnedFd,
        target: &OsStr,
        mode: Mode,
        locked: bool,
    ) -> anyhow::Result<(Self, Option<String>)> {
        let name = temporary_name(target);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || openat(directory, &name, flags, mode);
        let mut leftover = None;
        let file = match create() {
            Err(Errno::EXIST) => {
                let shown = Path::new(&name).display();
                if !locked {
                    bail!("{shown} exists: another run is writing the file, or was interrupted");
                }
                unlinkat(directory, &name, AtFlags::empty()).with_context(|| format!("cannot remove {shown}"))?;
                leftover = Some(format!("removed {shown}, left by an interrupted run"));
                create()
            }
            result => result,
        };
        let file = file.context("cannot create a file in its directory")?.into();
        Ok((Self { directory, name, file, renamed: false }, leftover))
    }

    fn rename(mut self, name: &OsStr) -> anyhow::Result<()> {
        renameat(self.directory, &self.name, self.directory, name)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = unlinkat(self.directory, &self.name, AtFlags::empty());
        }
    }
}

fn temporary_name(target: &OsStr) -> OsString {
    let target = target.as_bytes().iter().take(MAX_NAME);
    OsString::from_vec(b".".iter().chain(target).chain(b".backupxml-tmp").copied().collect())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
