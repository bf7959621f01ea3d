//! Tags and text in the order of the document → the syntax tree. Resolves namespace prefixes as libxml2 does.

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::{self, is_space};

use super::scan::MAX_DIAGNOSTICS;
use super::tag::starts_name;
use super::tree::{AttributeData, Document, ElementData, Namespace, Node, NodeKind};
use super::{limits, value};

/// A namespace that is declared for the elements of at least some depth.
struct Declaration<'i> {
    depth: usize,
    prefix: &'i str,
    namespace: Namespace,
}

/// The namespace that the prefix `xml` always has.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

pub(super) struct Builder<'i> {
    document: Document<'i>,
    /// The numbers of the nodes of the open elements.
    open: Vec<u32>,
    declared: Vec<Declaration<'i>>,
}

/// A start tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct StartTag<'i> {
    pub name: &'i str,
    pub name_span: Span,
    pub span: Span,
    /// The numbers of its first attribute and of the one after its last.
    pub attributes: (u32, u32),
}

impl<'i> Builder<'i> {
    /// Starts a document whose attributes are read already, or will be added.
    pub fn new(text: &'i str, attributes: Vec<AttributeData<'i>>) -> Self {
        Self { document: Document { attributes, ..Document::new(text) }, open: Vec::new(), declared: Vec::new() }
    }

    /// Whether a limit is exceeded, so that the tree is of no further use.
    pub fn is_beyond_limit(&self) -> bool {
        !self.document.is_complete
    }

    /// The number of attributes so far.
    pub fn attribute_count(&self) -> u32 {
        count(self.document.attributes.len())
    }

    pub fn add_attribute(&mut self, attribute: AttributeData<'i>) {
        self.document.attributes.push(attribute);
    }

    /// Opens an element.
    pub fn start(&mut self, tag: StartTag<'i>) {
        if self.document.is_complete {
            let (start, end) = tag.attributes;
            let attributes = self.document.attributes.get(start as usize..end as usize).unwrap_or_default();
            let names = attributes.iter().map(AttributeData::name_span).chain([tag.name_span]);
            if let Some(error) = limits::check_tag(self.open.len() + 1, tag.span, names) {
                self.document.errors.push(error);
                self.document.is_complete = false;
            }
        }
        self.declare(tag.attributes);
        let (namespace, name) = self.resolve(tag.name, tag.name_span, true);
        self.resolve_attributes(tag.attributes);
        let number = count(self.document.elements.len());
        let parent = self.open_element().unwrap_or(number);
        let node = self.push(NodeKind::Element(number), tag.span);
        self.open.push(node);
        self.document.elements.push(ElementData {
            name,
            namespace,
            node,
            parent,
            tag: tag.span,
            name_span: tag.name_span,
            end_name: Span::default(),
            attributes: tag.attributes,
        });
    }

    /// The number of the innermost open element.
    fn open_element(&self) -> Option<u32> {
        match self.document.nodes.get(*self.open.last()? as usize)?.kind {
            NodeKind::Element(number) => Some(number),
            _ => None,
        }
    }

    /// Closes the innermost element, which ends at `end`. `name` is where its name is in the end tag, if it has one.
    pub fn end(&mut self, name: Option<Span>, end: u32) {
        while self.declared.last().is_some_and(|declaration| declaration.depth == self.open.len()) {
            self.declared.pop();
        }
        let next = count(self.document.nodes.len());
        let Some(node) = self.open.pop().and_then(|node| self.document.nodes.get_mut(node as usize)) else { return };
        node.end = next;
        node.span.end = end;
        if let (Some(name), NodeKind::Element(number)) = (name, node.kind)
            && let Some(element) = self.document.elements.get_mut(number as usize)
        {
            element.end_name = name;
        }
    }

    /// Adds text; what follows text directly is one with it.
    pub fn text(&mut self, span: Span) {
        if self.open.is_empty() || span.start == span.end {
            return;
        }
        match self.document.nodes.last_mut() {
            Some(last) if last.kind == NodeKind::Text && last.span.end == span.start => last.span.end = span.end,
            _ => {
                self.push(NodeKind::Text, span);
            }
        }
    }

    pub fn comment(&mut self, span: Span) {
        self.push(NodeKind::Comment, span);
    }

    pub fn instruction(&mut self, span: Span) {
        self.push(NodeKind::Instruction, span);
    }

    pub fn finish(mut self) -> Document<'i> {
        let end = count(self.document.text.len());
        while !self.open.is_empty() {
            self.end(None, end);
        }
        self.document
    }

    fn push(&mut self, kind: NodeKind, span: Span) -> u32 {
        let number = count(self.document.nodes.len());
        self.document.nodes.push(Node { kind, span, end: number + 1 });
        number
    }

    /// Takes note of the namespaces that a start tag declares.
    fn declare(&mut self, attributes: (u32, u32)) {
        let depth = self.open.len() + 1;
        let Document { text, attributes: all, namespaces, is_tolerated, .. } = &mut self.document;
        for attribute in all.get_mut(attributes.0 as usize..attributes.1 as usize).unwrap_or_default() {
            let Some(rest) = attribute.name.strip_prefix("xmlns") else { continue };
            let prefix = match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None if rest.is_empty() => "",
                None => continue,
            };
            attribute.namespace = Namespace::Declaration;
            let value = attribute.value(text);
            // libxml2 warns about these and passes over them.
            if matches!(value, XML | XMLNS) || prefix == "xml" || !prefix.is_empty() && value.is_empty() {
                *is_tolerated |= prefix != "xml" || value != XML;
                continue;
            }
            let namespace = match u16::try_from(namespaces.len()) {
                Ok(number) if !value.is_empty() => {
                    namespaces.push(value.to_owned().into());
                    Namespace::Of(number)
                }
                _ => Namespace::None,
            };
            self.declared.push(Declaration { depth, prefix, namespace });
        }
    }

    fn resolve_attributes(&mut self, attributes: (u32, u32)) {
        for number in attributes.0 as usize..attributes.1 as usize {
            let Some(attribute) = self.document.attributes.get(number) else { return };
            if attribute.namespace == Namespace::Declaration || !attribute.name.contains(':') {
                continue;
            }
            let (namespace, name) = self.resolve(attribute.name, attribute.name_span(), false);
            if let Some(attribute) = self.document.attributes.get_mut(number) {
                (attribute.namespace, attribute.name) = (namespace, name);
            }
        }
    }

    /// The namespace of a name, and the name in it.
    fn resolve(&mut self, written: &'i str, span: Span, is_element: bool) -> (Namespace, &'i str) {
        let (prefix, name) = match split_name(written) {
            Some((prefix, name)) => (prefix, name),
            None => ("", written),
        };
        self.document.is_tolerated |= name.contains(':');
        if prefix.is_empty() && !is_element {
            return (Namespace::None, written);
        }
        if prefix == "xml" {
            let number = self.document.namespaces.iter().position(|known| known == XML).unwrap_or_else(|| {
                self.document.namespaces.push(XML.into());
                self.document.namespaces.len() - 1
            });
            return (u16::try_from(number).map_or(Namespace::None, Namespace::Of), name);
        }
        if let Some(declaration) = self.declared.iter().rev().find(|declaration| declaration.prefix == prefix) {
            return (declaration.namespace, name);
        }
        // The root's name is checked with the root.
        let is_root = is_element && self.document.elements.is_empty();
        if !prefix.is_empty() && !is_root && self.document.errors.len() < MAX_DIAGNOSTICS {
            self.document.errors.push(undeclared(prefix, span));
        }
        (Namespace::None, written)
    }
}

/// An undeclared prefix is part of the name to libxml2, and libvirt knows no such name.
fn undeclared(prefix: &str, name: Span) -> Diagnostic {
    let span = Span { end: name.start + count(prefix.len() + 1), ..name };
    Diagnostic::new(Rule::UndeclaredPrefix, span, format!("undeclared namespace prefix {}", wording::code(prefix)))
        .help(wording::NO_NAMESPACE)
        .unsafe_fix(wording::remove("the prefix"), span, "")
}

/// The prefix of a name and the rest. To libxml2, a name with a colon at either end, or with several, has no prefix.
pub(super) fn split_name(written: &str) -> Option<(&str, &str)> {
    let (prefix, name) = written.split_once(':')?;
    (!prefix.is_empty() && name.starts_with(starts_name) && !name.contains(':')).then_some((prefix, name))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The tree of a document that roxmltree accepts. roxmltree gives the nodes and the values of attributes; the places of
/// tags, names and values are read from the tags, which are known to be right.
pub(super) fn from_roxmltree<'i>(parsed: &roxmltree::Document<'i>) -> Document<'i> {
    let text = parsed.input_text();
    let mut builder = Builder::new(text, Vec::new());
    let mut ends: Vec<usize> = Vec::new();
    // Everything before this is in the tree.
    let mut position = 0;
    for node in parsed.descendants().filter(|node| !node.is_text() && !node.is_root()) {
        let range = node.range();
        while let Some(end) = ends.pop_if(|end| *end <= range.start) {
            position = close(&mut builder, text, position, end);
        }
        builder.text(Span::new(position, range.start));
        position = range.end;
        if node.is_comment() {
            builder.comment(range.into());
        } else if node.is_pi() {
            builder.instruction(range.into());
        } else {
            let mut lexer = Lexer { text, position: range.start };
            let is_empty = lexer.start_tag(&mut builder, node);
            position = lexer.position;
            if is_empty {
                builder.end(None, count(position));
            } else {
                ends.push(range.end);
            }
        }
    }
    while let Some(end) = ends.pop() {
        position = close(&mut builder, text, position, end);
    }
    builder.finish()
}

/// Adds the text before an end tag that ends at `end`, and closes its element.
fn close(builder: &mut Builder<'_>, text: &str, position: usize, end: usize) -> usize {
    let content = text.get(position..end).unwrap_or_default();
    let tag = position + content.rfind("</").unwrap_or(content.len());
    builder.text(Span::new(position, tag));
    let name = text.get(tag + 2..end).unwrap_or_default().trim_end_matches('>').trim_end_matches(is_space);
    builder.end(Some(Span::new(tag + 2, tag + 2 + name.len())), count(end));
    end
}

/// Reads start tags that are well-formed.
struct Lexer<'i> {
    text: &'i str,
    position: usize,
}

impl<'i> Lexer<'i> {
    fn rest(&self) -> &'i str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.position += rest.find(|next| !is_skipped(next)).unwrap_or(rest.len());
    }

    fn name(&mut self) -> (&'i str, Span) {
        let start = self.position;
        self.skip(|next| !is_space(next) && !matches!(next, '/' | '>' | '='));
        let span = Span::new(start, self.position);
        (self.text.get(span.range()).unwrap_or_default(), span)
    }

    /// Reads a start tag into the tree; whether it closes its element.
    fn start_tag(&mut self, builder: &mut Builder<'i>, node: roxmltree::Node<'_, 'i>) -> bool {
        let start = self.position;
        self.position += 1;
        let (name, name_span) = self.name();
        let first = builder.attribute_count();
        let mut values = node.attributes();
        let is_empty = loop {
            self.skip(is_space);
            if self.rest().starts_with('/') {
                self.position += 2;
                break true;
            }
            if self.rest().starts_with('>') || self.rest().is_empty() {
                self.position += 1;
                break false;
            }
            builder.add_attribute(self.attribute(&mut values));
        };
        let span = Span::new(start, self.position);
        builder.start(StartTag { name, name_span, span, attributes: (first, builder.attribute_count()) });
        is_empty
    }

    fn attribute<'a>(&mut self, values: &mut impl Iterator<Item = roxmltree::Attribute<'a, 'i>>) -> AttributeData<'i>
    where
        'i: 'a,
    {
        let (name, name_span) = self.name();
        self.skip(|next| is_space(next) || next == '=');
        let start = self.position + 1;
        let quote = self.rest().chars().next().unwrap_or('"');
        let body = self.text.get(start..).unwrap_or_default();
        let value_span = Span::new(start, start + body.find(quote).unwrap_or(body.len()));
        self.position = value_span.range().end + 1;
        let decoded = if name == "xmlns" || name.starts_with("xmlns:") {
            value::of_attribute(self.text.get(value_span.range()).unwrap_or_default())
        } else {
            match values.next().map(|attribute| attribute.value_storage().clone()) {
                Some(roxmltree::StringStorage::Owned(value)) => Some(value.as_ref().into()),
                _ => None,
            }
        };
        AttributeData {
            name,
            namespace: Namespace::None,
            span: Span::new(name_span.range().start, self.position),
            name_length: name_span.end - name_span.start,
            value_span,
            decoded,
        }
    }
}
