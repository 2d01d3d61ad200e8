//! GG002: a mask that shows a card which must not be used.

use super::situation::{VISIBLE, cards_shown, is_allowed};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::fact::Value;
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
    for (fact, write) in situation.settings(VISIBLE) {
        let Value::Known(value) = &write.value else {
            continue;
        };
        let shown = situation.shown_by(value);
        if *value == required.visible_devices || shown.slots.iter().copied().all(is_allowed) {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!("{VISIBLE}={value} shows {}", cards_shown(&shown));
        "shows a card that must not be used".clone_into(&mut draft.label);
        draft.help = format!("set {VISIBLE} to \"{}\"", required.visible_devices);
        draft.remedy = Some(Remedy {
            change: Change::Value(required.visible_devices.clone()),
            safety: Safety::Safe,
        });
        drafts.push(draft);
    }
    drafts
}
