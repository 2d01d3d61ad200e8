//! The policy that counts for a repository.

use crate::git::{Blob, GitError, RepoPath, Repository};
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

/// Where the policy that counts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFrom {
    /// The file in the working tree.
    WorkingTree,
    /// The last commit: the working tree has none, but removing the policy does not switch the
    /// guard off for the commit that removes it.
    LastCommit,
}

/// The policy of the working tree, else that of HEAD.
///
/// # Errors
/// [`PolicyError::Missing`] when neither has one.
pub fn policy_of(repository: &Repository) -> Result<(Policy, PolicyFrom), RepositoryPolicyError> {
    let path = repository.worktree()?.join(policy::FILE_NAME);
    match policy::load(&path) {
        Ok(policy) => Ok((policy, PolicyFrom::WorkingTree)),
        Err(missing @ PolicyError::Missing { .. }) => {
            let Some(commit) = repository.head()?.commit else {
                return Err(missing.into());
            };
            let name = RepoPath::new(policy::FILE_NAME);
            let Some((_, id)) = repository.entry_at(commit, &name)? else {
                return Err(missing.into());
            };
            match repository.blobs(&[id], u64::from(u32::MAX))?.pop() {
                Some(Blob::Bytes(content)) => {
                    Ok((policy::parse(&path, &content)?, PolicyFrom::LastCommit))
                }
                _ => Err(missing.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
