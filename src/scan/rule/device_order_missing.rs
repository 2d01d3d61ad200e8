//! GG001: without `CUDA_DEVICE_ORDER` no number means a certain card.

use super::situation::{ORDER, VISIBLE};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::fact::Value;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG001",
    name: "device-order-missing",
    summary: "CUDA_DEVICE_ORDER is not set, so card numbers mean whatever CUDA thinks is fastest",
    page: include_str!("device_order_missing.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let required = &situation.policy.environment.device_order;
    let help = format!("set {ORDER} to \"{required}\" before anything uses CUDA");
    let mut set = false;
    let mut wrong = Vec::new();
    for (fact, write) in situation.settings(ORDER) {
        set = true;
        if let Value::Known(value) = &write.value
            && value != required
        {
            let mut draft = Draft::on(fact, About::Line);
            draft.message = format!(
                "{ORDER} is set to \"{value}\", not to \"{required}\": {} may be used",
                situation.forbidden()
            );
            "another order".clone_into(&mut draft.label);
            draft.help = format!("set {ORDER} to \"{required}\"");
            draft.remedy = Some(Remedy {
                change: Change::Value(required.clone()),
                safety: Safety::Safe,
            });
            wrong.push(draft);
        }
    }
    let removed = situation.is_removed(ORDER);
    if set && !removed {
        return wrong;
    }
    let mut masks = situation.settings(VISIBLE).peekable();
    let place = if removed {
        situation.facts.first_use()
    } else if masks.peek().is_some() {
        // A mask that shows no card (`""`, `-1`) means the same in every order.
        masks
            .find(|(_, write)| shows_a_card(situation, &write.value))
            .map(|(fact, _)| fact)
    } else if situation.must_set() {
        situation.facts.first_use()
    } else {
        None
    };
    let Some(fact) = place else {
        return wrong;
    };
    let mut draft = Draft::on(fact, About::File);
    draft.message = format!(
        "{ORDER} is {}: CUDA sorts cards by its own guess of speed, so this may use {}",
        if removed { "removed" } else { "not set" },
        situation.forbidden()
    );
    "no fixed card order".clone_into(&mut draft.label);
    draft.help = help;
    if !removed {
        draft.remedy = Some(situation.set_first());
    }
    wrong.push(draft);
    wrong
}

fn shows_a_card(situation: &Situation<'_>, value: &Value<String>) -> bool {
    value
        .known()
        .is_none_or(|mask| !situation.shown_by(mask).slots.is_empty())
}
