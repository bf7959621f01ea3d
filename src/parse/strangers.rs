//! What does not belong: unknown and misplaced attributes and children, values that are not allowed.
//!
//! One mistake is one error. A misspelt name is reported once and then taken for the name that was meant, so that
//! nothing is missing after it; a thing in the wrong place is reported there, and not as missing elsewhere.

use roxmltree::Node;

use super::element;
use crate::diagnostic::{Diagnostic, Edit, Fix, Span};
use crate::rules::Rule;
use crate::schema::{DOMAINBACKUP, PULL_DISK, PUSH_DISK, SHAPES, Shape, Value, trim};

use super::element::{Attribute, Fields, Reader, listed, name_span, place_child, start_tag};

/// Names longer than this are not worth comparing with ours.
const LONGEST_NAME_TO_COMPARE: usize = 32;

/// The types that a domain's disk may have and a backup's may not.
pub(super) const FOREIGN_TYPES: [&str; 6] = ["network", "volume", "nvme", "dir", "vhostuser", "vhostvdpa"];

/// The word among `words` that `written` was likely meant to be.
pub(crate) fn nearest<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if written.len() > LONGEST_NAME_TO_COMPARE {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    words
        .map(|word| (strsim::osa_distance(&lower, word), word))
        .filter(|(distance, word)| *distance <= tolerance(word.len().max(lower.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many slips of the pen a word of `length` bytes may have.
fn tolerance(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=11 => 2,
        _ => 3,
    }
}

/// Reports an attribute that the shape does not know, or that stands in a namespace.
pub(crate) fn attribute<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
    stranger: roxmltree::Attribute<'a, '_>,
) {
    if stranger.namespace().is_some() {
        let span = Span::from(stranger.range());
        let diagnostic = Diagnostic::new(
            Rule::Namespace,
            span,
            format!("the attribute {} of <{}> is in a namespace", written_name(reader, span), fields.shape.name),
        )
        .help("remove the attribute: libvirt knows none with a prefix")
        .unsafe_fix("remove the attribute", reader.with_space_before(span), "");
        reader.report(diagnostic);
        return;
    }
    let attribute = Attribute::new(stranger, reader.text);
    if let Some(diagnostic) = recognized_attribute(reader, fields, &attribute) {
        reader.report_misplaced(attribute.name, diagnostic);
        return;
    }
    let homes = homes_of_attribute(attribute.name);
    if homes.is_empty() || synonym(fields, &attribute).is_some() {
        unknown_attribute(reader, fields, attribute);
    } else {
        let diagnostic = misplaced_attribute(reader, fields, &attribute, &homes);
        reader.report_misplaced(attribute.name, diagnostic);
    }
}

fn written_name<'a>(reader: &Reader<'a>, span: Span) -> &'a str {
    let written = reader.text.get(span.range()).unwrap_or_default();
    written.split(['=', ' ', '\t', '\n', '\r']).next().unwrap_or_default()
}

/// Attributes with a story of their own.
fn recognized_attribute(reader: &Reader<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Diagnostic> {
    let push = std::ptr::eq(fields.shape, &raw const PUSH_DISK);
    let remove = reader.with_space_before(attribute.span);
    match attribute.name {
        "exportname" | "exportbitmap" if push => Some(
            Diagnostic::new(
                Rule::ExportInPush,
                attribute.span,
                format!("{} is for pull mode, and this is a push mode backup", attribute.name),
            )
            .help("remove it, or write mode='pull' on <domainbackup>")
            .unsafe_fix(format!("remove {}", attribute.name), remove, ""),
        ),
        "name" if fields.shape.name == "driver" => Some(
            Diagnostic::new(
                Rule::MisplacedAttribute,
                attribute.span,
                "the <driver> of a backup has no name, only that of a domain's disk",
            )
            .help("remove it: the format is all that is said here")
            .unsafe_fix("remove name", remove, ""),
        ),
        "index" if fields.shape.name == "disk" => Some(
            Diagnostic::new(
                Rule::IndexAttribute,
                attribute.span,
                "index is libvirt's own number, which backup-dumpxml prints and backup-begin refuses",
            )
            .help("remove it")
            .safe_fix("remove index", remove, ""),
        ),
        _ => None,
    }
}

/// The elements that have an attribute called `name`.
fn homes_of_attribute(name: &str) -> Vec<String> {
    let mut homes: Vec<_> = SHAPES
        .iter()
        .filter(|(shape, _)| shape.attributes.iter().any(|attribute| attribute.name == name))
        .map(|(shape, _)| format!("<{}>", shape.name))
        .collect();
    homes.dedup();
    homes
}

fn misplaced_attribute(
    reader: &Reader<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    homes: &[String],
) -> Diagnostic {
    let name = attribute.name;
    let help = match (fields.shape.name, name) {
        ("disk", "mode") => "how much of a disk is backed up is its backupmode".to_owned(),
        ("disk" | "target" | "scratch", "format") => {
            format!("the format of the image is its driver's: <driver type='{}'/>", shortened(attribute.value))
        }
        ("domainbackup", "incremental") => {
            format!("write it as an element: <incremental>{}</incremental>", shortened(attribute.value))
        }
        _ => format!("{name} belongs on {}", listed(homes)),
    };
    let diagnostic = Diagnostic::new(
        Rule::MisplacedAttribute,
        attribute.span,
        format!("<{}> has no attribute {name}", fields.shape.name),
    )
    .help(help);
    match into_element(reader, fields, attribute) {
        Some(fix) => diagnostic.fix(fix.message, fix.safe, fix.edits),
        None => diagnostic.unsafe_fix(format!("remove {name}"), reader.with_space_before(attribute.span), ""),
    }
}

/// Makes the element that an attribute of the root was meant to be, if there is none yet.
fn into_element(reader: &Reader<'_>, fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<Fix> {
    let name = attribute.name;
    if fields.shape.name != DOMAINBACKUP.name || name != "incremental" || has_child(fields, name) {
        return None;
    }
    let tag = fields.tag();
    let written = reader.text.get(attribute.value_span.range())?;
    let element = format!("<{name}>{written}</{name}>");
    let edit = if reader.text.get(tag.range())?.ends_with("/>") {
        let end = Span { start: tag.end - 2, end: tag.end };
        Edit { span: end, text: format!(">{element}</{}>", DOMAINBACKUP.name) }
    } else {
        Edit { span: tag.after(), text: element }
    };
    let removed = Edit { span: reader.with_space_before(attribute.span), text: String::new() };
    Some(Fix { message: format!("make it <{name}>"), safe: true, edits: vec![removed, edit] })
}

fn has_child(fields: &Fields<'_, '_>, name: &str) -> bool {
    fields.node.children().any(|child| child.tag_name().name() == name)
}

fn unknown_attribute<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>, attribute: Attribute<'a>) {
    let element = fields.shape.name;
    let Some(slot) = meant_attribute(fields, &attribute) else {
        let names: Vec<_> = fields.shape.attributes.iter().map(|known| known.name).collect();
        let help = if let Some(home) = elsewhere(element, attribute.name) {
            format!("remove it: {home}")
        } else if names.is_empty() {
            format!("remove it: <{element}> takes no attributes")
        } else {
            format!("remove it: <{element}> takes {}", names.join(", "))
        };
        let diagnostic = Diagnostic::new(
            Rule::UnknownAttribute,
            attribute.span,
            format!("<{element}> has no attribute {}", shortened(attribute.name)),
        )
        .help(help)
        .unsafe_fix("remove the attribute", reader.with_space_before(attribute.span), "");
        reader.report(diagnostic);
        return;
    };
    let meant = fields.shape.attributes.get(slot).map_or("", |known| known.name);
    let diagnostic = Diagnostic::new(
        Rule::UnknownAttribute,
        attribute.name_span(),
        format!("<{element}> has no attribute {}", shortened(attribute.name)),
    )
    .help(meant_help(attribute.name, meant, meant))
    .safe_fix(format!("rename it to {meant}"), attribute.name_span(), meant);
    reader.report(diagnostic);
    if let Some(slot) = fields.attributes.get_mut(slot) {
        *slot = Some(attribute);
    }
}

/// What to say of a name that was meant to be another one, which is `shown` so.
pub(super) fn meant_help(written: &str, meant: &str, shown: &str) -> String {
    if written.eq_ignore_ascii_case(meant) {
        format!("write {shown}: libvirt's names are in lower case")
    } else {
        format!("did you mean {shown}?")
    }
}

/// What people call attributes that libvirt calls something else.
const SYNONYMS: [(&str, &[&str], &str); 10] = [
    ("server", &["host", "hostname", "address", "addr", "listen", "ip", "bind"], "name"),
    ("server", &["path", "sock", "unix", "file"], "socket"),
    ("server", &["group", "fd"], "fdgroup"),
    ("server", &["ssl"], "tls"),
    ("disk", &["target", "dev", "device", "disk", "id", "drive"], "name"),
    ("target", &["path", "filename", "source", "location", "url"], "file"),
    ("scratch", &["path", "filename", "source", "location", "url"], "file"),
    ("driver", &["format", "fmt"], "type"),
    ("secret", &["id"], "uuid"),
    ("cipher", &["algorithm", "alg"], "name"),
];

/// The place of the absent attribute that goes by another name elsewhere, if the value fits it.
fn synonym(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<usize> {
    let is_meant =
        |(element, names, _): &&(&str, &[&str], &str)| *element == fields.shape.name && names.contains(&attribute.name);
    let (_, _, meant) = SYNONYMS.iter().find(is_meant)?;
    let slot = fields.shape.attributes.iter().position(|known| known.name == *meant)?;
    let is_absent = fields.attributes.get(slot).is_some_and(Option::is_none);
    let fits = fields.shape.attributes.get(slot).is_some_and(|known| known.value.accepts(attribute.value));
    (is_absent && fits).then_some(slot)
}

/// Attributes of the documents beside a backup, and where they do belong.
fn elsewhere(element: &str, name: &str) -> Option<&'static str> {
    match (element, name) {
        ("disk", "checkpoint" | "bitmap") => {
            Some("which disks a checkpoint covers, and by which bitmaps, is said in the checkpoint's own document")
        }
        ("disk", "snapshot") => Some("it is a snapshot's; whether a disk is backed up is said by backup"),
        ("target" | "scratch", "protocol" | "pool" | "volume") => {
            Some("a backup goes to a file or a block device of the host")
        }
        _ => None,
    }
}

/// The place of the attribute that `attribute` was meant to be: one that is not there yet, by its name, or else by
/// what only that one can hold.
fn meant_attribute(fields: &Fields<'_, '_>, attribute: &Attribute<'_>) -> Option<usize> {
    let absent = || {
        let slots = fields.shape.attributes.iter().zip(&fields.attributes).enumerate();
        slots.filter(|(_, (_, found))| found.is_none()).map(|(slot, (known, _))| (slot, known))
    };
    if let Some(slot) = synonym(fields, attribute) {
        return Some(slot);
    }
    // Attributes that the rest of the element has no use for yet come after those that it cannot do without.
    if let Some(name) = nearest(attribute.name, absent().map(|(_, known)| known.name)) {
        return absent().find(|(_, known)| known.name == name).map(|(slot, _)| slot);
    }
    let has_address = fields
        .shape
        .attributes
        .iter()
        .zip(&fields.attributes)
        .any(|(known, found)| found.is_some() && matches!(known.value, Value::Path | Value::Host));
    let fits = |known: &crate::schema::Attribute| {
        let telling = match known.value {
            Value::Words(_) => !matches!(attribute.value, "yes" | "no"),
            Value::Path => !has_address,
            _ => known.required,
        };
        telling && known.value.accepts(attribute.value)
    };
    let mut fitting = absent().filter(|(_, known)| fits(known));
    match (fitting.next(), fitting.next()) {
        (Some((slot, _)), None) => Some(slot),
        (Some((slot, first)), Some(_)) if first.required => Some(slot),
        _ => None,
    }
}

/// A name or value for a message: on one line, and what is very long is cut.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = name.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(LONGEST) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A value for a message, in single quotes.
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", shortened(value))
}

/// Reports the children that the shape does not know. Those that can be understood are put where they were meant.
pub(crate) fn children<'a, 'i>(reader: &mut Reader<'a>, fields: &mut Fields<'a, 'i>, strangers: &[Node<'a, 'i>]) {
    let mut reported: Vec<Misplaced<'_, 'a, 'i>> = Vec::new();
    for &child in strangers {
        let name = child.tag_name().name();
        if element::namespace(child).is_some() {
            namespace(reader, child);
            continue;
        }
        // Several misplaced siblings of one name are one mistake, and so are neighbours that have lost the same tags.
        if let Some(first) = reported.iter_mut().find(|reported| reported.explains(child, name)) {
            first.nodes.push(child);
            if let Some(first) = reader.diagnostics.get_mut(first.position) {
                first.others.push(crate::diagnostic::Label {
                    document: crate::diagnostic::Document::Backup,
                    span: start_tag(child),
                    message: "and this one".to_owned(),
                });
            }
            adopt(fields, child, name);
            continue;
        }
        if let Some(position) = stranger(reader, fields, child, name) {
            reported.push(Misplaced { name, position, nodes: vec![child] });
        }
    }
    for misplaced in reported {
        let fix = misplaced.fix(reader, fields);
        if let Some(diagnostic) = reader.diagnostics.get_mut(misplaced.position) {
            diagnostic.fixes.push(fix);
        }
    }
}

/// Siblings of one name that do not belong where they are.
struct Misplaced<'n, 'a, 'i> {
    name: &'n str,
    /// The place of the finding about them.
    position: usize,
    nodes: Vec<Node<'a, 'i>>,
}

impl<'a, 'i> Misplaced<'_, 'a, 'i> {
    /// Whether a sibling is part of the same mistake.
    fn explains(&self, child: Node<'a, 'i>, name: &str) -> bool {
        let is_next = || self.nodes.last().copied() == child.prev_sibling_element();
        self.name == name || is_next() && homes_of_element(self.name) == homes_of_element(name)
    }

    /// Moves disks into the `<disks>` that they stand beside; removes anything else.
    fn fix(&self, reader: &Reader<'a>, fields: &Fields<'a, 'i>) -> Fix {
        let spans = self.nodes.iter().map(|node| Span::from(node.range()));
        if !self.are_disks(fields) {
            let edits = spans.map(|span| Edit { span: reader.with_space_before(span), text: String::new() });
            return Fix { message: format!("remove <{}>", self.name), safe: false, edits: edits.collect() };
        }
        let written = |span: Span| reader.text.get(span.range()).unwrap_or_default();
        let disks: String = spans.clone().map(written).collect();
        if let Some(list) = fields.child("disks") {
            let mut edits: Vec<_> =
                spans.map(|span| Edit { span: reader.with_space_before(span), text: String::new() }).collect();
            let source = reader.text.get(list.range()).unwrap_or_default();
            edits.push(if source.ends_with("/>") {
                let end = list.range().end;
                Edit { span: Span::new(end - 2, end), text: format!(">{disks}</disks>") }
            } else {
                let end = list.range().start + source.rfind("</").unwrap_or_default();
                Edit { span: Span::new(end, end), text: disks }
            });
            return Fix { message: "move it into <disks>".to_owned(), safe: true, edits };
        }
        let mut edits: Vec<_> = spans.map(|span| Edit { span, text: String::new() }).collect();
        if let Some(first) = edits.first_mut() {
            first.text = format!("<disks>{disks}</disks>");
        }
        Fix { message: "put it into <disks>".to_owned(), safe: true, edits }
    }

    fn are_disks(&self, fields: &Fields<'_, '_>) -> bool {
        fields.shape.name == DOMAINBACKUP.name && self.name == "disk"
    }
}

fn namespace(reader: &mut Reader<'_>, child: Node<'_, '_>) {
    let message = format!(
        "<{}> is in the namespace {}",
        child.tag_name().name(),
        quoted(element::namespace(child).unwrap_or_default())
    );
    let diagnostic = match namespace_declaration(child) {
        Some(declaration) => Diagnostic::new(Rule::Namespace, declaration, message).unsafe_fix(
            "remove xmlns",
            reader.with_space_before(declaration),
            "",
        ),
        None => Diagnostic::new(Rule::Namespace, start_tag(child), message).unsafe_fix(
            "remove the element",
            reader.with_space_before(child.range().into()),
            "",
        ),
    };
    reader.report(diagnostic.help("remove the element, or its xmlns: libvirt knows no element in a namespace"));
}

/// The `xmlns='…'` in an element's start tag.
pub(super) fn namespace_declaration(node: Node<'_, '_>) -> Option<Span> {
    let tag = start_tag(node);
    let written = node.document().input_text().get(tag.range())?;
    let at = written.match_indices("xmlns").find(|(at, name)| {
        let before = written.get(..*at).is_some_and(|before| before.ends_with([' ', '\t', '\n', '\r']));
        before && written.get(at + name.len()..).is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    let (at, _) = at?;
    let quote = at + written.get(at..)?.find(['\'', '"'])?;
    let mark = written.get(quote..)?.chars().next()?;
    let length = written.get(quote + 1..)?.find(mark)?;
    let start = tag.start as usize;
    Some(Span::new(start + at, start + quote + length + 2))
}

/// Reports one stranger; returns the place of the finding if more of its kind are the same mistake.
fn stranger<'a, 'i>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, 'i>,
    child: Node<'a, 'i>,
    name: &'a str,
) -> Option<usize> {
    if let Some((rule, message, meant)) = other_modes_child(fields.shape, name) {
        let taken = fields.child(meant).is_some();
        let mut diagnostic = Diagnostic::new(rule, start_tag(child), message);
        if taken {
            diagnostic = diagnostic.help(format!("remove it: there is a <{meant}>")).unsafe_fix(
                format!("remove <{name}>"),
                reader.with_space_before(child.range().into()),
                "",
            );
        } else {
            diagnostic = diagnostic.help(format!("write <{meant}>"));
            diagnostic = rename(diagnostic, child, meant, false);
            place_child(reader, fields, child, meant);
        }
        reader.report_misplaced(name, diagnostic);
        return None;
    }
    let homes = homes_of_element(name);
    if !homes.is_empty() && misspelt(fields, child, name).is_none() {
        // What belongs in a child of this element has lost that child's tags: it is not missing.
        let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
        let lost = absent.chain(fields.shape.many).any(|known| homes.contains(&format!("<{known}>")));
        fields.unclear |= lost;
        let position = reader.diagnostics.len();
        let diagnostic = Diagnostic::new(
            Rule::MisplacedElement,
            start_tag(child),
            format!("<{name}> cannot stand in <{}>", fields.shape.name),
        )
        .help(format!("<{name}> belongs in {}", listed(&homes)));
        reader.report_misplaced(name, diagnostic);
        adopt(fields, child, name);
        return Some(position);
    }
    unknown_element(reader, fields, child, name);
    None
}

/// The element that belongs here and that a known one was meant to be: its name is near, and what it holds fits that
/// element and not the one that it is called.
fn misspelt(fields: &Fields<'_, '_>, child: Node<'_, '_>, name: &str) -> Option<&'static str> {
    let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
    let meant = nearest(name, absent.chain(fields.shape.many))?;
    (holds_what_belongs_in(child, meant) && !holds_what_belongs_in(child, name)).then_some(meant)
}

/// Whether the attributes and children of `child` are ones that an element called `name` may have.
fn holds_what_belongs_in(child: Node<'_, '_>, name: &str) -> bool {
    SHAPES.iter().filter(|(shape, _)| shape.name == name).any(|(shape, _)| {
        let has_attribute = |name: &str| shape.attributes.iter().any(|known| known.name == name);
        child.attributes().all(|attribute| has_attribute(attribute.name()))
            && child.children().filter(Node::is_element).all(|grandchild| {
                let parents = SHAPES.iter().find(|(shape, _)| shape.name == grandchild.tag_name().name());
                parents.is_some_and(|(_, parents)| parents.contains(&name))
            })
    })
}

/// The target of a push written in a pull, and the other way round.
fn other_modes_child(shape: &Shape, name: &str) -> Option<(Rule, &'static str, &'static str)> {
    if std::ptr::eq(shape, &raw const PULL_DISK) && name == "target" {
        let message = "<target> is for push mode, and this is a pull mode backup";
        return Some((Rule::TargetInPull, message, "scratch"));
    }
    if std::ptr::eq(shape, &raw const PUSH_DISK) && name == "scratch" {
        let message = "<scratch> is for pull mode, and this is a push mode backup";
        return Some((Rule::ScratchInPush, message, "target"));
    }
    None
}

/// A disk beside `<disks>` is still read as a disk.
fn adopt<'a, 'i>(fields: &mut Fields<'a, 'i>, child: Node<'a, 'i>, name: &str) {
    if fields.shape.name == DOMAINBACKUP.name && name == "disk" {
        fields.many.push(child);
    }
}

/// The elements that an element called `name` may stand in.
fn homes_of_element(name: &str) -> Vec<String> {
    let home = SHAPES.iter().find(|(shape, _)| shape.name == name);
    home.map(|(_, parents)| parents.iter().map(|parent| format!("<{parent}>")).collect()).unwrap_or_default()
}

fn unknown_element<'a, 'i>(reader: &mut Reader<'a>, fields: &mut Fields<'a, 'i>, child: Node<'a, 'i>, name: &str) {
    let parent = fields.shape.name;
    let message = format!("<{parent}> has no element <{}>", shortened(name));
    let absent = || {
        let single = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
        single.chain(fields.shape.many)
    };
    let all = || fields.shape.children.iter().copied().chain(fields.shape.many);
    if let Some(meant) = nearest(name, absent()).or_else(|| only_candidate(fields, child)) {
        let diagnostic = Diagnostic::new(Rule::UnknownElement, name_span(child), message).help(meant_help(
            name,
            meant,
            &format!("<{meant}>"),
        ));
        reader.report(rename(diagnostic, child, meant, true));
        place_child(reader, fields, child, meant);
        return;
    }
    fields.unclear = true;
    let names: Vec<_> = all().map(|known| format!("<{known}>")).collect();
    let help = match &names[..] {
        _ if parent == "domainbackup" && matches!(name, "name" | "description" | "creationTime" | "parent") => {
            format!("remove it: it is a checkpoint that has a <{name}>")
        }
        [] => format!("remove it: <{parent}> takes no elements"),
        names => format!("remove it: <{parent}> takes {}", names.join(", ")),
    };
    let diagnostic = Diagnostic::new(Rule::UnknownElement, start_tag(child), message).help(help).unsafe_fix(
        "remove the element",
        reader.with_space_before(child.range().into()),
        "",
    );
    reader.report(diagnostic);
}

/// The element that an unknown one must have been, going by its attributes: the only absent one that takes them all,
/// with their values, where at least one is telling.
fn only_candidate(fields: &Fields<'_, '_>, child: Node<'_, '_>) -> Option<&'static str> {
    let known_in = |shape: &'static Shape, attribute: &roxmltree::Attribute<'_, '_>| {
        shape.attributes.iter().find(|known| known.name == attribute.name())
    };
    let takes_all = |name: &str| {
        SHAPES.iter().filter(|(shape, _)| shape.name == name).any(|(shape, _)| {
            let takes = |attribute: roxmltree::Attribute<'_, '_>| {
                known_in(shape, &attribute).is_some_and(|known| known.value.accepts(attribute.value()))
            };
            // Every document has a name for something. A server that is needed and not there is sought after.
            let wanted = name == "server" && fields.word("mode") == Some("pull");
            let is_telling = |attribute: roxmltree::Attribute<'_, '_>| {
                let value = known_in(shape, &attribute).map(|known| known.value);
                attribute.name() != "name" || matches!(value, Some(Value::DiskName)) || wanted
            };
            child.attributes().all(takes) && child.attributes().any(is_telling)
        })
    };
    let absent = fields.shape.children.iter().copied().filter(|known| fields.child(known).is_none());
    let mut candidates = absent.chain(fields.shape.many).filter(|name| takes_all(name));
    match (candidates.next(), candidates.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// Adds the fix that gives an element another name, in both its tags.
pub(super) fn rename(diagnostic: Diagnostic, child: Node<'_, '_>, meant: &str, safe: bool) -> Diagnostic {
    let name = name_span(child);
    let mut edits = vec![Edit { span: name, text: meant.to_owned() }];
    let source = child.document().input_text().get(child.range()).unwrap_or_default();
    if !source.ends_with("/>")
        && let Some(end_tag) = source.rfind("</")
    {
        let start = child.range().start + end_tag + 2;
        edits.push(Edit { span: Span::new(start, start + (name.end - name.start) as usize), text: meant.to_owned() });
    }
    diagnostic.fix(format!("rename it to <{meant}>"), safe, edits)
}

/// Reports a value that the schema refuses.
pub(crate) fn value(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, allowed: Value) -> Diagnostic {
    let name = attribute.name_for_message(fields);
    let written = quoted(attribute.value);
    let place = attribute.blamed();
    match allowed {
        Value::Words(words) => unknown_word(fields, attribute, words, name),
        Value::DiskName => disk_name(attribute, &written),
        Value::Host => host(fields, attribute, &written),
        Value::Number => number(attribute, name, &written),
        Value::Path => path(attribute, name, &written),
        Value::Uuid => Diagnostic::new(Rule::InvalidUuid, place, format!("{written} is not a UUID"))
            .help("write 32 hexadecimal digits, plain or as 8-4-4-4-12; virsh secret-list prints them"),
        // Anything is accepted, so there is nothing to refuse.
        Value::Any => Diagnostic::new(Rule::UnknownValue, place, format!("{name} cannot be {written}")),
    }
}

impl Attribute<'_> {
    /// The attribute's name as the shape knows it, for one that was misspelt.
    fn name_for_message(&self, fields: &Fields<'_, '_>) -> &'static str {
        let known = fields.shape.attributes.iter().zip(&fields.attributes);
        let mut same = known.filter(|(_, found)| found.is_some_and(|found| found.span == self.span));
        same.next().map_or("the attribute", |(known, _)| known.name)
    }
}

fn unknown_word(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, words: &[&'static str], name: &str) -> Diagnostic {
    let written = quoted(attribute.value);
    let place = attribute.blamed();
    if fields.shape.name == "driver" && words.len() == 1 {
        return Diagnostic::new(
            Rule::PullFormat,
            place,
            format!("a scratch cannot be in format {written}, only in qcow2"),
        )
        .help("write type='qcow2', or leave <driver> out")
        .unsafe_fix("write qcow2", attribute.value_span, "qcow2");
    }
    let allowed: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let diagnostic = Diagnostic::new(Rule::UnknownValue, place, format!("{name} cannot be {written}"));
    let help = match (fields.shape.name, attribute.value) {
        ("domainbackup", "full" | "incremental") => Some(
            "write 'push' or 'pull': how much is backed up follows from <incremental> and each disk's backupmode"
                .to_owned(),
        ),
        _ => None,
    };
    let help = help.or_else(|| {
        let is_type = fields.shape.name == "disk" && name == "type";
        (is_type && FOREIGN_TYPES.contains(&attribute.value)).then(|| {
            "write 'file' or 'block': a backup goes to a file or a block device of the host; to send it over the network, pull it"
                .to_owned()
        })
    });
    let meant = nearest(trim(attribute.value), words.iter().copied());
    match (help, meant) {
        (Some(help), _) if name == "mode" => {
            let mode = if fields.child("server").is_some() { "pull" } else { "push" };
            diagnostic.help(help).unsafe_fix(format!("write {mode}"), attribute.value_span, mode)
        }
        (Some(help), _) => diagnostic.help(help),
        (None, _) if truth(attribute.value).is_some_and(|word| words.contains(&word)) => {
            let word = truth(attribute.value).unwrap_or_default();
            diagnostic.help(format!("write {name}='{word}'; it takes {}", listed(&allowed))).safe_fix(
                format!("write {word}"),
                attribute.value_span,
                word,
            )
        }
        (None, Some(meant)) if attribute.value.eq_ignore_ascii_case(meant) => diagnostic
            .help(format!("write '{meant}' in lower case; it takes {}", listed(&allowed)))
            .safe_fix(format!("write {meant}"), attribute.value_span, meant),
        (None, Some(meant)) => diagnostic.help(format!("did you mean '{meant}'? It takes {}", listed(&allowed))).fix(
            format!("write {meant}"),
            is_slip(attribute.value, meant),
            vec![Edit { span: attribute.value_span, text: meant.to_owned() }],
        ),
        (None, None) if words.len() == 1 => {
            let only = words.first().copied().unwrap_or_default();
            diagnostic.help(format!("write {name}='{only}'")).unsafe_fix(
                format!("write {only}"),
                attribute.value_span,
                only,
            )
        }
        (None, None) => match implied(fields, name) {
            Some((word, because)) => diagnostic
                .help(format!("write {name}='{word}', for {because}; it takes {}", listed(&allowed)))
                .unsafe_fix(format!("write {word}"), attribute.value_span, word),
            None => diagnostic.help(format!("write {}", listed(&allowed))),
        },
    }
}

/// The `yes` or `no` that other languages write in other words.
fn truth(written: &str) -> Option<&'static str> {
    match written.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some("yes"),
        "false" | "off" | "0" => Some("no"),
        _ => None,
    }
}

/// The word that the rest of the element asks for, and what asks for it.
fn implied(fields: &Fields<'_, '_>, name: &str) -> Option<(&'static str, &'static str)> {
    match (fields.shape.name, name) {
        ("disk", "type") => {
            let place = fields.child("target").or_else(|| fields.child("scratch"))?;
            match (place.has_attribute("file"), place.has_attribute("dev")) {
                (true, false) => Some(("file", "there is a file=")),
                (false, true) => Some(("block", "there is a dev=")),
                _ => None,
            }
        }
        ("server", "transport") => [("socket", "unix"), ("fdgroup", "fd"), ("name", "tcp"), ("port", "tcp")]
            .into_iter()
            .find(|(attribute, _)| fields.get(attribute).is_some())
            .map(|(attribute, word)| {
                let because = match attribute {
                    "socket" => "there is a socket=",
                    "fdgroup" => "there is an fdgroup=",
                    "name" => "there is a name=",
                    _ => "there is a port=",
                };
                (word, because)
            }),
        _ => None,
    }
}

/// Whether `written` differs from `meant` by case or one slip only, so that the meaning is beyond doubt.
pub(crate) fn is_slip(written: &str, meant: &str) -> bool {
    let lower = trim(written).to_ascii_lowercase();
    lower.len() > 1 && strsim::osa_distance(&lower, meant) <= 1
}

fn disk_name(attribute: &Attribute<'_>, written: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Rule::InvalidDiskName, attribute.blamed(), format!("{written} is not the name of a disk"));
    if let Some(device) = attribute.value.strip_prefix("/dev/").filter(|device| Value::DiskName.accepts(device)) {
        return diagnostic
            .help("write the disk's <target dev> in the domain, such as vda, not the path of a device")
            .unsafe_fix(format!("write {device}"), attribute.value_span, device);
    }
    if attribute.value.starts_with('/') {
        return diagnostic.help("write the disk's <target dev> in the domain, such as vda, not the path of its image");
    }
    let trimmed = trim(attribute.value);
    if trimmed != attribute.value && Value::DiskName.accepts(trimmed) {
        return diagnostic.help(format!("remove the white space: name='{trimmed}'")).safe_fix(
            "remove the white space",
            attribute.value_span,
            trimmed,
        );
    }
    let lower = attribute.value.to_ascii_lowercase();
    if lower != attribute.value && Value::DiskName.accepts(&lower) {
        let help = format!("the names of disks are in lower case: name='{lower}'");
        return diagnostic.help(help).unsafe_fix(format!("write {lower}"), attribute.value_span, lower);
    }
    diagnostic.help("write the disk's <target dev> in the domain: fd, hd, sd, vd, xvd or ubd and letters or digits, such as vda, or nvme0n1")
}

fn host(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, written: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Rule::InvalidHost,
        attribute.blamed(),
        format!("{written} is not a host name or an IP address"),
    );
    let bare = attribute.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare.filter(|bare| Value::Host.accepts(bare)) {
        return diagnostic.help(format!("write an IPv6 address without brackets: name='{bare}'")).safe_fix(
            "remove the brackets",
            attribute.value_span,
            bare,
        );
    }
    if let Some((host, port)) = host_and_port(attribute.value) {
        let diagnostic = diagnostic.help(format!("write the port by itself: name='{host}' port='{port}'"));
        let text = fields.node.document().input_text();
        let quote = text.get(attribute.value_span.after().start as usize..).and_then(|rest| rest.chars().next());
        return match (quote, fields.get("port")) {
            (Some(quote), None) => diagnostic.unsafe_fix(
                format!("write port='{port}'"),
                attribute.value_span,
                format!("{host}{quote} port={quote}{port}"),
            ),
            _ => diagnostic.unsafe_fix("remove the port here", attribute.value_span, host),
        };
    }
    if let Some((address, _)) = attribute.value.split_once('%').filter(|(address, _)| address.contains(':')) {
        return diagnostic.help(format!("write the address without a zone: name='{}'", shortened(address)));
    }
    diagnostic
        .help("write letters, digits, dots and hyphens, or an IPv4 or IPv6 address without brackets, zone or port")
}

/// The two parts of `host:port` or `[address]:port`.
fn host_and_port(value: &str) -> Option<(&str, &str)> {
    let (host, port) = value.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_port = !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && Value::Host.accepts(host)).then_some((host, port))
}

fn number(attribute: &Attribute<'_>, name: &str, written: &str) -> Diagnostic {
    let most = if name == "port" { "65535" } else { "4294967295" };
    let diagnostic = Diagnostic::new(Rule::InvalidNumber, attribute.blamed(), format!("{name} cannot be {written}"))
        .help(format!("write a number from 0 to {most} in decimal digits"));
    let trimmed = trim(attribute.value).trim_start_matches('+');
    if trimmed != attribute.value && Value::Number.accepts(trimmed) {
        return diagnostic.safe_fix(format!("write {trimmed}"), attribute.value_span, trimmed);
    }
    diagnostic
}

fn path(attribute: &Attribute<'_>, name: &str, written: &str) -> Diagnostic {
    let value = attribute.value;
    let diagnostic = |message: String| Diagnostic::new(Rule::InvalidPath, attribute.blamed(), message);
    if value.contains(['\n', '\r']) {
        return diagnostic(format!("the path {written} in {name} holds a line feed")).help("write a path on one line");
    }
    if value.is_empty() {
        return diagnostic(format!("{name} is empty")).help("write an absolute path");
    }
    if value == "/" {
        return diagnostic(format!("{name} names the root directory")).help("write the path of a file in it");
    }
    let trimmed = trim(value);
    if trimmed != value && Value::Path.accepts(trimmed) {
        return diagnostic(format!("the path {written} in {name} starts with white space"))
            .help("remove the white space")
            .safe_fix("remove the white space", attribute.value_span, trimmed);
    }
    let diagnostic = diagnostic(format!("the path {written} in {name} is not absolute"));
    match value.strip_prefix("file://").filter(|path| Value::Path.accepts(path)) {
        Some(path) => diagnostic.help(format!("write a path, not a URL: {name}='{}'", shortened(path))).safe_fix(
            "remove file://",
            attribute.value_span,
            path,
        ),
        None if value.contains('$') || value.starts_with('~') => {
            diagnostic.help("write an absolute path, one that starts with /: libvirt expands no ~ and no variables")
        }
        None => diagnostic.help("write an absolute path, one that starts with /"),
    }
}
