//! What does not belong: unknown and misplaced attributes and children, values that are not allowed.
//!
//! One mistake is one error. A misspelt name is reported once and then taken for the name that was meant, so that
//! nothing is missing after it; a thing in the wrong place is reported there, and not as missing elsewhere.

mod attribute;
mod child;
mod concept;
mod element;
mod incremental;
mod relocate;
mod text;

pub(crate) use attribute::attribute;
pub(crate) use concept::is_format;
pub(crate) use element::children;
pub(crate) use element::rename;
pub(crate) use incremental::{is_requested, request};
pub(crate) use relocate::{
    add_content, append_content, attribute_into_comment, element_into_comment, text_into_comment,
};
pub(crate) use text::text;

/// The types that a domain's disk may have and a backup's may not.
pub(super) const FOREIGN_TYPES: [&str; 6] = ["network", "volume", "nvme", "dir", "vhostuser", "vhostvdpa"];
