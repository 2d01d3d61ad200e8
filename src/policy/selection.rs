//! CUDA's own rules for which card an index means, as a model over the policy's cards.
//!
//! Source: CUDA Programming Guide, "CUDA Environment Variables" (`CUDA_DEVICE_ORDER`,
//! `CUDA_VISIBLE_DEVICES`). The driver sorts the cards by `CUDA_DEVICE_ORDER`, keeps those that
//! `CUDA_VISIBLE_DEVICES` lists, in that order and up to its first invalid entry, and numbers
//! what is left from 0. Rules ask this model; none of them looks for the digit 1.

mod mask;

pub use mask::{Entry, Mask, Meaning, Trouble};

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

/// Why an index selects what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing is masked, and cards are counted by PCI address.
    PciOrder,
    /// The mask's entry at the place of the index says so.
    Listed,
    /// Cards are sorted by CUDA's own guess of their speed.
    OrderOpen,
    /// The policy does not name the card at this place.
    NotNamed,
    /// The mask shows only so many cards.
    Beyond(usize),
    /// The mask ends before this place, because of an entry that is none.
    Ended(Trouble),
}

/// The cards that a program with `environment` sees.
pub fn visible<'p>(cards: &'p [Card], environment: CudaEnvironment<'_>) -> Visible<'p> {
    let by_rank = |rank| by_rank(cards, environment, rank);
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
    let mask = Mask::read(cards, mask);
    let mut slots: Vec<Slot<'p>> = mask
        .shown()
        .map(|entry| slot_of(cards, environment, entry))
        .collect();
    if mask
        .trouble()
        .is_some_and(|(_, trouble)| trouble == Trouble::Mixed)
    {
        // Ranks and UUIDs in one list: PyTorch ends the list here, CUDA does not say.
        slots.push(Slot::Unknown);
    }
    Visible {
        slots,
        open_ended: false,
    }
}

/// The card that an entry of a mask shows.
pub fn slot_of<'p>(
    cards: &'p [Card],
    environment: CudaEnvironment<'_>,
    entry: &Entry<'p, '_>,
) -> Slot<'p> {
    match entry.meaning {
        Meaning::Index(number) => by_rank(cards, environment, number),
        Meaning::Uuid(slot) => slot,
        Meaning::Mig | Meaning::End | Meaning::Unread => Slot::Unknown,
    }
}

/// The card at a place of the driver's order.
fn by_rank<'p>(cards: &'p [Card], environment: CudaEnvironment<'_>, rank: u32) -> Slot<'p> {
    if !environment.is_by_pci() {
        return Slot::Unknown;
    }
    cards
        .iter()
        .find(|card| card.pci_rank == Some(rank))
        .map_or(Slot::Unknown, Slot::Card)
}

impl CudaEnvironment<'_> {
    /// Whether cards are counted by PCI address. Any other value leaves CUDA's default,
    /// `FASTEST_FIRST`, of which only the first place is promised, and "fastest" is CUDA's guess.
    fn is_by_pci(&self) -> bool {
        self.order == Some("PCI_BUS_ID")
    }
}

/// What `cuda:index` means to a program with `environment`.
pub fn select<'p>(cards: &'p [Card], environment: CudaEnvironment<'_>, index: u32) -> Selected<'p> {
    explain(cards, environment, index).0
}

/// What `cuda:index` means to a program with `environment`, and why.
pub fn explain<'p>(
    cards: &'p [Card],
    environment: CudaEnvironment<'_>,
    index: u32,
) -> (Selected<'p>, Why) {
    let seen = visible(cards, environment);
    let mask = environment
        .visible_devices
        .map(|value| Mask::read(cards, value));
    let slot = seen.slots.get(index as usize);
    let selected = match slot {
        Some(Slot::Card(card)) if card.usage == Usage::Allowed => Selected::Allowed(card),
        Some(Slot::Card(card)) => Selected::Forbidden(card),
        Some(Slot::Unknown) => Selected::Unknown,
        None if seen.open_ended => Selected::Unknown,
        None => Selected::Nothing,
    };
    let ended = |mask: &Mask<'_, '_>| {
        let (_, trouble) = mask.trouble()?;
        (!matches!(trouble, Trouble::Range | Trouble::Trailing)).then_some(Why::Ended(trouble))
    };
    let why = match (&mask, slot) {
        (None, Some(Slot::Card(_))) => Why::PciOrder,
        (None, _) if environment.is_by_pci() => Why::NotNamed,
        (None, _) => Why::OrderOpen,
        (Some(_), Some(Slot::Card(_))) => Why::Listed,
        (Some(mask), Some(Slot::Unknown)) => match mask.entries.get(index as usize) {
            Some(entry) if entry.trouble == Some(Trouble::Mixed) => Why::Ended(Trouble::Mixed),
            Some(entry) if matches!(entry.meaning, Meaning::Index(_)) => {
                if environment.is_by_pci() {
                    Why::NotNamed
                } else {
                    Why::OrderOpen
                }
            }
            _ => Why::NotNamed,
        },
        (Some(mask), None) => ended(mask).unwrap_or(Why::Beyond(seen.slots.len())),
    };
    (selected, why)
}

#[cfg(test)]
mod tests;
