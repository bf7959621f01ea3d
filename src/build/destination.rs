//! Destinations, their security labels and their encryption.

use crate::backup::{self, EncryptionEngine, EncryptionFormat, Spanned, StorageType};

use super::text::{Invalid, Path, Uuid, Word};

/// Maximum length in bytes of a label that libvirt keeps.
const MAX_LABEL_LENGTH: usize = 4096;

/// A file or block device: the target of a push mode backup or the scratch of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    storage_type: StorageType,
    path: Path,
    seclabels: Vec<(Option<Word>, Label)>,
    encryption: Option<Encryption>,
}

impl Destination {
    /// A file.
    #[must_use]
    pub fn file(path: Path) -> Self {
        Self { storage_type: StorageType::File, path, seclabels: Vec::new(), encryption: None }
    }

    /// A block device.
    #[must_use]
    pub fn block(path: Path) -> Self {
        Self { storage_type: StorageType::Block, ..Self::file(path) }
    }

    /// Sets the label for a security driver, or for every driver if `model` is `None`. A second label for a model
    /// replaces the first.
    #[must_use]
    pub fn seclabel(mut self, model: Option<Word>, label: Label) -> Self {
        self.seclabels.retain(|(known, _)| *known != model);
        self.seclabels.push((model, label));
        self
    }

    /// Encrypts the destination.
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    pub(super) fn storage_type(&self) -> StorageType {
        self.storage_type
    }

    pub(super) fn destination(&self) -> backup::Destination {
        let seclabel = |(model, label): &(Option<Word>, Label)| backup::Seclabel {
            model: model.as_ref().map(|model| super::text(model.as_str())),
            labelskip: label.0 == Labelling::Skipped,
            relabel: matches!(label.0, Labelling::Relabelled(_)),
            label: match &label.0 {
                Labelling::Relabelled(label) => Some(super::text(label.as_str())),
                Labelling::Kept | Labelling::Skipped => None,
            },
        };
        backup::Destination {
            has_unreadable_path: false,
            path: Some(super::text(self.path.as_str())),
            fdgroup: None,
            seclabels: self.seclabels.iter().map(seclabel).collect(),
            encryption: self.encryption.as_ref().map(|encryption| Box::new(encryption.encryption())),
        }
    }
}

/// How a security driver labels a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Label(Labelling);

#[derive(Clone, Debug, PartialEq)]
enum Labelling {
    Relabelled(Word),
    Kept,
    Skipped,
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
            Ok(Self(Labelling::Relabelled(label)))
        } else {
            Err(Invalid::new(label.as_str(), "a label of 1 to 4096 bytes"))
        }
    }

    /// Keeps the present label: `relabel='no'`.
    #[must_use]
    pub fn kept() -> Self {
        Self(Labelling::Kept)
    }

    /// Labelling was skipped: `labelskip='yes'`.
    #[must_use]
    pub fn skipped() -> Self {
        Self(Labelling::Skipped)
    }
}

/// LUKS encryption.
#[derive(Clone, Debug, PartialEq)]
pub struct Encryption {
    secret: Secret,
    by_qemu: bool,
    cipher: Option<(Cipher, Ivgen)>,
}

impl Encryption {
    /// Encryption with a passphrase stored by libvirt.
    #[must_use]
    pub fn luks(secret: Secret) -> Self {
        Self { secret, by_qemu: false, cipher: None }
    }

    /// QEMU encrypts: `engine='qemu'`.
    #[must_use]
    pub fn by_qemu(mut self) -> Self {
        self.by_qemu = true;
        self
    }

    /// Sets the cipher and the generator of initialization vectors, which are allowed only together.
    #[must_use]
    pub fn cipher(mut self, cipher: Cipher, ivgen: Ivgen) -> Self {
        self.cipher = Some((cipher, ivgen));
        self
    }

    fn encryption(&self) -> backup::Encryption {
        let owned = |word: &Word| word.as_str().to_owned();
        let secret = match &self.secret {
            Secret::Uuid(uuid) => backup::Secret::Uuid(uuid.as_str().to_owned()),
            Secret::Usage(usage) => backup::Secret::Usage(owned(usage)),
        };
        let cipher = self.cipher.as_ref().map(|(cipher, _)| {
            let (mode, hash) = cipher.mode_and_hash.as_ref().map(|(mode, hash)| (owned(mode), owned(hash))).unzip();
            backup::Cipher { name: owned(&cipher.name), size: cipher.size, mode, hash, tag: Spanned::default() }
        });
        let ivgen = self.cipher.as_ref().map(|(_, ivgen)| backup::Ivgen {
            name: owned(&ivgen.name),
            hash: ivgen.hash.as_ref().map(owned),
            tag: Spanned::default(),
        });
        backup::Encryption {
            tag: Spanned::default(),
            format: EncryptionFormat::Luks,
            engine: self.by_qemu.then_some(EncryptionEngine::Qemu),
            secrets: vec![secret],
            cipher,
            ivgen,
        }
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
pub struct Cipher {
    name: Word,
    size: u32,
    mode_and_hash: Option<(Word, Word)>,
}

impl Cipher {
    /// A cipher, such as `aes`, and its key size in bits.
    #[must_use]
    pub fn new(name: Word, size: u32) -> Self {
        Self { name, size, mode_and_hash: None }
    }

    /// Sets the mode, such as `xts`, and the hash, such as `sha256`, which are allowed only together.
    #[must_use]
    pub fn mode_and_hash(mut self, mode: Word, hash: Word) -> Self {
        self.mode_and_hash = Some((mode, hash));
        self
    }
}

/// A generator of initialization vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Ivgen {
    name: Word,
    hash: Option<Word>,
}

impl Ivgen {
    /// A generator, such as `plain64`.
    #[must_use]
    pub fn new(name: Word) -> Self {
        Self { name, hash: None }
    }

    /// Its hash.
    #[must_use]
    pub fn hash(mut self, hash: Word) -> Self {
        self.hash = Some(hash);
        self
    }
}
