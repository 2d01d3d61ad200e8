//! Which policy a command works by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::git::{GitError, RepoPath, Repository};
use crate::policy::{FILE_NAME, Folder, Policy, PolicyError, Surroundings, load, load_from};
use crate::source::{self, BelowRoot, Judged, PolicyFrom, RepositoryPolicyError, WorktreeFile};
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
        None => Ok(tree.policy(Judged::WorkingTree)?),
    }
}

/// The policy at the root that counts for what is staged.
pub(super) fn load_staged_policy() -> Result<Policy, Failure> {
    Ok(Tree::around(&here()?)?.policy(Judged::Staged)?)
}

/// The policies that judge files of the disk.
pub(super) struct Policies {
    /// The one at the root; where there is none, one that judges nothing.
    pub(super) root: Policy,
    /// Those below it.
    pub(super) below: BelowRoot,
}

impl Policies {
    /// The policy that was named alone, else the one at the root and those in `folders`.
    ///
    /// # Errors
    /// Where there is none for any of these folders.
    pub(super) fn of(
        tree: &Tree,
        folders: &BTreeSet<RepoPath>,
        explicit: Option<&Path>,
    ) -> Result<Self, Failure> {
        if let Some(path) = explicit {
            return Ok(Self {
                root: load_named(path)?,
                below: BelowRoot::new(),
            });
        }
        let root = tree.policy(Judged::WorkingTree);
        // A broken one at the root is told of first.
        let missing = match root {
            Err(RepositoryPolicyError::Policy(missing @ PolicyError::Missing { .. })) => missing,
            root => {
                return Ok(Self {
                    root: root?,
                    below: source::below_root_on_disk(&tree.root, folders)?,
                });
            }
        };
        let below = source::below_root_on_disk(&tree.root, folders)?;
        if below.is_empty() {
            return Err(match &tree.repository {
                Some(repository) => without_policy(repository, missing),
                None => missing.into(),
            });
        }
        let root = Policy::of_no_file(&Surroundings::of_this_process()?);
        Ok(Self { root, below })
    }

    /// The same for the folders that files lie in, and those above them.
    pub(super) fn for_files(
        tree: &Tree,
        files: &[WorktreeFile],
        explicit: Option<&Path>,
    ) -> Result<Self, Failure> {
        let folders = files.iter().flat_map(|file| file.path.folders()).collect();
        Self::of(tree, &folders, explicit)
    }
}

/// The policy in a file that was named.
pub(super) fn load_named(path: &Path) -> Result<Policy, Failure> {
    match load(path, &Surroundings::of_this_process()?) {
        Ok(policy) => Ok(policy),
        // `gpuguard init` would write another one.
        Err(PolicyError::Missing { path }) => Err(Failure::new(format!(
            "there is no policy `{}`",
            super::paths::shown(&path)
        ))
        .hint("check the path behind `--policy`: it is relative to the current folder")),
        Err(error) => Err(error.into()),
    }
}

/// There is no policy; where there was one, how to bring it back.
pub(super) fn without_policy(repository: &Repository, missing: PolicyError) -> Failure {
    let failure = Failure::from(missing);
    let path = RepoPath::new(FILE_NAME);
    match repository.last_commit_with(&path) {
        Ok(Some(commit)) => failure.first_hint(format!(
            "`git checkout {} -- {FILE_NAME}` brings back the last one of this history",
            commit.short()
        )),
        // Without a commit there is no history.
        Ok(None) | Err(_) => failure,
    }
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
    ///
    /// # Errors
    /// [`PolicyError::Missing`] where there is none, whatever lies below.
    pub(super) fn policy(&self, judged: Judged) -> Result<Policy, RepositoryPolicyError> {
        if let Some(repository) = &self.repository {
            return match source::policy_of(repository, judged)? {
                (_, PolicyFrom::OnlyBelow) => Err(PolicyError::Missing {
                    path: self.root.join(FILE_NAME),
                }
                .into()),
                (policy, _) => Ok(policy),
            };
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
