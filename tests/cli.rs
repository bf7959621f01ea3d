//! The program as it is run: arguments, streams, exit status.

#![cfg(feature = "cli")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "cli/checkpoint.rs"]
mod checkpoint;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/fix.rs"]
mod fix;
#[path = "cli/formatter.rs"]
mod formatter;
#[cfg(target_os = "linux")]
#[path = "cli/host.rs"]
mod host;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/levels.rs"]
mod levels;
#[path = "cli/many.rs"]
mod many;
#[path = "cli/new.rs"]
mod new;
#[path = "cli/notes.rs"]
mod notes;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/shell.rs"]
mod shell;
#[cfg(target_os = "linux")]
#[path = "cli/sync.rs"]
mod sync;

use std::process::{Command, Stdio};

use serde_json::Value;

use process::{Run, command, directory, path, run, run_with};

const GOOD: &str = "<domainbackup><disks><disk name='vda' type='file'/></disks></domainbackup>\n";
const BAD: &str = "<domainbackup mode='pull'>\n  <disks><disk name='vda' tpye='file'/></disks>\n</domainbackup>\n";

#[test]
fn the_readmes_main_command_prints_what_libvirt_prints() {
    let arguments = ["normalize", "--domain", "examples/domain.xml", "--suffix", "1700000000", "examples/backup.xml"];
    let run = run(&arguments);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, include_str!("../examples/normalized.xml"));
}

/// The fenced blocks of the README in a language.
fn readme_blocks(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readmes_before_and_after_is_what_is_printed() {
    let (xml, text) = (readme_blocks("xml"), readme_blocks("text"));
    let directory = directory("readme", &[("backup.xml", xml[0].as_bytes())]);
    let output = command(&["check", "backup.xml"]).current_dir(&directory).output().unwrap();
    let run = Run::from(output);
    assert_eq!((run.status, run.stdout), (1, text[1].clone()));
    let json = command(&["check", "--format", "json", "backup.xml"]).current_dir(&directory).output().unwrap();
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    let libvirt = report["files"][0]["diagnostics"][0]["libvirt"].as_str().unwrap();
    assert_eq!(format!("error: {libvirt}"), text[0]);
    assert_eq!(xml[1], include_str!("../examples/normalized.xml"));
}

#[test]
fn the_readmes_plan_is_what_is_printed() {
    let line = readme_commands().into_iter().find(|line| line.starts_with("backupxml plan ")).unwrap();
    let arguments: Vec<_> = line.split_whitespace().skip(1).collect();
    assert_eq!(run(&arguments).stdout, readme_blocks("text")[2]);
}

/// The indented commands of the README, without their comments.
fn readme_commands() -> Vec<String> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let unfenced: String = readme.split("```").step_by(2).collect();
    let lines = unfenced.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| line.split(" # ").next().unwrap().trim().to_owned()).collect()
}

/// With `virsh` in its place, in a directory with what the commands are about. Cargo's own are the gate's.
#[cfg(unix)]
#[test]
fn the_readmes_commands_run() {
    use std::os::unix::fs::PermissionsExt;
    let file = |name: &str| std::fs::read(format!("examples/{name}")).unwrap();
    let files = [("backup.xml", "push-block.xml"), ("domain.xml", "domain.xml"), ("checkpoint.xml", "checkpoint.xml")];
    let files = files.map(|(name, example)| (name, file(example)));
    let directory = directory("commands", &files.each_ref().map(|(name, content)| (*name, content.as_slice())));
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"), directory.join("examples")).unwrap();
    let bin = directory.join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_backupxml"), bin.join("backupxml")).unwrap();
    std::fs::write(bin.join("virsh"), "#!/bin/sh\n[ \"$*\" = 'dumpxml shop' ] && cat domain.xml\n").unwrap();
    std::fs::set_permissions(bin.join("virsh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut tried = 0;
    for line in readme_commands() {
        if ["cargo install --path .", "cargo test"].contains(&line.as_str()) || line.starts_with("cargo run --release")
        {
            continue;
        }
        let run = Command::new("sh").args(["-c", &line]).env("PATH", &path).current_dir(&directory).output().unwrap();
        let run = Run::from(run);
        // Not in libvirt's form, and a domain is no backup: both are errors.
        let expected = i32::from(line.contains("--check ") || line.contains("*.xml"));
        assert_eq!(run.status, expected, "{line}\n{}{}", run.stdout, run.stderr);
        assert!(!run.stderr.contains("usage"), "{line}\n{}", run.stderr);
        tried += 1;
    }
    assert!(tried >= 13, "{tried}");
}

#[test]
fn every_example_is_a_good_backup_of_the_example_domain() {
    let examples = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let mut count = 0;
    for example in examples.map(|entry| entry.unwrap().path()) {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        if example.extension().is_none_or(|end| end != "xml") || name == "domain.xml" {
            continue;
        }
        let run = run(&["check", "--allow", "advice", "--domain", "examples/domain.xml", example.to_str().unwrap()]);
        let is_clean = run.stdout.ends_with("no errors in 1 file\n") && !run.stdout.contains("warning");
        assert!(run.status == 0 && is_clean, "{name}: {}", run.stdout);
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn without_a_file_or_with_a_hyphen_it_reads_standard_input() {
    for arguments in [&["normalize"][..], &["normalize", "-"]] {
        let run = run_with(arguments, b"<domainbackup/>");
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "<domainbackup mode='push'/>\n", ""));
    }
    let domain = std::fs::read("examples/domain.xml").unwrap();
    let run = run_with(&["check", "--quiet", "--allow", "advice", "--domain", "-", "examples/backup.xml"], &domain);
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    let twice = run_with(&["check", "--domain", "-"], &domain);
    assert_eq!(twice.status, 2);
    assert!(twice.stderr.contains("standard input"), "{}", twice.stderr);
}

#[test]
fn check_reports_to_standard_output() {
    let run = run_with(&["check", "--format", "concise"], BAD.as_bytes());
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "<stdin>:1:1: error: missing element <server>: required when mode='pull' [schema/missing-server]",
            "<stdin>:2:27: error: unknown attribute `tpye` on <disk> [schema/unknown-attribute]",
        ]
    );
}

#[test]
fn standard_input_is_called_as_asked() {
    let run = run_with(&["check", "--format", "concise", "--stdin-filename", "dir/b.xml"], BAD.as_bytes());
    assert!(run.stdout.lines().all(|line| line.starts_with("dir/b.xml:")), "{}", run.stdout);
    let diff = run_with(&["normalize", "--diff", "--stdin-filename", "b.xml", "-"], GOOD.as_bytes());
    assert!(diff.stdout.starts_with("--- b.xml\n+++ b.xml\n"), "{}", diff.stdout);
    let domain = ["check", "--format", "concise", "--stdin-filename", "vm.xml", "--domain", "-", "examples/backup.xml"];
    let run = run_with(&domain, b"<pool/>");
    assert!(run.stdout.starts_with("vm.xml:1:1: error: "), "{}", run.stdout);
}

#[test]
fn normalize_reports_to_standard_error_and_prints_no_xml() {
    let run = run_with(&["normalize", "--format", "concise"], BAD.as_bytes());
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert_eq!(run.stderr.lines().count(), 2);
}

#[test]
fn of_many_files_the_good_ones_are_printed_in_order() {
    let directory =
        directory("many", &[("a.xml", GOOD.as_bytes()), ("b.xml", BAD.as_bytes()), ("c.xml", b"<domainbackup/>")]);
    let files = ["a.xml", "b.xml", "c.xml"].map(|name| path(&directory, name));
    let run = run(&["normalize", "--format", "concise", &files[0], &files[1], &files[2]]);
    assert_eq!(run.status, 1);
    assert_eq!(run.stdout.matches("<domainbackup mode='push'").count(), 2);
    assert!(run.stderr.lines().all(|line| line.starts_with(&files[1])), "{}", run.stderr);
}

#[test]
fn unreadable_files_are_reported_and_the_rest_is_checked() {
    let directory = directory("unreadable", &[("bad.xml", BAD.as_bytes())]);
    let missing = path(&directory, "missing.xml");
    let run = run(&["check", "--format", "json", &missing, directory.to_str().unwrap(), &path(&directory, "bad.xml")]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("missing.xml") && run.stderr.contains("is a directory"), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let statuses: Vec<_> =
        report["files"].as_array().unwrap().iter().map(|file| file["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["unreadable", "unreadable", "failed"]);
}

#[test]
fn an_invalid_domain_is_reported_in_its_file() {
    let directory = directory("domain", &[("backup.xml", GOOD.as_bytes()), ("domain.xml", b"<domainbackup/>")]);
    let (backup, domain) = (path(&directory, "backup.xml"), path(&directory, "domain.xml"));
    let run = run(&["check", "--format", "json", "--domain", &domain, &backup]);
    assert_eq!(run.status, 1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let diagnostic = &report["files"][0]["diagnostics"][0];
    assert_eq!(diagnostic["rule"], "align/not-a-domain");
    assert_eq!(diagnostic["labels"][0]["path"], domain.as_str());
    assert!(diagnostic["help"].as_str().unwrap().contains("swapped"));
    let missing = super_missing(&directory);
    assert_eq!(missing.status, 2);
}

fn super_missing(directory: &std::path::Path) -> Run {
    run(&["check", "--domain", &path(directory, "gone.xml"), &path(directory, "backup.xml")])
}

#[test]
fn json_is_as_it_is_documented() {
    let text = "\u{feff}<domainbackup>\n  <disks><disk name='vda' backup='ja'/></disks>\n</domainbackup>";
    let run = run_with(&["check", "--format", "json"], text.as_bytes());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(
        report["summary"],
        serde_json::json!({"files": 1, "failed": 1, "skipped": 0, "errors": 1, "warnings": 0})
    );
    let diagnostic = &report["files"][0]["diagnostics"][0];
    assert_eq!(diagnostic["severity"], "error");
    assert!(diagnostic["libvirt"].as_str().unwrap().contains("Extra element disks in interleave"));
    let label = &diagnostic["labels"][0];
    let start = text.find("ja").unwrap();
    assert_eq!((label["start"].as_u64(), label["end"].as_u64()), (Some(start as u64), Some(start as u64 + 2)));
    assert_eq!((label["line"].as_u64(), label["column"].as_u64()), (Some(2), Some(35)));
    assert_eq!((label["end_line"].as_u64(), label["end_column"].as_u64()), (Some(2), Some(37)));
    assert_eq!(label["primary"], true);
}

#[test]
fn offsets_are_those_of_the_file_on_disk() {
    let text = "<?xml version='1.0' encoding='ISO-8859-1'?><domainbackup mode='\u{e9}\u{e9}'/>";
    let bytes: Vec<u8> = text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    let run = run_with(&["check", "--format", "json"], &bytes);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let label = &report["files"][0]["diagnostics"][0]["labels"][0];
    let start = bytes.iter().position(|byte| *byte == 0xe9).unwrap();
    assert_eq!((label["start"].as_u64(), label["end"].as_u64()), (Some(start as u64), Some(start as u64 + 2)));
}

#[test]
fn unrelated_files_are_skipped_only_on_request() {
    let unrelated = "<project><target name='x'/></project>";
    assert_eq!(run_with(&["check"], unrelated.as_bytes()).status, 1);
    let run = run_with(&["check", "--skip-unrelated", "--format", "json"], unrelated.as_bytes());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.status, &report["files"][0]["status"]), (0, &Value::from("skipped")));
    assert_eq!(run_with(&["check", "--skip-unrelated"], BAD.as_bytes()).status, 1);
    assert_eq!(run_with(&["normalize", "--skip-unrelated"], unrelated.as_bytes()).stdout, "");
}

#[test]
fn explicit_fills_in_modes_without_a_domain() {
    let text = "<domainbackup><incremental>cp</incremental><disks><disk name='vda'/><disk name='vdb' backupmode='full'/></disks></domainbackup>";
    let plain = run_with(&["normalize"], text.as_bytes()).stdout;
    assert!(!plain.contains("backupmode='incremental'"), "{plain}");
    let explicit = run_with(&["normalize", "--explicit"], text.as_bytes()).stdout;
    assert!(
        explicit.contains("<disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='cp'/>"),
        "{explicit}"
    );
    assert!(explicit.contains("<disk name='vdb' backup='yes' type='file' backupmode='full'/>"), "{explicit}");
}

#[test]
fn the_suffix_is_what_is_asked_for_or_the_time() {
    let with = |arguments: &[&str], epoch: Option<&str>| {
        let mut command = command(arguments);
        command.args(["normalize", "--domain", "examples/domain.xml", "examples/backup.xml"]);
        epoch.map(|epoch| command.env("SOURCE_DATE_EPOCH", epoch));
        Run::from(command.output().unwrap()).stdout
    };
    assert!(with(&[], Some("12345")).contains("shop.qcow2.12345'"));
    let now = with(&[], None);
    let (_, after) = now.split_once("shop.qcow2.").unwrap();
    let seconds: u64 = after.split('\'').next().unwrap().parse().expect("seconds");
    assert!(seconds > 1_700_000_000);
}

#[test]
fn a_state_file_is_read_without_the_schema() {
    let state = "<domainbackup><disks><disk name='vda' state='running' index='2' unknown='x'/></disks></domainbackup>";
    assert_eq!(run_with(&["check"], state.as_bytes()).status, 1);
    let run = run_with(&["normalize", "--status"], state.as_bytes());
    assert_eq!(run.status, 0);
    assert!(
        run.stdout.contains("<disk name='vda' backup='yes' state='running' type='file' index='2'/>"),
        "{}",
        run.stdout
    );
}

#[test]
fn older_releases_answer_for_themselves_and_those_after_them() {
    let plain = "<domainbackup><disks><disk name='vda'/></disks></domainbackup>";
    for (release, status, note) in
        [("9.0.0", 1, false), ("10.0.0", 1, true), ("11.3.0", 0, false), ("12.8.0", 0, false)]
    {
        let run = run_with(&["check", "--libvirt-version", release], plain.as_bytes());
        assert_eq!((run.status, run.stderr.contains("is treated as")), (status, note), "{release}: {}", run.stderr);
    }
    let refused = run_with(&["check", "--libvirt-version", "9.0.0"], plain.as_bytes()).stdout;
    assert!(refused.contains("libvirt 11.3.0 and later"), "{refused}");
    let unknown = run_with(&["check", "--libvirt-version", "6.0.0"], plain.as_bytes());
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("9.0.0, 11.3.0, 12.8.0"), "{}", unknown.stderr);
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let colored = |when: &str| run_with(&["check", "--color", when], BAD.as_bytes()).stdout.contains('\u{1b}');
    assert_eq!(["auto", "always", "never"].map(colored), [false, true, false]);
}

#[test]
fn the_environment_decides_about_colour_unless_an_option_does() {
    let colored = |variables: &[(&str, &str)], when: &str| {
        let mut command =
            command(&["check", "--color", when, "--domain", "examples/domain.xml", "examples/domain.xml"]);
        command.envs(variables.iter().copied());
        Run::from(command.output().unwrap()).stdout.contains('\u{1b}')
    };
    assert!(colored(&[("CLICOLOR_FORCE", "1")], "auto"));
    assert!(colored(&[("FORCE_COLOR", "1")], "auto"));
    assert!(!colored(&[("FORCE_COLOR", "0")], "auto"));
    assert!(!colored(&[("CLICOLOR", "1")], "auto"), "that is for terminals");
    for forced in [("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1")] {
        assert!(!colored(&[("NO_COLOR", "1"), forced], "auto"));
        assert!(colored(&[("NO_COLOR", ""), forced], "auto"), "an empty one asks for nothing");
        assert!(!colored(&[forced], "never"));
    }
    assert!(colored(&[("NO_COLOR", "1")], "always"));
}

/// Runs a shell command on a terminal.
#[cfg(target_os = "linux")]
fn on_a_terminal(directory: &std::path::Path, script: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("script");
    command.args(["-qec", script, "/dev/null"]).current_dir(directory).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI"] {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm").envs(variables.iter().copied());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colour_unless_it_is_dumb() {
    let directory = directory("terminal", &[("bad.xml", BAD.as_bytes())]);
    let script = format!("{} check bad.xml", env!("CARGO_BIN_EXE_backupxml"));
    let colored = |variables: &[(&str, &str)]| on_a_terminal(&directory, &script, variables).contains("\u{1b}[");
    assert!(colored(&[]));
    assert!(!colored(&[("TERM", "dumb")]));
    assert!(colored(&[("TERM", "dumb"), ("CI", "true")]));
    assert!(!colored(&[("CLICOLOR", "0")]));
    assert!(!colored(&[("NO_COLOR", "1")]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_run_on_a_terminal_shows_how_far_it_is() {
    let directory = directory("progress", &[("good.xml", GOOD.as_bytes())]);
    let program = env!("CARGO_BIN_EXE_backupxml");
    let slow = format!(
        "mkfifo p q; (sleep 1.2; cat good.xml > p; sleep 0.3; cat good.xml > q) & {program} check p good.xml q"
    );
    let shown = on_a_terminal(&directory, &slow, &[]);
    assert!(shown.contains("2 of 3 files") && shown.contains("no errors"), "{shown:?}");
    let quick = on_a_terminal(&directory, &format!("{program} check good.xml good.xml"), &[]);
    assert!(!quick.contains(" of 2 files"), "{quick:?}");
    let quiet = on_a_terminal(&directory, &slow.replace("mkfifo p q; ", "").replace("check", "check -q"), &[]);
    assert!(!quiet.contains("of 3 files"), "{quiet:?}");
}

/// Controls, marks of direction, and characters without width.
const HIDDEN: &str = "\u{9b}31m\u{7f}\u{202e}\u{200b}\u{2060}\u{ad}\u{34f}\u{180e}\u{fe0f}\u{3164}\u{206a}\u{e0041}";

fn is_hidden(character: char) -> bool {
    character != '\n' && HIDDEN.contains(character) && !character.is_ascii_graphic() || character == '\u{1b}'
}

#[test]
fn input_cannot_control_the_terminal() {
    let text = format!("<domainbackup mode='{HIDDEN}x'><disks><disk name='{HIDDEN}'/></disks></domainbackup>");
    for format in ["full", "concise", "json", "sarif", "github"] {
        let run = run_with(&["check", "--color", "never", "--format", format], text.as_bytes());
        assert!(!run.stdout.contains(is_hidden), "{format}: {:?}", run.stdout);
        if format == "json" {
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            let message = report["files"][0]["diagnostics"][0]["message"].as_str().unwrap();
            assert!(message.contains(HIDDEN), "{message:?}");
        } else if format != "sarif" {
            assert!(run.stdout.contains("<U+202E><U+200B><U+2060><U+00AD>"), "{format}: {}", run.stdout);
            assert!(run.stdout.contains("<U+E0041>"), "{format}: {}", run.stdout);
        }
    }
    let domain = format!(
        "<domain type='kvm'><name>x</name><devices><disk type='file' device='disk'><source file='/{HIDDEN}'/>\
         <target dev='vda'/></disk></devices></domain>"
    );
    let directory = directory("hidden", &[("d.xml", domain.as_bytes())]);
    for format in ["text", "json"] {
        let plan = ["plan", "--suffix", HIDDEN, "--format", format, "--domain", &path(&directory, "d.xml"), "-"];
        let run = run_with(&plan, b"<domainbackup/>");
        assert!(!run.stdout.contains(is_hidden) && !run.stderr.contains(is_hidden), "{format}: {:?}", run.stdout);
        assert!(run.stdout.contains("2060"), "{format}: {}", run.stdout);
    }
}

#[test]
fn columns_are_those_of_the_file_behind_hidden_characters() {
    let text = "<domainbackup><disks><disk name='\u{200b}\u{200b}vda' bogus=''/></disks></domainbackup>";
    let run = run_with(&["check"], text.as_bytes());
    assert!(run.stdout.contains("[<stdin>:1:41]") && run.stdout.contains("<U+200B><U+200B>vda"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn no_name_steers_the_terminal() {
    const NAME: &str = "a\x1b]0;x\x07\n::error::\u{9b}.xml";
    let directory = directory("names", &[(NAME, BAD.as_bytes()), ("b.xml", GOOD.as_bytes())]);
    let commented = "<domainbackup><!-- c --></domainbackup>";
    let label = "<domainbackup><disks><disk name='vda' type='file'><target file='/a'><seclabel><label></label></seclabel>\
                 </target></disk></disks></domainbackup>";
    let controls_terminal = |character: char| character.is_control() && character != '\n';
    for (text, arguments) in [
        (BAD, &["check", NAME][..]),
        (BAD, &["check", "--format", "concise", NAME]),
        (BAD, &["check", "--format", "json", NAME]),
        (BAD, &["check", "--format", "sarif", NAME]),
        (BAD, &["check", "--format", "github", NAME]),
        (BAD, &["check", "--fix", NAME]),
        (BAD, &["check", "--unsafe-fixes", "--diff", NAME]),
        (BAD, &["check", "--stdin-filename", NAME, "-"]),
        (BAD, &["check", "--domain", NAME, "b.xml"]),
        (BAD, &["check", "--existing-checkpoint", "@a\x1b\ngone", "b.xml"]),
        (BAD, &["check", "--allow", NAME, "b.xml"]),
        (BAD, &["check", "--libvirt-version", NAME, "b.xml"]),
        (BAD, &["check", "gone\x1b\n::error::\u{9b}.xml"]),
        (GOOD, &["plan", "--domain", NAME, NAME]),
        (GOOD, &["normalize", "--check", NAME]),
        (GOOD, &["normalize", "--diff", NAME]),
        (label, &["normalize", "--in-place", NAME]),
        (commented, &["normalize", "--check", NAME]),
        (GOOD, &["explain", NAME]),
        (GOOD, &["man", "/dev/null/\x1b\n::error::"]),
        (GOOD, &["completions", NAME]),
        (GOOD, &[NAME]),
        (GOOD, &["check", "--no-such\x1b\n::error::"]),
    ] {
        std::fs::write(directory.join(NAME), text).unwrap();
        let run: Run = command(arguments).current_dir(&directory).stdin(Stdio::null()).output().unwrap().into();
        for output in [&run.stdout, &run.stderr] {
            assert!(!output.contains(controls_terminal), "{arguments:?}: {output:?}");
            let github = arguments.contains(&"github");
            assert!(github || !output.lines().any(|line| line.starts_with("::")), "{arguments:?}: {output:?}");
        }
        assert!(!run.stdout.is_empty() || !run.stderr.is_empty(), "{arguments:?}");
    }
    // On a file system without space or with a limit the name is in the message of what failed, too.
    let script = format!("ulimit -f 0; trap '' XFSZ; exec {} check --fix \"$0\"", env!("CARGO_BIN_EXE_backupxml"));
    std::fs::write(directory.join(NAME), "<domainbackup mode='psuh'/>").unwrap();
    let run = Run::from(Command::new("bash").args(["-c", &script, NAME]).current_dir(&directory).output().unwrap());
    assert!(run.stderr.contains("cannot write a␛]0;x␇␊<U+003A>:error::"), "{:?}", run.stderr);
    assert!(!run.stderr.contains(controls_terminal), "{:?}", run.stderr);
}

#[test]
fn findings_of_decoding_stand_where_the_bytes_do() {
    let text = b"<domainbackup mode='psuh'>\n<incremental>\xff</incremental>\n<disks/></domainbackup>";
    let run = run_with(&["check", "--format", "concise"], text);
    let lines: Vec<_> = run.stdout.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert!(lines.len() > 1 && lines.is_sorted(), "{}", run.stdout);
}

#[test]
fn bad_input_is_distinguished() {
    let utf16: Vec<u8> = "\u{feff}<domainbackup/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&[u8], &str); 9] = [
        (b"", "xml/empty"),
        (b"  \n", "xml/empty"),
        (b"<domainbackup>", "xml/unclosed-element"),
        (b"<domainbackup>\xff</domainbackup>", "xml/undecodable"),
        (&utf16, "xml/nul-byte"),
        (b"<domainbackup/>\0", "xml/nul-byte"),
        (b"<domainsnapshot/>", "parse/wrong-root"),
        (b"<!DOCTYPE domainbackup [<!ENTITY a 'b'>]><domainbackup/>", "xml/document-type"),
        ("<domainbackup mode=“pull”/>".as_bytes(), "xml/curly-quotes"),
    ];
    for (bytes, rule) in cases {
        let run = run_with(&["check", "--format", "concise"], bytes);
        let first = run.stdout.lines().next().unwrap_or_default();
        assert!(run.status == 1 && first.ends_with(&format!("[{rule}]")), "{rule}: {}", run.stdout);
    }
    assert_eq!(run_with(&["check"], b"<!DOCTYPE domainbackup>\n<domainbackup/>").status, 0);
}

#[test]
fn bad_arguments_are_exit_status_2_and_help_is_0() {
    assert_eq!(run(&[]).status, 2);
    assert_eq!(run(&["check", "--format", "xml", "x"]).status, 2);
    assert_eq!(run(&["check", "--in-place", "x"]).status, 2);
    assert!(run(&["--version"]).stdout.starts_with("backupxml "));
}

#[test]
fn arguments_that_contradict_each_other_are_explained() {
    let directory = directory("check", &[("b", GOOD.as_bytes())]);
    let explained = |arguments: &[&str], why: &str| {
        let run: Run = command(arguments).current_dir(&directory).stdin(Stdio::null()).output().unwrap().into();
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains(why), "{arguments:?}: {}", run.stderr);
    };
    explained(&["check", "--domain", "-", "--checkpoint", "-", "b"], "twice: for --domain and for --checkpoint");
    explained(&["check", "--domain", "-"], "twice: for the backup and for --domain");
    explained(&["check", "-", "-"], "`-` is given more than once");
    explained(&["plan", "--domain", "-", "-"], "twice: for the backup and for --domain");
    explained(&["check", "--jobs", "0", "b"], "expected a number of at least 1");
    explained(&["check", "--diff", "--format", "json", "b"], "cannot be used with");
    explained(&["b"], "did you mean `backupxml check b`?");
    explained(&["gone.xml", "--quiet"], "did you mean `backupxml check gone.xml`?");
    explained(&["chekc", "b"], "a similar subcommand exists: 'check'");
    explained(&["man", "check"], "takes a directory, not a command");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    let script = format!("yes '<domainbackup/>' | head -1 | {} normalize 2>&1 | true", env!("CARGO_BIN_EXE_backupxml"));
    let status = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(status.success());
}
