//! What will happen to each disk of a domain, and why.

use std::collections::HashMap;

use crate::backup::{Backup, BackupMode, Disk, Mode, StorageFormat};
use crate::checkpoint::Existing;
use crate::domain::{Domain, DomainDisk, Source};
use crate::host::sizes::{self, Share, Sizes};
use crate::host::{Facts, Vm};

/// What a backup does with the disks of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Who moves the data.
    pub mode: Mode,
    /// One row for each disk of the domain, in libvirt's order.
    pub rows: Vec<Row>,
    /// The file systems that the backup goes to, where they were looked at.
    pub shares: Vec<Share>,
    /// The newest checkpoint that every disk could start from, where libvirt was asked.
    pub newest_checkpoint: Option<String>,
}

/// One disk of the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its target.
    pub disk: String,
    /// What becomes of it.
    pub decision: Decision,
}

/// What becomes of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It takes part.
    Included(Box<IncludedDisk>),
    /// It does not.
    Excluded(Reason),
}

/// Why a disk is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `backup='no'` says so.
    Asked,
    /// Others are listed, and this one is not.
    NotListed,
    /// There is nothing in the drive.
    NoMedia,
    /// The guest cannot write to it.
    ReadOnly,
}

impl Reason {
    /// A few words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "backup='no'",
            Self::NotListed => "not listed",
            Self::NoMedia => "no media",
            Self::ReadOnly => "read-only",
        }
    }
}

/// A value, and whether it was written or is libvirt's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Whether the backup says so.
    pub written: bool,
}

/// How a disk is backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludedDisk {
    /// How much of it.
    pub mode: Setting<BackupMode>,
    /// The checkpoint it starts from; written, if the disk itself names it.
    pub since: Option<Setting<String>>,
    /// `file` or `block`.
    pub storage_type: &'static str,
    /// Where it goes; none only up to libvirt 9.0.0, which then makes up no name.
    pub destination: Option<Setting<String>>,
    /// The format of what is written there.
    pub format: Setting<StorageFormat>,
    /// The name of the NBD export; in pull mode.
    pub export: Option<Setting<String>>,
    /// The name of the bitmap in the export; in an incremental pull.
    pub bitmap: Option<Setting<String>>,
    /// Its sizes, where libvirt was asked.
    pub sizes: Option<Sizes>,
    /// Why one would hardly expect it in a backup: `CD-ROM`, `floppy` or `read-only`.
    pub note: Option<&'static str>,
    /// Whether its destination has a name that only its storage pool knows.
    pub in_pool: bool,
}

fn included(mode: Mode, disk: &Disk) -> IncludedDisk {
    let effective = disk.backupmode.as_ref().map_or(BackupMode::Full, |mode| mode.value);
    let incremental = effective == BackupMode::Incremental;
    let (tag, name) = (disk.tag.place(), || disk.name.value.clone());
    let export = || match &disk.exportname {
        Some(name) => Setting { value: name.value.clone(), written: true },
        None => Setting { value: name(), written: false },
    };
    let bitmap = || match &disk.exportbitmap {
        Some(name) => Setting { value: name.value.clone(), written: true },
        None => Setting { value: format!("backup-{}", name()), written: false },
    };
    IncludedDisk {
        mode: Setting { value: effective, written: disk.backupmode.as_ref().is_some_and(|mode| mode.span.is_some()) },
        since: disk.incremental.as_ref().filter(|_| incremental).map(|name| Setting {
            value: name.value.clone(),
            written: name.span.is_some_and(|name| tag.start <= name.start && name.end <= tag.end),
        }),
        storage_type: disk.storage_type.value.name(),
        destination: disk.path().map(|path| Setting { value: path.value.clone(), written: path.span.is_some() }),
        format: Setting {
            value: disk.format.as_ref().map_or(StorageFormat::Qcow2, |format| format.value),
            written: disk.format.is_some(),
        },
        export: (mode == Mode::Pull).then(export),
        bitmap: (mode == Mode::Pull && incremental).then(bitmap),
        sizes: None,
        note: None,
        in_pool: false,
    }
}

impl Plan {
    /// Reads the plan off an aligned backup.
    #[must_use]
    pub(crate) fn from_aligned(backup: &Backup, domain: &Domain, facts: Option<&Facts>) -> Plan {
        let by_name: HashMap<&str, &Disk> = backup.disks.iter().map(|disk| (&*disk.name.value, disk)).collect();
        let some_listed = backup.disks_tag.span.is_some();
        let row = |domain_disk: &DomainDisk| {
            let decision = match by_name.get(&*domain_disk.target) {
                Some(disk) if disk.included => {
                    let sizes = facts.map(|facts| sizes::of(backup, disk, facts));
                    let included = included(backup.mode, disk);
                    let in_pool = included.destination.is_none() && domain_disk.source == Source::Other("volume");
                    Decision::Included(Box::new(IncludedDisk { sizes, note: note(domain_disk), in_pool, ..included }))
                }
                Some(disk) if disk.name.span.is_some() => Decision::Excluded(Reason::Asked),
                _ if domain_disk.source == Source::Empty => Decision::Excluded(Reason::NoMedia),
                _ if some_listed => Decision::Excluded(Reason::NotListed),
                _ => Decision::Excluded(Reason::ReadOnly),
            };
            Row { disk: domain_disk.target.to_string(), decision }
        };
        Plan {
            mode: backup.mode,
            rows: domain.disks.iter().map(row).collect(),
            shares: facts.map_or_else(Vec::new, |facts| sizes::shares(backup, facts)),
            newest_checkpoint: facts.and_then(|facts| newest_checkpoint(backup, &facts.vm)),
        }
    }

    /// One sentence to compare with the intention:
    /// `3 of 5 disks, 2 incremental from cp-monday; excluded: vdc (not listed), hdc (no media)`
    #[must_use]
    pub fn summary(&self) -> String {
        let included: Vec<_> = self.rows.iter().filter_map(|row| row.decision.included()).collect();
        let plural = if self.rows.len() == 1 { "" } else { "s" };
        let mut parts = vec![format!("{} of {} disk{plural}", included.len(), self.rows.len())];
        let mut bases: Vec<(&str, usize)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for since in included.iter().filter_map(|included| included.since.as_ref()) {
            let place = *places.entry(&since.value).or_insert_with(|| {
                bases.push((&since.value, 0));
                bases.len() - 1
            });
            if let Some((_, count)) = bases.get_mut(place) {
                *count += 1;
            }
        }
        for (base, count) in bases {
            parts.push(format!("{count} incremental from {base}"));
        }
        let full = included.iter().filter(|included| included.since.is_none()).count();
        if full > 0 {
            parts.push(format!("{full} full"));
        }
        let mut sentence = parts.join(", ");
        let excluded = self.rows.iter().filter_map(|row| match row.decision {
            Decision::Excluded(reason) => Some(format!("{} ({})", row.disk, reason.as_str())),
            Decision::Included(_) => None,
        });
        let excluded: Vec<_> = excluded.collect();
        if !excluded.is_empty() {
            sentence += "; excluded: ";
            sentence += &excluded.join(", ");
        }
        sentence
    }
}

/// Why one would hardly expect a disk in a backup.
fn note(disk: &DomainDisk) -> Option<&'static str> {
    match disk.device {
        "cdrom" => Some("CD-ROM"),
        "floppy" => Some("floppy"),
        _ => disk.read_only.then_some("read-only"),
    }
}

/// The newest checkpoint that covers every disk that takes part.
fn newest_checkpoint(backup: &Backup, vm: &Vm) -> Option<String> {
    let covers = |existing: &&Existing| {
        let mut disks = backup.disks.iter().filter(|disk| disk.included);
        disks.all(|disk| existing.is_usable_for(&disk.name.value))
    };
    vm.checkpoints.as_ref()?.iter().rev().find(covers).map(|existing| existing.name.clone())
}

impl Decision {
    /// How the disk is backed up, if it is.
    #[must_use]
    pub fn included(&self) -> Option<&IncludedDisk> {
        match self {
            Self::Included(included) => Some(included),
            Self::Excluded(_) => None,
        }
    }
}
