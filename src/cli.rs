//! The whole program but for the process: the arguments, a command, and how it ends.

mod args;
mod check;
mod comment;
mod completions;
mod config;
mod diff;
mod explain;
mod host;
mod input;
mod jobs;
mod levels;
mod man;
mod message;
mod new;
mod normalize;
mod plan;
mod progress;
mod report;
mod rules;
mod session;
mod suppression;
mod write;

use std::ffi::OsString;
use std::io::{self, Read, Write};

use args::Command;
#[cfg(feature = "internals")]
pub use host::look_for;
use report::visible_line;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// No errors; warnings perhaps.
    Success,
    /// At least one error in a document.
    Errors,
    /// Bad arguments, or something that could not be read or written.
    Failure,
}

impl ExitStatus {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Errors => 1,
            Self::Failure => 2,
        }
    }
}

/// A stream for output, and what is at its end.
pub struct Output<'a> {
    /// Where bytes go.
    pub stream: &'a mut dyn Write,
    /// Whether that is a terminal.
    pub terminal: bool,
    /// Whether it is coloured unless --color says something else.
    pub color: bool,
}

/// What the program has of the process it runs in.
pub struct Env<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Standard output.
    pub stdout: Output<'a>,
    /// Standard error.
    pub stderr: Output<'a>,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The width of the terminal in columns, if there is one.
    pub width: Option<usize>,
}

impl Env<'_> {
    /// Writes a line to standard error. Whatever names and values it holds, it stays one line and controls no terminal.
    pub(crate) fn print_message(&mut self, message: &str) -> io::Result<()> {
        writeln!(self.stderr.stream, "backupxml: {}", visible_line(message))
    }
}

/// Runs the program with its arguments, the name of the program first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, env: &mut Env<'_>) -> ExitStatus {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let (command, levels) = match args::parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return explain_usage(&error, env),
    };
    let result = match command {
        Command::Check(arguments) if arguments.fix || arguments.unsafe_fixes || arguments.diff => {
            check::fix(&arguments, &levels, env)
        }
        Command::Check(arguments) => check::check(&arguments, &levels, env),
        Command::Normalize(arguments) => normalize::normalize(&arguments, &levels, env),
        Command::Plan(arguments) => plan::plan(&arguments, env),
        Command::New(arguments) => new::new(&arguments, env),
        Command::Rules(arguments) => rules::rules(arguments.format, env),
        Command::Explain(arguments) => explain::explain(&arguments, env),
        Command::Completions(arguments) => completions::completions(arguments.shell, env),
        Command::Man(arguments) => man::man(arguments.directory.as_deref(), env),
    };
    result.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            // The reader closed the pipe: not an error.
            return ExitStatus::Success;
        }
        // Nothing is left to do where standard error is closed too.
        let _ = env.print_message(&format!("{error:#}"));
        ExitStatus::Failure
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Prints help, the version, or what is wrong with the arguments.
fn explain_usage(error: &clap::Error, env: &mut Env<'_>) -> ExitStatus {
    let (output, status) = if error.use_stderr() {
        (&mut env.stderr, ExitStatus::Failure)
    } else {
        (&mut env.stdout, ExitStatus::Success)
    };
    // A closed stream takes nothing away from the exit status.
    let _ = if output.color {
        write!(output.stream, "{}", error.render().ansi())
    } else {
        write!(output.stream, "{}", error.render())
    };
    status
}
