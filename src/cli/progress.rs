//! How far a long run is: a line on standard error, if a person looks at it.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter runs need no progress line.
const DELAY: Duration = Duration::from_secs(1);

/// The line.
pub(super) struct Progress {
    bar: ProgressBar,
    /// When it is shown; never if there is none.
    due: Option<Instant>,
}

impl Progress {
    /// For a run over `files`.
    pub(super) fn new(files: usize, wanted: bool) -> Self {
        let style = ProgressStyle::with_template("{pos} of {len} files");
        let bar = ProgressBar::hidden().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_length(files as u64);
        Self { bar, due: (wanted && files > 1).then(|| Instant::now() + DELAY) }
    }

    /// One more file is done: has `write` write about it where the line is out of the way.
    pub(super) fn step<T>(&mut self, write: impl FnOnce() -> T) -> T {
        if self.due.take_if(|due| Instant::now() >= *due).is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let result = self.bar.suspend(write);
        self.bar.inc(1);
        result
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
