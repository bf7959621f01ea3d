//! The words in which libvirt refuses a document that its schema does not accept.
//!
//! libvirt prints one message for the whole document, and it never speaks of anything below the root's children:
//! libxml2's RELAX NG reports the last alternative that it tried. This predicts which one that is.

use roxmltree::Node;

use crate::backup::Mode;
use crate::diagnostic::Diagnostic;
use crate::schema::DOMAINBACKUP;
use crate::syntax::namespace;
use crate::wording::trim;

/// Where libvirt's packages put the schema.
const SCHEMA: &str = "/usr/share/libvirt/schemas/domainbackup.rng";

const NO_NAMESPACE: &str = "Expecting no namespace for element domainbackup";

/// Gives every diagnostic against the schema the message that libvirt prints for the document.
///
/// `disks_fit_push` returns whether a `<disks>` would be right in push mode.
pub(super) fn set_schema_message(
    diagnostics: &mut [Diagnostic],
    root: Node<'_, '_>,
    mode: Mode,
    disks_fit_push: impl FnOnce(Node<'_, '_>) -> bool,
) {
    // What libvirt's parser refuses has its message already.
    if diagnostics.iter().all(|diagnostic| diagnostic.libvirt.is_some()) {
        return;
    }
    let words = SchemaMessage { diagnostics, root, mode }.words(disks_fit_push);
    let message = message(&words);
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.libvirt.is_none()) {
        diagnostic.libvirt = Some(message.clone());
    }
}

/// The whole message around the words of libxml2.
fn message(words: &str) -> String {
    format!("XML document failed to validate against schema: Unable to validate doc against {SCHEMA}\n{words}\n")
}

/// What libvirt prints for a root in a namespace.
pub(super) fn root_in_namespace() -> String {
    message(NO_NAMESPACE)
}

struct SchemaMessage<'d, 'a, 'i> {
    diagnostics: &'d [Diagnostic],
    root: Node<'a, 'i>,
    mode: Mode,
}

impl<'a, 'i> SchemaMessage<'_, 'a, 'i> {
    fn words(&self, disks_fit_push: impl FnOnce(Node<'_, '_>) -> bool) -> String {
        if namespace(self.root).is_some() {
            return NO_NAMESPACE.to_owned();
        }
        let unknown_child = self.root.children().find(|child| is_unknown_child(*child));
        let known: Vec<_> = self.known_children(unknown_child).collect();
        let named =
            |name: &str| known.iter().filter(move |child| child.tag_name().name() == name).copied().collect::<Vec<_>>();
        let incrementals = named("incremental");
        if incrementals.len() > 1 || incrementals.iter().any(|child| !self.is_valid(*child)) {
            return extra("incremental");
        }
        let pull_fits = self.pull_fits(&named("server"), &named("disks"));
        if !pull_fits {
            let mut alternatives = known.iter().filter(|child| child.tag_name().name() != "incremental");
            let first = match alternatives.next() {
                Some(disks) if disks.tag_name().name() == "disks" && self.fits_push(*disks, disks_fit_push) => {
                    alternatives.next()
                }
                first => first,
            };
            if let Some(first) = first {
                return extra(first.tag_name().name());
            }
        }
        match unknown_child {
            Some(unknown_child) if unknown_child.is_text() => "Element domainbackup has extra content: text".to_owned(),
            Some(unknown_child) => {
                format!("Element domainbackup has extra content: {}", unknown_child.tag_name().name())
            }
            None => self.attribute(pull_fits),
        }
    }

    fn known_children(&self, unknown_child: Option<Node<'a, 'i>>) -> impl Iterator<Item = Node<'a, 'i>> {
        self.root.children().take_while(move |child| Some(*child) != unknown_child).filter(Node::is_element)
    }

    fn is_valid(&self, child: Node<'_, '_>) -> bool {
        let range = child.range();
        let inside = |diagnostic: &Diagnostic| range.contains(&(diagnostic.primary.span.start as usize));
        !self.diagnostics.iter().any(|diagnostic| diagnostic.libvirt.is_none() && inside(diagnostic))
    }

    fn fits_push(&self, disks: Node<'_, '_>, disks_fit_push: impl FnOnce(Node<'_, '_>) -> bool) -> bool {
        match self.mode {
            Mode::Push => self.is_valid(disks),
            Mode::Pull => disks_fit_push(disks),
        }
    }

    /// Whether the alternative for pull mode is the one that matches.
    fn pull_fits(&self, servers: &[Node<'_, '_>], disks: &[Node<'_, '_>]) -> bool {
        self.root.attribute("mode").is_some_and(|mode| trim(mode) == "pull")
            && servers.len() == 1
            && disks.len() <= 1
            && servers.iter().chain(disks).all(|child| self.is_valid(*child))
    }

    fn attribute(&self, pull_fits: bool) -> String {
        let refused = self.root.attributes().find(|attribute| {
            let accepted = match trim(attribute.value()) {
                "push" => true,
                "pull" => pull_fits,
                _ => false,
            };
            attribute.namespace().is_some() || attribute.name() != "mode" || !accepted
        });
        let name = refused.map_or("mode", |attribute| attribute.name());
        format!("Invalid attribute {name} for element domainbackup")
    }
}

fn extra(name: &str) -> String {
    format!("Extra element {name} in interleave\nElement domainbackup failed to validate content")
}

/// Whether the schema knows no such child of the root.
fn is_unknown_child(child: Node<'_, '_>) -> bool {
    if child.is_text() {
        return !trim(child.text().unwrap_or_default()).is_empty();
    }
    let name = child.tag_name();
    child.is_element() && (namespace(child).is_some() || !DOMAINBACKUP.children.contains(&name.name()))
}
