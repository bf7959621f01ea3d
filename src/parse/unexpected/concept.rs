//! What people write in a place or under a name that libvirt does not know, although it has one for it:
//! `exclude='yes'`, `<name>vda</name>`, `<target>/backup/vda.qcow2</target>`.
//!
//! A value is moved to where it belongs, never deleted. Where libvirt has no place for it, there is no fix.

use crate::parse::element::{Context, Fields};
use crate::schema::{Format, PUSH_DRIVER, Value};
use crate::syntax::Attribute;

use super::relocate::{Relocated, is_free, set};

/// A name that is not libvirt's, and where what it says belongs.
pub(super) struct Concept {
    format: Format,
    /// The element that has it as an attribute or as a child; empty: any.
    element: &'static str,
    names: &'static [&'static str],
    values: Values,
    pub place: Place,
    /// What else to say.
    pub help: &'static str,
}

/// The values that a concept is about.
enum Values {
    Any,
    Words(&'static [&'static str]),
    DiskName,
    Device,
    Path,
    Format,
}

/// Where a value belongs.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// An attribute of the same element.
    Attribute(&'static str),
    /// An attribute of the same element, with another value.
    Setting(&'static str, &'static str),
    /// The text of the same element.
    Text,
    /// An attribute of a child.
    Child(&'static str, &'static str),
    /// An attribute of an element beside this one.
    Sibling(&'static str, &'static str),
    /// A disk with that name, and this besides.
    Disk(&'static str),
    /// libvirt has no place for it, or it is not clear which.
    Nowhere,
}

use Place::{Child, Disk, Nowhere, Setting, Sibling, Text};
use Values::{Any, DiskName, Words};

const YES: Values = Words(&["yes", "true", "1", "on"]);
const NO: Values = Words(&["no", "false", "0", "off", "none"]);
const EXCLUDED: &[&str] = &["exclude", "excluded", "skip", "skipped", "ignore", "omit"];
const INCLUDED: &[&str] = &["include", "included", "enable", "enabled", "active"];
const DESTINATION: &[&str] = &["target", "destination", "dest", "dst", "to", "output"];
const IMAGE: &[&str] = &["file", "path", "filename", "location", "source", "src", "image", "dev", "device"];
const BASE: &[&str] = &["checkpoint", "name", "since", "from", "base", "parent", "value", "id"];
const SINCE: &[&str] = &["since", "from", "base", "checkpoint"];
const COMPRESSION: &[&str] =
    &["compress", "compression", "compressed", "compression_type", "compression-type", "compressor"];

const EXCLUDE: &str = "a disk is excluded by backup='no'";
const SNAPSHOT: &str = "`snapshot` is for snapshots; a disk is excluded by backup='no'";
const EXCLUDE_FROM_CHECKPOINT: &str = "a disk is excluded from a checkpoint by checkpoint='no'";
const ONE_DISK: &str =
    "a disk is excluded by <disk name='...' backup='no'/> in <disks>, included by <disk name='...'/>";
const CHECKPOINT: &str = "a checkpoint is a document of its own, <domaincheckpoint>, the second argument of `virsh \
                          backup-begin DOMAIN BACKUP CHECKPOINT`; a backup since a checkpoint has <incremental>NAME</incremental>";
const COMPRESSED: &str =
    "libvirt does not compress backups: compress the finished one, for example with `qemu-img convert -c`";
const OF_CHECKPOINT: &str = "this is for checkpoints, not for backups";
const OF_BACKUP: &str = "this is for backups, not for checkpoints";
const DOMAIN: &str = "the domain is the first argument of `virsh backup-begin DOMAIN BACKUP`";
const ON_HOST: &str = "a backup is written to a file or block device of the host";
const NO_SOURCE: &str = "a backup's disk has no source: `name` selects the disk of the domain, and <target> names the \
                         file that its copy is written to";

const fn concept(
    element: &'static str,
    names: &'static [&'static str],
    values: Values,
    place: Place,
    help: &'static str,
) -> Concept {
    Concept { format: Format::Backup, element, names, values, place, help }
}

const fn synonyms(element: &'static str, names: &'static [&'static str], name: &'static str) -> Concept {
    concept(element, names, Any, Place::Attribute(name), "")
}

const fn of_checkpoint(concept: Concept) -> Concept {
    Concept { format: Format::Checkpoint, ..concept }
}

/// The first that fits is it.
static CONCEPTS: [Concept; 53] = [
    synonyms("server", &["host", "hostname", "address", "addr", "listen", "ip", "bind"], "name"),
    synonyms("server", &["path", "sock", "unix", "file"], "socket"),
    synonyms("server", &["type", "protocol", "scheme", "kind", "mode"], "transport"),
    synonyms("server", &["group", "fd"], "fdgroup"),
    synonyms("server", &["ssl"], "tls"),
    synonyms("disk", &["target", "dev", "device", "disk", "id", "drive"], "name"),
    synonyms("disk", &["mode", "level"], "backupmode"),
    concept("target", &["path", "filename", "location", "url"], Values::Device, Place::Attribute("dev"), ""),
    synonyms("target", &["path", "filename", "location", "url"], "file"),
    concept("scratch", &["path", "filename", "location", "url"], Values::Device, Place::Attribute("dev"), ""),
    synonyms("scratch", &["path", "filename", "location", "url"], "file"),
    synonyms("driver", &["format", "fmt"], "type"),
    synonyms("secret", &["id"], "uuid"),
    synonyms("cipher", &["algorithm", "alg"], "name"),
    concept("disk", EXCLUDED, YES, Setting("backup", "no"), EXCLUDE),
    concept("disk", EXCLUDED, NO, Setting("backup", "yes"), EXCLUDE),
    concept("disk", EXCLUDED, Any, Nowhere, EXCLUDE),
    concept("disk", INCLUDED, NO, Setting("backup", "no"), EXCLUDE),
    concept("disk", INCLUDED, YES, Setting("backup", "yes"), EXCLUDE),
    concept("disk", INCLUDED, Any, Nowhere, EXCLUDE),
    concept("disk", &["snapshot"], NO, Setting("backup", "no"), SNAPSHOT),
    concept("disk", &["snapshot"], Any, Nowhere, SNAPSHOT),
    concept("disk", &["mode"], Any, Nowhere, "expected `backupmode`, which is `full` or `incremental`"),
    concept("disk", &["checkpoint", "bitmap"], Any, Nowhere, CHECKPOINT),
    concept("disk", SINCE, Values::Path, Nowhere, NO_SOURCE),
    synonyms("disk", SINCE, "incremental"),
    concept("disk", DESTINATION, Values::Device, Child("target", "dev"), ""),
    concept("disk", DESTINATION, Values::Path, Child("target", "file"), ""),
    concept("disk", &["format", "fmt", "driver"], Values::Format, Child("driver", "type"), ""),
    concept("disk", IMAGE, Any, Nowhere, NO_SOURCE),
    concept("target", &["format", "fmt", "driver"], Values::Format, Sibling("driver", "type"), ""),
    concept("target", &["protocol", "pool", "volume"], Any, Nowhere, ON_HOST),
    concept("scratch", &["format", "fmt", "driver"], Values::Format, Sibling("driver", "type"), ""),
    concept("scratch", &["protocol", "pool", "volume"], Any, Nowhere, ON_HOST),
    concept("disks", EXCLUDED, DiskName, Disk(" backup='no'"), EXCLUDE),
    concept("disks", INCLUDED, DiskName, Disk(""), "a disk is included by <disk name='...'/>"),
    concept("disks", EXCLUDED, Any, Nowhere, ONE_DISK),
    concept("disks", INCLUDED, Any, Nowhere, ONE_DISK),
    concept("domainbackup", EXCLUDED, Any, Nowhere, ONE_DISK),
    concept("domainbackup", INCLUDED, Any, Nowhere, ONE_DISK),
    concept("domainbackup", &["checkpoint", "domaincheckpoint"], Any, Nowhere, CHECKPOINT),
    concept("domainbackup", &["domain", "vm", "uuid"], Any, Nowhere, DOMAIN),
    concept("domainbackup", &["description", "creationTime", "parent"], Any, Nowhere, OF_CHECKPOINT),
    concept("domainbackup", &["name"], Any, Nowhere, OF_CHECKPOINT),
    concept("incremental", BASE, Any, Text, ""),
    concept("", COMPRESSION, Any, Nowhere, COMPRESSED),
    concept("", SINCE, Any, Nowhere, CHECKPOINT),
    concept("", EXCLUDED, Any, Nowhere, ONE_DISK),
    of_checkpoint(concept("disk", EXCLUDED, YES, Setting("checkpoint", "no"), EXCLUDE_FROM_CHECKPOINT)),
    of_checkpoint(concept(
        "disk",
        &["backup", "snapshot", "include"],
        NO,
        Setting("checkpoint", "no"),
        EXCLUDE_FROM_CHECKPOINT,
    )),
    of_checkpoint(concept("disk", &["backup", "snapshot"], Any, Nowhere, EXCLUDE_FROM_CHECKPOINT)),
    of_checkpoint(concept("disks", EXCLUDED, DiskName, Disk(" checkpoint='no'"), EXCLUDE_FROM_CHECKPOINT)),
    of_checkpoint(concept("domaincheckpoint", &["server", "incremental"], Any, Nowhere, OF_BACKUP)),
];

impl Concept {
    /// What to write instead.
    pub fn help_for(&self, relocated: Option<&Relocated>) -> String {
        match relocated {
            Some(relocated) if self.help.is_empty() => format!("write {}", relocated.shown),
            _ => self.help.to_owned(),
        }
    }
}

impl Place {
    /// Reads a value as if it were in its place.
    pub fn read<'a>(self, context: &mut Context<'_>, fields: &mut Fields<'a, '_>, attribute: Attribute<'a>) {
        match self {
            Self::Attribute(name) => set(fields, name, attribute),
            Self::Setting(name, value) => set(fields, name, Attribute { name, value, ..attribute }),
            Self::Child(..) | Self::Sibling(..) | Self::Disk(_) => fields.has_unknown_child = true,
            Self::Text => context.note_misplaced(fields.shape.name, attribute.span),
            Self::Nowhere => {}
        }
    }
}

impl Values {
    fn hold(&self, value: &str) -> bool {
        match self {
            Any => true,
            Words(words) => words.iter().any(|word| value.eq_ignore_ascii_case(word)),
            DiskName => Value::DiskName.accepts(value),
            Self::Device => value.starts_with("/dev/"),
            Self::Path => Value::Path.accepts(value),
            Self::Format => is_format(value),
        }
    }
}

/// Whether a word is a format that a destination can have.
pub(crate) fn is_format(word: &str) -> bool {
    PUSH_DRIVER.attributes.iter().all(|attribute| attribute.value.accepts(word))
}

/// The concept that an attribute or a child of an element is, if it is one.
pub(super) fn find(fields: &Fields<'_, '_>, name: &str, value: &str) -> Option<&'static Concept> {
    CONCEPTS.iter().find(|concept| {
        let is_free = match concept.place {
            Place::Attribute(name) => is_free(fields, name, value),
            _ => true,
        };
        let is_of_element = concept.element.is_empty() || concept.element == fields.shape.name;
        let is_of_format = concept.format == fields.shape.format;
        is_of_format && is_of_element && concept.names.contains(&name) && concept.values.hold(value) && is_free
    })
}
