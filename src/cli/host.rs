//! What libvirt and the machine say: the one place that asks them.

#[cfg(target_os = "linux")]
mod certificates;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod resolve;
mod virsh;

use std::path::{Path, PathBuf};

use crate::cli::args::VmArgs;
#[cfg(not(target_os = "linux"))]
use crate::diagnostic::NotChecked;
#[cfg(any(feature = "internals", not(target_os = "linux")))]
use crate::host::Files;
#[cfg(not(target_os = "linux"))]
use crate::host::{Vm, probes::Probes};
use crate::source::Source;
use crate::{Backup, Options};

#[cfg(target_os = "linux")]
pub(super) use self::files::look;
use self::virsh::{Gathered, Names, Virsh};

use super::Env;
use super::input::{self, Content};

/// The command that is run unless another is asked for.
const VIRSH: &str = "virsh";
/// What to do so that closed files are looked at.
#[cfg(target_os = "linux")]
const AS_ROOT: &str = "run it as root";
/// Files that are searched for names before libvirt is asked.
const MAX_FILES: usize = 16;

/// Asks libvirt about the domain that the arguments name.
pub(super) fn ask(
    arguments: &VmArgs,
    files: &[PathBuf],
    standard_input: &anyhow::Result<Content>,
    env: &Env<'_>,
) -> anyhow::Result<Option<Gathered>> {
    let Some(name) = &arguments.vm else { return Ok(None) };
    let command = arguments.virsh.clone().or_else(|| (env.environment)("BACKUPXML_VIRSH"));
    let virsh = Virsh::new(command.as_deref().unwrap_or(VIRSH), arguments.connect.as_deref())?;
    let mut names = Names { every_checkpoint: arguments.every_checkpoint, ..Names::default() };
    // Without a document yet, every disk matters.
    names.every_disk = files.is_empty();
    for file in files.iter().take(MAX_FILES) {
        // A file that cannot be read is reported when its turn comes.
        if file == Path::new("-") {
            if let Ok(content) = standard_input {
                names.add(&content.bytes);
            }
        } else if let Ok(content) = input::file(file) {
            names.add(&content.bytes);
        }
    }
    virsh.gather(name, &names).map(Some)
}

/// Asks virsh about a domain, and looks at what matters to a backup of it on this machine: the facts that a recording
/// holds.
///
/// # Errors
///
/// Fails where libvirt cannot be asked.
#[cfg(feature = "internals")]
pub fn look_for(virsh: &str, domain: &str, backup: &str, options: &Options) -> anyhow::Result<Files> {
    let mut names = Names::default();
    names.add(backup.as_bytes());
    let mut gathered = Virsh::new(virsh, None)?.gather(domain, &names)?;
    let (source, _) = gathered.source(options.release);
    let domain = crate::Domain::parse(source.text()).map_err(|_| anyhow::anyhow!("cannot read the domain"))?;
    let probes = crate::pipeline::probes(backup, &domain, &gathered.vm, options);
    Ok(probes.map(|probes| look(&probes, &gathered.vm)).unwrap_or_default())
}

impl Names {
    /// Adds what a backup names.
    fn add(&mut self, bytes: &[u8]) {
        let options = Options::default();
        let (source, _) = Source::new("", bytes.to_vec(), options.release);
        match crate::parse(source.text(), &options) {
            Ok(backup) => self.add_backup(&backup),
            Err(_) => self.every_disk = true,
        }
    }

    fn add_backup(&mut self, backup: &Backup) {
        self.every_disk |= backup.disks.is_empty();
        for disk in backup.disks.iter().filter(|disk| disk.included) {
            self.disks.insert(disk.name.value.clone());
            self.checkpoints.extend(disk.incremental.iter().map(|name| name.value.clone()));
        }
        self.checkpoints.extend(backup.incremental.iter().map(|name| name.value.clone()));
    }
}

/// Elsewhere there is no QEMU of libvirt's whose files could be looked at.
#[cfg(not(target_os = "linux"))]
pub(super) fn look(_: &Probes, _: &Vm) -> Files {
    let not_checked = NotChecked::new("files, which are looked at on Linux only");
    Files { not_checked: [not_checked].into(), ..Files::default() }
}
