//! The policy that counts for a repository.

use std::path::{Path, PathBuf};

use super::range::Range;
use crate::git::{Blob, FileMode, GitError, ObjectId, RepoPath, Repository};
use crate::policy::{self, Policy, PolicyError};

/// Why a repository has no policy that counts.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryPolicyError {
    /// The file is missing or wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What is judged, which decides which policy counts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// What is about to be committed: the staged policy counts, so that an edit of the policy
    /// that is not part of the commit does not judge it.
    Staged,
    /// What lies in the working tree.
    WorkingTree,
}

/// Where the policy that counts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFrom {
    /// The index.
    Index,
    /// The file in the working tree.
    WorkingTree,
    /// The last commit: there is none elsewhere, but removing the policy does not switch the
    /// guard off for the commit that removes it.
    LastCommit,
    /// The end of a range.
    Tip,
    /// The start of a range: there is none at its end, but removing the policy does not switch
    /// the guard off for the commits that remove it.
    Base,
}

/// Longer policies are refused.
const LIMIT: u64 = 1 << 20;

/// The policy that counts: of the index (where the commit is judged), else of the working tree,
/// else of HEAD.
///
/// # Errors
/// [`PolicyError::Missing`] when none of them has one.
pub fn policy_of(
    repository: &Repository,
    judged: Judged,
) -> Result<(Policy, PolicyFrom), RepositoryPolicyError> {
    let path = repository.worktree()?.join(policy::FILE_NAME);
    let name = RepoPath::new(policy::FILE_NAME);
    let stored = |entry| read_stored(repository, entry, &path);
    if judged == Judged::Staged
        && let Some(policy) = stored(repository.staged_entry(&name)?)?
    {
        return Ok((policy, PolicyFrom::Index));
    }
    match policy::load(&path) {
        Ok(policy) => Ok((policy, PolicyFrom::WorkingTree)),
        Err(missing @ PolicyError::Missing { .. }) => {
            let last = match repository.head()?.commit {
                Some(commit) => stored(repository.entry_at(commit, &name)?)?,
                None => None,
            };
            let policy = last.ok_or(missing)?;
            Ok((policy, PolicyFrom::LastCommit))
        }
        Err(error) => Err(error.into()),
    }
}

/// The policy that counts for a range: that of its end, else of its start. What lies in the
/// working tree belongs to neither, and a bare repository has none.
///
/// # Errors
/// [`PolicyError::Missing`] when neither has one.
pub fn policy_of_range(
    repository: &Repository,
    range: &Range,
) -> Result<(Policy, PolicyFrom), RepositoryPolicyError> {
    for (commit, revision, from) in [
        (range.tip, &range.tip_name, PolicyFrom::Tip),
        (range.base, &range.base_name, PolicyFrom::Base),
    ] {
        if let Some(policy) = policy_at(repository, commit, revision)? {
            return Ok((policy, from));
        }
    }
    let path = shown(&range.tip_name);
    Err(PolicyError::Missing { path }.into())
}

/// The policy of a commit, if it has one; `revision` is what to call the commit.
pub(super) fn policy_at(
    repository: &Repository,
    commit: ObjectId,
    revision: &str,
) -> Result<Option<Policy>, RepositoryPolicyError> {
    let entry = repository.entry_at(commit, &RepoPath::new(policy::FILE_NAME))?;
    read_stored(repository, entry, &shown(revision))
}

/// The policy's name in messages, where it is not the file of the working tree.
fn shown(revision: &str) -> PathBuf {
    PathBuf::from(format!("{revision}:{}", policy::FILE_NAME))
}

/// A policy that Git holds; `None` where there is no such file, or a link in its place.
fn read_stored(
    repository: &Repository,
    entry: Option<(FileMode, ObjectId)>,
    path: &Path,
) -> Result<Option<Policy>, RepositoryPolicyError> {
    let Some((_, id)) = entry.filter(|(mode, _)| mode.is_file()) else {
        return Ok(None);
    };
    match repository.blobs(&[id], LIMIT)?.pop() {
        Some(Blob::Bytes(content)) => Ok(Some(policy::parse(path, &content)?)),
        _ => Ok(None),
    }
}
