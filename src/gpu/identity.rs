//! Which card of the machine is which card of the policy. Pure: no driver is asked here.

use super::inventory::{Inventory, InventoryCard};
use super::verdict::CardFacts;
use crate::policy::selection::{CudaEnvironment, Slot, visible};
use crate::policy::{Card, Policy, Usage};

/// Why a card of the policy is not the card of the machine that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityMismatch {
    /// No card has the UUID.
    #[error("no card of this machine has the UUID of `{name}`, {uuid}")]
    NoSuchUuid {
        /// The policy's card.
        name: String,
        /// Its UUID.
        uuid: String,
    },
    /// There are fewer cards.
    #[error("the policy's `{name}` is at PCI rank {rank}, but this machine has {cards} card(s)")]
    NoSuchRank {
        /// The policy's card.
        name: String,
        /// Its rank.
        rank: u32,
        /// How many cards there are.
        cards: usize,
    },
    /// The card with the UUID is at another rank.
    #[error("`{name}` is at PCI rank {found}, not {rank} as the policy says")]
    OtherRank {
        /// The policy's card.
        name: String,
        /// The policy's rank.
        rank: u32,
        /// Where it is.
        found: u32,
    },
    /// The card has another name.
    #[error("the card at PCI rank {rank} is `{found}`, not `{name}`")]
    OtherName {
        /// The policy's card.
        name: String,
        /// Where it is.
        rank: u32,
        /// What the driver calls it.
        found: String,
    },
    /// The card has too little memory.
    #[error("`{found}` has {found_mib} MiB of memory, the policy's `{name}` at least {least} GiB")]
    TooSmall {
        /// The policy's card.
        name: String,
        /// What the driver calls it.
        found: String,
        /// Its memory in MiB.
        found_mib: u64,
        /// The policy's least memory in GiB.
        least: u32,
    },
    /// It is the card that the policy forbids.
    #[error("the card {uuid}, taken for `{name}`, is the forbidden `{forbidden}`")]
    IsForbidden {
        /// The policy's card.
        name: String,
        /// Its UUID.
        uuid: String,
        /// The forbidden card of the policy with that UUID.
        forbidden: String,
    },
    /// The policy's environment selects a card that the policy does not describe.
    #[error("CUDA_VISIBLE_DEVICES={visible_devices} selects a card that the policy does not name")]
    NotNamed {
        /// The policy's required value.
        visible_devices: String,
    },
    /// The policy's environment selects a forbidden card.
    #[error("CUDA_VISIBLE_DEVICES={visible_devices} selects `{name}`, which is forbidden")]
    SelectsForbidden {
        /// The policy's required value.
        visible_devices: String,
        /// The card.
        name: String,
    },
}

/// The cards of the machine that the policy's environment must make visible, by logical index.
/// Each is the policy's card by UUID (by PCI rank if the policy gives no UUID), by name and by
/// memory, and none is a forbidden one.
pub(super) fn expected<'i>(
    policy: &Policy,
    inventory: &'i Inventory,
) -> Result<Vec<&'i InventoryCard>, IdentityMismatch> {
    let environment = &policy.environment;
    let seen = visible(
        &policy.cards,
        CudaEnvironment {
            order: Some(&environment.device_order),
            visible_devices: Some(&environment.visible_devices),
        },
    );
    let visible_devices = || environment.visible_devices.clone();
    if seen.slots.is_empty() {
        return Err(IdentityMismatch::NotNamed {
            visible_devices: visible_devices(),
        });
    }
    seen.slots
        .iter()
        .map(|slot| match slot {
            Slot::Card(card) if card.usage == Usage::Allowed => find(card, policy, inventory),
            Slot::Card(card) => Err(IdentityMismatch::SelectsForbidden {
                visible_devices: visible_devices(),
                name: card.name.clone(),
            }),
            Slot::Unknown => Err(IdentityMismatch::NotNamed {
                visible_devices: visible_devices(),
            }),
        })
        .collect()
}

/// The card of the machine that is `card` of the policy.
fn find<'i>(
    card: &Card,
    policy: &Policy,
    inventory: &'i Inventory,
) -> Result<&'i InventoryCard, IdentityMismatch> {
    let found = match &card.uuid {
        Some(uuid) => by_uuid(inventory, uuid).ok_or_else(|| IdentityMismatch::NoSuchUuid {
            name: card.name.clone(),
            uuid: uuid.clone(),
        })?,
        None => by_rank(card, inventory)?,
    };
    if let Some(rank) = card.pci_rank
        && rank != found.pci_rank
    {
        return Err(IdentityMismatch::OtherRank {
            name: card.name.clone(),
            rank,
            found: found.pci_rank,
        });
    }
    let forbidden = policy.cards.iter().find(|other| {
        other.usage == Usage::Forbidden
            && other
                .uuid
                .as_deref()
                .is_some_and(|uuid| uuid.eq_ignore_ascii_case(&found.facts.uuid))
    });
    if let Some(forbidden) = forbidden {
        return Err(IdentityMismatch::IsForbidden {
            name: card.name.clone(),
            uuid: found.facts.uuid.clone(),
            forbidden: forbidden.name.clone(),
        });
    }
    describes(card, found.pci_rank, &found.facts)?;
    Ok(found)
}

/// The policy's card that a card of the machine is, if it is one: the other way round of
/// `expected`, for lists.
pub fn policy_card<'p>(policy: &'p Policy, found: &InventoryCard) -> Option<&'p Card> {
    let by_uuid = policy.cards.iter().find(|card| {
        card.uuid
            .as_deref()
            .is_some_and(|uuid| uuid.eq_ignore_ascii_case(&found.facts.uuid))
    });
    by_uuid.or_else(|| {
        policy.cards.iter().find(|card| {
            card.uuid.is_none()
                && card.pci_rank == Some(found.pci_rank)
                && describes(card, found.pci_rank, &found.facts).is_ok()
        })
    })
}

/// Checks name and memory. Also what CUDA says of a card is held against the policy with this.
pub(super) fn describes(card: &Card, rank: u32, found: &CardFacts) -> Result<(), IdentityMismatch> {
    if !contains_ignoring_case(&found.name, &card.name) {
        return Err(IdentityMismatch::OtherName {
            name: card.name.clone(),
            rank,
            found: found.name.clone(),
        });
    }
    match (card.min_memory_gib, found.memory_bytes) {
        (Some(least), Some(bytes)) if bytes < u64::from(least) << 30 => {
            Err(IdentityMismatch::TooSmall {
                name: card.name.clone(),
                found: found.name.clone(),
                found_mib: bytes >> 20,
                least,
            })
        }
        _ => Ok(()),
    }
}

fn by_uuid<'i>(inventory: &'i Inventory, uuid: &str) -> Option<&'i InventoryCard> {
    inventory
        .cards
        .iter()
        .find(|card| card.facts.uuid.eq_ignore_ascii_case(uuid))
}

/// A card without a UUID has a rank: the policy is not accepted otherwise.
fn by_rank<'i>(
    card: &Card,
    inventory: &'i Inventory,
) -> Result<&'i InventoryCard, IdentityMismatch> {
    let rank = card.pci_rank.unwrap_or_default();
    inventory
        .cards
        .iter()
        .find(|found| found.pci_rank == rank)
        .ok_or_else(|| IdentityMismatch::NoSuchRank {
            name: card.name.clone(),
            rank,
            cards: inventory.cards.len(),
        })
}

fn contains_ignoring_case(whole: &str, part: &str) -> bool {
    whole
        .to_ascii_lowercase()
        .contains(&part.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
