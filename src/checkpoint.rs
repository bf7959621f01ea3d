//! Checkpoints: a document to create one from, and what is known of those that a domain has.
//!
//! `virsh checkpoint-create` takes a `<domaincheckpoint>` by itself, `virsh backup-begin DOMAIN BACKUP CHECKPOINT` along
//! with a backup. Either way libvirt validates it against `domaincheckpoint.rng` before anything else.

pub(crate) mod align;
mod existing;
mod format;
mod parse;

use crate::backup::Spanned;
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::Domain;
use crate::release::Release;
use crate::syntax;

pub use existing::{Bitmap, Existing, read_existing};

pub(crate) use align::{align, align_redefined, check_without_domain, name_bitmaps};
pub(crate) use format::format;
pub(crate) use parse::{is_intended, parse};

/// A checkpoint to create or to redefine.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its name; without one libvirt takes the seconds since 1970.
    pub name: Option<Spanned<String>>,
    /// A description for people.
    pub description: Option<String>,
    /// The checkpoint before it; read only of a checkpoint to redefine.
    pub parent: Option<Spanned<String>>,
    /// When it was created, in seconds since 1970; read only of a checkpoint to redefine, and 0 when there is none.
    pub creation_time: i64,
    /// The disks it lists; `None` when there is no `<disks>`, which means every disk that can have a bitmap.
    pub disks: Option<Vec<CheckpointDisk>>,
    /// The domain as it was; read only of a checkpoint to redefine.
    pub domain: Option<HeldDomain>,
    /// The start tag of the root element.
    pub tag: Span,
}

impl Checkpoint {
    /// The text that libvirt prints for it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        format(self)
    }

    /// Whether `name` is its name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.value == name)
    }
}

/// A disk that a checkpoint lists.
#[derive(Clone, Debug)]
pub struct CheckpointDisk {
    /// The target of the domain's disk, or the path of its image.
    pub name: Spanned<String>,
    /// Whether it gets a bitmap.
    pub coverage: Coverage,
    /// The name of the bitmap, if there is one.
    pub bitmap: Option<Spanned<String>>,
}

impl CheckpointDisk {
    /// Whether it gets a bitmap.
    #[must_use]
    pub fn has_bitmap(&self) -> bool {
        self.coverage == Coverage::Bitmap
    }
}

/// What `checkpoint` on a disk means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// `no`: the disk gets no bitmap.
    Excluded,
    /// `bitmap`, also when nothing is written.
    Bitmap,
    /// A word with white space around it: libvirt's schema accepts it, and its parser recognizes no word.
    Unrecognized,
}

/// The `<domain>` in a checkpoint.
#[derive(Clone, Debug)]
pub struct HeldDomain {
    /// Its text, as written.
    pub text: String,
    /// What it says; its spans are in the checkpoint's document.
    pub domain: Domain,
}

/// Whether libvirt's schema accepts `name` for a checkpoint: `[a-zA-Z0-9_\-][a-zA-Z0-9_\-.]*`
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.bytes().all(|byte| is_plain(byte) || byte == b'.') && name.bytes().next().is_some_and(is_plain)
}

/// Reads the text of a checkpoint that is passed along with a backup. Returns what could be made of it, and the errors,
/// labelled in the checkpoint's document.
#[must_use]
pub fn read(text: &str, release: Release) -> (Option<Checkpoint>, Vec<Diagnostic>) {
    let (checkpoint, diagnostics) = match syntax::parse_valid(text) {
        Ok(document) => parse::parse_beside_backup(&document, release),
        Err(errors) => (None, errors),
    };
    let errors = diagnostics.into_iter().filter(Diagnostic::is_error);
    (checkpoint, errors.map(|diagnostic| diagnostic.moved_to(Document::Checkpoint)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        read(text, Release::default()).1.iter().map(|diagnostic| diagnostic.rule.name()).collect()
    }

    #[test]
    fn names_are_those_of_the_schema() {
        for name in ["cp-1", "_", "-x", "a.b.", "1795550000"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".a", "a/b", "../foo", "a b", " a", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_checkpoint_is_validated_against_its_schema() {
        let disks = |disks: &str| format!("<domaincheckpoint><name>a</name>{disks}</domaincheckpoint>");
        assert_eq!(rules("<domaincheckpoint/>"), [""; 0]);
        assert_eq!(rules(&disks("<disks><disk name='vda' checkpoint='bitmap' bitmap='a'/></disks>")), [""; 0]);
        assert_eq!(rules(&disks("<disks><disk name='/image' checkpoint='no'/></disks>")), [""; 0]);
        assert_eq!(rules(&disks("<disks/>")), ["checkpoint/empty-disks"]);
        assert_eq!(
            rules(&disks("<disks><disk name='vda' checkpoint='no' bitmap='a'/></disks>")),
            ["schema/left-out-disk"]
        );
        assert_eq!(rules(&disks("<disks><disk name='vda' checkpoint='yes'/></disks>")), ["schema/unknown-value"]);
        assert_eq!(rules(&disks("<bogus/>")), ["schema/unknown-element"]);
        assert_eq!(rules("<domaincheckpoint><name>../a</name></domaincheckpoint>"), ["checkpoint/invalid-name"]);
        assert_eq!(rules("<domaincheckpoint><name/></domaincheckpoint>"), ["checkpoint/invalid-name"]);
        assert_eq!(rules("<domainbackup/>"), ["checkpoint/not-a-checkpoint"]);
        assert_eq!(rules("<domaincheckpoint xmlns='urn:x'/>"), ["schema/namespace"]);
        assert_eq!(rules("<domaincheckpoint>"), ["xml/unclosed-element"]);
    }
}
