//! Anchors: the variables in what each of them names, for the maps that take them over by `<<: *x`
//! or `environment: *x`. Nothing else of an anchor is kept, and nothing is expanded, so a bomb
//! stays as small as it is written.

use std::collections::BTreeMap;

use crate::scan::catalogue;
use crate::scan::language::settings::tree::{Entry, Kind, Node, Scalar};
use crate::text::Span;

/// Variables of one anchor; there are hardly more that choose a card.
const MOST_OF_ANCHOR: usize = 8;
/// Values longer than this name no cards.
const LONGEST: usize = 64;
/// Variables that a file takes over in all.
const MOST_TAKEN: usize = 1 << 14;

/// Keys of a map of variables.
const ENVIRONMENTS: &[&str] = &["env", "environment", "variables"];

/// What the anchors of a file name.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    named: BTreeMap<usize, Vec<Variable>>,
    taken: usize,
}

/// A variable, and the key that it stands under inside the anchor's map.
#[derive(Clone, Debug)]
struct Variable {
    under: Option<&'static str>,
    name: String,
    value: String,
    quoted: bool,
}

impl Anchors {
    /// Notes what an anchor names.
    pub(super) fn note(&mut self, anchor: usize, named: &Kind) {
        let mut variables = variables_of(named, None);
        if let Kind::Map(entries) = named {
            for entry in entries {
                if let Some(under) = ENVIRONMENTS.iter().find(|key| **key == entry.key) {
                    variables.extend(variables_of(&entry.value.kind, Some(under)));
                }
            }
        }
        variables.truncate(MOST_OF_ANCHOR);
        if !variables.is_empty() {
            self.named.insert(anchor, variables);
        }
    }

    /// What stands in the place of an alias, at `span`.
    pub(super) fn taken_over(&mut self, anchor: usize, span: Span) -> Kind {
        let Some(variables) = self.named.get(&anchor) else {
            return Kind::Nothing;
        };
        self.taken += variables.len();
        if self.taken > MOST_TAKEN {
            return Kind::Nothing;
        }
        let entry = |key: &str, kind: Kind| Entry {
            key: key.to_owned(),
            key_span: span,
            value: Node { span, kind },
        };
        let of = |under: Option<&str>| -> Vec<Entry> {
            variables
                .iter()
                .filter(|variable| variable.under == under)
                .map(|variable| {
                    let scalar = Scalar {
                        text: variable.value.clone(),
                        inside: None,
                        quoted: variable.quoted,
                        pieces: None,
                    };
                    entry(&variable.name, Kind::Scalar(scalar))
                })
                .collect()
        };
        let mut entries = of(None);
        for key in ENVIRONMENTS {
            let inner = of(Some(key));
            if !inner.is_empty() {
                entries.push(entry(key, Kind::TakenOver(inner)));
            }
        }
        Kind::TakenOver(entries)
    }
}

/// The variables of a map or list, its own before those that it takes over.
fn variables_of(kind: &Kind, under: Option<&'static str>) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut add = |name: &str, value: &str, quoted: bool| {
        let is_name = (13..=34).contains(&name.len()) && catalogue::is_of_interest(name);
        if is_name && value.len() <= LONGEST && variables.len() < MOST_OF_ANCHOR {
            variables.push(Variable {
                under,
                name: name.to_owned(),
                value: value.to_owned(),
                quoted,
            });
        }
    };
    match kind {
        Kind::Map(entries) => {
            for entry in entries {
                if let Some(scalar) = entry.value.scalar() {
                    add(&entry.key, &scalar.text, scalar.quoted);
                }
            }
            let merged = entries.iter().filter(|entry| entry.key == MERGE);
            for entry in merged.flat_map(|entry| entry.value.taken_over()) {
                let is_own = entries.iter().any(|own| own.key == entry.key);
                if let Some(scalar) = entry.value.scalar().filter(|_| !is_own) {
                    add(&entry.key, &scalar.text, scalar.quoted);
                }
            }
        }
        Kind::List(elements) => {
            for element in elements {
                if let Some((name, value)) = element.text().and_then(|text| text.split_once('=')) {
                    add(name, value, true);
                }
            }
        }
        Kind::TakenOver(entries) => {
            for entry in entries {
                if let Some(scalar) = entry.value.scalar() {
                    add(&entry.key, &scalar.text, scalar.quoted);
                }
            }
        }
        Kind::Scalar(_) | Kind::Nothing => {}
    }
    variables
}

/// The key by which a map takes over the entries of another.
const MERGE: &str = "<<";
