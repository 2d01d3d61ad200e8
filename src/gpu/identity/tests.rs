//! Cards of a policy against cards of a machine.

use std::path::Path;

use super::*;

const SMALL: &str = "GPU-50600011-2222-3333-4444-555555555555";
const LARGE: &str = "GPU-309000aa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// A machine with these cards by PCI rank: name, UUID, memory in GiB.
fn machine(cards: &[(&str, &str, u64)]) -> Inventory {
    let cards = (0..)
        .zip(cards)
        .map(|(rank, (name, uuid, gib))| InventoryCard {
            pci_rank: rank,
            nvml_index: rank,
            facts: CardFacts {
                name: (*name).to_owned(),
                uuid: (*uuid).to_owned(),
                pci_bus_id: format!("00000000:{rank:02X}:00.0"),
                memory_bytes: Some(gib << 30),
                compute_capability: None,
            },
            memory_used_bytes: None,
            compute_mode: None,
            display_active: None,
            persistence_mode: None,
        })
        .collect();
    Inventory {
        driver_version: "575.64".to_owned(),
        cards,
    }
}

fn founding_rig() -> Inventory {
    machine(&[
        ("NVIDIA GeForce RTX 5060 Ti", SMALL, 16),
        ("NVIDIA GeForce RTX 3090", LARGE, 24),
    ])
}

/// A policy of `[[card]]` tables, each given as its lines.
fn policy(cards: &[&str], rest: &str) -> Policy {
    let cards: Vec<String> = cards
        .iter()
        .map(|card| format!("[[card]]\n{card}\n"))
        .collect();
    let text = format!("version = 1\n{}{rest}", cards.concat());
    crate::policy::parse(Path::new("gpuguard.toml"), text.as_bytes()).unwrap()
}

const FORBIDDEN: &str = "name = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"forbidden\"";
const ALLOWED: &str = "name = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\nmin-memory-gib = 20";

fn uuids(found: Result<Vec<&InventoryCard>, IdentityMismatch>) -> Vec<String> {
    let cards = found.unwrap();
    cards
        .into_iter()
        .map(|card| card.facts.uuid.clone())
        .collect()
}

#[test]
fn the_rank_finds_the_card_whatever_nvml_counts() {
    let policy = policy(&[FORBIDDEN, ALLOWED], "");
    assert_eq!(uuids(expected(&policy, &founding_rig())), [LARGE]);
}

#[test]
fn the_uuid_finds_the_card_at_any_rank() {
    let uuid = LARGE.to_uppercase();
    let allowed = format!("name = \"rtx 3090\"\nuuid = \"{uuid}\"\nuse = \"allowed\"");
    let policy = policy(&[&allowed], "");
    assert_eq!(uuids(expected(&policy, &founding_rig())), [LARGE]);
    let turned = machine(&[("RTX 3090", LARGE, 24), ("RTX 5060 Ti", SMALL, 16)]);
    assert_eq!(uuids(expected(&policy, &turned)), [LARGE]);
}

#[test]
fn several_allowed_cards_keep_the_order_of_the_mask() {
    let first = ALLOWED.replace("pci-rank = 1", "pci-rank = 0");
    let second = ALLOWED;
    let rest = "[environment]\nCUDA_VISIBLE_DEVICES = \"1,0\"\n";
    let policy = policy(&[&first, second], rest);
    let rig = machine(&[("RTX 3090", SMALL, 24), ("RTX 3090", LARGE, 24)]);
    assert_eq!(uuids(expected(&policy, &rig)), [LARGE, SMALL]);
}

#[test]
fn a_uuid_at_another_rank_than_the_policy_says_is_a_mismatch() {
    let allowed = format!("{ALLOWED}\nuuid = \"{LARGE}\"");
    let policy = policy(&[FORBIDDEN, &allowed], "");
    let turned = machine(&[("RTX 3090", LARGE, 24), ("RTX 5060 Ti", SMALL, 16)]);
    assert_eq!(
        expected(&policy, &turned),
        Err(IdentityMismatch::OtherRank {
            name: "RTX 3090".to_owned(),
            rank: 1,
            found: 0,
        })
    );
}

#[test]
fn each_difference_has_its_own_error() {
    let policy = policy(&[FORBIDDEN, ALLOWED], "");
    let name = || "RTX 3090".to_owned();
    let turned = machine(&[("RTX 3090", LARGE, 24), ("RTX 5060 Ti", SMALL, 16)]);
    assert_eq!(
        expected(&policy, &turned),
        Err(IdentityMismatch::OtherName {
            name: name(),
            rank: 1,
            found: "RTX 5060 Ti".to_owned(),
        })
    );
    let alone = machine(&[("RTX 3090", LARGE, 24)]);
    assert_eq!(
        expected(&policy, &alone),
        Err(IdentityMismatch::NoSuchRank {
            name: name(),
            rank: 1,
            cards: 1,
        })
    );
    let small = machine(&[("RTX 5060 Ti", SMALL, 16), ("RTX 3090", LARGE, 12)]);
    assert_eq!(
        expected(&policy, &small),
        Err(IdentityMismatch::TooSmall {
            name: name(),
            found: name(),
            found_mib: 12 * 1024,
            least: 20,
        })
    );
}

#[test]
fn a_forbidden_uuid_is_refused_under_any_name() {
    let forbidden = format!("{FORBIDDEN}\nuuid = \"{LARGE}\"");
    let policy = policy(&[&forbidden, ALLOWED], "");
    assert_eq!(
        expected(&policy, &founding_rig()),
        Err(IdentityMismatch::IsForbidden {
            name: "RTX 3090".to_owned(),
            uuid: LARGE.to_owned(),
            forbidden: "RTX 5060 Ti".to_owned(),
        })
    );
}

#[test]
fn a_uuid_that_no_card_has_is_a_mismatch() {
    let uuid = "GPU-00000000-0000-0000-0000-000000000000";
    let allowed = format!("name = \"RTX 3090\"\nuuid = \"{uuid}\"\nuse = \"allowed\"");
    assert_eq!(
        expected(&policy(&[&allowed], ""), &founding_rig()),
        Err(IdentityMismatch::NoSuchUuid {
            name: "RTX 3090".to_owned(),
            uuid: uuid.to_owned(),
        })
    );
}

#[test]
fn an_unknown_memory_is_no_mismatch() {
    let mut rig = founding_rig();
    rig.cards[1].facts.memory_bytes = None;
    let policy = policy(&[FORBIDDEN, ALLOWED], "");
    assert_eq!(uuids(expected(&policy, &rig)), [LARGE]);
}

#[test]
fn a_card_of_the_machine_is_found_in_the_policy() {
    let policy = policy(&[FORBIDDEN, ALLOWED], "");
    let rig = founding_rig();
    let names: Vec<_> = rig
        .cards
        .iter()
        .map(|card| policy_card(&policy, card).map(|card| card.name.as_str()))
        .collect();
    assert_eq!(names, [Some("RTX 5060 Ti"), Some("RTX 3090")]);
    let other = machine(&[("NVIDIA T400", SMALL, 4)]);
    assert_eq!(policy_card(&policy, &other.cards[0]), None);
}
