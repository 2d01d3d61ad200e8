//! A value that stands in a constant elsewhere in the file: `DEV = 1`, `f"cuda:{DEV}"`.

use super::literal::{index_edit, value_edit};
use super::surroundings::{Parts, Surroundings};
use crate::scan::fact::{Fact, FactKind, FileFacts, Value};
use crate::scan::remedy::{Site, Written};
use crate::text::Span;

/// A name that is read more often may be anything.
const MOST_READS: usize = 16;
/// Code that selects a card and is longer than this up to the name is not looked for.
const NEAR: usize = 512;

/// Selects `index` where an expression computes `wrong`: in the one literal of the expression
/// that holds it, else in the constant that the expression reads.
pub(super) fn index_in(
    text: &str,
    facts: &FileFacts,
    around: &Surroundings<'_>,
    site: Site,
    (wrong, index): (u32, u32),
) -> Option<Written> {
    let parts = around.parts(site.span)?;
    let held: Vec<_> = parts
        .literals
        .iter()
        .filter_map(|literal| index_edit(text, *literal, wrong, index))
        .collect();
    match (held.as_slice(), parts.names.as_slice()) {
        ([edit], names) => {
            // Another name in it may have been taken for what is right.
            Some(Written {
                edits: vec![edit.clone()],
                only_that: names.is_empty() || is_text(text, parts),
            })
        }
        ([], [name]) => {
            let selects = |fact: &Fact| matches!(&fact.kind, FactKind::SelectIndex { index } if *index == Value::Known(wrong));
            let (literal, only_that) = constant(facts, around, name, selects)?;
            let edit = index_edit(text, literal, wrong, index)?;
            Some(Written {
                edits: vec![edit],
                only_that: only_that && !around.is_default(literal.start),
            })
        }
        _ => None,
    }
}

/// Whether an expression is a formatted text in which the number stands as it is.
fn is_text(text: &str, parts: &Parts<'_>) -> bool {
    parts.literals.first().is_some_and(|literal| {
        text.get(literal.start..literal.end)
            .is_some_and(|code| code.starts_with(['f', 'F']))
    })
}

/// Sets a variable to `value` where it is set to a constant.
pub(super) fn value_in(
    text: &str,
    facts: &FileFacts,
    around: &Surroundings<'_>,
    (site, value): (Site, &str),
) -> Option<Written> {
    let parts = around.parts(site.span)?;
    let ([], [name]) = (parts.literals.as_slice(), parts.names.as_slice()) else {
        return None;
    };
    let sets = |fact: &Fact| {
        matches!(&fact.kind, FactKind::SetVariable(write) if !write.one_of_several)
            && fact.span == site.span
    };
    let (literal, only_that) = constant(facts, around, name, sets)?;
    Some(Written {
        edits: vec![value_edit(text, literal, value)?],
        only_that,
    })
}

/// The literal of a name that is bound once; and whether nothing reads the name but facts that
/// `count`.
fn constant(
    facts: &FileFacts,
    around: &Surroundings<'_>,
    name: &str,
    count: impl Fn(&Fact) -> bool,
) -> Option<(Span, bool)> {
    let uses = around.uses(name).filter(|uses| uses.bound == 1)?;
    let only = uses.reads.len() <= MOST_READS
        && uses.reads.iter().all(|read| {
            let inside = |fact: &&Fact| fact.span.start <= read.start && read.end <= fact.span.end;
            let near = read.start.saturating_sub(NEAR);
            let first = facts.facts.partition_point(|fact| fact.span.start < near);
            let behind = facts
                .facts
                .partition_point(|fact| fact.span.start <= read.start);
            facts.facts[first..behind].iter().filter(inside).any(&count)
        });
    Some((uses.literal?, only))
}
