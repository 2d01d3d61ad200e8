//! Snapshots as hashed zip archives: making, listing, verifying, restoring.
//!
//! Knows nothing of scans or GPUs.

use std::path::PathBuf;

/// What a backup that was just made holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// Its id.
    pub id: String,
    /// The archive.
    pub path: PathBuf,
    /// How many files it saves.
    pub files: usize,
}
