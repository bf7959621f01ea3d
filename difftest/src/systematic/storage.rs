//! Destinations: formats, paths, labels and encryption.

use crate::case::Case;
use crate::generate::words;
use crate::systematic::{attribute, backup, parsed, product};

/// Each format in each mode, on both types.
pub fn driver() -> Vec<Case> {
    let mut cases = Vec::new();
    for format in words::FORMATS.iter().chain(words::BAD_FORMATS).chain(&["", " raw ", "RAW"]) {
        let driver = format!("<driver{}/>", attribute("type", Some(format)));
        cases.push(parsed(backup(false, &format!("<disk name='vda' type='file'>{driver}</disk>"))));
        cases.push(parsed(backup(false, &format!("<disk name='vda' type='block'>{driver}<target dev='/t'/></disk>"))));
        cases.push(parsed(backup(true, &format!("<disk name='vda'><scratch file='/t'/>{driver}</disk>"))));
    }
    cases
}

/// Each path on each element that has one.
pub fn path() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in words::PATHS.iter().chain(words::BAD_PATHS).chain(words::ANYTHING) {
        let file = attribute("file", Some(path));
        let device = attribute("dev", Some(path));
        cases.push(parsed(backup(false, &format!("<disk name='vda' type='file'><target{file}/></disk>"))));
        cases.push(parsed(backup(true, &format!("<disk name='vda' type='block'><scratch{device}/></disk>"))));
    }
    cases
}

fn scratch(children: &str) -> Case {
    parsed(backup(true, &format!("<disk name='vda'><scratch file='/t'>{children}</scratch></disk>")))
}

/// Attributes with each number of labels, combinations of models, and texts of labels.
pub fn seclabel() -> Vec<Case> {
    let models = [None, Some("dac"), Some(""), Some("none")];
    let relabels = [None, Some("yes"), Some("no"), Some("maybe")];
    let skips = [None, Some("yes"), Some("no")];
    let labels = [None, Some("<label>a</label>"), Some("<label>a</label><label>b</label>"), Some("<label/>")];
    let mut cases = Vec::new();
    for row in product(&[&models, &relabels, &skips, &labels]) {
        let attributes =
            [attribute("model", row[0]), attribute("relabel", row[1]), attribute("labelskip", row[2])].concat();
        cases.push(scratch(&format!("<seclabel{attributes}>{}</seclabel>", row[3].unwrap_or_default())));
    }
    for row in product(&[&models, &models, &[None, Some("dac")]]) {
        let seclabel = |model| format!("<seclabel{} relabel='no'/>", attribute("model", model));
        cases.push(scratch(&row.iter().map(|model| seclabel(*model)).collect::<String>()));
    }
    for label in words::LABELS.iter().chain(words::PIECES) {
        cases.push(scratch(&format!("<seclabel><label>{}</label></seclabel>", label.replace("<&>", "&lt;&amp;&gt;"))));
    }
    for length in [4094, 4095, 4096, 4097] {
        cases.push(scratch(&format!("<seclabel><label>{}</label></seclabel>", "x".repeat(length))));
        cases.push(scratch(&format!("<seclabel><label>{}é</label></seclabel>", "x".repeat(length - 2))));
        cases.push(scratch(&format!("<seclabel model='{}'><label>x</label></seclabel>", "m".repeat(length))));
    }
    cases
}

/// Which parts an encryption has, in which order, and the values of each.
pub fn encryption() -> Vec<Case> {
    const SECRET: &str = "<secret type='passphrase' usage='u'/>";
    const CIPHER: &str = "<cipher name='aes' size='256'/>";
    const IVGEN: &str = "<ivgen name='plain64'/>";
    let mut cases = Vec::new();
    let parts = [None, Some(SECRET), Some(CIPHER), Some(IVGEN)];
    for row in product(&[&parts, &parts, &parts]) {
        cases.push(encrypted(" format='luks'", &row.into_iter().flatten().collect::<String>()));
    }
    let formats = [None, Some("luks"), Some("luks2"), Some("qcow"), Some("default"), Some("luks-any"), Some("")];
    for row in product(&[&formats, &[None, Some("qemu"), Some("librbd"), Some("")]]) {
        cases.push(encrypted(&[attribute("format", row[0]), attribute("engine", row[1])].concat(), SECRET));
    }
    let uuids = words::UUIDS.iter().chain(words::BAD_UUIDS).map(|uuid| ("uuid", uuid));
    let usages = words::ANYTHING.iter().map(|usage| ("usage", usage));
    for (name, value) in uuids.chain(usages) {
        let secret = format!("<secret type='passphrase'{}/>", attribute(name, Some(value)));
        cases.push(encrypted(" format='luks'", &secret));
    }
    for secret in [
        "<secret/>",
        "<secret type='passphrase'/>",
        "<secret usage='u'/>",
        "<secret type='volume' usage='u'/>",
        "<secret type='passphrase' usage='u' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/>",
    ] {
        cases.push(encrypted(" format='luks'", secret));
    }
    cases.extend(ciphers());
    cases.push(scratch(&format!("<encryption format='luks'>{SECRET}</encryption>").repeat(2)));
    cases
}

fn ciphers() -> Vec<Case> {
    let mut ciphers = Vec::new();
    let names = [None, Some("aes"), Some("a b"), Some("")];
    let modes = [None, Some("cbc"), Some("c-b_c"), Some("é")];
    for row in product(&[&names, &[None, Some("256")], &modes, &[None, Some("sha256")]]) {
        let attributes = ["name", "size", "mode", "hash"].iter().zip(row).map(|(name, value)| attribute(name, value));
        ciphers.push((attributes.collect::<String>(), " name='plain64'".to_owned()));
    }
    for size in words::PORTS.iter().chain(words::BAD_PORTS).chain(&["", "18446744073709551616"]) {
        ciphers.push((format!(" name='aes'{}", attribute("size", Some(size))), " name='plain'".into()));
    }
    for row in product(&[
        &[None, Some("plain"), Some("x y"), Some("a.b"), Some("")],
        &[None, Some("md5"), Some("x y"), Some("")],
    ]) {
        ciphers.push((" name='aes' size='1'".into(), [attribute("name", row[0]), attribute("hash", row[1])].concat()));
    }
    let case = |(cipher, ivgen)| {
        encrypted(" format='luks'", &format!("<secret type='passphrase' usage='u'/><cipher{cipher}/><ivgen{ivgen}/>"))
    };
    ciphers.into_iter().map(case).collect()
}

fn encrypted(attributes: &str, children: &str) -> Case {
    parsed(backup(
        false,
        &format!(
            "<disk name='vda' type='file'><target file='/t'><encryption{attributes}>{children}</encryption></target></disk>"
        ),
    ))
}
