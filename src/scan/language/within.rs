//! Code in another file: a script in a setting, Python in a script, a fence in a page. What its
//! language reads out of it, with the places it has in the file.

use super::Language;
use super::command::HOLE;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Detail, Fact, FactKind, FileFacts, Whose};
use crate::text::Span;

/// What a piece of code says, with the places it has in the file.
#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) facts: Vec<Fact>,
    /// The pieces of it that have an environment of their own.
    pub(super) scopes: Vec<Span>,
    /// Where its first syntax error is.
    pub(super) first_error: Option<usize>,
}

/// What a whole piece of code says, for the file around it: it is one program among others, so what
/// it sets is a child's.
pub(super) fn read(language: &Language, code: &Embedded, detail: Detail) -> Inner {
    // What is dynamic need not say a word of GPUs; whether it is listed decides nothing else.
    let worth_reading = language.worth_reading(code.code());
    if !worth_reading && detail == Detail::Known {
        return Inner::default();
    }
    let found = language
        .read(code.code(), detail)
        .unwrap_or_else(|_| FileFacts {
            first_error: Some(0),
            ..FileFacts::default()
        });
    let scopes = found.scopes.spans().map(|scope| code.in_file(scope));
    let scopes = scopes.collect();
    let first_error = found
        .first_error
        .filter(|_| worth_reading && is_as_written(code.code()));
    let others = found.facts.into_iter().filter_map(|mut fact| {
        match &mut fact.kind {
            // When its CUDA starts is nobody else's matter.
            FactKind::StartsCuda(_) => return None,
            FactKind::SetVariable(write) if write.whose == Whose::Own => {
                write.whose = Whose::Child;
            }
            _ => {}
        }
        if !worth_reading && !fact.kind.is_dynamic() {
            return None;
        }
        fact.value = fact.value.map(|value| bare(code.code(), value));
        Some(fact)
    });
    Inner {
        facts: placed(others.collect(), code),
        scopes,
        first_error: first_error.map(|at| code.in_file(Span::new(at, at)).start),
    }
}

/// Whether a piece of code is what its program gets: nothing is filled in before, and nothing is
/// taken away from the start of its lines.
fn is_as_written(code: &str) -> bool {
    let first = code.lines().find(|line| !line.trim().is_empty());
    !first.is_some_and(|line| line.starts_with([' ', '\t']))
        && !code.contains(['$', '`', HOLE])
        && !["{{", "{%"].iter().any(|sign| code.contains(sign))
}

/// A value without its quotes, as it is mended in place; one with more than a pair of quotes is left
/// as it is, and then no plain value.
fn bare(code: &str, value: Span) -> Span {
    let written = code.get(value.start..value.end).unwrap_or_default();
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| {
        let inner = written.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    });
    match inner {
        Some(_) => Span::new(value.start + 1, value.end - 1),
        None => value,
    }
}

/// Facts of a piece of code with their places in the file. A value whose text stands otherwise in
/// the file is none that can be written anew.
pub(super) fn placed(mut facts: Vec<Fact>, code: &Embedded) -> Vec<Fact> {
    for fact in &mut facts {
        fact.span = code.in_file(fact.span);
        fact.value = fact.value.and_then(|value| code.verbatim(value));
    }
    facts
}
