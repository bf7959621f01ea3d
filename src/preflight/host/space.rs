//! Whether the data will fit, destinations on one file system added up.

use crate::backup::{Disk, StorageType};
use crate::diagnostic::Diagnostic;
use crate::host::sizes::{self, Share, bytes};
use crate::preflight::destination::place_of_path;
use crate::rules::Rule;

use super::{Host, warning};

const FULL: &str = "No space left on device";

pub(super) fn check(host: &Host<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    // A backup that does not start writes nothing.
    if diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    for disk in host.context.included_disks().filter(|disk| disk.storage_type.value == StorageType::Block) {
        diagnostics.extend(check_device(host, disk));
    }
    let shares = sizes::shares(host.context.backup, host.facts);
    diagnostics.extend(shares.iter().filter_map(|share| check_share(host, share)));
}

fn check_share(host: &Host<'_, '_>, share: &Share) -> Option<Diagnostic> {
    let (estimate, free) = (share.estimate, share.free);
    if estimate <= free {
        return None;
    }
    let mut disks = host.context.included_disks().filter(|disk| share.disks.contains(&disk.name.value));
    let first = disks.next()?;
    let mount = if share.mount.is_empty() { String::new() } else { format!(" at {}", share.mount) };
    let message =
        format!("the backup will write about {}, and the file system{mount} has {} free", bytes(estimate), bytes(free));
    let diagnostic = host
        .about(Rule::NotEnoughSpace, first, message)
        .help("free some space, or write paths on another file system: the job starts, and fails when the file system is full")
        .libvirt(FULL);
    let place = |disk| place_of_path(host.context, disk);
    Some(warning(disks.fold(diagnostic, |diagnostic, disk| diagnostic.label(place(disk), "on the same file system"))))
}

fn check_device(host: &Host<'_, '_>, disk: &Disk) -> Option<Diagnostic> {
    let sizes = sizes::of(host.context.backup, disk, host.facts);
    let (estimate, size) = (sizes.estimate?, sizes.free.filter(|size| *size > 0)?);
    if estimate <= size {
        return None;
    }
    let message = format!("the backup will write about {}, and the device has {}", bytes(estimate), bytes(size));
    Some(warning(
        host.about(Rule::NotEnoughSpace, disk, message)
            .help("write the path of a larger device: the job starts, and fails when the device is full")
            .libvirt(FULL),
    ))
}
