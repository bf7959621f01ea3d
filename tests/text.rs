//! Formatting: `name.xml` becomes `name-expected.xml`, which libvirt 12.8.0 printed, byte for byte.
//!
//! `name-domain.xml` is the domain it is aligned with, with the suffix `monday`; `name.status.xml` is a state file.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use backupxml::{Options, domain, normalize, parse};

const MIN_FIXTURES: usize = 36;

struct Fixture {
    name: String,
    given: String,
    domain: Option<String>,
    expected: String,
    options: Options,
}

fn fixtures() -> Vec<Fixture> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_given = |path: &&PathBuf| {
        let name = path.to_string_lossy();
        !name.ends_with("-expected.xml") && !name.ends_with("-domain.xml")
    };
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let (stem, rest) = name.split_once('.').unwrap();
        let options = Options { suffix: "monday".to_owned(), status: rest == "status.xml", ..Options::default() };
        Fixture {
            name: stem.to_owned(),
            given: fs::read_to_string(path).unwrap(),
            domain: fs::read_to_string(directory.join(format!("{stem}-domain.xml"))).ok(),
            expected: fs::read_to_string(directory.join(format!("{stem}-expected.xml"))).unwrap(),
            options,
        }
    };
    files.iter().filter(is_given).map(read).collect()
}

/// libvirt drops an empty or very long label, and its schema then refuses its own output.
const LABEL_DROPPED: &str = "<seclabel relabel='yes'/>";

impl Fixture {
    #[track_caller]
    fn normalize(&self, text: &str) -> String {
        let domain = self.domain.as_ref().map(|text| domain::read(text, self.options.release).0.expect("a domain"));
        normalize(text, domain.as_ref(), &self.options)
            .unwrap_or_else(|diagnostics| panic!("{}: {diagnostics:?}", self.name))
    }

    /// Whether two texts parse to equal models, without alignment.
    fn parsed_equal(&self, one: &str, other: &str) -> bool {
        let (one, other) = (parse(one, &self.options), parse(other, &self.options));
        one.expect("a good backup") == other.expect("a good backup")
    }
}

#[test]
fn the_text_is_libvirts() {
    let fixtures = fixtures();
    for fixture in &fixtures {
        assert_eq!(fixture.normalize(&fixture.given), fixture.expected, "{}", fixture.name);
    }
    assert!(fixtures.len() >= MIN_FIXTURES, "{}", fixtures.len());
}

#[test]
fn normalizing_twice_changes_nothing() {
    for fixture in fixtures().into_iter().filter(|fixture| !fixture.expected.contains(LABEL_DROPPED)) {
        assert_eq!(fixture.normalize(&fixture.expected), fixture.expected, "{}", fixture.name);
    }
}

#[test]
fn what_is_parsed_before_and_after_is_equal() {
    for fixture in fixtures().into_iter().filter(|fixture| !fixture.expected.contains(LABEL_DROPPED)) {
        let written = normalize(&fixture.given, None, &fixture.options).expect("a good backup");
        assert!(fixture.parsed_equal(&fixture.given, &written), "{}: {written}", fixture.name);
        assert!(
            !fixture
                .parsed_equal(&fixture.given, "<domainbackup mode='push'><incremental>no</incremental></domainbackup>")
        );
    }
}
