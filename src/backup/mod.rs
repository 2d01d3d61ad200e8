//! Snapshots as hashed zip archives: making, listing, verifying, restoring.
//!
//! Knows nothing of scans or GPUs. An archive opens in any unzip program, its `.sha256` file
//! goes through `sha256sum -c`, and only what [`Store::verify`] found whole can be restored.

mod archive;
mod collision;
mod compare;
mod digest;
mod error;
mod listing;
mod location;
mod manifest;
mod pack;
mod prune;
mod reference;
mod restore;
pub mod retention;
mod safe_name;
mod store;
mod sweep;
mod unsaved;
mod verdict;
mod verified;
mod verify;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests damage files on purpose")]
mod tests;

use std::path::PathBuf;

use crate::git::{FileMode, Head, RepoPath};

pub use archive::ContentSource;
pub use collision::{Collision, collision};
pub use compare::{Difference, Found, Origin, Side, differences, look, worktree_side};
pub use digest::Sum;
pub use error::{BackupError, Damage, NameFault};
pub use listing::{Listed, Listing, Reading};
pub use location::PlaceFault;
pub use manifest::{Absence, Entry, Manifest, SavedIndex, StoredPath, Version};
pub use prune::{Effort, PrunePlan, Pruning};
pub use safe_name::SafeName;
pub use store::{BackupId, Store};
pub use verdict::{Decision, Verdict};
pub use verified::Verification;
pub use verify::VerifiedBackup;

/// What a backup that was just made holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// Its id.
    pub id: String,
    /// The archive that holds its content.
    pub path: PathBuf,
    /// How many files it saves.
    pub files: usize,
}

/// What a snapshot is to hold.
#[derive(Clone, Debug)]
pub struct SnapshotRequest {
    /// What asks for it: `pre-commit`, `manual`, `rollback`, ….
    pub trigger: &'static str,
    /// Where HEAD stands.
    pub head: Head,
    /// The files.
    pub entries: Vec<SnapshotEntry>,
    /// Paths that do not exist in a version: a staged deletion, or a file that is yet to come.
    pub absent: Vec<(RepoPath, Version)>,
    /// Paths that were asked for and not found.
    pub missing: Vec<RepoPath>,
    /// Git's index file.
    pub index: IndexSource,
    /// Whether it may refer to an archive with the same content instead of having its own. What
    /// a running command depends on has its own.
    pub may_refer: bool,
}

impl SnapshotRequest {
    /// A snapshot of nothing yet.
    pub fn new(trigger: &'static str, head: Head) -> Self {
        Self {
            trigger,
            head,
            entries: Vec::new(),
            absent: Vec::new(),
            missing: Vec::new(),
            index: IndexSource::Left,
            may_refer: false,
        }
    }
}

/// What a snapshot does with Git's index file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexSource {
    /// It is no part of the snapshot.
    Left,
    /// There is none, and that is worth keeping.
    Absent,
    /// Its bytes are saved.
    File(PathBuf),
}

/// One file of a snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotEntry {
    /// Its path in the repository.
    pub path: RepoPath,
    /// Which of the path's versions.
    pub version: Version,
    /// Its kind.
    pub mode: FileMode,
    /// Its bytes; of a symbolic link, the target.
    pub content: ContentSource,
}
