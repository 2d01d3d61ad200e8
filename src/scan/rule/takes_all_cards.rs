//! GG008: a default that works on every card, where nothing says which cards there are.

use super::situation::{Mask, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::FactKind;

pub(super) const RULE: Rule = Rule {
    code: "GG008",
    name: "takes-all-cards",
    summary: "a default that takes every card, without a mask",
    page: include_str!("takes_all_cards.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let facts = situation.facts.facts.iter();
    facts
        // A mask that shows a wrong card is the mask's fault, and said there.
        .filter(|fact| fact.kind == FactKind::TakesAll && situation.mask(fact) == Mask::Missing)
        .map(|fact| {
            let mut draft = Draft::on(fact, About::Line);
            draft.message = format!(
                "{} takes every card it sees, and without {VISIBLE} it sees all of them, {} too",
                fact.api,
                situation.forbidden()
            );
            "takes every card".clone_into(&mut draft.label);
            draft.help = format!("set {} first", situation.required());
            draft.remedy = Some(situation.set_first());
            draft
        })
        .collect()
}
