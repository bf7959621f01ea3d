//! Combinations of elements and attributes.

use crate::case::Case;
use crate::generate::words;
use crate::systematic::{aligned, attribute, backup, domain, parsed, product};

/// Mode, type, inclusion and children of a disk: each combination.
pub fn disk() -> Vec<Case> {
    const CHILDREN: &[Option<&str>] = &[
        None,
        Some("<target file='/t'/>"),
        Some("<target dev='/t'/>"),
        Some("<scratch file='/t'/>"),
        Some("<scratch dev='/t'/>"),
        Some("<driver type='qcow2'/>"),
        Some("<driver type='qcow2'/><target file='/t'/>"),
        Some("<target dev='/t'/><driver type='raw'/>"),
        Some("<scratch file='/t'/><driver type='qcow2'/>"),
        Some("<driver type='qcow2'/><scratch dev='/t'/>"),
        Some("<scratch file='/t'/><target file='/t'/>"),
        Some("<target/>"),
        Some("<scratch/>"),
        Some("<target file='/t' dev='/t'/>"),
        Some("<driver/>"),
    ];
    let types = [None, Some("file"), Some("block"), Some("network")];
    let lists: [&[_]; 4] = [&[None, Some("pull")], &types, &[None, Some("yes"), Some("no")], CHILDREN];
    let rows = product(&lists).into_iter();
    rows.map(|row| {
        let kind = attribute("type", row[1]);
        let part = attribute("backup", row[2]);
        let disk = format!("<disk name='vda'{part}{kind}>{}</disk>", row[3].unwrap_or_default());
        parsed(backup(row[0].is_some(), &disk))
    })
    .collect()
}

/// The root's mode with each combination of children, and modes of root and disk, parsed and aligned.
pub fn mode() -> Vec<Case> {
    let mut cases = Vec::new();
    let modes = [None, Some("push"), Some("pull"), Some("both"), Some("")];
    let servers = [None, Some("<server name='h'/>"), Some("<server name='h'/><server name='h'/>"), Some("<server/>")];
    let disks = [None, Some("<disks><disk name='vda'/></disks>"), Some("<disks/>")];
    let incremental = [None, Some("<incremental>c</incremental>"), Some("<incremental/>")];
    for row in product(&[&modes, &servers, &disks, &incremental]) {
        let children: String = row[1..].iter().rev().flatten().copied().collect();
        cases.push(parsed(format!("<domainbackup{}>{children}</domainbackup>", attribute("mode", row[0]))));
    }
    let vm = domain(
        "<disk type='file'><source file='/a'/><target dev='vda'/></disk><disk type='file'><source file='/b'/><target dev='vdb'/></disk>",
    );
    let backupmodes = [None, Some("full"), Some("incremental"), Some("other")];
    let own = [None, Some(""), Some("own")];
    let whole = [None, Some(""), Some("root")];
    for row in product(&[&backupmodes, &own, &whole, &[None, Some("no"), Some("yes")], &[None, Some("pull")]]) {
        let pull = row[4].is_some();
        let root = row[2].map_or_else(String::new, |name| format!("<incremental>{name}</incremental>"));
        let disk = format!(
            "<disk name='vda' type='file'{}{}{}/>",
            attribute("backup", row[3]),
            attribute("backupmode", row[0]),
            attribute("incremental", row[1])
        );
        let disk = if row[3] == Some("no") { disk.replace(" type='file'", "") } else { disk };
        let text = backup(pull, &disk).replace("<disks>", &format!("{root}<disks>"));
        if row[3] != Some("yes") {
            cases.push(parsed(text.clone()));
        }
        cases.push(aligned(text, &vm));
    }
    cases
}

/// Each transport with each attribute, and the values of each.
pub fn server() -> Vec<Case> {
    let transports = [None, Some("tcp"), Some("unix"), Some("fd"), Some("rdma")];
    let lists: [&[_]; 6] = [
        &transports,
        &[None, Some("localhost")],
        &[None, Some("10809")],
        &[None, Some("/s")],
        &[None, Some("g")],
        &[None, Some("yes")],
    ];
    let mut cases: Vec<Case> = Vec::new();
    for row in product(&lists) {
        let names = ["transport", "name", "port", "socket", "fdgroup", "tls"];
        let attributes: String = names.iter().zip(&row).map(|(name, value)| attribute(name, *value)).collect();
        cases.push(with_server(&attributes, ""));
    }
    for host in words::HOSTS.iter().chain(words::BAD_HOSTS).chain(words::ANYTHING) {
        cases.push(with_server(&attribute("name", Some(host)), ""));
    }
    for port in words::PORTS.iter().chain(words::BAD_PORTS).chain(&["", "\n1", "1\n"]) {
        cases.push(with_server(&format!(" name='h'{}", attribute("port", Some(port))), ""));
    }
    for path in words::PATHS.iter().chain(words::BAD_PATHS).chain(words::ANYTHING) {
        cases.push(with_server(&format!(" transport='unix'{}", attribute("socket", Some(path))), ""));
    }
    for group in words::ANYTHING {
        cases.push(with_server(&format!(" transport='fd'{}", attribute("fdgroup", Some(group))), ""));
    }
    for tls in ["yes", "no", "", "Yes", "on", " yes "] {
        cases.push(with_server(&format!(" name='h'{}", attribute("tls", Some(tls))), ""));
    }
    for child in ["<x/>", "x", " ", "<!-- x -->", "<name>h</name>"] {
        cases.push(with_server(" name='h'", child));
    }
    cases
}

fn with_server(attributes: &str, children: &str) -> Case {
    parsed(format!("<domainbackup mode='pull'><server{attributes}>{children}</server></domainbackup>"))
}

/// Names of disks, included and excluded, in both modes.
pub fn name() -> Vec<Case> {
    let mut names: Vec<String> =
        words::DISK_NAMES.iter().chain(words::BAD_DISK_NAMES).map(ToString::to_string).collect();
    names.extend(["", "v", "a"].map(String::from));
    for prefix in ["fd", "hd", "sd", "vd", "xvd", "ubd", "ioemu:fd", "ioemu:xvd", "ioemu:nvme"] {
        names.extend(["", "a", "0", "_", "A9_z", "a.", "é"].map(|rest| format!("{prefix}{rest}")));
    }
    let mut cases = Vec::new();
    for name in &names {
        let name = attribute("name", Some(name));
        cases.push(parsed(backup(false, &format!("<disk{name} type='file'/>"))));
        cases.push(parsed(backup(true, &format!("<disk{name} backup='no'/>"))));
    }
    cases.push(parsed(backup(false, "<disk type='file'/>")));
    cases
}

/// One part too many or too few in each element of a complete document.
pub fn mistakes() -> Vec<Case> {
    const PUSH: &str = "<domainbackup mode='push'><incremental>c</incremental><disks><disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='d'><driver type='qcow2'/><target file='/t'><seclabel model='dac' relabel='yes'><label>l</label></seclabel><encryption format='luks' engine='qemu'><secret type='passphrase' usage='u'/><cipher name='aes' size='256' mode='cbc' hash='sha256'/><ivgen name='plain64' hash='sha256'/></encryption></target></disk><disk name='vdb' backup='no'/></disks></domainbackup>";
    let pull = PUSH
        .replace("push", "pull")
        .replace("target", "scratch")
        .replace("<disks>", "<server transport='tcp' tls='yes' name='h' port='1'/><disks>")
        .replace("<disk name='vda'", "<disk name='vda' exportname='e' exportbitmap='b'");
    let mut cases = Vec::new();
    for document in [PUSH, &pull] {
        cases.push(parsed(document));
        cases.extend(mistakes_in(document).into_iter().map(parsed));
    }
    cases
}

/// `document` with each element and each attribute corrupted in each way.
pub fn mistakes_in(document: &str) -> Vec<String> {
    let mut corrupted = Vec::new();
    for (index, _) in document.match_indices('<').filter(|(index, _)| !document[*index..].starts_with("</")) {
        corrupted.extend(corrupted_at(document, index));
    }
    for (index, _) in document.match_indices("='") {
        corrupted.extend(attribute_corrupted(document, index));
    }
    corrupted
}

/// The tag that begins at `index`, corrupted in each way.
fn corrupted_at(document: &str, index: usize) -> Vec<String> {
    let name_end = index + document[index..].find([' ', '/', '>']).unwrap_or(0);
    let tag_end = index + document[index..].find('>').unwrap_or(0);
    let empty = document[..tag_end].ends_with('/');
    let name = &document[index + 1..name_end];
    let insert = |at: usize, text: &str| format!("{}{text}{}", &document[..at], &document[at..]);
    let mut corrupted = vec![
        insert(name_end, " bogus=''"),
        insert(name_end, " xmlns='urn:x'"),
        insert(name_end, " xmlns:p='urn:x'"),
        insert(name_end, " xml:lang='en'"),
        insert(name_end, " index='1' state='running'"),
    ];
    for child in ["<bogus/>", "text", " ", "<![CDATA[]]>", "&#160;", "<p:bogus xmlns:p='urn:x'/>"] {
        corrupted.push(if empty {
            format!("{}>{child}</{name}>{}", &document[..tag_end - 1], &document[tag_end + 1..])
        } else {
            insert(tag_end + 1, child)
        });
    }
    if let Some(end) = element_end(document, index, name, tag_end, empty) {
        let element = &document[index..end];
        corrupted.push(insert(end, element));
        corrupted.push(format!("{}{}", &document[..index], &document[end..]));
        corrupted.push(insert(index, "<description/>"));
        let renamed = element.replacen(name, "renamed", 1);
        corrupted.push(format!("{}{}{}", &document[..index], close_as(&renamed, name, "renamed"), &document[end..]));
    }
    corrupted
}

fn element_end(document: &str, index: usize, name: &str, tag_end: usize, empty: bool) -> Option<usize> {
    if empty {
        return Some(tag_end + 1);
    }
    let closing = format!("</{name}>");
    Some(index + document[index..].find(&closing)? + closing.len())
}

fn close_as(element: &str, old: &str, new: &str) -> String {
    let closing = format!("</{old}>");
    element.strip_suffix(&closing).map_or_else(|| element.to_owned(), |rest| format!("{rest}</{new}>"))
}

/// The attribute whose `='` is at `index`: removed, empty, unknown, duplicated.
fn attribute_corrupted(document: &str, index: usize) -> Vec<String> {
    let start = document[..index].rfind(' ').unwrap_or(0);
    let end = index + 2 + document[index + 2..].find('\'').unwrap_or(0) + 1;
    let (before, attribute, after) = (&document[..start], &document[start..end], &document[end..]);
    let name = &document[start..index];
    vec![
        format!("{before}{after}"),
        format!("{before}{name}=''{after}"),
        format!("{before}{name}='unknown value'{after}"),
        format!("{before}{}{after}", attribute.replacen("='", "=' ", 1)),
        format!("{before}{attribute}{attribute}{after}"),
    ]
}
