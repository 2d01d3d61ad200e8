//! GG015: the order in which nobody knows the cards, asked for by name.

use super::situation::{ORDER, Situation};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG015",
    name: "fastest-first",
    summary: "CUDA_DEVICE_ORDER is FASTEST_FIRST, so card numbers follow CUDA's guess of speed",
    page: include_str!("fastest_first.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let required = &situation.policy.environment.device_order;
    let written = situation
        .values(ORDER)
        .filter(|(_, _, value)| *value == "FASTEST_FIRST" && value != required);
    written
        .map(|(fact, _, value)| {
            let mut draft = Draft::on(fact, About::Line);
            draft.message = format!(
                "{ORDER}={value} sorts the cards by CUDA's own guess of their speed: an index, and \
                 a mask, may mean {}",
                situation.forbidden()
            );
            "no fixed card order".clone_into(&mut draft.label);
            draft.help = format!("set {ORDER} to \"{required}\"");
            draft.remedy = Some(Remedy {
                change: Change::Value(required.clone()),
                safety: Safety::Safe,
            });
            draft
        })
        .collect()
}
