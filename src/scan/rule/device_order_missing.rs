//! GG001: without `CUDA_DEVICE_ORDER` no number means a certain card.

use std::collections::BTreeSet;

use super::situation::{ORDER, VISIBLE, is_allowed};
use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::fact::{Cards, Fact, FactKind, HowSet, Value, When, Whose};
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
    if is_ordered(situation) {
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

/// Whether the program itself has an order where it has a mask. Of a file that need not set the
/// variables, what one branch alone sets does not hold for a mask that is set in any case; a second
/// one may be the other branch's.
fn is_ordered(situation: &Situation<'_>) -> bool {
    let mut orders = situation
        .attempts(ORDER)
        .filter(|(_, write)| write.value != Value::Absent);
    let Some((order, _)) = orders.next() else {
        return false;
    };
    let in_one_branch = order.when == When::Branch && orders.next().is_none();
    let is_masked_anyway = || {
        situation
            .settings(VISIBLE)
            .any(|(mask, write)| mask.when == When::Loading && write.how != HowSet::TakenOver)
    };
    !(in_one_branch && situation.facts.environment_is_given && is_masked_anyway())
}

fn draft(situation: &Situation<'_>, fact: &Fact, about: About) -> Draft {
    let required = &situation.policy.environment.device_order;
    let mut draft = Draft::on(fact, about);
    let missing = if situation.is_set(ORDER) {
        "is set in a branch only"
    } else {
        "is not set"
    };
    draft.message = format!(
        "{ORDER} {missing}: CUDA sorts cards by its own guess of speed, so this may use {}",
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

/// The first mask that a child gets without an order, written by the file or made by a launcher: one for each piece of the file that starts
/// programs by itself, and one for all of the rest.
fn of_children<'a>(situation: &Situation<'a>) -> Vec<&'a Fact> {
    let scopes = &situation.facts.scopes;
    let of_children = |name| {
        situation
            .variables()
            .filter(move |(_, write)| write.name == name && write.whose == Whose::Child)
    };
    // Those that have an order in any case, and those that have one in a branch.
    let (mut ordered, mut ordered_in_branches) = (BTreeSet::new(), BTreeSet::new());
    for (fact, _) in of_children(ORDER) {
        let scope = scopes.innermost(fact.span.start);
        let is_second = !ordered_in_branches.insert(scope);
        if fact.when != When::Branch || is_second {
            ordered.insert(scope);
        }
    }
    let mut told: BTreeSet<Option<usize>> = BTreeSet::new();
    let mut found = Vec::new();
    let masks = of_children(VISIBLE).map(|(fact, write)| {
        let says_something = write.value.known().is_some() && shows_a_card(situation, &write.value);
        (fact, says_something && write.how != HowSet::Shared)
    });
    // Of a wrong card, more than its order is wrong.
    let launched = situation.facts.facts.iter().filter_map(|fact| {
        let FactKind::LauncherFlag { flag, cards } = &fact.kind else {
            return None;
        };
        let is_of_command = situation.facts.environment_is_given && flag.starts_with('-');
        let names_numbers = matches!(cards, Cards::Listed(listed)
            if listed.iter().all(|card| card.bytes().all(|byte| byte.is_ascii_digit())));
        let taken = situation.host_cards(cards)?;
        (is_of_command && names_numbers && taken.into_iter().all(is_allowed))
            .then_some((fact, true))
    });
    for (fact, says_something) in masks.chain(launched) {
        let scope = scopes.innermost(fact.span.start);
        let ordered = if fact.when == When::Loading {
            &ordered
        } else {
            &ordered_in_branches
        };
        let has_order = ordered.contains(&None)
            || scopes
                .outward(scope)
                .any(|scope| ordered.contains(&Some(scope)));
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
