//! How far a long run is: a line on standard error, if a person looks at it.

use std::io;
use std::time::{Duration, Instant};

use super::Env;

/// Nobody needs to be told of less.
const FIRST_UPDATE_DELAY: Duration = Duration::from_secs(1);
/// Often enough to see that something moves.
const UPDATE_INTERVAL: Duration = Duration::from_millis(100);

/// The line, and when it is due next.
pub(super) struct Progress {
    /// How many files there are; none where nobody looks.
    files: usize,
    done: usize,
    due: Instant,
    shown: bool,
}

impl Progress {
    /// For a run over `files` that starts at `now`.
    pub(super) fn new(files: usize, wanted: bool, now: Instant) -> Self {
        let files = if wanted && files > 1 { files } else { 0 };
        Self { files, done: 0, due: now + FIRST_UPDATE_DELAY, shown: false }
    }

    /// Takes the line away, to make room for something that stays.
    pub(super) fn clear(&mut self, env: &mut Env<'_>) -> io::Result<()> {
        if std::mem::take(&mut self.shown) {
            write!(env.stderr.stream, "\r\x1b[K")?;
            env.stderr.stream.flush()?;
        }
        Ok(())
    }

    /// One more file is done.
    pub(super) fn step(&mut self, env: &mut Env<'_>, now: impl FnOnce() -> Instant) -> io::Result<()> {
        self.done += 1;
        if self.files == 0 {
            return Ok(());
        }
        let now = now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + UPDATE_INTERVAL;
        // What was found so far comes first: both streams may end in one terminal.
        self.clear(env)?;
        env.stdout.stream.flush()?;
        self.shown = self.done < self.files;
        if self.shown {
            write!(env.stderr.stream, "{} of {} files", self.done, self.files)?;
            env.stderr.stream.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Output;
    use super::*;

    fn after(wanted: bool, seconds: &[u64]) -> String {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut env = Env {
            stdin: &mut io::empty(),
            stdout: Output { stream: &mut stdout, terminal: true },
            stderr: Output { stream: &mut stderr, terminal: true },
            environment: &|_| None,
            width: None,
        };
        let start = Instant::now();
        let mut progress = Progress::new(3, wanted, start);
        for second in seconds {
            progress.step(&mut env, || start + Duration::from_secs(*second)).unwrap();
        }
        progress.clear(&mut env).unwrap();
        String::from_utf8(stderr).unwrap()
    }

    #[test]
    fn a_long_run_shows_its_progress_and_clears_it() {
        assert_eq!(after(true, &[0, 2, 2]), "2 of 3 files\r\x1b[K");
        assert_eq!(after(true, &[2, 3]), "1 of 3 files\r\x1b[K2 of 3 files\r\x1b[K");
        assert_eq!(after(true, &[2, 3, 4]), "1 of 3 files\r\x1b[K2 of 3 files\r\x1b[K");
    }

    #[test]
    fn no_progress_in_short_runs_or_without_a_terminal() {
        assert_eq!(after(true, &[0, 0, 0]), "");
        assert_eq!(after(false, &[2, 3, 4]), "");
    }
}
