//! Asks an installed libvirt what it makes of domain backups, and holds backupxml to its answers.
//!
//! A maintainer's tool: `record` writes the answers that the conformance test replays, `compare` looks for documents
//! on which the two differ.

mod case;
mod libvirt;
mod random;
mod session;
mod wire;

use std::io::{self, Write};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::libvirt::Libvirt;

#[derive(Parser)]
#[command(about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers the cases on standard input with the libvirt installed here; the other commands run this
    Answer {
        /// The library to load
        #[arg(long, default_value = "libvirt.so.0")]
        library: String,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Answer { library } => answer(&library),
    }
}

fn answer(library: &str) -> Result<()> {
    let libvirt = Libvirt::load(library)?;
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    wire::write_text(&mut output, libvirt.version())?;
    output.flush()?;
    while let Some(case) = wire::read_case(&mut input)? {
        wire::write_answer(&mut output, &libvirt.answer(&case)?)?;
        output.flush()?;
    }
    Ok(())
}
