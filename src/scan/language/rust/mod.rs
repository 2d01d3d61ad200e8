//! Rust.

mod environment;
mod lexer;

use super::file_name::has_extension;
use super::native::{self, Reader, Syntax};
use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};

pub(super) const RUST: Language = Language {
    name: "rust",
    claims,
    worth_reading: native::clue::rust,
    read,
    edits: native::edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    has_extension(path, &["rs"])
}

#[expect(clippy::unnecessary_wraps, reason = "what every language answers")]
fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let reader = Reader::new(lexer::tokens(text), Syntax::Rust, detail);
    Ok(reader.read(environment::read))
}
