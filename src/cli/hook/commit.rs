//! The gates before and after a commit.

use std::time::Instant;

use super::{failed, repository};
use crate::backup::{BackupError, Store};
use crate::cli::backup_prune::beside_commit;
use crate::cli::policy::without_policy;
use crate::cli::scan::ONLY_BELOW;
use crate::cli::{Failure, Screen};
use crate::git::Repository;
use crate::hook::{self, Event, Gate, HookError};
use crate::outcome::{Act, Answer, Outcome};
use crate::policy::{Policy, PolicyError};
use crate::report;
use crate::rollback::{RollbackError, Workplace};
use crate::source::{self, Judged, PolicyFrom, RepositoryPolicyError};
use crate::sys::{clock, environment};

/// Judges what Git is about to commit.
pub(super) fn judge(event: Event, screen: &Screen) -> Result<Answer, Failure> {
    let act = match event.gate {
        Gate::Merge => Act::merge(),
        _ => Act::commit(),
    };
    judge_index(event, &act, screen).map_err(|failure| {
        failure.refusing(&act.name).note(act.kept).hint(format!(
            "to {0} without the guard: `GPUGUARD=0 git {0} …`",
            act.name
        ))
    })
}

fn judge_index(event: Event, act: &Act, screen: &Screen) -> Result<Answer, Failure> {
    let started = Instant::now();
    let repository = repository()?;
    let found = source::policy_of(&repository, Judged::Staged);
    let (policy, from) = found.map_err(|error| match error {
        RepositoryPolicyError::Policy(missing @ PolicyError::Missing { .. }) => {
            without_policy(&repository, missing)
        }
        error => error.into(),
    })?;
    let waiting = screen.waiting("gpuguard: judging the commit");
    let result = hook::run(event, &repository, &policy, clock::now());
    drop(waiting);
    let mut outcome = match result {
        Ok(outcome) => outcome,
        // Whoever wrote it can mend it: that is no failure of gpuguard.
        Err(error @ HookError::Policy(_)) => return Err(error.into()),
        Err(error) => {
            let failure = Failure::from(error);
            return failed(failure, policy.hook.on_error, &act.name, screen);
        }
    };
    outcome.prefix = environment::text("GIT_PREFIX").unwrap_or_default();
    match from {
        PolicyFrom::LastCommit => outcome.notes.push(
            "gpuguard.toml is gone from the index: the last commit's policy counts for this one"
                .to_owned(),
        ),
        PolicyFrom::OnlyBelow => outcome.notes.push(ONLY_BELOW.to_owned()),
        _ => {}
    }
    let store = match Store::open(&repository, &policy.backup) {
        Ok(store) => store,
        // Told already where it matters.
        Err(_) => Store::at(repository.common_dir()),
    };
    let workplace = Workplace::with_store(&repository, store.clone(), clock::now())?;
    if let Err(RollbackError::Interrupted { .. }) = workplace.check_settled() {
        outcome.notes.push(
            "a rollback was interrupted here: `gpuguard rollback --undo` brings everything back"
                .to_owned(),
        );
    }
    outcome.elapsed = started.elapsed();
    show(act, &outcome, screen);
    if outcome.backup.is_some() {
        tidy(&repository, &store, &policy, screen);
    }
    Ok(outcome.answer())
}

/// Shows the verdict on what Git was about to do.
pub(super) fn show(act: &Act, outcome: &Outcome, screen: &Screen) {
    let style = screen.style_on_stderr();
    let verdict = report::verdict(act, outcome, &style);
    match outcome.answer() {
        Answer::Fine => screen.say(&verdict),
        Answer::No => screen.warn(&verdict),
    }
}

/// Removes the backups that the policy no longer keeps. Others at work are no reason to wait, and
/// nothing here is a reason to refuse.
fn tidy(repository: &Repository, store: &Store, policy: &Policy, screen: &Screen) {
    match beside_commit(repository, store, policy.backup.retention) {
        Ok(0) | Err(BackupError::InUse { .. }) => {}
        Ok(removed) if screen.is_verbose() => {
            screen.say(&format!(
                "{removed} old backups removed, as the policy says"
            ));
        }
        Ok(_) => {}
        Err(error) => screen.say(&format!("gpuguard: old backups stay: {error}")),
    }
}

/// Notes the commit that was just made, if it was not judged. The commit is there whatever comes
/// of it; so nothing here is a failure.
pub(super) fn note(was_told: bool, screen: &Screen) {
    let noted = repository().and_then(|repository| {
        let noted = hook::note_last_commit(&repository).map_err(|error| Failure::of(&error))?;
        // A rebase would say it of each of its commits.
        let is_alone = repository.operation().is_none();
        Ok(noted.filter(|_| is_alone && !was_told))
    });
    match noted {
        Ok(None) => {}
        Ok(Some(_)) => screen.warn(
            "gpuguard: this commit was not judged (`--no-verify`, or another hook changed it); \
             that is noted, and the gate before the next push will tell",
        ),
        Err(failure) => {
            screen.failure(&failure);
            screen.warn("gpuguard: whether this commit was judged is not noted");
        }
    }
}
