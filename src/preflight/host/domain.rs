//! Whether the domain can start a backup now.

use crate::diagnostic::{Diagnostic, Document};
use crate::host::{Job, State, Vm};
use crate::preflight::Context;
use crate::rules::Rule;

use super::warning;

/// A checkpoint that is created by itself.
pub(super) fn check_checkpoint(context: &Context<'_>, vm: &Vm) -> Option<Diagnostic> {
    let Some(State::Inactive(state)) = &vm.state else { return None };
    let message =
        format!("the domain does not run ({state}), and only a running or paused domain can have a new checkpoint");
    Some(
        Diagnostic::new(Rule::HostInactiveDomain, context.backup.tag.place(), message)
            .in_document(Document::Checkpoint)
            .help("start it first")
            .libvirt("Operation not supported: cannot create checkpoint for inactive domain"),
    )
}

pub(super) fn check(context: &Context<'_>, vm: &Vm, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(State::Inactive(state)) = &vm.state {
        let diagnostic = Diagnostic::new(
            Rule::HostInactiveDomain,
            context.backup.tag.place(),
            format!("the domain does not run ({state}), and only a running or paused domain can be backed up"),
        )
        .help("start it; or copy its images while it is off")
        .libvirt("Operation not supported: cannot perform disk backup for inactive domain");
        diagnostics.push(diagnostic);
        return;
    }
    if let Some(job) = &vm.job {
        // The block jobs are that job's.
        diagnostics.push(check_job(context, job));
        return;
    }
    for disk in context.included_disks() {
        let name = &*disk.name.value;
        if vm.block_jobs.contains_key(name) {
            let diagnostic = Diagnostic::new(
                Rule::HostRunningJob,
                context.place_of(disk),
                format!("`{name}` has a block job, and can only have one"),
            )
            .help(format!("wait until it has ended, or end it with virsh blockjob VM {name} --abort"))
            .libvirt(format!("internal error: disk '{name}' has a blockjob assigned"));
            diagnostics.push(diagnostic);
        }
    }
}

/// A job that ends within the time that libvirt waits for is no obstacle; a pull ends when it is aborted.
fn check_job(context: &Context<'_>, job: &Job) -> Diagnostic {
    const LOCKED: &str = "Timed out during operation: cannot acquire state change lock (held by ";
    let place = context.backup.tag.place();
    match job {
        Job::PullBackup => Diagnostic::new(Rule::HostRunningJob, place, "a pull backup of the domain is running")
            .help("end it with virsh domjobabort VM")
            .libvirt(format!("{LOCKED}monitor=remoteDispatchDomainBackupBegin)")),
        Job::PushBackup => warning(
            Diagnostic::new(Rule::HostRunningJob, place, "a push backup of the domain is running")
                .help("wait until it has ended: libvirt waits for 30 seconds, and then refuses the new one")
                .libvirt(format!("{LOCKED}monitor=remoteDispatchDomainBackupBegin)")),
        ),
        Job::Other(operation) => warning(
            Diagnostic::new(Rule::HostRunningJob, place, format!("the domain is busy with another job: {operation}"))
                .help("wait until it has ended: libvirt waits for 30 seconds, and then refuses the backup")
                .libvirt(LOCKED.trim_end_matches(" (held by ")),
        ),
    }
}
