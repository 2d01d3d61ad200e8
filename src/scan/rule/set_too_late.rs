//! GG005: a variable that is set when CUDA has read it already.

use super::situation::{ORDER, Situation, VISIBLE};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::Mask;
use crate::scan::fact::{Certainty, Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG005",
    name: "set-too-late",
    summary: "a variable is set after CUDA has read it",
    page: include_str!("set_too_late.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let facts = situation.facts;
    let mut drafts = Vec::new();
    // Variables that were set in time: what is set later is not the one that counts.
    let mut in_time: Vec<&str> = Vec::new();
    for fact in &facts.facts {
        let FactKind::SetVariable(write) = &fact.kind else {
            continue;
        };
        let name = write.name.as_str();
        if !is_judged(situation, write) || in_time.contains(&name) {
            continue;
        }
        match facts.flow.started_before(fact) {
            Some((start, certainty)) => {
                let api = facts.start_at(start).map_or("a call", |start| start.api);
                drafts.push(draft(situation, fact, write, (api, certainty)));
            }
            None if fact.when == When::Loading => in_time.push(name),
            None => {}
        }
    }
    drafts
}

fn is_judged(situation: &Situation<'_>, write: &VariableWrite) -> bool {
    // What hides every card until it is put back is meant for what starts meanwhile.
    let hides_for_a_while = write.how == HowSet::ForAWhile && hides_every_card(situation, write);
    write.whose == Whose::Own
        && write.value != Value::Absent
        && !matches!(write.how, HowSet::PutBack | HowSet::TakenOver)
        && !hides_for_a_while
        && (write.name == VISIBLE || write.name == ORDER)
}

fn draft(
    situation: &Situation<'_>,
    fact: &Fact,
    write: &VariableWrite,
    (start, certainty): (&str, Certainty),
) -> Draft {
    let name = write.name.as_str();
    let mut draft = Draft::on(fact, About::Line);
    let (has, reads) = match certainty {
        Certainty::Certain => ("has", "CUDA has read it by then"),
        Certainty::Fragile => ("may have", "CUDA may have read it by then"),
    };
    let only_default = if write.how == HowSet::Default {
        " (and only where it is not set)"
    } else {
        ""
    };
    draft.message = format!(
        "{name} is set{only_default} after {start} {has} started CUDA: {reads}, and the program keeps the \
         cards it had, perhaps {}",
        situation.forbidden()
    );
    "too late for this program".clone_into(&mut draft.label);
    draft.help = format!("set {name} before anything starts CUDA");
    // Hiding every card so late may well be meant for the children.
    draft.certainty = if hides_every_card(situation, write) {
        Certainty::Fragile
    } else {
        certainty
    };
    draft.remedy = Some(Remedy {
        change: Change::MoveFirst,
        safety: Safety::Unsafe,
    });
    draft
}

fn hides_every_card(situation: &Situation<'_>, write: &VariableWrite) -> bool {
    let value = write.value.known();
    value.is_some_and(|value| Mask::read(situation.cards(), value).hides_all())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::{Preset, parse};
    use crate::scan::fact::FileFacts;
    use crate::scan::flow::{Body, Flow, Runs};
    use crate::text::Span;

    /// One letter a fact: `S` starts CUDA, `s` may, `V` and `O` set a variable, `D` removes one;
    /// `(` and `)` are a branch.
    fn found(code: &str) -> Vec<(usize, Certainty)> {
        let mut facts = FileFacts::default();
        let mut bodies = vec![Body {
            span: Span::new(0, code.len()),
            outer: 0,
            runs: Runs::First,
        }];
        let mut open = vec![0];
        for (at, letter) in code.bytes().enumerate() {
            let write = |name: &str, value| {
                FactKind::SetVariable(VariableWrite {
                    name: name.to_owned(),
                    value,
                    how: HowSet::Assigned,
                    whose: Whose::Own,
                    one_of_several: false,
                })
            };
            let kind = match letter {
                b'S' => FactKind::StartsCuda(Certainty::Certain),
                b's' => FactKind::StartsCuda(Certainty::Fragile),
                b'V' => write(VISIBLE, Value::Known("1".to_owned())),
                b'O' => write(ORDER, Value::Dynamic),
                b'D' => write(VISIBLE, Value::Absent),
                b'(' => {
                    bodies.push(Body {
                        span: Span::new(at, code.len()),
                        outer: open[open.len() - 1],
                        runs: Runs::Perhaps { at },
                    });
                    open.push(bodies.len() - 1);
                    continue;
                }
                _ => {
                    let body = open.pop().unwrap();
                    bodies[body].span.end = at;
                    continue;
                }
            };
            facts.facts.push(Fact {
                span: Span::new(at, at + 1),
                value: None,
                api: "x",
                when: if open.len() == 1 {
                    When::Loading
                } else {
                    When::Branch
                },
                kind,
            });
        }
        facts.flow = Flow::new(bodies, &facts.facts);
        let preset = Preset::Rtx3090.text();
        let policy = parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
        let drafts = check(&Situation::new(&policy, &facts));
        let found = drafts
            .iter()
            .map(|draft| (draft.span.start, draft.certainty));
        found.collect()
    }

    #[test]
    fn what_ran_before_decides() {
        use Certainty::{Certain, Fragile};
        for (code, expected) in [
            ("VS", &[][..]),
            ("SV", &[(1, Certain)]),
            ("SVO", &[(1, Certain), (2, Certain)]),
            ("sV", &[(1, Fragile)]),
            ("sSV", &[(2, Certain)]),
            // What was set in time stays; what is removed is another matter.
            ("VSV", &[]),
            ("VSO", &[(2, Certain)]),
            ("SD", &[]),
            // A branch may have run.
            ("(S)V", &[(3, Fragile)]),
            ("(SV)", &[(2, Certain)]),
            ("(S)(V)", &[(4, Fragile)]),
            ("S(V)", &[(2, Certain)]),
            ("(V)SV", &[(4, Certain)]),
        ] {
            assert_eq!(found(code), expected, "{code}");
        }
    }
}
