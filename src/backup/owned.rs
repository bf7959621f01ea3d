//! Conversion into backups that do not borrow from the document.

use std::borrow::Cow;

use super::{
    Backup, Cipher, Destination, Disk, Encryption, Ivgen, PrivateData, Seclabel, Secret, Server, Spanned, Text,
};

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn owned_text(text: Text<'_>) -> Text<'static> {
    Spanned { value: owned(text.value), span: text.span }
}

impl Backup<'_> {
    /// Copies all text that is borrowed from the document.
    #[must_use]
    pub fn into_owned(self) -> Backup<'static> {
        Backup {
            mode: self.mode,
            incremental: self.incremental.map(owned_text),
            server: self.server.map(Server::into_owned),
            disks: self.disks.into_iter().map(Disk::into_owned).collect(),
            empty_disk_entries: self.empty_disk_entries,
            private_data: PrivateData {
                tls_secret_alias: self.private_data.tls_secret_alias.map(owned),
                tls_alias: self.private_data.tls_alias.map(owned),
            },
            tag: self.tag,
            disks_tag: self.disks_tag,
            ignored: self.ignored,
        }
    }
}

impl Server<'_> {
    fn into_owned(self) -> Server<'static> {
        Server {
            transport: self.transport,
            tls: self.tls,
            name: self.name.map(owned_text),
            port: self.port,
            socket: self.socket.map(owned_text),
            fdgroup: self.fdgroup.map(owned_text),
            tag: self.tag,
        }
    }
}

impl Disk<'_> {
    fn into_owned(self) -> Disk<'static> {
        Disk {
            name: owned_text(self.name),
            included: self.included,
            storage_type: self.storage_type,
            written_type: self.written_type,
            backupmode: self.backupmode,
            incremental: self.incremental.map(owned_text),
            exportname: self.exportname.map(owned_text),
            exportbitmap: self.exportbitmap.map(owned_text),
            format: self.format,
            destination: self.destination.map(|destination| Box::new(destination.into_owned())),
            state: self.state,
            index: self.index,
            tag: self.tag,
        }
    }
}

impl Destination<'_> {
    fn into_owned(self) -> Destination<'static> {
        Destination {
            path: self.path.map(owned_text),
            fdgroup: self.fdgroup.map(owned_text),
            seclabels: self.seclabels.into_iter().map(Seclabel::into_owned).collect(),
            encryption: self.encryption.map(|encryption| Box::new(encryption.into_owned())),
        }
    }
}

impl Seclabel<'_> {
    fn into_owned(self) -> Seclabel<'static> {
        Seclabel {
            model: self.model.map(owned_text),
            labelskip: self.labelskip,
            relabel: self.relabel,
            label: self.label.map(owned_text),
        }
    }
}

impl Encryption<'_> {
    fn into_owned(self) -> Encryption<'static> {
        let secret = |secret| match secret {
            Secret::Uuid(uuid) => Secret::Uuid(uuid),
            Secret::Usage(usage) => Secret::Usage(owned(usage)),
        };
        let cipher = |cipher: Cipher<'_>| Cipher {
            name: owned(cipher.name),
            size: cipher.size,
            mode: cipher.mode.map(owned),
            hash: cipher.hash.map(owned),
            tag: cipher.tag,
        };
        let ivgen = |ivgen: Ivgen<'_>| Ivgen { name: owned(ivgen.name), hash: ivgen.hash.map(owned), tag: ivgen.tag };
        Encryption {
            format: self.format,
            engine: self.engine,
            secrets: self.secrets.into_iter().map(secret).collect(),
            cipher: self.cipher.map(cipher),
            ivgen: self.ivgen.map(ivgen),
            tag: self.tag,
        }
    }
}
