//! Writing files so that they are either the old ones or the new ones, whatever happens on the way.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

/// Replaces the content of a file: a temporary file beside it, its permissions kept, synced and renamed. A symbolic
/// link is followed, not replaced.
///
/// # Errors
///
/// Fails, and leaves the file as it was, when anything on the way does.
pub fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file that exists or not: the one that exists is replaced as by [`replace`], a new one appears whole.
///
/// # Errors
///
/// Fails, and leaves what was there, when anything on the way does.
pub fn create_or_replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    // A symbolic link is something to replace, also where it leads nowhere: that fails.
    if fs::symlink_metadata(path).is_ok() {
        return replace(path, content);
    }
    create(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn create(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // The process's mask applies, as to any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary =
        builder.tempfile_in(directory).with_context(|| format!("no file can be made in {}", directory.display()))?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    sync_directory(directory);
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    check_target(&metadata)?;
    let directory = path.parent().context("it has no directory")?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory)
        .with_context(|| format!("no file can be made in {}", directory.display()))?;
    temporary.write_all(content)?;
    keep_owner(&metadata, temporary.as_file())?;
    temporary.as_file().set_permissions(metadata.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path)?;
    sync_directory(directory);
    Ok(())
}

/// Refuses what a new file in the place of the old one would not be the same as.
fn check_target(metadata: &fs::Metadata) -> anyhow::Result<()> {
    if !metadata.is_file() {
        bail!("it is not a regular file");
    }
    if metadata.permissions().readonly() {
        bail!("it is read-only");
    }
    #[cfg(unix)]
    {
        let links = std::os::unix::fs::MetadataExt::nlink(metadata);
        if links > 1 {
            bail!("it has {links} names (hard links), and the others would keep the old content");
        }
    }
    Ok(())
}

/// Only root may give a file away; for everybody else the owner is the same already, or cannot be kept.
#[cfg(unix)]
fn keep_owner(metadata: &fs::Metadata, file: &fs::File) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(file, Some(metadata.uid()), Some(metadata.gid())).context("its owner cannot be kept")?;
    }
    Ok(())
}

/// The new name is on disk when its directory is. Not every file system can do that, and none needs it to be whole.
#[cfg(unix)]
fn sync_directory(directory: &Path) {
    let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::Metadata, _: &fs::File) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn directory(files: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        let paths: Vec<_> = files.iter().map(|file| directory.path().join(file)).collect();
        for path in &paths {
            fs::write(path, "old").unwrap();
        }
        (directory, paths)
    }

    #[test]
    fn the_mode_is_kept_and_nothing_is_left_behind() {
        let (directory, paths) = directory(&["b.xml"]);
        fs::set_permissions(&paths[0], fs::Permissions::from_mode(0o640)).unwrap();
        replace(&paths[0], b"new").unwrap();
        assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
        assert_eq!(fs::metadata(&paths[0]).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_symbolic_link_is_followed() {
        let (directory, paths) = directory(&["b.xml"]);
        let link = directory.path().join("link.xml");
        symlink("b.xml", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_does_not_exist_is_created() {
        let (directory, paths) = directory(&["old.xml"]);
        let new = directory.path().join("new.xml");
        let plain = directory.path().join("plain");
        fs::write(&plain, "").unwrap();
        create_or_replace(&new, b"new").unwrap();
        create_or_replace(&paths[0], b"new").unwrap();
        for path in [&new, &paths[0]] {
            assert_eq!(fs::read(path).unwrap(), b"new");
        }
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&new), mode(&plain), "the mode of any new file");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
        symlink("nowhere", directory.path().join("link.xml")).unwrap();
        assert!(create_or_replace(&directory.path().join("link.xml"), b"new").is_err());
        assert!(create_or_replace(Path::new("/no/such/directory/x.xml"), b"new").is_err());
    }

    #[track_caller]
    fn refused(path: &Path, why: &str) {
        let error = format!("{:#}", replace(path, b"new").unwrap_err());
        assert!(error.starts_with("cannot write /") && error.contains(why), "{error}");
    }

    #[test]
    fn what_cannot_be_replaced_stays_as_it_is() {
        let (directory, paths) = directory(&["linked.xml", "read-only.xml"]);
        fs::hard_link(&paths[0], directory.path().join("other.xml")).unwrap();
        fs::set_permissions(&paths[1], fs::Permissions::from_mode(0o444)).unwrap();
        refused(&paths[0], "2 names");
        refused(&paths[1], "read-only");
        refused(directory.path(), "not a regular file");
        refused(Path::new("/dev/null"), "not a regular file");
        refused(Path::new("/proc/self/comm"), "no file can be made in /proc");
        assert!(paths.iter().all(|path| fs::read(path).unwrap() == b"old"));
    }
}
