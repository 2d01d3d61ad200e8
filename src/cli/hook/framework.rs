//! What the pre-commit framework and prek call. They give a hook nothing on standard input and do
//! not name the event; their variables say what is to be judged (pre-commit.com, "pre-push").

use std::time::Instant;

use super::commit::show;
use super::push::{WithoutPolicy, judge_all};
use super::{answer, repository};
use crate::cli::scan::scan_everything;
use crate::cli::{Failure, Screen};
use crate::git::{ObjectId, Repository};
use crate::hook;
use crate::outcome::{Act, Answer};
use crate::source::{PushSide, PushTarget, RangeError, RefUpdate};
use crate::sys::environment::text;

/// Judges a push or a range where there is one, else what is staged.
pub(super) fn run(screen: &Screen) -> Result<Answer, Failure> {
    let tip = text("PRE_COMMIT_TO_REF").or_else(|| text("PRE_COMMIT_LOCAL_BRANCH"));
    let (Some(tip), None) = (tip, super::skipped()) else {
        return staged_or_all(screen);
    };
    let repository = repository()?;
    let update = update(&repository, &tip)?;
    let remote = text("PRE_COMMIT_REMOTE_NAME").unwrap_or_default();
    let side = PushSide::Sender {
        remote,
        address: text("PRE_COMMIT_REMOTE_URL"),
    };
    let mut target = PushTarget::new(&repository, &side);
    judge_all(&mut target, &[update], WithoutPolicy::Refuse, screen)
}

/// Judges what is staged. Where nothing is, a person or CI asks for all files, but for a commit
/// without any, such as a new message: then Git names the index.
fn staged_or_all(screen: &Screen) -> Result<Answer, Failure> {
    let is_commit = super::skipped().is_some()
        || text("GIT_INDEX_FILE").is_some()
        || !repository()?.staged_changes()?.is_empty();
    match hook::event("pre-commit") {
        Some(event) if is_commit => answer(event, &[], WithoutPolicy::Refuse, screen),
        _ => {
            let started = Instant::now();
            let mut outcome = scan_everything(screen)?;
            outcome.elapsed = started.elapsed();
            show(&Act::all_files(), &outcome, screen);
            Ok(outcome.answer())
        }
    }
}

/// The push as Git would have told it.
fn update(repository: &Repository, tip: &str) -> Result<RefUpdate, Failure> {
    let commit = |name: &str| -> Result<ObjectId, Failure> {
        repository
            .commit_named(name)?
            .ok_or_else(|| RangeError::no_commit(repository, name).into())
    };
    let branch = text("PRE_COMMIT_REMOTE_BRANCH");
    let from = text("PRE_COMMIT_FROM_REF");
    let old = match (&branch, text("PRE_COMMIT_REMOTE_NAME"), from) {
        // The framework names a commit below a new branch too, which is not the branch's own.
        (Some(branch), Some(remote), from) => {
            let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
            let tracking = format!("refs/remotes/{remote}/{short}");
            let known = repository.commit_named(&tracking)?;
            match (known, from) {
                (Some(_), Some(from)) => Some(commit(&from)?),
                (known, _) => known,
            }
        }
        (_, _, Some(from)) => Some(commit(&from)?),
        (_, _, None) => None,
    };
    Ok(RefUpdate {
        name: crate::text::printable(branch.as_deref().unwrap_or(tip).as_bytes()),
        old,
        new: Some(commit(tip)?),
    })
}
