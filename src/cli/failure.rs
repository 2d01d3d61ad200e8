//! The one place where errors become words for a person: what happened, why, what to do next.
//! Every failure ends with exit code 2.

use std::error::Error;
use std::fmt::Write as _;

use crate::backup::BackupError;
use crate::git::GitError;
use crate::policy::PolicyError;
use crate::rollback::RollbackError;

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

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let failure = Self::of(&error);
        match &error {
            BackupError::Unknown { .. } => {
                failure.hint("`gpuguard backup list` lists the backups; `latest` is the newest")
            }
            BackupError::Ambiguous { .. } => failure.hint("give more of the id"),
            BackupError::None { .. } => failure.hint("`gpuguard backup create` makes one"),
            BackupError::Damaged { .. } => failure
                .note("nothing was restored from it")
                .hint("`gpuguard backup verify --all` tells which backups are whole"),
            BackupError::NotHeld { id, .. } | BackupError::NoVersion { id, .. } => {
                failure.hint(format!("`gpuguard backup show {id}` lists what it holds"))
            }
            BackupError::Exists { .. } => failure.hint("choose an empty folder with `--to`"),
            BackupError::Unwritable { .. } | BackupError::Store { .. } => {
                failure.note("nothing was changed")
            }
            _ => failure,
        }
    }
}

impl From<RollbackError> for Failure {
    fn from(error: RollbackError) -> Self {
        let error = match error {
            RollbackError::Git(error) => return error.into(),
            RollbackError::Backup(error) => return error.into(),
            other => other,
        };
        let failure = Self::of(&error);
        match &error {
            RollbackError::InProgress { operation } => {
                let word = operation.word();
                let end = if word == "bisect" {
                    "git bisect reset"
                } else {
                    "git status"
                };
                failure.hint(format!("end the {word} first: `{end}`"))
            }
            RollbackError::Blocked { .. } => failure.hint("move it away, then try again"),
            RollbackError::IndexLocked { .. } => failure
                .note("gpuguard never removes a lock that is not its own")
                .hint("wait until the other program is done; if none runs, remove the file"),
            RollbackError::Interrupted { .. } | RollbackError::HalfDone { .. } => {
                failure.hint("`gpuguard rollback --undo` brings every file back")
            }
            RollbackError::IndexChanged | RollbackError::ChangedMeanwhile { .. } => {
                failure.hint("try again")
            }
            RollbackError::OldGit => failure.hint("use Git 2.41 or later"),
            RollbackError::UnknownPath { .. } => {
                failure.hint("paths are literal and relative to the current folder")
            }
            _ => failure,
        }
    }
}
