//! Putting files back: to a commit, out of a backup, or to what they were before the last time; and
//! putting new contents in place, which is the same work.
//!
//! A plan is made and shown, a verified snapshot of everything it touches is taken, new contents
//! are staged beside the tree, and only then is file after file replaced under a journal. Git
//! itself writes contents and index; HEAD is never moved. Knows nothing of scans or GPUs.

mod apply;
mod attributes;
mod error;
mod from_backup;
mod index;
mod journal;
mod needed;
mod place;
mod plan;
mod replace;
mod resume;
mod safety;
mod survey;
mod to_backup;
mod transaction;
mod undo;
mod undo_plan;

use std::path::{Path, PathBuf};

use crate::backup::{BackupId, Store};
use crate::git::Repository;
use crate::sys::clock::Timestamp;

pub use error::{Obstacle, RollbackError};
pub use needed::{Needed, snapshots_needed};
pub use plan::{Action, Change, Goal, Plan, SkipReason, Skipped};
pub use replace::Replacement;
pub use resume::Resumed;
pub use transaction::{Done, Event};
pub use undo::Undone;
pub use undo_plan::{UndoChange, UndoPlan};

use journal::{Desk, Journal};

/// A working tree whose files can be put back.
#[derive(Debug)]
pub struct Workplace<'r> {
    repository: &'r Repository,
    root: PathBuf,
    store: Store,
    desk: Desk,
    now: Timestamp,
}

impl<'r> Workplace<'r> {
    /// The working tree of `repository`.
    ///
    /// # Errors
    /// [`crate::git::GitError::Bare`] where there is none.
    pub fn new(repository: &'r Repository, now: Timestamp) -> Result<Self, RollbackError> {
        Self::with_store(repository, Store::of_whatever_policy(repository), now)
    }

    /// The same with its backups in a certain store.
    pub fn with_store(
        repository: &'r Repository,
        store: Store,
        now: Timestamp,
    ) -> Result<Self, RollbackError> {
        Ok(Self {
            repository,
            root: repository.worktree()?.to_owned(),
            store,
            desk: Desk::at(repository.git_dir()),
            now,
        })
    }

    /// The root of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Says with an error that another run is at work here, or that an earlier one was killed and
    /// has to be undone first.
    pub fn check_settled(&self) -> Result<(), RollbackError> {
        if self.journal()?.is_none() {
            return Ok(());
        }
        let _alive = self.enter()?;
        self.check_uninterrupted()
    }

    /// The journal of a run that did not end; an error about it names what helps.
    fn journal(&self) -> Result<Option<Journal>, RollbackError> {
        let mut result = self.desk.journal();
        if let Err(RollbackError::Journal {
            path,
            snapshot,
            lock,
            ..
        }) = &mut result
        {
            let bytes = std::fs::read(path).unwrap_or_default();
            let named = bytes
                .windows(BackupId::LENGTH)
                .find_map(|window| BackupId::parse(std::str::from_utf8(window).ok()?));
            let id = named.or_else(|| self.store.find("latest").ok());
            *snapshot = id.map(|id| id.to_string());
            *lock = Some(self.index_lock_path()).filter(|lock| lock.exists());
        }
        result
    }

    /// The same for a run that holds the lock itself.
    fn check_uninterrupted(&self) -> Result<(), RollbackError> {
        match self.journal()? {
            Some(journal) => Err(RollbackError::Interrupted { kind: journal.kind }),
            None => Ok(()),
        }
    }
}
