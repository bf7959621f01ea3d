//! Attributes that do not belong.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Span};
use crate::parse::cause;
use crate::parse::element::{Context, Fields};
use crate::rules::Rule;
use crate::schema::{Format, PUSH_DISK, Shape, Value};
use crate::syntax::Attribute;
use crate::wording::{self, closest_match, truncate_for_display};

/// Reports an attribute that the shape does not know, or that stands in a namespace.
pub(crate) fn attribute<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, mut attribute: Attribute<'a>) {
    if attribute.namespace.is_some() {
        let span = attribute.span;
        let diagnostic = Diagnostic::new(
            Rule::Namespace,
            span,
            format!(
                "{}: it is in a namespace",
                wording::unknown_attribute(
                    context.text.get(attribute.name_span.range()).unwrap_or_default(),
                    fields.shape.name
                )
            ),
        )
        .help(wording::NO_NAMESPACE)
        .unsafe_fix(wording::remove("the attribute"), context.with_space_before(span), "");
        context.report(diagnostic);
        return;
    }
    let known = fields.shape.attributes.iter().map(|known| known.name);
    let place = attribute.span.start as usize;
    if let Some((diagnostic, intended)) = cause::of_name(context, attribute.name, known, &[place]) {
        context.report(diagnostic);
        attribute.name = intended;
        let slot = fields.shape.attributes.iter().position(|known| known.name == intended);
        if let Some(slot @ None) = slot.and_then(|slot| fields.attributes.get_mut(slot)) {
            *slot = Some(attribute);
        }
        return;
    }
    if let Some(diagnostic) = attribute_with_own_message(context, fields, &attribute) {
        context.report_misplaced(attribute.name, diagnostic);
        return;
    }
    let parents = elements_with_attribute(fields.shape, attribute.name);
    let is_misplaced = !parents.is_empty() || is_text_child(fields.shape, attribute.name);
    if !is_misplaced || synonym(fields, &attribute).is_some() {
        unknown_attribute(context, fields, attribute);
    } else {
        let diagnostic = misplaced_attribute(context, fields, &attribute, &parents);
        context.report_misplaced(attribute.name, diagnostic);
    }
}

/// Attributes with a story of their own.
fn attribute_with_own_message(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
) -> Option<Diagnostic> {
    let push = std::ptr::eq(fields.shape, &raw const PUSH_DISK);
    let remove = context.with_space_before(attribute.span);
    match attribute.name {
        "exportname" | "exportbitmap" if push => Some(
            Diagnostic::new(
                Rule::ExportInPush,
                attribute.span,
                format!("attribute `{}` is not allowed in push mode", attribute.name),
            )
            .help("remove it, or write mode='pull' on <domainbackup>")
            .unsafe_fix(wording::remove(&wording::code(attribute.name)), remove, ""),
        ),
        "name" if fields.shape.name == "driver" => Some(
            Diagnostic::new(Rule::MisplacedAttribute, attribute.span, wording::attribute_not_allowed("name", "driver"))
                .help("remove it: only the <driver> of a disk in a domain has a name")
                .unsafe_fix(wording::remove("`name`"), remove, ""),
        ),
        "index" if fields.shape.name == "disk" && fields.shape.format == Format::Backup => Some(
            Diagnostic::new(
                Rule::IndexAttribute,
                attribute.span,
                format!(
                    "{}: `virsh backup-dumpxml` prints it, `backup-begin` refuses it",
                    wording::attribute_not_allowed("index", "disk")
                ),
            )
            .help("remove it")
            .safe_fix(wording::remove("`index`"), remove, ""),
        ),
        _ => None,
    }
}

/// The elements that have an attribute called `name`.
fn elements_with_attribute(shape: &Shape, name: &str) -> Vec<String> {
    let mut parents: Vec<_> = shape
        .relatives()
        .iter()
        .filter(|(shape, _)| shape.attributes.iter().any(|attribute| attribute.name == name))
        .map(|(shape, _)| format!("<{}>", shape.name))
        .collect();
    parents.dedup();
    parents
}

fn misplaced_attribute(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    parents: &[String],
) -> Diagnostic {
    let name = attribute.name;
    let help = match (fields.shape.name, name) {
        ("disk", "mode") => "expected `backupmode`, which is `full` or `incremental`".to_owned(),
        ("disk" | "target" | "scratch", "format") => {
            format!(
                "write the format as an element of <disk>: <driver type='{}'/>",
                truncate_for_display(attribute.value)
            )
        }
        _ if is_text_child(fields.shape, name) => {
            format!("write an element: <{name}>{}</{name}>", truncate_for_display(attribute.value))
        }
        _ => wording::belongs(&wording::code(name), parents),
    };
    let diagnostic = Diagnostic::new(
        Rule::MisplacedAttribute,
        attribute.span,
        wording::attribute_not_allowed(name, fields.shape.name),
    )
    .help(help);
    match into_element(context, fields, attribute) {
        Some(fix) => diagnostic.fix(fix.message, fix.applicability, fix.edits),
        None => {
            diagnostic.unsafe_fix(wording::remove(&wording::code(name)), context.with_space_before(attribute.span), "")
        }
    }
}

/// Makes the element that an attribute of the root was meant to be, if there is none yet.
fn into_element(context: &Context<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Fix> {
    let name = attribute.name;
    if !is_text_child(fields.shape, name) || has_child(fields, name) {
        return None;
    }
    let tag = fields.tag();
    let written = context.text.get(attribute.value_span.range())?;
    let element = format!("<{name}>{written}</{name}>");
    let edit = if context.text.get(tag.range())?.ends_with("/>") {
        let end = Span { start: tag.end - 2, end: tag.end };
        Edit { span: end, text: format!(">{element}</{}>", fields.shape.name) }
    } else {
        Edit { span: tag.after(), text: element }
    };
    let removed = Edit { span: context.with_space_before(attribute.span), text: String::new() };
    Some(Fix {
        message: wording::move_to(&wording::tag(name)),
        applicability: Applicability::Safe,
        edits: vec![removed, edit],
    })
}

/// Whether an element has a child called `name` that holds text.
fn is_text_child(shape: &Shape, name: &str) -> bool {
    shape.children.contains(&name) && shape.relatives().iter().any(|(child, _)| child.name == name && child.text)
}

fn has_child(fields: &Fields<'_, '_>, name: &str) -> bool {
    fields.node.children().any(|child| child.name() == name)
}

fn unknown_attribute<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, attribute: Attribute<'a>) {
    let element = fields.shape.name;
    let Some(slot) = intended_attribute(fields, &attribute) else {
        let names: Vec<_> = fields.shape.attributes.iter().map(|known| known.name).collect();
        let help = if let Some(hint) = hint_for_foreign_attribute(fields.shape, attribute.name) {
            hint.to_owned()
        } else {
            wording::known_attributes(element, &names)
        };
        let diagnostic = Diagnostic::new(
            Rule::UnknownAttribute,
            attribute.span,
            wording::unknown_attribute(attribute.name, element),
        )
        .help(format!("{help}; {}", wording::NEWER_LIBVIRT))
        .unsafe_fix(wording::remove("the attribute"), context.with_space_before(attribute.span), "");
        context.report(diagnostic);
        return;
    };
    let intended = fields.shape.attributes.get(slot).map_or("", |known| known.name);
    let diagnostic = Diagnostic::new(
        Rule::UnknownAttribute,
        attribute.name_span,
        wording::unknown_attribute(attribute.name, element),
    )
    .help(wording::did_you_mean_name(attribute.name, intended, &wording::code(intended)))
    .safe_fix(wording::rename_to(&wording::code(intended)), attribute.name_span, intended);
    context.report(diagnostic);
    if let Some(slot) = fields.attributes.get_mut(slot) {
        *slot = Some(attribute);
    }
}

/// What people call attributes that libvirt calls something else.
const SYNONYMS: [(&str, &[&str], &str); 10] = [
    ("server", &["host", "hostname", "address", "addr", "listen", "ip", "bind"], "name"),
    ("server", &["path", "sock", "unix", "file"], "socket"),
    ("server", &["group", "fd"], "fdgroup"),
    ("server", &["ssl"], "tls"),
    ("disk", &["target", "dev", "device", "disk", "id", "drive"], "name"),
    ("target", &["path", "filename", "source", "location", "url"], "file"),
    ("scratch", &["path", "filename", "source", "location", "url"], "file"),
    ("driver", &["format", "fmt"], "type"),
    ("secret", &["id"], "uuid"),
    ("cipher", &["algorithm", "alg"], "name"),
];

/// The place of the absent attribute that goes by another name elsewhere, if the value fits it.
fn synonym(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<usize> {
    let is_synonym =
        |(element, names, _): &&(&str, &[&str], &str)| *element == fields.shape.name && names.contains(&attribute.name);
    let (_, _, intended) = SYNONYMS.iter().find(is_synonym)?;
    let slot = fields.shape.attributes.iter().position(|known| known.name == *intended)?;
    let is_absent = fields.attributes.get(slot).is_some_and(Option::is_none);
    let fits = fields.shape.attributes.get(slot).is_some_and(|known| known.value.accepts(attribute.value));
    (is_absent && fits).then_some(slot)
}

/// Attributes of the documents beside a backup, and where they do belong.
fn hint_for_foreign_attribute(shape: &Shape, name: &str) -> Option<&'static str> {
    if shape.format == Format::Checkpoint {
        let is_of_backup = matches!(name, "backup" | "snapshot") && shape.name == "disk";
        return is_of_backup.then_some("a disk is excluded from a checkpoint by checkpoint='no'");
    }
    match (shape.name, name) {
        ("disk", "checkpoint" | "bitmap") => Some(
            "the disks of a checkpoint are listed in the checkpoint's own document, the second argument of `virsh backup-begin`",
        ),
        ("disk", "snapshot") => Some("`snapshot` is for snapshots; a disk is excluded by backup='no'"),
        ("target" | "scratch", "protocol" | "pool" | "volume") => {
            Some("a backup is written to a file or block device of the host")
        }
        _ => None,
    }
}

/// The place of the attribute that `attribute` was meant to be: one that is not there yet, by its name, or else by
/// what only that one can hold.
fn intended_attribute(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<usize> {
    let absent = || {
        let slots = fields.shape.attributes.iter().zip(&fields.attributes).enumerate();
        slots.filter(|(_, (_, found))| found.is_none()).map(|(slot, (known, _))| (slot, known))
    };
    if let Some(slot) = synonym(fields, attribute) {
        return Some(slot);
    }
    // Attributes that the rest of the element has no use for yet come after those that it cannot do without.
    if let Some(name) = closest_match(attribute.name, absent().map(|(_, known)| known.name)) {
        return absent().find(|(_, known)| known.name == name).map(|(slot, _)| slot);
    }
    let has_address = fields
        .shape
        .attributes
        .iter()
        .zip(&fields.attributes)
        .any(|(known, found)| found.is_some() && matches!(known.value, Value::Path | Value::Host));
    let fits = |known: &crate::schema::Attribute| {
        let is_distinctive = match known.value {
            Value::Words(_) => !matches!(attribute.value, "yes" | "no"),
            Value::Path => !has_address,
            _ => known.required,
        };
        is_distinctive && known.value.accepts(attribute.value)
    };
    let mut fitting = absent().filter(|(_, known)| fits(known));
    match (fitting.next(), fitting.next()) {
        (Some((slot, _)), None) => Some(slot),
        (Some((slot, first)), Some(_)) if first.required => Some(slot),
        _ => None,
    }
}
