//! GG102: a comment that allows what is not there, or whose time is over.

use super::{Draft, RULES, Rule, Situation};
use crate::policy::Severity;
use crate::scan::suppress::{self, Places};

pub(super) const RULE: Rule = Rule {
    code: "GG102",
    name: "suppression-unused",
    summary: "a comment allows a finding that is not there, or its last day is over",
    page: include_str!("suppression_unused.md"),
    severity: Severity::Warning,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let comments = &situation.facts.comments;
    if comments.is_empty() {
        return Vec::new();
    }
    // Asked again what they find: also of a rule that the policy has switched off a comment can
    // be of use, elsewhere or later.
    let rules = RULES.iter().filter(|rule| !rule.is_about_comments());
    let places = Places::of(rules.flat_map(|rule| {
        let drafts = rule.check(situation).into_iter();
        drafts.map(|draft| (rule.code, draft.span.start))
    }));
    let mut drafts = Vec::new();
    for comment in comments {
        let Ok(suppression) = suppress::parse(comment) else {
            continue;
        };
        if suppression.is_expired(situation.today)
            && let Some(until) = suppression.until
        {
            let mut draft = Draft::on_comment(comment.span);
            draft.message =
                format!("this comment allows nothing any more: {until} was its last day");
            "its time is over".clone_into(&mut draft.label);
            "mend what it allowed and remove it, or give it another day"
                .clone_into(&mut draft.help);
            drafts.push(draft);
            continue;
        }
        for (code, span) in &suppression.codes {
            if places.has(code, suppression.covers) {
                continue;
            }
            let mut draft = Draft::on_comment(*span);
            draft.message = format!("this comment allows {code}, which is not found in its place");
            "allows nothing".clone_into(&mut draft.label);
            "remove it, or move it to the line where the finding is reported, or above"
                .clone_into(&mut draft.help);
            drafts.push(draft);
        }
    }
    drafts
}
