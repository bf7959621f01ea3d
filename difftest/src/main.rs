//! Compares backupxml with an installed libvirt.
//!
//! A tool for maintainers: `record` writes the answers that the conformance test replays, `compare` searches for
//! documents on which the two differ.

mod case;
mod compare;
mod facts;
mod generate;
mod libvirt;
mod ours;
mod random;
mod record;
mod schema;
mod session;
mod shrink;
mod systematic;
mod wire;
mod xml;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::case::Case;
use crate::generate::Domains;
use crate::libvirt::Libvirt;
use crate::schema::Schema;
use crate::session::Session;

#[derive(Parser)]
#[command(about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer the cases on standard input with the installed libvirt; used by the other commands
    Answer {
        /// The library to load
        #[arg(long, default_value = "libvirt.so.0")]
        library: String,
    },
    /// Ask libvirt about every case of the conformance test and record its answers
    Record(record::Options),
    /// Search for documents on which the library and libvirt differ, and reduce them
    Compare(compare::Options),
    /// Print what this machine shows of a backup; used by host.py
    Facts(facts::Request),
    /// Print the case of a seed
    Show {
        seed: u64,
        /// The case is a checkpoint
        #[arg(long)]
        checkpoint: bool,
        /// The case is sampled from this RELAX NG schema
        #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
        schema: Option<PathBuf>,
        /// Also ask libvirt, running COMMAND answer
        #[arg(long, value_name = "COMMAND")]
        run_in: Option<String>,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Answer { library } => answer(&library)?,
        Command::Record(options) => return record::run(&options),
        Command::Facts(request) => facts::print(&request)?,
        Command::Compare(options) => return compare::run(&options),
        Command::Show { seed, checkpoint, schema, run_in } => {
            let case = match schema {
                Some(path) => Schema::read(&path)?.case(seed)?,
                None => generate::case(seed, Domains::Any, checkpoint),
            };
            show(&case, run_in.as_deref())?;
        }
    }
    Ok(ExitCode::SUCCESS)
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

fn show(case: &Case, run_in: Option<&str>) -> Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(&case.document)?;
    if let Some(domain) = &case.domain {
        output.write_all(b"\n---\n")?;
        output.write_all(domain)?;
    }
    writeln!(output, "\n--- suffix {}, {:?}", case.suffix, case.kind)?;
    if let Some(command) = run_in {
        writeln!(output, "{:#?}", Session::start(command)?.ask(case)?)?;
    }
    Ok(())
}
