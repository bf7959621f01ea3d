//! Children that do not belong.

use std::iter::successors;

use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Span};
use crate::parse::cause;
use crate::parse::element::{Context, Fields, place_child};
use crate::rules::Rule;
use crate::schema::{DOMAINBACKUP, DOMAINCHECKPOINT, PULL_DISK, PUSH_DISK, Shape, Value};
use crate::syntax::{Attribute, Element};
use crate::wording::{self, closest_match};

use super::child::ChildValues;
use super::relocate::{add_content, append_content, element_into_comment};

/// Reports the children that the shape does not know. Those that can be understood are put where they were meant.
pub(crate) fn children<'a, 'i>(context: &mut Context<'_>, fields: &mut Fields<'a, 'i>, unexpected: &[Element<'a, 'i>]) {
    let mut reported: Vec<Misplaced<'_, 'a, 'i>> = Vec::new();
    let mut values = ChildValues::new(fields.node);
    for &child in unexpected {
        let name = child.name();
        if let Some(namespace) = context.namespace_of(child) {
            report_namespace(context, child, namespace);
            context.namespace = Some(namespace.to_owned());
            if !place_child(context, fields, child, name) {
                fields.has_unknown_child = true;
            }
            continue;
        }
        // Several misplaced siblings of one name are one mistake, and so are neighbours that have lost the same tags.
        if let Some(first) = reported.iter_mut().find(|reported| reported.explains(fields.shape, child, name)) {
            first.nodes.push(child);
            if let Some(first) = context.diagnostics.get_mut(first.position) {
                first.secondary.push(crate::diagnostic::Label {
                    document: crate::diagnostic::Document::Backup,
                    span: child.tag(),
                    message: wording::SAME_HERE.to_owned(),
                });
            }
            treat_as_listed_disk(fields, child, name);
            continue;
        }
        if context.base == Some(child.tag()) || values.report(context, fields, child) {
            continue;
        }
        if let Some(position) = report_unexpected(context, fields, child, name) {
            reported.push(Misplaced { name, position, nodes: vec![child] });
        }
    }
    for misplaced in reported {
        let fix = misplaced.fix(context, fields);
        if let Some(diagnostic) = context.diagnostics.get_mut(misplaced.position) {
            diagnostic.fixes.extend(fix);
        }
    }
}

/// Siblings of one name that do not belong where they are.
struct Misplaced<'n, 'a, 'i> {
    name: &'n str,
    /// The index of the diagnostic about them.
    position: usize,
    nodes: Vec<Element<'a, 'i>>,
}

impl<'a, 'i> Misplaced<'_, 'a, 'i> {
    /// Whether a sibling is part of the same mistake.
    fn explains(&self, shape: &Shape, child: Element<'a, 'i>, name: &str) -> bool {
        let is_next = || self.nodes.last().is_some_and(|last| child.directly_follows(*last));
        self.name == name || is_next() && parents_of(shape, self.name) == parents_of(shape, name)
    }

    /// Moves them into the only element around that may hold them; disks into the `<disks>` beside them, or into new
    /// ones.
    fn fix(&self, context: &Context<'_>, fields: &Fields<'a, 'i>) -> Option<Fix> {
        if !self.are_disks(fields) {
            return self.fix_by_moving(context, fields);
        }
        let spans = self.nodes.iter().map(|node| node.span());
        let written = |span: Span| context.text.get(span.range()).unwrap_or_default();
        let disks: String = spans.clone().map(written).collect();
        if let Some(list) = fields.child("disks") {
            let mut edits: Vec<_> = spans.map(|span| context.removal(span)).collect();
            edits.push(append_content(context, list, &disks));
            return Some(Fix { message: wording::move_to("<disks>"), applicability: Applicability::Safe, edits });
        }
        let mut edits: Vec<_> = spans.map(|span| Edit { span, text: String::new() }).collect();
        if let Some(first) = edits.first_mut() {
            first.text = format!("<disks>{disks}</disks>");
        }
        Some(Fix { message: wording::move_to("<disks>"), applicability: Applicability::Safe, edits })
    }

    fn fix_by_moving(&self, context: &Context<'_>, fields: &Fields<'a, 'i>) -> Option<Fix> {
        let parents = parents_of(fields.shape, self.name);
        let may_hold = |node: &Element<'a, 'i>| parents.contains(&wording::tag(node.name()));
        let above = successors(fields.node.parent(), |node| node.parent()).find(may_hold);
        let near = fields.node.children().chain(fields.node.parent().into_iter().flat_map(Element::children));
        let mut near = near.filter(may_hold);
        let (parent, applicability) = match (above, near.next(), near.next()) {
            (Some(above), _, _) => (above, Applicability::Safe),
            (None, Some(near), None) => (near, Applicability::Unsafe),
            _ => return None,
        };
        let shapes = fields.shape.relatives().iter().map(|(shape, _)| *shape);
        let shape = shapes.into_iter().find(|shape| shape.name == parent.name())?;
        let written = |node: &Element<'_, '_>| context.text.get(node.span().range()).unwrap_or_default();
        let is_repeated = shape.repeated == Some(self.name);
        let present = parent.child(self.name).filter(|_| !is_repeated);
        let removals = self.nodes.iter().map(|node| context.removal(node.span()));
        let mut edits: Vec<_> = removals.collect();
        if let Some(present) = present {
            let is_same = self.nodes.iter().all(|node| written(node) == written(&present));
            let message = wording::remove(&wording::tag(self.name));
            return is_same.then_some(Fix { message, applicability: Applicability::Unsafe, edits });
        }
        if !is_repeated && self.nodes.len() > 1 {
            return None;
        }
        let moved: String = self.nodes.iter().map(written).collect();
        edits.push(add_content(context, parent, &moved));
        Some(Fix { message: wording::move_to(&wording::tag(shape.name)), applicability, edits })
    }

    fn are_disks(&self, fields: &Fields<'_, '_>) -> bool {
        is_root(fields.shape) && self.name == "disk"
    }
}

fn report_namespace(context: &mut Context<'_>, child: Element<'_, '_>, namespace: &str) {
    let message = wording::in_namespace(child.name(), namespace);
    let diagnostic = if let Some(declaration) = child.namespace_declaration() {
        let removed = context.with_space_before(declaration);
        Diagnostic::new(Rule::Namespace, declaration, message).unsafe_fix(wording::remove("`xmlns`"), removed, "")
    } else {
        let diagnostic = Diagnostic::new(Rule::Namespace, child.tag(), message);
        rename(diagnostic, child, child.name(), Applicability::Unsafe)
    };
    context.report(diagnostic.help(wording::NO_NAMESPACE));
}

/// Reports one unexpected child; returns the place of the diagnostic if more of its kind are the same mistake.
fn report_unexpected<'a, 'i>(
    context: &mut Context<'_>,
    fields: &mut Fields<'a, 'i>,
    child: Element<'a, 'i>,
    name: &'a str,
) -> Option<usize> {
    if let Some((rule, message, intended)) = other_modes_child(fields.shape, name) {
        let present = fields.child(intended).is_some();
        let mut diagnostic = Diagnostic::new(rule, child.tag(), message);
        if present {
            diagnostic = diagnostic
                .help(format!("remove it: the disk has a <{intended}>"))
                .with_fix(element_into_comment(context, child));
        } else {
            diagnostic = diagnostic.help(format!("write <{intended}>"));
            diagnostic = rename(diagnostic, child, intended, Applicability::Unsafe);
            place_child(context, fields, child, intended);
        }
        context.report_misplaced(name, diagnostic);
        return None;
    }
    let known = fields.shape.children.iter().copied().chain(fields.shape.repeated);
    if let Some((diagnostic, intended)) = cause::of_name(context, name, known, &name_places(child)) {
        context.report(diagnostic);
        place_child(context, fields, child, intended);
        return None;
    }
    let parents = parents_of(fields.shape, name);
    if !parents.is_empty() && intended_child(fields, child, name).is_none() {
        // What belongs in a child of this element has lost that child's tags: it is not missing.
        let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
        let hidden = absent.chain(fields.shape.repeated).any(|known| parents.contains(&format!("<{known}>")));
        fields.has_unknown_child |= hidden;
        let position = context.diagnostics.len();
        let diagnostic =
            Diagnostic::new(Rule::MisplacedElement, child.tag(), wording::element_not_allowed(name, fields.shape.name))
                .help(wording::belongs(&wording::tag(name), &parents));
        context.report_misplaced(name, diagnostic);
        treat_as_listed_disk(fields, child, name);
        return Some(position);
    }
    unknown_element(context, fields, child, name);
    None
}

/// The element that belongs here and that a known one was meant to be: its name is near, and what it holds fits that
/// element and not the one that it is called.
fn intended_child(fields: &Fields<'_, '_>, child: Element<'_, '_>, name: &str) -> Option<&'static str> {
    let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
    let intended = closest_match(name, absent.chain(fields.shape.repeated))?;
    (holds_what_belongs_in(fields.shape, child, intended) && !holds_what_belongs_in(fields.shape, child, name))
        .then_some(intended)
}

/// Whether the attributes and children of `child` are ones that an element called `name` may have.
fn holds_what_belongs_in(parent: &Shape, child: Element<'_, '_>, name: &str) -> bool {
    parent.relatives().iter().filter(|(shape, _)| shape.name == name).any(|(shape, _)| {
        let has_attribute = |name: &str| shape.attributes.iter().any(|known| known.name == name);
        child.attributes().all(|attribute| has_attribute(attribute.name))
            && child.children().all(|grandchild| {
                let parents = parent.relatives().iter().find(|(shape, _)| shape.name == grandchild.name());
                parents.is_some_and(|(_, parents)| parents.contains(&name))
            })
    })
}

/// The target of a push written in a pull, and the other way round.
fn other_modes_child(shape: &Shape, name: &str) -> Option<(Rule, &'static str, &'static str)> {
    if std::ptr::eq(shape, &raw const PULL_DISK) && name == "target" {
        let message = "<target> is not allowed in pull mode";
        return Some((Rule::TargetInPull, message, "scratch"));
    }
    if std::ptr::eq(shape, &raw const PUSH_DISK) && name == "scratch" {
        let message = "<scratch> is not allowed in push mode";
        return Some((Rule::ScratchInPush, message, "target"));
    }
    None
}

fn is_root(shape: &Shape) -> bool {
    [DOMAINBACKUP.name, DOMAINCHECKPOINT.name].contains(&shape.name)
}

/// A disk that is a sibling of `<disks>` is still read as a disk.
fn treat_as_listed_disk<'a, 'i>(fields: &mut Fields<'a, 'i>, child: Element<'a, 'i>, name: &str) {
    if is_root(fields.shape) && name == "disk" {
        fields.repeated.push(child);
    }
}

/// The elements that an element called `name` may stand in.
pub(super) fn parents_of(shape: &Shape, name: &str) -> Vec<String> {
    let hint = shape.relatives().iter().find(|(shape, _)| shape.name == name);
    hint.map(|(_, parents)| parents.iter().map(|parent| format!("<{parent}>")).collect()).unwrap_or_default()
}

fn unknown_element<'a, 'i>(context: &mut Context<'_>, fields: &mut Fields<'a, 'i>, child: Element<'a, 'i>, name: &str) {
    let parent = fields.shape.name;
    let message = wording::unknown_element(name, parent);
    let absent = || {
        let single = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
        single.chain(fields.shape.repeated)
    };
    let all = || fields.shape.children.iter().copied().chain(fields.shape.repeated);
    if let Some(intended) = closest_match(name, absent()).or_else(|| only_candidate(fields, child)) {
        let diagnostic = Diagnostic::new(Rule::UnknownElement, child.name_span(), message)
            .help(wording::did_you_mean_name(name, intended, &wording::tag(intended)));
        context.report(rename(diagnostic, child, intended, Applicability::Safe));
        place_child(context, fields, child, intended);
        return;
    }
    fields.has_unknown_child = true;
    let names: Vec<_> = all().collect();
    let diagnostic = Diagnostic::new(Rule::UnknownElement, child.tag(), message)
        .help(format!("{}; {}", wording::known_elements(parent, &names), wording::NEWER_LIBVIRT))
        .with_fix(element_into_comment(context, child));
    context.report(diagnostic);
}

/// The element that an unknown one must have been, going by its attributes: the only absent one that takes them all,
/// with their values, where at least one is distinctive.
fn only_candidate(fields: &Fields<'_, '_>, child: Element<'_, '_>) -> Option<&'static str> {
    let known_in = |shape: &'static Shape, attribute: &Attribute<'_>| {
        shape.attributes.iter().find(|known| known.name == attribute.name)
    };
    let takes_all = |name: &str| {
        fields.shape.relatives().iter().filter(|(shape, _)| shape.name == name).any(|(shape, _)| {
            let takes = |attribute: Attribute<'_>| {
                known_in(shape, &attribute).is_some_and(|known| known.value.accepts(attribute.value))
            };
            // Every document has a name for something. A server that is needed and not there is sought after.
            let is_missing_server = name == "server" && fields.word("mode") == Some("pull");
            let is_distinctive = |attribute: Attribute<'_>| {
                let value = known_in(shape, &attribute).map(|known| known.value);
                attribute.name != "name" || matches!(value, Some(Value::DiskName)) || is_missing_server
            };
            child.attributes().all(takes) && child.attributes().any(is_distinctive)
        })
    };
    let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
    let mut candidates = absent.chain(fields.shape.repeated).filter(|name| takes_all(name));
    match (candidates.next(), candidates.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// Where the name of an element is written: in its start tag and in its end tag.
fn name_places(node: Element<'_, '_>) -> Vec<usize> {
    let places = std::iter::once(node.name_span()).chain(node.end_name_span());
    places.map(|place| place.start as usize).collect()
}

/// Adds the fix that gives an element another name, in both its tags.
pub(crate) fn rename(
    diagnostic: Diagnostic,
    child: Element<'_, '_>,
    intended: &str,
    applicability: Applicability,
) -> Diagnostic {
    let names = std::iter::once(child.name_span()).chain(child.end_name_span());
    let edits = names.map(|span| Edit { span, text: intended.to_owned() }).collect();
    diagnostic.fix(wording::rename_to(&wording::tag(intended)), applicability, edits)
}
