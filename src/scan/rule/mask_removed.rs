//! GG016: a variable that was set, and is taken away again.

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::{Certainty, When};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG016",
    name: "mask-removed",
    summary: "a variable that selects the card is removed again",
    page: include_str!("mask_removed.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (name, then) in [
        (VISIBLE, "every card is open again"),
        (ORDER, "CUDA sorts cards by its own guess of speed again"),
    ] {
        let Some(fact) = situation.removal(name) else {
            continue;
        };
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "{name} is removed here: {then}, and {} may be used",
            situation.forbidden()
        );
        "takes the selection away".clone_into(&mut draft.label);
        draft.help = format!("leave {name} as it was set");
        if fact.when != When::Loading {
            draft.certainty = Certainty::Fragile;
        }
        draft.remedy = Some(Remedy {
            change: Change::Remove,
            safety: Safety::Unsafe,
        });
        drafts.push(draft);
    }
    drafts
}
