//! Python, by ruff's parser: a tree is there also for broken and Python 2 files.
//!
//! `scope` knows what names stand for, `value` computes constants, `place` says what a value is,
//! `walk`, `expression`, `call` and `environment` go through the tree and write down facts.

mod asked;
mod bind;
mod blocks;
mod call;
mod child;
mod class;
mod constant;
mod depth;
mod dynamic;
mod edit;
mod environment;
mod expression;
mod flow;
mod format;
mod item;
mod place;
mod plain;
mod record;
mod repair;
mod scope;
mod shell;
mod start;
mod value;
mod walk;
mod words;

use std::panic::AssertUnwindSafe;

use ruff_python_ast::token::Token;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::Parsed;

use self::depth::deepest;
use self::repair::{blanked, left_open};
use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};
use crate::text::Span;

pub(super) const PYTHON: Language = Language {
    name: "Python",
    claims,
    words: &[
        "cuda",
        "CUDA",
        "device",
        "gpu",
        "GPU",
        "torch",
        "cupy",
        "cpu_offload",
        "accelerate",
    ],
    read,
    edits: edit::edits,
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
    line.starts_with(b"#!") && line.windows(6).any(|word| word == b"python")
}

/// Code that nests no deeper is read on the stack that a thread has; deeper code, which hardly
/// anybody writes, on one of its own.
const SHALLOW: usize = 100;

/// Code that nests deeper is not read at all: its tree alone would fill the memory.
const DEEPEST: usize = 100_000;

/// Files from this size on, which alone can nest so deep, are looked through before they are
/// parsed.
const LARGE: usize = DEEPEST;

/// Stack for code of a depth. The parser grows its stack by itself, but walking the tree and
/// freeing it recurse as deep as the code nests. The memory is only reserved; what is not used
/// costs nothing.
const fn stack_for(depth: usize) -> usize {
    const BASE: usize = 1 << 20;
    const PER_LEVEL: usize = 8 << 10;
    BASE + depth * PER_LEVEL
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    if text.len() >= LARGE && depth_of_text(text) > DEEPEST {
        return Err(ReaderFailed);
    }
    let parsed = ruff_python_parser::parse_unchecked_source(text, PySourceType::Python);
    let depth = depth_of(&parsed);
    let most = depth.max(SHALLOW);
    let facts = AssertUnwindSafe(move || facts_of(text, parsed, detail, most));
    if depth <= SHALLOW {
        return std::panic::catch_unwind(facts).map_err(|_| ReaderFailed);
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(stack_for(depth))
            .spawn_scoped(scope, facts)
            .map_err(|_| ReaderFailed)?
            .join()
            .map_err(|_| ReaderFailed)
    })
}

fn depth_of(parsed: &Parsed<ModModule>) -> usize {
    deepest(parsed.tokens().iter().map(Token::kind))
}

fn depth_of_text(text: &str) -> usize {
    let mut lexer = ruff_python_parser::lexer::lex(text, ruff_python_parser::Mode::Module);
    deepest(std::iter::from_fn(|| {
        let token = lexer.next_token();
        (!token.is_eof()).then_some(token)
    }))
}

/// The facts, read on a stack for code that nests up to `most` levels deep.
fn facts_of(text: &str, parsed: Parsed<ModModule>, detail: Detail, most: usize) -> FileFacts {
    let mut facts = facts_in(&parsed, detail);
    let errors = parsed.errors().iter();
    facts.first_error = errors.map(|error| error.location.start().to_usize()).min();
    let open = if facts.first_error.is_some() {
        left_open(text, &parsed)
    } else {
        Vec::new()
    };
    drop(parsed);
    if !open.is_empty() {
        let rest = blanked(text, &open);
        let rest = ruff_python_parser::parse_unchecked_source(&rest, PySourceType::Python);
        if depth_of(&rest) <= most {
            facts = with_rest(facts, &open, facts_in(&rest, detail));
        }
    }
    facts.entry_point |= text.starts_with("#!");
    facts
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

fn facts_in(parsed: &Parsed<ModModule>, detail: Detail) -> FileFacts {
    let mut walker = walk::Walker::new(parsed.suite(), detail);
    walker.broken = !parsed.errors().is_empty();
    walker.module(parsed.suite());
    walker.finish()
}

/// The bytes a node covers.
fn span_of(node: &impl ruff_text_size::Ranged) -> Span {
    Span::new(node.start().to_usize(), node.end().to_usize())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod work_tests;
