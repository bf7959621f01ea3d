//! An element as its shape sees it: known attributes and children in their places, unexpected ones reported.

use std::cmp::Reverse;

use crate::backup::{Spanned, Text};
use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Span, push_bounded};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::{DOMAINBACKUP, MAX_ATTRIBUTES, MAX_CHILDREN, Shape, Value};
use crate::syntax::{self, Attribute, Content, Element, without_less_than};
use crate::wording::{self, join_with_or, space_length, trim};

use super::{cause, invalid_value, unexpected};

/// What something missing may be called, and the diagnostic about it.
struct Missing {
    names: Vec<&'static str>,
    place: u32,
    diagnostic: usize,
}

/// The diagnostics of one document, and the state of reading it.
pub(crate) struct Context<'i> {
    pub text: &'i str,
    pub release: Release,
    pub diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// The namespace that is reported already.
    pub namespace: Option<String>,
    /// The element with the base of an incremental backup that is reported already.
    pub base: Option<Span>,
    missing: Vec<Missing>,
    misplaced: Vec<(String, Span)>,
}

impl<'i> Context<'i> {
    pub fn new(text: &'i str, release: Release) -> Self {
        Self {
            text,
            release,
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            namespace: None,
            base: None,
            missing: Vec::new(),
            misplaced: Vec::new(),
        }
    }

    /// The namespace of an element, unless that is reported already; the empty one is none.
    pub fn namespace_of<'a>(&self, node: Element<'a, '_>) -> Option<&'a str> {
        node.namespace().filter(|namespace| self.namespace.as_deref() != Some(*namespace))
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        push_bounded(&mut self.diagnostics, diagnostic);
    }

    /// Warns of something that libvirt accepts, unless there is an error.
    pub fn warn(&mut self, diagnostic: Diagnostic) {
        push_bounded(&mut self.warnings, diagnostic);
    }

    /// Reports that something called `name` is not there, unless it turns up in a wrong place.
    pub fn report_missing(&mut self, name: &'static str, diagnostic: Diagnostic) {
        self.report_missing_one_of(&[name], diagnostic);
    }

    /// Reports that none of some things is there, unless one turns up in a wrong place.
    pub fn report_missing_one_of(&mut self, names: &[&'static str], diagnostic: Diagnostic) {
        let place = diagnostic.primary.span.start;
        self.missing.push(Missing { names: names.to_vec(), place, diagnostic: self.diagnostics.len() });
        push_bounded(&mut self.diagnostics, diagnostic);
    }

    /// Reports that something called `name` is misplaced, which explains one that is missing.
    pub fn report_misplaced(&mut self, name: &str, diagnostic: Diagnostic) {
        self.note_misplaced(name, diagnostic.primary.span);
        push_bounded(&mut self.diagnostics, diagnostic);
    }

    /// Remembers that something called `name` is in a wrong place.
    pub fn note_misplaced(&mut self, name: &str, span: Span) {
        self.misplaced.push((name.to_owned(), span));
    }

    /// Where something called `name` stands in a wrong place.
    pub fn misplaced(&self, name: &str) -> Option<Span> {
        self.misplaced.iter().find(|(misplaced, _)| *misplaced == name).map(|(_, span)| *span)
    }

    /// The diagnostics in order, without those that follow from others: one mistake, one error.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.remove_explained();
        let mut diagnostics = self.diagnostics;
        let text = self.text;
        let root = diagnostics.iter().find(|diagnostic| diagnostic.rule == Rule::WrongRoot);
        if root.is_some_and(|root| differs_in_case(root, text)) {
            // Who writes the root so writes everything so.
            merge(&mut diagnostics, |diagnostic| differs_in_case(diagnostic, text));
        }
        for rule in [Rule::IndexAttribute, Rule::SchemaPlaceholder, Rule::SchemaAmbiguousCharacter] {
            merge(&mut diagnostics, |diagnostic| diagnostic.rule == rule);
        }
        diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.span.start, Reverse(diagnostic.primary.span.end)));
        let mut covered = 0;
        diagnostics.retain(|diagnostic| {
            let span = diagnostic.primary.span;
            if span.end <= covered {
                return false;
            }
            // An attribute that is wrong where it stands needs no further word about its name or value.
            let is_tag = self.text.get(span.range()).is_some_and(|written| written.starts_with('<'));
            if !is_tag {
                covered = span.end;
            }
            true
        });
        if diagnostics.is_empty() { self.warnings } else { diagnostics }
    }

    /// What was found in a wrong place is not missing as well.
    fn remove_explained(&mut self) {
        let mut explained = Vec::new();
        for (name, span) in &self.misplaced {
            let candidates = self.missing.iter().enumerate().filter(|(_, missing)| missing.names.contains(&&**name));
            let closest_match = candidates.min_by_key(|(_, missing)| missing.place.abs_diff(span.start));
            if let Some(position) = closest_match.map(|(position, _)| position) {
                explained.push(self.missing.swap_remove(position).diagnostic);
            }
        }
        explained.sort_unstable();
        let mut position = 0;
        self.diagnostics.retain(|_| {
            position += 1;
            explained.binary_search(&(position - 1)).is_err()
        });
    }

    /// Removes an attribute or an element, and the white space before it.
    pub fn removal(&self, span: Span) -> Edit {
        Edit { span: self.with_space_before(span), text: String::new() }
    }

    /// The span of an attribute or an element and the white space before it.
    pub fn with_space_before(&self, span: Span) -> Span {
        let before = self.text.get(..span.start as usize).unwrap_or_default();
        Span::new(before.trim_end().len(), span.end as usize)
    }
}

/// Whether all that is wrong is the case of some letters.
fn differs_in_case(diagnostic: &Diagnostic, text: &str) -> bool {
    let is_same = |edit: &Edit| text.get(edit.span.range()).is_some_and(|old| old.eq_ignore_ascii_case(&edit.text));
    diagnostic.fixes.first().is_some_and(|fix| fix.edits.iter().all(is_same))
}

/// Merges diagnostics of the same mistake into the first, with a label for each of the others.
fn merge(diagnostics: &mut Vec<Diagnostic>, is_same: impl Fn(&Diagnostic) -> bool) {
    let mut merged: Vec<Diagnostic> = Vec::new();
    diagnostics.retain(|diagnostic| {
        let same = is_same(diagnostic);
        if same {
            merged.push(diagnostic.clone());
        }
        !same
    });
    merged.sort_by_key(|diagnostic| diagnostic.primary.span);
    let mut merged = merged.into_iter();
    let Some(mut first) = merged.next() else { return };
    for other in merged {
        first.secondary.push(other.primary);
        let edits = other.fixes.into_iter().next().map(|fix| fix.edits).unwrap_or_default();
        if let Some(fix) = first.fixes.first_mut() {
            fix.edits.extend(edits);
        }
    }
    if let Some(fix) = first.fixes.first_mut().filter(|_| !first.secondary.is_empty()) {
        fix.message.push_str(", and the same in the other places");
    }
    diagnostics.push(first);
}

/// What an element holds that its shape knows.
pub(crate) struct Fields<'a, 'i> {
    pub node: Element<'a, 'i>,
    pub shape: &'static Shape,
    pub attributes: [Option<Attribute<'a>>; MAX_ATTRIBUTES],
    pub children: [Option<Element<'a, 'i>>; MAX_CHILDREN],
    /// The children that may stand there any number of times.
    pub repeated: Vec<Element<'a, 'i>>,
    /// Whether it held a child that could not be understood.
    pub has_unknown_child: bool,
}

/// The value of an attribute as text of the model.
pub(super) fn text_in(attribute: &Attribute<'_>) -> Text {
    Spanned::written(attribute.value.to_owned(), attribute.report_span())
}

impl<'a, 'i> Fields<'a, 'i> {
    pub fn get(&self, name: &str) -> Option<&Attribute<'a>> {
        let position = self.shape.attributes.iter().position(|attribute| attribute.name == name)?;
        self.attributes.get(position)?.as_ref()
    }

    /// The value of an attribute as text of the model.
    pub fn text(&self, name: &str) -> Option<Text> {
        self.get(name).map(text_in)
    }

    pub fn value(&self, name: &str) -> Option<String> {
        self.get(name).map(|attribute| attribute.value.to_owned())
    }

    /// The fixed word that an attribute holds, white space aside; nothing when it holds another.
    pub fn word(&self, name: &str) -> Option<&'a str> {
        let position = self.shape.attributes.iter().position(|attribute| attribute.name == name)?;
        let attribute = self.attributes.get(position)?.as_ref()?;
        let accepted = self.shape.attributes.get(position)?.value.accepts(attribute.value);
        accepted.then(|| trim(attribute.value))
    }

    pub fn child(&self, name: &str) -> Option<Element<'a, 'i>> {
        let position = self.shape.children.iter().position(|child| *child == name)?;
        *self.children.get(position)?
    }

    pub fn tag(&self) -> Span {
        self.node.tag()
    }
}

/// Reads an element: what the shape knows is put into its place, everything else is reported.
pub(crate) fn read_element<'a, 'i>(
    context: &mut Context<'_>,
    node: Element<'a, 'i>,
    shape: &'static Shape,
) -> Fields<'a, 'i> {
    let mut fields = Fields {
        node,
        shape,
        attributes: [None; MAX_ATTRIBUTES],
        children: [None; MAX_CHILDREN],
        repeated: Vec::new(),
        has_unknown_child: false,
    };
    read_attributes(context, &mut fields);
    read_children(context, &mut fields);
    check_values(context, &fields);
    fields
}

fn read_attributes(context: &mut Context<'_>, fields: &mut Fields<'_, '_>) {
    let mut unexpected = Vec::new();
    for attribute in fields.node.attributes() {
        let known = fields.shape.attributes.iter().position(|known| known.name == attribute.name);
        match known.filter(|_| attribute.namespace.is_none()).and_then(|slot| fields.attributes.get_mut(slot)) {
            Some(slot) => *slot = Some(attribute),
            None => unexpected.push(attribute),
        }
    }
    if fields.shape.name == DOMAINBACKUP.name {
        unexpected::request(context, fields, &mut unexpected);
    }
    for attribute in unexpected {
        unexpected::attribute(context, fields, attribute);
    }
}

fn read_children(context: &mut Context<'_>, fields: &mut Fields<'_, '_>) {
    let mut unexpected = Vec::new();
    for content in fields.node.content() {
        match content {
            Content::Text(text) => check_text(context, fields, text),
            Content::Element(child) => {
                if context.namespace_of(child).is_some() || !place_child(context, fields, child, child.name()) {
                    unexpected.push(child);
                }
            }
            Content::Other => {}
        }
    }
    // Otherwise they are in elements whose tags are among the text.
    if !fields.node.texts().any(|text| cause::holds_markup(&text.value())) {
        unexpected::children(context, fields, &unexpected);
    }
}

/// Puts a child where the shape wants it; false if the shape does not know `name`.
pub(crate) fn place_child<'a, 'i>(
    context: &mut Context<'_>,
    fields: &mut Fields<'a, 'i>,
    child: Element<'a, 'i>,
    name: &str,
) -> bool {
    if fields.shape.repeated == Some(name) {
        fields.repeated.push(child);
        return true;
    }
    let Some(position) = fields.shape.children.iter().position(|known| *known == name) else {
        return false;
    };
    match fields.children.get_mut(position) {
        Some(slot @ None) => *slot = Some(child),
        Some(Some(first)) => {
            let first = *first;
            report_duplicate(context, fields.shape, child, name, first);
        }
        None => return false,
    }
    true
}

fn report_duplicate(
    context: &mut Context<'_>,
    shape: &Shape,
    child: Element<'_, '_>,
    name: &str,
    first: Element<'_, '_>,
) {
    let span = child.span();
    let written = |node: Element<'_, '_>| context.text.get(node.span().range()).unwrap_or_default();
    let fix = if written(first) == written(child) {
        let edits = vec![context.removal(span)];
        let message = wording::remove(&format!("the second <{name}>"));
        Some(Fix { message, applicability: Applicability::Safe, edits })
    } else if name == "disks" {
        let end = child.content_end().unwrap_or(child.tag().after());
        let inner = context.text.get(child.tag().end as usize..end.start as usize).unwrap_or_default();
        let edits = vec![unexpected::append_content(context, first, inner), context.removal(span)];
        let message = wording::move_to("the first <disks>");
        Some(Fix { message, applicability: Applicability::Unsafe, edits })
    } else {
        unexpected::element_into_comment(context, child)
    };
    let diagnostic = Diagnostic::new(Rule::DuplicateElement, child.tag(), wording::duplicate_element(name, shape.name))
        .primary_label("second one here")
        .label(first.tag(), wording::FIRST_ONE)
        .help(format!("keep one <{name}>"))
        .with_fix(fix);
    context.report(diagnostic);
}

/// Where a text is written, without the white space around it.
pub(crate) fn text_span(text: syntax::Text<'_>) -> Span {
    let start = text.span.start as usize + space_length(text.written);
    Span::new(start, start + trim(text.written).len())
}

fn check_text<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, text: syntax::Text<'a>) {
    if fields.shape.text || trim(&text.value()).is_empty() {
        return;
    }
    let span = text_span(text);
    let (written, range, start) = (text.written, text.span.range(), span.start as usize);
    if let Some(tag) = without_less_than(written).map(|tag| range.start + tag).filter(|tag| *tag == start) {
        let name = context.text.get(tag..range.end).unwrap_or_default().split([' ', '\t', '\n', '\r', '/', '>']).next();
        let diagnostic = Diagnostic::new(Rule::UnexpectedText, span, wording::TAG_WITHOUT_LESS_THAN)
            .help("write `<` before it")
            .safe_fix(wording::insert("`<`"), Span::new(tag, tag), "<");
        fields.has_unknown_child = true;
        return context.report_misplaced(name.unwrap_or_default(), diagnostic);
    }
    if let Some(diagnostic) = cause::of_text(context, span) {
        fields.has_unknown_child = true;
        return context.report(diagnostic);
    }
    if unexpected::text(context, fields, text, span) {
        return;
    }
    let diagnostic = Diagnostic::new(Rule::UnexpectedText, span, wording::text_not_allowed(fields.shape.name))
        .help(format!("{}; a comment is written <!-- … -->", allowed_content(fields.shape)))
        .with_fix(unexpected::text_into_comment(context, span));
    context.report(diagnostic);
}

fn allowed_content(shape: &Shape) -> String {
    let names: Vec<_> = shape.children.iter().copied().chain(shape.repeated).map(|name| format!("<{name}>")).collect();
    if names.is_empty() { "expected no content".to_owned() } else { format!("expected {}", join_with_or(&names)) }
}

fn check_values(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    for (known, attribute) in fields.shape.attributes.iter().zip(&fields.attributes) {
        match attribute {
            Some(attribute) if !known.value.accepts(attribute.value) => {
                let cause = cause::of_value(context, attribute, fields.shape.name, |value| known.value.accepts(value));
                let diagnostic = cause.unwrap_or_else(|| invalid_value::value(context, fields, attribute, known.value));
                context.report(diagnostic);
            }
            Some(attribute) => check_white_space(context, fields, attribute, known.value),
            None if known.required => report_missing_attribute(context, fields, known.name, &known.value),
            None => {}
        }
    }
}

/// Reports that an element lacks an attribute.
pub(crate) fn report_missing_attribute(
    context: &mut Context<'_>,
    fields: &Fields<'_, '_>,
    name: &'static str,
    value: &Value,
) {
    let element = fields.shape.name;
    let diagnostic = Diagnostic::new(Rule::MissingAttribute, fields.tag(), wording::missing_attribute(name, element))
        .help(format!("add {name}='{}'", example(element, name, value)));
    let diagnostic = match value {
        Value::Words([only]) => diagnostic.safe_fix(
            wording::add(&format!("{name}='{only}'")),
            fields.node.name_span().after(),
            format!(" {name}='{only}'"),
        ),
        _ => diagnostic,
    };
    context.report_missing(name, diagnostic);
}

/// What to write for an attribute whose value only its author knows.
fn example(element: &str, name: &str, value: &Value) -> String {
    match value {
        Value::Words(words) if words.len() <= 3 => join_with_or(words),
        Value::Words(_) => "qcow2".to_owned(),
        Value::DiskName | Value::DiskNameOrPath => "vda".to_owned(),
        Value::Host => "localhost".to_owned(),
        Value::Number if name == "size" => "256".to_owned(),
        Value::Number => "10809".to_owned(),
        Value::LongNumber => "0".to_owned(),
        Value::Path if name == "dev" => "/dev/...".to_owned(),
        Value::Path => "/path/to/file".to_owned(),
        Value::Any if element == "cipher" => "aes".to_owned(),
        Value::Any if element == "ivgen" => "plain64".to_owned(),
        Value::Any | Value::Uuid => "...".to_owned(),
    }
}

/// Whether libvirt's parser looks at an attribute: of an excluded disk, only at its name and at `backup`.
fn is_read(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> bool {
    let excluded = fields.get("backup").is_some_and(|backup| backup.value == "no");
    !excluded || matches!(attribute.name, "name" | "backup")
}

/// libvirt's schema compares fixed words without the white space around them, its parser with it.
fn check_white_space(context: &mut Context<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>, value: Value) {
    let word = trim(attribute.value);
    if !matches!(value, Value::Words(_)) || word == attribute.value || !is_read(fields, attribute) {
        return;
    }
    let diagnostic = Diagnostic::new(
        Rule::WhiteSpace,
        attribute.report_span(),
        wording::white_space_around(attribute.name, fields.shape.name),
    )
    .help(format!("write {}='{word}'", attribute.name))
    .libvirt(parser_refusal(context.release, fields.shape.name, attribute.name, attribute.value))
    .safe_fix(wording::REMOVE_WHITE_SPACE, attribute.value_span, word);
    context.report(diagnostic);
}

/// What libvirt's parser says of a fixed word that it does not know.
pub(crate) fn parser_refusal(release: Release, element: &str, attribute: &str, value: &str) -> String {
    match (element, attribute) {
        ("domainbackup", "mode") => format!("unsupported configuration: unknown backup mode '{value}'"),
        ("disk", "type") => format!("XML error: unknown storage source type '{value}'"),
        ("driver", "type") => format!("XML error: unknown storage source format '{value}'"),
        ("encryption", "format") => {
            format!("unsupported configuration: unknown volume encryption format type {value}")
        }
        ("secret", "type") => format!("unsupported configuration: unknown volume encryption secret type {value}"),
        ("server", "transport") if release < Release::V11_3_0 => {
            format!("unsupported configuration: unknown protocol transport type '{value}'")
        }
        _ => format!("XML error: Invalid value for attribute '{attribute}' in element '{element}': '{value}'."),
    }
}
