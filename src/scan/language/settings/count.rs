//! Keys that hold a number of cards: `num_gpus: 2`, and lists of words with a launcher's flag.

use super::name::normal;
use super::tree::{Entry, Kind, Node};
use super::walk::{Around, Walk, whole};
use crate::scan::catalogue;
use crate::scan::fact::{FactKind, Value};
use crate::text::Span;

/// No machine has more.
const MOST_CARDS: u32 = 64;

/// How many cards a key asks for.
pub(super) fn of_entry(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) {
    let is_asked_here = !around.in_prose
        && !around.in_resources
        && !around.in_environment
        && !catalogue::is_asked_elsewhere(around.outer_key);
    if !is_asked_here {
        return;
    }
    let name = normal(around.key);
    // What starts programs has the flags of the launcher as keys.
    let is_flag = name == "num_processes" && normal(around.outer_key).contains("accelerate");
    let label = if is_flag {
        Some("accelerate launch")
    } else {
        catalogue::count(&name)
    };
    if let Some(label) = label {
        taken(walk, entry.value.text(), whole(entry), label);
    }
    if let Kind::List(words) = &entry.value.kind {
        of_words(walk, words);
    }
}

/// `["--tensor-parallel-size", "2"]`
fn of_words(walk: &mut Walk<'_>, words: &[Node]) {
    for pair in words.windows(2) {
        let [flag, number] = pair else { continue };
        let name = flag.text().and_then(|flag| flag.strip_prefix("--"));
        let label = name.and_then(|name| catalogue::count(&normal(name)));
        if let Some(label) = label {
            let span = Span::new(flag.span.start, number.span.end);
            taken(walk, number.text(), span, label);
        }
    }
}

fn taken(walk: &mut Walk<'_>, number: Option<&str>, span: Span, label: &'static str) {
    let count = number.and_then(|text| text.trim().parse::<u32>().ok());
    if let Some(count) = count.filter(|count| (1..=MOST_CARDS).contains(count)) {
        let count = Value::Known(count);
        walk.fact(span, None, label, FactKind::TakesCount { count });
    }
}
