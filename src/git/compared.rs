//! What differs between a commit and another commit or the index, and which files were renamed:
//! all as the `git` program tells it, since a rename is what Git calls one.

use std::collections::HashMap;

use super::{FileMode, GitError, GitProgram, ObjectId, RepoPath, Repository, TreeSide, raw_diff};

/// What a commit is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSide {
    /// What is about to be committed.
    Index,
    /// Another commit.
    Commit(ObjectId),
}

/// One path on which the two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The path.
    pub path: RepoPath,
    /// Mode and object in the commit that is compared; `None` for a new path.
    pub before: Option<(FileMode, ObjectId)>,
    /// Mode and object on the new side; `None` for a deleted path.
    pub after: Option<(FileMode, ObjectId)>,
}

/// Git's own limit since 2.34, given so that no configuration changes the verdict: with more
/// added and deleted files than this, only those of the same content are taken for renamed.
const RENAME_LIMIT: &str = "-l1000";

impl Repository {
    /// The paths on which `new` differs from the commit `base` (`None`: from nothing), sorted.
    pub fn changes_since(
        &self,
        base: Option<ObjectId>,
        new: NewSide,
    ) -> Result<Vec<PathChange>, GitError> {
        let git = self.reading_program();
        let base = tree_or_empty(&git, base)?;
        let tip = tip(new);
        let mut arguments = command(new);
        arguments.push("--no-renames");
        arguments.push(&base);
        arguments.extend(tip.as_deref());
        let mut changes: Vec<PathChange> = raw_diff::run(&git, &arguments)?
            .into_iter()
            .map(
                |(path, before, after): (_, TreeSide, TreeSide)| PathChange {
                    path,
                    before,
                    after,
                },
            )
            .collect();
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    /// The files that were renamed between `base` and `new`, by their new path: what `git diff -M`
    /// pairs, each deleted file with one added file of which half or more is the same.
    pub fn renames_since(
        &self,
        base: Option<ObjectId>,
        new: NewSide,
    ) -> Result<HashMap<RepoPath, RepoPath>, GitError> {
        let git = self.reading_program();
        let base = tree_or_empty(&git, base)?;
        let tip = tip(new);
        let find = |similar: &'static str| {
            let mut arguments = command(new);
            arguments.extend([similar, RENAME_LIMIT, &base]);
            arguments.extend(tip.as_deref());
            raw_diff::renames(&git, &arguments)
        };
        let found = match find("-M50%") {
            // A partial clone lacks contents to compare; those that are the same need none.
            Err(GitError::Program { .. }) => find("-M100%")?,
            other => other?,
        };
        Ok(found.into_iter().collect())
    }
}

/// The command that compares, without what it compares.
fn command(new: NewSide) -> Vec<&'static str> {
    let mut arguments = match new {
        NewSide::Index => vec!["diff-index", "--cached", "--ita-invisible-in-index"],
        NewSide::Commit(_) => vec!["diff-tree", "-r"],
    };
    arguments.extend(["--raw", "-z", "--no-abbrev", "--ignore-submodules=none"]);
    arguments
}

fn tip(new: NewSide) -> Option<String> {
    match new {
        NewSide::Index => None,
        NewSide::Commit(commit) => Some(commit.to_string()),
    }
}

/// The commit, or the empty tree where there is none.
pub(super) fn tree_or_empty(
    git: &GitProgram,
    commit: Option<ObjectId>,
) -> Result<String, GitError> {
    match commit {
        Some(commit) => Ok(commit.to_string()),
        None => Ok(git
            .run(&["hash-object", "-t", "tree", "--stdin"], b"")?
            .line()),
    }
}
