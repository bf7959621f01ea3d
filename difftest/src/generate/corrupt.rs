//! Mistakes in the structure of a document: parts added, removed, duplicated or misplaced.

use crate::generate::words;
use crate::random::Random;
use crate::xml::{Element, Node};

/// Names and values to insert.
pub struct Words {
    attributes: &'static [&'static str],
    elements: &'static [&'static str],
    values: &'static [&'static str],
}

pub const BACKUP: Words = Words { attributes: ATTRIBUTES, elements: ELEMENTS, values: VALUES };
pub const CHECKPOINT: Words = Words {
    attributes: &[
        "bogus",
        "name",
        "checkpoint",
        "bitmap",
        "size",
        "backup",
        "type",
        "snapshot",
        "xml:lang",
        "xmlns",
        "xmlns:p",
    ],
    elements: &[
        "bogus",
        "name",
        "description",
        "creationTime",
        "disks",
        "disk",
        "parent",
        "creationtime",
        "state",
        "p:disk",
        "Disk",
        "source",
    ],
    values: &["no", "bitmap", "default", "vda", "/x", "", "1", "urn:x", "cp-1"],
};

const ATTRIBUTES: &[&str] = &[
    "bogus",
    "mode",
    "transport",
    "tls",
    "name",
    "port",
    "socket",
    "fdgroup",
    "backup",
    "type",
    "backupmode",
    "incremental",
    "exportname",
    "exportbitmap",
    "file",
    "dev",
    "model",
    "relabel",
    "labelskip",
    "format",
    "engine",
    "uuid",
    "usage",
    "size",
    "hash",
    "state",
    "index",
    "xml:lang",
    "xml:space",
    "xmlns",
    "xmlns:p",
    "alias",
];
const ELEMENTS: &[&str] = &[
    "bogus",
    "incremental",
    "server",
    "disks",
    "disk",
    "target",
    "scratch",
    "driver",
    "seclabel",
    "label",
    "encryption",
    "secret",
    "cipher",
    "ivgen",
    "description",
    "p:disk",
    "privateData",
    "source",
    "Disk",
];
const VALUES: &[&str] = &[
    "yes", "no", "file", "block", "push", "pull", "tcp", "unix", "/x", "full", "vda", "", "1", "qcow2", "urn:x",
    "preserve",
];
const TEXTS: &[&str] = &["x", "\u{A0}", "0", "é", "&", "/>", " x "];
/// Markup that counts as text although nothing is visible, and the other way around.
const MARKUP: &[&str] =
    &["<![CDATA[x]]>", "<![CDATA[ ]]>", "&#32;", "&#160;", "&bogus;", "<!-- x -->", "<?x y?>", "]]>", "<x/>", "<x:y/>"];

/// Inserts one possible mistake anywhere.
pub fn corrupt(random: &mut Random, root: &mut Element, words: &Words) {
    let index = random.below(root.count());
    let Some(element) = root.nth_mut(index) else {
        return;
    };
    match random.below(10) {
        0 => add_attribute(random, element, words),
        1 if !element.attributes.is_empty() => {
            let index = random.below(element.attributes.len());
            element.attributes.remove(index);
        }
        2 if !element.attributes.is_empty() => {
            let index = random.below(element.attributes.len());
            random.pick(words.values).clone_into(&mut element.attributes[index].1);
        }
        3 if !element.attributes.is_empty() => {
            let index = random.below(element.attributes.len());
            let value = &mut element.attributes[index].1;
            *value = random.pick(&[" {}", "{} ", "{}\n", "\t{}", "{}{}", "\u{A0}{}"]).replace("{}", value);
        }
        4 => insert(random, element, Node::Element(Element::new(words.elements[0]))),
        5 => {
            let mut child = Element::new(random.pick(words.elements));
            add_attribute(random, &mut child, words);
            insert(random, element, Node::Element(child));
        }
        6 => {
            let text = Node::Text(random.pick(TEXTS).to_owned());
            insert(random, element, text);
        }
        7 => {
            let markup = Node::Markup(random.pick(MARKUP).to_owned());
            insert(random, element, markup);
        }
        8 if !element.children.is_empty() => {
            let index = random.below(element.children.len());
            let child = element.children.remove(index);
            if random.percent(50) {
                insert(random, element, child.clone());
                insert(random, element, child);
            }
        }
        _ => random.pick(words.elements).clone_into(&mut element.name),
    }
}

fn add_attribute(random: &mut Random, element: &mut Element, vocabulary: &Words) {
    let name = random.pick(vocabulary.attributes);
    let known = element.attributes.iter().any(|(known, _)| known == name);
    // A duplicate attribute is not well-formed; that is to occur sometimes too.
    if !known || random.percent(5) {
        let value = if random.percent(80) { random.pick(vocabulary.values) } else { random.pick(words::ANYTHING) };
        element.set(name, value);
    }
}

fn insert(random: &mut Random, element: &mut Element, node: Node) {
    let index = random.below(element.children.len() + 1);
    element.children.insert(index, node);
}

/// Corrupts bytes: mostly the result is not well-formed.
pub fn corrupt_bytes(random: &mut Random, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let index = random.below(bytes.len());
    match random.below(5) {
        0 => drop(bytes.remove(index)),
        1 => bytes.truncate(index),
        2 => bytes.insert(index, random.pick(b"<>&;'\"/= x!?[]-\x01\x80\xe9\x7f\r")),
        3 => bytes[index] = random.pick(b"<>&;'\"/= x\n\t\xff"),
        _ => {
            let end = (index + 1 + random.below(8)).min(bytes.len());
            let piece = bytes[index..end].to_vec();
            bytes.splice(index..index, piece);
        }
    }
}
