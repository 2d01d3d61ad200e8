//! The files of the commit that Git is about to make, read from its exact index.

use std::path::PathBuf;

use crate::git::{Blob, FileMode, GitError, ObjectId, RepoPath, Repository, StagedChange};

/// One version of a path.
#[derive(Clone, Debug)]
pub struct Version {
    /// File, executable, symbolic link or submodule.
    pub mode: FileMode,
    /// The bytes; `None` for a submodule's commit, which has none here.
    pub content: Option<Blob>,
}

/// A path the commit touches.
#[derive(Clone, Debug)]
pub struct StagedFile {
    /// What Git says of it.
    pub change: StagedChange,
    /// What the commit replaces; `None` for a new path.
    pub before: Option<Version>,
    /// What is committed; `None` for a deleted path.
    pub staged: Option<Version>,
}

/// Reads what is staged, both sides. Versions above `limit` bytes are not loaded.
pub fn staged_files(repository: &Repository, limit: u64) -> Result<Vec<StagedFile>, GitError> {
    let changes = repository.staged_changes()?;
    let sides = |change: &StagedChange| [change.before, change.staged];
    let wanted: Vec<ObjectId> = changes
        .iter()
        .flat_map(sides)
        .flatten()
        .filter(|(mode, _)| *mode != FileMode::Gitlink)
        .map(|(_, id)| id)
        .collect();
    let mut contents = repository.blobs(&wanted, limit)?.into_iter();
    let mut version = |side: Option<(FileMode, ObjectId)>| {
        side.map(|(mode, _)| Version {
            mode,
            content: if mode == FileMode::Gitlink {
                None
            } else {
                contents.next()
            },
        })
    };
    let mut files = Vec::with_capacity(changes.len());
    for change in changes {
        let before = version(change.before);
        let staged = version(change.staged);
        // What is committed has to be there; what it replaces need not be, in a partial clone.
        if let (Some(Blob::Missing), Some((_, id))) = (
            staged.as_ref().and_then(|staged| staged.content.as_ref()),
            change.staged,
        ) {
            return Err(GitError::Object {
                id: id.to_string(),
                reason: format!("`{}` is not in this clone", change.path),
            });
        }
        files.push(StagedFile {
            change,
            before,
            staged,
        });
    }
    Ok(files)
}

/// The versions of `path` in the commits being merged in, besides HEAD's.
pub fn merged_versions(
    repository: &Repository,
    path: &RepoPath,
    limit: u64,
) -> Result<Vec<Blob>, GitError> {
    let mut ids = Vec::new();
    for commit in repository.merge_heads() {
        if let Some((mode, id)) = repository.entry_at(commit, path)?
            && mode.is_file()
        {
            ids.push(id);
        }
    }
    repository.blobs(&ids, limit)
}

impl StagedFile {
    /// The file in the working tree where it may hold bytes that are not staged: those are the
    /// ones Git could not bring back. `None` where it surely holds what is staged, or is gone.
    pub fn unstaged_file(&self, repository: &Repository) -> Option<PathBuf> {
        if self.change.worktree_is_staged {
            return None;
        }
        let file = self.change.path.below(repository.worktree().ok()?)?;
        file.symlink_metadata()
            .is_ok_and(|metadata| !metadata.is_dir())
            .then_some(file)
    }
}
