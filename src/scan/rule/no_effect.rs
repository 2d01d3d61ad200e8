//! GG014: a variable that chooses cards for something that is not CUDA.

use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::Value;
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
    for (fact, write) in situation.variables() {
        let Some(Variable::Elsewhere(whose)) = catalogue::variable(&write.name) else {
            continue;
        };
        if write.value == Value::Absent {
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
