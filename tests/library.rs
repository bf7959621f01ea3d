//! The library's interface: parsing, aligning, formatting and building backups.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use backupxml::build::{
    Checkpoint, Cipher, Destination, DiskName, Encryption, Extent, Host, Ivgen, Label, Path, Pull, PullDisk, Push,
    PushDisk, Secret, Server, SocketPath, StorageFormat, Uuid, Word,
};
use backupxml::diagnostic::Diagnostic;
use backupxml::release::Release;
use backupxml::{Domain, Options, align, check, check_bytes, format, normalize, parse, parse_bytes};

fn options() -> Options {
    Options { suffix: "monday".to_owned(), ..Options::default() }
}

#[test]
fn the_steps_make_the_whole_way() {
    let (text, domain) = (include_str!("../examples/backup.xml"), include_str!("../examples/domain.xml"));
    let domain = Domain::parse(domain).unwrap();
    let mut backup = parse(text, &options()).unwrap();
    assert_eq!(Ok(format(&backup)), normalize(text, None, &options()));
    align(&mut backup, &domain, &options()).unwrap();
    assert_eq!(Ok(format(&backup)), normalize(text, Some(&domain), &options()));
    let mut unknown_disk = parse("<domainbackup><disks><disk name='vdz'/></disks></domainbackup>", &options()).unwrap();
    let diagnostics = align(&mut unknown_disk, &domain, &options()).unwrap_err();
    assert_eq!(diagnostics[0].to_string(), "error: unknown disk `vdz` [align/no-such-disk]");
    assert!(Domain::parse("<domainbackup/>").is_err());
}

#[test]
fn files_are_decoded() {
    let latin =
        b"<?xml version='1.0' encoding='ISO-8859-1'?><domainbackup><incremental>\xe9</incremental></domainbackup>";
    assert_eq!(parse_bytes(latin, &options()).unwrap().incremental.unwrap().value, "\u{e9}");
    assert_eq!(check_bytes(latin, None, &options()), []);
    assert_eq!(check_bytes(b"<domainbackup>\xff</domainbackup>", None, &options())[0].rule.name(), "xml/undecodable");
    assert!(parse_bytes(b"<domainbackup/>\0", &options()).is_err());
}

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

/// Destinations of every kind: types, labels, encryption.
fn destinations() -> Vec<Destination> {
    let path = || Path::new("/backup/a b&'\"<>\t\u{e9}").unwrap();
    let mut found = vec![Destination::file(path()), Destination::block(path())];
    let label = || Label::new(" x\n<y>").unwrap();
    found.push(
        Destination::file(path())
            .seclabel(None, label())
            .seclabel(Some(word("dac")), Label::kept())
            .seclabel(Some(word("")), Label::skipped())
            .seclabel(Some(word("dac")), label()),
    );
    let secrets = [Secret::Uuid(Uuid::new("0123456789ABCDEF0123456789abcdef").unwrap()), Secret::Usage(word(""))];
    for secret in secrets {
        let encryption = || Encryption::luks(secret.clone());
        let cipher = || Cipher::new(word("aes"), u32::MAX);
        let ivgen = || Ivgen::new(word("plain64"));
        let ciphers = [cipher(), cipher().mode_and_hash(word("xts"), word(""))];
        found.push(Destination::file(path()).encryption(encryption()));
        for cipher in ciphers {
            for ivgen in [ivgen(), ivgen().hash(word("sha256"))] {
                let encryption = encryption().by_qemu().cipher(cipher.clone(), ivgen);
                found.push(Destination::block(path()).seclabel(None, label()).encryption(encryption));
            }
        }
    }
    found
}

fn extents() -> [Option<Extent>; 3] {
    [None, Some(Extent::Full), Some(Extent::Since(Checkpoint::new(" cp\n").unwrap()))]
}

fn pushes() -> Vec<Push> {
    let name = || DiskName::new("nvme0n1p2").unwrap();
    let mut found = vec![Push::new(), Push::new().exclude(name())];
    let formats = StorageFormat::WORDS.iter().map(|word| StorageFormat::from_name(word));
    for format in formats.chain([None]) {
        for target in destinations().into_iter().map(Some).chain([None]) {
            for extent in extents() {
                let mut disk = PushDisk::new(name());
                disk = target.clone().map_or(disk.clone(), |target| disk.target(target));
                disk = extent.map_or(disk.clone(), |extent| disk.extent(extent));
                disk = format.map_or(disk.clone(), |format| disk.format(format));
                let push = Push::new().incremental(Checkpoint::new("cp").unwrap());
                found.push(push.disk(disk).exclude(DiskName::new("vdz").unwrap()));
            }
        }
    }
    found
}

fn servers() -> Vec<Server> {
    let hosts = ["localhost", "10.0.0.1", "::1", "fe80::1:2"].map(|host| Host::new(host).unwrap());
    let tcp = hosts.iter().flat_map(|host| [0, 1, u16::MAX].map(|port| Server::tcp(host.clone(), port)));
    let mut found: Vec<_> = tcp.collect();
    found.push(Server::unix(SocketPath::new("/run/x y.sock").unwrap()).tls(true));
    found.extend(["", "group"].map(|group| Server::fd(word(group)).tls(false)));
    found
}

fn pulls() -> Vec<Pull> {
    let name = || DiskName::new("sda").unwrap();
    let mut found: Vec<_> = servers().into_iter().map(Pull::new).collect();
    let server = || servers().remove(0);
    found.push(Pull::new(server()).exclude(name()));
    for scratch in destinations().into_iter().map(Some).chain([None]) {
        for extent in extents() {
            let mut disk = PullDisk::new(name()).export_name(word("")).export_bitmap(word("b"));
            disk = scratch.clone().map_or(disk.clone(), |scratch| disk.scratch(scratch));
            disk = extent.map_or(disk.clone(), |extent| disk.extent(extent));
            found.push(Pull::new(server()).incremental(Checkpoint::new("cp").unwrap()).disk(disk));
        }
    }
    found
}

#[test]
fn built_documents_are_accepted_and_parse_to_the_same_model() {
    let built = pushes().into_iter().map(|push| (push.to_string(), push.backup()));
    let built: Vec<_> = built.chain(pulls().into_iter().map(|pull| (pull.to_string(), pull.backup()))).collect();
    for (text, backup) in &built {
        // Whether disks exist and whether QEMU can write their formats is not part of the schema.
        let refused = |diagnostic: &Diagnostic| {
            diagnostic.is_error() && !["qemu", "checkpoint"].contains(&diagnostic.rule.family())
        };
        let errors = check(text, None, &options()).into_iter().filter(refused);
        assert_eq!(errors.collect::<Vec<_>>(), [], "{text}");
        let read = parse(text, &options()).unwrap();
        // libvirt prints a label on a line of its own, without adding white space to its text.
        if !text.contains("<label>") {
            assert_eq!(&read, backup, "{text}");
        }
        assert_eq!(normalize(text, None, &options()).as_ref(), Ok(text));
    }
    assert!(built.len() > 600, "{}", built.len());
}

#[test]
fn older_releases_take_it_too_but_for_what_they_do_not_have() {
    for (text, newer) in [
        (Push::new().disk(PushDisk::new(DiskName::new("vda").unwrap())).to_string(), false),
        (Pull::new(Server::fd(word("x"))).to_string(), true),
        (Push::new().exclude(DiskName::new("nvme0n1").unwrap()).to_string(), true),
    ] {
        let options = Options { release: Release::V9_0_0, ..options() };
        assert_eq!(check(&text, None, &options).is_empty(), !newer, "{text}");
    }
}

#[test]
fn text_that_cannot_be_meant_is_refused() {
    assert!(DiskName::new("/images/vm.qcow2").is_err() && DiskName::new("").is_err());
    assert!(Path::new("backup.qcow2").is_err() && Path::new("/a\nb").is_err() && Path::new("/").is_err());
    assert!(SocketPath::new("C:\\x").is_err() && Path::new("C:\\x").is_ok());
    assert!(Host::new("[::1]").is_err() && Host::new("a_b").is_err() && Host::new("").is_err());
    assert!(Checkpoint::new("").is_err() && Uuid::new("123").is_err());
    assert!(Label::new("").is_err() && Label::new("x".repeat(4097)).is_err() && Label::new("x".repeat(4096)).is_ok());
    for character in ['\0', '\u{1b}', '\u{ffff}'] {
        assert!(Word::new(character).is_err(), "{character:?}");
    }
    assert_eq!(Host::new("a b").unwrap_err().to_string(), "'a b' is not a host name or address");
}

#[test]
fn the_readmes_rust_is_this() {
    fn print() -> Result<String, backupxml::build::Invalid> {
        let target = Destination::file(Path::new("/backup/vda.qcow2")?);
        let push = Push::new().disk(PushDisk::new(DiskName::new("vda")?).target(target));
        println!("{push}");
        Ok(push.to_string())
    }
    assert!(print().unwrap().contains("<target file='/backup/vda.qcow2'/>"));
    let (_, block) = include_str!("../README.md").split_once("```rust\n").unwrap();
    let lines = block.split("```").next().unwrap().lines().filter(|line| !line.starts_with("use ") && !line.is_empty());
    for line in lines {
        assert!(include_str!("library.rs").contains(&format!("        {line}\n")), "{line}");
    }
}
