//! What libvirt accepts and takes literally: placeholders that were not filled in, characters that cannot be seen.

use crate::ambiguous;
use crate::backup::{Address, Backup, Text};
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::placeholder;
use crate::rules::Rule;

/// Looks at every text of a backup that libvirt accepts; `source` is the document.
pub(crate) fn check(backup: &Backup, source: &str) -> Vec<Diagnostic> {
    let server = backup.server.iter().map(|server| match &server.address {
        Address::Tcp { name: text, .. } | Address::Unix { socket: text } | Address::Fd { group: text } => text,
    });
    let disks = backup.disks.iter().flat_map(|disk| {
        let path = disk.destination.iter().map(|destination| &destination.path);
        [&disk.incremental, &disk.exportname, &disk.exportbitmap].into_iter().chain(path)
    });
    let texts = backup.incremental.iter().chain(server).chain(disks.flatten());
    let mut found: Vec<Diagnostic> = texts.filter_map(|text| of_text(text, source)).collect();
    found.dedup_by_key(|diagnostic| diagnostic.primary.span);
    found
}

fn of_text(text: &Text, source: &str) -> Option<Diagnostic> {
    let written = source.get(text.span?.range())?;
    // The span of an element's text is the element.
    let start = text.place().start as usize + written.find(&*text.value)?;
    let span = Span::new(start, start + text.value.len());
    if let Some(found) = placeholder::find(&text.value) {
        let diagnostic = Diagnostic::new(Rule::AdvicePlaceholder, span, found.message());
        return Some(diagnostic.help(found.help()));
    }
    let (at, first) = ambiguous::all(&text.value).find(|(_, found)| found.is_invisible())?;
    let invisible = ambiguous::all(&text.value).filter(|(_, found)| found.is_invisible());
    let edits = invisible.map(|(at, found)| Edit {
        span: Span::new(start + at, start + at + found.character.len_utf8()),
        text: found.looks_like.to_owned(),
    });
    let span = Span::new(start + at, start + at + first.character.len_utf8());
    let diagnostic = Diagnostic::new(Rule::AdviceAmbiguousCharacter, span, first.message());
    Some(diagnostic.help(first.help()).fix(first.fix_message(), Applicability::Unsafe, edits.collect()))
}
