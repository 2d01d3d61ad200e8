//! What is checked beyond TOML's own grammar; every complaint points into the file.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use super::file::SetInWord;
use super::file::{CardEntry, EnvironmentTable, UsageWord};
use super::{Card, MOST_CARDS, PolicyError, RequiredEnvironment, SetIn, Usage};
use crate::text::LineIndex;

/// The file being checked, for messages that point into it.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Place<'_> {
    pub(super) fn invalid(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PolicyError {
        let index = LineIndex::new(self.text);
        PolicyError::Invalid {
            path: self.path.to_owned(),
            position: index.position(self.text, span.start),
            line_text: index.line_text(self.text, span.start).to_owned(),
            message: message.into(),
            hint,
        }
    }

    pub(super) fn invalid_syntax(&self, error: &toml::de::Error) -> PolicyError {
        let message = error.message();
        let hint = suggestion(message);
        self.invalid(
            error.span().unwrap_or(0..0),
            message.trim().replace('\n', " "),
            hint,
        )
    }

    pub(super) fn cards(&self, entries: Vec<Spanned<CardEntry>>) -> Result<Vec<Card>, PolicyError> {
        let mut cards: Vec<Card> = Vec::with_capacity(entries.len());
        for entry in entries {
            let whole = entry.span();
            let entry = entry.into_inner();
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
            if entry.uuid.is_none() && entry.pci_rank.is_none() {
                return Err(self.invalid(
                    whole,
                    format!("nothing says which card `{}` is", entry.name.get_ref()),
                    Some("give it `pci-rank = N` (its place by PCI address, from 0) or `uuid = \"GPU-…\"`; `nvidia-smi -L` lists both".to_owned()),
                ));
            }
            if let Some(rank) = &entry.pci_rank {
                self.check_rank(rank)?;
            }
            let card = Card {
                name: entry.name.into_inner(),
                usage: match entry.usage {
                    UsageWord::Allowed => Usage::Allowed,
                    UsageWord::Forbidden => Usage::Forbidden,
                },
                uuid: entry.uuid.as_ref().map(|uuid| uuid.get_ref().clone()),
                pci_rank: entry.pci_rank.as_ref().map(|rank| *rank.get_ref()),
                min_memory_gib: entry.min_memory_gib,
            };
            if let (Some(rank), Some(other)) = (
                &entry.pci_rank,
                cards
                    .iter()
                    .find(|c| c.pci_rank.is_some() && c.pci_rank == card.pci_rank),
            ) {
                return Err(self.invalid(
                    rank.span(),
                    format!(
                        "`{}` and `{}` have the same PCI rank",
                        other.name, card.name
                    ),
                    Some("each card has a rank of its own, counted from 0".to_owned()),
                ));
            }
            if let (Some(uuid), Some(other)) = (
                &entry.uuid,
                cards
                    .iter()
                    .find(|c| c.uuid.is_some() && c.uuid == card.uuid),
            ) {
                return Err(self.invalid(
                    uuid.span(),
                    format!("`{}` and `{}` have the same UUID", other.name, card.name),
                    None,
                ));
            }
            cards.push(card);
        }
        if !cards.iter().any(|card| card.usage == Usage::Allowed) {
            let message = if cards.is_empty() {
                "the policy names no card"
            } else {
                "the policy allows no card"
            };
            return Err(self.invalid(
                0..0,
                message,
                Some(
                    "add a `[[card]]` with `use = \"allowed\"`; `gpuguard init` writes an example"
                        .to_owned(),
                ),
            ));
        }
        Ok(cards)
    }

    pub(super) fn environment(
        &self,
        table: &EnvironmentTable,
        cards: &[Card],
    ) -> Result<RequiredEnvironment, PolicyError> {
        if let Some(order) = &table.device_order
            && order.get_ref() != "PCI_BUS_ID"
        {
            return Err(self.invalid(
                order.span(),
                format!(
                    "CUDA_DEVICE_ORDER cannot be required to be `{}`",
                    order.get_ref()
                ),
                Some(
                    "only `PCI_BUS_ID` gives an index that means the same card everywhere"
                        .to_owned(),
                ),
            ));
        }
        let device_order = "PCI_BUS_ID".to_owned();
        let visible_devices = match &table.visible_devices {
            Some(value) => {
                self.check_visible_devices(value, cards)?;
                value.get_ref().clone()
            }
            None => super::preset::visible_devices_for(cards).ok_or_else(|| {
                self.invalid(
                    0..0,
                    "CUDA_VISIBLE_DEVICES is not given and does not follow from the cards",
                    Some("add `CUDA_VISIBLE_DEVICES = \"…\"` under `[environment]`".to_owned()),
                )
            })?,
        };
        let set_in = match table.set_in {
            SetInWord::EachFile => SetIn::EachFile,
            SetInWord::EntryPoints => SetIn::EntryPoints,
            SetInWord::Outside => SetIn::Outside,
        };
        Ok(RequiredEnvironment {
            device_order,
            visible_devices,
            set_in,
        })
    }

    fn check_visible_devices(
        &self,
        value: &Spanned<String>,
        cards: &[Card],
    ) -> Result<(), PolicyError> {
        use super::selection::{CudaEnvironment, Slot, visible};
        let environment = CudaEnvironment {
            order: Some("PCI_BUS_ID"),
            visible_devices: Some(value.get_ref()),
        };
        let seen = visible(cards, environment);
        let problem = if seen.slots.is_empty() {
            Some("selects no card".to_owned())
        } else {
            seen.slots.iter().find_map(|slot| match slot {
                Slot::Card(card) if card.usage == Usage::Forbidden => {
                    Some(format!("selects `{}`, which the policy forbids", card.name))
                }
                Slot::Unknown => Some("selects a card that the policy does not name".to_owned()),
                Slot::Card(_) => None,
            })
        };
        match problem {
            None => Ok(()),
            Some(problem) => Err(self.invalid(
                value.span(),
                format!("CUDA_VISIBLE_DEVICES = \"{}\" {problem}", value.get_ref()),
                super::preset::visible_devices_for(cards).map(|right| {
                    format!("the allowed cards are `CUDA_VISIBLE_DEVICES = \"{right}\"`")
                }),
            )),
        }
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
        let groups: Vec<&str> = uuid
            .get_ref()
            .strip_prefix("GPU-")
            .unwrap_or_default()
            .split('-')
            .collect();
        let right = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups
                .iter()
                .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
        if right {
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

    pub(super) fn check_rule_code(&self, code: &Spanned<String>) -> Result<(), PolicyError> {
        let text = code.get_ref();
        let number = text
            .strip_prefix("GG")
            .and_then(|digits| digits.parse::<u32>().ok());
        if text.len() == 5 && number.is_some_and(|number| (1..=18).contains(&number)) {
            return Ok(());
        }
        Err(self.invalid(
            code.span(),
            format!("`{text}` is not the code of a rule"),
            Some("codes are GG001 to GG018; `gpuguard rule` lists the rules".to_owned()),
        ))
    }

    pub(super) fn check_glob(&self, glob: &Spanned<String>) -> Result<(), PolicyError> {
        let mut builder = ignore::gitignore::GitignoreBuilder::new("");
        match builder.add_line(None, glob.get_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.invalid(
                glob.span(),
                format!("`{}` is not a valid glob: {error}", glob.get_ref()),
                None,
            )),
        }
    }
}

/// What was probably meant. serde words an unknown key or value as ``unknown field `a`,
/// expected one of `b`, `c` ``: the first name is the reader's, the others are ours.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let written = names.next()?;
    let known: Vec<&str> = names.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3).max(1));
    match nearest {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}
