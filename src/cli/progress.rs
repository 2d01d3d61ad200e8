//! What shows that long work goes on: how much is done, and how much time is left.
//!
//! In ASCII, so that every terminal can show it. The cursor is never hidden: however the process
//! ends, it is there.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Failure, Screen};
use crate::sys::interrupt::{self, Interrupts};

/// Shorter work shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Files.
    Files,
    /// Commits.
    Commits,
    /// Backups.
    Backups,
    /// Bytes, shown as MiB and the like.
    Bytes,
    /// Seconds of a time that was asked for.
    Seconds,
}

impl Unit {
    /// How far it is.
    fn template(self) -> &'static str {
        match self {
            Self::Files => "{msg} [{bar:30}] {pos}/{len} files, {eta} left",
            Self::Commits => "{msg} [{bar:30}] {pos}/{len} commits, {eta} left",
            Self::Backups => "{msg} [{bar:30}] {pos}/{len} backups, {eta} left",
            Self::Bytes => "{msg} [{bar:30}] {binary_bytes}/{binary_total_bytes}, {eta} left",
            Self::Seconds => "{msg} [{bar:30}] {pos}/{len} s, {eta} left",
        }
    }
}

/// A bar that appears only when there is something to wait for.
pub(crate) struct Progress {
    what: &'static str,
    unit: Unit,
    length: u64,
    patience: Duration,
    started: Instant,
    /// Where the bar will be drawn, until it is.
    target: Option<ProgressDrawTarget>,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new((what, unit, length): (&'static str, Unit, u64), shown: bool) -> Self {
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            what,
            unit,
            length,
            patience: PATIENCE,
            started: Instant::now(),
            target: Some(target),
            bar: None,
        }
    }

    /// Says that `done` units of the whole are done.
    pub(crate) fn at(&mut self, done: u64) {
        if self.bar.is_none() && self.started.elapsed() >= self.patience {
            let style = ProgressStyle::with_template(self.unit.template())
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("##-");
            self.bar = self.target.take().map(|target| {
                ProgressBar::with_draw_target(Some(self.length), target)
                    .with_style(style)
                    .with_message(self.what)
            });
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// See [`Screen::interruptible`].
pub(crate) struct Interruptible<'s> {
    screen: &'s Screen,
    what: &'static str,
    unit: Unit,
    progress: Option<Progress>,
    interrupts: Interrupts,
    left: &'static str,
}

impl<'s> Interruptible<'s> {
    pub(super) fn new(
        screen: &'s Screen,
        (what, unit): (&'static str, Unit),
        (interrupts, left): (Interrupts, &'static str),
    ) -> Self {
        Self {
            screen,
            what,
            unit,
            progress: None,
            interrupts,
            left,
        }
    }

    /// Begins the next part of the work.
    pub(crate) fn begin(&mut self, what: &'static str, unit: Unit) {
        (self.what, self.unit) = (what, unit);
        self.progress = None;
    }

    /// Says that `done` of `all` units are done; does not come back where someone wants the end.
    pub(crate) fn at(&mut self, done: u64, all: u64) {
        if let Some(signal) = self.interrupts.signal() {
            self.progress = None;
            self.screen
                .failure(&Failure::interrupted(signal, self.left));
            interrupt::end_by(signal);
        }
        let (screen, what, unit) = (self.screen, self.what, self.unit);
        self.progress
            .get_or_insert_with(|| screen.progress(what, unit, all))
            .at(done);
    }
}

/// A moving sign that something goes on, for work without steps.
pub(crate) struct Waiting {
    running: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Waiting {
    pub(super) fn new(what: &'static str, shown: bool) -> Self {
        if !shown {
            return Self { running: None };
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner())
                    .tick_chars("|/-\\ ");
                let spinner = ProgressBar::new_spinner()
                    .with_style(style)
                    .with_message(what);
                spinner.enable_steady_tick(Duration::from_millis(100));
                let _ = stopped.recv();
                spinner.finish_and_clear();
            }
        });
        Self {
            running: Some((stop, thread)),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    fn progress(unit: Unit, length: u64, patience: Duration) -> (Progress, InMemoryTerm) {
        let terminal = InMemoryTerm::new(5, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::new(("verifying", unit, length), false);
        progress.patience = patience;
        progress.target = Some(target);
        (progress, terminal)
    }

    #[test]
    fn a_bar_counts_tells_the_time_left_and_is_gone_at_the_end() {
        for (unit, length, done, shown) in [
            (Unit::Files, 8, 3, "] 3/8 files, "),
            (Unit::Commits, 8, 3, "] 3/8 commits, "),
            (Unit::Backups, 8, 3, "] 3/8 backups, "),
            (Unit::Seconds, 1800, 90, "] 90/1800 s, "),
            (Unit::Bytes, 3 << 20, 1 << 20, "] 1.00 MiB/3.00 MiB, "),
        ] {
            let (mut bar, terminal) = progress(unit, length, Duration::ZERO);
            bar.at(done);
            let contents = terminal.contents();
            assert!(contents.starts_with("verifying [##"), "{contents}");
            assert!(contents.contains(shown), "{contents}");
            assert!(
                contents.ends_with(" left") && contents.is_ascii(),
                "{contents}"
            );
            drop(bar);
            assert_eq!(terminal.contents(), "");
        }
    }

    #[test]
    fn short_work_shows_no_bar() {
        let (mut bar, terminal) = progress(Unit::Files, 8, Duration::MAX);
        bar.at(3);
        assert_eq!(terminal.contents(), "");
    }
}
