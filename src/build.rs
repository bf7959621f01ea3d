//! Creates backup documents from values. The types rule out what libvirt's schema refuses.
//!
//! Push and pull are separate types: a push mode backup has targets and no server, a pull mode backup has a server and
//! scratches. Names, paths and hosts are validated when they are created. What depends on the domain, such as whether a
//! disk exists, is checked by [`crate::align()`].
//!
//! ```
//! use backupxml::build::{Checkpoint, Destination, DiskName, Host, Invalid, Path, Pull, PullDisk, Push, PushDisk, Server};
//!
//! # fn main() -> Result<(), Invalid> {
//! let push = Push::new()
//!     .incremental(Checkpoint::new("monday")?)
//!     .disk(PushDisk::new(DiskName::new("vda")?).target(Destination::file(Path::new("/backup/vda.qcow2")?)))
//!     .exclude(DiskName::new("vdb")?);
//! assert_eq!(
//!     push.to_string(),
//!     "<domainbackup mode='push'>
//!   <incremental>monday</incremental>
//!   <disks>
//!     <disk name='vda' backup='yes' type='file'>
//!       <target file='/backup/vda.qcow2'/>
//!     </disk>
//!     <disk name='vdb' backup='no'/>
//!   </disks>
//! </domainbackup>
//! "
//! );
//!
//! let pull = Pull::new(Server::tcp(Host::new("localhost")?, 10809))
//!     .disk(PullDisk::new(DiskName::new("vda")?).scratch(Destination::file(Path::new("/var/tmp/vda.scratch")?)));
//! assert!(pull.to_string().contains("<server transport='tcp' name='localhost' port='10809'/>"));
//!
//! assert_eq!(Path::new("vda.qcow2").unwrap_err().to_string(), "'vda.qcow2' is not an absolute path");
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod destination;
mod text;

use std::fmt;

use crate::backup::{Backup, BackupMode, Disk, Mode, PrivateData, Spanned, StorageType, Text, Transport};
use crate::format::format;

pub use crate::backup::StorageFormat;
pub use checkpoint::{NewCheckpoint, NewCheckpointName};
pub use destination::{Cipher, Destination, Encryption, Ivgen, Label, Secret};
pub use text::{Checkpoint, DiskName, Host, Invalid, Path, SocketPath, Uuid, Word};

fn written<T>(value: T) -> Spanned<T> {
    Spanned::implied(value)
}

fn text(value: impl Into<String>) -> Text {
    written(value.into())
}

/// A push mode backup: the hypervisor writes to a target for each disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Push {
    incremental: Option<Checkpoint>,
    disks: Vec<Listed<PushDisk>>,
}

impl Push {
    /// A full backup of every eligible disk of the domain, to files that libvirt names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the backup incremental since a checkpoint, for disks without an extent of their own.
    #[must_use]
    pub fn incremental(mut self, checkpoint: Checkpoint) -> Self {
        self.incremental = Some(checkpoint);
        self
    }

    /// Lists an included disk. Once a disk is listed, the domain's unlisted disks are excluded. A disk may be listed
    /// once.
    #[must_use]
    pub fn disk(mut self, disk: PushDisk) -> Self {
        self.disks.push(Listed::Included(disk));
        self
    }

    /// Lists an excluded disk.
    #[must_use]
    pub fn exclude(mut self, name: DiskName) -> Self {
        self.disks.push(Listed::Excluded(name));
        self
    }

    /// The model of the backup, to align it with a domain.
    #[must_use]
    pub fn backup(&self) -> Backup {
        let disks = self.disks.iter().map(|listed| listed.disk(PushDisk::disk)).collect();
        Backup { disks, ..empty(Mode::Push, self.incremental.as_ref()) }
    }
}

/// As libvirt prints it and `virDomainBackupBegin` accepts it.
impl fmt::Display for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format(&self.backup()))
    }
}

/// A pull mode backup: a client reads the disks over NBD.
#[derive(Clone, Debug, PartialEq)]
pub struct Pull {
    server: Server,
    incremental: Option<Checkpoint>,
    disks: Vec<Listed<PullDisk>>,
}

impl Pull {
    /// A full backup of every eligible disk of the domain, with scratch files that libvirt names.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self { server, incremental: None, disks: Vec::new() }
    }

    /// Makes the backup incremental since a checkpoint, for disks without an extent of their own.
    #[must_use]
    pub fn incremental(mut self, checkpoint: Checkpoint) -> Self {
        self.incremental = Some(checkpoint);
        self
    }

    /// Lists an included disk. Once a disk is listed, the domain's unlisted disks are excluded. A disk may be listed
    /// once.
    #[must_use]
    pub fn disk(mut self, disk: PullDisk) -> Self {
        self.disks.push(Listed::Included(disk));
        self
    }

    /// Lists an excluded disk.
    #[must_use]
    pub fn exclude(mut self, name: DiskName) -> Self {
        self.disks.push(Listed::Excluded(name));
        self
    }

    /// The model of the backup, to align it with a domain.
    #[must_use]
    pub fn backup(&self) -> Backup {
        let disks = self.disks.iter().map(|listed| listed.disk(PullDisk::disk)).collect();
        Backup { server: Some(self.server.server()), disks, ..empty(Mode::Pull, self.incremental.as_ref()) }
    }
}

/// As libvirt prints it and `virDomainBackupBegin` accepts it.
impl fmt::Display for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format(&self.backup()))
    }
}

fn empty(mode: Mode, incremental: Option<&Checkpoint>) -> Backup {
    Backup {
        mode,
        incremental: incremental.map(|checkpoint| text(checkpoint.as_str())),
        server: None,
        disks: Vec::new(),
        empty_disk_entries: 0,
        private_data: PrivateData::default(),
        tag: written(()),
        disks_tag: Spanned::default(),
    }
}

/// The NBD server of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    address: Address,
    tls: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
enum Address {
    Tcp(Host, u16),
    Unix(SocketPath),
    Fd(Word),
}

impl Server {
    /// A host and a port. Port 0 lets libvirt choose, from 12.8.0 on.
    #[must_use]
    pub fn tcp(host: Host, port: u16) -> Self {
        Self { address: Address::Tcp(host, port), tls: None }
    }

    /// A Unix domain socket.
    #[must_use]
    pub fn unix(socket: SocketPath) -> Self {
        Self { address: Address::Unix(socket), tls: None }
    }

    /// File descriptors passed to libvirt under a name, from libvirt 11.3.0 on.
    #[must_use]
    pub fn fd(group: Word) -> Self {
        Self { address: Address::Fd(group), tls: None }
    }

    /// Whether TLS is used; by default as the host's configuration says.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = Some(tls);
        self
    }

    fn server(&self) -> crate::backup::Server {
        let mut server = crate::backup::Server {
            transport: Transport::Tcp,
            tls: self.tls,
            name: None,
            port: 0,
            socket: None,
            fdgroup: None,
            tag: written(()),
        };
        match &self.address {
            Address::Tcp(host, port) => {
                server.name = Some(text(host.as_str()));
                server.port = *port;
            }
            Address::Unix(socket) => {
                server.transport = Transport::Unix;
                server.socket = Some(text(socket.as_str()));
            }
            Address::Fd(group) => {
                server.transport = Transport::Fd;
                server.fdgroup = Some(text(group.as_str()));
            }
        }
        server
    }
}

/// How much of a disk is backed up.
#[derive(Clone, Debug, PartialEq)]
pub enum Extent {
    /// The whole disk, even if the backup is incremental.
    Full,
    /// The blocks that changed since a checkpoint.
    Since(Checkpoint),
}

/// An included or an excluded disk.
#[derive(Clone, Debug, PartialEq)]
enum Listed<D> {
    Included(D),
    Excluded(DiskName),
}

impl<D> Listed<D> {
    fn disk(&self, included: impl FnOnce(&D) -> Disk) -> Disk {
        match self {
            Self::Included(disk) => included(disk),
            Self::Excluded(name) => Disk { included: false, ..plain(name, None, None) },
        }
    }
}

/// An included disk of a push mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct PushDisk {
    name: DiskName,
    extent: Option<Extent>,
    target: Option<Destination>,
    format: Option<StorageFormat>,
}

impl PushDisk {
    /// A disk that is written to a file named by libvirt after the disk's image.
    #[must_use]
    pub fn new(name: DiskName) -> Self {
        Self { name, extent: None, target: None, format: None }
    }

    /// How much is backed up; by default as the backup says.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = Some(extent);
        self
    }

    /// The destination.
    #[must_use]
    pub fn target(mut self, target: Destination) -> Self {
        self.target = Some(target);
        self
    }

    /// The format of the destination; by default that of the disk's image.
    #[must_use]
    pub fn format(mut self, format: StorageFormat) -> Self {
        self.format = Some(format);
        self
    }

    fn disk(&self) -> Disk {
        Disk { format: self.format.map(written), ..plain(&self.name, self.extent.as_ref(), self.target.as_ref()) }
    }
}

/// An included disk of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct PullDisk {
    name: DiskName,
    extent: Option<Extent>,
    scratch: Option<Destination>,
    export_name: Option<Word>,
    export_bitmap: Option<Word>,
}

impl PullDisk {
    /// A disk with a scratch file named by libvirt after the disk's image.
    #[must_use]
    pub fn new(name: DiskName) -> Self {
        Self { name, extent: None, scratch: None, export_name: None, export_bitmap: None }
    }

    /// How much is offered; by default as the backup says.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = Some(extent);
        self
    }

    /// The destination of blocks that the guest overwrites, in qcow2 format.
    #[must_use]
    pub fn scratch(mut self, scratch: Destination) -> Self {
        self.scratch = Some(scratch);
        self
    }

    /// The name of the NBD export; by default that of the disk.
    #[must_use]
    pub fn export_name(mut self, name: Word) -> Self {
        self.export_name = Some(name);
        self
    }

    /// The name of the dirty bitmap in the NBD export.
    #[must_use]
    pub fn export_bitmap(mut self, name: Word) -> Self {
        self.export_bitmap = Some(name);
        self
    }

    fn disk(&self) -> Disk {
        Disk {
            exportname: self.export_name.as_ref().map(|name| text(name.as_str())),
            exportbitmap: self.export_bitmap.as_ref().map(|name| text(name.as_str())),
            ..plain(&self.name, self.extent.as_ref(), self.scratch.as_ref())
        }
    }
}

/// The common part of disks of both modes.
fn plain(name: &DiskName, extent: Option<&Extent>, destination: Option<&Destination>) -> Disk {
    let (backupmode, incremental) = match extent {
        None => (None, None),
        Some(Extent::Full) => (Some(BackupMode::Full), None),
        Some(Extent::Since(checkpoint)) => (Some(BackupMode::Incremental), Some(text(checkpoint.as_str()))),
    };
    let storage_type = destination.map_or(StorageType::File, Destination::storage_type);
    Disk {
        storage_type: written(storage_type),
        backupmode: backupmode.map(written),
        incremental,
        destination: destination.map(|destination| Box::new(destination.destination())),
        ..Disk::new(text(name.as_str()), Spanned::default())
    }
}
