//! Python, by ruff's parser: a tree is there also for broken and Python 2 files.
//!
//! `scope` knows what names stand for, `value` computes constants, `place` says what a value is,
//! `hints` what the whole file says about its names, `named` which of them hold a card; `walk`,
//! `expression`, `call`, `cards`, `option`, `environment`, `child`, `command`, `container` and
//! `nvml` go through the tree and write down facts; `saved` knows which variables get back what
//! they were; `vendor` knows which tests ask for cards of others, `arms` what follows from it;
//! `flow` says in which order they happen, `opening` where a line can be put before them all;
//! `edit` writes remedies.

mod arms;
mod asked;
mod bind;
mod blocks;
mod call;
mod cards;
mod child;
mod class;
mod clue;
mod command;
mod comment;
mod constant;
mod container;
mod counted;
mod depth;
mod distributed;
mod dynamic;
mod edit;
mod environment;
mod expression;
mod flow;
mod format;
mod given;
mod harmless;
mod hint_words;
mod hints;
mod indirect;
mod insertion;
mod item;
mod judged;
mod lines;
mod literal;
mod named;
mod nvml;
mod opening;
mod option;
mod place;
mod plain;
mod rank;
mod record;
mod removal;
mod repair;
mod saved;
mod scope;
mod start;
mod statement;
mod surroundings;
mod value;
mod vendor;
mod walk;
mod words;

use std::panic::AssertUnwindSafe;

use ruff_python_ast::token::Token;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_cells_unchecked};
use ruff_text_size::{TextRange, TextSize};

pub(super) use self::clue::worth_reading;
use self::depth::{deepest, texts_in_texts};
use self::repair::{blanked, left_open};
use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts, When};
use crate::scan::language::file_name::interpreter;
use crate::scan::remedy::{Wish, Written};
use crate::text::Span;

pub(super) const PYTHON: Language = Language {
    name: "python",
    claims,
    worth_reading,
    read,
    edits,
    plain: plain::plain,
};

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    match path.extension() {
        Some(extension) => [&b"py"[..], b"pyi", b"pyw"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known)),
        None => has_python_shebang(content),
    }
}

fn has_python_shebang(content: &[u8]) -> bool {
    let line = content
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let names_python = line.windows(6).any(|word| word == b"python");
    // PEP 723's scripts are started by a tool that looks for the interpreter.
    line.starts_with(b"#!") && (names_python || interpreter(content) == Some("python"))
}

/// Code that nests no deeper is read on the stack that a thread has; deeper code, which hardly
/// anybody writes, on one of its own.
const SHALLOW: usize = 100;

/// Code that nests deeper is not read at all: its tree alone would fill the memory.
const DEEPEST: usize = 100_000;

/// Files from this size on, which alone can nest so deep, are looked through before they are
/// parsed.
const LARGE: usize = DEEPEST;

/// Code with more f-strings inside f-strings is not read: nobody writes it.
const MOST_TEXTS: usize = 2_000;

/// Stack for code of a depth. The parser grows its stack by itself, but walking the tree and
/// freeing it recurse as deep as the code nests. The memory is only reserved; what is not used
/// costs nothing.
const fn stack_for(depth: usize) -> usize {
    const BASE: usize = 1 << 20;
    const PER_LEVEL: usize = 8 << 10;
    BASE + depth * PER_LEVEL
}

/// How a text is parsed.
#[derive(Clone, Copy)]
enum Layout<'c> {
    /// As a file.
    File,
    /// As cells of a notebook, one line end apart: a name of one cell is known in the next, but
    /// what is not closed in one is closed at its end.
    Cells(&'c [Span]),
}

/// A line that IPython reads itself: `%magic`, `!command`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escaped {
    /// All of it, also where it goes on behind a backslash.
    pub(super) span: Span,
    /// When it is run.
    pub(super) when: When,
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    with_tree(text, Layout::File, |parsed, most| {
        let (mut facts, _) = facts_of((text, Layout::File), parsed, detail, most);
        facts.entry_point |= text.starts_with("#!");
        facts
    })
}

/// Reads the cells of a notebook as one program. The lines that are IPython's are handed back.
pub(super) fn read_cells(
    text: &str,
    cells: &[Span],
    detail: Detail,
) -> Result<(FileFacts, Vec<Escaped>), ReaderFailed> {
    let layout = Layout::Cells(cells);
    with_tree(text, layout, |parsed, most| {
        facts_of((text, layout), parsed, detail, most)
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    edit::edits(text, facts, wishes, |write| {
        with_tree(text, Layout::File, |parsed, _| write(parsed.suite()))
    })
}

/// The edits for each wish in the `code` of a notebook's cells, which is `as_python` for the
/// parser.
pub(super) fn edits_in_cells(
    code: &str,
    (as_python, cells): (&str, &[Span]),
    facts: &FileFacts,
    wishes: &[Wish<'_>],
) -> Vec<Option<Written>> {
    edit::edits(code, facts, wishes, |write| {
        with_tree(as_python, Layout::Cells(cells), |parsed, _| {
            write(parsed.suite())
        })
    })
}

/// Parses a text and does `work` with the tree, on a stack that is deep enough for it and for
/// any that nests no deeper than the number of levels it is told.
fn with_tree<T: Send>(
    text: &str,
    layout: Layout<'_>,
    work: impl FnOnce(Parsed<ModModule>, usize) -> T + Send,
) -> Result<T, ReaderFailed> {
    let too_many = text.len() > MOST_TEXTS && texts_in_texts(text) > MOST_TEXTS;
    if too_many || (text.len() >= LARGE && depth_of_text(text) > DEEPEST) {
        return Err(ReaderFailed::GaveUp);
    }
    let parsed = parse(text, layout)?;
    let depth = depth_of(&parsed);
    let most = depth.max(SHALLOW);
    let work = AssertUnwindSafe(move || work(parsed, most));
    if depth <= SHALLOW {
        return std::panic::catch_unwind(work).map_err(|_| ReaderFailed::GaveUp);
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(stack_for(depth))
            .spawn_scoped(scope, work)
            .map_err(|_| ReaderFailed::GaveUp)?
            .join()
            .map_err(|_| ReaderFailed::GaveUp)
    })
}

fn parse(text: &str, layout: Layout<'_>) -> Result<Parsed<ModModule>, ReaderFailed> {
    // Code that is broken enough meets what the parser holds for unreachable.
    std::panic::catch_unwind(|| parse_as(text, layout)).map_err(|_| ReaderFailed::GaveUp)?
}

fn parse_as(text: &str, layout: Layout<'_>) -> Result<Parsed<ModModule>, ReaderFailed> {
    let cells = match layout {
        Layout::File => {
            let kind = PySourceType::Python;
            return Ok(ruff_python_parser::parse_unchecked_source(text, kind));
        }
        Layout::Cells(cells) => cells,
    };
    let size = |offset| TextSize::try_from(offset).map_err(|_| ReaderFailed::GaveUp);
    let mut ranges = Vec::with_capacity(cells.len());
    for cell in cells {
        ranges.push(TextRange::new(size(cell.start)?, size(cell.end)?));
    }
    let options = ParseOptions::from(Mode::Ipython);
    Ok(parse_cells_unchecked(text, ranges, &options))
}

fn depth_of(parsed: &Parsed<ModModule>) -> usize {
    deepest(parsed.tokens().iter().map(Token::kind))
}

fn depth_of_text(text: &str) -> usize {
    let mut lexer = ruff_python_parser::lexer::lex(text, Mode::Module);
    deepest(std::iter::from_fn(|| {
        let token = lexer.next_token();
        (!token.is_eof()).then_some(token)
    }))
}

/// The facts, read on a stack for code that nests up to `most` levels deep.
fn facts_of(
    (text, layout): (&str, Layout<'_>),
    parsed: Parsed<ModModule>,
    detail: Detail,
    most: usize,
) -> (FileFacts, Vec<Escaped>) {
    let (mut facts, escaped) = facts_in(text, &parsed, detail);
    let errors = parsed.errors().iter();
    facts.first_error = errors.map(|error| error.location.start().to_usize()).min();
    facts.errors = parsed.errors().len();
    facts.comments = comment::comments(text, &parsed);
    let open = if facts.first_error.is_some() {
        left_open(text, &parsed)
    } else {
        Vec::new()
    };
    // What an open bracket swallows may hold the only facts.
    if !facts.facts.is_empty() || !open.is_empty() {
        facts.opening = opening::opening(text, &parsed, &facts);
    }
    drop(parsed);
    if !open.is_empty() {
        let rest = blanked(text, &open);
        if let Ok(rest) = parse(&rest, layout)
            && depth_of(&rest) <= most
        {
            let (rest, _) = facts_in(text, &rest, detail);
            facts = with_rest(facts, &open, rest);
        }
    }
    (facts, escaped)
}

/// What was read inside of some spans, and elsewhere what was read without them.
fn with_rest(mut facts: FileFacts, open: &[Span], rest: FileFacts) -> FileFacts {
    facts.facts.retain(|fact| {
        let at = open.partition_point(|span| span.end <= fact.span.start);
        open.get(at)
            .is_some_and(|span| span.start <= fact.span.start)
    });
    facts.facts.extend(rest.facts);
    facts.facts.sort_by_key(|fact| fact.span);
    facts.entry_point |= rest.entry_point;
    facts.flow = rest.flow;
    facts
}

fn facts_in(text: &str, parsed: &Parsed<ModModule>, detail: Detail) -> (FileFacts, Vec<Escaped>) {
    let mut walker = walk::Walker::new(parsed.suite(), detail);
    walker.mask_name = hint_words::MaskName::of(text);
    walker.broken = !parsed.errors().is_empty();
    walker.module(parsed.suite());
    walker.finish()
}

/// The bytes a node covers.
fn span_of(node: &impl ruff_text_size::Ranged) -> Span {
    Span::new(node.start().to_usize(), node.end().to_usize())
}

#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod work_tests;
