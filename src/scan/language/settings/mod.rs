//! What settings say about GPUs, whatever format they are written in.
//!
//! `tree` is what a format's reader makes of a file; `facts` reads such a tree: variables and
//! whose they are, keys that hold a device, scripts, containers. Knows no format.

pub(super) mod beside;
mod container;
mod count;
mod default;
mod device;
mod later_steps;
mod launcher;
mod name;
mod program;
mod reader;
mod script;
mod variable;
mod walk;

pub(super) mod tree;

use std::collections::BTreeSet;

use crate::scan::fact::{Detail, Fact, FactKind};
use crate::text::Span;
use tree::Node;

/// What settings say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The facts, by place.
    pub(super) facts: Vec<Fact>,
    /// The pieces that have an environment of their own.
    pub(super) scopes: Vec<Span>,
    /// Elements of lists that another number could make equal to their neighbours.
    alike: Vec<Span>,
    /// Where what is too deep to be read begins, and how many such places there are.
    too_deep: (Option<usize>, usize),
}

impl Found {
    fn is_too_deep(&mut self, at: usize) {
        let (first, count) = &mut self.too_deep;
        first.get_or_insert(at);
        *count += 1;
    }

    /// The first place that was not read and how many there are, with those that the reader of the
    /// file's format found.
    pub(super) fn unread(&self, first: Option<usize>, errors: usize) -> (Option<usize>, usize) {
        let (deep, deeper) = self.too_deep;
        let first = first.into_iter().chain(deep).min();
        (first, errors + deeper)
    }
}

/// Reads settings; `text` is the file, in which the tree has its places.
pub(super) fn facts(root: &Node, text: &str, detail: Detail) -> Found {
    facts_of_all(std::slice::from_ref(root), text, detail)
}

/// Reads settings that stand in one file, each by itself.
pub(super) fn facts_of_all(roots: &[Node], text: &str, detail: Detail) -> Found {
    let mut found = walk::Walk::over(roots, text, detail);
    found.facts.sort_by_key(|fact| fact.span);
    once_each(&mut found.facts);
    found.alike.sort_unstable();
    for fact in &mut found.facts {
        let is_index = matches!(fact.kind, FactKind::SelectIndex { .. });
        if is_index && found.alike.binary_search(&fact.span).is_ok() {
            fact.value = None;
        }
    }
    // Two keys of one map can say the same of it.
    found
        .facts
        .dedup_by(|next, one| next.span == one.span && next.kind == one.kind);
    found
}

/// Leaves out a card that was read before in the same place: as the value of a flag, and as a text by
/// itself.
fn once_each(facts: &mut Vec<Fact>) {
    let mut seen = BTreeSet::new();
    facts.retain(|fact| match (&fact.kind, fact.value) {
        (FactKind::SelectIndex { index }, Some(value)) => {
            seen.insert((value, index.known().copied()))
        }
        _ => true,
    });
}
