//! Back to what was there before the last run, or before a run that was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::journal::{Journal, Phase};
use super::place::{Place, Standing, sum_of};
use super::transaction::{IndexPart, Job, Staging, Start, Unneeded};
use super::{Done, Event, RollbackError, Workplace, survey};
use crate::backup::{BackupError, BackupId, Damage, Entry, Sum, VerifiedBackup, Version};
use crate::git::RepoPath;
use crate::sys::file;

/// What an undo did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// What was undone: `rollback`, `undo`, `restore` or `fix`.
    pub kind: String,
    /// Its tag or backup.
    pub what: String,
    /// Whether it had been interrupted.
    pub interrupted: bool,
    /// What was changed; `None` where the interrupted run had changed nothing yet.
    pub done: Option<Done>,
    /// The snapshot with what was brought back.
    pub snapshot: String,
    /// Paths that were edited after the interruption, and therefore left as they are.
    pub kept: BTreeSet<RepoPath>,
}

impl Workplace<'_> {
    /// Undoes the last run, or brings back what a killed run has changed.
    pub fn undo(&self, hear: &mut dyn FnMut(&Event)) -> Result<Undone, RollbackError> {
        let _alive = self.enter()?;
        if let Some(journal) = self.journal()? {
            return self.recover(&journal, hear);
        }
        let last = self
            .desk
            .operations()
            .pop()
            .ok_or(RollbackError::NothingToUndo)?;
        let accepted: Vec<Sum> = last.left.into_iter().collect();
        let goal = (last.snapshot.as_str(), last.what.as_str());
        let (done, _) = self.bring_to(goal, &accepted, Start::Fresh, hear)?;
        Ok(Undone {
            kind: last.kind,
            what: last.what,
            snapshot: last.snapshot,
            interrupted: false,
            done: Some(done),
            kept: BTreeSet::new(),
        })
    }

    pub(super) fn recover(
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
        let (done, kept) = if let Some(goal) = goal {
            // A killed undo is finished and noted; a killed rollback is as if never begun.
            let is_undo = journal.kind == "undo";
            let record = journal.snapshot.clone().filter(|_| is_undo);
            if let (false, Some(snapshot)) = (is_undo, &journal.snapshot) {
                self.desk.forget(snapshot).map_err(failed)?;
            }
            let mut accepted = journal.accepted.clone();
            // What a killed undo left is either the saved index or must not be replaced by it.
            accepted.extend(journal.left.filter(|_| !is_undo));
            let killed = Box::new(journal.clone());
            let start = Start::Recovery { record, killed };
            let brought = self.bring_to((goal, &journal.what), &accepted, start, hear);
            let (done, kept) = brought.map_err(|error| self.stuck(error, goal))?;
            (Some(done), kept)
        } else {
            self.desk.clear().map_err(failed)?;
            (None, BTreeSet::new())
        };
        Ok(Undone {
            kind: journal.kind.clone(),
            what: journal.what.clone(),
            snapshot: journal.bring_to.clone().unwrap_or_default(),
            interrupted: true,
            done,
            kept,
        })
    }

    /// A recovery whose snapshot is lost cannot succeed, however often it is tried.
    pub(super) fn stuck(&self, error: RollbackError, goal: &str) -> RollbackError {
        use BackupError::{Damaged, Newer, Unknown};
        match error {
            RollbackError::Backup(source @ (Damaged { .. } | Newer { .. } | Unknown { .. })) => {
                RollbackError::Stuck {
                    snapshot: goal.to_owned(),
                    archive: match BackupId::parse(goal) {
                        Some(id) => self.store.archive_path(&id),
                        None => self.store.folder().join(format!("{goal}.zip")),
                    },
                    journal: self.desk.journal_path(),
                    source: Box::new(source),
                }
            }
            other => other,
        }
    }

    /// Brings files and index to what a snapshot holds. Gives the paths that were left as they
    /// are: a recovery does not touch what was edited since the kill.
    fn bring_to(
        &self,
        (snapshot, what): (&str, &str),
        accepted: &[Sum],
        start: Start,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<(Done, BTreeSet<RepoPath>), RollbackError> {
        let id = BackupId::parse(snapshot).ok_or_else(|| BackupError::Unknown {
            word: snapshot.to_owned(),
        })?;
        let mut goal = self.store.verify(&id, &mut |_| ())?;
        let manifest = goal.manifest().clone();
        let (mut entries, staged): (Vec<Entry>, Vec<Entry>) = manifest
            .entries
            .into_iter()
            .partition(|entry| entry.version == Version::Worktree);
        let mut writes: BTreeSet<RepoPath> = entries.iter().map(|e| e.path.to_path()).collect();
        let mut removals: BTreeSet<RepoPath> =
            manifest.absent.iter().map(|a| a.path.to_path()).collect();
        let touched: BTreeSet<RepoPath> = writes.union(&removals).cloned().collect();
        let mut kept = BTreeSet::new();
        if let Start::Recovery { killed, .. } = &start {
            kept = self.edited_since(killed, &entries, &touched)?;
            writes.retain(|path| !kept.contains(path));
            removals.retain(|path| !kept.contains(path));
            entries.retain(|entry| writes.contains(&entry.path.to_path()));
        }
        let in_the_way = survey::files_in_the_way(&self.root, &writes, &removals)?;
        removals.extend(in_the_way);
        let mut now_staged = Vec::new();
        let mut part = IndexPart::Left;
        if manifest.index.is_some() {
            let paths = touched.union(&removals).cloned().collect();
            let index = self.repository.index_path();
            now_staged = self.repository.index_blobs(index, &paths)?;
            part = IndexPart::Any;
        }
        let job = Job {
            kind: "undo",
            what: what.to_owned(),
            staged: now_staged,
            writes: writes.clone(),
            removals,
            index: part,
            bring_to: Some(snapshot.to_owned()),
            accepted: accepted.to_owned(),
            start,
            unneeded: Unneeded::Noted,
        };
        let mut stage = |scratch: &Path| {
            self.store_again(&mut goal, &staged, scratch)?;
            let how = (accepted, &writes);
            let index = self.stage_saved_index(&mut goal, &touched, how, scratch)?;
            Ok(Staging {
                files: unpack_all(&mut goal, &entries, &scratch.join("new"))?,
                index,
                exact_permissions: true,
            })
        };
        Ok((self.run(&job, &mut stage, hear)?, kept))
    }

    /// Of the paths a killed run touched, those whose file is neither what that run wrote nor
    /// what it had saved nor what it was to bring back; and whatever cannot come back below them.
    pub(super) fn edited_since(
        &self,
        killed: &Journal,
        goal: &[Entry],
        touched: &BTreeSet<RepoPath>,
    ) -> Result<BTreeSet<RepoPath>, RollbackError> {
        let mut known: BTreeMap<RepoPath, Vec<Sum>> = BTreeMap::new();
        let mut know = |path: RepoPath, sum| known.entry(path).or_default().push(sum);
        for wrote in &killed.wrote {
            know(wrote.path.to_path(), wrote.sum);
        }
        let own = killed.snapshot.as_deref().and_then(BackupId::parse);
        let own = match own.map(|id| self.store.listed(&id)) {
            Some(Ok(listed)) => Some(listed.manifest.entries),
            // A disk that does not answer now may do so later.
            Some(Err(
                error @ BackupError::Damaged {
                    damage: Damage::Unreadable(_),
                    ..
                },
            )) => return Err(error.into()),
            // Lost for good: more is left as it is.
            Some(Err(_)) | None => None,
        };
        for entry in goal.iter().chain(own.iter().flatten()) {
            if entry.version == Version::Worktree {
                know(entry.path.to_path(), entry.sha256);
            }
        }
        let mut places = touched.clone();
        places.extend(touched.iter().flat_map(survey::folders_above));
        let mut edited = BTreeSet::new();
        for path in places {
            let place = Place::new(&self.root, &path)?;
            let failed = |source| RollbackError::Scratch {
                path: place.file.clone(),
                source,
            };
            if let Standing::Leaf { .. } = place.look(&self.root).map_err(failed)? {
                let sum = sum_of(&place.file).map_err(failed)?;
                if !known.get(&path).is_some_and(|known| known.contains(&sum)) {
                    edited.insert(path);
                }
            }
        }
        let below = |path: &&RepoPath| edited.iter().any(|edited| path.is_at_or_below(edited));
        let mut kept: BTreeSet<RepoPath> = touched.iter().filter(below).cloned().collect();
        kept.extend(edited);
        Ok(kept)
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
