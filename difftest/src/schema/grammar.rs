//! A RELAX NG schema, and documents that follow it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use roxmltree::{Document, Node as Xml};

use super::values;
use crate::random::Random;
use crate::xml::{Element, Node};

/// A pattern of the schema, as far as the schemas of backups and checkpoints use them.
#[derive(Clone, Debug)]
enum Pattern {
    Element(String, Vec<Pattern>),
    Attribute(String, Vec<Pattern>),
    Group(Vec<Pattern>),
    Interleave(Vec<Pattern>),
    Choice(Vec<Pattern>),
    /// A pattern that occurs between so many times.
    Repeated(usize, usize, Vec<Pattern>),
    Ref(String),
    Text,
    Value(String),
    /// A data type with its pattern, if it has one.
    Data(String, Option<String>),
    /// Another grammar, such as that of the domain in a checkpoint: nothing is sampled from it.
    Nothing,
}

/// The definitions of a schema.
pub struct Grammar {
    start: Vec<Pattern>,
    definitions: HashMap<String, Vec<Pattern>>,
}

impl Grammar {
    /// Reads a schema and the files that it includes.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut grammar = Self { start: Vec::new(), definitions: HashMap::new() };
        grammar.add(&text, path.parent())?;
        Ok(grammar)
    }

    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Self> {
        let mut grammar = Self { start: Vec::new(), definitions: HashMap::new() };
        grammar.add(text, None)?;
        Ok(grammar)
    }

    fn add(&mut self, text: &str, directory: Option<&Path>) -> Result<()> {
        let document = Document::parse(text)?;
        for node in document.root_element().children().filter(Xml::is_element) {
            match (node.tag_name().name(), directory) {
                ("start", _) => self.start = patterns(node),
                ("define", _) => {
                    self.definitions.insert(attribute(node, "name")?, patterns(node));
                }
                ("include", Some(directory)) => {
                    let included = Self::read(&directory.join(attribute(node, "href")?))?;
                    self.definitions.extend(included.definitions);
                }
                (other, _) => bail!("cannot read <{other}> in a schema"),
            }
        }
        Ok(())
    }
}

fn attribute(node: Xml<'_, '_>, name: &str) -> Result<String> {
    let value = node.attribute(name).with_context(|| format!("no {name} on <{}>", node.tag_name().name()))?;
    Ok(value.to_owned())
}

fn patterns(node: Xml<'_, '_>) -> Vec<Pattern> {
    node.children().filter(Xml::is_element).map(pattern).collect()
}

fn pattern(node: Xml<'_, '_>) -> Pattern {
    let name = || node.attribute("name").unwrap_or_default().to_owned();
    let text = || node.text().unwrap_or_default().to_owned();
    match node.tag_name().name() {
        "element" => Pattern::Element(name(), patterns(node)),
        "attribute" => Pattern::Attribute(name(), patterns(node)),
        "group" => Pattern::Group(patterns(node)),
        "interleave" => Pattern::Interleave(patterns(node)),
        "choice" => Pattern::Choice(patterns(node)),
        "optional" => Pattern::Repeated(0, 1, patterns(node)),
        "zeroOrMore" => Pattern::Repeated(0, 3, patterns(node)),
        "oneOrMore" => Pattern::Repeated(1, 4, patterns(node)),
        "ref" => Pattern::Ref(name()),
        "text" => Pattern::Text,
        "value" => Pattern::Value(text()),
        "data" => {
            let is_pattern = |param: &Xml<'_, '_>| param.attribute("name") == Some("pattern");
            let pattern = node.children().find(is_pattern).and_then(|param| param.text()).map(str::to_owned);
            Pattern::Data(node.attribute("type").unwrap_or_default().to_owned(), pattern)
        }
        // Where the others are used, sampling says so.
        _ => Pattern::Nothing,
    }
}

/// What a pattern was sampled to: attributes and children of an element, or the text of a value.
#[derive(Default)]
struct Sampled {
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    value: String,
}

/// Samples a grammar.
pub struct Sampler<'a> {
    pub grammar: &'a Grammar,
    pub random: &'a mut Random,
    /// How many of 1000 choices break the schema.
    pub faults: u32,
}

impl Sampler<'_> {
    /// A whole document. Its root element is never left out.
    pub fn document(&mut self) -> Result<Element> {
        for faults in [self.faults, 0] {
            self.faults = faults;
            let sampled = self.sequence(&self.grammar.start)?;
            let root = sampled.children.into_iter().find_map(|node| match node {
                Node::Element(element) => Some(element),
                _ => None,
            });
            if let Some(root) = root {
                return Ok(root);
            }
        }
        bail!("the schema starts with no element")
    }

    fn fault(&mut self) -> bool {
        self.random.fault(self.faults)
    }

    fn sequence(&mut self, patterns: &[Pattern]) -> Result<Sampled> {
        let mut all = Sampled::default();
        for pattern in patterns {
            let times = if self.fault() { self.random.pick(&[0, 2]) } else { 1 };
            for _ in 0..times {
                let sampled = self.sample(pattern)?;
                all.attributes.extend(sampled.attributes);
                all.children.extend(sampled.children);
                all.value.push_str(&sampled.value);
            }
        }
        Ok(all)
    }

    /// The children of all patterns, each pattern's in its order.
    fn interleave(&mut self, patterns: &[Pattern]) -> Result<Sampled> {
        let mut all = Sampled::default();
        for pattern in patterns {
            let sampled = self.sequence(std::slice::from_ref(pattern))?;
            all.attributes.extend(sampled.attributes);
            let mut place = 0;
            for child in sampled.children {
                place += self.random.below(all.children.len() + 1 - place);
                all.children.insert(place, child);
                place += 1;
            }
        }
        Ok(all)
    }

    fn sample(&mut self, pattern: &Pattern) -> Result<Sampled> {
        match pattern {
            Pattern::Element(name, content) => {
                let sampled = self.sequence(content)?;
                let mut element = Element::new(name);
                element.attributes = without_doubles(sampled.attributes);
                element.children = sampled.children;
                Ok(Sampled { children: vec![Node::Element(element)], ..Sampled::default() })
            }
            Pattern::Attribute(name, content) => {
                // An attribute without a pattern of its own contains any text.
                let value = if content.is_empty() { self.text() } else { self.sequence(content)?.value };
                let value = if self.fault() { values::spoil(&value, self.random) } else { value };
                Ok(Sampled { attributes: vec![(name.clone(), value)], ..Sampled::default() })
            }
            Pattern::Group(patterns) => self.sequence(patterns),
            Pattern::Interleave(patterns) => self.interleave(patterns),
            Pattern::Choice(patterns) => {
                let first = self.random.below(patterns.len());
                let mut chosen = self.sample(&patterns[first])?;
                if self.fault() {
                    let second = self.random.below(patterns.len());
                    let second = self.sample(&patterns[second])?;
                    chosen.attributes.extend(second.attributes);
                    chosen.children.extend(second.children);
                }
                Ok(chosen)
            }
            Pattern::Repeated(least, most, patterns) => {
                let times = least + self.random.below(most - least + 1);
                let mut all = Sampled::default();
                for _ in 0..times {
                    let sampled = self.sequence(patterns)?;
                    all.attributes.extend(sampled.attributes);
                    all.children.extend(sampled.children);
                }
                Ok(all)
            }
            Pattern::Ref(name) => {
                let definition =
                    self.grammar.definitions.get(name).with_context(|| format!("the schema does not define {name}"))?;
                self.sequence(definition)
            }
            Pattern::Text => {
                let text = self.text();
                // In an element this is a child, in an attribute the value.
                Ok(Sampled { children: vec![Node::Text(text.clone())], value: text, ..Sampled::default() })
            }
            Pattern::Value(value) => Ok(valued(value.clone())),
            Pattern::Data(kind, pattern) => Ok(valued(values::data(kind, pattern.as_deref(), self.random)?)),
            Pattern::Nothing => Ok(Sampled::default()),
        }
    }

    fn text(&mut self) -> String {
        values::text(self.random)
    }
}

fn valued(value: String) -> Sampled {
    Sampled { children: vec![Node::Text(value.clone())], value, ..Sampled::default() }
}

/// Of attributes of one name the first; doubled attributes are a matter of syntax.
fn without_doubles(attributes: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for attribute in attributes {
        if kept.iter().all(|(name, _)| *name != attribute.0) {
            kept.push(attribute);
        }
    }
    kept
}
