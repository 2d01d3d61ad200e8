//! The hook as entries of the repository's configuration, which Git runs from 2.54 on
//! (git-hook(1)): independent of `core.hooksPath`. Git runs them before the hook file.

use std::path::{Path, PathBuf};

use super::install::InstallError;
use super::shim::{Found, HookFile, Written, cannot, sh_unquoted};
use crate::git::{GitError, GitProgram, Repository};
use crate::sys::file;

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

/// The entries of one event in the repository's own configuration, which linked worktrees share.
pub(super) struct ConfigEntry<'r> {
    git: GitProgram,
    repository: &'r Repository,
    /// Git's name for the event.
    event: &'static str,
}

impl<'r> ConfigEntry<'r> {
    pub(super) fn of(repository: &'r Repository, event: &'static str) -> Self {
        Self {
            git: repository.program(),
            repository,
            event,
        }
    }

    /// The section's name. Each event needs its own, since a command is not told what it is called
    /// for. None must be the name of an event: Git refuses every commit where one is.
    pub(super) fn name_for(event: &str) -> String {
        match event {
            "pre-commit" => "gpuguard".to_owned(),
            event => format!("gpuguard-{event}"),
        }
    }

    fn section(&self) -> String {
        format!("hook.{}", Self::name_for(self.event))
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.section())
    }

    /// The command: the same script that is the hook file elsewhere, so that a program that has
    /// gone is told of in the same way. Git is asked where it lies, and a repository can be moved.
    fn own_command(event: &str) -> String {
        format!(r#""$(git rev-parse --git-common-dir)/gpuguard/{event}""#)
    }

    /// Whether gpuguard wrote a command; versions before 0.2 wrote the program itself. Whatever
    /// else starts gpuguard, with a time limit or in a container, is somebody's own.
    pub(super) fn wrote(command: &str, event: &str) -> bool {
        let is_program = |word: &str| {
            let program = sh_unquoted(word).unwrap_or_default();
            let name = program.rsplit('/').next().unwrap_or_default();
            let is_absolute = program.starts_with('/') || program.get(1..3) == Some(":/");
            is_absolute && ["gpuguard", "gpuguard.exe"].contains(&name)
        };
        let program = command.strip_suffix(&format!(" hook run {event}"));
        command == Self::own_command(event) || program.is_some_and(is_program)
    }

    /// The script that the command starts, in the Git directory that linked worktrees share.
    pub(super) fn script(&self) -> HookFile {
        HookFile::in_folder(&script_folder(self.repository.common_dir()), self.event)
    }

    fn is_ours(&self, command: &str) -> bool {
        Self::wrote(command, self.event)
    }

    /// The command that is set, if it is one that gpuguard wrote.
    fn command(&self) -> Result<Option<String>, GitError> {
        Ok(self
            .values("command")?
            .pop()
            .filter(|command| self.is_ours(command)))
    }

    /// Whether there is a command of gpuguard's.
    pub(super) fn is_there(&self) -> Result<bool, GitError> {
        Ok(self.command()?.is_some())
    }

    /// Whether gpuguard is wired to the event here.
    pub(super) fn is_installed(&self) -> Result<bool, GitError> {
        Ok(self.command()?.is_some() && self.is_wired()?)
    }

    fn is_wired(&self) -> Result<bool, GitError> {
        Ok(self
            .values("event")?
            .iter()
            .any(|event| event == self.event))
    }

    /// Whether somebody switched the hook off with `hook.<name>.enabled = false`.
    pub(super) fn is_switched_off(&self) -> Result<bool, GitError> {
        let key = self.key("enabled");
        let question = ["config", "--type=bool", "--get", &key];
        let (_, output, _) = self.git.run_for_code(&question, b"")?;
        Ok(output.line() == "false")
    }

    /// The key that switches the hook off.
    pub(super) fn switch(&self) -> String {
        self.key("enabled")
    }

    /// Whether the entries are free, or ours.
    pub(super) fn check(&self) -> Result<(), InstallError> {
        match self.values("command")?.pop() {
            Some(command) if !self.is_ours(&command) => Err(InstallError::ForeignCommand {
                section: self.section(),
                command,
            }),
            _ => Ok(()),
        }
    }

    /// Writes the script and the entries; gives key and command, and what was changed.
    pub(super) fn write(&self, program: &str) -> Result<(String, Written), InstallError> {
        self.check()?;
        let own = Self::own_command(self.event);
        let before = self.values("command")?.pop();
        let folder = script_folder(self.repository.common_dir());
        file::create_private_folder(&folder).map_err(|source| cannot("create", &folder, source))?;
        let written = self.script().write(program)?;
        let wired = self.is_wired()?;
        // The command first: an event without a command makes Git refuse every commit.
        self.config(&["--replace-all", &self.key("command"), &own])?;
        if !wired {
            self.config(&["--add", &self.key("event"), self.event])?;
        }
        if self.command()?.as_ref() != Some(&own) || !self.is_wired()? {
            return Err(InstallError::NotWired {
                what: format!(
                    "`{}` does not read back as it was written",
                    self.key("command")
                ),
            });
        }
        let written = match before {
            Some(command) if wired && command == own => written,
            Some(_) if wired => Written::Updated,
            _ => Written::New,
        };
        Ok((format!("{} = {own}", self.key("command")), written))
    }

    /// Removes the entries (and with the last one the section); `false` when there were none.
    pub(super) fn remove(&self) -> Result<bool, InstallError> {
        let ours = self.command()?.is_some();
        let wired = self.is_wired()?;
        if !ours {
            return Ok(false);
        }
        if wired {
            let value = format!("^{}$", self.event);
            self.config(&["--unset-all", &self.key("event"), &value])?;
        }
        // Events that somebody added need the command still.
        if self.values("event")?.is_empty() {
            self.config(&["--unset-all", &self.key("command")])?;
        }
        Ok(true)
    }

    /// Removes the script, and its folder where nothing else is in it.
    pub(super) fn remove_script(&self, warnings: &mut Vec<String>) -> Result<(), InstallError> {
        let script = self.script();
        if script.found()? == Found::Ours {
            warnings.extend(script.keep_edited()?);
            script.remove()?;
            // Backups may lie there.
            let _ = file::remove_folder(&script_folder(self.repository.common_dir()));
        }
        Ok(())
    }

    fn values(&self, name: &str) -> Result<Vec<String>, GitError> {
        let key = self.key(name);
        let question = ["config", "--local", "-z", "--get-all", &key];
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

fn script_folder(common_dir: &Path) -> PathBuf {
    common_dir.join("gpuguard")
}

#[cfg(test)]
mod tests {
    use super::{ConfigEntry, numbers};

    #[test]
    fn only_what_gpuguard_wrote_is_its_own() {
        for (command, is_own) in [
            (
                "\"$(git rev-parse --git-common-dir)/gpuguard/pre-commit\"",
                true,
            ),
            ("/opt/gpuguard hook run pre-commit", true),
            ("'/my tools/gpuguard.exe' hook run pre-commit", true),
            ("C:/tools/gpuguard.exe hook run pre-commit", true),
            ("mytool --x hook run pre-commit", false),
            ("nice /opt/gpuguard hook run pre-commit", false),
            ("gpuguard hook run pre-commit", false),
            ("/opt/$x/gpuguard hook run pre-commit", false),
            ("/opt/gpuguard hook run pre-push", false),
            ("/opt/gpuguard hook run pre-commit || true", false),
            ("", false),
        ] {
            assert_eq!(
                ConfigEntry::wrote(command, "pre-commit"),
                is_own,
                "{command}"
            );
        }
    }

    #[test]
    fn versions_are_read_however_they_end() {
        assert_eq!(numbers("git version 2.54.0"), Some((2, 54)));
        assert_eq!(numbers("git version 2.55.0.windows.1"), Some((2, 55)));
        assert_eq!(numbers("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(numbers("git version 3.0.GIT"), Some((3, 0)));
        assert_eq!(numbers("git"), None);
    }
}
