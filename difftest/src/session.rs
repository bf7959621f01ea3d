//! A separate process that loads libvirt and answers cases.
//!
//! libvirt may crash on documents that no driver would pass to it, and leaks some memory: a long comparison must
//! survive both.

use std::io::{BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::case::{Answer, Case};
use crate::wire;

/// Number of cases after which the process is replaced.
const QUESTIONS_PER_PROCESS: u32 = 20_000;

pub struct Session {
    command: String,
    asked: Asked,
    questions: u32,
}

struct Asked {
    process: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    release: String,
}

impl Session {
    /// Starts `COMMAND answer`; the command is split at white space.
    pub fn start(command: &str) -> Result<Self> {
        Ok(Self { command: command.to_owned(), asked: Asked::start(command)?, questions: 0 })
    }

    /// The release of that libvirt.
    pub fn release(&self) -> &str {
        &self.asked.release
    }

    /// libvirt's answer to a case; `None` if the process died.
    pub fn ask(&mut self, case: &Case) -> Result<Option<Answer>> {
        if !case.can_be_asked() {
            bail!("a document with a NUL cannot be asked about");
        }
        self.questions += 1;
        if self.questions.is_multiple_of(QUESTIONS_PER_PROCESS) {
            self.restart()?;
        }
        if let Ok(answer) = self.asked.ask(case) {
            return Ok(Some(answer));
        }
        self.restart()?;
        Ok(None)
    }

    fn restart(&mut self) -> Result<()> {
        self.asked = Asked::start(&self.command)?;
        Ok(())
    }
}

impl Asked {
    fn start(command: &str) -> Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().context("the command to ask libvirt with is empty")?;
        let mut process = Command::new(program)
            .args(words)
            .arg("answer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {command}"))?;
        let input = BufWriter::new(process.stdin.take().context("no pipe to the asked process")?);
        let mut output = BufReader::new(process.stdout.take().context("no pipe from the asked process")?);
        let release = wire::read_text(&mut output).with_context(|| format!("{command} does not answer"))?;
        Ok(Self { process, input: Some(input), output, release })
    }

    fn ask(&mut self, case: &Case) -> Result<Answer> {
        let input = self.input.as_mut().context("hung up")?;
        wire::write_case(input, case)?;
        input.flush()?;
        Ok(wire::read_answer(&mut self.output)?)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // Closing its input ends the process; waiting for it leaves no zombie.
        self.input = None;
        let _ = self.process.wait();
    }
}
