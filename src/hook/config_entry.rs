//! The hook as entries of the repository's configuration, which Git runs from 2.54 on
//! (git-hook(1)): independent of `core.hooksPath`, and beside whatever hook file there is.

use super::install::InstallError;
use super::shim::sh_quoted;
use crate::git::{GitError, GitProgram};

/// The entries' keys. The middle word must never be the name of an event: Git refuses every
/// commit where it is.
const EVENT: &str = "hook.gpuguard.event";
const COMMAND: &str = "hook.gpuguard.command";
const ENABLED: &str = "hook.gpuguard.enabled";

const PRE_COMMIT: &str = "pre-commit";
/// What follows the program in the command, and tells our command from any other.
const ARGUMENTS: &str = " hook run pre-commit";

/// Whether this Git runs hooks from the configuration.
pub(super) fn is_supported(git: &GitProgram) -> Result<bool, GitError> {
    let version = git.run(&["version"], b"")?.line();
    Ok(numbers(&version).is_some_and(|version| version >= (2, 54)))
}

/// Major and minor number in `git version 2.54.0.windows.1`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split_whitespace().nth(2)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The entries of the repository's own configuration, which linked worktrees share.
pub(super) struct ConfigEntry<'g> {
    pub(super) git: &'g GitProgram,
}

impl ConfigEntry<'_> {
    /// The command that is set, if it is one that gpuguard wrote.
    pub(super) fn command(&self) -> Result<Option<String>, GitError> {
        Ok(self
            .values(COMMAND)?
            .pop()
            .filter(|command| command.ends_with(ARGUMENTS)))
    }

    /// Whether the hook is wired to the event.
    pub(super) fn is_wired(&self) -> Result<bool, GitError> {
        Ok(self.values(EVENT)?.iter().any(|event| event == PRE_COMMIT))
    }

    /// Whether somebody switched the hook off with `hook.gpuguard.enabled = false`.
    pub(super) fn is_switched_off(&self) -> Result<bool, GitError> {
        let (_, output, _) = self
            .git
            .run_for_code(&["config", "--type=bool", "--get", ENABLED], b"")?;
        Ok(output.line() == "false")
    }

    /// Writes the entries; gives the command.
    pub(super) fn write(&self, program: &str) -> Result<String, InstallError> {
        let command = format!("{}{ARGUMENTS}", sh_quoted(program));
        // The command first: an event without a command makes Git refuse every commit.
        self.config(&["--replace-all", COMMAND, &command])?;
        if !self.is_wired()? {
            self.config(&["--add", EVENT, PRE_COMMIT])?;
        }
        if self.command()?.as_deref() != Some(&command) || !self.is_wired()? {
            return Err(InstallError::NotWired {
                what: format!("`{COMMAND}` does not read back as it was written"),
            });
        }
        Ok(command)
    }

    /// Removes the entries (and with the last one the section); `false` when there were none.
    pub(super) fn remove(&self) -> Result<bool, InstallError> {
        let ours = self.command()?.is_some();
        let wired = self.is_wired()?;
        if !ours {
            return Ok(false);
        }
        if wired {
            self.config(&["--unset-all", EVENT, "^pre-commit$"])?;
        }
        // Events that somebody added need the command still.
        if self.values(EVENT)?.is_empty() {
            self.config(&["--unset-all", COMMAND])?;
        }
        Ok(true)
    }

    fn values(&self, key: &str) -> Result<Vec<String>, GitError> {
        let question = ["config", "--local", "-z", "--get-all", key];
        let (_, output, _) = self.git.run_for_code(&question, b"")?;
        Ok(output
            .records()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect())
    }

    fn config(&self, arguments: &[&str]) -> Result<(), GitError> {
        let mut whole = vec!["config", "--local"];
        whole.extend(arguments);
        self.git.run(&whole, b"").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_read_however_they_end() {
        assert_eq!(numbers("git version 2.54.0"), Some((2, 54)));
        assert_eq!(numbers("git version 2.55.0.windows.1"), Some((2, 55)));
        assert_eq!(numbers("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(numbers("git version 3.0.GIT"), Some((3, 0)));
        assert_eq!(numbers("git"), None);
    }
}
