//! GG010: a number of cards where a certain card was meant.

use super::situation::{Mask, Situation, VISIBLE, cards_shown, written};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::{Selected, Slot};
use crate::scan::fact::{Certainty, FactKind};

pub(super) const RULE: Rule = Rule {
    code: "GG010",
    name: "count-as-index",
    summary: "a count of cards takes the first ones, or more than the mask shows",
    page: include_str!("count_as_index.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for fact in &situation.facts.facts {
        let FactKind::TakesCount { count } = &fact.kind else {
            continue;
        };
        let Some(count) = count.known().copied().filter(|count| *count > 0) else {
            continue;
        };
        let mut draft = Draft::on(fact, About::Line);
        match situation.mask(fact) {
            Mask::NotKnown => continue,
            Mask::Missing => {
                draft.certainty = Certainty::Fragile;
                draft.message = format!(
                    "{count} is a number of cards, not a card: without {VISIBLE} it takes {}",
                    first_cards(situation, count)
                );
                "the first cards that CUDA counts".clone_into(&mut draft.label);
                draft.help = format!("set {} first", situation.required());
                // Where the policy's mask shows fewer cards, it makes this another finding only.
                let required = &situation.policy.environment.visible_devices;
                let mends = count as usize <= situation.shown_by(required).slots.len();
                draft.remedy = mends.then(|| situation.set_first());
            }
            Mask::InFile(mask) | Mask::FromPolicy(mask) => {
                let shown = situation.shown_by(mask).slots;
                if count as usize <= shown.len() {
                    continue;
                }
                draft.message = format!(
                    "{count} cards are asked for, and {VISIBLE}={} shows {}: {}",
                    written(mask),
                    shown.len(),
                    cards_shown(&shown)
                );
                "more cards than there are".clone_into(&mut draft.label);
                // Of a mask with a wrong card in it, less will be left.
                let required = &situation.policy.environment.visible_devices;
                let right = situation.shown_by(required).slots.len().min(shown.len());
                draft.help =
                    format!("this is a number of cards, not the index of one: ask for {right}");
            }
        }
        drafts.push(draft);
    }
    drafts
}

fn first_cards(situation: &Situation<'_>, count: u32) -> String {
    /// More names than these say nothing.
    const MOST: u32 = 4;
    let first: Vec<Slot<'_>> = (0..count.min(MOST))
        .filter_map(|index| match situation.selected_unmasked(index) {
            Selected::Allowed(card) | Selected::Forbidden(card) => Some(Slot::Card(card)),
            Selected::Nothing | Selected::Unknown => None,
        })
        .collect();
    if first.is_empty() {
        format!(
            "the first that CUDA counts, by its own guess of speed: perhaps {}",
            situation.forbidden()
        )
    } else {
        format!("the first that CUDA counts: {}", cards_shown(&first))
    }
}
