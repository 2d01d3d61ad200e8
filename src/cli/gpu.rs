//! `gpuguard gpu`: the cards of this machine, and the check of the one that code may use.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anstyle::AnsiColor;
use clap::ValueEnum;
use serde_json::json;

use super::policy::load_policy;
use super::{Failure, Screen, gpu_env, gpu_list, gpu_soak};
use crate::git::Repository;
use crate::gpu::{self, CardStatus, CardVerdict};
use crate::outcome::Answer;
use crate::sys::{clock, environment};
use crate::text::printable;

/// What a check should take on a card that is awake, in milliseconds. Only shown: being slow is
/// no failure.
const BUDGET_MS: u32 = 300;

/// Show the graphics cards and check the allowed one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard gpu list\n  \
    gpuguard gpu check -v\n  \
    gpuguard gpu soak --minutes 5\n  \
    eval \"$(gpuguard gpu env)\"")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the cards of this machine and what the policy says of each
    List(gpu_list::Arguments),
    /// Check that the policy's environment selects the allowed card, and that it computes
    Check(CheckArguments),
    /// Have the allowed card work for a long time, and hold all its results against what is right
    Soak(gpu_soak::Arguments),
    /// Print the lines that select the allowed card
    Env(gpu_env::Arguments),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard gpu check\n  \
    gpuguard gpu check --no-cache -v      how long each step took\n  \
    gpuguard gpu check --format json")]
struct CheckArguments {
    /// Run the kernel even if the last good result still counts
    #[arg(long)]
    no_cache: bool,
    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to read instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// Lines for people
    Human,
    /// One JSON object
    Json,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List(arguments) => gpu_list::run(arguments, screen),
        Command::Check(arguments) => check(arguments, screen),
        Command::Soak(arguments) => gpu_soak::run(arguments, screen),
        Command::Env(arguments) => gpu_env::run(arguments, screen),
    }
}

fn check(arguments: &CheckArguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = load_policy(arguments.policy.as_deref())?;
    let cache = repository().map(|repository| cache_folder(&repository));
    if let Some(folder) = &cache
        && arguments.no_cache
    {
        gpu::forget(folder);
    }
    let waiting = screen.waiting("checking the card");
    let verdict = gpu::check(&policy, cache.as_deref(), clock::now());
    drop(waiting);
    let text = match arguments.format {
        Format::Human => verdict_for_people(&verdict, screen),
        Format::Json => verdict_as_json(&verdict),
    };
    screen.print(&text)?;
    Ok(if verdict.refuses() {
        Answer::No
    } else {
        Answer::Fine
    })
}

/// The repository that the current folder is in.
pub(super) fn repository() -> Option<Repository> {
    Repository::discover(&environment::current_dir().ok()?).ok()
}

/// Where the last good result is kept.
pub(super) fn cache_folder(repository: &Repository) -> PathBuf {
    Path::new(repository.common_dir()).join("gpuguard")
}

/// A status with its colon, in its colour.
pub(super) fn status_word(status: CardStatus, screen: &Screen) -> String {
    let (word, color) = match status {
        CardStatus::Ok => ("ok", AnsiColor::Green),
        CardStatus::WrongCard => ("wrong card", AnsiColor::Red),
        CardStatus::Busy => ("busy", AnsiColor::Yellow),
        CardStatus::Unhealthy => ("unhealthy", AnsiColor::Red),
        CardStatus::NoDriver => ("no NVIDIA driver", AnsiColor::Yellow),
        CardStatus::Timeout => ("timeout", AnsiColor::Red),
        CardStatus::Skipped => ("skipped", AnsiColor::Yellow),
    };
    let style = color.on_default().bold();
    if screen.color_on_stdout() {
        format!("{style}{word}:{style:#}")
    } else {
        format!("{word}:")
    }
}

fn verdict_for_people(verdict: &CardVerdict, screen: &Screen) -> String {
    let mut text = format!("{} ", status_word(verdict.status, screen));
    if verdict.status == CardStatus::NoDriver {
        text.push_str("the card was not checked\n  note: ");
    }
    let _ = writeln!(text, "{}", printable(verdict.message.as_bytes()));
    if let Some(hint) = &verdict.hint {
        let _ = writeln!(text, "  hint: {}", printable(hint.as_bytes()));
    }
    for note in &verdict.notes {
        let _ = writeln!(text, "  note: {}", printable(note.as_bytes()));
    }
    if screen.verbose {
        for phase in &verdict.phases {
            let _ = writeln!(text, "  {:>9.2} ms  {}", phase.ms, phase.name);
        }
        let whole: f64 = verdict.phases.iter().map(|phase| phase.ms).sum();
        let _ = writeln!(text, "  {whole:>9.2} ms  together (meant: {BUDGET_MS})");
    }
    text
}

fn verdict_as_json(verdict: &CardVerdict) -> String {
    let mut object = json!(verdict);
    object["version"] = json!(1);
    format!("{object:#}\n")
}
