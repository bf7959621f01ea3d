//! `--allow`, `--warn`, `--deny`, and suppression comments.

use super::process::{run, run_with};

const BAD: &str = "<domainbackup mode='bad'>\n  <disks><disk name='vda' bogus=''/></disks>\n</domainbackup>\n";

fn rules(options: &[&str], text: &str) -> (i32, Vec<String>) {
    let mut arguments = vec!["check", "--format", "concise", "--quiet"];
    arguments.extend(options);
    let run = run_with(&arguments, text.as_bytes());
    let short = |line: &str| {
        let severity = line.split(": ").nth(1).unwrap();
        format!("{severity} {}", line.rsplit('[').next().unwrap().trim_end_matches(']'))
    };
    (run.status, run.stdout.lines().map(short).collect())
}

#[test]
fn the_last_option_that_matches_wins() {
    let (value, attribute) = ("error schema/unknown-value", "error schema/unknown-attribute");
    let found = |options: &[&str]| rules(options, BAD);
    let all = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found(&[]), (1, all(&[value, attribute])));
    assert_eq!(found(&["--allow", "schema/unknown-value"]), (1, all(&[attribute])));
    assert_eq!(found(&["--allow", "schema"]), (0, vec![]));
    assert_eq!(found(&["--allow", "all", "--deny", "schema/unknown-value"]), (1, all(&[value])));
    assert_eq!(found(&["--deny", "schema/unknown-value", "--allow", "all"]), (0, vec![]));
    let warned = all(&["warning schema/unknown-value", "warning schema/unknown-attribute"]);
    assert_eq!(found(&["--warn", "schema"]), (0, warned));
}

#[test]
fn a_selector_of_nothing_is_a_bad_argument() {
    let run = run(&["check", "--allow", "schema/no-such-rule", "examples/backup.xml"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("schema/no-such-rule"), "{}", run.stderr);
}

#[test]
fn normalize_prints_what_is_allowed_only_if_libvirt_would() {
    let run = run_with(&["normalize", "--allow", "all"], BAD.as_bytes());
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("schema/unknown-value"), "{}", run.stderr);
}

#[test]
fn comments_suppress_the_line_below_or_the_file() {
    let line = "<domainbackup>\n  <!-- backupxml: allow(schema/unknown-attribute) ours -->\n  <disks><disk name='vda' bogus=''/></disks>\n</domainbackup>\n";
    assert_eq!(rules(&[], line), (0, vec![]));
    let file = "<!-- backupxml: allow(schema) all of it -->\n".to_owned() + BAD;
    assert_eq!(rules(&[], &file), (0, vec![]));
    let hint_for_foreign_attribute = line.replace("unknown-attribute", "schema/unknown-value");
    let expected = vec!["warning advice/unused-suppression".to_owned(), "error schema/unknown-attribute".to_owned()];
    assert_eq!(rules(&[], &hint_for_foreign_attribute), (1, expected));
}

#[test]
fn a_selector_that_selects_nothing_is_refused_with_a_hint() {
    for (written, hint) in [
        ("schema/misssing-server", "did you mean `schema/missing-server`?"),
        ("everything", "run `backupxml rules` for a list"),
    ] {
        let run = run(&["check", "--allow", written, "x.xml"]);
        assert!(run.status == 2 && run.stderr.contains(hint), "{}", run.stderr);
    }
}
