//! Help, completions and manual pages. `.ci/completions` and `.ci/man-pages` test the last two with shells, man and
//! mandoc.

use std::fs;

use super::process::{Run, command, directory, run};

/// The commands in the main help.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn help_fits_80_columns_and_ends_with_examples() {
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in std::iter::once("").chain(commands.iter().map(String::as_str)) {
        let arguments: Vec<_> = [command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let help = run(&arguments);
        assert_eq!((help.status, help.stderr.as_str()), (0, ""));
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 80), "{}", help.stdout);
        let (_, examples) = help.stdout.rsplit_once("\nExamples:\n").expect("examples");
        assert!(examples.lines().all(|line| line.starts_with("  ") && line.contains("backupxml")), "{examples}");
    }
}

#[test]
fn every_shell_completes_commands_options_and_values() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell", "nushell"] {
        let script = run(&["completions", shell]);
        assert_eq!((script.status, script.stderr.as_str()), (0, ""), "{shell}");
        let words =
            ["normalize", "skip-unrelated", "sarif", "concise", "schema/missing-server", "advice", "11.3.0", "nushell"];
        for word in words.into_iter().chain(commands().iter().map(String::as_str)) {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "tcsh"]).status, 2);
}

#[test]
fn powershell_looks_values_up_before_it_offers_options() {
    let script = run(&["completions", "powershell"]).stdout;
    let (before, after) = script.split_once("    $values = @{\n").expect("the table of values");
    assert!(before.ends_with("    $commandElements = $commandAst.CommandElements\n\n"), "{before}");
    assert!(after.contains("        'check --format' = 'full', 'concise', 'json', 'sarif', 'github'\n"));
    assert!(after.contains("        'rules --format' = 'text', 'json'\n"));
    assert_eq!(script.matches('{').count(), script.matches('}').count());
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let directory = directory("man", &[]).join("new");
    let output = command(&["man", directory.to_str().unwrap()]).env("SOURCE_DATE_EPOCH", "1700000000").output();
    let written = Run::from(output.unwrap());
    assert_eq!((written.status, written.stdout.as_str(), written.stderr.as_str()), (0, "", ""));
    let commands = commands();
    for command in &commands {
        let page = fs::read_to_string(directory.join(format!("backupxml-{command}.1"))).unwrap();
        let title = format!(".TH BACKUPXML-{} 1 2023-11-14 \"backupxml ", command.to_uppercase());
        assert!(page.contains(&title), "{page}");
        assert!(page.contains("\n.SH EXAMPLES\n.nf\n"), "{page}");
    }
    let main = fs::read_to_string(directory.join("backupxml.1")).unwrap();
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "ENVIRONMENT", "EXAMPLES"] {
        assert!(main.contains(&format!("\n.SH {section}\n")), "{section}");
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), commands.len() + 1);
    assert!(run(&["man"]).stdout.contains(".SH COMMANDS"));
    assert_eq!(run(&["man", "/dev/null/x"]).status, 2);
}
