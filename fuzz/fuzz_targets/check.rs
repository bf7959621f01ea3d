//! Any bytes: no panic, every span is inside the text on character boundaries and inside the file, and fixes do not add
//! errors.
#![no_main]

use backupxml::diagnostic::{Applicability, Diagnostic};
use backupxml::fix::fix;
use backupxml::release::Release;
use backupxml::source::Source;
use backupxml::{Options, check};
use libfuzzer_sys::fuzz_target;

fn assert_in(source: &Source, size: usize, diagnostics: &[Diagnostic]) {
    let labels = diagnostics.iter().flat_map(Diagnostic::labels).map(|label| label.span);
    let edits = diagnostics.iter().flat_map(|found| &found.fixes).flat_map(|fix| &fix.edits).map(|edit| edit.span);
    for span in labels.chain(edits) {
        assert!(source.text().get(span.range()).is_some(), "{diagnostics:?}");
        assert!(source.offset_on_disk(span.range().end) <= size, "{diagnostics:?}");
        assert!(source.line_column(span.range().start) <= source.line_column(span.range().end));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (source, diagnostics) = Source::new("b.xml", bytes.to_vec(), Release::default());
    assert_in(&source, bytes.len(), &diagnostics);
    for status in [false, true] {
        let options = Options { status, ..Options::default() };
        let diagnostics = check(source.text(), None, &options);
        assert_in(&source, bytes.len(), &diagnostics);
        let fixed = fix(source.text(), None, &options, Applicability::Unsafe);
        let errors = |found: &[Diagnostic]| found.iter().filter(|found| found.is_error()).count();
        assert!(errors(&fixed.diagnostics) <= errors(&diagnostics), "{:?}", fixed.text);
    }
});
