//! Any bytes: no panic, and every span lies in the text on character boundaries.
#![no_main]

use backupxml::diagnostic::Diagnostic;
use backupxml::release::Release;
use backupxml::source::Source;
use backupxml::{Options, check};
use libfuzzer_sys::fuzz_target;

fn assert_in(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        for label in diagnostic.labels() {
            assert!(text.get(label.span.range()).is_some(), "{diagnostic:?}");
        }
        for edit in diagnostic.fixes.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.span.range()).is_some(), "{diagnostic:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (source, diagnostics) = Source::new("b.xml", bytes.to_vec(), Release::default());
    assert_in(source.text(), &diagnostics);
    for status in [false, true] {
        let options = Options { status, ..Options::default() };
        let diagnostics = check(source.text(), None, &options);
        assert_in(source.text(), &diagnostics);
        for label in diagnostics.iter().flat_map(Diagnostic::labels) {
            source.line_column(label.span.range().start);
            source.offset_on_disk(label.span.range().end);
        }
    }
});
