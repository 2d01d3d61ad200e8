//! What to do where files could not be put back.

use super::Failure;
use crate::git::GitError;
use crate::rollback::RollbackError;

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
            RollbackError::NothingToUndo | RollbackError::NothingToContinue => failure
                .hint("`gpuguard backup list` lists what is saved, `gpuguard backup restore` brings it back"),
            RollbackError::OldGit => failure.hint("use Git 2.41 or later"),
            RollbackError::UnknownPath { .. } => {
                failure.hint("paths are literal and relative to the current folder")
            }
            RollbackError::Scratch { source, .. } if super::is_refused(source) => {
                failure.hint("give yourself the right to write there, then try again")
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
