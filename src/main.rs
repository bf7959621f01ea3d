//! Binds the process to the library: streams, environment, exit status.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice, stream::RawStream};

use backupxml::cli::{Env, Output, run};

fn main() -> ExitCode {
    let stdout = io::stdout();
    let stderr = io::stderr();
    let terminals = (stdout.is_terminal(), stderr.is_terminal());
    let colors = (wants_color(&stdout), wants_color(&stderr));
    let mut buffered = BufWriter::new(stdout.lock());
    let status = run(
        std::env::args_os(),
        &mut Env {
            stdin: &mut io::stdin().lock(),
            stdout: Output { stream: &mut buffered, terminal: terminals.0, color: colors.0 },
            stderr: Output { stream: &mut stderr.lock(), terminal: terminals.1, color: colors.1 },
            environment: &|name| std::env::var(name).ok(),
            width: terminal_size::terminal_size().map(|(width, _)| width.0.into()),
        },
    );
    match buffered.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(2),
        _ => ExitCode::from(status.code()),
    }
}

/// Whether a stream is coloured: as `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM` and `CI` say, which anstream knows,
/// and as `FORCE_COLOR` says.
fn wants_color(stream: &impl RawStream) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let forced = is_set("FORCE_COLOR") && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    forced || AutoStream::choice(stream) != ColorChoice::Never
}
