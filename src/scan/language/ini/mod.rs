//! INI files: `tox.ini`, `setup.cfg`, `pytest.ini`, supervisord's programs, systemd's units, and
//! settings of any program.
//!
//! What a value of several lines or words means depends on the key: `tree` knows those of test
//! runners, `unit` those of systemd and supervisord.

mod tree;
mod unit;

use super::file_name::{has_extension, is_below};
use super::{Language, ReaderFailed, clue, given, in_place, remark, settings};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FactKind, FileFacts};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::Edit;

pub(super) const INI: Language = Language {
    name: "ini",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

/// systemd's units that start programs, and Podman's.
const UNITS: &[&str] = &["service", "socket", "mount", "swap", "container"];

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    let is_conf = has_extension(path, &["conf"]);
    let of_supervisor = || {
        path.file_name().starts_with(b"supervisor")
            || is_below(path, "supervisor")
            || is_below(path, "supervisord")
    };
    let mut folders = path.as_bytes().split(|byte| *byte == b'/').rev().skip(1);
    has_extension(path, &["ini", "cfg"])
        || has_extension(path, UNITS)
        || (is_conf && of_supervisor())
        || (is_conf
            && folders
                .next()
                .is_some_and(|folder| folder.ends_with(b".service.d")))
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let read = tree::sections(text);
    let mut facts = Vec::new();
    let mut scopes = Vec::new();
    let mut others = Vec::new();
    for section in read.sections {
        if unit::is_one(&section.name) {
            let found = unit::facts(&section);
            if !found.is_empty() {
                scopes.push(section.span);
            }
            facts.extend(found);
        } else {
            others.push(section);
        }
    }
    let found = settings::facts(&tree::node(others, text), text, detail);
    let (first_error, errors) = found.unread(read.first_error, read.errors);
    facts.extend(found.facts);
    scopes.extend(found.scopes);
    facts.sort_by_key(|fact| fact.span);
    Ok(FileFacts {
        facts,
        environment_is_given: true,
        scopes: Scopes::new(scopes),
        comments: remark::comments(text, &["#", ";"]),
        first_error,
        errors,
        ..FileFacts::default()
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

fn beside(text: &str, _: &FileFacts, fact: &Fact, pair: (&str, &str)) -> Option<Edit> {
    if given::is_of_command(fact) {
        // systemd starts no shell: a word in front would be the program.
        let line = text.get(..fact.span.start)?.rsplit('\n').next()?;
        let is_started = line.trim_start().starts_with("Exec") && !line.contains("env ");
        return (!is_started)
            .then(|| given::word_before(text, fact, pair))
            .flatten();
    }
    let between = match (&fact.kind, fact.api) {
        (FactKind::SetVariable(_), unit::SUPERVISOR) => ",",
        (_, unit::SYSTEMD) => " ",
        _ => "\n",
    };
    let edit = given::beside(text, fact, pair, between)?;
    // `setenv = NAME=value` on one line takes no second one.
    (!edit.replacement.ends_with('\n')
        || edit.replacement.contains(['=', ':']) && is_line(&edit, text))
    .then_some(edit)
}

/// Whether an edit writes a line of its own.
fn is_line(edit: &Edit, text: &str) -> bool {
    edit.span.start == 0
        || text
            .get(..edit.span.start)
            .is_some_and(|before| before.ends_with('\n'))
}
