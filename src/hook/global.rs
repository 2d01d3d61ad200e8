//! gpuguard for all repositories of a user: entries in the user's own configuration, which Git
//! runs from 2.54 on. Where a repository has no policy, or gates of its own, they do nothing.

use std::path::{Path, PathBuf};

use super::config_entry;
use super::config_file::ConfigFile;
use super::install::{InstallError, default_events, program_word};
use super::shim::{Found, HookFile, cannot, sh_quoted, sh_unquoted};
use super::{EVENTS, Event, Gate, wiring};
use crate::git::{GitError, GitProgram, Repository};
use crate::sys::{environment, file};

/// Begins the names of the sections.
const SECTION: &str = "hook.gpuguard-global-";

/// By which the entries tell their scripts whom they are for, as `hooks/hook.sh` has it.
const SCOPE: &str = "--for-all-repositories";

/// What was done to the user's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalChange {
    /// The events that are wired now.
    pub wired: Vec<&'static str>,
    /// The events that were, and are not any more.
    pub unwired: Vec<&'static str>,
    /// The folder of the scripts.
    pub folder: PathBuf,
    /// Things to know, one line each.
    pub warnings: Vec<String>,
}

/// Makes Git run `program` at `events` (else those of a working tree and what is wired already)
/// in every repository of the user that has a policy.
pub fn install_globally(
    program: &Path,
    events: Option<&[Event]>,
) -> Result<GlobalChange, InstallError> {
    let program = program_word(program)?;
    let mut named = events.unwrap_or_default().iter();
    if let Some(event) = named.find(|event| event.gate == Gate::Receive) {
        return Err(InstallError::NotGlobal { event: event.name });
    }
    let user = User::find()?;
    if !config_entry::is_supported(&user.git)? {
        return Err(InstallError::GlobalNeedsNewGit);
    }
    let mut change = GlobalChange {
        folder: user.folder.clone(),
        ..GlobalChange::default()
    };
    let config = user.config_file();
    let mut had_entries = false;
    for event in EVENTS {
        had_entries |= user.is_wired(event)?;
    }
    let before = config.content();
    for event in EVENTS {
        let is_wanted = match events {
            Some(events) => events.contains(&event),
            None => default_events(false).contains(&event) || user.is_wired(event)?,
        };
        if !is_wanted {
            user.unwire(event, &mut change)?;
            continue;
        }
        user.wire(event, &program, &mut change)?;
    }
    // Without the note the entries can be taken out all the same.
    let _ = config.note(before, had_entries);
    Ok(change)
}

/// Takes the entries away again; none there is no error.
pub fn uninstall_globally() -> Result<GlobalChange, InstallError> {
    let user = User::find()?;
    let mut change = GlobalChange {
        folder: user.folder.clone(),
        ..GlobalChange::default()
    };
    let config = user.config_file();
    let left = config.content();
    for event in EVENTS {
        user.unwire(event, &mut change)?;
    }
    let given_back = if change.unwired.is_empty() {
        config.forget()
    } else {
        let names: Vec<String> = EVENTS.into_iter().map(name_for).collect();
        config.give_back(&left, &names)
    };
    if let Err(error) = given_back {
        change.warnings.push(format!(
            "the configuration has no entries of gpuguard any more, and is not quite as it was \
             before: {error}"
        ));
    }
    // With the last script; somebody else's things stay.
    let _ = file::remove_folder(&user.folder);
    let _ = user.folder.parent().map(file::remove_folder);
    Ok(change)
}

/// Whether a repository has a gate of its own at the event, which does the work.
pub fn has_own_gate(repository: &Repository, event: Event) -> Result<bool, GitError> {
    let place = repository.worktree().unwrap_or(repository.git_dir());
    wiring::has_own_gate(place, repository.common_dir(), event)
}

/// What the entry of an event is called.
pub(super) fn name_for(event: Event) -> String {
    let section = SECTION.trim_start_matches("hook.");
    format!("{section}{}", event.name)
}

/// Whether gpuguard wrote a command for all repositories, wherever the script lies.
pub(super) fn wrote(command: &str, event: Event) -> bool {
    let rest = command.strip_prefix("test ! -e ");
    let parts = rest.and_then(|rest| rest.split_once(" || "));
    parts.is_some_and(|(asked, call)| {
        // Versions before 0.2 said whom it is for by a variable.
        let script = call
            .strip_suffix(&format!(" {SCOPE}"))
            .or_else(|| call.strip_prefix("GPUGUARD_HOOK_SCOPE=global "));
        let ending = format!("/gpuguard/hooks/{}", event.name);
        script == Some(asked) && sh_unquoted(asked).is_some_and(|path| path.ends_with(&ending))
    })
}

/// The user's own configuration and folder.
struct User {
    git: GitProgram,
    home: PathBuf,
    folder: PathBuf,
}

impl User {
    fn find() -> Result<Self, InstallError> {
        let config = environment::config_dir().ok_or(InstallError::NoHome)?;
        let home = environment::home_dir().ok_or(InstallError::NoHome)?;
        Ok(Self {
            git: GitProgram::in_directory(&home),
            home,
            folder: config.join("gpuguard").join("hooks"),
        })
    }

    fn config_file(&self) -> ConfigFile {
        let own = self.folder.parent().unwrap_or(&self.folder);
        ConfigFile::of_user(&self.home, own)
    }

    fn script(&self, event: Event) -> HookFile {
        HookFile::in_folder(&self.folder, event.name)
    }

    /// The command. A script that is gone must not stop every commit of the user.
    fn command(&self, event: Event) -> String {
        let script = self.script(event).path;
        let script = script.to_string_lossy().replace('\\', "/");
        let script = sh_quoted(&script);
        format!("test ! -e {script} || {script} {SCOPE}")
    }

    fn values(&self, event: Event, name: &str) -> Result<Vec<String>, GitError> {
        let key = format!("{SECTION}{}.{name}", event.name);
        let question = ["config", "--global", "-z", "--get-all", &key];
        let (_, output, _) = self.git.run_for_code(&question, b"")?;
        Ok(output
            .records()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect())
    }

    fn is_wired(&self, event: Event) -> Result<bool, GitError> {
        Ok(!self.values(event, "command")?.is_empty())
    }

    fn config(&self, arguments: &[&str]) -> Result<(), GitError> {
        let whole = [&["config", "--global"][..], arguments].concat();
        self.git.run(&whole, b"").map(drop)
    }

    fn wire(
        &self,
        event: Event,
        program: &str,
        change: &mut GlobalChange,
    ) -> Result<(), InstallError> {
        let folder = &self.folder;
        file::create_folder(folder).map_err(|source| cannot("create", folder, source))?;
        let script = self.script(event);
        script.check()?;
        change.warnings.extend(script.keep_edited()?);
        script.write(program)?;
        let section = format!("{SECTION}{}", event.name);
        // The command first: an event without a command makes Git refuse every commit.
        let command = self.command(event);
        self.config(&["--replace-all", &format!("{section}.command"), &command])?;
        self.config(&["--replace-all", &format!("{section}.event"), event.name])?;
        if self.values(event, "command")? != [command]
            || self.values(event, "event")? != [event.name]
        {
            return Err(InstallError::NotWired {
                what: format!("`{section}` does not read back as it was written"),
            });
        }
        change.wired.push(event.name);
        Ok(())
    }

    fn unwire(&self, event: Event, change: &mut GlobalChange) -> Result<(), InstallError> {
        let mut was_there = false;
        // The event first: without its command Git refuses every commit.
        for name in ["event", "command"] {
            if !self.values(event, name)?.is_empty() {
                self.config(&["--unset-all", &format!("{SECTION}{}.{name}", event.name)])?;
                was_there = true;
            }
        }
        let script = self.script(event);
        if script.found()? == Found::Ours {
            change.warnings.extend(script.keep_edited()?);
            script.remove()?;
            was_there = true;
        }
        if was_there {
            change.unwired.push(event.name);
        }
        Ok(())
    }
}
