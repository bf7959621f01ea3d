//! Destinations, their security labels and their encryption.

use crate::backup::{self, Disk, EncryptionEngine, EncryptionFormat, Labelling, Seclabel, Spanned, StorageType, Text};

use super::text::{Invalid, Path, Uuid, Word};

/// Maximum length in bytes of a label that libvirt keeps.
const MAX_LABEL_LENGTH: usize = 4096;

/// A file or block device: the target of a push mode backup or the scratch of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    storage_type: StorageType,
    destination: backup::Destination,
}

impl Destination {
    fn new(storage_type: StorageType, path: Path) -> Self {
        let destination = backup::Destination { path: Some(path.into()), ..backup::Destination::default() };
        Self { storage_type, destination }
    }

    /// A file.
    #[must_use]
    pub fn file(path: Path) -> Self {
        Self::new(StorageType::File, path)
    }

    /// A block device.
    #[must_use]
    pub fn block(path: Path) -> Self {
        Self::new(StorageType::Block, path)
    }

    /// Sets the label for a security driver, or for every driver if `model` is `None`. A second label for a model
    /// replaces the first.
    #[must_use]
    pub fn seclabel(mut self, model: Option<Word>, label: Label) -> Self {
        let model = model.map(Text::from);
        self.destination.seclabels.retain(|known| known.model != model);
        self.destination.seclabels.push(Seclabel { model, labelling: label.labelling, label: label.label });
        self
    }

    /// Encrypts the destination.
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.destination.encryption = Some(Box::new(encryption.0));
        self
    }

    pub(super) fn set(self, disk: &mut Disk) {
        disk.storage_type = Spanned::implied(self.storage_type);
        disk.destination = Some(Box::new(self.destination));
    }
}

/// How a security driver labels a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    labelling: Labelling,
    label: Option<Text>,
}

impl Label {
    /// Sets this label, of 1 to 4096 bytes.
    ///
    /// # Errors
    ///
    /// Returns an error for labels of another length and for characters that XML does not allow.
    pub fn new(label: impl Into<String>) -> Result<Self, Invalid> {
        let label = Word::new(label)?;
        if (1..=MAX_LABEL_LENGTH).contains(&label.as_str().len()) {
            Ok(Self { labelling: Labelling::Relabelled, label: Some(label.into()) })
        } else {
            Err(Invalid::new(label.as_str(), "a label of 1 to 4096 bytes"))
        }
    }

    /// Keeps the present label: `relabel='no'`.
    #[must_use]
    pub fn kept() -> Self {
        Self { labelling: Labelling::Kept, label: None }
    }

    /// Labelling was skipped: `labelskip='yes'`.
    #[must_use]
    pub fn skipped() -> Self {
        Self { labelling: Labelling::Skipped, label: None }
    }
}

/// LUKS encryption.
#[derive(Clone, Debug, PartialEq)]
pub struct Encryption(backup::Encryption);

impl Encryption {
    /// Encryption with a passphrase stored by libvirt.
    #[must_use]
    pub fn luks(secret: Secret) -> Self {
        let secret = match secret {
            Secret::Uuid(uuid) => backup::Secret::Uuid(uuid.into()),
            Secret::Usage(usage) => backup::Secret::Usage(usage.into()),
        };
        Self(backup::Encryption {
            format: EncryptionFormat::Luks,
            engine: None,
            secrets: vec![secret],
            cipher: None,
            ivgen: None,
            tag: Spanned::default(),
        })
    }

    /// QEMU encrypts: `engine='qemu'`.
    #[must_use]
    pub fn by_qemu(mut self) -> Self {
        self.0.engine = Some(EncryptionEngine::Qemu);
        self
    }

    /// Sets the cipher and the generator of initialization vectors, which are allowed only together.
    #[must_use]
    pub fn cipher(mut self, cipher: Cipher, ivgen: Ivgen) -> Self {
        self.0.cipher = Some(cipher.0);
        self.0.ivgen = Some(ivgen.0);
        self
    }
}

/// A reference to a passphrase stored by libvirt.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret {
    /// Its UUID.
    Uuid(Uuid),
    /// Its usage.
    Usage(Word),
}

/// A cipher.
#[derive(Clone, Debug, PartialEq)]
pub struct Cipher(backup::Cipher);

impl Cipher {
    /// A cipher, such as `aes`, and its key size in bits.
    #[must_use]
    pub fn new(name: Word, size: u32) -> Self {
        Self(backup::Cipher { name: name.into(), size, mode: None, hash: None, tag: Spanned::default() })
    }

    /// Sets the mode, such as `xts`, and the hash, such as `sha256`, which are allowed only together.
    #[must_use]
    pub fn mode_and_hash(mut self, mode: Word, hash: Word) -> Self {
        self.0.mode = Some(mode.into());
        self.0.hash = Some(hash.into());
        self
    }
}

/// A generator of initialization vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Ivgen(backup::Ivgen);

impl Ivgen {
    /// A generator, such as `plain64`.
    #[must_use]
    pub fn new(name: Word) -> Self {
        Self(backup::Ivgen { name: name.into(), hash: None, tag: Spanned::default() })
    }

    /// Its hash.
    #[must_use]
    pub fn hash(mut self, hash: Word) -> Self {
        self.0.hash = Some(hash.into());
        self
    }
}
