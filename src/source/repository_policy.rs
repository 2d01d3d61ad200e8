//! The policy at the root of a repository: of the index, of folders, or of a commit.

use std::path::PathBuf;

use super::nearest_policy::has_policy_below;
use super::range::Range;
use crate::git::{Blob, GitError, NewSide, ObjectId, RepoPath, Repository};
use crate::policy::{self, FILE_NAME, Folder, Policy, PolicyError, PolicyTree, Surroundings};
use crate::sys::environment;

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
    /// The last commit: removing the policy does not switch the guard off for the commit that
    /// removes it.
    LastCommit,
    /// There is none at the root, only in folders below it: what has none above it is not judged.
    OnlyBelow,
    /// The end of a range.
    Tip,
    /// The start of a range: there is none at its end, but removing the policy does not switch
    /// the guard off for the commits that remove it.
    Base,
}

/// Longer policies are refused.
const LIMIT: u64 = 1 << 20;

/// The policy that counts. For a commit that of the index, else of HEAD, and only where Git has
/// none that of the working tree: what is not part of the commit loosens nothing. For the working
/// tree its own, else that of HEAD. Where there are only some in folders below the root, one that
/// judges nothing.
///
/// # Errors
/// [`PolicyError::Missing`] when there is none at all.
pub fn policy_of(
    repository: &Repository,
    judged: Judged,
) -> Result<(Policy, PolicyFrom), RepositoryPolicyError> {
    let surroundings = Surroundings::of_this_process()?;
    let root = repository.worktree()?.to_owned();
    let last = || -> Result<Option<Policy>, RepositoryPolicyError> {
        let Some(commit) = repository.head()?.commit else {
            return Ok(None);
        };
        Stored::new(repository, NewSide::Commit(commit), Some("HEAD")).policy(&surroundings)
    };
    if judged == Judged::Staged {
        let index = Stored::new(repository, NewSide::Index, None);
        if let Some(policy) = index.policy(&surroundings)? {
            return Ok((policy, PolicyFrom::Index));
        }
        match last() {
            Ok(Some(policy)) => return Ok((policy, PolicyFrom::LastCommit)),
            // One that cannot be read judges nothing; else no commit could take it out.
            Ok(None) | Err(RepositoryPolicyError::Policy(_)) => {}
            Err(error) => return Err(error),
        }
    }
    match policy::load_from(&Folder(root), FILE_NAME, &surroundings) {
        Ok(policy) => Ok((policy, PolicyFrom::WorkingTree)),
        Err(missing @ PolicyError::Missing { .. }) => {
            let last = match judged {
                Judged::Staged => None,
                Judged::WorkingTree => last()?,
            };
            match last {
                Some(policy) => Ok((policy, PolicyFrom::LastCommit)),
                None if has_policy_below(repository)? => {
                    Ok((Policy::of_no_file(&surroundings), PolicyFrom::OnlyBelow))
                }
                None => Err(missing.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The policy at the root of a commit, which people know as `name`.
pub fn policy_at(
    repository: &Repository,
    commit: ObjectId,
    name: &str,
) -> Result<Option<Policy>, RepositoryPolicyError> {
    let surroundings = Surroundings::of_this_process()?;
    Stored::new(repository, NewSide::Commit(commit), Some(name)).policy(&surroundings)
}

/// The policy at the root of the index or of a commit.
pub fn policy_in(
    repository: &Repository,
    side: NewSide,
) -> Result<Option<Policy>, RepositoryPolicyError> {
    Stored::new(repository, side, None).policy(&Surroundings::of_this_process()?)
}

/// What counts at the root of a commit that has policies in folders below it: a policy that judges
/// nothing; `None` where it has none there either.
pub(super) fn policy_only_below(
    repository: &Repository,
    commit: ObjectId,
) -> Result<Option<Policy>, RepositoryPolicyError> {
    let side = NewSide::Commit(commit);
    let below = repository.named_in(side, FILE_NAME.as_bytes(), None)?;
    if below.is_empty() {
        return Ok(None);
    }
    Ok(Some(Policy::of_no_file(&Surroundings::of_this_process()?)))
}

/// The policy that counts for a range: that of its end, else of its start. What lies in the
/// working tree belongs to neither, and a bare repository has none. Where they have only some in
/// folders below the root, one that judges nothing.
///
/// # Errors
/// [`PolicyError::Missing`] when neither has any.
pub fn policy_of_range(
    repository: &Repository,
    range: &Range,
) -> Result<(Policy, PolicyFrom), RepositoryPolicyError> {
    for (commit, name, from) in [
        (range.tip, &range.tip_name, PolicyFrom::Tip),
        (range.base, &range.base_name, PolicyFrom::Base),
    ] {
        if let Some(policy) = policy_at(repository, commit, name)? {
            return Ok((policy, from));
        }
    }
    for commit in [range.tip, range.base] {
        if let Some(policy) = policy_only_below(repository, commit)? {
            return Ok((policy, PolicyFrom::OnlyBelow));
        }
    }
    let path = PathBuf::from(format!("{}:{FILE_NAME}", range.tip_name));
    Err(PolicyError::Missing { path }.into())
}

/// The files that Git holds: of the index, or of a commit.
pub(super) struct Stored<'r> {
    repository: &'r Repository,
    side: NewSide,
    /// What people call the commit.
    name: Option<&'r str>,
}

impl<'r> Stored<'r> {
    pub(super) fn new(repository: &'r Repository, side: NewSide, name: Option<&'r str>) -> Self {
        Self {
            repository,
            side,
            name,
        }
    }

    /// The policy at the root; `None` where there is no such file.
    fn policy(&self, surroundings: &Surroundings) -> Result<Option<Policy>, RepositoryPolicyError> {
        let path = RepoPath::new(FILE_NAME);
        let entry = match self.side {
            NewSide::Index => self.repository.staged_entry(&path)?,
            NewSide::Commit(commit) => self.repository.entry_at(commit, &path)?,
        };
        if entry.is_none() {
            return Ok(None);
        }
        match policy::load_from(self, FILE_NAME, surroundings) {
            Ok(policy) => Ok(Some(policy)),
            // A partial clone lacks it.
            Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl PolicyTree for Stored<'_> {
    type Error = RepositoryPolicyError;

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RepositoryPolicyError> {
        let path = RepoPath::new(name);
        let entry = match self.side {
            NewSide::Index => self.repository.staged_entry(&path)?,
            NewSide::Commit(commit) => self.repository.entry_at(commit, &path)?,
        };
        let shown = || self.shown(name);
        let Some((mode, id)) = entry else {
            return Ok(None);
        };
        if !mode.is_file() {
            return Err(PolicyError::Link { path: shown() }.into());
        }
        match self.repository.blobs(&[id], LIMIT)?.pop() {
            Some(Blob::Bytes(content)) => Ok(Some(content.to_vec())),
            Some(Blob::TooLarge { .. }) => Err(PolicyError::TooLarge { path: shown() }.into()),
            Some(Blob::Missing) | None => Ok(None),
        }
    }

    fn shown(&self, name: &str) -> PathBuf {
        match (self.side, self.name, self.repository.worktree()) {
            (NewSide::Commit(_), Some(commit), _) => PathBuf::from(format!("{commit}:{name}")),
            (NewSide::Commit(commit), None, _) => PathBuf::from(format!("{commit}:{name}")),
            (NewSide::Index, _, Ok(root)) => root.join(name),
            (NewSide::Index, _, Err(_)) => PathBuf::from(name),
        }
    }

    fn refuses_absolute(&self) -> Option<&'static str> {
        let is_server = self.repository.worktree().is_err()
            || environment::variable("GIT_QUARANTINE_PATH").is_some();
        is_server.then_some(
            "on a server, whoever pushes would choose which of its files are read and quoted",
        )
    }

    fn when_missing(&self) -> &'static str {
        match self.side {
            NewSide::Index => "what is staged counts: `git add` it too",
            NewSide::Commit(_) => "it has to be in the same commit",
        }
    }
}
