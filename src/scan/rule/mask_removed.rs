//! GG016: a variable that was set, and is taken away again.

use std::collections::{BTreeMap, BTreeSet};

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::{Certainty, Fact, Value, When, Whose};
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
        let own = situation.removal(name).into_iter();
        for fact in own.chain(of_children(situation, name)) {
            drafts.push(draft(situation, fact, (name, then)));
        }
    }
    drafts
}

fn draft(situation: &Situation<'_>, fact: &Fact, (name, then): (&str, &str)) -> Draft {
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
    draft
}

/// What a child starts without, and would have had from this file: the program's own variable, or
/// that of a piece of the file around the child.
fn of_children<'a>(situation: &Situation<'a>, name: &'static str) -> Vec<&'a Fact> {
    let scopes = &situation.facts.scopes;
    let mut set_for_all = false;
    // The pieces that have the variable, and where it was last taken from a child in each.
    let mut set_in: BTreeSet<usize> = BTreeSet::new();
    let mut removed: BTreeMap<usize, &Fact> = BTreeMap::new();
    for (fact, write) in situation
        .variables()
        .filter(|(_, write)| write.name == name)
    {
        let is_set = write.value != Value::Absent;
        let scope = scopes.innermost(fact.span.start);
        match (write.whose, scope) {
            (Whose::Own, _) => set_for_all = is_set,
            (Whose::Child, Some(scope)) if is_set => {
                // `env -u NAME NAME=1 program`
                removed.remove(&scope);
                set_in.insert(scope);
            }
            (Whose::Child, Some(inner)) => {
                let mut around = scopes.outward(scope);
                if set_for_all || around.any(|scope| set_in.contains(&scope)) {
                    removed.insert(inner, fact);
                }
            }
            _ => {}
        }
    }
    let mut found: Vec<&Fact> = removed.into_values().collect();
    found.sort_by_key(|fact| fact.span);
    found
}
