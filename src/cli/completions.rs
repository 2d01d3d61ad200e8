//! `gpuguard completions`: what a shell needs to complete commands and options.

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::{Arguments as Whole, Failure, Screen};
use crate::outcome::Answer;

/// Print the completions for a shell
///
/// zsh takes it from a folder of `$fpath`; PowerShell's line goes into `$PROFILE`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard completions bash > ~/.local/share/bash-completion/completions/gpuguard\n  \
    gpuguard completions zsh > ~/.zfunc/_gpuguard\n  \
    gpuguard completions fish > ~/.config/fish/completions/gpuguard.fish\n  \
    gpuguard completions powershell | Out-String | Invoke-Expression")]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let mut text = Vec::new();
    let mut command = without_hidden(&Whole::command());
    clap_complete::generate(arguments.shell, &mut command, "gpuguard", &mut text);
    screen.print_bytes(&text)?;
    Ok(Answer::Fine)
}

/// The command without what gpuguard starts by itself: the generators of all shells would complete
/// hidden commands too, and nothing takes one out of a command.
fn without_hidden(whole: &Command) -> Command {
    let shown = whole.get_subcommands().filter(|inner| !inner.is_hide_set());
    Command::new("gpuguard")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments())
        .subcommands(shown)
}
