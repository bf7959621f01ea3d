//! Random backups that follow the format's tables, with occasional mistakes.

use crate::generate::domain::Domain;
use crate::generate::words;
use crate::random::Random;
use crate::xml::{Element, Node};

/// Generates one backup.
pub struct Maker<'a> {
    pub random: &'a mut Random,
    /// How many of 1000 choices are wrong.
    pub faults: u32,
    pub status: bool,
    pub domain: Option<&'a Domain>,
}

impl Maker<'_> {
    pub fn backup(&mut self) -> Element {
        let mut root = Element::new("domainbackup");
        let pull = self.random.percent(50);
        if pull || self.random.percent(60) || self.fault() {
            root.set("mode", &self.word(if pull { &["pull"] } else { &["push"] }, words::MODES));
        }
        if self.random.percent(35) {
            root.push(self.text_element("incremental", words::CHECKPOINTS));
        }
        if pull != self.fault() {
            root.push(self.server());
        }
        if self.random.percent(88) {
            root.push(self.disks(pull));
        }
        if self.status && self.random.percent(40) {
            root.push(self.private_data());
        }
        root
    }

    fn fault(&mut self) -> bool {
        self.random.fault(self.faults)
    }

    fn word(&mut self, right: &[&str], wrong: &[&str]) -> String {
        self.random.word(self.faults, right, wrong)
    }

    fn anything(&mut self) -> String {
        self.random.pick(words::ANYTHING).to_owned()
    }

    fn server(&mut self) -> Element {
        let mut server = Element::new("server");
        let transport = self.random.pick(&["", "tcp", "tcp", "unix", "fd"]);
        if !transport.is_empty() || self.fault() {
            server.set("transport", &self.word(&[transport], words::TRANSPORTS));
        }
        if self.random.percent(25) {
            server.set("tls", &self.word(&["yes", "no"], &["on", "true", "maybe"]));
        }
        let tcp = matches!(transport, "" | "tcp");
        if tcp != self.fault() {
            server.set("name", &self.word(words::HOSTS, words::BAD_HOSTS));
        }
        if (tcp && self.random.percent(60)) || self.fault() {
            server.set("port", &self.word(words::PORTS, words::BAD_PORTS));
        }
        if (transport == "unix") != self.fault() {
            server.set("socket", &self.word(words::PATHS, words::BAD_PATHS));
        }
        if (transport == "fd") != self.fault() {
            server.set("fdgroup", &self.anything());
        }
        server
    }

    fn disks(&mut self, pull: bool) -> Element {
        let mut disks = Element::new("disks");
        let mut unused: Vec<usize> = (0..self.domain.map_or(0, |domain| domain.disks.len())).collect();
        self.random.shuffle(&mut unused);
        let most = if self.domain.is_some() { unused.len().max(1) } else { 4 };
        let count = if self.fault() { 0 } else { 1 + self.random.below(most) };
        for _ in 0..count {
            let known = if self.fault() { None } else { unused.pop() };
            disks.push(self.disk(pull, known));
        }
        if self.fault() && !disks.children.is_empty() {
            let again = disks.children[self.random.below(disks.children.len())].clone();
            disks.children.push(again);
        }
        disks
    }

    /// A disk; `known` is its index among the domain's.
    fn disk(&mut self, pull: bool, known: Option<usize>) -> Element {
        let known = known.and_then(|index| self.domain?.disks.get(index));
        let name = match known {
            Some(disk) if !self.fault() => disk.target.clone(),
            _ => self.word(words::DISK_NAMES, words::BAD_DISK_NAMES),
        };
        let mut disk = Element::new("disk").with("name", &name);
        let empty = known.is_some_and(|disk| !disk.has_media);
        let excluded = (empty && !self.fault()) || self.random.percent(15);
        self.mode_pair(&mut disk);
        if (pull && self.random.percent(25)) || self.fault() {
            disk.set("exportname", &self.anything());
        }
        if (pull && self.random.percent(15)) || self.fault() {
            disk.set("exportbitmap", &self.anything());
        }
        if excluded {
            disk.set("backup", &self.word(&["no"], &["none", "yes", "0"]));
        }
        if !excluded || self.fault() {
            let needs_place = known.is_some_and(|disk| !disk.is_file);
            self.taking_part(&mut disk, pull, needs_place);
        }
        if self.status {
            self.state(&mut disk, excluded);
        }
        disk
    }

    fn taking_part(&mut self, disk: &mut Element, pull: bool, needs_place: bool) {
        let kind = self.random.pick(if needs_place { &["file", "block"] } else { &["", "file", "file", "block"] });
        if !kind.is_empty() || self.fault() {
            disk.set("type", &self.word(&[kind], words::TYPES));
        }
        let may_say_yes = !pull || !kind.is_empty();
        if (may_say_yes && self.random.percent(30)) || self.fault() {
            disk.set("backup", &self.word(&["yes"], &["no", "on"]));
        }
        let plain_push = !pull && kind.is_empty();
        let place = needs_place || (pull && kind == "block") || self.random.percent(65);
        let placed = (place && !plain_push) != self.fault();
        if placed {
            disk.push(self.place(pull, kind));
        }
        let may_have_driver = if pull { placed } else { !kind.is_empty() };
        if (may_have_driver && self.random.percent(40)) || self.fault() {
            let formats = if pull { &["qcow2"] } else { words::FORMATS };
            disk.push(Element::new("driver").with("type", &self.word(formats, words::BAD_FORMATS)));
        }
    }

    fn mode_pair(&mut self, disk: &mut Element) {
        let mode = self.random.pick(&["", "", "full", "incremental"]);
        if !mode.is_empty() {
            disk.set("backupmode", &self.word(&[mode], &["differential", "incr", "both"]));
        }
        let names_one = match mode {
            "full" => self.fault(),
            "incremental" => self.random.percent(75),
            _ => self.random.percent(25),
        };
        if names_one {
            disk.set("incremental", &self.anything());
        }
    }

    fn state(&mut self, disk: &mut Element, excluded: bool) {
        if excluded == self.fault() {
            disk.set(
                "state",
                &self.word(&["running", "complete", "failed", "cancelling", "cancelled"], &["none", "done"]),
            );
        }
        if self.random.percent(50) {
            disk.set("index", &self.word(&["1", "0", "12"], words::BAD_PORTS));
        }
    }

    fn private_data(&mut self) -> Element {
        let mut objects = Element::new("objects");
        let mut alias = |maker: &mut Self, name: &str, kind: Option<&str>| {
            if !maker.random.percent(70) {
                return;
            }
            let mut element = Element::new(name);
            if let Some(kind) = kind {
                element.set("type", &maker.word(&[kind], &["other"]));
            }
            if !maker.fault() {
                element.set("alias", &maker.anything());
            }
            objects.push(element);
        };
        alias(self, "secret", Some("tlskey"));
        alias(self, "TLSx509", None);
        if self.fault() { objects } else { Element::new("privateData").holding(objects) }
    }

    fn place(&mut self, pull: bool, kind: &str) -> Element {
        let attribute = if (kind == "block") == self.fault() { "file" } else { "dev" };
        let mut place = Element::new(if pull == self.fault() { "target" } else { "scratch" });
        if !self.fault() {
            place.set(attribute, &self.word(words::PATHS, words::BAD_PATHS));
        }
        if self.random.percent(15) {
            self.seclabels(&mut place);
        }
        if self.random.percent(15) {
            place.push(self.encryption());
        }
        place
    }

    fn seclabels(&mut self, place: &mut Element) {
        let mut models = vec!["", "dac", "selinux", "apparmor"];
        self.random.shuffle(&mut models);
        let count = 1 + self.random.below(2);
        for model in models.into_iter().take(count) {
            let mut label = Element::new("seclabel");
            if !model.is_empty() || self.fault() {
                label.set("model", &self.word(&[model], &["dac", "none", "x y"]));
            }
            match self.random.below(4) {
                0 => label.set("relabel", &self.word(&["no"], &["yes", "never"])),
                1 => label.set("labelskip", &self.word(&["yes"], &["no"])),
                _ => self.labelled(&mut label),
            }
            if self.fault() {
                label.push(self.text_element("label", words::LABELS));
            }
            place.push(label);
        }
    }

    fn labelled(&mut self, seclabel: &mut Element) {
        if self.random.percent(50) {
            seclabel.set("relabel", &self.word(&["yes"], &["no"]));
        }
        let count = if self.fault() { 0 } else { self.random.pick(&[1, 1, 2, 3]) };
        for _ in 0..count {
            seclabel.push(self.text_element("label", words::LABELS));
        }
    }

    fn encryption(&mut self) -> Element {
        let mut encryption = Element::new("encryption");
        if !self.fault() {
            encryption.set("format", &self.word(&["luks"], &["luks2", "qcow", "default", "luks-any"]));
        }
        if self.random.percent(30) {
            encryption.set("engine", &self.word(&["qemu"], &["librbd", "kernel"]));
        }
        while !self.fault() && encryption.children.is_empty() {
            encryption.push(self.secret());
        }
        let both = self.random.percent(40);
        if both != self.fault() {
            encryption.push(self.cipher());
        }
        if both != self.fault() {
            let mut ivgen =
                Element::new("ivgen").with("name", &self.word(&["plain", "plain64", "essiv"], &["x y", "é"]));
            if self.random.percent(50) {
                ivgen.set("hash", &self.word(&["sha256", "md5"], &["sha 256"]));
            }
            encryption.push(ivgen);
        }
        if self.fault() {
            self.random.shuffle(&mut encryption.children);
        }
        encryption
    }

    fn secret(&mut self) -> Element {
        let mut secret = Element::new("secret");
        if !self.fault() {
            secret.set("type", &self.word(&["passphrase"], &["volume", "password"]));
        }
        if self.random.percent(50) {
            secret.set("uuid", &self.word(words::UUIDS, words::BAD_UUIDS));
        } else {
            secret.set("usage", &self.anything());
        }
        if self.fault() {
            secret.set("usage", "both");
        }
        secret
    }

    fn cipher(&mut self) -> Element {
        let mut cipher = Element::new("cipher")
            .with("name", &self.word(&["aes", "serpent", "twofish"], &["a b", "a_b"]))
            .with("size", &self.word(&["256", "128", "0", "4294967295", "0064"], words::BAD_PORTS));
        let both = self.random.percent(60);
        if both != self.fault() {
            cipher.set("mode", &self.word(&["cbc", "xts"], &["c b c"]));
        }
        if both != self.fault() {
            cipher.set("hash", &self.word(&["sha256", "sha1"], &["sha/1"]));
        }
        cipher
    }

    /// An element with text, some of it in the pieces that XML allows.
    fn text_element(&mut self, name: &str, texts: &[&str]) -> Element {
        let mut element = Element::new(name);
        if self.random.percent(60) {
            element.children.push(Node::Text(self.word(texts, &["\n", " x", "x "])));
            return element;
        }
        for _ in 0..self.random.below(5) {
            let piece = self.random.pick(words::PIECES);
            element.children.push(Node::Markup(piece.to_owned()));
        }
        element
    }
}
