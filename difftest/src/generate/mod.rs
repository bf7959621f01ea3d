//! Random cases that depend on their seeds only.
//!
//! About half should be accepted: a backup that follows the format's tables, for a domain that it fits, in any spelling
//! that XML allows. The others have a few wrong values, wrong elements or wrong bytes.

mod backup;
mod checkpoint;
mod corrupt;
pub mod domain;
pub mod words;

use crate::case::{Case, Kind};
use crate::random::Random;
use crate::xml::{Element, Node};

/// Number of domains that recorded cases share.
pub const SHARED_DOMAINS: u64 = 48;

const SUFFIXES: &[&str] = &["1700000000", "c1", "S", "with space", "é", "a'b"];

/// The domains of cases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Domains {
    /// Each case has its own.
    Any,
    /// Cases share those of the seeds below [`SHARED_DOMAINS`].
    Shared,
}

/// The case of a seed: a backup, or a checkpoint.
pub fn case(seed: u64, domains: Domains, checkpoint: bool) -> Case {
    if checkpoint { checkpoint_case(seed, domains) } else { backup_case(seed, domains) }
}

fn backup_case(seed: u64, domains: Domains) -> Case {
    let random = &mut Random::new(seed);
    let domain_seed = match domains {
        Domains::Any => random.next(),
        Domains::Shared => random.next() % SHARED_DOMAINS,
    };
    let status = random.percent(15);
    let domain = random.percent(55).then(|| domain::domain(domain_seed));
    let corrupted = random.percent(45);
    let faults = if corrupted { random.pick(&[0, 15, 30, 60, 150]) } else { 0 };
    let mut root = backup::Maker { random, faults, status, domain: domain.as_ref() }.backup();
    if corrupted && (faults == 0 || random.percent(30)) {
        for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
            corrupt::corrupt(random, &mut root, &corrupt::BACKUP);
        }
    }
    let mut document = spell(random, &root);
    if corrupted && random.percent(6) {
        corrupt::corrupt_bytes(random, &mut document);
    }
    document.retain(|&byte| byte != 0);
    let suffix = if random.percent(70) { SUFFIXES[0] } else { random.pick(SUFFIXES) };
    let kind = if status { Kind::Status } else { Kind::Backup };
    Case { kind, document, domain: domain.map(|domain| domain.text.into_bytes()), suffix: suffix.to_owned() }
}

const OWN_UUID: &str = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
const OTHER_UUID: &str = "00000000-0000-4000-8000-000000000000";

fn checkpoint_case(seed: u64, domains: Domains) -> Case {
    let random = &mut Random::new(seed ^ 0x0C4E_C490);
    let domain_seed = match domains {
        Domains::Any => random.next(),
        Domains::Shared => random.next() % SHARED_DOMAINS,
    };
    let redefine = random.percent(35);
    let domain = random.percent(60).then(|| domain::domain(domain_seed));
    let corrupted = random.percent(45);
    let faults = if corrupted { random.pick(&[0, 15, 30, 60, 150]) } else { 0 };
    let mut root = checkpoint::Maker { random, faults, redefine, domain: domain.as_ref() }.checkpoint();
    if corrupted && (faults == 0 || random.percent(30)) {
        for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
            corrupt::corrupt(random, &mut root, &corrupt::CHECKPOINT);
        }
    }
    let mut text = domain.map(|domain| domain.text);
    if let Some(text) = &mut text {
        // Some sources beyond the host are named by what looks like a path.
        if random.percent(30) {
            *text = text.replace(" name='e'>", " name='/images/a.qcow2'>");
        }
        *text = text.replacen("<name>vm</name>", &format!("<name>vm</name><uuid>{OWN_UUID}</uuid>"), 1);
    }
    // What the schema says of a domain is not compared, so nothing in this one is corrupted.
    let holds_domain = random.percent(if redefine { 40 } else { 8 });
    if holds_domain {
        let uuid = if random.percent(90) { OWN_UUID } else { OTHER_UUID };
        let disks = random.pick(HELD_DISKS);
        let held = format!(
            "<domain type='qemu'><name>vm</name><uuid>{uuid}</uuid><memory>1</memory><os><type>hvm</type></os><devices>{disks}</devices></domain>"
        );
        let index = random.below(root.children.len() + 1);
        root.children.insert(index, Node::Markup(held));
    }
    let mut document = spell(random, &root);
    if corrupted && !holds_domain && random.percent(6) {
        corrupt::corrupt_bytes(random, &mut document);
    }
    document.retain(|&byte| byte != 0);
    let kind = if redefine { Kind::Redefinition } else { Kind::Checkpoint };
    let suffix = random.pick(SUFFIXES).to_owned();
    Case { kind, document, domain: text.map(String::into_bytes), suffix }
}

/// The disks of domains in checkpoints.
const HELD_DISKS: &[&str] = &[
    "",
    "<disk type='file' device='disk'><source file='/images/a.qcow2'/><target dev='vda' bus='virtio'/></disk>",
    "<disk type='file' device='disk'><source file='/images/a.qcow2'/><target dev='vda' bus='virtio'/></disk><disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>",
    "<disk type='block' device='disk'><source dev='/dev/sdb'/><target dev='vdb' bus='virtio'/></disk><disk type='file' device='disk'><source file='/images/b.img'/><target dev='vda' bus='virtio'/></disk><disk type='file' device='disk'><source file='/images/a.qcow2'/><target dev='sda' bus='scsi'/></disk>",
];

const PROLOGUES: &[&str] = &[
    "<?xml version='1.0'?>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
    "<?xml version='1.1'?>\n",
    "\n",
    "  ",
    "<!-- before -->\n",
    "<?p i?>",
    "<!DOCTYPE domainbackup>\n",
    "\u{FEFF}",
    "\u{FEFF}<?xml version='1.0'?>",
    "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE.\n-->\n\n",
];
const ODD_PROLOGUES: &[&str] = &[
    "<?xml version='2.0'?>",
    " <?xml version='1.0'?>",
    "<?xml version='1.0' encoding='x-unknown'?>",
    "<?xml version='1.0' encoding='UTF-16'?>",
    "<?xml encoding='UTF-8'?>",
    "<!DOCTYPE other>",
    "<!DOCTYPE domainbackup []>",
    "<!DOCTYPE domainbackup SYSTEM 'x.dtd'>",
    "x",
    "<!DOCTYPE>",
];
const EPILOGUES: &[&str] = &["\n", "  \n\t", "<!-- after -->", "<?p i?>\n"];
const ODD_EPILOGUES: &[&str] = &["x", "<domainbackup/>", "&#32;", "<![CDATA[]]>", "</domainbackup>"];

fn spell(random: &mut Random, root: &Element) -> Vec<u8> {
    if random.percent(30) {
        return root.plain().into_bytes();
    }
    let body = if random.percent(25) { root.plain() } else { root.odd(random) };
    if random.percent(6) {
        return in_latin1(&body);
    }
    let mut text = String::new();
    if random.percent(50) {
        let prologues = if random.percent(3) { ODD_PROLOGUES } else { PROLOGUES };
        text.push_str(&random.pick(prologues).replace("domainbackup", &root.name));
    }
    text.push_str(&body);
    if random.percent(50) {
        let epilogues = if random.percent(2) { ODD_EPILOGUES } else { EPILOGUES };
        text.push_str(&random.pick(epilogues).replace("domainbackup", &root.name));
    }
    text.into_bytes()
}

/// Declared encodings with one byte per character; other characters are written as references.
fn in_latin1(body: &str) -> Vec<u8> {
    let mut bytes = b"<?xml version='1.0' encoding='ISO-8859-1'?>".to_vec();
    for character in body.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(format!("&#{};", u32::from(character)).bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_function_of_its_seed() {
        for checkpoint in [false, true] {
            for seed in 0..200 {
                assert_eq!(case(seed, Domains::Any, checkpoint), case(seed, Domains::Any, checkpoint));
                assert!(case(seed, Domains::Shared, checkpoint).can_be_asked());
            }
            assert_ne!(case(1, Domains::Any, checkpoint), case(2, Domains::Any, checkpoint));
        }
    }
}
