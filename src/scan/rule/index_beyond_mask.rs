//! GG006: an index that no card has under the mask.

use super::situation::{Mask, VISIBLE, cards_shown, is_allowed, written};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::policy::selection::Selected;
use crate::scan::fact::{Cards, Certainty, Fact, FactKind};
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
        draft.help = help(situation, mask, (shown, fact.api));
        if let Selected::Allowed(_) = situation.selected(mask, 0) {
            draft.remedy = Some(Remedy {
                change: Change::Index(0),
                safety: Safety::Safe,
            });
        }
        drafts.push(draft);
    }
    drafts.extend(situation.facts.facts.iter().filter_map(|fact| {
        let FactKind::SelectEither { numbers } = &fact.kind else {
            return None;
        };
        either(situation, fact, numbers)
    }));
    drafts
}

/// Numbers that a program takes as indices, or makes the mask of: certainly wrong where both are.
/// Nothing tells which number would be right, so none is written.
fn either(situation: &Situation<'_>, fact: &Fact, numbers: &[u32]) -> Option<Draft> {
    let mask = match situation.mask(fact) {
        Mask::InFile(mask) | Mask::FromPolicy(mask) => mask,
        Mask::NotKnown | Mask::Missing => &situation.policy.environment.visible_devices,
    };
    let mut beyond = numbers
        .iter()
        .filter(|number| situation.selected(mask, **number) == Selected::Nothing);
    let index = beyond.next()?;
    let listed = numbers.iter().map(ToString::to_string).collect();
    let taken = situation.host_cards(&Cards::Listed(listed))?;
    let may_be_right = taken.iter().copied().all(is_allowed);
    let shown = situation.shown_by(mask).slots.len();
    let mask = written(mask);
    let mut draft = Draft::on(fact, About::Line);
    draft.message = if may_be_right {
        format!(
            "if the program takes {index} for an index, it is beyond the mask: {VISIBLE}={mask} \
             shows {shown}; if it makes the mask of it, it takes {}",
            cards_shown(&taken)
        )
    } else {
        format!(
            "index {index} is beyond the mask: {VISIBLE}={mask} shows {shown}; and if the program \
             makes the mask of the number, it takes {}",
            cards_shown(&taken)
        )
    };
    "an index, or a card of the machine".clone_into(&mut draft.label);
    draft.help = format!("leave it out, and let {VISIBLE} alone say which card is used");
    if may_be_right {
        draft.certainty = Certainty::Fragile;
    }
    Some(draft)
}

fn help(situation: &Situation<'_>, mask: &str, (shown, api): (usize, &str)) -> String {
    match situation.selected(mask, 0) {
        _ if shown == 0 => format!(
            "set {VISIBLE} to \"{}\"",
            situation.policy.environment.visible_devices
        ),
        Selected::Allowed(card) => {
            // CUDA's own functions and those of C++ and Rust take numbers, not PyTorch's names.
            let takes_name = !(api.starts_with("cu") || api.contains("::"));
            let name = if takes_name { " (\"cuda:0\")" } else { "" };
            format!(
                "use index 0{name}: under the mask that is the {}",
                card.name
            )
        }
        _ => "use an index that exists under the mask".to_owned(),
    }
}
