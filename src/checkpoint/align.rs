//! `Checkpoint` × `Domain` → aligned `Checkpoint`: what libvirt makes of a checkpoint before it creates it.

use std::collections::{HashMap, HashSet};

use crate::backup::Spanned;
use crate::diagnostic::{Diagnostic, Document, MAX_ADDED, Span, push_bounded, too_much_added};
use crate::domain::{Domain, DomainDisk, Source};
use crate::rules::Rule;
use crate::wording::{MAX_DISKS_LISTED, closest_match, code, join_with_and, list_targets, setting};

use super::{Checkpoint, CheckpointDisk, Coverage};

/// The disks that a checkpoint lists, each with the domain's disk, and what keeps them from fitting the domain.
pub(crate) struct Resolved<'c, 'd> {
    pub(crate) disks: Vec<(&'c CheckpointDisk, &'d DomainDisk)>,
    /// Labelled in the checkpoint as the main document.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Completes a checkpoint to create, called `suffix` if it has no name.
pub(crate) fn align(checkpoint: &mut Checkpoint, domain: &Domain, suffix: &str) -> Vec<Diagnostic> {
    checkpoint.name.get_or_insert_with(|| Spanned::implied(suffix.to_owned()));
    fit_to(checkpoint, domain)
}

/// Completes a checkpoint to redefine: not with `domain` as it is now, but with the domain that the checkpoint holds.
pub(crate) fn align_redefined(checkpoint: &mut Checkpoint, domain: &Domain) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::from_iter(own_parent(checkpoint));
    let Some(held) = checkpoint.domain.take() else {
        diagnostics.extend(name_bitmaps(checkpoint));
        return diagnostics;
    };
    diagnostics.extend(other_domain(checkpoint, &held.domain, domain));
    let fitted = fit_to(checkpoint, &held.domain);
    // Both are the same document here.
    diagnostics.extend(fitted.into_iter().map(|diagnostic| diagnostic.relabelled(Document::Domain, Document::Backup)));
    checkpoint.domain = Some(held);
    diagnostics
}

/// What is wrong with a checkpoint whatever the domain is.
pub(crate) fn check_without_domain(checkpoint: &Checkpoint) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::from_iter(own_parent(checkpoint));
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for disk in checkpoint.disks.iter().flatten() {
        match seen.get(&*disk.name.value) {
            Some(first) => push_bounded(&mut diagnostics, duplicate(disk, *first)),
            None => drop(seen.insert(&disk.name.value, disk.name.place())),
        }
    }
    diagnostics
}

/// Only a checkpoint to redefine has a parent here.
fn own_parent(checkpoint: &Checkpoint) -> Option<Diagnostic> {
    let name = checkpoint.name.as_ref()?;
    let parent = checkpoint.parent.as_ref().filter(|parent| parent.value == name.value)?;
    Some(
        Diagnostic::new(
            Rule::CheckpointOwnParent,
            parent.place(),
            format!("checkpoint {} is its own parent", code(&name.value)),
        )
        .label(name.place(), "the checkpoint")
        .help("use the name of the checkpoint that was created before, or remove <parent>")
        .libvirt(format!("invalid argument: cannot set moment {} as its own parent", name.value)),
    )
}

fn other_domain(checkpoint: &Checkpoint, held: &Domain, domain: &Domain) -> Option<Diagnostic> {
    let (held_uuid, uuid) = (held.uuid.as_deref()?, domain.uuid.as_deref()?);
    let name = checkpoint.name.as_ref().map_or("", |name| &*name.value);
    (held_uuid != uuid).then(|| {
        Diagnostic::new(
            Rule::CheckpointOtherDomain,
            held.tag,
            format!(
                "checkpoint {} is of another domain: its <domain> has the UUID {held_uuid}, not {uuid}",
                code(name)
            ),
        )
        .label_in(Document::Domain, domain.tag, "the domain")
        .help("redefine the checkpoint in the domain that it is of")
        .libvirt(format!("invalid argument: definition for checkpoint {name} must use uuid {uuid}"))
    })
}

fn fit_to(checkpoint: &mut Checkpoint, domain: &Domain) -> Vec<Diagnostic> {
    let Resolved { disks, mut diagnostics } = resolve(checkpoint, domain);
    let lists_none = checkpoint.disks.is_none();
    let mut listed: HashMap<&str, &CheckpointDisk> = HashMap::with_capacity(disks.len());
    for (disk, found) in &disks {
        listed.entry(&found.target).or_insert(disk);
    }
    let mut aligned = Vec::with_capacity(domain.disks.len());
    for found in &domain.disks {
        let target = Spanned::implied(String::from(&*found.target));
        aligned.push(if let Some(disk) = listed.get(&*found.target) {
            CheckpointDisk { name: Spanned { span: disk.name.span, ..target }, ..(*disk).clone() }
        } else {
            let is_covered = lists_none && is_coverable(found);
            let coverage = if is_covered { Coverage::Bitmap } else { Coverage::Excluded };
            CheckpointDisk { name: target, coverage, bitmap: None }
        });
    }
    if domain.disks.is_empty() {
        push_bounded(&mut diagnostics, no_domain_disks(checkpoint));
    }
    checkpoint.disks = Some(aligned);
    diagnostics.extend(name_bitmaps(checkpoint));
    diagnostics
}

/// Looks up each listed disk.
pub(crate) fn resolve<'c, 'd>(checkpoint: &'c Checkpoint, domain: &'d Domain) -> Resolved<'c, 'd> {
    let mut resolved = Resolved { disks: Vec::new(), diagnostics: Vec::new() };
    let Some(listed) = &checkpoint.disks else { return resolved };
    let finder = Finder::new(domain);
    // libvirt counts them before it looks at any.
    let are_too_many = listed.len() > domain.disks.len();
    let named: HashSet<&str> = listed.iter().map(|disk| &*disk.name.value).collect();
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for disk in listed {
        let error = match finder.find(&disk.name.value) {
            None => no_such_disk(disk, domain, &finder, &named),
            Some(found) => {
                if let Some(first) = seen.get(&*found.target) {
                    duplicate(disk, *first)
                } else {
                    seen.insert(&found.target, disk.name.place());
                    resolved.disks.push((disk, found));
                    if disk.coverage == Coverage::Excluded || is_coverable(found) {
                        continue;
                    }
                    no_media(disk, found)
                }
            }
        };
        let error = if are_too_many {
            error.libvirt("unsupported configuration: too many disk checkpoint requests for domain")
        } else {
            error
        };
        push_bounded(&mut resolved.diagnostics, error);
    }
    resolved
}

/// A domain's disks by target, and by the path of the source where it is that of one disk.
pub(crate) struct Finder<'d> {
    by_target: HashMap<&'d str, &'d DomainDisk>,
    by_path: HashMap<&'d str, Vec<&'d DomainDisk>>,
}

impl<'d> Finder<'d> {
    pub(crate) fn new(domain: &'d Domain) -> Self {
        let mut finder = Self { by_target: HashMap::new(), by_path: HashMap::new() };
        for disk in &domain.disks {
            finder.by_target.entry(&disk.target).or_insert(disk);
            if let Some(path) = disk.source_path.as_deref() {
                finder.by_path.entry(path).or_default().push(disk);
            }
        }
        finder
    }

    pub(crate) fn find(&self, name: &str) -> Option<&'d DomainDisk> {
        if !name.starts_with('/') {
            return self.by_target.get(name).copied();
        }
        match self.with_path(name) {
            [disk] => Some(disk),
            _ => None,
        }
    }

    /// The disks whose source has this path.
    fn with_path(&self, path: &str) -> &[&'d DomainDisk] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }
}

/// Whether a checkpoint that lists no disks has this one.
pub(crate) fn is_coverable(disk: &DomainDisk) -> bool {
    disk.source != Source::Empty && !disk.read_only
}

/// Bitmaps are called like the checkpoint unless they have a name. A name that is too long for so many is an error.
pub(crate) fn name_bitmaps(checkpoint: &mut Checkpoint) -> Option<Diagnostic> {
    let name = &checkpoint.name.as_ref()?.value;
    let mut added = 0;
    for disk in checkpoint.disks.iter_mut().flatten().filter(|disk| disk.has_bitmap() && disk.bitmap.is_none()) {
        added += name.len();
        if added > MAX_ADDED {
            return Some(too_much_added(checkpoint.tag));
        }
        disk.bitmap = Some(Spanned::implied(name.clone()));
    }
    None
}

fn no_domain_disks(checkpoint: &Checkpoint) -> Diagnostic {
    let message = match checkpoint.disks {
        Some(_) => "unsupported configuration: too many disk checkpoint requests for domain",
        None => "unsupported configuration: domain must have at least one disk to perform checkpoints",
    };
    Diagnostic::new(Rule::NoDomainDisks, checkpoint.tag, "the domain has no disks")
        .help("check that the domain is the right one")
        .libvirt(message)
}

fn no_such_disk(disk: &CheckpointDisk, domain: &Domain, finder: &Finder<'_>, named: &HashSet<&str>) -> Diagnostic {
    let name = &*disk.name.value;
    let diagnostic =
        Diagnostic::new(Rule::CheckpointNoSuchDisk, disk.name.place(), format!("unknown disk {}", code(name)))
            .libvirt(format!("unsupported configuration: no disk named '{name}'"));
    let sharing = finder.with_path(name);
    if name.starts_with('/') && sharing.len() > 1 {
        let sharing: Vec<_> = sharing.iter().map(|disk| &*disk.target).collect();
        return diagnostic.help(format!("use the target of one disk: {} have this source", join_with_and(&sharing)));
    }
    let targets = domain.disks.iter().map(|disk| &*disk.target);
    let all = list_targets(targets.clone());
    // It is another disk than those that are listed.
    match closest_match(name, targets.take(MAX_DISKS_LISTED).filter(|target| !named.contains(target))) {
        Some(target) => diagnostic.help(format!("did you mean `{target}`? The domain has {all}")).unsafe_fix(
            format!("use `{target}`"),
            disk.name.place(),
            target,
        ),
        None => diagnostic.help(format!("the domain has {all}")),
    }
}

fn duplicate(disk: &CheckpointDisk, first: Span) -> Diagnostic {
    let name = &disk.name.value;
    Diagnostic::new(Rule::CheckpointDuplicateDisk, disk.name.place(), format!("duplicate disk {}", code(name)))
        .primary_label("listed again")
        .label(first, "listed first here")
        .help(format!("keep one <disk {}>", setting("name", name)))
        .libvirt(format!("unsupported configuration: disk '{name}' specified twice"))
}

fn no_media(disk: &CheckpointDisk, found: &DomainDisk) -> Diagnostic {
    let name = &disk.name.value;
    let what = if found.read_only { "is read-only" } else { "has no media" };
    let message = format!("disk {} {what}: a checkpoint cannot cover it", code(name));
    Diagnostic::new(Rule::CheckpointNoMedia, disk.name.place(), message)
        .label_in(Document::Domain, found.tag, "the disk")
        .help("use checkpoint='no', or remove this <disk>")
        .libvirt(format!("unsupported configuration: disk '{name}' is empty or readonly"))
}
