//! TOML: `pyproject.toml`, Cargo's and mise's configuration, pixi's tasks, settings of any program.

mod tree;

use super::file_name::has_extension;
use super::settings::tree::{Entry, Kind, Node};
use super::{Language, ReaderFailed, clue, given, in_place, remark, settings};
use crate::git::RepoPath;
use crate::scan::catalogue;
use crate::scan::fact::{Detail, Fact, FileFacts};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};

pub(super) const TOML: Language = Language {
    name: "toml",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    has_extension(path, &["toml"])
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let tree::Read {
        mut root,
        errors,
        first_error,
    } = tree::read(text);
    known(&mut root);
    let found = settings::facts(&root, text, detail);
    let (first_error, errors) = found.unread(first_error, errors);
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

/// What programs that read TOML understand by it, in the words of settings.
fn known(node: &mut Node) {
    match &mut node.kind {
        Kind::Map(entries) => entries.iter_mut().for_each(known_entry),
        Kind::List(elements) => elements.iter_mut().for_each(known),
        Kind::Scalar(_) | Kind::TakenOver(_) | Kind::Nothing => {}
    }
}

fn known_entry(entry: &mut Entry) {
    // Tables of commands: pixi's, poe's, taskipy's.
    if entry.key == "tasks" && matches!(entry.value.kind, Kind::Map(_)) {
        "scripts".clone_into(&mut entry.key);
    }
    // Cargo's `NAME = { value = "1", force = true }`.
    if catalogue::is_of_interest(&entry.key)
        && let Some(value) = entry.value.get("value")
    {
        entry.value = value.clone();
    }
    if entry.key == "env"
        && let Kind::List(elements) = &mut entry.value.kind
    {
        elements.iter_mut().for_each(without_mode);
    }
    known(&mut entry.value);
}

/// pytest-env's `D:NAME=value` and `R:NAME=value`, without the letter.
fn without_mode(element: &mut Node) {
    let Kind::Scalar(scalar) = &mut element.kind else {
        return;
    };
    let rest = scalar.text.trim_start_matches(['D', 'R', 'U', ':']);
    let length = scalar.text.len() - rest.len();
    let is_mode = scalar
        .text
        .get(..length)
        .is_some_and(|mode| mode.ends_with(':'));
    if is_mode {
        scalar.inside = scalar
            .inside
            .map(|inside| Span::new(inside.start + length, inside.end));
        scalar.text = rest.to_owned();
    }
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
        return given::word_before(text, fact, pair);
    }
    // A number as value would stay one.
    let value = fact.value?;
    let is_text = text.get(value.end..)?.starts_with(['"', '\'']);
    // `{ value = "1" }` has its name elsewhere.
    let own = text.get(fact.span.start..value.start)?;
    if !is_text || own.contains('{') {
        return None;
    }
    let (name, _) = own.split_once('=')?;
    let name = name.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    let name_at = fact.span.start + own.find(name)?;
    let before = text.get(..name_at)?;
    let lead = before.rsplit(['\n', '{', '[', ',']).next()?.trim_start();
    if lead.trim_matches(['"', '\'']).is_empty() {
        return given::beside(text, fact, pair, ", ");
    }
    // pytest-env's `"D:NAME=1"` and a key with dots: the other one begins the same way.
    let inner = lead.strip_prefix(['"', '\'']).unwrap_or(lead);
    let is_element = inner.len() < lead.len() && inner.ends_with(':');
    let is_key = inner.len() == lead.len() && inner.ends_with('.');
    if inner.contains(['"', '\'', ' ', '=']) || !(is_element || is_key) {
        return None;
    }
    let start = name_at - lead.len();
    let quotes = text.get(value.end..)?.get(..1)?;
    let written = format!(
        "{lead}{}{}{}{quotes}",
        pair.0,
        text.get(name_at + name.len()..value.start)?,
        pair.1,
    );
    let line = before.rsplit('\n').next()?;
    if line.trim_start() == lead {
        let comma = if is_element { "," } else { "" };
        return in_place::line_above(text, start, &format!("{written}{comma}"));
    }
    Some(Edit {
        span: Span::new(start, start),
        replacement: format!("{written}, "),
    })
}
