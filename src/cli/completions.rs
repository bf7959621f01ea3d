//! `completions`: from the definitions of the command line, and the names of rules and releases.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory};
use clap_complete::{Generator, Shell as Known};
use clap_complete_nushell::Nushell;

use crate::cli::args::{Cli, Shell};
use crate::release::Release;
use crate::rules::{RULES, Rule};

use super::{Env, ExitStatus};

pub(super) fn completions(shell: Shell, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let generator: &dyn Generator = match shell {
        Shell::Bash => &Known::Bash,
        Shell::Zsh => &Known::Zsh,
        Shell::Fish => &Known::Fish,
        Shell::Elvish => &Known::Elvish,
        Shell::Powershell => &Known::PowerShell,
        Shell::Nushell => &Nushell,
    };
    let mut command = with_values(Cli::command());
    command.set_bin_name("backupxml");
    command.build();
    generator.try_generate(&command, &mut env.stdout.stream)?;
    env.stdout.stream.flush()?;
    Ok(ExitStatus::Success)
}

/// The definitions, with every value that an argument can have. Parsing needs no such lists, so they are made here only.
fn with_values(command: Command) -> Command {
    // Straight quotes end a word in one shell or another.
    let title = |rule: &Rule| rule.entry().title.replace('\'', "’").replace('"', "”");
    let rules = || RULES.iter().map(|rule| PossibleValue::new(rule.name()).help(title(rule))).collect::<Vec<_>>();
    let mut selectors = vec![PossibleValue::new("all").help("Every rule")];
    for rule in RULES {
        if selectors.iter().all(|selector| selector.get_name() != rule.family()) {
            selectors.push(PossibleValue::new(rule.family()).help("Every rule of the family"));
        }
    }
    selectors.extend(rules());
    let releases: Vec<_> = Release::ALL.iter().map(|release| PossibleValue::new(release.name())).collect();
    command.mut_subcommands(|command| {
        command.mut_args(|argument| match argument.get_id().as_str() {
            "allow" | "warn" | "deny" => argument.value_parser(PossibleValuesParser::new(selectors.clone())),
            "words" => argument.value_parser(PossibleValuesParser::new(rules())),
            "libvirt_version" => argument.value_parser(PossibleValuesParser::new(releases.clone())),
            _ => argument,
        })
    })
}
