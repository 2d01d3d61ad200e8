//! The only place that writes to the terminal.

use std::io::{self, Write};

use super::Failure;
use super::progress::{Interruptible, Progress, Unit, Waiting};
use crate::report::Style;
use crate::sys::interrupt::Interrupts;
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

    /// A progress bar over `length` units, shown on a terminal once the work has taken half a
    /// second; silent in a pipe and with `--quiet`.
    pub(crate) fn progress(&self, what: &'static str, unit: Unit, length: u64) -> Progress {
        Progress::new((what, unit, length), self.shows_progress())
    }

    /// The same for work that may be stopped between any two steps: Ctrl+C takes the bar away and
    /// ends the process. `left` says what was not done.
    ///
    /// # Errors
    /// Where the system does not tell of Ctrl+C.
    pub(crate) fn interruptible(
        &self,
        what: &'static str,
        unit: Unit,
        left: &'static str,
    ) -> Result<Interruptible<'_>, Failure> {
        let interrupts = Interrupts::noticed_once().map_err(Failure::unwatched)?;
        Ok(Interruptible::new(self, (what, unit), (interrupts, left)))
    }

    /// A moving sign that something goes on, for work without steps; shown and hidden like
    /// [`Screen::progress`], gone when dropped.
    pub(crate) fn waiting(&self, what: &'static str) -> Waiting {
        Waiting::new(what, self.shows_progress())
    }

    fn shows_progress(&self) -> bool {
        !self.quiet && terminal::stderr_is_terminal()
    }

    pub(super) fn failure(&self, failure: &Failure) {
        self.warn(&failure.render(self.color_on_stderr()));
    }
}
