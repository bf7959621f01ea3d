//! The document in a text that was copied with other things, such as line numbers, and where its parts are in that text.

use crate::diagnostic::{Diagnostic, Document, Edit, Span};

/// A text without what does not belong to the document.
#[derive(Debug)]
pub(crate) struct Cleaned {
    /// The text.
    pub text: String,
    /// Pairs of offsets, cleaned and original, from which both texts are the same; where the flag is set, the cleaned text
    /// has an insertion instead.
    pieces: Vec<(usize, usize, bool)>,
}

impl Cleaned {
    /// Applies edits that do not overlap.
    pub(super) fn new(original: &str, mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(|edit| edit.span);
        let mut text = String::with_capacity(original.len() + 16);
        let mut pieces = Vec::with_capacity(edits.len() * 2 + 1);
        let mut done = 0;
        for edit in edits {
            let range = edit.span.range();
            if range.start < done {
                continue;
            }
            pieces.push((text.len(), done, false));
            text.push_str(original.get(done..range.start).unwrap_or_default());
            pieces.push((text.len(), range.start, true));
            text.push_str(&edit.text);
            done = range.end;
        }
        pieces.push((text.len(), done, false));
        text.push_str(original.get(done..).unwrap_or_default());
        Self { text, pieces }
    }

    /// Where a span of the cleaned text lies in the original.
    pub fn original(&self, span: Span) -> Span {
        let range = span.range();
        Span::new(self.offset(range.start), self.offset(range.end))
    }

    /// Moves a diagnostic about this text, which is that of `document`, to its place in the original. There is none for
    /// what was inserted.
    pub fn in_original(&self, mut diagnostic: Diagnostic, document: Document) -> Option<Diagnostic> {
        let written = diagnostic.primary.span;
        let labels = std::iter::once(&mut diagnostic.primary).chain(&mut diagnostic.secondary);
        for label in labels.filter(|label| label.document == document) {
            label.span = self.original(label.span);
        }
        let found = diagnostic.primary.span;
        if diagnostic.primary.document == document && found.start == found.end && written.start != written.end {
            return None;
        }
        // Edits fit the cleaned text only.
        diagnostic.fixes.clear();
        Some(diagnostic)
    }

    fn offset(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(cleaned, _, _)| *cleaned <= offset);
        let piece = after.checked_sub(1).and_then(|last| self.pieces.get(last)).copied();
        let (cleaned, original, still) = piece.unwrap_or_default();
        if still { original } else { original + (offset - cleaned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_mapped_to_the_original() {
        let edits = vec![
            Edit { span: Span::new(1, 2), text: "&amp;".to_owned() },
            Edit { span: Span::new(4, 4), text: "'".to_owned() },
        ];
        let cleaned = Cleaned::new("a&bcd", edits);
        assert_eq!(cleaned.text, "a&amp;bc'd");
        assert_eq!(cleaned.original(Span::new(0, 1)), Span::new(0, 1));
        assert_eq!(cleaned.original(Span::new(6, 7)), Span::new(2, 3));
        assert_eq!(cleaned.original(Span::new(9, 10)), Span::new(4, 5));
        assert_eq!(cleaned.original(Span::new(2, 6)), Span::new(1, 2));
    }
}
