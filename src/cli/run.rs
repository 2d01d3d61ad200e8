//! `gpuguard run`: a program on the allowed card, watched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;

use super::enforce::{self, not_started};
use super::gpu::{cache_folder, repository};
use super::policy::load_policy;
use super::run_report::{as_json, say_news, say_report};
use super::{Failure, Screen};
use crate::gpu::guard::{self, Outcome, Replaced, RunError, RunOptions, RunReport, Watch};
use crate::gpu::{self, CardStatus, CardVerdict, ProbeError};
use crate::policy::{OnViolation, Policy, RunPolicy};
use crate::sys::file::Output;
use crate::sys::foreground::{Foreground, end_if_interrupted, exit_code_not_started};
use crate::sys::{clock, confine, environment, process_tree};
use crate::text::printable;

/// The exit code where the answer is "no": the environment does not select the allowed card.
const REFUSED: u8 = 1;

/// The exit code where it could not be done.
const IMPOSSIBLE: u8 = 2;

/// Run a program on the allowed card and watch that it uses no other
///
/// The program gets the environment that the policy demands, once a check has shown that it
/// selects the allowed card. Then NVML is asked again and again who uses which card: a program
/// that uses a card that is not allowed, itself or by what it starts, is ended, and the exit code
/// is 97. Otherwise the exit code is the program's own, or 128 and the number of the signal that
/// ended it (of Ctrl+C it ends like the program, so that a shell stops its script); 127 if there is no such program, 126 if it cannot be started, 1 if the environment
/// does not select the allowed card, 2 if that or the watch could not be done.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard run -- python train.py --epochs 3\n  \
    gpuguard run --report gpu.json -- pytest tests/\n  \
    gpuguard run --enforce -- bash")]
pub(super) struct Arguments {
    /// Close the device files of all other cards to the program (Linux; selects by UUID)
    #[arg(long)]
    enforce: bool,
    /// Do not watch; where there is no driver, do not check either
    #[arg(long, conflicts_with_all = ["every_ms", "on_violation", "report"])]
    no_watch: bool,
    /// How `CUDA_VISIBLE_DEVICES` names the card
    #[arg(long, value_name = "FORM", default_value = "index")]
    id: IdForm,
    /// How often the cards are looked at, instead of the policy's `every-ms`
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(50..=60_000))]
    every_ms: Option<u64>,
    /// What happens to a program on a card that is not allowed, instead of the policy's
    #[arg(long, value_name = "ACTION")]
    on_violation: Option<Action>,
    /// Write what was seen into this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The policy to read instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The program and its arguments; no shell reads them
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IdForm {
    /// As the policy demands it of code, by default by number
    Index,
    /// By UUID
    Uuid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    /// It is ended, with all that it started
    End,
    /// It goes on, and the exit code says it
    Report,
}

/// A program that was not started, or not to its end, and the exit code for it.
struct Refusal {
    code: u8,
    failure: Failure,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            code: IMPOSSIBLE,
            failure,
        }
    }
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> ExitCode {
    let code = guarded(arguments, screen).unwrap_or_else(|refusal| {
        screen.failure(&refusal.failure);
        refusal.code
    });
    ExitCode::from(code)
}

fn guarded(arguments: &Arguments, screen: &Screen) -> Result<u8, Refusal> {
    let policy = load_policy(arguments.policy.as_deref())?;
    let by_uuid = arguments.enforce || arguments.id == IdForm::Uuid;
    let watch = if by_uuid || !arguments.no_watch {
        Some(start_watch(arguments, &policy)?)
    } else {
        None
    };
    let policy = match &watch {
        Some(watch) => guard::pinned(&policy, watch.inventory(), by_uuid)
            .map_err(|mismatch| refused(&mismatch.to_string(), None))?,
        None => policy,
    };
    verify(arguments, &policy, screen)?;
    let nodes = match &watch {
        Some(watch) if arguments.enforce => forbidden_nodes(&policy, watch)?,
        _ => Vec::new(),
    };
    if arguments.enforce && nodes.is_empty() {
        screen.say("gpuguard: every card of this machine is allowed, so none is closed to it");
    }
    if let Some(watch) = &watch
        && !nodes.is_empty()
    {
        guard::check_closed(&policy, watch.inventory(), &launcher(&nodes))
            .map_err(|error| closed_too_much(&error))?;
    }
    let (environment, replaced) =
        guard::program_environment(environment::all(), &policy.environment);
    for one in &replaced {
        screen.say(&replaced_in_words(one));
    }
    let environment = match &nodes[..] {
        [] => environment,
        _ => with_closed(environment),
    };
    let program = program(arguments, environment, &nodes)?;
    // Better now than after a day's work.
    let output = match &arguments.report {
        Some(path) => {
            let failed =
                |error| report_unwritable(path, &error).note("the program was not started");
            Some(Output::create(path).map_err(failed)?)
        }
        None => None,
    };
    let options = RunOptions {
        program: program.clone(),
        watch: watch.filter(|_| !arguments.no_watch),
        policy: &policy,
        run: run_policy(arguments, &policy),
    };
    let ends = options.run.on_violation == OnViolation::End;
    let report = guard::run(options, &mut |news| say_news(news, ends, screen))
        .map_err(|error| not_run(error, &program))?;
    let seen = Seen {
        report: &report,
        nodes: &nodes,
    };
    finish(arguments, seen, output, screen)
}

/// What was seen of a program.
#[derive(Clone, Copy)]
struct Seen<'s> {
    report: &'s RunReport,
    nodes: &'s [PathBuf],
}

fn report_unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("the report `{}` cannot be written", path.display())).because(error)
}

/// Starts to watch, or says how to do without.
fn start_watch(arguments: &Arguments, policy: &Policy) -> Result<Watch, Failure> {
    if !process_tree::IS_KNOWN && !arguments.no_watch {
        return Err(
            Failure::new("the processes of a program can be followed on Linux only")
                .note("the program was not started")
                .hint("`gpuguard run --no-watch` checks the card and starts it without a watch"),
        );
    }
    Watch::start(policy.gpu_check.deadline).map_err(|error| {
        let failure = Failure::from(error).note("the program was not started");
        if arguments.no_watch || arguments.enforce {
            failure
        } else {
            failure.hint("`gpuguard run --no-watch` starts it without a watch")
        }
    })
}

/// Has a child process check that the environment selects the allowed card.
fn verify(arguments: &Arguments, policy: &Policy, screen: &Screen) -> Result<(), Refusal> {
    let cache = repository().map(|repository| cache_folder(&repository));
    let waiting = screen.waiting("checking the card");
    let verdict = gpu::check_before_start(policy, cache.as_deref(), clock::now());
    drop(waiting);
    let message = printable(verdict.message.as_bytes());
    match verdict.status {
        CardStatus::Ok => Ok(()),
        // Which card it is was seen, and that is the question here.
        CardStatus::Busy if identified(&verdict) => {
            screen.warn(&format!("gpuguard: the card is busy: {message}"));
            Ok(())
        }
        CardStatus::NoDriver if arguments.no_watch && !arguments.enforce => {
            screen.warn(&format!("gpuguard: the card was not checked: {message}"));
            Ok(())
        }
        CardStatus::NoDriver => Err(Refusal {
            code: IMPOSSIBLE,
            ..refused(&verdict.message, verdict.hint)
        }),
        _ => Err(refused(&verdict.message, verdict.hint)),
    }
}

/// Whether the check came so far as to hold CUDA's card against the policy's.
fn identified(verdict: &CardVerdict) -> bool {
    verdict.phases.iter().any(|phase| phase.name == "identity")
}

fn refused(why: &str, hint: Option<String>) -> Refusal {
    let failure = Failure::new("the program was not started").note(why);
    Refusal {
        code: REFUSED,
        failure: match hint {
            Some(hint) => failure.hint(hint),
            None => failure.hint("`gpuguard gpu check` says more"),
        },
    }
}

/// The device files that are closed to the program.
fn forbidden_nodes(policy: &Policy, watch: &Watch) -> Result<Vec<PathBuf>, Failure> {
    let not_enforced = |error: &dyn std::error::Error| {
        Failure::new("the other cards cannot be closed to the program, and it was not started")
            .because(error)
            .hint("without `--enforce` it is watched all the same")
    };
    confine::is_possible().map_err(|error| not_enforced(&error))?;
    guard::forbidden_nodes(policy, watch.inventory(), watch.minors())
        .map_err(|error| not_enforced(&error))
}

fn replaced_in_words(one: &Replaced) -> String {
    let from = printable(one.from.as_encoded_bytes());
    match &one.to {
        Some(to) => format!(
            "gpuguard: {}={from} is replaced by {}",
            one.name,
            printable(to.as_encoded_bytes())
        ),
        None => format!("gpuguard: {}={from} is not passed on", one.name),
    }
}

/// The environment of a program to which the other cards are closed.
fn with_closed(mut environment: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    environment.retain(|(name, _)| name != guard::CLOSED);
    environment.push((guard::CLOSED.into(), "1".into()));
    environment
}

/// What is started: the command, or this program, which becomes it.
fn program(
    arguments: &Arguments,
    environment: Vec<(OsString, OsString)>,
    nodes: &[PathBuf],
) -> Result<Foreground, Failure> {
    let mut command = arguments.command.iter().cloned();
    if nodes.is_empty() {
        return Ok(Foreground {
            file: command.next().unwrap_or_default().into(),
            arguments: command.collect(),
            environment,
        });
    }
    let own = environment::current_exe()
        .map_err(|error| Failure::new("this program cannot find itself").because(&error))?;
    Ok(Foreground {
        file: own,
        arguments: launcher(nodes).into_iter().chain(command).collect(),
        environment,
    })
}

/// The arguments with which this program closes device files to itself and becomes what follows
/// them.
fn launcher(nodes: &[PathBuf]) -> Vec<OsString> {
    let hidden = nodes
        .iter()
        .flat_map(|node| [enforce::HIDE.into(), node.clone().into_os_string()]);
    [enforce::COMMAND.into()]
        .into_iter()
        .chain(hidden)
        .chain(["--".into()])
        .collect()
}

/// The driver does not show the allowed card where others are closed.
fn closed_too_much(error: &ProbeError) -> Refusal {
    let why = format!(
        "with the other cards closed, the allowed one is not seen: {}",
        error.trouble
    );
    let hint = "without `--enforce` the program is watched all the same";
    refused(&why, Some(hint.to_owned()))
}

fn run_policy(arguments: &Arguments, policy: &Policy) -> RunPolicy {
    RunPolicy {
        on_violation: match arguments.on_violation {
            None => policy.run.on_violation,
            Some(Action::End) => OnViolation::End,
            Some(Action::Report) => OnViolation::Report,
        },
        every: arguments
            .every_ms
            .map_or(policy.run.every, Duration::from_millis),
        grace: policy.run.grace,
    }
}

fn not_run(error: RunError, program: &Foreground) -> Refusal {
    match error {
        RunError::NotStarted(error) => Refusal {
            code: exit_code_not_started(&error),
            failure: not_started(program, &error),
        },
        RunError::Unwatchable(error) => Failure::from(error)
            .note("the program was not started")
            .into(),
        other => Failure::of(&other).into(),
    }
}

/// Says what was seen, and gives the exit code that follows.
fn finish(
    arguments: &Arguments,
    Seen { report, nodes }: Seen<'_>,
    output: Option<Output>,
    screen: &Screen,
) -> Result<u8, Refusal> {
    let program_code = report.program_code.unwrap_or(IMPOSSIBLE);
    let code = match report.outcome {
        Outcome::Violation => guard::VIOLATION_CODE,
        Outcome::NotWatched if !arguments.no_watch && program_code == 0 => IMPOSSIBLE,
        Outcome::Clean | Outcome::NotWatched => program_code,
    };
    if !arguments.no_watch {
        say_report(report, nodes, screen);
    }
    if let (Some(path), Some(output)) = (&arguments.report, output) {
        let text = as_json(report, &arguments.command, nodes, code);
        output.finish(text.as_bytes()).map_err(|error| Refusal {
            code: if code == 0 { IMPOSSIBLE } else { code },
            failure: report_unwritable(path, &error),
        })?;
    }
    if report.program_code == Some(code) {
        end_if_interrupted(report.program_signal);
    }
    Ok(code)
}
