//! What a run is about to do, written down before it does it, so that a killed run can be
//! brought back; and the list of finished runs. `--undo` takes the last one and
//! adds itself: a second undo is a redo, it does not walk further back.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RollbackError;
use crate::backup::{StoredPath, Sum};
use crate::sys::file;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// Nothing of the user's is changed.
    Preparing,
    /// Files are being replaced; the snapshot holds what they were.
    Applying,
}

/// The journal of the run in progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Journal {
    version: u32,
    /// Sixteen random digits, also in our `index.lock`.
    pub(super) nonce: String,
    /// `rollback`, `undo`, `restore` or `fix`.
    pub(super) kind: String,
    /// The tag or backup.
    pub(super) what: String,
    pub(super) phase: Phase,
    /// The snapshot made by this run.
    pub(super) snapshot: Option<String>,
    /// The snapshot that an interrupted run is brought to: of an undo its goal, else its own.
    pub(super) bring_to: Option<String>,
    /// The sum of the index this run is about to give its name.
    pub(super) index: Option<Sum>,
    /// What that index says (the sum of its listing).
    #[serde(default)]
    pub(super) left: Option<Sum>,
    /// What the index may say for a saved one to take its place as a whole.
    #[serde(default)]
    pub(super) accepted: Vec<Sum>,
    /// The contents that the run writes.
    #[serde(default)]
    pub(super) wrote: Vec<Wrote>,
    /// What else the run does, once it is known.
    #[serde(default)]
    pub(super) rest: Option<Rest>,
}

/// One content that a run writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wrote {
    #[serde(flatten)]
    pub(super) path: StoredPath,
    pub(super) sum: Sum,
    /// Where the content lies until it is in its place, below the scratch folder.
    #[serde(default)]
    pub(super) staged: Option<StoredPath>,
}

/// What a run does beside writing contents: enough to finish it after a kill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rest {
    /// The files it removes.
    pub(super) removes: Vec<StoredPath>,
    pub(super) index: NextIndex,
}

/// What becomes of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NextIndex {
    Keep,
    Remove,
    /// A file below the scratch folder takes its place, after it has learnt the times of some paths.
    Replace {
        file: StoredPath,
        refresh: Vec<StoredPath>,
    },
}

impl Journal {
    pub(super) fn new(kind: &str, what: &str) -> Self {
        Self {
            version: 1,
            nonce: format!("{:016x}", fastrand::u64(..)),
            kind: kind.to_owned(),
            what: what.to_owned(),
            phase: Phase::Preparing,
            snapshot: None,
            bring_to: None,
            index: None,
            left: None,
            accepted: Vec::new(),
            wrote: Vec::new(),
            rest: None,
        }
    }

    /// What our `index.lock` holds until the new index takes its place.
    pub(super) fn lock_line(&self) -> String {
        format!("gpuguard {}\n", self.nonce)
    }

    /// Whether the lock at `path` is this run's: it holds our line, or our index.
    pub(super) fn owns_lock(&self, path: &Path) -> bool {
        std::fs::read(path).is_ok_and(|content| {
            content == self.lock_line().as_bytes() || self.index == Some(Sum::of(&content))
        })
    }
}

/// A finished run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) what: String,
    /// The snapshot that undoes it.
    pub(super) snapshot: String,
    /// When it was finished.
    pub(super) finished: String,
    /// What the index said when it was finished; nothing where it took no part.
    #[serde(default)]
    pub(super) left: Option<Sum>,
    /// What became of the files; only of the newest runs, which alone can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<LeftFiles>,
}

/// What a run left, as far as it is not what it had found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeftFiles {
    pub(super) written: Vec<LeftFile>,
    pub(super) removed: Vec<StoredPath>,
}

/// A file that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeftFile {
    #[serde(flatten)]
    pub(super) path: StoredPath,
    pub(super) sum: Sum,
}

/// Of so many runs the files are kept: the newest may be taken back from the list (see
/// [`Desk::forget`]), and then the one before is the last.
const RUNS_WITH_FILES: usize = 2;

/// The folder of a working tree's runs: `<git dir>/gpuguard/rollback`.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) folder: PathBuf,
}

impl Desk {
    pub(super) fn at(git_dir: &Path) -> Self {
        Self {
            folder: git_dir.join("gpuguard").join("rollback"),
        }
    }

    /// Where a run's files lie until they get their places.
    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    pub(super) fn journal_path(&self) -> PathBuf {
        self.folder.join("journal.json")
    }

    fn operations_path(&self) -> PathBuf {
        self.folder.join("operations.jsonl")
    }

    /// The lock that only a living run holds.
    pub(super) fn lock_path(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The journal of a run that did not end.
    pub(super) fn journal(&self) -> Result<Option<Journal>, RollbackError> {
        let path = self.journal_path();
        let unreadable = |reason: String| RollbackError::Journal {
            path: path.clone(),
            reason,
            snapshot: None,
            lock: None,
        };
        match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Some)
                .map_err(|error| unreadable(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    pub(super) fn write_journal(&self, journal: &Journal) -> Result<(), RollbackError> {
        let path = self.journal_path();
        let failed = |source| RollbackError::Scratch {
            path: path.clone(),
            source,
        };
        let json = serde_json::to_vec_pretty(journal).map_err(|error| failed(error.into()))?;
        file::write_atomic(&path, &json).map_err(failed)
    }

    /// Ends a run: its journal and passing files go.
    pub(super) fn clear(&self) -> io::Result<()> {
        file::discard_scratch(&self.scratch())?;
        match file::remove(&self.journal_path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // Should the journal be there again after a crash, finishing the run once more does
            // nothing.
            _ => {
                let _ = file::sync_folder(&self.folder);
                Ok(())
            }
        }
    }

    /// The finished runs, oldest first.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let text = std::fs::read_to_string(self.operations_path()).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    pub(super) fn record(&self, operation: &Operation) -> io::Result<()> {
        let path = self.operations_path();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A run killed after it was noted is noted again when it is finished.
        if self.operations().last().map(|last| &last.snapshot) == Some(&operation.snapshot) {
            return Ok(());
        }
        let mut text = without_old_files(&text)?;
        text.push_str(&serde_json::to_string(operation)?);
        text.push('\n');
        file::write_atomic(&path, text.as_bytes())
    }

    /// Takes back the note of a run that is brought back although it was noted already.
    pub(super) fn forget(&self, snapshot: &str) -> io::Result<()> {
        let path = self.operations_path();
        let noted = self.operations();
        if noted.last().is_none_or(|last| last.snapshot != snapshot) {
            return Ok(());
        }
        let mut text = String::new();
        for operation in &noted[..noted.len() - 1] {
            text.push_str(&serde_json::to_string(operation)?);
            text.push('\n');
        }
        file::write_atomic(&path, text.as_bytes())
    }
}

/// The list with the files of the newest runs only, so that it does not grow with every file ever
/// written. Lines that cannot be read stay as they are.
fn without_old_files(text: &str) -> io::Result<String> {
    let old = text.lines().count().saturating_sub(RUNS_WITH_FILES - 1);
    let mut kept = String::new();
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str::<Operation>(line) {
            Ok(operation) if number < old && operation.files.is_some() => {
                let files = None;
                let without = Operation { files, ..operation };
                kept.push_str(&serde_json::to_string(&without)?);
            }
            _ => kept.push_str(line),
        }
        kept.push('\n');
    }
    Ok(kept)
}
