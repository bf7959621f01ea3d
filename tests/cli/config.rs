//! `backupxml.toml`, found from each document upwards.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::process::{Run, command, directory, run_with};

const PULL: &str = "<domainbackup mode='pull'><server name='10.0.0.1' port='1'/></domainbackup>";
/// libvirt 9.0.0 refuses it.
const PLAIN: &str = "<domainbackup><disks><disk name='vda'/></disks></domainbackup>";

fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    Run::from(command(arguments).current_dir(folder).output().unwrap())
}

/// `a.xml` and `below/deep/b.xml`, with these configuration files.
fn tree(name: &str, configs: &[(&str, &str)]) -> PathBuf {
    let folder = directory(name, &[("a.xml", PULL.as_bytes())]);
    fs::create_dir_all(folder.join("below/deep")).unwrap();
    fs::write(folder.join("below/deep/b.xml"), PLAIN).unwrap();
    for (path, text) in configs {
        fs::write(folder.join(path), text).unwrap();
    }
    folder
}

#[test]
fn the_closest_file_above_a_document_holds_for_it() {
    let folder = tree(
        "config-closest",
        &[("backupxml.toml", "allow = ['advice']\n"), ("below/backupxml.toml", "libvirt-version = '9.0.0'\n")],
    );
    let check = run_in(&folder, &["check", "--format", "json", "a.xml", "below/deep/b.xml"]);
    let report: Value = serde_json::from_str(&check.stdout).unwrap();
    let files = report["files"].as_array().unwrap();
    let rules = |file: &Value| {
        file["diagnostics"].as_array().unwrap().iter().map(|found| found["rule"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((files[0]["path"].as_str(), rules(&files[0])), (Some("a.xml"), vec![]));
    assert_eq!(
        (files[1]["path"].as_str(), rules(&files[1])),
        (Some("below/deep/b.xml"), vec!["schema/plain-push-disk".into()])
    );
    assert_eq!(check.status, 1);

    // The command line wins; without a file nothing is allowed.
    let newer = run_in(&folder, &["check", "--libvirt-version", "12.8.0", "a.xml", "below/deep/b.xml"]);
    assert_eq!((newer.status, newer.stdout.as_str()), (0, "no errors in 2 files\n"));
    let denied = run_in(&folder, &["check", "--deny", "advice", "--format", "concise", "a.xml"]);
    assert!(denied.stdout.contains("error: ") && denied.stdout.contains("[advice/plain-server]"), "{}", denied.stdout);
    let without = run_in(&folder, &["check", "--no-config", "a.xml", "below/deep/b.xml"]);
    assert!(without.status == 0 && without.stdout.contains("[advice/plain-server]"), "{}", without.stdout);
    let chosen = run_in(
        &folder,
        &["check", "--config", "below/backupxml.toml", "--format", "concise", "below/deep/b.xml", "a.xml"],
    );
    assert_eq!(chosen.stdout.lines().count(), 2, "{}", chosen.stdout);

    // As does the verdict of normalize.
    let normalize = run_in(&folder, &["normalize", "a.xml", "below/deep/b.xml"]);
    assert_eq!((normalize.status, normalize.stdout.matches("<domainbackup").count()), (1, 1), "{}", normalize.stderr);
}

#[test]
fn the_domain_is_relative_to_the_configuration_file() {
    let folder = tree("config-domain", &[("below/backupxml.toml", "domain = 'vm.xml'\nallow = ['advice']\n")]);
    fs::write(folder.join("below/vm.xml"), fs::read("examples/domain.xml").unwrap()).unwrap();
    fs::write(folder.join("below/deep/b.xml"), PLAIN.replace("vda", "vdz")).unwrap();
    let check = run_in(&folder, &["check", "--format", "concise", "below/deep/b.xml"]);
    assert!(check.stdout.contains("[align/no-such-disk]"), "{}", check.stdout);
    let gone = tree("config-no-domain", &[("backupxml.toml", "domain = 'gone.xml'\n")]);
    let check = run_in(&gone, &["check", "a.xml"]);
    assert_eq!(check.status, 2);
    assert!(check.stderr.contains("gone.xml"), "{}", check.stderr);
    let domain = std::env::current_dir().unwrap().join("examples/domain.xml");
    assert_eq!(
        run_in(&gone, &["check", "--domain", domain.to_str().unwrap(), "a.xml"]).status,
        1,
        "the command line wins"
    );
}

#[test]
fn standard_input_lies_where_its_name_says() {
    let folder = tree("config-stdin", &[("below/backupxml.toml", "allow = ['advice']\n")]);
    let name = folder.join("below/deep/x.xml");
    let named = run_with(&["check", "--quiet", "--stdin-filename", name.to_str().unwrap()], PULL.as_bytes());
    assert_eq!((named.status, named.stdout.as_str()), (0, ""));
    let config = folder.join("below/backupxml.toml");
    let chosen = run_with(&["check", "--quiet", "--config", config.to_str().unwrap()], PULL.as_bytes());
    assert_eq!((chosen.status, chosen.stdout.as_str()), (0, ""));
}

#[test]
fn mistakes_in_it_are_bad_arguments() {
    let folder = tree("config-mistake", &[("backupxml.toml", "# for CI\nalow = ['advice']\n")]);
    let check = run_in(&folder, &["check", "a.xml"]);
    assert_eq!((check.status, check.stdout.as_str()), (2, ""));
    let place = format!("{}:2:1: unknown key `alow`: did you mean `allow`?", folder.join("backupxml.toml").display());
    assert!(check.stderr.contains(&place), "{}", check.stderr);
    assert_eq!(run_in(&folder, &["check", "--no-config", "a.xml"]).status, 0);
    assert_eq!(run_in(&folder, &["check", "--config", "none.toml", "a.xml"]).status, 2);
    assert_eq!(run_in(&folder, &["check", "--config", "backupxml.toml", "--no-config", "a.xml"]).status, 2);
}

#[test]
fn a_report_can_go_to_a_file_and_to_people_at_once() {
    let folder = tree("output-file", &[]);
    let options = ["check", "--format", "sarif", "--output-file", "report.sarif", "a.xml", "below/deep/b.xml"];
    let check = run_in(&folder, &options);
    assert_eq!((check.status, check.stderr.as_str()), (0, ""));
    assert!(check.stdout.ends_with("no errors and 1 warning in 1 of 2 files\n"), "{}", check.stdout);
    let alone = run_in(&folder, &["check", "--format", "sarif", "a.xml", "below/deep/b.xml"]);
    assert_eq!(fs::read_to_string(folder.join("report.sarif")).unwrap(), alone.stdout);
    let sarif: Value = serde_json::from_str(&alone.stdout).unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["advice/plain-server"], "only what was found");
    assert_eq!(run_in(&folder, &["check", "--output-file", "no/such/folder", "a.xml"]).status, 2);
    assert_eq!(run_in(&folder, &["check", "--fix", "--output-file", "x", "a.xml"]).status, 2);
}
