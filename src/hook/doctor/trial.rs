//! Running the wired hook for real, and nothing else: on an index that holds what HEAD holds, in a
//! folder of its own, or with a push that brings nothing, so that there is nothing to judge, to
//! save or to change.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::words;
use crate::git::{GitError, GitProgram};
use crate::hook::wiring::Step;
use crate::hook::{Event, Gate};
use crate::sys::child::{self, Ending, Finished, Program};
use crate::sys::real_path::real_path;
use crate::sys::{environment, file};
use crate::text::printable;

/// A hook that takes longer is given up.
const DEADLINE: Duration = Duration::from_secs(30);

/// From this Git on, it can itself run one hook (`git hook run`).
const RUNS_HOOKS: (u32, u32) = (2, 36);
/// From this one on, it hands that hook something on standard input (`--to-stdin`).
const HANDS_ON_INPUT: (u32, u32) = (2, 40);

/// Says to gpuguard that it is tried: it answers, and takes no notes.
const TRIAL: &str = "GPUGUARD_HOOK_TRIAL";
/// Its answer.
const ASKED: &str = "gpuguard: asked";

/// Whether this process is tried by `gpuguard doctor`.
pub fn is_trial() -> bool {
    environment::text(TRIAL).is_some()
}

/// What makes Git look at another repository or index than the one it finds.
const OF_A_REPOSITORY: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
];

/// What a program that was started from a desktop has, besides what Git puts on its PATH.
const OF_A_DESKTOP: [&str; 8] = [
    "HOME",
    "USER",
    "LOGNAME",
    "USERPROFILE",
    "APPDATA",
    "SystemRoot",
    "TEMP",
    "TMP",
];

/// The variables that the hook gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// Those of this process.
    AsHere,
    /// Almost none, and a PATH with nothing on it.
    GraphicalClient,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Fired {
    /// gpuguard ran, and let pass what is nothing.
    Passed,
    /// It ran, and refused.
    Refused {
        /// Its first words.
        said: String,
        /// What it says to do.
        cure: Option<String>,
        /// Whether the program itself did; else the script did without it.
        by_program: bool,
    },
    /// It did not run.
    Nothing {
        /// What is known of that.
        said: String,
    },
}

impl Fired {
    /// What was said, and what to do.
    pub(super) fn words(self) -> (String, Option<String>) {
        match self {
            Self::Passed => ("it passed".to_owned(), None),
            Self::Refused { said, cure, .. } => (said, cure),
            Self::Nothing { said } => (said, None),
        }
    }
}

/// One hook to be tried in one working tree, or in a bare repository.
pub(super) struct Trial<'t> {
    pub(super) git: &'t Path,
    pub(super) version: (u32, u32),
    pub(super) root: &'t Path,
    pub(super) event: Event,
    pub(super) step: &'t Step,
    /// The other hooks of the configuration, which must not run.
    pub(super) others: Vec<&'t str>,
}

/// Why a trial could not be made.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("no room for a trial")]
    Scratch(#[from] io::Error),
}

impl Trial<'_> {
    /// Runs the hook once.
    pub(super) fn run(&self, surroundings: Surroundings) -> Fired {
        match self.start(surroundings) {
            Ok(finished) => Self::judge(&finished),
            Err(error) => Fired::Nothing {
                said: words(&error),
            },
        }
    }

    fn start(&self, surroundings: Surroundings) -> Result<Finished, TrialError> {
        let scratch = tempfile::tempdir()?;
        let index = scratch.path().join("index");
        let input = scratch.path().join("input");
        file::write_loosely(&input, self.told()?.as_bytes())?;
        if self.event.gate != Gate::Receive {
            self.write_index(&index)?;
        }
        // Only ours lies there: what else runs beside it may change files.
        let hooks = scratch.path().join("hooks");
        file::create_folder(&hooks)?;
        let mut hook = hooks.join(self.event.name);
        if let Step::File { path, .. } = self.step {
            // On Windows it may be a program, by its ending.
            if let Some(name) = path.file_name() {
                hook.set_file_name(name);
            }
            file::write_executable(&hook, &std::fs::read(path)?)?;
        }
        let hears = matches!(self.event.gate, Gate::Push | Gate::Receive);
        let mut environment = environment_of(surroundings);
        let place = self.place()?;
        if self.event.gate == Gate::Receive {
            // As Git has it there.
            environment.push(("GIT_DIR".into(), place.clone().into()));
        } else {
            environment.push(("GIT_INDEX_FILE".into(), index.into()));
        }
        let oldest = if hears { HANDS_ON_INPUT } else { RUNS_HOOKS };
        let program = if self.version >= oldest {
            Program {
                file: self.git.to_owned(),
                arguments: self.arguments(&place, &hooks, hears.then_some(&*input)),
                environment,
            }
        } else {
            let enter = r#"exec <"$1" && cd -- "$2" && shift 2 && exec "$@""#;
            let mut arguments: Vec<OsString> = vec!["-c".into(), enter.into(), "sh".into()];
            arguments.extend([input.into(), place.into(), hook.into()]);
            arguments.extend(self.arguments_of_hook());
            Program {
                file: "/bin/sh".into(),
                arguments,
                environment,
            }
        };
        Ok(child::run(&program, DEADLINE)?)
    }

    /// Where Git runs the hook: a push is received in the Git directory, also where there is a
    /// working tree.
    fn place(&self) -> Result<PathBuf, GitError> {
        if self.event.gate != Gate::Receive {
            return Ok(self.root.to_owned());
        }
        let question = ["rev-parse", "--absolute-git-dir"];
        let answer = GitProgram::in_directory(self.root).run(&question, b"")?;
        Ok(answer.path().unwrap_or_else(|| self.root.to_owned()))
    }

    /// What Git says of a push that brings nothing, on standard input: one line.
    fn told(&self) -> Result<String, GitError> {
        let git = GitProgram::in_directory(self.root);
        let asked = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
        let (code, head, _) = git.run_for_code(&asked, b"")?;
        let head = (code == Some(0)).then(|| head.line());
        let name = "refs/heads/gpuguard-trial";
        Ok(match (self.event.gate, head) {
            (Gate::Push, Some(head)) => format!("HEAD {head} {name} {head}\n"),
            (Gate::Receive, Some(head)) => format!("{head} {head} {name}\n"),
            (Gate::Receive, None) => {
                let format = git.run(&["rev-parse", "--show-object-format"], b"")?;
                let digits = if format.line() == "sha256" { 64 } else { 40 };
                let none = "0".repeat(digits);
                format!("{none} {none} {name}\n")
            }
            _ => String::new(),
        })
    }

    /// An index with all that HEAD holds, so that nothing is staged.
    fn write_index(&self, index: &Path) -> Result<(), GitError> {
        let git = GitProgram::in_directory(self.root).with_variable("GIT_INDEX_FILE", index);
        let question = ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"];
        let (code, tree, _) = git.run_for_code(&question, b"")?;
        let tree = tree.line();
        let tree = if code == Some(0) { &tree } else { "--empty" };
        git.run(&["read-tree", tree], b"").map(drop)
    }

    fn arguments(&self, place: &Path, hooks: &Path, input: Option<&Path>) -> Vec<OsString> {
        let mut hooks_path = OsString::from("core.hooksPath=");
        hooks_path.push(hooks);
        let mut arguments: Vec<OsString> = vec!["-C".into(), place.into(), "-c".into(), hooks_path];
        for name in &self.others {
            arguments.push("-c".into());
            arguments.push(format!("hook.{name}.enabled=false").into());
        }
        arguments.extend(["hook", "run"].map(OsString::from));
        if let Some(input) = input {
            let mut option = OsString::from("--to-stdin=");
            option.push(input);
            arguments.push(option);
        }
        arguments.push(self.event.name.into());
        let of_hook = self.arguments_of_hook();
        if !of_hook.is_empty() {
            arguments.push("--".into());
            arguments.extend(of_hook);
        }
        arguments
    }

    /// What Git gives to the hook itself: the remote's name and address.
    fn arguments_of_hook(&self) -> Vec<OsString> {
        let words: &[&str] = match self.event.gate {
            Gate::Push => &["origin", "origin"],
            _ => &[],
        };
        words.iter().map(OsString::from).collect()
    }

    fn judge(finished: &Finished) -> Fired {
        let said = String::from_utf8_lossy(&finished.stderr);
        let by_program = said.lines().any(|line| line == ASKED);
        let mut lines = said
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && *line != ASKED);
        let first = lines.next().unwrap_or("it said nothing");
        let first = printable(first.as_bytes());
        let is_ours = said.lines().any(|line| line.starts_with("gpuguard: "));
        match finished.ending {
            Ending::Exited(0) if by_program => Fired::Passed,
            Ending::Exited(0) => Fired::Nothing {
                said: format!("it ended well, but gpuguard did not run ({first})"),
            },
            Ending::Exited(_) if is_ours => {
                let marks = ["hint: ", "to repair: "];
                let cure = |line: &str| {
                    let mut marks = marks.iter();
                    marks.find_map(|mark| line.strip_prefix(mark).map(str::to_owned))
                };
                Fired::Refused {
                    cure: said.lines().map(str::trim).find_map(cure),
                    said: first,
                    by_program,
                }
            }
            Ending::Exited(code) => Fired::Nothing {
                said: format!("exit code {code}: {first}"),
            },
            Ending::Crashed { ref how } => Fired::Nothing {
                said: format!("it crashed: {how}"),
            },
            Ending::Killed | Ending::LeftBehind { .. } => Fired::Nothing {
                said: format!("it did not end within {} s", DEADLINE.as_secs()),
            },
        }
    }
}

fn environment_of(surroundings: Surroundings) -> Vec<(OsString, OsString)> {
    let is_kept = |name: &str| match surroundings {
        // Those that pass everything are told of by themselves.
        Surroundings::AsHere => {
            !OF_A_REPOSITORY.contains(&name)
                && !["GPUGUARD", "SKIP"].contains(&name)
                && !name.starts_with("GPUGUARD_HOOK_")
        }
        // Where the configuration lies makes no difference between the two.
        Surroundings::GraphicalClient => {
            OF_A_DESKTOP.contains(&name) || name.starts_with("GIT_CONFIG")
        }
    };
    let mut variables: Vec<(OsString, OsString)> = environment::all()
        .filter(|(name, _)| name.to_str().is_some_and(is_kept))
        .collect();
    if surroundings == Surroundings::GraphicalClient {
        variables.push(("PATH".into(), nowhere()));
    }
    variables.push((TRIAL.into(), "1".into()));
    variables.push(("GIT_TERMINAL_PROMPT".into(), "0".into()));
    variables
}

/// A PATH with nothing on it; Git adds the folder of its own programs.
fn nowhere() -> OsString {
    if cfg!(windows) {
        "C:\\gpuguard-nothing-is-here".into()
    } else {
        "/gpuguard-nothing-is-here".into()
    }
}

/// The programs of a name on PATH, each file once.
pub(super) fn programs_on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = environment::variable("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut seen: Vec<PathBuf> = Vec::new();
    folders.into_iter().filter_map(move |folder| {
        let file = folder.join(&name);
        let real = real_path(&file).ok()?;
        let is_new = folder.is_absolute() && file::is_executable(&file) && !seen.contains(&real);
        seen.push(real);
        is_new.then_some(file)
    })
}

/// What a `git` says of its version.
pub(super) fn version_words(git: &Path) -> Option<String> {
    let program = Program {
        file: git.to_owned(),
        arguments: vec!["version".into()],
        environment: environment::all().collect(),
    };
    let finished = child::run(&program, DEADLINE).ok()?;
    let said = String::from_utf8_lossy(&finished.stdout);
    let line = said
        .lines()
        .next()
        .filter(|line| line.starts_with("git version "))?;
    Some(printable(line.trim().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graphical_client_gives_hardly_anything() {
        let variables = environment_of(Surroundings::GraphicalClient);
        let path = variables.iter().find(|(name, _)| name == "PATH").unwrap();
        assert!(!Path::new(&path.1).exists(), "{path:?}");
        assert!(variables.iter().all(|(name, _)| name != "LD_LIBRARY_PATH"));
    }
}
