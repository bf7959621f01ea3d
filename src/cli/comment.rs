//! Comments and processing instructions, which libvirt's form has none of.

use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::is_space;

/// As much of a comment as is named.
const MAX_SHOWN: usize = 60;

/// Comments and processing instructions that are reported one by one.
const MAX_REPORTED: usize = 1_000;

/// A warning for each comment and processing instruction that is lost when a backup is put into libvirt's form; beyond
/// [`MAX_REPORTED`], one for all the others.
///
/// `text` is a well-formed document, as [`crate::normalize`] accepts it.
#[must_use]
pub fn dropped_comments(text: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut others = 0;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + next;
        let rest = text.get(start..).unwrap_or_default();
        // The XML declaration says nothing that libvirt's form does not say without it.
        let (kind, close) = if rest.starts_with("<!--") {
            (Some("comment"), "-->")
        } else if rest.starts_with("<?") {
            (Some("processing instruction").filter(|_| !is_declaration(rest)), "?>")
        } else if rest.starts_with("<![CDATA[") {
            (None, "]]>")
        } else {
            (None, "<")
        };
        at = start + rest.find(close).map_or(rest.len(), |end| end + close.len()).max(1);
        match kind {
            Some(kind) if found.len() < MAX_REPORTED => found.push(describe(kind, text, start, at)),
            Some(_) => others += 1,
            None => {}
        }
    }
    if let Some(last) = found.last().filter(|_| others > 0) {
        let message = format!("{others} more comments and processing instructions would be lost");
        found.push(Diagnostic::new(Rule::DroppedComment, last.primary.span.after(), message));
    }
    found
}

fn is_declaration(rest: &str) -> bool {
    rest.strip_prefix("<?xml").is_some_and(|rest| rest.starts_with(is_space))
}

fn describe(kind: &str, text: &str, start: usize, end: usize) -> Diagnostic {
    let words: Vec<_> = text.get(start..end).unwrap_or_default().split_whitespace().collect();
    let words = words.join(" ");
    let mut named: String = words.chars().take(MAX_SHOWN).collect();
    if named.len() < words.len() {
        named.push('…');
    }
    let first_line = text.get(start..end).and_then(|written| written.lines().next()).map_or(0, str::len);
    Diagnostic::new(
        Rule::DroppedComment,
        Span::new(start, start + first_line),
        format!("libvirt's form has no {kind}s, and {named} would be lost"),
    )
    .help("keep what it says elsewhere; --drop-comments agrees to lose it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<&str> {
        dropped_comments(text).iter().filter_map(|diagnostic| text.get(diagnostic.primary.span.range())).collect()
    }

    #[test]
    fn comments_and_instructions_are_found_and_nothing_else() {
        let text = "<?xml version='1.0'?><!-- a < b --><?edit on?><domainbackup><incremental><![CDATA[<!-- c -->]]>\
            <!--d--></incremental></domainbackup><!-- e\nf -->";
        assert_eq!(named(text), ["<!-- a < b -->", "<?edit on?>", "<!--d-->", "<!-- e"]);
        assert_eq!(named("<domainbackup/>"), [""; 0]);
        assert_eq!(named("<?xml-model href='x'?><domainbackup/>"), ["<?xml-model href='x'?>"]);
    }

    #[test]
    fn many_comments_are_counted() {
        let text = "<!---->".repeat(MAX_REPORTED + 5) + "<domainbackup/>";
        let found = dropped_comments(&text);
        assert_eq!(found.len(), MAX_REPORTED + 1);
        assert_eq!(found.last().unwrap().message, "5 more comments and processing instructions would be lost");
    }

    #[test]
    fn long_comments_are_named_by_their_beginning() {
        let text = format!("<!-- {} -->", "é ".repeat(9_999));
        let message = dropped_comments(&text).remove(0).message;
        assert!(message.contains("<!-- é é é") && message.ends_with("é… would be lost"), "{message}");
    }
}
