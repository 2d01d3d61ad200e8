//! What the terminal can show.

use std::io::IsTerminal;

use super::environment;

/// When to use colour, as asked for with `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Colour on a terminal, unless `NO_COLOR` or `TERM=dumb` is set.
    #[default]
    Auto,
    /// Always colour.
    Always,
    /// Never colour.
    Never,
}

/// Whether stderr is a terminal.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether stdin is a terminal.
pub fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Whether stdout is a terminal.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether to colour what goes to a stream: `terminal` says whether it is a terminal.
/// `NO_COLOR` (<https://no-color.org>) and `CLICOLOR_FORCE` count unless `--color` decided.
pub fn use_color(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            if environment::text("NO_COLOR").is_some() {
                return false;
            }
            if environment::text("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
                return true;
            }
            terminal && environment::text("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
