//! The words in which libvirt refuses a document that its schema does not accept.
//!
//! libvirt prints one message for the whole document, and it never speaks of anything below the root's children:
//! libxml2's RELAX NG reports the last alternative that it tried. This predicts which one that is.

use crate::backup::Mode;
use crate::diagnostic::Diagnostic;
use crate::schema::{DOMAINBACKUP, Shape};
use crate::syntax::{Content, Element};
use crate::wording::trim;

/// Where libvirt's packages put the schema.
const SCHEMA: &str = "/usr/share/libvirt/schemas/domainbackup.rng";

const NO_NAMESPACE: &str = "Expecting no namespace for element domainbackup";

/// Gives every diagnostic against the schema the message that libvirt prints for the document.
///
/// `disks_fit_push` returns whether a `<disks>` would be right in push mode.
pub(super) fn set_schema_message(
    diagnostics: &mut [Diagnostic],
    root: Element<'_, '_>,
    mode: Mode,
    disks_fit_push: impl FnOnce(Element<'_, '_>) -> bool,
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
    root: Element<'a, 'i>,
    mode: Mode,
}

impl SchemaMessage<'_, '_, '_> {
    fn words(&self, disks_fit_push: impl FnOnce(Element<'_, '_>) -> bool) -> String {
        if self.root.namespace().is_some() {
            return NO_NAMESPACE.to_owned();
        }
        let is_unknown = |content: &Content<'_, '_>| is_unknown(*content, &DOMAINBACKUP);
        let unknown = self.root.content().find(is_unknown);
        let known: Vec<_> =
            self.root.content().take_while(|content| !is_unknown(content)).filter_map(Content::element).collect();
        let named = |name: &str| known.iter().filter(move |child| child.name() == name).copied().collect::<Vec<_>>();
        let incrementals = named("incremental");
        if incrementals.len() > 1 || incrementals.iter().any(|child| !self.is_valid(*child)) {
            return extra("incremental");
        }
        let pull_fits = self.pull_fits(&named("server"), &named("disks"));
        if !pull_fits {
            let mut alternatives = known.iter().filter(|child| child.name() != "incremental");
            let first = match alternatives.next() {
                Some(disks) if disks.name() == "disks" && self.fits_push(*disks, disks_fit_push) => alternatives.next(),
                first => first,
            };
            if let Some(first) = first {
                return extra(first.name());
            }
        }
        let Some(unknown) = unknown else { return self.attribute(pull_fits) };
        format!("Element domainbackup has extra content: {}", unknown.element().map_or("text", Element::name))
    }

    fn is_valid(&self, child: Element<'_, '_>) -> bool {
        let range = child.span().range();
        let inside = |diagnostic: &Diagnostic| range.contains(&(diagnostic.primary.span.start as usize));
        !self.diagnostics.iter().any(|diagnostic| diagnostic.libvirt.is_none() && inside(diagnostic))
    }

    fn fits_push(&self, disks: Element<'_, '_>, disks_fit_push: impl FnOnce(Element<'_, '_>) -> bool) -> bool {
        match self.mode {
            Mode::Push => self.is_valid(disks),
            Mode::Pull => disks_fit_push(disks),
        }
    }

    /// Whether the alternative for pull mode is the one that matches.
    fn pull_fits(&self, servers: &[Element<'_, '_>], disks: &[Element<'_, '_>]) -> bool {
        self.root.attribute("mode").is_some_and(|mode| trim(mode) == "pull")
            && servers.len() == 1
            && disks.len() <= 1
            && servers.iter().chain(disks).all(|child| self.is_valid(*child))
    }

    fn attribute(&self, pull_fits: bool) -> String {
        let refused = self.root.attributes().find(|attribute| {
            let accepted = match trim(attribute.value) {
                "push" => true,
                "pull" => pull_fits,
                _ => false,
            };
            attribute.namespace.is_some() || attribute.name != "mode" || !accepted
        });
        let name = refused.map_or("mode", |attribute| attribute.name);
        format!("Invalid attribute {name} for element domainbackup")
    }
}

fn extra(name: &str) -> String {
    format!("Extra element {name} in interleave\nElement domainbackup failed to validate content")
}

/// Whether the schema does not allow this in the root.
pub(crate) fn is_unknown(content: Content<'_, '_>, root: &Shape) -> bool {
    match content {
        Content::Element(child) => child.namespace().is_some() || !root.children.contains(&child.name()),
        Content::Text(text) => !trim(&text.value()).is_empty(),
        Content::Other => false,
    }
}
