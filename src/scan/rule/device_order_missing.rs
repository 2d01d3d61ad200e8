//! GG001: without `CUDA_DEVICE_ORDER` no number means a certain card.

use std::collections::BTreeSet;

use super::situation::{ORDER, VISIBLE};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::fact::{Fact, HowSet, Value, Whose};
use crate::scan::remedy::{Change, Remedy, Safety};

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
    let mut drafts: Vec<Draft> = place
        .into_iter()
        .map(|(fact, about)| draft(situation, fact, about))
        .collect();
    if drafts.is_empty() {
        let children = of_children(situation).into_iter();
        drafts.extend(children.map(|fact| draft(situation, fact, About::Line)));
    }
    drafts
}

fn draft(situation: &Situation<'_>, fact: &Fact, about: About) -> Draft {
    let required = &situation.policy.environment.device_order;
    let mut draft = Draft::on(fact, about);
    draft.message = format!(
        "{ORDER} is not set: CUDA sorts cards by its own guess of speed, so this may use {}",
        situation.forbidden()
    );
    "no fixed card order".clone_into(&mut draft.label);
    draft.help = format!("set {ORDER} to \"{required}\" before anything uses CUDA");
    draft.remedy = Some(match about {
        About::File => situation.set_first(),
        About::Line => Remedy {
            change: Change::SetBeside(ORDER.to_owned(), required.clone()),
            safety: Safety::Safe,
        },
    });
    draft
}

/// The first mask that a child gets without an order: one for each piece of the file that starts
/// programs by itself, and one for all of the rest.
fn of_children<'a>(situation: &Situation<'a>) -> Vec<&'a Fact> {
    let scopes = &situation.facts.scopes;
    let of_children = |name| {
        situation
            .variables()
            .filter(move |(_, write)| write.name == name && write.whose == Whose::Child)
    };
    let ordered: BTreeSet<Option<usize>> = of_children(ORDER)
        .map(|(fact, _)| scopes.innermost(fact.span.start))
        .collect();
    let mut told: BTreeSet<Option<usize>> = BTreeSet::new();
    let mut found = Vec::new();
    for (fact, write) in of_children(VISIBLE) {
        let scope = scopes.innermost(fact.span.start);
        let has_order = ordered.contains(&None)
            || scopes
                .outward(scope)
                .any(|scope| ordered.contains(&Some(scope)));
        let says_something = write.value.known().is_some() && shows_a_card(situation, &write.value);
        let says_something = says_something && write.how != HowSet::Shared;
        if says_something && !has_order && told.insert(scopes.outermost(fact.span.start)) {
            found.push(fact);
        }
    }
    found
}

fn shows_a_card(situation: &Situation<'_>, value: &Value<String>) -> bool {
    value
        .known()
        .is_none_or(|mask| !situation.shown_by(mask).slots.is_empty())
}
