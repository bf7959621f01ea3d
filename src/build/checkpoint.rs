//! The checkpoint document that is passed to libvirt together with a backup.

use std::fmt;

use crate::checkpoint::is_name;

use super::text::{DiskName, Invalid, conversions};
use crate::format::format_new_checkpoint;

/// Maximum length in bytes that libvirt can save: it writes `NAME.xml.new` first, and Linux allows 255.
const MAX_NAME: usize = 247;

/// The name of a checkpoint that is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewCheckpointName(String);

impl NewCheckpointName {
    /// Accepts 1 to 247 letters, digits, `_`, `-` and dots; the first is not a dot.
    ///
    /// # Errors
    ///
    /// Returns an error for any other text.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if is_name(&text) && text.len() <= MAX_NAME {
            Ok(Self(text))
        } else {
            Err(Invalid::new(
                &text,
                "the name of a new checkpoint: 1 to 247 letters, digits, _, - and dots, no dot first",
            ))
        }
    }
}

conversions!(NewCheckpointName);

/// A checkpoint that is created when a backup starts, as the base of later incremental backups.
///
/// ```
/// use backupxml::build::{DiskName, Invalid, NewCheckpoint, NewCheckpointName};
///
/// # fn main() -> Result<(), Invalid> {
/// let checkpoint = NewCheckpoint::new(NewCheckpointName::new("tuesday")?)
///     .with_bitmap(DiskName::new("vda")?)
///     .without_bitmap(DiskName::new("vdb")?);
/// assert_eq!(
///     checkpoint.to_string(),
///     "<domaincheckpoint>
///   <name>tuesday</name>
///   <disks>
///     <disk name='vda' checkpoint='bitmap'/>
///     <disk name='vdb' checkpoint='no'/>
///   </disks>
/// </domaincheckpoint>
/// "
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NewCheckpoint {
    name: NewCheckpointName,
    disks: Vec<(DiskName, bool)>,
}

impl NewCheckpoint {
    /// A checkpoint of every writable disk with media. libvirt refuses it if one of them is not qcow2.
    #[must_use]
    pub fn new(name: NewCheckpointName) -> Self {
        Self { name, disks: Vec::new() }
    }

    /// Lists a disk with a bitmap. Once a disk is listed, unlisted disks get no bitmap. A disk may be listed once.
    #[must_use]
    pub fn with_bitmap(mut self, name: DiskName) -> Self {
        self.disks.push((name, true));
        self
    }

    /// Lists a disk without a bitmap.
    #[must_use]
    pub fn without_bitmap(mut self, name: DiskName) -> Self {
        self.disks.push((name, false));
        self
    }
}

/// As `virsh backup-begin` and `virDomainBackupBegin` accept it.
impl fmt::Display for NewCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disks = self.disks.iter().map(|(name, has_bitmap)| (name.as_str(), *has_bitmap));
        f.write_str(&format_new_checkpoint(self.name.as_str(), disks))
    }
}
