//! What is refused only when the backup starts, and what is accepted and still does harm.
//!
//! Behind alignment libvirt's QEMU driver and QEMU itself check more, and the checkpoint passed along is checked too:
//! all that follows from the documents is foretold here, on the aligned backup. What depends on the host, such as
//! whether a directory is there, is not.

mod advice;
mod checkpoint;
mod destination;
mod disk;
mod encryption;
mod export;
mod incremental;

use std::collections::HashMap;

use crate::Options;
use crate::backup::{Backup, Disk};
use crate::diagnostic::{Diagnostic, Span};
use crate::domain::{Domain, DomainDisk};

/// What the checks look at.
struct Context<'c, 'a> {
    backup: &'c Backup<'a>,
    domain: Option<&'c Domain>,
    options: &'c Options,
    /// The domain's disks by their targets.
    by_target: HashMap<&'c str, &'c DomainDisk>,
}

impl<'c, 'a> Context<'c, 'a> {
    /// The disks that take part.
    fn taken(&self) -> impl Iterator<Item = &'c Disk<'a>> + use<'c, 'a> {
        self.backup.disks.iter().filter(|disk| disk.backup)
    }

    fn domain_disk(&self, disk: &Disk<'_>) -> Option<&'c DomainDisk> {
        self.by_target.get(&*disk.name.value).copied()
    }

    /// The place to blame for a disk: its name, or for one that is not listed the backup.
    fn place_of(&self, disk: &Disk<'_>) -> Span {
        if disk.name.span == Span::default() { self.backup.tag.span } else { disk.name.span }
    }
}

/// Looks at an aligned backup. `is_sound` tells that no earlier stage found anything: only then is there advice about it.
pub(crate) fn examine(
    backup: &Backup<'_>,
    domain: Option<&Domain>,
    options: &Options,
    is_sound: bool,
) -> Vec<Diagnostic> {
    let mut by_target = HashMap::new();
    for disk in domain.into_iter().flat_map(|domain| &domain.disks) {
        by_target.entry(&*disk.target).or_insert(disk);
    }
    let context = Context { backup, domain, options, by_target };
    let mut diagnostics = Vec::new();
    disk::check(&context, is_sound, &mut diagnostics);
    destination::check(&context, &mut diagnostics);
    encryption::check(&context, &mut diagnostics);
    export::check(&context, &mut diagnostics);
    incremental::check(&context, &mut diagnostics);
    checkpoint::check(&context, &mut diagnostics);
    diagnostics.extend(domain.and_then(advice::inactive));
    if is_sound {
        advice::give(&context, &mut diagnostics);
    }
    diagnostics
}
