//! GG014: a variable that chooses cards for something that is not CUDA.

use std::collections::BTreeSet;

use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::{FactKind, HowSet, Value};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG014",
    name: "no-effect",
    summary: "a variable that selects no NVIDIA card for CUDA",
    page: include_str!("no_effect.md"),
    severity: Severity::Warning,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let of_cuda = speaking_of_cuda(situation);
    let scopes = &situation.facts.scopes;
    for (fact, write) in situation.variables() {
        let Some(Variable::Elsewhere(whose)) = catalogue::variable(&write.name) else {
            continue;
        };
        let is_of_others = situation.facts.environment_is_given
            && !of_cuda.contains(&scopes.innermost(fact.span.start));
        // A selector that names CUDA's cards takes one of them.
        let names_cuda = write
            .value
            .known()
            .is_some_and(|value| value.starts_with("cuda:"));
        let is_judged_elsewhere = write.how == HowSet::Shared || names_cuda;
        if write.value == Value::Absent || is_of_others || is_judged_elsewhere {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "{} chooses cards for {whose}: CUDA does not read it, so it keeps nobody off {}",
            write.name,
            situation.forbidden()
        );
        "no effect on CUDA".clone_into(&mut draft.label);
        draft.help = format!("for CUDA, set {}", situation.required());
        draft.remedy = Some(Remedy {
            change: Change::Remove,
            safety: Safety::Unsafe,
        });
        drafts.push(draft);
    }
    drafts
}

/// The pieces of the file in which CUDA's cards are spoken of. A program that gets its environment
/// from elsewhere, and of which nothing is said about them, is one for other cards.
fn speaking_of_cuda(situation: &Situation<'_>) -> BTreeSet<Option<usize>> {
    let scopes = &situation.facts.scopes;
    let facts = situation.facts.facts.iter();
    facts
        .filter(|fact| match &fact.kind {
            FactKind::SetVariable(write) => {
                let variable = catalogue::variable(&write.name);
                !matches!(variable, Some(Variable::Elsewhere(_)))
            }
            _ => true,
        })
        .map(|fact| scopes.innermost(fact.span.start))
        .collect()
}
