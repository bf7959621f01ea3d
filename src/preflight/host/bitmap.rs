//! Bitmaps that are lost, left over, or cannot be made.

use crate::diagnostic::{Diagnostic, Document};
use crate::host::{Bitmap, Vm};
use crate::preflight::Context;
use crate::preflight::checkpoint::covered;
use crate::preflight::destination::is_incremental;
use crate::preflight::incremental::no_bitmap;
use crate::rules::Rule;

use super::Host;

/// Bitmaps that backups start from.
pub(super) fn check_lost(context: &Context<'_, '_>, vm: &Vm, diagnostics: &mut Vec<Diagnostic>) {
    for disk in context.included_disks().filter(|disk| is_incremental(disk)) {
        let Some(incremental) = &disk.incremental else { continue };
        let (target, checkpoint) = (&*disk.name.value, &*incremental.value);
        let bitmap = vm.coverage.get(checkpoint).and_then(|coverage| coverage.get(target));
        if bitmap != Some(&Bitmap::Lost) {
            continue;
        }
        let newest = vm.checkpoints_of(target).next_back();
        let help = match newest {
            Some(newest) => format!("start from `{newest}`, or back `{target}` up in full: backupmode='full'"),
            None => format!("back `{target}` up in full: <disk name='{target}' backupmode='full'/>"),
        };
        diagnostics.push(
            Diagnostic::new(
                Rule::LostBitmap,
                context.place_of(disk),
                format!("the bitmap of `{target}` for the checkpoint `{checkpoint}` is lost or broken"),
            )
            .label(incremental.span, "the checkpoint")
            .help(help)
            .libvirt(no_bitmap(disk, checkpoint)),
        );
    }
}

/// Images that cannot take the bitmap of the new checkpoint.
pub(super) fn check_images(host: &Host<'_, '_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let context = host.context;
    let Some(checkpoint) = context.options.checkpoint.as_deref() else { return };
    let Some(covered) = covered(context, checkpoint) else { return };
    for disk in context.domain.into_iter().flat_map(|domain| &domain.disks) {
        let Some(path) = disk.source.path().filter(|_| covered.contains(&*disk.target)) else { continue };
        let Some(image) = host.files.images.get(path) else { continue };
        let target = &*disk.target;
        let place = checkpoint.name.as_ref().map_or(checkpoint.tag, |name| name.span);
        let name = checkpoint.name.as_ref().map_or("", |name| &name.value);
        let clash = "internal error: unable to execute QEMU command 'transaction': ";
        if image.is_old {
            diagnostics.push(
                Diagnostic::new(
                    Rule::OldQcow2,
                    place,
                    format!("{path} is a qcow2 of version 2, which holds no bitmaps"),
                )
                .in_document(Document::Checkpoint)
                .label_in(Document::Domain, disk.tag, format!("the image of `{target}`"))
                .help(format!(
                    "list `{target}` with checkpoint='no'; or, while the domain is off, qemu-img amend -f qcow2 -o \
                         compat=1.1 {path}"
                ))
                .libvirt(format!(
                    "{clash}Can't make bitmap '{name}' persistent in 'libvirt-{}-format': Cannot store dirty bitmaps \
                         in qcow2 v2 files",
                    host.facts.vm.indexes.get(target).map_or("1", String::as_str)
                )),
            );
        } else if !name.is_empty()
            && image.bitmaps.iter().any(|bitmap| bitmap == name)
            && !has_checkpoint(context, name)
        {
            diagnostics.push(
                Diagnostic::new(Rule::LeftoverBitmap, place, format!("{path} holds a bitmap `{name}` already"))
                    .in_document(Document::Checkpoint)
                    .label_in(Document::Domain, disk.tag, format!("the image of `{target}`"))
                    .help(format!(
                        "give the checkpoint another name; or, while the domain is off, qemu-img bitmap --remove {path} {name}"
                    ))
                    .libvirt(format!("{clash}Bitmap already exists: {name}")),
            );
        }
    }
}

/// A checkpoint of this name is in the way itself.
fn has_checkpoint(context: &Context<'_, '_>, name: &str) -> bool {
    context.existing(name).is_some()
}
