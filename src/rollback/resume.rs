//! Forward from where a killed run stopped: what lay ready is put in its place. The other way out
//! is the undo.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::apply::{Step, apply};
use super::journal::{Journal, NextIndex, Phase, Rest};
use super::place::{Place, Standing, sum_of};
use super::transaction::NewIndex;
use super::{Done, Event, RollbackError, Workplace};
use crate::backup::{BackupId, Entry, StoredPath, Sum, Version};
use crate::git::RepoPath;
use crate::sys::file::{self, PendingFile};

/// What came of an interrupted run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// What was finished: `rollback`, `undo`, `restore` or `fix`.
    pub kind: String,
    /// Its tag or backup.
    pub what: String,
    /// All the run did, with what it had done before; `None` where it had changed nothing, and
    /// was given up.
    pub done: Option<Done>,
    /// Paths that were edited after the interruption, and therefore left as they are.
    pub kept: BTreeSet<RepoPath>,
}

impl Workplace<'_> {
    /// Finishes a run that was killed.
    ///
    /// # Errors
    /// [`RollbackError::NothingToContinue`] where none was; [`RollbackError::NotReady`] where what
    /// it had made ready is lost. The run can be undone then.
    pub fn resume(&self, hear: &mut dyn FnMut(&Event)) -> Result<Resumed, RollbackError> {
        let _alive = self.enter()?;
        let journal = self.journal()?.ok_or(RollbackError::NothingToContinue)?;
        // A killed undo is finished by undoing again: where it goes to is known.
        if journal.kind == "undo" {
            let undone = self.recover(&journal, hear)?;
            return Ok(Resumed {
                kind: undone.kind,
                what: undone.what,
                done: undone.done,
                kept: undone.kept,
            });
        }
        let mut resumed = Resumed {
            kind: journal.kind.clone(),
            what: journal.what.clone(),
            done: None,
            kept: BTreeSet::new(),
        };
        if journal.phase == Phase::Preparing {
            let given_up = self
                .release_index(&journal)
                .and_then(|()| self.desk.clear());
            given_up.map_err(|source| self.unusable(source))?;
            return Ok(resumed);
        }
        resumed.kept = self.go_on(journal.clone(), hear)?;
        resumed.done = Some(Done {
            snapshot: journal.snapshot.clone(),
            written: journal.wrote.len(),
            removed: journal.rest.map_or(0, |rest| rest.removes.len()),
        });
        Ok(resumed)
    }

    /// Does what is left of a run; gives the paths that were edited since.
    fn go_on(
        &self,
        mut journal: Journal,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<BTreeSet<RepoPath>, RollbackError> {
        let not_ready = |what: &str| RollbackError::NotReady {
            kind: journal.kind.clone(),
            what: what.to_owned(),
        };
        let (Some(rest), Some(snapshot)) = (journal.rest.clone(), journal.snapshot.as_deref())
        else {
            return Err(not_ready("its journal"));
        };
        // What is replaced from here on was saved then: without that, only what is there is safe.
        let id = BackupId::parse(snapshot).ok_or_else(|| not_ready("its journal"))?;
        let saved = self.store.verify(&id, &mut |_| ());
        let saved = saved.map_err(|error| self.stuck(error.into(), snapshot))?;
        let entries = saved.manifest().entries.iter();
        let saved: BTreeMap<RepoPath, Entry> = entries
            .filter(|entry| entry.version == Version::Worktree)
            .map(|entry| (entry.path.to_path(), entry.clone()))
            .collect();
        let index = self.index_left(&journal, &rest)?;
        let mut touched: BTreeSet<RepoPath> = journal
            .wrote
            .iter()
            .map(|wrote| wrote.path.to_path())
            .collect();
        touched.extend(rest.removes.iter().map(StoredPath::to_path));
        let kept = self.edited_since(&journal, &[], &touched)?;
        let steps = self.steps_left(&journal, &rest, (&saved, &kept))?;
        let half_done = |(path, source)| RollbackError::HalfDone { path, source };
        apply(&self.root, &steps, hear).map_err(|stopped| half_done(stopped.into_cause()))?;
        hear(&Event::IndexNext);
        if let Some(index) = index {
            let replaced = self.replace_index(&mut journal, &index, hear);
            replaced.map_err(|source| half_done(("the index".to_owned(), source)))?;
        }
        hear(&Event::Finished);
        let finished = self.finish(&journal);
        finished.map_err(|source| RollbackError::Unfinished {
            path: self.desk.folder.clone(),
            source,
        })?;
        Ok(kept)
    }

    /// The steps that were not taken yet.
    fn steps_left(
        &self,
        journal: &Journal,
        rest: &Rest,
        (saved, kept): (&BTreeMap<RepoPath, Entry>, &BTreeSet<RepoPath>),
    ) -> Result<Vec<Step>, RollbackError> {
        let writes = journal.wrote.iter().map(|wrote| {
            let staged = wrote.staged.as_ref().map(|staged| (staged, wrote.sum));
            (wrote.path.to_path(), Some(staged))
        });
        let removals = rest.removes.iter().map(|path| (path.to_path(), None));
        let mut steps = Vec::new();
        for (path, content) in writes.chain(removals) {
            if kept.contains(&path) {
                continue;
            }
            let place = Place::new(&self.root, &path)?;
            let look = |source| RollbackError::Scratch {
                path: place.file.clone(),
                source,
            };
            let before = place.look(&self.root).map_err(look)?;
            let stands = matches!(before, Standing::Leaf { .. });
            let staged = match content {
                None if stands => None,
                None => continue,
                Some(staged) => {
                    let (file, sum) = self
                        .staged(staged)
                        .ok_or_else(|| not_ready(journal, &path))?;
                    if file.symlink_metadata().is_err() {
                        // What is in its place already is renamed, not copied.
                        let is_there = stands && sum_of(&place.file).map_err(look)? == sum;
                        if is_there {
                            continue;
                        }
                        return Err(not_ready(journal, &path));
                    }
                    if sum_of(&file).map_err(look)? != sum {
                        return Err(not_ready(journal, &path));
                    }
                    Some((file, sum))
                }
            };
            steps.push(Step {
                saved: saved.get(&path).cloned(),
                place,
                before,
                staged,
            });
        }
        Ok(steps)
    }

    /// Where a content lies ready.
    fn staged(&self, staged: Option<(&StoredPath, Sum)>) -> Option<(PathBuf, Sum)> {
        let (path, sum) = staged?;
        Some((path.to_path().below(&self.desk.scratch())?, sum))
    }

    /// What is left to be done to the index, with Git's lock held by the run again; `None` where
    /// all is done.
    fn index_left(
        &self,
        journal: &Journal,
        rest: &Rest,
    ) -> Result<Option<NewIndex>, RollbackError> {
        let lost = || RollbackError::NotReady {
            kind: journal.kind.clone(),
            what: "the new index".to_owned(),
        };
        let (file, refresh) = match &rest.index {
            NextIndex::Keep => return Ok(None),
            NextIndex::Remove => (None, Vec::new()),
            NextIndex::Replace { file, refresh } => {
                let file = file.to_path().below(&self.desk.scratch());
                let refresh = refresh.iter().map(StoredPath::to_path).collect();
                (Some(file.ok_or_else(lost)?), refresh)
            }
        };
        let lock = self.index_lock_path();
        let index = self.repository.index_path();
        let is_new = |path: &std::path::Path| {
            let sum = sum_of(path).ok();
            sum.is_some() && sum == journal.index
        };
        if is_new(index) && file.is_some() {
            return Ok(None);
        }
        if file.is_none() && !index.exists() {
            return Ok(None);
        }
        if !journal.owns_lock(&lock) {
            if lock.symlink_metadata().is_ok() {
                return Err(RollbackError::IndexLocked { path: lock });
            }
            self.lock_again(journal)?;
        }
        let Some(file) = file else {
            return Ok(Some(NewIndex::Remove));
        };
        if is_new(&lock) {
            // It waits under the lock's name for the last rename.
            file::move_over(&lock, &file).map_err(|source| self.unusable(source))?;
            self.lock_again(journal)?;
        }
        if file.symlink_metadata().is_err() {
            return Err(lost());
        }
        // Git's own lock of that file, where it was killed too.
        let mut passing = file.as_os_str().to_owned();
        passing.push(".lock");
        let _ = file::remove(passing.as_ref());
        Ok(Some(NewIndex::Replace { file, refresh }))
    }

    /// Takes Git's lock anew, where the index still says what the run had found.
    fn lock_again(&self, journal: &Journal) -> Result<(), RollbackError> {
        let path = self.index_lock_path();
        let locked = PendingFile::create(&path).and_then(|mut pending| {
            pending.write_all(journal.lock_line().as_bytes())?;
            pending.commit_new()
        });
        match locked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RollbackError::IndexLocked { path });
            }
            Err(source) => return Err(RollbackError::Scratch { path, source }),
        }
        let same = self.index_is_as_kept(&self.desk.scratch());
        if !matches!(same, Ok(true)) {
            let _ = self.release_index(journal);
            return Err(same.err().unwrap_or_else(|| RollbackError::NotReady {
                kind: journal.kind.clone(),
                what: "an index that nobody else has changed".to_owned(),
            }));
        }
        Ok(())
    }

    fn unusable(&self, source: io::Error) -> RollbackError {
        RollbackError::Scratch {
            path: self.desk.folder.clone(),
            source,
        }
    }
}

fn not_ready(journal: &Journal, path: &RepoPath) -> RollbackError {
    RollbackError::NotReady {
        kind: journal.kind.clone(),
        what: format!("`{path}`"),
    }
}
