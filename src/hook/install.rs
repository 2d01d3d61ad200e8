//! Wiring gpuguard into a repository and out of it again.
//!
//! From Git 2.54 on the hook is an entry of the repository's configuration. Older Gits get a hook
//! file, and so does a repository that has one: the hook that was there runs first, since what it
//! stages is to be judged too, and Git runs entries of the configuration before the hook file.

use std::path::{Path, PathBuf};

use super::config_entry::{self, ConfigEntry};
use super::hooks_folder::HooksFolder;
use super::shim::{Found, HookFile, Written};
use crate::git::{GitError, Repository};
use crate::sys::file;

/// How Git comes to run gpuguard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `hook.gpuguard.*` in the repository's configuration.
    Config {
        /// The command Git runs.
        command: String,
    },
    /// A hook file.
    File {
        /// The file.
        path: PathBuf,
        /// Why not the configuration.
        why: WhyFile,
    },
}

/// Why gpuguard is wired by a hook file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyFile {
    /// This Git reads no hooks from the configuration.
    OldGit,
    /// There is a hook that has to run first; Git runs the hook file last of all.
    OtherHook,
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
    /// The root of the working tree.
    pub worktree: PathBuf,
    /// How it is wired.
    pub mechanism: Mechanism,
    /// What was changed.
    pub change: Change,
    /// Somebody's own `pre-commit` hook that keeps running.
    pub other_hook: Option<OtherHook>,
    /// Whether `hook.gpuguard.enabled` keeps Git from running it.
    pub switched_off: bool,
    /// Things to know, one line each.
    pub warnings: Vec<String>,
}

/// A `pre-commit` hook that is not gpuguard's.
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
    /// The root of the working tree.
    pub worktree: PathBuf,
    /// Whether the configuration held entries of gpuguard.
    pub config: bool,
    /// The places where hook files of gpuguard were taken away.
    pub files: Vec<PathBuf>,
    /// Those of them where the hook from before is back.
    pub restored: Vec<PathBuf>,
    /// Things to know, one line each.
    pub warnings: Vec<String>,
}

impl Removed {
    /// Whether there was nothing to remove.
    pub fn is_nothing(&self) -> bool {
        !self.config && self.files.is_empty()
    }
}

/// Why gpuguard cannot be wired in or out.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Git's word.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The folder given is not there.
    #[error("`{}` is not a folder", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// `core.worktree` names a folder that Git does not find the repository from.
    #[error("the working tree `{0}` does not lead to its repository `{1}` (`core.worktree`): set GIT_WORK_TREE to the one and GIT_DIR to the other for this command; nothing was changed", worktree.display(), git_dir.display())]
    FarWorktree {
        /// The working tree.
        worktree: PathBuf,
        /// Its Git directory.
        git_dir: PathBuf,
    },
    /// The hooks folder belongs to more than this repository.
    #[error("the hooks folder `{}` lies outside this repository ({set}): a hook there would run in every repository that uses it", path.display())]
    SharedHooksFolder {
        /// The folder.
        path: PathBuf,
        /// What says so, and where.
        set: String,
        /// This repository's own hooks folder, as a word for sh.
        own: String,
    },
    /// `core.hooksPath` switches hooks off.
    #[error("`core.hooksPath` is `{path}`, which is not a folder: Git runs no hook files here")]
    NoHooksFolder {
        /// Its value.
        path: String,
    },
    /// The configuration's entry has our name and is somebody's own.
    #[error(
        "`hook.gpuguard.command` is set, but not by gpuguard: `{command}`; nothing was changed. Remove it with `git config --local --remove-section hook.gpuguard`, or use `gpuguard install --shim`"
    )]
    ForeignCommand {
        /// What it is set to.
        command: String,
    },
    /// There is a folder or a device where the hook file goes.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// The place.
        path: PathBuf,
    },
    /// Two hooks that are not gpuguard's.
    #[error("`{}` is not gpuguard's, and an earlier hook is already kept as `{}`", hook.display(), previous.display())]
    PreviousInTheWay {
        /// The hook in use.
        hook: PathBuf,
        /// The one that was kept.
        previous: PathBuf,
    },
    /// This program cannot be named in a hook.
    #[error("the program `{}` cannot be named in a hook: {reason}", path.display())]
    Program {
        /// Its path.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The system refused.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// All was written, and yet Git would not run it.
    #[error("the hook is written but not wired: {what}")]
    NotWired {
        /// What is missing.
        what: String,
    },
}

/// Makes Git run `program` before each commit in the repository of `directory`; `by_file` asks for
/// a hook file also where the configuration would do.
pub fn install(directory: &Path, program: &Path, by_file: bool) -> Result<Installed, InstallError> {
    let program = program_word(program)?;
    let repository = open(directory)?;
    match why_file(&repository, by_file)? {
        Some(why) => wire_with_file(&repository, &program, why),
        None => wire_with_config(&repository, &program),
    }
}

/// Why it has to be a hook file; `None` where the configuration is better.
fn why_file(repository: &Repository, asked: bool) -> Result<Option<WhyFile>, InstallError> {
    if asked {
        return Ok(Some(WhyFile::Asked));
    }
    let git = repository.program();
    if !config_entry::is_supported(&git)? {
        return Ok(Some(WhyFile::OldGit));
    }
    // Where no hook file may be written, there is no choice.
    let Ok(folder) = HooksFolder::of(repository) else {
        return Ok(None);
    };
    let other = HookFile::in_folder(&folder.path).has_active_other()?
        || ConfigEntry { git: &git }.has_others()?;
    Ok(other.then_some(WhyFile::OtherHook))
}

fn wire_with_config(repository: &Repository, program: &str) -> Result<Installed, InstallError> {
    let git = repository.program();
    let entry = ConfigEntry { git: &git };
    let mut warnings = Vec::new();
    warnings.extend(config_entry::script(repository).keep_edited()?);
    let (command, written) = entry.write(repository, program)?;
    // A hook file from the time of an older Git would run gpuguard a second time.
    let old_file = !remove_files(repository, &mut warnings)?.files.is_empty();
    let switched_off = entry.is_switched_off()?;
    if switched_off {
        warnings.push(
            "`hook.gpuguard.enabled` is false: Git does not run the hook until it is true"
                .to_owned(),
        );
    }
    let other_hook = HooksFolder::named_by_git(repository)
        .ok()
        .and_then(|folder| other_hook(HookFile::in_folder(&folder).path));
    if let Some(other) = &other_hook
        && other.executable
    {
        warnings.push(format!(
            "Git runs the hook `{}` after gpuguard, so what it stages is not judged",
            other.path.display()
        ));
    }
    Ok(Installed {
        worktree: repository.worktree()?.to_owned(),
        change: change(&written, old_file),
        mechanism: Mechanism::Config { command },
        other_hook,
        switched_off,
        warnings,
    })
}

fn wire_with_file(
    repository: &Repository,
    program: &str,
    why: WhyFile,
) -> Result<Installed, InstallError> {
    let folder = HooksFolder::of(repository)?;
    let mut warnings = folder.warnings;
    let hook = HookFile::in_folder(&folder.path);
    warnings.extend(hook.keep_edited()?);
    let written = hook.write(program)?;
    // Entries from before: a new Git runs the hook file too, and twice is too often.
    let git = repository.program();
    let had_entries = ConfigEntry { git: &git }.remove()?;
    config_entry::remove_script(repository, &mut warnings)?;
    Ok(Installed {
        worktree: repository.worktree()?.to_owned(),
        mechanism: Mechanism::File {
            path: hook.path,
            why,
        },
        change: change(&written, had_entries),
        other_hook: other_hook(hook.previous),
        switched_off: false,
        warnings,
    })
}

fn change(written: &Written, was_wired_otherwise: bool) -> Change {
    match written {
        _ if was_wired_otherwise => Change::Updated,
        Written::New => Change::Installed,
        Written::Updated => Change::Updated,
        Written::Unchanged => Change::Unchanged,
    }
}

/// Takes gpuguard out of the repository of `directory`; nothing installed is no error.
pub fn uninstall(directory: &Path) -> Result<Removed, InstallError> {
    let repository = open(directory)?;
    let git = repository.program();
    let mut warnings = Vec::new();
    let files = remove_files(&repository, &mut warnings)?;
    // The entries first: Git refuses every commit while they name a script that has gone.
    let config = ConfigEntry { git: &git }.remove()?;
    config_entry::remove_script(&repository, &mut warnings)?;
    Ok(Removed {
        worktree: repository.worktree()?.to_owned(),
        config,
        warnings,
        ..files
    })
}

fn open(directory: &Path) -> Result<Repository, InstallError> {
    if !directory.is_dir() {
        return Err(InstallError::NoFolder {
            path: directory.to_owned(),
        });
    }
    // Git prints paths without symbolic links, and they are compared with ours. Not on Windows,
    // whose canonical paths other programs do not take.
    let directory = match directory.canonicalize() {
        Ok(canonical) if cfg!(unix) => canonical,
        _ => directory.to_owned(),
    };
    let repository = Repository::discover(&directory)?;
    let worktree = repository.worktree()?;
    // Git is asked from the working tree; one that is far from its repository does not lead there.
    let question = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
    let (_, answer, _) = repository.program().run_for_code(&question, b"")?;
    let real = |path: &Path| path.canonicalize().ok();
    if answer.path().and_then(|path| real(&path)) != real(repository.common_dir()) {
        return Err(InstallError::FarWorktree {
            worktree: worktree.to_owned(),
            git_dir: repository.git_dir().to_owned(),
        });
    }
    Ok(repository)
}

/// Removes the hook files of gpuguard: where Git looks now, and where it looks without
/// `core.hooksPath`, which may have been set since.
fn remove_files(
    repository: &Repository,
    warnings: &mut Vec<String>,
) -> Result<Removed, InstallError> {
    let mut folders = vec![HooksFolder::usual(repository)];
    // A folder that is not this repository's alone holds no hook of ours.
    if let Ok(folder) = HooksFolder::of(repository)
        && !folders.contains(&folder.path)
    {
        folders.push(folder.path);
    }
    let mut removed = Removed::default();
    for folder in folders {
        let hook = HookFile::in_folder(&folder);
        match (hook.found()?, hook.has_previous()) {
            // Nothing in front of a kept hook: our file was removed by hand, or an installation was
            // cut short.
            (Found::Ours, kept) | (Found::Nothing, kept @ true) => {
                warnings.extend(hook.keep_edited()?);
                hook.remove()?;
                if kept {
                    removed.restored.push(hook.path.clone());
                }
                removed.files.push(hook.path);
            }
            (Found::Foreign, true) => warnings.push(format!(
                "`{}` is not gpuguard's and was left alone; the hook from before gpuguard is \
                 still kept as `{}`",
                hook.path.display(),
                hook.previous.display()
            )),
            (Found::Nothing | Found::Foreign, false) => {}
        }
    }
    Ok(removed)
}

/// A hook of somebody else at `path`, if there is one.
fn other_hook(path: PathBuf) -> Option<OtherHook> {
    path.symlink_metadata().ok()?;
    Some(OtherHook {
        executable: file::is_executable(&path),
        path,
    })
}

/// The program's path as the hook will name it.
fn program_word(program: &Path) -> Result<String, InstallError> {
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
