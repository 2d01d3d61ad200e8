//! What Git would run for one event in one working tree, in its order: first the hooks of the
//! configuration as they stand in it, then the hook file (git-hook(1)).

use std::path::{Path, PathBuf};

use super::{GATE_OF_ALL, READS_CONFIG, git_in, shown};
use crate::git::GitError;
use crate::gpu::Diagnosis;
use crate::hook::Event;
use crate::hook::shim::ID;
use crate::sys::file;

/// Where people write down what another program's hook runs.
const MANAGERS_FILES: [&str; 10] = [
    ".pre-commit-config.yaml",
    "prek.toml",
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    "lefthook-local.yml",
    "lefthook.toml",
    "hk.pkl",
    ".husky/pre-commit",
    "package.json",
];

/// Longer files are not looked into.
const LIMIT: u64 = 1 << 20;

/// What runs for one event.
pub(super) struct Wiring {
    pub(super) steps: Vec<Step>,
    /// Where Git looks for hook files.
    folder: PathBuf,
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

/// One hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `hook.<name>.*` in the configuration.
    Config {
        name: String,
        /// Whose configuration: `local`, `global (file:/home/ada/.gitconfig)`.
        origin: String,
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
    fn runs(&self) -> bool {
        match self {
            Self::Config { counts, .. } => *counts == Counts::Yes,
            Self::File { is_executable, .. } => *is_executable,
        }
    }

    fn is_ours(&self) -> bool {
        match self {
            Self::Config { name, .. } => is_our_name(name),
            Self::File { is_ours, .. } => *is_ours,
        }
    }

    /// Its name, where it is one of the configuration.
    pub(super) fn config_name(&self) -> Option<&str> {
        match self {
            Self::Config { name, .. } => Some(name),
            Self::File { .. } => None,
        }
    }

    fn in_words(&self) -> Vec<String> {
        match self {
            Self::Config {
                name,
                origin,
                counts,
            } => {
                let off = match counts {
                    Counts::Yes => "",
                    Counts::SwitchedOff { .. } => " (switched off)",
                    Counts::NotRead => " (not by this Git)",
                };
                vec![format!("hook.{name} of {origin}{off}")]
            }
            Self::File {
                path,
                is_executable,
                previous,
                ..
            } => {
                let mut words: Vec<String> = previous
                    .iter()
                    .map(|path| format!("`{}`", shown(path)))
                    .collect();
                let off = if *is_executable {
                    ""
                } else {
                    " (not executable, so it does not run)"
                };
                words.push(format!("`{}`{off}", shown(path)));
                words
            }
        }
    }
}

/// Each event has a section of its own: `gpuguard`, `gpuguard-pre-push`.
fn is_our_name(name: &str) -> bool {
    name == "gpuguard" || name.starts_with("gpuguard-")
}

impl Wiring {
    /// Asks Git, in the working tree itself: a relative `core.hooksPath` means another folder in
    /// each of them.
    pub(super) fn read(
        worktree: &Path,
        event: &str,
        version: (u32, u32),
    ) -> Result<Self, GitError> {
        let mut steps = configured(worktree, event)?;
        if version < READS_CONFIG {
            for step in &mut steps {
                if let Step::Config { counts, .. } = step {
                    *counts = Counts::NotRead;
                }
            }
        }
        let question = ["rev-parse", "--path-format=absolute", "--git-path", "hooks"];
        let folder = git_in(worktree).run(&question, b"")?.path();
        let folder = folder.unwrap_or_default();
        let path = folder.join(event);
        if path.symlink_metadata().is_ok() {
            let content = file::read_at_most(&path, LIMIT).unwrap_or_default();
            let mut lines = content.split(|byte| *byte == b'\n');
            let is_ours = lines.any(|line| line.starts_with(ID));
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

    fn ours(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_ours())
    }

    /// The hooks by which gpuguard runs.
    pub(super) fn running(&self) -> impl Iterator<Item = &Step> {
        self.ours().filter(|step| step.runs())
    }

    /// Hooks of the configuration that are not gpuguard's.
    pub(super) fn other_names(&self) -> Vec<&str> {
        let names = self.steps.iter().filter_map(Step::config_name);
        names.filter(|name| !is_our_name(name)).collect()
    }

    /// What runs, first to last.
    pub(super) fn in_order(&self) -> String {
        let words = self.steps.iter().flat_map(Step::in_words);
        words.collect::<Vec<_>>().join(", then ")
    }

    /// Why gpuguard does not run, and what to do.
    pub(super) fn why_not(&self, event: Event, place: &str, root: &Path) -> Diagnosis {
        let name = event.name;
        // The file stands last; where it would run, it counts.
        if let Some(step) = self.ours().last() {
            return broken(step, &format!("{name} in {place}"));
        }
        if let Some(who) = self.called_by_others(root) {
            return Diagnosis::note(
                format!(
                    "{name} in {place}: {who} calls gpuguard; that was not tried, since it would \
                     run other hooks too"
                ),
                Some("`git commit` with a file that breaks a rule shows it"),
            );
        }
        let found = format!(
            "nothing runs gpuguard for {name} in {place} (hook files are looked for in `{}`)",
            shown(&self.folder)
        );
        // The others are further gates.
        if name == GATE_OF_ALL {
            Diagnosis::wrong(found, "`gpuguard install`, there")
        } else {
            Diagnosis::note(found, Some("`gpuguard install`, there"))
        }
    }

    /// What of somebody else's names gpuguard.
    fn called_by_others(&self, root: &Path) -> Option<String> {
        let names_us = |path: &Path| {
            let content = file::read_at_most(path, LIMIT).unwrap_or_default();
            let found = content.windows(8).any(|word| word == b"gpuguard");
            found.then(|| format!("`{}`", shown(path)))
        };
        let step = self.steps.iter().find_map(|step| match step {
            Step::File {
                path,
                is_executable: true,
                ..
            } => Some(path),
            _ => None,
        })?;
        let files = MANAGERS_FILES.iter().map(|name| root.join(name));
        names_us(step).or_else(|| files.into_iter().find_map(|file| names_us(&file)))
    }
}

/// Why a hook of ours does not run.
fn broken(step: &Step, place: &str) -> Diagnosis {
    match step {
        Step::Config { name, counts, .. } if *counts == Counts::NotRead => Diagnosis::wrong(
            format!("{place}: this Git does not read hook.{name} from the configuration"),
            "`gpuguard install` writes a hook file for it",
        ),
        Step::Config {
            name,
            counts: Counts::SwitchedOff { key },
            ..
        } => Diagnosis::wrong(
            format!("{place}: hook.{name} is switched off by {key}"),
            format!("`git config {key} true`"),
        ),
        Step::Config { name, .. } => Diagnosis::wrong(
            format!("{place}: hook.{name} does not run"),
            "`gpuguard install` writes it anew",
        ),
        Step::File { path, .. } => Diagnosis::wrong(
            format!(
                "{place}: `{}` is not executable, so Git passes over it",
                shown(path)
            ),
            "`gpuguard install` mends it",
        ),
    }
}

/// The hooks of the configuration for an event, whether this Git reads them or not.
fn configured(worktree: &Path, event: &str) -> Result<Vec<Step>, GitError> {
    let question = [
        "config",
        "-z",
        "--show-scope",
        "--show-origin",
        "--get-regexp",
        r"^hook\..*\.(event|enabled)$",
    ];
    // Code 1: nothing is set.
    let (_, output, _) = git_in(worktree).run_for_code(&question, b"")?;
    let records: Vec<String> = output
        .records()
        .map(|record| String::from_utf8_lossy(record).into_owned())
        .collect();
    let mut steps: Vec<Step> = Vec::new();
    let mut off: Vec<(String, bool)> = Vec::new();
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
        if key == "enabled" {
            let is_off = ["false", "no", "off", "0"].contains(&value.to_lowercase().as_str());
            off.push((name.to_owned(), is_off));
        } else if value == event && !steps.iter().any(|step| step.config_name() == Some(name)) {
            steps.push(Step::Config {
                name: name.to_owned(),
                // Where the repository's own lies is known.
                origin: match scope.as_str() {
                    "local" | "worktree" => scope.clone(),
                    _ => format!("{scope} ({origin})"),
                },
                counts: Counts::Yes,
            });
        }
    }
    for step in &mut steps {
        if let Step::Config { name, counts, .. } = step {
            for switch in [name.as_str(), event] {
                let mut said = off.iter().filter(|(other, _)| other == switch);
                if said.next_back().is_some_and(|(_, is_off)| *is_off) {
                    let key = format!("hook.{switch}.enabled");
                    *counts = Counts::SwitchedOff { key };
                    break;
                }
            }
        }
    }
    Ok(steps)
}
