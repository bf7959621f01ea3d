//! The machine-readable formats, validated against their schemas.

use serde_json::Value;

use super::process::{Run, command, directory, run};

/// A report with every kind of value: fixes, labels in other documents, an unreadable file, a skipped one.
fn report(format: &str) -> String {
    let files: [(&str, &[u8]); 5] = [
        ("bad.xml", b"<domainbackup mode='pull'>\n  <disks><disk name='vda' tpye='file'/><disk name='vda'/></disks>\n</domainbackup>\n"),
        ("syntax é.xml", b"<domainbackup mode='pull><disks>\x1b[31m</domainbackup>"),
        ("good.xml", b"<domainbackup><disks><disk name='vda'/></disks></domainbackup>"),
        ("latin.xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><domainbackup><disks><disk name='\xe9' nmae='x'/></disks></domainbackup>"),
        ("other.xml", b"<network/>"),
    ];
    let directory = directory(&format!("report-{format}"), &files);
    std::fs::copy("examples/domain.xml", directory.join("domain.xml")).unwrap();
    let mut arguments = vec!["check", "--format", format, "--skip-unrelated", "--domain", "domain.xml"];
    arguments.extend(files.iter().map(|(name, _)| *name));
    arguments.push("no-such-file.xml");
    let run = Run::from(command(&arguments).current_dir(&directory).output().unwrap());
    assert_eq!(run.status, 2);
    assert!(!run.stdout.contains('\u{1b}'), "control characters stay away from terminals");
    run.stdout
}

#[test]
fn json_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report: Value = serde_json::from_str(&report("json")).unwrap();
    let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let statuses: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| &file["status"]).collect();
    assert_eq!(statuses, ["failed", "failed", "ok", "failed", "skipped", "unreadable"]);
    assert!(report.to_string().contains("\"safe\":true"), "there are fixes to be held against the schema");

    // A schema that accepted anything would prove nothing.
    for (pointer, wrong) in [("/files/0/status", "fine"), ("/files/0/diagnostics/0/severity", "fatal")] {
        let mut report = report.clone();
        *report.pointer_mut(pointer).unwrap() = Value::from(wrong);
        assert!(!validator.is_valid(&report), "{pointer}");
    }
    let mut report = report;
    report["files"][0]["diagnostics"][0].as_object_mut().unwrap().remove("labels");
    assert!(!validator.is_valid(&report));
}

#[test]
fn sarif_is_what_the_standard_asks_for() {
    let text = report("sarif");
    let log: serde_sarif::sarif::Sarif = serde_json::from_str(&text).unwrap();
    assert_eq!(log.version, serde_json::json!("2.1.0"));
    let log: Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 5, "{}", results.len());
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.is_ascii() && !uri.contains(' ') && !uri.starts_with('/'), "{uri}");
    }
    assert!(results.iter().any(|result| result["fixes"][0]["artifactChanges"].is_array()));
    assert!(results.iter().any(|result| result["relatedLocations"].is_array()));
}

#[test]
fn github_annotations_are_escaped() {
    let text = report("github");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() >= 5, "{text}");
    for line in lines {
        let (properties, message) =
            line.strip_prefix("::error ").or(line.strip_prefix("::warning ")).unwrap().split_once("::").unwrap();
        assert!(properties.starts_with("file=") && properties.contains(",line="), "{line}");
        assert!(!message.contains(['\r', '\n']), "{line}");
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let listed = run(&["rules"]);
    let json: Value = serde_json::from_str(&run(&["rules", "--format", "json"]).stdout).unwrap();
    let json = json.as_array().unwrap();
    assert_eq!(listed.stdout.lines().count(), json.len());
    for (line, rule) in listed.stdout.lines().zip(json) {
        let name = rule["rule"].as_str().unwrap();
        assert!(line.starts_with(name), "{line}");
    }
    let explained = run(&["explain", "missing-server"]);
    assert_eq!(explained.status, 0);
    assert!(explained.stdout.contains("## Example") && explained.stdout.contains("## Since"), "{}", explained.stdout);
    let unknown = run(&["explain", "missing-sever"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("schema/missing-server"), "{}", unknown.stderr);
}
