//! The value of `CUDA_VISIBLE_DEVICES` that shows the policy's cards, by index or by UUID.

use std::time::Duration;

use super::check::take_inventory;
use super::identity::{self, IdentityMismatch};
use super::inventory::InventoryCard;
use super::probe::{Deadline, ProbeError};
use crate::policy::selection::{CudaEnvironment, Slot, visible};
use crate::policy::{Card, Policy};

/// How `CUDA_VISIBLE_DEVICES` names a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskForm {
    /// As the policy writes it.
    AsDemanded,
    /// By index, which means a card only beside `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
    Index,
    /// By UUID, which means the same card everywhere; some programs cannot read it.
    Uuid,
}

/// Why there is no such value.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// The policy does not say it, and the driver cannot be asked.
    #[error(transparent)]
    NotAsked(#[from] ProbeError),
    /// The machine's cards are not the policy's.
    #[error(transparent)]
    OtherCards(#[from] IdentityMismatch),
}

/// The value in the given form. The driver is asked, for at most `deadline`, only for what the
/// policy does not say; then its cards must be those of the policy.
pub fn visible_devices(
    policy: &Policy,
    form: MaskForm,
    deadline: Duration,
) -> Result<String, MaskError> {
    let said: Option<String> = match form {
        MaskForm::AsDemanded => Some(policy.environment.visible_devices.clone()),
        MaskForm::Index => from_policy(policy, |card| Some(card.pci_rank?.to_string())),
        MaskForm::Uuid => from_policy(policy, |card| card.uuid.clone()),
    };
    if let Some(value) = said {
        return Ok(value);
    }
    let (inventory, _) = take_inventory(Deadline::starting_now(deadline))?;
    let entry = |card: &&InventoryCard| match form {
        MaskForm::Uuid => card.facts.uuid.clone(),
        MaskForm::AsDemanded | MaskForm::Index => card.pci_rank.to_string(),
    };
    let cards = identity::expected(policy, &inventory)?;
    Ok(cards.iter().map(entry).collect::<Vec<_>>().join(","))
}

/// The entries for the cards that the policy's environment shows, if the policy tells all.
fn from_policy(policy: &Policy, entry: impl Fn(&Card) -> Option<String>) -> Option<String> {
    let environment = CudaEnvironment {
        order: Some(&policy.environment.device_order),
        visible_devices: Some(&policy.environment.visible_devices),
    };
    let entries: Option<Vec<String>> = visible(&policy.cards, environment)
        .slots
        .iter()
        .map(|slot| match slot {
            Slot::Card(card) => entry(card),
            Slot::Unknown => None,
        })
        .collect();
    entries
        .filter(|entries| !entries.is_empty())
        .map(|entries| entries.join(","))
}
