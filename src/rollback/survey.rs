//! What stands in the way of files that are to be written: single files are saved and replaced,
//! folders with untracked files and nested repositories are not.

use std::collections::BTreeSet;
use std::path::Path;

use super::place::{Place, Standing};
use super::{Obstacle, RollbackError};
use crate::git::RepoPath;

/// Files that stand where a folder is needed: they are to be removed too.
pub(super) fn files_in_the_way(
    root: &Path,
    writes: &BTreeSet<RepoPath>,
    removals: &BTreeSet<RepoPath>,
) -> Result<BTreeSet<RepoPath>, RollbackError> {
    let mut found = BTreeSet::new();
    let mut clear_folders = BTreeSet::new();
    for path in writes.union(removals) {
        let place = Place::new(root, path)?;
        let written = writes.contains(path);
        for folder in folders_above(path) {
            if clear_folders.contains(&folder) {
                continue;
            }
            match look(root, &folder)? {
                Standing::Folder => {
                    check_own(root, &folder)?;
                    clear_folders.insert(folder);
                }
                Standing::Leaf { .. } if written => {
                    if !removals.contains(&folder) {
                        found.insert(folder);
                    }
                    break;
                }
                Standing::Special if written => return Err(blocked(&folder, Obstacle::Special)),
                Standing::Absent | Standing::Leaf { .. } | Standing::Special => break,
            }
        }
        if !written {
            continue;
        }
        match look(root, path)? {
            Standing::Folder => check_folder(root, &place.file, path, removals)?,
            Standing::Special => return Err(blocked(path, Obstacle::Special)),
            Standing::Absent | Standing::Leaf { .. } => {}
        }
    }
    Ok(found)
}

/// A folder with a repository of its own holds that one's files, not ours.
fn check_own(root: &Path, folder: &RepoPath) -> Result<(), RollbackError> {
    let own = Place::new(root, folder)?.file.join(".git");
    if own.symlink_metadata().is_ok() {
        return Err(blocked(folder, Obstacle::NestedRepository));
    }
    Ok(())
}

/// A folder stands where a file is to be: everything in it must be about to go.
fn check_folder(
    root: &Path,
    folder: &Path,
    path: &RepoPath,
    removals: &BTreeSet<RepoPath>,
) -> Result<(), RollbackError> {
    let unreadable = |source| RollbackError::Scratch {
        path: folder.to_owned(),
        source,
    };
    if folder.join(".git").symlink_metadata().is_ok() {
        return Err(blocked(path, Obstacle::NestedRepository));
    }
    for name in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = name.map_err(unreadable)?;
        let inner = name.path();
        if name.file_type().map_err(unreadable)?.is_dir() {
            check_folder(root, &inner, path, removals)?;
            continue;
        }
        let known = inner
            .strip_prefix(root)
            .ok()
            .and_then(RepoPath::from_relative)
            .is_some_and(|inner| removals.contains(&inner));
        if !known {
            return Err(blocked(path, Obstacle::UntrackedFolder));
        }
    }
    Ok(())
}

pub(super) fn look(root: &Path, path: &RepoPath) -> Result<Standing, RollbackError> {
    let place = Place::new(root, path)?;
    place.look(root).map_err(|source| RollbackError::Scratch {
        path: place.file,
        source,
    })
}

fn blocked(path: &RepoPath, reason: Obstacle) -> RollbackError {
    RollbackError::Blocked {
        path: path.to_string(),
        reason,
    }
}

/// The folders a path lies in, outermost first.
pub(super) fn folders_above(path: &RepoPath) -> Vec<RepoPath> {
    let bytes = path.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| RepoPath::new(&bytes[..at]))
        .collect()
}
