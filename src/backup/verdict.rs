//! What was decided about the commit that a backup was made for: `<id>.verdict.json`, written
//! after the archive and beside it. The hook saves before it judges, so the archive cannot say.

use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{BackupId, Store};
use crate::sys::file;

/// A verdict file has some hundred bytes.
const LIMIT: u64 = 64 * 1024;

/// What a hook decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    version: u64,
    /// The decision.
    pub verdict: Decision,
    /// How many new errors were found.
    pub errors: usize,
    /// How many new warnings were found.
    pub warnings: usize,
    /// Whether the check of the card refused the commit.
    pub card_refused: bool,
    /// How many files were scanned; not known of older backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scanned: Option<usize>,
}

/// Passed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The commit was let through.
    Passed,
    /// The commit was refused.
    Blocked,
    /// gpuguard itself failed; `hook.on-error` decided.
    NotJudged,
}

impl Verdict {
    /// A verdict on what was found.
    pub fn new(verdict: Decision, (errors, warnings): (usize, usize), card_refused: bool) -> Self {
        Self {
            version: 1,
            verdict,
            errors,
            warnings,
            card_refused,
            scanned: None,
        }
    }

    /// The same with how many files were scanned.
    #[must_use]
    pub fn of_files(mut self, scanned: usize) -> Self {
        self.scanned = Some(scanned);
        self
    }

    /// The word that JSON has for it too.
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Decision::Passed => "passed",
            Decision::Blocked => "blocked",
            Decision::NotJudged => "not-judged",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |number: usize, word: &str| {
            format!("{number} {word}{}", if number == 1 { "" } else { "s" })
        };
        match self.verdict {
            Decision::Passed if self.warnings > 0 => {
                write!(f, "passed with {}", of(self.warnings, "warning"))
            }
            // The hook's own word for it: no pass.
            Decision::Passed if self.scanned == Some(0) => f.write_str("nothing to judge"),
            Decision::Passed => f.write_str("passed"),
            Decision::Blocked if self.errors > 0 => {
                write!(f, "blocked with {}", of(self.errors, "error"))
            }
            Decision::Blocked => f.write_str("blocked by the card check"),
            Decision::NotJudged => f.write_str("not judged"),
        }
    }
}

impl Store {
    pub(super) fn verdict_path(&self, id: &BackupId) -> PathBuf {
        self.folder_of(id).join(format!("{id}.verdict.json"))
    }

    /// Notes what was decided. It decides nothing itself, so it is not waited for until it lies
    /// safely on the disk.
    pub fn note_verdict(&self, id: &str, verdict: &Verdict) -> io::Result<()> {
        let Some(id) = BackupId::parse(id) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut json = serde_json::to_vec(verdict)?;
        json.push(b'\n');
        file::open_new(&self.verdict_path(&id))?.write_all(&json)
    }

    /// What was decided; `None` where that is not known.
    pub fn verdict(&self, id: &BackupId) -> Option<Verdict> {
        let json = file::read_at_most(&self.verdict_path(id), LIMIT).ok()?;
        let verdict: Verdict = serde_json::from_slice(&json).ok()?;
        (verdict.version == 1).then_some(verdict)
    }
}
