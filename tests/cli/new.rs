//! `new`: what it writes is what a real libvirtd started (`new/started.jsonl` was recorded), and what it refuses.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::process::{Run, command, directory, run};

/// A backup that was started.
#[derive(Deserialize)]
struct Started {
    name: String,
    domain: String,
    dumps: Vec<String>,
    arguments: Vec<String>,
    backup: String,
    checkpoint: Option<String>,
    verdict: String,
}

const MIN_STARTED: usize = 20;

fn started() -> Vec<Started> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/new/started.jsonl");
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn run_in(folder: &Path, arguments: &[String]) -> Run {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    Run::from(command(&arguments).current_dir(folder).output().unwrap())
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn what_is_written_was_started_by_a_real_libvirtd() {
    let all = started();
    assert!(all.len() >= MIN_STARTED, "{}", all.len());
    for case in all {
        assert_eq!(case.verdict, "accepted", "{}", case.name);
        let folder = directory(&format!("new-{}", case.name), &[("domain.xml", case.domain.as_bytes())]);
        let mut start = strings(&["--domain", "domain.xml"]);
        for (number, dump) in case.dumps.iter().enumerate() {
            fs::write(folder.join(format!("dump{number}")), dump).unwrap();
            start.extend(["--existing-checkpoint".to_owned(), format!("@dump{number}")]);
        }
        let mut arguments = [strings(&["new"]), start.clone(), case.arguments].concat();
        if case.checkpoint.is_some() {
            arguments.extend(strings(&["--checkpoint-file", "checkpoint.xml"]));
            start.extend(strings(&["--checkpoint", "checkpoint.xml"]));
        }
        let written = run_in(&folder, &arguments);
        assert_eq!((written.status, written.stdout.as_str()), (0, case.backup.as_str()), "{}", case.name);
        assert_eq!(fs::read_to_string(folder.join("checkpoint.xml")).ok(), case.checkpoint, "{}", case.name);

        fs::write(folder.join("backup.xml"), &written.stdout).unwrap();
        let check = run_in(&folder, &[strings(&["check"]), start, strings(&["backup.xml"])].concat());
        assert_eq!(check.status, 0, "{}: {}", case.name, check.stdout);
        for arguments in [
            &["normalize", "--check", "backup.xml"][..],
            &["normalize", "--check", "--domain", "domain.xml", "backup.xml"],
        ] {
            let normalize = run_in(&folder, &strings(arguments));
            assert_eq!((normalize.status, normalize.stdout.as_str()), (0, ""), "{}: {}", case.name, normalize.stderr);
        }
    }
}

const TO: [&str; 5] = ["new", "--domain", "examples/domain.xml", "--to", "/backup"];

fn new(arguments: &[&str]) -> Run {
    run(&[&TO[..], arguments].concat())
}

#[test]
fn each_decision_that_was_not_asked_for_is_explained() {
    let folder = directory(
        "new-notes",
        &[("base", b"<domaincheckpoint><name>cp</name><disks><disk name='vda'/></disks></domaincheckpoint>")],
    );
    let (base, file) = (format!("@{}", folder.join("base").display()), folder.join("checkpoint.xml"));
    let file = file.to_str().unwrap();
    let options =
        ["--incremental", "cp", "--existing-checkpoint", &base, "--new-checkpoint", "cp2", "--checkpoint-file", file];
    let written = new(&options);
    assert_eq!(written.status, 0, "{}", written.stderr);
    let notes: Vec<_> = written.stderr.lines().filter_map(|line| line.strip_prefix("examples/domain.xml:")).collect();
    assert_eq!(
        notes,
        [
            "37:5: note: `vdb` has no bitmap of the checkpoint `cp`: backed up in full",
            "45:5: note: `vdc` is of format raw, which holds no bitmaps: backed up in full, and not in the checkpoint",
            "53:5: note: `sda` has no bitmap of the checkpoint `cp`: backed up in full",
            "61:5: note: `sdb` has no media: excluded",
        ]
    );
    let quiet = new(&[&options[..], &["--quiet"]].concat());
    assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn nothing_is_written_for_a_backup_that_would_not_start() {
    let folder = directory("new-refused", &[]);
    let file = folder.join("checkpoint.xml");
    let checkpoint = ["--checkpoint-file", file.to_str().unwrap(), "--new-checkpoint", "cp"];
    let cases: [(&[&str], &str); 9] = [
        (
            &["--disk", "vbd"],
            "the domain has no disk `vbd`: did you mean `vdb`? the domain has vda, vdb, vdc, sda, sdb",
        ),
        (&["--exclude", "nothing-like-it"], "the domain has no disk `nothing-like-it`: the domain has vda"),
        (&["--disk", "vda", "--exclude", "vda"], "`vda` is both chosen and excluded"),
        (&["--disk", "sdb"], "`sdb` has no media"),
        (
            &["--exclude", "vda", "--exclude", "vdb", "--exclude", "vdc", "--exclude", "sda"],
            "no disk is left to back up",
        ),
        (&["--disk", "vdc"], "no disk of this backup can be in a checkpoint"),
        (&["--incremental", "cp"], "[checkpoint/name-is-base]"),
        (&["--existing-checkpoint", "cp"], "[checkpoint/name-exists]"),
        (&["--incremental", "x", "--existing-checkpoint", "y"], "[checkpoint/no-such-checkpoint]"),
    ];
    for (arguments, message) in cases {
        let refused = new(&[&checkpoint[..], arguments].concat());
        assert_eq!((refused.status, refused.stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(refused.stderr.contains(message), "{arguments:?}: {}", refused.stderr);
        assert!(!file.exists(), "{arguments:?}");
    }
    let domain = run(&["new", "--domain", "examples/backup.xml", "--to", "/backup"]);
    assert_eq!((domain.status, domain.stdout.as_str()), (1, ""));
    assert!(domain.stderr.contains("[align/not-a-domain]"), "{}", domain.stderr);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let cases: [(&[&str], &str); 10] = [
        (&["--mode", "pull"], "--server"),
        (&["--server", "/run/nbd.sock"], "--server needs --mode pull"),
        (&["--new-checkpoint", "cp"], "--checkpoint-file"),
        (&["--checkpoint-file", "cp.xml"], "--new-checkpoint"),
        (&["--new-checkpoint", "a b", "--checkpoint-file", "x"], "'a b' is not the name of a new checkpoint"),
        (&["--incremental", ""], "is not the name of a checkpoint"),
        (&["--suffix", "a/b"], "file names cannot contain /"),
        (&["--mode", "pull", "--server", "localhost:99999"], "invalid port 99999"),
        (&["--mode", "pull", "--server", "[::1]10809"], "expected [ADDRESS]:PORT"),
        (&["--mode", "pull", "--server", "a_b"], "'a_b' is not a host name or address"),
    ];
    for (arguments, message) in cases {
        let refused = new(arguments);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(refused.stderr.contains(message), "{arguments:?}: {}", refused.stderr);
    }
    assert_eq!(run(&["new", "--domain", "examples/domain.xml", "--to", "backup"]).status, 2);
}

#[test]
fn servers_are_sockets_and_hosts() {
    for (server, element) in [
        ("/run/nbd.sock", "<server transport='unix' socket='/run/nbd.sock'/>"),
        ("localhost", "<server transport='tcp' name='localhost'/>"),
        ("localhost:10809", "<server transport='tcp' name='localhost' port='10809'/>"),
        ("::1", "<server transport='tcp' name='::1'/>"),
        ("[::1]", "<server transport='tcp' name='::1'/>"),
        ("[::1]:10809", "<server transport='tcp' name='::1' port='10809'/>"),
    ] {
        let written = new(&["--mode", "pull", "--server", server]);
        assert_eq!(written.status, 0, "{}", written.stderr);
        assert!(written.stdout.contains(element), "{}", written.stdout);
    }
    // Up to libvirt 11.3.0 a port has to be named.
    let refused = new(&["--mode", "pull", "--server", "localhost", "--libvirt-version", "11.3.0"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("[qemu/missing-port]"), "{}", refused.stderr);
}

#[test]
fn names_that_a_release_does_not_accept_are_not_listed() {
    let domain = b"<domain><devices><disk><driver type='qcow2'/><source file='/a'/><target dev='vda'/></disk>\
                   <disk><driver type='qcow2'/><source file='/b'/><target dev='nvme0n1' bus='nvme'/></disk></devices></domain>";
    let folder = directory("new-nvme", &[("domain.xml", domain)]);
    let new = |arguments: &[&str]| {
        run_in(
            &folder,
            &strings(&[&["new", "--domain", "domain.xml", "--to", "/backup", "--quiet"], arguments].concat()),
        )
    };
    assert!(new(&[]).stdout.contains("<disk name='nvme0n1' backup='yes'"));
    let older = new(&["--libvirt-version", "11.3.0"]);
    assert!(older.status == 0 && !older.stdout.contains("nvme0n1"), "{}", older.stdout);
    let chosen = new(&["--libvirt-version", "11.3.0", "--disk", "nvme0n1"]);
    assert_eq!(chosen.status, 1);
    assert!(chosen.stderr.contains("`nvme0n1` is not a name that libvirt 11.3.0 accepts"), "{}", chosen.stderr);
}

/// Answers the questions of one run, whose last argument is a line of commands.
#[cfg(unix)]
const VIRSH: &str = "\
for line; do :; done
printf '%s\\n' \"$line\" | tr ';' '\\n' | while read -r command first rest; do
  case $command in
    echo) printf %s \"$first\" ;;
    uri) echo qemu+ssh://host/system ;;
    version) echo 'Running against daemon: 12.8.0' ;;
    dumpxml) cat domain.xml ;;
    domstate) echo 'paused (user)' ;;
    checkpoint-list) printf '%s\\n' cp1 cp2 ;;
    checkpoint-dumpxml) case $rest in *cp1*) cat cp1.xml ;; *) cat cp2.xml ;; esac ;;
  esac
done
";

#[cfg(unix)]
#[test]
fn the_latest_checkpoint_that_works_is_asked_of_libvirt() {
    let case = started().into_iter().find(|case| case.name == "incremental-of-two").unwrap();
    let folder = directory("new-vm", &[("domain.xml", case.domain.as_bytes()), ("virsh", VIRSH.as_bytes())]);
    // libvirt says a size where the bitmap is usable.
    let new = |usable: [&[&str]; 2], arguments: &[&str]| {
        for (number, usable) in usable.iter().enumerate() {
            let name = format!("cp{}", number + 1);
            let mut dump = case.dumps[number].clone();
            for disk in *usable {
                let line = format!("<disk name='{disk}' checkpoint='bitmap' bitmap='{name}'");
                dump = dump.replace(&line, &format!("{line} size='65536'"));
            }
            fs::write(folder.join(format!("{name}.xml")), dump).unwrap();
        }
        let start = ["new", "--vm", "preflight", "--virsh", "sh virsh", "--to", "/vm/to", "--suffix", "s"];
        run_in(&folder, &strings(&[&start[..], arguments].concat()))
    };
    let both: &[&str] = &["vda", "vdb"];
    let latest = new([both, both], &["--incremental", "latest"]);
    assert_eq!(latest.status, 0, "{}", latest.stderr);
    assert_eq!(latest.stdout, case.backup.replace("cp1", "cp2"));
    let (first, advice) = latest.stderr.split_once('\n').unwrap();
    assert_eq!(first, "backupxml: the backup starts from the checkpoint cp2");
    assert!(!advice.contains("advice/unused-incremental"), "{advice}");
    let older = new([both, &["vda"]], &["--incremental", "latest"]);
    assert_eq!((older.status, older.stdout.as_str()), (0, case.backup.as_str()));
    // A disk whose bitmap is lost is backed up in full.
    let lost = new([both, &["vda"]], &["--incremental", "cp2"]);
    assert!(lost.stdout.contains("<disk name='vdb' backup='yes' type='file' backupmode='full'>"), "{}", lost.stdout);
    assert!(lost.stderr.contains("note: `vdb` has no bitmap of the checkpoint `cp2`"), "{}", lost.stderr);
    let none = new([&[], &[]], &["--incremental", "latest"]);
    assert_eq!((none.status, none.stdout.as_str()), (1, ""));
    assert!(none.stderr.contains("make a full backup"), "{}", none.stderr);
    let missing = new([both, both], &["--incremental", "cp3"]);
    assert_eq!((missing.status, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.contains("[checkpoint/no-such-checkpoint]"), "{}", missing.stderr);
}
