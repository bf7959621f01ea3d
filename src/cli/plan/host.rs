//! What libvirt and the machine say of the disks of a plan.

use std::io::{self, Write};

use crate::cli::report::visible_line;
use crate::host::sizes::{Sizes, bytes};
use crate::plan::{Decision, Plan};

/// At most this many checkpoints of a disk are listed, the newest ones.
const MAX_CHECKPOINTS: usize = 4;

/// Sizes and checkpoints of each disk that takes part, and the space on each file system.
pub(super) fn write_host(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let rows = plan.rows.iter().filter_map(|row| match &row.decision {
        Decision::Included(included) => Some(cells(&row.disk, included.sizes.as_ref()?)),
        Decision::Excluded(_) => None,
    });
    let heads = ["DISK", "CAPACITY", "WRITES", "FREE", "CHECKPOINTS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads).chain(rows).collect();
    if rows.len() == 1 {
        return Ok(());
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| textwrap::core::display_width(cell)).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..5).map(width).collect();
    writeln!(out)?;
    for row in &rows {
        let padded = row.iter().zip(&widths).map(|(cell, width)| {
            let padding = width.saturating_sub(textwrap::core::display_width(cell));
            format!("{cell}{}", " ".repeat(padding))
        });
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn cells(disk: &str, sizes: &Sizes) -> [String; 5] {
    let unknown = || "unknown".to_owned();
    let shown = |size: Option<u64>| size.map_or_else(unknown, bytes);
    let writes = match (sizes.estimate, sizes.capacity) {
        (Some(estimate), _) => format!("about {}", bytes(estimate)),
        (None, Some(capacity)) => format!("at most {}", bytes(capacity)),
        (None, None) => unknown(),
    };
    let newest: Vec<_> = sizes.checkpoints.iter().rev().take(MAX_CHECKPOINTS).map(|name| visible_line(name)).collect();
    let more = sizes.checkpoints.len().saturating_sub(MAX_CHECKPOINTS);
    let checkpoints = match (newest.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => newest.join(", "),
        (false, more) => format!("{} and {more} older", newest.join(", ")),
    };
    [visible_line(disk).into_owned(), shown(sizes.capacity), writes, shown(sizes.free), checkpoints]
}

/// The total for each file system, and the newest checkpoint that every disk could start from.
pub(super) fn write_totals(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for share in &plan.shares {
        let mount =
            if share.mount.is_empty() { "one file system".to_owned() } else { visible_line(&share.mount).into_owned() };
        writeln!(out, "about {} to write to {mount}, {} free", bytes(share.estimate), bytes(share.free))?;
    }
    match &plan.newest_checkpoint {
        Some(name) => writeln!(out, "newest checkpoint that covers every disk: {}", visible_line(name)),
        None => Ok(()),
    }
}
