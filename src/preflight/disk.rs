//! Which disks of a domain QEMU's driver can back up.

use crate::backup::Disk;
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{Domain, DomainDisk, Source};
use crate::rules::Rule;

use super::Context;

/// Hypervisors of libvirt's other drivers, none of which backs up domains.
const OTHER_HYPERVISORS: [&str; 13] =
    ["xen", "lxc", "uml", "openvz", "test", "vmware", "hyperv", "vbox", "phyp", "parallels", "bhyve", "vz", "nitro"];

pub(super) fn check(context: &Context<'_>, is_sound: bool, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(context.domain.and_then(other_driver));
    if is_sound && context.domain.is_some() && context.included_disks().next().is_none() {
        diagnostics.push(no_disks(context));
    }
    for disk in context.included_disks() {
        if let Some(domain_disk) = context.domain_disk(disk) {
            diagnostics.extend(check_disk(context, disk, domain_disk));
        }
    }
}

fn other_driver(domain: &Domain) -> Option<Diagnostic> {
    let hypervisor = domain.hypervisor.as_deref().filter(|name| OTHER_HYPERVISORS.contains(name))?;
    Some(
        Diagnostic::new(Rule::OtherDriver, domain.tag, format!("domains of type `{hypervisor}` cannot be backed up"))
            .in_document(Document::Domain)
            .help("only libvirt's QEMU driver supports backups, for domains of type `kvm` or `qemu`")
            .libvirt("this function is not supported by the connection driver: virDomainBackupBegin"),
    )
}

fn no_disks(context: &Context<'_>) -> Diagnostic {
    let place = context.backup.disks_tag.span.unwrap_or(context.backup.tag.place());
    Diagnostic::new(Rule::NoDisks, place, "no disk is included in the backup")
        .help("list at least one disk that has media, without backup='no'")
        .libvirt("unsupported configuration: no disks selected for backup")
}

fn check_disk(context: &Context<'_>, disk: &Disk, domain_disk: &DomainDisk) -> Option<Diagnostic> {
    let name = &disk.name.value;
    let place = context.place_of(disk);
    if let Some(diagnostic) = unsupported(domain_disk, place) {
        return Some(diagnostic.help(format!("exclude it: <disk name='{name}' backup='no'/>")));
    }
    let mirror = domain_disk.mirror?;
    Some(
        Diagnostic::new(Rule::RunningJob, place, format!("a block job is running on `{name}`"))
            .label_in(Document::Domain, mirror, "this block job")
            .help("wait until it has ended, or end it with `virsh blockjob --abort` or `--pivot`")
            .libvirt(format!("internal error: disk '{name}' has a blockjob assigned")),
    )
}

/// A disk on which QEMU's driver runs no block jobs.
pub(crate) fn unsupported(disk: &DomainDisk, place: Span) -> Option<Diagnostic> {
    let name = &disk.target;
    let (rule, kind, label) = if disk.transient {
        (Rule::TransientDisk, "transient disk", "this disk has <transient/>")
    } else if disk.source == Source::Other("vhostuser") {
        (Rule::UnsupportedDisk, "vhostuser disk", "the data of this disk does not pass through QEMU")
    } else if disk.bus == Some("sd") {
        (Rule::UnsupportedDisk, "disk on bus `sd`", "this disk has bus='sd'")
    } else {
        return None;
    };
    let libvirt = match kind.strip_suffix(" disk") {
        Some(kind) => format!("Operation not supported: block jobs are not supported on {kind} disk '{name}'"),
        None => format!("Operation not supported: block jobs are not supported on disk '{name}' using bus 'sd'"),
    };
    Some(
        Diagnostic::new(rule, place, format!("unsupported disk `{name}`: a {kind} has no block jobs"))
            .label_in(Document::Domain, disk.tag, label)
            .libvirt(libvirt),
    )
}

/// Whether QEMU's driver can back up a disk.
pub(super) fn is_supported(disk: &DomainDisk) -> bool {
    disk.mirror.is_none() && unsupported(disk, Span::default()).is_none()
}
