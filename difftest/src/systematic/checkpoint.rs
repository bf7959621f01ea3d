//! Checkpoints: each row of the schema from both sides, text in pieces, and every way to align one.

use crate::case::{Case, Kind};
use crate::generate::words;
use crate::systematic::shape::mistakes_in;
use crate::systematic::text::texts;
use crate::systematic::{SUFFIX, attribute, product};

/// A document with everything that a checkpoint can hold, but a domain.
const FULL: &str = "<domaincheckpoint><name>cp-1</name><description>before the upgrade</description><creationTime>1700000000</creationTime><parent><name>cp-0</name></parent><disks><disk name='vda' checkpoint='bitmap' bitmap='cp-1' size='1048576'/><disk name='vdb' checkpoint='no'/></disks></domaincheckpoint>";
/// The shortest documents of each kind.
const SHORT: &[&str] = &[
    "<domaincheckpoint/>",
    "<domaincheckpoint></domaincheckpoint>",
    "<domaincheckpoint> <!-- nothing --> </domaincheckpoint>",
    "<domaincheckpoint><name>cp-1</name></domaincheckpoint>",
    "<domaincheckpoint><description/></domaincheckpoint>",
    "<domaincheckpoint><name>cp-1</name><creationTime>1</creationTime></domaincheckpoint>",
    "<domaincheckpoint><creationTime>1</creationTime></domaincheckpoint>",
    "<domaincheckpoint><disks><disk name='vda'/></disks></domaincheckpoint>",
    "<domaincheckpoint><disks/></domaincheckpoint>",
    "<domaincheckpoint xmlns='urn:x'/>",
    "<domaincheckpoint xmlns:x='urn:x'/>",
    "<x:domaincheckpoint xmlns:x='urn:x'/>",
    "<DomainCheckpoint/>",
    "<domainsnapshot/>",
    "<domain type='qemu'/>",
    "<checkpoint/>",
];

pub fn checkpoint() -> Vec<Case> {
    let mut documents: Vec<String> = SHORT.iter().map(ToString::to_string).collect();
    documents.push(FULL.to_owned());
    documents.extend(mistakes_in(FULL));
    documents.extend(several_mistakes());
    documents.extend(named());
    documents.extend(numbered());
    documents.extend(listing());
    let mut cases: Vec<Case> = documents.iter().flat_map(|document| both(document)).collect();
    cases.extend(described());
    cases.extend(aligned());
    cases.extend(redefined());
    cases
}

fn case(kind: Kind, document: &str) -> Case {
    Case { kind, document: document.into(), domain: None, suffix: SUFFIX.into() }
}

/// Created, and redefined.
fn both(document: &str) -> [Case; 2] {
    [Kind::Checkpoint, Kind::Redefinition].map(|kind| case(kind, document))
}

fn with(children: &str) -> String {
    format!("<domaincheckpoint>{children}</domaincheckpoint>")
}

/// A checkpoint that can also be redefined.
fn with_disks(disks: &str) -> String {
    with(&format!("<name>cp-1</name><creationTime>1</creationTime><disks>{disks}</disks>"))
}

/// Which of several mistakes libvirt's message is about.
fn several_mistakes() -> Vec<String> {
    let wrong = [
        "<name>.</name>",
        "<description a='1'/>",
        "<creationTime>x</creationTime>",
        "<disks/>",
        "<parent/>",
        "<bogus/>",
        "text",
    ];
    let mut documents = Vec::new();
    for first in wrong {
        for second in wrong {
            documents.push(with(&format!("{first}{second}")));
            documents.push(format!("<domaincheckpoint mode='x'>{first}{second}</domaincheckpoint>"));
        }
    }
    documents
}

fn named() -> Vec<String> {
    // The recordings of a backup's text have each of these; every fifth shows that the same rule reads a name.
    let mut names: Vec<String> = texts().into_iter().step_by(5).collect();
    let plain =
        ["cp-1", "_", "-", "-x", "a.", "a..b", "1700000000", ".a", "..", "a/b", "../a", "a b", "a\tb", "a:b", "é"];
    names.extend(plain.iter().map(ToString::to_string));
    names.extend(
        [" a", "a ", "\na\n", "<b>a</b>", "a<b/>", "<![CDATA[a]]>", "&#97;", "&lt;", "a&#10;"].map(String::from),
    );
    names.push("c".repeat(300));
    let mut documents: Vec<String> =
        names.iter().map(|name| with(&format!("<name>{name}</name><creationTime>1</creationTime>"))).collect();
    documents.extend(names.iter().step_by(4).map(|name| {
        with(&format!("<name>cp-1</name><creationTime>1</creationTime><parent><name>{name}</name></parent>"))
    }));
    for parent in [
        "<parent/>",
        "<parent>p</parent>",
        "<parent> <name>p</name> <!-- p --> </parent>",
        "<parent><name>cp-1</name></parent>",
    ] {
        documents.push(with(&format!("<name>cp-1</name><creationTime>1</creationTime>{parent}")));
    }
    documents
}

fn numbered() -> Vec<String> {
    let mut documents = Vec::new();
    let zeros = format!("{}7", "0".repeat(40));
    let numbers = [
        "0",
        "1",
        "0012",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        "",
        "x",
        " 1",
        "1 ",
        "1\n",
        "1 2",
        "\u{663}",
        &zeros,
    ];
    for number in numbers {
        documents.push(with(&format!("<name>a</name><creationTime>{number}</creationTime>")));
        documents.push(with_disks(&format!("<disk name='vda'{}/>", attribute("size", Some(number)))));
    }
    for number in ["1<!-- -->2", "<![CDATA[12]]>", "&#49;", "1<x/>", "<!-- -->", " <!-- -->1", "1<?p?>"] {
        documents.push(with(&format!("<name>a</name><creationTime>{number}</creationTime>")));
    }
    documents
}

/// What a disk of a checkpoint may say of itself.
fn listing() -> Vec<String> {
    let lists: [&[_]; 4] = [
        &[None, Some("vda")],
        &[
            None,
            Some("no"),
            Some("bitmap"),
            Some("default"),
            Some("yes"),
            Some(""),
            Some(" no "),
            Some("bitmap\n"),
            Some("NO"),
        ],
        &[None, Some("b"), Some("")],
        &[None, Some("1"), Some("x")],
    ];
    let mut documents = Vec::new();
    for row in product(&lists) {
        let names = ["name", "checkpoint", "bitmap", "size"];
        let attributes: String = names.iter().zip(&row).map(|(name, value)| attribute(name, *value)).collect();
        documents.push(with_disks(&format!("<disk{attributes}/>")));
    }
    let names = words::DISK_NAMES.iter().chain(words::BAD_DISK_NAMES).chain(words::PATHS).chain(words::BAD_PATHS);
    documents.extend(names.map(|name| with_disks(&format!("<disk{}/>", attribute("name", Some(name))))));
    for bitmap in words::ANYTHING {
        documents.push(with_disks(&format!("<disk name='vda'{}/>", attribute("bitmap", Some(bitmap)))));
    }
    documents.push(with_disks("<disk name='vda'/><disk name='vda'/>"));
    documents.push(with_disks("<!-- none -->"));
    documents
}

fn described() -> Vec<Case> {
    let mut descriptions: Vec<String> = texts().into_iter().step_by(3).collect();
    descriptions.extend(["a\tb", "a\rb", "&#13;", "&lt;&amp;&gt;", "'\"", "é", "<b>x</b>", "  "].map(String::from));
    let document = |text: &String| with(&format!("<description>{text}</description>"));
    descriptions.iter().map(|text| case(Kind::Checkpoint, &document(text))).collect()
}

const UUID: &str = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

fn domain(disks: &str) -> String {
    format!(
        "<domain type='qemu'><name>vm</name><uuid>{UUID}</uuid><memory>1048576</memory><os><type>hvm</type></os><devices>{disks}</devices></domain>"
    )
}

/// Sources by the type they belong to: what each is named by, and the path that it is found by, if by any.
const SOURCES: &[(&str, &str)] = &[
    ("file", "<source file='/p'/>"),
    ("file", "<source file=''/>"),
    ("file", ""),
    ("file", "<source dev='/p'/>"),
    ("file", "<source file='p'/>"),
    ("block", "<source dev='/p'/>"),
    ("block", "<source file='/p'/>"),
    ("dir", "<source dir='/p'/>"),
    ("dir", ""),
    ("volume", "<source pool='p' volume='/p'/>"),
    ("volume", ""),
    ("network", "<source protocol='nbd' name='/p'><host name='h' port='1'/></source>"),
    ("network", "<source protocol='nbd' name='p'><host name='h' port='1'/></source>"),
    ("network", "<source protocol='nbd'><host name='h' port='1'/></source>"),
    ("network", "<source protocol='iscsi' name='/p'><host name='h'/></source>"),
    ("network", "<source protocol='https' name='/p' query='q'><host name='h'/></source>"),
    ("network", "<source protocol='nfs' name='/p'><host name='h'/></source>"),
    ("network", "<source protocol='sheepdog' name='/p'><host name='h'/></source>"),
    ("network", "<source protocol='gluster' name='v/p'><host name='h'/></source>"),
    ("network", "<source protocol='gluster' name='v//p'><host name='h'/></source>"),
    ("network", "<source protocol='gluster' name='/p/p'><host name='h'/></source>"),
    ("network", "<source protocol='rbd' name='v/p'><host name='h'/></source>"),
    ("network", "<source protocol='rbd' name='v//p'><host name='h'/></source>"),
    ("network", "<source protocol='rbd' name='p'><host name='h'/></source>"),
    ("network", ""),
    (
        "nvme",
        "<source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>",
    ),
    ("vhostuser", "<driver name='qemu' type='raw'/><source type='unix' path='/p'/>"),
    ("vhostvdpa", "<driver name='qemu' type='raw'/><source dev='/p'/>"),
];

fn aligned() -> Vec<Case> {
    let mut cases = Vec::new();
    let in_domain = |document: &str, domain: &str| Case {
        domain: Some(domain.as_bytes().to_vec()),
        ..case(Kind::Checkpoint, document)
    };
    for (kind, source) in SOURCES {
        for (device, extra) in [("disk", ""), ("disk", "<readonly/>"), ("cdrom", "")] {
            if device == "cdrom" && !matches!(*kind, "file" | "block" | "network") {
                continue;
            }
            let vm = domain(&format!(
                "<disk type='{kind}' device='{device}'>{source}<target dev='sda'/>{extra}</disk><disk><source file='/other'/><target dev='sdb'/></disk>"
            ));
            cases.push(in_domain("<domaincheckpoint/>", &vm));
            for listed in [
                "<disk name='sda'/>",
                "<disk name='/p'/>",
                "<disk name='sda' checkpoint='no'/>",
                "<disk name='/p' checkpoint='no'/>",
            ] {
                cases.push(in_domain(&with_disks(listed), &vm));
            }
        }
    }
    let image = |target: &str, path: &str| format!("<disk><source file='{path}'/><target dev='{target}'/></disk>");
    let two = domain(&format!("{}{}", image("vdb", "/b"), image("vda", "/a")));
    let shared = domain(&format!("{}{}{}", image("vda", "/a"), image("vdb", "/b"), image("vdc", "/b")));
    for document in [
        "<disk name='vda'/>",
        "<disk name='vdb'/><disk name='vda' checkpoint='no'/>",
        "<disk name='/b' bitmap='x'/><disk name='vda' bitmap=''/>",
        "<disk name='vda'/><disk name='/a'/>",
        "<disk name='/a'/><disk name='vda' checkpoint='no'/>",
        "<disk name='/a'/><disk name='/a'/>",
        "<disk name='vda'/><disk name='vdb'/><disk name='vdb'/>",
        "<disk name='vda'/><disk name='vdb'/><disk name='vdz'/>",
        "<disk name='vdy'/><disk name='vdz'/>",
        "<disk name='vdz' checkpoint='no'/>",
        "<disk name='/z'/>",
        "<disk name='C:\\x'/>",
        "<disk name='vda' checkpoint=' bitmap '/>",
        "<disk name='ioemu:hda'/>",
        "<disk name='/b'/>",
    ] {
        for vm in [&two, &shared, &domain(""), &domain(&image("ioemu:hda", "/a"))] {
            cases.push(in_domain(&with_disks(document), vm));
        }
    }
    for suffix in ["", "a b", "<&'\">", "1700000000"] {
        for document in ["<domaincheckpoint/>", "<domaincheckpoint><name>n</name></domaincheckpoint>"] {
            cases.push(Case { suffix: suffix.into(), ..in_domain(document, &two) });
        }
    }
    cases.push(in_domain("<domaincheckpoint/>", &domain("")));
    cases
}

/// Redefined: with the domain that the checkpoint holds, whatever the domain is now.
fn redefined() -> Vec<Case> {
    let disk = |target: &str| format!("<disk><source file='/{target}'/><target dev='{target}'/></disk>");
    let own = domain(&format!("{}{}", disk("vdb"), disk("vda")));
    let now = domain(&disk("vdz"));
    let mut cases = Vec::new();
    for held in ["", &own, &domain(""), &own.replace(UUID, "00000000-0000-4000-8000-000000000000")] {
        for disks in [
            "",
            "<disks><disk name='vda'/></disks>",
            "<disks><disk name='vdz'/></disks>",
            "<disks><disk name='/vda' checkpoint='no'/><disk name='vdb' bitmap='x'/></disks>",
        ] {
            let document = with(&format!("<name>cp-1</name><creationTime>1</creationTime>{held}{disks}"));
            cases.extend(both(&document));
            cases.extend(both(&document).map(|case| Case { domain: Some(now.as_bytes().to_vec()), ..case }));
        }
    }
    cases.push(Case {
        domain: Some(now.as_bytes().to_vec()),
        ..case(Kind::Redefinition, &with("<name>a</name><creationTime>1</creationTime><parent><name>a</name></parent>"))
    });
    cases
}
