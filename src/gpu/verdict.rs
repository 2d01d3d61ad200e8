//! What a check of the card said, for the hook, for people and for scripts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::health::Health;

/// What the card check said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardVerdict {
    /// The answer.
    pub status: CardStatus,
    /// The card that was checked, or the first of them; `None` when it did not come to that.
    pub card: Option<CardFacts>,
    /// The steps that were finished, in order.
    pub phases: Vec<Phase>,
    /// What happened, in one line without a final period.
    pub message: String,
    /// What to do next, if there is something to do.
    pub hint: Option<String>,
    /// What is worth knowing and decides nothing, one line each.
    pub notes: Vec<String>,
    /// How each checked card was afterwards; empty when it did not come to that.
    pub health: Vec<Health>,
    /// Whether the kernel's result is that of an earlier check. Which card it is was looked up
    /// anew all the same.
    pub cached: bool,
    /// Whether the policy demands a driver.
    #[serde(skip)]
    pub required: bool,
}

/// The answer of a card check. All but [`CardStatus::Skipped`] are the words of
/// `gpuguard gpu check --format json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardStatus {
    /// The policy's environment selects the allowed card, and it computes correctly.
    Ok,
    /// The policy's environment does not select the allowed card.
    WrongCard,
    /// The card cannot be had just now: full, or used exclusively by someone else.
    Busy,
    /// The card or its driver does not work.
    Unhealthy,
    /// There is no driver, or none that could run the check.
    NoDriver,
    /// The driver did not answer within the policy's deadline.
    Timeout,
    /// The card was not looked at; said by the Git hook only.
    Skipped,
}

/// What identifies a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    /// NVIDIA's product name.
    pub name: String,
    /// `GPU-` and 32 hexadecimal digits in five groups, lower case.
    pub uuid: String,
    /// PCI address, `00000000:01:00.0`.
    pub pci_bus_id: String,
    /// Total memory in bytes, if the driver tells it.
    pub memory_bytes: Option<u64>,
    /// Compute capability, `8.6`, if the driver tells it.
    pub compute_capability: Option<String>,
}

/// A finished step of the check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long it took, in milliseconds, to the hundredth.
    pub ms: f64,
}

impl Phase {
    /// A step that took `elapsed`.
    pub(super) fn new(name: &str, elapsed: Duration) -> Self {
        Self {
            name: name.to_owned(),
            ms: (elapsed.as_secs_f64() * 100_000.0).round() / 100.0,
        }
    }
}

impl CardVerdict {
    /// The card was not looked at, and why. Refuses nothing.
    pub fn skipped(reason: &str, hint: Option<&str>) -> Self {
        Self {
            status: CardStatus::Skipped,
            card: None,
            phases: Vec::new(),
            message: reason.to_owned(),
            hint: hint.map(str::to_owned),
            notes: Vec::new(),
            health: Vec::new(),
            cached: false,
            required: false,
        }
    }

    /// Whether a commit is refused. A busy card is none of the commit's business, and a machine
    /// without a driver is refused only where the policy says `mode = "required"`.
    pub fn refuses(&self) -> bool {
        match self.status {
            CardStatus::WrongCard | CardStatus::Unhealthy | CardStatus::Timeout => true,
            CardStatus::NoDriver => self.required,
            CardStatus::Ok | CardStatus::Busy | CardStatus::Skipped => false,
        }
    }
}
