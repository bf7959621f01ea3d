//! The message that libvirt prints for a checkpoint that its schema refuses.
//!
//! libvirt prints one for the whole document: libxml2's RELAX NG names a child of the root, the first in the order of the
//! schema that is wrong or doubled; else what the root cannot hold, and else an attribute.

use roxmltree::Node;

use crate::diagnostic::Diagnostic;
use crate::schema::DOMAINCHECKPOINT;
use crate::syntax::namespace;
use crate::wording::trim;

/// Gives every diagnostic about the schema the message that libvirt prints for the document.
pub(super) fn set_schema_message(diagnostics: &mut [Diagnostic], root: Node<'_, '_>) {
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

fn words(diagnostics: &[Diagnostic], root: Node<'_, '_>) -> String {
    let unknown_child = root.children().find(|child| is_unknown(*child));
    let known = || root.children().take_while(|child| Some(*child) != unknown_child).filter(Node::is_element);
    let is_valid = |child: Node<'_, '_>| {
        let range = child.range();
        let is_inside = |diagnostic: &Diagnostic| range.contains(&(diagnostic.primary.span.start as usize));
        !diagnostics
            .iter()
            .any(|diagnostic| diagnostic.is_error() && diagnostic.libvirt.is_none() && is_inside(diagnostic))
    };
    for name in DOMAINCHECKPOINT.children {
        let mut named = known().filter(|child| child.tag_name().name() == *name);
        let first = named.next();
        if named.next().is_some() || first.is_some_and(|child| !is_valid(child)) {
            return format!("Extra element {name} in interleave\nElement domaincheckpoint failed to validate content");
        }
    }
    match unknown_child {
        Some(child) if child.is_text() => "Element domaincheckpoint has extra content: text".to_owned(),
        Some(child) => format!("Element domaincheckpoint has extra content: {}", child.tag_name().name()),
        None => {
            let name = root.attributes().next().map_or("", |attribute| attribute.name());
            format!("Invalid attribute {name} for element domaincheckpoint")
        }
    }
}

/// Whether the schema knows no such child of the root.
fn is_unknown(child: Node<'_, '_>) -> bool {
    if child.is_text() {
        return !trim(child.text().unwrap_or_default()).is_empty();
    }
    let name = child.tag_name();
    child.is_element() && (namespace(child).is_some() || !DOMAINCHECKPOINT.children.contains(&name.name()))
}
