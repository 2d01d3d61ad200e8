//! Why files could not be put back, and what that left changed: nothing, unless it says so.

use std::io;
use std::path::PathBuf;

use crate::backup::{BackupError, NameFault};
use crate::git::{GitError, Operation};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// Git could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The safety snapshot could not be made or read.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Git is in the middle of something.
    #[error("a {} is in progress; nothing was changed", operation.word())]
    InProgress {
        /// What.
        operation: Operation,
    },
    /// A path that was asked for is nowhere.
    #[error("`{path}` is neither in `{name}` nor in the index; nothing was changed")]
    UnknownPath {
        /// The path, made safe to print.
        path: String,
        /// The tag, or what else was named.
        name: String,
    },
    /// Something that would be lost stands in the way.
    #[error("`{path}` is in the way: {reason}; nothing was changed")]
    Blocked {
        /// What stands in the way, made safe to print.
        path: String,
        /// Why it cannot simply be replaced.
        reason: Obstacle,
    },
    /// A name must not be written.
    #[error("`{path}` must not be written: {reason}; nothing was changed")]
    UnsafeName {
        /// The name, made safe to print.
        path: String,
        /// Why not.
        reason: NameFault,
    },
    /// Another program holds Git's lock.
    #[error("`{}` exists: another program is changing the index; nothing was changed", path.display())]
    IndexLocked {
        /// The lock, which was left alone.
        path: PathBuf,
    },
    /// Another gpuguard is at work in this working tree.
    #[error("another gpuguard is changing files here; nothing was changed")]
    Busy,
    /// An earlier run was killed.
    #[error("an earlier {kind} was interrupted; nothing was changed now")]
    Interrupted {
        /// What was interrupted.
        kind: String,
    },
    /// There is nothing to undo.
    #[error("there is nothing to undo in this working tree")]
    NothingToUndo,
    /// No run was interrupted.
    #[error("no rollback, restore, fix or undo was interrupted in this working tree")]
    NothingToContinue,
    /// What an interrupted run had made ready is not there any more.
    #[error(
        "the interrupted {kind} cannot be finished: {what} is missing or was changed; nothing was changed now"
    )]
    NotReady {
        /// What was interrupted.
        kind: String,
        /// What is missing.
        what: String,
    },
    /// The index is not the one the plan was made from.
    #[error("the index was changed while the plan was read; nothing was changed")]
    IndexChanged,
    /// Git is too old to follow the attributes of another commit.
    #[error(
        "this Git cannot follow the `.gitattributes` of the tag, which differ from those here; nothing was changed"
    )]
    OldGit,
    /// A file could not be read, written or removed. Everything was put back.
    #[error("`{path}` cannot be changed; every file is as it was before")]
    WentBack {
        /// The file, made safe to print.
        path: String,
        /// The snapshot made for nothing, which is kept.
        snapshot: String,
        /// What the system said.
        source: io::Error,
    },
    /// Someone changed a file while it was about to be replaced. Everything was put back.
    #[error(
        "`{path}` was changed by another program just now; it was left alone, every other file is as it was before"
    )]
    ChangedMeanwhile {
        /// The file, made safe to print.
        path: String,
        /// The snapshot made for nothing, which is kept.
        snapshot: String,
    },
    /// Going back failed too. The journal stays.
    #[error("`{path}` cannot be changed, and going back failed too: some files are changed")]
    HalfDone {
        /// The file, made safe to print.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Git could not write the new files or the new index beside the old ones.
    #[error("Git cannot make the new files ready; nothing was changed")]
    Unprepared {
        /// What Git said.
        source: GitError,
    },
    /// All was changed, but not noted as finished. The journal stays.
    #[error("every file is in its place, but that cannot be noted in `{}`", path.display())]
    Unfinished {
        /// The folder of the journal.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The snapshot that an interrupted run is to be brought back to is lost.
    #[error(
        "`{snapshot}`, which holds what the interrupted run has changed, cannot be used; nothing was changed now"
    )]
    Stuck {
        /// The snapshot.
        snapshot: String,
        /// Where it should lie.
        archive: PathBuf,
        /// The journal.
        journal: PathBuf,
        /// What is wrong with the snapshot.
        source: Box<BackupError>,
    },
    /// gpuguard's own files could not be written before anything was changed.
    #[error("`{}` cannot be used; nothing was changed", path.display())]
    Scratch {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal of an interrupted run cannot be read.
    #[error("the journal `{}` cannot be read; nothing was changed", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What the reader said.
        reason: String,
        /// The snapshot of that run, or else the newest one.
        snapshot: Option<String>,
        /// Git's lock, where that run may have left it.
        lock: Option<PathBuf>,
    },
}

/// What cannot simply be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// A folder with files that Git does not track.
    #[error("a folder with untracked files")]
    UntrackedFolder,
    /// A folder with a repository of its own.
    #[error("a Git repository of its own")]
    NestedRepository,
    /// A pipe, socket or device.
    #[error("neither a file nor a link")]
    Special,
}
