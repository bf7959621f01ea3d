//! Starts a full backup of a domain's disks into a directory, through libvirt.
//!
//! The backup is built from values, so that libvirt's schema accepts it, and aligned with the domain as libvirt does,
//! so that anything that does not fit is reported before the start.
//!
//! Needs libvirt's headers (Debian: `libvirt-dev`). From the directory of backupxml:
//!
//!     cargo run --manifest-path examples/virt/Cargo.toml -- qemu:///system DOMAIN /backup [--dry-run]

use std::ffi::CString;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use backupxml::build::{Destination, DiskName, Path, Push, PushDisk};
use backupxml::domain::Source;
use backupxml::{Options, align};
use virt::connect::Connect;
use virt::domain::Domain;

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (uri, name, directory, dry_run) = match &arguments[..] {
        [uri, name, directory] => (uri, name, directory, false),
        [uri, name, directory, option] if option == "--dry-run" => (uri, name, directory, true),
        _ => bail!("usage: URI DOMAIN DIRECTORY [--dry-run]"),
    };
    let connection = Connect::open(Some(uri)).with_context(|| format!("cannot connect to {uri}"))?;
    let domain = connection.lookup_domain_by_name(name)?;
    let backup = prepare(&domain.xml_desc(0)?, directory)?;
    print!("{backup}");
    if !dry_run {
        begin(&domain, &backup.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A backup of every writable disk with media, as `DIRECTORY/TARGET.qcow2`.
fn prepare(domain: &str, directory: &str) -> Result<Push> {
    let domain = backupxml::Domain::parse(domain).map_err(first)?;
    let mut push = Push::new();
    for disk in &domain.disks {
        if disk.source != Source::Empty && !disk.read_only {
            let target = Destination::file(Path::new(format!("{directory}/{}.qcow2", disk.target))?);
            push = push.disk(PushDisk::new(DiskName::new(&*disk.target)?).target(target));
        }
    }
    align(&mut push.backup(), &domain, &Options::default()).map_err(first)?;
    Ok(push)
}

/// The first diagnostic as an error.
fn first(diagnostics: Vec<backupxml::diagnostic::Diagnostic>) -> anyhow::Error {
    diagnostics.into_iter().next().map_or_else(|| anyhow::anyhow!("refused"), Into::into)
}

/// The crate `virt` has no method for this, so this calls libvirt's function.
fn begin(domain: &Domain, backup: &str) -> Result<()> {
    let backup = CString::new(backup)?;
    // SAFETY: the domain is alive, and libvirt only reads the text, which ends in NUL; no checkpoint is passed.
    let status = unsafe { virt::sys::virDomainBackupBegin(domain.as_ptr(), backup.as_ptr(), std::ptr::null(), 0) };
    if status < 0 { Err(virt::error::Error::last_error().into()) } else { Ok(()) }
}
