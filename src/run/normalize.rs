//! `normalize`.

use crate::cli::{CommonArgs, Format};
use crate::levels::Levels;

use crate::report::Status;

use super::session::{Session, reporter};
use super::{ExitStatus, World};

pub(super) fn normalize(
    arguments: &CommonArgs,
    explicit: bool,
    levels: Levels,
    world: &mut World<'_>,
) -> anyhow::Result<ExitStatus> {
    let mut session = Session::new(arguments, explicit, levels, world)?;
    session.normalizes = true;
    let mut reporter = reporter(arguments, &world.stderr, world);
    for file in session.files.clone() {
        let mut text = None;
        let checked = session.read(&file, world, |document, domain, options| {
            match crate::normalize(document, domain, options) {
                Ok(formatted) => {
                    text = Some(formatted);
                    Vec::new()
                }
                Err(diagnostics) => diagnostics,
            }
        })?;
        if let Some(text) = text.filter(|_| checked.status == Status::Ok) {
            world.stdout.stream.write_all(text.as_bytes())?;
        }
        reporter.file(world.stderr.stream, &checked)?;
    }
    world.stdout.stream.flush()?;
    // Beside the XML, silence is the best report.
    let machine = matches!(arguments.format, Format::Json | Format::Sarif);
    if session.status != ExitStatus::Success || machine {
        reporter.finish(world.stderr.stream)?;
    }
    Ok(session.status)
}
