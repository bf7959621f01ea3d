//! `Backup` × `Domain` → aligned `Backup`: what libvirt makes of a backup before it starts.
//!
//! Every listed disk is looked up, disks that are not listed are added, destinations that are not given are named after
//! the image, and each disk gets its resulting mode and checkpoint.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::backup::{Backup, BackupMode, Destination, Disk, Spanned, StorageType};
use crate::diagnostic::{Diagnostic, Document, MAX_ADDED, Span, push_bounded, too_much_added};
use crate::domain::{Domain, DomainDisk, Source};
use crate::release::Release;
use crate::rules::Rule;
use crate::wording::{MAX_DISKS_LISTED, closest_match, code, list_targets, setting};

/// Aligns `backup` with `domain`, naming what it generates with `suffix`.
///
/// Returns the diagnostics; without any, `backup` is what libvirt would go on with.
pub fn align(backup: &mut Backup, domain: &Domain, suffix: &str, release: Release) -> Vec<Diagnostic> {
    if domain.disks.is_empty() {
        let diagnostic = Diagnostic::new(Rule::NoDomainDisks, backup.tag.place(), "the domain has no disks")
            .help("check that this is the intended domain")
            .libvirt("unsupported configuration: domain must have at least one disk to perform backup");
        return vec![diagnostic];
    }
    let mut by_target = HashMap::with_capacity(domain.disks.len());
    for disk in &domain.disks {
        // libvirt takes the first of several disks with one target.
        by_target.entry(&*disk.target).or_insert(Target { disk, listed: None });
    }
    let by_path = OnceCell::new();
    let mut aligner = Aligner { domain, by_target, suffix, release, by_path, added: 0, diagnostics: Vec::new() };
    aligner.listed_disks(backup);
    aligner.other_disks(backup);
    let Aligner { added, mut diagnostics, .. } = aligner;
    diagnostics.extend(fill_in_modes(backup, added));
    diagnostics
}

/// Disks of type volume that libvirt would name a file after: the name is not in the documents.
pub fn unnamed_volumes(backup: &Backup, domain: &Domain, release: Release) -> Vec<Diagnostic> {
    let volumes = domain.disks.iter().filter(|disk| disk.source == Source::Other("volume"));
    let volumes: HashMap<&str, &DomainDisk> = volumes.map(|disk| (&*disk.target, disk)).collect();
    let mut diagnostics = Vec::new();
    for disk in backup.disks.iter().filter(|disk| disk.included && disk.path().is_none()) {
        let Some(volume) = volumes.get(&*disk.name.value) else { continue };
        let listed = disk.name.span.is_some();
        if listed && release < Release::V11_3_0 {
            continue;
        }
        let name = &disk.name.value;
        let place = disk.name.span.unwrap_or(backup.tag.place());
        let message =
            format!("cannot name the destination of {}: only its storage pool has the path of the volume", code(name));
        push_bounded(
            &mut diagnostics,
            Diagnostic::new(Rule::NoFileName, place, message)
                .label_in(Document::Domain, volume.tag, "this disk is a volume")
                .help("add a destination")
                .libvirt(refusing_to_generate(name)),
        );
    }
    diagnostics
}

/// The part of alignment that needs no domain: diagnostics that hold whatever the domain is, and the resulting modes.
pub fn align_without_domain(backup: &mut Backup) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut seen = HashMap::with_capacity(backup.disks.len());
    for disk in &backup.disks {
        if let Some(first) = seen.get(&*disk.name.value) {
            push_bounded(&mut diagnostics, duplicate(disk, *first));
        } else {
            seen.insert(&*disk.name.value, disk.name.place());
            if let Some(diagnostic) = check_checkpoint(backup, disk) {
                push_bounded(&mut diagnostics, diagnostic);
            }
        }
    }
    drop(seen);
    diagnostics.extend(fill_in_modes(backup, 0));
    diagnostics
}

struct Aligner<'d> {
    domain: &'d Domain,
    by_target: HashMap<&'d str, Target<'d>>,
    suffix: &'d str,
    release: Release,
    /// The disks by the paths of their images, from the first time that one is looked for.
    by_path: OnceCell<HashMap<&'d str, &'d DomainDisk>>,
    /// The bytes of generated names, at most a little more than [`MAX_ADDED`].
    added: usize,
    diagnostics: Vec<Diagnostic>,
}

/// A disk of the domain, and where the backup names it.
struct Target<'d> {
    disk: &'d DomainDisk,
    listed: Option<Span>,
}

impl<'d> Aligner<'d> {
    /// Checks the disks that the backup lists.
    fn listed_disks(&mut self, backup: &mut Backup) {
        let mut disks = std::mem::take(&mut backup.disks);
        let mut unknown = Vec::new();
        for (position, disk) in disks.iter_mut().enumerate() {
            let Some(target) = self.by_target.get_mut(&*disk.name.value) else {
                unknown.push(position);
                continue;
            };
            if let Some(first) = target.listed {
                push_bounded(&mut self.diagnostics, duplicate(disk, first));
                continue;
            }
            target.listed = Some(disk.name.place());
            let domain_disk = target.disk;
            if let Some(diagnostic) = check_checkpoint(backup, disk) {
                push_bounded(&mut self.diagnostics, diagnostic);
            }
            if disk.included {
                let place = disk.name.place();
                self.assign_destination(disk, domain_disk, place, true);
            }
        }
        for disk in unknown.into_iter().filter_map(|position| disks.get(position)) {
            let diagnostic = self.no_such_disk(disk);
            push_bounded(&mut self.diagnostics, diagnostic);
        }
        backup.disks = disks;
    }

    /// Adds the domain's other disks: excluded if any disk was listed, otherwise included if they can be.
    fn other_disks(&mut self, backup: &mut Backup) {
        let include_all = backup.disks.is_empty();
        let place = backup.tag.place();
        // libvirt makes room for as many disks as the domain has, and leaves some of it empty when two share a target.
        let room = self.domain.disks.len();
        for domain_disk in &self.domain.disks {
            if self.by_target.get(&*domain_disk.target).is_some_and(|target| target.listed.is_some()) {
                continue;
            }
            let include = include_all && domain_disk.source != Source::Empty && !domain_disk.read_only;
            let mut disk = unlisted_disk(&domain_disk.target, include);
            if include {
                self.assign_destination(&mut disk, domain_disk, place, false);
            }
            backup.disks.push(disk);
        }
        backup.empty_disk_entries = room.saturating_sub(backup.disks.len());
    }

    /// Gives a disk that takes part its destination, if it has none.
    fn assign_destination(&mut self, disk: &mut Disk, domain_disk: &DomainDisk, place: Span, listed: bool) {
        if domain_disk.source == Source::Empty {
            push_bounded(&mut self.diagnostics, no_media(disk, domain_disk, place));
            return;
        }
        if disk.destination.as_ref().is_some_and(|found| found.path.is_some() || found.has_unreadable_path) {
            return;
        }
        if listed && self.release < Release::V11_3_0 {
            // Up to then libvirt filled in nothing for a disk that is listed.
            return;
        }
        match &domain_disk.source {
            Source::File(path) => {
                self.added += path.len() + self.suffix.len();
                if self.added > MAX_ADDED {
                    return;
                }
                let path = format!("{path}.{}", self.suffix);
                if disk.storage_type.value == StorageType::Block {
                    push_bounded(&mut self.diagnostics, block_becomes_file(disk, &path));
                }
                disk.storage_type = Spanned::implied(StorageType::File);
                let destination = disk.destination.get_or_insert_with(|| Box::new(Destination::default()));
                destination.path = Some(Spanned::implied(path));
            }
            // Only the storage pool knows whether it is a file, and its path.
            Source::Empty | Source::Other("volume") => {}
            Source::Block(_) | Source::Other(_) => {
                let diagnostic = no_file_name(disk, domain_disk, domain_disk.source.type_name(), place, listed);
                push_bounded(&mut self.diagnostics, diagnostic);
            }
        }
    }

    fn no_such_disk(&self, disk: &Disk) -> Diagnostic {
        let name = &*disk.name.value;
        let shown = code(name);
        let diagnostic = Diagnostic::new(Rule::NoSuchDisk, disk.name.place(), format!("unknown disk {shown}"))
            .libvirt(format!("unsupported configuration: no disk named '{name}'"));
        if let Some(same) = self.disk_of_image(name) {
            let target = code(&same.target);
            return diagnostic.help(format!("use the target as the name: {shown} is the image of {target}")).safe_fix(
                format!("use {target}"),
                disk.name.place(),
                same.target.clone(),
            );
        }
        let targets = self.domain.disks.iter().map(|disk| &*disk.target);
        let all = list_targets(targets.clone());
        // It is another disk than those that are listed.
        let is_listed = |target: &&str| self.by_target.get(target).is_some_and(|target| target.listed.is_some());
        match closest_match(name, targets.take(MAX_DISKS_LISTED).filter(|target| !is_listed(target))) {
            Some(suggestion) => diagnostic
                .help(format!("did you mean `{suggestion}`? The domain has {all}"))
                .unsafe_fix(format!("use `{suggestion}`"), disk.name.place(), suggestion),
            None => diagnostic.help(format!("the domain has {all}")),
        }
    }

    /// The first disk with this file as its image.
    fn disk_of_image(&self, path: &str) -> Option<&'d DomainDisk> {
        let by_path = self.by_path.get_or_init(|| {
            let mut by_path = HashMap::new();
            for disk in &self.domain.disks {
                if let Source::File(path) = &disk.source {
                    by_path.entry(&**path).or_insert(disk);
                }
            }
            by_path
        });
        by_path.get(path).copied()
    }
}

fn unlisted_disk(target: &str, included: bool) -> Disk {
    Disk { included, ..Disk::new(Spanned::implied(target.to_owned()), Spanned::default()) }
}

fn duplicate(disk: &Disk, first: Span) -> Diagnostic {
    let name = &disk.name.value;
    Diagnostic::new(Rule::DuplicateDisk, disk.name.place(), format!("duplicate disk {}", code(name)))
        .primary_label("listed again")
        .label(first, "listed first here")
        .help(format!("keep one <disk {}>", setting("name", name)))
        .libvirt(format!("unsupported configuration: disk '{name}' specified twice"))
}

/// An incremental disk needs a checkpoint, its own or the backup's.
fn check_checkpoint(backup: &Backup, disk: &Disk) -> Option<Diagnostic> {
    let mode = disk.backupmode.as_ref().filter(|mode| mode.value == BackupMode::Incremental)?;
    if disk.incremental.is_some() || backup.incremental.is_some() {
        return None;
    }
    let name = &disk.name.value;
    let diagnostic = Diagnostic::new(
        Rule::IncrementalWithoutCheckpoint,
        mode.place(),
        format!("missing checkpoint for the incremental backup of {}", code(name)),
    )
    .help("add incremental='CHECKPOINT' to the <disk>, or <incremental>CHECKPOINT</incremental> to the backup")
    .libvirt(format!(
        "unsupported configuration: 'incremental' backup mode of disk '{name}' requires setting 'incremental' field for disk or backup"
    ));
    Some(diagnostic)
}

fn block_becomes_file(disk: &Disk, path: &str) -> Diagnostic {
    let message = format!("type='block' without a destination becomes the file {}", code(path));
    Diagnostic::new(Rule::BlockBecomesFile, disk.storage_type.place(), message)
        .help("add <target dev='/dev/...'/>, or use type='file'")
}

fn no_media(disk: &Disk, domain_disk: &DomainDisk, place: Span) -> Diagnostic {
    let name = &disk.name.value;
    Diagnostic::new(Rule::NoMedia, place, format!("disk {} has no media", code(name)))
        .label_in(Document::Domain, domain_disk.tag, "no <source> with a path")
        .help(format!("exclude it: <disk {} backup='no'/>", setting("name", name)))
        .libvirt(format!("unsupported configuration: disk '{name}' has no media"))
}

fn no_file_name(disk: &Disk, domain_disk: &DomainDisk, storage_type: &str, place: Span, listed: bool) -> Diagnostic {
    let name = &disk.name.value;
    let shown = code(name);
    let help = if listed {
        "add a destination".to_owned()
    } else {
        format!("list the disks in <disks>, with a destination for {shown}, or exclude it with backup='no'")
    };
    Diagnostic::new(
        Rule::NoFileName,
        place,
        format!("missing destination for {shown}: libvirt generates none for a disk of type `{storage_type}`"),
    )
    .label_in(Document::Domain, domain_disk.tag, format!("disk of type `{storage_type}`"))
    .help(help)
    .libvirt(refusing_to_generate(name))
}

fn refusing_to_generate(name: &str) -> String {
    format!("unsupported configuration: refusing to generate file name for disk '{name}'")
}

/// Every disk gets its mode, excluded ones too: as written, else incremental if a checkpoint is named, else full.
///
/// `added` are the bytes that were added before; no names are filled in beyond [`MAX_ADDED`], which is an error.
fn fill_in_modes(backup: &mut Backup, mut added: usize) -> Option<Diagnostic> {
    let checkpoint = &backup.incremental;
    for disk in &mut backup.disks {
        let named = disk.incremental.is_some() || checkpoint.is_some();
        let value_implied_by_siblings = if named { BackupMode::Incremental } else { BackupMode::Full };
        let mode = disk.backupmode.get_or_insert(Spanned::implied(value_implied_by_siblings));
        if mode.value == BackupMode::Incremental && disk.incremental.is_none() {
            added += checkpoint.as_ref().map_or(0, |name| name.value.len());
            if added <= MAX_ADDED {
                disk.incremental.clone_from(checkpoint);
            }
        }
    }
    (added > MAX_ADDED).then(|| too_much_added(backup.tag.place()))
}
