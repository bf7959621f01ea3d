//! Every row of the format's tables with accepted and refused values, and the products of choices that depend on each
//! other.
//!
//! The cases are listed explicitly, so that the code shows what is covered.

mod alignment;
mod checkpoint;
mod shape;
mod storage;
mod text;

use crate::case::{Case, Kind};

pub const SUFFIX: &str = "S";

/// The parts, with the name of the file that each is recorded in.
pub fn parts() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("disk", shape::disk()),
        ("mode", shape::mode()),
        ("server", shape::server()),
        ("name", shape::name()),
        ("mistake", shape::mistakes()),
        ("driver", storage::driver()),
        ("path", storage::path()),
        ("seclabel", storage::seclabel()),
        ("encryption", storage::encryption()),
        ("text", text::text()),
        ("spelling", text::spelling()),
        ("word", text::fixed_words()),
        ("status", text::status()),
        ("align", alignment::alignment()),
        ("checkpoint", checkpoint::checkpoint()),
    ]
}

fn parsed(backup: impl Into<Vec<u8>>) -> Case {
    Case { kind: Kind::Backup, document: backup.into(), domain: None, suffix: SUFFIX.into() }
}

fn aligned(backup: impl Into<Vec<u8>>, domain: &str) -> Case {
    Case { domain: Some(domain.as_bytes().to_vec()), ..parsed(backup) }
}

/// ` name='value'`, or nothing without a value; the value is escaped.
fn attribute(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {name}='{}'", escaped(value)))
}

fn escaped(value: &str) -> String {
    let mut text = String::new();
    for character in value.chars() {
        match character {
            '<' | '&' | '\'' | '\t' | '\n' | '\r' | '>' => text.extend(["&#", &u32::from(character).to_string(), ";"]),
            _ => text.push(character),
        }
    }
    text
}

/// A backup in `mode` that contains `disks`, with a server in pull mode.
fn backup(pull: bool, disks: &str) -> String {
    if pull {
        format!("<domainbackup mode='pull'><server name='localhost'/><disks>{disks}</disks></domainbackup>")
    } else {
        format!("<domainbackup><disks>{disks}</disks></domainbackup>")
    }
}

/// A domain with these disks.
fn domain(disks: &str) -> String {
    format!(
        "<domain type='qemu'><name>vm</name><memory>1048576</memory><os><type>hvm</type></os><devices>{disks}</devices></domain>"
    )
}

/// Each combination of one item of each list.
fn product<'a>(lists: &[&[Option<&'a str>]]) -> Vec<Vec<Option<&'a str>>> {
    let mut rows = vec![Vec::new()];
    for list in lists {
        rows = rows
            .into_iter()
            .flat_map(|row| {
                list.iter().map(move |choice| {
                    let mut row = row.clone();
                    row.push(*choice);
                    row
                })
            })
            .collect();
    }
    rows
}
