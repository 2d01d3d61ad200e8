//! Jupyter notebooks: their cells as one Python program, with what IPython adds to Python.
//!
//! `format` finds the cells in the JSON, `cell` says what a cell holds, `magic` reads what is not
//! Python, `edit` writes remedies.

mod cell;
mod edit;
mod format;
mod magic;

use cell::Content;

use super::command::LONGEST;
use super::{Language, ReaderFailed, python};
use crate::git::RepoPath;
use crate::scan::embedded::{Embedded, First};
use crate::scan::fact::{Detail, Fact, FileFacts, When};
use crate::text::Span;

/// What messages call the format.
const FORMAT: &str = "Jupyter notebook";

pub(super) const NOTEBOOK: Language = Language {
    name: "notebook",
    claims,
    worth_reading,
    read,
    edits: edit::edits,
    plain: python::PYTHON.plain,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(b"ipynb"))
}

/// What Python's clues are made of is in the JSON as it is, but for quotes, which have a backslash
/// before them there.
fn worth_reading(file: &str) -> bool {
    python::worth_reading(file)
}

fn read(file: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let (embedded, contents) = embedded(file)?;
    let code = embedded.code();
    let mut facts = FileFacts::default();
    // What brought the file here may have been an output.
    let worth_reading = python::worth_reading(code);
    if detail == Detail::Dynamic || worth_reading {
        let (as_python, cells) = as_python(&embedded);
        let (python, escaped) = python::read_cells(&as_python, &cells, detail)?;
        facts = python;
        for line in escaped {
            magic::facts(code, line, &mut facts.facts);
        }
        for (cell, content) in embedded.cells().iter().zip(&contents) {
            if let Content::Shell { from } = content {
                let script = Span::new(cell.code.start + from, cell.code.end);
                magic::shell(code, script, When::Loading, &mut facts.facts);
                if script.end - script.start > LONGEST {
                    // It was not read, which has to be said.
                    facts.first_error.get_or_insert(script.start);
                }
            }
        }
        facts.facts.sort_by_key(|fact| fact.span);
    }
    if !worth_reading {
        // Whether what is dynamic is listed decides nothing else.
        let is_dynamic = |fact: &Fact| fact.kind.is_dynamic();
        facts = FileFacts {
            facts: facts.facts.into_iter().filter(is_dynamic).collect(),
            ..FileFacts::default()
        };
    }
    // Nobody imports a notebook.
    facts.entry_point = true;
    facts.embedded = Some(embedded);
    Ok(facts)
}

/// The code as the parser takes it: as long, with nothing in the place of what is not Python. With
/// it, the cells.
fn as_python(embedded: &Embedded) -> (String, Vec<Span>) {
    let code = embedded.code();
    let mut as_python = String::with_capacity(code.len());
    for (at, cell) in embedded.cells().iter().enumerate() {
        if at > 0 {
            as_python.push('\n');
        }
        let text = &code[cell.code.start..cell.code.end];
        match cell::content(text) {
            Content::Python { .. } => cell::as_python(text, &mut as_python),
            Content::Shell { .. } | Content::Other => cell::as_nothing(text, &mut as_python),
        }
    }
    let cells = embedded.cells().iter().map(|cell| cell.code).collect();
    (as_python, cells)
}

/// The code of a notebook, and what each of its cells holds; cells in other languages are left
/// out.
fn embedded(file: &str) -> Result<(Embedded, Vec<Content>), ReaderFailed> {
    let mut embedded = Embedded::default();
    let mut contents = Vec::new();
    for cell in format::code_cells(file)? {
        let start = embedded.start_cell(cell.number);
        for string in cell.strings {
            let inside = file.get(string.start..string.end).unwrap_or_default();
            super::json_string::unescape(inside, string.start, &mut embedded);
        }
        let text = &embedded.code()[start..];
        let content = cell::content(text);
        let first = match content {
            Content::Python { .. } if !cell::indentation(text).is_empty() => First::Unknown,
            Content::Python { from } if from == 0 || from < text.len() => First::At(start + from),
            Content::Python { .. } | Content::Shell { .. } | Content::Other => First::NextCell,
        };
        if content == Content::Other {
            embedded.drop_cell();
        } else {
            embedded.set_first(first);
            contents.push(content);
        }
    }
    Ok((embedded, contents))
}

#[cfg(test)]
mod tests;
