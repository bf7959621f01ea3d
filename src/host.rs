//! What libvirt and the machine say about a domain at one moment, as plain values.
//!
//! Nothing here looks at anything: the program gathers these facts, and the rules of family `host` read them.

pub mod answers;
pub mod files;
pub mod probes;
pub mod sizes;

use std::collections::BTreeMap;

use crate::checkpoint::{Bitmap, Existing};

pub use files::Files;

/// Everything that was asked on behalf of a backup.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What libvirt said.
    pub vm: Vm,
    /// What this machine said; `None` when it was not looked at.
    pub files: Option<Files>,
}

/// What libvirt says about a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vm {
    /// The URI of the connection, as libvirt completes it.
    pub uri: String,
    /// Whether virsh itself ran on another machine.
    pub is_elsewhere: bool,
    /// The release of the daemon, such as `12.8.0`.
    pub release: Option<String>,
    /// Whether the domain runs, or is paused.
    pub state: Option<State>,
    /// A job that holds the domain.
    pub job: Option<Job>,
    /// The disks that have a block job, and what virsh says of it.
    pub block_jobs: BTreeMap<String, String>,
    /// All checkpoints, the oldest first, with the disks of those that were looked at; `None` if libvirt did not list
    /// them.
    pub checkpoints: Option<Vec<Existing>>,
    /// The sizes of the domain's disks, by their targets.
    pub disks: BTreeMap<String, DiskSizes>,
    /// The secrets that are defined; `None` if libvirt did not list them.
    pub secrets: Option<Vec<Secret>>,
    /// Whom QEMU runs as, as the domain's XML writes it: `+64055:+64055`.
    pub user: Option<String>,
    /// The volumes that disks of the domain are on, by the targets of the disks.
    pub volumes: BTreeMap<String, Volume>,
    /// libvirt's numbers of the disks' images, which QEMU's messages name.
    pub indexes: BTreeMap<String, String>,
    /// The files behind those volumes.
    pub volume_paths: BTreeMap<Volume, String>,
}

/// Whether a domain runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or is paused: a backup can start.
    Active,
    /// It does not run; the words are libvirt's, such as `shut off`.
    Inactive(String),
}

/// A job that holds the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// A backup that a client reads. It lasts until it is aborted.
    PullBackup,
    /// A backup that ends by itself.
    PushBackup,
    /// Another one, by the words of `virsh domjobinfo`, such as `Migration`.
    Other(String),
}

/// The sizes of a disk in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSizes {
    /// What the guest sees.
    pub capacity: u64,
    /// What the images of its backing chain take on the host.
    pub allocation: u64,
}

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its UUID, in lower case with hyphens.
    pub uuid: String,
    /// What it is for: `volume`, `ceph`, `iscsi`, `tls`, `vtpm`, or nothing.
    pub usage_type: String,
    /// The usage id that also identifies it.
    pub usage: String,
}

/// A volume by the names of its pool and of itself.
pub type Volume = (String, String);

impl Vm {
    /// Whether the daemon runs on this machine, so that its files may be those of this process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        // driver[+transport]://[user@][host][:port]/path
        let Some((scheme, rest)) = self.uri.split_once("://") else { return false };
        let transport = scheme.split_once('+').map(|(_, transport)| transport);
        !self.is_elsewhere && rest.starts_with('/') && matches!(transport, None | Some("unix"))
    }

    /// Whether the daemon is that of one user, and runs QEMU as that user.
    #[must_use]
    pub fn is_session(&self) -> bool {
        let path = self.uri.split(['?', '#']).next().unwrap_or_default();
        path.ends_with("/session")
    }

    /// The bitmap of `disk` for the checkpoint of this name.
    #[must_use]
    pub fn bitmap(&self, checkpoint: &str, disk: &str) -> Option<Bitmap> {
        self.checkpoints.iter().flatten().find(|existing| existing.name == checkpoint)?.bitmap(disk)
    }

    /// The checkpoints that cover `disk` with a bitmap that is not lost, the oldest first.
    #[must_use]
    pub fn checkpoints_of<'v>(&'v self, disk: &'v str) -> impl DoubleEndedIterator<Item = &'v str> {
        let usable = self.checkpoints.iter().flatten().filter(move |existing| existing.is_usable_for(disk));
        usable.map(|existing| existing.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_without_host_and_transport_is_local() {
        let is_local = |uri: &str| Vm { uri: uri.to_owned(), ..Vm::default() }.is_local();
        for uri in ["qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/s"] {
            assert!(is_local(uri), "{uri}");
        }
        let by_ssh = Vm { uri: "qemu:///system".to_owned(), is_elsewhere: true, ..Vm::default() };
        assert!(!by_ssh.is_local());
        for uri in ["qemu+ssh://host/system", "qemu://host/system", "qemu+tls:///system", "", "test"] {
            assert!(!is_local(uri), "{uri}");
        }
    }
}
