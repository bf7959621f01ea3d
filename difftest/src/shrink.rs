//! Reduces a document to the smallest that still shows a difference.

use std::ops::Range;

/// Removes elements, attributes and characters from `document` while `shows` returns true for the rest.
pub fn shrink(document: &[u8], mut shows: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut smallest = document.to_vec();
    loop {
        let before = smallest.len();
        for pieces in [markup, runs] {
            drop_pieces(&mut smallest, pieces, &mut shows);
        }
        if smallest.len() == before {
            return smallest;
        }
    }
}

/// Tries each piece, the longest first; after a success the pieces are computed again.
fn drop_pieces(document: &mut Vec<u8>, pieces: fn(&[u8]) -> Vec<Range<usize>>, shows: &mut impl FnMut(&[u8]) -> bool) {
    let mut found = pieces(document);
    found.sort_by_key(|piece| usize::MAX - piece.len());
    let mut index = 0;
    while let Some(piece) = found.get(index) {
        let mut rest = document[..piece.start].to_vec();
        rest.extend(&document[piece.end..]);
        if shows(&rest) {
            *document = rest;
            let tried = found[index].len();
            found = pieces(document);
            found.sort_by_key(|piece| usize::MAX - piece.len());
            index = found.partition_point(|piece| piece.len() > tried);
        } else {
            index += 1;
        }
    }
}

/// Whole elements, tags without their content, and attributes; found by text search, since the document may not be
/// well-formed.
fn markup(document: &[u8]) -> Vec<Range<usize>> {
    let tags = tags(document);
    let mut pieces: Vec<Range<usize>> = tags.clone();
    for (index, tag) in tags.iter().enumerate() {
        if let Some(end) = end_of_element(document, &tags[index..]) {
            pieces.push(tag.start..end);
        }
        pieces.extend(attributes(document, tag));
    }
    pieces
}

fn tags(document: &[u8]) -> Vec<Range<usize>> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some(start) = find(document, from, b'<') {
        let end = find(document, start, b'>').map_or(document.len(), |end| end + 1);
        tags.push(start..end);
        from = end;
    }
    tags
}

/// The end of the element that starts with the first tag; `None` for an end tag or an empty-element tag.
fn end_of_element(document: &[u8], tags: &[Range<usize>]) -> Option<usize> {
    let mut depth = 0_u32;
    for tag in tags {
        let text = &document[tag.clone()];
        if text.starts_with(b"</") {
            depth = depth.checked_sub(1)?;
        } else if !text.ends_with(b"/>") && !text.starts_with(b"<!") && !text.starts_with(b"<?") {
            depth += 1;
        }
        if depth == 0 {
            return Some(tag.end);
        }
    }
    None
}

/// White space, a name, `=` and a quoted value.
fn attributes(document: &[u8], tag: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quote = None;
    for index in tag.clone() {
        match (document[index], quote) {
            (byte, Some(open)) if byte == open => {
                found.extend(start.take().map(|start| start..index + 1));
                quote = None;
            }
            (byte @ (b'\'' | b'"'), None) => quote = Some(byte),
            (byte, None) if byte.is_ascii_whitespace() && start.is_none() => start = Some(index),
            _ => {}
        }
    }
    found
}

/// Runs of 16, 4 and 1 bytes.
fn runs(document: &[u8]) -> Vec<Range<usize>> {
    let run = |length: usize| {
        (0..document.len()).step_by(length.div_ceil(2)).map(move |start| start..(start + length).min(document.len()))
    };
    run(16).chain(run(4)).chain(run(1)).collect()
}

fn find(document: &[u8], from: usize, byte: u8) -> Option<usize> {
    document[from..].iter().position(|&found| found == byte).map(|offset| from + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_left() {
        let document = b"<a x='1' y=\"2\"><b><c/>text</b><!-- d --><e z='3'/></a>";
        let shows = |rest: &[u8]| rest.windows(5).any(|window| window == b"z='3'");
        assert_eq!(shrink(document, shows), b"z='3'");
    }
}
