//! `check`, and the fixes that it applies or shows.

use std::path::Path;

use crate::cli::CheckArgs;
use crate::fix::Consent;
use crate::levels::Levels;
use crate::report::{Part, Reporter};
use crate::write;

use super::diff::write_diff;
use super::session::{Session, style, use_color};
use super::{ExitStatus, World};

pub(super) fn check(arguments: &CheckArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let mut session = Session::new(common, levels, world)?;
    session.foresee(&arguments.start)?;
    let style = style(common, &world.stdout, world);
    let mut reporter = Reporter::new(style);
    let status = session.for_each(
        world,
        |file, bytes| style.part(&session.examine(file, bytes, crate::check)),
        |_, part, world| {
            let part = part?;
            reporter.add(world.stdout.stream, &part)?;
            Ok(part.status.into())
        },
    )?;
    reporter.finish(world.stdout.stream)?;
    Ok(status)
}

/// A file after its fixes.
struct Mended {
    before: Vec<u8>,
    /// The new text, if it is another, and how many fixes it took.
    changed: Option<(String, usize)>,
    /// What is said of the file as it will be; with `--diff`, as it is.
    part: Part,
}

/// Applies fixes, or shows them. What is still wrong is reported, to standard error where standard output is taken.
pub(super) fn fix(arguments: &CheckArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let consent = if arguments.unsafe_fixes { Consent::All } else { Consent::Safe };
    let mut session = Session::new(common, levels, world)?;
    session.foresee(&arguments.start)?;
    let to_stdout = !arguments.diff && !session.files.iter().any(|file| file == Path::new("-"));
    let color = use_color(common.color, world.stdout.terminal, world.environment);
    let style = style(common, if to_stdout { &world.stdout } else { &world.stderr }, world);
    let mut reporter = Reporter::new(style);
    let mend = |file: &Path, bytes: Option<Vec<u8>>| -> anyhow::Result<Mended> {
        let readable = bytes.is_some();
        let (before, fixed) = session.fix(file, bytes.unwrap_or_default(), consent);
        let changed = fixed.filter(|fixed| readable && fixed.text.as_bytes() != before);
        let after =
            changed.as_ref().filter(|_| !arguments.diff).map_or(before.clone(), |fixed| fixed.text.clone().into());
        let part = style.part(&session.examine(file, readable.then_some(after), crate::check))?;
        Ok(Mended { before, changed: changed.map(|fixed| (fixed.text, fixed.applied)), part })
    };
    let status = session.for_each(world, mend, |file, mended, world| {
        let Mended { before, changed, part } = mended?;
        if arguments.diff {
            if let Some((text, _)) = changed {
                let before = String::from_utf8_lossy(&before);
                write_diff(&mut world.stdout, &session.name_of(file), &before, &text, color)?;
            }
            return Ok(part.status.into());
        }
        if file == Path::new("-") {
            world.stdout.stream.write_all(changed.as_ref().map_or(&before, |(text, _)| text.as_bytes()))?;
        } else if let Some((text, applied)) = changed {
            if let Err(error) = write::replace(file, text.as_bytes()) {
                world.complain(&format!("{error:#}"))?;
                return Ok(ExitStatus::Failure);
            }
            let plural = if applied == 1 { "" } else { "es" };
            world.complain(&format!("{applied} fix{plural} applied to {}", file.display()))?;
        }
        reporter.add(if to_stdout { world.stdout.stream } else { world.stderr.stream }, &part)?;
        Ok(part.status.into())
    })?;
    if !arguments.diff {
        reporter.finish(if to_stdout { world.stdout.stream } else { world.stderr.stream })?;
    }
    world.stdout.stream.flush()?;
    Ok(status)
}
