//! `explain`: pages of rules, and the rules behind messages.

use serde_json::Value;

use super::process::{run, run_with};

#[test]
fn a_rule_is_explained_by_its_page() {
    for name in ["schema/missing-server", "missing-server"] {
        let page = run(&["explain", name]);
        assert_eq!((page.status, page.stderr.as_str()), (0, ""));
        assert_eq!(page.stdout, include_str!("../../docs/rules/schema/missing-server.md"));
    }
    let misspelt = run(&["explain", "missing-sever"]);
    assert_eq!((misspelt.status, misspelt.stdout.as_str()), (2, ""));
    assert!(misspelt.stderr.contains("did you mean `schema/missing-server`?"), "{}", misspelt.stderr);
    let json: Value = serde_json::from_str(&run(&["explain", "--format", "json", "missing-server"]).stdout).unwrap();
    assert_eq!(json["message"], Value::Null);
    assert_eq!(json["rules"][0]["rule"], "schema/missing-server");
    assert_eq!(json["rules"][0]["libvirt"], Value::Null);
}

#[test]
fn a_message_is_explained_by_the_rules_behind_it() {
    let message = "error: operation failed: domain moment nightly already exists\n";
    let expected = "This rule is behind the message:\n\ncheckpoint/name-exists: ";
    let piped = run_with(&["explain", "-"], message.as_bytes());
    assert_eq!((piped.status, piped.stderr.as_str()), (0, ""));
    assert!(piped.stdout.starts_with(expected), "{}", piped.stdout);
    // As one argument, or as several.
    assert_eq!(run(&["explain", message.trim()]).stdout, piped.stdout);
    let words: Vec<_> = message.split_whitespace().collect();
    assert_eq!(run(&[&["explain"], words.as_slice()].concat()).stdout, piped.stdout);

    let json: Value =
        serde_json::from_str(&run_with(&["explain", "--format", "json", "-"], message.as_bytes()).stdout).unwrap();
    assert_eq!((&json["message"], &json["names_nothing"]), (&Value::from(message), &Value::from(false)));
    let rule = &json["rules"][0];
    assert_eq!((&rule["rule"], &rule["severity"]), (&Value::from("checkpoint/name-exists"), &Value::from("error")));
    assert_eq!(rule["libvirt"], "operation failed: domain moment monday already exists");
    assert!(rule["score"].as_f64().unwrap() > 0.7, "{rule}");
}

#[test]
fn a_message_that_names_nothing_is_said_to() {
    let vague = run(&["explain", "Extra element disks in interleave"]);
    assert_eq!((vague.status, vague.stderr.as_str()), (0, ""));
    assert!(
        vague.stdout.contains("does not name the mistake") && vague.stdout.contains("backupxml check"),
        "{}",
        vague.stdout
    );
    let json = run(&["explain", "--format", "json", "Extra element disks in interleave"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["names_nothing"], &json["rules"]), (&Value::from(true), &Value::from(Vec::<Value>::new())));
    let other = run(&["explain", "error: failed to get domain 'vm'"]);
    assert_eq!((other.status, other.stdout.contains("no message that a rule is known for")), (2, true));
}

#[test]
fn messages_about_hosts_are_explained() {
    let report = include_str!("../host/messages.snap");
    let mut rule = None;
    let mut explained = 0;
    for line in report.lines().map(str::trim) {
        if let Some(error) = line.strip_prefix("error: ") {
            rule = error.strip_suffix(']').and_then(|error| error.rsplit_once('[')).map(|(_, rule)| rule);
        }
        let Some(message) = line.strip_prefix("libvirt: ").filter(|message| *message != "none") else { continue };
        let Some(rule) = rule.take().filter(|rule| rule.starts_with("host/")) else { continue };
        let json: Value = serde_json::from_str(&run(&["explain", "--format", "json", message]).stdout).unwrap();
        let found: Vec<_> = json["rules"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
        assert!(found.contains(&&Value::from(rule)), "{message}: {found:?}, not {rule}");
        explained += 1;
    }
    assert!(explained >= 57, "{explained}");
}
