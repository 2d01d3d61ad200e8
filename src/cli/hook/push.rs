//! The gates of a push: on the side that pushes, and on the side that receives.

use std::io::{self, Read as _};
use std::time::Instant;

use super::commit::show;
use super::{failed, repository};
use crate::cli::scan::ONLY_BELOW;
use crate::cli::{Failure, Screen};
use crate::git::{ObjectId, Repository};
use crate::hook::{self, HookError};
use crate::outcome::{Act, Answer, Outcome};
use crate::policy::{FILE_NAME, OnError, PolicyError};
use crate::source::{
    self, Judged, PolicyFrom, PushPolicy, PushSide, PushTarget, Pushed, RefUpdate,
    RepositoryPolicyError,
};
use crate::sys::{clock, terminal};
use crate::text::printable;

/// The most that Git can have to say about a push; a ref takes some 150 bytes.
const MOST_BYTES: u64 = 64 << 20;

/// What becomes of a branch that has no policy, nor had one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithoutPolicy {
    /// Its push is refused: gpuguard is wired here to judge it.
    Refuse,
    /// It is no matter of gpuguard's, which is wired for all repositories.
    Pass,
}

const KEPT: &str = "nothing was pushed, nothing was changed";

/// Judges what Git tells of a push on standard input; `without_policy` is what to do with what has
/// none.
pub(super) fn judge(
    side: &PushSide,
    without_policy: WithoutPolicy,
    screen: &Screen,
) -> Result<Answer, Failure> {
    let judged = read_updates(side)
        .and_then(|updates| Ok((repository()?, updates)))
        .map_err(|failure| refusal(failure, side))
        .and_then(|(repository, mut updates)| {
            let mut target = PushTarget::new(&repository, side);
            let dropped = target.arrange(&mut updates);
            if dropped > 0 && screen.is_verbose() {
                screen.say(&format!(
                    "gpuguard: {dropped} new branches and tags: no new commits, nothing to judge"
                ));
            }
            judge_all(&mut target, &updates, without_policy, screen)
        });
    if judged.as_ref().is_ok_and(|answer| *answer == Answer::No) && *side != PushSide::Receiver {
        screen.warn("  to push without the guard: `GPUGUARD=0 git push …`");
    }
    judged
}

/// Judges each branch that is pushed. All are told of, so that one push shows all there is to
/// mend; one that is refused refuses the push, as Git has it.
pub(super) fn judge_all(
    target: &mut PushTarget<'_>,
    updates: &[RefUpdate],
    without_policy: WithoutPolicy,
    screen: &Screen,
) -> Result<Answer, Failure> {
    let mut answer = Answer::Fine;
    for update in updates {
        let one = judge_one(target, update, without_policy, screen);
        if one.map_err(|failure| refusal(failure, target.side()))? == Answer::No {
            answer = Answer::No;
        }
    }
    Ok(answer)
}

fn refusal(failure: Failure, side: &PushSide) -> Failure {
    if is_range(side) {
        return failure.refusing("range").note("nothing was changed");
    }
    let failure = failure.refusing("push").note(KEPT);
    match side {
        PushSide::Sender { .. } => {
            failure.hint("to push without the guard: `GPUGUARD=0 git push …`")
        }
        PushSide::Receiver => failure,
    }
}

fn read_updates(side: &PushSide) -> Result<Vec<RefUpdate>, Failure> {
    if terminal::stdin_is_terminal() {
        return Err(
            Failure::new("Git gives this hook what is pushed on standard input")
                .hint("`gpuguard scan --range origin/main...HEAD` judges a branch by hand"),
        );
    }
    let mut input = Vec::new();
    let unreadable = |error: io::Error| {
        Failure::new("what is pushed cannot be read from standard input").because(&error)
    };
    let read = io::stdin().lock().take(MOST_BYTES).read_to_end(&mut input);
    if read.map_err(unreadable)? as u64 == MOST_BYTES {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    let updates = RefUpdate::read_all(side, &input).map_err(|error| Failure::of(&error))?;
    if updates.is_empty() && *side == PushSide::Receiver {
        // Git does not call this hook then: what it said has been lost on the way.
        return Err(Failure::new("nothing is said of what is pushed"));
    }
    Ok(updates)
}

/// Whether nobody pushes: a framework was given two commits, as in CI, and no remote.
fn is_range(side: &PushSide) -> bool {
    matches!(side, PushSide::Sender { remote, .. } if remote.is_empty())
}

fn act_name(side: &PushSide, update: &RefUpdate) -> String {
    let name = update.short_name();
    if is_range(side) {
        format!("range up to {name}")
    } else {
        format!("push of {name}")
    }
}

fn judge_one(
    target: &mut PushTarget<'_>,
    update: &RefUpdate,
    without_policy: WithoutPolicy,
    screen: &Screen,
) -> Result<Answer, Failure> {
    let started = Instant::now();
    let (repository, side) = (target.repository(), target.side());
    let act_name = act_name(side, update);
    if target.loses_its_policy(update)? {
        let name = update.short_name();
        return Err(Failure::new(format!(
            "`{name}` has the gpuguard.toml that others are judged by, and it refuses to be loosened"
        ))
        .hint("on the server itself `git branch -D` deletes the branch"));
    }
    let pushed = match Pushed::of(target, update) {
        Ok(Some(pushed)) => pushed,
        Ok(None) => {
            if screen.is_verbose() {
                let name = update.short_name();
                screen.say(&format!(
                    "gpuguard: {name}: no new commits, nothing to judge"
                ));
            }
            return Ok(Answer::Fine);
        }
        Err(error) => {
            let on_error = on_error_here(repository);
            return failed(error.into(), on_error, &act_name, screen);
        }
    };
    let found = pushed.policies(target);
    let is_missing = matches!(
        found,
        Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. }))
    );
    if is_missing && without_policy == WithoutPolicy::Pass {
        return Ok(Answer::Fine);
    }
    let by = found.map_err(|error| {
        let failure = Failure::from(error);
        if *side == PushSide::Receiver {
            failure.note("the policy of the branch that is pushed to counts, else the default branch's, else the one that is pushed")
        } else {
            failure
        }
    })?;
    let waiting = screen.waiting("gpuguard: judging the push");
    let judged = judge_by_each(repository, (&pushed, side), by);
    drop(waiting);
    let by = judged.as_ref().ok().map(|(by, _)| by);
    target.note_judged(update, &pushed, by)?;
    let (by, mut outcome) = match judged {
        Ok(judged) => judged,
        // Whoever wrote it can mend it: that is no failure of gpuguard.
        Err((_, error @ HookError::Policy(_))) => return Err(error.into()),
        Err((on_error, error)) => return failed(error.into(), on_error, &act_name, screen),
    };
    match (side, by.from) {
        (PushSide::Sender { .. }, PolicyFrom::Base) => outcome
            .notes
            .push("what is pushed has no gpuguard.toml: the one from before counts".to_owned()),
        (PushSide::Receiver, PolicyFrom::Tip) => outcome
            .notes
            .push("there was no gpuguard.toml here: the one that is pushed counts".to_owned()),
        (_, PolicyFrom::OnlyBelow) => outcome.notes.push(ONLY_BELOW.to_owned()),
        _ => {
            let verbose = by.commit.filter(|_| screen.is_verbose());
            let note = |commit: ObjectId| format!("by the gpuguard.toml of {}", commit.short());
            outcome.notes.extend(verbose.map(note));
        }
    }
    if let PushSide::Sender { .. } = side {
        let unchecked = hook::unchecked_among(repository, &pushed.commits);
        outcome.notes.extend(hook::unchecked_in_words(
            repository,
            &unchecked,
            hook::Named::Few,
        ));
        if outcome.answer() == Answer::Fine {
            // They were judged now.
            hook::forget_unchecked(repository, &unchecked);
        }
    }
    if outcome.answer() == Answer::No && pushed.known.is_empty() {
        outcome.notes.extend(all_is_new(target)?);
    }
    outcome.elapsed = started.elapsed();
    let base = pushed.known.first().map(ObjectId::short);
    let tip = pushed.tip.short();
    let act = match base.as_deref() {
        Some(base) if is_range(side) => Act::range(&format!("{base}..{tip}")),
        base => Act::push(update.short_name(), base, &tip),
    };
    show(&act, &outcome, screen);
    Ok(outcome.answer())
}

/// Judges by one policy after the other, until one refuses; gives its verdict, else the first.
fn judge_by_each(
    repository: &Repository,
    what: (&Pushed, &PushSide),
    policies: Vec<PushPolicy>,
) -> Result<(PushPolicy, Outcome), (OnError, HookError)> {
    let mut first = None;
    for by in policies {
        let outcome = hook::judge_push(repository, what, &by, clock::now())
            .map_err(|error| (by.policy.hook.on_error, error))?;
        if outcome.answer() == Answer::No {
            return Ok((by, outcome));
        }
        first.get_or_insert((by, outcome));
    }
    // A push without a policy does not come here.
    first.ok_or_else(|| {
        let path = FILE_NAME.into();
        (OnError::Block, PolicyError::Missing { path }.into())
    })
}

/// Says so where everything counts as new because nothing is known of the remote.
fn all_is_new(target: &PushTarget<'_>) -> Result<Option<String>, Failure> {
    let PushSide::Sender { remote, .. } = target.side() else {
        return Ok(None);
    };
    if target.tracked_remote()?.is_some() {
        return Ok(None);
    }
    let shown = printable(remote.as_bytes());
    let is_named = target.repository().is_remote(remote)?;
    let cure = if is_named {
        format!("; if it has branches already, `git fetch {shown}` tells of them")
    } else {
        String::new()
    };
    Ok(Some(format!(
        "nothing is known of what `{shown}` has, so everything counts as new{cure}"
    )))
}

/// What the policy here says of failures, where that of the push cannot be told.
fn on_error_here(repository: &Repository) -> OnError {
    source::policy_of(repository, Judged::WorkingTree)
        .map(|(policy, _)| policy.hook.on_error)
        .unwrap_or_default()
}
