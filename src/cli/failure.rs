//! The one place where errors become words for a person: what happened, why, what to do next.
//! Every failure ends with exit code 2.

mod install;
mod range;

use std::error::Error;
use std::fmt::Write as _;

use crate::backup::BackupError;
use crate::git::GitError;
use crate::gpu::{self, ProbeError};
use crate::hook::HookError;
use crate::policy::PolicyError;
use crate::rollback::RollbackError;
use crate::source::{RepositoryPolicyError, WorktreeError};
use crate::text::printable;

/// Something could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What stands before the error instead of `error:`.
    verdict: Option<String>,
    error: String,
    notes: Vec<String>,
    hints: Vec<String>,
    /// The signal that someone ended it with.
    signal: Option<i32>,
}

impl Failure {
    /// A failure in one sentence: lower case, no final period.
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self {
            verdict: None,
            error: error.into(),
            notes: Vec::new(),
            hints: Vec::new(),
            signal: None,
        }
    }

    /// Someone ended it; `left` says what was not done.
    pub(crate) fn interrupted(signal: i32, left: &str) -> Self {
        let mut failure = Self::new(format!("interrupted: {left}"));
        failure.signal = Some(signal);
        failure
    }

    /// Ctrl+C would leave the terminal as it is.
    #[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
    pub(crate) fn unwatched(error: std::io::Error) -> Self {
        Self::new("Ctrl+C cannot be watched for").because(&error)
    }

    /// The signal by which the process is to end.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// Adds why: the error and all its sources.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let note = error.to_string();
            // Some errors repeat the words of their source.
            if self.notes.last() != Some(&note) {
                self.notes.push(note);
            }
            next = error.source();
        }
        self
    }

    /// Makes it the verdict of a hook, whose first line may be all that is shown.
    pub(crate) fn refusing(mut self, act: &str) -> Self {
        self.verdict = Some(format!("gpuguard: {act} refused:"));
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

    /// The failure as lines, with or without colour. What comes from files, arguments and other
    /// programs cannot move the cursor, colour the text or begin a line of its own.
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
        let mut text = format!(
            "{} {}",
            paint(red, self.verdict.as_deref().unwrap_or("error:")),
            shown(&self.error)
        );
        for note in &self.notes {
            let _ = write!(
                text,
                "\n  {} {}",
                paint(anstyle::Style::new().bold(), "note:"),
                shown(note)
            );
        }
        for hint in &self.hints {
            let _ = write!(text, "\n  {} {}", paint(cyan, "hint:"), shown(hint));
        }
        text
    }
}

/// `text` made printable line by line; lines after the first stand below the first one's words.
fn shown(text: &str) -> String {
    text.lines()
        .map(|line| printable(line.replace('\t', " ").as_bytes()))
        .collect::<Vec<_>>()
        .join("\n        ")
}

/// The most characters of a line that are shown.
const SHOWN_WIDTH: usize = 120;

/// The part of `line` around `column` (from 1), and a mark below that place.
fn with_mark(line: &str, column: usize) -> String {
    let characters: Vec<char> = line.chars().collect();
    let at = column.saturating_sub(1).min(characters.len());
    let (start, end) = if characters.len() <= SHOWN_WIDTH {
        (0, characters.len())
    } else {
        let start = at.saturating_sub(SHOWN_WIDTH / 2);
        (start, characters.len().min(start + SHOWN_WIDTH))
    };
    let part = |from: usize, to: usize| shown(&String::from_iter(&characters[from..to]));
    let left = if start > 0 { "…" } else { "" };
    let right = if end < characters.len() { "…" } else { "" };
    let before = part(start, at);
    let blanks = " ".repeat(left.chars().count() + before.chars().count());
    let shown = format!("{left}{before}{}{right}", part(at, end));
    format!("{}\n{blanks}^", shown.trim_end())
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let failure = Self::of(&error);
        match error {
            PolicyError::Missing { .. } => failure.hint(
                "`gpuguard init` writes one from the cards found, `gpuguard init --preset rtx3090` the founding rig's",
            ),
            PolicyError::Unreadable { .. } => failure,
            PolicyError::Link { .. } => failure.hint(
                "write a file with `version = 1` and `extends = \"…\"`, the path of the other policy, instead",
            ),
            PolicyError::Variable { hint, .. } => failure.hint(hint),
            PolicyError::NotAFile { .. } | PolicyError::TooLarge { .. } => failure.hint(
                "a policy is a short TOML file; `gpuguard init` writes one",
            ),
            PolicyError::Invalid { line_text, position, hint, .. } => {
                let failure = if line_text.trim().is_empty() {
                    failure
                } else {
                    failure.note(with_mark(&line_text, position.column))
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
            GitError::UnknownName {
                similar: Some(similar),
                ..
            } => failure.hint(format!("did you mean `{similar}`?")),
            GitError::UnknownName { similar: None, .. } => failure.hint(
                "`git tag` lists the tags, `git branch --all` the branches, `gpuguard backup list` the backups",
            ),
            GitError::TagExists { name } => failure.note("it was left where it is").hint(format!(
                "choose another name, or remove it first with `git tag --delete {name}`"
            )),
            GitError::BadTagName { .. } => failure.hint(
                "`git check-ref-format --help` has the rules; `v-before-gpu-correction` is one",
            ),
            GitError::NoCommit => failure.hint("make a first commit with `git commit`"),
            GitError::Unmerged { .. } => {
                failure.hint("resolve the conflict, then `git add` the file")
            }
            GitError::Missing { .. } => failure.note("nothing was scanned").hint(
                "this clone is partial: `git diff --stat A B` with the two ends brings what it lacks",
            ),
            _ => failure,
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        let failure = Self::of(&error);
        match gpu::hint(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<RepositoryPolicyError> for Failure {
    fn from(error: RepositoryPolicyError) -> Self {
        match error {
            RepositoryPolicyError::Policy(error) => error.into(),
            RepositoryPolicyError::Git(error) => error.into(),
        }
    }
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Git(error) => error.into(),
            HookError::Policy(error) => error.into(),
            error @ HookError::Backup(_) => Self::of(&error).hint(
                "let the folder of backups be written to, name another (`store` in `[backup]`, \
                 GPUGUARD_BACKUP_STORE), or save nothing (`snapshot = false` in `[hook]`)",
            ),
        }
    }
}

impl From<WorktreeError> for Failure {
    fn from(error: WorktreeError) -> Self {
        Self::of(&error).note("nothing was scanned")
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let failure = Self::of(&error);
        match &error {
            BackupError::Unknown { .. } => {
                failure.hint("`gpuguard backup list` lists the backups; `latest` is the newest")
            }
            BackupError::OnlySafety { .. } => failure
                .hint("`gpuguard rollback --undo` goes one step back; an id restores any of them"),
            BackupError::Ambiguous { .. } => failure.hint("give more of the id"),
            BackupError::None { .. } => failure.hint("`gpuguard backup create` makes one"),
            BackupError::Damaged { .. } => failure
                .note("nothing was restored from it")
                .hint("`gpuguard backup verify --all` tells which backups are whole"),
            BackupError::NotHeld { id, .. } | BackupError::NoVersion { id, .. } => {
                failure.hint(format!("`gpuguard backup show {id}` lists what it holds"))
            }
            BackupError::Exists { .. } => failure.hint("choose an empty folder with `--to`"),
            BackupError::Clash { .. } | BackupError::Collide { .. } => {
                failure.hint("name the files, or choose one time with `--version`")
            }
            BackupError::Halted { .. } => {
                failure.hint("restore again to an empty folder, with room for all")
            }
            BackupError::Place { .. } => failure.hint(
                "set `store` below `[backup]` in gpuguard.toml to a folder outside, or let Git ignore it",
            ),
            BackupError::InUse { .. } => failure.hint("wait until the other one is done"),
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
            RollbackError::Git(error @ GitError::Program { .. }) => {
                return Self::from(error).note("nothing was changed").hint(MEND_GIT);
            }
            RollbackError::Git(error @ GitError::Object { .. }) => {
                return Self::from(error).note("nothing was changed").hint(
                    "`git fsck` tells what else is missing; `git add` the file again to go on",
                );
            }
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
            RollbackError::Interrupted { .. } | RollbackError::HalfDone { .. } => failure
                .hint("`gpuguard rollback --undo` brings every file back, `--continue` finishes it"),
            RollbackError::NotReady { .. } => {
                failure.hint("`gpuguard rollback --undo` brings every file back")
            }
            RollbackError::WentBack { snapshot, .. } => {
                failure.note(format!("the snapshot `{snapshot}` is kept"))
            }
            RollbackError::ChangedMeanwhile { snapshot, .. } => failure
                .note(format!("the snapshot `{snapshot}` is kept"))
                .hint("try again"),
            RollbackError::IndexChanged => failure.hint("try again"),
            RollbackError::Unprepared { .. } => {
                failure.hint(MEND_GIT)
            }
            RollbackError::Unfinished { .. } => failure.hint(
                "the run counts as interrupted: once that folder can be written, `gpuguard rollback --undo` ends it",
            ),
            RollbackError::Stuck {
                archive, journal, ..
            } => failure
                .hint(format!(
                    "put a copy of `{0}` and `{0}.sha256` back, if there is one",
                    archive.display()
                ))
                .hint(go_on_without(journal)),
            RollbackError::Journal {
                path,
                snapshot,
                lock,
                reason,
            } => {
                let mut failure = failure.note(reason).hint(go_on_without(path));
                if let Some(id) = snapshot {
                    failure = failure.hint(format!(
                        "how files were before may be in `{id}`: `gpuguard backup show {id}`"
                    ));
                }
                if let Some(lock) = lock {
                    failure = failure.hint(format!(
                        "if no Git is running, remove `{}` too",
                        lock.display()
                    ));
                }
                failure
            }
            RollbackError::OldGit => failure.hint("use Git 2.41 or later"),
            RollbackError::UnknownPath { .. } => {
                failure.hint("paths are literal and relative to the current folder")
            }
            _ => failure,
        }
    }
}

/// The way out for a person whom an interrupted run cannot be brought back.
fn go_on_without(journal: &std::path::Path) -> String {
    format!(
        "to go on with the files as they are, move `{}` away",
        journal.display()
    )
}

const MEND_GIT: &str =
    "mend what Git complains about (often a filter, or a full disk), then try again";
