//! Policies to start from: the founding rig's, or one made from the cards that were found.

use std::fmt::Write as _;

use super::{Card, Usage};

/// A ready-made policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// RTX 5060 Ti at PCI rank 0 forbidden, RTX 3090 at PCI rank 1 allowed.
    Rtx3090,
}

impl Preset {
    /// The policy file, with comments for a newcomer.
    pub fn text(self) -> &'static str {
        match self {
            Self::Rtx3090 => include_str!("preset_rtx3090.toml"),
        }
    }
}

/// A policy file for the cards of a machine, each with its name, UUID and rank.
pub fn policy_for_cards(cards: &[Card]) -> String {
    let mut text = String::from(
        "# gpuguard policy: which graphics cards this project's code may use.\n\
         # Written from the cards that NVML found on this machine. Check each `use`: the card with\n\
         # the most memory was taken to be the one for the work.\n\
         version = 1\n",
    );
    for card in cards {
        let usage = match card.usage {
            Usage::Allowed => "allowed",
            Usage::Forbidden => "forbidden",
        };
        let _ = write!(text, "\n[[card]]\nname = {}\n", toml_string(&card.name));
        if let Some(uuid) = &card.uuid {
            let _ = writeln!(text, "uuid = {}", toml_string(uuid));
        }
        if let Some(rank) = card.pci_rank {
            let _ = writeln!(text, "pci-rank = {rank}");
        }
        let _ = writeln!(text, "use = \"{usage}\"");
        if let Some(memory) = card.min_memory_gib {
            let _ = writeln!(text, "min-memory-gib = {memory}");
        }
    }
    let visible = visible_devices_for(cards).unwrap_or_default();
    let _ = write!(
        text,
        "\n# What code must set before it touches CUDA. The cards it names are then the only ones a\n\
         # program sees, numbered from 0 in this order.\n\
         [environment]\n\
         CUDA_DEVICE_ORDER = \"PCI_BUS_ID\"\n\
         CUDA_VISIBLE_DEVICES = {}\n\
         set-in = \"each-file\"     # \"each-file\" that uses the GPU, \"entry-points\" only, or \"outside\" the code\n\
         \n\
         [hook]\n\
         on-error = \"block\"       # a failure of gpuguard itself: \"block\" the commit or let it \"pass\"\n\
         \n\
         [gpu-check]\n\
         mode = \"auto\"            # \"auto\": when GPU code is committed; \"required\": a missing driver blocks; \"off\"\n",
        toml_string(&visible)
    );
    text
}

/// The value of `CUDA_VISIBLE_DEVICES` that shows exactly the allowed cards: their ranks, or
/// their UUIDs where a rank is not known.
pub(super) fn visible_devices_for(cards: &[Card]) -> Option<String> {
    let allowed = || cards.iter().filter(|card| card.usage == Usage::Allowed);
    let ranks: Option<Vec<String>> = allowed()
        .map(|card| card.pci_rank.map(|rank| rank.to_string()))
        .collect();
    let uuids = || {
        allowed()
            .map(|card| card.uuid.clone())
            .collect::<Option<Vec<String>>>()
    };
    ranks
        .or_else(uuids)
        .filter(|entries| !entries.is_empty())
        .map(|entries| entries.join(","))
}

/// `value` as a TOML basic string.
fn toml_string(value: &str) -> String {
    // JSON escapes what TOML does, but for one control character.
    serde_json::Value::from(value)
        .to_string()
        .replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_written_is_a_policy() {
        let cards = vec![
            Card {
                name: "NVIDIA \"GeForce\" RTX\u{7f} 5060 Ti".to_owned(),
                usage: Usage::Forbidden,
                uuid: Some("GPU-11111111-2222-3333-4444-555555555555".to_owned()),
                pci_rank: Some(0),
                min_memory_gib: None,
            },
            Card {
                name: "NVIDIA GeForce RTX 3090".to_owned(),
                usage: Usage::Allowed,
                uuid: Some("GPU-aaaaaaaa-2222-3333-4444-555555555555".to_owned()),
                pci_rank: Some(1),
                min_memory_gib: Some(20),
            },
        ];
        let text = policy_for_cards(&cards);
        let policy = crate::policy::parse(Path::new("gpuguard.toml"), text.as_bytes()).unwrap();
        assert_eq!(policy.cards, cards);
        assert_eq!(policy.environment.visible_devices, "1");
    }
}
