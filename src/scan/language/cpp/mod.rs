//! C, C++ and CUDA.

mod condition;
mod environment;
mod lexer;

use super::file_name::has_extension;
use super::native::{self, Reader, Syntax};
use super::{Language, ReaderFailed};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, FileFacts};

pub(super) const CPP: Language = Language {
    name: "c++",
    claims,
    worth_reading: native::clue::cpp,
    read,
    edits: native::edits,
    plain: super::plain_words,
};

const EXTENSIONS: &[&str] = &[
    "c", "cc", "cpp", "cu", "cuh", "cxx", "h", "hh", "hpp", "hxx", "inl", "ipp",
];

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    has_extension(path, EXTENSIONS)
}

#[expect(clippy::unnecessary_wraps, reason = "what every language answers")]
fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let reader = Reader::new(lexer::tokens(text), Syntax::Cpp, detail);
    Ok(reader.read(environment::read))
}
