//! A backup → the text that libvirt prints.
//!
//! libvirt indents by two spaces a level, uses single quotes, closes elements without children with `/>`, ends the text
//! with a line feed, and writes attributes and children in a fixed order. There is one deliberate difference: libvirt
//! writes a tab, line feed or carriage return in an attribute value verbatim, so that reading its own output changes
//! the value; here they are written as character references.

use xmlwriter::{Indent, Options, XmlWriter};

use crate::backup::{
    Address, Backup, Cipher, Destination, Disk, Encryption, Ivgen, Labelling, Mode, PrivateData, Seclabel, Secret,
    Server, StorageType, yes_no,
};

/// The text that libvirt prints for `backup`.
#[must_use]
pub fn format(backup: &Backup) -> String {
    let mut writer =
        XmlWriter::new(Options { use_single_quote: true, indent: Indent::Spaces(2), attributes_indent: Indent::None });
    writer.backup(backup);
    writer.end_document()
}

/// Writes a checkpoint document with the given name and disks, each with or without a bitmap. Without disks there is no
/// `<disks>`.
pub(crate) fn format_new_checkpoint<'a>(name: &str, disks: impl Iterator<Item = (&'a str, bool)>) -> String {
    let mut writer =
        XmlWriter::new(Options { use_single_quote: true, indent: Indent::Spaces(2), attributes_indent: Indent::None });
    writer.start_element("domaincheckpoint");
    writer.text("name", name);
    let mut disks = disks.peekable();
    if disks.peek().is_some() {
        writer.start_element("disks");
        for (disk, has_bitmap) in disks {
            writer.start_element("disk");
            writer.attribute("name", disk);
            writer.attribute("checkpoint", if has_bitmap { "bitmap" } else { "no" });
            writer.end_element();
        }
        writer.end_element();
    }
    writer.end_element();
    writer.end_document()
}

/// One method per element.
trait Write {
    fn backup(&mut self, backup: &Backup);
    fn server(&mut self, server: &Server);
    fn disk(&mut self, disk: &Disk, mode: Mode);
    fn destination(&mut self, destination: &Destination, element: &str, storage_type: StorageType);
    fn seclabel(&mut self, seclabel: &Seclabel);
    fn encryption(&mut self, encryption: &Encryption);
    fn secret(&mut self, secret: &Secret);
    fn cipher(&mut self, cipher: &Cipher);
    fn ivgen(&mut self, ivgen: &Ivgen);
    fn private_data(&mut self, private_data: &PrivateData);
    fn text(&mut self, name: &str, value: &str);
    fn attribute(&mut self, name: &str, value: &str);
    fn optional(&mut self, name: &str, value: Option<&str>);
}

impl Write for XmlWriter {
    fn backup(&mut self, backup: &Backup) {
        self.start_element("domainbackup");
        self.attribute("mode", backup.mode.name());
        if let Some(incremental) = &backup.incremental {
            self.text("incremental", &incremental.value);
        }
        if let Some(server) = &backup.server {
            self.server(server);
        }
        if !backup.disks.is_empty() {
            self.start_element("disks");
            for disk in &backup.disks {
                self.disk(disk, backup.mode);
            }
            for _ in 0..backup.empty_disk_entries {
                self.start_element("disk");
                self.attribute("backup", "default");
                self.end_element();
            }
            self.end_element();
        }
        self.private_data(&backup.private_data);
        self.end_element();
    }

    fn server(&mut self, server: &Server) {
        self.start_element("server");
        let transport = match &server.address {
            Address::Tcp { .. } => "tcp",
            Address::Unix { .. } => "unix",
            Address::Fd { .. } => "fd",
        };
        self.attribute("transport", transport);
        self.optional("tls", server.tls.map(yes_no));
        match &server.address {
            Address::Tcp { name, port } => {
                self.attribute("name", &name.value);
                if *port != 0 {
                    self.write_attribute("port", port);
                }
            }
            Address::Unix { socket } => self.attribute("socket", &socket.value),
            Address::Fd { group } => self.attribute("fdgroup", &group.value),
        }
        self.end_element();
    }

    fn disk(&mut self, disk: &Disk, mode: Mode) {
        self.start_element("disk");
        self.attribute("name", &disk.name.value);
        self.attribute("backup", yes_no(disk.included));
        if disk.included {
            self.optional("state", disk.state.map(super::backup::State::name));
            self.attribute("type", disk.storage_type.value.name());
            self.optional("backupmode", disk.backupmode.as_ref().map(|mode| mode.value.name()));
            self.optional("incremental", disk.incremental.as_ref().map(|name| &*name.value));
            self.optional("exportname", disk.exportname.as_ref().map(|name| &*name.value));
            self.optional("exportbitmap", disk.exportbitmap.as_ref().map(|name| &*name.value));
            if disk.index != 0 {
                self.write_attribute("index", &disk.index);
            }
            if let Some(format) = &disk.format {
                self.start_element("driver");
                self.attribute("type", format.value.name());
                self.end_element();
            }
            if let Some(destination) = &disk.destination {
                let element = match mode {
                    Mode::Push => "target",
                    Mode::Pull => "scratch",
                };
                self.destination(destination, element, disk.storage_type.value);
            }
        }
        self.end_element();
    }

    fn destination(&mut self, destination: &Destination, element: &str, storage_type: StorageType) {
        if *destination == Destination::default() {
            return;
        }
        let path = match storage_type {
            StorageType::File => "file",
            StorageType::Block => "dev",
        };
        self.start_element(element);
        self.optional(path, destination.path.as_ref().map(|path| &*path.value));
        self.optional("fdgroup", destination.fdgroup.as_ref().map(|fdgroup| &*fdgroup.value));
        for seclabel in &destination.seclabels {
            self.seclabel(seclabel);
        }
        if let Some(encryption) = &destination.encryption {
            self.encryption(encryption);
        }
        self.end_element();
    }

    fn seclabel(&mut self, seclabel: &Seclabel) {
        self.start_element("seclabel");
        self.optional("model", seclabel.model.as_ref().map(|model| &*model.value));
        match seclabel.labelling {
            Labelling::Relabelled => self.attribute("relabel", "yes"),
            Labelling::Kept => self.attribute("relabel", "no"),
            Labelling::Skipped => self.attribute("labelskip", "yes"),
        }
        if let Some(label) = &seclabel.label {
            self.text("label", &label.value);
        }
        self.end_element();
    }

    fn encryption(&mut self, encryption: &Encryption) {
        self.start_element("encryption");
        self.attribute("format", encryption.format.name());
        self.optional("engine", encryption.engine.map(super::backup::EncryptionEngine::name));
        for secret in &encryption.secrets {
            self.secret(secret);
        }
        if let Some(cipher) = &encryption.cipher {
            self.cipher(cipher);
        }
        if let Some(ivgen) = &encryption.ivgen {
            self.ivgen(ivgen);
        }
        // libvirt closes an encryption with an end tag even when it is empty.
        self.set_preserve_whitespaces(true);
        self.write_text("");
        self.set_preserve_whitespaces(false);
        self.end_element();
    }

    fn secret(&mut self, secret: &Secret) {
        self.start_element("secret");
        self.attribute("type", "passphrase");
        match secret {
            Secret::Uuid(uuid) => self.attribute("uuid", uuid),
            Secret::Usage(usage) => self.attribute("usage", usage),
        }
        self.end_element();
    }

    fn cipher(&mut self, cipher: &Cipher) {
        self.start_element("cipher");
        self.attribute("name", &cipher.name);
        self.write_attribute("size", &cipher.size);
        self.optional("mode", cipher.mode.as_deref());
        self.optional("hash", cipher.hash.as_deref());
        self.end_element();
    }

    fn ivgen(&mut self, ivgen: &Ivgen) {
        self.start_element("ivgen");
        self.attribute("name", &ivgen.name);
        self.optional("hash", ivgen.hash.as_deref());
        self.end_element();
    }

    fn private_data(&mut self, private_data: &PrivateData) {
        if *private_data == PrivateData::default() {
            return;
        }
        self.start_element("privateData");
        self.start_element("objects");
        if let Some(alias) = &private_data.tls_secret_alias {
            self.start_element("secret");
            self.attribute("type", "tlskey");
            self.attribute("alias", alias);
            self.end_element();
        }
        if let Some(alias) = &private_data.tls_alias {
            self.start_element("TLSx509");
            self.attribute("alias", alias);
            self.end_element();
        }
        self.end_element();
        self.end_element();
    }

    /// An element that holds `value` and nothing else, on one line.
    fn text(&mut self, name: &str, value: &str) {
        write_text_element(self, name, value);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        write_escaped_attribute(self, name, value);
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }
}

pub(crate) fn write_text_element(writer: &mut XmlWriter, name: &str, value: &str) {
    writer.start_element(name);
    writer.set_preserve_whitespaces(true);
    writer.write_text(&escape(value, false));
    writer.end_element();
    // If left on, the line feed at the end of the document would be missing.
    writer.set_preserve_whitespaces(false);
}

pub(crate) fn write_escaped_attribute(writer: &mut XmlWriter, name: &str, value: &str) {
    writer.write_attribute_raw(name, |buffer| escape_into(buffer, value, true));
}

fn escape(value: &str, in_attribute: bool) -> String {
    let mut escaped = Vec::with_capacity(value.len());
    escape_into(&mut escaped, value, in_attribute);
    // Only ASCII characters were replaced, by ASCII.
    String::from_utf8(escaped).unwrap_or_default()
}

/// Escapes a value: xmlwriter escapes almost nothing itself.
///
/// Control characters cannot come from a document but may come from a suffix. libvirt drops them.
fn escape_into(buffer: &mut Vec<u8>, value: &str, in_attribute: bool) {
    for &byte in value.as_bytes() {
        match byte {
            b'&' => buffer.extend_from_slice(b"&amp;"),
            b'<' => buffer.extend_from_slice(b"&lt;"),
            b'>' => buffer.extend_from_slice(b"&gt;"),
            b'\'' => buffer.extend_from_slice(b"&apos;"),
            b'"' => buffer.extend_from_slice(b"&quot;"),
            b'\r' => buffer.extend_from_slice(b"&#13;"),
            b'\t' if in_attribute => buffer.extend_from_slice(b"&#9;"),
            b'\n' if in_attribute => buffer.extend_from_slice(b"&#10;"),
            0..=8 | 11 | 12 | 14..=31 => {}
            _ => buffer.push(byte),
        }
    }
}
