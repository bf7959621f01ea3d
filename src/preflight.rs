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
mod host;
mod incremental;

pub(crate) use checkpoint::can_have_bitmap;
pub(crate) use disk::unsupported;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::backup::{Backup, Disk};
use crate::checkpoint::Existing;
use crate::diagnostic::{Diagnostic, Span};
use crate::domain::{Domain, DomainDisk};
use crate::options::Options;

/// What the checks look at.
struct Context<'c, 'a> {
    backup: &'c Backup<'a>,
    domain: Option<&'c Domain>,
    options: &'c Options,
    /// The domain's disks by their targets.
    by_target: HashMap<&'c str, &'c DomainDisk>,
    /// The domain's disks by the paths of their images; none for a path that several share.
    by_path: OnceCell<HashMap<&'c str, Option<&'c DomainDisk>>>,
    /// Every image that the domain has open.
    images: OnceCell<destination::Images<'c>>,
    /// The targets of the disks that take part.
    included_targets: OnceCell<HashSet<&'c str>>,
    /// The checkpoints that exist, by their names.
    existing: OnceCell<HashMap<&'c str, &'c Existing>>,
}

impl<'c, 'a> Context<'c, 'a> {
    /// The disks that take part.
    fn included_disks(&self) -> impl Iterator<Item = &'c Disk<'a>> + use<'c, 'a> {
        self.backup.disks.iter().filter(|disk| disk.included)
    }

    fn domain_disk(&self, disk: &Disk<'_>) -> Option<&'c DomainDisk> {
        self.by_target.get(&*disk.name.value).copied()
    }

    /// The disk of the domain whose image alone is at `path`, spelt as in the domain.
    fn by_path(&self, path: &str) -> Option<&'c DomainDisk> {
        let by_path = self.by_path.get_or_init(|| {
            let mut by_path = HashMap::new();
            for disk in self.domain.into_iter().flat_map(|domain| &domain.disks) {
                if let Some(path) = disk.source.path() {
                    by_path.entry(path).and_modify(|found| *found = None).or_insert(Some(disk));
                }
            }
            by_path
        });
        by_path.get(path).copied().flatten()
    }

    fn is_included(&self, target: &str) -> bool {
        self.included_targets
            .get_or_init(|| self.included_disks().map(|disk| &*disk.name.value).collect())
            .contains(target)
    }

    /// The checkpoint called `name`, if it is one of those that were told.
    fn existing(&self, name: &str) -> Option<&'c Existing> {
        let all = || self.options.existing.iter().flat_map(|existing| existing.iter());
        self.existing.get_or_init(|| all().map(|existing| (&*existing.name, existing)).collect()).get(name).copied()
    }

    /// The place to blame for a disk: its name, or for one that is not listed the backup.
    fn place_of(&self, disk: &Disk<'_>) -> Span {
        if disk.name.span == Span::default() { self.backup.tag.span } else { disk.name.span }
    }
}

/// Looks at an aligned backup. `is_sound` tells that no earlier stage found anything: only then is there advice about it.
pub(crate) fn check(
    backup: &Backup<'_>,
    domain: Option<&Domain>,
    options: &Options,
    is_sound: bool,
) -> Vec<Diagnostic> {
    let mut by_target = HashMap::with_capacity(domain.map_or(0, |domain| domain.disks.len()));
    for disk in domain.into_iter().flat_map(|domain| &domain.disks) {
        by_target.entry(&*disk.target).or_insert(disk);
    }
    let context = Context {
        backup,
        domain,
        options,
        by_target,
        by_path: OnceCell::new(),
        images: OnceCell::new(),
        included_targets: OnceCell::new(),
        existing: OnceCell::new(),
    };
    let mut diagnostics = Vec::new();
    disk::check(&context, is_sound, &mut diagnostics);
    destination::check(&context, &mut diagnostics);
    encryption::check(&context, &mut diagnostics);
    export::check(&context, &mut diagnostics);
    incremental::check(&context, &mut diagnostics);
    checkpoint::check(&context, &mut diagnostics);
    if options.host.as_ref().is_none_or(|facts| facts.vm.state.is_none()) {
        diagnostics.extend(domain.and_then(advice::inactive));
    }
    if is_sound {
        advice::check(&context, &mut diagnostics);
    }
    host::check(&context, &mut diagnostics);
    diagnostics
}
