//! GG001: without `CUDA_DEVICE_ORDER` no number means a certain card.

use super::situation::{ORDER, VISIBLE};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::fact::{Fact, HowSet, Value, Whose};

pub(super) const RULE: Rule = Rule {
    code: "GG001",
    name: "device-order-missing",
    summary: "CUDA_DEVICE_ORDER is not set, so card numbers mean whatever CUDA thinks is fastest",
    page: include_str!("device_order_missing.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    // An order that is wrong, or removed again, is found where that is written.
    if situation.is_set(ORDER) {
        return Vec::new();
    }
    let mut masks = situation.settings(VISIBLE).peekable();
    let place = if masks.peek().is_some() {
        // A mask that shows no card (`""`, `-1`) means the same in every order, and the numbers of
        // another vendor are not CUDA's.
        masks
            .find(|(_, write)| {
                write.how != HowSet::TakenOver && shows_a_card(situation, &write.value)
            })
            .map(|(fact, _)| (fact, About::File))
    } else if situation.must_set() {
        situation.facts.first_use().map(|fact| (fact, About::File))
    } else {
        None
    };
    let Some((fact, about)) = place.or_else(|| of_child(situation)) else {
        return Vec::new();
    };
    let required = &situation.policy.environment.device_order;
    let mut draft = Draft::on(fact, about);
    draft.message = format!(
        "{ORDER} is not set: CUDA sorts cards by its own guess of speed, so this may use {}",
        situation.forbidden()
    );
    "no fixed card order".clone_into(&mut draft.label);
    draft.help = format!("set {ORDER} to \"{required}\" before anything uses CUDA");
    if about == About::File {
        draft.remedy = Some(situation.set_first());
    }
    vec![draft]
}

/// The first mask of a child, where no child gets an order.
fn of_child<'a>(situation: &Situation<'a>) -> Option<(&'a Fact, About)> {
    let of_children = |name| {
        situation
            .variables()
            .filter(move |(_, write)| write.name == name && write.whose == Whose::Child)
    };
    if of_children(ORDER).next().is_some() {
        return None;
    }
    of_children(VISIBLE)
        .find(|(_, write)| write.value.known().is_some() && shows_a_card(situation, &write.value))
        .map(|(fact, _)| (fact, About::Line))
}

fn shows_a_card(situation: &Situation<'_>, value: &Value<String>) -> bool {
    value
        .known()
        .is_none_or(|mask| !situation.shown_by(mask).slots.is_empty())
}
