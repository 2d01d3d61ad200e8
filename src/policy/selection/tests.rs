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

/// What an index selects, and why: `1 listed` is the card at PCI rank 1 by the mask's own entry,
/// `?` a card that cannot be told, `-` none.
fn chosen(cards: &[Card], order: Option<&str>, mask: Option<&str>, index: u32) -> String {
    let environment = CudaEnvironment {
        order,
        visible_devices: mask,
    };
    let (selected, why) = explain(cards, environment, index);
    assert_eq!(selected, select(cards, environment, index));
    let card = match selected {
        Selected::Allowed(card) => format!("{}", card.pci_rank.unwrap()),
        Selected::Forbidden(card) => format!("{}!", card.pci_rank.unwrap()),
        Selected::Unknown => "?".to_owned(),
        Selected::Nothing => "-".to_owned(),
    };
    let why = match why {
        Why::PciOrder => "pci".to_owned(),
        Why::Listed => "listed".to_owned(),
        Why::OrderOpen => "open".to_owned(),
        Why::NotNamed => "unnamed".to_owned(),
        Why::Beyond(shown) => format!("beyond {shown}"),
        Why::Ended(trouble) => format!("{trouble:?}"),
    };
    format!("{card} {why}")
}

/// Cards (`two`, as the rig; `gap`, with no card at rank 1; `bare`, without UUIDs), order, mask in
/// `<>`, and what the logical indices 0, 1 and 2 select.
const TABLE: &str = r#"
# Nothing masked.
two  | PCI_BUS_ID    | unset                   | 0! pci       | 1 pci        | ? unnamed
gap  | PCI_BUS_ID    | unset                   | 0! pci       | ? unnamed    | 2 pci
two  | unset         | unset                   | ? open       | ? open       | ? open
two  | FASTEST_FIRST | unset                   | ? open       | ? open       | ? open
two  | PCI_BUS       | unset                   | ? open       | ? open       | ? open
two  | pci_bus_id    | unset                   | ? open       | ? open       | ? open
# Numbers.
two  | PCI_BUS_ID    | <1>                     | 1 listed     | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <0>                     | 0! listed    | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <1,0>                   | 1 listed     | 0! listed    | - beyond 2
two  | PCI_BUS_ID    | < 1, 0 >                | 1 listed     | 0! listed    | - beyond 2
two  | PCI_BUS_ID    | <1,>                    | 1 listed     | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <+1,00>                 | 1 listed     | 0! listed    | - beyond 2
two  | unset         | <1>                     | ? open       | - beyond 1   | - beyond 1
two  | FASTEST_FIRST | <1,0>                   | ? open       | ? open       | - beyond 2
gap  | PCI_BUS_ID    | <1,2>                   | ? unnamed    | 2 listed     | - beyond 2
gap  | PCI_BUS_ID    | <7>                     | ? unnamed    | - beyond 1   | - beyond 1
# Read otherwise than written.
two  | PCI_BUS_ID    | <0-1>                   | 0! listed    | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <1;0>                   | 1 listed     | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <1gpu>                  | 1 listed     | - beyond 1   | - beyond 1
# The first entry that is none ends the list.
two  | PCI_BUS_ID    | <>                      | - Empty      | - Empty      | - Empty
two  | PCI_BUS_ID    | <  >                    | - Empty      | - Empty      | - Empty
two  | PCI_BUS_ID    | <-1>                    | - Negative   | - Negative   | - Negative
two  | PCI_BUS_ID    | <1,-1,0>                | 1 listed     | - Negative   | - Negative
two  | PCI_BUS_ID    | <1,,0>                  | 1 listed     | - Empty      | - Empty
two  | PCI_BUS_ID    | <,1>                    | - Empty      | - Empty      | - Empty
two  | PCI_BUS_ID    | <'1'>                   | - Quoted     | - Quoted     | - Quoted
two  | PCI_BUS_ID    | <1,"0">                 | 1 listed     | - Quoted     | - Quoted
two  | PCI_BUS_ID    | <all>                   | - Word       | - Word       | - Word
two  | PCI_BUS_ID    | <none>                  | - Word       | - Word       | - Word
two  | PCI_BUS_ID    | <cuda:1>                | - Word       | - Word       | - Word
two  | PCI_BUS_ID    | <[0, 1]>                | - Word       | - Word       | - Word
two  | PCI_BUS_ID    | <2>                     | - BeyondLast | - BeyondLast | - BeyondLast
two  | PCI_BUS_ID    | <1,2,0>                 | 1 listed     | - BeyondLast | - BeyondLast
two  | unset         | <2>                     | - BeyondLast | - BeyondLast | - BeyondLast
two  | PCI_BUS_ID    | <99999999999999999999>  | - BeyondLast | - BeyondLast | - BeyondLast
# A card named twice empties it.
two  | PCI_BUS_ID    | <1,1>                   | - Duplicate  | - Duplicate  | - Duplicate
two  | PCI_BUS_ID    | <0,1,0>                 | - Duplicate  | - Duplicate  | - Duplicate
two  | PCI_BUS_ID    | <1,01>                  | - Duplicate  | - Duplicate  | - Duplicate
two  | PCI_BUS_ID    | <ONE,GPU-8955>          | - Duplicate  | - Duplicate  | - Duplicate
# UUIDs need no order.
two  | unset         | <ONE>                   | 1 listed     | - beyond 1   | - beyond 1
two  | unset         | <GPU-8932>              | 0! listed    | - beyond 1   | - beyond 1
two  | unset         | <ONE,ZERO>              | 1 listed     | 0! listed    | - beyond 2
two  | PCI_BUS_ID    | <ONE, ZERO>             | 1 listed     | - Blank      | - Blank
two  | PCI_BUS_ID    | <GPU-89>                | - Ambiguous  | - Ambiguous  | - Ambiguous
two  | PCI_BUS_ID    | <GPU-ffff>              | ? unnamed    | - beyond 1   | - beyond 1
bare | PCI_BUS_ID    | <ONE>                   | ? unnamed    | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <MIG-GPU-8955aaaa/1/0>  | ? unnamed    | - beyond 1   | - beyond 1
two  | PCI_BUS_ID    | <0,ONE>                 | 0! listed    | ? Mixed      | - Mixed
"#;

#[test]
fn every_order_every_form_every_index() {
    let two = rig();
    let mut bare = rig();
    for card in &mut bare {
        card.uuid = None;
    }
    let mut gap = rig();
    gap[1].pci_rank = Some(2);
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in TABLE.lines().filter(|line| line.contains('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let cards = match cells[0] {
            "two" => &two,
            "bare" => &bare,
            _ => &gap,
        };
        let order = Some(cells[1]).filter(|order| *order != "unset");
        let mask = cells[2].strip_prefix('<').map(|mask| {
            let mask = mask.strip_suffix('>').unwrap();
            mask.replace("ONE", ONE).replace("ZERO", ZERO)
        });
        for (index, expected) in (0..).zip(&cells[3..]) {
            let found = chosen(cards, order, mask.as_deref(), index);
            if found != *expected {
                wrong.push(format!("{line}: {found} for {index}"));
            }
        }
        rows += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 40);
}

#[test]
fn what_hides_every_card_on_purpose_is_known() {
    let cards = rig();
    for (value, hides) in [
        ("", true),
        (" ", true),
        ("-1", true),
        ("-2", true),
        ("none", true),
        ("None", true),
        ("NoDevFiles", true),
        ("all", false),
        ("'-1'", false),
        ("''", false),
        ("-1,0", false),
        ("2", false),
        ("1,1", false),
        ("0", false),
    ] {
        assert_eq!(Mask::read(&cards, value).hides_all(), hides, "{value:?}");
    }
}
