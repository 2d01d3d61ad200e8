//! What the recipes of make and just share: the tool's own variables, as far as one literal is all
//! they are ever set to, and a line with them filled in.

use std::collections::HashMap;

use super::command::{HOLE, facts_in_piece};
use super::logical::push_otherwise;
use super::within;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Fact, When};
use crate::text::Span;

/// Values longer than this are not filled in, so that a file grows no further than it is.
const LONGEST_VALUE: usize = 128;
/// So far variables in variables are followed.
const DEEPEST: u8 = 8;

/// Fills into a text what is known of each variable in it.
pub(super) type FillIn = fn(&str, &mut dyn FnMut(&str) -> Option<String>) -> String;

/// The tool's own variables.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// `None` where the file sets one to several values, or to what is decided when it runs.
    known: HashMap<String, Option<String>>,
}

impl Variables {
    /// Notes that a variable is set; `None` to something that is not known.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.filter(|value| value.len() <= LONGEST_VALUE);
        self.known
            .entry(name.to_owned())
            .and_modify(|known| {
                if known.as_deref() != value {
                    *known = None;
                }
            })
            .or_insert_with(|| value.map(str::to_owned));
    }

    /// Fills in the variables that stand in others; `fill_in` does so in one text. Each is filled in
    /// once: linear in all of them.
    pub(super) fn resolve(&mut self, fill_in: FillIn) {
        let written = std::mem::take(&mut self.known);
        // In an order of their own: where they stand too deep in each other, the same ones stay open.
        let names: std::collections::BTreeSet<&String> = written.keys().collect();
        for name in names {
            self.resolve_one(name, &written, fill_in, DEEPEST);
        }
    }

    fn resolve_one(
        &mut self,
        name: &str,
        written: &HashMap<String, Option<String>>,
        fill_in: FillIn,
        deep: u8,
    ) -> Option<String> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let text = written.get(name)?.as_ref()?;
        let deep = deep.checked_sub(1)?;
        // While it is filled in itself, it is not known.
        self.known.insert(name.to_owned(), None);
        let filled = fill_in(text, &mut |inner| {
            self.resolve_one(inner, written, fill_in, deep)
        });
        let filled = Some(filled).filter(|text| text.len() <= LONGEST_VALUE);
        self.known.insert(name.to_owned(), filled.clone());
        filled
    }

    /// What a variable is.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.known.get(name)?.as_deref()
    }
}

/// Adds a variable's value to a line, or a hole where that is not known.
pub(super) fn fill(code: &mut Embedded, span: Span, value: Option<&str>) {
    let mut hole = [0; 4];
    push_otherwise(code, span, value.unwrap_or(HOLE.encode_utf8(&mut hole)));
}

/// What a shell does with a line, or lines.
pub(super) fn shell(code: &Embedded, when: When) -> Vec<Fact> {
    within::placed(facts_in_piece(code.code(), when), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_with_two_values_is_not_known() {
        let mut variables = Variables::default();
        variables.set("A", Some("1"));
        variables.set("B", Some("1"));
        variables.set("B", Some("2"));
        variables.set("C", None);
        variables.set("A", Some("1"));
        assert_eq!(variables.get("A"), Some("1"));
        assert_eq!((variables.get("B"), variables.get("C")), (None, None));
        assert_eq!(variables.get("D"), None);
    }
}
