//! A tree does not depend on what reads the document: roxmltree, or the scanner that recovers from errors.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::Value;

use super::tree::Document;
use super::{build, scan};

/// Every document in the recordings of libvirt's answers, in the order of the files.
fn recorded() -> Vec<String> {
    fn collect(value: &Value, documents: &mut Vec<String>) {
        match value {
            Value::String(text) if text.trim_start().starts_with('<') => documents.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| collect(value, documents)),
            Value::Object(values) => values.values().for_each(|value| collect(value, documents)),
            _ => {}
        }
    }
    let mut documents = Vec::new();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance")).unwrap() {
        for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            collect(&serde_json::from_str(line).unwrap(), &mut documents);
        }
    }
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// The first difference between two trees.
fn difference(expected: &Document<'_>, scanned: &Document<'_>) -> Option<String> {
    if let Some(error) = scanned.errors.first() {
        return Some(format!("{error}"));
    }
    let attributes = |document: &Document<'_>| {
        let view = |attribute: &super::tree::AttributeData<'_>| {
            let namespace = document.namespace(attribute.namespace).map(str::to_owned);
            let spans = (attribute.span, attribute.name_span(), attribute.value_span);
            (attribute.name.to_owned(), namespace, attribute.value(document.text).to_owned(), spans)
        };
        document.attributes.iter().map(view).collect::<Vec<_>>()
    };
    if expected.nodes != scanned.nodes {
        return Some(format!("{:?}\n{:?}", expected.nodes, scanned.nodes));
    }
    if expected.elements != scanned.elements {
        return Some(format!("{:?}\n{:?}", expected.elements, scanned.elements));
    }
    let (expected, scanned) = (attributes(expected), attributes(scanned));
    (expected != scanned).then(|| format!("{expected:?}\n{scanned:?}"))
}

#[test]
fn both_ways_to_read_a_document_give_the_same_tree() {
    let special = [
        "<?xml version='1.0'?><!--a--><?b c?>\n<a x = \"1\n&lt;\" >\r\n <b/>t<![CDATA[<&]]>&amp;<!-- > --><b\ty='/>'\n></b ></a\n><!--d-->",
        "<a xmlns='urn:a' xmlns:p=\"urn:p\" p:x='1' x='2'><p:b xmlns=''><c xml:lang='x'/></p:b ></a>",
    ];
    let recorded = recorded();
    let mut compared = 0;
    for text in recorded.iter().map(String::as_str).chain(special) {
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let Ok(parsed) = roxmltree::Document::parse_with_options(text, options) else { continue };
        if !super::parse(text).errors.is_empty() {
            continue;
        }
        compared += 1;
        if let Some(difference) = difference(&build::from_roxmltree(&parsed), &scan::scan(text, true)) {
            panic!("{text}\n{difference}");
        }
    }
    assert!(compared > 5_000, "only {compared} documents were compared");
}
