//! The only place that writes to the terminal.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;
use crate::report::Style;
use crate::sys::terminal::{self, ColorChoice};

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
            ..Style::default()
        }
    }

    /// How reports on stdout are shown.
    pub(crate) fn style_on_stdout(&self) -> Style {
        Style {
            color: self.color_on_stdout(),
            verbose: self.verbose,
            ..Style::default()
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

    /// Says something to the person at the terminal, on stderr; silent with `--quiet`.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Says something on stderr also with `--quiet`.
    pub(crate) fn warn(&self, text: &str) {
        let _ = writeln!(self.stderr.lock(), "{text}");
    }

    /// A progress bar over `length` steps, shown on a terminal once the work has taken half a
    /// second; silent in a pipe and with `--quiet`.
    pub(crate) fn progress(&self, what: &'static str, length: u64) -> Progress {
        let hidden = self.quiet || !terminal::stderr_is_terminal();
        Progress {
            what,
            length,
            started: std::time::Instant::now(),
            bar: None,
            hidden,
        }
    }

    pub(super) fn failure(&self, failure: &Failure) {
        self.warn(&failure.render(self.color_on_stderr()));
    }
}

/// A bar that appears only when there is something to wait for.
pub(crate) struct Progress {
    what: &'static str,
    length: u64,
    started: std::time::Instant,
    bar: Option<ProgressBar>,
    hidden: bool,
}

impl Progress {
    /// Work shorter than this shows no bar.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// Says that `done` steps of the whole are done.
    pub(crate) fn at(&mut self, done: u64) {
        if self.hidden || (self.bar.is_none() && self.started.elapsed() < Self::PATIENCE) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(self.length), ProgressDrawTarget::stderr())
                .with_style(style)
                .with_message(self.what)
        });
        bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
