//! Languages: each reads a file's text into facts. None of them knows a rule or the policy.

mod by_variable;
mod clue;
mod command;
mod cpp;
mod dockerfile;
mod dotenv;
mod file_name;
mod given;
mod in_place;
mod ini;
mod json;
mod json_string;
mod just;
mod logical;
mod make;
mod markdown;
mod native;
mod notebook;
mod placeholder;
mod python;
mod recipe;
mod remark;
mod rust;
mod settings;
mod shell;
mod toml;
mod within;
mod xml;
mod yaml;

use super::fact::{Detail, FileFacts};
use super::remedy::{Wish, Written};
use crate::git::RepoPath;

/// A language that can be read.
#[derive(Debug)]
pub struct Language {
    /// Its name, as the policy writes it.
    pub name: &'static str,
    /// Whether a file is written in it.
    claims: fn(&RepoPath, &[u8]) -> bool,
    /// Whether a text may have facts that a rule speaks of: a search that costs next to nothing,
    /// before the text is parsed.
    worth_reading: fn(&str) -> bool,
    /// Reads a text.
    read: fn(&str, Detail) -> Result<FileFacts, ReaderFailed>,
    /// Writes changes into a file's text, whose facts are known: one answer for each wish.
    edits: fn(&str, &FileFacts, &[Wish<'_>]) -> Vec<Option<Written>>,
    /// Code without layout, comments and the kind of quotes.
    plain: fn(&str) -> String,
}

/// Why a language's reader could make nothing of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderFailed {
    /// The parser could not go on.
    #[error("the parser gave up")]
    GaveUp,
    /// The file holds more values than settings have.
    #[error("more than {most} values")]
    TooManyValues {
        /// So many are read.
        most: usize,
    },
    /// The file is not in the format its name promises.
    #[error("not a {format}: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
}

/// All languages; the first one that claims a file has it.
pub static LANGUAGES: &[Language] = &[
    python::PYTHON,
    notebook::NOTEBOOK,
    dotenv::DOTENV,
    yaml::YAML,
    json::JSON,
    cpp::CPP,
    rust::RUST,
    dockerfile::DOCKERFILE,
    toml::TOML,
    ini::INI,
    make::MAKE,
    just::JUST,
    shell::SHELL,
    shell::FISH,
    shell::POWERSHELL,
    shell::BATCH,
    xml::XML,
    markdown::MARKDOWN,
];

/// Code of a language that has blanks and quotes for layout only, without them.
fn plain_words(code: &str) -> String {
    code.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
        .collect()
}

impl Language {
    /// The language of a name; `None` for one that is not known.
    pub fn called(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name == name)
    }

    /// The language of a file, by its name or its first line.
    pub fn of(path: &RepoPath, content: &[u8]) -> Option<&'static Self> {
        LANGUAGES
            .iter()
            .find(|language| (language.claims)(path, content))
    }

    /// Whether a text may have facts that a rule speaks of.
    pub fn worth_reading(&self, text: &str) -> bool {
        (self.worth_reading)(text)
    }

    /// What the text says about GPUs.
    pub fn read(&self, text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
        (self.read)(text, detail).map(by_variable::indices)
    }

    /// The edits of the file's text that make each change, in the order of the wishes; `None` for one that cannot be
    /// written for certain.
    pub(super) fn edits(
        &self,
        text: &str,
        facts: &FileFacts,
        wishes: &[Wish<'_>],
    ) -> Vec<Option<Written>> {
        (self.edits)(text, facts, wishes)
    }

    /// The same for the same piece of code, however it is laid out.
    pub fn plain(&self, code: &str) -> String {
        (self.plain)(code)
    }
}
