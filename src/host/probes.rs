//! What of this machine has to be looked at for a backup.

use std::collections::BTreeSet;

use crate::backup::{Address, Backup, Disk, StorageFormat, StorageType};
use crate::checkpoint::Checkpoint;
use crate::domain::{Domain, DomainDisk, Source};

use super::Vm;

/// What is to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Destinations.
    pub paths: BTreeSet<String>,
    /// The socket of a server.
    pub socket: Option<String>,
    /// The images that the domain has open.
    pub images: BTreeSet<String>,
    /// Images whose headers matter: destinations that exist, and images that get a bitmap.
    pub headers: BTreeSet<String>,
    /// The name that a server listens on.
    pub host: Option<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Whether a server uses certificates.
    pub certificates: bool,
}

impl Probes {
    /// What matters to an aligned backup.
    #[must_use]
    pub fn new(
        backup: &Backup,
        domain: &Domain,
        vm: &Vm,
        reuse_external: bool,
        checkpoint: Option<&Checkpoint>,
    ) -> Self {
        let mut probes = Self::default();
        for disk in &domain.disks {
            let own = std::iter::once(&disk.source).chain(&disk.other_images).filter_map(Source::path);
            probes.images.extend(own.map(str::to_owned));
        }
        probes.images.extend(vm.volume_paths.values().cloned());
        for disk in backup.disks.iter().filter(|disk| disk.included) {
            let Some(path) = disk.path() else { continue };
            probes.paths.insert(path.value.clone());
            if opens_image(disk, reuse_external) {
                probes.headers.insert(path.value.clone());
            }
        }
        if let Some(checkpoint) = checkpoint {
            let covered = domain.disks.iter().filter(|disk| is_covered(checkpoint, disk));
            probes.headers.extend(covered.filter_map(|disk| disk.source.path()).map(str::to_owned));
        }
        if let Some(server) = &backup.server {
            match &server.address {
                Address::Unix { socket } => probes.socket = Some(socket.value.clone()),
                Address::Tcp { name, port } => {
                    probes.host = Some(name.value.clone());
                    probes.port = Some(*port);
                }
                Address::Fd { .. } => {}
            }
            probes.certificates = server.tls == Some(true);
        }
        probes
    }
}

/// Whether the header of a destination is read when the backup starts.
fn opens_image(disk: &Disk, reuse_external: bool) -> bool {
    let is_raw = disk.format.as_ref().is_some_and(|format| format.value == StorageFormat::Raw);
    reuse_external && !is_raw && matches!(disk.storage_type.value, StorageType::File | StorageType::Block)
}

/// Whether a new checkpoint makes a bitmap in the image of a disk.
fn is_covered(checkpoint: &Checkpoint, disk: &DomainDisk) -> bool {
    let is_coverable = disk.format == Some(StorageFormat::Qcow2) && !disk.read_only;
    is_coverable
        && checkpoint.disks.as_ref().is_none_or(|disks| {
            let is_named = |name: &str| name == &*disk.target || Some(name) == disk.source.path();
            disks.iter().any(|listed| listed.has_bitmap() && is_named(&listed.name.value))
        })
}
