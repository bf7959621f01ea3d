//! Help, completions and manual pages. `.ci/completions` and `.ci/man-pages` test the last two with shells, man and
//! mandoc.

use std::fs;

use super::process::{directory, run};

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
        for word in ["normalize", "skip-unrelated"].into_iter().chain(commands().iter().map(String::as_str)) {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
        // What clap makes for the others knows no values.
        let values = ["sarif", "concise", "schema/missing-server", "advice", "11.3.0", "nushell"];
        for value in values.iter().filter(|_| !["elvish", "powershell"].contains(&shell)) {
            assert!(script.stdout.contains(value) || (shell, *value) == ("fish", "nushell"), "{shell}: {value}");
        }
    }
    // `explain` takes names of rules as words.
    let bash = run(&["completions", "bash"]).stdout;
    let (_, explain) = bash.split_once("        backupxml__subcmd__explain)").expect("a case for explain");
    assert!(explain.split(";;").next().unwrap_or_default().contains("schema/missing-server"), "{explain}");
    assert_eq!(run(&["completions", "tcsh"]).status, 2);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let directory = directory("man", &[]).join("new");
    let written = run(&["man", directory.to_str().unwrap()]);
    assert_eq!((written.status, written.stdout.as_str(), written.stderr.as_str()), (0, "", ""));
    let commands = commands();
    for command in &commands {
        let page = fs::read_to_string(directory.join(format!("backupxml-{command}.1"))).unwrap();
        assert!(page.contains(&format!("\n.TH backupxml-{command} 1 ")), "{page}");
        assert!(page.contains("\nExamples:\n  "), "{page}");
    }
    let main = fs::read_to_string(directory.join("backupxml.1")).unwrap();
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS"] {
        assert!(main.contains(&format!("\n.SH {section}\n")), "{section}");
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), commands.len() + 1);
    assert!(run(&["man"]).stdout.contains(".SH SUBCOMMANDS"));
    assert_eq!(run(&["man", "/dev/null/x"]).status, 2);
}
