//! `gpuguard completions`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments as Whole, Failure, Screen};
use crate::outcome::Answer;

/// Print the completions for a shell
///
/// bash: `gpuguard completions bash > ~/.local/share/bash-completion/completions/gpuguard`;
/// zsh: into a folder of `$fpath`, as `_gpuguard`;
/// fish: `gpuguard completions fish > ~/.config/fish/completions/gpuguard.fish`;
/// PowerShell: `gpuguard completions powershell | Out-String | Invoke-Expression`, in `$PROFILE`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let mut text = Vec::new();
    let mut command = Whole::command();
    clap_complete::generate(arguments.shell, &mut command, "gpuguard", &mut text);
    screen.print_bytes(&text)?;
    Ok(Answer::Fine)
}
