//! JSON as people and editors write it: with comments, trailing commas, and sometimes broken.
//!
//! `tree` makes settings of it. A file of several values, one to a line, holds records: nothing is
//! read out of it.

mod tree;

use super::file_name::has_extension;
use super::settings::tree::{Kind, MOST_VALUES, Node};
use super::settings::{self, beside};
use super::{Language, ReaderFailed, clue, in_place, remark};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;

pub(super) const JSON: Language = Language {
    name: "json",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    has_extension(path, &["json", "jsonc", "json5", "code-workspace"])
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let tree = tree::tree_of(text);
    if tree.too_many {
        return Err(ReaderFailed::TooManyValues { most: MOST_VALUES });
    }
    let found = match settings_of(&tree.documents) {
        Some(document) => settings::facts(document, text, detail),
        None => settings::Found::default(),
    };
    let (first_error, errors) = found.unread(tree.first_error, tree.errors);
    Ok(FileFacts {
        facts: found.facts,
        environment_is_given: true,
        scopes: Scopes::new(found.scopes),
        comments: remark::comments(text, &["//", "/*"]),
        first_error,
        errors,
        ..FileFacts::default()
    })
}

/// The one value that a file holds; words that are left over behind it take nothing from it.
fn settings_of(documents: &[Node]) -> Option<&Node> {
    if let [only] = documents {
        return Some(only);
    }
    let mut whole = documents
        .iter()
        .filter(|document| matches!(document.kind, Kind::Map(_) | Kind::List(_)));
    whole.next().filter(|_| whole.next().is_none())
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside: beside::in_json,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

#[cfg(test)]
mod tests;
