//! `setx NAME value` of Windows, in every shell.

use crate::scan::catalogue;
use crate::scan::language::command::{Setting, Step, Word};
use crate::text::Span;

/// The variable that `setx` keeps for the programs that others start.
pub(super) fn kept(words: &[Word]) -> Option<Step> {
    let (first, rest) = words.split_first()?;
    let name = first.text.to_ascii_lowercase();
    if name.strip_suffix(".exe").unwrap_or(&name) != "setx" {
        return None;
    }
    let mut rest = rest.iter().filter(|word| !word.text.starts_with('/'));
    let (name, value) = (rest.next()?, rest.next()?);
    Some(Step::Keep(Setting {
        span: Span::new(name.span.start, value.span.end),
        name: upper(&name.text),
        value: Some(value.clone()),
        is_emptied: false,
        in_branch: false,
    }))
}

/// A name as Windows knows it: in any case.
pub(super) fn upper(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if catalogue::variable(&upper).is_some() {
        upper
    } else {
        name.to_owned()
    }
}
