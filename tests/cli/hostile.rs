//! Hostile input, and paths that are not regular files.

use std::process::{Command, Stdio};

use super::process::{Run, command, directory, path, run, run_with};

const FORMATS: [&str; 5] = ["full", "concise", "json", "sarif", "github"];

fn backup(content: &str) -> String {
    format!("<domainbackup>{content}</domainbackup>")
}

/// Documents with the rule that is violated, or none if the schema has its own message.
fn documents() -> Vec<(&'static str, String)> {
    let numbered = |count: usize, item: fn(usize) -> String| (0..count).map(item).collect::<String>();
    let entities = numbered(9, |n| format!("<!ENTITY e{} '{}'>", n + 1, format!("&e{n};").repeat(10)));
    vec![
        ("xml/too-deep", "<a>".repeat(100_000) + &"</a>".repeat(100_000)),
        ("xml/unclosed-element", "<a>".repeat(5_000)),
        ("xml/too-large", format!("<domainbackup{}/>", numbered(100_000, |n| format!(" a{n}=''")))),
        ("xml/too-large", backup(&format!("<{}/>", "a".repeat(50_001)))),
        ("xml/too-large", format!("<domainbackup {}=''/>", "a".repeat(50_001))),
        ("xml/too-large", format!("<domainbackup{}/>", numbered(4_000, |n| format!(" xmlns:a{n}='u'")))),
        ("xml/document-type", format!("<!DOCTYPE a [<!ENTITY e0 'x'>{entities}]>{}", backup("&e9;"))),
        ("xml/document-type", format!("<!DOCTYPE a [<!ENTITY e SYSTEM '/etc/passwd'>]>{}", backup("&e;"))),
        ("schema/unknown-value", format!("<domainbackup mode='{}'/>", "a".repeat(200_000))),
        ("schema/unexpected-text", backup(&"a".repeat(200_000))),
        ("schema/unknown-element", backup(&format!("<{}/>", "a".repeat(50_000)))),
        ("schema/unknown-attribute", format!("<domainbackup {}=''/>", "a".repeat(50_000))),
        ("xml/unescaped-less-than", backup(&"< ".repeat(3_000))),
        ("xml/unescaped-ampersand", backup(&"&".repeat(3_000))),
        ("xml/not-well-formed", backup(&"<!--".repeat(10_000))),
        ("xml/not-well-formed", backup(&format!("{}-->", "<!--".repeat(500)))),
        ("xml/nul-byte", backup(&"\0".repeat(10_000))),
        ("schema/unknown-value", "<domainbackup mode='\u{9b}31m'/>".to_owned()),
    ]
}

#[test]
fn hostile_documents_have_a_clear_error_in_every_format() {
    for (rule, document) in documents() {
        for format in FORMATS {
            let run = run_with(&["check", "--format", format], document.as_bytes());
            let shown: String = run.stdout.chars().take(300).collect();
            assert_eq!((run.status, run.stderr.as_str()), (1, ""), "{rule} {format}: {shown}");
            assert!(run.stdout.contains(rule), "{rule} {format}: {shown}");
            assert!(!run.stdout.contains(['\0', '\u{9b}', '\u{1b}']), "{rule} {format}");
            assert!(!run.stdout.contains("root:x:"), "{rule} {format}");
        }
        let fixed = run_with(&["check", "--unsafe-fixes", "--diff"], document.as_bytes());
        assert!(fixed.status <= 1, "{rule}: {}", fixed.stderr);
    }
}

#[test]
fn hostile_domains_have_a_clear_error_too() {
    let directory = directory("hostile-domain", &[("b.xml", b"<domainbackup/>")]);
    for (_, document) in documents() {
        let arguments = ["check", "--format", "concise", "--domain", "-", &path(&directory, "b.xml")];
        let run = run_with(&arguments, document.as_bytes());
        assert_eq!((run.status, run.stderr.as_str()), (1, ""));
        assert!(run.stdout.starts_with("<stdin>:"), "{}", run.stdout.chars().take(300).collect::<String>());
    }
}

#[test]
fn limits_are_named() {
    let text = |document: String| run_with(&["check", "--format", "concise"], document.as_bytes()).stdout;
    assert!(text(backup(&"=".repeat(3_100_000))).contains("more than 3000000 tags and attributes"));
    assert!(text(backup(&"<x/>".repeat(100_100))).contains("more than 100000 diagnostics"));
    assert!(text(backup(&"<x/>".repeat(3_100_000))).contains("more than 3000000 tags and attributes"));
    assert!(text(" ".repeat((64 << 20) + 1)).contains("larger than 67108864 bytes"));
}

#[test]
fn every_truncation_is_refused_and_every_flip_is_survived() {
    let whole = std::fs::read_to_string("examples/push-luks.xml").unwrap();
    let options = backupxml::Options::default();
    let check = |bytes: &[u8]| backupxml::normalize_bytes(bytes, None, &options);
    assert!(check(whole.as_bytes()).is_ok());
    for end in 0..whole.trim_end().len() {
        assert!(check(&whole.as_bytes()[..end]).is_err(), "{end}");
    }
    let mut state = 1_u64;
    for _ in 0..3_000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] ^= 1 << (state >> 20 & 7);
        }
        if let Err(diagnostics) = check(&bytes) {
            assert!(!diagnostics.is_empty());
        }
    }
}

#[test]
fn a_hundred_thousand_arguments_are_a_hundred_thousand_files() {
    let directory = directory("many-arguments", &[("b", b"<domainbackup/>")]);
    let run: Run = command(&["check"]).args(vec!["b"; 100_000]).current_dir(&directory).output().unwrap().into();
    assert_eq!((run.status, run.stdout.as_str()), (0, "no errors in 100000 files\n"));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_read_or_refused() {
    let of = |name: &str| run(&["check", "--format", "concise", name]);
    assert!(of("/dev/null").stdout.contains("xml/empty"));
    let directory = of("/");
    assert_eq!((directory.status, directory.stderr.as_str()), (2, "backupxml: cannot read /: is a directory\n"));
    let endless = of("/dev/zero");
    assert!(endless.status == 1 && endless.stdout.contains("larger than 67108864 bytes"), "{}", endless.stdout);
}

#[cfg(unix)]
fn shell(script: &str, directory: &std::path::Path) -> Run {
    let mut shell = Command::new("bash");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_backupxml")]).current_dir(directory).stdin(Stdio::null());
    shell.output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn pipes_are_read_and_closed_ones_end_quietly() {
    let bad = backup(&"<x/>".repeat(5_000));
    let directory = directory("pipes", &[("bad.xml", bad.as_bytes()), ("good.xml", b"<domainbackup/>")]);
    let fifo = shell("mkfifo p; cat good.xml > p & \"$0\" check p", &directory);
    assert_eq!((fifo.status, fifo.stdout.as_str()), (0, "no errors in 1 file\n"));
    let closed = shell("\"$0\" check bad.xml | head -c 100 >/dev/null; echo ${PIPESTATUS[0]}", &directory);
    assert_eq!((closed.stdout.as_str(), closed.stderr.as_str()), ("0\n", ""));
}

const MISSPELT: &str = "<domainbackup mode='psuh'/>\n";

#[cfg(unix)]
#[test]
fn on_a_full_disk_the_original_stays() {
    let long = MISSPELT.to_owned() + &" ".repeat(100_000);
    let directory = directory("full-disk", &[("b.xml", long.as_bytes())]);
    // A process that ignores the signal sees a file size limit as a full disk.
    let run = shell("trap '' XFSZ; ulimit -f 8; exec \"$0\" check --fix b.xml", &directory);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("cannot write b.xml"), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(directory.join("b.xml")).unwrap(), long);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn killed_at_any_moment_the_file_is_the_old_or_the_new_one() {
    let old = MISSPELT.to_owned() + &" ".repeat(50_000);
    let new = old.replace("psuh", "push");
    let directory = directory("killed", &[]);
    let file = directory.join("b.xml");
    let (mut olds, mut news) = (0, 0);
    for round in 0..80 {
        std::fs::write(&file, &old).unwrap();
        let mut child = command(&["check", "--fix", "b.xml"])
            .current_dir(&directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(round * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = std::fs::read_to_string(&file).unwrap();
        olds += usize::from(found == old);
        news += usize::from(found == new);
    }
    assert_eq!(olds + news, 80, "{olds} old, {news} new");
}
