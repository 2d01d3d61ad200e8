//! Python, by ruff's parser: a tree is there also for broken and Python 2 files.
//!
//! `scope` knows what names stand for, `value` computes constants, `place` says what a value is,
//! `hints` what the whole file says about its names; `walk`, `expression`, `call`, `cards`,
//! `option`, `environment`, `command`, `container` and `nvml` go through the tree and write down
//! facts; `opening` says where a line can be put before all that; `edit` writes remedies.

mod asked;
mod call;
mod cards;
mod command;
mod comment;
mod constant;
mod container;
mod edit;
mod environment;
mod expression;
mod harmless;
mod hints;
mod insertion;
mod lines;
mod literal;
mod nvml;
mod opening;
mod option;
mod place;
mod plain;
mod removal;
mod scope;
mod surroundings;
mod value;
mod walk;
mod words;

use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_cells_unchecked};
use ruff_text_size::{TextRange, TextSize};

use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{FileFacts, When};
use crate::scan::remedy::{Wish, Written};
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
        "deepspeed",
        "nvidia",
        "VISIBLE_DEVICES",
        "AFFINITY_MASK",
        "DEVICE_SELECTOR",
        "DEVICE_ORDINAL",
        "vllm",
        "sglang",
        "exllamav2",
        "insightface",
        "multi_process_pool",
        "MirroredStrategy",
        "CentralStorageStrategy",
        "TrainingArguments",
        "llama_cpp",
        "tvm",
        "mmcv",
        "PyNvCodec",
        "faster_whisper",
        "DataParallel",
    ],
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

fn read(text: &str) -> Result<FileFacts, ReaderFailed> {
    with_tree(text, |parsed| {
        let (mut facts, _) = facts_of(text, parsed);
        facts.entry_point |= text.starts_with("#!");
        facts
    })
}

/// A line that IPython reads itself: `%magic`, `!command`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escaped {
    /// All of it, also where it goes on behind a backslash.
    pub(super) span: Span,
    /// When it is run.
    pub(super) when: When,
}

/// Reads cells of a notebook, one line end apart, as one program: a name of one cell is known in
/// the next, but what is not closed in one is closed at its end. The lines that are IPython's
/// are handed back.
pub(super) fn read_cells(
    text: &str,
    cells: &[Span],
) -> Result<(FileFacts, Vec<Escaped>), ReaderFailed> {
    with_tree_of_cells(text, cells, |parsed| facts_of(text, parsed))
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
        with_tree_of_cells(as_python, cells, |parsed| write(parsed.suite()))
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    edit::edits(text, facts, wishes, |write| {
        with_tree(text, |parsed| write(parsed.suite()))
    })
}

/// Parses a text and does `work` with the tree, on a stack that is deep enough for it.
fn with_tree<T: Send>(
    text: &str,
    work: impl FnOnce(&Parsed<ModModule>) -> T + Send,
) -> Result<T, ReaderFailed> {
    on_stack_for(text, || {
        work(&ruff_python_parser::parse_unchecked_source(
            text,
            PySourceType::Python,
        ))
    })
}

fn with_tree_of_cells<T: Send>(
    text: &str,
    cells: &[Span],
    work: impl FnOnce(&Parsed<ModModule>) -> T + Send,
) -> Result<T, ReaderFailed> {
    let size = |offset| TextSize::try_from(offset).map_err(|_| ReaderFailed::GaveUp);
    let mut ranges = Vec::with_capacity(cells.len());
    for cell in cells {
        ranges.push(TextRange::new(size(cell.start)?, size(cell.end)?));
    }
    let options = ParseOptions::from(Mode::Ipython);
    on_stack_for(text, || {
        work(&parse_cells_unchecked(text, ranges, &options))
    })
}

fn on_stack_for<T: Send>(text: &str, work: impl FnOnce() -> T + Send) -> Result<T, ReaderFailed> {
    let stack = stack_for(text);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, work)
            .map_err(|_| ReaderFailed::GaveUp)?
            .join()
            .map_err(|_| ReaderFailed::GaveUp)
    })
}

fn facts_of(text: &str, parsed: &Parsed<ModModule>) -> (FileFacts, Vec<Escaped>) {
    let first_error = parsed
        .errors()
        .iter()
        .map(|error| error.location.start().to_usize())
        .min();
    let mut walker = walk::Walker::new(parsed.suite());
    walker.module(parsed.suite());
    let escaped = std::mem::take(&mut walker.escaped);
    let mut facts = walker.finish();
    facts.first_error = first_error;
    facts.comments = comment::comments(text, parsed);
    facts.errors = parsed.errors().len();
    if !facts.facts.is_empty() {
        facts.opening = opening::opening(text, parsed, &facts);
    }
    (facts, escaped)
}

/// The bytes a node covers.
fn span_of(node: &impl ruff_text_size::Ranged) -> Span {
    Span::new(node.start().to_usize(), node.end().to_usize())
}

#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod tests;
