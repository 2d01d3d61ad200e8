//! Where bytes come from: the files on the disk.

mod worktree;

pub use worktree::{WorktreeError, WorktreeFile, files};
