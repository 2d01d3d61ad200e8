//! Files that change although neither the commit nor the index has other content for them: their
//! `.gitattributes` change.

use std::collections::BTreeSet;
use std::path::Path;

use super::place::{Place, Standing, sum_of};
use super::{Action, Change, Plan, RollbackError, Workplace};
use crate::git::{FileMode, GitError, IndexEntries, ObjectId, RepoPath, TreeSide};

impl Workplace<'_> {
    /// Sets whose attributes hold when the plan is carried out, and adds the files that a
    /// checkout would then write otherwise.
    pub(super) fn follow_attributes(
        &self,
        plan: &mut Plan,
        (commit, entries): (ObjectId, &IndexEntries),
        asked: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<(), RollbackError> {
        let changed: Vec<&Change> = plan.changes.iter().filter(|c| is_rules(&c.path)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let scratch = tempfile::tempdir().map_err(|source| RollbackError::Scratch {
            path: std::env::temp_dir(),
            source,
        })?;
        let scratch = scratch.path();
        let tree = if plan.limited {
            self.rules_afterwards(&changed, entries, scratch)?
        } else {
            commit
        };
        let planned: BTreeSet<&RepoPath> = plan.changes.iter().map(|c| &c.path).collect();
        let mut candidates: Vec<RepoPath> = entries
            .paths
            .iter()
            .filter(|path| asked(path) && !planned.contains(path) && !entries.is_hidden(path))
            .filter(|path| changed.iter().any(|rules| holds_for(&rules.path, path)))
            .cloned()
            .collect();
        candidates.sort();
        let other = self.repository.with_other_attributes(candidates, tree);
        let other = other.map_err(|error| match error {
            // Git before 2.41 does not know `--attr-source`.
            GitError::Program {
                code: Some(129), ..
            } => RollbackError::OldGit,
            error => error.into(),
        })?;
        let mut more = self.written_otherwise(other, tree, scratch)?;
        plan.attributes = Some(tree);
        plan.changes.append(&mut more);
        Ok(())
    }

    /// A tree of the `.gitattributes` that lie in the working tree once `changed` is done.
    fn rules_afterwards(
        &self,
        changed: &[&Change],
        entries: &IndexEntries,
        scratch: &Path,
    ) -> Result<ObjectId, RollbackError> {
        let mut rules: BTreeSet<RepoPath> = entries.paths.iter().cloned().collect();
        rules.retain(|path| is_rules(path) && !changed.iter().any(|change| change.path == *path));
        let index = self.repository.index_path();
        let mut sides: Vec<(RepoPath, TreeSide)> = Vec::new();
        for (path, mode, staged) in self.repository.index_blobs(index, &rules)? {
            let place = Place::new(&self.root, &path)?;
            let regular = place
                .file
                .symlink_metadata()
                .is_ok_and(|found| found.is_file());
            let id = if regular {
                self.repository.store_blobs(&[&place.file])?.pop()
            } else {
                Some(staged)
            };
            sides.push((path, id.map(|id| (mode, id))));
        }
        sides.extend(changed.iter().map(|c| (c.path.clone(), c.goal)));
        sides.retain(|(_, side)| side.is_some());
        let sides: Vec<(&RepoPath, TreeSide)> = sides.iter().map(|(p, side)| (p, *side)).collect();
        Ok(self.repository.write_tree(&sides, &scratch.join("rules"))?)
    }

    /// Those of `paths` whose files a checkout under the attributes of `tree` would write
    /// otherwise than they are.
    fn written_otherwise(
        &self,
        paths: Vec<RepoPath>,
        tree: ObjectId,
        scratch: &Path,
    ) -> Result<Vec<Change>, RollbackError> {
        let paths = paths.into_iter().collect();
        let blobs = self
            .repository
            .index_blobs(self.repository.index_path(), &paths)?;
        let sides: Vec<(&RepoPath, TreeSide)> = blobs
            .iter()
            .filter(|(_, mode, _)| *mode != FileMode::Symlink)
            .map(|(path, mode, id)| (path, Some((*mode, *id))))
            .collect();
        let files = self.check_out(&sides, Some(tree), scratch)?;
        let mut changes = Vec::new();
        for (path, side) in sides {
            let place = Place::new(&self.root, path)?;
            let failed = |source| RollbackError::Scratch {
                path: place.file.clone(),
                source,
            };
            let stands = place.look(&self.root).map_err(failed)?;
            if let (Standing::Leaf { .. }, Some(file)) = (stands, files.get(path))
                && sum_of(file).map_err(failed)? != sum_of(&place.file).map_err(failed)?
            {
                changes.push(Change {
                    path: path.clone(),
                    action: Action::Restore,
                    edited: false,
                    goal: side,
                    index: side,
                });
            }
        }
        Ok(changes)
    }
}

fn is_rules(path: &RepoPath) -> bool {
    path.file_name() == b".gitattributes"
}

/// Whether `rules` lies in a folder at or above the one `path` lies in.
fn holds_for(rules: &RepoPath, path: &RepoPath) -> bool {
    let folder = rules.as_bytes().strip_suffix(b".gitattributes");
    folder.is_some_and(|folder| path.as_bytes().starts_with(folder))
}
