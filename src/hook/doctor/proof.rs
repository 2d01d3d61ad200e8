//! Whether what was just installed runs: seen by running it.

use std::path::Path;

use super::trial::{Fired, Surroundings};
use super::{Event, OwnGit, Wiring, trial_of};
use crate::sys::environment;

/// Runs the hook of an event once; gives what went wrong, if anything did.
pub(in crate::hook) fn prove(root: &Path, event: Event) -> Result<(), String> {
    // A repository that only these variables lead to is not found without them.
    if environment::variable("GIT_DIR").is_some() {
        return Ok(());
    }
    let git = OwnGit::find().map_err(|wrong| wrong.found)?;
    let wiring =
        Wiring::read(root, event.name, git.version).map_err(|error| super::words(&error))?;
    let Some(step) = wiring.at_work() else {
        return Err("Git would not run it".to_owned());
    };
    match trial_of(&git, event, root, (&wiring, step)).run(Surroundings::AsHere) {
        // It may well refuse: there need not be a policy yet.
        Fired::Passed
        | Fired::Refused {
            by_program: true, ..
        } => Ok(()),
        failed => Err(failed.words().0),
    }
}
