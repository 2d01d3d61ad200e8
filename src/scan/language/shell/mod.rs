//! Scripts for shells: sh and its kin, fish, `PowerShell`, and cmd's batch files.
//!
//! A script is sourced or starts programs: what it exports is its own, and each command has its
//! environment. How commands are read is `command`'s matter; `PowerShell` and cmd have words of
//! their own.

mod batch;
mod fish;
mod powershell;
mod prefix;
mod setx;

use super::command::{CommandFacts, Exports, script};
use super::file_name::{has_extension, is_called, is_started_by};
use super::given::asks_for_order;
use super::{Language, ReaderFailed, clue, in_place, python, remark, within};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FileFacts, When, Whose};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::Edit;

pub(super) use batch::BATCH;
pub(super) use fish::FISH;
pub(super) use powershell::{POWERSHELL, powershell_steps};

pub(super) const SHELL: Language = Language {
    name: "shell",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

/// Files that shells read as they start, and that start jobs.
const NAMES: &[&str] = &[
    ".bash_aliases",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".envrc",
    ".kshrc",
    ".profile",
    ".zlogin",
    ".zprofile",
    ".zshenv",
    ".zshrc",
    "bashrc",
    "zshrc",
];

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    has_extension(path, &["sh", "bash", "zsh", "ksh", "sbatch", "slurm"])
        || is_called(path, NAMES)
        || is_started_by(
            path,
            content,
            &["sh", "bash", "zsh", "ksh", "dash", "ash", "mksh"],
        )
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let found = script(text, When::Loading, Exports::Own);
    Ok(facts_of(text, found, detail, &["#"]))
}

/// A script's facts, with those of the Python in it.
fn facts_of(text: &str, found: CommandFacts, detail: Detail, signs: &[&str]) -> FileFacts {
    let mut facts = found.facts;
    let mut first_error = found.first_error;
    for code in &found.python {
        let inner = within::read(&python::PYTHON, code, detail);
        facts.extend(inner.facts);
        first_error = first_error.or(inner.first_error);
    }
    facts.sort_by_key(|fact| fact.span);
    asks_for_order(text, &mut facts);
    if detail == Detail::Known {
        facts.retain(|fact| !fact.kind.is_dynamic() || is_variable(fact));
    }
    FileFacts {
        facts,
        environment_is_given: true,
        scopes: Scopes::new(found.scopes),
        comments: remark::comments(text, signs),
        first_error,
        errors: usize::from(first_error.is_some()),
        ..FileFacts::default()
    }
}

/// A variable that is not known still makes what is known elsewhere uncertain.
fn is_variable(fact: &Fact) -> bool {
    matches!(fact.kind, crate::scan::fact::FactKind::SetVariable(_))
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: true,
    };
    in_place::edits(text, facts, wishes, style)
}

/// `export` on a line of its own, or one more variable in front of the command.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    match prefix::whose(fact)? {
        Whose::Child => prefix::before(text, fact, &format!("{name}={value} ")),
        Whose::Own | Whose::Nobody => prefix::above(text, fact, &format!("export {name}={value}")),
        Whose::Container | Whose::Image => None,
    }
}

#[cfg(test)]
mod tests;
