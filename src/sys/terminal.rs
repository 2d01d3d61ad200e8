//! What the terminal can show.

use std::io::IsTerminal;

use console::Term;

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

/// Columns of the terminal that stdout goes to; `None` where it goes elsewhere.
pub fn stdout_width() -> Option<usize> {
    width_of(&Term::stdout())
}

/// Columns of the terminal that stderr goes to; `None` where it goes elsewhere.
pub fn stderr_width() -> Option<usize> {
    width_of(&Term::stderr())
}

fn width_of(terminal: &Term) -> Option<usize> {
    let (_, columns) = terminal.size_checked()?;
    // Serial lines and some editors' terminals say 0.
    (columns > 0).then(|| usize::from(columns))
}

/// Whether the locale's characters are more than ASCII: `LC_ALL`, `LC_CTYPE` and `LANG`, the first
/// that is set (setlocale(3)). Programs without a desktop start with none of them, on systems that
/// show UTF-8 all the same.
pub fn shows_unicode() -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(environment::text);
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
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
