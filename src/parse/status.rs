//! libvirtd's own state files: the same element without the schema.
//!
//! Here libvirt's parser alone decides. It takes the first element and attribute of each name that it looks for, in
//! its own order, stops at nothing else, and checks the values it uses.

use crate::backup::{
    Address, Backup, BackupMode, Cipher, Destination, Disk, Encryption, EncryptionEngine, EncryptionFormat, Ivgen,
    Labelling, Mode, PrivateData, Seclabel, Secret, Server, Spanned, State, StorageFormat, StorageType, Text,
    Transport,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::DOMAINBACKUP;
use crate::syntax::{Attribute, Document, Element};
use crate::wording::{self, is_space, trim};

use super::destination::check_models;
use super::element::{Context, parser_refusal, text_in};
use super::text::text_of;

/// Types that libvirt knows for a disk's source, and not for a backup's destination.
const OTHER_STORAGE_TYPES: [&str; 6] = ["dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"];

/// Only libvirtd writes state files.
const HELP: &str = "pass the state file as libvirtd wrote it; leave out --status for a backup document";

/// Reads a state file; see [`super::parse`].
#[must_use]
pub fn parse(document: &Document<'_>, release: Release) -> (Option<Backup>, Vec<Diagnostic>) {
    let root = document.root();
    let mut context = Context::new(document.text(), release);
    if root.name() != DOMAINBACKUP.name {
        super::root::find(&mut context, root);
        return (None, context.finish());
    }
    let backup = StateFile { context: &mut context }.backup(root);
    (Some(backup), context.finish())
}

fn children<'a, 'i>(node: Element<'a, 'i>, name: &str) -> impl Iterator<Item = Element<'a, 'i>> {
    node.children().filter(move |child| child.is(name))
}

/// The methods read one element each.
struct StateFile<'r, 'i> {
    context: &'r mut Context<'i>,
}

impl<'i> StateFile<'_, 'i> {
    fn refuse(&mut self, span: Span, message: String, libvirt: String) {
        self.context.report(Diagnostic::new(Rule::InvalidStatus, span, message).help(HELP).libvirt(libvirt));
    }

    fn missing(&mut self, node: Element<'_, '_>, what: &str, libvirt: impl Into<String>) {
        let message = wording::missing_attribute(what, node.name());
        self.context.report(Diagnostic::new(Rule::MissingStatus, node.tag(), message).help(HELP).libvirt(libvirt));
    }

    /// An attribute that holds one of some words.
    fn word<T>(&mut self, node: Element<'_, 'i>, name: &str, from_name: impl Fn(&str) -> Option<T>) -> Option<T> {
        let attribute = node.any_attribute(name)?;
        self.word_in(node, attribute, from_name)
    }

    fn word_in<T>(
        &mut self,
        node: Element<'_, 'i>,
        attribute: Attribute<'_>,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let found = from_name(attribute.value);
        if found.is_none() {
            let Attribute { name, value, .. } = attribute;
            let libvirt = parser_refusal(self.context.release, node.name(), name, value);
            self.refuse(attribute.report_span(), wording::invalid_value(value, name, node.name()), libvirt);
        }
        found
    }

    fn yes_no(&mut self, node: Element<'_, 'i>, name: &str) -> Option<bool> {
        self.word(node, name, |word| match word {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })
    }

    fn backup(mut self, root: Element<'_, 'i>) -> Backup {
        let mode = self.word(root, "mode", Mode::from_name).unwrap_or(Mode::Push);
        let server = root.child("server").and_then(|server| self.server(server, mode));
        let disks: Vec<_> = children(root, "disks").flat_map(Element::children).collect();
        Backup {
            mode,
            incremental: root
                .child("incremental")
                .map(|node| Spanned::written(text_of(node, self.context.release), node.span()))
                .filter(|text| !text.value.is_empty()),
            server,
            disks: disks.into_iter().map(|disk| self.disk(disk, mode)).collect(),
            empty_disk_entries: 0,
            private_data: private_data(root),
            tag: Spanned::written((), root.tag()),
            disks_tag: Spanned::default(),
        }
    }

    fn server(&mut self, node: Element<'_, 'i>, mode: Mode) -> Option<Server> {
        if mode == Mode::Push {
            self.refuse(
                node.tag(),
                "<server> is not allowed in push mode".to_owned(),
                "unsupported configuration: use of <server> requires pull mode backup".to_owned(),
            );
            return None;
        }
        let transport = self.transport(node)?;
        let socket = text(node, "socket");
        match (&socket, transport) {
            (Some(socket), Transport::Tcp | Transport::Fd) => self.refuse_socket(node, socket.place(), transport),
            (Some(socket), Transport::Unix) if !socket.value.starts_with('/') => {
                let libvirt = format!("XML error: backup socket path '{}' must be absolute", socket.value);
                self.refuse(socket.place(), wording::not_absolute(&socket.value, "socket"), libvirt);
            }
            _ => {}
        }
        let address = match transport {
            Transport::Tcp => {
                let name = self.required(node, "name", "XML error: missing name for host");
                let port = self.port(node);
                name.map(|name| Address::Tcp { name, port })
            }
            Transport::Unix => self
                .required(node, "socket", "XML error: missing socket for unix transport")
                .map(|socket| Address::Unix { socket }),
            Transport::Fd => self
                .required(node, "fdgroup", "XML error: Missing required attribute 'fdgroup' in element 'server'")
                .map(|group| Address::Fd { group }),
        };
        let tls = self.yes_no(node, "tls");
        Some(Server { address: address?, tls, tag: Spanned::written((), node.tag()) })
    }

    fn required(&mut self, node: Element<'_, 'i>, name: &str, libvirt: &str) -> Option<Text> {
        let found = text(node, name);
        if found.is_none() {
            self.missing(node, name, libvirt);
        }
        found
    }

    fn transport(&mut self, node: Element<'_, 'i>) -> Option<Transport> {
        let Some(attribute) = node.any_attribute("transport") else { return Some(Transport::Tcp) };
        let known = Transport::from_name(attribute.value)
            .filter(|transport| *transport != Transport::Fd || self.context.release >= Release::V11_3_0);
        if known.is_none() {
            let libvirt = match attribute.value {
                "rdma" => "unsupported configuration: transport rdma is not supported for <server>".to_owned(),
                value => parser_refusal(self.context.release, "server", "transport", value),
            };
            self.refuse(
                attribute.report_span(),
                wording::invalid_value(attribute.value, "transport", "server"),
                libvirt,
            );
            if attribute.value == "rdma" {
                // Known, and refused only once the rest has been read.
                self.port(node);
                if node.any_attribute("socket").is_some() {
                    let libvirt = "XML error: transport 'rdma' does not support socket attribute".to_owned();
                    self.refuse(
                        attribute.span,
                        format!("{} when transport='rdma'", wording::attribute_not_allowed("socket", "server")),
                        libvirt,
                    );
                }
                if node.any_attribute("name").is_none() {
                    self.missing(node, "name", "XML error: missing name for host");
                }
            }
        }
        known
    }

    fn refuse_socket(&mut self, node: Element<'_, 'i>, span: Span, transport: Transport) {
        // The older release prints the attribute, and so nothing when it is absent.
        let written = node.any_attribute("transport").is_some() || self.context.release >= Release::V11_3_0;
        let name = if written { transport.name() } else { "(null)" };
        let libvirt = format!("XML error: transport '{name}' does not support socket attribute");
        self.refuse(
            span,
            format!("{} when transport='{}'", wording::attribute_not_allowed("socket", "server"), transport.name()),
            libvirt,
        );
    }

    fn port(&mut self, node: Element<'_, 'i>) -> u16 {
        let Some(attribute) = node.any_attribute("port") else { return 0 };
        let number = lenient_number(attribute.value);
        if let Some(port) = number.and_then(|number| u16::try_from(number).ok()) {
            return port;
        }
        let libvirt = match number {
            Some(_) => format!("invalid argument: port '{}' out of range", attribute.value),
            None => format!("invalid argument: failed to parse port number '{}'", attribute.value),
        };
        self.refuse(attribute.report_span(), wording::port_out_of_range(attribute.value), libvirt);
        0
    }

    fn disk(&mut self, node: Element<'_, 'i>, mode: Mode) -> Disk {
        let span = node.tag();
        let name = text(node, "name");
        if name.is_none() {
            self.missing(node, "name", "XML error: missing name from disk backup element");
        }
        let included = self.yes_no(node, "backup").unwrap_or(true);
        let mut disk = Disk {
            included,
            ..Disk::new(name.unwrap_or(Spanned::written(String::new(), span)), Spanned::written((), span))
        };
        // libvirt reads nothing else of an excluded disk.
        if included {
            self.read_included_disk(&mut disk, node, mode);
        }
        disk
    }

    fn read_included_disk(&mut self, disk: &mut Disk, node: Element<'_, 'i>, mode: Mode) {
        if mode == Mode::Pull {
            disk.exportname = text(node, "exportname");
            disk.exportbitmap = text(node, "exportbitmap");
        }
        // The empty word is the name of "not said" in libvirt's tables of modes and of states.
        disk.backupmode = self
            .word(node, "backupmode", |word| match word {
                "" => Some(None),
                word => BackupMode::from_name(word).map(Some),
            })
            .flatten()
            .map(|value| Spanned { value, span: disk.tag.span });
        disk.incremental = text(node, "incremental");
        if node.any_attribute("state").is_none() {
            let element = node.name();
            self.missing(
                node,
                "state",
                format!("XML error: Missing required attribute 'state' in element '{element}'"),
            );
        }
        let state = self.word(node, "state", |word| match word {
            "" => Some(None),
            word => State::from_name(word).map(Some),
        });
        disk.state = state.flatten();
        disk.storage_type = Spanned::implied(self.storage_type(node));
        disk.format = self.format(node);
        disk.index = self.index(node);
        let element = match mode {
            Mode::Push => "target",
            Mode::Pull => "scratch",
        };
        let destination = node.child(element).map(|destination| self.destination(destination, disk.storage_type.value));
        // One that says nothing is written as none.
        disk.destination = destination.filter(|destination| *destination != Destination::default()).map(Box::new);
    }

    fn storage_type(&mut self, node: Element<'_, 'i>) -> StorageType {
        let Some(attribute) = node.any_attribute("type") else { return StorageType::File };
        if let Some(storage_type) = StorageType::from_name(attribute.value) {
            return storage_type;
        }
        let known = OTHER_STORAGE_TYPES.iter().any(|other| {
            *other == attribute.value && (*other != "vhostvdpa" || self.context.release >= Release::V11_3_0)
        });
        let libvirt = if known {
            format!("XML error: unsupported disk backup type '{}'", attribute.value)
        } else {
            parser_refusal(self.context.release, "disk", "type", attribute.value)
        };
        self.refuse(attribute.report_span(), wording::invalid_value(attribute.value, "type", "disk"), libvirt);
        StorageType::File
    }

    fn format(&mut self, node: Element<'_, 'i>) -> Option<Spanned<StorageFormat>> {
        let attribute = children(node, "driver").find_map(|driver| driver.unprefixed_attribute("type"))?;
        // An empty format is no format.
        let format = StorageFormat::from_name(attribute.value);
        if format.is_none() && !attribute.value.is_empty() {
            let libvirt = parser_refusal(self.context.release, "driver", "type", attribute.value);
            self.refuse(attribute.report_span(), wording::invalid_value(attribute.value, "type", "driver"), libvirt);
        }
        format.map(|value| Spanned::written(value, attribute.report_span()))
    }

    fn index(&mut self, node: Element<'_, 'i>) -> u32 {
        let Some(attribute) = node.any_attribute("index") else { return 0 };
        lenient_number(attribute.value).unwrap_or_else(|| {
            let libvirt = format!("XML error: invalid storage source index '{}'", attribute.value);
            self.refuse(
                attribute.report_span(),
                wording::invalid_value(attribute.value, "index", node.name()),
                libvirt,
            );
            0
        })
    }

    fn destination(&mut self, node: Element<'_, 'i>, storage_type: StorageType) -> Destination {
        let path = match storage_type {
            StorageType::File => "file",
            StorageType::Block => "dev",
        };
        let fdgroup = text(node, "fdgroup").filter(|_| storage_type == StorageType::File);
        let encryption = node.child("encryption").and_then(|encryption| self.encryption(encryption));
        let seclabels: Vec<_> = children(node, "seclabel").map(|seclabel| self.seclabel(seclabel)).collect();
        let elements = children(node, "seclabel");
        check_models(self.context, seclabels.iter().map(|seclabel| seclabel.model.as_ref()).zip(elements));
        Destination {
            has_unreadable_path: false,
            path: text(node, path).filter(|path| !path.value.is_empty()),
            fdgroup,
            seclabels,
            encryption: encryption.map(Box::new),
        }
    }

    fn seclabel(&mut self, node: Element<'_, 'i>) -> Seclabel {
        let model = text(node, "model");
        let relabel = self.yes_no(node, "relabel").unwrap_or(true);
        let labelskip = self.yes_no(node, "labelskip").unwrap_or(false);
        let label = node
            .child("label")
            .map(|label| Spanned::written(text_of(label, self.context.release), label.span()))
            .filter(|label| !label.value.is_empty() && label.value.len() <= super::destination::MAX_LABEL_LENGTH);
        if let (Some(label), false) = (&label, relabel) {
            let model = model.as_ref().map_or("<null>", |model| &model.value);
            let libvirt = format!("XML error: Cannot specify a label if relabelling is turned off. model={model}");
            self.refuse(label.place(), "<label> is not allowed with relabel='no'".to_owned(), libvirt);
        }
        let labelling = match (labelskip, relabel) {
            (true, _) => Labelling::Skipped,
            (false, false) => Labelling::Kept,
            (false, true) => Labelling::Relabelled,
        };
        Seclabel { model, labelling, label }
    }

    fn encryption(&mut self, node: Element<'_, 'i>) -> Option<Encryption> {
        let Some(format) = node.unprefixed_attribute("format").filter(|format| !format.value.is_empty()) else {
            self.missing(node, "format", "XML error: unknown volume encryption format");
            return None;
        };
        let release = self.context.release;
        let format = self.word_in(node, format, |word| {
            EncryptionFormat::from_name(word)
                .filter(|format| *format != EncryptionFormat::LuksAny || release > Release::V9_0_0)
        })?;
        let engine = self.word(node, "engine", EncryptionEngine::from_name);
        let secrets = children(node, "secret").filter_map(|secret| self.secret(secret)).collect();
        let (cipher, ivgen) = match format {
            EncryptionFormat::Luks => self.cipher_and_ivgen(node),
            _ => (None, None),
        };
        Some(Encryption { format, engine, secrets, cipher, ivgen, tag: Spanned::written((), node.tag()) })
    }

    fn secret(&mut self, node: Element<'_, 'i>) -> Option<Secret> {
        let Some(kind) = node.unprefixed_attribute("type").filter(|kind| !kind.value.is_empty()) else {
            self.missing(node, "type", "XML error: unknown volume encryption secret type");
            return None;
        };
        self.word_in(node, kind, |word| (word == "passphrase").then_some(()))?;
        match (node.any_attribute("uuid"), value(node, "usage")) {
            (None, None) => {
                self.missing(node, "uuid` or `usage", "XML error: missing secret uuid or usage attribute");
                None
            }
            (Some(uuid), Some(_)) if self.context.release < Release::V12_8_0 || lenient_uuid(uuid.value).is_some() => {
                let libvirt = "XML error: either secret uuid or usage expected".to_owned();
                self.refuse(
                    uuid.span,
                    "attribute `usage` is not allowed with `uuid`: both name the secret".to_owned(),
                    libvirt,
                );
                None
            }
            (None, Some(usage)) => Some(Secret::Usage(usage)),
            (Some(uuid), _) => {
                let read = lenient_uuid(uuid.value);
                if read.is_none() {
                    let libvirt = if self.context.release >= Release::V12_8_0 {
                        format!(
                            "XML error: Invalid value for attribute 'uuid' in element 'secret': '{}'. Expected UUID",
                            uuid.value
                        )
                    } else {
                        format!("XML error: invalid secret uuid '{}'", uuid.value)
                    };
                    self.refuse(uuid.report_span(), wording::invalid_value(uuid.value, "uuid", "secret"), libvirt);
                }
                read.map(Secret::Uuid)
            }
        }
    }

    fn cipher_and_ivgen(&mut self, node: Element<'_, 'i>) -> (Option<Cipher>, Option<Ivgen>) {
        let cipher = node.child("cipher");
        let ivgen = node.child("ivgen");
        let Some(cipher) = cipher else {
            if let Some(ivgen) = ivgen {
                let libvirt = "XML error: ivgen element found, but cipher is missing".to_owned();
                self.refuse(
                    ivgen.tag(),
                    format!("{}: required with <ivgen>", wording::missing_element("cipher")),
                    libvirt,
                );
            }
            return (None, None);
        };
        let cipher = self.cipher(cipher);
        let ivgen = ivgen.map(|node| {
            if node.any_attribute("name").is_none() {
                self.missing(node, "name", "XML error: missing ivgen info name string");
            }
            Ivgen {
                name: value(node, "name").unwrap_or_default(),
                hash: value(node, "hash"),
                tag: Spanned::written((), node.tag()),
            }
        });
        (Some(cipher), ivgen)
    }

    fn cipher(&mut self, node: Element<'_, 'i>) -> Cipher {
        if node.any_attribute("name").is_none() {
            self.missing(node, "name", "XML error: cipher info missing 'name' attribute");
        }
        let size = match node.any_attribute("size") {
            None => {
                self.missing(node, "size", "XML error: Missing required attribute 'size' in element 'cipher'");
                0
            }
            Some(size) => lenient_number(size.value).unwrap_or_else(|| {
                let libvirt = format!(
                    "XML error: Invalid value for attribute 'size' in element 'cipher': '{}'. Expected non-negative integer value",
                    size.value
                );
                self.refuse(size.report_span(), wording::invalid_value(size.value, "size", "cipher"), libvirt);
                0
            }),
        };
        Cipher {
            name: value(node, "name").unwrap_or_default(),
            size,
            mode: value(node, "mode"),
            hash: value(node, "hash"),
            tag: Spanned::written((), node.tag()),
        }
    }
}

fn text(node: Element<'_, '_>, name: &str) -> Option<Text> {
    node.any_attribute(name).as_ref().map(text_in)
}

fn value(node: Element<'_, '_>, name: &str) -> Option<String> {
    node.any_attribute(name).map(|attribute| attribute.value.to_string())
}

fn private_data(root: Element<'_, '_>) -> PrivateData {
    let objects = || children(root, "privateData").flat_map(|data| children(data, "objects"));
    let alias = |node: Element<'_, '_>| node.unprefixed_attribute("alias").map(|alias| alias.value.to_string());
    let of_tls_key =
        |node: &Element<'_, '_>| node.unprefixed_attribute("type").is_some_and(|kind| kind.value == "tlskey");
    let mut secrets = objects().flat_map(|objects| children(objects, "secret")).filter(of_tls_key);
    let mut credentials = objects().flat_map(|objects| children(objects, "TLSx509"));
    PrivateData {
        tls_secret_alias: secrets.find_map(alias).filter(|alias| !alias.is_empty()),
        tls_alias: credentials.find_map(alias).filter(|alias| !alias.is_empty()),
    }
}

/// A number as the C library reads it: white space and a plus sign may stand before it.
fn lenient_number(value: &str) -> Option<u32> {
    let digits = value.trim_start_matches(is_space);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    crate::schema::number(digits)
}

/// A UUID as libvirt's parser reads it: white space around it, and hyphens and spaces between its bytes.
fn lenient_uuid(value: &str) -> Option<String> {
    let mut rest = trim(value);
    let mut digits = String::with_capacity(32);
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['-', ' ']);
        let (byte, after) = rest.split_at_checked(2)?;
        digits.push_str(byte);
        rest = after;
    }
    crate::schema::canonical_uuid(&digits).filter(|_| digits.len() == 32)
}
