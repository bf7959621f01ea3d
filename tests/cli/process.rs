//! Runs the program and collects its result.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self {
            status: output.status.code().expect("no signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backupxml"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    for variable in
        ["NO_COLOR", "SOURCE_DATE_EPOCH", "TERM", "COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI"]
    {
        command.env_remove(variable);
    }
    command
}

pub fn run(arguments: &[&str]) -> Run {
    command(arguments).stdin(Stdio::null()).output().expect("it runs").into()
}

pub fn run_with(arguments: &[&str], stdin: &[u8]) -> Run {
    let pipe = || Stdio::piped();
    let mut child = command(arguments).stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().expect("it runs");
    // With bad arguments it exits before it reads.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap().into()
}

/// A temporary directory for a test, with files in it.
pub fn directory(test: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    for (name, content) in files {
        std::fs::write(directory.join(name), content).unwrap();
    }
    directory
}

pub fn path(directory: &std::path::Path, name: &str) -> String {
    directory.join(name).to_str().unwrap().to_owned()
}
