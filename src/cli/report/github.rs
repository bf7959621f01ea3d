//! Annotations of GitHub's workflows: `::error file=…,line=…,…::message`.

use std::io::{self, Write};

use crate::rules::Severity;

use super::{CheckedFile, path, visible};

pub(super) fn file(out: &mut dyn Write, checked: &CheckedFile) -> io::Result<()> {
    for diagnostic in &checked.diagnostics {
        let Some(source) = checked.document(&diagnostic.primary) else { continue };
        let range = diagnostic.primary.span.range();
        let (line, column) = source.line_column(range.start);
        let (end_line, end_column) = source.line_column(range.end);
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut message = diagnostic.message.clone();
        if let Some(help) = &diagnostic.help {
            message.push('\n');
            message.push_str(help);
        }
        writeln!(
            out,
            "::{level} file={},line={line},endLine={end_line},col={column},endColumn={end_column},title={}::{}",
            property(&path(source.name())),
            property(diagnostic.rule.name()),
            data(&message),
        )?;
    }
    Ok(())
}

/// A message: GitHub takes `%`, carriage returns and line feeds as percent codes.
fn data(text: &str) -> String {
    let escaped = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    visible::line(&escaped).into_owned()
}

/// A property: its separators too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn github_command_characters_are_escaped() {
        assert_eq!(data("100% of\na: b,\u{1b}"), "100%25 of%0Aa: b,␛");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
