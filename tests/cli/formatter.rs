//! `normalize` as a formatter of files: `--in-place`, `--check` and `--diff`.

use std::fs;

use super::process::{Run, command, directory, path, run, run_with};

const GIVEN: &str = "<domainbackup>\n  <disks><disk name='vda'/></disks>\n</domainbackup>\n";
const COMMENTED: &str = "<domainbackup>\n  <!-- vdb is on the other pool -->\n</domainbackup>\n";
const NORMAL: &str = "<domainbackup mode='push'>\n  <disks>\n    <disk name='vda' backup='yes' type='file'/>\n  </disks>\n</domainbackup>\n";
const BAD: &str = "<domainbackup mode='bad'/>";

/// Runs `normalize` in a directory, so that file names are short.
fn normalize(directory: &std::path::Path, arguments: &[&str]) -> Run {
    let mut command = command(&["normalize", "--format", "concise"]);
    command.args(arguments).current_dir(directory).output().unwrap().into()
}

#[test]
fn files_are_rewritten_in_place_and_those_with_errors_are_not() {
    let files = [("a.xml", GIVEN.as_bytes()), ("bad.xml", BAD.as_bytes()), ("c.xml", b"<domainbackup/>")];
    let directory = directory("in-place", &files);
    let run = normalize(&directory, &["--in-place", "a.xml", "bad.xml", "c.xml"]);
    let line = "bad.xml:1:21: error: ";
    assert!(run.status == 1 && run.stdout.is_empty() && run.stderr.starts_with(line), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1);
    let content = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    assert_eq!((content("a.xml").as_str(), content("bad.xml").as_str()), (NORMAL, BAD));
    assert_eq!(content("c.xml"), "<domainbackup mode='push'/>\n");
    let again = normalize(&directory, &["--in-place", "a.xml", "c.xml"]);
    assert_eq!((again.status, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
    assert_eq!(normalize(&directory, &["--check", "a.xml", "c.xml"]).status, 0);
}

#[test]
fn check_names_the_files_that_would_change() {
    let directory = directory("would-change", &[("a.xml", GIVEN.as_bytes()), ("b.xml", NORMAL.as_bytes())]);
    let run = normalize(&directory, &["--check", "a.xml", "b.xml"]);
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (1, "a.xml\n", ""));
    assert_eq!(fs::read_to_string(directory.join("a.xml")).unwrap(), GIVEN);
    let stdin = run_with(&["normalize", "--check"], GIVEN.as_bytes());
    assert_eq!((stdin.status, stdin.stdout.as_str()), (1, "<stdin>\n"));
}

#[test]
fn a_diff_is_unified_and_coloured_on_demand() {
    let directory = directory("normal-diff", &[("a.xml", GIVEN.as_bytes()), ("b.xml", NORMAL.as_bytes())]);
    let run = normalize(&directory, &["--diff", "a.xml", "b.xml"]);
    let expected = "--- a.xml\n+++ a.xml\n@@ -1,3 +1,5 @@\n-<domainbackup>\n-  <disks><disk name='vda'/></disks>\n\
        +<domainbackup mode='push'>\n+  <disks>\n+    <disk name='vda' backup='yes' type='file'/>\n+  </disks>\n </domainbackup>\n";
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, expected, ""));
    let colored = normalize(&directory, &["--check", "--diff", "--color", "always", "a.xml"]);
    assert_eq!(colored.status, 1);
    assert!(colored.stdout.contains("\u{1b}[32m+  <disks>\u{1b}[0m\n"), "{}", colored.stdout);
    assert_eq!(fs::read_to_string(directory.join("a.xml")).unwrap(), GIVEN);
}

#[test]
fn comments_are_reported_and_dropped_only_on_request() {
    let directory = directory("comments", &[("a.xml", COMMENTED.as_bytes())]);
    let message =
        "libvirt's form has no comments, and <!-- vdb is on the other pool --> would be lost [advice/lost-comment]\n";
    let content = || fs::read_to_string(directory.join("a.xml")).unwrap();
    for option in ["--check", "--diff"] {
        let run = normalize(&directory, &[option, "a.xml"]);
        assert_eq!(run.stderr, format!("a.xml:2:3: warning: {message}"));
    }
    for arguments in [&["--in-place"][..], &["--in-place", "--allow", "all"]] {
        let refused = normalize(&directory, &[arguments, &["a.xml"]].concat());
        assert_eq!((refused.status, refused.stderr), (1, format!("a.xml:2:3: error: {message}")));
        assert_eq!(content(), COMMENTED);
    }
    let dropped = normalize(&directory, &["--in-place", "--drop-comments", "a.xml"]);
    assert_eq!((dropped.status, dropped.stderr), (0, format!("a.xml:2:3: warning: {message}")));
    assert_eq!(content(), "<domainbackup mode='push'/>\n");
    assert_eq!(run_with(&["normalize"], COMMENTED.as_bytes()).stderr, "");
}

#[test]
fn what_libvirt_would_not_read_again_is_not_written() {
    // libvirt drops a label of white space, and refuses a <seclabel> without one.
    let given = "<domainbackup><disks><disk name='vda' type='file'><target file='/a'><seclabel><label></label></seclabel></target></disk></disks></domainbackup>";
    let directory = directory("label", &[("a.xml", given.as_bytes())]);
    let run = normalize(&directory, &["--in-place", "a.xml"]);
    assert!(run.status == 1 && run.stderr.contains("a.xml is left unchanged: libvirt would reject"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(directory.join("a.xml")).unwrap(), given);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let directory = directory("together", &[("a.xml", GIVEN.as_bytes())]);
    for options in [
        &["--in-place", "--check"][..],
        &["--in-place", "--diff"],
        &["--drop-comments"],
        &["--drop-comments", "--diff"],
    ] {
        assert_eq!(normalize(&directory, &[options, &["a.xml"]].concat()).status, 2, "{options:?}");
    }
    let stdin = run_with(&["normalize", "--in-place"], GIVEN.as_bytes());
    assert!(stdin.status == 2 && stdin.stderr.contains("give a file name"), "{}", stdin.stderr);
    let missing = run(&["normalize", "--in-place", &path(&directory, "gone.xml"), &path(&directory, "a.xml")]);
    assert_eq!((missing.status, fs::read_to_string(directory.join("a.xml")).unwrap().as_str()), (2, NORMAL));
}

#[test]
fn unrelated_files_are_unchanged_on_request() {
    let directory = directory("unrelated", &[("pom.xml", b"<project  />"), ("a.xml", GIVEN.as_bytes())]);
    let run = normalize(&directory, &["--in-place", "--skip-unrelated", "pom.xml", "a.xml"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(directory.join("pom.xml")).unwrap(), "<project  />");
}
