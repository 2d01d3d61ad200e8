//! The forms of the two variables that are met in the wild, and what they select.

use super::*;

const ZERO: &str = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6";
const ONE: &str = "GPU-8955aaaa-1111-2222-3333-444444444444";

/// The founding rig, with UUIDs.
fn rig() -> Vec<Card> {
    let card = |name: &str, usage, uuid: &str, rank| Card {
        name: name.to_owned(),
        usage,
        uuid: Some(uuid.to_owned()),
        pci_rank: Some(rank),
        min_memory_gib: None,
    };
    vec![
        card("RTX 5060 Ti", Usage::Forbidden, ZERO, 0),
        card("RTX 3090", Usage::Allowed, ONE, 1),
    ]
}

/// The ranks that are visible, in order: `?` is a card that cannot be told, `…` more behind.
fn seen(cards: &[Card], order: Option<&str>, mask: Option<&str>) -> String {
    let environment = CudaEnvironment {
        order,
        visible_devices: mask,
    };
    let seen = visible(cards, environment);
    let mut shown: Vec<String> = seen
        .slots
        .iter()
        .map(|slot| match slot {
            Slot::Card(card) => card.pci_rank.unwrap().to_string(),
            Slot::Unknown => "?".to_owned(),
        })
        .collect();
    if seen.open_ended {
        shown.push("…".to_owned());
    }
    shown.join(" ")
}

#[test]
fn masks_in_pci_order() {
    let both = format!("{ONE},{ZERO}");
    let spaced = format!("{ONE}, {ZERO}");
    let trailing = format!("{ONE} ,{ZERO}");
    let twice = format!("{ONE},{ONE}");
    let mixed = format!("0,{ONE}");
    let mixed_after = format!("{ONE},0");
    let upper = ONE.to_uppercase();
    let cases = [
        // Lists, renumbered in their order.
        ("1", "1"),
        ("0", "0"),
        ("0,1", "0 1"),
        ("1,0", "1 0"),
        // The first invalid entry ends the list.
        ("", ""),
        ("-1", ""),
        ("2", ""),
        ("0,2,1", "0"),
        ("0,-1,1", "0"),
        ("1,,0", "1"),
        (",1", ""),
        ("1,", "1"),
        ("99999999999999999999", ""),
        // A card named twice empties the list.
        ("1,1", ""),
        ("0,1,0", ""),
        (&twice, ""),
        // Numbers are read as strtoul does.
        (" 1", "1"),
        ("1 ", "1"),
        ("1, 0", "1 0"),
        ("+1", "1"),
        ("++1", ""),
        ("01", "1"),
        ("1gpu2,0ampere", "1 0"),
        ("0-3", "0"),
        ("1;0", "1"),
        // Quotes that stayed, and words of other tools.
        ("'1'", ""),
        ("\"1\"", ""),
        ("all", ""),
        ("none", ""),
        ("NoDevFiles", ""),
        ("cuda:1", ""),
        // UUIDs, by any prefix that only one card has.
        (ONE, "1"),
        (&upper, "1"),
        ("GPU-8955", "1"),
        ("GPU-8932f937", "0"),
        ("GPU-89", ""),
        ("GPU-", ""),
        (&both, "1 0"),
        ("GPU-ffff", "?"),
        ("MIG-GPU-8955aaaa/1/0", "?"),
        // Blanks and quotes are no part of a UUID.
        (&spaced, "1"),
        (&trailing, ""),
        ("\"GPU-8955\"", ""),
        // Without GPU- it is the number that it starts with.
        ("8955aaaa", ""),
        // Ranks and UUIDs in one list: nobody promises what that means.
        (&mixed, "0 ?"),
        (&mixed_after, "1 ?"),
    ];
    for (mask, expected) in cases {
        assert_eq!(
            seen(&rig(), Some("PCI_BUS_ID"), Some(mask)),
            expected,
            "{mask:?}"
        );
    }
}

#[test]
fn without_the_order_only_a_uuid_tells_the_card() {
    for order in [None, Some("FASTEST_FIRST"), Some("pci_bus_id"), Some("")] {
        assert_eq!(seen(&rig(), order, Some("1")), "?", "{order:?}");
        assert_eq!(seen(&rig(), order, Some("0,1")), "? ?", "{order:?}");
        assert_eq!(seen(&rig(), order, Some("2")), "", "{order:?}");
        assert_eq!(seen(&rig(), order, Some("1,1")), "", "{order:?}");
        assert_eq!(seen(&rig(), order, Some(ONE)), "1", "{order:?}");
        assert_eq!(seen(&rig(), order, None), "? ? …", "{order:?}");
    }
}

#[test]
fn without_a_mask_all_cards_show() {
    assert_eq!(seen(&rig(), Some("PCI_BUS_ID"), None), "0 1 …");
    // Ranks that the policy does not name are cards it knows nothing of.
    let mut gap = rig();
    gap[1].pci_rank = Some(2);
    assert_eq!(seen(&gap, Some("PCI_BUS_ID"), None), "0 ? 2 …");
    assert_eq!(seen(&gap, Some("PCI_BUS_ID"), Some("1,2,7")), "? 2 ?");
}

#[test]
fn a_rank_that_no_machine_has_takes_no_room() {
    for rank in [64, 1_000_000_000, u32::MAX] {
        let mut far = rig();
        far[1].pci_rank = Some(rank);
        let bare = CudaEnvironment {
            order: Some("PCI_BUS_ID"),
            visible_devices: None,
        };
        assert_eq!(visible(&far, bare).slots.len(), MOST_CARDS as usize);
        assert_eq!(select(&far, bare, rank), Selected::Unknown);
    }
}

#[test]
fn an_index_counts_in_the_mask() {
    let cards = rig();
    let mask = |mask| CudaEnvironment {
        order: Some("PCI_BUS_ID"),
        visible_devices: mask,
    };
    assert_eq!(
        select(&cards, mask(Some("1")), 0),
        Selected::Allowed(&cards[1])
    );
    assert_eq!(select(&cards, mask(Some("1")), 1), Selected::Nothing);
    assert_eq!(
        select(&cards, mask(Some("0,1")), 0),
        Selected::Forbidden(&cards[0])
    );
    assert_eq!(select(&cards, mask(Some("")), 0), Selected::Nothing);
    assert_eq!(select(&cards, mask(None), 1), Selected::Allowed(&cards[1]));
    assert_eq!(select(&cards, mask(None), 5), Selected::Unknown);
    let bare = CudaEnvironment::default();
    assert_eq!(select(&cards, bare, 1), Selected::Unknown);
}
