//! Document → `Checkpoint`: every departure from libvirt's schema and from what its parser checks, found in one pass.

use super::{Checkpoint, CheckpointDisk, Coverage, HeldDomain, is_name};
use crate::backup::Spanned;
use crate::diagnostic::{Applicability, Diagnostic, Span};
use crate::domain;
use crate::parse::{Context, Fields, read_element, rename, text_of};
use crate::release::Release;
use crate::rules::{Rule, Severity};
use crate::schema::{
    CHECKPOINT_CREATION_TIME, CHECKPOINT_DESCRIPTION, CHECKPOINT_DISK, CHECKPOINT_DISKS, CHECKPOINT_NAME,
    CHECKPOINT_PARENT, DOMAINBACKUP, DOMAINCHECKPOINT, Shape, is_nvme_name, long_number,
};
use crate::syntax::{Document, Element};
use crate::wording::{self, closest_match, code, is_single_typo, tag, trim};

mod schema_message;

use schema_message::set_schema_message;

/// Whether an element is the root of a checkpoint, or likely intended as one.
pub(crate) fn is_intended(root: Element<'_, '_>) -> bool {
    let name = root.name_without_prefix();
    closest_match(name, [DOMAINBACKUP.name, DOMAINCHECKPOINT.name].into_iter()) == Some(DOMAINCHECKPOINT.name)
}

/// Reads a checkpoint that is passed along with a backup.
pub(super) fn parse_beside_backup(document: &Document<'_>, release: Release) -> (Option<Checkpoint>, Vec<Diagnostic>) {
    let root = document.root();
    if root.name() == DOMAINCHECKPOINT.name {
        parse(document, release, false)
    } else {
        (None, vec![not_a_checkpoint(root)])
    }
}

/// Reads a checkpoint as `virsh checkpoint-create` would, with `--redefine` if `redefine`.
///
/// Returns what could be made of it, `None` when the root cannot be understood, and the diagnostics.
pub(crate) fn parse(
    document: &Document<'_>,
    release: Release,
    redefine: bool,
) -> (Option<Checkpoint>, Vec<Diagnostic>) {
    let root = document.root();
    let mut context = Context::new(document.text(), release);
    if let Some(diagnostic) = check_root(root) {
        let is_understood = diagnostic.rule == Rule::WrongRoot;
        context.report(diagnostic);
        if !is_understood {
            return (None, context.finish());
        }
    }
    let checkpoint = parse_checkpoint(&mut context, root, redefine);
    for diagnostic in &mut context.diagnostics {
        if diagnostic.rule == Rule::WhiteSpace {
            unrecognized_word(diagnostic);
        }
    }
    set_schema_message(&mut context.diagnostics, root);
    (Some(checkpoint), context.finish())
}

fn not_a_checkpoint(root: Element<'_, '_>) -> Diagnostic {
    let name = root.name();
    let help = match name {
        "domainbackup" => "pass the backup as FILE, and the checkpoint with --checkpoint: are they swapped?",
        "domain" => "pass the domain with --domain",
        "domainsnapshot" => "a snapshot is not a checkpoint: write a <domaincheckpoint>",
        _ => "a checkpoint is a <domaincheckpoint>",
    };
    let message = format!("not a checkpoint: expected root element <domaincheckpoint>, got {}", tag(name));
    Diagnostic::new(Rule::NotACheckpoint, root.tag(), message).help(help).libvirt(wrong_root(name))
}

fn wrong_root(name: &str) -> String {
    format!("XML error: expecting root element of 'domaincheckpoint', not '{name}'")
}

/// Whether the root is `domaincheckpoint`, in no namespace; otherwise what to report.
fn check_root(root: Element<'_, '_>) -> Option<Diagnostic> {
    let name = root.name();
    if name != DOMAINCHECKPOINT.name {
        let intended = DOMAINCHECKPOINT.name;
        let diagnostic =
            Diagnostic::new(Rule::WrongRoot, root.name_span(), wording::wrong_root(name)).libvirt(wrong_root(name));
        let diagnostic = if root.name_without_prefix() == intended {
            diagnostic.help(wording::NO_ROOT_PREFIX)
        } else {
            diagnostic.help(wording::did_you_mean_name(name, intended, &tag(intended)))
        };
        return Some(rename(diagnostic, root, intended, Applicability::safe_if(is_single_typo(name, intended))));
    }
    let message = wording::in_namespace(name, root.namespace()?);
    let diagnostic = match root.namespace_declaration() {
        Some(declaration) => {
            let with_space = Span { start: declaration.start - 1, ..declaration };
            Diagnostic::new(Rule::Namespace, declaration, message).unsafe_fix(
                wording::remove("`xmlns`"),
                with_space,
                "",
            )
        }
        None => Diagnostic::new(Rule::Namespace, root.tag(), message),
    };
    Some(diagnostic.help(wording::NO_NAMESPACE).libvirt(schema_message::root_in_namespace()))
}

fn parse_checkpoint<'i>(context: &mut Context<'i>, root: Element<'_, 'i>, redefine: bool) -> Checkpoint {
    let fields = read_element(context, root, &DOMAINCHECKPOINT);
    let name = fields.child("name").map(|node| parse_name(context, node));
    let description = fields.child("description").map(|node| {
        read_element(context, node, &CHECKPOINT_DESCRIPTION);
        text_of(node, context.release)
    });
    let creation_time =
        fields.child("creationTime").and_then(|node| parse_creation_time(context, node)).map(|time| time.value);
    let parent = fields.child("parent").and_then(|node| parse_parent(context, node));
    if let Some(domain) = fields.child("domain").filter(|domain| domain.content().next().is_none()) {
        let diagnostic = Diagnostic::new(Rule::MissingElement, domain.tag(), "missing content of <domain>")
            .help("remove <domain>, or copy all of it from `virsh checkpoint-dumpxml`");
        context.report(diagnostic);
    }
    let disks = fields.child("disks").map(|disks| parse_disks(context, disks));
    let stray = fields.repeated.iter().filter_map(|disk| parse_disk(context, *disk)).collect::<Vec<_>>();
    let disks = if stray.is_empty() { disks } else { Some(disks.into_iter().flatten().chain(stray).collect()) };
    let checkpoint = Checkpoint {
        name,
        description: description.filter(|description| !description.is_empty()),
        parent: None,
        creation_time: 0,
        disks,
        domain: None,
        tag: root.tag(),
    };
    if redefine {
        let domain = fields.child("domain").and_then(|domain| hold_domain(context, domain));
        check_redefinition(context, &fields, creation_time);
        Checkpoint { parent, creation_time: creation_time.unwrap_or_default(), domain, ..checkpoint }
    } else {
        report_ignored(context, &fields);
        checkpoint
    }
}

/// The text of an element that holds nothing else, and where it is.
fn parse_text(context: &mut Context<'_>, node: Element<'_, '_>, shape: &'static Shape) -> Spanned<String> {
    read_element(context, node, shape);
    let span = node.texts().next().map_or_else(|| node.tag(), |text| text.span);
    Spanned::written(text_of(node, context.release), span)
}

fn parse_name(context: &mut Context<'_>, node: Element<'_, '_>) -> Spanned<String> {
    let name = parse_text(context, node, &CHECKPOINT_NAME);
    if is_name(&name.value) {
        return name;
    }
    let message = if name.value.is_empty() {
        "missing name in <name>".to_owned()
    } else {
        format!("invalid checkpoint name {}", code(&name.value))
    };
    let diagnostic = Diagnostic::new(Rule::CheckpointName, name.place(), message).help(
        "use letters, digits, `_`, `-` and dots, but no dot at the start; or remove <name> for the seconds since 1970",
    );
    // What is written in several pieces is left to its author.
    let is_one_text = node.texts().count() == 1 && node.content().count() == 1;
    let trimmed = trim(&name.value);
    let diagnostic = if is_one_text && is_name(trimmed) {
        diagnostic.safe_fix(wording::REMOVE_WHITE_SPACE, name.place(), trimmed)
    } else {
        diagnostic
    };
    context.report(diagnostic);
    name
}

fn parse_creation_time(context: &mut Context<'_>, node: Element<'_, '_>) -> Option<Spanned<i64>> {
    let text = parse_text(context, node, &CHECKPOINT_CREATION_TIME);
    let (value, span) = (&text.value, text.place());
    let Some(number) = long_number(value) else {
        let message = format!("invalid value {} for element <creationTime>", code(value));
        let diagnostic = Diagnostic::new(Rule::InvalidNumber, span, message)
            .help("use the seconds since 1970 in decimal digits, or remove <creationTime>");
        context.report(diagnostic);
        // It is written, so it is not missing as well.
        return Some(Spanned::written(0, span));
    };
    // What is too large for libvirt's parser is reported where it is read.
    Some(Spanned::written(i64::try_from(number).ok()?, span))
}

fn parse_parent(context: &mut Context<'_>, node: Element<'_, '_>) -> Option<Spanned<String>> {
    let fields = read_element(context, node, &CHECKPOINT_PARENT);
    if let Some(name) = fields.child("name") {
        return Some(parse_name(context, name));
    }
    // A name that is written as the text of <parent> is reported as text.
    let holds_text = node.texts().any(|text| !trim(&text.value()).is_empty());
    if !fields.has_unknown_child && !holds_text {
        let diagnostic = Diagnostic::new(
            Rule::MissingElement,
            fields.tag(),
            format!("{}: required in <parent>", wording::missing_element("name")),
        )
        .help("add the name of the checkpoint before this one, or remove <parent>");
        context.report_missing("name", diagnostic);
    }
    None
}

fn hold_domain<'i>(context: &Context<'i>, node: Element<'_, 'i>) -> Option<HeldDomain> {
    let text = context.text.get(node.span().range())?.to_owned();
    // What is wrong with it is for libvirt to say.
    Some(HeldDomain { text, domain: domain::read_element(node, context.release).0 })
}

/// libvirt's parser wants two elements of a checkpoint to redefine.
fn check_redefinition(context: &mut Context<'_>, fields: &Fields<'_, '_>, creation_time: Option<i64>) {
    if fields.child("name").is_none() {
        let diagnostic = Diagnostic::new(
            Rule::IncompleteRedefinition,
            fields.tag(),
            "missing element <name>: required with --redefine",
        )
        .help("add the name that the checkpoint had")
        .libvirt("XML error: a redefined checkpoint must have a name");
        context.report_missing("name", diagnostic);
    }
    if creation_time.is_some() {
        return;
    }
    let diagnostic = match fields.child("creationTime") {
        Some(node) => Diagnostic::new(
            Rule::IncompleteRedefinition,
            node.texts().next().map_or_else(|| node.tag(), |text| text.span),
            "<creationTime> is out of range (0 to 9223372036854775807)",
        )
        .help("use the seconds since 1970"),
        None => Diagnostic::new(
            Rule::IncompleteRedefinition,
            fields.tag(),
            "missing element <creationTime>: required with --redefine",
        )
        .help("add the time that `virsh checkpoint-dumpxml` showed, or any other: <creationTime>1700000000</creationTime>"),
    };
    let diagnostic = diagnostic.libvirt("internal error: missing creationTime from existing checkpoint");
    context.report_missing("creationTime", diagnostic);
}

/// Of a checkpoint to create, libvirt validates these and reads none of them.
fn report_ignored(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let ignored = ["creationTime", "parent", "domain"].into_iter().filter_map(|name| fields.child(name));
    let mut ignored: Vec<_> = ignored.map(|node| (node.tag(), node.name())).collect();
    ignored.sort_unstable();
    let Some(((first, name), others)) = ignored.split_first() else { return };
    let message = format!("libvirt ignores <{name}> of a checkpoint to create");
    let diagnostic = others
        .iter()
        .fold(Diagnostic::new(Rule::IgnoredSetting, *first, message), |diagnostic, (span, _)| {
            diagnostic.label(*span, "also ignored")
        })
        .help("remove it; or use --redefine to restore a checkpoint that existed");
    context.report(diagnostic);
}

fn parse_disks(context: &mut Context<'_>, node: Element<'_, '_>) -> Vec<CheckpointDisk> {
    let fields = read_element(context, node, &CHECKPOINT_DISKS);
    if fields.repeated.is_empty() && !fields.has_unknown_child {
        let diagnostic = Diagnostic::new(Rule::CheckpointWithoutDisks, fields.tag(), wording::missing_element("disk"))
            .help("add a <disk>, or remove <disks> to cover every disk");
        context.report_missing("disk", diagnostic);
    }
    fields.repeated.iter().filter_map(|disk| parse_disk(context, *disk)).collect()
}

fn parse_disk(context: &mut Context<'_>, node: Element<'_, '_>) -> Option<CheckpointDisk> {
    let fields = read_element(context, node, &CHECKPOINT_DISK);
    let coverage = match (fields.word("checkpoint"), fields.get("checkpoint")) {
        (Some(word), Some(written)) if word != written.value => Coverage::Unrecognized,
        // A word that is reported says nothing of the disk.
        (Some("no"), _) | (None, Some(_)) => Coverage::Excluded,
        _ => Coverage::Bitmap,
    };
    if fields.word("checkpoint") == Some("no") {
        check_excluded(context, &fields);
    }
    let name = fields.get("name")?;
    if context.release < Release::V12_8_0 && is_nvme_name(name.value) {
        let message = format!("libvirt {} does not accept the disk name {}", context.release, code(name.value));
        let diagnostic =
            Diagnostic::new(Rule::NvmeName, name.report_span(), message).help("libvirt 12.8.0 and later accept it");
        context.report(diagnostic);
    }
    if !crate::schema::Value::DiskNameOrPath.accepts(name.value) {
        return None;
    }
    Some(CheckpointDisk { name: fields.text("name")?, coverage, bitmap: fields.text("bitmap") })
}

/// A disk that is excluded has neither a bitmap nor its size.
fn check_excluded(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let settings: Vec<_> = ["bitmap", "size"].into_iter().filter_map(|name| fields.get(name)).collect();
    let (Some(first), Some(no)) = (settings.first(), fields.get("checkpoint")) else { return };
    let message = format!("attribute `{}` is not allowed with checkpoint='no'", first.name);
    let edits = settings.iter().map(|attribute| context.removal(attribute.span));
    let diagnostic = Diagnostic::new(Rule::ExcludedDisk, first.span, message)
        .label(no.span, "this excludes the disk")
        .help(format!("remove `{}`, or use checkpoint='bitmap'", first.name))
        .fix(wording::remove("what describes a bitmap"), Applicability::Unsafe, edits.collect())
        .unsafe_fix("write checkpoint='bitmap'", no.value_span, "bitmap");
    let diagnostic =
        settings.iter().skip(1).fold(diagnostic, |diagnostic, other| diagnostic.label(other.span, "and this"));
    context.report(diagnostic);
}

/// A backup's parser refuses a word with white space around it; a checkpoint's recognizes none, and goes on.
fn unrecognized_word(diagnostic: &mut Diagnostic) {
    diagnostic.rule = Rule::IgnoredSetting;
    diagnostic.severity = Severity::Warning;
    "libvirt ignores `checkpoint` with white space in its value: the disk gets no bitmap"
        .clone_into(&mut diagnostic.message);
    diagnostic.libvirt = None;
}
