//! `normalize`, to standard output or as a formatter of files.

use std::path::Path;

use anyhow::bail;

use crate::cli::{Format, NormalizeArgs};
use crate::comment;
use crate::levels::Levels;
use crate::report::{Checked, Status};
use crate::rules::Severity;
use crate::write;

use super::diff::write_diff;
use super::session::{Session, display_name, reporter, use_color};
use super::{ExitStatus, World};

pub(super) fn normalize(
    arguments: &NormalizeArgs,
    levels: Levels,
    world: &mut World<'_>,
) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let mut session = Session::new(common, arguments.explicit, levels, world)?;
    session.normalizes = true;
    if arguments.in_place && session.files.iter().any(|file| file == Path::new("-")) {
        bail!("standard input cannot be rewritten in place: name a file");
    }
    let mut reporter = reporter(common, &world.stderr, world);
    for file in session.files.clone() {
        let Some(bytes) = session.read_bytes(&file, world)? else {
            reporter.file(world.stderr.stream, &Checked::unreadable(display_name(&file)))?;
            continue;
        };
        let before = if arguments.compares() { bytes.clone() } else { Vec::new() };
        let (checked, text) = normalize_one(arguments, &mut session, &file, bytes);
        // What is lost is named before it is.
        reporter.file(world.stderr.stream, &checked)?;
        let Some(text) = text else { continue };
        if !arguments.compares() {
            world.stdout.stream.write_all(text.as_bytes())?;
        } else if text.as_bytes() != before {
            deliver_change(arguments, &mut session, &file, (&before, &text), world)?;
        }
    }
    world.stdout.stream.flush()?;
    // Beside the XML, silence is the best report.
    let machine = matches!(common.format, Format::Json | Format::Sarif);
    if session.status != ExitStatus::Success || machine {
        reporter.finish(world.stderr.stream)?;
    }
    Ok(session.status)
}

/// The findings about a file, and its text in libvirt's form if none is an error.
fn normalize_one(
    arguments: &NormalizeArgs,
    session: &mut Session,
    file: &Path,
    bytes: Vec<u8>,
) -> (Checked, Option<String>) {
    let mut text = None;
    let checked =
        session.examine(file, bytes, |document, domain, options| match crate::normalize(document, domain, options) {
            Ok(formatted) => {
                text = Some(formatted);
                let mut lost = if arguments.compares() { comment::lost(document) } else { Vec::new() };
                if arguments.in_place && !arguments.drop_comments {
                    for finding in &mut lost {
                        finding.severity = Severity::Error;
                    }
                }
                lost
            }
            Err(diagnostics) => diagnostics,
        });
    let text = text.filter(|_| checked.status == Status::Ok);
    (checked, text)
}

/// Rewrites a file that is not in libvirt's form, names it, or shows what would change.
fn deliver_change(
    arguments: &NormalizeArgs,
    session: &mut Session,
    file: &Path,
    (before, after): (&[u8], &str),
    world: &mut World<'_>,
) -> anyhow::Result<()> {
    if arguments.in_place {
        if let Some(refusal) = session.refusal(after) {
            session.status = session.status.max(ExitStatus::Errors);
            let name = display_name(file);
            writeln!(
                world.stderr.stream,
                "backupxml: {name} stays as it is: libvirt refuses its own form of it: {refusal}"
            )?;
            return Ok(());
        }
        if let Err(error) = write::replace(file, after.as_bytes()) {
            session.status = ExitStatus::Failure;
            writeln!(world.stderr.stream, "backupxml: {error:#}")?;
        }
        return Ok(());
    }
    if arguments.check {
        session.status = session.status.max(ExitStatus::Errors);
    }
    if arguments.diff {
        let color = use_color(arguments.common.color, world.stdout.terminal, world.environment);
        write_diff(&mut world.stdout, &display_name(file), &String::from_utf8_lossy(before), after, color)?;
    } else {
        writeln!(world.stdout.stream, "{}", display_name(file))?;
    }
    Ok(())
}
