//! YAML: all documents of a file, aliases unexpanded but for the variables they bring, templates of Helm and Jinja left out.
//!
//! `tree` makes settings of the parser's events, `anchor` keeps the variables for aliases, `block` finds the lines of a text that goes over
//! several, `template` blanks what is filled in before YAML is read.

mod anchor;
mod block;
mod template;
mod tree;

use super::file_name::has_extension;
use super::settings::{self, beside};
use super::{Language, ReaderFailed, clue, in_place, remark};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;

pub(super) const YAML: Language = Language {
    name: "yaml",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

/// Endings behind the extension of a file that becomes YAML.
const TEMPLATES: &[&[u8]] = &[
    b".dist",
    b".example",
    b".j2",
    b".sample",
    b".template",
    b".tmpl",
    b".tpl",
];

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    const EXTENSIONS: &[&str] = &["yaml", "yml"];
    let name = path.file_name();
    let mut bare = TEMPLATES.iter().filter_map(|end| name.strip_suffix(*end));
    has_extension(path, EXTENSIONS)
        || bare.any(|bare| bare.ends_with(b".yaml") || bare.ends_with(b".yml"))
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let tree = tree::tree_of(text);
    if tree.too_many {
        return Err(ReaderFailed::TooManyValues {
            most: settings::tree::MOST_VALUES,
        });
    }
    let found = settings::facts_of_all(&tree.documents, text, detail);
    let (first_error, errors) = found.unread(tree.first_error, tree.errors);
    Ok(FileFacts {
        facts: found.facts,
        environment_is_given: true,
        scopes: Scopes::new(found.scopes),
        comments: remark::comments(text, &["#"]),
        first_error,
        errors,
        ..FileFacts::default()
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside: beside::in_yaml,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

#[cfg(test)]
mod tests;
