//! `gpuguard gpu list`: the cards of this machine, under each order in which they are counted.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::gpu::{Format, repository};
use super::policy::load_policy;
use super::{Failure, Screen};
use crate::gpu::{
    self, ComputeMode, Inventory, InventoryCard, NvmlTrouble, ProbeError, ProbeFailure, Trouble,
};
use crate::outcome::Answer;
use crate::policy::{self, Card, Policy, Usage};
use crate::text::printable;

/// How long the driver is waited for where there is no policy that says it: a card that has to
/// wake up first takes a few seconds.
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard gpu list\n  \
    gpuguard gpu list --format json")]
pub(super) struct Arguments {
    /// How to print the cards
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to read instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = match &arguments.policy {
        None if !repository_has_policy() => None,
        explicit => Some(load_policy(explicit.as_deref())?),
    };
    let deadline = policy
        .as_ref()
        .map_or(DEADLINE, |policy| policy.gpu_check.deadline);
    let waiting = screen.waiting("asking the driver");
    let found = gpu::inventory(deadline);
    let inventory = match found {
        Ok(inventory) => Some(inventory),
        Err(error) if is_no_driver(&error) => {
            screen.say(&format!("no NVIDIA driver: {}", error.trouble));
            None
        }
        Err(error) => return Err(error.into()),
    };
    let order = match &inventory {
        Some(_) => gpu::default_order(deadline).map_err(|error| error.trouble.to_string()),
        None => Err("there is no driver to ask".to_owned()),
    };
    drop(waiting);
    let list = List {
        inventory: inventory.as_ref(),
        order: order.as_deref().map_err(Clone::clone),
        policy: policy.as_ref(),
    };
    let text = match arguments.format {
        Format::Human => list.for_people(),
        Format::Json => list.as_json(),
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

/// What there is to show.
struct List<'l> {
    inventory: Option<&'l Inventory>,
    /// UUIDs in CUDA's default order, or why it is not known.
    order: Result<&'l [String], String>,
    policy: Option<&'l Policy>,
}

impl List<'_> {
    /// The index of a card in CUDA's default order.
    fn default_index(&self, card: &InventoryCard) -> Option<usize> {
        let order = self.order.as_ref().ok()?;
        order
            .iter()
            .position(|uuid| uuid.eq_ignore_ascii_case(&card.facts.uuid))
    }

    fn for_people(&self) -> String {
        let Some(inventory) = self.inventory else {
            return String::new();
        };
        let mut text = format!(
            "driver {}\n",
            printable(inventory.driver_version.as_bytes())
        );
        for card in &inventory.cards {
            self.add_card(&mut text, card);
        }
        if inventory.cards.is_empty() {
            text.push_str("no card\n");
        }
        if let Err(why) = &self.order {
            let _ = writeln!(
                text,
                "CUDA's default order is not known: {}",
                printable(why.as_bytes())
            );
        }
        for card in self
            .policy
            .map_or_else(Vec::new, |policy| missing(policy, inventory))
        {
            let _ = writeln!(
                text,
                "not in this machine as the policy describes it: {} ({})",
                printable(card.name.as_bytes()),
                usage(card),
            );
        }
        text
    }

    fn add_card(&self, text: &mut String, card: &InventoryCard) {
        let _ = write!(text, "\n{}", printable(card.facts.name.as_bytes()));
        if let Some(policy) = self.policy {
            let _ = write!(
                text,
                ": {}",
                said_of(policy, card).unwrap_or("not in the policy")
            );
        }
        let default = self
            .default_index(card)
            .map_or_else(|| "unknown".to_owned(), |index| index.to_string());
        let _ = writeln!(
            text,
            "\n  index {} by PCI_BUS_ID, {default} by CUDA's default order",
            card.pci_rank
        );
        let memory = match (card.memory_used_bytes, card.facts.memory_bytes) {
            (Some(used), Some(total)) => format!("{} of {} MiB used", used >> 20, total >> 20),
            (None, Some(total)) => format!("{} MiB", total >> 20),
            (_, None) => "unknown".to_owned(),
        };
        let mode = match card.compute_mode {
            None => "unknown",
            Some(ComputeMode::Default) => "default",
            Some(ComputeMode::Exclusive) => "exclusive",
            Some(ComputeMode::Prohibited) => "prohibited",
        };
        let display = match card.display_active {
            Some(true) => ", drives a screen",
            Some(false) => "",
            None => ", a screen or none: unknown",
        };
        let _ = writeln!(text, "  memory {memory}; compute mode {mode}{display}");
        let _ = writeln!(
            text,
            "  PCI {}, {}",
            printable(card.facts.pci_bus_id.as_bytes()),
            printable(card.facts.uuid.as_bytes()),
        );
    }

    fn as_json(&self) -> String {
        let cards: Vec<_> = self
            .inventory
            .map_or(&[][..], |inventory| &inventory.cards)
            .iter()
            .map(|card| {
                let mut object = json!(card);
                object["default_index"] = json!(self.default_index(card));
                object["policy"] = json!(self.policy.and_then(|policy| said_of(policy, card)));
                object
            })
            .collect();
        let object = json!({
            "version": 1,
            "driver_version": self.inventory.map(|inventory| &inventory.driver_version),
            "default_order_unknown": self.order.as_ref().err(),
            "cards": cards,
        });
        format!("{object:#}\n")
    }
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
