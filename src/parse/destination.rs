//! A destination: `<target>` or `<scratch>`, with its security labels and encryption.

use crate::backup::{
    Cipher, Destination, Encryption, EncryptionEngine, EncryptionFormat, Ivgen, Labelling, Seclabel, Secret, Spanned,
    StorageType, Text,
};
use crate::diagnostic::{Applicability, Diagnostic, Span};
use crate::rules::Rule;
use crate::schema::{CIPHER, ENCRYPTION, IVGEN, SECLABEL, SECRET, Value, canonical_uuid, number};
use crate::syntax::{Attribute, Element};
use crate::wording;

use super::element::{Context, Fields, read_element, report_missing_attribute, text_in};
use super::parse_label;
use super::unexpected::{attribute_into_comment, element_into_comment};

/// libvirt's buffer for a label: a longer one is dropped without a word.
pub(super) const MAX_LABEL_LENGTH: usize = 4096;

/// Reads a destination.
pub(super) fn parse<'i>(context: &mut Context<'i>, fields: &Fields<'_, 'i>, storage_type: StorageType) -> Destination {
    let needed = match storage_type {
        StorageType::File => "file",
        StorageType::Block => "dev",
    };
    let written = fields.get("file").or(fields.get("dev"));
    if written.is_none() {
        report_missing_attribute(context, fields, needed, &Value::Path);
    }
    Destination {
        path: fields.get(needed).or(written).map(text_in),
        has_unreadable_path: written.is_none(),
        fdgroup: None,
        seclabels: parse_seclabels(context, &fields.repeated),
        encryption: fields.child("encryption").map(|node| Box::new(parse_encryption(context, node))),
    }
}

fn parse_seclabels<'i>(context: &mut Context<'i>, nodes: &[Element<'_, 'i>]) -> Vec<Seclabel> {
    let seclabels: Vec<_> = nodes.iter().map(|node| parse_seclabel(context, *node)).collect();
    check_models(context, seclabels.iter().map(|seclabel| seclabel.model.as_ref()).zip(nodes.iter().copied()));
    seclabels
}

/// libvirt looks for an earlier label with the same model; labels without a model are not compared.
pub(super) fn check_models<'m, 't: 'm>(
    context: &mut Context<'_>,
    models: impl Iterator<Item = (Option<&'m Text>, Element<'m, 't>)>,
) {
    let mut seen: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
    for (model, element) in models.filter_map(|(model, element)| Some((model?, element))) {
        match seen.entry(&model.value) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(model.place());
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                let diagnostic = Diagnostic::new(
                    Rule::DuplicateSeclabel,
                    model.place(),
                    format!("duplicate <seclabel> for model {}", wording::code(&model.value)),
                )
                .label(*first.get(), wording::FIRST_ONE)
                .help("keep one <seclabel> for each model")
                .with_fix(element_into_comment(context, element))
                .libvirt(format!("seclabel for model {} is already provided", model.value));
                context.report(diagnostic);
            }
        }
    }
}

fn parse_seclabel<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Seclabel {
    let fields = read_element(context, node, &SECLABEL);
    let labels: Vec<_> = fields.repeated.iter().map(|label| parse_label(context, *label)).collect();
    let labelskip = fields.get("labelskip").is_some();
    let relabel = fields.word("relabel") != Some("no");
    check_seclabel(context, &fields, labelskip, relabel);
    let ignored = |span, message, help: &str| Diagnostic::new(Rule::IgnoredSetting, span, message).help(help);
    for second in fields.repeated.iter().skip(1) {
        context.warn(ignored(second.span(), "second <label> is ignored", "remove it: <seclabel> has one label"));
    }
    let label = labels.into_iter().next().flatten();
    if let Some(label) = label.as_ref().filter(|label| label.value.len() > MAX_LABEL_LENGTH) {
        let message = "<label> is ignored: at most 4096 bytes are allowed";
        context.warn(ignored(label.place(), message, "use a shorter label"));
    }
    let labelling = match (labelskip, relabel) {
        (true, _) => Labelling::Skipped,
        (false, false) => Labelling::Kept,
        (false, true) => Labelling::Relabelled,
    };
    Seclabel {
        model: fields.text("model"),
        labelling,
        label: label.filter(|label| label.value.len() <= MAX_LABEL_LENGTH),
    }
}

/// A label, `relabel='no'` or `labelskip='yes'`: one of the three.
fn check_seclabel(context: &mut Context<'_>, fields: &Fields<'_, '_>, labelskip: bool, relabel: bool) {
    if fields.get("relabel").is_some() && fields.word("relabel").is_none() {
        // Whether there is to be a label cannot be told.
        return;
    }
    let help = "keep one of <label>, relabel='no' and labelskip='yes'";
    let first_label = fields.repeated.first().copied();
    let remove =
        |context: &Context<'_>, attribute: &Attribute<'_>| attribute_into_comment(context, fields.node, attribute.span);
    let diagnostic = match (labelskip, fields.get("relabel"), first_label) {
        (true, Some(relabel), None) => {
            // Whichever was written second came to one that was there.
            let skip = fields.get("labelskip").unwrap_or(relabel);
            let (first, second) = if relabel.span < skip.span { (relabel, skip) } else { (skip, relabel) };
            Diagnostic::new(
                Rule::SeclabelChoice,
                second.span,
                format!("attribute `{}` is not allowed with `{}`", second.name, first.name),
            )
            .label(first.span, "not allowed together with this")
            .with_fix(remove(context, second))
        }
        (true, Some(_), Some(_)) => {
            let Some(skip) = fields.get("labelskip") else { return };
            Diagnostic::new(
                Rule::SeclabelChoice,
                skip.span,
                "attribute `labelskip` is not allowed with `relabel` and <label>",
            )
            .with_fix(remove(context, skip))
        }
        (true, None, Some(label)) => label_too_many(context, label, "labelskip='yes'", fields.get("labelskip")),
        (false, relabel_attribute, Some(label)) if !relabel => {
            label_too_many(context, label, "relabel='no'", relabel_attribute)
        }
        (false, _, None) if relabel && !fields.has_unknown_child => {
            let diagnostic = Diagnostic::new(
                Rule::MissingElement,
                fields.tag(),
                format!(
                    "{}: required in <seclabel> unless relabel='no' or labelskip='yes'",
                    wording::missing_element("label")
                ),
            )
            .help("add a <label>, or relabel='no'");
            context.report_missing_one_of(&["label", "relabel", "labelskip"], diagnostic);
            return;
        }
        _ => return,
    };
    context.report(diagnostic.help(help));
}

fn label_too_many(
    context: &Context<'_>,
    label: Element<'_, '_>,
    excluded_by: &str,
    attribute: Option<&Attribute<'_>>,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Rule::SeclabelChoice, label.tag(), format!("<label> is not allowed with {excluded_by}"))
            .with_fix(element_into_comment(context, label));
    attribute
        .into_iter()
        .fold(diagnostic, |diagnostic, attribute| diagnostic.label(attribute.span, "not allowed together with this"))
}

fn parse_encryption<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Encryption {
    let fields = read_element(context, node, &ENCRYPTION);
    if fields.child("secret").is_none() && !fields.has_unknown_child {
        let diagnostic = Diagnostic::new(Rule::MissingElement, fields.tag(), wording::missing_element("secret"))
            .help("add <secret type='passphrase' uuid='...'/>");
        context.report_missing("secret", diagnostic);
    }
    check_cipher_and_ivgen(context, &fields);
    Encryption {
        format: fields.word("format").and_then(EncryptionFormat::from_name).unwrap_or(EncryptionFormat::Luks),
        engine: fields.word("engine").and_then(EncryptionEngine::from_name),
        secrets: fields.child("secret").map(|node| parse_secret(context, node)).into_iter().collect(),
        cipher: fields.child("cipher").map(|node| parse_cipher(context, node)),
        ivgen: fields.child("ivgen").map(|node| parse_ivgen(context, node)),
        tag: Spanned::written((), fields.tag()),
    }
}

fn check_cipher_and_ivgen(context: &mut Context<'_>, fields: &Fields<'_, '_>) {
    let (single, missing, example) = match (fields.child("cipher"), fields.child("ivgen")) {
        (Some(cipher), Some(ivgen)) if ivgen.span().start < cipher.span().start => {
            let written = |node: Element<'_, '_>| context.text.get(node.span().range()).unwrap_or_default().to_owned();
            let edits = vec![
                crate::diagnostic::Edit { span: ivgen.span(), text: written(cipher) },
                crate::diagnostic::Edit { span: cipher.span(), text: written(ivgen) },
            ];
            let diagnostic =
                Diagnostic::new(Rule::CipherAndIvgen, ivgen.tag(), "<ivgen> is not allowed before <cipher>")
                    .label(cipher.tag(), "<cipher> is here")
                    .help("put <cipher> before <ivgen>")
                    .fix("put <cipher> first", Applicability::Safe, edits);
            context.report(diagnostic);
            return;
        }
        (Some(cipher), None) => (cipher, "ivgen", "<ivgen name='plain64'/>"),
        (None, Some(ivgen)) => (ivgen, "cipher", "<cipher name='aes' size='256'/>"),
        _ => return,
    };
    if fields.has_unknown_child {
        return;
    }
    let name = single.name();
    let diagnostic = Diagnostic::new(
        Rule::CipherAndIvgen,
        fields.tag(),
        format!("{}: required with <{name}>", wording::missing_element(missing)),
    )
    .label(single.tag(), wording::REQUIRED_BY_THIS)
    .help(format!("add {example}, or remove <{name}>"))
    .with_fix(element_into_comment(context, single));
    context.report_missing(missing, diagnostic);
}

fn parse_secret<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Secret {
    let fields = read_element(context, node, &SECRET);
    match (fields.get("uuid"), fields.get("usage")) {
        (Some(uuid), Some(usage)) => {
            let (first, second) = if uuid.span < usage.span { (uuid, usage) } else { (usage, uuid) };
            let diagnostic = Diagnostic::new(
                Rule::SecretReference,
                second.span,
                format!("attribute `{}` is not allowed with `{}`: both name the secret", second.name, first.name),
            )
            .label(first.span, "not allowed together with this")
            .help("keep one of `uuid` and `usage`")
            .with_fix(attribute_into_comment(context, node, second.span));
            context.report(diagnostic);
        }
        (None, None) => {
            let diagnostic = Diagnostic::new(
                Rule::SecretReference,
                fields.tag(),
                wording::missing_attribute("uuid` or `usage", "secret"),
            )
            .help("add uuid='...', which `virsh secret-list` prints, or usage='...'");
            context.report_missing_one_of(&["uuid", "usage"], diagnostic);
        }
        _ => {}
    }
    match (fields.get("uuid").and_then(|uuid| canonical_uuid(uuid.value)), fields.get("usage")) {
        (None, Some(_)) => Secret::Usage(fields.value("usage").unwrap_or_default()),
        (uuid, _) => Secret::Uuid(uuid.unwrap_or_default()),
    }
}

fn parse_cipher<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Cipher {
    let fields = read_element(context, node, &CIPHER);
    let single = match (fields.get("mode"), fields.get("hash")) {
        (Some(mode), None) => Some((mode, "hash", "sha256")),
        (None, Some(hash)) => Some((hash, "mode", "xts")),
        _ => None,
    };
    if let Some((attribute, missing, example)) = single {
        let name = attribute.name;
        let diagnostic = Diagnostic::new(
            Rule::CipherModeAndHash,
            fields.tag(),
            format!("{}: required with `{name}`", wording::missing_attribute(missing, "cipher")),
        )
        .label(attribute.span, wording::REQUIRED_BY_THIS)
        .help(format!("add {missing}='{example}', or remove `{name}`"))
        .with_fix(attribute_into_comment(context, node, attribute.span))
        .unsafe_fix(
            wording::add(&format!("{missing}='{example}'")),
            node.name_span().after(),
            format!(" {missing}='{example}'"),
        );
        context.report_missing(missing, diagnostic);
    }
    Cipher {
        name: fields.value("name").unwrap_or_default(),
        size: fields.get("size").and_then(|size| number(size.value)).unwrap_or_default(),
        mode: fields.value("mode"),
        hash: fields.value("hash"),
        tag: Spanned::written((), fields.tag()),
    }
}

fn parse_ivgen<'i>(context: &mut Context<'i>, node: Element<'_, 'i>) -> Ivgen {
    let fields = read_element(context, node, &IVGEN);
    Ivgen {
        name: fields.value("name").unwrap_or_default(),
        hash: fields.value("hash"),
        tag: Spanned::written((), fields.tag()),
    }
}
