//! `check`, and the fixes that it applies or shows.

use std::io;
use std::path::Path;

use crate::cli::args::CheckArgs;
use crate::cli::levels::Levels;
use crate::cli::report::{FileReport, Format, OfferedFixes, Reporter, Style};
use crate::cli::write::{self, Identity};
use crate::diagnostic::Applicability;

use super::diff::write_diff;
use super::input::Content;
use super::session::{Session, rewrite, style, use_color};
use super::{Env, ExitStatus};

pub(super) fn check(arguments: &CheckArgs, levels: &Levels, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let mut session = Session::new(common, levels, env)?;
    session.set_start_options(&arguments.start)?;
    let mut shown = Style { offered_fixes: OfferedFixes::All, ..style(common, &env.stdout, env) };
    let written = arguments.output_file.as_ref().map(|_| shown.for_file());
    if written.is_some() {
        shown.format = Format::Full;
    }
    let mut reporter = Reporter::new(shown);
    let mut file_reporter = written.map(|style| (Reporter::new(style), Vec::new()));
    let work = |file: &Path, content: Option<Content>| -> io::Result<_> {
        let checked = session.examine(file, content.map(|content| content.bytes), crate::check_in_detail);
        Ok((shown.report(&checked)?, written.map(|style| style.report(&checked)).transpose()?))
    };
    let status = session.for_each(env, work, |_, reports, env| {
        let (report, for_file) = reports?;
        reporter.add(env.stdout.stream, &report)?;
        if let (Some((reporter, buffer)), Some(report)) = (&mut file_reporter, for_file) {
            reporter.add(buffer, &report)?;
        }
        Ok(report.status.into())
    })?;
    reporter.finish(env.stdout.stream)?;
    if let (Some((reporter, mut buffer)), Some(file)) = (file_reporter, &arguments.output_file) {
        reporter.finish(&mut buffer)?;
        if let Some(remark) = write::create_or_replace(file, &buffer)? {
            env.print_message(&format!("{}: {remark}", file.display()))?;
        }
    }
    Ok(status)
}

/// A file after its fixes.
struct FixedFile {
    before: Vec<u8>,
    identity: Option<Identity>,
    /// The new text, if it is another, and how many fixes it took.
    changed: Option<(String, usize)>,
    /// What is said of the file as it will be; with `--diff`, as it is.
    report: FileReport,
}

/// Applies fixes, or shows them. What is still wrong is reported, to standard error where standard output is taken.
pub(super) fn fix(arguments: &CheckArgs, levels: &Levels, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let allowed = if arguments.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
    let mut session = Session::new(common, levels, env)?;
    session.set_start_options(&arguments.start)?;
    let to_stdout = !arguments.diff && !session.files.iter().any(|file| file == Path::new("-"));
    let color = use_color(common.color, &env.stdout);
    let offered_fixes = if arguments.unsafe_fixes { OfferedFixes::None } else { OfferedFixes::Unsafe };
    let output = if to_stdout { &env.stdout } else { &env.stderr };
    let style = Style { offered_fixes, ..style(common, output, env) };
    let mut reporter = Reporter::new(style);
    let fix_file = |file: &Path, content: Option<Content>| -> anyhow::Result<FixedFile> {
        let readable = content.is_some();
        let (bytes, identity) = content.map(|content| (content.bytes, content.identity)).unwrap_or_default();
        let (before, fixed) = session.fix(file, bytes, allowed);
        let changed = fixed.filter(|fixed| readable && fixed.text.as_bytes() != before);
        let after =
            changed.as_ref().filter(|_| !arguments.diff).map_or(before.clone(), |fixed| fixed.text.clone().into());
        let report = style.report(&session.examine(file, readable.then_some(after), crate::check_in_detail))?;
        Ok(FixedFile { before, identity, changed: changed.map(|fixed| (fixed.text, fixed.applied)), report })
    };
    let status = session.for_each(env, fix_file, |file, fixed, env| {
        let FixedFile { before, identity, changed, mut report } = fixed?;
        let mut status = ExitStatus::from(report.status);
        if arguments.diff {
            if let Some((text, _)) = changed {
                let before = String::from_utf8_lossy(&before);
                write_diff(&mut env.stdout, &session.name_of(file), &before, &text, color)?;
            }
            return Ok(status);
        }
        if file == Path::new("-") {
            env.stdout.stream.write_all(changed.as_ref().map_or(&before, |(text, _)| text.as_bytes()))?;
        } else if let Some(((text, applied), identity)) = changed.zip(identity) {
            if rewrite(file, &identity, &text, env)? {
                let plural = if applied == 1 { "" } else { "es" };
                env.print_message(&format!("applied {applied} fix{plural} to {}", file.display()))?;
            } else {
                // What is wrong with the file is still wrong with it.
                report = style.report(&session.examine(file, Some(before), crate::check))?;
                reporter.note_unwritten();
                status = ExitStatus::Failure;
            }
        }
        reporter.add(if to_stdout { env.stdout.stream } else { env.stderr.stream }, &report)?;
        Ok(status)
    })?;
    if !arguments.diff {
        reporter.finish(if to_stdout { env.stdout.stream } else { env.stderr.stream })?;
    }
    env.stdout.stream.flush()?;
    Ok(status)
}
