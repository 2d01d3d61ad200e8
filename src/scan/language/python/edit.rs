//! Writes remedies as Python.

use crate::scan::fact::FileFacts;
use crate::scan::remedy::{Change, Site};
use crate::text::{Edit, Span};

/// The edits that make a change; `None` where it cannot be written for certain.
pub(super) fn edits(
    text: &str,
    _facts: &FileFacts,
    site: Site,
    change: &Change,
) -> Option<Vec<Edit>> {
    match change {
        Change::Index(index) => index_edit(text, site.value?, *index),
        Change::Value(value) => value_edit(text, site.value?, value),
        Change::Name(_) | Change::SetFirst(_) | Change::MoveFirst | Change::Remove => None,
    }
}

/// `1` as `0`, `"cuda:1"` as `"cuda:0"`: the digits at the end of the literal.
fn index_edit(text: &str, literal: Span, index: u32) -> Option<Vec<Edit>> {
    let code = text.get(literal.start..literal.end)?;
    let inside = code.trim_end_matches(['"', '\'']);
    let start = inside.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (start < inside.len()).then(|| {
        vec![Edit {
            span: Span::new(literal.start + start, literal.start + inside.len()),
            replacement: index.to_string(),
        }]
    })
}

/// `"0"` as `"1"`, in the quotes that are there.
fn value_edit(text: &str, literal: Span, value: &str) -> Option<Vec<Edit>> {
    let code = text.get(literal.start..literal.end)?;
    let quote = code.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = code.strip_prefix(quote)?.strip_suffix(quote)?;
    // Triple quotes and joined literals are left to a person.
    (!inside.contains(['"', '\'', '\\']) && !value.contains(['"', '\'', '\\'])).then(|| {
        vec![Edit {
            span: Span::new(literal.start + 1, literal.end - 1),
            replacement: value.to_owned(),
        }]
    })
}
