//! What a backup is checked or normalized against.

use std::sync::Arc;

use crate::checkpoint::{Checkpoint, Existing};
use crate::release::Release;

/// What a document is held against.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The release to answer for.
    pub release: Release,
    /// What generated names end in: the checkpoint's name or, as libvirt does, the seconds since 1970.
    pub suffix: String,
    /// Whether the document is one of libvirtd's own state files, to which the schema does not apply.
    pub status: bool,
    /// Whether, without a domain, each disk's resulting mode and checkpoint are filled in all the same.
    pub explicit: bool,
    /// Whether destinations are files that exist already (`virsh backup-begin --reuse-external`).
    pub reuse_external: bool,
    /// The checkpoint that is to be made along with the backup.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// The checkpoints that the domain has; `None` when nobody said.
    pub existing: Option<Arc<[Existing]>>,
}
