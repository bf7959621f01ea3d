//! Syntax mistakes in the text of a document.

use std::ops::Range;

use super::document::Document;
use super::mutation::Mutant;

/// Every mutant of a document.
pub fn mutants(document: &Document) -> Vec<Mutant> {
    let (text, places) = document.write();
    let mut mutants = Vec::new();
    let mut insert = |kind, at: Range<usize>, new: &str, region: Range<usize>| {
        let mut changed = text.clone();
        changed.replace_range(at.clone(), new);
        // The change moves what follows it; the region includes that.
        let end = region.end + new.len() - at.len().min(region.end - region.start + new.len());
        let region = region.start..end.max(region.start + 1).min(changed.len());
        mutants.push(Mutant { kind, text: changed, regions: vec![region] });
    };
    for (path, place) in &places {
        let (tag, end_tag) = (place.tag.clone(), place.end_tag.clone());
        let name = &text[tag.start + 1..tag.start + 1 + document.root.at(path).name.len()];
        if end_tag.is_empty() {
            insert("slash removed", tag.end - 2..tag.end - 1, "", tag.clone());
        } else {
            insert("end tag removed", end_tag.clone(), "", tag.start..tag.end + end_tag.len());
            insert("end tag misspelt", end_tag.end - 1..end_tag.end - 1, "x", end_tag.clone());
            insert("end tag with another name", end_tag.start + 2..end_tag.end - 1, "quux", end_tag.clone());
            for other in ["disks", "disk", "target", "domainbackup"].into_iter().filter(|other| *other != name) {
                insert("end tag of another element", end_tag.start + 2..end_tag.end - 1, other, end_tag.clone());
            }
            insert("start tag in place of the end tag", end_tag.start + 1..end_tag.start + 2, "", end_tag.clone());
            insert("end tag without <", end_tag.start..end_tag.start + 1, "", end_tag.clone());
            insert("start tag removed", tag.clone(), "", tag.start..end_tag.end);
            if text[tag.end..].trim_start().starts_with('<') && !text[tag.end..].trim_start().starts_with("</") {
                insert("start tag that closes itself", tag.end - 1..tag.end - 1, "/", tag.clone());
            }
            let before = text[..end_tag.start].trim_end();
            if let Some((_, inner)) = places.iter().find(|(_, inner)| inner.end_tag.end == before.len()) {
                let between = &text[inner.end_tag.end..end_tag.start];
                let crossed = format!("{}{between}{}", &text[end_tag.clone()], &text[inner.end_tag.clone()]);
                let whole = inner.tag.start..end_tag.end;
                insert("end tags crossed", inner.end_tag.start..end_tag.end, &crossed, whole);
            }
            insert("end tag without >", end_tag.end - 1..end_tag.end, "", end_tag.clone());
            insert("end tag doubled", end_tag.end..end_tag.end, &text[end_tag.clone()], end_tag.start..end_tag.end);
        }
        insert("start tag without <", tag.start..tag.start + 1, "", tag.clone());
        insert("space before the name of a tag", tag.start + 1..tag.start + 1, " ", tag.clone());
        insert("start tag without >", tag.end - 1..tag.end, "", tag.clone());
        for attribute in &place.attributes {
            let quote = attribute.start + text[attribute.clone()].find('\'').unwrap();
            let last = attribute.end - 1;
            insert("closing quote removed", last..last + 1, "", attribute.clone());
            insert("opening quote removed", quote..quote + 1, "", attribute.clone());
            insert("other closing quote", last..last + 1, "\"", attribute.clone());
            insert("curly quotes", quote..quote + 1, "\u{2019}", attribute.clone());
            insert("raw &", quote + 1..quote + 1, "a&b", attribute.clone());
            insert("raw <", quote + 1..quote + 1, "a<b", attribute.clone());
            insert("entity of HTML", quote + 1..quote + 1, "&nbsp;", attribute.clone());
            insert("= removed", quote - 1..quote, "", attribute.clone());
            insert("space removed", attribute.start - 1..attribute.start, "", attribute.start - 1..attribute.end);
            let doubled = format!(" {}", &text[attribute.clone()]);
            insert("attribute doubled", attribute.end..attribute.end, &doubled, attribute.start..attribute.end);
            let other = format!(" {}='other'", text[attribute.start..quote].trim_end_matches('='));
            insert("attribute doubled, with another value", attribute.end..attribute.end, &other, attribute.clone());
            let first = format!("{} ", &other[1..]);
            let both = attribute.start..attribute.end + first.len();
            insert("attribute doubled, another value first", attribute.start..attribute.start, &first, both);
            insert("= doubled", quote..quote, "=", attribute.clone());
            insert(": in place of =", quote - 1..quote, ": ", attribute.clone());
            insert("value removed", quote - 1..attribute.end, "", attribute.clone());
            insert("value removed behind =", quote..attribute.end, "", attribute.clone());
            if !text[quote + 1..last].contains([' ', '&']) {
                insert("quotes removed", quote..attribute.end, &text[quote + 1..last], attribute.clone());
            }
            insert("quote doubled", attribute.end..attribute.end, "'", attribute.start..attribute.end + 1);
            insert("comma between attributes", attribute.end..attribute.end, ",", attribute.start..attribute.end + 1);
            insert("control character", quote + 1..quote + 1, "\u{1}", attribute.clone());
        }
        if !place.text.is_empty() {
            insert("raw & in text", place.text.start..place.text.start, "a & b", place.text.clone());
            insert("raw < in text", place.text.start..place.text.start, "a < b", place.text.clone());
        }
    }
    mutants
}
