//! What a rollback would do, as data: made by reading only, shown before anything happens.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Marks, Place, Standing};
use super::to_backup::Saved;
use super::{Obstacle, RollbackError, Workplace, survey};
use crate::backup::BackupId;
use crate::git::{Difference, FileMode, IndexEntries, NameKind, ObjectId, RepoPath, TreeSide};

/// What a rollback goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A commit, fixed now: a tag that moves later does not matter.
    Commit {
        /// As it was asked for.
        name: String,
        /// What the name is.
        kind: NameKind,
        /// The commit it leads to.
        commit: ObjectId,
    },
    /// What a backup holds.
    Backup {
        /// Its id.
        id: BackupId,
    },
}

impl Goal {
    /// The name it has in messages and in the list of finished runs.
    pub fn name(&self) -> &str {
        match self {
            Self::Commit { name, .. } => name,
            Self::Backup { id } => id.as_str(),
        }
    }
}

/// What a rollback would change.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub goal: Goal,
    /// The changes, by path.
    pub changes: Vec<Change>,
    /// What would differ from the goal afterwards, and why.
    pub skipped: Vec<Skipped>,
    /// Whether only some paths were asked for.
    pub limited: bool,
    /// The tree whose `.gitattributes` hold; `None` for those in the working tree.
    pub(super) attributes: Option<ObjectId>,
    /// The index the plan was made from.
    pub(super) index: Option<Marks>,
    /// What is taken from a backup, where that is the goal.
    pub(super) saved: Saved,
}

/// One path that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// What happens to it.
    pub action: Action,
    /// Whether the file has bytes that are nowhere in Git: they are in the snapshot only.
    pub edited: bool,
    pub(super) goal: TreeSide,
    pub(super) index: TreeSide,
}

/// What happens to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A tracked file gets the goal's content.
    Restore,
    /// A file that is not there comes back.
    Recreate,
    /// An untracked file at a path of the goal is saved, then replaced.
    ReplaceUntracked,
    /// A file that the goal does not have is saved, then removed.
    Remove,
    /// An untracked file that stands where a folder of the goal is needed is saved, then removed.
    RemoveUntracked,
    /// Only the index has the path, and it goes.
    Forget,
    /// Only the index gets the goal's content.
    Stage,
    /// The index loses the path, its file stays as it is.
    Unstage,
}

impl Action {
    /// Whether a file is written.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::Restore | Self::Recreate | Self::ReplaceUntracked
        )
    }
}

/// A path left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The path.
    pub path: RepoPath,
    /// Why.
    pub reason: SkipReason,
}

/// Why a path is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A sparse checkout keeps it out of the working tree.
    Sparse,
    /// It is marked `skip-worktree` by hand.
    SkipWorktree,
    /// It is edited, but Git is told not to look at it.
    Hidden,
    /// It is a submodule.
    Submodule,
}

impl Plan {
    /// Whether everything is as in the goal already.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The blobs of the index that the goal does not have.
    pub(super) fn staged(&self) -> Vec<(RepoPath, FileMode, ObjectId)> {
        let staged = self.changes.iter().filter_map(|change| {
            let (mode, id) = change.index.filter(|_| change.index != change.goal)?;
            Some((change.path.clone(), mode, id))
        });
        staged.collect()
    }

    pub(super) fn writes(&self) -> BTreeSet<RepoPath> {
        let writes = self.changes.iter().filter(|change| change.action.writes());
        writes.map(|change| change.path.clone()).collect()
    }

    pub(super) fn removals(&self) -> BTreeSet<RepoPath> {
        let goes =
            |action: Action| !matches!(action, Action::Stage | Action::Unstage) && !action.writes();
        let removals = self.changes.iter().filter(|change| goes(change.action));
        removals.map(|change| change.path.clone()).collect()
    }
}

impl Workplace<'_> {
    /// Plans a rollback to the commit that a tag, a branch or any other name leads to, of
    /// everything, or of what is at or below `paths`.
    pub fn plan(&self, name: &str, paths: &[RepoPath]) -> Result<Plan, RollbackError> {
        self.check_settled()?;
        let (kind, commit) = self.repository.named_commit(name)?;
        self.check_nothing_begun()?;
        let index = self.index_marks();
        let comparison = self.repository.compare(commit)?;
        let entries = comparison.entries;
        self.check_known(paths, &entries, (name, commit))?;
        let mut plan = Plan {
            goal: Goal::Commit {
                name: name.to_owned(),
                kind,
                commit,
            },
            changes: Vec::new(),
            skipped: Vec::new(),
            limited: !paths.is_empty(),
            attributes: Some(commit).filter(|_| paths.is_empty()),
            index,
            saved: Saved::default(),
        };
        let asked =
            |path: &RepoPath| paths.is_empty() || paths.iter().any(|p| path.is_at_or_below(p));
        self.name_hidden(&mut plan, &comparison.differences, (&entries, &asked))?;
        let sparse = !entries.sparse.is_empty() && self.repository.is_sparse_checkout()?;
        let kept_out = [SkipReason::SkipWorktree, SkipReason::Sparse][usize::from(sparse)];
        for (path, difference) in comparison.differences {
            if !asked(&path) {
                continue;
            }
            let hidden = entries.sparse.contains(&path).then_some(kept_out);
            if let Some(reason) = skip_reason(&difference, hidden) {
                plan.skipped.push(Skipped { path, reason });
                continue;
            }
            let standing = survey::look(&self.root, &path)?;
            let tracked = entries.holds(&path);
            if let Some(action) = decide(&difference, &standing, tracked) {
                plan.changes.push(Change {
                    path,
                    action,
                    edited: difference.edited && matches!(standing, Standing::Leaf { .. }),
                    goal: difference.commit,
                    index: difference.index,
                });
            }
        }
        self.follow_attributes(&mut plan, (commit, &entries), &asked)?;
        self.clear_the_way(&mut plan)?;
        plan.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(plan)
    }

    /// Refuses to work in the middle of a merge, a rebase or the like.
    pub(super) fn check_nothing_begun(&self) -> Result<(), RollbackError> {
        match self.repository.operation() {
            Some(operation) => Err(RollbackError::InProgress { operation }),
            None => Ok(()),
        }
    }

    /// Refuses paths that neither the index nor the commit has.
    fn check_known(
        &self,
        paths: &[RepoPath],
        entries: &IndexEntries,
        (name, commit): (&str, ObjectId),
    ) -> Result<(), RollbackError> {
        for asked in paths {
            let in_index = entries.paths.iter().any(|path| path.is_at_or_below(asked));
            if !in_index && !self.repository.commit_has(commit, asked)? {
                return Err(RollbackError::UnknownPath {
                    path: asked.to_string(),
                    name: name.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Names the files whose edits Git is told not to see: they stay as they are.
    fn name_hidden(
        &self,
        plan: &mut Plan,
        differences: &BTreeMap<RepoPath, Difference>,
        (entries, asked): (&IndexEntries, &dyn Fn(&RepoPath) -> bool),
    ) -> Result<(), RollbackError> {
        let mut standing = Vec::new();
        for path in entries.assumed.union(&entries.sparse) {
            if asked(path) && !differences.contains_key(path) {
                let place = Place::new(&self.root, path)?;
                let found = place.look(&self.root);
                if matches!(found, Ok(Standing::Leaf { .. })) {
                    standing.push(path);
                }
            }
        }
        for path in self.repository.hidden_changes(&standing)? {
            let reason = SkipReason::Hidden;
            plan.skipped.push(Skipped { path, reason });
        }
        Ok(())
    }

    /// Adds the files that stand where folders are needed, and refuses what must not be lost.
    pub(super) fn clear_the_way(&self, plan: &mut Plan) -> Result<(), RollbackError> {
        let writes = plan.writes();
        for skipped in &plan.skipped {
            let inside = |path: &&RepoPath| path.is_at_or_below(&skipped.path);
            if skipped.reason == SkipReason::Submodule && writes.iter().any(|path| inside(&path)) {
                return Err(RollbackError::Blocked {
                    path: skipped.path.to_string(),
                    reason: Obstacle::NestedRepository,
                });
            }
        }
        for path in survey::files_in_the_way(&self.root, &writes, &plan.removals())? {
            plan.changes.push(Change {
                path,
                action: Action::RemoveUntracked,
                edited: true,
                goal: None,
                index: None,
            });
        }
        plan.changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }
}

fn skip_reason(difference: &Difference, hidden: Option<SkipReason>) -> Option<SkipReason> {
    let is_submodule = |side: &TreeSide| side.is_some_and(|(mode, _)| mode == FileMode::Gitlink);
    if is_submodule(&difference.commit) || is_submodule(&difference.index) {
        return Some(SkipReason::Submodule);
    }
    hidden
}

/// What is to happen to one path; `None` for a file that is only intended to be added, which
/// neither the commit nor the index has content for.
fn decide(difference: &Difference, standing: &Standing, tracked: bool) -> Option<Action> {
    let stands = matches!(standing, Standing::Leaf { .. });
    match (difference.commit, difference.index) {
        (None, None) => None,
        (Some(_), _) if !stands => Some(Action::Recreate),
        (Some(_), _) if tracked => Some(Action::Restore),
        (Some(_), _) => Some(Action::ReplaceUntracked),
        (None, Some(_)) if stands => Some(Action::Remove),
        (None, Some(_)) => Some(Action::Forget),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_combination_has_its_action() {
        let blob = Some((
            FileMode::Regular,
            ObjectId::from_hex(&"1".repeat(40)).unwrap(),
        ));
        let here = Place::new(
            std::path::Path::new("."),
            &RepoPath::new(&b"Cargo.toml"[..]),
        )
        .unwrap()
        .look(std::path::Path::new("."))
        .unwrap();
        let decide = |commit, index, standing: &Standing, tracked| {
            let edited = false;
            let difference = Difference {
                commit,
                index,
                edited,
            };
            decide(&difference, standing, tracked)
        };
        let gone = Standing::Absent;
        assert_eq!(decide(blob, blob, &here, true), Some(Action::Restore));
        assert_eq!(
            decide(blob, None, &here, false),
            Some(Action::ReplaceUntracked)
        );
        assert_eq!(decide(blob, None, &gone, false), Some(Action::Recreate));
        assert_eq!(
            decide(blob, blob, &Standing::Folder, true),
            Some(Action::Recreate)
        );
        assert_eq!(decide(None, blob, &here, true), Some(Action::Remove));
        assert_eq!(decide(None, blob, &gone, true), Some(Action::Forget));
        assert_eq!(decide(None, None, &here, true), None);
    }
}
