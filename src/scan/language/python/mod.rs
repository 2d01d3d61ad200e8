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
mod scope;
mod shell;
mod start;
mod value;
mod walk;
mod words;

use std::panic::AssertUnwindSafe;

use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::Parsed;

use self::depth::deepest;
use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};

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
const DEEPEST: usize = 400_000;

/// Files from this size on are looked through before they are parsed.
const LARGE: usize = 256 << 10;

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
    let depth = deepest(parsed.tokens().iter().map(|token| token.kind()));
    let facts = AssertUnwindSafe(move || facts_of(text, parsed, detail));
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

fn depth_of_text(text: &str) -> usize {
    let mut lexer = ruff_python_parser::lexer::lex(text, ruff_python_parser::Mode::Module);
    deepest(std::iter::from_fn(|| {
        let token = lexer.next_token();
        (!token.is_eof()).then_some(token)
    }))
}

fn facts_of(text: &str, parsed: Parsed<ModModule>, detail: Detail) -> FileFacts {
    let first_error = parsed
        .errors()
        .iter()
        .map(|error| error.location.start().to_usize())
        .min();
    let mut walker = walk::Walker::new(parsed.suite(), detail);
    walker.module(parsed.suite());
    let mut facts = walker.finish();
    facts.entry_point |= text.starts_with("#!");
    facts.first_error = first_error;
    facts
}

/// The bytes a node covers.
fn span_of(node: &impl ruff_text_size::Ranged) -> crate::text::Span {
    crate::text::Span::new(node.start().to_usize(), node.end().to_usize())
}

#[cfg(test)]
mod tests;
