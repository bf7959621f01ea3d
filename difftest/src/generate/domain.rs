//! Random domains: their disks and the elements around them.

use crate::random::Random;
use crate::xml::{Element, Node};

/// A domain, with what the generator of its backup needs.
#[derive(Clone, Debug)]
pub struct Domain {
    pub text: String,
    pub disks: Vec<Disk>,
}

#[derive(Clone, Debug)]
pub struct Disk {
    pub target: String,
    pub has_media: bool,
    /// Whether a name can be generated for its backup.
    pub is_file: bool,
    /// The path of its image, if it has one.
    pub path: Option<String>,
}

/// Prefixes of targets with their buses; libvirt's default is the first.
const BUSES: &[(&str, &[&str])] = &[
    ("vd", &["virtio"]),
    ("vd", &["virtio", "virtio", "scsi"]),
    ("sd", &["scsi", "sata", "usb", "sd"]),
    ("hd", &["ide", "scsi", "sata"]),
    ("fd", &["fdc"]),
    ("xvd", &["xen"]),
    ("ubd", &["uml"]),
];
const TYPES: &[&str] =
    &["file", "file", "file", "file", "block", "block", "dir", "network", "volume", "nvme", "vhostuser"];
const LETTERS: &[&str] =
    &["a", "b", "c", "d", "e", "y", "z", "aa", "ab", "az", "ba", "zz", "aaa", "a1", "b2", "a10", "aa3"];
const FILES: &[&str] = &[
    "/images/a.qcow2",
    "/images/b.img",
    "/images/with space.raw",
    "/images/quote's & <more>.img",
    "/images/é.qcow2",
    "relative.img",
    "/images/no-extension",
    "/images/dot.",
    "/x",
    "/images/a.b.c",
];
const DEVICES: &[&str] = &[
    "<memballoon model='none'/>",
    "<interface type='user'/>",
    "<controller type='usb' model='none'/>",
    "<input type='mouse' bus='ps2'/>",
    "<console type='pty'/>",
    "<!-- no more disks -->",
    "<emulator>/usr/bin/qemu-system-x86_64</emulator>",
    "<filesystem type='mount'><source dir='/a'/><target dir='vda'/></filesystem>",
];
const AROUND: &[&str] = &[
    "<title>t</title>",
    "<description>&lt;disk&gt;</description>",
    "<metadata><app:disk xmlns:app='urn:app' type='file'><app:target dev='vdz'/></app:disk></metadata>",
    "<vcpu>2</vcpu>",
    "<features><acpi/></features>",
    "<cpu mode='host-passthrough'/>",
    "<on_crash>restart</on_crash>",
];

/// The domain of a seed.
pub fn domain(seed: u64) -> Domain {
    let random = &mut Random::new(seed ^ 0x00D0_3A14);
    let count = if random.percent(3) { 0 } else { 1 + random.below(6) };
    let live = random.percent(30);
    let mut devices = Element::new("devices");
    let mut disks: Vec<Disk> = Vec::new();
    for _ in 0..count {
        let target = new_target(random, &disks);
        let (element, disk) = disk(random, target, live);
        devices.push(element);
        disks.push(disk);
        sprinkle(random, &mut devices, DEVICES);
    }
    let mut root = Element::new("domain").with("type", random.pick(&["qemu", "kvm"]));
    if live {
        root.set("id", "1");
    }
    root.push(text("name", "vm"));
    root.push(text("memory", "1048576"));
    sprinkle(random, &mut root, AROUND);
    root.push(Element::new("os").holding(text("type", "hvm")));
    root.push(devices);
    sprinkle(random, &mut root, AROUND);
    let text = if random.percent(20) { root.odd_but_ordered(random) } else { root.plain() };
    Domain { text, disks }
}

impl Element {
    /// Only the spelling may vary: the order of disks matters.
    fn odd_but_ordered(&self, random: &mut Random) -> String {
        let declaration =
            random.pick(&["", "<?xml version='1.0'?>\n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!-- c -->\n"]);
        format!("{declaration}{}\n", self.plain().replace("><", random.pick(&["><", ">\n<", "> <!-- c --> <"])))
    }
}

fn text(name: &str, text: &str) -> Element {
    let mut element = Element::new(name);
    element.children.push(Node::Text(text.to_owned()));
    element
}

fn sprinkle(random: &mut Random, element: &mut Element, from: &[&str]) {
    let markup = Node::Markup(random.pick(from).to_owned());
    // Most of these are allowed only once.
    if random.percent(30) && !element.children.contains(&markup) {
        element.children.push(markup);
    }
}

/// An unused name, or sometimes a used one, which libvirt accepts until it validates.
fn new_target(random: &mut Random, disks: &[Disk]) -> (String, Option<&'static str>) {
    loop {
        let (mut prefix, buses) = random.pick(BUSES);
        if random.percent(55) {
            prefix = "vd";
        }
        let bus = if prefix == "vd" { random.pick(&["virtio", "virtio", "scsi"]) } else { random.pick(buses) };
        let target = if random.percent(2) {
            random.pick(&["nvme0n1", "nvme10n2"]).to_owned()
        } else {
            format!("{prefix}{}", random.pick(LETTERS))
        };
        if target.starts_with("nvme") {
            return (target, random.percent(50).then_some("nvme"));
        }
        let included = disks.iter().any(|disk| disk.target == target);
        if !included || random.percent(2) {
            return (target, random.percent(75).then_some(bus));
        }
    }
}

fn disk(random: &mut Random, (target, bus): (String, Option<&'static str>), live: bool) -> (Element, Disk) {
    let mut kind = if random.percent(1) { "vhostvdpa" } else { random.pick(TYPES) };
    let device = match target.get(..2) {
        Some("fd") => "floppy",
        Some("hd" | "sd") if random.percent(30) => "cdrom",
        Some("sd") if kind == "block" && random.percent(20) => "lun",
        _ => "disk",
    };
    if device != "disk" && !matches!(kind, "file" | "block" | "network" | "volume" | "dir") {
        kind = "file";
    }
    let mut element = Element::new("disk");
    if kind != "file" || random.percent(80) {
        element.set("type", kind);
    }
    if device != "disk" || random.percent(70) {
        element.set("device", device);
    }
    if kind == "vhostuser" {
        element.push(Element::new("driver").with("name", "qemu").with("type", "raw"));
    } else if random.percent(50) {
        element.push(Element::new("driver").with("name", "qemu").with("type", random.pick(&["raw", "qcow2"])));
    }
    let media = random.percent(if device == "disk" { 94 } else { 55 });
    let has_media = source(random, &mut element, kind, media);
    if live && random.percent(50) {
        element.children.push(Node::Markup(
            "<backingStore type='file' index='2'><format type='raw'/><source file='/base.img'/><backingStore/></backingStore>".into(),
        ));
    }
    let mut place = Element::new("target").with("dev", &target);
    if let Some(bus) = bus {
        place.set("bus", bus);
    }
    element.push(place);
    for (name, percent) in [("readonly", 8), ("transient", 5), ("shareable", 5)] {
        if random.percent(percent) {
            element.push(Element::new(name));
        }
    }
    if live {
        element.push(Element::new("alias").with("name", &format!("disk-{target}")));
    }
    let source = element.elements_mut().find(|child| child.name == "source");
    let path = source.and_then(|source| source.attributes.first()).map(|(_, value)| value.clone());
    (element, Disk { target, has_media, is_file: kind == "file", path })
}

/// Adds the source, if any, and returns whether libvirt sees media in it.
fn source(random: &mut Random, disk: &mut Element, kind: &str, media: bool) -> bool {
    let (attribute, value) = match kind {
        "file" => ("file", random.pick(FILES)),
        "block" => ("dev", random.pick(&["/dev/sdb", "/dev/mapper/vg-lv"])),
        "dir" => ("dir", "/images/dir"),
        "vhostvdpa" => ("dev", "/dev/vhost-vdpa-0"),
        _ => return hint_for_foreign_attribute(random, disk, kind, media),
    };
    if media || kind == "vhostvdpa" {
        disk.push(Element::new("source").with(attribute, value));
        return true;
    }
    match random.below(3) {
        0 => disk.push(Element::new("source").with(attribute, "")),
        1 if kind == "file" => disk.push(Element::new("source").with("startupPolicy", "optional")),
        _ => {}
    }
    false
}

fn hint_for_foreign_attribute(random: &mut Random, disk: &mut Element, kind: &str, media: bool) -> bool {
    let markup = match kind {
        "volume" if !media => return false,
        "network" if !media && random.percent(80) => return false,
        "volume" => "<source pool='pool' volume='volume'/>",
        "nvme" => "<source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>",
        "vhostuser" => "<source type='unix' path='/run/vhost.sock'/>",
        _ => random.pick(&[
            "<source protocol='nbd' name='e'><host name='example.org' port='10809'/></source>",
            "<source protocol='rbd' name='pool/image'><host name='mon' port='6789'/></source>",
            "<source protocol='iscsi' name='iqn.2013-07.com.example:target/1'><host name='example.org' port='3260'/></source>",
            "<source protocol='nbd' name='e'><host transport='unix' socket='/run/nbd.sock'/></source>",
        ]),
    };
    disk.children.push(Node::Markup(markup.to_owned()));
    true
}
