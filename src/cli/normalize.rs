//! `normalize`, to standard output or as a formatter of files.

use std::path::Path;

use anyhow::bail;

use crate::cli::args::{Format, NormalizeArgs};
use crate::cli::comment;
use crate::cli::levels::Levels;
use crate::cli::report::{FileReport, Reporter, Status, Style, visible_line};
use crate::cli::write::Identity;
use crate::rules::Severity;

use super::diff::write_diff;
use super::input::Content;
use super::session::{Session, rewrite, style, use_color};
use super::{Env, ExitStatus};

pub(super) fn normalize(arguments: &NormalizeArgs, levels: &Levels, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let mut session = Session::new(common, levels, env)?;
    session.set_normalizes(arguments.explicit);
    if arguments.in_place && session.files.iter().any(|file| file == Path::new("-")) {
        bail!("cannot rewrite standard input in place: give a file name");
    }
    let style = style(common, &env.stderr, env);
    let mut reporter = Reporter::new(style);
    let work = |file: &Path, content: Option<Content>| normalize_one(arguments, &session, style, file, content);
    let status = session.for_each(env, work, |file, normalized, env| {
        let Normalized { before, identity, text, report } = normalized?;
        // What is lost is named before it is.
        reporter.add(env.stderr.stream, &report)?;
        let status = ExitStatus::from(report.status);
        let Some(text) = text else { return Ok(status) };
        if !arguments.compares() {
            env.stdout.stream.write_all(text.as_bytes())?;
        } else if text.as_bytes() != before {
            let Some(identity) = identity.filter(|_| arguments.in_place) else {
                show_change(arguments, &session, file, (&before, &text), env)?;
                return Ok(if arguments.check { status.max(ExitStatus::Errors) } else { status });
            };
            let rewritten = write_change(&session, file, &identity, &text, env)?;
            if rewritten == ExitStatus::Failure {
                reporter.note_unwritten();
            }
            return Ok(status.max(rewritten));
        }
        Ok(status)
    })?;
    env.stdout.stream.flush()?;
    // Print no summary after the XML on success.
    let machine = matches!(common.format, Format::Json | Format::Sarif);
    if status != ExitStatus::Success || machine {
        reporter.finish(env.stderr.stream)?;
    }
    Ok(status)
}

/// A file and what libvirt would print for it.
struct Normalized {
    /// The bytes of the file, where they are to be compared.
    before: Vec<u8>,
    identity: Option<Identity>,
    /// Its text in libvirt's form, if nothing about it is an error.
    text: Option<String>,
    report: FileReport,
}

fn normalize_one(
    arguments: &NormalizeArgs,
    session: &Session,
    style: Style,
    file: &Path,
    content: Option<Content>,
) -> anyhow::Result<Normalized> {
    let (bytes, identity) = content.map(|content| (content.bytes, content.identity)).unzip();
    let identity = identity.flatten();
    let before = bytes.as_ref().filter(|_| arguments.compares()).cloned().unwrap_or_default();
    let mut text = None;
    let checked =
        session.examine(file, bytes, |document, domain, options| match crate::normalize(document, domain, options) {
            Ok(formatted) => {
                text = Some(formatted);
                let mut dropped = if arguments.compares() { comment::dropped_comments(document) } else { Vec::new() };
                if arguments.in_place && !arguments.drop_comments {
                    for diagnostic in &mut dropped {
                        diagnostic.severity = Severity::Error;
                    }
                }
                dropped
            }
            Err(diagnostics) => diagnostics,
        });
    let text = text.filter(|_| checked.status == Status::Ok);
    Ok(Normalized { before, identity, text, report: style.report(&checked)? })
}

/// Rewrites a file that is not in libvirt's form.
fn write_change(
    session: &Session,
    file: &Path,
    identity: &Identity,
    after: &str,
    env: &mut Env<'_>,
) -> anyhow::Result<ExitStatus> {
    if let Some(refusal) = session.refusal(file, after) {
        let name = session.name_of(file);
        env.print_message(&format!("{name} is left unchanged: libvirt would reject its own output for it: {refusal}"))?;
        return Ok(ExitStatus::Errors);
    }
    Ok(if rewrite(file, identity, after, env)? { ExitStatus::Success } else { ExitStatus::Failure })
}

/// Names a file that is not in libvirt's form, or shows what would change.
fn show_change(
    arguments: &NormalizeArgs,
    session: &Session,
    file: &Path,
    (before, after): (&[u8], &str),
    env: &mut Env<'_>,
) -> anyhow::Result<()> {
    if arguments.diff {
        let color = use_color(arguments.common.color, &env.stdout);
        write_diff(&mut env.stdout, &session.name_of(file), &String::from_utf8_lossy(before), after, color)?;
    } else {
        writeln!(env.stdout.stream, "{}", visible_line(&session.name_of(file)))?;
    }
    Ok(())
}
