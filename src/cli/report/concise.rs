//! `FILE:LINE:COLUMN: error: message [rule]`, one line each.

use std::io::{self, Write};

use super::{CheckedFile, visible};

pub(super) fn file(out: &mut dyn Write, checked: &CheckedFile) -> io::Result<()> {
    for diagnostic in &checked.diagnostics {
        let Some(source) = checked.document(&diagnostic.primary) else { continue };
        let (line, column) = source.line_column(diagnostic.primary.span.start as usize);
        writeln!(
            out,
            "{}:{line}:{column}: {}: {} [{}]",
            visible::line(source.name()),
            diagnostic.severity.name(),
            visible::line(&diagnostic.message),
            diagnostic.rule,
        )?;
    }
    Ok(())
}
