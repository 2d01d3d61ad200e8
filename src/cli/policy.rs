//! Which policy a command works by.

use std::path::Path;

use super::Failure;
use crate::git::{GitError, Repository};
use crate::policy::{FILE_NAME, Policy, load};
use crate::source::{self, Judged};
use crate::sys::environment::current_dir;

/// The policy that was named, else the one at the repository's root, else (outside a repository)
/// the one in the current folder.
pub(super) fn load_policy(explicit: Option<&Path>) -> Result<Policy, Failure> {
    load_policy_for(Judged::WorkingTree, explicit)
}

/// The same for what is `judged`.
pub(super) fn load_policy_for(judged: Judged, explicit: Option<&Path>) -> Result<Policy, Failure> {
    if let Some(path) = explicit {
        return Ok(load(path)?);
    }
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    match Repository::discover(&directory) {
        Ok(repository) => Ok(source::policy_of(&repository, judged)?.0),
        Err(GitError::NoRepository { .. }) => Ok(load(&directory.join(FILE_NAME))?),
        Err(error) => Err(error.into()),
    }
}
