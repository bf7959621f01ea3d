//! Mistakes of syntax, planted in the text.

use std::ops::Range;

use super::document::Document;
use super::mutation::Mutant;

/// Every mutant of a document.
pub fn mutants(document: &Document) -> Vec<Mutant> {
    let (text, places) = document.write();
    let mut mutants = Vec::new();
    let mut plant = |kind, at: Range<usize>, new: &str, region: Range<usize>| {
        let mut changed = text.clone();
        changed.replace_range(at.clone(), new);
        // What lies behind the change moves; the region covers it.
        let end = region.end + new.len() - at.len().min(region.end - region.start + new.len());
        let region = region.start..end.max(region.start + 1).min(changed.len());
        mutants.push(Mutant { kind, text: changed, regions: vec![region] });
    };
    for (_, place) in &places {
        let (tag, end_tag) = (place.tag.clone(), place.end_tag.clone());
        if end_tag.is_empty() {
            plant("slash removed", tag.end - 2..tag.end - 1, "", tag.clone());
        } else {
            plant("end tag removed", end_tag.clone(), "", tag.start..tag.end + end_tag.len());
            plant("end tag misspelt", end_tag.end - 1..end_tag.end - 1, "x", end_tag.clone());
            plant("end tag with another name", end_tag.start + 2..end_tag.end - 1, "quux", end_tag.clone());
            plant("end tag without >", end_tag.end - 1..end_tag.end, "", end_tag.clone());
            plant("end tag doubled", end_tag.end..end_tag.end, &text[end_tag.clone()], end_tag.start..end_tag.end);
        }
        plant("start tag without >", tag.end - 1..tag.end, "", tag.clone());
        for attribute in &place.attributes {
            let quote = attribute.start + text[attribute.clone()].find('\'').unwrap();
            let last = attribute.end - 1;
            plant("closing quote removed", last..last + 1, "", attribute.clone());
            plant("opening quote removed", quote..quote + 1, "", attribute.clone());
            plant("other closing quote", last..last + 1, "\"", attribute.clone());
            plant("curly quotes", quote..quote + 1, "\u{2019}", attribute.clone());
            plant("raw &", quote + 1..quote + 1, "a&b", attribute.clone());
            plant("raw <", quote + 1..quote + 1, "a<b", attribute.clone());
            plant("entity of HTML", quote + 1..quote + 1, "&nbsp;", attribute.clone());
            plant("= removed", quote - 1..quote, "", attribute.clone());
            plant("space removed", attribute.start - 1..attribute.start, "", attribute.start - 1..attribute.end);
            let doubled = format!(" {}", &text[attribute.clone()]);
            plant("attribute doubled", attribute.end..attribute.end, &doubled, attribute.start..attribute.end);
            plant("control character", quote + 1..quote + 1, "\u{1}", attribute.clone());
        }
        if !place.text.is_empty() {
            plant("raw & in text", place.text.start..place.text.start, "a & b", place.text.clone());
            plant("raw < in text", place.text.start..place.text.start, "a < b", place.text.clone());
        }
    }
    mutants
}
