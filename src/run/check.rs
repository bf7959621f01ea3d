//! `check`, and the fixes that it applies or shows.

use std::path::Path;

use crate::cli::{CheckArgs, CommonArgs};
use crate::fix::Consent;
use crate::levels::Levels;
use crate::report::Checked;
use crate::write;

use super::diff::write_diff;
use super::session::{Session, display_name, reporter, use_color};
use super::{ExitStatus, World};

pub(super) fn check(arguments: &CommonArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let mut session = Session::new(arguments, false, levels, world)?;
    let mut reporter = reporter(arguments, &world.stdout, world);
    for file in session.files.clone() {
        let checked = session.read(&file, world, crate::check)?;
        reporter.file(world.stdout.stream, &checked)?;
    }
    reporter.finish(world.stdout.stream)?;
    Ok(session.status)
}

/// Applies fixes, or shows them. What is still wrong is reported, to standard error where standard output is taken.
pub(super) fn fix(arguments: &CheckArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let consent = if arguments.unsafe_fixes { Consent::All } else { Consent::Safe };
    let mut session = Session::new(common, false, levels, world)?;
    let to_stdout = !arguments.diff && !session.files.iter().any(|file| file == Path::new("-"));
    let color = use_color(common.color, world.stdout.terminal, world.environment);
    let mut reporter = reporter(common, if to_stdout { &world.stdout } else { &world.stderr }, world);
    for file in session.files.clone() {
        let Some(bytes) = session.read_bytes(&file, world)? else {
            reporter.file(
                if to_stdout { world.stdout.stream } else { world.stderr.stream },
                &Checked::unreadable(display_name(&file)),
            )?;
            continue;
        };
        let (before, fixed) = session.fix(&file, bytes, consent);
        let changed = fixed.filter(|fixed| fixed.text.as_bytes() != before);
        if arguments.diff {
            if let Some(fixed) = &changed {
                write_diff(
                    &mut world.stdout,
                    &display_name(&file),
                    &String::from_utf8_lossy(&before),
                    &fixed.text,
                    color,
                )?;
            }
            session.examine(&file, before, crate::check);
            continue;
        }
        if let Some(fixed) = changed.as_ref().filter(|_| file != Path::new("-")) {
            write::replace(&file, fixed.text.as_bytes())?;
            let plural = if fixed.applied == 1 { "" } else { "es" };
            writeln!(world.stderr.stream, "backupxml: {} fix{plural} applied to {}", fixed.applied, file.display())?;
        }
        let after = changed.map_or(before, |fixed| fixed.text.into_bytes());
        if file == Path::new("-") {
            world.stdout.stream.write_all(&after)?;
        }
        let checked = session.examine(&file, after, crate::check);
        reporter.file(if to_stdout { world.stdout.stream } else { world.stderr.stream }, &checked)?;
    }
    if !arguments.diff {
        reporter.finish(if to_stdout { world.stdout.stream } else { world.stderr.stream })?;
    }
    world.stdout.stream.flush()?;
    Ok(session.status)
}
