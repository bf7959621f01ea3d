//! `--vm`: answers that were recorded from virsh, and real files.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::process::{Run, command, directory};

/// Where the images were when the answers were recorded.
const RECORDED: &str = "/srv/shop";

/// A directory with the images of the domain `shop`, an empty directory for backups, and virsh's answers.
struct Lab {
    directory: PathBuf,
}

impl Lab {
    /// `state` is a folder of `tests/host/answers`.
    fn new(test: &str, state: &str) -> Self {
        let lab = Self { directory: directory(&format!("host-{test}"), &[]) };
        for folder in ["images", "backup", "answers"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        for image in ["root.qcow2", "base.qcow2", "data.qcow2"] {
            fs::write(lab.path("images").join(image), "").unwrap();
        }
        for answer in fs::read_dir(format!("tests/host/answers/{state}")).unwrap() {
            let answer = answer.unwrap();
            let recorded = fs::read_to_string(answer.path()).unwrap();
            // Whether QEMU's user may enter the directory depends on where the tests run.
            let placed = recorded.replace(RECORDED, lab.directory.to_str().unwrap()).replace("+64055", "+0");
            lab.answer(answer.file_name().to_str().unwrap(), &placed);
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn answer(&self, command: &str, text: &str) {
        fs::write(self.path("answers").join(command), text).unwrap();
    }

    /// How often virsh was called, and with what.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("answers/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn virsh(&self) -> String {
        format!("sh tests/host/virsh.sh {}", self.path("answers").display())
    }

    fn run(&self, arguments: &[&str], backup: &str) -> Run {
        let file = self.path("b.xml");
        fs::write(&file, backup.replace(RECORDED, self.directory.to_str().unwrap())).unwrap();
        let mut command = command(arguments);
        command.args(["--virsh", &self.virsh()]).arg(file);
        command.output().unwrap().into()
    }

    /// The rules of the errors that `check --vm` reports.
    fn errors(&self, arguments: &[&str], backup: &str) -> Vec<String> {
        let mut all = vec!["check", "--vm", "shop", "--format", "json"];
        all.extend(arguments);
        let run = self.run(&all, backup);
        let report: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
        let diagnostics = report["files"][0]["diagnostics"].as_array().unwrap().iter();
        let errors = diagnostics.filter(|diagnostic| diagnostic["severity"] == "error");
        let rules: Vec<_> = errors.map(|error| error["rule"].as_str().unwrap().to_owned()).collect();
        assert_eq!(run.status, i32::from(!rules.is_empty()), "{}", run.stderr);
        rules
    }
}

/// A push of both disks; `{}` is what is said of the backup's start.
fn push(incremental: &str, file: &str) -> String {
    format!(
        "<domainbackup>{incremental}<disks><disk name='vda' type='file'><target file='{RECORDED}/{file}'/></disk>\
         <disk name='vdb' type='file'><target file='{RECORDED}/backup/vdb'/></disk></disks></domainbackup>"
    )
}

fn plain() -> String {
    push("", "backup/vda")
}

fn since(checkpoint: &str) -> String {
    push(&format!("<incremental>{checkpoint}</incremental>"), "backup/vda")
}

#[test]
fn one_read_only_virsh_answers_for_a_backup() {
    let lab = Lab::new("one", "running");
    assert_eq!(lab.errors(&[], &since("tuesday")), [""; 0]);
    let calls = lab.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("-r -q "), "{calls:?}");
    for command in
        ["checkpoint-dumpxml --domain 'shop' --checkpointname 'tuesday'", "blockjob --domain 'shop' --path 'vdb'"]
    {
        assert!(calls[0].contains(command), "{calls:?}");
    }
}

#[test]
fn a_backup_without_disks_is_about_all_of_them() {
    let lab = Lab::new("all", "running");
    lab.answer("blockjob.vdb", "Block Pull: [ 12.50 %]\n");
    assert_eq!(lab.errors(&["--suffix", "s"], "<domainbackup/>"), ["host/running-job"]);
    assert_eq!(lab.calls().len(), 2, "{:?}", lab.calls());
}

#[test]
fn checkpoints_and_bitmaps_are_libvirts() {
    let lab = Lab::new("bitmaps", "running");
    assert_eq!(lab.errors(&[], &since("monday")), ["checkpoint/lost-bitmap"], "that of vdb is lost");
    assert_eq!(lab.errors(&[], &since("sunday")), ["checkpoint/no-such-checkpoint"]);
    lab.answer("checkpoint-list", "error: this function is not supported by the connection driver\n");
    assert_eq!(lab.errors(&[], &since("sunday")), [""; 0], "what is not known is no error");
}

#[test]
fn the_state_of_the_domain_is_libvirts() {
    assert_eq!(Lab::new("stopped", "stopped").errors(&[], &plain()), ["host/inactive-domain"]);
    assert_eq!(Lab::new("pulling", "pulling").errors(&[], &plain()), ["host/running-job"]);
}

#[test]
fn files_are_those_of_this_machine() {
    let lab = Lab::new("files", "running");
    assert_eq!(lab.errors(&[], &push("", "none/vda")), ["host/missing-directory"]);
    fs::write(lab.path("backup/vda"), "").unwrap();
    assert_eq!(lab.errors(&[], &plain()), ["host/destination-exists"]);
    assert_eq!(lab.errors(&["--no-host"], &plain()), [""; 0]);
    assert_eq!(lab.errors(&["--no-host", "--host"], &plain()), ["host/destination-exists"]);
    std::os::unix::fs::symlink("backup", lab.path("link")).unwrap();
    assert_eq!(lab.errors(&[], &push("", "link/vdb")), ["host/same-destination"]);
    assert_eq!(lab.errors(&["--reuse-external"], &push("", "backup/none")), ["host/missing-file", "host/missing-file"]);
}

/// The header of a qcow2 image, as `qemu-img create` writes it, of `size` bytes.
fn qcow2(size: u64) -> Vec<u8> {
    let mut header = b"QFI\xfb\0\0\0\x03".to_vec();
    header.resize(24, 0);
    header.extend(size.to_be_bytes());
    header.resize(100, 0);
    header.extend(104_u32.to_be_bytes());
    header.resize(65536, 0);
    header
}

#[test]
fn headers_of_reused_images_are_read() {
    let lab = Lab::new("headers", "running");
    let only = push("", "backup/vda")
        .replace("<disk name='vdb' type='file'>", "<disk name='vdb' backup='no'/><!--")
        .replace("/></disk></disks>", "/></disk>--></disks>");
    let errors = |content: &[u8]| {
        fs::write(lab.path("backup/vda"), content).unwrap();
        lab.errors(&["--reuse-external"], &only)
    };
    let good = qcow2(64 << 20);
    assert_eq!(errors(&good), [""; 0]);
    assert_eq!(errors(&qcow2(32 << 20)), ["host/image-size"]);
    assert_eq!(errors(&good[..50]), ["host/image-format"]);
    let changed = |position: usize, value: u8| {
        let mut image = good.clone();
        image[position] = value;
        image
    };
    assert_eq!(errors(&changed(79, 2)), ["host/image-format"], "corrupt");
    assert_eq!(errors(&changed(35, 2)), ["host/image-format"], "encrypted");
}

#[test]
fn bitmaps_in_images_are_found() {
    let lab = Lab::new("directory", "running");
    let checkpoint = lab.path("c.xml");
    let errors = |name: &str, image: &[u8]| {
        fs::write(&checkpoint, format!("<domaincheckpoint><name>{name}</name></domaincheckpoint>")).unwrap();
        fs::write(lab.path("images/data.qcow2"), image).unwrap();
        lab.errors(&["--checkpoint", checkpoint.to_str().unwrap()], &plain())
    };
    // An extension leads to a directory of one bitmap, called `old`.
    let mut image = qcow2(32 << 20);
    let directory = 4096_u64;
    let extension = [&0x2385_2875_u32.to_be_bytes()[..], &24_u32.to_be_bytes(), &1_u32.to_be_bytes(), &[0; 4]].concat();
    let extension = [&extension[..], &32_u64.to_be_bytes(), &directory.to_be_bytes()].concat();
    image[104..104 + extension.len()].copy_from_slice(&extension);
    image[4096 + 19] = 3;
    image[4096 + 24..4096 + 27].copy_from_slice(b"old");
    assert_eq!(errors("new", &image), [""; 0]);
    assert_eq!(errors("old", &image), ["host/leftover-bitmap"]);
    image[7] = 2;
    assert_eq!(errors("new", &image), ["host/old-qcow2"]);
}

#[test]
fn checkpoints_by_themselves_are_checked_on_the_host() {
    let checkpoint = |name: &str| {
        format!("<domaincheckpoint><name>{name}</name><disks><disk name='vdb'/></disks></domaincheckpoint>")
    };
    let running = Lab::new("checkpoint", "running");
    assert_eq!(running.errors(&[], &checkpoint("monday")), ["checkpoint/name-exists"]);
    assert_eq!(running.errors(&[], &checkpoint("new")), [""; 0]);
    let mut image = qcow2(32 << 20);
    image[7] = 2;
    fs::write(running.path("images/data.qcow2"), image).unwrap();
    assert_eq!(running.errors(&[], &checkpoint("new")), ["host/old-qcow2"]);
    let stopped = Lab::new("checkpoint-stopped", "stopped");
    assert_eq!(stopped.errors(&[], &checkpoint("new")), ["host/inactive-domain"]);
    assert_eq!(stopped.errors(&["--redefine"], &checkpoint("new")), ["parse/incomplete-redefinition"]);
}

#[test]
fn nothing_is_said_of_files_that_libvirt_sees_and_this_process_does_not() {
    let lab = Lab::new("view", "running");
    fs::write(lab.path("backup/vda"), "").unwrap();
    fs::remove_file(lab.path("images/data.qcow2")).unwrap();
    assert_eq!(lab.errors(&[], &plain()), [""; 0]);
    let run = lab.run(&["check", "--vm", "shop", "--allow", "advice"], &plain());
    let expected = "note: not checked: files: this process does not see those that libvirt sees\nno errors in 1 file\n";
    assert_eq!((run.stderr.as_str(), run.stdout.as_str()), ("", expected));
    let run = lab.run(&["check", "--vm", "shop", "--format", "json"], &plain());
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        json["files"][0]["not_checked"],
        serde_json::json!([{"message": "files: this process does not see those that libvirt sees", "help": null}])
    );
}

#[test]
fn another_hosts_files_are_not_looked_at() {
    let lab = Lab::new("remote", "running");
    lab.answer("uri", "qemu+ssh://host/system\n");
    fs::write(lab.path("backup/vda"), "").unwrap();
    assert_eq!(lab.errors(&[], &plain()), [""; 0]);
    assert_eq!(lab.errors(&["--connect", "qemu+ssh://host/system"], &since("monday")), ["checkpoint/lost-bitmap"]);
    assert!(lab.calls()[1].starts_with("-r -q -c qemu+ssh://host/system "), "{:?}", lab.calls());
}

#[test]
fn an_older_virsh_answers_what_it_can() {
    let lab = Lab::new("older", "running");
    lab.answer("unknown", "backup-dumpxml\ndomstats\n");
    assert_eq!(lab.errors(&[], &since("monday")), ["checkpoint/lost-bitmap"]);
    assert_eq!(lab.calls().len(), 3, "{:?}", lab.calls());
}

#[test]
fn the_release_is_the_daemons() {
    let lab = Lab::new("release", "running");
    lab.answer("version", "Running against daemon: 9.0.0\n");
    let run = lab.run(&["check", "--vm", "shop"], "<domainbackup><disks><disk name='vda'/></disks></domainbackup>");
    assert!(run.stdout.contains("[schema/plain-push-disk]"), "{}", run.stdout);
    lab.answer("version", "Running against daemon: 13.1.0\n");
    let run = lab.run(&["check", "--vm", "shop"], &plain());
    assert_eq!(run.stderr, "backupxml: libvirt 13.1.0 is treated as 12.8.0\n");
}

#[test]
fn what_cannot_be_asked_is_a_failure() {
    let lab = Lab::new("failure", "running");
    let failed = |arguments: &[&str]| {
        let run = lab.run(arguments, &plain());
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        run.stderr
    };
    assert_eq!(
        failed(&["check", "--vm", "shopp"]),
        "backupxml: qemu:///system has no domain shopp; did you mean shop?\n"
    );
    assert_eq!(failed(&["check", "--vm", "unlike"]), "backupxml: qemu:///system has no domain unlike\n");
    lab.answer("failure", "error: failed to connect to the hypervisor\nerror: Failed to connect socket\n");
    assert!(
        failed(&["plan", "--vm", "shop"])
            .ends_with(" said: failed to connect to the hypervisor: Failed to connect socket\n")
    );
    let mut missing = command(&["check", "--vm", "shop", "--virsh", "/no/virsh", "examples/backup.xml"]);
    let missing = Run::from(missing.output().unwrap());
    assert_eq!(missing.status, 2);
    assert!(missing.stderr.contains("cannot run /no/virsh: "), "{}", missing.stderr);
    for both in [["--domain", "examples/domain.xml"], ["--existing-checkpoint", "monday"]] {
        let run = Run::from(command(&[&["check", "--vm", "shop"][..], &both].concat()).output().unwrap());
        assert_eq!(run.status, 2, "{both:?}");
    }
}

#[test]
fn the_environment_names_a_virsh() {
    let lab = Lab::new("environment", "running");
    let mut command = command(&["normalize", "--vm", "shop", "--suffix", "s"]);
    let mut child = command
        .env("BACKUPXML_VIRSH", lab.virsh())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"<domainbackup/>").unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.status, 0);
    let path = |image: &str| lab.path("images").join(image).display().to_string();
    for image in ["root.qcow2.s", "data.qcow2.s"] {
        assert!(run.stdout.contains(&path(image)), "{}", run.stdout);
    }
}

#[test]
fn a_plan_shows_sizes_and_checkpoints() {
    let lab = Lab::new("plan", "running");
    let run = lab.run(&["plan", "--vm", "shop"], &plain());
    assert_eq!(run.status, 0, "{}", run.stderr);
    for line in ["64.0 MiB", "tuesday, monday", "newest checkpoint that covers every disk: tuesday", " to write to "] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    let json: Value =
        serde_json::from_str(&lab.run(&["plan", "--vm", "shop", "--format", "json"], &plain()).stdout).unwrap();
    let disk = |index: usize, key: &str| json["disks"][index][key].clone();
    assert_eq!(disk(0, "capacity"), 64 << 20);
    let allocation = disk(0, "allocation").as_u64().unwrap();
    assert!((10 << 20..12 << 20).contains(&allocation), "the chain holds 10 MiB of data: {allocation}");
    assert_eq!(disk(0, "estimate"), allocation + (320 << 10), "and the tables of a qcow2 image");
    assert!(disk(0, "free").as_u64().unwrap() > 0);
    assert_eq!(disk(0, "checkpoints"), serde_json::json!(["monday", "tuesday"]));
    assert_eq!(disk(1, "checkpoints"), serde_json::json!(["tuesday"]), "monday's bitmap of vdb is lost");
    assert_eq!(json["newest_checkpoint"], "tuesday");
    assert_eq!(json["file_systems"][0]["disks"], serde_json::json!(["vda", "vdb"]));
    assert_is_a_plan(&json);
    // A schema that accepted anything would prove nothing.
    for (pointer, wrong) in [("/mode", "pulled"), ("/disks/0/capacity", "64"), ("/file_systems/0/free", "1")] {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = Value::from(wrong);
        assert!(!plan_schema().is_valid(&json), "{pointer}");
    }
    let refused = lab.run(&["plan", "--vm", "shop", "--format", "json"], "<domainbackup mode='on'/>");
    let refused: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&refused["mode"], refused["diagnostics"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_is_a_plan(&refused);
    // Without libvirt, nothing is known of them.
    let plan = command(&["plan", "--domain", "examples/domain.xml", "--format", "json", "examples/backup.xml"]);
    let json: Value = serde_json::from_slice(&{ plan }.output().unwrap().stdout).unwrap();
    assert_eq!((&json["disks"][0]["estimate"], &json["disks"][0]["checkpoints"]), (&Value::Null, &Value::Null));
    assert_is_a_plan(&json);
}

fn plan_schema() -> jsonschema::Validator {
    let schema = |text| serde_json::from_str::<Value>(text).unwrap();
    let report = schema(include_str!("../../docs/report.schema.json"));
    let mut plan = schema(include_str!("../../docs/plan.schema.json"));
    // The schemas are files next to each other.
    for definition in ["diagnostic", "not_checked", "label", "fix", "edit", "offset", "ordinal"] {
        plan["$defs"][definition] = report["$defs"][definition].clone();
    }
    let text = plan.to_string().replace("report.schema.json#", "#");
    jsonschema::draft202012::new(&schema(&text)).unwrap()
}

fn assert_is_a_plan(json: &Value) {
    let errors: Vec<_> = plan_schema().iter_errors(json).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}
