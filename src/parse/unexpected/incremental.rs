//! An incremental backup that is requested in another way than by `<incremental>`: `mode='incremental'
//! checkpoint='friday'`.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::parse::element::{Context, Fields, text_span};
use crate::rules::Rule;
use crate::syntax::{Attribute, Element};
use crate::wording::{self, trim, truncate_for_display};

use super::relocate::add_content;

const REQUESTS: [&str; 6] = ["mode", "type", "kind", "backupmode", "level", "method"];
const WORDS: [&str; 6] = ["incremental", "incr", "inc", "increment", "differential", "diff"];
const BASES: [&str; 7] = ["checkpoint", "from", "since", "base", "parent", "incremental", "reference"];

/// Whether a word asks for an incremental backup.
pub(crate) fn is_request(word: &str) -> bool {
    WORDS.iter().any(|known| trim(word).eq_ignore_ascii_case(known))
}

/// Whether a document asks for an incremental backup anywhere.
pub(crate) fn is_requested(root: Element<'_, '_>) -> bool {
    root.descendants().any(|node| {
        node.is("incremental")
            || node.attributes().any(|attribute| attribute.name == "incremental" || is_request(attribute.value))
    })
}

/// The name of the checkpoint that is the base, as it is written.
struct Base<'a> {
    name: &'a str,
    written: Span,
    /// The attribute or element that holds it.
    whole: Span,
    label: Span,
}

/// Reports such a request, and takes what it consists of out of the unexpected attributes.
pub(crate) fn request<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, unexpected: &mut Vec<Attribute<'a>>) {
    let is_request = |attribute: &Attribute<'_>| REQUESTS.contains(&attribute.name) && is_request(attribute.value);
    let Some(request) = fields.node.attributes().find(is_request) else { return };
    let base = base_attribute(unexpected).or_else(|| base_child(fields.node));
    unexpected.retain(|attribute| {
        let is_of_base = base.as_ref().is_some_and(|base| base.whole == attribute.span);
        attribute.span != request.span && !is_of_base
    });
    let word = if fields.node.child("server").is_some() { "pull" } else { "push" };
    let element = fields.shape.name;
    let (diagnostic, edit) = if request.name == "mode" {
        let message = wording::invalid_value(request.value, "mode", element);
        let diagnostic = Diagnostic::new(Rule::UnknownValue, request.report_span(), message);
        (diagnostic, Edit { span: request.value_span, text: word.to_owned() })
    } else {
        let message = wording::attribute_not_allowed(request.name, element);
        let removed = context.removal(request.span);
        (Diagnostic::new(Rule::MisplacedAttribute, request.span, message), removed)
    };
    let expected = if request.name == "mode" { "expected `push` or `pull`; " } else { "" };
    let diagnostic = match &base {
        Some(base) => {
            let shown = format!("<incremental>{}</incremental>", truncate_for_display(base.name));
            let written = context.text.get(base.written.range()).unwrap_or_default();
            let edits = vec![
                edit,
                context.removal(base.whole),
                add_content(context, fields.node, &format!("<incremental>{written}</incremental>")),
            ];
            diagnostic
                .label(base.label, "the base of the incremental backup")
                .help(format!("{expected}an incremental backup since this checkpoint is requested by {shown}"))
                .fix(format!("write mode='{word}' and {shown}"), Applicability::Unsafe, edits)
        }
        None if has_base(fields.node) => diagnostic
            .help(format!("{expected}that the backup is incremental is said by <incremental> or a disk's `incremental`"))
            .fix(wording::replace_with(&wording::code(word)), Applicability::Unsafe, vec![edit]),
        None => diagnostic.help(format!(
            "{expected}an incremental backup is requested by the name of its base: <incremental>CHECKPOINT</incremental>"
        )),
    };
    context.report(diagnostic);
    context.base = base.as_ref().map(|base| base.label);
    context.note_misplaced("incremental", request.span);
    if let Some(mode) = fields.attributes.first_mut().filter(|_| request.name == "mode") {
        *mode = Some(Attribute { value: word, ..request });
    }
}

fn base_attribute<'a>(unexpected: &[Attribute<'a>]) -> Option<Base<'a>> {
    let is_base = |attribute: &&Attribute<'_>| BASES.contains(&attribute.name) && !attribute.value.is_empty();
    let attribute = unexpected.iter().find(is_base)?;
    let (whole, written) = (attribute.span, attribute.value_span);
    Some(Base { name: attribute.value, written, whole, label: whole })
}

/// `<checkpoint>friday</checkpoint>`, `<base name='friday'/>`
fn base_child<'a>(root: Element<'a, '_>) -> Option<Base<'a>> {
    if has_base(root) {
        return None;
    }
    let child = root.children().find(|child| BASES.contains(&child.name()))?;
    let (whole, label) = (child.span(), child.tag());
    let mut attributes = child.attributes();
    if let (Some(attribute), None) = (attributes.next(), attributes.next()) {
        return Some(Base { name: attribute.value, written: attribute.value_span, whole, label });
    }
    let text = child.texts().next().filter(|_| child.content().count() == 1)?;
    let name = Some(trim(text.written)).filter(|name| !name.is_empty())?;
    Some(Base { name, written: text_span(text), whole, label })
}

/// Whether the base is where it belongs, or where that is reported by itself.
fn has_base(root: Element<'_, '_>) -> bool {
    root.descendants().any(|node| node.is("incremental") || node.has_attribute("incremental") && node != root)
}
