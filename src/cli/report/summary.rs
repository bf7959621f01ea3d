//! The closing lines of a report for people.

use std::io::{self, Write};

use super::Appearance;

/// What all files come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary {
    pub(super) files: usize,
    /// Files with errors, or that could not be read.
    pub(super) failed: usize,
    pub(super) skipped: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    /// Files with errors or warnings.
    pub(super) with_diagnostics: usize,
    pub(super) unreadable: usize,
    pub(super) unwritten: usize,
    pub(super) fixable: Fixable,
}

/// How many diagnostics have a fix.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fixable {
    pub(super) safe: usize,
    /// Those that have an unsafe fix only.
    pub(super) only_unsafe: usize,
}

pub(super) fn write(out: &mut dyn Write, summary: &Summary, appearance: Appearance) -> io::Result<()> {
    let paint = |code: &str, text: String| if appearance.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text };
    let mut parts = Vec::new();
    let checked = summary.files.saturating_sub(summary.skipped + summary.unreadable);
    if checked > 0 {
        let errors = match summary.errors {
            0 if summary.failed > 0 || summary.unwritten > 0 => "no errors".to_owned(),
            0 => paint("1;32", "no errors".to_owned()),
            errors => paint("1;31", counted(errors, "error")),
        };
        let warnings = match summary.warnings {
            0 => String::new(),
            warnings => format!(" and {}", paint("1;33", counted(warnings, "warning"))),
        };
        let affected = match summary.with_diagnostics {
            1.. if checked > 1 => format!("{} of ", summary.with_diagnostics),
            _ => String::new(),
        };
        parts.push(format!("{errors}{warnings} in {affected}{}", counted(checked, "file")));
    }
    if summary.skipped > 0 {
        parts.push(format!("{} skipped", counted(summary.skipped, "file")));
    }
    for (number, failure) in [(summary.unreadable, "read"), (summary.unwritten, "written")] {
        if number > 0 {
            parts.push(paint("1;31", format!("{} could not be {failure}", counted(number, "file"))));
        }
    }
    writeln!(out, "{}", parts.join(", "))?;
    match summary.fixable {
        Fixable { safe: 0, only_unsafe: 0 } => Ok(()),
        Fixable { safe, only_unsafe: 0 } => writeln!(out, "{safe} fixable with `--fix`"),
        Fixable { safe: 0, only_unsafe } => writeln!(out, "{only_unsafe} fixable with `--unsafe-fixes`"),
        Fixable { safe, only_unsafe } => {
            writeln!(out, "{safe} fixable with `--fix`, {only_unsafe} more with `--unsafe-fixes`")
        }
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing(summary: Summary) -> String {
        let mut out = Vec::new();
        write(&mut out, &summary, Appearance { color: false, width: 80, quiet: false }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_count_is_true() {
        let one = Summary { files: 1, ..Summary::default() };
        assert_eq!(closing(one), "no errors in 1 file\n");
        assert_eq!(closing(Summary { files: 3, ..one }), "no errors in 3 files\n");
        assert_eq!(closing(Summary { unreadable: 1, failed: 1, ..one }), "1 file could not be read\n");
        assert_eq!(closing(Summary { skipped: 1, ..one }), "1 file skipped\n");
        let two = Summary { files: 9, failed: 3, skipped: 2, unreadable: 1, ..one };
        let two = Summary { errors: 4, warnings: 1, with_diagnostics: 3, ..two };
        assert_eq!(closing(two), "4 errors and 1 warning in 3 of 6 files, 2 files skipped, 1 file could not be read\n");
        let warned = Summary { files: 5, warnings: 2, with_diagnostics: 2, ..one };
        assert_eq!(closing(warned), "no errors and 2 warnings in 2 of 5 files\n");
        assert_eq!(closing(Summary { unwritten: 1, ..one }), "no errors in 1 file, 1 file could not be written\n");
    }

    #[test]
    fn fixes_are_counted_once() {
        let one = Summary { files: 1, errors: 3, with_diagnostics: 1, failed: 1, ..Summary::default() };
        let with = |safe, only_unsafe| {
            let text = closing(Summary { fixable: Fixable { safe, only_unsafe }, ..one });
            text.strip_prefix("3 errors in 1 file\n").unwrap().to_owned()
        };
        assert_eq!(with(0, 0), "");
        assert_eq!(with(2, 0), "2 fixable with `--fix`\n");
        assert_eq!(with(0, 1), "1 fixable with `--unsafe-fixes`\n");
        assert_eq!(with(2, 1), "2 fixable with `--fix`, 1 more with `--unsafe-fixes`\n");
    }
}
