//! Checkpoints as files of their own.

use super::process::{directory, path, run, run_with};

const PLAIN: &[u8] = b"<domaincheckpoint><disks><disk name='vda'/></disks><name>monday</name></domaincheckpoint>";

#[test]
fn a_checkpoint_is_checked_alone_and_with_a_domain() {
    assert_eq!(run_with(&["check"], PLAIN).status, 0);
    assert_eq!(run(&["check", "--domain", "examples/domain.xml", "examples/checkpoint.xml"]).status, 0);
    let unknown = b"<domaincheckpoint><disks><disk name='vdz'/></disks></domaincheckpoint>";
    assert_eq!(run_with(&["check"], unknown).status, 0);
    let found = run_with(&["check", "--format", "concise", "--domain", "examples/domain.xml"], unknown);
    assert_eq!(found.status, 1);
    assert!(found.stdout.contains("[checkpoint/no-such-disk]"), "{}", found.stdout);
}

#[test]
fn a_checkpoint_is_normalized() {
    let plain = "<domaincheckpoint>\n  <name>monday</name>\n  <disks>\n    <disk name='vda' checkpoint='bitmap'/>\n  \
                 </disks>\n</domaincheckpoint>\n";
    assert_eq!(run_with(&["normalize"], PLAIN).stdout, plain);
    let explicit = plain.replace("'bitmap'/>", "'bitmap' bitmap='monday'/>");
    assert_eq!(run_with(&["normalize", "--explicit"], PLAIN).stdout, explicit);
    let nameless = b"<domaincheckpoint/>";
    assert_eq!(run_with(&["normalize"], nameless).stdout, "<domaincheckpoint>\n</domaincheckpoint>\n");
    let aligned = run_with(&["normalize", "--domain", "examples/domain.xml", "--suffix", "tuesday"], nameless);
    assert!(aligned.stdout.contains("<name>tuesday</name>"), "{}", aligned.stdout);
    assert!(aligned.stdout.contains("<disk name='vda' checkpoint='bitmap' bitmap='tuesday'/>"), "{}", aligned.stdout);
    assert!(aligned.stdout.contains("<disk name='sdb' checkpoint='no'/>"), "{}", aligned.stdout);
}

#[test]
fn a_dump_is_redefined_as_it_is() {
    let dump = "<domaincheckpoint>\n  <name>b</name>\n  <description>second</description>\n  <parent>\n    \
                <name>a</name>\n  </parent>\n  <creationTime>1700000000</creationTime>\n  <disks>\n    <disk name='vda' \
                checkpoint='bitmap' bitmap='b'/>\n  </disks>\n  <domain type='kvm'>\n    <name>shop</name>\n    <memory \
                unit='KiB'>1048576</memory>\n  </domain>\n</domaincheckpoint>\n";
    assert_eq!(run_with(&["normalize", "--redefine"], dump.as_bytes()).stdout, dump);
    assert_eq!(run_with(&["normalize", "--redefine", "--check"], dump.as_bytes()).status, 0);
    let created = run_with(&["normalize"], dump.as_bytes()).stdout;
    assert!(
        !created.contains("creationTime") && !created.contains("<domain ") && !created.contains("parent"),
        "{created}"
    );
    let warned = run_with(&["check", "--format", "concise"], dump.as_bytes());
    assert!(warned.status == 0 && warned.stdout.contains("[advice/dropped-setting]"), "{}", warned.stdout);
}

#[test]
fn checkpoints_are_not_unrelated() {
    let misspelt = "<domaincheckpoint><nmae>monday</nmae></domaincheckpoint>";
    let files = [("checkpoint.xml", misspelt.as_bytes()), ("network.xml", b"<network/>")];
    let directory = directory("checkpoint", &files);
    let (checkpoint, network) = (path(&directory, "checkpoint.xml"), path(&directory, "network.xml"));
    let run = run(&["check", "--skip-unrelated", "--fix", &checkpoint, &network]);
    assert_eq!(run.status, 0, "{}", run.stdout);
    let fixed = std::fs::read_to_string(&checkpoint).unwrap();
    assert_eq!(fixed, "<domaincheckpoint><name>monday</name></domaincheckpoint>");
}
