//! Policies in folders below the root. A file is judged by the nearest one, going up from its own
//! folder; nothing is taken over from the ones above unless `extends` says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::repository_policy::{RepositoryPolicyError, Stored};
use crate::git::{FileMode, GitError, NewSide, RepoPath, Repository};
use crate::policy::{self, FILE_NAME, Folder, Policy, PolicyError, Surroundings};

/// Policies by the folder that they lie in; never the root's.
pub type BelowRoot = BTreeMap<RepoPath, Policy>;

/// The policies in `folders`, as the index or a commit has them.
///
/// # Errors
/// The first that is broken.
pub fn below_root(
    repository: &Repository,
    side: NewSide,
    folders: &BTreeSet<RepoPath>,
) -> Result<BelowRoot, RepositoryPolicyError> {
    let policies = each_below_root(repository, side, folders)?.into_iter();
    let sound = policies.map(|(folder, policy)| Ok((folder, policy?)));
    sound.collect()
}

/// The policies in `folders`, as the index or a commit has them, where they can be read: what a
/// broken one would speak of, the next one up speaks of, so that a change can mend it.
pub fn sound_below_root(
    repository: &Repository,
    side: NewSide,
    folders: &BTreeSet<RepoPath>,
) -> Result<BelowRoot, RepositoryPolicyError> {
    let policies = each_below_root(repository, side, folders)?.into_iter();
    let sound = policies.filter_map(|(folder, policy)| Some((folder, policy.ok()?)));
    Ok(sound.collect())
}

/// The policies in `folders`, or what is wrong with them, as the index or a commit has them.
pub fn each_below_root(
    repository: &Repository,
    side: NewSide,
    folders: &BTreeSet<RepoPath>,
) -> Result<Vec<(RepoPath, Result<Policy, PolicyError>)>, RepositoryPolicyError> {
    let mut found = Vec::new();
    let entries = repository.named_in(side, FILE_NAME.as_bytes(), Some(folders))?;
    if entries.is_empty() {
        return Ok(found);
    }
    let surroundings = Surroundings::of_this_process()?;
    for (folder, (mode, _)) in entries {
        if mode == FileMode::Gitlink {
            continue;
        }
        let policy = match policy_below(repository, side, &folder, &surroundings) {
            Ok(policy) => Ok(policy),
            Err(RepositoryPolicyError::Policy(error)) => Err(error),
            Err(error) => return Err(error),
        };
        found.push((folder, policy));
    }
    Ok(found)
}

/// Whether there is a policy in a folder below the root: in the index, or in the last commit and
/// about to be removed, which does not switch the guard off for the commit that removes it.
pub fn has_policy_below(repository: &Repository) -> Result<bool, GitError> {
    let in_index = repository.named_in(NewSide::Index, FILE_NAME.as_bytes(), None)?;
    if !in_index.is_empty() {
        return Ok(true);
    }
    // What cannot be compared is told of by whoever judges it.
    let changes = repository.staged_changes().unwrap_or_default();
    Ok(changes
        .iter()
        .any(|change| change.staged.is_none() && change.path.file_name() == FILE_NAME.as_bytes()))
}

/// The policy in `folder`, as the index or a commit has it.
pub fn policy_below(
    repository: &Repository,
    side: NewSide,
    folder: &RepoPath,
    surroundings: &Surroundings,
) -> Result<Policy, RepositoryPolicyError> {
    let tree = Stored::new(repository, side, None);
    policy::load_from(&tree, &name_in(folder)?, surroundings)
}

/// The folders below the root that have a policy, in the index or a commit.
pub fn folders_with_policy(
    repository: &Repository,
    side: NewSide,
) -> Result<BTreeSet<RepoPath>, RepositoryPolicyError> {
    let entries = repository.named_in(side, FILE_NAME.as_bytes(), None)?;
    Ok(entries.into_iter().map(|(folder, _)| folder).collect())
}

/// The policies in `folders` below `root` as they lie on the disk.
pub fn below_root_on_disk(
    root: &Path,
    folders: &BTreeSet<RepoPath>,
) -> Result<BelowRoot, PolicyError> {
    let mut found = BelowRoot::new();
    let mut surroundings = None;
    for folder in folders {
        let path = folder.join(FILE_NAME.as_bytes());
        let Some(file) = path.below(root) else {
            continue;
        };
        let Ok(metadata) = file.symlink_metadata() else {
            continue;
        };
        if metadata.is_symlink() {
            return Err(PolicyError::Link { path: file });
        }
        let surroundings = match &surroundings {
            Some(surroundings) => surroundings,
            None => surroundings.insert(Surroundings::of_this_process()?),
        };
        let tree = Folder(root.to_owned());
        let policy = policy::load_from(&tree, &name_in(folder)?, surroundings)?;
        found.insert(folder.clone(), policy);
    }
    Ok(found)
}

/// The name of the policy in `folder`.
fn name_in(folder: &RepoPath) -> Result<String, PolicyError> {
    let path = folder.join(FILE_NAME.as_bytes());
    match path.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(PolicyError::Unreadable {
            path: PathBuf::from(path.to_string()),
            source: std::io::Error::other("the name of its folder is not UTF-8"),
        }),
    }
}
