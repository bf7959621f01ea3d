//! Bitmaps that are left over, or cannot be made.

use crate::diagnostic::{Diagnostic, Document};
use crate::preflight::Context;
use crate::preflight::checkpoint::covered;
use crate::rules::Rule;

use super::Host;

/// Images that cannot take the bitmap of the new checkpoint.
pub(super) fn check(host: &Host<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let context = host.context;
    let Some(checkpoint) = context.options.checkpoint.as_deref() else { return };
    let Some(covered) = covered(context, checkpoint) else { return };
    for disk in context.domain.into_iter().flat_map(|domain| &domain.disks) {
        let Some(path) = disk.source.path().filter(|_| covered.contains(&*disk.target)) else { continue };
        let Some(image) = host.files.images.get(path) else { continue };
        let target = &*disk.target;
        let place = checkpoint.name.as_ref().map_or(checkpoint.tag, crate::backup::Spanned::place);
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
fn has_checkpoint(context: &Context<'_>, name: &str) -> bool {
    context.existing(name).is_some()
}
