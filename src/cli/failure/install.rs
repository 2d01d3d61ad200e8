//! What to do where gpuguard cannot be wired into a repository.

use super::Failure;
use crate::hook::install::InstallError;

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let failure = match error {
            InstallError::Git(error) => return Self::from(error),
            ref error => Self::of(error),
        };
        match error {
            InstallError::SharedHooksFolder { own, .. } => failure
                .note("nothing was installed, nothing was changed")
                .note("the hooks of that folder no longer run in this repository once it has its own")
                .hint(format!(
                    "give this repository a hooks folder of its own: `git config --local core.hooksPath {own}`, then install again"
                ))
                .hint(
                    "or let the hook there run it, where there is a policy: `[ ! -f gpuguard.toml ] || gpuguard hook run pre-commit \"$@\"`",
                ),
            InstallError::NoHooksFolder { .. } => failure
                .note("nothing was installed, nothing was changed")
                .hint("`git config --show-origin --get core.hooksPath` tells where it is set; unset it there, or set a folder"),
            InstallError::PreviousInTheWay { hook, previous } => failure
                .note("nothing was installed, nothing was changed")
                .hint(format!(
                    "compare the two; remove `{}` if `{}` replaces it, then install again",
                    previous.display(),
                    hook.display()
                )),
            InstallError::GlobalNeedsNewGit => failure
                .note("nothing was installed, nothing was changed")
                .hint("`gpuguard install` in each repository works with this Git"),
            InstallError::Program { .. } => {
                failure.hint("start gpuguard from the place where it shall stay")
            }
            _ => failure,
        }
    }
}
