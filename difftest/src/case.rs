//! A question to libvirt and its answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a document, and how libvirt should process it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `<domainbackup>`.
    Backup,
    /// A `<domainbackup>` of libvirtd's own state files.
    Status,
    /// A `<domaincheckpoint>` to create.
    Checkpoint,
    /// A `<domaincheckpoint>` to redefine.
    Redefinition,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Backup, Self::Status, Self::Checkpoint, Self::Redefinition];

    /// Whether the document is a checkpoint.
    pub fn is_checkpoint(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Redefinition)
    }

    /// The name of the root element.
    pub fn root(self) -> &'static str {
        if self.is_checkpoint() { "domaincheckpoint" } else { "domainbackup" }
    }
}

/// A document, and how libvirt should process it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    pub kind: Kind,
    /// Bytes, since it may declare any encoding. No NUL: libvirt takes C strings.
    pub document: Vec<u8>,
    /// The domain to align with; without one the document is only parsed and formatted.
    pub domain: Option<Vec<u8>>,
    /// The suffix of generated file names, and the name of a checkpoint without one.
    pub suffix: String,
}

impl Case {
    /// Whether C strings can hold it.
    pub fn can_be_asked(&self) -> bool {
        let holds = |bytes: &[u8]| !bytes.contains(&0);
        holds(&self.document) && self.domain.as_deref().is_none_or(holds) && holds(self.suffix.as_bytes())
    }
}

/// The stage at which libvirt refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// XML, schema and values of the document.
    Parse,
    /// The domain's own XML.
    Domain,
    /// Aligning the document with the domain.
    Align,
    /// Formatting.
    Format,
}

impl Stage {
    pub const ALL: [Self; 4] = [Self::Parse, Self::Domain, Self::Align, Self::Format];
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "parse",
            Self::Domain => "domain",
            Self::Align => "align",
            Self::Format => "format",
        })
    }
}

/// The answer to a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// The text libvirt writes.
    Accepted(String),
    /// The message of the first failure.
    Refused { stage: Stage, message: String },
}
