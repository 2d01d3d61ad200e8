//! Environment variables that C and C++ set, and command lines they run.

use crate::scan::fact::{HowSet, Whose};
use crate::scan::language::command::{HOLE, Word, command_facts, word_facts};
use crate::scan::language::native::{Path, Reader, Said};
use crate::scan::language::within;

/// Reads what is called before a bracket.
pub(super) fn read<'t>(reader: &mut Reader<'t>, path: &Path<'t>, open: usize) {
    if path.declares.is_some() {
        return;
    }
    match path.name() {
        "setenv" => set(reader, (path, open), "setenv", (0, 1)),
        "_putenv_s" => set(reader, (path, open), "_putenv_s", (0, 1)),
        "_wputenv_s" => set(reader, (path, open), "_wputenv_s", (0, 1)),
        "qputenv" => set(reader, (path, open), "qputenv", (0, 1)),
        "SetEnvironmentVariable" | "SetEnvironmentVariableA" | "SetEnvironmentVariableW" => {
            set(reader, (path, open), "SetEnvironmentVariable", (0, 1));
        }
        "unsetenv" => unset(reader, (path, open), "unsetenv"),
        "qunsetenv" => unset(reader, (path, open), "qunsetenv"),
        "putenv" | "_putenv" | "_wputenv" => put(reader, (path, open)),
        "system" | "popen" | "_popen" | "_wsystem" | "_wpopen" => run(reader, open),
        "execl" | "execlp" | "_execl" | "_execlp" | "_spawnl" | "_spawnlp" => execute(reader, open),
        _ => {}
    }
}

fn set(
    reader: &mut Reader<'_>,
    (path, open): (&Path<'_>, usize),
    api: &'static str,
    (name, value): (usize, usize),
) {
    let pieces = reader.tokens.pieces(open);
    let (Some(name), Some(value)) = (pieces.get(name), pieces.get(value)) else {
        return;
    };
    let Said::Text(name, _) = reader.said(name.0, name.1) else {
        return;
    };
    let written = reader.tokens.written(value.1 - 1);
    let is_removed = api != "setenv"
        && (["NULL", "nullptr", "0"].contains(&written)
            || (api.starts_with('_') && written.ends_with("\"\"")));
    let said = (!is_removed).then(|| reader.said(value.0, value.1));
    let only_where_missing = api == "setenv"
        && pieces.get(2).is_some_and(|(first, end)| {
            *end == first + 1 && ["0", "false"].contains(&reader.tokens.written(*first))
        });
    let how = match said {
        None => HowSet::Removed,
        Some(_) if only_where_missing => HowSet::Default,
        Some(_) => HowSet::Assigned,
    };
    let span = reader.tokens.span(path.first, reader.tokens.close_of(open));
    reader.variable(
        path.first,
        (span, api),
        (name.text(), said),
        (how, Whose::Own),
    );
}

fn unset(reader: &mut Reader<'_>, (path, open): (&Path<'_>, usize), api: &'static str) {
    let Some((first, end)) = reader.tokens.pieces(open).first().copied() else {
        return;
    };
    let Said::Text(name, _) = reader.said(first, end) else {
        return;
    };
    let span = reader.tokens.span(path.first, reader.tokens.close_of(open));
    reader.variable(
        path.first,
        (span, api),
        (name.text(), None),
        (HowSet::Removed, Whose::Own),
    );
}

/// `putenv("NAME=value")`; without a `=`, glibc removes the variable, and `NAME=` does on Windows.
fn put(reader: &mut Reader<'_>, (path, open): (&Path<'_>, usize)) {
    let Some((first, end)) = reader.tokens.pieces(open).first().copied() else {
        return;
    };
    let Said::Text(whole, is_here) = reader.said(first, end) else {
        return;
    };
    let on_windows = path.name().starts_with('_');
    let span = reader.tokens.span(path.first, reader.tokens.close_of(open));
    let (name, value) = match whole.text().split_once('=') {
        Some((name, "")) if on_windows => (name, None),
        Some((name, value)) => (name, Some(value)),
        None => (whole.text(), None),
    };
    let how = if value.is_some() {
        HowSet::Assigned
    } else {
        HowSet::Removed
    };
    let value = value.map(|_| Said::Text(Box::new(whole.behind(name.len() + 1)), is_here));
    reader.variable(
        path.first,
        (span, "putenv"),
        (name, value),
        (how, Whose::Own),
    );
}

/// `system("…")`: a command line.
fn run(reader: &mut Reader<'_>, open: usize) {
    let Some((first, end)) = reader.tokens.pieces(open).first().copied() else {
        return;
    };
    if let Said::Text(command, true) = reader.said(first, end) {
        let facts = command_facts(command.text(), reader.when(open));
        let facts = within::placed(facts, &command.code);
        reader.program(facts, command.span);
    }
}

/// `execlp("docker", "docker", "run", …)`: words, the first of which is the program's own name.
fn execute(reader: &mut Reader<'_>, open: usize) {
    let pieces = reader.tokens.pieces(open);
    let words: Vec<Word> = pieces
        .iter()
        .skip(1)
        .map(|(first, end)| word(reader, *first, *end))
        .collect();
    let facts = word_facts(&words, reader.when(open));
    let span = reader.tokens.span(open, reader.tokens.close_of(open));
    reader.program(facts, span);
}

/// An argument as a word.
fn word(reader: &Reader<'_>, first: usize, end: usize) -> Word {
    match reader.said(first, end) {
        Said::Text(content, true) => Word {
            text: content.text().to_owned(),
            span: content.verbatim.unwrap_or(content.span),
            plain: content.verbatim.is_some(),
            ..Word::default()
        },
        _ => Word {
            text: HOLE.to_string(),
            span: reader.tokens.span(first, end.saturating_sub(1)),
            dynamic: true,
            ..Word::default()
        },
    }
}
