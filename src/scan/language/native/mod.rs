//! What the readers of C++ and Rust share: calls and their arguments, constants, texts, names that
//! hold a card, and the edits.
//!
//! They read tokens, not a grammar: see "Grammars" in `docs/design-notes.md`.

mod assignment;
mod call;
pub(super) mod clue;
mod constant;
mod edit;
mod import;
mod literal;
mod name;
mod order;
mod owner;
mod path;
mod reader;
#[cfg(test)]
mod tests;
pub(super) mod tokens;

pub(super) use edit::edits;
pub(super) use path::Path;
pub(super) use reader::{Reader, Said, Syntax};
