//! What Git would run for one event in one working tree, in its order: first the hooks of the
//! configuration as they stand in it, then the hook file (git-hook(1)).

use std::path::{Path, PathBuf};

use super::Event;
use super::config_entry::ConfigEntry;
use super::global;
use super::hooks_folder;
use super::shim::{Found, HookFile};
use crate::git::{GitError, GitProgram};
use crate::sys::file;

/// From this Git on, hooks of the configuration are read.
pub(super) const READS_CONFIG: (u32, u32) = (2, 54);

/// What runs for one event.
pub(super) struct Wiring {
    pub(super) steps: Vec<Step>,
    /// Where Git looks for hook files.
    pub(super) folder: PathBuf,
}

/// Whether a hook of the configuration counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    /// A key is false: `hook.<name>.enabled`, or that of the event (Git 2.55).
    SwitchedOff {
        key: String,
    },
    /// This Git reads no hooks from the configuration.
    NotRead,
}

/// Who wrote a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// `gpuguard install`, here.
    Ours,
    /// `gpuguard install --global`.
    OursForAll,
    /// Somebody else.
    Theirs,
}

/// One hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `hook.<name>.*` in the configuration.
    Config {
        name: String,
        /// Whose configuration: `local`, `global (file:/home/ada/.gitconfig)`.
        origin: String,
        command: String,
        whose: Whose,
        counts: Counts,
    },
    /// The hook file.
    File {
        path: PathBuf,
        is_ours: bool,
        is_executable: bool,
        /// An earlier hook, which ours runs first.
        previous: Option<PathBuf>,
    },
}

impl Step {
    pub(super) fn runs(&self) -> bool {
        match self {
            Self::Config { counts, .. } => *counts == Counts::Yes,
            Self::File { is_executable, .. } => *is_executable,
        }
    }

    pub(super) fn whose(&self) -> Whose {
        match self {
            Self::Config { whose, .. } => *whose,
            Self::File { is_ours: true, .. } => Whose::Ours,
            Self::File { .. } => Whose::Theirs,
        }
    }

    /// Its name, where it is one of the configuration.
    pub(super) fn config_name(&self) -> Option<&str> {
        match self {
            Self::Config { name, .. } => Some(name),
            Self::File { .. } => None,
        }
    }
}

impl Wiring {
    /// Asks Git, in the working tree itself: a relative `core.hooksPath` means another folder in
    /// each of them. `version` is that of the Git that runs the hooks.
    pub(super) fn read(
        worktree: &Path,
        event: &str,
        version: (u32, u32),
    ) -> Result<Self, GitError> {
        let git = GitProgram::in_directory(worktree).with_configured_hooks();
        let mut steps = configured(&git, event)?;
        if version < READS_CONFIG {
            for step in &mut steps {
                if let Step::Config { counts, .. } = step {
                    *counts = Counts::NotRead;
                }
            }
        }
        let question = ["rev-parse", "--path-format=absolute", "--git-path", "hooks"];
        let folder = match git.run(&question, b"") {
            Ok(answer) => answer.path().unwrap_or_default(),
            // Git then looks for `/pre-commit`, but does not say so.
            Err(_) if hooks_folder::is_set_to_nothing(&git)? => PathBuf::from("/"),
            Err(error) => return Err(error),
        };
        let path = match super::event(event) {
            Some(event) => HookFile::in_folder(&folder, event.name)
                .started()
                .to_owned(),
            None => folder.join(event),
        };
        if path.symlink_metadata().is_ok() {
            let is_ours = super::event(event).is_some_and(|event| {
                let found = HookFile::in_folder(&folder, event.name).found();
                found.is_ok_and(|found| found == Found::Ours)
            });
            let mut previous = path.clone().into_os_string();
            previous.push(".gpuguard-previous");
            let previous = PathBuf::from(previous);
            steps.push(Step::File {
                is_ours,
                is_executable: file::is_executable(&path),
                previous: (is_ours && file::is_executable(&previous)).then_some(previous),
                path,
            });
        }
        Ok(Self { steps, folder })
    }

    /// The hooks by which gpuguard runs.
    pub(super) fn running(&self) -> impl Iterator<Item = &Step> {
        let is_ours = |step: &&Step| step.whose() != Whose::Theirs && step.runs();
        self.steps.iter().filter(is_ours)
    }

    /// The one that does the work: the repository's own, else the one for all repositories, which
    /// stands down where there is such a one.
    pub(super) fn at_work(&self) -> Option<&Step> {
        let mut running = self.running();
        let own = self.running().find(|step| step.whose() == Whose::Ours);
        own.or_else(|| running.next())
    }

    /// Whether a hook of ours is as `install` writes it here. Of one for all repositories, which
    /// has no script here, nothing is asked.
    pub(super) fn is_sound(&self, step: &Step, common_dir: &Path, event: Event) -> bool {
        let scripts = common_dir.join("gpuguard");
        let folder = match step {
            _ if step.whose() != Whose::Ours => return true,
            Step::Config { .. } => scripts.as_path(),
            Step::File { .. } => self.folder.as_path(),
        };
        HookFile::in_folder(folder, event.name).is_as_written()
    }

    /// Somebody else's hook that runs after the one at work.
    pub(super) fn after_work(&self) -> Option<&Step> {
        let at_work = self.at_work()?;
        let mut steps = self.steps.iter().skip_while(|step| *step != at_work);
        steps.find(|step| step.whose() == Whose::Theirs && step.runs())
    }
}

/// Whether the repository of a working tree (or a bare one) has a gate of its own at the event:
/// wired, switched on, executable, and as `install` writes it.
pub(super) fn has_own_gate(
    place: &Path,
    common_dir: &Path,
    event: Event,
) -> Result<bool, GitError> {
    // Only such a Git has entries for all repositories.
    let wiring = Wiring::read(place, event.name, READS_CONFIG)?;
    let mut running = wiring.running();
    Ok(running.any(|step| step.whose() == Whose::Ours && wiring.is_sound(step, common_dir, event)))
}

/// The hooks of the configuration for an event, whether this Git reads them or not.
pub(super) fn configured(git: &GitProgram, event: &str) -> Result<Vec<Step>, GitError> {
    let question = [
        "config",
        "-z",
        "--show-scope",
        "--show-origin",
        "--get-regexp",
        r"^hook\..*\.(event|command|enabled)$",
    ];
    // Code 1: nothing is set.
    let (_, output, _) = git.run_for_code(&question, b"")?;
    let records: Vec<String> = output
        .records()
        .map(|record| String::from_utf8_lossy(record).into_owned())
        .collect();
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut switches: Vec<(String, String)> = Vec::new();
    for record in records.chunks_exact(3) {
        let [scope, origin, setting] = record else {
            continue;
        };
        let (key, value) = setting.split_once('\n').unwrap_or((setting, "true"));
        let Some((name, key)) = key
            .strip_prefix("hook.")
            .and_then(|key| key.rsplit_once('.'))
        else {
            continue;
        };
        match key {
            "command" => commands.push((name.to_owned(), value.to_owned())),
            "enabled" => switches.push((name.to_owned(), value.to_owned())),
            // It takes back what was said before.
            _ if value.is_empty() => steps.retain(|(other, _)| other != name),
            _ if value == event => {
                // Git goes by where it is said last.
                steps.retain(|(other, _)| other != name);
                // Where the repository's own lies is known.
                let origin = match scope.as_str() {
                    "local" | "worktree" => scope.clone(),
                    _ => format!("{scope} ({origin})"),
                };
                steps.push((name.to_owned(), origin));
            }
            _ => {}
        }
    }
    let step = |(name, origin): (String, String)| {
        let mut command = commands.iter().rev().filter(|(other, _)| *other == name);
        let command = command.next().map(|(_, command)| command.clone());
        let command = command.unwrap_or_default();
        let mut counts = Counts::Yes;
        for switch in [name.as_str(), event] {
            let said = switches.iter().filter(|(other, _)| other == switch);
            if is_off(git, said.map(|(_, value)| value.as_str()))? {
                let key = format!("hook.{switch}.enabled");
                counts = Counts::SwitchedOff { key };
                break;
            }
        }
        Ok(Step::Config {
            whose: whose(&name, &command, event),
            name,
            origin,
            command,
            counts,
        })
    };
    steps.into_iter().map(step).collect()
}

/// Whether the last of the values that Git takes for true or false is false.
fn is_off<'v>(git: &GitProgram, values: impl Iterator<Item = &'v str>) -> Result<bool, GitError> {
    let mut is_off = false;
    for value in values {
        // Git alone knows its words: an empty one is false, and `tru` is passed over.
        let asked = format!("gpuguard.asked={value}");
        let question = [
            "-c",
            &asked,
            "config",
            "--type=bool",
            "--get",
            "gpuguard.asked",
        ];
        if let (Some(0), answer, _) = git.run_for_code(&question, b"")? {
            is_off = answer.line() == "false";
        }
    }
    Ok(is_off)
}

/// By its exact name and command: another may well begin so.
fn whose(name: &str, command: &str, event: &str) -> Whose {
    let Some(event) = super::event(event) else {
        return Whose::Theirs;
    };
    if name == ConfigEntry::name_for(event.name) && ConfigEntry::wrote(command, event.name) {
        Whose::Ours
    } else if name == global::name_for(event) && global::wrote(command, event) {
        Whose::OursForAll
    } else {
        Whose::Theirs
    }
}
