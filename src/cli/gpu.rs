//! `gpuguard gpu`: the cards of this machine, and the check of the one that code may use.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::AnsiColor;
use clap::ValueEnum;
use serde_json::json;

use super::policy::load_policy;
use super::{Failure, Screen, gpu_env};
use crate::git::Repository;
use crate::gpu::{
    self, CardStatus, CardVerdict, Inventory, InventoryCard, NvmlTrouble, ProbeError, ProbeFailure,
    Trouble,
};
use crate::outcome::Answer;
use crate::policy::{self, Card, Policy, Usage};
use crate::sys::{clock, environment};
use crate::text::printable;

/// How long `gpu list` waits for NVML where there is no policy that says it: a card that has
/// to wake up first takes a few seconds.
const LIST_DEADLINE: Duration = Duration::from_secs(10);

/// Show the graphics cards and check the allowed one
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the cards of this machine and what the policy says of each
    List(ListArguments),
    /// Check that the policy's environment selects the allowed card, and that it computes
    Check(CheckArguments),
    /// Print the lines that select the allowed card
    Env(gpu_env::Arguments),
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    /// How to print the cards
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to read instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct CheckArguments {
    /// Run the kernel even if the last good result still counts
    #[arg(long)]
    no_cache: bool,
    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to read instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Lines for people
    Human,
    /// One JSON object
    Json,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List(arguments) => list(arguments, screen),
        Command::Check(arguments) => check(arguments, screen),
        Command::Env(arguments) => gpu_env::run(arguments, screen),
    }
}

fn list(arguments: &ListArguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = match &arguments.policy {
        None if !repository_has_policy() => None,
        explicit => Some(load_policy(explicit.as_deref())?),
    };
    let deadline = policy
        .as_ref()
        .map_or(LIST_DEADLINE, |policy| policy.gpu_check.deadline);
    let waiting = screen.waiting("asking the driver");
    let found = gpu::inventory(deadline);
    drop(waiting);
    let inventory = match found {
        Ok(inventory) => Some(inventory),
        Err(error) if is_no_driver(&error) => {
            screen.say(&format!("no NVIDIA driver: {}", error.trouble));
            None
        }
        Err(error) => return Err(error.into()),
    };
    let text = match arguments.format {
        Format::Human => inventory
            .as_ref()
            .map_or_else(String::new, |found| list_for_people(found, policy.as_ref())),
        Format::Json => list_as_json(inventory.as_ref(), policy.as_ref()),
    };
    screen.print(&text)?;
    Ok(Answer::Fine)
}

/// Whether the current folder is in a repository with a policy at its root.
fn repository_has_policy() -> bool {
    repository().is_some_and(|repository| {
        repository
            .worktree()
            .is_ok_and(|root| root.join(policy::FILE_NAME).exists())
    })
}

fn repository() -> Option<Repository> {
    Repository::discover(&environment::current_dir().ok()?).ok()
}

fn is_no_driver(error: &ProbeError) -> bool {
    match &error.trouble {
        Trouble::Failed { failure, .. } => matches!(
            failure,
            ProbeFailure::NoLibrary { .. }
                | ProbeFailure::Nvml {
                    kind: NvmlTrouble::NotLoaded,
                    ..
                }
        ),
        _ => false,
    }
}

fn list_for_people(inventory: &Inventory, policy: Option<&Policy>) -> String {
    let mut text = format!(
        "driver {}\n",
        printable(inventory.driver_version.as_bytes())
    );
    for card in &inventory.cards {
        let memory = card.facts.memory_bytes.map_or_else(
            || "memory unknown".to_owned(),
            |b| format!("{} MiB", b >> 20),
        );
        let _ = write!(
            text,
            "rank {}: {}, {memory}, {}, PCI {}",
            card.pci_rank,
            printable(card.facts.name.as_bytes()),
            printable(card.facts.uuid.as_bytes()),
            printable(card.facts.pci_bus_id.as_bytes()),
        );
        if card.display_active == Some(true) {
            text.push_str(", drives a screen");
        }
        if let Some(policy) = policy {
            let _ = write!(
                text,
                ": {}",
                said_of(policy, card).unwrap_or("not in the policy")
            );
        }
        text.push('\n');
    }
    if inventory.cards.is_empty() {
        text.push_str("no card\n");
    }
    for card in policy.map_or_else(Vec::new, |policy| missing(policy, inventory)) {
        let _ = writeln!(
            text,
            "not in this machine as the policy describes it: {} ({})",
            printable(card.name.as_bytes()),
            usage(card),
        );
    }
    text
}

fn list_as_json(inventory: Option<&Inventory>, policy: Option<&Policy>) -> String {
    let cards = inventory.map_or_else(Vec::new, |inventory| {
        inventory
            .cards
            .iter()
            .map(|card| {
                let mut object = json!(card);
                object["policy"] = json!(policy.and_then(|policy| said_of(policy, card)));
                object
            })
            .collect()
    });
    let object = json!({
        "version": 1,
        "driver_version": inventory.map(|inventory| &inventory.driver_version),
        "cards": cards,
    });
    format!("{object:#}\n")
}

fn said_of(policy: &Policy, card: &InventoryCard) -> Option<&'static str> {
    gpu::policy_card(policy, card).map(usage)
}

fn usage(card: &Card) -> &'static str {
    match card.usage {
        Usage::Allowed => "allowed",
        Usage::Forbidden => "forbidden",
    }
}

/// The policy's cards that are not there.
fn missing<'p>(policy: &'p Policy, inventory: &Inventory) -> Vec<&'p Card> {
    let there: Vec<&Card> = inventory
        .cards
        .iter()
        .filter_map(|card| gpu::policy_card(policy, card))
        .collect();
    policy
        .cards
        .iter()
        .filter(|card| !there.contains(card))
        .collect()
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

/// Where the last good result is kept.
fn cache_folder(repository: &Repository) -> PathBuf {
    Path::new(repository.common_dir()).join("gpuguard")
}

fn verdict_for_people(verdict: &CardVerdict, screen: &Screen) -> String {
    let (word, color) = match verdict.status {
        CardStatus::Ok => ("ok", AnsiColor::Green),
        CardStatus::WrongCard => ("wrong card", AnsiColor::Red),
        CardStatus::Busy => ("busy", AnsiColor::Yellow),
        CardStatus::Unhealthy => ("unhealthy", AnsiColor::Red),
        CardStatus::NoDriver => ("no NVIDIA driver", AnsiColor::Yellow),
        CardStatus::Timeout => ("timeout", AnsiColor::Red),
        CardStatus::Skipped => ("skipped", AnsiColor::Yellow),
    };
    let style = color.on_default().bold();
    let mut text = if screen.color_on_stdout() {
        format!("{style}{word}:{style:#} ")
    } else {
        format!("{word}: ")
    };
    if verdict.status == CardStatus::NoDriver {
        text.push_str("the card was not checked\n  note: ");
    }
    let _ = writeln!(text, "{}", printable(verdict.message.as_bytes()));
    if let Some(hint) = &verdict.hint {
        let _ = writeln!(text, "  hint: {}", printable(hint.as_bytes()));
    }
    if screen.verbose {
        for phase in &verdict.phases {
            let _ = writeln!(text, "  {:>9.2} ms  {}", phase.ms, phase.name);
        }
    }
    text
}

fn verdict_as_json(verdict: &CardVerdict) -> String {
    let mut object = json!(verdict);
    object["version"] = json!(1);
    format!("{object:#}\n")
}
