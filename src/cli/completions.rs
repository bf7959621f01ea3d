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
    let mut script = Vec::new();
    generator.try_generate(&command, &mut script)?;
    let script = String::from_utf8_lossy(&script);
    let script = match shell {
        Shell::Fish => with_values_in_fish(&script, &values(&command)),
        Shell::Elvish => with_values_in_elvish(&script, &values(&command)),
        Shell::Powershell => with_values_in_powershell(&script, &values(&command)),
        _ => script.into_owned(),
    };
    env.stdout.stream.write_all(script.as_bytes())?;
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
            "rule" => argument.value_parser(PossibleValuesParser::new(rules())),
            "libvirt_version" => argument.value_parser(PossibleValuesParser::new(releases.clone())),
            _ => argument,
        })
    })
}

/// What can stand behind which words: `check --format`, or `explain explain` for the first argument of a command.
fn values(command: &Command) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for subcommand in command.get_subcommands() {
        for argument in subcommand.get_arguments() {
            let name = subcommand.get_name();
            let values: Vec<_> =
                argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            if !values.is_empty() {
                let before = argument.get_long().map_or(name.to_owned(), |long| format!("--{long}"));
                found.push((format!("{name} {before}"), values));
            }
        }
    }
    found
}

/// clap's script for fish knows the values of options, but not those of arguments without a name.
fn with_values_in_fish(script: &str, values: &[(String, Vec<String>)]) -> String {
    let unnamed = values.iter().filter_map(|(asked, values)| {
        let (command, _) = asked.split_once(' ').filter(|(command, before)| command == before)?;
        let condition = format!("__fish_backupxml_using_subcommand {command}");
        Some(format!("complete -c backupxml -n '{condition}' -f -a '{}'\n", values.join(" ")))
    });
    std::iter::once(script.to_owned()).chain(unnamed).collect()
}

/// clap's script for Elvish knows no values, so another completer stands before it.
fn with_values_in_elvish(script: &str, values: &[(String, Vec<String>)]) -> String {
    let entries: Vec<_> =
        values.iter().map(|(asked, values)| format!("        &'{asked}'=[{}]\n", values.join(" "))).collect();
    format!(
        "{script}
var backupxml-options~ = $edit:completion:arg-completer[backupxml]
set edit:completion:arg-completer[backupxml] = {{|@words|
    var values = [
{}    ]
    var asked = ''
    if (> (count $words) 2) {{
        set asked = $words[1]' '$words[-2]
    }}
    if (has-key $values $asked) {{
        all $values[$asked]
    }} else {{
        backupxml-options $@words
    }}
}}
",
        entries.concat()
    )
}

/// clap's script for PowerShell knows no values, so they are looked up first.
fn with_values_in_powershell(script: &str, values: &[(String, Vec<String>)]) -> String {
    const AFTER: &str = "    $commandElements = $commandAst.CommandElements\n";
    let entries: Vec<_> =
        values.iter().map(|(asked, values)| format!("        '{asked}' = '{}'\n", values.join("', '"))).collect();
    let lookup = format!(
        "{AFTER}
    $values = @{{
{}    }}
    $before = @($commandElements | ForEach-Object {{ $_.ToString() }})
    if ($wordToComplete -ne '') {{
        $before = @($before | Select-Object -SkipLast 1)
    }}
    if ($before.Count -ge 2) {{
        $asked = $before[1] + ' ' + $before[-1]
        if ($values.ContainsKey($asked)) {{
            return $values[$asked] | Where-Object {{ $_ -like \"$wordToComplete*\" }} | ForEach-Object {{
                [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_)
            }}
        }}
    }}
",
        entries.concat()
    );
    script.replacen(AFTER, &lookup, 1)
}
