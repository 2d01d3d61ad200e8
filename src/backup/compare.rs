//! What a backup says of paths, what a working tree has at them, and where the two differ. By
//! kind, length and sum alone: contents are read only of what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{BackupError, Entry, Manifest, SafeName, Sum, Version};
use crate::git::{FileMode, RepoPath};
use crate::sys::file;

/// One side's file at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub mode: FileMode,
    /// Its length in bytes.
    pub size: u64,
    /// Its sum; of a link, that of the target.
    pub sum: Sum,
    /// Where its bytes are.
    pub origin: Origin,
}

/// Where a side's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a backup.
    Saved(Entry),
    /// In a file or link on the disk.
    File(PathBuf),
}

/// What a side has at each path; `None` where it says that there is no file.
pub type Side = BTreeMap<RepoPath, Option<Found>>;

/// A path on which two sides differ; never two `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path.
    pub path: RepoPath,
    /// On the first side.
    pub old: Option<Found>,
    /// On the second side.
    pub new: Option<Found>,
}

impl Manifest {
    /// What was at the saved paths, or at those at or below `paths`: in one version, or in the
    /// version nearest to the working tree that says something of the path.
    pub fn side(&self, paths: &[RepoPath], version: Option<Version>) -> Side {
        let wanted = |path: &RepoPath, of: Version| {
            version.is_none_or(|version| version == of)
                && (paths.is_empty() || paths.iter().any(|asked| path.is_at_or_below(asked)))
        };
        let saved = self.entries.iter().map(|entry| {
            let found = entry.mode().map(|mode| Found {
                mode,
                size: entry.size,
                sum: entry.sha256,
                origin: Origin::Saved(entry.clone()),
            });
            (entry.path.to_path(), entry.version, found)
        });
        let absent = self
            .absent
            .iter()
            .map(|absent| (absent.path.to_path(), absent.version, None));
        let mut nearest: BTreeMap<RepoPath, (Version, Option<Found>)> = BTreeMap::new();
        for (path, version, found) in saved.chain(absent) {
            if !wanted(&path, version) {
                continue;
            }
            let known = nearest.get(&path).map(|(version, _)| *version);
            if known.is_none_or(|known| known < version) {
                nearest.insert(path, (version, found));
            }
        }
        nearest
            .into_iter()
            .map(|(path, (_, found))| (path, found))
            .collect()
    }
}

/// What the working tree below `root` has at `paths`. Nothing is looked at through a linked
/// folder: what lies there is no file of the repository.
pub fn worktree_side<'p>(
    root: &Path,
    paths: impl Iterator<Item = &'p RepoPath>,
) -> Result<Side, BackupError> {
    let mut side = Side::new();
    for path in paths {
        let found = match SafeName::new(path).and_then(|name| name.below(root)) {
            Ok(file) => look(&file).map_err(|source| BackupError::NotCompared {
                path: path.to_string(),
                source,
            })?,
            Err(_) => None,
        };
        side.insert(path.clone(), found);
    }
    Ok(side)
}

/// What stands at a place on the disk; `None` for nothing, a folder or a device.
pub fn look(file: &Path) -> io::Result<Option<Found>> {
    let metadata = match file.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(mode) = FileMode::of_file(&metadata) else {
        return Ok(None);
    };
    let mut size = 0;
    let sum = if mode == FileMode::Symlink {
        let target = file::link_target(file)?;
        size = target.len() as u64;
        Sum::of(&target)
    } else {
        Sum::of_reader(&mut file::open_regular(file)?, &mut |read| size += read)?
    };
    Ok(Some(Found {
        mode,
        size,
        sum,
        origin: Origin::File(file.to_owned()),
    }))
}

/// The paths on which two sides differ, sorted. What only one of them speaks of, the other one
/// does not have.
pub fn differences(mut old: Side, mut new: Side) -> Vec<Difference> {
    let paths: BTreeSet<RepoPath> = old.keys().chain(new.keys()).cloned().collect();
    let differing = paths.into_iter().filter_map(|path| {
        let (old, new) = (old.remove(&path).flatten(), new.remove(&path).flatten());
        let same = match (&old, &new) {
            (None, None) => true,
            (Some(old), Some(new)) => old.same_as(new),
            _ => false,
        };
        (!same).then_some(Difference { path, old, new })
    });
    differing.collect()
}

impl Found {
    /// Whether the other side has the same file. Windows knows no executable bit.
    pub fn same_as(&self, other: &Self) -> bool {
        let same_mode = self.mode == other.mode
            || (cfg!(windows) && self.mode.is_file() && other.mode.is_file());
        same_mode && self.sum == other.sum && self.size == other.size
    }

    /// Whether these are bytes as Git keeps them, before any conversion to a working-tree file.
    pub fn is_of_git(&self) -> bool {
        matches!(&self.origin, Origin::Saved(entry) if entry.version != Version::Worktree)
    }
}
