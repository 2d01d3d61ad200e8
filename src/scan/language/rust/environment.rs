//! Environment variables that Rust sets, and programs it starts.

use crate::scan::fact::{HowSet, Whose};
use crate::scan::language::command::{HOLE, Word, word_facts};
use crate::scan::language::native::{Path, Reader, Said};
use crate::text::Span;

/// The label of what a started program gets.
const LABEL: &str = "Command::env";
/// So many tokens from a bracket on, the list of a map begins.
const LONGEST_MAP: usize = 16;
/// So many tokens behind a command in a variable are looked through for its arguments.
const FARTHEST: usize = 512;
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
    // `HashMap::from([…])`
    let end = (open + LONGEST_MAP).min(tokens.close_of(open));
    let from = (open + 1..end).find(|at| tokens.is_open(*at, b'['));
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
    let mut close = arguments(reader, reader.tokens.close_of(open), &mut words);
    if let Some(name) = variable_of(reader, open) {
        // `command.arg("run");` below it, in the same block.
        let around = reader.tokens.around(open);
        let end = around.map_or(usize::MAX, |around| reader.tokens.close_of(around));
        for at in close + 1..end.min(close + FARTHEST) {
            if reader.tokens.word(at) != Some(name) {
                continue;
            }
            // Another one of the same name.
            let before = reader.tokens.word(at - 1);
            if before.is_some_and(|word| ["let", "mut"].contains(&word)) {
                break;
            }
            let is_statement = reader.tokens.is_sign(at + 1, b'.')
                && reader.tokens.around(at) == around
                && reader.tokens.statement_start(at) == at;
            if is_statement {
                close = arguments(reader, at, &mut words).max(close);
            }
        }
    }
    let facts = word_facts(&words, reader.when(open));
    let span = reader.tokens.span(open, close);
    reader.program(facts, span);
}

/// The variable that holds what is made before a bracket: `let mut command = Command::new(…`.
fn variable_of<'t>(reader: &Reader<'t>, open: usize) -> Option<&'t str> {
    let start = reader.tokens.statement_start(open);
    if reader.tokens.word(start) != Some("let") {
        return None;
    }
    let name = start + 1 + usize::from(reader.tokens.word(start + 1) == Some("mut"));
    let is_given = reader.tokens.is_sign(name + 1, b'=');
    reader.tokens.word(name).filter(|_| is_given)
}

/// The arguments that the methods behind a token add, and where they end.
fn arguments(reader: &Reader<'_>, from: usize, words: &mut Vec<Word>) -> usize {
    let mut close = from;
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
    close
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
