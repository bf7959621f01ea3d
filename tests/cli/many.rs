//! Many files in one run.

use std::path::Path;
use std::process::{Command, Stdio};

use super::process::{Run, command, directory};

const FILES: usize = 500;

/// Files of which every seventh has a mistake and every eleventh is not a backup; the first takes longest.
fn in_many_files(named: &str) -> std::path::PathBuf {
    let directory = directory(named, &[]);
    for number in 0..FILES {
        let disks = if number == 0 { 3_000 } else { 1 };
        let disks: Vec<_> = (0..disks).map(|disk| format!("<disk name='vd{disk}x{number}'/>")).collect();
        let disks = disks.join("\n");
        let mistake = if number.is_multiple_of(7) { " bogus=''" } else { "" };
        let text = format!("<domainbackup{mistake}><disks>{disks}</disks></domainbackup>");
        let text = if number % 11 == 5 { "<domain/>".to_owned() } else { text };
        std::fs::write(directory.join(name(number)), text).unwrap();
    }
    directory
}

fn name(number: usize) -> String {
    format!("{number:03}.xml")
}

fn run_in(directory: &Path, arguments: &[&str], jobs: &str) -> Run {
    let mut command = command(arguments);
    command.args(["--jobs", jobs]).args((0..FILES).map(name)).arg("missing.xml").arg(name(0));
    command.current_dir(directory).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn the_report_is_in_the_order_of_the_arguments_however_many_work_on_it() {
    let directory = in_many_files("many-files");
    for format in ["concise", "full", "json", "sarif", "github"] {
        let one = run_in(&directory, &["check", "--format", format, "--skip-unrelated"], "1");
        assert_eq!((one.status, one.stderr.lines().count()), (2, 1), "{format}");
        for jobs in ["2", "5", "64"] {
            let several = run_in(&directory, &["check", "--format", format, "--skip-unrelated"], jobs);
            assert_eq!(several.stdout, one.stdout, "{format}, {jobs} jobs");
            assert_eq!((several.status, &several.stderr), (one.status, &one.stderr));
        }
        if format == "concise" {
            let named: Vec<_> = one.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
            assert_eq!(named.len(), FILES.div_ceil(7) - FILES / 77 + 1);
            assert!(named[..named.len() - 1].is_sorted() && named.last() == named.first());
        }
    }
}

#[test]
fn normalized_texts_are_in_the_order_of_the_arguments() {
    let directory = in_many_files("many-normalized");
    let one = run_in(&directory, &["normalize"], "1");
    let several = run_in(&directory, &["normalize"], "3");
    assert_eq!((several.status, &several.stdout, &several.stderr), (2, &one.stdout, &one.stderr));
    let disks: Vec<_> = one.stdout.split("vd0x").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    let good = |number: &usize| !number.is_multiple_of(7) && number % 11 != 5;
    assert_eq!(disks, (0..FILES).filter(good).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn jobs_are_at_least_one() {
    for jobs in ["0", "-1", "many", ""] {
        let run: Run = command(&["check", "--jobs", jobs, "-"]).stdin(Stdio::null()).output().unwrap().into();
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{jobs}");
    }
}

#[test]
fn no_progress_is_shown_in_a_pipe() {
    let directory = in_many_files("many-quiet");
    let run = run_in(&directory, &["check", "--allow", "all"], "2");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("missing.xml"));
}

#[cfg(target_os = "linux")]
#[test]
fn without_threads_the_work_is_done_all_the_same() {
    let directory = in_many_files("many-threads");
    let one = run_in(&directory, &["check", "--format", "concise"], "1");
    // Less address space than one of these stacks takes.
    let script = format!(
        "ulimit -v 500000; RUST_MIN_STACK=1000000000 exec {} check --format concise --jobs 200 *.xml missing.xml 000.xml",
        env!("CARGO_BIN_EXE_backupxml")
    );
    let few: Run = Command::new("sh").args(["-c", &script]).current_dir(&directory).output().unwrap().into();
    assert_eq!((few.status, few.stderr, few.stdout), (one.status, one.stderr, one.stdout));
}
