//! What an undo would change, as data: made by reading only, shown before anything happens.

use std::collections::{BTreeMap, BTreeSet};

use super::journal::{Journal, Operation, Phase};
use super::place::{Place, Standing, sum_of};
use super::{Action, RollbackError, Workplace, survey};
use crate::backup::{BackupError, BackupId, Entry, Manifest, Sum, Version};
use crate::git::RepoPath;

/// What an undo would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoPlan {
    /// What would be undone: `rollback`, `undo`, `restore` or `fix`.
    pub kind: String,
    /// Its tag or backup.
    pub what: String,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// The snapshot with what would be brought back; empty where an interrupted run had made none.
    pub snapshot: String,
    /// The files that would change, by path. The index may change besides.
    pub changes: Vec<UndoChange>,
    /// Files that would be left as they are, because they were edited after the interruption.
    pub kept: BTreeSet<RepoPath>,
}

/// One file that an undo would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoChange {
    /// The path.
    pub path: RepoPath,
    /// What happens to it.
    pub action: Action,
    /// Whether it is not what the run left: someone has worked on it since.
    pub edited: bool,
}

impl UndoPlan {
    /// Whether the undo would take back more than the run did: edits made since.
    pub fn takes_edits(&self) -> bool {
        self.changes.iter().any(|change| change.edited)
    }
}

impl Workplace<'_> {
    /// Plans what [`Workplace::undo`] would do now.
    ///
    /// # Errors
    /// [`RollbackError::NothingToUndo`] where nothing was done here.
    pub fn plan_undo(&self) -> Result<UndoPlan, RollbackError> {
        let _alive = self.enter()?;
        if let Some(journal) = self.journal()? {
            return self.plan_recovery(&journal);
        }
        let last = self
            .desk
            .operations()
            .pop()
            .ok_or(RollbackError::NothingToUndo)?;
        let manifest = self.saved_by(&last.snapshot)?;
        let left = what_it_left(&last, &manifest);
        let changes = self.files_that_change(&manifest, &left, &BTreeSet::new())?;
        Ok(UndoPlan {
            kind: last.kind,
            what: last.what,
            interrupted: false,
            snapshot: last.snapshot,
            changes,
            kept: BTreeSet::new(),
        })
    }

    fn plan_recovery(&self, journal: &Journal) -> Result<UndoPlan, RollbackError> {
        let mut plan = UndoPlan {
            kind: journal.kind.clone(),
            what: journal.what.clone(),
            interrupted: true,
            snapshot: String::new(),
            changes: Vec::new(),
            kept: BTreeSet::new(),
        };
        let goal = journal.bring_to.as_ref();
        let Some(goal) = goal.filter(|_| journal.phase == Phase::Applying) else {
            return Ok(plan);
        };
        let manifest = self.saved_by(goal);
        let manifest = manifest.map_err(|error| self.stuck(error, goal))?;
        let saved: Vec<Entry> = of_the_working_tree(&manifest).cloned().collect();
        let touched = saved.iter().map(|entry| entry.path.to_path());
        let touched = touched.chain(manifest.absent.iter().map(|absent| absent.path.to_path()));
        plan.kept = self.edited_since(journal, &saved, &touched.collect())?;
        plan.changes = self.files_that_change(&manifest, &BTreeMap::new(), &plan.kept)?;
        plan.snapshot.clone_from(goal);
        Ok(plan)
    }

    fn saved_by(&self, snapshot: &str) -> Result<Manifest, RollbackError> {
        let id = BackupId::parse(snapshot).ok_or_else(|| BackupError::Unknown {
            word: snapshot.to_owned(),
        })?;
        Ok(self.store.listed(&id)?.manifest)
    }

    /// The files that are not as the snapshot has them, `kept` left out. `left` is what the run
    /// left where that is known.
    fn files_that_change(
        &self,
        manifest: &Manifest,
        left: &BTreeMap<RepoPath, Option<Sum>>,
        kept: &BTreeSet<RepoPath>,
    ) -> Result<Vec<UndoChange>, RollbackError> {
        let mut goals: BTreeMap<RepoPath, Option<&Entry>> = manifest
            .absent
            .iter()
            .map(|absent| (absent.path.to_path(), None))
            .collect();
        goals
            .extend(of_the_working_tree(manifest).map(|entry| (entry.path.to_path(), Some(entry))));
        goals.retain(|path, _| !kept.contains(path));
        let mut changes = Vec::new();
        for (path, goal) in &goals {
            let place = Place::new(&self.root, path)?;
            let failed = |source| RollbackError::Scratch {
                path: place.file.clone(),
                source,
            };
            let stands = match place.look(&self.root).map_err(failed)? {
                Standing::Leaf { .. } => Some(sum_of(&place.file).map_err(failed)?),
                Standing::Absent | Standing::Folder | Standing::Special => None,
            };
            let action = match (goal, stands) {
                (Some(entry), Some(sum)) => {
                    let metadata = place.file.symlink_metadata().map_err(failed)?;
                    if entry.sha256 == sum && entry.same_kind(&metadata, true) {
                        continue;
                    }
                    Action::Restore
                }
                (Some(_), None) => Action::Recreate,
                (None, Some(_)) => Action::Remove,
                (None, None) => continue,
            };
            changes.push(UndoChange {
                action,
                edited: left.get(path).is_some_and(|left| *left != stands),
                path: path.clone(),
            });
        }
        let is = |present: bool| {
            let paths = goals
                .iter()
                .filter(move |(_, goal)| goal.is_some() == present);
            paths.map(|(path, _)| path.clone()).collect::<BTreeSet<_>>()
        };
        for path in survey::files_in_the_way(&self.root, &is(true), &is(false))? {
            changes.push(UndoChange {
                path,
                action: Action::RemoveUntracked,
                edited: true,
            });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }
}

fn of_the_working_tree(manifest: &Manifest) -> impl Iterator<Item = &Entry> {
    let entries = manifest.entries.iter();
    entries.filter(|entry| entry.version == Version::Worktree)
}

/// What a finished run left at each path of its snapshot; `None` stands for no file. Nothing of a
/// run that did not note it.
fn what_it_left(last: &Operation, manifest: &Manifest) -> BTreeMap<RepoPath, Option<Sum>> {
    let Some(files) = &last.files else {
        return BTreeMap::new();
    };
    let absent = manifest.absent.iter();
    let mut left: BTreeMap<RepoPath, Option<Sum>> =
        absent.map(|absent| (absent.path.to_path(), None)).collect();
    // A path that was right already was neither written nor removed.
    left.extend(of_the_working_tree(manifest).map(|e| (e.path.to_path(), Some(e.sha256))));
    left.extend(files.removed.iter().map(|path| (path.to_path(), None)));
    left.extend(
        files
            .written
            .iter()
            .map(|file| (file.path.to_path(), Some(file.sum))),
    );
    left
}
