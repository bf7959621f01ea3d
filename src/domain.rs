//! Domain XML → its disks, as libvirt orders and defaults them, and the paths and ports that it uses.
//!
//! A whole `virsh dumpxml` is taken, of a running domain or not. Only what alignment needs is read; about everything
//! else this is lenient.

mod resources;

use std::collections::HashMap;

use crate::backup::StorageFormat;
use crate::diagnostic::Document::Domain as InDomain;
use crate::diagnostic::{Diagnostic, Span, push_bounded};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::canonical_uuid;
use crate::syntax::{self, Element};
use crate::wording::{trim, truncate_for_display};

pub use resources::{PathKind, UsedPath, UsedPort};

/// What of a domain has to do with a backup.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    /// The disks in libvirt's order, which is not the document's.
    pub disks: Vec<DomainDisk>,
    /// Whether it runs: libvirt then prints an `id`.
    pub active: bool,
    /// Its UUID, in lower case with hyphens.
    pub uuid: Option<Box<str>>,
    /// Its hypervisor, such as `kvm`: the attribute `type`.
    pub hypervisor: Option<Box<str>>,
    /// Files, sockets and devices that it uses besides its disks' images.
    pub used_paths: Vec<UsedPath>,
    /// TCP ports that it listens on.
    pub used_ports: Vec<UsedPort>,
    /// The start tag of the root element.
    pub tag: Span,
}

/// A disk of a domain.
// Each is an element of its own in the document.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct DomainDisk {
    /// Its target, such as `vda`.
    pub target: Box<str>,
    /// What the guest sees: `disk`, `lun`, `cdrom` or `floppy`.
    pub device: &'static str,
    /// The bus it is attached to, as written.
    pub bus: Option<&'static str>,
    /// Its image.
    pub source: Source,
    /// What libvirt keeps as the path of its source, by which a checkpoint may name it: the path of an image, a device
    /// or a directory, or the name that a network disk has on its server.
    pub source_path: Option<Box<str>>,
    /// The format of its image.
    pub format: Option<StorageFormat>,
    /// The images behind it: its backing chain, and those that it is being copied to.
    pub other_images: Vec<Source>,
    /// Whether its image is encrypted, and QEMU decrypts it.
    pub encrypted: bool,
    /// Whether the guest cannot write to it; a CD-ROM never can.
    pub read_only: bool,
    /// Whether its changes are thrown away when the domain stops.
    pub transient: bool,
    /// Whether other domains may write to it too.
    pub shareable: bool,
    /// The start tag of the `<mirror>` of the block job that copies or commits it.
    pub mirror: Option<Span>,
    /// Its start tag in the domain's document.
    pub tag: Span,
}

/// The image of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// No media.
    Empty,
    /// A file, by its path.
    File(Box<str>),
    /// A block device, by its path.
    Block(Box<str>),
    /// Something that has no path of its own, by its type.
    Other(&'static str),
}

impl Source {
    /// What it is, as `type` on a disk says.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Empty | Self::File(_) => "file",
            Self::Block(_) => "block",
            Self::Other(storage_type) => storage_type,
        }
    }

    /// Its path on the host.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File(path) | Self::Block(path) => Some(path),
            Self::Empty | Self::Other(_) => None,
        }
    }
}

const TYPES: [&str; 8] = ["file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"];
const DEVICES: [&str; 4] = ["disk", "lun", "cdrom", "floppy"];
const BUSES: [&str; 10] = ["ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd", "nvme"];

/// What libvirt takes off the target of a domain's disk, after sorting the disks, but not off the name of a backup's.
const OLD_PREFIX: &str = "ioemu:";

impl Domain {
    /// Reads what `virsh dumpxml` prints, as the newest known release does.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, labelled in the domain's document.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        match read(text, Release::default()) {
            (Some(domain), diagnostics) if diagnostics.is_empty() => Ok(domain),
            (_, diagnostics) => Err(diagnostics),
        }
    }
}

/// Reads a domain's text as `release` does. Returns what could be made of it, and the diagnostics, labelled in the domain's
/// document.
#[must_use]
pub fn read(text: &str, release: Release) -> (Option<Domain>, Vec<Diagnostic>) {
    let document = syntax::parse(text);
    if document.is_well_formed() {
        return parse(&document, release);
    }
    let errors = document.errors.into_iter().map(|error| match error.rule {
        Rule::Empty => error.help(USE_DUMPXML),
        _ => error,
    });
    (None, errors.map(|error| error.moved_to(InDomain)).collect())
}

/// Reads a domain. Returns what could be made of it, and the diagnostics, labelled in the domain's document.
#[must_use]
fn parse(document: &syntax::Document<'_>, release: Release) -> (Option<Domain>, Vec<Diagnostic>) {
    let root = document.root();
    if root.name() != "domain" {
        return (None, vec![not_a_domain(root.name(), root.tag())]);
    }
    let (domain, diagnostics) = read_element(root, release);
    (Some(domain), diagnostics)
}

/// Reads a `<domain>`, in whatever document it is.
pub(crate) fn read_element(root: Element<'_, '_>, release: Release) -> (Domain, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let uuid = root.child("uuid").and_then(|uuid| canonical_uuid(trim(&uuid.text()?)));
    let devices = root.children().filter(|child| child.is("devices"));
    let disks = devices.flat_map(Element::children).filter(|child| child.is("disk"));
    let disks = disks.filter_map(|disk| parse_disk(disk, release, &mut diagnostics)).collect();
    let domain = Domain {
        disks: sort_like_libvirt(disks),
        active: root.any_value("id").is_some(),
        uuid: uuid.map(Into::into),
        hypervisor: root.any_value("type").map(Into::into),
        used_paths: resources::paths(root),
        used_ports: resources::ports(root),
        tag: root.tag(),
    };
    (domain, diagnostics)
}

const USE_DUMPXML: &str = "use the output of `virsh dumpxml`";

fn not_a_domain(name: &str, span: Span) -> Diagnostic {
    let help = match name {
        "domainbackup" => "pass the backup as FILE, and the domain with --domain: are they swapped?",
        "domstatus" => "use the output of `virsh dumpxml`, not libvirtd's own state file",
        _ => USE_DUMPXML,
    };
    let shown = truncate_for_display(name);
    Diagnostic::new(Rule::NotADomain, span, format!("not a domain: expected root element <domain>, got <{shown}>"))
        .in_document(InDomain)
        .help(help)
        .libvirt(format!("XML error: expecting root element of 'domain', not '{name}'"))
}

/// A disk with what its place in the order depends on.
struct Found {
    disk: DomainDisk,
    index: i32,
}

fn parse_disk(node: Element<'_, '_>, release: Release, diagnostics: &mut Vec<Diagnostic>) -> Option<Found> {
    let storage_type = word(node, "type", &TYPES, diagnostics)?.unwrap_or("file");
    let device = word(node, "device", &DEVICES, diagnostics)?.unwrap_or("disk");
    let target_element = node.child("target");
    let bus = match target_element {
        Some(target) => word(target, "bus", &BUSES, diagnostics)?,
        None => None,
    };
    let Some(target) = target_element.and_then(|target| target.any_value("dev")) else {
        push_bounded(
            diagnostics,
            Diagnostic::new(Rule::InvalidDomainDisk, node.tag(), "missing <target dev> in a <disk> of the domain")
                .in_document(InDomain)
                .help(format!("{USE_DUMPXML}, where every disk has one")),
        );
        return None;
    };
    let source = node.child("source");
    let disk = DomainDisk {
        target: target.strip_prefix(OLD_PREFIX).unwrap_or(target).into(),
        device,
        bus,
        source: source.map_or(Source::Empty, |source| parse_source(source, storage_type)),
        source_path: source.and_then(|source| source_path(source, storage_type, release)),
        format: node.child("driver").and_then(|driver| driver.any_value("type")).and_then(StorageFormat::from_name),
        other_images: other_images(node),
        encrypted: std::iter::once(node).chain(source).any(|node| node.child("encryption").is_some()),
        read_only: device == "cdrom" || node.child("readonly").is_some(),
        transient: node.child("transient").is_some(),
        shareable: node.child("shareable").is_some(),
        mirror: node.child("mirror").map(Element::tag),
        tag: node.tag(),
    };
    Some(Found { disk, index: drive_index(target, release) })
}

/// A fixed word. `Some(None)` when it is not written; `None`, and a diagnostic, when libvirt does not know it.
#[allow(clippy::option_option)]
fn word(
    node: Element<'_, '_>,
    name: &str,
    words: &[&'static str],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Option<&'static str>> {
    let Some(found) = node.any_attribute(name) else { return Some(None) };
    if let Some(word) = words.iter().find(|word| **word == found.value) {
        return Some(Some(word));
    }
    let element = node.name();
    let shown = truncate_for_display(found.value);
    push_bounded(
        diagnostics,
        Diagnostic::new(
            Rule::InvalidDomainDisk,
            found.span,
            format!("invalid value `{shown}` for attribute `{name}` of <{element}>"),
        )
        .in_document(InDomain)
        .help(format!("{USE_DUMPXML}; expected one of {}", words.join(", ")))
        .libvirt(format!("XML error: Invalid value for attribute '{name}' in element '{element}': '{}'.", found.value)),
    );
    None
}

/// libvirt takes an empty path for none, and a disk without a source for an empty drive, whatever its type.
fn parse_source(source: Element<'_, '_>, storage_type: &str) -> Source {
    let path = |name| source.any_value(name).filter(|path| !path.is_empty());
    match storage_type {
        "file" => path("file").map_or(Source::Empty, |path| Source::File(path.into())),
        "block" => path("dev").map_or(Source::Empty, |path| Source::Block(path.into())),
        "dir" => path("dir").map_or(Source::Empty, |_| Source::Other("dir")),
        other => TYPES.iter().find(|known| **known == other).map_or(Source::Empty, |known| Source::Other(known)),
    }
}

fn source_path(source: Element<'_, '_>, storage_type: &str, release: Release) -> Option<Box<str>> {
    let name = match storage_type {
        "file" => source.any_value("file"),
        "block" => source.any_value("dev"),
        "dir" => source.any_value("dir"),
        "network" => {
            let name = source.any_value("name");
            match source.any_value("protocol") {
                // libvirt removes the name of the volume or pool: up to 11.3.0 the part before the first slash, since
                // 12.8.0 all before the last one.
                Some("gluster" | "rbd") if release < Release::V12_8_0 => name.and_then(|name| name.split_once('/')),
                Some("gluster" | "rbd") => name.and_then(|name| name.rsplit_once('/')),
                _ => name.map(|name| ("", name)),
            }
            .map(|(_, image)| image)
        }
        _ => None,
    };
    name.map(Into::into)
}

/// The images below a disk that are not its own: the backing chain, a mirror, a data file.
fn other_images(disk: Element<'_, '_>) -> Vec<Source> {
    // Most disks have none, and need no walk.
    if !disk.children().any(|child| matches!(child.name(), "backingStore" | "mirror" | "source")) {
        return Vec::new();
    }
    let images = disk
        .descendants()
        .filter(|image| matches!(image.name(), "backingStore" | "mirror" | "dataStore"))
        .filter_map(|image| Some((image.any_value("type")?, image.child("source")?)));
    images.map(|(kind, source)| parse_source(source, kind)).filter(|source| source.path().is_some()).collect()
}

/// libvirt inserts each disk after the last one of its bus that its drive index does not come before, and disks of a
/// new bus at the end. That is: buses in the order of their first disk, and within a bus stably by index.
fn sort_like_libvirt(mut found: Vec<Found>) -> Vec<DomainDisk> {
    let mut ranks = HashMap::new();
    for disk in &found {
        let rank = ranks.len();
        ranks.entry(disk.disk.bus).or_insert(rank);
    }
    found.sort_by_cached_key(|found| (ranks.get(&found.disk.bus).copied(), found.index));
    let mut disks: Vec<_> = found.into_iter().map(|found| found.disk).collect();
    disks.shrink_to_fit();
    disks
}

/// The number of a drive: `vda` 0, `vdz` 25, `vdaa` 26, digits at the end aside; -1 for any other name. It is a C `int`,
/// which overflowed before libvirt 11.3.0; since then such a name has no number.
fn drive_index(name: &str, release: Release) -> i32 {
    const NONE: i32 = -1;
    let prefixes = ["fd", "hd", "vd", "sd", "xvd", "ubd"];
    let Some(drive) = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)) else { return NONE };
    let letters = drive.trim_end_matches(|character: char| character.is_ascii_digit());
    if letters.is_empty() || !letters.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return NONE;
    }
    // Letters count as in a spreadsheet: after z comes aa.
    let index = letters.bytes().enumerate().try_fold(0_i32, |index, (position, letter)| {
        let (carry, letter) = (i32::from(position > 0), i32::from(letter - b'a'));
        if release < Release::V11_3_0 {
            Some(index.wrapping_add(carry).wrapping_mul(26).wrapping_add(letter))
        } else {
            index.checked_add(carry)?.checked_mul(26)?.checked_add(letter)
        }
    });
    index.unwrap_or(NONE)
}
