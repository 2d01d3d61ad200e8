//! Which snapshots a prune has to leave: those of runs that did not end, and the one that the
//! next undo goes back to, in every working tree of the repository.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::Desk;
use crate::backup::BackupId;
use crate::git::Repository;

/// The snapshots that runs need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// Their ids.
    pub snapshots: BTreeSet<BackupId>,
    /// Whether a run has begun that may have a snapshot which is not written down yet.
    pub unsettled: bool,
}

/// What the runs of all working trees need. Read as bytes in which ids stand: a journal that
/// cannot be understood counts as well.
pub fn snapshots_needed(repository: &Repository) -> io::Result<Needed> {
    let mut git_dirs: Vec<PathBuf> = vec![
        repository.common_dir().to_owned(),
        repository.git_dir().to_owned(),
    ];
    // gitrepository-layout(5): each linked working tree has its folder there.
    match std::fs::read_dir(repository.common_dir().join("worktrees")) {
        Ok(entries) => {
            for entry in entries {
                git_dirs.push(entry?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut needed = Needed::default();
    for git_dir in git_dirs {
        let desk = Desk::at(&git_dir);
        let journal = read(&desk.journal_path())?;
        let named = ids_in(&journal);
        needed.unsettled |= !journal.is_empty() && named.is_empty();
        needed.snapshots.extend(named);
        let last = desk.operations().pop();
        needed
            .snapshots
            .extend(last.and_then(|last| BackupId::parse(&last.snapshot)));
    }
    Ok(needed)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

fn ids_in(bytes: &[u8]) -> BTreeSet<BackupId> {
    bytes
        .windows(BackupId::LENGTH)
        .filter_map(|window| BackupId::parse(std::str::from_utf8(window).ok()?))
        .collect()
}
