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

use ruff_python_ast::PySourceType;

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

/// Stack for a file of any depth. The parser grows its stack by itself, but walking the tree and
/// freeing it recurse as deep as the code nests, and one byte (`-`, `(`) can be one level. The
/// memory is only reserved; what is not used costs nothing.
fn stack_for(text: &str) -> usize {
    const BASE: usize = 16 << 20;
    const PER_BYTE: usize = 4 << 10;
    const MOST: usize = 8 << 30;
    BASE.saturating_add(deepest(text).saturating_mul(PER_BYTE))
        .min(MOST)
}

/// More than the deepest nesting a text can have: all its operators between two line ends or
/// commas at which nothing is open, and the brackets open at once.
fn deepest(text: &str) -> usize {
    let (mut open, mut run, mut most) = (0_usize, 0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => {
                open = open.saturating_sub(1);
                run += 1;
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'~' | b'@' | b'&' | b'|' | b'^' | b'<'
            | b'>' | b'=' | b':' | b'\\' | b' ' => run += 1,
            b'\n' | b',' if open == 0 => run = 0,
            _ => {}
        }
        most = most.max(open + run);
    }
    most
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let stack = stack_for(text);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, || read_here(text, detail))
            .map_err(|_| ReaderFailed)?
            .join()
            .map_err(|_| ReaderFailed)
    })
}

fn read_here(text: &str, detail: Detail) -> FileFacts {
    let parsed = ruff_python_parser::parse_unchecked_source(text, PySourceType::Python);
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
