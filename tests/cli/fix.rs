//! `check --fix`, `--unsafe-fixes` and `--diff`.

use std::fs;

use std::process::Stdio;
use std::time::Duration;

use super::process::{Run, command, directory, path, run, run_with};

/// One mistake with a safe fix, and one with an unsafe fix.
const TWO: &str = "<domainbackup>\n  <disks><disk nmae='vda' bogus='1'/></disks>\n</domainbackup>\n";
const SAFE: &str = "<domainbackup>\n  <disks><disk name='vda' bogus='1'/></disks>\n</domainbackup>\n";
const ALL: &str = "<domainbackup>\n  <disks><disk name='vda'/><!-- bogus='1' --></disks>\n</domainbackup>\n";
const GOOD: &str = "<domainbackup>\n  <disks><disk name='vda'/></disks>\n</domainbackup>\n";

#[test]
fn safe_fixes_are_written_and_the_rest_is_reported() {
    let directory = directory("fix", &[("b.xml", TWO.as_bytes())]);
    let file = path(&directory, "b.xml");
    let first = run(&["check", "--fix", "--format", "concise", &file]);
    assert_eq!(fs::read_to_string(&file).unwrap(), SAFE);
    assert_eq!(first.status, 1);
    assert!(first.stdout.contains("[schema/unknown-attribute]"), "{}", first.stdout);
    assert!(!first.stdout.contains("nmae"), "{}", first.stdout);
    assert!(first.stderr.starts_with("backupxml: applied 1 fix to "), "{}", first.stderr);
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
        -  <disks><disk nmae='vda' bogus='1'/></disks>\n+  <disks><disk name='vda'/><!-- bogus='1' --></disks>\n </domainbackup>\n";
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

/// Starts `check --fix` on a file, changes something when the file has been read, and lets the run go on.
#[cfg(unix)]
fn fix_while(directory: &std::path::Path, change: impl FnOnce()) -> Run {
    let made = std::process::Command::new("mkfifo").arg(directory.join("pipe")).status().unwrap();
    assert!(made.success());
    // The first file is a pipe, which one thread waits for while another reads the second file.
    let mut command = command(&["check", "--fix", "--jobs", "2", "pipe", "b.xml"]);
    command.current_dir(directory).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    change();
    fs::write(directory.join("pipe"), ALL).unwrap();
    fs::remove_file(directory.join("pipe")).unwrap();
    child.wait_with_output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_file_leads_nowhere() {
    let directory = directory("fix-swapped", &[("b.xml", TWO.as_bytes()), ("victim", b"secret")]);
    let run = fix_while(&directory, || {
        fs::remove_file(directory.join("b.xml")).unwrap();
        std::os::unix::fs::symlink("victim", directory.join("b.xml")).unwrap();
    });
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(run.stderr, "backupxml: cannot write b.xml: it has changed since it was read\n");
    assert_eq!(fs::read_to_string(directory.join("victim")).unwrap(), "secret");
    // The report is about what was read, and still stands there.
    assert!(run.stdout.contains("unknown attribute `nmae`"), "{}", run.stdout);
    assert!(run.stdout.contains("1 file could not be written"), "{}", run.stdout);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn an_edit_made_meanwhile_is_not_lost() {
    let directory = directory("fix-edited", &[("b.xml", TWO.as_bytes())]);
    let edited = TWO.replace("vda", "vdb");
    let run = fix_while(&directory, || fs::write(directory.join("b.xml"), &edited).unwrap());
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(fs::read_to_string(directory.join("b.xml")).unwrap(), edited);
}

#[test]
fn a_failure_to_write_leaves_the_report_as_it_is_without_fixes() {
    let directory = directory("fix-refused", &[("b.xml", TWO.as_bytes()), ("good.xml", GOOD.as_bytes())]);
    fs::hard_link(directory.join("b.xml"), directory.join("other.xml")).unwrap();
    let report = |arguments: &[&str]| {
        let output = command(arguments).args(["b.xml", "good.xml"]).current_dir(&directory).output().unwrap();
        Run::from(output)
    };
    for format in ["concise", "json", "sarif", "github"] {
        let (plain, fixed) = (report(&["check", "--format", format]), report(&["check", "--fix", "--format", format]));
        assert_eq!((plain.status, fixed.status), (1, 2));
        assert_eq!(plain.stdout, fixed.stdout);
    }
    let full = report(&["check", "--fix"]);
    assert!(
        full.stdout
            .ends_with("2 errors in 1 of 2 files, 1 file could not be written\n1 fixable with `--unsafe-fixes`\n"),
        "{}",
        full.stdout
    );
    fs::write(directory.join("b.xml"), "<domainbackup/>").unwrap();
    let in_place = report(&["normalize", "--in-place"]);
    assert_eq!(in_place.status, 2, "{}", in_place.stderr);
    assert!(in_place.stderr.ends_with("no errors in 2 files, 1 file could not be written\n"), "{}", in_place.stderr);
}

#[cfg(unix)]
#[test]
fn what_an_interrupted_run_left_is_named() {
    let directory = directory("fix-leftover", &[("b.xml", TWO.as_bytes()), (".b.xml.backupxml-tmp", b"half")]);
    let output = command(&["check", "--fix", "b.xml"]).current_dir(&directory).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let remark = "backupxml: b.xml: removed .b.xml.backupxml-tmp, left by an interrupted run\n";
    assert!(stderr.starts_with(remark), "{stderr}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_temporary_file() {
    let names: Vec<_> = (0..300).map(|number| format!("{number:03}.xml")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), TWO.as_bytes())).collect();
    let mut ended_by_signal = 0;
    for round in 0..24_u64 {
        let directory = directory("fix-signal", &files);
        let mut command = command(&["check", "--fix", "--jobs", "1"]);
        command.args(&names).current_dir(&directory).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 3));
        let signal = if round % 2 == 0 { "-INT" } else { "-TERM" };
        let _ = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        ended_by_signal += usize::from(child.wait().unwrap().code().is_none());
        let left: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), names.len(), "{left:?}");
        for name in &names {
            let text = fs::read_to_string(directory.join(name)).unwrap();
            assert!(text == TWO || text == SAFE, "{name}");
        }
    }
    assert!(ended_by_signal >= 12, "{ended_by_signal}");
}
