//! What does not belong: unknown and misplaced attributes and children, values that are not allowed.
//!
//! One mistake is one error. A misspelt name is reported once and then taken for the name that was meant, so that
//! nothing is missing after it; a thing in the wrong place is reported there, and not as missing elsewhere.

mod attribute;
mod element;

pub(crate) use attribute::attribute;
pub(crate) use element::children;
pub(crate) use element::rename;

/// The types that a domain's disk may have and a backup's may not.
pub(super) const FOREIGN_TYPES: [&str; 6] = ["network", "volume", "nvme", "dir", "vhostuser", "vhostvdpa"];
