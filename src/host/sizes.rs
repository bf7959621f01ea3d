//! How much a backup will write, and where there is room for it.

use std::collections::BTreeMap;

use crate::backup::{Backup, BackupMode, Disk, Mode, StorageFormat, StorageType};
use crate::checkpoint::Bitmap;

use super::files::{FileSystem, Files, Kind};
use super::{Facts, Vm};

/// What the header and the tables of a small qcow2 image take.
const TABLES_BYTES: u64 = 320 << 10;

/// Sizes of one disk's backup, in bytes; `None` where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// What the guest sees.
    pub capacity: Option<u64>,
    /// What the disk's images take on the host.
    pub allocation: Option<u64>,
    /// What the backup will write. How much a pull writes depends on the guest: at most the capacity.
    pub estimate: Option<u64>,
    /// What can still be written at the destination.
    pub free: Option<u64>,
    /// The checkpoints that cover the disk, the oldest first.
    pub checkpoints: Vec<String>,
}

/// The backups that go to one file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Where the file system is mounted, if that is known.
    pub mount: String,
    /// The targets of the disks.
    pub disks: Vec<String>,
    /// What their backups will write, in bytes.
    pub estimate: u64,
    /// What can still be written, in bytes.
    pub free: u64,
}

/// The sizes of a disk that takes part.
#[must_use]
pub fn of(backup: &Backup, disk: &Disk, facts: &Facts) -> Sizes {
    let target = &*disk.name.value;
    let known = facts.vm.disks.get(target);
    Sizes {
        capacity: known.map(|sizes| sizes.capacity),
        allocation: known.map(|sizes| sizes.allocation),
        estimate: estimate(backup, disk, &facts.vm),
        free: facts.files.as_ref().and_then(|files| free(disk, files)),
        checkpoints: facts.vm.checkpoints_of(target).map(str::to_owned).collect(),
    }
}

fn estimate(backup: &Backup, disk: &Disk, vm: &Vm) -> Option<u64> {
    let target = &*disk.name.value;
    let is_incremental = disk.backupmode.as_ref().is_some_and(|mode| mode.value == BackupMode::Incremental);
    let is_raw = disk.format.as_ref().is_some_and(|format| format.value == StorageFormat::Raw);
    let tables = if is_raw { 0 } else { TABLES_BYTES };
    match backup.mode {
        Mode::Pull => None,
        Mode::Push if is_incremental => match vm.bitmap(&disk.incremental.as_ref()?.value, target)? {
            Bitmap::Found(bytes) => Some(bytes.saturating_add(tables)),
            Bitmap::Listed | Bitmap::Lost => None,
        },
        // QEMU writes zeros to a new raw file too.
        Mode::Push if is_raw => vm.disks.get(target).map(|sizes| sizes.capacity),
        Mode::Push => vm.disks.get(target).map(|sizes| sizes.allocation.min(sizes.capacity).saturating_add(tables)),
    }
}

fn free(disk: &Disk, files: &Files) -> Option<u64> {
    let place = files.paths.get(&*disk.path()?.value)?;
    match disk.storage_type.value {
        StorageType::Block => place.node()?.size,
        StorageType::File => Some(files.file_system(place)?.free),
    }
}

/// The file systems that a backup goes to, and what it will write to each.
#[must_use]
pub fn shares(backup: &Backup, facts: &Facts) -> Vec<Share> {
    let mut shares: BTreeMap<u64, Share> = BTreeMap::new();
    let files = facts.files.as_ref();
    for disk in backup.disks.iter().filter(|disk| disk.included && disk.storage_type.value == StorageType::File) {
        let found = files.and_then(|files| {
            let place = files.paths.get(&*disk.path()?.value)?;
            // A file that is reused takes what it will not take again.
            let reused = place.node().filter(|node| node.kind == Kind::File).map_or(0, |node| node.allocated);
            Some((files.file_system(place)?, estimate(backup, disk, &facts.vm)?.saturating_sub(reused)))
        });
        let Some((FileSystem { device, mount, free, .. }, bytes)) = found else { continue };
        let new = || Share { mount: mount.clone(), disks: Vec::new(), estimate: 0, free: *free };
        let share = shares.entry(*device).or_insert_with(new);
        share.disks.push(disk.name.value.clone());
        share.estimate = share.estimate.saturating_add(bytes);
    }
    shares.into_values().collect()
}

/// A size for people: `1.5 GiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} bytes");
    }
    // Exact enough for one digit behind the point.
    #[allow(clippy::cast_precision_loss)]
    let mut value = count as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        assert_eq!(bytes(1000), "1000 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }
}
