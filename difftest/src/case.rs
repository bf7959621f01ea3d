//! A question to libvirt, and what it answers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A backup, and how libvirt is to take it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// The `<domainbackup>` document; bytes, since it may declare any encoding. No NUL: libvirt takes C strings.
    pub backup: Vec<u8>,
    /// The domain to align with; without one the backup is only parsed and formatted.
    pub domain: Option<Vec<u8>>,
    /// What generated file names end in.
    pub suffix: String,
    /// Whether it is the flavour of libvirtd's own state files.
    pub status: bool,
}

impl Case {
    /// True when libvirt's C strings can hold it.
    pub fn can_be_asked(&self) -> bool {
        let holds = |bytes: &[u8]| !bytes.contains(&0);
        holds(&self.backup) && self.domain.as_deref().is_none_or(holds) && holds(self.suffix.as_bytes())
    }
}

/// Where libvirt stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// XML, schema and values of the backup.
    Parse,
    /// The domain's own XML.
    Domain,
    /// The backup against the domain.
    Align,
    /// Writing it out.
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

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// The text libvirt writes.
    Accepted(String),
    /// The first failure, in libvirt's words.
    Refused { stage: Stage, message: String },
}
