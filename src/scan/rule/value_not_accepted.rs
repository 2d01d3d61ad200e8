//! GG003: a value that CUDA reads as something else, or as nothing.

use super::situation::{ORDER, Situation, VISIBLE, cards_shown, written};
use super::{About, Draft, Rule};
use crate::policy::Severity;
use crate::policy::selection::{Entry, Mask, Meaning, Trouble};
use crate::scan::fact::{Certainty, HowSet, Whose};
use crate::scan::remedy::{Change, Remedy, Safety};

pub(super) const RULE: Rule = Rule {
    code: "GG003",
    name: "value-not-accepted",
    summary: "a value that CUDA reads as something else, or as no card",
    page: include_str!("value_not_accepted.md"),
    severity: Severity::Error,
    check,
};

fn check(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = orders(situation);
    let required = &situation.policy.environment.visible_devices;
    for (fact, write, value) in situation.values(VISIBLE) {
        if value == required {
            continue;
        }
        let mask = Mask::read(situation.cards(), value);
        let mut draft = Draft::on(fact, About::Line);
        draft.help = format!("set {VISIBLE} to \"{required}\"");
        if mask.hides_all() {
            // One of several values, it is the deliberate way to the CPU; for a while, it keeps
            // CUDA from starting meanwhile.
            if write.one_of_several || write.how == HowSet::ForAWhile {
                continue;
            }
            draft.certainty = Certainty::Fragile;
            draft.message = format!(
                "{VISIBLE}={} hides every card: the program runs on the CPU, or fails",
                written(value)
            );
            "no card is left".clone_into(&mut draft.label);
            draft.help = format!("for a GPU, {}", draft.help);
        } else if let Some((entry, trouble)) = situation.fault(&mask) {
            draft.message = message(situation, value, entry, trouble);
            label(trouble).clone_into(&mut draft.label);
            draft.remedy = Some(Remedy {
                change: Change::Value(required.clone()),
                safety: Safety::Safe,
            });
        } else {
            continue;
        }
        drafts.push(draft);
    }
    drafts.extend(in_containers(situation));
    drafts
}

/// Values inside a container that are wrong whichever cards it gets.
fn in_containers(situation: &Situation<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (fact, write, value) in situation.values_in_containers(VISIBLE) {
        let mask = Mask::read(situation.cards(), value);
        let Some((entry, trouble)) = mask.trouble().filter(|(_, trouble)| is_of_form(*trouble))
        else {
            continue;
        };
        let mut draft = Draft::on(fact, About::Line);
        if write.whose == Whose::Image {
            draft.certainty = Certainty::Fragile;
        }
        draft.message = format!(
            "{VISIBLE}={} {}; inside the container CUDA reads no further",
            written(value),
            what_is_wrong(entry, trouble)
        );
        label(trouble).clone_into(&mut draft.label);
        draft.help = format!("leave {VISIBLE} out, or set it to the card's index inside: \"0\"");
        // What was meant stands between the quotes.
        let bare = value.trim_matches(['"', '\'']);
        if trouble == Trouble::Quoted && Mask::read(situation.cards(), bare).trouble().is_none() {
            draft.remedy = Some(Remedy {
                change: Change::Value(bare.to_owned()),
                safety: Safety::Safe,
            });
        }
        drafts.push(draft);
    }
    drafts
}

/// Whether a value is wrong by how it is written, not by which cards there are.
fn is_of_form(trouble: Trouble) -> bool {
    match trouble {
        Trouble::Quoted | Trouble::Blank | Trouble::Range | Trouble::Word => true,
        Trouble::Empty
        | Trouble::Negative
        | Trouble::Trailing
        | Trouble::Ambiguous
        | Trouble::BeyondLast
        | Trouble::Mixed
        | Trouble::Duplicate => false,
    }
}

/// Texts that are neither of the two orders.
fn orders(situation: &Situation<'_>) -> Vec<Draft> {
    let required = &situation.policy.environment.device_order;
    let odd = situation
        .values(ORDER)
        .chain(situation.values_in_containers(ORDER))
        .filter(|(_, _, value)| value != required && *value != "FASTEST_FIRST");
    odd.map(|(fact, _, value)| {
        let mut draft = Draft::on(fact, About::Line);
        draft.message = format!(
            "{ORDER}={} is no order: CUDA knows PCI_BUS_ID and FASTEST_FIRST, in capitals, and \
             takes anything else for the second, so {} may be used",
            written(value),
            situation.forbidden()
        );
        "neither of the two orders".clone_into(&mut draft.label);
        draft.help = format!("set {ORDER} to \"{required}\"");
        draft.remedy = Some(Remedy {
            change: Change::Value(required.clone()),
            safety: Safety::Safe,
        });
        draft
    })
    .collect()
}

fn message(
    situation: &Situation<'_>,
    value: &str,
    entry: &Entry<'_, '_>,
    trouble: Trouble,
) -> String {
    format!(
        "{VISIBLE}={} {}; CUDA shows {}",
        written(value),
        what_is_wrong(entry, trouble),
        cards_shown(&situation.shown_by(value).slots)
    )
}

fn what_is_wrong(entry: &Entry<'_, '_>, trouble: Trouble) -> String {
    let text = entry.text.trim();
    match trouble {
        Trouble::Empty => "has an empty entry, where the list ends".to_owned(),
        Trouble::Negative => format!("ends at `{text}`, which is no card"),
        Trouble::Quoted => format!("has quotes in the value itself, so `{text}` is no number"),
        Trouble::Blank => format!("has a blank beside the UUID `{text}`, which no UUID has"),
        Trouble::Range | Trouble::Trailing => {
            let number = match entry.meaning {
                Meaning::Index(number) => number.to_string(),
                _ => String::new(),
            };
            let why = if trouble == Trouble::Range {
                "CUDA knows no ranges"
            } else {
                "CUDA stops reading at the end of the number"
            };
            format!("has `{text}`, which is read as {number}: {why}")
        }
        Trouble::Word => format!("has `{text}`, which is neither a number nor a UUID"),
        Trouble::Ambiguous => format!("has `{text}`, with which more than one UUID starts"),
        Trouble::BeyondLast => format!("has `{text}`, a number that no card of the policy has"),
        Trouble::Mixed => format!("mixes numbers and UUIDs: the list ends at `{text}`"),
        Trouble::Duplicate => format!("names `{text}` twice, which makes the whole list empty"),
    }
}

fn label(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Empty => "an empty entry",
        Trouble::Negative => "a negative number",
        Trouble::Quoted => "quotes that stay in the value",
        Trouble::Blank => "a blank in a UUID",
        Trouble::Range => "a range",
        Trouble::Trailing => "more than a number",
        Trouble::Word => "a word",
        Trouble::Ambiguous => "too short for one card",
        Trouble::BeyondLast => "beyond the last card",
        Trouble::Mixed => "numbers and UUIDs",
        Trouble::Duplicate => "a card named twice",
    }
}
