//! The step of a hook that judges what a push brings to one branch. Nothing is saved, since Git
//! holds it all, and no card is checked.

use super::HookError;
use crate::git::Repository;
use crate::judge::judge;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::scan::Scanner;
use crate::source::{Change, Pushed};
use crate::sys::clock::{self, Timestamp};

/// Judges what is pushed to one branch by `policy`.
pub fn judge_push(
    repository: &Repository,
    pushed: &Pushed,
    policy: &Policy,
    now: Timestamp,
) -> Result<Outcome, HookError> {
    let change = Change::of_push(repository, pushed, policy.scan.max_file_bytes)?;
    let scanner = Scanner::new(policy).on(clock::day_of(now));
    let mut outcome = Outcome {
        files: judge(&scanner, &change)?,
        ..Outcome::default()
    };
    if pushed.is_cut_short {
        outcome.notes.push(
            "this clone is shallow and does not reach what the remote has: the branch is held \
             against the commits that are here; `git fetch --unshallow` brings the rest"
                .to_owned(),
        );
    }
    Ok(outcome)
}
