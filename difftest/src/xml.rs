//! Documents that can be written plainly or with the variations that XML allows.

use crate::random::Random;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Element(Element),
    /// Characters, escaped when written.
    Text(String),
    /// Markup, written verbatim: a comment, a CDATA section …
    Markup(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
}

impl Element {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), children: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.attributes.push((name.to_owned(), value.to_owned()));
    }

    pub fn push(&mut self, child: Element) {
        self.children.push(Node::Element(child));
    }

    pub fn holding(mut self, child: Element) -> Self {
        self.push(child);
        self
    }

    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.children.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The number of elements, this one included.
    pub fn count(&self) -> usize {
        let below = |node: &Node| {
            if let Node::Element(element) = node { element.count() } else { 0 }
        };
        1 + self.children.iter().map(below).sum::<usize>()
    }

    /// The `index`th element in document order, this one being 0.
    pub fn nth_mut(&mut self, mut index: usize) -> Option<&mut Element> {
        if index == 0 {
            return Some(self);
        }
        index -= 1;
        for element in self.elements_mut() {
            let count = element.count();
            if index < count {
                return element.nth_mut(index);
            }
            index -= count;
        }
        None
    }

    /// Written plainly.
    pub fn plain(&self) -> String {
        let mut writer = Writer { random: None, text: String::new() };
        writer.element(self);
        writer.text
    }

    /// Written with random variations.
    pub fn odd(&self, random: &mut Random) -> String {
        let mut writer = Writer { random: Some(random), text: String::new() };
        writer.element(self);
        writer.text
    }
}

/// Elements whose children have another meaning in another order.
const ORDERED: &[&str] = &["encryption", "seclabel", "disks", "incremental", "label"];
/// Whose text is taken as it is.
const LITERAL: &[&str] = &["incremental", "label", "name", "creationTime"];
const BETWEEN: &[&str] = &[
    "\n",
    " ",
    "\n  ",
    "\t",
    "\r\n",
    "<!-- c -->",
    "<?p i?>",
    "<!---->",
    "&#32;",
    "&#10;",
    "<![CDATA[]]>",
    "<![CDATA[ ]]>",
    "\n<!-- <disk/> -->\n",
];
const IN_TAG: &[&str] = &[" ", "  ", "\n", "\n    ", "\t", "\r\n"];

struct Writer<'a> {
    random: Option<&'a mut Random>,
    text: String,
}

impl Writer<'_> {
    fn percent(&mut self, percent: u32) -> bool {
        self.random.as_mut().is_some_and(|random| random.percent(percent))
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        self.random.as_mut().map_or(from[0], |random| random.pick(from))
    }

    fn element(&mut self, element: &Element) {
        let mut attributes = element.attributes.clone();
        if self.percent(30)
            && let Some(random) = &mut self.random
        {
            random.shuffle(&mut attributes);
        }
        self.text.push('<');
        self.text.push_str(&element.name);
        for (name, value) in &attributes {
            self.attribute(name, value);
        }
        if self.percent(10) {
            self.space_in_tag();
        }
        if element.children.is_empty() && !self.percent(15) {
            self.text.push_str("/>");
            return;
        }
        self.text.push('>');
        self.children(element);
        self.text.push_str("</");
        self.text.push_str(&element.name);
        if self.percent(5) {
            self.space_in_tag();
        }
        self.text.push('>');
    }

    fn children(&mut self, element: &Element) {
        let mut children = element.children.clone();
        if !ORDERED.contains(&element.name.as_str())
            && self.percent(40)
            && let Some(random) = &mut self.random
        {
            random.shuffle(&mut children);
        }
        let literal = LITERAL.contains(&element.name.as_str());
        self.between(literal);
        for child in &children {
            match child {
                Node::Element(element) => self.element(element),
                Node::Text(text) => self.escaped(text, None),
                Node::Markup(markup) => self.text.push_str(markup),
            }
            self.between(literal);
        }
    }

    fn between(&mut self, literal: bool) {
        while self.percent(if literal { 8 } else { 35 }) {
            let markup = self.pick(BETWEEN);
            self.text.push_str(markup);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.space_in_tag();
        self.text.push_str(name);
        let equals = if self.percent(5) { " = " } else { "=" };
        self.text.push_str(equals);
        let quote = if self.percent(35) { '"' } else { '\'' };
        self.text.push(quote);
        self.escaped(value, Some(quote));
        self.text.push(quote);
    }

    fn space_in_tag(&mut self) {
        let space = if self.percent(20) { self.pick(IN_TAG) } else { " " };
        self.text.push_str(space);
    }

    fn escaped(&mut self, text: &str, quote: Option<char>) {
        for character in text.chars() {
            match character {
                '<' => self.text.push_str("&lt;"),
                '&' => self.text.push_str("&amp;"),
                '>' if quote.is_none() || self.percent(50) => self.text.push_str("&gt;"),
                '\'' if quote == Some('\'') => self.text.push_str("&apos;"),
                '"' if quote == Some('"') => self.text.push_str("&quot;"),
                '\t' | '\n' | '\r' if !self.percent(25) => self.reference(character),
                _ if self.percent(3) => self.reference(character),
                _ => self.text.push(character),
            }
        }
    }

    fn reference(&mut self, character: char) {
        let number = u32::from(character);
        let reference = if self.percent(40) { format!("&#x{number:X};") } else { format!("&#{number};") };
        self.text.push_str(&reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_escaped() {
        let mut element = Element::new("a").with("b", "<'\n>").holding(Element::new("c"));
        element.children.push(Node::Text("x>&".into()));
        assert_eq!(element.plain(), "<a b='&lt;&apos;&#10;>'><c/>x&gt;&amp;</a>");
        assert_eq!(element.count(), 2);
        assert_eq!(element.nth_mut(1).map(|element| element.name.clone()), Some("c".into()));
    }
}
