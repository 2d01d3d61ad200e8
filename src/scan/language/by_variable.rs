//! Variables by which a library takes cards that CUDA shows: each is an index, whatever language
//! writes it.

use crate::scan::catalogue::{self, DeviceText, Form, Variable};
use crate::scan::fact::{Fact, FactKind, FileFacts, HowSet, Value, VariableWrite, Whose};

/// Makes indices of the writes of such variables, where their value is known.
pub(super) fn indices(mut facts: FileFacts) -> FileFacts {
    if facts.facts.iter().any(|fact| chosen(&fact.kind).is_some()) {
        facts.facts = facts.facts.into_iter().flat_map(of_fact).collect();
    }
    facts
}

fn of_fact(fact: Fact) -> Vec<Fact> {
    let Some(indices) = chosen(&fact.kind) else {
        return vec![fact];
    };
    // Of several, one with another number may be there twice.
    let value = fact.value.filter(|_| indices.len() == 1);
    let facts = indices.into_iter().map(|index| Fact {
        value,
        kind: FactKind::SelectIndex {
            index: Value::Known(index),
        },
        ..fact
    });
    facts.collect()
}

/// The cards that the write of a variable takes.
fn chosen(kind: &FactKind) -> Option<Vec<u32>> {
    let FactKind::SetVariable(VariableWrite {
        name,
        value: Value::Known(value),
        how: HowSet::Assigned | HowSet::Default,
        whose: Whose::Own | Whose::Child,
        ..
    }) = kind
    else {
        return None;
    };
    // SYCL's selector takes cards of CUDA's by its back end's name.
    if name == "ONEAPI_DEVICE_SELECTOR" {
        let cards = value.strip_prefix("cuda:")?;
        return match Form::List.read(cards) {
            DeviceText::Indices(indices) => Some(indices),
            _ => None,
        };
    }
    if catalogue::variable(name) != Some(Variable::Index) {
        return None;
    }
    match Form::List.read(value) {
        DeviceText::Indices(indices) => Some(indices),
        _ => None,
    }
}
