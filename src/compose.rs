//! Writes the documents of a backup for a domain: which disks are included, in full or since a checkpoint, where each
//! of them goes, and the checkpoint that is created with the backup.
//!
//! ```
//! use backupxml::compose::{Mode, Request, compose};
//! use backupxml::build::{Checkpoint, NewCheckpointName, Path};
//! use backupxml::{Domain, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let domain = Domain::parse(
//!     "<domain><devices>
//!        <disk><driver type='qcow2'/><source file='/images/vm.qcow2'/><target dev='vda' bus='virtio'/></disk>
//!        <disk device='cdrom'><target dev='sda' bus='sata'/></disk>
//!      </devices></domain>",
//! ).map_err(|_| "not a domain")?;
//! let request = Request {
//!     incremental: Some(Checkpoint::new("monday")?),
//!     checkpoint: Some(NewCheckpointName::new("tuesday")?),
//!     ..Request::new(Mode::Push, Path::new("/backup")?)
//! };
//! let options = Options { suffix: "tuesday".to_owned(), ..Options::default() };
//! let documents = compose(&domain, &request, &options)?;
//! assert_eq!(
//!     documents.backup,
//!     "<domainbackup mode='push'>
//!   <incremental>monday</incremental>
//!   <disks>
//!     <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='monday'>
//!       <driver type='qcow2'/>
//!       <target file='/backup/vda-tuesday.qcow2'/>
//!     </disk>
//!     <disk name='sda' backup='no'/>
//!   </disks>
//! </domainbackup>
//! "
//! );
//! assert!(documents.checkpoint.is_some_and(|text| text.contains("<disk name='vda' checkpoint='bitmap'/>")));
//! assert_eq!(documents.notes[0].message, "`sda` has no media: excluded");
//! # Ok(())
//! # }
//! ```

use std::collections::HashSet;
use std::fmt;

use crate::backup::StorageFormat;
use crate::build::{
    Checkpoint, Destination, DiskName, Extent, Invalid, NewCheckpoint, NewCheckpointName, Path, Pull, PullDisk, Push,
    PushDisk, Server,
};
use crate::checkpoint::Existing;
use crate::diagnostic::Span;
use crate::domain::{Domain, DomainDisk, Source};
use crate::options::Options;
use crate::preflight;
use crate::release::Release;
use crate::schema::is_nvme_name;
use crate::wording::{MAX_DISKS_LISTED, closest_match, code};

/// Who moves the data.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// The hypervisor writes the files.
    Push,
    /// A client reads from this server; the files keep what the guest overwrites meanwhile.
    Pull(Server),
}

/// The backup that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who moves the data.
    pub mode: Mode,
    /// The directory of the files: `DIRECTORY/DISK-SUFFIX.qcow2`.
    pub directory: Path,
    /// The checkpoint that disks start from, where it covers them.
    pub incremental: Option<Checkpoint>,
    /// The checkpoint that is created with the backup.
    pub checkpoint: Option<NewCheckpointName>,
    /// The disks to back up, by their targets; none for every writable disk that can be.
    pub disks: Vec<String>,
    /// Disks that are not backed up.
    pub exclude: Vec<String>,
}

impl Request {
    /// A full backup of every disk, without a checkpoint.
    #[must_use]
    pub fn new(mode: Mode, directory: Path) -> Self {
        Self { mode, directory, incremental: None, checkpoint: None, disks: Vec::new(), exclude: Vec::new() }
    }
}

/// What [`compose()`] writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// The backup.
    pub backup: String,
    /// The checkpoint, if one was asked for.
    pub checkpoint: Option<String>,
    /// What was decided about disks without being asked for, in the domain's order.
    pub notes: Vec<Note>,
}

/// Why a disk is excluded, backed up in full or not in the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The disk's start tag in the domain's document.
    pub disk: Span,
    /// What is decided, and why; no full stop.
    pub message: String,
}

/// Why nothing can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, one message for each mistake; no full stops.
    pub messages: Vec<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages.join("; "))
    }
}

impl std::error::Error for Refusal {}

/// Writes the documents for a domain. Names end in the suffix of `options`, and coverage is looked up in its existing
/// checkpoints.
///
/// The backup is in libvirt's form, but not validated: [`crate::check`] reports what else libvirt would refuse, such as
/// a name that exists.
///
/// # Errors
///
/// Fails when a disk that was asked for is not the domain's or cannot be backed up, and when nothing is left to back up
/// or to cover.
pub fn compose(domain: &Domain, request: &Request, options: &Options) -> Result<Documents, Refusal> {
    let mut seen = HashSet::new();
    // libvirt takes the first of several disks with one target.
    let disks: Vec<_> = domain.disks.iter().filter(|disk| seen.insert(&*disk.target)).collect();
    let mut messages = wrong_names(&disks, request);
    let mut notes = Vec::new();
    let mut lines = Vec::new();
    for disk in disks {
        match decide(disk, domain, request, options) {
            Ok(decision) => {
                notes.extend(note(disk, &decision));
                lines.push(Line { disk, decision });
            }
            Err(message) => messages.push(message),
        }
    }
    let mut included = lines.iter().filter_map(|line| line.decision.included());
    if messages.is_empty() && !lines.iter().any(|line| line.decision.included().is_some()) {
        messages.push("no disk is left to back up".to_owned());
    } else if messages.is_empty() && request.checkpoint.is_some() && !included.any(Included::has_bitmap) {
        messages.push("no disk of this backup can be in a checkpoint: only writable qcow2 images hold bitmaps".into());
    }
    if !messages.is_empty() {
        messages.extend(notes.into_iter().map(|note| note.message));
        return Err(Refusal { messages });
    }
    let write = || -> Result<_, Invalid> { Ok((backup(&lines, request, options)?, checkpoint(&lines, request)?)) };
    match write() {
        Ok((backup, checkpoint)) => Ok(Documents { backup, checkpoint, notes }),
        Err(error) => Err(Refusal { messages: vec![error.to_string()] }),
    }
}

/// The checkpoint that an incremental backup is best based on: of the existing ones, the oldest first in `options`, the
/// newest of those that cover the most disks of the backup. There is none where no disk is covered.
#[must_use]
pub fn newest_base(domain: &Domain, request: &Request, options: &Options) -> Option<Checkpoint> {
    let is_included = |disk: &&DomainDisk| {
        let decision = decide(disk, domain, request, options);
        no_bitmap(disk).is_none() && decision.is_ok_and(|decision| decision.included().is_some())
    };
    let included: Vec<_> = domain.disks.iter().filter(is_included).map(|disk| &*disk.target).collect();
    let covered = |existing: &Existing| included.iter().filter(|target| covers(existing, target)).count();
    // Of several that are equal, this is the last.
    let best = options.existing.as_deref()?.iter().max_by_key(|existing| covered(existing))?;
    Checkpoint::new(&*best.name).ok().filter(|_| covered(best) > 0)
}

/// A disk of the domain, and what is decided about it.
struct Line<'d> {
    disk: &'d DomainDisk,
    decision: Decision,
}

enum Decision {
    Included(Included),
    /// With the reason, unless that was asked for.
    Excluded(Option<String>),
    /// No backup document can name it: it is excluded by not being listed.
    Unlisted(String),
}

impl Decision {
    fn included(&self) -> Option<&Included> {
        match self {
            Self::Included(included) => Some(included),
            Self::Excluded(_) | Self::Unlisted(_) => None,
        }
    }
}

struct Included {
    /// Why it is backed up in full, where an incremental backup was asked for.
    full: Option<String>,
    /// Why it is not in the checkpoint, where one was asked for.
    uncovered: Option<String>,
}

impl Included {
    fn has_bitmap(&self) -> bool {
        self.uncovered.is_none()
    }
}

fn decide(disk: &DomainDisk, domain: &Domain, request: &Request, options: &Options) -> Result<Decision, String> {
    let target = &*disk.target;
    let is_asked_for = |names: &[String]| names.iter().any(|name| name == target);
    let is_chosen = is_asked_for(&request.disks);
    if !can_be_named(target, options.release) {
        let reason = format!("{} is not a name that libvirt {} accepts", code(target), options.release);
        return if is_chosen { Err(reason) } else { Ok(Decision::Unlisted(reason)) };
    }
    if is_asked_for(&request.exclude) || (!request.disks.is_empty() && !is_chosen) {
        return Ok(Decision::Excluded(None));
    }
    if let Some(reason) = obstacle(disk, domain) {
        return if is_chosen { Err(reason) } else { Ok(Decision::Excluded(Some(reason))) };
    }
    if disk.read_only && !is_chosen {
        return Ok(Decision::Excluded(Some(format!("`{target}` is read-only"))));
    }
    let no_bitmap = no_bitmap(disk);
    let not_covered = |base: &Checkpoint| {
        no_bitmap.clone().or_else(|| {
            let found = options.existing.as_deref()?.iter().find(|existing| existing.name == base.as_str())?;
            (!covers(found, target)).then(|| format!("`{target}` has no bitmap of the checkpoint `{}`", base.as_str()))
        })
    };
    Ok(Decision::Included(Included {
        full: request.incremental.as_ref().and_then(not_covered),
        uncovered: request.checkpoint.as_ref().and(no_bitmap.clone()),
    }))
}

fn can_be_named(target: &str, release: Release) -> bool {
    DiskName::new(target).is_ok() && (release >= Release::V12_8_0 || !is_nvme_name(target))
}

fn covers(existing: &Existing, target: &str) -> bool {
    existing.disks.is_none() || existing.is_usable_for(target)
}

/// Why no backup can include a disk.
fn obstacle(disk: &DomainDisk, domain: &Domain) -> Option<String> {
    let target = &disk.target;
    if disk.source == Source::Empty {
        return Some(format!("`{target}` has no media"));
    }
    if let Some(unsupported) = preflight::unsupported(disk, Span::default()) {
        return Some(unsupported.message);
    }
    let shares = |other: &&DomainDisk| {
        other.target != *target && other.shareable && !other.read_only && other.source == disk.source
    };
    let other = domain.disks.iter().filter(|_| disk.source.path().is_some()).find(shares)?;
    Some(format!("the image of `{target}` is that of `{}` too, which can write to it", other.target))
}

/// Why no checkpoint can cover a disk.
fn no_bitmap(disk: &DomainDisk) -> Option<String> {
    let target = &disk.target;
    if preflight::can_cover(disk) {
        return None;
    }
    Some(if disk.read_only {
        format!("`{target}` is read-only and has no bitmaps")
    } else {
        let format = disk.format.unwrap_or(StorageFormat::Raw);
        format!("`{target}` is of format {}, which holds no bitmaps", format.name())
    })
}

/// Names of disks that the domain does not have, and disks that are both chosen and excluded.
fn wrong_names(disks: &[&DomainDisk], request: &Request) -> Vec<String> {
    let targets = || disks.iter().map(|disk| &*disk.target);
    let is_known = |name: &&String| targets().any(|target| target == **name);
    let unknown = request.disks.iter().chain(&request.exclude).filter(|name| !is_known(name));
    let mut listed: Vec<_> = targets().take(MAX_DISKS_LISTED).collect();
    if disks.len() > MAX_DISKS_LISTED {
        listed.push("…");
    }
    let listed = if listed.is_empty() { "no disks".to_owned() } else { listed.join(", ") };
    let unknown = unknown.map(|name| {
        let suggestion =
            closest_match(name, targets()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        format!("the domain has no disk {}: {suggestion}the domain has {listed}", code(name))
    });
    let both = request.disks.iter().filter(|name| request.exclude.contains(name));
    unknown.chain(both.map(|name| format!("{} is both chosen and excluded", code(name)))).collect()
}

fn note(disk: &DomainDisk, decision: &Decision) -> Option<Note> {
    let message = match decision {
        Decision::Excluded(reason) => format!("{}: excluded", reason.as_ref()?),
        Decision::Unlisted(reason) => format!("{reason}: excluded by not being listed"),
        Decision::Included(Included { full: Some(reason), uncovered: Some(_) }) => {
            format!("{reason}: backed up in full, and not in the checkpoint")
        }
        Decision::Included(Included { full: Some(reason), uncovered: None }) => format!("{reason}: backed up in full"),
        Decision::Included(Included { full: None, uncovered: Some(reason) }) => {
            format!("{reason}: not in the checkpoint")
        }
        Decision::Included(Included { full: None, uncovered: None }) => return None,
    };
    Some(Note { disk: disk.tag, message })
}

fn backup(lines: &[Line<'_>], request: &Request, options: &Options) -> Result<String, Invalid> {
    let disks = listed_disks(lines, request, options)?;
    // Named only where a disk starts from it: libvirt would not look it up otherwise.
    let is_used = disks.iter().any(|(_, included)| matches!(included, Some((Extent::Since(_), _))));
    let base = request.incremental.clone().filter(|_| is_used);
    match &request.mode {
        Mode::Push => {
            let push = base.into_iter().fold(Push::new(), Push::incremental);
            let push = disks.into_iter().fold(push, |push, (name, included)| match included {
                None => push.exclude(name),
                Some((extent, target)) => {
                    push.disk(PushDisk::new(name).extent(extent).target(target).format(StorageFormat::Qcow2))
                }
            });
            Ok(push.to_string())
        }
        Mode::Pull(server) => {
            let pull = base.into_iter().fold(Pull::new(server.clone()), Pull::incremental);
            let pull = disks.into_iter().fold(pull, |pull, (name, included)| match included {
                None => pull.exclude(name),
                Some((extent, scratch)) => pull.disk(PullDisk::new(name).extent(extent).scratch(scratch)),
            });
            Ok(pull.to_string())
        }
    }
}

/// A disk of the backup; with how much of it is backed up and where to, unless it is excluded.
type ListedDisk = (DiskName, Option<(Extent, Destination)>);

/// The disks that the backup lists.
fn listed_disks(lines: &[Line<'_>], request: &Request, options: &Options) -> Result<Vec<ListedDisk>, Invalid> {
    let directory = request.directory.as_str().trim_end_matches('/');
    let mut disks = Vec::new();
    for Line { disk, decision } in lines {
        let included = match decision {
            Decision::Unlisted(_) => continue,
            Decision::Excluded(_) => None,
            Decision::Included(included) => {
                let extent = match &request.incremental {
                    Some(base) if included.full.is_none() => Extent::Since(base.clone()),
                    _ => Extent::Full,
                };
                let path = Path::new(format!("{directory}/{}-{}.qcow2", disk.target, options.suffix))?;
                Some((extent, Destination::file(path)))
            }
        };
        disks.push((DiskName::new(&*disk.target)?, included));
    }
    Ok(disks)
}

/// Covers the disks that are backed up, as far as they can be; of any other, the changes until now would be in no backup.
fn checkpoint(lines: &[Line<'_>], request: &Request) -> Result<Option<String>, Invalid> {
    let Some(name) = &request.checkpoint else { return Ok(None) };
    let mut checkpoint = NewCheckpoint::new(name.clone());
    for Line { disk, decision } in lines {
        let name = DiskName::new(&*disk.target);
        checkpoint = match decision {
            Decision::Unlisted(_) => checkpoint,
            Decision::Included(included) if included.has_bitmap() => checkpoint.with_bitmap(name?),
            Decision::Included(_) | Decision::Excluded(_) => checkpoint.without_bitmap(name?),
        };
    }
    Ok(Some(checkpoint.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::checkpoint::read_existing;

    /// The best base of a backup of `vda`, `vdb` (both qcow2) and `vdc` (raw), by the disks that `cp0`, `cp1` … cover.
    fn base(covered: &[&[&str]], exclude: &[&str]) -> Option<String> {
        let disk = |target: &str, format: &str| {
            format!("<disk><driver type='{format}'/><source file='/{target}'/><target dev='{target}'/></disk>")
        };
        let disks = [disk("vda", "qcow2"), disk("vdb", "qcow2"), disk("vdc", "raw")].concat();
        let domain = Domain::parse(&format!("<domain><devices>{disks}</devices></domain>")).unwrap();
        let existing = covered.iter().zip(0..).map(|(targets, number)| {
            let disks: Vec<_> =
                targets.iter().map(|target| format!("<disk name='{target}' checkpoint='bitmap'/>")).collect();
            let disks = disks.concat();
            format!("<domaincheckpoint><name>cp{number}</name><disks>{disks}</disks></domaincheckpoint>")
        });
        let existing = existing.flat_map(|text| read_existing(&text).unwrap()).collect();
        let options = Options { existing: Some(existing), ..Options::default() };
        let exclude = exclude.iter().map(|target| (*target).to_owned()).collect();
        let request = Request { exclude, ..Request::new(Mode::Push, Path::new("/b").unwrap()) };
        newest_base(&domain, &request, &options).map(|base| base.as_str().to_owned())
    }

    #[test]
    fn the_newest_base_covers_the_most_disks_of_the_backup() {
        let base = |covered: &[&[&str]], exclude: &[&str]| base(covered, exclude).unwrap_or_default();
        assert_eq!(base(&[&["vda", "vdb"], &["vda", "vdb"]], &[]), "cp1");
        assert_eq!(base(&[&["vda", "vdb"], &["vdb"]], &[]), "cp0");
        assert_eq!(base(&[&["vda", "vdb"], &["vdb"]], &["vda"]), "cp1");
        // A raw disk has no bitmap, whatever a checkpoint lists.
        assert_eq!(base(&[&["vda"], &["vdc"]], &[]), "cp0");
        assert_eq!(base(&[&["vdc"], &[]], &[]), "");
        assert_eq!(base(&[], &[]), "");
    }
}
