//! How far a long run is: a line on standard error, if a person looks at it.

use std::io;
use std::time::{Duration, Instant};

use super::World;

/// Nobody needs to be told of less.
const PATIENCE: Duration = Duration::from_secs(1);
/// Often enough to see that something moves.
const PERIOD: Duration = Duration::from_millis(100);

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
        Self { files, done: 0, due: now + PATIENCE, shown: false }
    }

    /// Takes the line away, to make room for something that stays.
    pub(super) fn clear(&mut self, world: &mut World<'_>) -> io::Result<()> {
        if std::mem::take(&mut self.shown) {
            write!(world.stderr.stream, "\r\x1b[K")?;
            world.stderr.stream.flush()?;
        }
        Ok(())
    }

    /// One more file is done.
    pub(super) fn step(&mut self, world: &mut World<'_>, now: impl FnOnce() -> Instant) -> io::Result<()> {
        self.done += 1;
        if self.files == 0 {
            return Ok(());
        }
        let now = now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + PERIOD;
        // What was found so far comes first: both streams may end in one terminal.
        self.clear(world)?;
        world.stdout.stream.flush()?;
        self.shown = self.done < self.files;
        if self.shown {
            write!(world.stderr.stream, "{} of {} files", self.done, self.files)?;
            world.stderr.stream.flush()?;
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
        let mut world = World {
            stdin: &mut io::empty(),
            stdout: Output { stream: &mut stdout, terminal: true },
            stderr: Output { stream: &mut stderr, terminal: true },
            environment: &|_| None,
            width: None,
        };
        let start = Instant::now();
        let mut progress = Progress::new(3, wanted, start);
        for second in seconds {
            progress.step(&mut world, || start + Duration::from_secs(*second)).unwrap();
        }
        progress.clear(&mut world).unwrap();
        String::from_utf8(stderr).unwrap()
    }

    #[test]
    fn a_long_run_tells_how_far_it_is_and_leaves_nothing_behind() {
        assert_eq!(after(true, &[0, 2, 2]), "2 of 3 files\r\x1b[K");
        assert_eq!(after(true, &[2, 3]), "1 of 3 files\r\x1b[K2 of 3 files\r\x1b[K");
        assert_eq!(after(true, &[2, 3, 4]), "1 of 3 files\r\x1b[K2 of 3 files\r\x1b[K");
    }

    #[test]
    fn a_short_run_or_one_that_nobody_watches_tells_nothing() {
        assert_eq!(after(true, &[0, 0, 0]), "");
        assert_eq!(after(false, &[2, 3, 4]), "");
    }
}
