//! The step of a hook that judges what a push brings to one branch. Nothing is saved, since Git
//! holds it all, and no card is checked.

use super::HookError;
use crate::git::{NewSide, Repository};
use crate::judge::{By, judge_by_policies};
use crate::outcome::Outcome;
use crate::source::{Change, PushPolicy, PushSide, Pushed};
use crate::sys::clock::Timestamp;

/// Judges what is pushed to one branch by `by`, and by the policies below the root that lie where
/// that does.
pub fn judge_push(
    repository: &Repository,
    (pushed, side): (&Pushed, &PushSide),
    by: &PushPolicy,
    now: Timestamp,
) -> Result<Outcome, HookError> {
    let change = Change::of_push(repository, pushed, by.policy.scan.max_file_bytes)?;
    let by = By {
        root: &by.policy,
        side: NewSide::Commit(by.commit.unwrap_or(pushed.tip)),
        before: by.before,
    };
    let judged = judge_by_policies(repository, &change, by, now, &mut |_, _| {})?;
    let mut outcome = Outcome {
        files: judged.files,
        weakened: judged.weakened.weakenings,
        refuses_weakened: judged.weakened.is_refused,
        // Nobody looks at it behind this gate.
        refuses_too_large: *side == PushSide::Receiver,
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
