//! fish: `set -gx NAME value`.

use super::prefix;
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FileFacts, Whose};
use crate::scan::language::command::fish_script;
use crate::scan::language::file_name::{has_extension, is_started_by};
use crate::scan::language::{Language, ReaderFailed, clue, in_place, plain_words};
use crate::scan::remedy::{Wish, Written};
use crate::text::Edit;

pub(in crate::scan::language) const FISH: Language = Language {
    name: "fish",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: plain_words,
};

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    has_extension(path, &["fish"]) || is_started_by(path, content, &["fish"])
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    Ok(super::facts_of(text, fish_script(text), detail, &["#"]))
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: true,
    };
    in_place::edits(text, facts, wishes, style)
}

fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    match prefix::whose(fact)? {
        Whose::Child => prefix::before(text, fact, &format!("{name}={value} ")),
        Whose::Own | Whose::Nobody => prefix::above(text, fact, &format!("set -gx {name} {value}")),
        Whose::Container | Whose::Image => None,
    }
}
