//! `plan`: a table of the domain's disks, or the same for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::{CommonArgs, Format, PlanArgs, PlanFormat};
use crate::levels::Levels;
use crate::plan::{Fate, Plan, Setting};
use crate::report::{Checked, Reporter, Status, diagnostics_as_json, visible_line};

use super::session::{Session, style};
use super::{ExitStatus, World};

/// The fewest columns that destinations are shown in, however narrow the terminal.
const NARROWEST: usize = 24;

pub(super) fn plan(arguments: &PlanArgs, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let common = as_common(arguments);
    let mut session = Session::new(&common, Levels::default(), world)?;
    session.foresee(&arguments.start)?;
    let findings = style(&common, &world.stderr, world);
    let color = style(&common, &world.stdout, world).appearance.color;
    let width = world.width.filter(|_| world.stdout.terminal).unwrap_or(80);
    let work = |file: &std::path::Path, bytes: Option<Vec<u8>>| {
        let mut plan = None;
        let checked = session.examine(file, bytes, |text, domain, options| match domain {
            Some(domain) => {
                let (found, diagnostics) = crate::plan(text, domain, options);
                plan = found;
                diagnostics
            }
            // What is wrong with the domain is told already.
            None => crate::check(text, None, options),
        });
        (checked, plan)
    };
    session.for_each(world, work, |_, (checked, plan), world| {
        let status = ExitStatus::from(checked.status);
        if arguments.format == PlanFormat::Json {
            write_json(world.stdout.stream, &checked, plan.as_ref())?;
            return Ok(status);
        }
        if checked.status != Status::Unreadable {
            let mut reporter = Reporter::new(findings);
            reporter.add(world.stderr.stream, &findings.part(&checked)?)?;
            world.stderr.stream.flush()?;
        }
        if let Some(plan) = plan {
            write_table(world.stdout.stream, &plan, width, color)?;
            if !arguments.quiet {
                writeln!(world.stdout.stream, "\n{}", visible_line(&plan.summary()))?;
                if checked.status == Status::Failed {
                    writeln!(world.stdout.stream, "but libvirt would refuse it")?;
                }
            }
        }
        world.stdout.stream.flush()?;
        Ok(status)
    })
}

/// A plan is made of one file that is checked.
fn as_common(arguments: &PlanArgs) -> CommonArgs {
    CommonArgs {
        files: arguments.file.iter().cloned().collect(),
        domain: Some(arguments.domain.clone()),
        asked: arguments.asked.clone(),
        status: false,
        format: Format::Full,
        allow: Vec::new(),
        warn: Vec::new(),
        deny: Vec::new(),
        skip_unrelated: false,
        jobs: None,
        stdin_filename: arguments.stdin_filename.clone(),
        color: arguments.color,
        quiet: true,
    }
}

/// A value for a cell; a star marks libvirt's defaults.
fn marked<T: AsRef<str>>(setting: &Setting<T>) -> String {
    let star = if setting.written { "" } else { "*" };
    format!("{}{star}", visible_line(setting.value.as_ref()))
}

fn cells(plan: &Plan) -> Vec<[String; 5]> {
    let rows = plan.rows.iter().map(|row| {
        let disk = visible_line(&row.disk).into_owned();
        match &row.fate {
            Fate::LeftOut(reason) => {
                [disk, format!("no: {}", reason.words()), String::new(), String::new(), String::new()]
            }
            Fate::Taken(taken) => {
                let mode = Setting { value: taken.mode.value.name(), written: taken.mode.written };
                let since = taken.since.as_ref().map_or(String::new(), |since| format!(" from {}", marked(since)));
                let format = Setting { value: taken.format.value.name(), written: taken.format.written };
                let export = taken.export.as_ref().map_or(String::new(), marked);
                let bitmap =
                    taken.bitmap.as_ref().map_or(String::new(), |bitmap| format!(", bitmap {}", marked(bitmap)));
                [
                    disk,
                    format!("{}{since}", marked(&mode)),
                    taken.destination.as_ref().map_or("none".to_owned(), marked),
                    marked(&format),
                    format!("{export}{bitmap}"),
                ]
            }
        }
    });
    rows.collect()
}

/// Columns as wide as what stands in them; what is too much for the terminal is folded, the longest column first.
fn write_table(out: &mut dyn Write, plan: &Plan, width: usize, color: bool) -> io::Result<()> {
    let heads = ["DISK", "BACKUP", "DESTINATION", "FORMAT", "EXPORT"].map(str::to_owned);
    let rows = cells(plan);
    let mut widths = [0; 5];
    for row in rows.iter().chain([&heads]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = textwrap::core::display_width(cell).max(*width);
        }
    }
    if rows.iter().all(|row| row.last().is_none_or(String::is_empty)) {
        widths[4] = 0;
    }
    while widths.iter().sum::<usize>() + 2 * 4 > width {
        let Some(widest) = widths.iter_mut().max() else { break };
        if *widest <= NARROWEST {
            break;
        }
        *widest -= 1;
    }
    write_row(out, &heads, &widths, if color { "1" } else { "" })?;
    for (row, cells) in plan.rows.iter().zip(&rows) {
        let code = match &row.fate {
            Fate::LeftOut(_) => "2",
            Fate::Taken(taken) if taken.since.is_some() => "36",
            Fate::Taken(_) => "32",
        };
        write_row(out, cells, &widths, if color { code } else { "" })?;
    }
    let has_default = rows.iter().flatten().any(|cell| cell.contains('*'));
    if has_default { writeln!(out, "* not written: libvirt's default") } else { Ok(()) }
}

fn write_row(out: &mut dyn Write, cells: &[String; 5], widths: &[usize; 5], code: &str) -> io::Result<()> {
    let folded: Vec<Vec<_>> =
        cells.iter().zip(widths).map(|(cell, width)| textwrap::wrap(cell, (*width).max(1))).collect();
    // A column in which nothing stands is none.
    let folded: Vec<_> = folded.into_iter().zip(widths).filter(|(_, width)| **width > 0).collect();
    let lines = folded.iter().map(|(cell, _)| cell.len()).max().unwrap_or_default();
    for line in 0..lines {
        let mut text = String::new();
        for ((cell, width), position) in folded.iter().zip(0..) {
            let part = cell.get(line).map_or("", |part| part.as_ref());
            text.push_str(if position == 0 { "" } else { "  " });
            text.push_str(part);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(textwrap::core::display_width(part))));
        }
        let text = text.trim_end();
        if code.is_empty() { writeln!(out, "{text}")? } else { writeln!(out, "\x1b[{code}m{text}\x1b[0m")? }
    }
    Ok(())
}

#[derive(Serialize)]
struct JsonPlan<'a> {
    schema_version: u32,
    path: &'a str,
    /// Whether libvirt would start it.
    accepted: bool,
    mode: Option<&'a str>,
    disks: Vec<JsonRow<'a>>,
    summary: Option<String>,
    diagnostics: serde_json::Value,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    disk: &'a str,
    taken: bool,
    /// Why it is left out.
    reason: Option<&'a str>,
    backupmode: Option<JsonSetting<'a>>,
    incremental: Option<JsonSetting<'a>>,
    r#type: Option<&'a str>,
    destination: Option<JsonSetting<'a>>,
    format: Option<JsonSetting<'a>>,
    exportname: Option<JsonSetting<'a>>,
    exportbitmap: Option<JsonSetting<'a>>,
}

#[derive(Serialize)]
struct JsonSetting<'a> {
    value: &'a str,
    /// Whether the backup says so; otherwise it is libvirt's default.
    written: bool,
}

impl<'a> JsonSetting<'a> {
    fn new(setting: &'a Setting<String>) -> Self {
        Self { value: &setting.value, written: setting.written }
    }
}

fn write_json(out: &mut dyn Write, checked: &Checked, plan: Option<&Plan>) -> anyhow::Result<()> {
    let json = JsonPlan {
        schema_version: 1,
        path: checked.name(),
        accepted: checked.status == Status::Ok,
        mode: plan.map(|plan| plan.mode.name()),
        disks: plan.iter().flat_map(|plan| &plan.rows).map(json_row).collect(),
        summary: plan.map(Plan::summary),
        diagnostics: diagnostics_as_json(checked)?,
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
    out.flush()?;
    Ok(())
}

fn json_row(row: &crate::plan::Row) -> JsonRow<'_> {
    let taken = row.fate.taken();
    JsonRow {
        disk: &row.disk,
        taken: taken.is_some(),
        reason: match &row.fate {
            Fate::LeftOut(reason) => Some(reason.words()),
            Fate::Taken(_) => None,
        },
        backupmode: taken.map(|taken| JsonSetting { value: taken.mode.value.name(), written: taken.mode.written }),
        incremental: taken.and_then(|taken| taken.since.as_ref()).map(JsonSetting::new),
        r#type: taken.map(|taken| taken.storage_type),
        destination: taken.and_then(|taken| taken.destination.as_ref()).map(JsonSetting::new),
        format: taken.map(|taken| JsonSetting { value: taken.format.value.name(), written: taken.format.written }),
        exportname: taken.and_then(|taken| taken.export.as_ref()).map(JsonSetting::new),
        exportbitmap: taken.and_then(|taken| taken.bitmap.as_ref()).map(JsonSetting::new),
    }
}
