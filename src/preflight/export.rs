//! What a pull mode backup offers over NBD.

use std::collections::HashMap;

use crate::backup::{Disk, Mode, Spanned, Text};
use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::code;

use super::Context;
use super::destination::is_incremental;

/// NBD's limit on a string, and QEMU's on the name of an export, in bytes.
const MAX_EXPORT_NAME_LENGTH: usize = 4096;
/// QEMU's limit on the name of a bitmap, in bytes.
const MAX_BITMAP_NAME_LENGTH: usize = 1023;

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if context.backup.mode != Mode::Pull {
        return;
    }
    let mut seen: HashMap<&str, &Disk> = HashMap::new();
    for disk in context.included_disks() {
        let export = export_of(disk);
        if export.len() > MAX_EXPORT_NAME_LENGTH
            && let Some(written) = &disk.exportname
        {
            let diagnostic = too_long(Rule::ExportNameLength, written, "export name", MAX_EXPORT_NAME_LENGTH);
            diagnostics.push(diagnostic.libvirt(format!(
                "internal error: unable to execute QEMU command 'block-export-add': export name '{export}' too long"
            )));
        } else if let Some(first) = seen.get(export) {
            diagnostics.push(duplicate(context, disk, first));
        } else {
            seen.insert(export, disk);
        }
        if let Some(bitmap) = disk.exportbitmap.as_ref().filter(|_| is_incremental(disk)) {
            diagnostics.extend(check_bitmap(bitmap));
        }
    }
}

/// The name that a disk is exported by: its target, unless another is given.
fn export_of(disk: &Disk) -> &str {
    disk.exportname.as_ref().map_or(&disk.name.value, |name| &name.value)
}

fn too_long(rule: Rule, text: &Text, what: &str, longest: usize) -> Diagnostic {
    let message = format!("{what} is too long: {} bytes, at most {longest} are allowed", text.value.len());
    Diagnostic::new(rule, text.place(), message).help("use a shorter name")
}

fn place_of_export(context: &Context<'_>, disk: &Disk) -> Span {
    disk.exportname.as_ref().map_or_else(|| context.place_of(disk), Spanned::place)
}

fn duplicate(context: &Context<'_>, disk: &Disk, first: &Disk) -> Diagnostic {
    let export = export_of(disk);
    // Report the name that was chosen, not the one that follows from the disk.
    let (reported, other) =
        if disk.exportname.is_none() && first.exportname.is_some() { (first, disk) } else { (disk, first) };
    let label = |disk: &Disk| match disk.exportname {
        Some(_) => format!("of `{}`", disk.name.value),
        None => format!("`{}` is exported under its own name", disk.name.value),
    };
    let (name, other_name) = (&disk.name.value, &first.name.value);
    Diagnostic::new(
        Rule::DuplicateExport,
        place_of_export(context, reported),
        format!("duplicate export name {} of `{other_name}` and `{name}`", code(export)),
    )
    .primary_label(label(reported))
    .label(place_of_export(context, other), label(other))
    .help("give each disk its own `exportname`, or remove the attribute")
    .libvirt(format!(
        "internal error: unable to execute QEMU command 'block-export-add': NBD server already has export named '{export}'"
    ))
}

fn check_bitmap(bitmap: &Text) -> Option<Diagnostic> {
    if bitmap.value.is_empty() {
        return Some(
            Diagnostic::new(Rule::ExportBitmapName, bitmap.place(), "empty value for attribute `exportbitmap`")
                .help("write a name, or remove `exportbitmap` to use the default")
                .libvirt("internal error: unable to execute QEMU command 'transaction': Bitmap name cannot be empty"),
        );
    }
    (bitmap.value.len() > MAX_BITMAP_NAME_LENGTH).then(|| {
        too_long(Rule::ExportBitmapName, bitmap, "bitmap name", MAX_BITMAP_NAME_LENGTH).libvirt(format!(
            "internal error: unable to execute QEMU command 'transaction': Bitmap name too long: {}",
            bitmap.value
        ))
    })
}
