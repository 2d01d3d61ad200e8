//! GG017: a mask that names a card by UUID, and not an allowed one.

use super::situation::{Situation, VISIBLE, is_allowed};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::{Mask, Meaning, Slot};
use crate::scan::fact::Certainty;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG017",
    name: "uuid-not-allowed",
    summary: "CUDA_VISIBLE_DEVICES names a card that must not be used by its UUID",
    page: include_str!("uuid_not_allowed.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let required = &situation.policy.environment.visible_devices;
    let mut drafts = Vec::new();
    for (fact, _, value) in situation.values(VISIBLE) {
        let mask = Mask::read(situation.cards(), value);
        if value == required || !mask.is_by_uuid() || situation.fault(&mask).is_some() {
            continue;
        }
        let Some((why, certainty)) = worst(situation, &mask) else {
            continue;
        };
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!("{VISIBLE} names a card by UUID: {why}");
        "not an allowed card".clone_into(&mut draft.label);
        draft.help = match certainty {
            Certainty::Certain => format!("set {VISIBLE} to \"{required}\""),
            Certainty::Fragile => format!(
                "set {VISIBLE} to \"{required}\", or give the cards their `uuid` in the policy \
                 (`nvidia-smi -L`)"
            ),
        };
        draft.certainty = certainty;
        draft.remedy = Some(Remedy {
            change: Change::Value(required.clone()),
            safety: match certainty {
                Certainty::Certain => Safety::Safe,
                Certainty::Fragile => Safety::Unsafe,
            },
        });
        drafts.push(draft);
    }
    drafts
}

/// What is wrong with the worst of a mask's entries.
fn worst(situation: &Situation<'_>, mask: &Mask<'_, '_>) -> Option<(String, Certainty)> {
    // Where a card of the policy has no UUID, an unknown one may be its own. So may that of a
    // part of a card, whose UUID does not tell the card.
    let all_known = situation.cards().iter().all(|card| card.uuid.is_some());
    let mut worst: Option<(String, Certainty)> = None;
    for entry in mask.shown() {
        let found = match entry.meaning {
            Meaning::Uuid(slot) if is_allowed(slot) => continue,
            Meaning::Uuid(Slot::Card(card)) => (
                format!(
                    "`{}` is the {}, which must not be used",
                    entry.text, card.name
                ),
                Certainty::Certain,
            ),
            Meaning::Uuid(Slot::Unknown) if all_known => (
                format!("`{}` is no card of the policy", entry.text),
                Certainty::Certain,
            ),
            _ => (
                format!(
                    "`{}` is no card that the policy knows by its UUID: it may be {}",
                    entry.text,
                    situation.forbidden()
                ),
                Certainty::Fragile,
            ),
        };
        if worst.is_none() || found.1 == Certainty::Certain {
            worst = Some(found);
        }
    }
    worst
}
