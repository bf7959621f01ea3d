use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr, setxattr};

use super::super::create_or_replace;
use super::*;

fn directory(files: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<_> = files.iter().map(|file| directory.path().join(file)).collect();
    for path in &paths {
        fs::write(path, "old").unwrap();
    }
    (directory, paths)
}

fn read(path: &Path) -> Identity {
    Identity::new(&fs::metadata(path).unwrap()).unwrap()
}

fn replace(path: &Path, content: &[u8]) -> anyhow::Result<Option<String>> {
    super::replace(path, &read(path), content)
}

#[test]
fn the_mode_is_kept_and_nothing_is_left_behind() {
    let (directory, paths) = directory(&["b.xml"]);
    fs::set_permissions(&paths[0], fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(replace(&paths[0], b"new").unwrap(), None);
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
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_cannot_be_replaced_stays_as_it_is() {
    let (directory, paths) = directory(&["linked.xml", "read-only.xml", "locked.xml"]);
    fs::hard_link(&paths[0], directory.path().join("other.xml")).unwrap();
    fs::set_permissions(&paths[1], fs::Permissions::from_mode(0o444)).unwrap();
    let locked = File::open(&paths[2]).unwrap();
    flock(&locked, FlockOperation::LockExclusive).unwrap();
    refused(&paths[0], "2 names");
    refused(&paths[1], "read-only");
    refused(&paths[2], "another process has locked it");
    refused(directory.path(), "not a regular file");
    refused(Path::new("/"), "not a regular file");
    refused(Path::new("/dev/null"), "not a regular file");
    refused(Path::new("/proc/self/comm"), "cannot create a file in its directory");
    assert!(paths.iter().all(|path| fs::read(path).unwrap() == b"old"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
}

/// Changes the first file, or puts something in its place with the second one's help.
type Exchange<'a> = &'a dyn Fn(&Path, &Path);

#[test]
fn a_file_that_was_changed_or_exchanged_meanwhile_stays_as_it_is() {
    const CHANGED: &str = "it has changed since it was read";
    let exchanges: [Exchange; 6] = [
        // An edit of the same length, with the old time of modification.
        &|file, _| {
            let modified = fs::metadata(file).unwrap().modified().unwrap();
            fs::write(file, "own").unwrap();
            File::options().append(true).open(file).unwrap().set_modified(modified).unwrap();
        },
        &|file, other| fs::rename(other, file).unwrap(),
        &|file, other| {
            fs::remove_file(file).unwrap();
            symlink(other, file).unwrap();
        },
        &|file, _| {
            fs::remove_file(file).unwrap();
            let made = std::process::Command::new("mkfifo").arg(file).status().unwrap();
            assert!(made.success());
        },
        &|file, _| fs::remove_file(file).unwrap(),
        &|file, _| fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap(),
    ];
    for (number, exchange) in exchanges.iter().enumerate() {
        let (directory, paths) = directory(&["b.xml", "other"]);
        fs::write(&paths[1], "elsewhere").unwrap();
        let read = read(&paths[0]);
        exchange(&paths[0], &paths[1]);
        let after = fs::symlink_metadata(&paths[0]).map(|metadata| (metadata.ino(), metadata.size()));
        let error = format!("{:#}", super::replace(&paths[0], &read, b"new").unwrap_err());
        assert!(error.contains(CHANGED) || error.contains("No such file"), "{number}: {error}");
        let now = fs::symlink_metadata(&paths[0]).map(|metadata| (metadata.ino(), metadata.size()));
        assert_eq!(now.ok(), after.ok(), "{number}");
        assert!(fs::read(&paths[1]).is_ok_and(|other| other == b"elsewhere") || number == 1, "{number}");
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| name == "b.xml" || name == "other"), "{number}: {names:?}");
    }
}

#[test]
fn what_an_interrupted_run_left_is_removed_and_named() {
    let (directory, paths) = directory(&["b.xml", ".b.xml.backupxml-tmp"]);
    let remark = replace(&paths[0], b"new").unwrap().unwrap();
    assert_eq!(remark, "removed .b.xml.backupxml-tmp, left by an interrupted run");
    assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    // A symbolic link of that name is removed, not followed; a directory is neither.
    fs::write(directory.path().join("victim"), "elsewhere").unwrap();
    symlink("victim", &paths[1]).unwrap();
    assert!(replace(&paths[0], b"newer").unwrap().is_some());
    assert_eq!(fs::read(directory.path().join("victim")).unwrap(), b"elsewhere");
    fs::create_dir(&paths[1]).unwrap();
    refused(&paths[0], "cannot remove");
    assert_eq!(fs::read(&paths[0]).unwrap(), b"newer");
}

#[test]
fn the_longest_name_has_a_temporary_file_too() {
    let name = "b".repeat(255);
    let (directory, paths) = directory(&[&name]);
    replace(&paths[0], b"new").unwrap();
    assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(temporary_name(OsStr::new("b.xml")), ".b.xml.backupxml-tmp");
}

/// An access control list in the form that the kernel has it in: tag, permissions and identifier of each entry.
fn access_control_list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(tag, permissions, id)| {
        let halves = tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes());
        halves.chain(id.to_le_bytes()).collect::<Vec<_>>()
    });
    2_u32.to_le_bytes().into_iter().chain(entries).collect()
}

fn names(file: &File) -> String {
    let mut names = vec![0; 4096];
    let length = flistxattr(file, names.as_mut_slice()).unwrap();
    String::from_utf8_lossy(&names[..length]).into_owned()
}

#[test]
fn access_control_lists_and_other_attributes_are_kept() {
    const ACL: &str = "system.posix_acl_access";
    let (directory, paths) = directory(&["b.xml", "plain.xml"]);
    // A group is kept out that the mode alone would let in.
    let denied =
        access_control_list(&[(1, 6, u32::MAX), (4, 4, u32::MAX), (8, 0, 4242), (16, 4, u32::MAX), (32, 4, u32::MAX)]);
    let file = File::open(&paths[0]).unwrap();
    if fsetxattr(&file, "user.origin", b"template", XattrFlags::empty()).is_err()
        || fsetxattr(&file, ACL, &denied, XattrFlags::empty()).is_err()
    {
        eprintln!("skipped: the file system has no attributes");
        return;
    }
    // What new files of the directory get would let everybody read the plain one.
    let default =
        access_control_list(&[(1, 6, u32::MAX), (2, 6, 4343), (4, 4, u32::MAX), (16, 6, u32::MAX), (32, 4, u32::MAX)]);
    setxattr(directory.path(), "system.posix_acl_default", &default, XattrFlags::empty()).unwrap();
    fs::set_permissions(&paths[1], fs::Permissions::from_mode(0o600)).unwrap();

    replace(&paths[0], b"new").unwrap();
    let file = File::open(&paths[0]).unwrap();
    assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
    let mut value = vec![0; 4096];
    let length = fgetxattr(&file, ACL, value.as_mut_slice()).unwrap();
    assert_eq!(value[..length], denied);
    let length = fgetxattr(&file, "user.origin", value.as_mut_slice()).unwrap();
    assert_eq!(&value[..length], b"template");

    replace(&paths[1], b"new").unwrap();
    let file = File::open(&paths[1]).unwrap();
    assert!(!names(&file).contains("posix_acl"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_signed_file_stays_as_it_is() {
    let (_directory, paths) = directory(&["b.xml"]);
    let file = File::open(&paths[0]).unwrap();
    if fsetxattr(&file, "security.ima", b"\x01signature", XattrFlags::empty()).is_err() {
        eprintln!("skipped: only root signs files");
        return;
    }
    refused(&paths[0], "it is signed (extended attribute security.ima)");
    assert_eq!(fs::read(&paths[0]).unwrap(), b"old");
}
