//! GG012: a variable set in a shell that ends at once.

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::scan::fact::{Value, VariableWrite, Whose};
use crate::scan::remedy::{Remedy, Safety};

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
    let required = &situation.policy.environment;
    for (name, required) in [
        (VISIBLE, &required.visible_devices),
        (ORDER, &required.device_order),
    ] {
        // Looked for once: a file may have many writes.
        let own = situation.facts.writes(name).last();
        let own = own.map(|(_, write)| &write.value);
        for (fact, write) in situation.variables() {
            if write.whose != Whose::Nobody
                || write.value == Value::Absent
                || write.name != name
                || is_inherited(write, own)
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
            if write.value.known() == Some(required) {
                draft.remedy = Some(Remedy {
                    safety: Safety::Unsafe,
                    ..situation.set_first()
                });
            }
            drafts.push(draft);
        }
    }
    drafts
}

/// Whether the program itself has the same value, which every program that it starts inherits.
fn is_inherited(write: &VariableWrite, own: Option<&Value<String>>) -> bool {
    own.is_some_and(|own| *own == write.value && *own != Value::Dynamic)
}
