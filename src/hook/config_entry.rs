//! The hook as entries of the repository's configuration, which Git runs from 2.54 on
//! (git-hook(1)): independent of `core.hooksPath`. Git runs them before the hook file.

use std::path::{Path, PathBuf};

use super::install::InstallError;
use super::shim::{Found, HookFile, Written, cannot};
use crate::git::{GitError, GitProgram, Repository};
use crate::sys::file;

/// The entries' keys. The middle word must never be the name of an event: Git refuses every
/// commit where it is.
const EVENT: &str = "hook.gpuguard.event";
const COMMAND: &str = "hook.gpuguard.command";
const ENABLED: &str = "hook.gpuguard.enabled";

const PRE_COMMIT: &str = "pre-commit";
/// The command: the same script that is the hook file elsewhere, so that a program that has gone
/// is told of in the same way. Git is asked where it lies, and a repository can be moved.
const SCRIPT: &str = r#""$(git rev-parse --git-common-dir)/gpuguard/pre-commit""#;
/// How the command ends that versions before 0.2 wrote: the program itself.
const OLD_ENDING: &str = " hook run pre-commit";

/// Whether this Git runs hooks from the configuration.
pub(super) fn is_supported(git: &GitProgram) -> Result<bool, GitError> {
    let version = git.run(&["version"], b"")?.line();
    Ok(numbers(&version).is_some_and(|version| version >= (2, 54)))
}

/// Major and minor number in `git version 2.54.0.windows.1`.
pub(super) fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split_whitespace().nth(2)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The script that the command starts, in the Git directory that linked worktrees share.
pub(super) fn script(repository: &Repository) -> HookFile {
    HookFile::in_folder(&script_folder(repository.common_dir()))
}

fn script_folder(common_dir: &Path) -> PathBuf {
    common_dir.join("gpuguard")
}

/// Removes the script, and its folder where nothing else is in it.
pub(super) fn remove_script(
    repository: &Repository,
    warnings: &mut Vec<String>,
) -> Result<(), InstallError> {
    let script = script(repository);
    if script.found()? == Found::Ours {
        warnings.extend(script.keep_edited()?);
        script.remove()?;
        // Backups may lie there.
        let _ = file::remove_folder(&script_folder(repository.common_dir()));
    }
    Ok(())
}

/// The entries of the repository's own configuration, which linked worktrees share.
pub(super) struct ConfigEntry<'g> {
    pub(super) git: &'g GitProgram,
}

fn is_ours(command: &str) -> bool {
    command == SCRIPT || command.ends_with(OLD_ENDING)
}

impl ConfigEntry<'_> {
    /// The command that is set, if it is one that gpuguard wrote.
    pub(super) fn command(&self) -> Result<Option<String>, GitError> {
        Ok(self
            .values(COMMAND)?
            .pop()
            .filter(|command| is_ours(command)))
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

    /// Writes the script and the entries; gives the command, and what was changed.
    pub(super) fn write(
        &self,
        repository: &Repository,
        program: &str,
    ) -> Result<(String, Written), InstallError> {
        let before = self.values(COMMAND)?.pop();
        if let Some(command) = &before
            && !is_ours(command)
        {
            return Err(InstallError::ForeignCommand {
                command: command.clone(),
            });
        }
        let folder = script_folder(repository.common_dir());
        file::create_private_folder(&folder).map_err(|source| cannot("create", &folder, source))?;
        let written = script(repository).write(program)?;
        let wired = self.is_wired()?;
        // The command first: an event without a command makes Git refuse every commit.
        self.config(&["--replace-all", COMMAND, SCRIPT])?;
        if !wired {
            self.config(&["--add", EVENT, PRE_COMMIT])?;
        }
        if self.command()?.as_deref() != Some(SCRIPT) || !self.is_wired()? {
            return Err(InstallError::NotWired {
                what: format!("`{COMMAND}` does not read back as it was written"),
            });
        }
        let written = match before {
            Some(command) if wired && command == SCRIPT => written,
            Some(_) if wired => Written::Updated,
            _ => Written::New,
        };
        Ok((SCRIPT.to_owned(), written))
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

    /// Whether Git runs another entry before each commit, from whatever configuration.
    pub(super) fn has_others(&self) -> Result<bool, GitError> {
        let question = ["config", "-z", "--get-regexp", r"^hook\..*\.event$"];
        let (_, output, _) = self.git.run_for_code(&question, b"")?;
        Ok(output
            .records()
            .map(String::from_utf8_lossy)
            .filter_map(|record| {
                let (key, event) = record.split_once('\n')?;
                Some(key != EVENT && event == PRE_COMMIT)
            })
            .any(|other| other))
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
