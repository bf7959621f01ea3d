//! The attributes, values and children of each element, as data.
//!
//! What is allowed depending on the mode or on other attributes is checked in `parse`. The RELAX NG schema expresses it
//! by repeating whole elements, which is why its error messages name the wrong element.

use crate::backup::{BackupMode, Mode, StorageType, Transport};
use crate::wording::trim;

/// The values that an attribute may have.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Any, including the empty string.
    Any,
    /// One of these words.
    Words(&'static [&'static str]),
    /// The target of a disk.
    DiskName,
    /// A host name or address.
    Host,
    /// The target of a disk, or the path of its image.
    DiskNameOrPath,
    /// Decimal digits of a 32-bit number.
    Number,
    /// Decimal digits of a 64-bit number.
    LongNumber,
    /// An absolute path.
    Path,
    /// A UUID.
    Uuid,
}

impl Value {
    /// Whether libvirt's schema accepts `value`.
    ///
    /// White space around a word is accepted: RELAX NG compares tokens. libvirt's parser refuses it.
    #[must_use]
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Words(words) => words.contains(&trim(value)),
            Self::DiskName => is_disk_name(value) || is_nvme_name(value),
            Self::DiskNameOrPath => Self::DiskName.accepts(value) || Self::Path.accepts(value),
            Self::Host => is_host_name(value) || is_ipv6_address(value),
            Self::Number => number(value).is_some(),
            Self::LongNumber => long_number(value).is_some(),
            Self::Path => is_absolute_path(value),
            Self::Uuid => canonical_uuid(value).is_some(),
        }
    }
}

/// An attribute of an element.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub value: Value,
    /// Whether the attribute is always required.
    pub required: bool,
}

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `<domainbackup>`
    Backup,
    /// `<domaincheckpoint>`
    Checkpoint,
}

/// An element.
#[derive(Debug)]
pub struct Shape {
    /// The name.
    pub name: &'static str,
    /// The kind of document the element belongs to.
    pub format: Format,
    /// The attributes, in the order in which libvirt writes them.
    pub attributes: &'static [Attribute],
    /// The children that are allowed once, in the order in which libvirt writes them.
    pub children: &'static [&'static str],
    /// The child that is allowed any number of times.
    pub repeated: Option<&'static str>,
    /// Whether the element contains text.
    pub text: bool,
}

/// Maximum number of attributes of a shape.
pub const MAX_ATTRIBUTES: usize = 7;
/// Maximum number of children of a shape that are allowed once.
pub const MAX_CHILDREN: usize = 6;

const YES_NO: Value = Value::Words(&["yes", "no"]);

const fn optional(name: &'static str, value: Value) -> Attribute {
    Attribute { name, value, required: false }
}

const fn required(name: &'static str, value: Value) -> Attribute {
    Attribute { name, value, required: true }
}

const EMPTY: Shape =
    Shape { name: "", format: Format::Backup, attributes: &[], children: &[], repeated: None, text: false };

/// The root element.
pub static DOMAINBACKUP: Shape = Shape {
    name: "domainbackup",
    attributes: &[optional("mode", Value::Words(Mode::WORDS))],
    children: &["incremental", "server", "disks"],
    ..EMPTY
};
/// The base checkpoint.
pub static INCREMENTAL: Shape = Shape { name: "incremental", text: true, ..EMPTY };
/// The NBD server.
pub static SERVER: Shape = Shape {
    name: "server",
    attributes: &[
        optional("transport", Value::Words(Transport::WORDS)),
        optional("tls", YES_NO),
        optional("name", Value::Host),
        optional("port", Value::Number),
        optional("socket", Value::Path),
        optional("fdgroup", Value::Any),
    ],
    ..EMPTY
};
/// The list of disks.
pub static DISKS: Shape = Shape { name: "disks", repeated: Some("disk"), ..EMPTY };
/// A disk of a push mode backup.
pub static PUSH_DISK: Shape = Shape {
    name: "disk",
    attributes: &[
        required("name", Value::DiskName),
        optional("backup", YES_NO),
        optional("type", Value::Words(StorageType::WORDS)),
        optional("backupmode", Value::Words(BackupMode::WORDS)),
        optional("incremental", Value::Any),
    ],
    children: &["driver", "target"],
    ..EMPTY
};
/// A disk of a pull mode backup.
pub static PULL_DISK: Shape = Shape {
    name: "disk",
    attributes: &[
        required("name", Value::DiskName),
        optional("backup", YES_NO),
        optional("type", Value::Words(StorageType::WORDS)),
        optional("backupmode", Value::Words(BackupMode::WORDS)),
        optional("incremental", Value::Any),
        optional("exportname", Value::Any),
        optional("exportbitmap", Value::Any),
    ],
    children: &["driver", "scratch"],
    ..EMPTY
};
/// The format of a target. The schema accepts `luks`, libvirt's parser does not.
pub static PUSH_DRIVER: Shape = Shape {
    name: "driver",
    attributes: &[required(
        "type",
        Value::Words(&[
            "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "luks", "cow", "qcow",
            "qcow2", "qed", "vmdk",
        ]),
    )],
    ..EMPTY
};
/// The format of a scratch.
pub static PULL_DRIVER: Shape =
    Shape { name: "driver", attributes: &[required("type", Value::Words(&["qcow2"]))], ..EMPTY };
/// The destination of a disk of a push mode backup.
pub static TARGET: Shape = Shape { name: "target", ..DESTINATION };
/// The destination of a disk of a pull mode backup, for blocks that the guest overwrites.
pub static SCRATCH: Shape = Shape { name: "scratch", ..DESTINATION };
const DESTINATION: Shape = Shape {
    attributes: &[optional("file", Value::Path), optional("dev", Value::Path)],
    children: &["encryption"],
    repeated: Some("seclabel"),
    ..EMPTY
};
/// A security label.
pub static SECLABEL: Shape = Shape {
    name: "seclabel",
    attributes: &[
        optional("model", Value::Any),
        optional("relabel", YES_NO),
        optional("labelskip", Value::Words(&["yes"])),
    ],
    repeated: Some("label"),
    ..EMPTY
};
/// The text of a security label.
pub static LABEL: Shape = Shape { name: "label", text: true, ..EMPTY };
/// Encryption of a destination.
pub static ENCRYPTION: Shape = Shape {
    name: "encryption",
    attributes: &[required("format", Value::Words(&["luks"])), optional("engine", Value::Words(&["qemu"]))],
    children: &["secret", "cipher", "ivgen"],
    ..EMPTY
};
/// A reference to a passphrase stored by libvirt.
pub static SECRET: Shape = Shape {
    name: "secret",
    attributes: &[
        required("type", Value::Words(&["passphrase"])),
        optional("uuid", Value::Uuid),
        optional("usage", Value::Any),
    ],
    ..EMPTY
};
/// A cipher.
pub static CIPHER: Shape = Shape {
    name: "cipher",
    attributes: &[
        required("name", Value::Any),
        required("size", Value::Number),
        optional("mode", Value::Any),
        optional("hash", Value::Any),
    ],
    ..EMPTY
};
/// A generator of initialization vectors.
pub static IVGEN: Shape =
    Shape { name: "ivgen", attributes: &[required("name", Value::Any), optional("hash", Value::Any)], ..EMPTY };

/// The root of a checkpoint. The contents of its `<domain>` are not checked.
pub static DOMAINCHECKPOINT: Shape = Shape {
    name: "domaincheckpoint",
    children: &["name", "description", "creationTime", "disks", "domain", "parent"],
    ..CHECKPOINT
};
/// The name of a checkpoint.
pub static CHECKPOINT_NAME: Shape = Shape { name: "name", text: true, ..CHECKPOINT };
/// The description of a checkpoint.
pub static CHECKPOINT_DESCRIPTION: Shape = Shape { name: "description", text: true, ..CHECKPOINT };
/// The seconds since 1970 when a checkpoint was created.
pub static CHECKPOINT_CREATION_TIME: Shape = Shape { name: "creationTime", text: true, ..CHECKPOINT };
/// The parent of a checkpoint.
pub static CHECKPOINT_PARENT: Shape = Shape { name: "parent", children: &["name"], ..CHECKPOINT };
/// The disks of a checkpoint.
pub static CHECKPOINT_DISKS: Shape = Shape { name: "disks", repeated: Some("disk"), ..CHECKPOINT };
/// A disk of a checkpoint.
pub static CHECKPOINT_DISK: Shape = Shape {
    name: "disk",
    attributes: &[
        required("name", Value::DiskNameOrPath),
        optional("checkpoint", Value::Words(&["no", "bitmap"])),
        optional("bitmap", Value::Any),
        optional("size", Value::LongNumber),
    ],
    ..CHECKPOINT
};
/// A domain in a checkpoint, which is not validated here.
static CHECKPOINT_DOMAIN: Shape = Shape { name: "domain", ..CHECKPOINT };
const CHECKPOINT: Shape = Shape { format: Format::Checkpoint, ..EMPTY };

impl Shape {
    /// The shapes of the same kind of document, with the elements that each is allowed in.
    #[must_use]
    pub fn relatives(&self) -> &'static [(&'static Self, &'static [&'static str])] {
        match self.format {
            Format::Backup => SHAPES,
            Format::Checkpoint => CHECKPOINT_SHAPES,
        }
    }
}

/// The same for the shapes of a checkpoint.
static CHECKPOINT_SHAPES: &[(&Shape, &[&str])] = &[
    (&DOMAINCHECKPOINT, &[]),
    (&CHECKPOINT_NAME, &["domaincheckpoint", "parent"]),
    (&CHECKPOINT_DESCRIPTION, &["domaincheckpoint"]),
    (&CHECKPOINT_CREATION_TIME, &["domaincheckpoint"]),
    (&CHECKPOINT_PARENT, &["domaincheckpoint"]),
    (&CHECKPOINT_DOMAIN, &["domaincheckpoint"]),
    (&CHECKPOINT_DISKS, &["domaincheckpoint"]),
    (&CHECKPOINT_DISK, &["disks"]),
];

/// Every shape of a backup with the elements that may contain it, to suggest the right place of a misplaced element or
/// attribute.
pub static SHAPES: &[(&Shape, &[&str])] = &[
    (&DOMAINBACKUP, &[]),
    (&INCREMENTAL, &["domainbackup"]),
    (&SERVER, &["domainbackup"]),
    (&DISKS, &["domainbackup"]),
    (&PULL_DISK, &["disks"]),
    (&PUSH_DRIVER, &["disk"]),
    (&TARGET, &["disk"]),
    (&SCRATCH, &["disk"]),
    (&SECLABEL, &["target", "scratch"]),
    (&LABEL, &["seclabel"]),
    (&ENCRYPTION, &["target", "scratch"]),
    (&SECRET, &["encryption"]),
    (&CIPHER, &["encryption"]),
    (&IVGEN, &["encryption"]),
];

/// `(ioemu:)?(fd|hd|sd|vd|xvd|ubd)[a-zA-Z0-9_]+`
fn is_disk_name(name: &str) -> bool {
    let name = name.strip_prefix("ioemu:").unwrap_or(name);
    ["fd", "hd", "sd", "vd", "xvd", "ubd"]
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .any(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// `nvme[0-9]+n[0-9]+(p[0-9]+)?`
#[must_use]
pub fn is_nvme_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((controller, rest)) = name.strip_prefix("nvme").and_then(|rest| rest.split_once('n')) else {
        return false;
    };
    let (namespace, partition) = match rest.split_once('p') {
        Some((namespace, partition)) => (namespace, Some(partition)),
        None => (rest, None),
    };
    digits(controller) && digits(namespace) && partition.is_none_or(digits)
}

/// `[a-zA-Z0-9.\-]+`, which includes IPv4 addresses.
fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// An IPv6 address as libvirt's schema defines it: no brackets, no zone, at most one `::`, optionally an IPv4 address
/// at the end.
///
/// libxml2 evaluates that pattern incorrectly: with a `::` or an IPv4 address, the first group may have any number of
/// digits, and so may a single group after the `::`. A correct check would refuse addresses that libvirt accepts.
fn is_ipv6_address(address: &str) -> bool {
    if let Some((head, ipv4)) = address.rsplit_once(':').filter(|(_, last)| last.contains('.')) {
        return is_ipv4_address(ipv4) && ipv6_before_ipv4(head);
    }
    let Some((head, tail)) = address.split_once("::") else {
        return address.split(':').all(is_ipv6_group) && address.split(':').count() == 8;
    };
    let Some(head) = ipv6_groups(head, true) else { return false };
    let Some(tail) = ipv6_groups(tail, !tail.contains(':') && head <= 5) else { return false };
    match (head, tail) {
        (head, 0) => head <= 7,
        (0, tail) => tail <= 7,
        (head, tail) => head + tail <= 7 && head <= 6,
    }
}

/// What may precede the last colon before an IPv4 address: nothing, or `:` for `::`; `::` and up to five groups; up to
/// five groups and `:`; or six groups.
fn ipv6_before_ipv4(head: &str) -> bool {
    if head.is_empty() || head == ":" {
        return true;
    }
    if let Some(rest) = head.strip_prefix("::") {
        return ipv6_groups(rest, false).is_some_and(|count| (1..=5).contains(&count));
    }
    match head.strip_suffix(':') {
        Some(before) => ipv6_groups(before, true).is_some_and(|count| (1..=5).contains(&count)),
        None => ipv6_groups(head, true) == Some(6),
    }
}

/// The number of groups in `text`, if it consists of groups only.
fn ipv6_groups(text: &str, first_may_be_long: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    text.split(':').enumerate().try_fold(0, |count, (position, group)| {
        let long = position == 0 && first_may_be_long;
        let is_group =
            is_ipv6_group(group) || long && !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_group.then_some(count + 1)
    })
}

fn is_ipv6_group(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Four numbers up to 255 without leading zeros.
fn is_ipv4_address(address: &str) -> bool {
    address.parse::<std::net::Ipv4Addr>().is_ok()
}

/// `(/|[a-zA-Z]:\\).+`, where the dot matches neither line feed nor carriage return.
fn is_absolute_path(path: &str) -> bool {
    let mut characters = path.chars();
    let rest = match characters.next() {
        Some('/') => characters.as_str(),
        Some(drive) if drive.is_ascii_alphabetic() => match characters.as_str().strip_prefix(":\\") {
            Some(rest) => rest,
            None => return false,
        },
        _ => return false,
    };
    !rest.is_empty() && !rest.contains(['\n', '\r'])
}

/// Decimal digits, leading zeros allowed, at most 4294967295.
#[must_use]
pub fn number(value: &str) -> Option<u32> {
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

/// Digits, leading zeros too, at most 18446744073709551615.
#[must_use]
pub fn long_number(value: &str) -> Option<u64> {
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

/// Thirty-two hexadecimal digits, plain or as 8-4-4-4-12; returned in lower case with hyphens.
#[must_use]
pub fn canonical_uuid(value: &str) -> Option<String> {
    let hyphens = [8, 13, 18, 23];
    let plain = match value.len() {
        32 => true,
        36 => false,
        _ => return None,
    };
    let mut uuid = String::with_capacity(36);
    for (position, character) in value.char_indices() {
        if !plain && hyphens.contains(&position) {
            if character != '-' {
                return None;
            }
            continue;
        }
        if !character.is_ascii_hexdigit() {
            return None;
        }
        if hyphens.contains(&uuid.len()) {
            uuid.push('-');
        }
        uuid.push(character.to_ascii_lowercase());
    }
    Some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shape_outgrows_the_slots_it_is_read_into() {
        for (shape, _) in
            SHAPES.iter().chain(CHECKPOINT_SHAPES).copied().chain([(&PUSH_DISK, &[][..]), (&PULL_DRIVER, &[][..])])
        {
            assert!(shape.attributes.len() <= MAX_ATTRIBUTES, "{}", shape.name);
            assert!(shape.children.len() <= MAX_CHILDREN, "{}", shape.name);
        }
    }
}
