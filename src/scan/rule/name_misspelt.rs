//! GG004: a variable that CUDA does not know, and that looks like one it does.

use super::{About, Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::catalogue;
use crate::scan::fact::{Certainty, HowSet, Value};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG004",
    name: "name-misspelt",
    summary: "a variable whose name is nearly, but not, one of CUDA's",
    page: include_str!("name_misspelt.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (fact, write) in situation.variables() {
        let Some(misspelt) = catalogue::misspelt(&write.name) else {
            continue;
        };
        if write.value == Value::Absent || write.how == HowSet::Shared {
            continue;
        }
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "CUDA does not know `{}`: {} stays what it was, and {} may be used",
            write.name,
            misspelt.meant,
            situation.forbidden()
        );
        format!("meant is {}", misspelt.meant).clone_into(&mut draft.label);
        draft.help = format!("write {}", misspelt.meant);
        if !misspelt.sure {
            draft.certainty = Certainty::Fragile;
        }
        draft.remedy = Some(Remedy {
            change: Change::Name(misspelt.meant.to_owned()),
            safety: if misspelt.sure {
                Safety::Safe
            } else {
                Safety::Unsafe
            },
        });
        drafts.push(draft);
    }
    drafts
}
