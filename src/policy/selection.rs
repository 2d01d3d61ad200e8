//! CUDA's own rules for which card an index means, as a model over the policy's cards.
//!
//! Source: CUDA Programming Guide, "CUDA Environment Variables" (`CUDA_DEVICE_ORDER`,
//! `CUDA_VISIBLE_DEVICES`). The driver sorts the cards by `CUDA_DEVICE_ORDER`, keeps those that
//! `CUDA_VISIBLE_DEVICES` lists, in that order and up to its first invalid entry, and numbers
//! what is left from 0. Rules ask this model; none of them looks for the digit 1.

use super::{Card, MOST_CARDS, Usage};

/// The two variables as a program would find them; `None` where one is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CudaEnvironment<'e> {
    /// `CUDA_DEVICE_ORDER`.
    pub order: Option<&'e str>,
    /// `CUDA_VISIBLE_DEVICES`.
    pub visible_devices: Option<&'e str>,
}

/// What one logical index stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'p> {
    /// This card of the policy.
    Card(&'p Card),
    /// A card that cannot be told: the order is not fixed, or the policy does not name it.
    Unknown,
}

/// The cards a program would see, by logical index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible<'p> {
    /// `slots[i]` is what `cuda:i` means.
    pub slots: Vec<Slot<'p>>,
    /// Whether there may be more cards behind the last slot (no mask, cards the policy does
    /// not name).
    pub open_ended: bool,
}

/// What an index selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected<'p> {
    /// A card the policy allows.
    Allowed(&'p Card),
    /// A card the policy forbids.
    Forbidden(&'p Card),
    /// Some card: which one cannot be told, so it may be a forbidden one.
    Unknown,
    /// No card: CUDA answers "invalid device ordinal".
    Nothing,
}

/// The cards that a program with `environment` sees.
pub fn visible<'p>(cards: &'p [Card], environment: CudaEnvironment<'_>) -> Visible<'p> {
    // Any value but PCI_BUS_ID leaves CUDA's default, FASTEST_FIRST, of which only the first
    // place is promised, and "fastest" is CUDA's guess.
    let by_pci = environment.order == Some("PCI_BUS_ID");
    let by_rank = |rank: u32| {
        if !by_pci {
            return Slot::Unknown;
        }
        cards
            .iter()
            .find(|card| card.pci_rank == Some(rank))
            .map_or(Slot::Unknown, Slot::Card)
    };
    let Some(mask) = environment.visible_devices else {
        // A place for each rank up to the highest: never more than a machine can have, whatever
        // the cards say. What is behind the last place is open anyway.
        let ranks = cards
            .iter()
            .filter_map(|card| card.pci_rank)
            .max()
            .map_or(0, |rank| rank.saturating_add(1));
        let count = ranks
            .max(u32::try_from(cards.len()).unwrap_or(u32::MAX))
            .min(MOST_CARDS);
        return Visible {
            slots: (0..count).map(by_rank).collect(),
            open_ended: true,
        };
    };
    let mut slots = Vec::new();
    let mut seen = Vec::new();
    for entry in mask.split(',') {
        let slot = if let Some(index) = leading_index(entry) {
            if names_every_rank(cards) && index as usize >= cards.len() {
                break;
            }
            Some((Key::Rank(index), by_rank(index)))
        } else {
            by_uuid(cards, entry)
        };
        // The first invalid entry ends the list.
        let Some((key, slot)) = slot else { break };
        if seen.first().is_some_and(|first| !key.is_like(first)) {
            // Ranks and UUIDs in one list: PyTorch ends the list here, CUDA does not say.
            slots.push(Slot::Unknown);
            break;
        }
        if seen.contains(&key) {
            // A card named twice makes the whole list empty.
            return Visible {
                slots: Vec::new(),
                open_ended: false,
            };
        }
        seen.push(key);
        slots.push(slot);
    }
    Visible {
        slots,
        open_ended: false,
    }
}

/// What `cuda:index` means to a program with `environment`.
pub fn select<'p>(cards: &'p [Card], environment: CudaEnvironment<'_>, index: u32) -> Selected<'p> {
    let seen = visible(cards, environment);
    match seen.slots.get(index as usize) {
        Some(Slot::Card(card)) if card.usage == Usage::Allowed => Selected::Allowed(card),
        Some(Slot::Card(card)) => Selected::Forbidden(card),
        Some(Slot::Unknown) => Selected::Unknown,
        None if seen.open_ended => Selected::Unknown,
        None => Selected::Nothing,
    }
}

/// What makes two entries of a list the same card.
#[derive(PartialEq)]
enum Key {
    Rank(u32),
    Uuid(String),
}

impl Key {
    /// Whether both are ranks, or both UUIDs.
    fn is_like(&self, other: &Self) -> bool {
        matches!(self, Self::Rank(_)) == matches!(other, Self::Rank(_))
    }
}

/// The number an entry starts with, as C's `strtoul` reads it: blanks before it are skipped,
/// what follows it is ignored (`1gpu` is 1). `None` for anything else, `-1` included.
fn leading_index(entry: &str) -> Option<u32> {
    let entry = entry.trim_start();
    let entry = entry.strip_prefix('+').unwrap_or(entry);
    let digits = entry.len() - entry.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    entry[..digits].parse().ok()
}

/// The card whose UUID starts with `entry` (`GPU-` included), if exactly one does. A UUID that
/// no card of the policy has is a card we cannot tell. Blanks and quotes are no part of a UUID:
/// unlike before a number, they make the entry invalid.
fn by_uuid<'p>(cards: &'p [Card], entry: &str) -> Option<(Key, Slot<'p>)> {
    if entry.starts_with("MIG-") {
        return Some((Key::Uuid(entry.to_owned()), Slot::Unknown));
    }
    let digits = entry.strip_prefix("GPU-")?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return None;
    }
    let matches = |card: &&Card| {
        card.uuid.as_deref().is_some_and(|uuid| {
            uuid.get(..entry.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(entry))
        })
    };
    let mut found = cards.iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(card), None) => Some((
            Key::Uuid(card.uuid.clone().unwrap_or_default().to_ascii_lowercase()),
            Slot::Card(card),
        )),
        (Some(_), Some(_)) => None,
        (None, _) => Some((Key::Uuid(entry.to_ascii_lowercase()), Slot::Unknown)),
    }
}

/// Whether the policy's ranks are 0, 1, … without a gap: then there is no card behind the last.
fn names_every_rank(cards: &[Card]) -> bool {
    (0..cards.len()).all(|rank| {
        cards
            .iter()
            .any(|card| card.pci_rank.map(|r| r as usize) == Some(rank))
    })
}

#[cfg(test)]
mod tests;
