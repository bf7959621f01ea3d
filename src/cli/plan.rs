//! `plan`: a table of the domain's disks, or the same for programs.

mod host;

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::args::{CommonArgs, ConfigArgs, Format, PlanArgs, PlanFormat, VmArgs};
use crate::cli::levels::Levels;
use crate::cli::report::{
    CheckedFile, Reporter, Status, diagnostics_as_json, visible, visible_line, write_not_checked,
};
use crate::diagnostic::NotChecked;
use crate::host::sizes::Share;
use crate::plan::{Decision, Plan, Setting};

use super::input::Content;
use super::session::{Session, style};
use super::{Env, ExitStatus};

/// The fewest columns that destinations are shown in, however narrow the terminal.
const MIN_WIDTH: usize = 24;

pub(super) fn plan(arguments: &PlanArgs, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let common = as_common(arguments);
    let mut session = Session::new(&common, &Levels::default(), env)?;
    session.set_start_options(&arguments.start)?;
    let diagnostics_style = style(&common, &env.stderr, env);
    let color = style(&common, &env.stdout, env).appearance.color;
    let width = env.width.filter(|_| env.stdout.terminal).unwrap_or(80);
    let work = |file: &std::path::Path, content: Option<Content>| {
        let mut plan = None;
        let bytes = content.map(|content| content.bytes);
        let checked = session.examine(file, bytes, |text, domain, options| match domain {
            Some(domain) => {
                let (found, checked) = crate::plan(text, domain, options);
                plan = found;
                checked
            }
            // The errors of the domain are reported already.
            None => crate::check_in_detail(text, None, options),
        });
        (checked, plan)
    };
    session.for_each(env, work, |_, (checked, plan), env| {
        let status = ExitStatus::from(checked.status);
        if arguments.format == PlanFormat::Json {
            write_json(env.stdout.stream, &checked, plan.as_ref())?;
            return Ok(status);
        }
        if checked.status != Status::Unreadable {
            let mut reporter = Reporter::new(diagnostics_style);
            reporter.add(env.stderr.stream, &diagnostics_style.report(&checked)?)?;
            env.stderr.stream.flush()?;
        }
        if let Some(plan) = plan {
            write_table(env.stdout.stream, &plan, width, color)?;
            host::write_host(env.stdout.stream, &plan)?;
            if !arguments.quiet {
                writeln!(env.stdout.stream, "\n{}", visible_line(&plan.summary()))?;
                host::write_totals(env.stdout.stream, &plan)?;
                if checked.status == Status::Failed {
                    writeln!(env.stdout.stream, "but libvirt would refuse it")?;
                }
                for not_checked in &checked.not_checked {
                    write_not_checked(env.stdout.stream, not_checked, width)?;
                }
            }
        }
        env.stdout.stream.flush()?;
        Ok(status)
    })
}

/// A plan is made of one file that is checked.
fn as_common(arguments: &PlanArgs) -> CommonArgs {
    CommonArgs {
        files: arguments.file.iter().cloned().collect(),
        domain: arguments.domain.clone(),
        vm: VmArgs { every_checkpoint: true, ..arguments.vm.clone() },
        libvirt: arguments.libvirt.clone(),
        status: false,
        redefine: false,
        format: Format::Full,
        allow: Vec::new(),
        warn: Vec::new(),
        deny: Vec::new(),
        config: ConfigArgs { no_config: true, ..ConfigArgs::default() },
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
        match &row.decision {
            Decision::Excluded(reason) => {
                [disk, format!("no: {}", reason.as_str()), String::new(), String::new(), String::new()]
            }
            Decision::Included(included) => {
                let mode = Setting { value: included.mode.value.name(), written: included.mode.written };
                let since = included.since.as_ref().map_or(String::new(), |since| format!(" from {}", marked(since)));
                let note = included.note.map_or(String::new(), |note| format!(" ({note})"));
                let unnamed = if included.in_pool { "named by the pool*" } else { "none" };
                let format = Setting { value: included.format.value.name(), written: included.format.written };
                let export = included.export.as_ref().map_or(String::new(), marked);
                let bitmap =
                    included.bitmap.as_ref().map_or(String::new(), |bitmap| format!(", bitmap {}", marked(bitmap)));
                [
                    disk,
                    format!("{}{since}{note}", marked(&mode)),
                    included.destination.as_ref().map_or(unnamed.to_owned(), marked),
                    marked(&format),
                    format!("{export}{bitmap}"),
                ]
            }
        }
    });
    rows.collect()
}

/// Columns as wide as their contents; text too wide for the terminal is folded, the longest column first.
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
        if *widest <= MIN_WIDTH {
            break;
        }
        *widest -= 1;
    }
    write_row(out, &heads, &widths, if color { "1" } else { "" })?;
    for (row, cells) in plan.rows.iter().zip(&rows) {
        let code = match &row.decision {
            Decision::Excluded(_) => "2",
            Decision::Included(included) if included.since.is_some() => "36",
            Decision::Included(_) => "32",
        };
        write_row(out, cells, &widths, if color { code } else { "" })?;
    }
    let has_default = rows.iter().flatten().any(|cell| cell.contains('*'));
    if has_default { writeln!(out, "* not written: libvirt's default") } else { Ok(()) }
}

fn write_row(out: &mut dyn Write, cells: &[String; 5], widths: &[usize; 5], code: &str) -> io::Result<()> {
    let wrapped: Vec<Vec<_>> =
        cells.iter().zip(widths).map(|(cell, width)| textwrap::wrap(cell, (*width).max(1))).collect();
    // A column in which nothing stands is none.
    let wrapped: Vec<_> = wrapped.into_iter().zip(widths).filter(|(_, width)| **width > 0).collect();
    let lines = wrapped.iter().map(|(cell, _)| cell.len()).max().unwrap_or_default();
    for line in 0..lines {
        let mut text = String::new();
        for ((cell, width), position) in wrapped.iter().zip(0..) {
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
    file_systems: Vec<JsonFileSystem<'a>>,
    newest_checkpoint: Option<&'a str>,
    summary: Option<String>,
    diagnostics: serde_json::Value,
    not_checked: &'a [NotChecked],
}

#[derive(Serialize)]
struct JsonRow<'a> {
    disk: &'a str,
    included: bool,
    /// Why it is excluded.
    reason: Option<&'a str>,
    backupmode: Option<JsonSetting<'a>>,
    incremental: Option<JsonSetting<'a>>,
    r#type: Option<&'a str>,
    destination: Option<JsonSetting<'a>>,
    format: Option<JsonSetting<'a>>,
    exportname: Option<JsonSetting<'a>>,
    exportbitmap: Option<JsonSetting<'a>>,
    capacity: Option<u64>,
    allocation: Option<u64>,
    estimate: Option<u64>,
    free: Option<u64>,
    /// The checkpoints that cover it, the oldest first; null where libvirt was not asked.
    checkpoints: Option<&'a [String]>,
}

/// What goes to one file system.
#[derive(Serialize)]
struct JsonFileSystem<'a> {
    mount: Option<&'a str>,
    disks: &'a [String],
    estimate: u64,
    free: u64,
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

fn write_json(out: &mut dyn Write, checked: &CheckedFile, plan: Option<&Plan>) -> anyhow::Result<()> {
    let json = JsonPlan {
        schema_version: 1,
        path: checked.name(),
        accepted: checked.status == Status::Ok,
        mode: plan.map(|plan| plan.mode.name()),
        disks: plan.iter().flat_map(|plan| &plan.rows).map(json_row).collect(),
        file_systems: plan.iter().flat_map(|plan| &plan.shares).map(json_file_system).collect(),
        newest_checkpoint: plan.and_then(|plan| plan.newest_checkpoint.as_deref()),
        summary: plan.map(Plan::summary),
        diagnostics: diagnostics_as_json(checked)?,
        not_checked: &checked.not_checked,
    };
    writeln!(out, "{}", visible::json(&serde_json::to_string_pretty(&json)?))?;
    out.flush()?;
    Ok(())
}

fn json_file_system(share: &Share) -> JsonFileSystem<'_> {
    let mount = (!share.mount.is_empty()).then_some(&*share.mount);
    JsonFileSystem { mount, disks: &share.disks, estimate: share.estimate, free: share.free }
}

fn json_row(row: &crate::plan::Row) -> JsonRow<'_> {
    let included = row.decision.included();
    let sizes = included.and_then(|included| included.sizes.as_ref());
    JsonRow {
        disk: &row.disk,
        included: included.is_some(),
        reason: match &row.decision {
            Decision::Excluded(reason) => Some(reason.as_str()),
            Decision::Included(_) => None,
        },
        backupmode: included
            .map(|included| JsonSetting { value: included.mode.value.name(), written: included.mode.written }),
        incremental: included.and_then(|included| included.since.as_ref()).map(JsonSetting::new),
        r#type: included.map(|included| included.storage_type),
        destination: included.and_then(|included| included.destination.as_ref()).map(JsonSetting::new),
        format: included
            .map(|included| JsonSetting { value: included.format.value.name(), written: included.format.written }),
        exportname: included.and_then(|included| included.export.as_ref()).map(JsonSetting::new),
        exportbitmap: included.and_then(|included| included.bitmap.as_ref()).map(JsonSetting::new),
        capacity: sizes.and_then(|sizes| sizes.capacity),
        allocation: sizes.and_then(|sizes| sizes.allocation),
        estimate: sizes.and_then(|sizes| sizes.estimate),
        free: sizes.and_then(|sizes| sizes.free),
        checkpoints: sizes.map(|sizes| sizes.checkpoints.as_slice()),
    }
}
