//! Every rule has a document that breaks it, and only it. ⟦ and ⟧ mark where blame lies.
//!
//! `family/name.xml` breaks the rule `family/name`, as does `family/name.some-way.xml`; `name@X.Y.Z.xml` is for one
//! release, `name.status.xml` is a state file, and the rules of `align` are held against `name.domain.xml` or else
//! `domain.xml`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use backupxml::diagnostic::{Diagnostic, Document};
use backupxml::release::Release;
use backupxml::rules::RULES;
use backupxml::{Options, check, domain, normalize};

/// Bytes, not text, break the first two, a small file not the third, and comments the last: they are tested elsewhere.
const WITHOUT_FIXTURE: [&str; 5] =
    ["xml/undecodable", "xml/nul-byte", "xml/too-large", "advice/unused-suppression", "advice/lost-comment"];
const FEWEST_FIXTURES: usize = 95;

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let families = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = families.flat_map(|family| fs::read_dir(family).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files.filter(|path| !path.to_string_lossy().ends_with(".domain.xml")).collect();
    files.sort();
    files
}

/// The rule that a fixture is for, and the rest of its name.
fn rule_of(path: &Path) -> (String, String) {
    let family = path.parent().unwrap().file_name().unwrap().to_string_lossy();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let end = name.find(['.', '@']).unwrap_or(name.len());
    (format!("{family}/{}", &name[..end]), name[end..].to_owned())
}

/// A document without its marks, and where they were.
fn unmarked(text: &str) -> (String, Option<Range<usize>>) {
    let Some((before, rest)) = text.split_once('⟦') else { return (text.to_owned(), None) };
    let (marked, after) = rest.split_once('⟧').expect("a ⟧ for each ⟦");
    (format!("{before}{marked}{after}"), Some(before.len()..before.len() + marked.len()))
}

struct Fixture {
    path: PathBuf,
    text: String,
    found: Vec<Diagnostic>,
    expected: (Document, Range<usize>),
    options: Options,
}

fn examine(path: PathBuf) -> Fixture {
    let (rule, variant) = rule_of(&path);
    let (text, marked) = unmarked(&fs::read_to_string(&path).unwrap());
    let release = variant
        .strip_prefix('@')
        .map_or(Release::default(), |release| Release::at_or_before(release).expect("a release that is known"));
    let options = Options { release, suffix: "s".to_owned(), status: variant == ".status", explicit: false };
    let mut found = Vec::new();
    let mut expected = marked.clone().map(|marked| (Document::Backup, marked));
    let mut aligned_with = None;
    if rule.starts_with("align/") {
        let own = path.with_extension("domain.xml");
        let shared = path.parent().unwrap().parent().unwrap().join("domain.xml");
        let domain = fs::read_to_string(if own.exists() { own } else { shared }).unwrap();
        let (domain, marked) = unmarked(&domain);
        expected = expected.or(marked.map(|marked| (Document::Domain, marked)));
        let (domain, findings) = domain::read(&domain);
        found.extend(findings);
        aligned_with = domain.filter(|_| found.is_empty());
    }
    found.extend(check(&text, aligned_with.as_ref(), &options));
    Fixture {
        expected: expected.unwrap_or_else(|| panic!("{} has no mark", path.display())),
        path,
        text,
        found,
        options,
    }
}

#[test]
fn each_fixture_breaks_its_rule_there_and_no_other() {
    let mut wrong = Vec::new();
    for fixture in fixtures().into_iter().map(examine) {
        let (rule, _) = rule_of(&fixture.path);
        let found: Vec<_> = fixture
            .found
            .iter()
            .map(|finding| (finding.rule.name(), (finding.primary.document, finding.primary.span.range())))
            .collect();
        if found != [(rule.as_str(), fixture.expected.clone())] {
            wrong.push(format!("{}: {found:?} and not {:?}", fixture.path.display(), fixture.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_finding_helps() {
    for fixture in fixtures().into_iter().map(examine) {
        for finding in &fixture.found {
            let place = fixture.path.display();
            assert!(finding.help.as_ref().is_some_and(|help| !help.is_empty()), "{place}: no help");
            assert!(
                finding.libvirt.is_some() || finding.rule.name() == "align/invalid-domain-disk",
                "{place}: no words of libvirt"
            );
            assert!(!finding.message.ends_with('.'), "{place}: {}", finding.message);
        }
    }
}

#[test]
fn each_fix_mends_the_document() {
    let mut fixes = 0;
    for fixture in fixtures().into_iter().map(examine) {
        for finding in &fixture.found {
            for fix in &finding.fixes {
                let mut mended = fixture.text.clone();
                let mut edits = fix.edits.clone();
                edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
                for edit in edits {
                    mended.replace_range(edit.span.range(), &edit.text);
                }
                let place = format!("{}: {}\n{mended}", fixture.path.display(), fix.message);
                let after = check(&mended, None, &fixture.options);
                assert!(after.iter().all(|after| after.rule != finding.rule), "{place}\n{after:?}");
                if fix.safe {
                    assert!(after.is_empty(), "{place}\n{after:?}");
                }
                fixes += 1;
            }
        }
    }
    assert!(fixes > 60, "{fixes}");
}

#[test]
fn every_rule_has_a_fixture() {
    let files = fixtures();
    let with: BTreeSet<_> = files.iter().map(|path| rule_of(path).0).collect();
    let without: Vec<_> = RULES
        .iter()
        .map(|rule| rule.name())
        .filter(|name| !with.contains(*name) && !WITHOUT_FIXTURE.contains(name))
        .collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(files.len() >= FEWEST_FIXTURES, "{}", files.len());
}

#[test]
fn rules_have_names_of_one_shape_and_a_title() {
    let mut names = BTreeSet::new();
    for rule in RULES {
        let entry = rule.entry();
        assert!(names.insert(entry.name), "{} twice", entry.name);
        let (family, name) = entry.name.split_once('/').expect("family/name");
        assert!(["xml", "schema", "parse", "align", "advice"].contains(&family), "{}", entry.name);
        assert!(
            name.chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
        );
        assert!(entry.title.ends_with('.'), "{}", entry.name);
    }
}

#[test]
fn a_rule_holds_for_the_releases_it_names() {
    for path in fixtures().into_iter().filter(|path| path.to_string_lossy().contains('@')) {
        let fixture = examine(path);
        let (_, last) = fixture.found[0].rule.entry().releases;
        assert_eq!(last, Some(fixture.options.release), "{}", fixture.path.display());
        let newest = Options { release: Release::default(), ..fixture.options };
        assert!(normalize(&fixture.text, None, &newest).is_ok(), "{}", fixture.path.display());
    }
}

/// The page of a rule, its headings checked, with the XML under a heading.
fn example(page: &str, heading: &str) -> Option<String> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n"))?;
    let section = section.split("\n## ").next()?;
    let (_, xml) = section.split_once("```xml\n")?;
    Some(xml.split("```").next()?.to_owned())
}

#[test]
fn every_rule_has_a_page_whose_examples_are_what_they_say() {
    let mut tried = 0;
    let shared = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules/domain.xml")).unwrap();
    let (domain, _) = domain::read(&shared);
    for rule in RULES {
        let (entry, page) = (rule.entry(), rule.entry().page);
        assert!(
            page.starts_with(&format!("# {}\n\n{}\n", entry.name, entry.title)) || entry.title.contains('<'),
            "{}",
            entry.name
        );
        let headings: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, ["What it means", "Why libvirt refuses it", "Wrong", "Right", "Since"], "{}", entry.name);
        let release = entry.releases.1.unwrap_or_default();
        let options =
            Options { release, suffix: "s".to_owned(), status: entry.name.contains("-status"), explicit: false };
        let aligned = domain.as_ref().filter(|_| rule.family() == "align");
        if let Some(right) = example(page, "Right") {
            assert_eq!(check(&right, aligned, &options), [], "{}", entry.name);
            tried += 1;
        }
        let Some(wrong) = example(page, "Wrong") else { continue };
        if rule.family() == "advice" {
            // Not of the document itself; the module that finds it has its own tests.
            continue;
        }
        let found = if wrong.starts_with("<domain ") && rule.family() == "align" || wrong.starts_with("<domainsnapshot")
        {
            let (domain, mut found) = domain::read(&wrong);
            if let Some(domain) = domain.filter(|_| found.is_empty()) {
                found = check("<domainbackup/>", Some(&domain), &options);
            }
            found
        } else {
            check(&wrong, aligned, &options)
        };
        assert!(found.iter().all(|finding| finding.rule == *rule) && !found.is_empty(), "{}: {found:?}", entry.name);
        let words = found[0].libvirt.as_deref().and_then(|words| words.lines().next()).unwrap_or_default();
        assert!(page.contains(words) || *rule == backupxml::rules::Rule::DocumentType, "{}: {words}", entry.name);
    }
    assert!(tried >= 55, "{tried}");
}
