//! Boundaries of lists, numbers and tables of words that neither recordings nor fixtures cover.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write;
use std::sync::Arc;

use backupxml::checkpoint::{self, Existing};
use backupxml::diagnostic::{Applicability, Diagnostic};
use backupxml::domain::Domain;
use backupxml::fix::fix;
use backupxml::release::Release;
use backupxml::{Options, check, normalize, plan};

/// A running domain with that many qcow2 disks, from vdaa on, whose names are not like each other's.
fn domain(disks: usize) -> Domain {
    let mut text = "<domain id='1'><devices>".to_owned();
    for name in names(disks) {
        write!(text, "<disk><driver type='qcow2'/><source file='/i/{name}'/><target dev='{name}'/></disk>").unwrap();
    }
    Domain::parse(&(text + "</devices></domain>")).unwrap()
}

fn names(count: usize) -> Vec<String> {
    (b'a'..).map(|letter| format!("vd{}", char::from(letter).to_string().repeat(4))).take(count).collect()
}

fn with_domain(text: &str, disks: usize, options: &Options) -> Vec<Diagnostic> {
    check(text, Some(&domain(disks)), options)
}

#[track_caller]
fn only<'d>(diagnostics: &'d [Diagnostic], rule: &str) -> &'d Diagnostic {
    let found: Vec<_> = diagnostics.iter().filter(|found| found.rule.name() == rule).collect();
    assert_eq!(found.len(), 1, "{rule}: {diagnostics:?}");
    found[0]
}

fn rules(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|found| found.rule.name()).collect()
}

fn help(diagnostic: &Diagnostic) -> &str {
    diagnostic.help.as_deref().unwrap_or_default()
}

#[test]
fn help_lists_twelve_disks_of_the_domain() {
    let text = "<domainbackup><disks><disk name='hda'/></disks></domainbackup>";
    for (disks, end) in [(11, ""), (12, ""), (13, ", …")] {
        let found = with_domain(text, disks, &Options::default());
        let listed = names(disks.min(12)).join(", ") + end;
        assert_eq!(
            help(only(&found, "align/no-such-disk"))
                .rsplit("The domain has ")
                .next()
                .unwrap()
                .trim_start_matches("the domain has "),
            listed
        );
    }
}

#[test]
fn help_lists_twelve_disks_for_a_checkpoint() {
    let (document, _) = checkpoint::read(
        "<domaincheckpoint><name>c</name><disks><disk name='hda'/></disks></domaincheckpoint>",
        Release::default(),
    );
    let options = Options { checkpoint: document.map(Arc::new), ..Options::default() };
    for disks in [11, 12, 13] {
        let found = with_domain("<domainbackup/>", disks, &options);
        let help = help(only(&found, "checkpoint/no-such-disk"));
        assert!(help.contains(&names(disks.min(12)).join(", ")), "{help}");
        assert!(!help.contains("vdmmmm"), "{help}");
    }
}

#[test]
fn help_lists_twelve_checkpoints() {
    let text = "<domainbackup><incremental>none-of-these</incremental></domainbackup>";
    for (count, end) in [(11, ""), (12, ""), (13, ", …")] {
        let names: Vec<_> = (1..=count).map(|number| format!("c{number}")).collect();
        let existing: Vec<_> = names.iter().map(|name| Existing { name: name.clone(), disks: None }).collect();
        let options = Options { existing: Some(existing.into()), ..Options::default() };
        let found = with_domain(text, 1, &options);
        let listed = names[..count.min(12)].join(", ") + end;
        assert_eq!(help(only(&found, "checkpoint/no-such-checkpoint")), format!("the domain has {listed}"));
    }
}

#[test]
fn a_warning_names_twelve_excluded_disks() {
    let text = "<domainbackup><disks><disk name='vdaaaa'/></disks></domainbackup>";
    for (disks, more) in [(13, None), (14, Some("and 1 more")), (15, Some("and 2 more"))] {
        let found = with_domain(text, disks, &Options::default());
        let message = &only(&found, "advice/disk-left-out").message;
        assert!(message.contains("`vdllll`"), "{message}");
        match more {
            None => assert!(message.contains("`vdllll` and `vdmmmm`"), "{message}"),
            Some(more) => assert!(message.contains(more) && !message.contains("vdnnnn"), "{message}"),
        }
    }
}

#[test]
fn control_characters_of_a_suffix_are_dropped_and_white_space_is_written_as_references() {
    let every: String = (1..=0x20).map(char::from).collect();
    let options = Options { suffix: every, ..Options::default() };
    let text = normalize("<domainbackup/>", Some(&domain(1)), &options).unwrap();
    assert!(text.contains("<target file='/i/vdaaaa.&#9;&#10;&#13; '/>"), "{text}");
    let text =
        normalize("<domainbackup><incremental>a&#13;b\tc\nd</incremental></domainbackup>", None, &options).unwrap();
    assert!(text.contains("<incremental>a&#13;b\tc\nd</incremental>"), "{text}");
}

#[test]
fn only_servers_that_others_can_reach_are_warned_about() {
    let with_name = |name: &str, more: &str| {
        let text = format!("<domainbackup mode='pull'><server name='{name}' port='1'{more}/></domainbackup>");
        rules(&with_domain(&text, 1, &Options::default()))
    };
    for name in ["localhost", "::1", "127.0.0.1", "127.1.2.3"] {
        assert_eq!(with_name(name, ""), [""; 0], "{name}");
    }
    for name in ["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.example.org", "::2"] {
        assert_eq!(with_name(name, ""), ["advice/plain-server"], "{name}");
        assert_eq!(with_name(name, " tls='no'"), ["advice/plain-server"], "{name}");
        assert_eq!(with_name(name, " tls='yes'"), [""; 0], "{name}");
    }
}

/// The words that qemu-img of QEMU 10 accepts and refuses when it makes an encrypted qcow2 image.
#[test]
fn encryption_has_the_words_of_qemu() {
    let diagnostics = |cipher: &str, ivgen: &str| {
        let text = format!(
            "<domainbackup><disks><disk name='vdaaaa' type='file'><driver type='qcow2'/><target file='/20260914'>\
             <encryption format='luks'><secret type='passphrase' usage='u'/><cipher {cipher}/><ivgen {ivgen}/></encryption>\
             </target></disk></disks></domainbackup>"
        );
        with_domain(&text, 1, &Options::default())
    };
    let (cipher, ivgen) = ("name='aes' size='256'", "name='plain64'");
    for name in ["aes", "serpent", "twofish"] {
        for size in [128, 192, 256] {
            assert_eq!(diagnostics(&format!("name='{name}' size='{size}'"), ivgen), [], "{name}-{size}");
        }
    }
    for mode in ["cbc", "xts", "ctr", "ecb"] {
        assert_eq!(diagnostics(&format!("{cipher} mode='{mode}' hash='sha256'"), ivgen), [], "{mode}");
    }
    for hash in ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160", "sm3"] {
        assert_eq!(diagnostics(&format!("{cipher} mode='xts' hash='{hash}'"), ivgen), [], "{hash}");
        assert_eq!(diagnostics(cipher, &format!("name='plain64' hash='{hash}'")), [], "{hash}");
    }
    for name in ["plain", "plain64", "essiv"] {
        assert_eq!(diagnostics(cipher, &format!("name='{name}' hash='sha256'")), [], "{name}");
    }
    for (cipher, ivgen, parameter) in [
        ("name='aes' size='64'", ivgen, "cipher-alg"),
        ("name='aes' size='256' mode='gcm' hash='sha256'", ivgen, "cipher-mode"),
        ("name='aes' size='256' mode='xts' hash='sha3'", ivgen, "hash-alg"),
        (cipher, "name='benbi' hash='sha256'", "ivgen-alg"),
        (cipher, "name='plain64' hash='sha3'", "ivgen-hash-alg"),
    ] {
        let found = diagnostics(cipher, ivgen);
        let libvirt = only(&found, "qemu/unknown-cipher").libvirt.as_deref().unwrap();
        assert!(libvirt.contains(&format!("Parameter '{parameter}' does not accept")), "{libvirt}");
    }
}

#[test]
fn the_new_checkpoint_is_not_reported_as_missing() {
    let named = |name: &str| {
        let text = format!("<domaincheckpoint><name>{name}</name></domaincheckpoint>");
        checkpoint::read(&text, Release::default()).0.map(Arc::new)
    };
    let backup = "<domainbackup><incremental>new</incremental></domainbackup>";
    let existing: Arc<[Existing]> = vec![Existing { name: "old".to_owned(), disks: None }].into();
    let with = |name: &str| {
        let options = Options { checkpoint: named(name), existing: Some(Arc::clone(&existing)), ..Options::default() };
        rules(&with_domain(backup, 1, &options))
    };
    assert_eq!(with("new"), ["checkpoint/name-is-base"]);
    assert_eq!(with("newer"), ["checkpoint/no-such-checkpoint"]);
}

#[test]
fn an_incremental_pull_needs_no_qcow2() {
    let with = |mode: &str, rest: &str| {
        let text = format!("<domainbackup mode='{mode}'><incremental>c</incremental>{rest}</domainbackup>");
        rules(&with_domain(&text, 1, &Options::default()))
    };
    let disk = "<disks><disk name='vdaaaa' type='file'><driver type='raw'/><target file='/20260914'/></disk></disks>";
    assert_eq!(with("push", disk), ["advice/incremental-into-raw"]);
    let server = "<server transport='unix' socket='/s'/>";
    assert_eq!(with("pull", server), [""; 0]);
}

#[test]
fn a_plan_says_why_a_disk_is_excluded() {
    let domain = Domain::parse(
        "<domain id='1'><devices>
           <disk><source file='/a'/><target dev='vda'/></disk>
           <disk><source file='/b'/><target dev='vdb'/></disk>
           <disk><source file='/c'/><target dev='vdc'/></disk>
           <disk><source file='/d'/><target dev='vdd'/><readonly/></disk>
           <disk><target dev='vde'/></disk>
         </devices></domain>",
    );
    let domain = domain.unwrap();
    let summary = |text: &str| plan(text, &domain, &Options::default()).0.unwrap().summary();
    assert_eq!(
        summary("<domainbackup><disks><disk name='vda'/><disk name='vdb' backup='no'/></disks></domainbackup>"),
        "1 of 5 disks, 1 full; excluded: vdb (backup='no'), vdc (not listed), vdd (not listed), vde (no media)"
    );
    assert_eq!(
        summary("<domainbackup><disks><disk name='vde' backup='no'/><disk name='vda'/></disks></domainbackup>"),
        "1 of 5 disks, 1 full; excluded: vdb (not listed), vdc (not listed), vdd (not listed), vde (backup='no')"
    );
    assert_eq!(summary("<domainbackup/>"), "3 of 5 disks, 3 full; excluded: vdd (read-only), vde (no media)");
}

#[test]
fn a_plan_says_what_the_pool_names_and_what_is_no_ordinary_disk() {
    let domain = Domain::parse(
        "<domain id='1'><devices>
           <disk type='volume'><source pool='p' volume='v'/><target dev='vda'/></disk>
           <disk device='cdrom'><source file='/b'/><target dev='vdb'/></disk>
           <disk><source file='/c'/><target dev='vdc'/><readonly/></disk>
           <disk><source file='/d'/><target dev='vdd'/></disk>
         </devices></domain>",
    );
    let disks: String = ["vda", "vdb", "vdc", "vdd"].map(|name| format!("<disk name='{name}'/>")).concat();
    let text = format!("<domainbackup><disks>{disks}</disks></domainbackup>");
    let plan = plan(&text, &domain.unwrap(), &Options::default()).0.unwrap();
    let rows: Vec<_> = plan.rows.iter().filter_map(|row| row.decision.included()).collect();
    let notes: Vec<_> = rows.iter().map(|included| (included.in_pool, included.note)).collect();
    assert_eq!(notes, [(true, None), (false, Some("CD-ROM")), (false, Some("read-only")), (false, None)]);
}

#[test]
fn a_disk_that_is_listed_twice_has_one_error() {
    let disk = "<disk name='vdaaaa' type='file'><target file='/b'/></disk>";
    let text = format!("<domainbackup><disks>{disk}{disk}</disks></domainbackup>");
    assert_eq!(rules(&with_domain(&text, 1, &Options::default())), ["align/duplicate-disk"]);
}

#[test]
fn an_unknown_disk_is_not_one_that_is_listed() {
    let text = "<domainbackup><disks><disk name='vdaaab'/><disk name='vdaaaa'/></disks></domainbackup>";
    let found = with_domain(text, 2, &Options::default());
    assert_eq!(help(only(&found, "align/no-such-disk")), "the domain has vdaaaa, vdbbbb");
    let alone = "<domainbackup><disks><disk name='vdaaab'/></disks></domainbackup>";
    let found = with_domain(alone, 2, &Options::default());
    assert_eq!(help(only(&found, "align/no-such-disk")), "did you mean `vdaaaa`? The domain has vdaaaa, vdbbbb");
}

#[test]
fn a_misspelt_coverage_is_the_only_error_of_its_disk() {
    let domain =
        "<domain id='1'><devices><disk device='cdrom'><source file='/c'/><target dev='sda'/></disk></devices></domain>";
    let domain = Domain::parse(domain).unwrap();
    let with = |word: &str| {
        let disk = format!("<disks><disk name='sda' checkpoint='{word}'/></disks>");
        let text = format!("<domaincheckpoint><name>x</name>{disk}</domaincheckpoint>");
        rules(&check(&text, Some(&domain), &Options::default()))
    };
    assert_eq!(with("naoq"), ["schema/unknown-value"]);
    assert_eq!(with("bitmap"), ["checkpoint/no-media"]);
}

#[test]
fn a_byte_that_cannot_be_decoded_is_the_only_error_of_its_value() {
    let found = backupxml::check_bytes(b"<domainbackup mode='push\xe9' bogus=''/>", None, &Options::default());
    assert_eq!(rules(&found), ["xml/undecodable", "schema/unknown-attribute"]);
}

#[test]
fn a_plan_says_whether_the_disk_itself_names_its_checkpoint() {
    let written = |text: &str| {
        let plan = plan(text, &domain(1), &Options::default()).0.unwrap();
        plan.rows[0].decision.included().unwrap().since.as_ref().unwrap().written
    };
    let disks = |attributes: &str| format!("<disks><disk name='vdaaaa'{attributes}/></disks>");
    let (own, common) = (disks(" incremental='c'"), disks(""));
    assert!(written(&format!("<domainbackup>{own}</domainbackup>")));
    assert!(written(&format!("<domainbackup><incremental>d</incremental>{own}</domainbackup>")));
    assert!(!written(&format!("<domainbackup><incremental>c</incremental>{common}</domainbackup>")));
    assert!(!written(&format!("<domainbackup>{common}<incremental>c</incremental></domainbackup>")));
}

#[test]
fn a_fix_that_improves_nothing_is_not_applied() {
    for text in [
        "<domainbackup mode='psuh'/>",
        "<domainbackup><disks><disk name='vda' type='file'><target dev='/dev/sda'/></disk></disks></domainbackup>",
        "<domainbackup><disks><disk name='vda' incremental='a' backupmode='full'/></disks></domainbackup>",
    ] {
        for allowed in [Applicability::Safe, Applicability::Unsafe] {
            let before = check(text, None, &Options::default());
            let fixed = fix(text, None, &Options::default(), allowed);
            if fixed.applied > 0 {
                let errors = |found: &[Diagnostic]| found.iter().filter(|found| found.is_error()).count();
                assert!(errors(&fixed.diagnostics) < errors(&before), "{text} {fixed:?}");
            } else {
                assert_eq!(fixed.text, text);
            }
        }
    }
}

/// The rules that `normalize` reports, or none.
fn refusal(text: &str, disks: usize, options: &Options) -> Vec<&'static str> {
    normalize(text, Some(&domain(disks)), options).map_or_else(|found| rules(&found), |_| Vec::new())
}

#[test]
fn names_that_libvirt_adds_are_at_most_64_mebibytes() {
    const MEBIBYTE: usize = 1 << 20;
    // `/i/vdaaaa.` and the suffix, for each of two disks.
    let fits = 32 * MEBIBYTE - "/i/vdaaaa".len();
    for (length, expected) in [(fits, &[][..]), (fits + 1, &["xml/too-large"])] {
        let options = Options { suffix: "s".repeat(length), ..Options::default() };
        assert_eq!(refusal("<domainbackup/>", 2, &options), expected);
    }
    // A checkpoint that is inherited by each of 17 disks, besides their names of 11 bytes.
    let inherited = |length| format!("<domainbackup><incremental>{}</incremental></domainbackup>", "c".repeat(length));
    let fits = 64 * MEBIBYTE / 17 - "/i/vdaaaa".len() - "s".len();
    let options = Options { suffix: "s".into(), ..Options::default() };
    for (length, expected) in [(fits, &[][..]), (fits + 1, &["xml/too-large"])] {
        assert_eq!(refusal(&inherited(length), 17, &options), expected);
    }
    // The same for the bitmaps of a checkpoint.
    let checkpoint = |length| format!("<domaincheckpoint><name>{}</name></domaincheckpoint>", "c".repeat(length));
    for (length, expected) in [(64 * MEBIBYTE / 17, &[][..]), (64 * MEBIBYTE / 17 + 1, &["xml/too-large"])] {
        assert_eq!(refusal(&checkpoint(length), 17, &options), expected);
    }
}

#[test]
fn a_checkpoint_finds_no_path_that_two_disks_share() {
    let domain = Domain::parse(
        "<domain><devices><disk><source file='/i'/><target dev='vda'/></disk><disk><source file='/i'/><target dev='vdb'/>\
         </disk><disk><source file='/j'/><target dev='vdc'/></disk></devices></domain>",
    )
    .unwrap();
    let with = |name: &str| {
        let text = format!("<domaincheckpoint><name>c</name><disks><disk name='{name}'/></disks></domaincheckpoint>");
        normalize(&text, Some(&domain), &Options::default())
    };
    assert!(with("/j").unwrap().contains("<disk name='vdc' checkpoint='bitmap'"));
    let found = with("/i").unwrap_err();
    let shared = "use the target of one disk: `vda` and `vdb` have this source";
    assert_eq!(help(only(&found, "checkpoint/no-such-disk")), shared);
    let found = with("/k").unwrap_err();
    assert_eq!(help(only(&found, "checkpoint/no-such-disk")), "the domain has vda, vdb, vdc");
}

#[test]
fn a_compressed_file_is_one_error() {
    let found = backupxml::check_bytes(b"\x1f\x8b\x08\0\0\xb3\x49", None, &Options::default());
    let rules: Vec<_> = found.iter().map(|diagnostic| diagnostic.rule.name()).collect();
    assert_eq!(rules, ["xml/not-xml"]);
}
