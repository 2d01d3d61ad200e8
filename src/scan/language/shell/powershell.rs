//! `PowerShell`: `$env:NAME = "value"`, and what else writes its environment.

mod brackets;
mod reader;
mod start_process;
mod word;

use super::prefix;
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FileFacts, Whose};
use crate::scan::language::command::{Step, steps};
use crate::scan::language::file_name::{has_extension, is_started_by};
use crate::scan::language::{Language, ReaderFailed, clue, in_place, plain_words};
use crate::scan::remedy::{Wish, Written};
use crate::text::Edit;

pub(in crate::scan::language) const POWERSHELL: Language = Language {
    name: "powershell",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: plain_words,
};

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    has_extension(path, &["ps1", "psm1", "psd1"])
        || is_started_by(path, content, &["pwsh", "powershell"])
}

/// What a text for `PowerShell` does.
pub(in crate::scan::language) fn powershell_steps(text: &str) -> Vec<Step> {
    reader::read(text).0
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let (read, unclosed) = reader::read(text);
    let mut found = steps(&read, text);
    found.first_error = unclosed.or_else(|| brackets::unclosed(text));
    Ok(super::facts_of(text, found, detail, &["#", "<#"]))
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: true,
    };
    in_place::edits(text, facts, wishes, style)
}

/// The statement once more with the other name and value, above it.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let written = text.get(fact.span.start..fact.span.end)?;
    let is_variable = written.starts_with('$');
    match prefix::whose(fact)? {
        Whose::Own | Whose::Nobody if is_variable => {
            let (left, right) = written.split_once('=')?;
            let quote = if right.contains('\'') { '\'' } else { '"' };
            let (open, close) = if left.contains('{') {
                ("{", "}")
            } else {
                ("", "")
            };
            // `$Env:` where it is written so.
            let scope = left.trim_start_matches(['$', '{']).split(':').next()?;
            let blank = if left.ends_with(' ') { " " } else { "" };
            let line = format!("${open}{scope}:{name}{close}{blank}={blank}{quote}{value}{quote}");
            prefix::above(text, fact, &line)
        }
        _ => None,
    }
}
