//! Finding the policy of a command.

use std::path::Path;

use super::Failure;
use crate::git::Repository;
use crate::policy::{self, Policy};
use crate::sys::environment;

/// The policy of `--policy FILE`, or the one at the root of the repository.
pub(super) fn load_policy(explicit: Option<&Path>) -> Result<Policy, Failure> {
    if let Some(path) = explicit {
        return Ok(policy::load(path)?);
    }
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder cannot be told").because(&error))?;
    let repository = Repository::discover(&directory)?;
    Ok(policy::load(
        &repository.worktree()?.join(policy::FILE_NAME),
    )?)
}
