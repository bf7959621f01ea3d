//! The syntax tree: elements, attributes, text and comments, with the place of each in the document.
//!
//! Names and namespaces are those that libxml2 sees: an undeclared prefix is part of the name. Nodes are in the order of
//! the document, the content of an element directly after it.

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;

use super::build::split_name;
use super::{Cleaned, value};

/// A document.
#[derive(Debug)]
pub struct Document<'i> {
    pub(super) text: &'i str,
    pub(super) nodes: Vec<Node>,
    pub(super) elements: Vec<ElementData<'i>>,
    pub(super) attributes: Vec<AttributeData<'i>>,
    pub(super) namespaces: Vec<Cow<'i, str>>,
    /// The errors of syntax, in the order of the document.
    pub errors: Vec<Diagnostic>,
    /// Whether the tree is good for checking it further, in spite of errors.
    pub(crate) is_complete: bool,
    /// Whether it has something that roxmltree refuses and libxml2 only warns about.
    pub(super) is_tolerated: bool,
    /// What errors of syntax make uncertain.
    pub(crate) broken: Broken,
    /// The text that is left of this one without what it was copied with: it is to be read in its place.
    pub(crate) cleaned: Option<Cleaned>,
}

/// The places of broken nodes.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    /// Tags of elements that have no end: what seems to be missing in them may follow after it.
    pub tags: Vec<Span>,
    /// Attributes of which it is not known what they are to be.
    pub attributes: Vec<Span>,
}

impl Broken {
    pub(super) fn sort(&mut self) {
        self.tags.sort_unstable();
        self.attributes.sort_unstable();
    }

    /// Whether a diagnostic of a later stage is about a broken node.
    pub fn explains(&self, diagnostic: &Diagnostic) -> bool {
        self.tags.binary_search(&diagnostic.primary.span).is_ok()
            || diagnostic.labels().any(|label| self.is_in_attribute(label.span))
    }

    fn is_in_attribute(&self, span: Span) -> bool {
        let next = self.attributes.partition_point(|attribute| attribute.start <= span.start);
        let attribute = next.checked_sub(1).and_then(|last| self.attributes.get(last));
        attribute.is_some_and(|attribute| span.end <= attribute.end)
    }
}

/// A node and where the nodes in it end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub span: Span,
    /// The number of the first node that is not in it.
    pub end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum NodeKind {
    /// The element of this number.
    Element(u32),
    /// Characters, references and CDATA sections.
    Text,
    Comment,
    Instruction,
}

#[derive(Debug, PartialEq)]
pub(super) struct ElementData<'i> {
    pub name: &'i str,
    pub namespace: Namespace,
    pub node: u32,
    /// The number of the element that it is in; its own for the root.
    pub parent: u32,
    pub tag: Span,
    pub name_span: Span,
    /// Where the name is in the end tag; empty if there is none.
    pub end_name: Span,
    /// The numbers of the first attribute and of the one after the last.
    pub attributes: (u32, u32),
}

#[derive(Debug, PartialEq)]
pub(super) struct AttributeData<'i> {
    /// As it is written until its prefix is resolved.
    pub name: &'i str,
    pub namespace: Namespace,
    pub span: Span,
    pub name_length: u32,
    pub value_span: Span,
    /// The value, if it is not what is written.
    pub decoded: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Namespace {
    None,
    /// The namespace of this number.
    Of(u16),
    /// The attribute declares a namespace.
    Declaration,
}

impl<'i> Document<'i> {
    pub(super) fn new(text: &'i str) -> Self {
        Self {
            text,
            nodes: Vec::new(),
            elements: Vec::new(),
            attributes: Vec::new(),
            namespaces: Vec::new(),
            errors: Vec::new(),
            is_complete: true,
            is_tolerated: false,
            broken: Broken::default(),
            cleaned: None,
        }
    }

    /// A document of which nothing is known but an error.
    pub(super) fn unreadable(text: &'i str, error: Diagnostic) -> Self {
        Self { errors: vec![error], is_complete: false, ..Self::new(text) }
    }

    /// Whether libxml2 accepts it: without a schema, undeclared prefixes have no consequence.
    pub(crate) fn is_well_formed(&self) -> bool {
        self.errors.iter().all(|error| error.rule == Rule::UndeclaredPrefix)
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &'i str {
        self.text
    }

    /// The root element.
    pub(crate) fn root(&self) -> Element<'_, 'i> {
        Element { document: self, number: 0 }
    }

    pub(super) fn namespace(&self, namespace: Namespace) -> Option<&str> {
        match namespace {
            Namespace::Of(number) => self.namespaces.get(usize::from(number)).map(AsRef::as_ref),
            Namespace::None | Namespace::Declaration => None,
        }
    }

    fn nodes(&self, from: u32, to: u32) -> impl Iterator<Item = (u32, Node)> {
        let mut next = from;
        std::iter::from_fn(move || {
            let node = *self.nodes.get(next as usize).filter(|_| next < to)?;
            let number = next;
            next = node.end.max(number + 1);
            Some((number, node))
        })
    }
}

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a, 'i> {
    document: &'a Document<'i>,
    number: u32,
}

/// What an element contains.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a, 'i> {
    Element(Element<'a, 'i>),
    Text(Text<'i>),
    /// A comment or a processing instruction.
    Other,
}

impl<'a, 'i> Content<'a, 'i> {
    pub fn element(self) -> Option<Element<'a, 'i>> {
        match self {
            Content::Element(element) => Some(element),
            _ => None,
        }
    }
}

/// Characters, references and CDATA sections between two tags or comments.
#[derive(Clone, Copy)]
pub(crate) struct Text<'i> {
    pub written: &'i str,
    pub span: Span,
}

impl<'i> Text<'i> {
    /// The text without references and the marks of CDATA sections.
    pub fn value(&self) -> Cow<'i, str> {
        value::of_text(self.written)
    }
}

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub name: &'a str,
    pub namespace: Option<&'a str>,
    pub value: &'a str,
    /// `name='value'`
    pub span: Span,
    pub name_span: Span,
    /// The span between the quotes.
    pub value_span: Span,
}

impl Attribute<'_> {
    /// The span of the value, with the quotes if it is empty.
    pub fn report_span(&self) -> Span {
        if self.value_span.start == self.value_span.end {
            return Span { start: self.value_span.start.saturating_sub(1), end: self.span.end };
        }
        self.value_span
    }
}

impl PartialEq for Element<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.number == other.number
    }
}

const NO_ELEMENT: ElementData<'static> = ElementData {
    name: "",
    namespace: Namespace::None,
    node: 0,
    parent: 0,
    tag: Span { start: 0, end: 0 },
    name_span: Span { start: 0, end: 0 },
    end_name: Span { start: 0, end: 0 },
    attributes: (0, 0),
};

impl<'a, 'i> Element<'a, 'i> {
    fn data(self) -> &'a ElementData<'i> {
        self.document.elements.get(self.number as usize).unwrap_or(&NO_ELEMENT)
    }

    fn node(self) -> Node {
        let none = Node { kind: NodeKind::Comment, span: Span::default(), end: 0 };
        self.document.nodes.get(self.data().node as usize).copied().unwrap_or(none)
    }

    pub fn name(self) -> &'i str {
        self.data().name
    }

    /// The name without its prefix, if the prefix is not declared.
    pub fn name_without_prefix(self) -> &'i str {
        split_name(self.name()).map_or(self.name(), |(_, name)| name)
    }

    pub fn namespace(self) -> Option<&'a str> {
        self.document.namespace(self.data().namespace)
    }

    /// Whether it is called `name` and in no namespace.
    pub fn is(self, name: &str) -> bool {
        self.data().name == name && self.data().namespace == Namespace::None
    }

    /// From the start tag to the end tag.
    pub fn span(self) -> Span {
        self.node().span
    }

    /// The start tag, from `<` to `>`.
    pub fn tag(self) -> Span {
        self.data().tag
    }

    /// The name in the start tag.
    pub fn name_span(self) -> Span {
        self.data().name_span
    }

    /// The name in the end tag.
    pub fn end_name_span(self) -> Option<Span> {
        Some(self.data().end_name).filter(|name| name.start < name.end)
    }

    /// Where its content ends, if it has an end tag.
    pub fn content_end(self) -> Option<Span> {
        // Nothing can be between `</` and the name.
        self.end_name_span().map(|name| Span { start: name.start - 2, end: name.start - 2 })
    }

    fn all_attributes(self) -> &'a [AttributeData<'i>] {
        let (start, end) = self.data().attributes;
        self.document.attributes.get(start as usize..end as usize).unwrap_or_default()
    }

    fn view(self, data: &'a AttributeData<'i>) -> Attribute<'a> {
        Attribute {
            name: data.name,
            namespace: self.document.namespace(data.namespace),
            value: data.value(self.document.text),
            span: data.span,
            name_span: data.name_span(),
            value_span: data.value_span,
        }
    }

    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        let written = self.all_attributes().iter().filter(|data| data.namespace != Namespace::Declaration);
        written.map(move |data| self.view(data))
    }

    /// The attribute called `name` in any namespace: libvirt asks for most attributes so.
    pub fn any_attribute(self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name == name)
    }

    /// The value of the attribute called `name` in any namespace.
    pub fn any_value(self, name: &str) -> Option<&'a str> {
        self.any_attribute(name).map(|attribute| attribute.value)
    }

    /// The attribute called `name` in no namespace, for which libvirt asks with `XPath`.
    pub fn unprefixed_attribute(self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name == name && attribute.namespace.is_none())
    }

    /// The value of the attribute called `name` in no namespace.
    pub fn attribute(self, name: &str) -> Option<&'a str> {
        let is_named = |data: &&AttributeData<'_>| data.name == name && data.namespace == Namespace::None;
        self.all_attributes().iter().find(is_named).map(|data| data.value(self.document.text))
    }

    /// Whether it has an attribute called `name` in no namespace.
    pub fn has_attribute(self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// The declaration of the default namespace in the start tag.
    pub fn namespace_declaration(self) -> Option<Span> {
        self.all_attributes().iter().find(|data| data.name == "xmlns").map(|data| data.span)
    }

    pub fn content(self) -> impl Iterator<Item = Content<'a, 'i>> {
        let Self { document, .. } = self;
        document.nodes(self.data().node + 1, self.node().end).map(move |(_, node)| match node.kind {
            NodeKind::Element(number) => Content::Element(Self { document, number }),
            NodeKind::Text => Content::Text(Text {
                written: document.text.get(node.span.range()).unwrap_or_default(),
                span: node.span,
            }),
            NodeKind::Comment | NodeKind::Instruction => Content::Other,
        })
    }

    pub fn children(self) -> impl Iterator<Item = Self> {
        self.content().filter_map(Content::element)
    }

    /// The child called `name` in no namespace.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.is(name))
    }

    pub fn texts(self) -> impl Iterator<Item = Text<'i>> {
        self.content().filter_map(|content| match content {
            Content::Text(text) => Some(text),
            _ => None,
        })
    }

    /// The text that it begins with.
    pub fn text(self) -> Option<Cow<'i, str>> {
        match self.content().next()? {
            Content::Text(text) => Some(text.value()),
            _ => None,
        }
    }

    /// The element that it is in.
    pub fn parent(self) -> Option<Self> {
        let parent = Self { number: self.data().parent, ..self };
        (parent != self).then_some(parent)
    }

    /// The elements in it, and in those.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let Self { document, number } = self;
        let end = self.node().end;
        let later = document.elements.iter().zip(0..).skip(number as usize + 1);
        later.take_while(move |(data, _)| data.node < end).map(move |(_, number)| Self { document, number })
    }

    /// Whether only text and comments are between `other` and this sibling of it.
    pub fn directly_follows(self, other: Self) -> bool {
        let mut between = self.document.nodes(other.node().end, self.data().node);
        other.node().end <= self.data().node && !between.any(|(_, node)| matches!(node.kind, NodeKind::Element(_)))
    }
}

impl AttributeData<'_> {
    pub(super) fn name_span(&self) -> Span {
        Span { start: self.span.start, end: self.span.start + self.name_length }
    }

    pub(super) fn value<'a>(&'a self, text: &'a str) -> &'a str {
        self.decoded.as_deref().unwrap_or_else(|| text.get(self.value_span.range()).unwrap_or_default())
    }
}
