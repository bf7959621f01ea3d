//! Checkpoints as the schema allows them, with now and then a choice that it does not.

use crate::generate::domain::Domain;
use crate::generate::words;
use crate::random::Random;
use crate::xml::{Element, Node};

const NAMES: &[&str] = &["cp-1", "a", "1700000000", "_", "-x", "a.b.", "A_9", "vda"];
const BAD_NAMES: &[&str] = &[".a", "a/b", "../x", "a b", "é", "", " ", "a\n", "a:b", "."];
const DESCRIPTIONS: &[&str] = &["text", "a & b <c>", " spaces ", "two\nlines\n", "é", "'\"", "\t", "]]>", "\r"];
const NUMBERS: &[&str] = &["1", "0", "1700000000", "0012", "9223372036854775807"];
const BAD_NUMBERS: &[&str] =
    &["9223372036854775808", "18446744073709551615", "18446744073709551616", "-1", "+1", "1.0", "x", "", "1e3", " 1"];
const BITMAPS: &[&str] = &["cp-1", "a", "other", "", "a b", "é", "<&>"];

/// Makes one checkpoint.
pub struct Maker<'a> {
    pub random: &'a mut Random,
    /// How many of 1000 choices are to be wrong.
    pub faults: u32,
    pub redefine: bool,
    pub domain: Option<&'a Domain>,
}

impl Maker<'_> {
    pub fn checkpoint(&mut self) -> Element {
        let mut root = Element::new("domaincheckpoint");
        let required = self.redefine;
        if (required || self.random.percent(70)) != self.fault() {
            root.push(self.text_element("name", NAMES, BAD_NAMES));
        }
        if self.random.percent(35) {
            root.push(self.text_element("description", DESCRIPTIONS, &[""]));
        }
        if (required || self.random.percent(15)) != self.fault() {
            root.push(self.text_element("creationTime", NUMBERS, BAD_NUMBERS));
        }
        if self.random.percent(20) {
            root.push(self.parent());
        }
        if self.random.percent(80) {
            root.push(self.disks());
        }
        root
    }

    fn fault(&mut self) -> bool {
        self.random.fault(self.faults)
    }

    fn word(&mut self, right: &[&str], wrong: &[&str]) -> String {
        self.random.word(self.faults, right, wrong)
    }

    fn parent(&mut self) -> Element {
        let mut parent = Element::new("parent");
        if !self.fault() {
            parent.push(self.text_element("name", NAMES, BAD_NAMES));
        }
        if self.fault() {
            parent.push(self.text_element("name", NAMES, BAD_NAMES));
        }
        parent
    }

    fn disks(&mut self) -> Element {
        let mut disks = Element::new("disks");
        let mut unused: Vec<usize> = (0..self.domain.map_or(0, |domain| domain.disks.len())).collect();
        self.random.shuffle(&mut unused);
        let most = if self.domain.is_some() { unused.len().max(1) } else { 4 };
        let count = if self.fault() { 0 } else { 1 + self.random.below(most) };
        for _ in 0..count {
            let known = if self.fault() { None } else { unused.pop() };
            disks.push(self.disk(known));
        }
        if self.fault() && !disks.children.is_empty() {
            let again = disks.children[self.random.below(disks.children.len())].clone();
            disks.children.push(again);
        }
        disks
    }

    /// A disk; `known` is its place among the domain's.
    fn disk(&mut self, known: Option<usize>) -> Element {
        let known = known.and_then(|index| self.domain?.disks.get(index));
        let name = match known {
            Some(disk) if !self.fault() => match &disk.path {
                Some(path) if path.starts_with('/') && self.random.percent(30) => path.clone(),
                _ => disk.target.clone(),
            },
            _ if self.random.percent(25) => self.word(words::PATHS, words::BAD_PATHS),
            _ => self.word(words::DISK_NAMES, words::BAD_DISK_NAMES),
        };
        let mut disk = Element::new("disk").with("name", &name);
        let excluded = known.is_some_and(|disk| !disk.has_media) || self.random.percent(25);
        if excluded != self.fault() {
            disk.set("checkpoint", &self.word(&["no"], &["none", "yes", "default"]));
        } else if self.random.percent(40) {
            disk.set("checkpoint", &self.word(&["bitmap"], &["yes", "external", "default"]));
        }
        if (!excluded && self.random.percent(25)) || self.fault() {
            disk.set("bitmap", self.random.pick(BITMAPS));
        }
        if (!excluded && self.random.percent(10)) || self.fault() {
            disk.set("size", &self.word(NUMBERS, BAD_NUMBERS));
        }
        disk
    }

    /// An element of text, some of it in the pieces that XML allows.
    fn text_element(&mut self, name: &str, right: &[&str], wrong: &[&str]) -> Element {
        let mut element = Element::new(name);
        let text = self.word(right, wrong);
        match self.random.below(10) {
            0 => element.children.push(Node::Markup(format!("<![CDATA[{}]]>", text.replace("]]>", "")))),
            1 => {
                let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
                let (before, after) = text.split_at(middle);
                let between = self.random.pick(&["<!-- c -->", "<?p?>", "<![CDATA[]]>", "<!-- c --> ", " <!-- c -->"]);
                element.children.push(Node::Text(before.to_owned()));
                element.children.push(Node::Markup(between.to_owned()));
                element.children.push(Node::Text(after.to_owned()));
            }
            2 if self.fault() => {
                for _ in 0..self.random.below(5) {
                    let piece = self.random.pick(words::PIECES);
                    element.children.push(Node::Markup(piece.to_owned()));
                }
            }
            _ => element.children.push(Node::Text(text)),
        }
        element
    }
}
