//! GG013: a number from NVML where CUDA counts.

use super::situation::{Mask, Situation, VISIBLE, written};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::Slot;
use crate::scan::fact::{Certainty, FactKind};

pub(super) const RULE: Rule = Rule {
    code: "GG013",
    name: "nvml-index",
    summary: "a card's number in NVML is used as its index in CUDA",
    page: include_str!("nvml_index.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for fact in &situation.facts.facts {
        if fact.kind != FactKind::CountedByNvml {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        "counted by NVML".clone_into(&mut draft.label);
        // A mask is counted as NVML counts, where the order is by PCI address.
        let is_mask = situation
            .variables()
            .any(|(write, _)| write.span == fact.span);
        let mask = match situation.mask(fact) {
            Mask::InFile(mask) | Mask::FromPolicy(mask) => Some(mask),
            Mask::Missing | Mask::NotKnown => None,
        };
        if let Some(mask) = mask.filter(|mask| !is_mask && renumbers(situation, mask)) {
            draft.message = format!(
                "NVML counts every card of the machine, CUDA only those that {VISIBLE}={} shows, \
                 from 0: the number is another card here, or none",
                written(mask)
            );
            "use index 0, or find the card by its UUID".clone_into(&mut draft.help);
        } else {
            draft.certainty = Certainty::Fragile;
            draft.message = format!(
                "NVML counts every card of the machine, whatever the policy allows: this may be {}",
                situation.forbidden()
            );
            draft.help = format!("set {} instead", situation.required());
        }
        drafts.push(draft);
    }
    drafts
}

/// Whether a mask surely gives cards other numbers than NVML does.
fn renumbers(situation: &Situation<'_>, mask: &str) -> bool {
    let shown = situation.shown_by(mask).slots;
    (0..).zip(shown).any(|(index, slot)| match slot {
        Slot::Card(card) => card.pci_rank.is_some_and(|rank| rank != index),
        Slot::Unknown => false,
    })
}
