//! Document → `Backup`: every departure from libvirt's schema and from what its parser checks, found in one pass.
//!
//! A departure is reported and reading goes on with what was most likely meant, so that a mistake in one place hides
//! nothing in another and does not show up a second time elsewhere.

mod blame;
mod element;
mod server;
mod status;
mod store;
mod strangers;
mod text;

use std::borrow::Cow;

use roxmltree::{Document, Node};

use crate::backup::{
    Backup, BackupMode, Disk, Dropped, DroppedWhat, Mode, PrivateData, Spanned, StorageFormat, StorageType, Store,
    Text, Written,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::{
    DISKS, DOMAINBACKUP, INCREMENTAL, LABEL, PULL_DISK, PULL_DRIVER, PUSH_DISK, PUSH_DRIVER, SCRATCH, SERVER, TARGET,
    Value, is_nvme_name,
};

use element::name_span;

pub(crate) use element::{Attribute, Fields, Reader, namespace, read, start_tag};
pub use status::parse as parse_status;
pub(crate) use strangers::{nearest, quoted};
pub(crate) use text::text_of;

/// Reads a backup as `virsh backup-begin` would.
///
/// Returns what could be made of it, `None` when the root is another element altogether, and the findings. With a
/// finding, the backup is a best guess, good for looking at further but not for writing.
#[must_use]
pub fn parse<'i>(document: &Document<'i>, release: Release) -> (Option<Backup<'i>>, Vec<Diagnostic>) {
    let root = document.root_element();
    let mut reader = Reader::new(document.input_text(), release);
    if let Some(diagnostic) = check_root(root) {
        let understood = diagnostic.rule == Rule::WrongRoot && !diagnostic.fixes.is_empty();
        reader.report(diagnostic);
        if !understood {
            return (None, reader.finish());
        }
    }
    let backup = parse_backup(&mut reader, root);
    let disks_fit_push = |disks: Node<'_, '_>| {
        let mut reader = Reader::new(document.input_text(), release);
        parse_disk_list(&mut reader, disks, Mode::Push);
        reader.diagnostics.iter().all(|diagnostic| diagnostic.libvirt.is_some())
    };
    blame::fill_in(&mut reader.diagnostics, root, backup.mode, disks_fit_push);
    (Some(backup), reader.finish())
}

/// Whether the root is `domainbackup`, in no namespace; otherwise what to say.
fn check_root(root: Node<'_, '_>) -> Option<Diagnostic> {
    let name = root.tag_name().name();
    if let Some(namespace) = element::namespace(root)
        && name == DOMAINBACKUP.name
    {
        let message = format!("<domainbackup> is in the namespace {}", quoted(namespace));
        let diagnostic = match strangers::namespace_declaration(root) {
            Some(declaration) => {
                let fix = Span { start: declaration.start - 1, ..declaration };
                Diagnostic::new(Rule::Namespace, declaration, message).unsafe_fix("remove xmlns", fix, "")
            }
            None => Diagnostic::new(Rule::Namespace, start_tag(root), message),
        };
        return Some(
            diagnostic.help("remove xmlns: libvirt's elements are in no namespace").libvirt(blame::root_in_namespace()),
        );
    }
    if name == DOMAINBACKUP.name {
        return None;
    }
    let written = name_span(root);
    let diagnostic = Diagnostic::new(Rule::WrongRoot, written, wrong_root(name))
        .libvirt(format!("XML error: expecting root element of 'domainbackup', not '{name}'"));
    Some(match name {
        "domain" => diagnostic.help("give the domain with --domain, and the backup as the file to check"),
        "domaincheckpoint" => {
            diagnostic.help("virsh backup-begin takes the backup first and the checkpoint second: are they swapped?")
        }
        _ => match nearest(name, std::iter::once(DOMAINBACKUP.name)) {
            Some(meant) => strangers::rename(
                diagnostic.help(strangers::meant_help(name, meant, &format!("<{meant}>"))),
                root,
                meant,
                strangers::is_slip(name, meant),
            ),
            None => diagnostic.help("a backup is a <domainbackup>"),
        },
    })
}

/// Which kind of document a root element belongs to.
fn wrong_root(name: &str) -> String {
    let kind = match name {
        "domain" => "a domain",
        "domstatus" => "the state of a running domain",
        "domaincheckpoint" => "a checkpoint",
        "domainsnapshot" => "a snapshot",
        "disk" => "a disk",
        "network" => "a network",
        "pool" => "a storage pool",
        "volume" => "a storage volume",
        "secret" => "a secret",
        "capabilities" => "a host's capabilities",
        "domainCapabilities" => "a hypervisor's capabilities",
        "interface" => "a network interface",
        "device" => "a host device",
        "filter" => "a network filter",
        _ => return format!("the root element is {}, not domainbackup", quoted(name)),
    };
    format!("this is {kind}, not a backup: its root element is <{name}>")
}

fn parse_backup<'i>(reader: &mut Reader<'i>, root: Node<'_, 'i>) -> Backup<'i> {
    let fields = read(reader, root, &DOMAINBACKUP);
    let mode = effective_mode(reader, &fields);
    let server = fields.child("server").map(|server| {
        let found = read(reader, server, &SERVER);
        server::parse(reader, &found)
    });
    let disks = parse_disks(reader, &fields, mode);
    let incremental = fields.child("incremental").and_then(|node| {
        let text = parse_text(reader, node, &INCREMENTAL);
        if text.is_none() {
            reader.dropped.push(Dropped { span: node.range().into(), what: DroppedWhat::EmptyIncremental });
        }
        text
    });
    // One that stands in a wrong place, or goes by another name, is there all the same.
    let misplaced = reader.misplaced("incremental").or_else(|| fields.unclear.then(|| fields.tag()));
    let misplaced = misplaced.map(|span| Spanned { value: Cow::Borrowed("checkpoint"), span });
    Backup {
        mode,
        incremental: incremental.or(misplaced),
        server,
        disks,
        blanks: 0,
        private_data: PrivateData::default(),
        tag: Spanned { value: (), span: fields.tag() },
        disks_tag: Written(fields.child("disks").map(start_tag)),
        dropped: Written(std::mem::take(&mut reader.dropped)),
    }
}

/// The text of an element that holds nothing else; empty text is none.
fn parse_text<'i>(
    reader: &mut Reader<'i>,
    node: Node<'_, 'i>,
    shape: &'static crate::schema::Shape,
) -> Option<Text<'i>> {
    read(reader, node, shape);
    Some(Spanned { value: text_of(node, reader.release), span: node.range().into() })
        .filter(|text| !text.value.is_empty())
}

/// The mode that the document means, which is what it says unless everything else says otherwise.
fn effective_mode(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) -> Mode {
    let said = fields.word("mode").and_then(Mode::from_name);
    let server = fields.child("server").map(start_tag);
    let written = fields.get("mode");
    match (said, server) {
        (Some(Mode::Pull), Some(_)) | (Some(Mode::Push), None) => said.unwrap_or(Mode::Push),
        (None, None) if written.is_none() => Mode::Push,
        (None, _) if written.is_some() => {
            // The word is reported already; go on with what the rest of the document is written for.
            if server.is_some() || evidence(fields).pull > 0 { Mode::Pull } else { Mode::Push }
        }
        (Some(Mode::Pull), None) => pull_without_server(reader, fields),
        (_, Some(server)) => push_with_server(reader, fields, server),
        (None, None) => Mode::Push,
    }
}

/// How many things in the disks belong to one mode only.
#[derive(Default)]
struct Evidence {
    push: usize,
    pull: usize,
}

fn evidence(fields: &Fields<'_, '_>) -> Evidence {
    let disks = fields.child("disks").into_iter().flat_map(|disks| disks.children());
    let mut evidence = Evidence::default();
    for disk in disks.filter(Node::is_element) {
        for child in disk.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "target" => evidence.push += 1,
                "scratch" => evidence.pull += 1,
                "driver" if child.attribute("type") != Some("qcow2") => evidence.push += 1,
                _ => {}
            }
        }
        let has_scratch = disk.children().any(|child| child.tag_name().name() == "scratch");
        let is_block = disk.attribute("type") == Some("block");
        let says_yes = disk.attribute("backup") == Some("yes") && !disk.has_attribute("type");
        evidence.push += usize::from(says_yes || is_block && !has_scratch);
        evidence.pull += disk.attributes().filter(|attribute| attribute.name().starts_with("export")).count();
    }
    evidence
}

/// `mode='pull'` and no server: either the server is missing, or the whole document is a push.
fn pull_without_server(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) -> Mode {
    let evidence = evidence(fields);
    if let Some(mode) = fields.get("mode")
        && evidence.push > 0
        && evidence.pull == 0
    {
        let diagnostic = Diagnostic::new(
            Rule::WrongMode,
            mode.blamed(),
            "mode='pull' has no <server>, and its disks have targets as in push mode",
        )
        .help("write mode='push'; or add a <server> and give each disk a <scratch>")
        .unsafe_fix("write push", mode.value_span, "push");
        reader.report(diagnostic);
        return Mode::Push;
    }
    let diagnostic = Diagnostic::new(Rule::MissingServer, fields.tag(), "a pull mode backup has no <server>")
        .help("add <server transport='unix' socket='/path/to/socket'/> or <server name='localhost' port='10809'/>");
    let diagnostic = match fields.get("mode") {
        Some(mode) => diagnostic.also(mode.span, "this asks for one"),
        None => diagnostic,
    };
    reader.report_missing("server", diagnostic);
    Mode::Pull
}

/// A server and not `mode='pull'`: either the mode is wrong, or the server is one too many.
fn push_with_server(reader: &mut Reader<'_>, fields: &Fields<'_, '_>, server: Span) -> Mode {
    let evidence = evidence(fields);
    let help = "write mode='pull'; or remove <server>, which a push mode backup does not have";
    match fields.get("mode") {
        None if evidence.push == 0 => {
            let diagnostic = Diagnostic::new(
                Rule::WrongMode,
                fields.tag(),
                "mode='pull' is not written, and without it a backup is in push mode, which has no <server>",
            )
            .also(server, "this is for pull mode")
            .help(help)
            .unsafe_fix("add mode='pull'", name_span(fields.node).after(), " mode='pull'");
            reader.report_missing("mode", diagnostic);
            Mode::Pull
        }
        Some(mode) if evidence.push == 0 => {
            let diagnostic = Diagnostic::new(
                Rule::WrongMode,
                mode.blamed(),
                match evidence.pull {
                    0 => "mode='push' goes with no <server>, but there is one",
                    _ => "mode='push' has a <server>, and its disks are written as in pull mode",
                },
            )
            .also(server, "this is for pull mode")
            .help(help)
            .unsafe_fix("write pull", mode.value_span, "pull");
            reader.report(diagnostic);
            Mode::Pull
        }
        mode => {
            let diagnostic = Diagnostic::new(Rule::ServerInPush, server, "a push mode backup has no <server>")
                .help("remove <server>; or write mode='pull' and give each disk a <scratch> for its <target>");
            let diagnostic = match mode {
                Some(mode) => diagnostic.also(mode.span, "the mode is push"),
                None => diagnostic,
            };
            let diagnostic = match fields.child("server") {
                Some(server) => {
                    diagnostic.unsafe_fix("remove <server>", reader.with_space_before(server.range().into()), "")
                }
                None => diagnostic,
            };
            reader.report(diagnostic);
            Mode::Push
        }
    }
}

fn parse_disks<'i>(reader: &mut Reader<'i>, root: &Fields<'_, 'i>, mode: Mode) -> Vec<Disk<'i>> {
    let mut disks = root.child("disks").map(|node| parse_disk_list(reader, node, mode)).unwrap_or_default();
    disks.extend(root.many.iter().map(|disk| parse_disk(reader, *disk, mode)));
    disks
}

fn parse_disk_list<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>, mode: Mode) -> Vec<Disk<'i>> {
    let fields = read(reader, node, &DISKS);
    if fields.many.is_empty() && !fields.unclear {
        let diagnostic = Diagnostic::new(Rule::EmptyDisks, fields.tag(), "<disks> lists no disk")
            .help("list a <disk>, or remove <disks> to back up every disk of the domain")
            .unsafe_fix("remove <disks>", reader.with_space_before(node.range().into()), "");
        reader.report_missing("disk", diagnostic);
    }
    fields.many.iter().map(|disk| parse_disk(reader, *disk, mode)).collect()
}

/// A disk as far as it has been read.
struct DiskFields<'a, 'i> {
    fields: Fields<'a, 'i>,
    mode: Mode,
    /// `file` or `dev`, if there is a destination that says.
    destination: Option<Fields<'a, 'i>>,
}

fn parse_disk<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>, mode: Mode) -> Disk<'i> {
    let (shape, driver_shape, store_shape, store_name) = match mode {
        Mode::Push => (&PUSH_DISK, &PUSH_DRIVER, &TARGET, "target"),
        Mode::Pull => (&PULL_DISK, &PULL_DRIVER, &SCRATCH, "scratch"),
    };
    if let Some(disk) = parse_domain_disk(reader, node) {
        return disk;
    }
    let fields = read(reader, node, shape);
    check_name(reader, &fields);
    check_backupmode(reader, &fields);

    let left_out = fields.word("backup") == Some("no");
    if left_out {
        check_left_out(reader, &fields);
    }
    let format =
        fields.child("driver").filter(|_| !left_out).and_then(|driver| parse_driver(reader, driver, driver_shape));
    // What stands in the destination of a kind that no backup has is no mistake of its own.
    let foreign = fields.get("type").is_some_and(|kind| strangers::FOREIGN_TYPES.contains(&kind.value));
    let unread = left_out || foreign;
    let destination = fields.child(store_name).filter(|_| !unread).map(|store| read(reader, store, store_shape));
    let disk = DiskFields { fields, mode, destination };
    let storage_type = if unread { StorageType::File } else { check_destination(reader, &disk) };
    let mut store = disk.destination.as_ref().map(|found| Box::new(store::parse(reader, found, storage_type)));
    if store.is_none() && !left_out && (foreign || disk.fields.unclear || disk.lacks_scratch(storage_type)) {
        // There is a destination, it just cannot be read: alignment must not go looking for another.
        store = Some(Box::new(Store { path: Some(unreadable()), ..Store::default() }));
    }
    let fields = disk.fields;
    let tag = fields.tag();
    let name = reader.text_in(fields.get("name")).unwrap_or(Spanned { value: Cow::Borrowed(""), span: tag });
    let new = Disk::new(name, tag);
    if left_out {
        // libvirt reads nothing else of it.
        for name in ["backupmode", "incremental", "exportname", "exportbitmap"] {
            if let Some(attribute) = fields.get(name) {
                reader.dropped.push(Dropped { span: attribute.span, what: DroppedWhat::OfLeftOutDisk(name) });
            }
        }
        return Disk { backup: false, format, store, ..new };
    }
    let written_type = fields.get("type").map(|attribute| Spanned { value: storage_type, span: attribute.span });
    Disk {
        storage_type,
        written_type: Written(written_type),
        backupmode: backupmode(&fields),
        incremental: reader.text_in(fields.get("incremental")),
        exportname: reader.text_in(fields.get("exportname")),
        exportbitmap: reader.text_in(fields.get("exportbitmap")),
        format,
        store,
        ..new
    }
}

/// A disk that was copied out of a domain: one mistake, whatever the schema makes of its parts.
fn parse_domain_disk<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Option<Disk<'i>> {
    let child = |name: &str| node.children().find(|child| child.tag_name().name() == name);
    let has_domains_target = child("target").is_some_and(|target| {
        target.has_attribute("bus") && target.attribute("dev").is_some_and(|dev| Value::DiskName.accepts(dev))
    });
    let has_name = node.has_attribute("name");
    let is_domains = has_domains_target || !has_name && (node.has_attribute("device") || child("source").is_some());
    if !is_domains {
        return None;
    }
    let tag = start_tag(node);
    let name = child("target").and_then(|target| target.attribute("dev")).unwrap_or("TARGET").to_owned();
    let diagnostic = Diagnostic::new(Rule::DomainDisk, tag, "this is a <disk> of a domain, not of a backup")
        .help(format!("write <disk name='{name}'/>: a backup names the domain's disk, and says where its copy goes"))
        .unsafe_fix("write a backup's disk", node.range().into(), format!("<disk name='{name}'/>"));
    reader.report(diagnostic);
    Some(Disk { backup: false, ..Disk::new(Spanned { value: Cow::Owned(name), span: tag }, tag) })
}

fn unreadable<'i>() -> Text<'i> {
    Spanned { value: Cow::Borrowed("/"), span: Span::default() }
}

fn backupmode(fields: &Fields<'_, '_>) -> Option<Spanned<BackupMode>> {
    let span = fields.get("backupmode")?.blamed();
    let value = fields.word("backupmode").and_then(BackupMode::from_name)?;
    Some(Spanned { value, span })
}

fn check_name(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) {
    let Some(name) = fields.get("name") else { return };
    if reader.release < Release::V12_8_0 && is_nvme_name(name.value) {
        let diagnostic = Diagnostic::new(
            Rule::NvmeName,
            name.blamed(),
            format!("libvirt {} cannot name {} in a backup", reader.release, quoted(name.value)),
        )
        .help("libvirt 12.8.0 and later can");
        reader.report(diagnostic);
    }
}

fn check_backupmode(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) {
    let (Some("full"), Some(mode), Some(incremental)) =
        (fields.word("backupmode"), fields.get("backupmode"), fields.get("incremental"))
    else {
        return;
    };
    let diagnostic = Diagnostic::new(
        Rule::FullWithIncremental,
        incremental.span,
        format!("a full backup starts from no checkpoint, but this one names {}", quoted(incremental.value)),
    )
    .also(mode.span, "this asks for a full backup")
    .help("remove incremental for a full backup, or write backupmode='incremental'")
    .unsafe_fix("remove incremental", reader.with_space_before(incremental.span), "")
    .unsafe_fix("write backupmode='incremental'", mode.value_span, "incremental");
    reader.report(diagnostic);
}

/// The children of a disk, without one of the other mode, which is reported already.
fn own_children<'a, 'i>(fields: &Fields<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let foreign = if std::ptr::eq(fields.shape, &raw const PUSH_DISK) { "scratch" } else { "target" };
    fields.children.iter().copied().flatten().filter(move |child| child.tag_name().name() != foreign)
}

/// A disk that is left out has nothing but its name, mode, checkpoint and export names.
fn check_left_out(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) {
    let no = fields.get("backup").map(|backup| (backup.span, backup.value_span, backup.blamed()));
    let Some((attribute, value, blamed)) = no else { return };
    let mut settings: Vec<(Span, String, Span)> = Vec::new();
    if let Some(storage_type) = fields.get("type") {
        settings.push((storage_type.span, "type".to_owned(), reader.with_space_before(storage_type.span)));
    }
    for child in own_children(fields) {
        settings.push((start_tag(child), format!("<{}>", child.tag_name().name()), child.range().into()));
    }
    // These may stand on a disk that is left out, but who writes them means to back it up.
    let has_destination = fields.child("target").or(fields.child("scratch")).is_some();
    let takes_part = has_destination
        || ["backupmode", "incremental", "exportname", "exportbitmap"].iter().any(|name| fields.get(name).is_some());
    let diagnostic = match &settings[..] {
        [] => return,
        [(span, name, whole)] if !takes_part => {
            Diagnostic::new(Rule::LeftOutDisk, *span, format!("a disk that is left out has no {name}"))
                .also(attribute, "this leaves it out")
                .help(format!("remove {name}, or write backup='yes'"))
                .unsafe_fix(format!("remove {name}"), *whole, "")
                .unsafe_fix("write backup='yes'", value, "yes")
        }
        settings => {
            let names: Vec<_> = settings.iter().map(|(_, name, _)| name.as_str()).collect();
            let diagnostic = Diagnostic::new(
                Rule::LeftOutDisk,
                blamed,
                format!("backup='no' leaves the disk out, but it has {}", names.join(" and ")),
            )
            .help("write backup='yes', or remove what says how to back it up")
            .unsafe_fix("write backup='yes'", value, "yes");
            settings.iter().fold(diagnostic, |diagnostic, (span, _, _)| diagnostic.also(*span, ""))
        }
    };
    reader.report(diagnostic);
}

fn parse_driver<'i>(
    reader: &mut Reader<'i>,
    node: Node<'_, 'i>,
    shape: &'static crate::schema::Shape,
) -> Option<Spanned<StorageFormat>> {
    let fields = read(reader, node, shape);
    let word = fields.word("type")?;
    let format = StorageFormat::from_name(word);
    if let (None, Some(attribute)) = (format, fields.get("type").filter(|attribute| attribute.value == word)) {
        let diagnostic = Diagnostic::new(
            Rule::UnknownFormat,
            attribute.blamed(),
            format!("libvirt cannot store a backup in format {}", quoted(word)),
        )
        .help("write type='raw' and an <encryption format='luks'> in <target>")
        .libvirt(format!("XML error: unknown storage source format '{word}'"));
        reader.report(diagnostic);
    }
    let span = fields.get("type").map(Attribute::blamed).unwrap_or_default();
    format.map(|value| Spanned { value, span })
}

impl DiskFields<'_, '_> {
    /// What `file` and `dev` on the destination say its type is.
    fn type_by_destination(&self) -> Option<StorageType> {
        let destination = self.destination.as_ref()?;
        match (destination.get("file"), destination.get("dev")) {
            (Some(_), None) => Some(StorageType::File),
            (None, Some(_)) => Some(StorageType::Block),
            _ => None,
        }
    }

    /// Whether a scratch is needed and not there, which is reported.
    fn lacks_scratch(&self, storage_type: StorageType) -> bool {
        self.mode == Mode::Pull
            && self.destination.is_none()
            && (storage_type == StorageType::Block || self.fields.child("driver").is_some())
    }
}

/// Holds type, backup, driver and destination of a disk that takes part against each other; returns the type.
fn check_destination(reader: &mut Reader<'_>, disk: &DiskFields<'_, '_>) -> StorageType {
    let by_destination = disk.type_by_destination();
    let said = disk.fields.word("type").and_then(StorageType::from_name);
    let storage_type = match (said, disk.fields.get("type")) {
        (Some(said), Some(attribute)) => check_type(reader, disk, said, attribute),
        // A word that is wrong is reported already.
        (_, Some(_)) => by_destination.unwrap_or(StorageType::File),
        (_, None) => check_no_type(reader, disk, by_destination),
    };
    if disk.lacks_scratch(storage_type) && !disk.fields.unclear {
        report_missing_scratch(reader, disk, storage_type);
    }
    storage_type
}

/// A type and the destination's attribute have to agree.
fn check_type(
    reader: &mut Reader<'_>,
    disk: &DiskFields<'_, '_>,
    said: StorageType,
    attribute: &Attribute<'_>,
) -> StorageType {
    let Some(destination) = &disk.destination else { return said };
    let (right, wrong, other) = match said {
        StorageType::File => ("file", "dev", StorageType::Block),
        StorageType::Block => ("dev", "file", StorageType::File),
    };
    let Some(written) = destination.get(wrong) else { return said };
    let element = destination.shape.name;
    if destination.get(right).is_some() {
        let diagnostic = Diagnostic::new(
            Rule::WrongDestination,
            written.span,
            format!("<{element}> of a disk of type {} has no {wrong}", said.name()),
        )
        .also(attribute.span, "the type")
        .help(format!("remove {wrong}: {right} is there"))
        .unsafe_fix(format!("remove {wrong}"), reader.with_space_before(written.span), "");
        reader.report(diagnostic);
        return said;
    }
    // Which of the two is wrong shows in the path.
    let looks_like_device = written.value.starts_with("/dev/");
    let path_fits_type = looks_like_device == (said == StorageType::Block);
    let diagnostic = if path_fits_type {
        Diagnostic::new(
            Rule::WrongDestination,
            written.name_span(),
            format!("a disk of type {} names its <{element}> by {right}, not by {wrong}", said.name()),
        )
        .also(attribute.span, "the type")
        .help(format!("write {right}={}", quoted(written.value)))
        .safe_fix(format!("rename it to {right}"), written.name_span(), right)
    } else {
        Diagnostic::new(
            Rule::WrongDestination,
            attribute.blamed(),
            format!("type='{}' does not go with a <{element}> that has {wrong}", said.name()),
        )
        .also(written.span, format!("this is how a disk of type {} is written", other.name()))
        .help(format!("write type='{}', or {right}= in <{element}>", other.name()))
        .unsafe_fix(format!("write type='{}'", other.name()), attribute.value_span, other.name())
    };
    reader.report(diagnostic);
    if path_fits_type { said } else { other }
}

/// Without a type: fine for a plain disk, and for a pull into a scratch file.
fn check_no_type(
    reader: &mut Reader<'_>,
    disk: &DiskFields<'_, '_>,
    by_destination: Option<StorageType>,
) -> StorageType {
    let storage_type = by_destination.unwrap_or(StorageType::File);
    match disk.mode {
        Mode::Push => check_push_without_type(reader, disk, storage_type),
        Mode::Pull => check_pull_without_type(reader, disk, storage_type),
    }
    storage_type
}

fn check_push_without_type(reader: &mut Reader<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let child = own_children(&disk.fields).last();
    let word = storage_type.name();
    match child {
        Some(child) => {
            let element = format!("<{}>", child.tag_name().name());
            let diagnostic =
                Diagnostic::new(Rule::MissingType, disk.fields.tag(), format!("a disk with a {element} needs a type"))
                    .also(start_tag(child), "this needs it");
            report_missing_type(reader, disk, diagnostic, word);
        }
        None if reader.release < Release::V11_3_0 && !disk.fields.unclear && disk.destination.is_none() => {
            let diagnostic = Diagnostic::new(
                Rule::PlainPushDisk,
                disk.fields.tag(),
                format!("libvirt {} wants a type on every disk of a push mode backup", reader.release),
            )
            .help("add type='file'; libvirt 11.3.0 and later do without")
            .unsafe_fix("add type='file'", name_span(disk.fields.node).after(), " type='file'");
            reader.report_missing("type", diagnostic);
        }
        None => {}
    }
}

fn report_missing_type(reader: &mut Reader<'_>, disk: &DiskFields<'_, '_>, diagnostic: Diagnostic, word: &str) {
    let insertion = disk.fields.get("name").map_or(name_span(disk.fields.node), |name| name.span).after();
    let diagnostic = diagnostic.help(format!("add type='{word}'")).safe_fix(
        format!("add type='{word}'"),
        insertion,
        format!(" type='{word}'"),
    );
    reader.report_missing("type", diagnostic);
}

fn check_pull_without_type(reader: &mut Reader<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let both = disk.destination.as_ref().and_then(|scratch| scratch.get("file").and(scratch.get("dev")));
    if let Some(dev) = both {
        let diagnostic = Diagnostic::new(Rule::WrongDestination, dev.span, "<scratch> has file and dev")
            .help("remove dev; or remove file and add type='block' to the <disk>")
            .unsafe_fix("remove dev", reader.with_space_before(dev.span), "");
        reader.report(diagnostic);
    }
    let scratch = disk.destination.as_ref();
    if let Some(dev) = scratch.and_then(|scratch| scratch.get("dev")).filter(|dev| both.is_none() && is_file(dev.value))
    {
        let diagnostic = Diagnostic::new(
            Rule::WrongDestination,
            dev.name_span(),
            "a <scratch> that is a file is named by file, and a disk without a type has a file",
        )
        .help(format!("write file={}; or add type='block' to the <disk>, if it is a block device", quoted(dev.value)))
        .unsafe_fix("rename it to file", dev.name_span(), "file");
        reader.report(diagnostic);
        return;
    }
    if storage_type == StorageType::Block {
        let diagnostic =
            Diagnostic::new(Rule::MissingType, disk.fields.tag(), "a disk with a <scratch dev> needs type='block'");
        let scratch = disk.destination.as_ref().map(Fields::tag);
        let diagnostic = scratch.into_iter().fold(diagnostic, |diagnostic, tag| diagnostic.also(tag, "a device"));
        report_missing_type(reader, disk, diagnostic, "block");
        return;
    }
    if let Some(backup) = disk.fields.get("backup").filter(|_| disk.fields.word("backup") == Some("yes")) {
        let insertion = backup.span.after();
        let diagnostic =
            Diagnostic::new(Rule::BackupWithoutType, backup.span, "in pull mode, backup='yes' needs a type beside it")
                .help("add type='file', or remove backup='yes', which says nothing new")
                .safe_fix("add type='file'", insertion, " type='file'");
        reader.report_missing("type", diagnostic);
    }
}

/// Whether a path looks like that of a file: no device, and its name has an extension or its directory holds files.
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_known = ["/var/", "/run/", "/tmp/", "/home/", "/srv/", "/backup", "/scratch"];
    !path.starts_with("/dev/") && (name.contains('.') || is_known.iter().any(|directory| path.starts_with(directory)))
}

fn report_missing_scratch(reader: &mut Reader<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let tag = disk.fields.tag();
    let diagnostic = match (storage_type, disk.fields.child("driver")) {
        (StorageType::Block, _) => Diagnostic::new(Rule::MissingScratch, tag, "a disk of type block has no <scratch>")
            .help("add <scratch dev='/dev/...'/>, or write type='file' to have a file made"),
        (StorageType::File, Some(driver)) => {
            Diagnostic::new(Rule::MissingScratch, tag, "the disk has a <driver> and no <scratch>")
                .also(start_tag(driver), "the format of what?")
                .help("add <scratch file='/path/to/file'/>, or remove <driver>")
                .unsafe_fix("remove <driver>", reader.with_space_before(driver.range().into()), "")
        }
        (StorageType::File, None) => return,
    };
    let diagnostic = match disk.fields.get("type") {
        Some(attribute) => diagnostic.also(attribute.span, "the type"),
        None => diagnostic,
    };
    reader.report_missing("scratch", diagnostic);
}

/// The text of a `<label>`.
pub(super) fn parse_label<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Option<Text<'i>> {
    parse_text(reader, node, &LABEL)
}
