//! The root element: whether it is `<domainbackup>`, and where the backup is if it is not.

use crate::ambiguous::{self, Ambiguous};
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;
use crate::schema::DOMAINBACKUP;
use crate::syntax::Element;
use crate::wording::{self, closest_match, is_single_typo};

use super::element::Context;
use super::{relaxng_message, unexpected};

/// Other documents, by their root.
const KINDS: [(&str, &str); 15] = [
    ("domain", "a domain"),
    ("domstatus", "the state of a running domain"),
    ("domaincheckpoint", "a checkpoint"),
    ("domainsnapshot", "a snapshot"),
    ("disk", "a disk"),
    ("network", "a network"),
    ("pool", "a storage pool"),
    ("volume", "a storage volume"),
    ("secret", "a secret"),
    ("capabilities", "a host's capabilities"),
    ("domainCapabilities", "a hypervisor's capabilities"),
    ("interface", "a network interface"),
    ("device", "a host device"),
    ("filter", "a network filter"),
    ("html", "an HTML page"),
];

/// Where to go on after the root.
pub(super) enum Found<'a, 'i> {
    /// This is the backup, whatever it is called.
    Backup(Element<'a, 'i>),
    /// This is the list of disks of a backup.
    Disks(Element<'a, 'i>),
    Nothing,
}

/// Checks the root, and finds the backup.
pub(super) fn find<'a, 'i>(context: &mut Context<'i>, root: Element<'a, 'i>) -> Found<'a, 'i> {
    let name = root.name();
    if name == DOMAINBACKUP.name {
        if let Some(namespace) = root.namespace() {
            let diagnostic = in_namespace(context, root, namespace);
            context.report(diagnostic);
            context.namespace = Some(namespace.to_owned());
        }
        return Found::Backup(root);
    }
    let kind = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let message = match kind {
        Some(kind) => format!("{}: this is {kind}, not a backup", wording::wrong_root(name)),
        None => wording::wrong_root(name),
    };
    let diagnostic = Diagnostic::new(Rule::WrongRoot, root.name_span(), message)
        .libvirt(format!("XML error: expecting root element of 'domainbackup', not '{name}'"));
    let (diagnostic, found) = explain(root, name, kind, diagnostic);
    context.report(diagnostic);
    found
}

fn in_namespace(context: &Context<'_>, root: Element<'_, '_>, namespace: &str) -> Diagnostic {
    let message = wording::in_namespace(DOMAINBACKUP.name, namespace);
    let diagnostic = match root.namespace_declaration() {
        Some(declaration) => Diagnostic::new(Rule::Namespace, declaration, message).unsafe_fix(
            wording::remove("`xmlns`"),
            context.with_space_before(declaration),
            "",
        ),
        None => Diagnostic::new(Rule::Namespace, root.tag(), message),
    };
    diagnostic.help(wording::NO_NAMESPACE).libvirt(relaxng_message::root_in_namespace())
}

fn explain<'a, 'i>(
    root: Element<'a, 'i>,
    name: &str,
    kind: Option<&str>,
    diagnostic: Diagnostic,
) -> (Diagnostic, Found<'a, 'i>) {
    if let Some(backup) = root.descendants().find(|node| node.name() == DOMAINBACKUP.name) {
        return (wrapped(root, backup, diagnostic), Found::Backup(backup));
    }
    if name == "domain" {
        return (diagnostic.help("pass the domain with --domain, and the backup as FILE"), Found::Nothing);
    }
    if name == "domaincheckpoint" {
        let help = "`virsh backup-begin` takes the backup first and the checkpoint second: are they swapped?";
        return (diagnostic.help(help), Found::Nothing);
    }
    if name == "disks" {
        let range = root.span();
        let edits = vec![
            Edit { span: range.before(), text: "<domainbackup>".to_owned() },
            Edit { span: range.after(), text: "</domainbackup>".to_owned() },
        ];
        let diagnostic = diagnostic.help("write <disks> in <domainbackup>").fix(
            wording::move_to("<domainbackup>"),
            Applicability::Unsafe,
            edits,
        );
        return (diagnostic, Found::Disks(root));
    }
    if root.name_without_prefix() == DOMAINBACKUP.name {
        let diagnostic = diagnostic.help(wording::NO_ROOT_PREFIX);
        return (unexpected::rename(diagnostic, root, DOMAINBACKUP.name, Applicability::Unsafe), Found::Backup(root));
    }
    let character = ambiguous::all(name).next().map(|(_, found)| found);
    let is_lookalike = ambiguous::replaced(name).is_some_and(|replaced| replaced == DOMAINBACKUP.name);
    if let Some(character) = character.filter(|_| is_lookalike) {
        let diagnostic = diagnostic.help(format!("{}: write <domainbackup>", Ambiguous::message(character)));
        return (unexpected::rename(diagnostic, root, DOMAINBACKUP.name, Applicability::Safe), Found::Backup(root));
    }
    if let Some(intended) = closest_match(name, std::iter::once(DOMAINBACKUP.name)) {
        let help = wording::did_you_mean_name(name, intended, &wording::tag(intended));
        let applicability = Applicability::safe_if(is_single_typo(name, intended));
        let diagnostic = unexpected::rename(diagnostic.help(help), root, intended, applicability);
        return (diagnostic, Found::Backup(root));
    }
    let diagnostic = diagnostic.help("expected <domainbackup> or <domaincheckpoint>");
    if kind.is_none() && looks_like_backup(root) {
        let diagnostic = unexpected::rename(diagnostic, root, DOMAINBACKUP.name, Applicability::Unsafe);
        return (diagnostic, Found::Backup(root));
    }
    (diagnostic, Found::Nothing)
}

/// Whether an element holds what a backup holds.
fn looks_like_backup(root: Element<'_, '_>) -> bool {
    let is_known = |name: &str| name == "disk" || DOMAINBACKUP.children.contains(&name);
    root.children().any(|child| is_known(child.name()))
}

/// A backup in another element: one mistake, and what is in the backup is checked all the same.
fn wrapped(root: Element<'_, '_>, backup: Element<'_, '_>, diagnostic: Diagnostic) -> Diagnostic {
    let edits = vec![
        Edit { span: Span { start: root.span().start, end: backup.span().start }, text: String::new() },
        Edit { span: Span { start: backup.span().end, end: root.span().end }, text: String::new() },
    ];
    diagnostic
        .label(backup.tag(), "the backup begins here")
        .help("save <domainbackup> by itself, as the root element of a file")
        .fix("keep <domainbackup> only", Applicability::Unsafe, edits)
}
