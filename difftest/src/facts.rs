//! What this machine shows of a backup: what `backupxml check --vm` would look at, as JSON.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use backupxml::cli::look_for;
use backupxml::{Options, checkpoint};

#[derive(clap::Args)]
pub struct Request {
    /// The backup
    backup: PathBuf,
    /// Name of the domain
    #[arg(long)]
    vm: String,
    /// Checkpoint that is passed along
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// As virsh backup-begin --reuse-external
    #[arg(long)]
    reuse_external: bool,
    /// Suffix of generated file names
    #[arg(long)]
    suffix: String,
    /// Command to run as virsh
    #[arg(long, default_value = "virsh")]
    virsh: String,
}

pub fn print(request: &Request) -> Result<()> {
    let mut options =
        Options { suffix: request.suffix.clone(), reuse_external: request.reuse_external, ..Options::default() };
    if let Some(path) = &request.checkpoint {
        let (checkpoint, diagnostics) = checkpoint::read(&fs::read_to_string(path)?, options.release);
        let Some(checkpoint) = checkpoint else { bail!("cannot read the checkpoint: {diagnostics:?}") };
        options.checkpoint = Some(Arc::new(checkpoint));
    }
    let files = look_for(&request.virsh, &request.vm, &fs::read_to_string(&request.backup)?, &options)?;
    println!("{}", serde_json::to_string(&files)?);
    Ok(())
}
