//! Binds the process to the library: streams, environment, exit status.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use backupxml::cli::{Env, Output, run};

fn main() -> ExitCode {
    let stdout = io::stdout();
    let stderr = io::stderr();
    let terminals = (stdout.is_terminal(), stderr.is_terminal());
    let mut buffered = BufWriter::new(stdout.lock());
    let status = run(
        std::env::args_os(),
        &mut Env {
            stdin: &mut io::stdin().lock(),
            stdout: Output { stream: &mut buffered, terminal: terminals.0 },
            stderr: Output { stream: &mut stderr.lock(), terminal: terminals.1 },
            environment: &|name| std::env::var(name).ok(),
            width: terminal_size::terminal_size().map(|(width, _)| width.0.into()),
        },
    );
    match buffered.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(2),
        _ => ExitCode::from(status.code()),
    }
}
