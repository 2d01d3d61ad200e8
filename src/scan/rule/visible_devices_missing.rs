//! GG018: a file that uses the GPU and leaves open which.

use super::situation::VISIBLE;
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;

pub(super) const RULE: Rule = Rule {
    code: "GG018",
    name: "visible-devices-missing",
    summary: "a file uses the GPU without setting CUDA_VISIBLE_DEVICES",
    page: include_str!("visible_devices_missing.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    // A mask that is set and removed again is found where it is removed.
    if !situation.must_set() || situation.is_set(VISIBLE) {
        return Vec::new();
    }
    let Some(fact) = situation.facts.first_use() else {
        return Vec::new();
    };
    let mut draft = Draft::on(fact, About::File);
    draft.message = format!(
        "this file uses the GPU and never sets {VISIBLE}: every card is open to it, {} too",
        situation.forbidden()
    );
    "uses the GPU here".clone_into(&mut draft.label);
    draft.help = format!(
        "set {} at the top, before anything uses CUDA",
        situation.required()
    );
    draft.remedy = Some(situation.set_first());
    vec![draft]
}
