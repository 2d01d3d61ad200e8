//! GG006: an index that no card has under the mask.

use super::situation::{Mask, VISIBLE, written};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::policy::selection::Selected;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG006",
    name: "index-beyond-mask",
    summary: "a card index that does not exist under CUDA_VISIBLE_DEVICES",
    page: include_str!("index_beyond_mask.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (fact, index) in situation.indices() {
        let kind = situation.mask(fact);
        let mask = match kind {
            Mask::InFile(mask) | Mask::FromPolicy(mask) => mask,
            // Whatever the mask will be, it may show no more than the policy's.
            Mask::NotKnown => &situation.policy.environment.visible_devices,
            Mask::Missing => continue,
        };
        // A forbidden card under this mask is the mask's fault, and said there.
        if situation.selected(mask, index) != Selected::Nothing {
            continue;
        }
        let shown = situation.shown_by(mask).slots.len();
        let exists = match shown {
            0 => "no index exists".to_owned(),
            1 => "only index 0 exists".to_owned(),
            _ => format!("only indices 0 to {} exist", shown - 1),
        };
        let mut draft = Draft::on(fact, About::Line);
        let mask_words = written(mask);
        draft.message = match kind {
            Mask::NotKnown => format!(
                "index {index} is beyond the mask: {VISIBLE} is not known here, but with the \
                 policy's {mask_words} {exists}"
            ),
            Mask::FromPolicy(_) => format!(
                "index {index} is beyond the mask: with {VISIBLE}={mask_words}, which the policy \
                 demands, {exists}"
            ),
            Mask::InFile(_) | Mask::Missing => {
                format!("index {index} is beyond the mask: with {VISIBLE}={mask_words} {exists}")
            }
        };
        "selects no card: \"invalid device ordinal\"".clone_into(&mut draft.label);
        draft.help = help(situation, mask, shown);
        if let Selected::Allowed(_) = situation.selected(mask, 0) {
            draft.remedy = Some(Remedy {
                change: Change::Index(0),
                safety: Safety::Safe,
            });
        }
        drafts.push(draft);
    }
    drafts
}

fn help(situation: &Situation<'_>, mask: &str, shown: usize) -> String {
    match situation.selected(mask, 0) {
        _ if shown == 0 => format!(
            "set {VISIBLE} to \"{}\"",
            situation.policy.environment.visible_devices
        ),
        Selected::Allowed(card) => {
            format!(
                "use index 0 (\"cuda:0\"): under the mask that is the {}",
                card.name
            )
        }
        _ => "use an index that exists under the mask".to_owned(),
    }
}
