//! A rollback to a backup: the files it saved become what they were when it was made, in the
//! working tree and, where the backup knows that, in the index. What it did not save stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::place::{Place, Standing, sum_of};
use super::transaction::{NewIndex, Staging};
use super::{Action, Change, Goal, Plan, RollbackError, Workplace, survey};
use crate::backup::{BackupError, BackupId, Entry, Manifest, SavedIndex, VerifiedBackup, Version};
use crate::git::{FileMode, GitError, RepoPath, TreeSide};
use crate::sys::file;

/// What a plan takes from a backup.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    /// The files to write.
    files: Vec<Entry>,
    /// The contents of the index that Git may have thrown away since.
    staged: Vec<Entry>,
    /// What the index is to have.
    index: BTreeMap<RepoPath, TreeSide>,
}

/// What a backup tells of the paths that were asked for.
struct Told {
    files: BTreeMap<RepoPath, Then>,
    saved: Saved,
}

/// What stood at a path in the working tree when a backup was made.
#[derive(Clone, Debug)]
enum Then {
    Nothing,
    File(Entry),
}

impl Then {
    fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Nothing => None,
            Self::File(entry) => Some(entry),
        }
    }
}

impl Workplace<'_> {
    /// Plans a rollback to what a backup holds, of everything in it, or of what is at or below
    /// `paths`.
    pub fn plan_to_backup(&self, id: &BackupId, paths: &[RepoPath]) -> Result<Plan, RollbackError> {
        self.check_settled()?;
        self.check_nothing_begun()?;
        if let Some(path) = self.repository.unmerged_paths()?.pop_first() {
            let path = path.to_string();
            return Err(GitError::Unmerged { path }.into());
        }
        let mut backup = self.store.verify(id, &mut |_| ())?;
        let index = self.index_marks();
        let scratch = tempfile::tempdir().map_err(|source| RollbackError::Scratch {
            path: std::env::temp_dir(),
            source,
        })?;
        let scratch = scratch.path();
        let mut told = self.told(&mut backup, paths, scratch)?;
        let files: Vec<Entry> = told
            .files
            .values()
            .filter_map(Then::entry)
            .cloned()
            .collect();
        let written = self.stage_backup(&mut backup, &files, scratch)?.files;
        let touched: BTreeSet<RepoPath> = told
            .files
            .keys()
            .chain(told.saved.index.keys())
            .cloned()
            .collect();
        let now: BTreeMap<RepoPath, TreeSide> = self
            .repository
            .index_blobs(self.repository.index_path(), &touched)?
            .into_iter()
            .map(|(path, mode, id)| (path, Some((mode, id))))
            .collect();
        let mut plan = Plan {
            goal: Goal::Backup { id: id.clone() },
            changes: Vec::new(),
            skipped: Vec::new(),
            limited: !paths.is_empty(),
            attributes: None,
            index,
            saved: Saved::default(),
        };
        let edited = self.repository.edited_paths()?;
        for path in touched {
            let has = now.get(&path).copied().flatten();
            let side = told.saved.index.get(&path).copied().unwrap_or(has);
            let then = told.files.get(&path);
            let ready = written.get(&path).map(std::path::PathBuf::as_path);
            let action = match self.file_action(&path, (then, ready), has.is_some())? {
                None if side != has && side.is_none() => match survey::look(&self.root, &path)? {
                    Standing::Leaf { .. } => Action::Unstage,
                    _ => Action::Forget,
                },
                None if side != has => Action::Stage,
                None => continue,
                Some(action) => action,
            };
            let changes_file = !matches!(action, Action::Stage | Action::Unstage | Action::Forget);
            plan.changes.push(Change {
                edited: changes_file && edited.contains(&path),
                path,
                action,
                goal: side,
                index: has,
            });
        }
        let writes = plan.writes();
        told.saved.files = files;
        told.saved
            .files
            .retain(|entry| writes.contains(&entry.path.to_path()));
        let changed: BTreeSet<&RepoPath> = plan.changes.iter().map(|change| &change.path).collect();
        told.saved.index.retain(|path, _| changed.contains(path));
        told.saved
            .staged
            .retain(|entry| told.saved.index.contains_key(&entry.path.to_path()));
        plan.saved = told.saved;
        self.clear_the_way(&mut plan)?;
        Ok(plan)
    }

    /// What is to happen to the file of a path; `None` where it is as it was already, or the
    /// backup does not know.
    fn file_action(
        &self,
        path: &RepoPath,
        (then, ready): (Option<&Then>, Option<&Path>),
        tracked: bool,
    ) -> Result<Option<Action>, RollbackError> {
        let place = Place::new(&self.root, path)?;
        let failed = |source| RollbackError::Scratch {
            path: place.file.clone(),
            source,
        };
        let standing = place.look(&self.root).map_err(failed)?;
        let stands = matches!(standing, Standing::Leaf { .. });
        Ok(match (then, ready) {
            (Some(Then::Nothing), _) if stands && tracked => Some(Action::Remove),
            (Some(Then::Nothing), _) if stands => Some(Action::RemoveUntracked),
            (Some(Then::File(entry)), Some(ready)) if stands => {
                let metadata = place.file.symlink_metadata().map_err(failed)?;
                let same = entry.same_kind(&metadata, false)
                    && sum_of(&place.file).map_err(failed)? == sum_of(ready).map_err(failed)?;
                match (same, tracked) {
                    (true, _) => None,
                    (false, true) => Some(Action::Restore),
                    (false, false) => Some(Action::ReplaceUntracked),
                }
            }
            (Some(Then::File(_)), Some(_)) => Some(Action::Recreate),
            _ => None,
        })
    }

    /// What the backup tells of the paths at or below `paths`.
    fn told(
        &self,
        backup: &mut VerifiedBackup,
        paths: &[RepoPath],
        scratch: &Path,
    ) -> Result<Told, RollbackError> {
        let manifest = backup.manifest().clone();
        check_held(&manifest, paths)?;
        let asked =
            |path: &RepoPath| paths.is_empty() || paths.iter().any(|p| path.is_at_or_below(p));
        let mut files: BTreeMap<RepoPath, Then> = BTreeMap::new();
        let mut index: BTreeMap<RepoPath, TreeSide> = BTreeMap::new();
        let mut staged: Vec<Entry> = Vec::new();
        // What was staged was in the working tree too, unless that had another content, or none.
        for version in [Version::Staged, Version::Worktree] {
            for absence in manifest.absent.iter().filter(|one| one.version == version) {
                let path = absence.path.to_path();
                if asked(&path) {
                    if version == Version::Staged {
                        index.insert(path.clone(), None);
                    }
                    files.insert(path, Then::Nothing);
                }
            }
            for entry in manifest.entries.iter().filter(|one| one.version == version) {
                let path = entry.path.to_path();
                if !asked(&path) || entry.mode() == Some(FileMode::Gitlink) {
                    continue;
                }
                if version == Version::Staged {
                    staged.push(entry.clone());
                }
                files.insert(path, Then::File(entry.clone()));
            }
        }
        let saved_index = matches!(manifest.index, Some(SavedIndex::Saved { .. }));
        if saved_index {
            let file = scratch.join("index.saved");
            backup.copy_index_to(&file)?;
            self.repository.join_split_index(&file)?;
            let touched: BTreeSet<RepoPath> = files.keys().cloned().collect();
            index.extend(touched.iter().map(|path| (path.clone(), None)));
            let entries = self.repository.index_blobs(&file, &touched)?;
            index.extend(
                entries
                    .into_iter()
                    .map(|(path, mode, id)| (path, Some((mode, id)))),
            );
        } else {
            let ids = self.store_again(backup, &staged, &scratch.join("staged"))?;
            for (entry, id) in staged.iter().zip(ids) {
                let side = entry.mode().map(|mode| (mode, id));
                index.insert(entry.path.to_path(), side);
            }
        }
        let saved = Saved {
            files: Vec::new(),
            staged,
            index,
        };
        Ok(Told { files, saved })
    }

    /// Makes a backup's files ready beside the tree, and an index with what it had of them.
    pub(super) fn stage_saved(
        &self,
        plan: &Plan,
        backup: &mut VerifiedBackup,
        scratch: &Path,
    ) -> Result<Staging, RollbackError> {
        let saved = &plan.saved;
        let mut staging = self.stage_backup(backup, &saved.files, scratch)?;
        if !saved.index.is_empty() {
            let folder = scratch.join("staged");
            file::create_private_folder(&folder).map_err(|source| RollbackError::Scratch {
                path: folder.clone(),
                source,
            })?;
            self.store_again(backup, &saved.staged, &folder)?;
            let entries = saved.index.iter().map(|(path, side)| (path, *side));
            let file = self.index_with(scratch, entries.collect())?;
            staging.index = NewIndex::Replace {
                file,
                refresh: plan.writes().into_iter().collect(),
            };
        }
        Ok(staging)
    }
}

/// Refuses paths that the backup tells nothing of.
fn check_held(manifest: &Manifest, paths: &[RepoPath]) -> Result<(), BackupError> {
    let entries = manifest.entries.iter().map(|entry| entry.path.to_path());
    let absent = manifest.absent.iter().map(|absence| absence.path.to_path());
    let held: BTreeSet<RepoPath> = entries.chain(absent).collect();
    match paths
        .iter()
        .find(|asked| !held.iter().any(|path| path.is_at_or_below(asked)))
    {
        Some(path) => Err(BackupError::NotHeld {
            id: manifest.id.clone(),
            path: path.to_string(),
            version: None,
        }),
        None => Ok(()),
    }
}
