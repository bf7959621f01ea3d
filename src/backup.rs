//! The typed backup: what a `<domainbackup>` says, free of XML.
//!
//! Names and fixed words are enumerations, free text is borrowed from the parsed document where it can be. Values that
//! a later stage may have to point at carry the span of the attribute or element they were read from; spans do not take
//! part in comparisons, so two backups are equal when they say the same.

mod owned;

use std::borrow::Cow;

use crate::diagnostic::Span;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The attribute or element that it was read from; empty for a value that was filled in.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What was written, for those who explain it; takes no part in comparisons.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceOnly<T>(pub T);

impl<T> PartialEq for SourceOnly<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Free text and where it was written.
pub type Text<'a> = Spanned<Cow<'a, str>>;

/// Implements `name` and `from_name` for an enumeration of fixed words.
macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            /// The words, as libvirt spells them.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value that `word` stands for, without regard to the schema's limits.
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
    /// Who moves the data.
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
        /// A host and a port.
        Tcp = "tcp",
        /// A socket in the file system.
        Unix = "unix",
        /// File descriptors passed in beforehand.
        Fd = "fd",
    }
}

words! {
    /// What a destination is.
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
        /// All of it.
        Full = "full",
        /// What changed since a checkpoint.
        Incremental = "incremental",
    }
}

words! {
    /// How far a disk's job is; in state files only.
    State {
        /// It runs.
        Running = "running",
        /// It has ended well.
        Complete = "complete",
        /// It has ended badly.
        Failed = "failed",
        /// It is being cancelled.
        Cancelling = "cancelling",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

words! {
    /// The formats that libvirt can name in `<driver type>`.
    StorageFormat {
        /// Plain bytes.
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
    /// The encryptions that libvirt can name; a backup document may say `luks` only, a state file any.
    EncryptionFormat {
        /// None said.
        Default = "default",
        /// qcow's own.
        Qcow = "qcow",
        /// LUKS, version 1.
        Luks = "luks",
        /// LUKS, version 2.
        Luks2 = "luks2",
        /// Either LUKS.
        LuksAny = "luks-any",
    }
}

words! {
    /// Who encrypts.
    EncryptionEngine {
        /// QEMU.
        Qemu = "qemu",
        /// Ceph's library.
        Librbd = "librbd",
    }
}

/// A whole backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup<'a> {
    /// Who moves the data.
    pub mode: Mode,
    /// The checkpoint that disks start from unless they say otherwise; never empty.
    pub incremental: Option<Text<'a>>,
    /// Where a pull mode backup is served.
    pub server: Option<Server<'a>>,
    /// The disks, in order.
    pub disks: Vec<Disk<'a>>,
    /// How many disks libvirt leaves empty when it aligns a backup with a domain in which two disks share a target.
    pub empty_disk_entries: usize,
    /// What a state file keeps for libvirt itself.
    pub private_data: PrivateData<'a>,
    /// The start tag of the root element.
    pub tag: Spanned<()>,
    /// The start tag of `<disks>`.
    pub disks_tag: SourceOnly<Option<Span>>,
    /// What libvirt reads past without a word.
    pub ignored: SourceOnly<Vec<Ignored>>,
}

/// Something that libvirt accepts and drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub what: IgnoredKind,
}

/// What libvirt accepts and drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoredKind {
    /// An empty `<incremental>`.
    EmptyIncremental,
    /// This attribute of a disk that is left out.
    OfExcludedDisk(&'static str),
    /// A `<label>` after the first one of a security label.
    SecondLabel,
    /// A `<label>` that is too long.
    LongLabel,
}

/// The NBD server of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Server<'a> {
    /// How clients reach it.
    pub transport: Transport,
    /// Whether TLS is used; `None` leaves it to the host's configuration.
    pub tls: Option<bool>,
    /// The host name or address it listens on.
    pub name: Option<Text<'a>>,
    /// The port; 0 leaves it to libvirt.
    pub port: u16,
    /// The path of the socket.
    pub socket: Option<Text<'a>>,
    /// The name of the passed file descriptors.
    pub fdgroup: Option<Text<'a>>,
    /// The start tag.
    pub tag: Spanned<()>,
}

/// A disk of the backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk<'a> {
    /// The target of the domain's disk.
    pub name: Text<'a>,
    /// Whether it takes part. Of a disk that does not, nothing but its name is read.
    pub included: bool,
    /// What the destination is.
    pub storage_type: StorageType,
    /// What the destination was said to be; alignment may make something else of it.
    pub written_type: SourceOnly<Option<Spanned<StorageType>>>,
    /// How much is backed up, if it was said.
    pub backupmode: Option<Spanned<BackupMode>>,
    /// The checkpoint that this disk starts from.
    pub incremental: Option<Text<'a>>,
    /// The name of its NBD export.
    pub exportname: Option<Text<'a>>,
    /// The name of the bitmap in its NBD export.
    pub exportbitmap: Option<Text<'a>>,
    /// The format of the destination.
    pub format: Option<Spanned<StorageFormat>>,
    /// The destination.
    pub destination: Option<Box<Destination<'a>>>,
    /// How far its job is; in state files only.
    pub state: Option<State>,
    /// libvirt's number for the destination, 0 for none; in state files only.
    pub index: u32,
    /// The start tag.
    pub tag: Spanned<()>,
}

impl<'a> Disk<'a> {
    /// A disk that takes part, of which nothing but the name is said.
    #[must_use]
    pub fn new(name: Text<'a>, tag: Span) -> Self {
        Self {
            name,
            included: true,
            storage_type: StorageType::File,
            written_type: SourceOnly(None),
            backupmode: None,
            incremental: None,
            exportname: None,
            exportbitmap: None,
            format: None,
            destination: None,
            state: None,
            index: 0,
            tag: Spanned { value: (), span: tag },
        }
    }

    /// The path of its destination, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Text<'a>> {
        self.destination.as_ref()?.path.as_ref()
    }
}

/// A destination: the target of a push, the scratch of a pull.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destination<'a> {
    /// The file or device; `None` only in state files.
    pub path: Option<Text<'a>>,
    /// The name of passed file descriptors; in state files only.
    pub fdgroup: Option<Text<'a>>,
    /// Security labels.
    pub seclabels: Vec<Seclabel<'a>>,
    /// Encryption.
    pub encryption: Option<Box<Encryption<'a>>>,
}

/// A security label.
#[derive(Clone, Debug, PartialEq)]
pub struct Seclabel<'a> {
    /// The security driver it is for.
    pub model: Option<Text<'a>>,
    /// Whether libvirt left the label alone.
    pub labelskip: bool,
    /// Whether libvirt labels the file.
    pub relabel: bool,
    /// The label; never empty.
    pub label: Option<Text<'a>>,
}

/// Encryption of a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Encryption<'a> {
    /// The format.
    pub format: EncryptionFormat,
    /// Who encrypts.
    pub engine: Option<EncryptionEngine>,
    /// The secrets; exactly one outside of state files.
    pub secrets: Vec<Secret<'a>>,
    /// The cipher.
    pub cipher: Option<Cipher<'a>>,
    /// The generator of initialization vectors.
    pub ivgen: Option<Ivgen<'a>>,
    /// The start tag.
    pub tag: SourceOnly<Span>,
}

/// A passphrase that libvirt keeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret<'a> {
    /// By its UUID, in lower case with hyphens.
    Uuid(String),
    /// By its usage.
    Usage(Cow<'a, str>),
}

/// A cipher.
#[derive(Clone, Debug, PartialEq)]
pub struct Cipher<'a> {
    /// Its name, such as `aes`.
    pub name: Cow<'a, str>,
    /// The size of the key in bits.
    pub size: u32,
    /// Its mode, such as `cbc`.
    pub mode: Option<Cow<'a, str>>,
    /// Its hash.
    pub hash: Option<Cow<'a, str>>,
    /// The start tag.
    pub tag: SourceOnly<Span>,
}

/// A generator of initialization vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Ivgen<'a> {
    /// Its name, such as `plain64`.
    pub name: Cow<'a, str>,
    /// Its hash.
    pub hash: Option<Cow<'a, str>>,
    /// The start tag.
    pub tag: SourceOnly<Span>,
}

/// What a state file keeps for libvirt itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrivateData<'a> {
    /// The alias of the TLS key's secret.
    pub tls_secret_alias: Option<Cow<'a, str>>,
    /// The alias of the TLS credentials.
    pub tls_alias: Option<Cow<'a, str>>,
}

/// `yes` or `no`.
#[must_use]
pub(crate) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
