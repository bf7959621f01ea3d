//! A destination: `<target>` or `<scratch>`, with its security labels and encryption.

use std::borrow::Cow;

use roxmltree::Node;

use crate::backup::{
    Cipher, Dropped, DroppedWhat, Encryption, EncryptionEngine, EncryptionFormat, Ivgen, Seclabel, Secret, StorageType,
    Store, Text, Written,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::schema::{CIPHER, ENCRYPTION, IVGEN, SECLABEL, SECRET, Value, canonical_uuid, number};

use super::element::{Attribute, Fields, Reader, name_span, read, report_missing_attribute, start_tag};
use super::strangers::quoted;
use super::{parse_label, unreadable};

/// libvirt's buffer for a label: a longer one is dropped without a word.
pub(super) const LONGEST_LABEL: usize = 4096;

/// Reads a destination.
pub(super) fn parse<'i>(reader: &mut Reader<'i>, fields: &Fields<'_, 'i>, storage_type: StorageType) -> Store<'i> {
    let needed = match storage_type {
        StorageType::File => "file",
        StorageType::Block => "dev",
    };
    let written = fields.get("file").or(fields.get("dev"));
    if written.is_none() {
        report_missing_attribute(reader, fields, needed, &Value::Path);
    }
    Store {
        path: reader.text_in(fields.get(needed).or(written)).or_else(|| Some(unreadable())),
        fdgroup: None,
        seclabels: parse_seclabels(reader, &fields.many),
        encryption: fields.child("encryption").map(|node| Box::new(parse_encryption(reader, node))),
    }
}

fn parse_seclabels<'i>(reader: &mut Reader<'i>, nodes: &[Node<'_, 'i>]) -> Vec<Seclabel<'i>> {
    let seclabels: Vec<_> = nodes.iter().map(|node| parse_seclabel(reader, *node)).collect();
    let elements = nodes.iter().map(|node| Span::from(node.range()));
    check_models(reader, seclabels.iter().map(|seclabel| seclabel.model.as_ref()).zip(elements));
    seclabels
}

/// libvirt looks for an earlier label with the same model; labels without a model are not compared.
pub(super) fn check_models<'m, 't: 'm>(
    reader: &mut Reader<'_>,
    models: impl Iterator<Item = (Option<&'m Text<'t>>, Span)>,
) {
    let mut seen: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
    for (model, element) in models.filter_map(|(model, element)| Some((model?, element))) {
        match seen.entry(&model.value) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(model.span);
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                let diagnostic = Diagnostic::new(
                    Rule::DuplicateSeclabel,
                    model.span,
                    format!("there is a <seclabel> for model {} already", quoted(&model.value)),
                )
                .also(*first.get(), "the first one")
                .help("keep one <seclabel> for each model")
                .unsafe_fix("remove <seclabel>", reader.with_space_before(element), "")
                .libvirt(format!("seclabel for model {} is already provided", model.value));
                reader.report(diagnostic);
            }
        }
    }
}

fn parse_seclabel<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Seclabel<'i> {
    let fields = read(reader, node, &SECLABEL);
    let labels: Vec<_> = fields.many.iter().map(|label| parse_label(reader, *label)).collect();
    let labelskip = fields.get("labelskip").is_some();
    let relabel = fields.word("relabel") != Some("no");
    check_seclabel(reader, &fields, labelskip, relabel);
    let drop = |what| move |label: &Node<'_, '_>| Dropped { span: label.range().into(), what };
    reader.dropped.extend(fields.many.iter().skip(1).map(drop(DroppedWhat::SecondLabel)));
    let label = labels.into_iter().next().flatten();
    if label.as_ref().is_some_and(|label| label.value.len() > LONGEST_LABEL) {
        reader.dropped.extend(fields.many.first().map(drop(DroppedWhat::LongLabel)));
    }
    Seclabel {
        model: reader.text_in(fields.get("model")),
        labelskip,
        relabel,
        label: label.filter(|label| label.value.len() <= LONGEST_LABEL),
    }
}

/// A label, `relabel='no'` or `labelskip='yes'`: one of the three.
fn check_seclabel(reader: &mut Reader<'_>, fields: &Fields<'_, '_>, labelskip: bool, relabel: bool) {
    if fields.get("relabel").is_some() && fields.word("relabel").is_none() {
        // Whether there is to be a label cannot be told.
        return;
    }
    let help = "keep one of <label>, relabel='no' and labelskip='yes'";
    let first_label = fields.many.first().copied();
    let remove = |reader: &Reader<'_>, attribute: &Attribute<'_>| reader.with_space_before(attribute.span);
    let diagnostic = match (labelskip, fields.get("relabel"), first_label) {
        (true, Some(relabel), None) => {
            // Whichever was written second came to one that was there.
            let skip = fields.get("labelskip").unwrap_or(relabel);
            let (first, second) = if relabel.span < skip.span { (relabel, skip) } else { (skip, relabel) };
            Diagnostic::new(
                Rule::SeclabelChoice,
                second.span,
                format!("{} and {} exclude each other", second.name, first.name),
            )
            .also(first.span, "the other one")
            .unsafe_fix(format!("remove {}", second.name), remove(reader, second), "")
        }
        (true, Some(_), Some(_)) => {
            let Some(skip) = fields.get("labelskip") else { return };
            Diagnostic::new(Rule::SeclabelChoice, skip.span, "labelskip excludes relabel and <label>").unsafe_fix(
                "remove labelskip",
                remove(reader, skip),
                "",
            )
        }
        (true, None, Some(label)) => label_too_many(reader, label, "labelskip='yes'", fields.get("labelskip")),
        (false, relabel_attribute, Some(label)) if !relabel => {
            label_too_many(reader, label, "relabel='no'", relabel_attribute)
        }
        (false, _, None) if relabel && !fields.unclear => {
            let diagnostic = Diagnostic::new(Rule::MissingElement, fields.tag(), "<seclabel> has no <label>")
                .help("add a <label>, or relabel='no'");
            reader.report_missing_one_of(&["label", "relabel", "labelskip"], diagnostic);
            return;
        }
        _ => return,
    };
    reader.report(diagnostic.help(help));
}

fn label_too_many(
    reader: &Reader<'_>,
    label: Node<'_, '_>,
    beside: &str,
    attribute: Option<&Attribute<'_>>,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Rule::SeclabelChoice, start_tag(label), format!("a <seclabel> with {beside} has no <label>"))
            .unsafe_fix("remove <label>", reader.with_space_before(label.range().into()), "");
    attribute.into_iter().fold(diagnostic, |diagnostic, attribute| diagnostic.also(attribute.span, "this excludes it"))
}

fn parse_encryption<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Encryption<'i> {
    let fields = read(reader, node, &ENCRYPTION);
    if fields.child("secret").is_none() && !fields.unclear {
        let diagnostic = Diagnostic::new(Rule::MissingElement, fields.tag(), "<encryption> has no <secret>")
            .help("add <secret type='passphrase' uuid='...'/>");
        reader.report_missing("secret", diagnostic);
    }
    check_cipher_and_ivgen(reader, &fields);
    Encryption {
        format: fields.word("format").and_then(EncryptionFormat::from_name).unwrap_or(EncryptionFormat::Luks),
        engine: fields.word("engine").and_then(EncryptionEngine::from_name),
        secrets: fields.child("secret").map(|node| parse_secret(reader, node)).into_iter().collect(),
        cipher: fields.child("cipher").map(|node| parse_cipher(reader, node)),
        ivgen: fields.child("ivgen").map(|node| parse_ivgen(reader, node)),
        tag: Written(fields.tag()),
    }
}

fn check_cipher_and_ivgen(reader: &mut Reader<'_>, fields: &Fields<'_, '_>) {
    let (lone, missing, example) = match (fields.child("cipher"), fields.child("ivgen")) {
        (Some(cipher), Some(ivgen)) if ivgen.range().start < cipher.range().start => {
            let written = |node: Node<'_, '_>| reader.text.get(node.range()).unwrap_or_default().to_owned();
            let edits = vec![
                crate::diagnostic::Edit { span: ivgen.range().into(), text: written(cipher) },
                crate::diagnostic::Edit { span: cipher.range().into(), text: written(ivgen) },
            ];
            let diagnostic = Diagnostic::new(Rule::CipherAndIvgen, start_tag(ivgen), "<ivgen> stands before <cipher>")
                .also(start_tag(cipher), "this comes first")
                .help("put <cipher> before <ivgen>")
                .fix("put <cipher> first", true, edits);
            reader.report(diagnostic);
            return;
        }
        (Some(cipher), None) => (cipher, "ivgen", "<ivgen name='plain64'/>"),
        (None, Some(ivgen)) => (ivgen, "cipher", "<cipher name='aes' size='256'/>"),
        _ => return,
    };
    if fields.unclear {
        return;
    }
    let name = lone.tag_name().name();
    let diagnostic =
        Diagnostic::new(Rule::CipherAndIvgen, fields.tag(), format!("<encryption> has <{name}> and no <{missing}>"))
            .also(start_tag(lone), "this needs the other")
            .help(format!("add {example}, or remove <{name}>"))
            .unsafe_fix(format!("remove <{name}>"), reader.with_space_before(lone.range().into()), "");
    reader.report_missing(missing, diagnostic);
}

fn parse_secret<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Secret<'i> {
    let fields = read(reader, node, &SECRET);
    match (fields.get("uuid"), fields.get("usage")) {
        (Some(uuid), Some(usage)) => {
            let (first, second) = if uuid.span < usage.span { (uuid, usage) } else { (usage, uuid) };
            let diagnostic = Diagnostic::new(
                Rule::SecretReference,
                second.span,
                "<secret> has uuid and usage, which both name the secret",
            )
            .also(first.span, "the other one")
            .help("keep one of them")
            .unsafe_fix(format!("remove {}", second.name), reader.with_space_before(second.span), "");
            reader.report(diagnostic);
        }
        (None, None) => {
            let diagnostic = Diagnostic::new(Rule::SecretReference, fields.tag(), "<secret> does not say which secret")
                .help("add uuid='...', which virsh secret-list prints, or usage='...'");
            reader.report_missing_one_of(&["uuid", "usage"], diagnostic);
        }
        _ => {}
    }
    match (fields.get("uuid").and_then(|uuid| canonical_uuid(uuid.value)), fields.get("usage")) {
        (None, Some(_)) => Secret::Usage(value(reader, &fields, "usage").unwrap_or_default()),
        (uuid, _) => Secret::Uuid(uuid.unwrap_or_default()),
    }
}

fn parse_cipher<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Cipher<'i> {
    let fields = read(reader, node, &CIPHER);
    let lone = match (fields.get("mode"), fields.get("hash")) {
        (Some(mode), None) => Some((mode, "hash", "sha256")),
        (None, Some(hash)) => Some((hash, "mode", "xts")),
        _ => None,
    };
    if let Some((attribute, missing, example)) = lone {
        let name = attribute.name;
        let diagnostic =
            Diagnostic::new(Rule::CipherModeAndHash, fields.tag(), format!("<cipher> has {name} and no {missing}"))
                .also(attribute.span, "this needs the other")
                .help(format!("add {missing}='{example}', or remove {name}"))
                .unsafe_fix(format!("remove {name}"), reader.with_space_before(attribute.span), "")
                .unsafe_fix(
                    format!("add {missing}='{example}'"),
                    name_span(node).after(),
                    format!(" {missing}='{example}'"),
                );
        reader.report_missing(missing, diagnostic);
    }
    Cipher {
        name: value(reader, &fields, "name").unwrap_or_default(),
        size: fields.get("size").and_then(|size| number(size.value)).unwrap_or_default(),
        mode: value(reader, &fields, "mode"),
        hash: value(reader, &fields, "hash"),
        tag: Written(fields.tag()),
    }
}

fn parse_ivgen<'i>(reader: &mut Reader<'i>, node: Node<'_, 'i>) -> Ivgen<'i> {
    let fields = read(reader, node, &IVGEN);
    Ivgen {
        name: value(reader, &fields, "name").unwrap_or_default(),
        hash: value(reader, &fields, "hash"),
        tag: Written(fields.tag()),
    }
}

fn value<'i>(reader: &Reader<'i>, fields: &Fields<'_, 'i>, name: &str) -> Option<Cow<'i, str>> {
    reader.text_in(fields.get(name)).map(|text| text.value)
}
