//! `check --fix`, `--unsafe-fixes` and `--diff`.

use std::fs;

use super::process::{command, directory, path, run, run_with};

/// One mistake with a safe fix, and one with an unsafe fix.
const TWO: &str = "<domainbackup>\n  <disks><disk nmae='vda' bogus='1'/></disks>\n</domainbackup>\n";
const SAFE: &str = "<domainbackup>\n  <disks><disk name='vda' bogus='1'/></disks>\n</domainbackup>\n";
const ALL: &str = "<domainbackup>\n  <disks><disk name='vda'/></disks>\n</domainbackup>\n";

#[test]
fn safe_fixes_are_written_and_the_rest_is_reported() {
    let directory = directory("fix", &[("b.xml", TWO.as_bytes())]);
    let file = path(&directory, "b.xml");
    let first = run(&["check", "--fix", "--format", "concise", &file]);
    assert_eq!(fs::read_to_string(&file).unwrap(), SAFE);
    assert_eq!(first.status, 1);
    assert!(first.stdout.contains("[schema/unknown-attribute]"), "{}", first.stdout);
    assert!(!first.stdout.contains("nmae"), "{}", first.stdout);
    assert!(first.stderr.starts_with("backupxml: 1 fix applied to "), "{}", first.stderr);
    let second = run(&["check", "--unsafe-fixes", &file]);
    assert_eq!((second.status, fs::read_to_string(&file).unwrap().as_str()), (0, ALL));
    let third = run(&["check", "--fix", &file]);
    assert_eq!((third.status, third.stderr.as_str(), third.stdout.as_str()), (0, "", "no errors in 1 file\n"));
}

#[test]
fn a_diff_changes_nothing() {
    let directory = directory("fix-diff", &[("b.xml", TWO.as_bytes())]);
    let output = command(&["check", "--unsafe-fixes", "--diff", "b.xml"]).current_dir(&directory).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let expected = "--- b.xml\n+++ b.xml\n@@ -1,3 +1,3 @@\n <domainbackup>\n\
        -  <disks><disk nmae='vda' bogus='1'/></disks>\n+  <disks><disk name='vda'/></disks>\n </domainbackup>\n";
    assert_eq!(shown, expected);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(directory.join("b.xml")).unwrap(), TWO);
}

#[test]
fn standard_input_goes_fixed_to_standard_output() {
    let fixed = run_with(&["check", "--unsafe-fixes"], TWO.as_bytes());
    assert_eq!((fixed.status, fixed.stdout.as_str()), (0, ALL));
    let good = run_with(&["check", "--fix", "-"], ALL.as_bytes());
    assert_eq!((good.status, good.stdout.as_str()), (0, ALL));
}

#[cfg(unix)]
#[test]
fn a_files_mode_and_a_link_to_it_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = directory("fix-mode", &[("real.xml", TWO.as_bytes())]);
    let (real, link) = (directory.join("real.xml"), directory.join("link.xml"));
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.xml", &link).unwrap();
    run(&["check", "--fix", link.to_str().unwrap()]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_to_string(&real).unwrap(), SAFE);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn unrelated_and_encoded_files_are_unchanged() {
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><domainbackup><disks><disk nmae='vda' incremental='\xe9'/></disks></domainbackup>";
    let other = b"<domain nmae='x'/>";
    let directory = directory("fix-not", &[("latin.xml", latin), ("other.xml", other)]);
    run(&["check", "--fix", &path(&directory, "latin.xml")]);
    run(&["check", "--fix", "--skip-unrelated", &path(&directory, "other.xml")]);
    assert_eq!(fs::read(directory.join("latin.xml")).unwrap(), latin);
    assert_eq!(fs::read(directory.join("other.xml")).unwrap(), other);
}
