//! Document → `Backup`: every departure from libvirt's schema and from what its parser checks, found in one pass.
//!
//! A departure is reported and reading goes on with what was most likely meant, so that a mistake in one place hides
//! nothing in another and does not show up a second time elsewhere.

mod address;
mod cause;
mod destination;
mod element;
mod invalid_value;
mod relaxng_message;
mod root;
mod server;
mod status;
mod text;
mod unexpected;

use crate::backup::{
    Backup, BackupMode, Destination, Disk, Mode, PrivateData, Spanned, StorageFormat, StorageType, Text,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::{
    DISKS, DOMAINBACKUP, INCREMENTAL, LABEL, PULL_DISK, PULL_DRIVER, PUSH_DISK, PUSH_DRIVER, SCRATCH, SERVER, TARGET,
    Value, is_nvme_name,
};
use crate::syntax::{Attribute, Document, Element};
use crate::wording;

pub(crate) use element::{Context, Fields, read_element};
pub(crate) use relaxng_message::is_unknown;
pub use status::parse as parse_status;
pub(crate) use text::text_of;
pub(crate) use unexpected::rename;

/// Reads a backup as `virsh backup-begin` would.
///
/// Returns the backup as far as it could be read, `None` when the root is another element, and the diagnostics. With
/// an error, the backup is a best guess: it can be checked further but not written.
#[must_use]
pub fn parse(document: &Document<'_>, release: Release) -> (Option<Backup>, Vec<Diagnostic>) {
    let root = document.root();
    let mut context = Context::new(document.text(), release);
    let (root, backup) = match root::find(&mut context, root) {
        root::Found::Backup(root) => (root, parse_backup(&mut context, root)),
        root::Found::Disks(disks) => {
            parse_disk_list(&mut context, disks, Mode::Push);
            return (None, context.finish());
        }
        root::Found::Nothing => return (None, context.finish()),
    };
    let disks_fit_push = |disks: Element<'_, '_>| {
        let mut context = Context::new(document.text(), release);
        parse_disk_list(&mut context, disks, Mode::Push);
        context.diagnostics.iter().all(|diagnostic| diagnostic.libvirt.is_some())
    };
    relaxng_message::set_schema_message(&mut context.diagnostics, root, backup.mode, disks_fit_push);
    (Some(backup), context.finish())
}

fn parse_backup<'i>(context: &mut Context<'i>, root: Element<'_, 'i>) -> Backup {
    let fields = read_element(context, root, &DOMAINBACKUP);
    let mode = effective_mode(context, &fields);
    let server = fields.child("server").and_then(|server| {
        let found = read_element(context, server, &SERVER);
        server::parse(context, &found)
    });
    let mut disks = parse_disks(context, &fields, mode);
    let incremental = fields.child("incremental").and_then(|node| {
        let text = parse_text(context, node, &INCREMENTAL);
        if text.is_none() {
            let message = "empty <incremental>: this is a full backup";
            let help = "add the name of the checkpoint to start from, or remove <incremental>";
            context.warn(Diagnostic::new(Rule::EmptyIncremental, node.span(), message).help(help));
        }
        text
    });
    if incremental.is_none() && (context.misplaced("incremental").is_some() || fields.has_unknown_child) {
        // The checkpoint is misplaced or misspelt: it is not missing.
        disks.iter_mut().filter(|disk| disk.incremental.is_none()).for_each(|disk| disk.backupmode = None);
    }
    Backup {
        mode,
        incremental,
        server,
        disks,
        empty_disk_entries: 0,
        private_data: PrivateData::default(),
        tag: Spanned::written((), fields.tag()),
        disks_tag: Spanned { value: (), span: fields.child("disks").map(Element::tag) },
    }
}

/// The text of an element that holds nothing else; empty text is none.
fn parse_text<'i>(
    context: &mut Context<'i>,
    node: Element<'_, 'i>,
    shape: &'static crate::schema::Shape,
) -> Option<Text> {
    read_element(context, node, shape);
    Some(Spanned::written(text_of(node, context.release), node.span())).filter(|text| !text.value.is_empty())
}

/// The mode that the document means, which is what it says unless everything else says otherwise.
fn effective_mode(context: &mut Context<'_>, fields: &Fields<'_, '_>) -> Mode {
    let chosen = fields.word("mode").and_then(Mode::from_name);
    let server = fields.child("server").map(Element::tag);
    let written = fields.get("mode");
    match (chosen, server) {
        (Some(Mode::Pull), Some(_)) | (Some(Mode::Push), None) => chosen.unwrap_or(Mode::Push),
        (None, None) if written.is_none() => Mode::Push,
        (None, _) if written.is_some() => {
            // The word is reported already; go on with what the rest of the document is written for.
            if server.is_some() || evidence(fields).pull > 0 { Mode::Pull } else { Mode::Push }
        }
        (Some(Mode::Pull), None) => pull_without_server(context, fields),
        (_, Some(server)) => push_with_server(context, fields, server),
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
    let disks = fields.child("disks").into_iter().flat_map(Element::children);
    let mut evidence = Evidence::default();
    for disk in disks {
        for child in disk.children() {
            match child.name() {
                "target" => evidence.push += 1,
                "scratch" => evidence.pull += 1,
                "driver" if child.attribute("type") != Some("qcow2") => evidence.push += 1,
                _ => {}
            }
        }
        let has_scratch = disk.children().any(|child| child.name() == "scratch");
        let is_block = disk.attribute("type") == Some("block");
        let says_yes = disk.attribute("backup") == Some("yes") && !disk.has_attribute("type");
        evidence.push += usize::from(says_yes || is_block && !has_scratch);
        evidence.pull += disk.attributes().filter(|attribute| attribute.name.starts_with("export")).count();
    }
    evidence
}

/// `mode='pull'` and no server: either the server is missing, or the whole document is a push.
fn pull_without_server(context: &mut Context<'_>, fields: &Fields<'_, '_>) -> Mode {
    let evidence = evidence(fields);
    if let Some(mode) = fields.get("mode")
        && evidence.push > 0
        && evidence.pull == 0
    {
        let diagnostic = Diagnostic::new(
            Rule::WrongMode,
            mode.report_span(),
            "`mode` does not match the content: mode='pull', but no <server>, and <target> as in push mode",
        )
        .help("write mode='push', or add a <server> and give each disk a <scratch>")
        .unsafe_fix(wording::replace_with("`push`"), mode.value_span, "push");
        context.report(diagnostic);
        return Mode::Push;
    }
    let message = format!("{}: required when mode='pull'", wording::missing_element("server"));
    let diagnostic = Diagnostic::new(Rule::MissingServer, fields.tag(), message)
        .help("add <server transport='unix' socket='/path/to/socket'/> or <server name='localhost' port='10809'/>");
    let diagnostic = match fields.get("mode") {
        Some(mode) => diagnostic.label(mode.span, wording::REQUIRED_BY_THIS),
        None => diagnostic,
    };
    context.report_missing("server", diagnostic);
    Mode::Pull
}

/// A server and not `mode='pull'`: either the mode is wrong, or the server is one too many.
fn push_with_server(context: &mut Context<'_>, fields: &Fields<'_, '_>, server: Span) -> Mode {
    let evidence = evidence(fields);
    let help = "write mode='pull', or remove <server> for a backup in push mode";
    match fields.get("mode") {
        None if evidence.push == 0 => {
            let diagnostic = Diagnostic::new(
                Rule::WrongMode,
                fields.tag(),
                format!(
                    "{}: <server> requires mode='pull', the default is push",
                    wording::missing_attribute("mode", "domainbackup")
                ),
            )
            .label(server, wording::REQUIRED_BY_THIS)
            .help(help)
            .unsafe_fix(wording::add("mode='pull'"), fields.node.name_span().after(), " mode='pull'");
            context.report_missing("mode", diagnostic);
            Mode::Pull
        }
        Some(mode) if evidence.push == 0 => {
            let diagnostic = Diagnostic::new(
                Rule::WrongMode,
                mode.report_span(),
                match evidence.pull {
                    0 => "`mode` does not match the content: mode='push', but <server> is for pull mode",
                    _ => "`mode` does not match the content: mode='push', but <server> and the disks are for pull mode",
                },
            )
            .label(server, "for pull mode")
            .help(help)
            .unsafe_fix(wording::replace_with("`pull`"), mode.value_span, "pull");
            context.report(diagnostic);
            Mode::Pull
        }
        mode => {
            let diagnostic = Diagnostic::new(Rule::ServerInPush, server, "<server> is not allowed in push mode")
                .help("remove <server>, or write mode='pull' and replace each <target> with a <scratch>");
            let diagnostic = match mode {
                Some(mode) => diagnostic.label(mode.span, "push mode is set here"),
                None => diagnostic,
            };
            context.report(diagnostic);
            Mode::Push
        }
    }
}

fn parse_disks<'i>(context: &mut Context<'i>, root: &Fields<'_, 'i>, mode: Mode) -> Vec<Disk> {
    let mut disks = root.child("disks").map(|node| parse_disk_list(context, node, mode)).unwrap_or_default();
    disks.extend(root.repeated.iter().map(|disk| parse_disk(context, *disk, mode)));
    disks
}

fn parse_disk_list<'i>(context: &mut Context<'i>, node: Element<'_, 'i>, mode: Mode) -> Vec<Disk> {
    let fields = read_element(context, node, &DISKS);
    if fields.repeated.is_empty() && !fields.has_unknown_child {
        let diagnostic = Diagnostic::new(Rule::EmptyDisks, fields.tag(), "<disks> is empty")
            .help("list at least one <disk>, or remove <disks> to back up every disk of the domain");
        context.report_missing("disk", diagnostic);
    }
    fields.repeated.iter().map(|disk| parse_disk(context, *disk, mode)).collect()
}

/// A disk as far as it has been read.
struct DiskFields<'a, 'i> {
    fields: Fields<'a, 'i>,
    mode: Mode,
    /// `file` or `dev`, if there is a destination that says.
    destination: Option<Fields<'a, 'i>>,
}

fn parse_disk<'i>(context: &mut Context<'i>, node: Element<'_, 'i>, mode: Mode) -> Disk {
    let (shape, driver_shape, destination_shape, destination_element) = match mode {
        Mode::Push => (&PUSH_DISK, &PUSH_DRIVER, &TARGET, "target"),
        Mode::Pull => (&PULL_DISK, &PULL_DRIVER, &SCRATCH, "scratch"),
    };
    if let Some(disk) = parse_domain_disk(context, node) {
        return disk;
    }
    let fields = read_element(context, node, shape);
    check_name(context, &fields);
    check_backupmode(context, &fields);

    let excluded = fields.word("backup") == Some("no");
    if excluded {
        check_excluded(context, &fields);
    }
    let format =
        fields.child("driver").filter(|_| !excluded).and_then(|driver| parse_driver(context, driver, driver_shape));
    // The contents of a destination of a type that no backup has are no mistake of their own.
    let foreign = fields.get("type").is_some_and(|kind| unexpected::FOREIGN_TYPES.contains(&kind.value));
    let ignored = excluded || foreign;
    let destination = fields
        .child(destination_element)
        .filter(|_| !ignored)
        .map(|destination| read_element(context, destination, destination_shape));
    let disk = DiskFields { fields, mode, destination };
    let storage_type = if ignored { StorageType::File } else { check_destination(context, &disk) };
    let mut destination =
        disk.destination.as_ref().map(|found| Box::new(destination::parse(context, found, storage_type)));
    if destination.is_none()
        && !excluded
        && (foreign || disk.fields.has_unknown_child || disk.lacks_scratch(storage_type))
    {
        destination = Some(Box::new(Destination { has_unreadable_path: true, ..Destination::default() }));
    }
    let fields = disk.fields;
    let tag = fields.tag();
    let name = fields.text("name").unwrap_or(Spanned::written(String::new(), tag));
    let new = Disk::new(name, Spanned::written((), tag));
    if excluded {
        // libvirt reads nothing else of it.
        for name in ["backupmode", "incremental", "exportname", "exportbitmap"] {
            if let Some(attribute) = fields.get(name) {
                let message = format!("attribute `{name}` is ignored: the disk has backup='no'");
                let help = format!("remove `{name}`, or backup='no'");
                context.warn(Diagnostic::new(Rule::IgnoredSetting, attribute.span, message).help(help));
            }
        }
        return Disk { included: false, format, destination, ..new };
    }
    Disk {
        storage_type: Spanned { value: storage_type, span: fields.get("type").map(|attribute| attribute.span) },
        backupmode: backupmode(&fields),
        incremental: fields.text("incremental"),
        exportname: fields.text("exportname"),
        exportbitmap: fields.text("exportbitmap"),
        format,
        destination,
        ..new
    }
}

/// A disk that was copied out of a domain: one mistake, whatever the schema makes of its parts.
fn parse_domain_disk<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Option<Disk> {
    let child = |name: &str| node.children().find(|child| child.name() == name);
    let target = child("target").and_then(|target| target.attribute("dev")).filter(|dev| Value::DiskName.accepts(dev));
    let has_name = node.has_attribute("name");
    let is_domains = target.is_some() || !has_name && (node.has_attribute("device") || child("source").is_some());
    if !is_domains {
        return None;
    }
    let tag = node.tag();
    let name = target.unwrap_or("TARGET").to_owned();
    let diagnostic =
        Diagnostic::new(Rule::DomainDisk, tag, "this <disk> is written as in a domain, not as in a backup")
            .help(format!("write <disk name='{name}'/>: a backup names a disk by its <target dev> in the domain"));
    // What a backup's disk has besides its name must not be lost.
    let is_of_backup = |name: &str| name.starts_with("backup") || name.starts_with("export") || name == "incremental";
    let has_settings = node.attributes().any(|attribute| is_of_backup(attribute.name)) || child("scratch").is_some();
    let diagnostic = if target.is_none() || has_settings {
        diagnostic
    } else {
        let text = format!("<disk name='{name}'/>");
        diagnostic.unsafe_fix(wording::replace_with(&text), node.span(), text)
    };
    context.report(diagnostic);
    Some(Disk { included: false, ..Disk::new(Spanned::written(name, tag), Spanned::written((), tag)) })
}

fn backupmode(fields: &Fields<'_, '_>) -> Option<Spanned<BackupMode>> {
    let span = fields.get("backupmode")?.report_span();
    let value = fields.word("backupmode").and_then(BackupMode::from_name)?;
    Some(Spanned::written(value, span))
}

fn check_name(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let Some(name) = fields.get("name") else { return };
    if context.release < Release::V12_8_0 && is_nvme_name(name.value) {
        let diagnostic = Diagnostic::new(
            Rule::NvmeName,
            name.report_span(),
            format!(
                "{}: libvirt {} does not accept it",
                wording::invalid_value(name.value, "name", "disk"),
                context.release
            ),
        )
        .help("libvirt 12.8.0 and later accept names of NVMe namespaces");
        context.report(diagnostic);
    }
}

fn check_backupmode(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let (Some("full"), Some(mode), Some(incremental)) =
        (fields.word("backupmode"), fields.get("backupmode"), fields.get("incremental"))
    else {
        return;
    };
    let diagnostic = Diagnostic::new(
        Rule::FullWithIncremental,
        incremental.span,
        "attribute `incremental` is not allowed when backupmode='full'",
    )
    .label(mode.span, "full backup requested here")
    .help("write backupmode='incremental', or remove `incremental` for a full backup")
    .unsafe_fix(wording::replace_with("`incremental`"), mode.value_span, "incremental");
    context.report(diagnostic);
}

/// The children of a disk, without one of the other mode, which is reported already.
fn children_of_this_mode<'a, 'i>(fields: &Fields<'a, 'i>) -> impl Iterator<Item = Element<'a, 'i>> {
    let foreign = if std::ptr::eq(fields.shape, &raw const PUSH_DISK) { "scratch" } else { "target" };
    fields.children.iter().copied().flatten().filter(move |child| child.name() != foreign)
}

/// An excluded disk has nothing but its name, mode, checkpoint and export names.
fn check_excluded(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let no = fields.get("backup").map(|backup| (backup.span, backup.report_span()));
    let Some((attribute, report_span)) = no else { return };
    let mut settings: Vec<(Span, String, Span)> = Vec::new();
    if let Some(storage_type) = fields.get("type") {
        settings.push((storage_type.span, "`type`".to_owned(), context.with_space_before(storage_type.span)));
    }
    for child in children_of_this_mode(fields) {
        settings.push((child.tag(), format!("<{}>", child.name()), child.span()));
    }
    // These are accepted on an excluded disk, but suggest that it was to be included.
    let has_destination = fields.child("target").or(fields.child("scratch")).is_some();
    let is_included = has_destination
        || ["backupmode", "incremental", "exportname", "exportbitmap"].iter().any(|name| fields.get(name).is_some());
    let diagnostic = match &settings[..] {
        [] => return,
        [(span, name, whole)] if !is_included => {
            Diagnostic::new(Rule::ExcludedDisk, *span, format!("{name} is not allowed when backup='no'"))
                .label(attribute, "the disk is excluded here")
                .help(format!("remove {name}, or write backup='yes' to include the disk"))
                .unsafe_fix(wording::remove(name), *whole, "")
        }
        settings => {
            let names: Vec<_> = settings.iter().map(|(_, name, _)| name.as_str()).collect();
            let diagnostic = Diagnostic::new(
                Rule::ExcludedDisk,
                report_span,
                format!("backup='no' excludes the disk, but it has {}", names.join(" and ")),
            )
            .help(format!("write backup='yes' to include the disk, or remove {}", names.join(" and ")));
            settings
                .iter()
                .fold(diagnostic, |diagnostic, (span, _, _)| diagnostic.label(*span, "not allowed when backup='no'"))
        }
    };
    context.report(diagnostic);
}

fn parse_driver<'i>(
    context: &mut Context<'i>,
    node: Element<'_, 'i>,
    shape: &'static crate::schema::Shape,
) -> Option<Spanned<StorageFormat>> {
    let fields = read_element(context, node, shape);
    let word = fields.word("type")?;
    let format = StorageFormat::from_name(word);
    if let (None, Some(attribute)) = (format, fields.get("type").filter(|attribute| attribute.value == word)) {
        let diagnostic = Diagnostic::new(
            Rule::UnknownFormat,
            attribute.report_span(),
            format!("{}: libvirt does not write this format", wording::invalid_value(word, "type", "driver")),
        )
        .help("write type='qcow2', and <encryption format='luks'> in <target>")
        .libvirt(format!("XML error: unknown storage source format '{word}'"));
        context.report(diagnostic);
    }
    let span = fields.get("type").map(Attribute::report_span).unwrap_or_default();
    format.map(|value| Spanned::written(value, span))
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
fn check_destination(context: &mut Context<'_>, disk: &DiskFields<'_, '_>) -> StorageType {
    let by_destination = disk.type_by_destination();
    let chosen = disk.fields.word("type").and_then(StorageType::from_name);
    let storage_type = match (chosen, disk.fields.get("type")) {
        (Some(chosen), Some(attribute)) => check_type(context, disk, chosen, attribute),
        // A word that is wrong is reported already.
        (_, Some(_)) => by_destination.unwrap_or(StorageType::File),
        (_, None) => check_no_type(context, disk, by_destination),
    };
    if disk.lacks_scratch(storage_type) && !disk.fields.has_unknown_child {
        report_missing_scratch(context, disk, storage_type);
    }
    storage_type
}

/// A type and the destination's attribute have to agree.
fn check_type(
    context: &mut Context<'_>,
    disk: &DiskFields<'_, '_>,
    chosen: StorageType,
    attribute: &Attribute<'_>,
) -> StorageType {
    let Some(destination) = &disk.destination else { return chosen };
    let (right, wrong, other) = match chosen {
        StorageType::File => ("file", "dev", StorageType::Block),
        StorageType::Block => ("dev", "file", StorageType::File),
    };
    let Some(written) = destination.get(wrong) else { return chosen };
    let element = destination.shape.name;
    if destination.get(right).is_some() {
        let diagnostic = Diagnostic::new(
            Rule::WrongDestination,
            written.span,
            format!("{} when type='{}'", wording::attribute_not_allowed(wrong, element), chosen.name()),
        )
        .label(attribute.span, wording::TYPE_IS_SET_HERE)
        .help(format!("keep `{right}` and remove `{wrong}`, or write type='{}' and remove `{right}`", other.name()));
        context.report(diagnostic);
        return chosen;
    }
    // Which of the two is wrong shows in the path.
    let looks_like_device = written.value.starts_with("/dev/");
    let path_fits_type = looks_like_device == (chosen == StorageType::Block);
    let diagnostic = if path_fits_type {
        Diagnostic::new(
            Rule::WrongDestination,
            written.name_span,
            format!("{} when type='{}'", wording::attribute_not_allowed(wrong, element), chosen.name()),
        )
        .label(attribute.span, wording::TYPE_IS_SET_HERE)
        .help(format!("write {}", wording::setting(right, written.value)))
        .safe_fix(wording::rename_to(&format!("`{right}`")), written.name_span, right)
    } else {
        Diagnostic::new(
            Rule::WrongDestination,
            attribute.report_span(),
            format!("type='{}' does not match <{element}>, which has `{wrong}`", chosen.name()),
        )
        .label(written.span, format!("for type='{}'", other.name()))
        .help(format!("write type='{}', or `{right}` in place of `{wrong}`", other.name()))
        .unsafe_fix(wording::replace_with(&format!("`{}`", other.name())), attribute.value_span, other.name())
    };
    context.report(diagnostic);
    if path_fits_type { chosen } else { other }
}

/// Without a type: fine for a plain disk, and for a pull into a scratch file.
fn check_no_type(
    context: &mut Context<'_>,
    disk: &DiskFields<'_, '_>,
    by_destination: Option<StorageType>,
) -> StorageType {
    let storage_type = by_destination.unwrap_or(StorageType::File);
    match disk.mode {
        Mode::Push => check_push_without_type(context, disk, storage_type),
        Mode::Pull => check_pull_without_type(context, disk, storage_type),
    }
    storage_type
}

fn check_push_without_type(context: &mut Context<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let child = children_of_this_mode(&disk.fields).last();
    let word = storage_type.name();
    match child {
        Some(child) => {
            let element = format!("<{}>", child.name());
            let message = format!("{}: required with {element}", wording::missing_attribute("type", "disk"));
            let diagnostic = Diagnostic::new(Rule::MissingType, disk.fields.tag(), message)
                .label(child.tag(), wording::REQUIRED_BY_THIS);
            report_missing_type(context, disk, diagnostic, word);
        }
        None if context.release < Release::V11_3_0 && !disk.fields.has_unknown_child && disk.destination.is_none() => {
            let diagnostic = Diagnostic::new(
                Rule::PlainPushDisk,
                disk.fields.tag(),
                format!(
                    "{}: required by libvirt {} in push mode",
                    wording::missing_attribute("type", "disk"),
                    context.release
                ),
            )
            .help("add type='file'; libvirt 11.3.0 and later do not require it")
            .unsafe_fix(wording::add("type='file'"), disk.fields.node.name_span().after(), " type='file'");
            context.report_missing("type", diagnostic);
        }
        None => {}
    }
}

fn report_missing_type(context: &mut Context<'_>, disk: &DiskFields<'_, '_>, diagnostic: Diagnostic, word: &str) {
    let insertion = disk.fields.get("name").map_or(disk.fields.node.name_span(), |name| name.span).after();
    let diagnostic = diagnostic.help(format!("add type='{word}'")).safe_fix(
        wording::add(&format!("type='{word}'")),
        insertion,
        format!(" type='{word}'"),
    );
    context.report_missing("type", diagnostic);
}

fn check_pull_without_type(context: &mut Context<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let both = disk.destination.as_ref().and_then(|scratch| scratch.get("file").and(scratch.get("dev")));
    if let Some(dev) = both {
        let diagnostic = Diagnostic::new(Rule::WrongDestination, dev.span, "<scratch> has both `file` and `dev`")
            .help("keep `file`, or keep `dev` and add type='block' to the <disk>");
        context.report(diagnostic);
    }
    let scratch = disk.destination.as_ref();
    if let Some(dev) = scratch.and_then(|scratch| scratch.get("dev")).filter(|dev| both.is_none() && is_file(dev.value))
    {
        let diagnostic = Diagnostic::new(
            Rule::WrongDestination,
            dev.name_span,
            format!("{} when the disk has no `type`", wording::attribute_not_allowed("dev", "scratch")),
        )
        .help(format!(
            "write {}, or add type='block' to the <disk> for a block device",
            wording::setting("file", dev.value)
        ))
        .unsafe_fix(wording::rename_to("`file`"), dev.name_span, "file");
        context.report(diagnostic);
        return;
    }
    if storage_type == StorageType::Block {
        let message = format!("{}: <scratch dev> requires type='block'", wording::missing_attribute("type", "disk"));
        let diagnostic = Diagnostic::new(Rule::MissingType, disk.fields.tag(), message);
        let scratch = disk.destination.as_ref().map(Fields::tag);
        let diagnostic =
            scratch.into_iter().fold(diagnostic, |diagnostic, tag| diagnostic.label(tag, wording::REQUIRED_BY_THIS));
        report_missing_type(context, disk, diagnostic, "block");
        return;
    }
    if let Some(backup) = disk.fields.get("backup").filter(|_| disk.fields.word("backup") == Some("yes")) {
        let insertion = backup.span.after();
        let diagnostic = Diagnostic::new(
            Rule::BackupWithoutType,
            backup.span,
            format!("{}: required with backup='yes' in pull mode", wording::missing_attribute("type", "disk")),
        )
        .help("add type='file', or remove backup='yes', which is the default")
        .safe_fix(wording::add("type='file'"), insertion, " type='file'");
        context.report_missing("type", diagnostic);
    }
}

/// Whether a path looks like that of a file: no device, and its name has an extension or its directory holds files.
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_known = ["/var/", "/run/", "/tmp/", "/home/", "/srv/", "/backup", "/scratch"];
    !path.starts_with("/dev/") && (name.contains('.') || is_known.iter().any(|directory| path.starts_with(directory)))
}

fn report_missing_scratch(context: &mut Context<'_>, disk: &DiskFields<'_, '_>, storage_type: StorageType) {
    let tag = disk.fields.tag();
    let diagnostic = match (storage_type, disk.fields.child("driver")) {
        (StorageType::Block, _) => Diagnostic::new(
            Rule::MissingScratch,
            tag,
            format!("{}: required when type='block'", wording::missing_element("scratch")),
        )
        .help("add <scratch dev='/dev/...'/>, or write type='file' to let libvirt create a file"),
        (StorageType::File, Some(driver)) => Diagnostic::new(
            Rule::MissingScratch,
            tag,
            format!("{}: required with <driver>", wording::missing_element("scratch")),
        )
        .label(driver.tag(), wording::REQUIRED_BY_THIS)
        .help("add <scratch file='/path/to/file'/>, or remove <driver>")
        .with_fix(unexpected::element_into_comment(context, driver)),
        (StorageType::File, None) => return,
    };
    let diagnostic = match disk.fields.get("type") {
        Some(attribute) => diagnostic.label(attribute.span, wording::TYPE_IS_SET_HERE),
        None => diagnostic,
    };
    context.report_missing("scratch", diagnostic);
}

/// The text of a `<label>`.
pub(super) fn parse_label<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Option<Text> {
    parse_text(context, node, &LABEL)
}
