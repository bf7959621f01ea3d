//! Properties of an element that roxmltree does not provide: the spans of its start tag and its name.

use roxmltree::Node;

use crate::diagnostic::Span;

/// The start tag of an element, from `<` to `>`.
pub(crate) fn start_tag(node: Node<'_, '_>) -> Span {
    let start = node.range().start;
    let from = node.attributes().next_back().map_or(start, |attribute| attribute.range().end);
    let rest = node.document().input_text().get(from..node.range().end).unwrap_or_default();
    Span::new(start, rest.find('>').map_or(node.range().end, |length| from + length + 1))
}

/// The name in an element's start tag.
pub(crate) fn name_span(node: Node<'_, '_>) -> Span {
    let start = node.range().start + 1;
    let rest = node.document().input_text().get(start..node.range().end).unwrap_or_default();
    let length = rest.find(|character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>'));
    Span::new(start, start + length.unwrap_or(rest.len()))
}

/// The namespace of an element; an empty namespace is none.
pub(crate) fn namespace<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.tag_name().namespace().filter(|namespace| !namespace.is_empty())
}
