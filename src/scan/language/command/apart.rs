//! Pieces of a script whose variables the rest of it does not see: subshells, and functions that
//! nobody calls.

use std::collections::HashSet;

use super::words::Reading;
use super::{Exports, Place, Shell, Simple};
use crate::scan::fact::{FactKind, Value, VariableWrite, Whose};
use crate::scan::scopes::Scopes;
use crate::text::Span;

impl Shell {
    /// Gives what such pieces export to the programs in them alone.
    pub(super) fn apart(&mut self, read: &Reading) {
        if self.exports != Exports::Own || !matches!(self.place, Place::Behind(0)) {
            return;
        }
        let mut pieces = read.subshells.clone();
        let functions = Scopes::new(self.uncalled(read));
        // A file of nothing but functions has them called by others.
        let is_masked_outside = self.found.facts.iter().any(|fact| {
            exports(&fact.kind).is_some_and(|write| write.name == "CUDA_VISIBLE_DEVICES")
                && functions.innermost(fact.span.start).is_none()
        });
        if is_masked_outside {
            pieces.extend(functions.spans());
        }
        if pieces.is_empty() {
            return;
        }
        let pieces = Scopes::new(pieces);
        for fact in &mut self.found.facts {
            let Some(piece) = pieces.innermost(fact.span.start) else {
                continue;
            };
            if exports(&fact.kind).is_none() {
                continue;
            }
            if let FactKind::SetVariable(write) = &mut fact.kind {
                write.whose = Whose::Child;
            }
            let around = pieces.outward(Some(piece));
            self.found
                .scopes
                .extend(around.filter_map(|piece| pieces.span(piece)));
        }
    }

    /// The bodies of functions whose names stand nowhere else.
    fn uncalled(&self, read: &Reading) -> Vec<Span> {
        let functions = self.blocks.functions();
        let names: HashSet<&str> = functions.iter().map(|(name, _)| name.as_str()).collect();
        let is_definition = |command: &Simple| {
            let first = command.words.first();
            first.is_some_and(|word| word.text == "function")
        };
        let commands = read.commands.iter();
        let words = commands.flat_map(|command| {
            let defined = if is_definition(command) { 2 } else { 0 };
            command.words.iter().skip(defined)
        });
        let called: HashSet<&str> = words
            .map(|word| word.text.as_str())
            .filter(|text| names.contains(text))
            .collect();
        let uncalled = functions
            .iter()
            .filter(|(name, _)| !called.contains(name.as_str()));
        uncalled.map(|(_, body)| *body).collect()
    }
}

/// The write of a variable that a script exports.
fn exports(kind: &FactKind) -> Option<&VariableWrite> {
    match kind {
        FactKind::SetVariable(write)
            if write.whose == Whose::Own && write.value != Value::Absent =>
        {
            Some(write)
        }
        _ => None,
    }
}
