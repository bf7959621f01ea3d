//! Text that is the value of an attribute.

use crate::diagnostic::{Diagnostic, Span};
use crate::parse::address;
use crate::parse::element::{Context, Fields};
use crate::rules::Rule;
use crate::syntax::{Attribute, Text};
use crate::wording::{self, trim};

use super::relocate::{Written, settle};

/// Reports text that says what attributes of its element say: the path of a destination, the name of a disk. Whether it
/// does.
pub(crate) fn text<'a>(context: &mut Context<'_>, fields: &mut Fields<'a, '_>, text: Text<'a>, span: Span) -> bool {
    let value = trim(text.written);
    if text.value() != text.written {
        return false;
    }
    let settings = match fields.shape.name {
        "target" | "scratch" if value.starts_with("/dev/") => vec![("dev", value)],
        "target" | "scratch" => vec![("file", value)],
        "disk" => vec![("name", value)],
        "driver" => vec![("type", value)],
        "server" => address::settings(value).unwrap_or_default(),
        _ => Vec::new(),
    };
    let has_path = fields.get("file").or(fields.get("dev")).is_some();
    if settings.is_empty() || has_path {
        return false;
    }
    let element = fields.shape.name;
    let attribute = Attribute { name: "", namespace: None, value, span, name_span: span, value_span: span };
    let written = Written { attribute, whole: span, is_attribute: false };
    let diagnostic = Diagnostic::new(Rule::UnexpectedText, span, wording::text_not_allowed(element));
    settle(context, fields, &written, &settings, diagnostic, "")
}
