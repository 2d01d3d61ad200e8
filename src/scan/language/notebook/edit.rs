//! Writes remedies into the file of a notebook: changes of its code as changes of its JSON.

use std::borrow::Cow;

use super::magic;
use crate::scan::embedded::{Embedded, First, Run};
use crate::scan::fact::FileFacts;
use crate::scan::language::json_string::escape;
use crate::scan::language::python;
use crate::scan::remedy::{Change, Site, Wish, Written};
use crate::text::{Edit, Span};

/// The edits of the file's text for each wish; `None` for one that cannot be written for certain.
pub(super) fn edits(file: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let Some(embedded) = &facts.embedded else {
        return vec![None; wishes.len()];
    };
    let bare: Vec<Option<Span>> = wishes
        .iter()
        .map(|wish| bare_value(facts, wish.site))
        .collect();
    let of_python: Vec<Wish<'_>> = wishes
        .iter()
        .zip(&bare)
        .filter_map(|(wish, bare)| bare.is_none().then_some(*wish))
        .collect();
    let (as_python, cells) = super::as_python(embedded);
    let source = (as_python.as_str(), cells.as_slice());
    let mut written =
        python::edits_in_cells(embedded.code(), source, facts, &of_python).into_iter();
    let all = wishes.iter().zip(bare).map(|(wish, bare)| {
        let written = match bare {
            Some(span) => Written {
                edits: vec![bare_edit(span, wish.change)?],
                only_that: true,
            },
            None => written.next()??,
        };
        Some(Written {
            edits: in_file(file, embedded, &written.edits)?,
            ..written
        })
    });
    all.collect()
}

/// The value that is to change, where it is one of a magic or a shell's command.
fn bare_value(facts: &FileFacts, site: Site) -> Option<Span> {
    let value = site.value?;
    let from = facts.facts.partition_point(|fact| fact.span < site.span);
    let mut here = facts.facts[from..]
        .iter()
        .take_while(|fact| fact.span == site.span);
    let fact = here.find(|fact| fact.value == Some(value))?;
    magic::is_bare(fact.api).then_some(value)
}

fn bare_edit(span: Span, change: &Change) -> Option<Edit> {
    match change {
        Change::Value(value) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_,:.".contains(c);
            (!value.is_empty() && value.chars().all(plain)).then(|| Edit {
                span,
                replacement: value.clone(),
            })
        }
        _ => None,
    }
}

/// Edits of the code as edits of the file's text. Everything else in the file stays as it is, and
/// a new line becomes an element of its own where the cell is written as a list of its lines.
/// `None` where one of them cannot be made for certain.
pub(super) fn in_file(file: &str, embedded: &Embedded, of_code: &[Edit]) -> Option<Vec<Edit>> {
    of_code
        .iter()
        .map(|edit| one(file, embedded, edit))
        .collect()
}

fn one(file: &str, embedded: &Embedded, edit: &Edit) -> Option<Edit> {
    let span = placed(embedded, edit)?;
    let strings = embedded.strings();
    let at = string_at(strings, span.start)?;
    let is_insertion = span.start == span.end;
    let last = if is_insertion {
        at
    } else {
        string_at(strings, span.end - 1)?
    };
    let cell = |string: usize| embedded.cell_at(strings[string].code.start);
    let code_end = embedded.cells().get(cell(at)?)?.code.end;
    if cell(at) != cell(last) || span.end > code_end {
        return None;
    }
    let next = (last + 1 < strings.len() && cell(last + 1) == cell(at)).then_some(last + 1);
    let (first_string, last_string) = (strings[at], strings[last]);
    let start = point(embedded, first_string, span.start);
    let mut end = point(embedded, last_string, span.end);
    let mut string_end = last_string.file.end;
    let whole = span.start == first_string.code.start && span.end == last_string.code.end;
    if whole
        && !is_insertion
        && edit.replacement.is_empty()
        && let Some(next) = next
    {
        // Whole elements go, and leave no empty one behind.
        end = strings[next].file.start;
        string_end = strings[next].file.end;
    }
    let before = at.checked_sub(1).filter(|before| cell(*before) == cell(at));
    let neighbours = match (before, next) {
        (_, Some(next)) => Some((last, next)),
        (Some(before), None) => Some((before, at)),
        (None, None) => None,
    };
    let replacement = match between(file, strings, at, neighbours) {
        Some(between) => {
            let behind_line = span.start > first_string.code.start
                && embedded.code()[..span.start].ends_with('\n');
            in_list(&edit.replacement, &between, behind_line, end < string_end)
        }
        None => escape(&edit.replacement),
    };
    Some(Edit {
        span: Span::new(start, end),
        replacement,
    })
}

/// Where an edit is made. What is inserted at a cell's start has to leave `%%time` the first
/// line, and can stand in no cell that is a shell's.
fn placed(embedded: &Embedded, edit: &Edit) -> Option<Span> {
    let span = edit.span;
    if span.start != span.end {
        return Some(span);
    }
    let cells = embedded.cells();
    let at = embedded.cell_at(span.start)?;
    if span.start > cells[at].code.end {
        return None;
    }
    match cells[at].first {
        First::At(first) => Some(Span::new(span.start.max(first), span.start.max(first))),
        First::NextCell if span.start == cells[at].code.start => {
            let mut later = cells[at + 1..].iter();
            let cell = later.find(|cell| cell.first != First::NextCell)?;
            match cell.first {
                First::At(first) => Some(Span::new(first, first)),
                First::NextCell | First::Unknown => None,
            }
        }
        // A value that was empty.
        First::NextCell if !edit.replacement.contains('\n') => Some(span),
        First::NextCell | First::Unknown => None,
    }
}

/// The string that holds an offset of the code, or ends there.
fn string_at(strings: &[Run], offset: usize) -> Option<usize> {
    strings
        .partition_point(|string| string.code.start <= offset)
        .checked_sub(1)
}

/// An offset of a string's code in the file.
fn point(embedded: &Embedded, string: Run, offset: usize) -> usize {
    if offset <= string.code.start {
        string.file.start
    } else if offset >= string.code.end {
        string.file.end
    } else {
        embedded.in_file(Span::new(offset, offset)).start
    }
}

/// What stands between two elements of the list that the source of a cell is, quotes included,
/// as it does between these two, or else before its only element, `at`; `None` where the source
/// is one string.
fn between<'f>(
    file: &'f str,
    strings: &[Run],
    at: usize,
    neighbours: Option<(usize, usize)>,
) -> Option<Cow<'f, str>> {
    if let Some((one, other)) = neighbours {
        let found = file.get(strings[one].file.end..strings[other].file.start)?;
        return Some(found.into());
    }
    let head = file.get(..strings[at].file.start)?.strip_suffix('"')?;
    let list = head.trim_end();
    let blanks = &head[list.len()..];
    list.ends_with('[').then(|| format!("\",{blanks}\"").into())
}

/// Code as it stands in a list of lines: with what is between two elements behind each line end
/// that something follows, and before it all where it starts `behind_line`.
fn in_list(code: &str, between: &str, behind_line: bool, followed: bool) -> String {
    let mut written = String::new();
    if behind_line && !code.is_empty() {
        written.push_str(between);
    }
    let mut lines = code.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        written.push_str(&escape(line));
        if line.ends_with('\n') && (followed || lines.peek().is_some()) {
            written.push_str(between);
        }
    }
    written
}

#[cfg(test)]
mod tests;
