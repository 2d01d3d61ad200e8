//! GG012: a variable set in a shell that ends at once.

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::{Value, VariableWrite, Whose};
use crate::scan::remedy::Safety;

pub(super) const RULE: Rule = Rule {
    code: "GG012",
    name: "not-exported",
    summary: "a variable is set where no program sees it",
    page: include_str!("not_exported.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (fact, write) in situation.variables() {
        let name = write.name.as_str();
        if write.whose != Whose::Nobody
            || write.value == Value::Absent
            || (name != VISIBLE && name != ORDER)
            || is_inherited(situation, write)
        {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "{name} is set here, and no program gets it: they keep the cards they had, perhaps {}",
            situation.forbidden()
        );
        "nobody sees this".clone_into(&mut draft.label);
        draft.help = format!(
            "export {name} in the shell that starts the program, or set it in front of the command"
        );
        // Another value than the program's own would stay as it is, unseen.
        let required = &situation.policy.environment;
        let required = match name {
            ORDER => &required.device_order,
            _ => &required.visible_devices,
        };
        if write.value.known() == Some(required) {
            let mut remedy = situation.set_first();
            remedy.safety = Safety::Unsafe;
            draft.remedy = Some(remedy);
        }
        drafts.push(draft);
    }
    drafts
}

/// Whether the program itself has the same value, which every program that it starts inherits.
fn is_inherited(situation: &Situation<'_>, write: &VariableWrite) -> bool {
    let own = situation.facts.writes(&write.name);
    own.last()
        .is_some_and(|(_, own)| own.value == write.value && own.value != Value::Dynamic)
}
