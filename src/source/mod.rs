//! Where bytes come from: what is staged, what lies in folders, and which policy counts for it.
//!
//! Knows nothing of languages or rules.

pub mod index;
mod repository_policy;
mod worktree;

pub use repository_policy::{Judged, PolicyFrom, RepositoryPolicyError, policy_of};
pub use worktree::{WorktreeError, WorktreeFile, files, read};
