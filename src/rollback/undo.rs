//! Back to what was there before the last run, or before a run that was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::journal::{Journal, Phase};
use super::transaction::{IndexPart, Job, NewIndex, Staging, Start};
use super::{Done, Event, RollbackError, Workplace, survey};
use crate::backup::{BackupError, BackupId, Entry, SavedIndex, VerifiedBackup, Version};
use crate::git::RepoPath;
use crate::sys::file;

/// What an undo did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// What was undone: `rollback`, `undo` or `restore`.
    pub kind: String,
    /// Its tag or backup.
    pub what: String,
    /// Whether it had been interrupted.
    pub interrupted: bool,
    /// What was changed; `None` where the interrupted run had changed nothing yet.
    pub done: Option<Done>,
}

impl Workplace<'_> {
    /// Undoes the last run, or brings back what a killed run has changed.
    pub fn undo(&self, hear: &mut dyn FnMut(&Event)) -> Result<Undone, RollbackError> {
        let _alive = self.enter()?;
        if let Some(journal) = self.desk.journal()? {
            return self.recover(&journal, hear);
        }
        let last = self
            .desk
            .operations()
            .pop()
            .ok_or(RollbackError::NothingToUndo)?;
        let done = self.bring_to(&last.snapshot, &last.what, Start::Fresh, hear)?;
        Ok(Undone {
            kind: last.kind,
            what: last.what,
            interrupted: false,
            done: Some(done),
        })
    }

    fn recover(
        &self,
        journal: &Journal,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Undone, RollbackError> {
        let failed = |source| RollbackError::Scratch {
            path: self.desk.folder.clone(),
            source,
        };
        self.release_index(journal).map_err(failed)?;
        let goal = journal.bring_to.as_ref();
        let goal = goal.filter(|_| journal.phase == Phase::Applying);
        let done = if let Some(goal) = goal {
            // A killed undo is finished and noted; a killed rollback is as if never begun.
            let is_undo = journal.kind == "undo";
            let record = journal.snapshot.clone().filter(|_| is_undo);
            if let (false, Some(snapshot)) = (is_undo, &journal.snapshot) {
                self.desk.forget(snapshot).map_err(failed)?;
            }
            Some(self.bring_to(goal, &journal.what, Start::Recovery { record }, hear)?)
        } else {
            self.desk.clear().map_err(failed)?;
            None
        };
        Ok(Undone {
            kind: journal.kind.clone(),
            what: journal.what.clone(),
            interrupted: true,
            done,
        })
    }

    /// Brings files and index to what a snapshot holds.
    fn bring_to(
        &self,
        snapshot: &str,
        what: &str,
        start: Start,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Done, RollbackError> {
        let id = BackupId::parse(snapshot).ok_or_else(|| BackupError::Unknown {
            word: snapshot.to_owned(),
        })?;
        let mut goal = self.store.verify(&id, &mut |_| ())?;
        let manifest = goal.manifest().clone();
        let (entries, staged): (Vec<Entry>, Vec<Entry>) = manifest
            .entries
            .into_iter()
            .partition(|entry| entry.version == Version::Worktree);
        let writes: BTreeSet<RepoPath> = entries.iter().map(|e| e.path.to_path()).collect();
        let mut removals: BTreeSet<RepoPath> =
            manifest.absent.iter().map(|a| a.path.to_path()).collect();
        let in_the_way = survey::files_in_the_way(&self.root, &writes, &removals)?;
        removals.extend(in_the_way);
        let job = Job {
            kind: "undo",
            what: what.to_owned(),
            staged: match manifest.index {
                Some(_) => self.repository.index_blobs(&writes, &removals)?,
                None => Vec::new(),
            },
            writes,
            removals,
            index: if manifest.index.is_some() {
                IndexPart::Any
            } else {
                IndexPart::Left
            },
            bring_to: Some(snapshot.to_owned()),
            start,
        };
        let mut stage = |scratch: &Path| {
            self.store_again(&mut goal, &staged, scratch)?;
            let index = stage_index(&mut goal, scratch)?;
            Ok(Staging {
                files: unpack_all(&mut goal, &entries, &scratch.join("new"))?,
                index,
                exact_permissions: true,
            })
        };
        self.run(&job, &mut stage, hear)
    }
}

/// The index that goes with a snapshot.
fn stage_index(goal: &mut VerifiedBackup, scratch: &Path) -> Result<NewIndex, RollbackError> {
    match goal.manifest().index {
        None => Ok(NewIndex::Keep),
        Some(SavedIndex::Absent) => Ok(NewIndex::Remove),
        Some(SavedIndex::Saved { .. }) => {
            let file = scratch.join("index.new");
            goal.copy_index_to(&file)?;
            // Byte for byte: to let it learn times would write other bytes.
            let refresh = Vec::new();
            Ok(NewIndex::Replace { file, refresh })
        }
    }
}

/// Unpacks entries under numbers: two paths of a snapshot may differ only in case.
pub(super) fn unpack_all(
    backup: &mut VerifiedBackup,
    entries: &[Entry],
    folder: &Path,
) -> Result<BTreeMap<RepoPath, std::path::PathBuf>, RollbackError> {
    file::create_private_folder(folder).map_err(|source| RollbackError::Scratch {
        path: folder.to_owned(),
        source,
    })?;
    let mut files = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        let target = folder.join(number.to_string());
        backup.unpack(entry, &target)?;
        files.insert(entry.path.to_path(), target);
    }
    Ok(files)
}
