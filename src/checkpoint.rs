//! Checkpoint XML → its name and disks; and what is known of the checkpoints that a domain has already.
//!
//! The checkpoint is the document passed along with a backup (`virsh backup-begin DOMAIN BACKUP CHECKPOINT`). libvirt
//! holds it against `domaincheckpoint.rng` before it looks at anything else.

mod existing;

use roxmltree::Node;

use crate::backup::Spanned;
use crate::diagnostic::{Diagnostic, Document, Span};
use crate::parse::{Context, read_element, text_of};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::{CHECKPOINT_DISK, CHECKPOINT_DISKS, CHECKPOINT_PARENT, CHECKPOINT_TEXT, DOMAINCHECKPOINT, Value};
use crate::syntax::{self, start_tag};
use crate::wording::quoted;

pub use existing::{Bitmap, Existing, read_existing};

/// The first line of what libvirt prints for a checkpoint that its schema refuses.
const SCHEMA_MESSAGE: &str = "XML document failed to validate against schema: Unable to validate doc against \
                              /usr/share/libvirt/schemas/domaincheckpoint.rng";

/// A checkpoint that is to be made along with a backup.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its name; without one libvirt takes the seconds since 1970.
    pub name: Option<Spanned<String>>,
    /// The disks it lists; `None` when there is no `<disks>`, which means every disk that can have a bitmap.
    pub disks: Option<Vec<CheckpointDisk>>,
    /// The start tag of the root element.
    pub tag: Span,
}

impl Checkpoint {
    /// Whether `name` is its name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.value == name)
    }
}

/// A disk that a checkpoint lists.
#[derive(Clone, Debug)]
pub struct CheckpointDisk {
    /// The target of the domain's disk, or the path of its image.
    pub name: Spanned<String>,
    /// Whether it gets a bitmap.
    pub has_bitmap: bool,
    /// The name of the bitmap, if it was said.
    pub bitmap: Option<Spanned<String>>,
}

/// Whether libvirt's schema accepts `name` for a checkpoint: `[a-zA-Z0-9_\-][a-zA-Z0-9_\-.]*`
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.bytes().all(|byte| is_plain(byte) || byte == b'.') && name.bytes().next().is_some_and(is_plain)
}

/// Reads a checkpoint's text. Returns what could be made of it, and the findings, labelled in the checkpoint's document.
#[must_use]
pub fn read(text: &str, release: Release) -> (Option<Checkpoint>, Vec<Diagnostic>) {
    let (checkpoint, diagnostics) = match syntax::parse(text) {
        Ok(document) => parse(&document, release),
        Err(syntax) => (None, syntax.diagnostics),
    };
    (checkpoint, diagnostics.into_iter().map(|diagnostic| diagnostic.moved_to(Document::Checkpoint)).collect())
}

fn parse(document: &roxmltree::Document<'_>, release: Release) -> (Option<Checkpoint>, Vec<Diagnostic>) {
    let root = document.root_element();
    if root.tag_name().name() != DOMAINCHECKPOINT.name {
        return (None, vec![not_a_checkpoint(root)]);
    }
    let mut context = Context::new(document.input_text(), release);
    let fields = read_element(&mut context, root, &DOMAINCHECKPOINT);
    let name = fields.child("name").map(|node| spanned_text(&mut context, node));
    if let Some(description) = fields.child("description") {
        read_element(&mut context, description, &CHECKPOINT_TEXT);
    }
    if let Some(time) = fields.child("creationTime").map(|time| spanned_text(&mut context, time)) {
        check_number(&mut context, &time.value, time.span, "creationTime");
    }
    if let Some(domain) = fields.child("domain").filter(|domain| !domain.has_children()) {
        let diagnostic = Diagnostic::new(Rule::CheckpointDocument, start_tag(domain), "the <domain> is empty")
            .help("remove it: libvirt only ever prints it");
        context.report(diagnostic);
    }
    if let Some(parent) = fields.child("parent") {
        let fields = read_element(&mut context, parent, &CHECKPOINT_PARENT);
        if let Some(name) = fields.child("name") {
            let name = spanned_text(&mut context, name);
            check_name(&mut context, &name);
        } else if !fields.has_unknown_child {
            let diagnostic = Diagnostic::new(Rule::CheckpointDocument, fields.tag(), "<parent> has no <name>")
                .help("remove <parent>: libvirt only ever prints it");
            context.report(diagnostic);
        }
    }
    if let Some(name) = &name {
        check_name(&mut context, name);
    }
    let disks = fields.child("disks").map(|disks| parse_disks(&mut context, disks));
    let checkpoint = Checkpoint { name, disks, tag: start_tag(root) };
    (Some(checkpoint), context.finish().into_iter().filter(is_of_checkpoint).map(of_checkpoint).collect())
}

/// libvirt reads the words of a checkpoint without the white space around them.
fn is_of_checkpoint(diagnostic: &Diagnostic) -> bool {
    diagnostic.rule != Rule::WhiteSpace
}

/// What the shapes find has rules of the backup's own schema; here they are one.
fn of_checkpoint(mut diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.rule.family() != "checkpoint" {
        diagnostic.rule = Rule::CheckpointDocument;
    }
    diagnostic.libvirt.get_or_insert_with(|| SCHEMA_MESSAGE.to_owned());
    diagnostic
}

fn not_a_checkpoint(root: Node<'_, '_>) -> Diagnostic {
    let name = root.tag_name().name();
    let help = match name {
        "domainbackup" => {
            "give the backup as the file to check, and the checkpoint with --checkpoint: are they swapped?"
        }
        "domain" => "give the domain with --domain",
        "domainsnapshot" => "a snapshot is no checkpoint: write a <domaincheckpoint>",
        _ => "a checkpoint is a <domaincheckpoint>",
    };
    let shown: String = name.chars().take(60).collect();
    Diagnostic::new(
        Rule::NotACheckpoint,
        start_tag(root),
        format!("this is not a checkpoint: its root element is <{shown}>"),
    )
    .help(help)
    .libvirt(format!("XML error: expecting root element of 'domaincheckpoint', not '{name}'"))
}

fn spanned_text<'a>(context: &mut Context<'a>, node: Node<'a, '_>) -> Spanned<String> {
    read_element(context, node, &CHECKPOINT_TEXT);
    let text = node.children().find(Node::is_text).map_or_else(|| start_tag(node), |text| text.range().into());
    Spanned { value: text_of(node, context.release).into_owned(), span: text }
}

fn check_name(context: &mut Context<'_>, name: &Spanned<String>) {
    if is_name(&name.value) {
        return;
    }
    let what = if name.value.is_empty() {
        "the name is empty".to_owned()
    } else {
        format!("{} cannot be the name of a checkpoint", quoted(&name.value))
    };
    let diagnostic = Diagnostic::new(Rule::CheckpointName, name.span, what)
        .help("use letters, digits, _, - and dots, no dot first; or leave <name> out for the seconds since 1970");
    context.report(diagnostic);
}

fn parse_disks<'a>(context: &mut Context<'a>, node: Node<'a, '_>) -> Vec<CheckpointDisk> {
    let fields = read_element(context, node, &CHECKPOINT_DISKS);
    if fields.repeated.is_empty() && !fields.has_unknown_child {
        let diagnostic = Diagnostic::new(Rule::CheckpointWithoutDisks, fields.tag(), "<disks> lists no disk")
            .help("list a <disk>, or remove <disks> for a checkpoint of every disk");
        context.report(diagnostic);
    }
    fields.repeated.iter().filter_map(|disk| parse_disk(context, *disk)).collect()
}

fn parse_disk<'a>(context: &mut Context<'a>, node: Node<'a, '_>) -> Option<CheckpointDisk> {
    let fields = read_element(context, node, &CHECKPOINT_DISK);
    let has_bitmap = fields.word("checkpoint") != Some("no");
    let mut excluded = ["bitmap", "size"].into_iter().filter_map(|name| fields.get(name));
    if let Some(attribute) = excluded.find(|_| !has_bitmap) {
        let diagnostic = Diagnostic::new(
            Rule::CheckpointDocument,
            attribute.span,
            format!("a disk with checkpoint='no' has no {}", attribute.name),
        )
        .help(format!("remove {}, or write checkpoint='bitmap'", attribute.name));
        context.report(diagnostic);
    }
    if let Some(size) = fields.get("size") {
        check_number(context, size.value, size.report_span(), "size");
    }
    let name = fields.get("name")?;
    if !Value::DiskName.accepts(name.value) && !Value::Path.accepts(name.value) {
        let diagnostic = Diagnostic::new(
            Rule::CheckpointDocument,
            name.report_span(),
            format!("{} names no disk", quoted(name.value)),
        )
        .help("write the disk's target, like vda");
        context.report(diagnostic);
        return None;
    }
    let spanned = |attribute: &crate::parse::Attribute<'_>| Spanned {
        value: attribute.value.to_owned(),
        span: attribute.report_span(),
    };
    Some(CheckpointDisk { name: spanned(name), has_bitmap, bitmap: fields.get("bitmap").map(spanned) })
}

/// Digits that make a number of 64 bits.
fn check_number(context: &mut Context<'_>, value: &str, span: Span, what: &str) {
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits && value.parse::<u64>().is_ok() {
        return;
    }
    let diagnostic = Diagnostic::new(Rule::CheckpointDocument, span, format!("{what} is not a number"))
        .help("remove it: libvirt only ever prints it");
    context.report(diagnostic);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        read(text, Release::default()).1.iter().map(|diagnostic| diagnostic.rule.name()).collect()
    }

    #[test]
    fn names_are_those_of_the_schema() {
        for name in ["cp-1", "_", "-x", "a.b.", "1795550000"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".a", "a/b", "../foo", "a b", " a", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_checkpoint_is_validated_against_its_schema() {
        let disks = |disks: &str| format!("<domaincheckpoint><name>a</name>{disks}</domaincheckpoint>");
        assert_eq!(rules("<domaincheckpoint/>"), [""; 0]);
        assert_eq!(rules(&disks("<disks><disk name='vda' checkpoint='bitmap' bitmap='a'/></disks>")), [""; 0]);
        assert_eq!(rules(&disks("<disks><disk name='/image' checkpoint='no'/></disks>")), [""; 0]);
        assert_eq!(rules(&disks("<disks/>")), ["checkpoint/empty-disks"]);
        assert_eq!(
            rules(&disks("<disks><disk name='vda' checkpoint='no' bitmap='a'/></disks>")),
            ["checkpoint/invalid-document"]
        );
        assert_eq!(
            rules(&disks("<disks><disk name='vda' checkpoint='yes'/></disks>")),
            ["checkpoint/invalid-document"]
        );
        assert_eq!(rules(&disks("<bogus/>")), ["checkpoint/invalid-document"]);
        assert_eq!(rules("<domaincheckpoint><name>../a</name></domaincheckpoint>"), ["checkpoint/invalid-name"]);
        assert_eq!(rules("<domaincheckpoint><name/></domaincheckpoint>"), ["checkpoint/invalid-name"]);
        assert_eq!(rules("<domainbackup/>"), ["checkpoint/not-a-checkpoint"]);
        assert_eq!(rules("<domaincheckpoint>"), ["xml/unclosed-element"]);
    }
}
