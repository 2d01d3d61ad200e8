//! Keys that hold a number of cards: `num_gpus: 2`.

use super::name::normal;
use super::tree::Entry;
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::catalogue;
use crate::scan::fact::{FactKind, Value};
use crate::text::Span;

/// No machine has more.
const MOST_CARDS: u32 = 64;

/// How many cards a key asks for.
pub(super) fn of_entry(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) {
    let is_asked_here =
        around.sense == Sense::Settings && !catalogue::is_asked_elsewhere(around.outer_key);
    if !is_asked_here {
        return;
    }
    let name = normal(around.key);
    // What starts programs has the flags of the launcher as keys.
    let is_flag = name == "num_processes" && normal(around.outer_key).contains("accelerate");
    let label = if is_flag {
        Some("accelerate launch")
    } else {
        label(walk, &name)
    };
    if let Some(label) = label {
        taken(walk, entry.value.text(), whole(entry), label);
    }
}

/// The label of a name that holds a number of cards, in this file.
pub(super) fn label(walk: &Walk<'_>, name: &str) -> Option<&'static str> {
    // Processes run on other machines too.
    let is_of_cards = name != "nproc_per_node" || walk.about_gpus;
    catalogue::count(name).filter(|_| is_of_cards)
}

fn taken(walk: &mut Walk<'_>, number: Option<&str>, span: Span, label: &'static str) {
    let count = number.and_then(|text| text.trim().parse::<u32>().ok());
    if let Some(count) = count.filter(|count| (1..=MOST_CARDS).contains(count)) {
        let count = Value::Known(count);
        walk.fact(span, None, label, FactKind::TakesCount { count });
    }
}
