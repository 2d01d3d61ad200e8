//! Languages: each reads a file's text into facts. None of them knows a rule or the policy.

mod python;

use super::fact::{Detail, FileFacts};
use super::remedy::{Change, Site};
use crate::git::RepoPath;
use crate::text::Edit;

/// A language that can be read.
#[derive(Debug)]
pub struct Language {
    /// Its name.
    pub name: &'static str,
    /// Whether a file is written in it.
    claims: fn(&RepoPath, &[u8]) -> bool,
    /// Byte strings without which a file of this language has no facts.
    pub words: &'static [&'static str],
    /// Reads a text.
    read: fn(&str, Detail) -> Result<FileFacts, ReaderFailed>,
    /// Writes a remedy into a text, whose facts are known.
    edits: fn(&str, &FileFacts, Site, &Change) -> Option<Vec<Edit>>,
    /// Code without layout, comments and the kind of quotes.
    plain: fn(&str) -> String,
}

/// A language's reader gave up on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parser gave up")]
pub struct ReaderFailed;

/// All languages.
pub static LANGUAGES: &[Language] = &[python::PYTHON];

impl Language {
    /// The language of a file, by its name or its first line.
    pub fn of(path: &RepoPath, content: &[u8]) -> Option<&'static Self> {
        LANGUAGES
            .iter()
            .find(|language| (language.claims)(path, content))
    }

    /// What the text says about GPUs.
    pub fn read(&self, text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
        (self.read)(text, detail)
    }

    /// The edits that make a change at a place; `None` where it cannot be written for certain.
    pub(super) fn edits(
        &self,
        text: &str,
        facts: &FileFacts,
        site: Site,
        change: &Change,
    ) -> Option<Vec<Edit>> {
        (self.edits)(text, facts, site, change)
    }

    /// The same for the same piece of code, however it is laid out.
    pub fn plain(&self, code: &str) -> String {
        (self.plain)(code)
    }
}
