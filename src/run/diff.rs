//! What would change in a file.

use std::io;

use super::Output;

/// A unified diff, as `diff -u` and git print it.
pub(super) fn write_diff(out: &mut Output<'_>, name: &str, before: &str, after: &str, color: bool) -> io::Result<()> {
    if before == after {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(name, name).to_string();
    for line in text.split_inclusive('\n') {
        let code = match line.chars().next() {
            Some('+') => "32",
            Some('-') => "31",
            Some('@') => "36",
            _ => "",
        };
        if color && !code.is_empty() {
            write!(
                out.stream,
                "\x1b[{code}m{}\x1b[0m{}",
                line.trim_end_matches('\n'),
                if line.ends_with('\n') { "\n" } else { "" }
            )?;
        } else {
            write!(out.stream, "{line}")?;
        }
    }
    Ok(())
}
