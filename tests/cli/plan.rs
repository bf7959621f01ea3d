//! `plan`, and the options of `check` about the start of a backup.

use serde_json::Value;

use super::process::{directory, run, run_with};

const CHECKPOINTS: [&str; 4] = ["--existing-checkpoint", "cp-monday", "--existing-checkpoint", "cp-sunday"];

#[test]
fn a_row_for_each_disk_and_a_summary() {
    let mut arguments = vec!["plan", "--domain", "examples/domain.xml", "--checkpoint", "examples/checkpoint.xml"];
    arguments.extend(CHECKPOINTS);
    arguments.push("examples/backup.xml");
    let plan = run(&arguments);
    assert_eq!(plan.status, 0, "{}", plan.stderr);
    assert!(
        plan.stdout.lines().all(|line| line.starts_with('5') || line.starts_with('3') || line.chars().count() <= 80)
    );
    let (table, sentence) = plan.stdout.split_once("\n\n").unwrap();
    let first_words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let rows: Vec<_> = table.lines().filter(|line| !line.starts_with(' ')).map(first_words).collect();
    let expected = ["DISK BACKUP", "vda incremental*", "vdb full", "vdc no:", "sda incremental*", "sdb no:", "* not"];
    assert_eq!(rows, expected);
    assert!(table.contains("shop.qcow2.cp-tuesday*"), "the checkpoint's name is the suffix\n{table}");
    let (summary, note) = sentence.split_once('\n').unwrap();
    assert_eq!(
        summary,
        "3 of 5 disks, 1 incremental from cp-monday, 1 incremental from cp-sunday, 1 full; excluded: vdc (not listed), \
         sdb (no media)"
    );
    assert!(note.starts_with("note: not checked: whether checkpoints `cp-monday`, `cp-sunday` cover"), "{note}");
    assert!(plan.stderr.contains("[advice/disk-left-out]"), "{}", plan.stderr);
}

#[test]
fn a_backup_that_would_be_refused_has_a_plan_all_the_same() {
    let backup = b"<domainbackup><disks><disk name='vda' incremental='../x'/></disks></domainbackup>";
    let plan = run_with(&["plan", "--domain", "examples/domain.xml", "--stdin-filename", "b.xml"], backup);
    assert_eq!(plan.status, 1);
    assert!(plan.stdout.ends_with("but libvirt would refuse it\n"), "{}", plan.stdout);
    assert!(
        plan.stderr.contains("[checkpoint/impossible-name]") && plan.stderr.contains("b.xml:1:52"),
        "{}",
        plan.stderr
    );

    // There is no plan for a backup that cannot be aligned.
    let plan = run_with(&["plan", "--domain", "examples/domain.xml"], b"<domainbackup mode='pull'/>");
    assert_eq!((plan.status, plan.stdout.as_str()), (1, ""));
    assert!(plan.stderr.contains("[schema/missing-server]"), "{}", plan.stderr);
}

#[test]
fn programs_get_the_same_as_json() {
    let plan = run(&[
        "plan",
        "--domain",
        "examples/domain.xml",
        "--suffix",
        "s",
        "--format",
        "json",
        "examples/pull-unix.xml",
    ]);
    assert_eq!((plan.status, plan.stderr.as_str()), (0, ""));
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["accepted"], true);
    assert_eq!(plan["mode"], "pull");
    let disks = plan["disks"].as_array().unwrap();
    assert_eq!(disks.len(), 5);
    assert_eq!(disks[0]["disk"], "vda");
    assert_eq!(disks[0]["destination"], serde_json::json!({"value": "/var/tmp/backup.3180.vda", "written": true}));
    assert_eq!(disks[0]["exportname"], serde_json::json!({"value": "vda", "written": true}));
    assert_eq!(disks[0]["format"], serde_json::json!({"value": "qcow2", "written": false}));
    assert_eq!(disks[4]["reason"], "backup='no'");
    assert!(plan["summary"].as_str().unwrap().starts_with("2 of 5 disks"));
    assert_eq!(plan["diagnostics"], serde_json::json!([]));
    assert_eq!(plan["not_checked"], serde_json::json!([]));
}

#[test]
fn what_was_not_checked_is_said() {
    let backup = b"<domainbackup><disks><disk name='vda' incremental='monday'/></disks></domainbackup>";
    let check = |options: &[&str]| {
        let arguments = [&["check", "--allow", "advice", "--domain", "examples/domain.xml"], options].concat();
        run_with(&arguments, backup)
    };
    let unknown = check(&[]).stdout.replace("\n  ", " ");
    assert!(unknown.contains("note: not checked: whether checkpoint `monday` exists and covers"), "{unknown}");
    assert!(unknown.contains("pass --existing-checkpoint @FILE"), "{unknown}");
    let named = check(&["--existing-checkpoint", "monday"]).stdout;
    assert!(named.contains("whether checkpoint `monday` covers"), "{named}");
    let dump = b"<domaincheckpoint><name>monday</name><disks><disk name='vda'/></disks></domaincheckpoint>";
    let file = format!("@{}", directory("not-checked", &[("dump.xml", dump)]).join("dump.xml").display());
    assert_eq!(check(&["--existing-checkpoint", &file]).stdout, "no errors in 1 file\n");
    assert_eq!(check(&["--quiet"]).stdout, "");
    let json: Value = serde_json::from_str(&check(&["--format", "json"]).stdout).unwrap();
    let open = json["files"][0]["not_checked"][0]["message"].as_str().unwrap();
    assert!(open.starts_with("whether checkpoint `monday` exists and covers"), "{open}");
}

#[test]
fn existing_checkpoints_are_names_lists_and_dumps() {
    let files: [(&str, &[u8]); 3] = [
        ("list", b"cp-monday\n\ncp-sunday\n\n"),
        ("dump.xml", b"<domaincheckpoint><name>cp-monday</name><disks><disk name='vdb' checkpoint='bitmap'/></disks></domaincheckpoint>"),
        ("wrong.xml", b"<domain/>"),
    ];
    let directory = directory("existing", &files);
    let with = |name: &str| {
        let file = format!("@{}", directory.join(name).display());
        run(&[
            "check",
            "--allow",
            "advice",
            "--format",
            "concise",
            "--domain",
            "examples/domain.xml",
            "--existing-checkpoint",
            &file,
            "examples/backup.xml",
        ])
    };
    assert_eq!((with("list").status, with("list").stdout.as_str()), (0, ""));
    let dump = with("dump.xml");
    assert_eq!(dump.status, 1);
    assert!(
        dump.stdout.contains("[checkpoint/disk-not-covered]")
            && dump.stdout.contains("[checkpoint/no-such-checkpoint]")
    );
    let wrong = with("wrong.xml");
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("expected <domaincheckpoint>, got <domain>"), "{}", wrong.stderr);
    assert_eq!(with("no-such-file").status, 2);
    // Without known checkpoints, missing ones are not reported.
    assert_eq!(
        run(&["check", "--allow", "advice", "--domain", "examples/domain.xml", "examples/backup.xml"]).status,
        0
    );
}

#[test]
fn a_checkpoint_error_is_reported_in_its_file() {
    let directory =
        directory("checkpoint", &[("cp.xml", b"<domaincheckpoint>\n  <name>../x</name>\n</domaincheckpoint>\n")]);
    let file = directory.join("cp.xml").display().to_string();
    let check = run(&["check", "--format", "concise", "--checkpoint", &file, "examples/backup.xml"]);
    assert_eq!(check.status, 1);
    assert!(check.stdout.starts_with(&format!("{file}:2:9: error: ")), "{}", check.stdout);
    // Normalizing uses only the checkpoint's name.
    let normalize =
        run(&["normalize", "--domain", "examples/domain.xml", "--checkpoint", &file, "examples/backup.xml"]);
    assert_eq!(normalize.status, 0, "{}", normalize.stderr);
    assert!(normalize.stdout.contains("shop.qcow2.../x"), "{}", normalize.stdout);
}

#[test]
fn files_that_exist_are_reused_when_asked() {
    let backup = b"<domainbackup><disks><disk name='vda' type='file'><driver type='raw'/><target file='/t'/></disk>\
                   <disk name='vdb' type='file'><driver type='raw'/><target file='//t'/></disk></disks></domainbackup>";
    let check = |options: &[&str]| {
        let mut arguments = vec!["check", "--format", "concise", "--domain", "examples/domain.xml"];
        arguments.extend(options);
        run_with(&arguments, backup)
    };
    assert!(check(&[]).stdout.contains("[qemu/duplicate-destination]"));
    let reused = check(&["--reuse-external"]);
    assert_eq!(reused.status, 0, "{}", reused.stdout);
    assert!(reused.stdout.contains("[advice/unguarded-destination]"), "{}", reused.stdout);
}
