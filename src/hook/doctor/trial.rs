//! Running the wired hook for real, and nothing else: on an index that holds what HEAD holds, in a
//! folder of its own, so that there is nothing to judge, to save or to change.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::wiring::Step;
use super::words;
use crate::git::{GitError, GitProgram};
use crate::sys::child::{self, Ending, Finished, Program};
use crate::sys::real_path::real_path;
use crate::sys::{environment, file};
use crate::text::printable;

/// A hook that takes longer is given up.
const DEADLINE: Duration = Duration::from_secs(30);

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
            Self::Refused { said, cure } => (said, cure),
            Self::Nothing { said } => (said, None),
        }
    }
}

/// One hook to be tried in one working tree.
pub(super) struct Trial<'t> {
    pub(super) git: &'t Path,
    /// Whether this Git can run one hook.
    pub(super) runs_hooks: bool,
    pub(super) worktree: &'t Path,
    pub(super) event: &'t str,
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
            Ok(finished) => self.judge(&finished),
            Err(error) => Fired::Nothing {
                said: words(&error),
            },
        }
    }

    fn start(&self, surroundings: Surroundings) -> Result<Finished, TrialError> {
        let scratch = tempfile::tempdir()?;
        let index = scratch.path().join("index");
        self.write_index(&index)?;
        // Only ours lies there: what else runs beside it may change files.
        let hooks = scratch.path().join("hooks");
        file::create_folder(&hooks)?;
        let hook = hooks.join(self.event);
        if let Step::File { path, .. } = self.step {
            file::write_executable(&hook, &std::fs::read(path)?)?;
        }
        let program = if self.runs_hooks {
            Program {
                file: self.git.to_owned(),
                arguments: self.arguments(&hooks),
                environment: environment_of(surroundings, &index),
            }
        } else {
            let enter = r#"cd -- "$1" && shift && exec "$@""#;
            let mut arguments: Vec<OsString> = vec!["-c".into(), enter.into(), "sh".into()];
            arguments.extend([self.worktree.into(), hook.into()]);
            Program {
                file: "/bin/sh".into(),
                arguments,
                environment: environment_of(surroundings, &index),
            }
        };
        Ok(child::run(&program, DEADLINE)?)
    }

    /// An index with all that HEAD holds, so that nothing is staged.
    fn write_index(&self, index: &Path) -> Result<(), GitError> {
        let git = GitProgram::in_directory(self.worktree).with_variable("GIT_INDEX_FILE", index);
        let question = ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"];
        let (code, tree, _) = git.run_for_code(&question, b"")?;
        let tree = tree.line();
        let tree = if code == Some(0) { &tree } else { "--empty" };
        git.run(&["read-tree", tree], b"").map(drop)
    }

    fn arguments(&self, hooks: &Path) -> Vec<OsString> {
        let mut hooks_path = OsString::from("core.hooksPath=");
        hooks_path.push(hooks);
        let mut arguments: Vec<OsString> =
            vec!["-C".into(), self.worktree.into(), "-c".into(), hooks_path];
        for name in &self.others {
            arguments.push("-c".into());
            arguments.push(format!("hook.{name}.enabled=false").into());
        }
        arguments.extend(["hook", "run", self.event].map(OsString::from));
        if self.event == "pre-push" {
            // What Git gives: the remote's name and address. No ref is named, so none is pushed.
            arguments.extend(["--", "origin", "origin"].map(OsString::from));
        }
        arguments
    }

    fn judge(&self, finished: &Finished) -> Fired {
        let said = String::from_utf8_lossy(&finished.stderr);
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or("it said nothing");
        let first = printable(first.as_bytes());
        let ran = said.lines().any(|line| line.starts_with("gpuguard: "));
        match finished.ending {
            // Where nothing is pushed, nothing is said.
            Ending::Exited(0) if ran || self.event == "pre-push" => Fired::Passed,
            Ending::Exited(0) => Fired::Nothing {
                said: format!("it ended well, but gpuguard did not run ({first})"),
            },
            Ending::Exited(_) if ran => {
                let marks = ["hint: ", "to repair: "];
                let cure = |line: &str| {
                    let mut marks = marks.iter();
                    marks.find_map(|mark| line.strip_prefix(mark).map(str::to_owned))
                };
                Fired::Refused {
                    cure: said.lines().map(str::trim).find_map(cure),
                    said: first,
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

fn environment_of(surroundings: Surroundings, index: &Path) -> Vec<(OsString, OsString)> {
    let is_kept = |name: &str| match surroundings {
        // Those that pass everything are told of by themselves.
        Surroundings::AsHere => {
            !OF_A_REPOSITORY.contains(&name) && !["GPUGUARD", "SKIP"].contains(&name)
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
    variables.push(("GIT_INDEX_FILE".into(), index.into()));
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
        let variables = environment_of(Surroundings::GraphicalClient, Path::new("/tmp/index"));
        let path = variables.iter().find(|(name, _)| name == "PATH").unwrap();
        assert!(!Path::new(&path.1).exists(), "{path:?}");
        assert!(variables.iter().all(|(name, _)| name != "LD_LIBRARY_PATH"));
    }
}
