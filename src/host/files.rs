//! What a machine says of files, devices, addresses and certificates, as far as a backup has to do with them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

#[cfg(feature = "cli")]
use serde::{Deserialize, Serialize};

use crate::diagnostic::NotChecked;

/// What was looked at.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Files {
    /// Why the daemon may see other files than this process; then nothing about files is certain.
    pub other_view: Option<String>,
    /// Whom QEMU runs as, if it is known.
    pub user: Option<User>,
    /// The paths that were looked at, as they are written.
    pub paths: BTreeMap<String, Place>,
    /// The socket of a server. What stands there is removed, so that a link at its end is not followed.
    pub socket: Option<Place>,
    /// The file systems of directories, by the paths of those without links.
    pub file_systems: BTreeMap<String, FileSystem>,
    /// Locks that programs hold on files.
    pub locks: BTreeMap<Id, Lock>,
    /// What image files say of themselves, by their paths.
    pub images: BTreeMap<String, ImageFile>,
    /// The TCP ports that something listens on.
    pub listeners: Vec<Listener>,
    /// The names of servers, and the addresses they stand for.
    pub hosts: BTreeMap<String, Host>,
    /// The lowest TCP port that needs no privilege.
    pub first_unprivileged_port: u16,
    /// What is wrong with the certificates of QEMU's server.
    pub certificates: Option<Certificates>,
    /// What could not be looked at.
    pub not_checked: BTreeSet<NotChecked>,
}

impl Files {
    /// The file system of what a path leads to.
    #[must_use]
    pub fn file_system(&self, place: &Place) -> Option<&FileSystem> {
        self.file_systems.get(&place.directory()?.path)
    }
}

/// A user of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct User {
    /// The number.
    pub uid: u32,
    /// The numbers of the groups.
    pub groups: Vec<u32>,
}

/// Device and inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize), serde(try_from = "String", into = "String"))]
pub struct Id {
    /// The number of the file system.
    pub device: u64,
    /// The number of the file in it.
    pub inode: u64,
}

/// `DEVICE:INODE`
impl From<Id> for String {
    fn from(Id { device, inode }: Id) -> Self {
        format!("{device}:{inode}")
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        let numbers = written.split_once(':').map(|(device, inode)| (device.parse(), inode.parse()));
        match numbers {
            Some((Ok(device), Ok(inode))) => Ok(Self { device, inode }),
            _ => Err(written),
        }
    }
}

/// Who may do what with a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Access {
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The permission bits.
    pub mode: u32,
    /// Whether an access control list says more.
    pub has_acl: bool,
}

/// Reading, writing, and searching a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish(u32);

impl Wish {
    /// To search a directory.
    pub const SEARCH: Self = Self(1);
    /// To make or remove files in a directory.
    pub const CHANGE: Self = Self(3);
    /// To read and write.
    pub const WRITE: Self = Self(6);
    /// To read.
    pub const READ: Self = Self(4);
}

impl User {
    /// Whether the user may do this; `None` when an access control list decides.
    #[must_use]
    pub fn may(&self, wish: Wish, access: Access) -> Option<bool> {
        if self.uid == 0 {
            return Some(true);
        }
        let shift = match () {
            () if access.uid == self.uid => 6,
            () if access.has_acl => return None,
            () if self.groups.contains(&access.gid) => 3,
            () => 0,
        };
        Some((access.mode >> shift) & wish.0 == wish.0)
    }
}

/// Where a path leads, symbolic links followed as the kernel does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Place {
    /// The path without links, as far as it could be followed.
    pub resolved: String,
    /// The directories on the way, the root first.
    pub directories: Vec<Directory>,
    /// What stands at its end.
    pub end: End,
}

impl Place {
    /// The directory that its last component is in; none if the path leads nowhere.
    #[must_use]
    pub fn directory(&self) -> Option<&Directory> {
        if !matches!(self.end, End::Found(_) | End::Absent) {
            return None;
        }
        let (parent, _) = self.resolved.rsplit_once('/')?;
        let parent = if parent.is_empty() { "/" } else { parent };
        self.directories.iter().find(|directory| directory.path == parent)
    }

    /// What the path leads to.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        match &self.end {
            End::Found(node) => Some(node),
            _ => None,
        }
    }

    /// Whether nothing is there, as far as can be seen.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.end, End::Absent | End::NoDirectory(_) | End::NotADirectory(_) | End::LinkLoop)
    }
}

/// A directory on the way of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
pub struct Directory {
    /// Its path, without links.
    pub path: String,
    /// Which it is.
    pub id: Id,
    /// Who may use it.
    pub access: Access,
}

/// What stands at the end of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
pub enum End {
    /// This.
    Found(Node),
    /// Nothing, in a directory that exists.
    #[default]
    Absent,
    /// A directory on the way is missing, by its path.
    NoDirectory(String),
    /// Something on the way is no directory, by its path.
    NotADirectory(String),
    /// Symbolic links lead in a circle.
    LinkLoop,
    /// This process may not look, by the path of what is closed to it.
    Closed(String),
    /// Looking failed otherwise, in the system's words.
    Failed(String),
}

/// A file of any kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Which it is. A block device is the same under all its names: here it has its own number, and no inode.
    pub id: Id,
    /// As the kernel knows the file of a device; otherwise as `id`.
    pub lock_id: Id,
    /// Who may use it.
    pub access: Access,
    /// Its size in bytes; of a block device, the device's, if it is known.
    pub size: Option<u64>,
    /// What it takes on its file system.
    pub allocated: u64,
    /// Whether it is a device that cannot be written to.
    pub read_only: bool,
}

/// What a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
pub enum Kind {
    /// A regular file.
    #[default]
    File,
    /// A directory.
    Directory,
    /// A block device.
    Block,
    /// A character device.
    Character,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A symbolic link that was not followed.
    Link,
}

impl Kind {
    /// In words, with an article.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Block => "a block device",
            Self::Character => "a character device",
            Self::Fifo => "a named pipe",
            Self::Socket => "a socket",
            Self::Link => "a symbolic link",
        }
    }
}

/// A file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct FileSystem {
    /// Its number: two directories with one number share its space.
    pub device: u64,
    /// Where it is mounted, if that could be found.
    pub mount: String,
    /// Its type, such as `ext4`.
    pub kind: String,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Bytes that a user without privileges can still write.
    pub free: u64,
    /// Bytes that root can still write.
    pub free_for_root: u64,
    /// Files that can still be made; `None` when the file system does not count them.
    pub free_files: Option<u64>,
    /// The size of a block in bytes.
    pub block: u64,
}

impl FileSystem {
    /// Whether it shows what the kernel knows, and holds no files of others.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.kind.as_str(), "proc" | "sysfs")
    }

    /// What the kernel says of a new file in a virtual one.
    #[must_use]
    pub fn refusal(&self) -> &'static str {
        if self.kind == "proc" { "No such file or directory" } else { "Permission denied" }
    }

    /// The largest file it can hold, where that is less than any disk.
    #[must_use]
    pub fn largest_file(&self) -> Option<u64> {
        match self.kind.as_str() {
            "vfat" | "msdos" => Some(u64::from(u32::MAX)),
            // Extents count blocks in 32 bits.
            "ext4" => Some(self.block.saturating_mul(1 << 32).saturating_sub(self.block)),
            _ => None,
        }
    }
}

/// How a program has locked an image. QEMU's locks say what it does, and what it suffers no other program to do.
// Each is a lock of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Lock {
    /// It writes.
    pub writes: bool,
    /// It may change the size.
    pub resizes: bool,
    /// No other program may write.
    pub denies_writing: bool,
    /// No other program may change the size.
    pub denies_resizing: bool,
}

/// What an image file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct ImageFile {
    /// Its format, such as `qcow2`; `raw` when it is none that is known.
    pub format: String,
    /// What a guest would see.
    pub virtual_size: u64,
    /// Why it cannot be opened.
    pub error: Option<String>,
    /// Whether its data are encrypted.
    pub encrypted: bool,
    /// Whether it is marked as corrupt.
    pub corrupt: bool,
    /// Whether it is a qcow2 of version 2, which can hold no bitmaps.
    pub is_old: bool,
    /// The bitmaps stored in it.
    pub bitmaps: Vec<String>,
}

/// A TCP port that something listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
pub struct Listener {
    /// The address; unspecified for every one.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Whether a listener on every IPv6 address takes IPv4 connections too.
    #[cfg_attr(feature = "cli", serde(default))]
    pub takes_ipv4: bool,
}

/// What a name of a server stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
pub enum Host {
    /// Addresses of this host.
    Local(Vec<IpAddr>),
    /// Addresses, of which none is this host's.
    Elsewhere(Vec<IpAddr>),
    /// It does not resolve, in the system's words.
    Unknown(String),
    /// No name server answered in time.
    Unasked,
}

/// What keeps QEMU from using certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(Deserialize, Serialize))]
#[cfg_attr(feature = "cli", serde(default))]
pub struct Certificates {
    /// What is wrong.
    pub problem: String,
    /// What QEMU says of it.
    pub said: String,
}
