//! `gpuguard hook run EVENT`: what the wired hook calls.

use std::ffi::OsString;
use std::time::Instant;

use clap::Subcommand;

use super::backup_prune::beside_commit;
use super::{Failure, Screen};
use crate::backup::{BackupError, Store};
use crate::git::Repository;
use crate::hook::{self, Event};
use crate::outcome::{Answer, Outcome};
use crate::policy::{OnError, Policy};
use crate::report;
use crate::rollback::{RollbackError, Workplace};
use crate::source::{self, Judged, PolicyFrom};
use crate::sys::{clock, environment};

/// Answer a Git hook: save, judge, check the card
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard hook run pre-commit       what the wired hook calls")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: HookCommand,
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    Run(RunArguments),
}

/// Judge what Git is about to do, as the wired hook does
///
/// Reads the exact index Git is about to commit (`GIT_INDEX_FILE`) and writes neither index nor
/// files. `GPUGUARD=0` and `SKIP=gpuguard` skip it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard hook run pre-commit")]
struct RunArguments {
    /// Git's name for the event: pre-commit
    #[arg(value_parser = parse_event)]
    event: Event,
    /// What Git passes to the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _from_git: Vec<OsString>,
}

fn parse_event(name: &str) -> Result<Event, String> {
    hook::event(name).ok_or_else(|| {
        let known: Vec<&str> = hook::EVENTS.iter().map(|event| event.name).collect();
        format!("gpuguard answers {}", known.join(", "))
    })
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let HookCommand::Run(RunArguments { event, .. }) = &arguments.command;
    if let Some(reason) = skipped() {
        screen.warn(&format!(
            "gpuguard: skipped: {reason}; this {} is not judged",
            event.refuses
        ));
        return Ok(Answer::Fine);
    }
    judge(*event, screen).map_err(|failure| {
        failure
            .refusing(event.refuses)
            .note("nothing was committed, nothing was changed")
            .hint(format!(
                "to {0} without the guard: `GPUGUARD=0 git {0} …`",
                event.refuses
            ))
    })
}

fn judge(event: Event, screen: &Screen) -> Result<Answer, Failure> {
    let started = Instant::now();
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = Repository::discover(&directory)?;
    let (policy, from) = source::policy_of(&repository, Judged::Staged)?;
    let waiting = screen.waiting("gpuguard: judging the commit");
    let result = hook::run(event, &repository, &policy, clock::now());
    drop(waiting);
    let mut outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => return failed(Failure::from(error), policy.hook.on_error, event, screen),
    };
    if from == PolicyFrom::LastCommit {
        outcome
            .notes
            .push("gpuguard.toml is gone: the last commit's policy counts for this one".to_owned());
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
    show(event, &outcome, screen);
    if outcome.backup.is_some() {
        tidy(&repository, &store, &policy, screen);
    }
    Ok(outcome.answer())
}

fn show(event: Event, outcome: &Outcome, screen: &Screen) {
    let style = screen.style_on_stderr();
    let verdict = report::verdict(event.refuses, outcome, &style);
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

/// gpuguard itself failed: the policy says what becomes of the commit.
fn failed(
    failure: Failure,
    on_error: OnError,
    event: Event,
    screen: &Screen,
) -> Result<Answer, Failure> {
    match on_error {
        OnError::Block => Err(failure),
        OnError::Pass => {
            screen.failure(&failure);
            screen.warn(&format!(
                "gpuguard: this {} was not judged and passes, as `hook.on-error` says",
                event.refuses
            ));
            Ok(Answer::Fine)
        }
    }
}

/// Why the hook is not to run, in the user's own words: `GPUGUARD=0`, `SKIP=gpuguard`.
fn skipped() -> Option<String> {
    if environment::text("GPUGUARD").is_some_and(|value| value == "0") {
        return Some("GPUGUARD=0".to_owned());
    }
    let skip = environment::text("SKIP")?;
    skip.split(',')
        .any(|name| name.trim() == "gpuguard")
        .then(|| format!("SKIP={skip}"))
}
