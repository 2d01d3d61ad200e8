//! Environment variables in settings: `NAME: value`, `- NAME=value`, `- name: NAME` with a value.

use super::default::default_of;
use super::tree::{Entry, Kind, Node, Scalar};
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::{Cards, Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::text::Span;

/// The label of a variable's fact.
const LABEL: &str = "env";
/// The label of a variable for the steps of a workflow that follow.
pub(super) const LATER_STEPS: &str = "GITHUB_ENV";
/// Keys of a pair, each with the key of its value.
const PAIRS: &[(&str, &str)] = &[("name", "value"), ("Name", "Value"), ("key", "value")];
/// Values longer than this name no cards.
const LONGEST: usize = 512;

/// `NAME: value`; whether that is all the entry says.
pub(super) fn of_entry(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) -> bool {
    let name = entry.key.as_str();
    // Only among variables a name of small letters is a variable's; elsewhere a program reads it.
    if name.contains(|c: char| c.is_ascii_lowercase()) && around.sense != Sense::Environment {
        return mask_of_program(walk, entry, around);
    }
    // GitLab's `NAME: {value: x, description: y}`.
    let value = match &entry.value.kind {
        Kind::Map(_) if around.sense == Sense::Environment => entry.value.get("value"),
        _ => Some(&entry.value),
    };
    let Some(scalar) = value.and_then(Node::scalar) else {
        return false;
    };
    write(walk, name, scalar, (whole(entry), scalar.inside), around);
    true
}

/// `cuda_visible_devices: "0"`: the program that reads it sets the mask to this.
fn mask_of_program(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) -> bool {
    let is_mask = catalogue::variable(&entry.key.to_ascii_uppercase()) == Some(Variable::Visible);
    if !is_mask || around.sense == Sense::Prose {
        return false;
    }
    let listed: Option<Vec<String>> = match &entry.value.kind {
        Kind::Scalar(scalar) => listed(&scalar.text),
        Kind::List(elements) => elements
            .iter()
            .map(|element| Some(element.text()?.trim().to_owned()))
            .collect(),
        Kind::Map(_) | Kind::TakenOver(_) | Kind::Nothing => None,
    };
    if let Some(cards) = listed.filter(|cards| cards.iter().all(|card| is_index(card))) {
        let kind = FactKind::LauncherFlag {
            flag: entry.key.clone(),
            cards: Cards::Listed(cards),
        };
        walk.scope(around.owner);
        walk.fact(whole(entry), None, "the program", kind);
    }
    true
}

fn listed(text: &str) -> Option<Vec<String>> {
    let parts = text.trim().trim_matches(['[', ']', '(', ')']).split(',');
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let cards: Vec<String> = parts.map(str::to_owned).collect();
    (!cards.is_empty()).then_some(cards)
}

fn is_index(card: &str) -> bool {
    !card.is_empty() && card.bytes().all(|byte| byte.is_ascii_digit())
}

/// `- NAME=value`.
pub(super) fn of_element(walk: &mut Walk<'_>, node: &Node, scalar: &Scalar, around: Around<'_>) {
    let Some((name, value)) = scalar.text.split_once('=') else {
        return;
    };
    // Several lines are no value.
    if !catalogue::is_of_interest(name.trim_end()) || value.trim_end().contains('\n') {
        return;
    }
    let start = name.len() + 1;
    let inside = scalar
        .inside
        .map(|inside| Span::new(inside.start + start, inside.end));
    let value = Scalar {
        text: value.to_owned(),
        inside,
        quoted: true,
        pieces: None,
    };
    let span = scalar.inside.unwrap_or(node.span);
    write(walk, name, &value, (span, inside), around);
}

/// `name: NAME` beside `value: x`.
pub(super) fn of_pair(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    for (of_name, of_value) in PAIRS {
        let (Some(name), Some(value)) = (node.get(of_name), node.get(of_value)) else {
            continue;
        };
        let (Some(name), Some(value_scalar)) = (name.text(), value.scalar()) else {
            continue;
        };
        if !catalogue::is_of_interest(name) {
            continue;
        }
        let span = node
            .entries()
            .iter()
            .filter(|entry| entry.key == *of_name || entry.key == *of_value)
            .map(whole)
            .reduce(|one, other| Span::new(one.start.min(other.start), one.end.max(other.end)));
        // The pair is one element of somebody's environment.
        let around = Around {
            sense: Sense::Environment,
            ..around
        };
        let place = (span.unwrap_or(node.span), value_scalar.inside);
        write(walk, name, value_scalar, place, around);
    }
}

/// `NAME=value` in a text, at `at`.
pub(super) fn assigned(word: &str, at: usize) -> Option<Fact> {
    let (name, value) = word.split_once('=')?;
    if !catalogue::is_of_interest(name) {
        return None;
    }
    let known = !is_decided_later(value);
    let end = at + word.len();
    let write = VariableWrite {
        name: name.to_owned(),
        value: if known {
            Value::Known(value.to_owned())
        } else {
            Value::Dynamic
        },
        how: HowSet::Assigned,
        whose: Whose::Child,
        one_of_several: false,
    };
    Some(Fact {
        span: Span::new(at, end),
        value: known.then(|| Span::new(end - value.len(), end)),
        api: LATER_STEPS,
        when: When::Loading,
        kind: FactKind::SetVariable(write),
    })
}

fn write(
    walk: &mut Walk<'_>,
    name: &str,
    scalar: &Scalar,
    (span, inside): (Span, Option<Span>),
    around: Around<'_>,
) {
    let text = scalar.text.as_str();
    if is_sentence(text) || (!scalar.quoted && matches!(text, "null" | "~")) {
        return;
    }
    let default = default_of(text);
    let (text, inside) = match default {
        Some((start, own)) => (
            own,
            inside.map(|inside| {
                let start = inside.start + start;
                Span::new(start, start + own.len())
            }),
        ),
        None => (text, inside),
    };
    let known = !is_decided_later(text) && text.len() <= LONGEST;
    let write = VariableWrite {
        name: name.to_owned(),
        value: if known {
            Value::Known(text.to_owned())
        } else {
            Value::Dynamic
        },
        how: if around.is_taken_over {
            HowSet::Shared
        } else if default.is_some() {
            HowSet::Default
        } else {
            HowSet::Assigned
        },
        whose: around.whose(),
        one_of_several: false,
    };
    walk.scope(around.owner);
    let value = inside.filter(|_| known);
    walk.fact(span, value, LABEL, FactKind::SetVariable(write));
}

/// Whether a text describes a variable instead of being its value.
fn is_sentence(text: &str) -> bool {
    let words = text.split_whitespace();
    words
        .filter(|word| word.contains(|c: char| c.is_alphabetic()))
        .take(2)
        .count()
        == 2
}

/// Whether something fills in a part of a text: `${X}`, `{{ x }}`, `%(x)s`, `<x>`.
pub(super) fn is_decided_later(text: &str) -> bool {
    text.contains(['$', '`', '{', '}', '<', '>', '%'])
}
