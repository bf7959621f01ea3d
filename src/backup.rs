//! The model of a `<domainbackup>`, independent of XML.
//!
//! Fixed words are enumerations; free text is a `String`. Values that a later stage may report carry the span of the
//! attribute or element they were read from. Spans are ignored by `==`: two backups are equal if they have the same
//! content.

use crate::diagnostic::Span;

/// A value and its place in a document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The attribute or element it was read from; `None` if it is not written, because libvirt filled it in or because
    /// no document was read.
    pub span: Option<Span>,
}

impl<T> Spanned<T> {
    /// A value that is written at `span`.
    pub fn written(value: T, span: Span) -> Self {
        Self { value, span: Some(span) }
    }

    /// A value that is not written.
    pub fn implied(value: T) -> Self {
        Self { value, span: None }
    }

    /// The place to report: the start of the document for a value that is not written.
    pub fn place(&self) -> Span {
        self.span.unwrap_or_default()
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Free text and its span.
pub type Text = Spanned<String>;

/// Defines an enumeration of fixed words with `name` and `from_name`.
macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            /// The words, in libvirt's spelling.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value of `word`, whether or not the schema allows it in a backup document; `None` for an unknown
            /// word.
            #[must_use]
            pub fn from_name(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Which side transfers the data.
    Mode {
        /// The hypervisor writes to a target.
        Push = "push",
        /// A client reads over NBD.
        Pull = "pull",
    }
}

words! {
    /// How a client reaches the NBD server.
    Transport {
        /// A host name or address and a port.
        Tcp = "tcp",
        /// A Unix domain socket.
        Unix = "unix",
        /// File descriptors passed to libvirt beforehand.
        Fd = "fd",
    }
}

words! {
    /// The type of a destination.
    StorageType {
        /// A file.
        File = "file",
        /// A block device.
        Block = "block",
    }
}

words! {
    /// How much of a disk is backed up.
    BackupMode {
        /// The whole disk.
        Full = "full",
        /// The blocks that changed since a checkpoint.
        Incremental = "incremental",
    }
}

words! {
    /// The state of a disk's job; in state files only.
    State {
        /// Running.
        Running = "running",
        /// Finished successfully.
        Complete = "complete",
        /// Finished with an error.
        Failed = "failed",
        /// Being cancelled.
        Cancelling = "cancelling",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

words! {
    /// The formats that `<driver type>` can name.
    StorageFormat {
        /// Raw bytes.
        Raw = "raw",
        /// A directory.
        Dir = "dir",
        /// Bochs.
        Bochs = "bochs",
        /// Compressed loop.
        Cloop = "cloop",
        /// Apple's disk images.
        Dmg = "dmg",
        /// ISO 9660.
        Iso = "iso",
        /// Virtual PC.
        Vpc = "vpc",
        /// `VirtualBox`.
        Vdi = "vdi",
        /// A directory as a FAT volume.
        Fat = "fat",
        /// Virtual hard disk.
        Vhd = "vhd",
        /// Parallels' ploop.
        Ploop = "ploop",
        /// Copy on write.
        Cow = "cow",
        /// The first QEMU copy on write.
        Qcow = "qcow",
        /// The second QEMU copy on write.
        Qcow2 = "qcow2",
        /// QEMU enhanced disk.
        Qed = "qed",
        /// `VMware`.
        Vmdk = "vmdk",
    }
}

words! {
    /// The encryption formats; a backup document may only use `luks`, a state file any of them.
    EncryptionFormat {
        /// Not specified.
        Default = "default",
        /// The encryption built into qcow.
        Qcow = "qcow",
        /// LUKS, version 1.
        Luks = "luks",
        /// LUKS, version 2.
        Luks2 = "luks2",
        /// LUKS, either version.
        LuksAny = "luks-any",
    }
}

words! {
    /// Which program encrypts.
    EncryptionEngine {
        /// QEMU.
        Qemu = "qemu",
        /// The librbd library of Ceph.
        Librbd = "librbd",
    }
}

/// A backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// Which side transfers the data.
    pub mode: Mode,
    /// The base checkpoint of disks that name none; never empty.
    pub incremental: Option<Text>,
    /// The NBD server of a pull mode backup.
    pub server: Option<Server>,
    /// The disks: those of the document, in its order, then those that alignment added.
    pub disks: Vec<Disk>,
    /// The number of empty entries that libvirt adds when it aligns a backup with a domain in which two disks share a
    /// target.
    pub empty_disk_entries: usize,
    /// Data that libvirt keeps in a state file for itself.
    pub private_data: PrivateData,
    /// The start tag of the root element.
    pub tag: Spanned<()>,
    /// The start tag of `<disks>`.
    pub disks_tag: Spanned<()>,
}

impl Backup {
    /// A backup of no disks.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            incremental: None,
            server: None,
            disks: Vec::new(),
            empty_disk_entries: 0,
            private_data: PrivateData::default(),
            tag: Spanned::default(),
            disks_tag: Spanned::default(),
        }
    }
}

/// The NBD server of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Where clients connect.
    pub address: Address,
    /// Whether TLS is used; `None` for the default in the host's configuration.
    pub tls: Option<bool>,
    /// The start tag.
    pub tag: Spanned<()>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// The host name or address.
        name: Text,
        /// The port; 0 lets libvirt choose.
        port: u16,
    },
    /// A Unix domain socket.
    Unix {
        /// Its path.
        socket: Text,
    },
    /// File descriptors passed to libvirt beforehand.
    Fd {
        /// Their name.
        group: Text,
    },
}

impl Server {
    /// The path of its socket, if it has one.
    #[must_use]
    pub fn socket(&self) -> Option<&Text> {
        match &self.address {
            Address::Unix { socket } => Some(socket),
            Address::Tcp { .. } | Address::Fd { .. } => None,
        }
    }
}

/// A disk of the backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk {
    /// The target of the domain's disk, such as `vda`.
    pub name: Text,
    /// Whether the disk is backed up. Nothing but the name is read of an excluded disk.
    pub included: bool,
    /// The type of the destination.
    pub storage_type: Spanned<StorageType>,
    /// Whether the disk is backed up in full, if written.
    pub backupmode: Option<Spanned<BackupMode>>,
    /// The base checkpoint of this disk.
    pub incremental: Option<Text>,
    /// The name of the NBD export.
    pub exportname: Option<Text>,
    /// The name of the bitmap in the NBD export.
    pub exportbitmap: Option<Text>,
    /// The format of the image that is written.
    pub format: Option<Spanned<StorageFormat>>,
    /// The destination.
    pub destination: Option<Box<Destination>>,
    /// The state of its job; in state files only.
    pub state: Option<State>,
    /// The index that libvirt gave the destination, 0 for none; in state files only.
    pub index: u32,
    /// The start tag.
    pub tag: Spanned<()>,
}

impl Disk {
    /// An included disk with a name and no other settings.
    #[must_use]
    pub fn new(name: Text, tag: Spanned<()>) -> Self {
        Self {
            name,
            included: true,
            storage_type: Spanned::implied(StorageType::File),
            backupmode: None,
            incremental: None,
            exportname: None,
            exportbitmap: None,
            format: None,
            destination: None,
            state: None,
            index: 0,
            tag,
        }
    }

    /// The path of the destination, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Text> {
        self.destination.as_ref()?.path.as_ref()
    }
}

/// A destination: the target of a push mode backup or the scratch of a pull mode backup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destination {
    /// The path of the file or device; `None` only in state files.
    pub path: Option<Text>,
    /// Whether a path is written that cannot be read, so that alignment generates none.
    pub(crate) has_unreadable_path: bool,
    /// The name of passed file descriptors; in state files only.
    pub fdgroup: Option<Text>,
    /// The security labels.
    pub seclabels: Vec<Seclabel>,
    /// The encryption.
    pub encryption: Option<Box<Encryption>>,
}

/// A security label.
#[derive(Clone, Debug, PartialEq)]
pub struct Seclabel {
    /// The security driver it applies to.
    pub model: Option<Text>,
    /// What libvirt does.
    pub labelling: Labelling,
    /// The label; never empty.
    pub label: Option<Text>,
}

/// What libvirt does about the label of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelling {
    /// It sets a label: `relabel='yes'`.
    Relabelled,
    /// It leaves the label as it is: `relabel='no'`.
    Kept,
    /// It skipped labelling: `labelskip='yes'`.
    Skipped,
}

/// Encryption of a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Encryption {
    /// The format.
    pub format: EncryptionFormat,
    /// Which program encrypts.
    pub engine: Option<EncryptionEngine>,
    /// The secrets; exactly one outside of state files.
    pub secrets: Vec<Secret>,
    /// The cipher.
    pub cipher: Option<Cipher>,
    /// The generator of initialization vectors.
    pub ivgen: Option<Ivgen>,
    /// The start tag.
    pub tag: Spanned<()>,
}

/// A reference to a passphrase stored by libvirt.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret {
    /// Its UUID, in lower case with hyphens.
    Uuid(String),
    /// Its usage.
    Usage(String),
}

/// A cipher.
#[derive(Clone, Debug, PartialEq)]
pub struct Cipher {
    /// Its name, such as `aes`.
    pub name: String,
    /// The key size in bits.
    pub size: u32,
    /// Its mode, such as `cbc`.
    pub mode: Option<String>,
    /// Its hash.
    pub hash: Option<String>,
    /// The start tag.
    pub tag: Spanned<()>,
}

/// A generator of initialization vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Ivgen {
    /// Its name, such as `plain64`.
    pub name: String,
    /// Its hash.
    pub hash: Option<String>,
    /// The start tag.
    pub tag: Spanned<()>,
}

/// Data that libvirt keeps in a state file for itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrivateData {
    /// The alias of the TLS key's secret.
    pub tls_secret_alias: Option<String>,
    /// The alias of the TLS credentials.
    pub tls_alias: Option<String>,
}

/// `yes` or `no`.
#[must_use]
pub(crate) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
