//! Every rule, in one table.
//!
//! A rule's name is its family and a few words, and never changes meaning. The table holds what is true of the rule
//! whatever document breaks it; the stage that finds a departure says where and how.

use std::fmt;

#[cfg(feature = "cli")]
use crate::parse::nearest;
use crate::release::Release;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Accepted, and likely to surprise.
    Warning,
    /// libvirt refuses it.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What the table says of one rule.
#[derive(Debug)]
pub struct Entry {
    /// `family/a-few-words`.
    pub name: &'static str,
    /// What it demands, in one line.
    pub title: &'static str,
    /// The first and the last release it holds for; `None` is no bound.
    pub releases: (Option<Release>, Option<Release>),
    /// Its page in the documentation, in Markdown: what it means, libvirt's words, wrong and right.
    pub page: &'static str,
}

macro_rules! rules {
    ($($variant:ident $name:literal $title:literal $($bound:ident $release:ident)*;)*) => {
        /// A rule; see [`Rule::entry`] for what the table says of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        /// Every rule, in the order of the stages that find it.
        pub const RULES: &[Rule] = &[$(Rule::$variant),*];

        const TABLE: &[Entry] = &[$(Entry {
            name: $name,
            title: $title,
            releases: rules!(@bounds $($bound $release)*),
            page: include_str!(concat!("../docs/rules/", $name, ".md")),
        }),*];
    };
    (@bounds) => { (None, None) };
    (@bounds until $release:ident) => { (None, Some(Release::$release)) };
    (@bounds since $release:ident) => { (Some(Release::$release), None) };
}

rules! {
    Undecodable "xml/undecodable" "The bytes must be text in the encoding that the document names.";
    NulByte "xml/nul-byte" "libvirt takes text that ends at the first NUL byte, so neither NUL nor UTF-16 or UTF-32.";
    Empty "xml/empty" "A document needs a root element.";
    DocumentType "xml/document-type" "A document type declaration must not have an internal subset.";
    TooDeep "xml/too-deep" "Elements nest 256 deep at the most.";
    TooLarge "xml/too-large" "A document stays within the limits of size.";
    InvalidCharacter "xml/invalid-character" "Only the characters that XML allows, written out or as references.";
    UnescapedAmpersand "xml/unescaped-ampersand" "An & that starts no reference is written &amp;.";
    UnescapedLessThan "xml/unescaped-less-than" "A < that starts no tag is written &lt;.";
    UnknownEntity "xml/unknown-entity" "Only lt, gt, amp, quot and apos are known without a document type.";
    CurlyQuotes "xml/curly-quotes" "Attribute values stand in straight quotes, ' or \".";
    MissingQuote "xml/missing-quote" "Attribute values stand in quotes, one at each end.";
    DuplicateAttribute "xml/duplicate-attribute" "A tag names an attribute once.";
    UnclosedElement "xml/unclosed-element" "Every element is closed.";
    MismatchedTag "xml/mismatched-tag" "An end tag has the name of its start tag.";
    UnexpectedEndTag "xml/unexpected-end-tag" "An end tag has a start tag.";
    OutsideRoot "xml/outside-root" "Nothing but comments, processing instructions and white space stands outside the root element.";
    UndeclaredPrefix "xml/undeclared-prefix" "A namespace prefix is declared.";
    NotWellFormed "xml/not-well-formed" "The document is well-formed XML.";

    WrongRoot "parse/wrong-root" "The root element is domainbackup.";
    Namespace "schema/namespace" "Elements and attributes are in no namespace.";
    UnexpectedText "schema/unexpected-text" "Between elements there is only white space.";
    UnknownElement "schema/unknown-element" "An element has a name that libvirt knows.";
    MisplacedElement "schema/misplaced-element" "An element stands in the element it belongs to.";
    DuplicateElement "schema/duplicate-element" "An element that may stand once stands once.";
    UnknownAttribute "schema/unknown-attribute" "An attribute has a name that libvirt knows.";
    MisplacedAttribute "schema/misplaced-attribute" "An attribute stands on the element it belongs to.";
    MissingAttribute "schema/missing-attribute" "A required attribute is there.";
    MissingElement "schema/missing-element" "A required element is there.";
    UnknownValue "schema/unknown-value" "An attribute with fixed values has one of them.";
    InvalidDiskName "schema/invalid-disk-name" "A disk is named by its target, like vda or sdb.";
    InvalidHost "schema/invalid-host" "A server's name is a host name, an IPv4 or an IPv6 address.";
    InvalidNumber "schema/invalid-number" "A number has decimal digits only and is at most 4294967295.";
    InvalidPath "schema/invalid-path" "A path is absolute.";
    InvalidUuid "schema/invalid-uuid" "A UUID has 32 hexadecimal digits, plain or in groups of 8-4-4-4-12.";
    WrongMode "schema/wrong-mode" "The mode fits what the backup contains.";
    MissingServer "schema/missing-server" "A pull mode backup has a server.";
    ServerInPush "schema/server-in-push" "A push mode backup has no server.";
    WrongTransport "schema/wrong-transport" "The transport fits the server's attributes.";
    TransportAttribute "schema/transport-attribute" "A server has the attributes of its transport only.";
    FdTransport "schema/fd-transport" "A server does not use transport='fd'." until V9_0_0;
    EmptyDisks "schema/empty-disks" "<disks> lists at least one disk.";
    DomainDisk "schema/domain-disk" "A disk is written as a backup's, not as a domain's.";
    NvmeName "schema/nvme-name" "A disk is not named like an NVMe namespace." until V11_3_0;
    PlainPushDisk "schema/plain-push-disk" "A disk of a push mode backup that takes part has a type." until V9_0_0;
    FullWithIncremental "schema/full-with-incremental" "A full backup of a disk names no checkpoint.";
    LeftOutDisk "schema/left-out-disk" "A disk that is left out has no type, driver or destination.";
    ScratchInPush "schema/scratch-in-push" "A push mode backup writes to a target.";
    TargetInPull "schema/target-in-pull" "A pull mode backup keeps overwritten data in a scratch.";
    ExportInPush "schema/export-in-push" "A push mode backup exports nothing over NBD.";
    MissingType "schema/missing-type" "A disk with a destination that needs a type has one.";
    BackupWithoutType "schema/backup-without-type" "In pull mode, backup='yes' stands beside a type.";
    MissingScratch "schema/missing-scratch" "A disk whose scratch cannot be left out has one.";
    WrongDestination "schema/wrong-destination" "A file is named by file=, a block device by dev=.";
    PullFormat "schema/pull-format" "A scratch is in qcow2 format.";
    SeclabelChoice "schema/seclabel-choice" "A security label has a label, or relabel='no', or labelskip='yes'.";
    SecretReference "schema/secret-reference" "A secret is named either by uuid or by usage.";
    CipherAndIvgen "schema/cipher-and-ivgen" "<cipher> and <ivgen> come together, in this order.";
    CipherModeAndHash "schema/cipher-mode-and-hash" "A cipher's mode and hash come together.";
    IndexAttribute "schema/index-attribute" "A disk has no index; only backup-dumpxml prints it.";

    WhiteSpace "parse/white-space" "A fixed value has no white space around it.";
    PortRange "parse/port-range" "A port is at most 65535.";
    RelativeSocket "parse/relative-socket" "A server's socket path starts with /.";
    UnknownFormat "parse/unknown-format" "A driver's format is one that libvirt can store.";
    DuplicateSeclabel "parse/duplicate-seclabel" "A destination has one security label for a model.";
    InvalidStatus "parse/invalid-status" "A state file holds values that libvirt writes.";
    MissingStatus "parse/missing-status" "A state file holds what libvirt needs to go on.";

    NotADomain "align/not-a-domain" "The domain file holds a domain.";
    InvalidDomainDisk "align/invalid-domain-disk" "The domain's disks are ones that libvirt knows.";
    NoDomainDisks "align/no-domain-disks" "The domain has a disk.";
    NoSuchDisk "align/no-such-disk" "A disk of the backup is a disk of the domain.";
    DuplicateDisk "align/duplicate-disk" "A disk is listed once.";
    IncrementalWithoutCheckpoint "align/incremental-without-checkpoint" "An incremental backup names the checkpoint it starts from.";
    NoMedia "align/no-media" "A disk that takes part has media.";
    NoFileName "align/no-file-name" "A disk that is not a file is given a destination.";

    NoDisks "qemu/no-disks" "A backup has a disk to back up.";
    TransientDisk "qemu/transient-disk" "A disk that takes part is not transient.";
    UnsupportedDisk "qemu/unsupported-disk" "A disk that takes part is one that QEMU runs block jobs on.";
    RunningJob "qemu/running-job" "A disk that takes part has no other block job.";
    DuplicateDestination "qemu/duplicate-destination" "Each disk has a destination of its own.";
    DestinationInUse "qemu/destination-in-use" "A destination is no image of the domain.";
    DirectoryDestination "qemu/directory-destination" "A path leads to a file, not to a directory.";
    FileNameLength "qemu/file-name-length" "A file name has at most 255 bytes, and a path at most 4095.";
    UnsupportedFormat "qemu/unsupported-format" "A destination's format is one that QEMU can write.";
    SharedImage "qemu/shared-image" "A disk that takes part shares its image with no disk that can write to it.";
    EncryptionFormat "qemu/encryption-format" "An encrypted destination is of format qcow2.";
    UnknownCipher "qemu/unknown-cipher" "Encryption uses words that QEMU knows.";
    DuplicateExport "qemu/duplicate-export" "Each disk is exported by a name of its own.";
    ExportNameLength "qemu/export-name-length" "The name of an export has at most 4096 bytes.";
    ExportBitmapName "qemu/export-bitmap-name" "The name of an export's bitmap has from 1 to 1023 bytes.";
    SocketPathLength "qemu/socket-path-length" "The path of a socket has at most 108 bytes.";
    MissingPort "qemu/missing-port" "A TCP server has a port." until V11_3_0;

    NotACheckpoint "checkpoint/not-a-checkpoint" "The checkpoint file holds a checkpoint.";
    CheckpointDocument "checkpoint/invalid-document" "A checkpoint holds what libvirt's schema for it allows.";
    CheckpointName "checkpoint/invalid-name" "A checkpoint's name has letters, digits, _, - and dots, no dot first.";
    CheckpointWithoutDisks "checkpoint/empty-disks" "<disks> of a checkpoint lists at least one disk.";
    CheckpointNoSuchDisk "checkpoint/no-such-disk" "A disk of the checkpoint is a disk of the domain.";
    CheckpointDuplicateDisk "checkpoint/duplicate-disk" "A checkpoint lists a disk once.";
    CheckpointNoMedia "checkpoint/no-media" "A disk that gets a bitmap has media, and can be written to.";
    CheckpointFormat "checkpoint/unsupported-format" "A disk that gets a bitmap is of format qcow2.";
    CheckpointBitmapName "checkpoint/bitmap-name" "A bitmap is called like its checkpoint.";
    CheckpointNameLength "checkpoint/name-length" "A checkpoint's name has at most 247 bytes.";
    TemporaryBitmap "checkpoint/temporary-bitmap" "No checkpoint is called like the bitmap that libvirt makes for a push.";
    CheckpointExists "checkpoint/name-exists" "A new checkpoint has a new name.";
    CheckpointIsBase "checkpoint/name-is-base" "A new checkpoint is not the one that the backup starts from.";
    NoSuchCheckpoint "checkpoint/no-such-checkpoint" "A backup starts from a checkpoint that the domain has.";
    ImpossibleCheckpoint "checkpoint/impossible-name" "A backup starts from a name that a checkpoint can have.";
    DiskNotCovered "checkpoint/disk-not-covered" "An incremental disk has a bitmap of the checkpoint it starts from.";

    DiskLeftOut "advice/disk-left-out" "A writable disk of the domain is backed up, or left out by name.";
    CheckpointedNotBackedUp "advice/checkpointed-not-backed-up" "A disk of the checkpoint is backed up along with it.";
    BackedUpNotCheckpointed "advice/backed-up-not-checkpointed" "A disk that is backed up is in the checkpoint made with it.";
    IncrementalIntoRaw "advice/incremental-into-raw" "An incremental backup is not pushed into a raw image.";
    PlainServer "advice/plain-server" "A server that others can reach uses TLS.";
    CheckpointWhiteSpace "advice/checkpoint-white-space" "The name of a checkpoint has no white space around it.";
    EmptyIncremental "advice/empty-incremental" "<incremental> names a checkpoint.";
    DroppedSetting "advice/dropped-setting" "A backup says nothing that libvirt drops.";
    BlockBecomesFile "advice/block-becomes-file" "A disk of type block has a destination.";
    InactiveDomain "advice/inactive-domain" "The domain runs.";
    FixedScratch "advice/fixed-scratch" "A scratch file is not in the way of the next backup.";
    UnguardedDestination "advice/unguarded-destination" "A raw destination or a socket overwrites nothing that is in use.";
    NewerRelease "advice/newer-release" "A backup needs no newer libvirt than the domain's host is likely to have.";
    UnusedSuppression "advice/unused-suppression" "A comment that allows a finding has one to allow.";
    LostComment "advice/lost-comment" "A file that is put into libvirt's form has no comments to lose.";
}

impl Rule {
    /// What the table says of it.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        // The table and the enumeration come from one list, so the index is always good.
        #[allow(clippy::indexing_slicing)]
        &TABLE[self as usize]
    }

    /// `family/a-few-words`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The rule called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        RULES.iter().copied().find(|rule| rule.name() == name)
    }

    /// The rule whose name, without its family, is most like what was written, if any is like it.
    #[cfg(feature = "cli")]
    pub(crate) fn nearest(written: &str) -> Option<Self> {
        fn short(name: &str) -> &str {
            name.rsplit('/').next().unwrap_or(name)
        }
        let near = nearest(short(written), RULES.iter().map(|rule| short(rule.name())))?;
        RULES.iter().copied().find(|rule| short(rule.name()) == near)
    }

    /// The part of the name before the slash.
    #[must_use]
    pub fn family(self) -> &'static str {
        self.name().split('/').next().unwrap_or_default()
    }

    /// An error, but for the family `advice`.
    #[must_use]
    pub fn severity(self) -> Severity {
        if self.family() == "advice" { Severity::Warning } else { Severity::Error }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
