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

use crate::backup::{self, Address, Backup, BackupMode, Disk, Mode, Spanned, Text};
use crate::format::format;

pub use crate::backup::StorageFormat;
pub use checkpoint::{NewCheckpoint, NewCheckpointName};
pub use destination::{Cipher, Destination, Encryption, Ivgen, Label, Secret};
pub use text::{Checkpoint, DiskName, Host, Invalid, Path, SocketPath, Uuid, Word};

/// A push mode backup: the hypervisor writes to a target for each disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Push(Backup);

impl Default for Push {
    fn default() -> Self {
        Self(Backup::new(Mode::Push))
    }
}

impl Push {
    /// A full backup of every eligible disk of the domain, to files that libvirt names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists an included disk. Once a disk is listed, the domain's unlisted disks are excluded. A disk may be listed
    /// once.
    #[must_use]
    pub fn disk(mut self, disk: PushDisk) -> Self {
        self.0.disks.push(disk.0);
        self
    }
}

/// A pull mode backup: a client reads the disks over NBD.
#[derive(Clone, Debug, PartialEq)]
pub struct Pull(Backup);

impl Pull {
    /// A full backup of every eligible disk of the domain, with scratch files that libvirt names.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self(Backup { server: Some(server.0), ..Backup::new(Mode::Pull) })
    }

    /// Lists an included disk. Once a disk is listed, the domain's unlisted disks are excluded. A disk may be listed
    /// once.
    #[must_use]
    pub fn disk(mut self, disk: PullDisk) -> Self {
        self.0.disks.push(disk.0);
        self
    }
}

/// What backups of both modes have.
macro_rules! backup {
    ($type:ident) => {
        impl $type {
            /// Makes the backup incremental since a checkpoint, for disks without an extent of their own.
            #[must_use]
            pub fn incremental(mut self, checkpoint: Checkpoint) -> Self {
                self.0.incremental = Some(checkpoint.into());
                self
            }

            /// Lists an excluded disk.
            #[must_use]
            pub fn exclude(mut self, name: DiskName) -> Self {
                self.0.disks.push(Disk { included: false, ..Disk::new(name.into(), Spanned::default()) });
                self
            }

            /// The model of the backup, to align it with a domain.
            #[must_use]
            pub fn backup(&self) -> Backup {
                self.0.clone()
            }
        }

        impl From<$type> for Backup {
            fn from(built: $type) -> Self {
                built.0
            }
        }

        /// As libvirt prints it and `virDomainBackupBegin` accepts it.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&format(&self.0))
            }
        }
    };
}

backup!(Push);
backup!(Pull);

/// The NBD server of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Server(backup::Server);

impl Server {
    fn at(address: Address) -> Self {
        Self(backup::Server { address, tls: None, tag: Spanned::default() })
    }

    /// A host and a port. Port 0 lets libvirt choose, from 12.8.0 on.
    #[must_use]
    pub fn tcp(host: Host, port: u16) -> Self {
        Self::at(Address::Tcp { name: host.into(), port })
    }

    /// A Unix domain socket.
    #[must_use]
    pub fn unix(socket: SocketPath) -> Self {
        Self::at(Address::Unix { socket: socket.into() })
    }

    /// File descriptors passed to libvirt under a name, from libvirt 11.3.0 on.
    #[must_use]
    pub fn fd(group: Word) -> Self {
        Self::at(Address::Fd { group: group.into() })
    }

    /// Whether TLS is used; by default as the host's configuration says.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.0.tls = Some(tls);
        self
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

/// An included disk of a push mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct PushDisk(Disk);

impl PushDisk {
    /// A disk that is written to a file named by libvirt after the disk's image.
    #[must_use]
    pub fn new(name: DiskName) -> Self {
        Self(Disk::new(name.into(), Spanned::default()))
    }

    /// How much is backed up; by default as the backup says.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        set_extent(&mut self.0, extent);
        self
    }

    /// The destination.
    #[must_use]
    pub fn target(mut self, target: Destination) -> Self {
        target.set(&mut self.0);
        self
    }

    /// The format of the destination; by default that of the disk's image.
    #[must_use]
    pub fn format(mut self, format: StorageFormat) -> Self {
        self.0.format = Some(Spanned::implied(format));
        self
    }
}

/// An included disk of a pull mode backup.
#[derive(Clone, Debug, PartialEq)]
pub struct PullDisk(Disk);

impl PullDisk {
    /// A disk with a scratch file named by libvirt after the disk's image.
    #[must_use]
    pub fn new(name: DiskName) -> Self {
        Self(Disk::new(name.into(), Spanned::default()))
    }

    /// How much is offered; by default as the backup says.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        set_extent(&mut self.0, extent);
        self
    }

    /// The destination of blocks that the guest overwrites, in qcow2 format.
    #[must_use]
    pub fn scratch(mut self, scratch: Destination) -> Self {
        scratch.set(&mut self.0);
        self
    }

    /// The name of the NBD export; by default that of the disk.
    #[must_use]
    pub fn export_name(mut self, name: Word) -> Self {
        self.0.exportname = Some(name.into());
        self
    }

    /// The name of the dirty bitmap in the NBD export.
    #[must_use]
    pub fn export_bitmap(mut self, name: Word) -> Self {
        self.0.exportbitmap = Some(name.into());
        self
    }
}

fn set_extent(disk: &mut Disk, extent: Extent) {
    let (mode, checkpoint) = match extent {
        Extent::Full => (BackupMode::Full, None),
        Extent::Since(checkpoint) => (BackupMode::Incremental, Some(Text::from(checkpoint))),
    };
    disk.backupmode = Some(Spanned::implied(mode));
    disk.incremental = checkpoint;
}
