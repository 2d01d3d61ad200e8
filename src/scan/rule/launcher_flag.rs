//! GG009: a launcher's own choice of cards, which the mask does not stop.

use super::situation::{Situation, VISIBLE, cards_shown, is_allowed};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::FactKind;
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG009",
    name: "launcher-flag",
    summary: "a launcher's flag chooses cards whatever CUDA_VISIBLE_DEVICES says",
    page: include_str!("launcher_flag.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for fact in &situation.facts.facts {
        let FactKind::LauncherFlag { flag, cards } = &fact.kind else {
            continue;
        };
        let Some(taken) = situation.host_cards(cards) else {
            continue;
        };
        if taken.iter().copied().all(is_allowed) {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "`{flag}` makes {} write {VISIBLE} anew, whatever it was: it takes {}",
            fact.api,
            cards_shown(&taken)
        );
        "overrides the mask".clone_into(&mut draft.label);
        draft.help = format!(
            "leave `{flag}` out, and set {} for the launcher",
            situation.required()
        );
        draft.remedy = Some(Remedy {
            change: Change::Remove,
            safety: Safety::Unsafe,
        });
        drafts.push(draft);
    }
    drafts
}
