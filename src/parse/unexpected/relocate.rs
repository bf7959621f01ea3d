//! Moves what was written to the place where it belongs.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Span};
use crate::parse::element::{Context, Fields};
use crate::schema::PULL_DISK;
use crate::syntax::{Attribute, Element};
use crate::wording::{self, trim, truncate_for_display};

use super::concept::Place;

/// A value in a wrong place.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    /// The attribute; of a child or a text, what it holds.
    pub attribute: Attribute<'a>,
    /// What is removed with it: the attribute, the child or the text.
    pub whole: Span,
    pub is_attribute: bool,
}

/// Where a value goes: how it is written there, and the edits that put it there.
pub(super) struct Relocated {
    pub shown: String,
    pub edits: Vec<Edit>,
}

impl Relocated {
    pub fn safe_fix(self) -> Fix {
        Fix { message: format!("write {}", self.shown), applicability: Applicability::Safe, edits: self.edits }
    }
}

impl Written<'_> {
    fn removal(&self, context: &Context<'_>) -> Edit {
        context.removal(self.whole)
    }

    /// Writes settings in the place of the attribute, or on the element that has the child or text.
    fn as_settings(&self, context: &Context<'_>, fields: &Fields<'_, '_>, settings: &str) -> Vec<Edit> {
        if self.is_attribute {
            return vec![Edit { span: self.whole, text: settings.trim_start().to_owned() }];
        }
        vec![self.removal(context), add_attributes(fields.node, settings)]
    }

    /// The value as an attribute called `name`.
    fn as_attribute(&self, context: &Context<'_>, name: &str) -> String {
        let source = context.text.get(self.attribute.value_span.range()).unwrap_or_default();
        let quote = self.quote(context);
        format!("{name}={quote}{source}{quote}")
    }

    /// The quotes around the attribute, or those that fit what is no attribute.
    fn quote(&self, context: &Context<'_>) -> char {
        let span = self.attribute.value_span;
        let after = context.text.get(span.end as usize..).and_then(|rest| rest.chars().next());
        let has_single = context.text.get(span.range()).is_some_and(|source| source.contains('\''));
        match after {
            Some(quote @ ('"' | '\'')) => quote,
            _ if has_single => '"',
            _ => '\'',
        }
    }
}

/// Moves a value to its place, unless something else is there.
pub(super) fn relocate(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    place: Place,
    written: &Written<'_>,
) -> Option<Relocated> {
    match place {
        Place::Attribute(name) => {
            absent_slot(fields, name)?;
            let setting = format!(" {}", written.as_attribute(context, name));
            let edits = written.as_settings(context, fields, &setting);
            Some(Relocated { shown: wording::setting(name, written.attribute.value), edits })
        }
        Place::Setting(name, word) => {
            absent_slot(fields, name)?;
            // Of a disk with a destination it is not clear whether it is to be excluded.
            if word == "no" && fields.node.children().any(|child| !written.is(child)) {
                return None;
            }
            let quote = written.quote(context);
            let edits = written.as_settings(context, fields, &format!(" {name}={quote}{word}{quote}"));
            Some(Relocated { shown: wording::setting(name, word), edits })
        }
        Place::Text => into_text(context, fields, written),
        Place::Child(child, attribute) => into_child(context, fields, written, child, attribute),
        Place::Sibling(sibling, attribute) => {
            let parent = fields.node.parent()?;
            if parent.child(sibling).is_some() {
                return None;
            }
            let text = format!("<{sibling} {}/>", written.as_attribute(context, attribute));
            let added = Edit { span: fields.node.span().before(), text };
            let element = format!("<{sibling} {}/>", wording::setting(attribute, written.attribute.value));
            let shown = format!("{element} in {}", wording::tag(parent.name()));
            Some(Relocated { shown, edits: vec![written.removal(context), added] })
        }
        Place::Disk(more) => {
            let text = format!("<disk {}{more}/>", written.as_attribute(context, "name"));
            let shown = format!("<disk {}{more}/>", wording::setting("name", written.attribute.value));
            Some(Relocated { shown, edits: vec![Edit { span: written.whole, text }] })
        }
        Place::Nowhere => None,
    }
}

impl Written<'_> {
    fn is(&self, node: Element<'_, '_>) -> bool {
        self.whole == node.span()
    }
}

fn into_text(context: &Context<'_>, fields: &Fields<'_, '_>, written: &Written<'_>) -> Option<Relocated> {
    let has_others = fields.node.children().any(|child| !written.is(child));
    if has_others || fields.node.texts().any(|text| !trim(text.written).is_empty()) {
        return None;
    }
    let source = context.text.get(written.attribute.value_span.range())?;
    let name = fields.shape.name;
    let shown = format!("<{name}>{}</{name}>", truncate_for_display(written.attribute.value));
    Some(Relocated { shown, edits: vec![written.removal(context), add_content(context, fields.node, source)] })
}

fn into_child(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    written: &Written<'_>,
    name: &str,
    attribute: &str,
) -> Option<Relocated> {
    if std::ptr::eq(fields.shape, &raw const PULL_DISK) && name == "target" {
        return None;
    }
    let setting = written.as_attribute(context, attribute);
    let shown = format!("<{name} {}/>", wording::setting(attribute, written.attribute.value));
    if let Some(child) = fields.node.child(name) {
        if [attribute, "file", "dev"].iter().any(|taken| child.has_attribute(taken)) {
            return None;
        }
        let added = add_attributes(child, &format!(" {setting}"));
        return Some(Relocated { shown, edits: vec![written.removal(context), added] });
    }
    let added = add_content(context, fields.node, &format!("<{name} {setting}/>"));
    if name == "target" && fields.get("type").is_none() {
        let quote = written.quote(context);
        let word = if attribute == "dev" { "block" } else { "file" };
        let mut edits = written.as_settings(context, fields, &format!(" type={quote}{word}{quote}"));
        edits.push(added);
        return Some(Relocated { shown, edits });
    }
    Some(Relocated { shown, edits: vec![written.removal(context), added] })
}

/// Reports an attribute, a child or a text that says what several attributes say, and reads it as those; whether the
/// element has none of them yet.
pub(super) fn settle<'a>(
    context: &mut Context<'_>,
    fields: &mut Fields<'a, '_>,
    written: &Written<'a>,
    settings: &[(&'static str, &'a str)],
    diagnostic: Diagnostic,
    help: &str,
) -> bool {
    let source = context.text.get(written.attribute.value_span.range());
    let is_same = |name: &str, value: &str| fields.get(name).is_some_and(|found| found.value == value);
    let absent: Vec<_> = settings.iter().filter(|(name, value)| !is_same(name, value)).collect();
    if source != Some(written.attribute.value) || absent.iter().any(|(name, value)| !is_free(fields, name, value)) {
        return false;
    }
    let quote = written.quote(context);
    let shown: Vec<_> = absent.iter().map(|(name, value)| wording::setting(name, value)).collect();
    let text: Vec<_> = absent.iter().map(|(name, value)| format!(" {name}={quote}{value}{quote}")).collect();
    let edits = written.as_settings(context, fields, &text.concat());
    let title = format!("write {}", shown.join(" "));
    context.report(diagnostic.help(format!("{help}{title}")).fix(title, Applicability::Safe, edits));
    for &&(name, value) in &absent {
        set(fields, name, Attribute { name, value, ..written.attribute });
    }
    true
}

/// Adds attributes to a start tag, after those that it has.
pub(super) fn add_attributes(node: Element<'_, '_>, settings: &str) -> Edit {
    let last = node.attributes().last().map_or(node.name_span(), |last| last.span);
    Edit { span: last.after(), text: settings.to_owned() }
}

/// Adds content to an element, after its start tag.
pub(crate) fn add_content(context: &Context<'_>, node: Element<'_, '_>, added: &str) -> Edit {
    let tag = node.tag();
    if node.content_end().is_some() {
        return Edit { span: tag.after(), text: added.to_owned() };
    }
    let name = context.text.get(node.name_span().range()).unwrap_or_default();
    Edit { span: Span { start: tag.end - 2, end: tag.end }, text: format!(">{added}</{name}>") }
}

/// Adds content to an element, before its end tag.
pub(crate) fn append_content(context: &Context<'_>, node: Element<'_, '_>, added: &str) -> Edit {
    match node.content_end() {
        Some(span) => Edit { span, text: added.to_owned() },
        None => add_content(context, node, added),
    }
}

/// Moves an attribute into a comment after its start tag, so that nothing is lost.
pub(crate) fn attribute_into_comment(context: &Context<'_>, node: Element<'_, '_>, attribute: Span) -> Option<Fix> {
    let written = context.text.get(attribute.range())?;
    let name = written.split(['=', ' ', '\t', '\n', '\r']).next().unwrap_or_default();
    let edits = vec![context.removal(attribute), Edit { span: node.tag().after(), text: comment(written)? }];
    Some(Fix { message: wording::into_comment(&wording::code(name)), applicability: Applicability::Unsafe, edits })
}

/// Makes a comment of an element.
pub(crate) fn element_into_comment(context: &Context<'_>, node: Element<'_, '_>) -> Option<Fix> {
    let text = comment(context.text.get(node.span().range())?)?;
    let message = wording::into_comment(&wording::tag(node.name()));
    Some(Fix { message, applicability: Applicability::Unsafe, edits: vec![Edit { span: node.span(), text }] })
}

/// Makes a comment of a text.
pub(crate) fn text_into_comment(context: &Context<'_>, span: Span) -> Option<Fix> {
    let text = comment(context.text.get(span.range())?)?;
    let message = wording::into_comment("the text");
    Some(Fix { message, applicability: Applicability::Unsafe, edits: vec![Edit { span, text }] })
}

fn comment(written: &str) -> Option<String> {
    (!written.contains("--")).then(|| format!("<!-- {written} -->"))
}

/// The place of an attribute that the element does not have yet.
pub(super) fn absent_slot(fields: &Fields<'_, '_>, name: &str) -> Option<usize> {
    let slot = fields.shape.attributes.iter().position(|known| known.name == name)?;
    fields.attributes.get(slot).is_some_and(Option::is_none).then_some(slot)
}

/// Whether an element has no attribute called `name` yet, and one can have that value.
pub(super) fn is_free(fields: &Fields<'_, '_>, name: &str, value: &str) -> bool {
    let known = absent_slot(fields, name).and_then(|slot| fields.shape.attributes.get(slot));
    known.is_some_and(|known| known.value.accepts(value))
}

/// Reads an element as if it had an attribute.
pub(super) fn set<'a>(fields: &mut Fields<'a, '_>, name: &str, attribute: Attribute<'a>) {
    let slot = absent_slot(fields, name);
    if let Some(slot) = slot.and_then(|slot| fields.attributes.get_mut(slot)) {
        *slot = Some(attribute);
    }
}
