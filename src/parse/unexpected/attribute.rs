//! Attributes that do not belong.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Span};
use crate::parse::element::{Attribute, Context, Fields};
use crate::rules::Rule;
use crate::schema::{DOMAINBACKUP, PUSH_DISK, SHAPES, Value};
use crate::wording::{closest_match, join_with_or, truncate_for_display};

/// Reports an attribute that the shape does not know, or that stands in a namespace.
pub(crate) fn attribute<'a>(
    context: &mut Context<'_>,
    fields: &mut Fields<'a, '_>,
    written: roxmltree::Attribute<'a, '_>,
) {
    if written.namespace().is_some() {
        let span = Span::from(written.range());
        let diagnostic = Diagnostic::new(
            Rule::Namespace,
            span,
            format!("the attribute {} of <{}> is in a namespace", written_name(context, span), fields.shape.name),
        )
        .help("remove the attribute: libvirt knows none with a prefix")
        .unsafe_fix("remove the attribute", context.with_space_before(span), "");
        context.report(diagnostic);
        return;
    }
    let attribute = Attribute::new(written, context.text);
    if let Some(diagnostic) = attribute_with_own_message(context, fields, &attribute) {
        context.report_misplaced(attribute.name, diagnostic);
        return;
    }
    let parents = elements_with_attribute(attribute.name);
    if parents.is_empty() || synonym(fields, &attribute).is_some() {
        unknown_attribute(context, fields, attribute);
    } else {
        let diagnostic = misplaced_attribute(context, fields, &attribute, &parents);
        context.report_misplaced(attribute.name, diagnostic);
    }
}

fn written_name<'i>(context: &Context<'i>, span: Span) -> &'i str {
    let written = context.text.get(span.range()).unwrap_or_default();
    written.split(['=', ' ', '\t', '\n', '\r']).next().unwrap_or_default()
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
                format!("{} is for pull mode, and this is a push mode backup", attribute.name),
            )
            .help("remove it, or write mode='pull' on <domainbackup>")
            .unsafe_fix(format!("remove {}", attribute.name), remove, ""),
        ),
        "name" if fields.shape.name == "driver" => Some(
            Diagnostic::new(
                Rule::MisplacedAttribute,
                attribute.span,
                "the <driver> of a backup has no name, only that of a domain's disk",
            )
            .help("remove it: the format is all that is said here")
            .unsafe_fix("remove name", remove, ""),
        ),
        "index" if fields.shape.name == "disk" => Some(
            Diagnostic::new(
                Rule::IndexAttribute,
                attribute.span,
                "index is libvirt's own number, which backup-dumpxml prints and backup-begin refuses",
            )
            .help("remove it")
            .safe_fix("remove index", remove, ""),
        ),
        _ => None,
    }
}

/// The elements that have an attribute called `name`.
fn elements_with_attribute(name: &str) -> Vec<String> {
    let mut parents: Vec<_> = SHAPES
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
        ("disk", "mode") => "how much of a disk is backed up is its backupmode".to_owned(),
        ("disk" | "target" | "scratch", "format") => {
            format!(
                "the format of the image is its driver's: <driver type='{}'/>",
                truncate_for_display(attribute.value)
            )
        }
        ("domainbackup", "incremental") => {
            format!("write it as an element: <incremental>{}</incremental>", truncate_for_display(attribute.value))
        }
        _ => format!("{name} belongs on {}", join_with_or(parents)),
    };
    let diagnostic = Diagnostic::new(
        Rule::MisplacedAttribute,
        attribute.span,
        format!("<{}> has no attribute {name}", fields.shape.name),
    )
    .help(help);
    match into_element(context, fields, attribute) {
        Some(fix) => diagnostic.fix(fix.message, fix.applicability, fix.edits),
        None => diagnostic.unsafe_fix(format!("remove {name}"), context.with_space_before(attribute.span), ""),
    }
}

/// Makes the element that an attribute of the root was meant to be, if there is none yet.
fn into_element(context: &Context<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Fix> {
    let name = attribute.name;
    if fields.shape.name != DOMAINBACKUP.name || name != "incremental" || has_child(fields, name) {
        return None;
    }
    let tag = fields.tag();
    let written = context.text.get(attribute.value_span.range())?;
    let element = format!("<{name}>{written}</{name}>");
    let edit = if context.text.get(tag.range())?.ends_with("/>") {
        let end = Span { start: tag.end - 2, end: tag.end };
        Edit { span: end, text: format!(">{element}</{}>", DOMAINBACKUP.name) }
    } else {
        Edit { span: tag.after(), text: element }
    };
    let removed = Edit { span: context.with_space_before(attribute.span), text: String::new() };
    Some(Fix { message: format!("make it <{name}>"), applicability: Applicability::Safe, edits: vec![removed, edit] })
}

fn has_child(fields: &Fields<'_, '_>, name: &str) -> bool {
    fields.node.children().any(|child| child.tag_name().name() == name)
}

fn unknown_attribute<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, attribute: Attribute<'a>) {
    let element = fields.shape.name;
    let Some(slot) = intended_attribute(fields, &attribute) else {
        let names: Vec<_> = fields.shape.attributes.iter().map(|known| known.name).collect();
        let help = if let Some(hint) = hint_for_foreign_attribute(element, attribute.name) {
            format!("remove it: {hint}")
        } else if names.is_empty() {
            format!("remove it: <{element}> takes no attributes")
        } else {
            format!("remove it: <{element}> takes {}", names.join(", "))
        };
        let diagnostic = Diagnostic::new(
            Rule::UnknownAttribute,
            attribute.span,
            format!("<{element}> has no attribute {}", truncate_for_display(attribute.name)),
        )
        .help(help)
        .unsafe_fix("remove the attribute", context.with_space_before(attribute.span), "");
        context.report(diagnostic);
        return;
    };
    let intended = fields.shape.attributes.get(slot).map_or("", |known| known.name);
    let diagnostic = Diagnostic::new(
        Rule::UnknownAttribute,
        attribute.name_span(),
        format!("<{element}> has no attribute {}", truncate_for_display(attribute.name)),
    )
    .help(suggestion_help(attribute.name, intended, intended))
    .safe_fix(format!("rename it to {intended}"), attribute.name_span(), intended);
    context.report(diagnostic);
    if let Some(slot) = fields.attributes.get_mut(slot) {
        *slot = Some(attribute);
    }
}

/// What to say of a name that was meant to be another one, which is `shown` so.
pub(in crate::parse) fn suggestion_help(written: &str, intended: &str, shown: &str) -> String {
    if written.eq_ignore_ascii_case(intended) {
        format!("write {shown}: libvirt's names are in lower case")
    } else {
        format!("did you mean {shown}?")
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
fn hint_for_foreign_attribute(element: &str, name: &str) -> Option<&'static str> {
    match (element, name) {
        ("disk", "checkpoint" | "bitmap") => {
            Some("which disks a checkpoint covers, and by which bitmaps, is said in the checkpoint's own document")
        }
        ("disk", "snapshot") => Some("it is a snapshot's; whether a disk is backed up is said by backup"),
        ("target" | "scratch", "protocol" | "pool" | "volume") => {
            Some("a backup goes to a file or a block device of the host")
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
