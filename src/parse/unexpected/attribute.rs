//! Attributes that do not belong.

use crate::diagnostic::{Applicability, Diagnostic, Fix};
use crate::parse::element::{Context, Fields};
use crate::parse::{address, cause};
use crate::rules::Rule;
use crate::schema::{Format, PUSH_DISK, Shape, Value};
use crate::syntax::{Attribute, Element};
use crate::wording::{self, closest_match, truncate_for_display};

use super::concept::{self, Place};
use super::relocate::{
    Relocated, Written, add_attributes, add_content, attribute_into_comment, is_free, relocate, set, settle,
};

/// Attributes of this namespace are for validators only.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

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
        .help(wording::NO_NAMESPACE);
        context.report(without_namespace(context, fields, &attribute, diagnostic));
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
    if address(context, fields, &attribute) {
        return;
    }
    let parents = elements_with_attribute(fields.shape, attribute.name);
    let is_misplaced = !parents.is_empty() || is_text_child(fields.shape, attribute.name);
    let rule = if is_misplaced { Rule::MisplacedAttribute } else { Rule::UnknownAttribute };
    if concept(context, fields, attribute, rule) {
        return;
    }
    if is_misplaced {
        let diagnostic = misplaced_attribute(context, fields, &attribute, &parents);
        context.report_misplaced(attribute.name, diagnostic);
    } else {
        unknown_attribute(context, fields, attribute);
    }
}

/// Takes an attribute out of its namespace where it is known without, else out of the document.
fn without_namespace(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    diagnostic: Diagnostic,
) -> Diagnostic {
    if is_free(fields, attribute.name, attribute.value) {
        return diagnostic.unsafe_fix(wording::remove("the prefix"), attribute.name_span, attribute.name);
    }
    if attribute.namespace == Some(SCHEMA_INSTANCE) {
        return diagnostic.unsafe_fix(wording::remove("the attribute"), context.with_space_before(attribute.span), "");
    }
    diagnostic.with_fix(attribute_into_comment(context, fields.node, attribute.span))
}

/// Reports the address of a server that is written as a URL under another name; whether it is one.
fn address<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, attribute: &Attribute<'a>) -> bool {
    if fields.shape.name != "server" || !address::is_url(attribute.value) {
        return false;
    }
    let Some(settings) = address::settings(attribute.value) else { return false };
    let written = Written { attribute: *attribute, whole: attribute.span, is_attribute: true };
    let message = wording::unknown_attribute(attribute.name, fields.shape.name);
    let diagnostic = Diagnostic::new(Rule::UnknownAttribute, attribute.span, message);
    settle(context, fields, &written, &settings, diagnostic, "a URL is written as attributes: ")
}

/// Reports an attribute that says what another setting says; whether it is known.
fn concept<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, attribute: Attribute<'a>, rule: Rule) -> bool {
    let Some(concept) = concept::find(fields, attribute.name, attribute.value) else { return false };
    let element = fields.shape.name;
    let message = match rule {
        Rule::MisplacedAttribute => wording::attribute_not_allowed(attribute.name, element),
        _ => wording::unknown_attribute(attribute.name, element),
    };
    if let Place::Attribute(name) = concept.place {
        let span = attribute.name_span;
        let shown = wording::code(name);
        let diagnostic = Diagnostic::new(rule, span, message)
            .help(wording::did_you_mean_name(attribute.name, name, &shown))
            .safe_fix(wording::rename_to(&shown), span, name);
        context.report(diagnostic);
        set(fields, name, attribute);
        return true;
    }
    let written = Written { attribute, whole: attribute.span, is_attribute: true };
    let relocated = relocate(context, fields, concept.place, &written);
    let help = concept.help_for(relocated.as_ref());
    let is_unknown = relocated.is_none() && rule == Rule::UnknownAttribute;
    let help = if is_unknown { format!("{help}; {}", wording::NEWER_LIBVIRT) } else { help };
    let diagnostic = Diagnostic::new(rule, attribute.span, message).help(help);
    if relocated.is_some() {
        concept.place.read(context, fields, attribute);
    }
    let fix = relocated.map(Relocated::safe_fix).or_else(|| to_relative(context, fields, &attribute));
    context.report_misplaced(attribute.name, diagnostic.with_fix(fix));
    true
}

/// Attributes with a message of their own.
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
            .with_fix(attribute_into_comment(context, fields.node, attribute.span)),
        ),
        "name" if fields.shape.name == "driver" => Some(
            Diagnostic::new(Rule::MisplacedAttribute, attribute.span, wording::attribute_not_allowed("name", "driver"))
                .help("remove it: only the <driver> of a disk in a domain has a name")
                .with_fix(attribute_into_comment(context, fields.node, attribute.span)),
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
    let help = if is_text_child(fields.shape, name) {
        format!("write an element: <{name}>{}</{name}>", truncate_for_display(attribute.value))
    } else {
        wording::belongs(&wording::code(name), parents)
    };
    let diagnostic = Diagnostic::new(
        Rule::MisplacedAttribute,
        attribute.span,
        wording::attribute_not_allowed(name, fields.shape.name),
    )
    .help(help);
    diagnostic.with_fix(into_element(context, fields, attribute).or_else(|| to_relative(context, fields, attribute)))
}

/// Moves an attribute to the only element above or below that can have it and does not; one that is there too is
/// removed.
fn to_relative(context: &Context<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Fix> {
    let name = attribute.name;
    let shape_of = |node: &Element<'_, '_>| {
        let shapes = fields.shape.relatives().iter().map(|(shape, _)| *shape);
        shapes.into_iter().find(|shape| shape.name == node.name())
    };
    let can_have = |node: &Element<'_, '_>| {
        let known = shape_of(node).and_then(|shape| shape.attributes.iter().find(|known| known.name == name));
        known.is_some_and(|known| known.value.accepts(attribute.value))
    };
    let relatives = || fields.node.parent().into_iter().chain(fields.node.children());
    let removal = context.removal(attribute.span);
    if relatives().any(|node| can_have(&node) && node.attribute(name) == Some(attribute.value)) {
        let message = wording::remove(&wording::code(name));
        return Some(Fix { message, applicability: Applicability::Unsafe, edits: vec![removal] });
    }
    let taken: &[&str] = if matches!(name, "file" | "dev") { &["file", "dev"] } else { &[name] };
    let is_free = |node: &Element<'_, '_>| can_have(node) && !taken.iter().any(|taken| node.has_attribute(taken));
    let mut free = relatives().filter(is_free);
    let (Some(node), None) = (free.next(), free.next()) else { return None };
    let setting = context.text.get(attribute.span.range())?;
    let edits = vec![removal, add_attributes(node, &format!(" {setting}"))];
    let message = wording::move_to(&wording::tag(node.name()));
    Some(Fix { message, applicability: Applicability::Unsafe, edits })
}

/// Makes the element that an attribute of the root was meant to be, if there is none yet.
fn into_element(context: &Context<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Fix> {
    let name = attribute.name;
    if !is_text_child(fields.shape, name) || has_child(fields, name) {
        return None;
    }
    let written = context.text.get(attribute.value_span.range())?;
    let edit = add_content(context, fields.node, &format!("<{name}>{written}</{name}>"));
    let removed = context.removal(attribute.span);
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
        let help = wording::known_attributes(element, &names);
        let diagnostic = Diagnostic::new(
            Rule::UnknownAttribute,
            attribute.span,
            wording::unknown_attribute(attribute.name, element),
        )
        .help(format!("{help}; {}", wording::NEWER_LIBVIRT))
        .with_fix(attribute_into_comment(context, fields.node, attribute.span));
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

/// The place of the attribute that `attribute` was meant to be: one that is not there yet, by its name, or else by
/// what only that one can hold.
fn intended_attribute(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<usize> {
    let absent = || {
        let slots = fields.shape.attributes.iter().zip(&fields.attributes).enumerate();
        slots.filter(|(_, (_, found))| found.is_none()).map(|(slot, (known, _))| (slot, known))
    };
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
