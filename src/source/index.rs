//! The files of the commit that Git is about to make, read from its exact index.

use std::io;
use std::path::PathBuf;

use super::change::{Change, ChangedFile, Version};
use crate::git::{Blob, FileMode, GitError, NewSide, ObjectId, Repository, StagedChange};

impl<'r> Change<'r> {
    /// What is staged, both sides read; versions above `limit` bytes are not loaded. Held against
    /// HEAD and, in a merge, against every commit that is merged in.
    pub fn staged(repository: &'r Repository, limit: u64) -> Result<Self, GitError> {
        let changes = repository.staged_changes()?;
        let parents = repository.merge_heads();
        let base = if changes.is_empty() {
            None
        } else {
            repository.head()?.commit
        };
        Ok(Self {
            files: read(repository, changes, limit)?,
            repository,
            limit,
            base,
            parents,
            new: NewSide::Index,
        })
    }
}

fn read(
    repository: &Repository,
    changes: Vec<StagedChange>,
    limit: u64,
) -> Result<Vec<ChangedFile>, GitError> {
    let wanted: Vec<ObjectId> = changes
        .iter()
        .flat_map(|change| [change.before, change.staged])
        .flatten()
        .filter(|(mode, _)| *mode != FileMode::Gitlink)
        .map(|(_, id)| id)
        .collect();
    let mut contents = repository.blobs(&wanted, limit)?.into_iter();
    let mut version = |side: Option<(FileMode, ObjectId)>| {
        side.map(|side| Version {
            content: if side.0 == FileMode::Gitlink {
                None
            } else {
                contents.next()
            },
            ..Version::unread(side)
        })
    };
    let mut files = Vec::with_capacity(changes.len());
    for change in changes {
        let before = version(change.before);
        let after = version(change.staged);
        // What is committed has to be there; what it replaces need not be, in a partial clone.
        if let Some(version) = &after
            && version.content == Some(Blob::Missing)
        {
            return Err(GitError::Object {
                id: version.id.to_string(),
                reason: format!("`{}` is not in this clone", change.path),
            });
        }
        files.push(ChangedFile {
            path: change.path,
            before,
            after,
            in_worktree: change.worktree_is_staged,
        });
    }
    Ok(files)
}

impl ChangedFile {
    /// What the working tree has of the path, where that may not be what is staged: it is what
    /// Git could not bring back.
    pub fn unstaged(&self, repository: &Repository) -> Unstaged {
        if self.in_worktree {
            return Unstaged::Same;
        }
        let root = repository.worktree().ok();
        let Some(file) = root.and_then(|root| self.path.below(root)) else {
            return Unstaged::Same;
        };
        // What lies behind a link, or is said to, is not in the working tree.
        let mut folders = file.ancestors().skip(1);
        let is_behind_link = folders.any(|folder| {
            root.is_some_and(|root| folder != root && folder.starts_with(root))
                && folder.is_symlink()
        });
        if is_behind_link {
            return Unstaged::Gone;
        }
        match file.symlink_metadata() {
            Ok(metadata) if !metadata.is_dir() => Unstaged::File(file),
            Err(error) if !is_absence(&error) => Unstaged::Same,
            Ok(_) | Err(_) => Unstaged::Gone,
        }
    }
}

/// What the working tree has of a path that is staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unstaged {
    /// Surely what is staged, or nothing that could be looked at.
    Same,
    /// A file or link that may hold something else.
    File(PathBuf),
    /// No file.
    Gone,
}

fn is_absence(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}
