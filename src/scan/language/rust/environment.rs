//! Environment variables that Rust sets, and programs it starts.

use crate::scan::fact::{HowSet, Whose};
use crate::scan::language::command::{HOLE, Word, word_facts};
use crate::scan::language::native::{Path, Reader, Said};
use crate::text::Span;

/// The label of what a started program gets.
const LABEL: &str = "Command::env";
/// So many methods of one chain are followed.
const LONGEST_CHAIN: usize = 256;

/// Reads what is called before a bracket.
pub(super) fn read<'t>(reader: &mut Reader<'t>, path: &Path<'t>, open: usize) {
    if path.is_macro {
        return;
    }
    if path.is_method {
        match path.name() {
            "env" => child(reader, path, open),
            "envs" => children(reader, path, open),
            "env_remove" => removed(reader, path, open),
            _ => {}
        }
        return;
    }
    let full = reader.full_path(path);
    match full.as_slice() {
        [.., "env", "set_var"] => own(reader, (path, open), "env::set_var"),
        [.., "env", "remove_var"] => own(reader, (path, open), "env::remove_var"),
        [.., "Command", "new"] => started(reader, open),
        _ => {}
    }
}

fn own(reader: &mut Reader<'_>, (path, open): (&Path<'_>, usize), api: &'static str) {
    let pieces = reader.tokens.pieces(open);
    let Some(Said::Text(name, _)) = pieces.first().map(|(first, end)| reader.said(*first, *end))
    else {
        return;
    };
    let value = pieces.get(1).map(|(first, end)| reader.said(*first, *end));
    let how = if value.is_some() {
        HowSet::Assigned
    } else {
        HowSet::Removed
    };
    let span = reader.tokens.span(path.first, reader.tokens.close_of(open));
    reader.variable(
        path.first,
        (span, api),
        (name.text(), value),
        (how, Whose::Own),
    );
}

/// `.env("NAME", "value")`.
fn child(reader: &mut Reader<'_>, path: &Path<'_>, open: usize) {
    let pieces = reader.tokens.pieces(open);
    let [(name, name_end), (value, value_end)] = pieces.as_slice() else {
        return;
    };
    let Said::Text(name, _) = reader.said(*name, *name_end) else {
        return;
    };
    let value = reader.said(*value, *value_end);
    let span = method_span(reader, path, open);
    scoped(reader, path.first);
    reader.variable(
        path.first,
        (span, LABEL),
        (name.text(), Some(value)),
        (HowSet::Assigned, Whose::Child),
    );
}

/// `.envs([("NAME", "value"), …])`.
fn children(reader: &mut Reader<'_>, path: &Path<'_>, open: usize) {
    let tokens = &reader.tokens;
    let from = (open + 1..open + 5).find(|at| tokens.is_open(*at, b'['));
    let Some(list) = from else {
        return;
    };
    for (first, end) in reader.tokens.pieces(list) {
        if !reader.tokens.is_open(first, b'(') {
            continue;
        }
        let pair = reader.tokens.pieces(first);
        let [(name, name_end), (value, value_end)] = pair.as_slice() else {
            continue;
        };
        let Said::Text(name, _) = reader.said(*name, *name_end) else {
            continue;
        };
        let value = reader.said(*value, *value_end);
        let span = reader.tokens.span(first, end - 1);
        scoped(reader, path.first);
        reader.variable(
            first,
            (span, LABEL),
            (name.text(), Some(value)),
            (HowSet::Assigned, Whose::Child),
        );
    }
}

fn removed(reader: &mut Reader<'_>, path: &Path<'_>, open: usize) {
    let Some((first, end)) = reader.tokens.pieces(open).first().copied() else {
        return;
    };
    let Said::Text(name, _) = reader.said(first, end) else {
        return;
    };
    let span = method_span(reader, path, open);
    reader.variable(
        path.first,
        (span, LABEL),
        (name.text(), None),
        (HowSet::Removed, Whose::Child),
    );
}

/// The dot, the method and its arguments.
fn method_span(reader: &Reader<'_>, path: &Path<'_>, open: usize) -> Span {
    let dot = path.first.saturating_sub(1);
    reader.tokens.span(dot, reader.tokens.close_of(open))
}

/// The environment that a method writes: that of the one program which the statement starts, else
/// of whatever the block around starts.
fn scoped(reader: &mut Reader<'_>, at: usize) {
    let start = reader.tokens.statement_start(at);
    let end = reader.tokens.statement_end(at);
    let starts = (start..=end).any(|at| {
        let ends = ["spawn", "output", "status", "exec"].contains(&reader.tokens.written(at));
        ends && reader.tokens.is_open(at + 1, b'(')
    });
    let makes = (start..=end).any(|at| reader.tokens.word(at) == Some("Command"));
    if starts && makes {
        let span = reader.tokens.span(start, end);
        reader.scope(span);
    } else if let Some(block) = reader.block_span(at) {
        reader.scope(block);
    }
}

/// `Command::new("docker").args(["run", "--gpus=all"])`: the words that are known.
fn started(reader: &mut Reader<'_>, open: usize) {
    let Some((first, end)) = reader.tokens.pieces(open).first().copied() else {
        return;
    };
    let mut words = vec![word(reader, first, end)];
    let mut close = reader.tokens.close_of(open);
    for _ in 0..LONGEST_CHAIN {
        let tokens = &reader.tokens;
        let (dot, arguments) = (close + 1, close + 3);
        if !tokens.is_sign(dot, b'.') || !tokens.is_open(arguments, b'(') {
            break;
        }
        match tokens.written(dot + 1) {
            "arg" => {
                if let Some((first, end)) = tokens.pieces(arguments).first().copied() {
                    words.push(word(reader, first, end));
                }
            }
            "args" => {
                let list = (arguments + 1..arguments + 5).find(|at| tokens.is_open(*at, b'['));
                let pieces = list.map(|list| tokens.pieces(list));
                match pieces {
                    Some(pieces) => {
                        words.extend(pieces.iter().map(|(first, end)| word(reader, *first, *end)));
                    }
                    None => words.push(hole(reader, arguments, arguments)),
                }
            }
            _ => {}
        }
        close = reader.tokens.close_of(arguments);
    }
    let facts = word_facts(&words, reader.when(open));
    let span = reader.tokens.span(open, close);
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
        _ => hole(reader, first, end.saturating_sub(1)),
    }
}

fn hole(reader: &Reader<'_>, first: usize, last: usize) -> Word {
    Word {
        text: HOLE.to_string(),
        span: reader.tokens.span(first, last),
        dynamic: true,
        ..Word::default()
    }
}
