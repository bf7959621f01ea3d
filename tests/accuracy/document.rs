//! Documents as trees with the positions of all their parts.

use std::fmt::Write;
use std::ops::Range;

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

/// The positions of an element.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub whole: Range<usize>,
    pub tag: Range<usize>,
    pub attributes: Vec<Range<usize>>,
    /// The end tag; empty for an empty-element tag.
    pub end_tag: Range<usize>,
    pub text: Range<usize>,
}

/// The path to an element: the index of a child at each level.
pub type Path = Vec<usize>;

#[derive(Clone, Debug)]
pub struct Document {
    pub root: Element,
    /// Whether each element is on its own line.
    pub pretty: bool,
}

pub fn element<const N: usize>(name: &str, attributes: [(&str, &str); N], children: Vec<Element>) -> Element {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Element { name: name.to_owned(), attributes, children, text: String::new() }
}

fn with_text(name: &str, text: &str) -> Element {
    Element { text: text.to_owned(), ..element(name, [], vec![]) }
}

impl Element {
    pub fn at(&self, path: &[usize]) -> &Element {
        path.iter().fold(self, |element, child| &element.children[*child])
    }

    pub fn at_mut(&mut self, path: &[usize]) -> &mut Element {
        path.iter().fold(self, |element, child| &mut element.children[*child])
    }

    pub fn paths(&self) -> Vec<Path> {
        let mut all = vec![vec![]];
        for (index, child) in self.children.iter().enumerate() {
            all.extend(child.paths().into_iter().map(|path| [vec![index], path].concat()));
        }
        all
    }
}

impl Document {
    /// The text, and the positions of each element in it.
    pub fn write(&self) -> (String, Vec<(Path, Place)>) {
        let mut text = String::new();
        let mut places = Vec::new();
        self.write_element(&self.root, &mut text, &mut places, &vec![]);
        (text, places)
    }

    fn line(&self, text: &mut String, depth: usize) {
        if self.pretty {
            write!(text, "\n{:indent$}", "", indent = depth * 2).unwrap();
        }
    }

    fn write_element(&self, element: &Element, text: &mut String, places: &mut Vec<(Path, Place)>, path: &Path) {
        if !path.is_empty() {
            self.line(text, path.len());
        }
        let mut place = Place::default();
        let slot = places.len();
        places.push((path.clone(), place.clone()));
        place.whole.start = text.len();
        place.tag.start = text.len();
        write!(text, "<{}", element.name).unwrap();
        for (name, value) in &element.attributes {
            text.push(' ');
            let start = text.len();
            write!(text, "{name}='{value}'").unwrap();
            place.attributes.push(start..text.len());
        }
        if element.children.is_empty() && element.text.is_empty() {
            text.push_str("/>");
            place.tag.end = text.len();
        } else {
            text.push('>');
            place.tag.end = text.len();
            place.text = text.len()..text.len() + element.text.len();
            text.push_str(&element.text);
            for (index, child) in element.children.iter().enumerate() {
                self.write_element(child, text, places, &[&path[..], &[index]].concat());
            }
            if !element.children.is_empty() {
                self.line(text, path.len());
            }
            place.end_tag.start = text.len();
            write!(text, "</{}>", element.name).unwrap();
            place.end_tag.end = text.len();
        }
        place.whole.end = text.len();
        places[slot].1 = place;
    }
}

fn seclabels() -> Vec<Element> {
    vec![
        element("seclabel", [("model", "dac"), ("relabel", "no")], vec![]),
        element("seclabel", [("model", "selinux")], vec![with_text("label", "system_u:object_r:virt_t:s0")]),
    ]
}

fn encryption() -> Element {
    element(
        "encryption",
        [("format", "luks")],
        vec![
            element("secret", [("type", "passphrase"), ("uuid", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f")], vec![]),
            element("cipher", [("name", "aes"), ("size", "256"), ("mode", "cbc"), ("hash", "sha256")], vec![]),
            element("ivgen", [("name", "plain64"), ("hash", "sha256")], vec![]),
        ],
    )
}

fn simple_encryption() -> Element {
    let secret = element("secret", [("type", "passphrase"), ("usage", "backup")], vec![]);
    element("encryption", [("format", "luks"), ("engine", "qemu")], vec![secret])
}

/// Accepted documents of every kind.
#[allow(clippy::too_many_lines)]
pub fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    for pretty in [false, true] {
        let push = |attributes: &[(&str, &str)], children| {
            let mut root = element("domainbackup", [], children);
            root.attributes =
                attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Document { root, pretty }
        };
        documents.push(push(
            &[("mode", "push")],
            vec![
                with_text("incremental", "cp-monday"),
                element(
                    "disks",
                    [],
                    vec![
                        element(
                            "disk",
                            [("name", "vda"), ("backup", "yes"), ("type", "file"), ("backupmode", "full")],
                            vec![
                                element("driver", [("type", "qcow2")], vec![]),
                                element("target", [("file", "/backup/vda.qcow2")], seclabels()),
                            ],
                        ),
                        element(
                            "disk",
                            [("name", "vdb"), ("type", "block"), ("backupmode", "incremental"), ("incremental", "cp1")],
                            vec![
                                element("target", [("dev", "/dev/mapper/backup")], vec![encryption()]),
                                element("driver", [("type", "raw")], vec![]),
                            ],
                        ),
                        element("disk", [("name", "sda"), ("backup", "no")], vec![]),
                    ],
                ),
            ],
        ));
        documents.push(push(
            &[],
            vec![element(
                "disks",
                [],
                vec![
                    element("disk", [("name", "vda"), ("type", "file")], vec![]),
                    element(
                        "disk",
                        [("name", "hdb"), ("type", "file")],
                        vec![element("target", [("file", "/backup/hdb.img")], vec![simple_encryption()])],
                    ),
                    element("disk", [("name", "vdc")], vec![]),
                ],
            )],
        ));
        documents.push(push(
            &[("mode", "pull")],
            vec![
                with_text("incremental", "cp-monday"),
                element("server", [("transport", "unix"), ("socket", "/run/backup.sock")], vec![]),
                element(
                    "disks",
                    [],
                    vec![
                        element(
                            "disk",
                            [("name", "vda"), ("backup", "yes"), ("type", "file"), ("exportname", "root")],
                            vec![element("scratch", [("file", "/scratch/vda")], seclabels())],
                        ),
                        element(
                            "disk",
                            [("name", "vdb"), ("type", "block"), ("exportbitmap", "dirty")],
                            vec![
                                element("driver", [("type", "qcow2")], vec![]),
                                element("scratch", [("dev", "/dev/vg/scratch")], vec![encryption()]),
                            ],
                        ),
                        element("disk", [("name", "vdc"), ("backup", "no")], vec![]),
                        element("disk", [("name", "vdd"), ("backupmode", "full")], vec![]),
                    ],
                ),
            ],
        ));
        documents.push(push(
            &[("mode", "pull")],
            vec![
                element(
                    "server",
                    [("transport", "tcp"), ("tls", "yes"), ("name", "backup.example"), ("port", "10809")],
                    vec![],
                ),
                element(
                    "disks",
                    [],
                    vec![element(
                        "disk",
                        [("name", "vda")],
                        vec![element("scratch", [("file", "/scratch/vda")], vec![])],
                    )],
                ),
            ],
        ));
        documents.push(push(
            &[("mode", "pull")],
            vec![
                element(
                    "disks",
                    [],
                    vec![element(
                        "disk",
                        [("name", "sda"), ("type", "file")],
                        vec![
                            element("scratch", [("file", "/scratch/sda")], vec![simple_encryption()]),
                            element("driver", [("type", "qcow2")], vec![]),
                        ],
                    )],
                ),
                element("server", [("transport", "fd"), ("fdgroup", "nbd")], vec![]),
            ],
        ));
        documents.push(push(&[("mode", "pull")], vec![element("server", [("name", "localhost")], vec![])]));
    }
    documents
}
