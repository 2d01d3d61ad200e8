//! The one place where errors become words for a person: what happened, why, what to do next.
//! Every failure ends with exit code 2.

use std::error::Error;
use std::fmt::Write as _;

use crate::git::GitError;
use crate::policy::PolicyError;
use crate::source::WorktreeError;

/// Something could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    error: String,
    notes: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure in one sentence: lower case, no final period.
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Adds why: the error and all its sources.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.notes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds a line that says more.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A failure that says what `error` says, and its sources below it.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.source() {
            Some(source) => failure.because(source),
            None => failure,
        }
    }

    /// The failure as lines, with or without colour.
    pub(crate) fn render(&self, color: bool) -> String {
        let paint = |style: anstyle::Style, word: &str| {
            if color {
                format!("{style}{word}{style:#}")
            } else {
                word.to_owned()
            }
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        let mut text = format!("{} {}", paint(red, "error:"), self.error);
        for note in &self.notes {
            let _ = write!(
                text,
                "\n  {} {note}",
                paint(anstyle::Style::new().bold(), "note:")
            );
        }
        for hint in &self.hints {
            let _ = write!(text, "\n  {} {hint}", paint(cyan, "hint:"));
        }
        text
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let failure = Self::of(&error);
        match error {
            PolicyError::Missing { .. } => failure.hint(
                "`gpuguard init` writes one from the cards found, `gpuguard init --preset rtx3090` the founding rig's",
            ),
            PolicyError::Unreadable { .. } => failure,
            PolicyError::Invalid { line_text, position, hint, .. } => {
                let failure = if line_text.trim().is_empty() {
                    failure
                } else {
                    let line = line_text.trim_end().replace('\t', " ");
                    let caret = " ".repeat(position.column - 1);
                    failure.note(format!("{line}\n        {caret}^"))
                };
                match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
        }
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let failure = Self::of(&error);
        match &error {
            GitError::NoRepository { .. } => {
                failure.hint("run gpuguard in a repository, or make one with `git init`")
            }
            GitError::Bare { .. } => failure.hint("run gpuguard in a clone of it"),
            GitError::NoProgram { .. } => {
                failure.hint("install Git, or put it on PATH: https://git-scm.com/downloads")
            }
            GitError::NoTag {
                similar: Some(similar),
                ..
            } => failure.hint(format!(
                "did you mean `{similar}`? `git tag` lists them all"
            )),
            GitError::NoTag { similar: None, .. } => failure.hint("`git tag` lists the tags"),
            GitError::Unmerged { .. } => {
                failure.hint("resolve the conflict, then `git add` the file")
            }
            _ => failure,
        }
    }
}

impl From<WorktreeError> for Failure {
    fn from(error: WorktreeError) -> Self {
        Self::of(&error).note("nothing was scanned")
    }
}
