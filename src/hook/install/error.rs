//! Why gpuguard cannot be wired into a repository, or out of it.

use std::path::PathBuf;

use crate::git::GitError;

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
        "`{section}.command` is set, but not by gpuguard: `{command}`; nothing was changed. Remove it with `git config --local --remove-section {section}`, or use `gpuguard install --shim`"
    )]
    ForeignCommand {
        /// The section of the configuration.
        section: String,
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
    /// Hooks for all repositories are entries of the configuration.
    #[error("hooks for all repositories need Git 2.54 or later")]
    GlobalNeedsNewGit,
    /// An event that is a matter of one repository.
    #[error("`{event}` cannot be wired for all repositories; nothing was changed")]
    NotGlobal {
        /// The event.
        event: &'static str,
    },
    /// It is not known where the user's own files lie.
    #[error("there is no folder for the user's own files (HOME is not set)")]
    NoHome,
    /// All was written, and yet Git would not run it.
    #[error("the hook is written but not wired: {what}")]
    NotWired {
        /// What is missing.
        what: String,
    },
}
