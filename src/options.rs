//! What a backup is checked or normalized against.

use std::sync::Arc;

use crate::checkpoint::{Checkpoint, Existing};
use crate::host::Facts;
use crate::release::Release;

/// What a backup is checked or normalized against.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// The libvirt release whose behaviour is reproduced.
    pub release: Release,
    /// The suffix of generated file names: the checkpoint's name or, as libvirt does, the seconds since 1970.
    pub suffix: String,
    /// Whether the document is a state file of libvirtd, to which the schema does not apply.
    pub status: bool,
    /// Whether a checkpoint is redefined (`virsh checkpoint-create --redefine`).
    pub redefine: bool,
    /// Whether [`normalize`](crate::normalize) without a domain writes each disk's resulting mode and checkpoint.
    pub explicit: bool,
    /// Whether destinations are existing files (`virsh backup-begin --reuse-external`).
    pub reuse_external: bool,
    /// The checkpoint that is created together with the backup.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// The checkpoints of the domain; `None` if unknown.
    pub existing: Option<Arc<[Existing]>>,
    /// What libvirt and the machine say of the domain.
    pub host: Option<Arc<Facts>>,
}
