//! The two other ways in: a rollback that was planned, and files out of a backup, put over those
//! in the working tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::transaction::{IndexPart, Job, NewIndex, Staging, Start, Unneeded};
use super::undo::unpack_all;
use super::{Action, Done, Event, Goal, Plan, RollbackError, Workplace, survey};
use crate::backup::{Entry, NameFault, VerifiedBackup, Version};
use crate::git::{FileMode, GitError, ObjectId, RepoPath, TreeSide};
use crate::sys::file;

impl Workplace<'_> {
    /// Carries out a plan.
    pub fn apply(&self, plan: &Plan, hear: &mut dyn FnMut(&Event)) -> Result<Done, RollbackError> {
        let _alive = self.enter()?;
        self.check_uninterrupted()?;
        let job = Job {
            kind: "rollback",
            what: plan.goal.name().to_owned(),
            writes: plan.writes(),
            removals: plan.removals(),
            staged: plan.staged(),
            index: IndexPart::Planned(plan.index.clone()),
            bring_to: None,
            accepted: Vec::new(),
            start: Start::Fresh,
            unneeded: Unneeded::Noted,
        };
        let Goal::Backup { id } = &plan.goal else {
            return self.run(&job, &mut |scratch| self.stage_plan(plan, scratch), hear);
        };
        let mut backup = self.store.verify(id, &mut |_| ())?;
        let mut stage = |scratch: &Path| self.stage_saved(plan, &mut backup, scratch);
        self.run(&job, &mut stage, hear)
    }

    /// Lets Git write the commit's files beside the tree, and an index with its entries.
    fn stage_plan(&self, plan: &Plan, scratch: &Path) -> Result<Staging, RollbackError> {
        let writes: Vec<(&RepoPath, TreeSide)> = plan
            .changes
            .iter()
            .filter(|change| change.action.writes())
            .map(|change| (&change.path, change.goal))
            .collect();
        let files = self.check_out(&writes, plan.attributes, scratch)?;
        let entries = plan
            .changes
            .iter()
            .filter(|change| change.action != Action::RemoveUntracked)
            .map(|change| (&change.path, change.goal))
            .collect();
        let index = self.index_with(scratch, entries)?;
        Ok(Staging {
            files,
            index: NewIndex::Replace {
                file: index,
                refresh: plan.writes().into_iter().collect(),
            },
            exact_permissions: false,
        })
    }

    /// Files as a checkout writes them, below `scratch`.
    pub(super) fn check_out(
        &self,
        entries: &[(&RepoPath, TreeSide)],
        attributes: Option<ObjectId>,
        scratch: &Path,
    ) -> Result<BTreeMap<RepoPath, PathBuf>, RollbackError> {
        if entries.is_empty() {
            return Ok(BTreeMap::new());
        }
        let folder = scratch.join("tree");
        let failed = |source| RollbackError::Scratch {
            path: folder.clone(),
            source,
        };
        file::create_private_folder(&folder).map_err(failed)?;
        let check_out = |attributes, index: &str| {
            let index = scratch.join(index);
            self.repository
                .check_out_beside(entries, attributes, (&folder, &index))
        };
        match check_out(attributes, "index.tag") {
            // Git before 2.41 does not know `--attr-source`. Where the tag has the attributes
            // that lie in the working tree, those do as well.
            Err(GitError::Program {
                code: Some(129), ..
            }) if attributes.is_some() => {
                let own = |path: &RepoPath| path.file_name() == b".gitattributes";
                if entries.iter().any(|(path, _)| own(path)) {
                    return Err(RollbackError::OldGit);
                }
                check_out(None, "index.old")?;
            }
            result => result?,
        }
        Ok(entries
            .iter()
            .filter_map(|(path, _)| Some(((*path).clone(), path.below(&folder)?)))
            .collect())
    }

    /// Puts entries of a backup over the files in the working tree, which are saved before. The
    /// index is left alone. What comes from Git's side of a path (`before`, `staged`) is written
    /// as a checkout would write it.
    pub fn restore(
        &self,
        backup: &mut VerifiedBackup,
        entries: &[Entry],
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Done, RollbackError> {
        let _alive = self.enter()?;
        self.check_uninterrupted()?;
        for entry in entries {
            if entry.mode().is_none_or(|mode| mode == FileMode::Gitlink) {
                return Err(RollbackError::UnsafeName {
                    path: entry.path.to_path().to_string(),
                    reason: NameFault::Submodule,
                });
            }
        }
        let writes: BTreeSet<RepoPath> = entries.iter().map(|e| e.path.to_path()).collect();
        let removals = survey::files_in_the_way(&self.root, &writes, &BTreeSet::new())?;
        let job = Job {
            kind: "restore",
            what: backup.manifest().id.clone(),
            writes,
            removals,
            staged: Vec::new(),
            index: IndexPart::Left,
            bring_to: None,
            accepted: Vec::new(),
            start: Start::Fresh,
            unneeded: Unneeded::Dropped,
        };
        let mut stage = |scratch: &Path| self.stage_backup(backup, entries, scratch);
        self.run(&job, &mut stage, hear)
    }

    pub(super) fn stage_backup(
        &self,
        backup: &mut VerifiedBackup,
        entries: &[Entry],
        scratch: &Path,
    ) -> Result<Staging, RollbackError> {
        let (as_they_are, through_git): (Vec<Entry>, Vec<Entry>) = entries
            .iter()
            .cloned()
            .partition(|entry| entry.version == Version::Worktree);
        let mut files = unpack_all(backup, &as_they_are, &scratch.join("new"))?;
        if !through_git.is_empty() {
            let ids = self.store_again(backup, &through_git, scratch)?;
            let paths: Vec<RepoPath> = through_git.iter().map(|e| e.path.to_path()).collect();
            let sides = through_git.iter().zip(ids);
            let sides = sides.map(|(entry, id)| entry.mode().map(|mode| (mode, id)));
            let entries: Vec<(&RepoPath, TreeSide)> = paths.iter().zip(sides).collect();
            files.extend(self.check_out(&entries, None, scratch)?);
        }
        Ok(Staging {
            files,
            index: NewIndex::Keep,
            exact_permissions: false,
        })
    }

    /// Gives Git the blobs that a backup holds, whether or not it still has them.
    pub(super) fn store_again(
        &self,
        backup: &mut VerifiedBackup,
        entries: &[Entry],
        scratch: &Path,
    ) -> Result<Vec<ObjectId>, RollbackError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let raw = scratch.join("raw");
        file::create_private_folder(&raw).map_err(|source| RollbackError::Scratch {
            path: raw.clone(),
            source,
        })?;
        let mut blobs = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            let target = raw.join(number.to_string());
            backup.copy_to(entry, &target)?;
            blobs.push(target);
        }
        let blobs: Vec<&Path> = blobs.iter().map(PathBuf::as_path).collect();
        Ok(self.repository.store_blobs(&blobs)?)
    }
}
