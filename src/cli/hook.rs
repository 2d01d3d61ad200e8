//! `gpuguard hook run EVENT`: what the wired hook calls.

mod commit;
mod framework;
mod push;

use std::ffi::OsString;

use clap::Subcommand;
use push::WithoutPolicy;

use super::{Failure, Screen};
use crate::git::Repository;
use crate::hook::{self, Event, Gate};
use crate::outcome::Answer;
use crate::policy::{OnError, PolicyError};
use crate::source::{self, Judged, PushSide, RepositoryPolicyError};
use crate::sys::environment;

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
/// pre-commit and pre-merge-commit read the exact index Git is about to commit (`GIT_INDEX_FILE`)
/// and write neither index nor files. post-commit notes a commit that was not judged. pre-push and
/// pre-receive judge what a push brings to each branch; Git gives the branches on standard
/// input. `framework` is for pre-commit and prek, which say by variables what is to be judged.
/// `GPUGUARD=0` and `SKIP=gpuguard` skip it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard hook run pre-commit")]
struct RunArguments {
    /// As the entry for all repositories, which does nothing where there is no policy, or a gate
    /// of the repository's own
    #[arg(long, hide = true)]
    global: bool,
    /// Git's name for the event, or `framework`
    #[arg(value_name = "EVENT", value_parser = parse_event)]
    called: Called,
    /// What Git passes to the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    from_git: Vec<OsString>,
}

/// Who calls, and for what.
#[derive(Clone, Copy, Debug)]
enum Called {
    /// Git, or a hook manager that hands on all that Git gives it.
    For(Event),
    /// The pre-commit framework, or prek.
    ByFramework,
}

fn parse_event(name: &str) -> Result<Called, String> {
    if name == "framework" {
        return Ok(Called::ByFramework);
    }
    hook::event(name).map(Called::For).ok_or_else(|| {
        let known: Vec<&str> = hook::EVENTS.iter().map(|event| event.name).collect();
        format!("gpuguard answers {} and framework", known.join(", "))
    })
}

/// The event whose hook this program is, by the name of its file.
pub(super) fn named_by_program() -> Option<Event> {
    let program = std::env::current_exe().ok()?;
    hook::event(program.file_stem()?.to_str()?)
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let HookCommand::Run(RunArguments {
        global,
        called,
        from_git,
    }) = &arguments.command;
    if let Called::For(event) = called
        && hook::is_trial()
    {
        // `gpuguard doctor` asks whether it comes to this.
        screen.warn("gpuguard: asked");
        if event.gate == Gate::Note {
            return Ok(Answer::Fine);
        }
    }
    match called {
        Called::For(event) if *global && is_no_matter(*event) => Ok(Answer::Fine),
        Called::For(event) if *global && event.gate == Gate::Push => {
            answer(*event, from_git, WithoutPolicy::Pass, screen)
        }
        Called::For(event) => answer(*event, from_git, WithoutPolicy::Refuse, screen),
        Called::ByFramework => framework::run(screen),
    }
}

fn answer(
    event: Event,
    from_git: &[OsString],
    without_policy: WithoutPolicy,
    screen: &Screen,
) -> Result<Answer, Failure> {
    if event.gate == Gate::Note {
        // It is the record of what was skipped, so it is not skipped itself.
        commit::note(skipped().is_some(), screen);
        return Ok(Answer::Fine);
    }
    if let Some(reason) = skipped() {
        screen.warn(&format!(
            "gpuguard: skipped: {reason}; this {} is not judged",
            event.refuses
        ));
        return Ok(Answer::Fine);
    }
    match event.gate {
        Gate::Commit | Gate::Merge | Gate::Note => commit::judge(event, screen),
        Gate::Push => {
            let told = |at: usize| {
                let told = from_git.get(at)?;
                Some(told.to_string_lossy().into_owned())
            };
            let side = PushSide::Sender {
                remote: told(0).unwrap_or_default(),
                address: told(1),
            };
            push::judge(&side, without_policy, screen)
        }
        Gate::Receive => push::judge(&PushSide::Receiver, without_policy, screen),
    }
}

/// Whether a hook for all repositories has nothing to do in this one: there is no policy, or a
/// gate of its own that is sure to run. What cannot be told is a matter for the gate, and so is
/// what a push brings, which need not be of the branch that is checked out.
fn is_no_matter(event: Event) -> bool {
    let Ok(repository) = repository() else {
        return false;
    };
    let has_none = || {
        let policy = source::policy_of(&repository, Judged::Staged);
        matches!(
            policy,
            Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. }))
        )
    };
    (event.gate != Gate::Push && has_none())
        || hook::has_own_gate(&repository, event).unwrap_or_default()
}

/// The repository that Git runs the hook in.
fn repository() -> Result<Repository, Failure> {
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    Ok(Repository::discover(&directory)?)
}

/// gpuguard itself failed: the policy says what becomes of what Git is about to do.
fn failed(
    failure: Failure,
    on_error: OnError,
    act: &str,
    screen: &Screen,
) -> Result<Answer, Failure> {
    match on_error {
        OnError::Block => Err(failure),
        OnError::Pass => {
            screen.failure(&failure);
            screen.warn(&format!(
                "gpuguard: this {act} was not judged and passes, as `hook.on-error` says"
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
