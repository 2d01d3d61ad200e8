//! Whether each card can be told from the others, and one is allowed.

use std::ops::Range;

use toml::Spanned;

use super::Place;
use crate::policy::file::{CardEntry, UsageWord};
use crate::policy::{Card, MOST_CARDS, PolicyError, Usage, user_file};

const ALLOW_ONE: &str =
    "add a `[[card]]` with `use = \"allowed\"`; `gpuguard init` writes an example";

impl Place<'_> {
    pub(in crate::policy) fn cards(
        &self,
        entries: &[Spanned<CardEntry>],
    ) -> Result<Vec<Card>, PolicyError> {
        let mut cards: Vec<Card> = Vec::with_capacity(entries.len());
        for entry in entries {
            let whole = entry.span();
            let entry = entry.get_ref();
            self.check_card(entry, whole)?;
            self.check_distinct(entry, &cards)?;
            cards.push(Card {
                name: entry.name.get_ref().clone(),
                usage: match entry.usage {
                    UsageWord::Allowed => Usage::Allowed,
                    UsageWord::Forbidden => Usage::Forbidden,
                },
                uuid: entry.uuid.as_ref().map(|uuid| uuid.get_ref().clone()),
                pci_rank: entry.pci_rank.as_ref().map(|rank| *rank.get_ref()),
                min_memory_gib: entry.min_memory_gib,
            });
        }
        if cards.iter().any(|card| card.usage == Usage::Allowed) {
            return Ok(cards);
        }
        if cards.is_empty() {
            return Err(self.no_card());
        }
        Err(self.invalid(
            0..0,
            "the policy allows no card",
            Some(ALLOW_ONE.to_owned()),
        ))
    }

    /// Where neither the policy, nor what it extends, nor the user's own file names a card.
    pub(in crate::policy) fn no_card(&self) -> PolicyError {
        let elsewhere = user_file().map_or_else(String::new, |path| {
            format!(
                "; cards of this machine alone can stand in `{}`",
                path.display()
            )
        });
        self.invalid(
            0..0,
            "the policy names no card",
            Some(format!("{ALLOW_ONE}{elsewhere}")),
        )
    }

    /// A card by itself.
    fn check_card(&self, entry: &CardEntry, whole: Range<usize>) -> Result<(), PolicyError> {
        if entry.name.get_ref().trim().is_empty() {
            return Err(self.invalid(
                entry.name.span(),
                "the card has an empty name",
                Some("write the product name, such as `name = \"RTX 3090\"`".to_owned()),
            ));
        }
        if let Some(uuid) = &entry.uuid {
            self.check_uuid(uuid)?;
        }
        if let Some(rank) = &entry.pci_rank {
            self.check_rank(rank)?;
        }
        if entry.uuid.is_none() && entry.pci_rank.is_none() {
            return Err(self.invalid(
                whole,
                format!("nothing says which card `{}` is", entry.name.get_ref()),
                Some("give it `pci-rank = N` (its place by PCI address, from 0) or `uuid = \"GPU-…\"`; `nvidia-smi -L` lists both".to_owned()),
            ));
        }
        Ok(())
    }

    /// A card beside those before it.
    fn check_distinct(&self, entry: &CardEntry, cards: &[Card]) -> Result<(), PolicyError> {
        let name = entry.name.get_ref();
        if let Some(rank) = &entry.pci_rank
            && let Some(other) = cards
                .iter()
                .find(|card| card.pci_rank == Some(*rank.get_ref()))
        {
            return Err(self.invalid(
                rank.span(),
                format!("`{}` and `{name}` have the same PCI rank", other.name),
                Some("each card has a rank of its own, counted from 0".to_owned()),
            ));
        }
        if let Some(uuid) = &entry.uuid
            && let Some(other) = cards.iter().find(|card| is_uuid_of(card, uuid.get_ref()))
        {
            return Err(self.invalid(
                uuid.span(),
                format!("`{}` and `{name}` have the same UUID", other.name),
                Some("each card has a UUID of its own: `nvidia-smi -L` lists them".to_owned()),
            ));
        }
        Ok(())
    }

    fn check_rank(&self, rank: &Spanned<u32>) -> Result<(), PolicyError> {
        if *rank.get_ref() < MOST_CARDS {
            return Ok(());
        }
        Err(self.invalid(
            rank.span(),
            format!("no machine has a card at PCI rank {}", rank.get_ref()),
            Some(format!(
                "ranks count the cards by PCI address: 0 to {}; `nvidia-smi -L` lists them",
                MOST_CARDS - 1
            )),
        ))
    }

    fn check_uuid(&self, uuid: &Spanned<String>) -> Result<(), PolicyError> {
        if is_uuid(uuid.get_ref()) {
            return Ok(());
        }
        Err(self.invalid(
            uuid.span(),
            format!("`{}` is not the UUID of a card", uuid.get_ref()),
            Some(
                "copy it from `nvidia-smi -L`: `GPU-` and 32 hexadecimal digits in five groups"
                    .to_owned(),
            ),
        ))
    }
}

/// Whether `text` is written as the whole UUID of a card.
pub(super) fn is_uuid(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("GPU-") else {
        return false;
    };
    digits.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && digits.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// Whether `card` has this UUID, in whatever case it is spelt.
pub(super) fn is_uuid_of(card: &Card, uuid: &str) -> bool {
    card.uuid
        .as_deref()
        .is_some_and(|own| own.eq_ignore_ascii_case(uuid))
}
