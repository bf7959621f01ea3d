//! `Checkpoint` → libvirt's text.

use xmlwriter::{Indent, Options, XmlWriter};

use super::{Checkpoint, CheckpointDisk, Coverage};
use crate::format::{write_escaped_attribute, write_text_element};

/// The text that libvirt prints for `checkpoint`. A `<domain>` in it is copied.
pub(crate) fn format(checkpoint: &Checkpoint) -> String {
    let mut writer =
        XmlWriter::new(Options { use_single_quote: true, indent: Indent::Spaces(2), attributes_indent: Indent::None });
    writer.start_element("domaincheckpoint");
    if let Some(name) = &checkpoint.name {
        write_text_element(&mut writer, "name", &name.value);
    }
    if let Some(description) = &checkpoint.description {
        write_text_element(&mut writer, "description", description);
    }
    if let Some(parent) = &checkpoint.parent {
        writer.start_element("parent");
        write_text_element(&mut writer, "name", &parent.value);
        writer.end_element();
    }
    if checkpoint.creation_time != 0 {
        write_text_element(&mut writer, "creationTime", &checkpoint.creation_time.to_string());
    }
    if let Some(disks) = checkpoint.disks.as_ref().filter(|disks| !disks.is_empty()) {
        writer.start_element("disks");
        for disk in disks {
            write_disk(&mut writer, disk);
        }
        writer.end_element();
    }
    writer.end_element();
    let text = writer.end_document();
    match &checkpoint.domain {
        Some(held) => with_domain(&text, &held.text),
        // libvirt closes the root with an end tag even when it holds nothing.
        None => text.replace("<domaincheckpoint/>", "<domaincheckpoint>\n</domaincheckpoint>"),
    }
}

fn write_disk(writer: &mut XmlWriter, disk: &CheckpointDisk) {
    writer.start_element("disk");
    write_escaped_attribute(writer, "name", &disk.name.value);
    let word = match disk.coverage {
        Coverage::Excluded => "no",
        Coverage::Bitmap => "bitmap",
        // What C prints for a word that is not in the table.
        Coverage::Unrecognized => "(null)",
    };
    write_escaped_attribute(writer, "checkpoint", word);
    if let Some(bitmap) = &disk.bitmap {
        write_escaped_attribute(writer, "bitmap", &bitmap.value);
    }
    writer.end_element();
}

/// Puts the text of a domain in, as the last element. There is a name at least, so the root is not written in one tag.
fn with_domain(text: &str, domain: &str) -> String {
    let before = text.strip_suffix("</domaincheckpoint>\n").unwrap_or(text);
    format!("{before}  {domain}\n</domaincheckpoint>\n")
}
