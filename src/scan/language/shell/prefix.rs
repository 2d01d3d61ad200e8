//! Where another variable is written beside one that a script sets.

use crate::scan::fact::{Fact, FactKind, Whose};
use crate::scan::language::in_place::line_above;
use crate::text::{Edit, Span};

/// Whose variable a fact writes.
pub(super) fn whose(fact: &Fact) -> Option<Whose> {
    match &fact.kind {
        FactKind::SetVariable(write) => Some(write.whose),
        _ => None,
    }
}

/// Directly before the variable, on its line: only where it is written there as a word.
pub(super) fn before(text: &str, fact: &Fact, words: &str) -> Option<Edit> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let at = fact.span.start;
    let own = text.get(at..)?.strip_prefix(write.name.as_str())?;
    // `mpirun -x NAME=value`: each variable has the option.
    let option = ["-x ", "--env ", "-e "]
        .iter()
        .find(|option| text[..at].ends_with(**option));
    own.starts_with('=').then(|| Edit {
        span: Span::new(at, at),
        replacement: format!("{words}{}", option.copied().unwrap_or_default()),
    })
}

/// On a line of its own above the statement: only where this begins its line. Behind something
/// else, in front of the statement, with `; ` behind it.
pub(super) fn above(text: &str, fact: &Fact, line: &str) -> Option<Edit> {
    let at = fact.span.start;
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let words = before[start..].trim();
    let is_joined = before[..start]
        .trim_end_matches(['\r', '\n'])
        .ends_with(['\\', '`', '^']);
    let begins = words.is_empty()
        || STATEMENTS
            .iter()
            .any(|word| word.eq_ignore_ascii_case(words));
    (begins && !is_joined)
        .then(|| line_above(text, at, line))
        .flatten()
}

/// What stands between the start of a line and the variable that it sets.
const STATEMENTS: &[&str] = &[
    "declare -x",
    "export",
    "export --",
    "set",
    "set -Ux",
    "set -gx",
    "set -lx",
    "set -x",
    "set \"",
    "@set",
    "@set \"",
    "setx",
    "typeset -x",
];
