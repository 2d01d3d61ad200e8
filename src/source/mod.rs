//! Where bytes come from: what is staged, what commits hold, what lies in folders, and which policy counts for it.
//!
//! Knows nothing of languages or rules.

mod change;
mod index;
mod nearest_policy;
mod push_target;
mod pushed;
mod range;
mod ref_update;
mod repository_policy;
mod worktree;

pub use change::{Change, ChangedFile, Known, ParentChange, Version};
pub use index::Unstaged;
pub use nearest_policy::{
    BelowRoot, below_root, below_root_on_disk, each_below_root, folders_with_policy,
    has_policy_below, policy_below, sound_below_root,
};
pub use push_target::PushTarget;
pub use pushed::{PushPolicy, Pushed};
pub use range::{Range, RangeError};
pub use ref_update::{NotARefUpdate, PushSide, RefUpdate};
pub use repository_policy::{
    Judged, PolicyFrom, RepositoryPolicyError, policy_at, policy_in, policy_of, policy_of_range,
};
pub use worktree::{Content, FileReader, WorktreeError, WorktreeFile, files, name_of};
