//! The message that libvirt prints for a checkpoint that its schema refuses.
//!
//! libvirt prints one for the whole document: libxml2's RELAX NG names a child of the root, the first in the order of the
//! schema that is wrong or doubled; else what the root cannot hold, and else an attribute.

use crate::diagnostic::Diagnostic;
use crate::parse::is_unknown;
use crate::schema::DOMAINCHECKPOINT;
use crate::syntax::{Content, Element};

/// Gives every diagnostic about the schema the message that libvirt prints for the document.
pub(super) fn set_schema_message(diagnostics: &mut [Diagnostic], root: Element<'_, '_>) {
    let is_of_schema = |diagnostic: &Diagnostic| diagnostic.is_error() && diagnostic.libvirt.is_none();
    if !diagnostics.iter().any(is_of_schema) {
        return;
    }
    let message = message(&words(diagnostics, root));
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| is_of_schema(diagnostic)) {
        diagnostic.libvirt = Some(message.clone());
    }
}

/// What libvirt prints for a root in a namespace.
pub(super) fn root_in_namespace() -> String {
    message("Expecting no namespace for element domaincheckpoint")
}

fn message(words: &str) -> String {
    format!(
        "XML document failed to validate against schema: Unable to validate doc against \
         /usr/share/libvirt/schemas/domaincheckpoint.rng\n{words}\n"
    )
}

fn words(diagnostics: &[Diagnostic], root: Element<'_, '_>) -> String {
    let unknown = root.content().find(|content| is_unknown(*content, &DOMAINCHECKPOINT));
    let known =
        || root.content().take_while(|content| !is_unknown(*content, &DOMAINCHECKPOINT)).filter_map(Content::element);
    let is_valid = |child: Element<'_, '_>| {
        let range = child.span().range();
        let is_inside = |diagnostic: &Diagnostic| range.contains(&(diagnostic.primary.span.start as usize));
        !diagnostics
            .iter()
            .any(|diagnostic| diagnostic.is_error() && diagnostic.libvirt.is_none() && is_inside(diagnostic))
    };
    for name in DOMAINCHECKPOINT.children {
        let mut named = known().filter(|child| child.name() == *name);
        let first = named.next();
        if named.next().is_some() || first.is_some_and(|child| !is_valid(child)) {
            return format!("Extra element {name} in interleave\nElement domaincheckpoint failed to validate content");
        }
    }
    if let Some(unknown) = unknown {
        let name = unknown.element().map_or("text", Element::name);
        return format!("Element domaincheckpoint has extra content: {name}");
    }
    let name = root.attributes().next().map_or("", |attribute| attribute.name);
    format!("Invalid attribute {name} for element domaincheckpoint")
}
