//! Children that hold what attributes of their parent say, or what belongs elsewhere: `<name>vda</name>`.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Label};
use crate::parse::element::{Context, Fields, text_span};
use crate::rules::Rule;
use crate::syntax::{Attribute, Element};
use crate::wording::{self, trim};

use super::concept::{self, Place};
use super::element::parents_of;
use super::relocate::{Relocated, Written, is_free, relocate};

/// What is known of the children of one element.
pub(super) struct ChildValues {
    /// Whether something in it lists a disk that is included.
    lists_disks: bool,
    /// The diagnostic about an earlier child: several are one mistake.
    earlier: Option<Earlier>,
}

struct Earlier {
    position: usize,
    shown: String,
}

/// What a child says, and where that belongs.
struct Recognized<'a> {
    values: Vec<(Place, Written<'a>)>,
    help: &'static str,
}

impl ChildValues {
    pub fn new(parent: Element<'_, '_>) -> Self {
        let lists_disks = parent.children().any(|child| child.is("disk") || child.is("include"));
        Self { lists_disks, earlier: None }
    }

    /// Reports a child that says what belongs elsewhere; whether it does.
    pub fn report<'a>(
        &mut self,
        context: &mut Context<'_>,
        fields: &mut Fields<'a, '_>,
        child: Element<'a, '_>,
    ) -> bool {
        let Some(recognized) = recognize(fields, child) else { return false };
        let (parent, name) = (fields.shape.name, child.name());
        let diagnostic = if parents_of(fields.shape, name).is_empty() {
            Diagnostic::new(Rule::UnknownElement, child.tag(), wording::unknown_element(name, parent))
        } else {
            Diagnostic::new(Rule::MisplacedElement, child.tag(), wording::element_not_allowed(name, parent))
        };
        let is_disk = recognized.values.iter().any(|(place, _)| matches!(place, Place::Disk(_)));
        let is_listed = !is_disk || self.lists_disks;
        let relocated: Option<Vec<_>> = if is_listed {
            let values = recognized.values.iter();
            values.map(|(place, written)| relocate(context, fields, *place, written)).collect()
        } else {
            None
        };
        match relocated.filter(|relocated| !relocated.is_empty()) {
            Some(relocated) => self.report_moved(context, fields, &recognized, relocated, diagnostic),
            None if recognized.help.is_empty() => return false,
            None => {
                fields.has_unknown_child |= diagnostic.rule == Rule::UnknownElement;
                let help = if is_listed { recognized.help } else { wording::ONLY_LISTED_DISKS };
                context.report(diagnostic.help(help));
            }
        }
        true
    }

    /// Reports values that a fix moves to their places, and reads them there.
    fn report_moved<'a>(
        &mut self,
        context: &mut Context<'_>,
        fields: &mut Fields<'a, '_>,
        recognized: &Recognized<'a>,
        relocated: Vec<Relocated>,
        diagnostic: Diagnostic,
    ) {
        let shown: Vec<_> = relocated.iter().map(|relocated| relocated.shown.as_str()).collect();
        let shown = shown.join(" ");
        let mut edits: Vec<Edit> = Vec::new();
        for edit in relocated.into_iter().flat_map(|relocated| relocated.edits) {
            // Several values of one child remove it once.
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
        let is_attribute = recognized.values.iter().any(|(place, _)| matches!(place, Place::Attribute(_)));
        let help = |shown: &str| match recognized.help {
            "" if is_attribute => format!("write {shown} on {}", wording::tag(fields.shape.name)),
            "" => format!("write {shown}"),
            help => help.to_owned(),
        };
        if let Some(mode) = full_mode(fields, recognized) {
            edits.push(Edit { span: mode.value_span, text: "incremental".to_owned() });
            let shown = format!("{shown} backupmode='incremental'");
            let help = help(&shown);
            return context.report(diagnostic.help(help).fix(format!("write {shown}"), Applicability::Unsafe, edits));
        }
        if let Some(earlier) = &mut self.earlier
            && let Some(first) = context.diagnostics.get_mut(earlier.position)
            && let Some(fix) = first.fixes.first_mut()
        {
            fix.edits.extend(edits);
            if is_attribute {
                earlier.shown = format!("{} {shown}", earlier.shown);
                fix.message = format!("write {}", earlier.shown);
                first.help = Some(help(&earlier.shown));
            }
            first.secondary.push(Label { message: wording::SAME_HERE.to_owned(), ..diagnostic.primary });
        } else {
            let diagnostic = diagnostic.help(help(&shown));
            let title = format!("write {shown}");
            self.earlier = Some(Earlier { position: context.diagnostics.len(), shown });
            context.report(diagnostic.fix(title, Applicability::Safe, edits));
        }
        for (place, written) in &recognized.values {
            place.read(context, fields, written.attribute);
        }
    }
}

fn recognize<'a>(fields: &Fields<'a, '_>, child: Element<'a, '_>) -> Option<Recognized<'a>> {
    let name = child.name();
    let held = held_values(child);
    if let Some(values) = own_attributes(fields, name, &held) {
        return Some(Recognized { values, help: "" });
    }
    let single = held.first().filter(|_| held.len() == 1);
    let found = concept::find(fields, name, single.map_or("", |single| single.attribute.value))?;
    Some(Recognized { values: single.map(|single| (found.place, *single)).into_iter().collect(), help: found.help })
}

/// The `backupmode='full'` of a disk that has the base of an incremental backup.
fn full_mode<'a>(fields: &Fields<'a, '_>, recognized: &Recognized<'_>) -> Option<Attribute<'a>> {
    let is_base = recognized.values.iter().any(|(place, _)| matches!(place, Place::Attribute("incremental")));
    let is_full = fields.word("backupmode") == Some("full");
    fields.get("backupmode").copied().filter(|_| is_base && is_full)
}

/// What a child without children holds: its text, and its attributes.
fn held_values<'a>(child: Element<'a, '_>) -> Vec<Written<'a>> {
    if child.children().next().is_some() {
        return Vec::new();
    }
    let whole = child.span();
    let written = |attribute| Written { attribute, whole, is_attribute: false };
    let attributes = child.attributes().map(written);
    let texts = child.texts().filter(|text| !trim(text.written).is_empty() && text.value() == text.written);
    let texts = texts.map(|text| {
        let span = text_span(text);
        let name = child.name();
        written(Attribute { name, namespace: None, value: trim(text.written), span, name_span: span, value_span: span })
    });
    attributes.chain(texts).collect()
}

/// The attributes of the parent that a child holds: one of its own name, or those of the names of its attributes.
fn own_attributes<'a>(fields: &Fields<'a, '_>, name: &str, held: &[Written<'a>]) -> Option<Vec<(Place, Written<'a>)>> {
    let known = |name: &str, value: &str| {
        let own = fields.shape.attributes.iter().map(|known| known.name).find(|known| *known == name);
        let own = own.filter(|name| is_free(fields, name, value)).map(Place::Attribute);
        let place = own.or_else(|| concept::find(fields, name, value).map(|concept| concept.place));
        place.filter(|place| matches!(place, Place::Attribute(_)))
    };
    if let [single] = held
        && let Some(place) = known(name, single.attribute.value)
    {
        return Some(vec![(place, *single)]);
    }
    if fields.shape.name != "server" || held.is_empty() {
        return None;
    }
    held.iter().map(|held| Some((known(held.attribute.name, held.attribute.value)?, *held))).collect()
}
