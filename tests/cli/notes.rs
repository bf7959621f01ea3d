//! Labels in other documents are notes below a report.

use std::fmt::Write;

use crate::process::{directory, path, run};

/// The notes of a warning about so many excluded disks.
fn notes(excluded: usize) -> Vec<String> {
    let mut domain = "<domain id='1'><devices>\n".to_owned();
    for letter in ('a'..).take(excluded + 1) {
        writeln!(domain, "<disk><source file='/{letter}'/><target dev='vd{letter}'/></disk>").unwrap();
    }
    domain += "</devices></domain>";
    let backup = b"<domainbackup><disks><disk name='vda'/></disks></domainbackup>\n";
    let directory = directory(&format!("notes-{excluded}"), &[("b.xml", backup), ("d.xml", domain.as_bytes())]);
    let run = run(&["check", "--domain", &path(&directory, "d.xml"), &path(&directory, "b.xml")]);
    let notes = run.stdout.lines().filter_map(|line| line.split_once("note: ")).map(|(_, note)| note.to_owned());
    notes.collect()
}

#[test]
fn three_places_elsewhere_are_named_and_the_others_counted() {
    for (excluded, lines, last) in
        [(1, 1, "`vdb`"), (2, 2, "`vdc`"), (3, 3, "`vdd`"), (4, 4, "and 1 more"), (7, 4, "and 4 more")]
    {
        let notes = notes(excluded);
        assert_eq!(notes.len(), lines, "{notes:?}");
        assert!(notes.last().unwrap().contains(last), "{notes:?}");
    }
}
