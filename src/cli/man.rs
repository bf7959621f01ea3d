//! `man`: the manual pages, as clap makes them from the definitions of the command line.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Command, CommandFactory};
use clap_mangen::{Man, generate_to};

use crate::cli::args::Cli;

use super::{Env, ExitStatus};

/// Writes every page into a directory, or the main one to standard output.
pub(super) fn man(directory: Option<&Path>, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let main = Cli::command().disable_help_subcommand(true);
    let Some(directory) = directory else {
        Man::new(main).render(&mut env.stdout.stream)?;
        env.stdout.stream.flush()?;
        return Ok(ExitStatus::Success);
    };
    if let Some(command) = named_command(directory) {
        bail!(
            "`man` takes a directory, not a command: for the page of `{command}`, run `backupxml man DIR` \
             and read DIR/backupxml-{command}.1; for a directory of that name, write ./{command}"
        );
    }
    let context = || format!("cannot write manual pages into {}", directory.display());
    fs::create_dir_all(directory).with_context(context)?;
    generate_to(main, directory).with_context(context)?;
    Ok(ExitStatus::Success)
}

/// The command that a directory is called like.
fn named_command(directory: &Path) -> Option<String> {
    let command = Cli::command();
    let mut names = command.get_subcommands().map(Command::get_name).chain(["help"]);
    names.find(|name| directory.as_os_str() == *name).map(str::to_owned)
}
