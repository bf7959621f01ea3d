//! Every rule, in one table.
//!
//! A rule's name is its family and a few words, and never changes meaning. The table holds what is true of the rule
//! whatever document breaks it; the stage that finds a departure says where and how.

use std::fmt;

use crate::release::Release;

/// The severity of a diagnostic.
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
    /// The problem that it reports, in a few words.
    pub title: &'static str,
    /// The first and the last release it holds for; `None` is no bound.
    pub releases: (Option<Release>, Option<Release>),
    /// Its page in the documentation, in Markdown.
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
    Undecodable "xml/undecodable" "invalid bytes in the document's encoding";
    NulByte "xml/nul-byte" "NUL byte, or a document in UTF-16 or UTF-32";
    Empty "xml/empty" "empty document";
    DocumentType "xml/document-type" "document type declaration with an internal subset";
    TooDeep "xml/too-deep" "elements nested more than 256 deep";
    TooLarge "xml/too-large" "document exceeds a size limit";
    InvalidCharacter "xml/invalid-character" "character not allowed in XML";
    UnescapedAmpersand "xml/unescaped-ampersand" "unescaped &";
    UnescapedLessThan "xml/unescaped-less-than" "unescaped <";
    UnknownEntity "xml/unknown-entity" "unknown entity";
    CurlyQuotes "xml/curly-quotes" "typographic quotes around an attribute value";
    MissingQuote "xml/missing-quote" "missing quote around an attribute value";
    DuplicateAttribute "xml/duplicate-attribute" "duplicate attribute";
    UnclosedElement "xml/unclosed-element" "unclosed element";
    MismatchedTag "xml/mismatched-tag" "mismatched start and end tag";
    UnexpectedEndTag "xml/unexpected-end-tag" "unexpected end tag";
    OutsideRoot "xml/outside-root" "content outside the root element";
    UndeclaredPrefix "xml/undeclared-prefix" "undeclared namespace prefix";
    NotWellFormed "xml/not-well-formed" "XML is not well-formed";
    NotXml "xml/not-xml" "file that is not XML";
    CopiedText "xml/copied-text" "marks copied along with the document";
    XmlPlaceholder "xml/unexpanded-placeholder" "unexpanded placeholder in the markup";
    XmlAmbiguousCharacter "xml/ambiguous-character" "ambiguous character in the markup";

    WrongRoot "parse/wrong-root" "wrong root element";
    SchemaPlaceholder "schema/unexpanded-placeholder" "unexpanded placeholder in a value or text";
    SchemaAmbiguousCharacter "schema/ambiguous-character" "ambiguous character in a name, value or text";
    Namespace "schema/namespace" "element or attribute in a namespace";
    UnexpectedText "schema/unexpected-text" "text where only elements are allowed";
    UnknownElement "schema/unknown-element" "unknown element";
    MisplacedElement "schema/misplaced-element" "element in the wrong parent";
    DuplicateElement "schema/duplicate-element" "duplicate element";
    UnknownAttribute "schema/unknown-attribute" "unknown attribute";
    MisplacedAttribute "schema/misplaced-attribute" "attribute on the wrong element";
    MissingAttribute "schema/missing-attribute" "missing attribute";
    MissingElement "schema/missing-element" "missing element";
    UnknownValue "schema/unknown-value" "invalid value for an attribute with fixed values";
    InvalidDiskName "schema/invalid-disk-name" "invalid disk name";
    InvalidHost "schema/invalid-host" "invalid host name or address of a server";
    InvalidNumber "schema/invalid-number" "invalid number";
    InvalidPath "schema/invalid-path" "invalid or relative path";
    InvalidUuid "schema/invalid-uuid" "invalid UUID";
    WrongMode "schema/wrong-mode" "mode does not match the contents";
    MissingServer "schema/missing-server" "missing server in pull mode";
    ServerInPush "schema/server-in-push" "server in push mode";
    WrongTransport "schema/wrong-transport" "transport does not match the server's attributes";
    TransportAttribute "schema/transport-attribute" "server attribute of another transport";
    FdTransport "schema/fd-transport" "unsupported server transport fd" until V9_0_0;
    EmptyDisks "schema/empty-disks" "<disks> without a <disk>";
    DomainDisk "schema/domain-disk" "domain's <disk> used in a backup";
    NvmeName "schema/nvme-name" "unsupported NVMe disk name" until V11_3_0;
    PlainPushDisk "schema/plain-push-disk" "missing disk type in push mode" until V9_0_0;
    FullWithIncremental "schema/full-with-incremental" "full backup with a checkpoint to start from";
    ExcludedDisk "schema/left-out-disk" "settings on an excluded disk";
    ScratchInPush "schema/scratch-in-push" "<scratch> in push mode";
    TargetInPull "schema/target-in-pull" "<target> in pull mode";
    ExportInPush "schema/export-in-push" "NBD export setting in push mode";
    MissingType "schema/missing-type" "missing disk type";
    BackupWithoutType "schema/backup-without-type" "backup='yes' without a type in pull mode";
    MissingScratch "schema/missing-scratch" "missing <scratch>";
    WrongDestination "schema/wrong-destination" "destination attribute does not match the disk type";
    PullFormat "schema/pull-format" "scratch format other than qcow2";
    SeclabelChoice "schema/seclabel-choice" "conflicting settings of a <seclabel>";
    SecretReference "schema/secret-reference" "secret named twice or not at all";
    CipherAndIvgen "schema/cipher-and-ivgen" "<cipher> and <ivgen> incomplete or in the wrong order";
    CipherModeAndHash "schema/cipher-mode-and-hash" "cipher with only one of mode and hash";
    IndexAttribute "schema/index-attribute" "index attribute of backup-dumpxml";

    WhiteSpace "parse/white-space" "white space around a fixed value";
    PortRange "parse/port-range" "port out of range";
    RelativeSocket "parse/relative-socket" "socket path is not absolute";
    UnknownFormat "parse/unknown-format" "unsupported driver format";
    DuplicateSeclabel "parse/duplicate-seclabel" "duplicate <seclabel> for a security model";
    InvalidStatus "parse/invalid-status" "invalid value in a state file";
    MissingStatus "parse/missing-status" "missing attribute or element in a state file";
    IncompleteRedefinition "parse/incomplete-redefinition" "redefined checkpoint without a name or creation time";

    NotADomain "align/not-a-domain" "domain file is not a domain";
    InvalidDomainDisk "align/invalid-domain-disk" "invalid disk in the domain";
    NoDomainDisks "align/no-domain-disks" "domain without disks";
    NoSuchDisk "align/no-such-disk" "disk not found in the domain";
    DuplicateDisk "align/duplicate-disk" "duplicate disk";
    IncrementalWithoutCheckpoint "align/incremental-without-checkpoint" "incremental backup without a checkpoint to start from";
    NoMedia "align/no-media" "disk without media";
    NoFileName "align/no-file-name" "missing destination for a disk that is not a file";

    NoDisks "qemu/no-disks" "no disk to back up";
    TransientDisk "qemu/transient-disk" "transient disk";
    UnsupportedDisk "qemu/unsupported-disk" "disk that does not support block jobs";
    OtherDriver "qemu/other-driver" "domain of another driver than QEMU";
    RunningJob "qemu/running-job" "disk with a running block job";
    DuplicateDestination "qemu/duplicate-destination" "duplicate destination";
    DestinationInUse "qemu/destination-in-use" "destination is an image of the domain";
    DirectoryDestination "qemu/directory-destination" "destination is a directory";
    DestinationBelowFile "qemu/destination-below-file" "destination below a file";
    FileNameLength "qemu/file-name-length" "file name or path too long";
    UnsupportedFormat "qemu/unsupported-format" "destination format that QEMU cannot write";
    SharedImage "qemu/shared-image" "image shared with another writable disk";
    EncryptionFormat "qemu/encryption-format" "encrypted destination not in qcow2 format";
    UnknownCipher "qemu/unknown-cipher" "unknown cipher, mode, hash or IV generator";
    DuplicateExport "qemu/duplicate-export" "duplicate export name";
    ExportNameLength "qemu/export-name-length" "export name too long";
    ExportBitmapName "qemu/export-bitmap-name" "export bitmap name empty or too long";
    SocketPathLength "qemu/socket-path-length" "socket path too long";
    MissingPort "qemu/missing-port" "missing port of a TCP server" until V11_3_0;
    DomainPort "qemu/port-in-use" "port that the domain listens on";

    NotACheckpoint "checkpoint/not-a-checkpoint" "checkpoint file is not a checkpoint";
    CheckpointName "checkpoint/invalid-name" "invalid checkpoint name";
    CheckpointWithoutDisks "checkpoint/empty-disks" "<disks> without a <disk> in a checkpoint";
    CheckpointNoSuchDisk "checkpoint/no-such-disk" "checkpoint disk not found in the domain";
    CheckpointDuplicateDisk "checkpoint/duplicate-disk" "duplicate disk in a checkpoint";
    CheckpointNoMedia "checkpoint/no-media" "checkpoint of a read-only disk or one without media";
    CheckpointFormat "checkpoint/unsupported-format" "checkpoint of a disk that is not qcow2";
    CheckpointBitmapName "checkpoint/bitmap-name" "bitmap name differs from the checkpoint's name";
    CheckpointNameLength "checkpoint/name-length" "checkpoint name too long";
    TemporaryBitmap "checkpoint/temporary-bitmap" "checkpoint name conflicts with a temporary bitmap";
    CheckpointExists "checkpoint/name-exists" "checkpoint already exists";
    CheckpointIsBase "checkpoint/name-is-base" "new checkpoint has the name of the base checkpoint";
    CheckpointOwnParent "checkpoint/own-parent" "checkpoint that is its own parent";
    CheckpointOtherDomain "checkpoint/other-domain" "checkpoint of another domain";
    NoSuchCheckpoint "checkpoint/no-such-checkpoint" "checkpoint not found";
    ImpossibleCheckpoint "checkpoint/impossible-name" "checkpoint name that cannot exist";
    DiskNotCovered "checkpoint/disk-not-covered" "disk not covered by the base checkpoint";
    LostBitmap "checkpoint/lost-bitmap" "bitmap that is missing or broken";

    HostInactiveDomain "host/inactive-domain" "domain is not running";
    HostRunningJob "host/running-job" "another job is running";
    DestinationExists "host/destination-exists" "new destination already exists";
    MissingDirectory "host/missing-directory" "directory does not exist";
    ReadOnlyFileSystem "host/read-only-file-system" "file system is mounted read-only";
    PermissionDenied "host/permission-denied" "QEMU has no permission";
    NotEnoughSpace "host/not-enough-space" "not enough space";
    FileTooLarge "host/file-too-large" "file too large for its file system";
    MissingFile "host/missing-file" "device or reused file does not exist";
    WrongFileType "host/wrong-file-type" "destination is of the wrong type";
    ReadOnlyDevice "host/read-only-device" "device is not writable";
    ImageSize "host/image-size" "destination has the wrong size";
    ImageFormat "host/image-format" "reused image has the wrong format";
    ImageInUse "host/image-in-use" "destination is in use";
    SameDestination "host/same-destination" "two paths lead to one destination";
    LeftoverBitmap "host/leftover-bitmap" "image already has a bitmap of this name";
    OldQcow2 "host/old-qcow2" "image cannot hold bitmaps";
    MissingSecret "host/missing-secret" "secret is not defined";
    Certificates "host/certificates" "certificates cannot be used";
    ForeignAddress "host/foreign-address" "address is not of this host";
    UnknownHost "host/unknown-host" "host name does not resolve";
    PortInUse "host/port-in-use" "port is in use";
    PrivilegedPort "host/privileged-port" "port needs privileges";
    SocketPath "host/socket-path" "path of the socket is a directory";

    DiskExcluded "advice/disk-left-out" "writable disk excluded implicitly";
    CheckpointedNotBackedUp "advice/checkpointed-not-backed-up" "disk in the checkpoint but not in the backup";
    BackedUpNotCheckpointed "advice/backed-up-not-checkpointed" "disk in the backup but not in the checkpoint";
    DiskRenamed "advice/disk-renamed" "incremental disk that was renamed since its checkpoint";
    IncrementalIntoRaw "advice/incremental-into-raw" "incremental backup into a raw image";
    LiveBackingFile "advice/live-backing-file" "live disk as the backing file of a backup";
    PlainServer "advice/plain-server" "NBD server reachable without TLS";
    AdvicePlaceholder "advice/unexpanded-placeholder" "unexpanded placeholder that libvirt takes literally";
    AdviceAmbiguousCharacter "advice/ambiguous-character" "invisible character in a value";
    EmptyIncremental "advice/empty-incremental" "empty <incremental>";
    UnusedIncremental "advice/unused-incremental" "<incremental> that no disk uses";
    UnusedExportBitmap "advice/unused-export-bitmap" "export bitmap of a full backup";
    IgnoredSetting "advice/dropped-setting" "setting that libvirt ignores";
    BlockBecomesFile "advice/block-becomes-file" "block disk without a destination becomes a file";
    VolumeDestination "advice/volume-destination" "generated destination that depends on a storage pool";
    FixedTarget "advice/fixed-target" "target that exists on the next run";
    UnencryptedCopy "advice/unencrypted-copy" "unencrypted copy of an encrypted disk";
    InactiveDomain "advice/inactive-domain" "domain is not running";
    UnguardedDestination "advice/unguarded-destination" "destination or socket that overwrites data in use";
    UnusedSuppression "advice/unused-suppression" "unused suppression comment";
    DroppedComment "advice/lost-comment" "comment lost by normalizing";
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
