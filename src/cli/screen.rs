//! The only place that writes to the terminal.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;
use crate::report::Style;
use crate::sys::terminal::{self, ColorChoice};
use crate::text::printable;

/// How much to say, and whether in colour.
pub(crate) struct Screen {
    stdout: io::Stdout,
    stderr: io::Stderr,
    choice: ColorChoice,
    /// Say only problems.
    pub(crate) quiet: bool,
    /// Say what was looked at.
    pub(crate) verbose: bool,
}

impl Screen {
    pub(super) fn new(choice: ColorChoice, quiet: bool, verbose: bool) -> Self {
        Self {
            stdout: io::stdout(),
            stderr: io::stderr(),
            choice,
            quiet,
            verbose,
        }
    }

    /// Whether stderr is shown in colour.
    pub(crate) fn color_on_stderr(&self) -> bool {
        terminal::use_color(self.choice, terminal::stderr_is_terminal())
    }

    /// Whether stdout is shown in colour.
    pub(crate) fn color_on_stdout(&self) -> bool {
        terminal::use_color(self.choice, terminal::stdout_is_terminal())
    }

    /// How reports on stderr are shown.
    pub(crate) fn style_on_stderr(&self) -> Style {
        Style {
            color: self.color_on_stderr(),
            verbose: self.verbose,
            ascii: !terminal::shows_unicode(),
            width: terminal::stderr_width().unwrap_or(Style::default().width),
        }
    }

    /// How reports on stdout are shown.
    pub(crate) fn style_on_stdout(&self) -> Style {
        Style {
            color: self.color_on_stdout(),
            verbose: self.verbose,
            ascii: !terminal::shows_unicode(),
            width: terminal::stdout_width().unwrap_or(Style::default().width),
        }
    }

    /// Writes a command's result to stdout.
    ///
    /// # Errors
    /// A closed pipe (`gpuguard scan | head`) is no error.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        match self.stdout.lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new("the output cannot be written").because(&error))
            }
            _ => Ok(()),
        }
    }

    /// Writes bytes to stdout: as they are to a program, made printable to a person.
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        if terminal::stdout_is_terminal() {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
                let (line, end) = match line.strip_suffix(b"\n") {
                    Some(line) => (line.strip_suffix(b"\r").unwrap_or(line), "\n"),
                    None => (line, ""),
                };
                let parts = line.split(|byte| *byte == b'\t').map(printable);
                format!("{}{end}", parts.collect::<Vec<_>>().join("\t"))
            });
            return self.print(&lines.collect::<String>());
        }
        match self.stdout.lock().write_all(bytes) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new("the output cannot be written").because(&error))
            }
            _ => Ok(()),
        }
    }

    /// Says something to the person at the terminal, on stderr; silent with `--quiet`.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Whether more is to be said than usual.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Says something on stderr also with `--quiet`.
    pub(crate) fn warn(&self, text: &str) {
        let _ = writeln!(self.stderr.lock(), "{text}");
    }

    /// A progress bar over `length` steps, shown on a terminal once the work has taken half a
    /// second; silent in a pipe and with `--quiet`.
    pub(crate) fn progress(&self, what: &'static str, length: u64) -> Progress {
        let target = if self.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Progress::new(what, length, target, PATIENCE)
    }

    /// A moving sign that something goes on, for work without steps; shown and hidden like
    /// [`Screen::progress`], gone when dropped.
    pub(crate) fn waiting(&self, what: &'static str) -> Waiting {
        if !self.shows_progress() {
            return Waiting { running: None };
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let spinner = ProgressBar::new_spinner().with_message(what);
                spinner.enable_steady_tick(Duration::from_millis(100));
                let _ = stopped.recv();
                spinner.finish_and_clear();
            }
        });
        Waiting {
            running: Some((stop, thread)),
        }
    }

    fn shows_progress(&self) -> bool {
        !self.quiet && terminal::stderr_is_terminal()
    }

    pub(super) fn failure(&self, failure: &Failure) {
        self.warn(&failure.render(self.color_on_stderr()));
    }
}

/// Shorter work shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears only when there is something to wait for.
pub(crate) struct Progress {
    what: &'static str,
    length: u64,
    patience: Duration,
    started: Instant,
    /// Where the bar will be drawn, until it is.
    target: Option<ProgressDrawTarget>,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(
        what: &'static str,
        length: u64,
        target: ProgressDrawTarget,
        patience: Duration,
    ) -> Self {
        Self {
            what,
            length,
            patience,
            started: Instant::now(),
            target: Some(target),
            bar: None,
        }
    }

    /// Says that `done` steps of the whole are done.
    pub(crate) fn at(&mut self, done: u64) {
        if self.bar.is_none() && self.started.elapsed() >= self.patience {
            let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
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

/// See [`Screen::waiting`].
pub(crate) struct Waiting {
    running: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
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

    fn progress(patience: Duration) -> (Progress, InMemoryTerm) {
        let terminal = InMemoryTerm::new(5, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        (Progress::new("verifying", 8, target, patience), terminal)
    }

    #[test]
    fn a_bar_counts_and_is_gone_at_the_end() {
        let (mut bar, terminal) = progress(Duration::ZERO);
        bar.at(3);
        assert!(
            terminal.contents().contains("verifying ["),
            "{}",
            terminal.contents()
        );
        assert!(
            terminal.contents().contains("3/8"),
            "{}",
            terminal.contents()
        );
        drop(bar);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn short_work_shows_no_bar() {
        let (mut bar, terminal) = progress(Duration::MAX);
        bar.at(3);
        assert_eq!(terminal.contents(), "");
    }
}
