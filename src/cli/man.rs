//! `man`: the manual pages, from the definitions of the command line.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::Cli;

use super::session::seconds_since_1970;
use super::{Env, ExitStatus};

/// As long as a line of a page may be.
const WIDTH: usize = 80;

/// Writes every page into a directory, or the main one to standard output.
pub(super) fn man(directory: Option<&Path>, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    if let Some(command) = directory.and_then(named_command) {
        bail!(
            "`man` takes a directory, not a command: for the page of `{command}`, run `backupxml man DIR` \
             and read DIR/backupxml-{command}.1; for a directory of that name, write ./{command}"
        );
    }
    let mut main = Cli::command().disable_help_subcommand(true);
    main.build();
    let date = date(seconds_since_1970(env.environment));
    let Some(directory) = directory else {
        env.stdout.stream.write_all(page(&main, &main, &date)?.as_bytes())?;
        env.stdout.stream.flush()?;
        return Ok(ExitStatus::Success);
    };
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    for of in std::iter::once(&main).chain(main.get_subcommands()) {
        let path = directory.join(format!("{}.1", page_name(&main, of)));
        fs::write(&path, page(&main, of, &date)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitStatus::Success)
}

/// The command that a directory is called like.
fn named_command(directory: &Path) -> Option<String> {
    let command = Cli::command();
    let mut names = command.get_subcommands().map(Command::get_name).chain(["help"]);
    names.find(|name| directory.as_os_str() == *name).map(str::to_owned)
}

fn page_name(main: &Command, of: &Command) -> String {
    match of.get_name() {
        name if name == main.get_name() => name.to_owned(),
        name => format!("{}-{name}", main.get_name()),
    }
}

/// One page, of the program itself or of one of its commands.
fn page(main: &Command, of: &Command, date: &str) -> io::Result<String> {
    let name = page_name(main, of);
    let version = format!("{} {}", main.get_name(), main.get_version().unwrap_or_default());
    let described = of.clone().display_name(&name);
    let mut text = Vec::new();
    let rendered = Man::new(described).title(name.to_uppercase()).date(date).source(version).manual("User Commands");
    rendered.render_title(&mut text)?;
    rendered.render_name_section(&mut text)?;
    let mut synopsis = Roff::new();
    let usage = of.clone().render_usage().to_string();
    synopsis.control("SH", ["SYNOPSIS"]).text([roman(usage.trim_start_matches("Usage: "))]);
    synopsis.to_writer(&mut text)?;
    rendered.render_description_section(&mut text)?;
    rendered.render_options_section(&mut text)?;
    closing_sections(main, of).to_writer(&mut text)?;
    Ok(tidy(&String::from_utf8_lossy(&text)))
}

fn closing_sections(main: &Command, of: &Command) -> Roff {
    let is_main = of.get_name() == main.get_name();
    let mut roff = Roff::new();
    if is_main {
        roff.control("SH", ["COMMANDS"]);
        for subcommand in main.get_subcommands() {
            roff.control("TP", []).text([bold(page_name(main, subcommand)), roman("(1)")]);
            roff.text([roman(subcommand.get_about().map(ToString::to_string).unwrap_or_default())]);
        }
    }
    let closing = of.get_after_help().map(ToString::to_string).unwrap_or_default();
    closing.split("\n\n").for_each(|section| closing_section(&mut roff, section));
    let mut pages = vec!["virsh".to_owned()];
    if is_main {
        pages.splice(0..0, main.get_subcommands().map(|subcommand| page_name(main, subcommand)));
    } else {
        pages.insert(0, main.get_name().to_owned());
    }
    roff.control("SH", ["SEE ALSO"]);
    for (index, page) in pages.iter().enumerate() {
        let comma = if index + 1 < pages.len() { "," } else { "" };
        roff.control("BR", [page.as_str(), &format!("(1){comma}")]);
    }
    roff
}

/// A paragraph of the help: a heading and a colon, then text, or indented lines that stay as they are.
fn closing_section(roff: &mut Roff, section: &str) {
    let Some((heading, body)) = section.split_once(':') else { return };
    roff.control("SH", [heading.to_uppercase().as_str()]);
    if body.starts_with('\n') {
        roff.control("nf", []);
        for line in body.lines().skip(1) {
            roff.text([roman(line.trim_start())]);
        }
        roff.control("fi", []);
    } else {
        roff.text([roman(body.split_whitespace().collect::<Vec<_>>().join(" "))]);
    }
}

/// The page without what `mandoc -T lint` minds: breaks beside vertical space, white space at the end of lines, and
/// lines that are too long, outside of examples.
fn tidy(page: &str) -> String {
    let lines: Vec<_> = page.lines().map(str::trim_end).collect();
    let mut tidied = String::with_capacity(page.len() + 64);
    let mut as_it_stands = false;
    for (index, line) in lines.iter().enumerate() {
        let state = [index.checked_sub(1), Some(index + 1)].map(|index| lines.get(index?).copied());
        let doubled = state.contains(&Some(".sp")) || tidied.ends_with("\n.br\n");
        if *line == ".br" && doubled || line.is_empty() {
            continue;
        }
        as_it_stands = *line == ".nf" || as_it_stands && *line != ".fi";
        let mut width = 0;
        for (position, word) in line.split(' ').enumerate() {
            // A word that starts with one of these would be a request at the start of a line.
            let breaks = !as_it_stands && !line.starts_with('.') && !word.starts_with(['.', '\'']);
            let separator = match position {
                0 => "",
                _ if breaks && width + word.len() >= WIDTH => "\n",
                _ => " ",
            };
            width = if separator == "\n" { word.len() } else { width + separator.len() + word.len() };
            tidied.push_str(separator);
            tidied.push_str(word);
        }
        tidied.push('\n');
    }
    tidied
}

/// The day of a time, as `2026-11-24`; from Howard Hinnant's `civil_from_days`.
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_day_of_its_making() {
        for (seconds, day) in
            [(0, "1970-01-01"), (951_782_399, "2000-02-28"), (951_868_799, "2000-02-29"), (1_700_000_000, "2023-11-14")]
        {
            assert_eq!(date(seconds), day);
        }
    }

    #[test]
    fn long_lines_break_between_words_and_not_in_examples() {
        let long = "word ".repeat(30);
        let page = format!(".br\n.sp\n{long}\n.nf\n{long}\n.fi\n{}", "x .y ".repeat(30));
        let tidied = tidy(&page);
        assert!(!tidied.contains(".br") && !tidied.contains(" \n"), "{tidied}");
        assert!(tidied.contains(&format!(".nf\n{}\n.fi\n", long.trim_end())), "{tidied}");
        assert!(tidied.lines().all(|line| line.len() <= WIDTH || line.len() == 149), "{tidied}");
        assert!(!tidied.contains("\n.y"), "{tidied}");
    }
}
