//! Characters, white space, and state files.

use crate::case::{Case, Kind};
use crate::generate::words;
use crate::systematic::{attribute, backup, domain, parsed};

/// Texts of up to three pieces in each order.
pub fn texts() -> Vec<String> {
    let pieces = [" ", "a", "<!---->", "<![CDATA[ ]]>", "<![CDATA[b]]>", "&#32;", "<?p?>", "\n"];
    let mut texts: Vec<String> = words::PIECES.iter().map(ToString::to_string).collect();
    for first in pieces {
        for second in pieces {
            texts.push(format!("{first}{second}"));
            texts.extend(pieces.map(|third| format!("{first}{second}{third}")));
        }
    }
    texts
}

/// Two and three pieces of text in each order.
pub fn text() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, text) in texts().iter().enumerate() {
        cases.push(parsed(format!("<domainbackup><incremental>{text}</incremental></domainbackup>")));
        // Both are read by the same rule; every fourth is enough to test that.
        if index % 4 == 0 {
            let label = format!("<target file='/t'><seclabel><label>{text}</label></seclabel></target>");
            cases.push(parsed(backup(false, &format!("<disk name='vda' type='file'>{label}</disk>"))));
        }
    }
    for value in words::ANYTHING.iter().chain(words::CHECKPOINTS) {
        let disk = format!(
            "<disk name='vda'{}{}/>",
            attribute("incremental", Some(value)),
            attribute("exportname", Some(value))
        );
        cases.push(parsed(backup(true, &disk)));
    }
    for raw in
        ["a\nb", "a\tb", "a\r\nb", "a\rb", "\n", "a&#10;b", "a&#9;b", "a&#13;b", "a&#xA;\nb", "&#13;&#10;", "&#x20; "]
    {
        cases.push(parsed(backup(true, &format!("<disk name='vda' exportname=\"{raw}\" exportbitmap='{raw}'/>"))));
        cases.push(parsed(format!("<domainbackup><incremental>{raw}</incremental></domainbackup>")));
    }
    cases
}

const ROOT: &str = "<domainbackup/>";
/// What may or may not precede the root.
const BEFORE: &[&str] = &[
    "\u{FEFF}",
    "\n",
    "<?xml version='1.0'?>",
    "<?xml version='1.1'?>",
    "<?xml version='1.2'?>",
    "<?xml version='2.0'?>",
    "\n<?xml version='1.0'?>",
    "<?xml version='1.0' encoding='utf-8'?>",
    "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>",
    "<?xml version='1.0' encoding='x-unknown'?>",
    "<?xml encoding='UTF-8'?>",
    "<?xml version='1.0' standalone='maybe'?>",
    "<!DOCTYPE domainbackup>",
    "<!DOCTYPE other>",
    "<!DOCTYPE domainbackup SYSTEM 'none.dtd'>",
    "<!DOCTYPE domainbackup []>",
    "<!DOCTYPE domainbackup PUBLIC 'p' 's'>",
    "<!DOCTYPE domainbackup><!DOCTYPE domainbackup>",
    "<!-- a -- b -->",
    "<!-- a -->",
    "<?p?>",
    "<?XML ?>",
    "x",
    "&#32;",
    "<![CDATA[]]>",
    "\u{FEFF}\u{FEFF}",
    "\u{A0}",
];

/// What may or may not follow it.
const AFTER: &[&str] = &[
    "\n",
    "<!-- -->",
    "<?p?>",
    "x",
    ROOT,
    "&#10;",
    "<![CDATA[]]>",
    "\u{FEFF}",
    "</domainbackup>",
    "<!DOCTYPE domainbackup>",
    "<",
];

/// What may or may not be inside it.
const INSIDE: &[&str] = &[
    "",
    " ",
    "\n",
    "&#32;",
    "&#xA;",
    "&#160;",
    "\u{A0}",
    "<![CDATA[]]>",
    "<![CDATA[ ]]>",
    "<![CDATA[x]]>",
    "x",
    "<!-- -->",
    "<?p?>",
    "&amp;",
    "&undefined;",
    "&#0;",
    "&#1;",
    "&#x110000;",
    "&#xD800;",
    "&#xFFFE;",
    "]]>",
    "\u{1}",
    "\u{7F}",
    "\u{85}",
    "\u{FFFE}",
    "\u{FFFD}",
    "<",
    "&",
    "&#;",
    "&#x;",
    "<a>",
    "</a>",
    "<incremental>a",
    "<incremental>&#1;</incremental>",
    "<incremental>\u{85}\u{2028}</incremental>",
    "<incremental>]]&gt;</incremental>",
    "<incremental>]]></incremental>",
    "<incremental><![CDATA[]]]]><![CDATA[>]]></incremental>",
];

/// Root elements, correct and wrong.
const ROOTS: &[&str] = &[
    "",
    " ",
    "<a/>",
    "<domain/>",
    "<DomainBackup/>",
    "<domainbackups/>",
    "<p:domainbackup xmlns:p='urn:x'/>",
    "<domainbackup xmlns='urn:x'/>",
    "<domainbackup xmlns=''/>",
    "<domainbackup xmlns:p='urn:x'/>",
    "<domainbackup p:mode='push'/>",
    "<p:domainbackup/>",
    "<domainbackup mode=push/>",
    "<domainbackup mode/>",
    "<domainbackup mode='push' mode='push'/>",
    "<domainbackup mode='push\"/>",
    "<domainbackup mode = \"push\" ></domainbackup >",
    "< domainbackup/>",
    "<domainbackup / >",
    "<domainbackup mode='push'x='y'/>",
    "<domainbackup mode='<'/>",
    "<domainbackup mode='&'/>",
    "<domainbackup\nmode\n=\n'push'\n/>",
    "<domainbackup mode='&#112;ush'/>",
    "<domainbackup mode='p&#x75;sh'/>",
    "<domainbackup xml:space='preserve'/>",
    "<domainbackup xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
    "<domainbackup xmlns:p=''/>",
    "<domainbackup 1='2'/>",
    "<domainbackup é=''/>",
];

/// The content around the root and around its children.
pub fn spelling() -> Vec<Case> {
    let mut documents: Vec<Vec<u8>> = Vec::new();
    documents.extend(BEFORE.iter().map(|before| format!("{before}{ROOT}").into_bytes()));
    documents.extend(AFTER.iter().map(|after| format!("{ROOT}{after}").into_bytes()));
    documents.extend(INSIDE.iter().map(|inside| format!("<domainbackup>{inside}</domainbackup>").into_bytes()));
    documents.extend(ROOTS.iter().map(|&root| root.into()));
    documents.extend(encoded());
    documents.extend(with_subset());
    for depth in [10, 254, 255, 256, 300] {
        documents.push(format!("<domainbackup>{}{}</domainbackup>", "<a>".repeat(depth), "</a>".repeat(depth)).into());
    }
    documents.into_iter().map(parsed).collect()
}

/// Bytes of each kind in each encoding declared, or none.
fn encoded() -> Vec<Vec<u8>> {
    let mut documents = Vec::new();
    for bytes in
        [&b"\xe9"[..], b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\x80", b"\xe2\x82"]
    {
        for encoding in [
            "",
            "encoding='UTF-8'",
            "encoding='ISO-8859-1'",
            "encoding='iso-8859-15'",
            "encoding='US-ASCII'",
            "encoding='windows-1252'",
        ] {
            let declaration =
                if encoding.is_empty() { String::new() } else { format!("<?xml version='1.0' {encoding}?>") };
            let mut document = format!("{declaration}<domainbackup><incremental>").into_bytes();
            document.extend(bytes);
            document.extend(b"</incremental></domainbackup>");
            documents.push(document);
        }
    }
    documents
}

/// An internal subset, which backupxml refuses and libvirt expands.
fn with_subset() -> Vec<Vec<u8>> {
    let mut documents = Vec::new();
    for subset in [
        "[]>",
        "[<!ENTITY e 'push'>]>",
        "[<!ELEMENT domainbackup ANY>]>",
        "[<!ATTLIST domainbackup mode CDATA 'push'>]>",
        "SYSTEM 'none.dtd' [<!-- c -->]>",
        "[ <!ENTITY % p ''> ]>",
    ] {
        for root in [ROOT, "<domainbackup mode='&e;'/>", "<domainbackup><incremental>&e;</incremental></domainbackup>"]
        {
            documents.push(format!("<!DOCTYPE domainbackup {subset}{root}").into());
        }
    }
    documents
}

/// A fixed word with something around it: the schema accepts white space, the parser does not.
pub fn fixed_words() -> Vec<Case> {
    let full = "<domainbackup mode='pull'><server transport='tcp' tls='yes' name='h' port='1'/><disks><disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='c'><driver type='qcow2'/><scratch file='/t'><seclabel model='m' relabel='yes'><label>x</label></seclabel><encryption format='luks' engine='qemu'><secret type='passphrase' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/><cipher name='aes' size='1' mode='cbc' hash='sha1'/><ivgen name='plain' hash='md5'/></encryption></scratch></disk><disk name='vdb' backup='no'/></disks></domainbackup>";
    let push = full
        .replace("pull", "push")
        .replace("scratch", "target")
        .replace("<server transport='tcp' tls='yes' name='h' port='1'/>", "");
    let unix = full.replace("'tcp' tls='yes' name='h' port='1'", "'unix' socket='/s'");
    let fd = full.replace("'tcp' tls='yes' name='h' port='1'", "'fd' fdgroup='g'");
    let skip = full.replace("relabel='yes'><label>x</label></seclabel>", "labelskip='yes'/>");
    let mut cases = Vec::new();
    for document in [full, &push, &unix, &fd, &skip] {
        for (index, _) in document.match_indices("='") {
            let start = index + 2;
            let end = start + document[start..].find('\'').unwrap_or(0);
            let word = &document[start..end];
            // The later documents differ from the first in few words only.
            if document != full && full.contains(&document[document[..index].rfind(' ').unwrap_or(0)..=end]) {
                continue;
            }
            for corrupted in [
                format!(" {word}"),
                format!("{word}\n"),
                format!("&#9;{word}&#13;"),
                format!("{word}&#160;"),
                word.to_uppercase(),
            ] {
                cases.push(parsed(format!("{}{corrupted}{}", &document[..start], &document[end..])));
            }
        }
    }
    cases
}

/// Documents that only the parser checks, since the schema does not apply.
pub fn status() -> Vec<Case> {
    let mut backups: Vec<String> = Vec::new();
    for state in [
        "",
        " state=''",
        " state='none'",
        " state='running'",
        " state='complete'",
        " state='failed'",
        " state='cancelling'",
        " state='cancelled'",
        " state='RUNNING'",
        " state=' running '",
    ] {
        for attributes in ["", " backup='no'", " type='file'", " index='7'", " type='block' index='0'"] {
            backups.push(backup(false, &format!("<disk name='vda'{attributes}{state}/>")));
        }
    }
    for index in words::PORTS.iter().chain(words::BAD_PORTS).chain(&["", "65536"]) {
        backups.push(backup(true, &format!("<disk name='vda' state='running'{}/>", attribute("index", Some(index)))));
    }
    for disk in [
        "<disk/>",
        "<disk state='running'/>",
        "<disk name='' state='running'/>",
        "<disk name='anything' state='running'/>",
        "<disk name='vda' backup='maybe'/>",
        "<disk name='vda' backup=''/>",
        "<disk name='vda' state='running' backupmode='other'/>",
        "<disk name='vda' state='running' backupmode='full' incremental='c'/>",
        "<disk name='vda' state='running' type='network'/>",
        "<disk name='vda' state='running' type='dir'/>",
        "<disk name='vda' state='running' type='volume'/>",
        "<disk name='vda' state='running' type='nvme'/>",
        "<disk name='vda' state='running' type='vhostuser'/>",
        "<disk name='vda' state='running' type='none'/>",
        "<disk name='vda' state='running' type=''/>",
        "<disk name='vda' state='running' unknown='x' xml:lang='en'/>",
        "<disk name='vda' state='running'><unknown/>text</disk>",
        "<disk name='vda' state='running'><driver/></disk>",
        "<disk name='vda' state='running'><driver type=''/></disk>",
        "<disk name='vda' state='running'><driver type='luks'/></disk>",
        "<disk name='vda' state='running'><driver type='none'/></disk>",
        "<disk name='vda' state='running'><driver type='raw'/><driver type='qcow2'/></disk>",
        "<disk name='vda' state='running'><driver type='qcow2' cache='none'/></disk>",
        "<disk name='vda' state='running'><target/></disk>",
        "<disk name='vda' state='running'><target file=''/></disk>",
        "<disk name='vda' state='running'><target file='relative'/></disk>",
        "<disk name='vda' state='running'><target dev='/d'/></disk>",
        "<disk name='vda' state='running' type='block'><target file='/f'/></disk>",
        "<disk name='vda' state='running' type='block'><target dev='/d'/></disk>",
        "<disk name='vda' state='running'><target file='/a'/><target file='/b'/></disk>",
        "<disk name='vda' state='running'><scratch file='/a'/></disk>",
        "<disk name='vda' state='running' exportname='' exportbitmap=''/>",
        "<disk name='vda' backup='no' exportname='e' incremental='c'/>",
        "<disk name='vda' state='running'/><disk name='vda' state='running'/>",
        "<x/>",
        "",
        "text",
        "<disk name='vda' state='running'><target file='/t'><seclabel/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><seclabel relabel='maybe'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><seclabel labelskip='maybe'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><seclabel relabel='no'><label>x</label></seclabel></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><seclabel labelskip='yes' relabel='no' model='m'><label>x</label></seclabel></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='qcow'><secret type='passphrase' uuid='0a81f5b284037b23c8d621ccc2f80d6f'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='default'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks2' engine='librbd'><secret type='passphrase' usage='u'/><secret type='passphrase' usage='v'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='x'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks' engine='x'/></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='x'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='volume'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' uuid='x'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' uuid='0a81f5b284037b23c8d621ccc2f80d6f' usage='u'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><cipher/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><cipher name='a'/><ivgen/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><cipher size='8'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><ivgen name='i'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><cipher name='a' size='x'/></encryption></target></disk>",
        "<disk name='vda' state='running'><target file='/t'><encryption format='luks'><secret type='passphrase' usage='u'/><cipher name='a' size='8' hash='h'/></encryption></target></disk>",
    ] {
        backups.push(backup(false, disk));
    }
    backups.extend(status_servers());
    backups.extend(private_data());
    let case = |backup: String| Case { kind: Kind::Status, ..parsed(backup) };
    let mut cases: Vec<Case> = backups.into_iter().map(case).collect();
    let vm = domain(
        "<disk type='file'><source file='/a'/><target dev='vda'/></disk><disk type='file'><source file='/b'/><target dev='vdb'/></disk>",
    );
    let aligned: Vec<Case> =
        cases.iter().step_by(5).map(|case| Case { domain: Some(vm.clone().into()), ..case.clone() }).collect();
    cases.extend(aligned);
    cases
}

fn status_servers() -> Vec<String> {
    let servers = [
        "",
        "<server/>",
        "<server transport=''/>",
        "<server transport='tcp'/>",
        "<server transport='unix'/>",
        "<server transport='fd'/>",
        "<server transport='rdma'/>",
        "<server transport='rdma' name='h'/>",
        "<server transport='vsock'/>",
        "<server transport=' tcp ' name='h'/>",
        "<server name=''/>",
        "<server name='a b'/>",
        "<server name='h' port=''/>",
        "<server name='h' port='65536'/>",
        "<server name='h' port='x'/>",
        "<server name='h' port='-1'/>",
        "<server name='h' tls='maybe'/>",
        "<server name='h' tls=''/>",
        "<server name='h' tls='no'/>",
        "<server name='h' socket='/s' fdgroup='g'/>",
        "<server transport='unix' socket='relative'/>",
        "<server transport='unix' socket=''/>",
        "<server transport='unix' socket='/s' name='h' port='1'/>",
        "<server transport='fd' fdgroup=''/>",
        "<server name='h'/><server name='i'/>",
        "<server name='h'><x/></server>",
        "<server name='h' unknown='x'/>",
    ];
    let mut backups = Vec::new();
    for server in servers {
        for mode in ["", " mode='pull'"] {
            backups.push(format!("<domainbackup{mode}>{server}</domainbackup>"));
        }
    }
    for root in [
        "<domainbackup mode=''/>",
        "<domainbackup mode='x'/>",
        "<domainbackup mode=' pull '/>",
        "<domainbackup unknown='x'><unknown/>text</domainbackup>",
        "<domainbackup><incremental/></domainbackup>",
        "<domainbackup><incremental>a<b/>c</incremental></domainbackup>",
        "<domainbackup><incremental>a</incremental><incremental>b</incremental></domainbackup>",
        "<domainbackup><incremental x='y'>a</incremental></domainbackup>",
        "<domainbackup><disks/></domainbackup>",
        "<domainbackup><disks><disk name='a' backup='no'/></disks><disks><disk name='b' backup='no'/></disks></domainbackup>",
        "<x/>",
        "<domainbackup xmlns='urn:x' mode='pull'/>",
        "<p:domainbackup xmlns:p='urn:x'/>",
        "<domainbackup xmlns:p='urn:x'><p:incremental>a</p:incremental><p:disks/></domainbackup>",
        "<domainbackup xmlns:p='urn:x' p:mode='pull'/>",
    ] {
        backups.push(root.to_owned());
    }
    backups
}

fn private_data() -> Vec<String> {
    let data = [
        "<privateData/>",
        "<privateData><objects/></privateData>",
        "<privateData><objects><secret type='tlskey' alias='a'/></objects></privateData>",
        "<privateData><objects><TLSx509 alias='b'/></objects></privateData>",
        "<privateData><objects><secret type='tlskey' alias='a'/><TLSx509 alias='b'/></objects></privateData>",
        "<privateData><objects><secret type='other' alias='a'/><TLSx509/></objects></privateData>",
        "<privateData><objects><secret alias='a'/><secret type='tlskey'/></objects></privateData>",
        "<privateData><objects><secret type='tlskey' alias='a'/><secret type='tlskey' alias='b'/></objects></privateData>",
        "<privateData><objects><secret type='tlskey' alias=''/><TLSx509 alias=''/></objects></privateData>",
        "<privateData><secret type='tlskey' alias='a'/></privateData>",
        "<objects><secret type='tlskey' alias='a'/></objects>",
        "<privateData><objects><secret type='tlskey' alias='&lt;'/></objects><unknown/></privateData>",
    ];
    data.iter()
        .map(|data| {
            backup(true, "<disk name='vda' state='running'/>")
                .replace("</domainbackup>", &format!("{data}</domainbackup>"))
        })
        .collect()
}
