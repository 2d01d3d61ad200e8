//! `gpuguard gpu env`: the lines that select the allowed card, for shells and settings files.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::policy::load_policy;
use super::{Failure, Screen};
use crate::gpu::{self, MaskError, MaskForm};
use crate::outcome::Answer;
use crate::sys::environment;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eval \"$(gpuguard gpu env --shell sh)\"             in sh, bash, zsh and direnv's .envrc\n  \
    gpuguard gpu env --shell fish | source            in config.fish\n  \
    gpuguard gpu env --shell powershell | Out-String | Invoke-Expression\n  \
    gpuguard gpu env --shell dotenv > .env            for docker --env-file, compose, editors")]
pub(super) struct Arguments {
    /// For which shell or file the lines are; by default the one that is running
    #[arg(long, value_name = "SHELL")]
    shell: Option<Shell>,
    /// How `CUDA_VISIBLE_DEVICES` names the card; by default as the policy does. The driver is
    /// asked for what the policy does not say
    #[arg(long, value_name = "FORM")]
    id: Option<Id>,
    /// The policy to read instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// sh, bash, zsh: for `eval` and direnv
    Sh,
    /// fish: for `source`
    Fish,
    /// `PowerShell`: for `Invoke-Expression`
    Powershell,
    /// cmd: for a batch file or `for /f`
    Cmd,
    /// `NAME=value` lines: for `.env` files and `docker --env-file`
    Dotenv,
    /// One JSON object: for `"env"` of VS Code and kernel.json
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Id {
    /// By its place in PCI order
    Index,
    /// By its UUID
    Uuid,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = load_policy(arguments.policy.as_deref())?;
    let form = match arguments.id {
        None => MaskForm::AsDemanded,
        Some(Id::Index) => MaskForm::Index,
        Some(Id::Uuid) => MaskForm::Uuid,
    };
    let mask = match gpu::visible_devices(&policy, form, policy.gpu_check.deadline) {
        Ok(mask) => mask,
        Err(MaskError::NotAsked(error)) => return Err(error.into()),
        Err(MaskError::OtherCards(mismatch)) => {
            screen.warn(&format!("wrong card: {mismatch}; nothing was printed"));
            return Ok(Answer::No);
        }
    };
    let shell = arguments.shell.unwrap_or_else(running_shell);
    let variables = [
        ("CUDA_DEVICE_ORDER", policy.environment.device_order),
        ("CUDA_VISIBLE_DEVICES", mask),
    ];
    screen.print(&lines(shell, &variables))?;
    Ok(Answer::Fine)
}

/// The shell of this session, as far as its environment tells.
fn running_shell() -> Shell {
    shell_of(
        environment::text("SHELL").as_deref(),
        environment::text("PSModulePath").is_some(),
    )
}

/// Windows has a `SHELL` in Git's bash only. What starts a program there besides, `PowerShell` or
/// cmd, cannot be told; cmd has no use for lines without a loop around them.
fn shell_of(shell: Option<&str>, powershell: bool) -> Shell {
    let name = shell.map(|path| path.rsplit(['/', '\\']).next().unwrap_or(path));
    match name.map(|name| name.strip_suffix(".exe").unwrap_or(name)) {
        Some("fish") => Shell::Fish,
        Some("pwsh" | "powershell") => Shell::Powershell,
        None if cfg!(windows) || powershell => Shell::Powershell,
        Some(_) | None => Shell::Sh,
    }
}

/// A line for each variable. The names are plain words; the values may be anything but the ends
/// of lines, which a policy does not have.
fn lines(shell: Shell, variables: &[(&str, String)]) -> String {
    if shell == Shell::Json {
        let object: serde_json::Map<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        return format!("{:#}\n", json!(object));
    }
    let mut text = String::new();
    for (name, value) in variables {
        let _ = match shell {
            // A quote ends the word, stands for itself behind a backslash, and begins the next.
            Shell::Sh => writeln!(text, "export {name}='{}'", value.replace('\'', r"'\''")),
            Shell::Fish => writeln!(
                text,
                "set -gx {name} '{}'",
                value.replace('\\', r"\\").replace('\'', r"\'")
            ),
            Shell::Powershell => writeln!(text, "$env:{name} = '{}'", value.replace('\'', "''")),
            // The quotes stand around name and value: then they are no part of the value.
            Shell::Cmd => writeln!(text, "set \"{name}={}\"", value.replace('%', "%%")),
            // Docker keeps quotes, so there are none.
            Shell::Dotenv | Shell::Json => writeln!(text, "{name}={value}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_quotes() {
        let odd = [("A", r"it's 100% \n $x".to_owned())];
        for (shell, line) in [
            (Shell::Sh, r"export A='it'\''s 100% \n $x'"),
            (Shell::Fish, r"set -gx A 'it\'s 100% \\n $x'"),
            (Shell::Powershell, r"$env:A = 'it''s 100% \n $x'"),
            (Shell::Cmd, r#"set "A=it's 100%% \n $x""#),
            (Shell::Dotenv, r"A=it's 100% \n $x"),
        ] {
            assert_eq!(lines(shell, &odd), format!("{line}\n"));
        }
        let object: serde_json::Value = serde_json::from_str(&lines(Shell::Json, &odd)).unwrap();
        assert_eq!(object["A"], odd[0].1);
    }

    #[test]
    fn the_running_shell_is_told_by_its_variables() {
        for (shell, powershell, expected) in [
            (Some("/usr/bin/fish"), false, Shell::Fish),
            (Some("/bin/zsh"), true, Shell::Sh),
            (
                Some("C:\\Program Files\\Git\\usr\\bin\\bash.exe"),
                true,
                Shell::Sh,
            ),
            (Some("/usr/bin/pwsh"), false, Shell::Powershell),
            (None, true, Shell::Powershell),
        ] {
            assert_eq!(shell_of(shell, powershell), expected, "{shell:?}");
        }
    }
}
