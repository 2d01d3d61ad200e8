//! One repository, and how each event is wired there: by its configuration, by a hook file, or by
//! the hook manager that it has.

use std::path::{Path, PathBuf};

use super::config_entry::{self, ConfigEntry};
use super::hooks_folder::HooksFolder;
use super::install::{
    Change, InstallError, Join, Managed, Mechanism, OtherHook, Removed, WhyFile, Wired,
};
use super::noted_folders::{note_folder, noted_folders};
use super::shim::{Found, HookFile, Written, cannot};
use super::wiring::{self, Step, Whose};
use super::{EVENTS, Event};
use crate::git::{GitProgram, Repository};
use crate::sys::file;

/// How an event is to be wired.
pub(super) enum Way {
    Config,
    File(WhyFile),
    /// It is already, by a hook manager.
    Manager(Managed),
}

/// A repository, and how hooks are wired there.
pub(super) struct Place<'r> {
    repository: &'r Repository,
    /// The folder of hook files, if one may be written there.
    folder: Result<HooksFolder, InstallError>,
    by_file: bool,
    is_new_git: bool,
}

impl<'r> Place<'r> {
    pub(super) fn of(repository: &'r Repository, by_file: bool) -> Result<Self, InstallError> {
        Ok(Self {
            repository,
            folder: HooksFolder::of(repository),
            by_file,
            is_new_git: config_entry::is_supported(&repository.program())?,
        })
    }

    fn entry(&self, event: Event) -> ConfigEntry<'r> {
        ConfigEntry::of(self.repository, event.name)
    }

    /// The places where hook files of gpuguard can be: where Git looks now, and where it looks
    /// without `core.hooksPath`, which may have been set since, and where one was written before.
    fn hook_files(&self, event: Event) -> Vec<HookFile> {
        let mut folders = vec![HooksFolder::usual(self.repository)];
        // A folder that is not this repository's alone holds no hook of ours.
        if let Ok(folder) = &self.folder
            && !folders.contains(&folder.path)
        {
            folders.push(folder.path.clone());
        }
        for folder in noted_folders(self.repository) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        let file = |folder: PathBuf| HookFile::in_folder(&folder, event.name);
        folders.into_iter().map(file).collect()
    }

    /// Whether the configuration has entries of gpuguard.
    pub(super) fn has_entries(&self) -> Result<bool, InstallError> {
        for event in EVENTS {
            if self.entry(event).is_there()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn is_installed(&self, event: Event) -> Result<bool, InstallError> {
        for hook in self.hook_files(event) {
            if hook.found()? == Found::Ours {
                return Ok(true);
            }
        }
        Ok(self.entry(event).is_installed()?)
    }

    /// The commands of somebody else's that Git runs at the event, from whatever configuration.
    fn others(&self, event: Event) -> Result<Vec<String>, InstallError> {
        let place = self
            .repository
            .worktree()
            .unwrap_or(self.repository.git_dir());
        let git = GitProgram::in_directory(place);
        let steps = wiring::configured(&git, event.name)?.into_iter();
        Ok(steps
            .filter_map(|step| match step {
                Step::Config {
                    command,
                    whose: Whose::Theirs,
                    ..
                } => Some(command),
                _ => None,
            })
            .collect())
    }

    /// The hook manager at the event.
    pub(super) fn manager(&self, event: Event) -> Result<Option<Managed>, InstallError> {
        let commands = self.others(event)?;
        let hook = HooksFolder::named_by_git(self.repository)
            .ok()
            .map(|folder| HookFile::in_folder(&folder, event.name));
        let files: &[&Path] = match &hook {
            Some(hook) if hook.found().is_ok_and(|found| found == Found::Foreign) => &[&hook.path],
            Some(hook) => &[&hook.previous],
            None => &[],
        };
        Ok(Managed::find(self.repository, files, &commands, event))
    }

    /// How the event is to be wired; what stands in the way is found before anything is changed.
    pub(super) fn way(&self, event: Event) -> Result<Way, InstallError> {
        let managed = self.manager(event)?;
        if let Some(managed) = managed
            .as_ref()
            .filter(|managed| managed.join == Join::Runs && !self.by_file)
        {
            return Ok(Way::Manager(managed.clone()));
        }
        let entry = self.entry(event);
        let why = match &self.folder {
            _ if self.by_file => Some(WhyFile::Asked),
            _ if !self.is_new_git => Some(WhyFile::OldGit),
            // Where no hook file may be written, there is no choice. One beside a manager's is
            // gone the next time it writes its own.
            Ok(folder) if managed.is_none() && event.gate.judges_index() => {
                let hook = HookFile::in_folder(&folder.path, event.name);
                let has_others = hook.has_active_other()? || !self.others(event)?.is_empty();
                if has_others {
                    Some(WhyFile::OtherHook)
                } else {
                    super::STARTS_PROGRAMS.then_some(WhyFile::StartsProgram)
                }
            }
            Ok(_) if managed.is_none() && super::STARTS_PROGRAMS => Some(WhyFile::StartsProgram),
            Ok(_) | Err(_) => None,
        };
        let Some(why) = why else {
            entry.check()?;
            return Ok(Way::Config);
        };
        match &self.folder {
            Ok(folder) => HookFile::in_folder(&folder.path, event.name).check()?,
            // Made anew, since the first one is kept.
            Err(_) => HooksFolder::of(self.repository).map(drop)?,
        }
        Ok(Way::File(why))
    }

    pub(super) fn wire_with_config(
        &self,
        event: Event,
        program: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Wired, InstallError> {
        let entry = self.entry(event);
        warnings.extend(entry.script().keep_edited()?);
        let (command, written) = entry.write(program)?;
        // A hook file from the time of an older Git would run gpuguard a second time.
        let mut old = Removed::default();
        self.remove_files(event, &mut old)?;
        warnings.append(&mut old.warnings);
        let switched_off = entry.is_switched_off()?;
        if switched_off {
            warnings.push(format!(
                "`{}` is false: Git does not run the hook until it is true",
                entry.switch()
            ));
        }
        let beside = self.manager(event)?;
        let other_hook = HooksFolder::named_by_git(self.repository)
            .ok()
            .and_then(|folder| other_hook(HookFile::in_folder(&folder, event.name).path));
        if let Some(other) = &other_hook
            && other.executable
            && event.gate.judges_index()
        {
            warnings.push(format!(
                "Git runs the hook `{}` after gpuguard, so what it stages is not judged",
                other.path.display()
            ));
        }
        Ok(Wired {
            event,
            change: change(&written, !old.files.is_empty()),
            mechanism: Mechanism::Config { command },
            other_hook,
            beside,
            switched_off,
        })
    }

    pub(super) fn wire_with_file(
        &self,
        event: Event,
        program: &str,
        why: WhyFile,
        warnings: &mut Vec<String>,
    ) -> Result<Wired, InstallError> {
        let folder = HooksFolder::of(self.repository)?;
        for warning in folder.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        let hook = HookFile::in_folder(&folder.path, event.name);
        warnings.extend(hook.keep_edited()?);
        let kept_before = hook.kept_before().len();
        let written = hook.write(program)?;
        for kept in hook.kept_before().iter().skip(kept_before) {
            warnings.push(format!(
                "an earlier hook, which ran before gpuguard until now, is kept as `{}`; nothing \
                 runs it any more",
                kept.display()
            ));
        }
        note_folder(self.repository, &folder.path)
            .map_err(|source| cannot("note", &folder.path, source))?;
        hook.remove_moved_aside(warnings)?;
        // Entries from before: a new Git runs the hook file too, and twice is too often.
        let entry = self.entry(event);
        let had_entries = entry.remove()?;
        entry.remove_script(warnings)?;
        Ok(Wired {
            event,
            mechanism: Mechanism::File {
                path: hook.started().to_owned(),
                why,
            },
            change: change(&written, had_entries),
            other_hook: other_hook(hook.previous),
            beside: self.manager(event)?,
            switched_off: false,
        })
    }

    /// Takes away what would run gpuguard a second time.
    pub(super) fn leave_to(
        &self,
        managed: Managed,
        event: Event,
        warnings: &mut Vec<String>,
    ) -> Result<Wired, InstallError> {
        let mut removed = Removed::default();
        self.unwire(event, &mut removed)?;
        warnings.append(&mut removed.warnings);
        Ok(Wired {
            event,
            mechanism: Mechanism::Manager(managed),
            change: if removed.is_nothing() {
                Change::Unchanged
            } else {
                Change::Updated
            },
            other_hook: None,
            beside: None,
            switched_off: false,
        })
    }

    pub(super) fn unwire(&self, event: Event, removed: &mut Removed) -> Result<(), InstallError> {
        self.remove_files(event, removed)?;
        // The entries first: Git refuses every commit while they name a script that has gone.
        let entry = self.entry(event);
        removed.config |= entry.remove()?;
        entry.remove_script(&mut removed.warnings)
    }

    /// What runs gpuguard here, or names it, though it is nothing that `install` wrote here.
    pub(super) fn still(&self) -> Result<Vec<String>, InstallError> {
        let mut still = Vec::new();
        let root = self
            .repository
            .worktree()
            .unwrap_or(self.repository.git_dir());
        for event in EVENTS {
            let said = match self.manager(event)? {
                Some(managed) if managed.join != Join::No => Some(format!(
                    "`{}` still names gpuguard, and {} may run it: take it out there",
                    managed.file.display(),
                    managed.manager.name()
                )),
                _ => wiring::configured(&GitProgram::in_directory(root), event.name)?
                    .iter()
                    .any(|step| step.whose() == Whose::OursForAll)
                    .then(|| {
                        "it is still installed for all repositories: `gpuguard uninstall --global` \
                         takes it out"
                            .to_owned()
                    }),
            };
            still.extend(said.filter(|said| !still.contains(said)));
        }
        Ok(still)
    }

    fn remove_files(&self, event: Event, removed: &mut Removed) -> Result<(), InstallError> {
        for hook in self.hook_files(event) {
            match (hook.found()?, hook.has_previous()) {
                // Nothing in front of a kept hook: our file was removed by hand, or an installation
                // was cut short.
                (Found::Ours, kept) | (Found::Nothing, kept @ true) => {
                    removed.warnings.extend(hook.keep_edited()?);
                    let place = hook.started().to_owned();
                    hook.remove()?;
                    for kept in hook.kept_before() {
                        removed.warnings.push(format!(
                            "an earlier hook is still kept as `{}`; nothing runs it",
                            kept.display()
                        ));
                    }
                    if kept {
                        removed.restored.push(place.clone());
                    }
                    removed.files.push(place);
                }
                (Found::Foreign, true) => removed.warnings.push(format!(
                    "`{}` is not gpuguard's and was left alone; the hook from before gpuguard is \
                     still kept as `{}`",
                    hook.path.display(),
                    hook.previous.display()
                )),
                (Found::Nothing | Found::Foreign, false) => {}
            }
            let moved = hook.remove_moved_aside(&mut removed.warnings)?;
            removed.files.extend(moved);
        }
        Ok(())
    }
}

fn change(written: &Written, was_wired_otherwise: bool) -> Change {
    match written {
        _ if was_wired_otherwise => Change::Updated,
        Written::New => Change::Installed,
        Written::Updated => Change::Updated,
        Written::Unchanged => Change::Unchanged,
    }
}

/// A hook of somebody else at `path`, if there is one.
fn other_hook(path: PathBuf) -> Option<OtherHook> {
    path.symlink_metadata().ok()?;
    Some(OtherHook {
        executable: file::is_executable(&path),
        path,
    })
}
