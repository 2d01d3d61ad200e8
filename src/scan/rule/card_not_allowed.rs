//! GG002: a mask that shows a card which must not be used.

use super::situation::{Situation, VISIBLE, cards_shown, is_allowed};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::Mask;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG002",
    name: "card-not-allowed",
    summary: "CUDA_VISIBLE_DEVICES shows a card that must not be used",
    page: include_str!("card_not_allowed.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let required = &situation.policy.environment;
    let mut drafts = Vec::new();
    for (fact, _, value) in situation.values(VISIBLE) {
        let shown = situation.shown_by(value);
        if *value == required.visible_devices || shown.slots.iter().copied().all(is_allowed) {
            continue;
        }
        // Values that CUDA reads otherwise, and UUIDs, have rules of their own.
        let mask = Mask::read(situation.cards(), value);
        if mask.is_by_uuid() || situation.fault(&mask).is_some() {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        let cards = cards_shown(&shown.slots);
        // A default, from which the mask is made elsewhere: others may use it too.
        let is_default = fact.api == VISIBLE;
        draft.message = if is_default {
            format!("{value} becomes {VISIBLE}, which then shows {cards}")
        } else {
            format!("{VISIBLE}={value} shows {cards}")
        };
        "shows a card that must not be used".clone_into(&mut draft.label);
        draft.help = format!("set {VISIBLE} to \"{}\"", required.visible_devices);
        draft.remedy = Some(Remedy {
            change: Change::Value(required.visible_devices.clone()),
            safety: if is_default {
                Safety::Unsafe
            } else {
                Safety::Safe
            },
        });
        drafts.push(draft);
    }
    drafts
}
