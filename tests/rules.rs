//! Every rule has a document that violates it and no other. ⟦ and ⟧ mark the place that is reported.
//!
//! `family/name.xml` violates the rule `family/name`, and so does `family/name.some-way.xml`; `name@X.Y.Z.xml` is for
//! one release, `name.status.xml` is a state file. Rules that need a domain use `name.domain.xml`, or else
//! `domain.xml`, and `name.checkpoint.xml` if it exists; `name.options` holds command line options.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod fixtures;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use backupxml::checkpoint::{self, Existing, read_existing};
use backupxml::diagnostic::{Applicability, Diagnostic, Document};
use backupxml::release::Release;
use backupxml::rules::{RULES, Rule};
use backupxml::{Options, check, domain, normalize};
use fixtures::{WITH_DOMAIN, fixtures, rule_of, shared_domain, unmarked};

/// The first two need bytes that are not text, the third a large file, and the last two comments: they are tested
/// elsewhere.
const WITHOUT_FIXTURE: [&str; 5] =
    ["xml/undecodable", "xml/nul-byte", "xml/too-large", "advice/unused-suppression", "advice/lost-comment"];
/// Rules of this family need facts about a host: `tests/host.rs` makes some.
const OF_HOSTS: &str = "host";
const MIN_FIXTURES: usize = 140;

/// The sections of a rule's page.
const HEADINGS: [&str; 6] =
    ["What it does", "Why is this a problem", "What libvirt says", "Example", "Use instead", "Since"];

/// Words in upper case that titles may contain.
const ACRONYMS: [&str; 4] = ["NBD", "NUL", "QEMU", "XML"];

/// Comments are evaluated by the program; those modules have their own tests.
const OF_COMMENTS: [Rule; 2] = [Rule::UnusedSuppression, Rule::DroppedComment];

/// What libvirt prints depends on more than the mistake, or libvirt accepts it.
const WITHOUT_QUOTE: [&str; 6] = [
    "align/invalid-domain-disk",
    "xml/document-type",
    "xml/undeclared-prefix",
    "xml/copied-text",
    "xml/unexpanded-placeholder",
    "xml/ambiguous-character",
];

/// A backup with its domain and checkpoint.
struct Case {
    backup: String,
    domain: Option<String>,
    checkpoint: Option<String>,
    options: Options,
}

impl Case {
    /// Parses options as on the command line.
    fn set(&mut self, written: &str) {
        let mut words = written.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "--reuse-external" => self.options.reuse_external = true,
                "--redefine" => self.options.redefine = true,
                "--existing-checkpoint" => {
                    let name = words.next().expect("a name").to_owned();
                    self.options.existing = Some([Existing::named(name)].into());
                }
                other => panic!("{other}"),
            }
        }
    }

    fn diagnostics(&mut self) -> Vec<Diagnostic> {
        let (domain, mut found) =
            self.domain.as_deref().map(|text| domain::read(text, self.options.release)).unwrap_or_default();
        let domain = domain.filter(|_| found.is_empty());
        if let Some(text) = &self.checkpoint {
            let (checkpoint, more) = checkpoint::read(text, self.options.release);
            found.extend(more);
            self.options.checkpoint = checkpoint.map(Arc::new);
        }
        found.extend(check(&self.backup, domain.as_ref(), &self.options));
        found
    }
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
    let options = Options { release, suffix: "s".to_owned(), status: variant == ".status", ..Options::default() };
    let mut case = Case { backup: text.clone(), domain: None, checkpoint: None, options };
    let mut expected = marked.map(|marked| (Document::Backup, marked));
    let mut excluded_by = |extension: &str, document: Document| {
        let text = fs::read_to_string(path.with_extension(extension)).ok()?;
        let (text, marked) = unmarked(&text);
        expected = expected.take().or(marked.map(|marked| (document, marked)));
        Some(text)
    };
    case.checkpoint = excluded_by("checkpoint.xml", Document::Checkpoint);
    case.domain = excluded_by("domain.xml", Document::Domain);
    if case.domain.is_none() && WITH_DOMAIN.iter().any(|family| rule.starts_with(family)) {
        case.domain = Some(shared_domain());
    }
    if let Ok(dump) = fs::read_to_string(path.with_extension("existing.xml")) {
        case.options.existing = Some(read_existing(&dump).expect("a dump").into());
    }
    if let Ok(options) = fs::read_to_string(path.with_extension("options")) {
        case.set(&options);
    }
    let mut found = case.diagnostics();
    if !rule.starts_with("advice/") {
        // Warnings may be reported in addition to the expected ones.
        found.retain(|diagnostic| diagnostic.rule.family() != "advice");
    }
    let options = case.options;
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
            .map(|diagnostic| (diagnostic.rule.name(), (diagnostic.primary.document, diagnostic.primary.span.range())))
            .collect();
        if found != [(rule.as_str(), fixture.expected.clone())] {
            wrong.push(format!("{}: {found:?} and not {:?}", fixture.path.display(), fixture.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_diagnostic_has_help() {
    for fixture in fixtures().into_iter().map(examine) {
        for diagnostic in &fixture.found {
            let place = fixture.path.display();
            assert!(diagnostic.help.as_ref().is_some_and(|help| !help.is_empty()), "{place}: no help");
            assert!(
                diagnostic.libvirt.is_some()
                    || diagnostic.rule.family() == "advice"
                    || WITHOUT_QUOTE.contains(&diagnostic.rule.name()),
                "{place}: no words of libvirt"
            );
            assert!(!diagnostic.message.ends_with('.'), "{place}: {}", diagnostic.message);
        }
    }
}

#[test]
fn each_fix_resolves_its_diagnostic() {
    let mut fixes = 0;
    for fixture in fixtures().into_iter().map(examine) {
        for diagnostic in &fixture.found {
            for fix in &diagnostic.fixes {
                let mut text = fixture.text.clone();
                let mut edits = fix.edits.clone();
                edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
                for edit in edits {
                    text.replace_range(edit.span.range(), &edit.text);
                }
                let place = format!("{}: {}\n{text}", fixture.path.display(), fix.message);
                let after = check(&text, None, &fixture.options);
                assert!(after.iter().all(|after| after.rule != diagnostic.rule), "{place}\n{after:?}");
                if fix.applicability == Applicability::Safe {
                    assert!(!after.iter().any(Diagnostic::is_error), "{place}\n{after:?}");
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
        .filter(|rule| rule.family() != OF_HOSTS)
        .map(|rule| rule.name())
        .filter(|name| !with.contains(*name) && !WITHOUT_FIXTURE.contains(name))
        .collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(files.len() >= MIN_FIXTURES, "{}", files.len());
}

#[test]
fn rules_have_names_of_one_shape_and_a_title() {
    let mut names = BTreeSet::new();
    for rule in RULES {
        let entry = rule.entry();
        assert!(names.insert(entry.name), "{} twice", entry.name);
        let (family, name) = entry.name.split_once('/').expect("family/name");
        assert!(
            ["xml", "schema", "parse", "align", "qemu", "checkpoint", "host", "advice"].contains(&family),
            "{}",
            entry.name
        );
        assert!(
            name.chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
        );
        let title = entry.title;
        assert!(!title.is_empty() && title.len() <= 60 && !title.contains('`') && !title.ends_with('.'), "{title}");
        assert!(
            !title.starts_with(char::is_uppercase) || ACRONYMS.iter().any(|acronym| title.starts_with(acronym)),
            "{title}"
        );
    }
}

#[test]
fn the_index_of_pages_lists_every_rule() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules/README.md");
    let index = fs::read_to_string(path).unwrap();
    let heading = "| rule | problem |\n|---|---|\n";
    let (before, _) = index.split_once(heading).unwrap();
    // The page has the title with its markup.
    let row =
        |rule: &Rule| format!("| [{0}]({0}.md) | {1} |\n", rule.name(), rule.entry().page.lines().nth(2).unwrap());
    let expected = format!("{before}{heading}{}", RULES.iter().map(row).collect::<String>());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(path, &expected).unwrap();
    } else {
        assert!(index == expected, "INSTA_UPDATE=always cargo test --test rules writes docs/rules/README.md again");
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

/// The documents of an example, distinguished by their root elements.
fn case(section: &str, rule: Rule, options: Options) -> Option<Case> {
    let backup = "<domainbackup/>".to_owned();
    let domain = (WITH_DOMAIN.contains(&rule.family()) && !OF_COMMENTS.contains(&rule)).then(shared_domain);
    let mut case = Case { backup, domain, checkpoint: None, options };
    let blocks: Vec<_> = section.split("```xml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    if let Some((_, dump)) = section.split_once("Existing checkpoint:\n\n```xml\n") {
        let dump = dump.split("```").next()?;
        case.options.existing = Some(read_existing(dump).expect("a dump").into());
    }
    for block in &blocks {
        if section.contains(&format!("Existing checkpoint:\n\n```xml\n{block}")) {
            continue;
        }
        if block.starts_with("<domaincheckpoint") && !section.contains("With `--redefine`")
            || rule == Rule::NotACheckpoint && block.starts_with("<domainsnapshot")
        {
            case.checkpoint = Some((*block).to_owned());
        } else if rule.family() != "parse" && (block.starts_with("<domain ") || block.starts_with("<domainsnapshot")) {
            case.domain = Some((*block).to_owned());
        } else {
            (*block).clone_into(&mut case.backup);
        }
    }
    if let Some((_, options)) = section.split_once("With `--") {
        case.set(&format!("--{}", options.split('`').next()?));
    }
    (!blocks.is_empty()).then_some(case)
}

fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let section = page.split_once(&format!("\n## {heading}\n")).map(|(_, rest)| rest);
    section.and_then(|section| section.split("\n## ").next()).unwrap_or_default()
}

#[test]
fn every_rule_has_a_page_whose_examples_are_what_they_say() {
    let mut tried = 0;
    for rule in RULES {
        let (entry, page) = (rule.entry(), rule.entry().page);
        assert!(
            page.replace('`', "").starts_with(&format!("# {}\n\n{}\n\n", entry.name, entry.title)),
            "{}",
            entry.name
        );
        let headings: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", entry.name);
        let release = entry.releases.1.unwrap_or_default();
        let options =
            Options { release, suffix: "s".to_owned(), status: entry.name.contains("-status"), ..Options::default() };
        if let Some(mut right) = case(section(page, "Use instead"), *rule, options.clone()) {
            let wrong =
                right.diagnostics().into_iter().filter(|diagnostic| diagnostic.is_error() || diagnostic.rule == *rule);
            assert_eq!(wrong.collect::<Vec<_>>(), [], "{}", entry.name);
            tried += 1;
        }
        let Some(mut wrong) = case(section(page, "Example"), *rule, options) else { continue };
        if OF_COMMENTS.contains(rule) || rule.family() == OF_HOSTS {
            continue;
        }
        let found =
            wrong.diagnostics().into_iter().filter(|diagnostic| diagnostic.is_error() || diagnostic.rule == *rule);
        let found: Vec<_> = found.collect();
        assert!(
            found.iter().all(|diagnostic| diagnostic.rule == *rule) && !found.is_empty(),
            "{}: {found:?}",
            entry.name
        );
        let words = found[0].libvirt.as_deref().and_then(|words| words.lines().next()).unwrap_or_default();
        let words: String = words.chars().take(90).collect();
        assert!(page.contains(&words), "{}: {words}", entry.name);
    }
    assert!(tried >= 100, "{tried}");
}
