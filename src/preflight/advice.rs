//! What libvirt accepts, and is likely to lose data, expose it or surprise.

use crate::backup::{Disk, IgnoredKind, Mode, Server, StorageFormat, StorageType, Transport};
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::domain::{Domain, Source};
use crate::rules::Rule;
use crate::wording::{join_with_and, quoted, trim};

use super::Context;
use super::checkpoint::covered;
use super::destination::{self, format_of, is_incremental};

pub(super) fn check(context: &Context<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(ignored(context));
    diagnostics.extend(context.backup.server.as_ref().and_then(plain_server));
    diagnostics.extend(white_space(context));
    diagnostics.extend(incremental_into_raw(context));
    diagnostics.extend(block_becomes_file(context));
    diagnostics.extend(fixed_destinations(context));
    diagnostics.extend(unguarded_destinations(context));
    diagnostics.extend(socket_on_image(context));
    if let Some(domain) = context.domain {
        diagnostics.extend(excluded(context, domain));
        diagnostics.extend(uneven_checkpoint(context));
    }
}

fn ignored<'r, 'c, 'a>(context: &'r Context<'c, 'a>) -> impl Iterator<Item = Diagnostic> + use<'r, 'c, 'a> {
    context.backup.ignored.0.iter().map(|ignored| match ignored.what {
        IgnoredKind::EmptyIncremental => Diagnostic::new(
            Rule::EmptyIncremental,
            ignored.span,
            "an empty <incremental> names no checkpoint, so this is a full backup",
        )
        .help("name the checkpoint to start from, or remove <incremental>"),
        IgnoredKind::OfExcludedDisk(name) => {
            Diagnostic::new(Rule::IgnoredSetting, ignored.span, format!("{name} of a disk that is left out is dropped"))
                .help(format!("remove {name}, or backup='no'"))
        }
        IgnoredKind::SecondLabel => {
            Diagnostic::new(Rule::IgnoredSetting, ignored.span, "only the first <label> counts, this one is dropped")
                .help("remove it")
        }
        IgnoredKind::LongLabel => {
            Diagnostic::new(Rule::IgnoredSetting, ignored.span, "a <label> of over 4096 bytes is dropped")
                .help("write a shorter one")
        }
    })
}

/// NBD knows no password: who reaches the port reads the disks.
fn plain_server(server: &Server<'_>) -> Option<Diagnostic> {
    let name = server.name.as_ref().filter(|_| server.transport == Transport::Tcp && server.tls != Some(true))?;
    let is_local = matches!(&*name.value, "localhost" | "::1") || name.value.starts_with("127.");
    (!is_local).then(|| {
        Diagnostic::new(Rule::PlainServer, name.span, "everybody who reaches this server can read the disks")
            .primary_label("NBD has no password, and this has no TLS")
            .help("add tls='yes', or use localhost or a Unix socket")
    })
}

/// A name that no disk uses is not looked up; one that a disk uses is an error with white space around it.
fn white_space(context: &Context<'_, '_>) -> Option<Diagnostic> {
    let incremental = context.backup.incremental.as_ref()?;
    let trimmed = trim(&incremental.value);
    let is_used = context
        .included_disks()
        .any(|disk| disk.incremental.as_ref().is_some_and(|used| used.span == incremental.span));
    (trimmed != incremental.value && !is_used).then(|| {
        Diagnostic::new(
            Rule::CheckpointWhiteSpace,
            incremental.span,
            "the white space is part of the checkpoint's name",
        )
        .help(format!("write <incremental>{trimmed}</incremental> on one line"))
    })
}

/// What did not change reads as zeros, and nothing in the file tells the two apart.
fn incremental_into_raw<'r, 'c, 'a>(
    context: &'r Context<'c, 'a>,
) -> impl Iterator<Item = Diagnostic> + use<'r, 'c, 'a> {
    let push = context.backup.mode == Mode::Push;
    let raw = move |disk: &&Disk<'_>| push && is_incremental(disk) && format_of(disk) == StorageFormat::Raw;
    context.included_disks().filter(raw).filter_map(|disk| {
        let name = &disk.name.value;
        let message = format!("in a raw image nobody can tell what changed of '{name}' from what did not");
        let format = disk.format.as_ref()?;
        Some(
            Diagnostic::new(Rule::IncrementalIntoRaw, format.span, message)
                .help("write qcow2, which keeps only what changed; or back it up in full"),
        )
    })
}

fn block_becomes_file<'r, 'c, 'a>(context: &'r Context<'c, 'a>) -> impl Iterator<Item = Diagnostic> + use<'r, 'c, 'a> {
    context.included_disks().filter_map(|disk| {
        let written = disk.written_type.0.as_ref().filter(|written| written.value == StorageType::Block)?;
        let path = disk.path().filter(|path| path.span == Span::default() && disk.storage_type == StorageType::File)?;
        let message = format!("type='block' without a destination becomes the file {}", quoted(&path.value));
        Some(
            Diagnostic::new(Rule::BlockBecomesFile, written.span, message)
                .help("add <target dev='/dev/...'/>, or write type='file'"),
        )
    })
}

fn fixed_destinations(context: &Context<'_, '_>) -> Option<Diagnostic> {
    if context.options.reuse_external || context.backup.mode == Mode::Push {
        return None;
    }
    let is_fixed = |disk: &&Disk<'_>| {
        disk.storage_type == StorageType::File && disk.path().is_some_and(|path| path.span != Span::default())
    };
    let fixed: Vec<_> = context.included_disks().filter(is_fixed).collect();
    let first = fixed.first()?;
    let message = match fixed.as_slice() {
        [_] => "a second backup finds this scratch file in its way".to_owned(),
        fixed => format!("a second backup finds this scratch file in its way, and {} more", fixed.len() - 1),
    };
    let diagnostic = Diagnostic::new(Rule::FixedScratch, destination::place_of_path(context, first), message)
        .help("remove it after each backup, or leave <scratch> out and libvirt makes up a new name each time");
    Some(diagnostic)
}

fn unguarded_destinations(context: &Context<'_, '_>) -> Vec<Diagnostic> {
    let found = destination::unguarded(context).into_iter();
    let diagnostic = |(disk, what): (&Disk<'_>, String)| {
        let message = format!("the backup of '{}' {what}", disk.name.value);
        Diagnostic::new(Rule::UnguardedDestination, destination::place_of_path(context, disk), message)
            .help("give it a destination of its own: QEMU does not notice this with raw images")
    };
    found.map(diagnostic).collect()
}

/// QEMU removes what stands where its socket is to be.
fn socket_on_image(context: &Context<'_, '_>) -> Option<Diagnostic> {
    let socket = context.backup.server.as_ref()?.socket.as_ref()?;
    let disk = destination::user_of(context, &socket.value)?;
    let message = format!("the socket takes the place of an image of '{}', which is removed", disk.target);
    Some(
        Diagnostic::new(Rule::UnguardedDestination, socket.span, message)
            .label_in(Document::Domain, disk.tag, "this disk uses it")
            .help("write a path that nothing uses yet, such as one below /run"),
    )
}

pub(super) fn inactive(domain: &Domain) -> Option<Diagnostic> {
    (!domain.active).then(|| {
        Diagnostic::new(
            Rule::InactiveDomain,
            domain.tag,
            "the domain does not run, and only one that runs can be backed up",
        )
        .in_document(Document::Domain)
        .help("start it first; what virsh dumpxml prints of a running domain has an id")
        .libvirt("Operation not supported: cannot perform disk backup for inactive domain")
    })
}

/// A disk that nobody thought of is the one that is missing later.
fn excluded(context: &Context<'_, '_>, domain: &Domain) -> Option<Diagnostic> {
    let disks_tag = context.backup.disks_tag.0?;
    let unlisted: std::collections::HashSet<_> = context
        .backup
        .disks
        .iter()
        .filter(|disk| disk.name.span == Span::default())
        .map(|disk| &*disk.name.value)
        .collect();
    let unlisted_writable = domain
        .disks
        .iter()
        .filter(|disk| disk.source != Source::Empty && !disk.read_only && unlisted.contains(&*disk.target));
    let unlisted_writable: Vec<_> = unlisted_writable.collect();
    if unlisted_writable.is_empty() {
        return None;
    }
    let names: Vec<_> = unlisted_writable.iter().map(|disk| &*disk.target).collect();
    let (disk, is) = if names.len() == 1 { ("disk", "is") } else { ("disks", "are") };
    let message =
        format!("the writable {disk} {} of the domain {is} not listed, and so not backed up", join_with_and(&names));
    let first = names.first().copied().unwrap_or_default();
    let diagnostic = Diagnostic::new(Rule::DiskExcluded, disks_tag, message)
        .help(format!("list <disk name='{first}'/>; or <disk name='{first}' backup='no'/> to say that it is meant"));
    let tags = unlisted_writable.iter().map(|disk| (disk.tag, format!("'{}'", disk.target)));
    Some(tags.fold(diagnostic, |diagnostic, (tag, words)| diagnostic.label_in(Document::Domain, tag, words)))
}

/// A chain of backups needs every disk in the backup and in the checkpoint made with it.
fn uneven_checkpoint(context: &Context<'_, '_>) -> Vec<Diagnostic> {
    let Some(checkpoint) = context.options.checkpoint.as_deref() else { return Vec::new() };
    let Some(covered) = covered(context, checkpoint) else { return Vec::new() };
    let mut found = Vec::new();
    let mut not_backed_up: Vec<_> = covered.iter().copied().filter(|target| !context.is_included(target)).collect();
    not_backed_up.sort_unstable();
    if !not_backed_up.is_empty() {
        let names = join_with_and(&not_backed_up);
        let message =
            format!("the checkpoint covers {names}, not backed up here: what changed until now is in no backup");
        found.push(
            Diagnostic::new(Rule::CheckpointedNotBackedUp, checkpoint.tag, message)
                .in_document(Document::Checkpoint)
                .help("back it up too, or write checkpoint='no' for it"),
        );
    }
    let included = context.included_disks().map(|disk| &*disk.name.value);
    let mut open: Vec<_> = included.filter(|target| !covered.contains(target)).collect();
    open.sort_unstable();
    if !open.is_empty() {
        let names = join_with_and(&open);
        let message =
            format!("the checkpoint does not cover {names}: the next incremental backup cannot start from here");
        found.push(
            Diagnostic::new(Rule::BackedUpNotCheckpointed, checkpoint.tag, message)
                .in_document(Document::Checkpoint)
                .help("add it to the checkpoint's <disks>"),
        );
    }
    found
}
