//! What would change in a file.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use crate::cli::report::visible;

use super::Output;

/// How long to look for the shortest diff; after that it is a longer one.
const MAX_SEARCH_TIME: Duration = Duration::from_secs(2);

/// A unified diff, as `diff -u` and git print it. On a terminal, what would steer that is shown as symbols.
pub(super) fn write_diff(out: &mut Output<'_>, name: &str, before: &str, after: &str, color: bool) -> io::Result<()> {
    if before == after {
        return Ok(());
    }
    let name = visible::line(name);
    let diff = similar::TextDiff::configure().timeout(MAX_SEARCH_TIME).diff_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = if out.terminal { visible::text(line) } else { Cow::Borrowed(line) };
        let code = match line.chars().next() {
            Some('+') => "32",
            Some('-') => "31",
            Some('@') => "36",
            _ => "",
        };
        if color && !code.is_empty() {
            write!(out.stream, "\x1b[{code}m{line}\x1b[0m{end}")?;
        } else {
            write!(out.stream, "{line}{end}")?;
        }
    }
    Ok(())
}
