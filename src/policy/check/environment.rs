//! Whether the variables that the policy demands select allowed cards, for certain.

use toml::Spanned;

use super::Place;
use super::cards::{is_uuid, is_uuid_of};
use crate::policy::preset::visible_devices_for;
use crate::policy::{Card, PolicyError, Usage};

/// The one order in which an index means the same card everywhere.
pub(in crate::policy) const BY_PCI: &str = "PCI_BUS_ID";

impl Place<'_> {
    pub(super) fn check_device_order(&self, order: &Spanned<String>) -> Result<(), PolicyError> {
        if order.get_ref() == BY_PCI {
            return Ok(());
        }
        Err(self.invalid(
            order.span(),
            format!(
                "CUDA_DEVICE_ORDER cannot be required to be `{}`",
                order.get_ref()
            ),
            Some(format!(
                "only `{BY_PCI}` gives an index that means the same card everywhere"
            )),
        ))
    }

    /// Where no mask is given, and none follows from the cards.
    pub(in crate::policy) fn no_mask(&self) -> PolicyError {
        self.invalid(
            0..0,
            "CUDA_VISIBLE_DEVICES is not given and does not follow from the cards",
            Some("add `CUDA_VISIBLE_DEVICES = \"…\"` under `[environment]`".to_owned()),
        )
    }

    /// CUDA and the libraries above it each read odd values (`1gpu`, `+1`, ` 1`, `1;0`) in ways
    /// of their own. What a policy demands has one meaning: ranks or whole UUIDs of allowed
    /// cards, with single commas between them.
    pub(in crate::policy) fn check_visible_devices(
        &self,
        value: &Spanned<String>,
        cards: &[Card],
    ) -> Result<(), PolicyError> {
        let Err(problem) = shows_allowed_cards(value.get_ref(), cards) else {
            return Ok(());
        };
        Err(self.invalid(
            value.span(),
            format!("CUDA_VISIBLE_DEVICES = \"{}\" {problem}", value.get_ref()),
            visible_devices_for(cards)
                .map(|right| format!("the allowed cards are `CUDA_VISIBLE_DEVICES = \"{right}\"`")),
        ))
    }
}

/// What is wrong with a demanded value of `CUDA_VISIBLE_DEVICES`, to follow the value.
fn shows_allowed_cards(value: &str, cards: &[Card]) -> Result<(), String> {
    if value.is_empty() {
        return Err("selects no card".to_owned());
    }
    let entries: Vec<&str> = value.split(',').collect();
    let by_rank = entries.iter().filter(|entry| is_rank(entry)).count();
    if let Some(odd) = entries
        .iter()
        .find(|entry| !is_rank(entry) && !is_uuid(entry))
    {
        return Err(format!(
            "has `{odd}`, which is neither a PCI rank nor a whole UUID: write only those, with \
             single commas between them"
        ));
    }
    if by_rank != 0 && by_rank != entries.len() {
        return Err("mixes ranks and UUIDs, which CUDA does not promise to read".to_owned());
    }
    let mut shown: Vec<&Card> = Vec::new();
    for entry in entries {
        let card = cards
            .iter()
            .find(|card| match card.pci_rank {
                Some(rank) if is_rank(entry) => rank.to_string() == entry,
                _ => is_uuid_of(card, entry),
            })
            .ok_or_else(|| format!("selects a card that the policy does not name: `{entry}`"))?;
        if card.usage == Usage::Forbidden {
            return Err(format!("selects `{}`, which the policy forbids", card.name));
        }
        if shown.contains(&card) {
            return Err(format!(
                "names `{}` twice, which makes CUDA show no card",
                card.name
            ));
        }
        shown.push(card);
    }
    Ok(())
}

/// Whether `text` is a number as one writes it: no sign, no blank, no leading 0.
fn is_rank(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}
