//! What is refused only when the backup starts, and what is accepted and still does harm.
//!
//! Behind alignment libvirt's QEMU driver and QEMU itself check more, and the checkpoint passed along is checked too:
//! what follows from the documents is checked here, on the aligned backup. What depends on the host, such as whether a
//! directory exists, is checked in [`host`].

mod advice;
mod checkpoint;
mod destination;
mod disk;
mod encryption;
mod export;
mod host;
mod incremental;
pub(crate) mod literal;
mod paths;
mod server;

pub(crate) use checkpoint::can_cover;
pub(crate) use disk::unsupported;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::backup::{Backup, Disk, Mode, Spanned};
use crate::checkpoint::align::Finder;
use crate::checkpoint::{Checkpoint, Existing};
use crate::diagnostic::{Diagnostic, NotChecked, Span};
use crate::domain::{Domain, DomainDisk};
use crate::options::Options;

use paths::Paths;

/// What the checks look at.
struct Context<'c> {
    backup: &'c Backup,
    domain: Option<&'c Domain>,
    options: &'c Options,
    /// The domain's disks by their targets.
    by_target: HashMap<&'c str, &'c DomainDisk>,
    /// The domain's disks as a checkpoint names them.
    checkpoint_disks: OnceCell<Option<Finder<'c>>>,
    /// The paths that the domain uses.
    paths: OnceCell<Paths<'c>>,
    /// The targets of the disks that take part.
    included_targets: OnceCell<HashSet<&'c str>>,
    /// The checkpoints that exist, by their names.
    existing: OnceCell<HashMap<&'c str, &'c Existing>>,
    /// For a checkpoint, a disk that it covers and the domain does not have.
    renamed_from: OnceCell<HashMap<&'c str, &'c str>>,
}

impl<'c> Context<'c> {
    fn new(backup: &'c Backup, domain: Option<&'c Domain>, options: &'c Options) -> Self {
        let mut by_target = HashMap::with_capacity(domain.map_or(0, |domain| domain.disks.len()));
        for disk in domain.into_iter().flat_map(|domain| &domain.disks) {
            by_target.entry(&*disk.target).or_insert(disk);
        }
        Self {
            backup,
            domain,
            options,
            by_target,
            checkpoint_disks: OnceCell::new(),
            paths: OnceCell::new(),
            included_targets: OnceCell::new(),
            existing: OnceCell::new(),
            renamed_from: OnceCell::new(),
        }
    }

    /// The disks that take part.
    fn included_disks(&self) -> impl Iterator<Item = &'c Disk> + use<'c> {
        self.backup.disks.iter().filter(|disk| disk.included)
    }

    fn domain_disk(&self, disk: &Disk) -> Option<&'c DomainDisk> {
        self.by_target.get(&*disk.name.value).copied()
    }

    /// The disk of the domain that a checkpoint lists by `name`: its target, or the path of its source.
    fn find_checkpoint_disk(&self, name: &str) -> Option<&'c DomainDisk> {
        let finder = self.checkpoint_disks.get_or_init(|| self.domain.map(Finder::new));
        finder.as_ref().and_then(|finder| finder.find(name))
    }

    /// What the domain has at paths.
    fn paths(&self) -> &Paths<'c> {
        self.paths.get_or_init(|| Paths::of_domain(self.domain))
    }

    fn is_included(&self, target: &str) -> bool {
        self.included_targets
            .get_or_init(|| self.included_disks().map(|disk| &*disk.name.value).collect())
            .contains(target)
    }

    /// The checkpoint called `name`, if it is one of those that were given.
    fn existing(&self, name: &str) -> Option<&'c Existing> {
        let all = || self.options.existing.iter().flat_map(|existing| existing.iter());
        self.existing.get_or_init(|| all().map(|existing| (&*existing.name, existing)).collect()).get(name).copied()
    }

    /// A disk that a checkpoint covers and the domain does not have, if there is one: another disk may be this one.
    fn renamed_from(&self, checkpoint: &str) -> Option<&'c str> {
        let renamed_from = self.renamed_from.get_or_init(|| {
            let listed: HashSet<&str> = self.backup.disks.iter().map(|disk| &*disk.name.value).collect();
            let is_known = |target: &str| match self.domain {
                Some(_) => self.by_target.contains_key(target),
                None => listed.contains(target),
            };
            let all = self.options.existing.iter().flat_map(|existing| existing.iter());
            let unknown = all.filter_map(|existing| {
                let covered = existing.disks.iter().flat_map(HashMap::keys).map(String::as_str);
                Some((&*existing.name, covered.filter(|target| !is_known(target)).min()?))
            });
            unknown.collect()
        });
        renamed_from.get(checkpoint).copied()
    }

    /// Whether `name` is that of the checkpoint to be made along with the backup.
    fn is_new_checkpoint(&self, name: &str) -> bool {
        self.options.checkpoint.as_ref().is_some_and(|new| new.is_called(name))
    }

    /// The place to report for a disk: its name, or for one that is not listed the backup.
    fn place_of(&self, disk: &Disk) -> Span {
        disk.name.span.unwrap_or(self.backup.tag.place())
    }
}

/// Looks at an aligned backup. `is_sound` is whether no earlier stage found anything. Advice is for what libvirt accepts:
/// it is not given together with an error.
pub(crate) fn check(
    backup: &Backup,
    domain: Option<&Domain>,
    options: &Options,
    is_sound: bool,
) -> (Vec<Diagnostic>, Vec<NotChecked>) {
    let context = Context::new(backup, domain, options);
    let mut diagnostics = Vec::new();
    disk::check(&context, is_sound, &mut diagnostics);
    destination::check(&context, &mut diagnostics);
    encryption::check(&context, &mut diagnostics);
    server::check(&context, &mut diagnostics);
    export::check(&context, &mut diagnostics);
    incremental::check(&context, &mut diagnostics);
    checkpoint::check(&context, &mut diagnostics);
    host::check(&context, &mut diagnostics);
    if is_sound && !diagnostics.iter().any(Diagnostic::is_error) {
        advice::check(&context, &mut diagnostics);
    }
    if options.host.as_ref().is_none_or(|facts| facts.vm.state.is_none()) {
        diagnostics.extend(domain.and_then(advice::inactive));
    }
    (diagnostics, incremental::not_checked(&context).into_iter().chain(not_checked_on_host(options)).collect())
}

fn not_checked_on_host(options: &Options) -> impl Iterator<Item = NotChecked> {
    let files = options.host.iter().filter_map(|facts| facts.files.as_ref());
    files.flat_map(|files| &files.not_checked).cloned()
}

/// Looks at a checkpoint that is created by itself, as along with a backup of no disk. Diagnostics are labelled in
/// [`Document::Checkpoint`](crate::diagnostic::Document).
pub(crate) fn check_checkpoint(
    checkpoint: Checkpoint,
    domain: Option<&Domain>,
    options: &Options,
) -> (Vec<Diagnostic>, Vec<NotChecked>) {
    let backup = Backup { tag: Spanned::written((), checkpoint.tag), ..Backup::new(Mode::Push) };
    let options = Options { checkpoint: Some(Arc::new(checkpoint)), ..options.clone() };
    let context = Context::new(&backup, domain, &options);
    let mut diagnostics = Vec::new();
    if options.redefine {
        diagnostics.extend(checkpoint::check_parent(&context));
    } else {
        checkpoint::check(&context, &mut diagnostics);
        host::check_checkpoint(&context, &mut diagnostics);
    }
    (diagnostics, not_checked_on_host(&options).collect())
}
