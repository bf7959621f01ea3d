//! A question to libvirt and its answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A backup, and how libvirt should process it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// The `<domainbackup>` document; bytes, since it may declare any encoding. No NUL: libvirt takes C strings.
    pub backup: Vec<u8>,
    /// The domain to align with; without one the backup is only parsed and formatted.
    pub domain: Option<Vec<u8>>,
    /// The suffix of generated file names.
    pub suffix: String,
    /// Whether it is a state file of libvirtd.
    pub status: bool,
}

impl Case {
    /// Whether C strings can hold it.
    pub fn can_be_asked(&self) -> bool {
        let holds = |bytes: &[u8]| !bytes.contains(&0);
        holds(&self.backup) && self.domain.as_deref().is_none_or(holds) && holds(self.suffix.as_bytes())
    }
}

/// The stage at which libvirt refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// XML, schema and values of the backup.
    Parse,
    /// The domain's own XML.
    Domain,
    /// Aligning the backup with the domain.
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
