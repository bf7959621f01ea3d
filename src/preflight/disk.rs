//! Which disks of a domain QEMU's driver can back up.

use crate::backup::Disk;
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{DomainDisk, Source};
use crate::rules::Rule;

use super::Context;

pub(super) fn check(context: &Context<'_, '_>, is_sound: bool, diagnostics: &mut Vec<Diagnostic>) {
    if is_sound && context.domain.is_some() && context.included_disks().next().is_none() {
        diagnostics.push(no_disks(context));
    }
    for disk in context.included_disks() {
        if let Some(domain_disk) = context.domain_disk(disk) {
            diagnostics.extend(check_disk(context, disk, domain_disk));
        }
    }
}

fn no_disks(context: &Context<'_, '_>) -> Diagnostic {
    let place = context.backup.disks_tag.0.unwrap_or(context.backup.tag.span);
    Diagnostic::new(Rule::NoDisks, place, "no disk is left to back up")
        .help("list at least one disk that has media, without backup='no'")
        .libvirt("unsupported configuration: no disks selected for backup")
}

fn check_disk(context: &Context<'_, '_>, disk: &Disk<'_>, domain_disk: &DomainDisk) -> Option<Diagnostic> {
    let name = &disk.name.value;
    let place = context.place_of(disk);
    if let Some(diagnostic) = unsupported(domain_disk, place) {
        return Some(diagnostic.help(format!("leave it out: <disk name='{name}' backup='no'/>")));
    }
    let mirror = domain_disk.mirror?;
    Some(
        Diagnostic::new(Rule::RunningJob, place, format!("'{name}' is being copied, and can only have one job"))
            .label_in(Document::Domain, mirror, "the job that runs")
            .help("wait until the job has ended, or end it with virsh blockjob --abort")
            .libvirt(format!("internal error: disk '{name}' has a blockjob assigned")),
    )
}

/// A disk on which QEMU's driver runs no block jobs.
pub(crate) fn unsupported(disk: &DomainDisk, place: Span) -> Option<Diagnostic> {
    const OUTSIDE_BLOCK_LAYER: &str = "its data never passes through QEMU's block layer";
    let name = &disk.target;
    let (rule, kind, message, words) = if disk.transient {
        (Rule::TransientDisk, "transient", "is transient, and QEMU cannot back it up", "this disk has <transient/>")
    } else if disk.source == Source::Other("vhostuser") {
        (Rule::UnsupportedDisk, "vhostuser", "is not QEMU's own disk but a vhost-user one", OUTSIDE_BLOCK_LAYER)
    } else if disk.source == Source::Other("vhostvdpa") {
        (Rule::UnsupportedDisk, "vhostvdpa", "is a vDPA device, and has no block jobs", OUTSIDE_BLOCK_LAYER)
    } else if disk.bus == Some("sd") {
        (Rule::UnsupportedDisk, "sd", "is on the bus sd, where there are no block jobs", "this disk is on bus='sd'")
    } else {
        return None;
    };
    let libvirt = match kind {
        "sd" => format!("Operation not supported: block jobs are not supported on disk '{name}' using bus 'sd'"),
        kind => format!("Operation not supported: block jobs are not supported on {kind} disk '{name}'"),
    };
    Some(
        Diagnostic::new(rule, place, format!("'{name}' {message}"))
            .label_in(Document::Domain, disk.tag, words)
            .libvirt(libvirt),
    )
}
