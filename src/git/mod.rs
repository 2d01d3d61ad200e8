//! The only room that knows gix, git2 or the `git` program.
//!
//! gix reads in the hook's hot path; whatever it cannot read for certain is asked from the `git`
//! program, which also does all writing. git2 reads tags and the repository's state for
//! `rollback`. Nothing here writes to the working tree.

mod annotate;
mod attributes;
mod batch;
mod blob_id;
mod compared;
mod difference;
mod entries;
mod error;
mod history;
mod index_file;
mod named;
mod program;
mod pushed;
mod raw_diff;
mod repository;
mod revision;
mod staged;
mod tag;
mod tracked;
mod types;

pub use blob_id::{BlobHasher, ObjectFormat};
pub use compared::{NewSide, PathChange};
pub use difference::{Comparison, Difference, IndexEntries, TreeSide};
pub use error::GitError;
pub use history::Commit;
pub use program::{GitProgram, Output};
pub use pushed::{KnownHistory, NewCommits};
pub use repository::{Head, Repository};
pub use revision::NameKind;
pub use tag::Operation;
pub use types::{Blob, FileMode, ObjectId, RepoPath, StagedChange};
