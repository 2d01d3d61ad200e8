//! GG009: a launcher's own choice of cards, which the mask does not stop.

use super::situation::{Mask, Situation, VISIBLE, cards_shown, is_allowed};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::{Cards, Fact, FactKind};
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
    let of_launchers = situation
        .facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::LauncherFlag { flag, cards } => {
                draft(situation, fact, cards, (flag, fact.api))
            }
            _ => None,
        });
    // Without a mask, the number itself is what is wrong.
    let of_libraries = situation
        .machine_cards()
        .filter(|(fact, _)| situation.mask(fact) != Mask::Missing)
        .filter_map(|(fact, index)| {
            let cards = Cards::Listed(vec![index.to_string()]);
            draft(situation, fact, &cards, (fact.api, "the library"))
        });
    of_launchers.chain(of_libraries).collect()
}

/// The finding of what chooses these cards, if one of them must not be used; `flag` is what says so,
/// and `writer` who writes the mask.
fn draft(
    situation: &Situation<'_>,
    fact: &Fact,
    cards: &Cards,
    (flag, writer): (&str, &str),
) -> Option<Draft> {
    let taken = situation.host_cards(cards)?;
    if taken.iter().copied().all(is_allowed) {
        return None;
    }
    let mut draft = Draft::on(fact, About::Line);
    draft.message = format!(
        "`{flag}` makes {writer} write {VISIBLE} anew, whatever it was: it takes {}",
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
    Some(draft)
}
