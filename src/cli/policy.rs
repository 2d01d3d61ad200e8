//! Which policy a command works by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::git::{GitError, RepoPath, Repository};
use crate::policy::{FILE_NAME, Folder, Policy, PolicyError, Surroundings, load, load_from};
use crate::source::{self, BelowRoot, Judged, WorktreeFile};
use crate::sys::environment::current_dir;
use crate::sys::real_path::real_path;

/// The policy that was named, else the nearest one, going up from the current folder to the root
/// of the repository; outside of one, that of the current folder.
pub(super) fn load_policy(explicit: Option<&Path>) -> Result<Policy, Failure> {
    if let Some(path) = explicit {
        return load_named(path);
    }
    let directory = here()?;
    let tree = Tree::around(&directory)?;
    let nearest = tree.nearest_folder(&directory);
    let below = source::below_root_on_disk(&tree.root, &nearest.into_iter().collect())?;
    match below.into_values().next() {
        Some(policy) => Ok(policy),
        None => tree.policy(Judged::WorkingTree),
    }
}

/// The policy that was named, else the one at the root, which counts for what is `judged`.
pub(super) fn load_policy_for(judged: Judged, explicit: Option<&Path>) -> Result<Policy, Failure> {
    match explicit {
        Some(path) => load_named(path),
        None => Tree::around(&here()?)?.policy(judged),
    }
}

/// The policy in a file that was named.
pub(super) fn load_named(path: &Path) -> Result<Policy, Failure> {
    Ok(load(path, &Surroundings::of_this_process()?)?)
}

/// The policies below the root in the folders of some files; none where a policy was named, which
/// then counts for all of them.
pub(super) fn load_below(
    root: &Path,
    files: &[WorktreeFile],
    explicit: Option<&Path>,
) -> Result<BelowRoot, PolicyError> {
    if explicit.is_some() {
        return Ok(BelowRoot::new());
    }
    let folders: BTreeSet<RepoPath> = files.iter().flat_map(|file| file.path.folders()).collect();
    source::below_root_on_disk(root, &folders)
}

pub(super) fn here() -> Result<PathBuf, Failure> {
    current_dir().map_err(|error| Failure::new("the current folder is gone").because(&error))
}

/// The folders that share a policy: a working tree, or outside of one the current folder.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    pub(super) repository: Option<Repository>,
}

impl Tree {
    /// The tree that `directory` lies in.
    pub(super) fn around(directory: &Path) -> Result<Self, Failure> {
        match Repository::discover(directory) {
            Ok(repository) => Ok(Self {
                root: repository.worktree()?.to_owned(),
                repository: Some(repository),
            }),
            // What lies above is anybody's, such as in /tmp.
            Err(GitError::NoRepository { .. }) => Ok(Self {
                root: directory.to_owned(),
                repository: None,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// The policy at the root.
    pub(super) fn policy(&self, judged: Judged) -> Result<Policy, Failure> {
        if let Some(repository) = &self.repository {
            return Ok(source::policy_of(repository, judged)?.0);
        }
        let surroundings = Surroundings::of_this_process()?;
        let folder = Folder(self.root.clone());
        Ok(load_from(&folder, FILE_NAME, &surroundings)?)
    }

    /// The folder below the root, at or above `directory`, that has a policy.
    pub(super) fn nearest_folder(&self, directory: &Path) -> Option<RepoPath> {
        let path = self.path_of(directory)?.join(FILE_NAME.as_bytes());
        path.folders().find(|folder| {
            let file = folder.join(FILE_NAME.as_bytes()).below(&self.root);
            file.is_some_and(|file| file.symlink_metadata().is_ok())
        })
    }

    /// The path of a file or folder below the root, links followed.
    pub(super) fn path_of(&self, file: &Path) -> Option<RepoPath> {
        let below =
            |root: &Path, file: &Path| RepoPath::from_relative(file.strip_prefix(root).ok()?);
        below(&self.root, file).or_else(|| {
            let (root, file) = (real_path(&self.root).ok()?, real_path(file).ok()?);
            below(&root, &file)
        })
    }
}
