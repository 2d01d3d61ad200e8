//! GG101: a comment to gpuguard that does not say why, or that it cannot understand.

use super::{Draft, Rule, Situation};
use crate::policy::Severity;
use crate::scan::suppress;

pub(super) const RULE: Rule = Rule {
    code: "GG101",
    name: "suppression-without-reason",
    summary: "a comment that allows a finding does not say why, or cannot be understood",
    page: include_str!("suppression_without_reason.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for comment in &situation.facts.comments {
        let (message, label, help) = match suppress::parse(comment) {
            Ok(suppression) if suppression.reason.is_empty() => (
                "this comment does not say why it allows what it allows".to_owned(),
                "no reason",
                "write the reason behind the brackets: `gpuguard: allow[GG007] the test rig has \
                 one card`",
            ),
            Ok(_) => continue,
            Err(malformed) => (
                malformed.to_string(),
                "not understood",
                "write `gpuguard: allow[GG007] the reason`, with several codes \
                 `allow[GG006, GG007]`, with a last day `until=2027-01-31`, for a whole file \
                 `allow-file[GG018]` above all code",
            ),
        };
        let mut draft = Draft::on_comment(comment.span);
        draft.message = message;
        label.clone_into(&mut draft.label);
        help.clone_into(&mut draft.help);
        drafts.push(draft);
    }
    drafts
}
