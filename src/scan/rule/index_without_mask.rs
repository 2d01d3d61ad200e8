//! GG007: a card chosen by number where nothing says which cards there are.

use super::situation::{Mask, ORDER, VISIBLE};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::policy::selection::Selected;
use crate::scan::fact::{Fact, FactKind};

pub(super) const RULE: Rule = Rule {
    code: "GG007",
    name: "index-without-mask",
    summary: "a card index in a file that does not set CUDA_VISIBLE_DEVICES",
    page: include_str!("index_without_mask.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let draft = |(fact, index): (&Fact, u32)| {
        let mut draft = Draft::on(fact, About::Line);
        let which = match situation.selected_unmasked(index) {
            Selected::Allowed(card) => format!("the {} today, but only by its number", card.name),
            Selected::Forbidden(card) => format!("the {}, which must not be used", card.name),
            Selected::Nothing => "no card".to_owned(),
            Selected::Unknown => format!(
                "whichever card CUDA counts as {index} (without {ORDER} it sorts by its own guess \
                 of speed), perhaps {}",
                situation.forbidden()
            ),
        };
        draft.message = format!("index {index} without {VISIBLE} selects {which}");
        "card chosen by number".clone_into(&mut draft.label);
        let then = match fact.kind {
            FactKind::SelectMachineCard { .. } => {
                "and name the card by the number that it has in the machine"
            }
            _ => "then use index 0 (\"cuda:0\") for the first card it shows",
        };
        draft.help = format!("set {} first, {then}", situation.required());
        draft.remedy = Some(situation.set_first());
        draft
    };
    let unmasked = situation
        .indices()
        .chain(situation.machine_cards())
        .filter(|(fact, _)| situation.mask(fact) == Mask::Missing);
    unmasked.map(draft).collect()
}
