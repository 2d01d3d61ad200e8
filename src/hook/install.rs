//! Wiring gpuguard into a repository and out of it again.
//!
//! From Git 2.54 on a hook is an entry of the repository's configuration. Older Gits get a hook
//! file, and so does a repository that has one: the hook that was there runs first, since what it
//! stages is to be judged too, and Git runs entries of the configuration before the hook file.

mod error;

use std::path::{Path, PathBuf};

use super::config_file::{ConfigFile, own_names};
use super::noted_folders::forget_folders;
use super::place::{Place, Way};
use super::{EVENTS, Event, Gate, doctor, unchecked};
use crate::git::Repository;
use crate::sys::file;
use crate::sys::real_path::real_path;

pub use error::InstallError;

pub use super::hook_manager::{Join, Managed, Manager};

/// How Git comes to run gpuguard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `hook.gpuguard.*` in the repository's configuration.
    Config {
        /// The key and the command Git runs.
        command: String,
    },
    /// A hook file.
    File {
        /// The file.
        path: PathBuf,
        /// Why not the configuration.
        why: WhyFile,
    },
    /// A hook manager runs it, by its own configuration.
    Manager(Managed),
}

/// Why gpuguard is wired by a hook file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyFile {
    /// This Git reads no hooks from the configuration.
    OldGit,
    /// There is a hook that has to run first; Git runs the hook file last of all.
    OtherHook,
    /// Git for Windows starts a program in the hooks folder itself, and everything else by its `sh`.
    StartsProgram,
    /// The user wants it so.
    Asked,
}

/// What `install` changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// gpuguard was not wired before.
    Installed,
    /// It was, with another program or an older hook file.
    Updated,
    /// All was as it should be.
    Unchanged,
}

/// A repository with gpuguard wired in.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The root of the working tree, or the bare repository.
    pub place: PathBuf,
    /// The root of the working tree.
    pub worktree: Option<PathBuf>,
    /// What runs at which event, in the order of events.
    pub wired: Vec<Wired>,
    /// The events at which gpuguard ran before, and does not any more.
    pub unwired: Vec<&'static str>,
    /// Things to know, one line each.
    pub warnings: Vec<String>,
}

/// gpuguard at one event.
#[derive(Clone, Debug)]
pub struct Wired {
    /// The event.
    pub event: Event,
    /// How it is wired.
    pub mechanism: Mechanism,
    /// What was changed.
    pub change: Change,
    /// Somebody's own hook that keeps running.
    pub other_hook: Option<OtherHook>,
    /// A hook manager that does not run gpuguard itself.
    pub beside: Option<Managed>,
    /// Whether `hook.gpuguard.enabled` keeps Git from running it.
    pub switched_off: bool,
}

impl Installed {
    /// What was changed in all.
    pub fn change(&self) -> Change {
        let all = |change: Change| self.wired.iter().all(|wired| wired.change == change);
        if all(Change::Unchanged) && self.unwired.is_empty() {
            Change::Unchanged
        } else if all(Change::Installed) {
            Change::Installed
        } else {
            Change::Updated
        }
    }
}

/// A hook that is not gpuguard's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherHook {
    /// Its file.
    pub path: PathBuf,
    /// Whether it can be run; Git passes over hooks that are not executable, and so do we.
    pub executable: bool,
}

/// What `uninstall` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The root of the working tree, or the bare repository.
    pub place: PathBuf,
    /// Whether the configuration held entries of gpuguard.
    pub config: bool,
    /// The places where hook files of gpuguard were taken away.
    pub files: Vec<PathBuf>,
    /// Those of them where the hook from before is back.
    pub restored: Vec<PathBuf>,
    /// What runs gpuguard here all the same, one line each.
    pub still: Vec<String>,
    /// Things to know, one line each.
    pub warnings: Vec<String>,
}

impl Removed {
    /// Whether there was nothing to remove.
    pub fn is_nothing(&self) -> bool {
        !self.config && self.files.is_empty()
    }
}

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Request<'p> {
    /// The program that Git shall run.
    pub program: &'p Path,
    /// The events, and no others; `None` for those of [`default_events`] and what is wired already.
    pub events: Option<Vec<Event>>,
    /// Whether a hook file is to be written also where the configuration would do.
    pub by_file: bool,
}

/// The events that are wired where none are named: in a repository with a working tree those
/// before a commit, in a bare one, which is pushed to, the one before a push is taken.
pub fn default_events(is_bare: bool) -> Vec<Event> {
    let is_usual = |gate: Gate| {
        if is_bare {
            gate == Gate::Receive
        } else {
            gate.judges_index()
        }
    };
    let mut events = EVENTS.to_vec();
    events.retain(|event| is_usual(event.gate));
    events
}

/// Makes Git run a program at some events in the repository of `directory`.
pub fn install(directory: &Path, request: &Request<'_>) -> Result<Installed, InstallError> {
    let program = program_word(request.program)?;
    let repository = open(directory)?;
    let place = Place::of(&repository, request.by_file)?;
    let mut plan = Vec::new();
    let mut unwanted = Vec::new();
    for event in EVENTS {
        let is_wanted = match &request.events {
            Some(events) => events.contains(&event),
            None => {
                default_events(repository.worktree().is_err()).contains(&event)
                    || place.is_installed(event)?
            }
        };
        if is_wanted {
            plan.push((event, place.way(event)?));
        } else {
            unwanted.push(event);
        }
    }
    let config = ConfigFile::of(&repository);
    let before = (config.content(), place.has_entries()?);
    let mut warnings = Vec::new();
    let mut wired = Vec::new();
    for (event, way) in plan {
        wired.push(match way {
            Way::Config => place.wire_with_config(event, &program, &mut warnings)?,
            Way::File(why) => place.wire_with_file(event, &program, why, &mut warnings)?,
            Way::Manager(managed) => place.leave_to(managed, event, &mut warnings)?,
        });
    }
    let mut unwired = Vec::new();
    for event in unwanted {
        let mut removed = Removed::default();
        place.unwire(event, &mut removed)?;
        warnings.append(&mut removed.warnings);
        if !removed.is_nothing() {
            unwired.push(event.name);
        }
    }
    // Without the note the entries can be taken out all the same.
    let _ = config.note(before.0, before.1);
    let root = repository.worktree().unwrap_or(repository.git_dir());
    prove(root, &wired)?;
    if wired.iter().any(|wired| wired.event.gate == Gate::Note) {
        // Else the first commit begins.
        let _ = unchecked::begin(&repository);
    } else {
        unchecked::forget_all(&repository);
    }
    Ok(Installed {
        place: shown_place(&repository),
        worktree: repository.worktree().ok().map(Path::to_owned),
        wired,
        unwired,
        warnings,
    })
}

/// Runs what was wired, once each, with nothing to judge.
fn prove(root: &Path, wired: &[Wired]) -> Result<(), InstallError> {
    for one in wired {
        let is_ours = !matches!(one.mechanism, Mechanism::Manager(_)) && !one.switched_off;
        if is_ours && let Err(said) = doctor::prove(root, one.event) {
            let event = one.event.name;
            return Err(InstallError::NotWired {
                what: format!("{event} was tried and does not work: {said}"),
            });
        }
    }
    Ok(())
}

/// Takes gpuguard out of the repository of `directory`; nothing installed is no error.
pub fn uninstall(directory: &Path) -> Result<Removed, InstallError> {
    let repository = open(directory)?;
    let place = Place::of(&repository, false)?;
    let mut removed = Removed {
        place: shown_place(&repository),
        ..Removed::default()
    };
    let config = ConfigFile::of(&repository);
    let left = config.content();
    for event in EVENTS {
        place.unwire(event, &mut removed)?;
    }
    let given_back = if removed.config {
        config.give_back(&left, &own_names())
    } else {
        config.forget()
    };
    if let Err(error) = given_back {
        removed.warnings.push(format!(
            "the configuration has no entries of gpuguard any more, and is not quite as it was \
             before: {error}"
        ));
    }
    forget_folders(&repository);
    removed.still = place.still()?;
    unchecked::forget_all(&repository);
    Ok(removed)
}

fn shown_place(repository: &Repository) -> PathBuf {
    let place = repository.worktree().unwrap_or(repository.git_dir());
    place.to_owned()
}

fn open(directory: &Path) -> Result<Repository, InstallError> {
    if !directory.is_dir() {
        return Err(InstallError::NoFolder {
            path: directory.to_owned(),
        });
    }
    // Git prints paths without symbolic links, and they are compared with ours. Not on Windows,
    // whose canonical paths other programs do not take.
    let directory = match real_path(directory) {
        Ok(canonical) if cfg!(unix) => canonical,
        _ => directory.to_owned(),
    };
    let repository = Repository::discover(&directory)?;
    let Ok(worktree) = repository.worktree() else {
        return Ok(repository);
    };
    // Git is asked from the working tree; one that is far from its repository does not lead there.
    let question = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
    let (_, answer, _) = repository.program().run_for_code(&question, b"")?;
    let real = |path: &Path| real_path(path).ok();
    if answer.path().and_then(|path| real(&path)) != real(repository.common_dir()) {
        return Err(InstallError::FarWorktree {
            worktree: worktree.to_owned(),
            git_dir: repository.git_dir().to_owned(),
        });
    }
    Ok(repository)
}

/// The program's path as the hook will name it.
pub(super) fn program_word(program: &Path) -> Result<String, InstallError> {
    let refuse = |reason| InstallError::Program {
        path: program.to_owned(),
        reason,
    };
    if !program.is_absolute() || !file::is_executable(program) {
        return Err(refuse("there is no such program any more"));
    }
    let text = program
        .to_str()
        .ok_or_else(|| refuse("its path is not valid UTF-8"))?;
    // sh takes a backslash for an escape; Windows takes both slashes.
    Ok(if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    })
}
