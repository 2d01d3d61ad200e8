//! The entries of the index and the files they stand for, read in this process: in a large
//! repository each `git` that reads the index costs more than all the rest. Where gix cannot be
//! trusted, `git` is asked (`difference.rs`); both tell the same (`tests/git_readers.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use gix::bstr::ByteSlice as _;
use gix::index::entry::stat::Options;
use gix::index::entry::{Flags, Mode, Stage};
use rayon::prelude::*;

use super::difference::{Comparison, Difference, IndexEntries, TreeSide};
use super::staged::{self, Doubt};
use super::{FileMode, ObjectFormat, ObjectId, RepoPath};

/// How index and working tree differ from `commit`. The second list are the files that do not
/// have the size and times that the index noted: whether they differ, only their content tells.
pub(super) fn compare(
    repository: &gix::Repository,
    (worktree, index): (&Path, &Path),
    commit: ObjectId,
) -> Option<(Comparison, Vec<(RepoPath, TreeSide)>)> {
    let index = &staged::read_index(repository, index)?;
    // What is in a submodule only `git` knows.
    if index
        .entries()
        .iter()
        .any(|entry| entry.mode == Mode::COMMIT)
    {
        return None;
    }
    let entries = entries(index);
    let mut comparison = Comparison {
        differences: BTreeMap::new(),
        entries,
    };
    if comparison.entries.unmerged.is_some() {
        return Some((comparison, Vec::new()));
    }
    let tree = repository
        .find_commit(commit.0)
        .ok()?
        .tree_id()
        .ok()?
        .detach();
    let staged = match staged::against(repository, (None, index), tree) {
        Ok(staged) => staged,
        Err(Doubt::Unmerged(_) | Doubt::AskProgram) => return None,
    };
    for change in staged {
        comparison.differences.insert(
            change.path,
            Difference {
                commit: change.before,
                index: change.staged,
                edited: false,
            },
        );
    }
    Some((comparison, suspects(repository, worktree, index)?))
}

/// The entries by kind.
fn entries(index: &gix::index::File) -> IndexEntries {
    let mut found = IndexEntries::default();
    found.paths.reserve(index.entries().len());
    for entry in index.entries() {
        let path = RepoPath::new(entry.path(index).to_vec());
        if entry.flags.contains(Flags::ASSUME_VALID) {
            found.assumed.insert(path.clone());
        }
        if entry.flags.contains(Flags::SKIP_WORKTREE) {
            found.sparse.insert(path.clone());
        }
        if entry.stage() != Stage::Unconflicted {
            found.unmerged.get_or_insert_with(|| path.clone());
        }
        found.paths.push(path);
    }
    found.paths.dedup();
    found
}

/// The files that may not be what the index has.
fn suspects(
    repository: &gix::Repository,
    worktree: &Path,
    index: &gix::index::File,
) -> Option<Vec<(RepoPath, TreeSide)>> {
    let options = repository.stat_options().ok()?;
    let modes_count = repository
        .config_snapshot()
        .boolean("core.fileMode")
        .unwrap_or(true);
    // What lies behind a link is not in the working tree, whatever it looks like.
    let linked = linked_folders(worktree, index);
    let is_behind = |path: &[u8]| {
        linked.iter().any(|folder| {
            let rest = path.strip_prefix(*folder);
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        })
    };
    let is_suspect = |entry: &&gix::index::Entry| {
        let unseen = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE;
        !entry.flags.intersects(unseen)
            && (is_behind(entry.path(index))
                || !stands(entry, (worktree, index), (options, modes_count)))
    };
    let suspects = index.entries().par_iter().filter(is_suspect);
    let told = suspects.map(|entry| {
        let path = RepoPath::new(entry.path(index).to_vec());
        let intended = entry.flags.contains(Flags::INTENT_TO_ADD);
        let mode = FileMode::from_octal(entry.mode.bits()).filter(|_| !intended);
        (path, mode.map(|mode| (mode, ObjectId(entry.id))))
    });
    Some(told.collect())
}

/// The folders of tracked files that are links now.
fn linked_folders<'i>(worktree: &Path, index: &'i gix::index::File) -> Vec<&'i [u8]> {
    let mut folders: BTreeSet<&[u8]> = BTreeSet::new();
    for entry in index.entries() {
        let mut path: &[u8] = entry.path(index);
        while let Some(slash) = path.rfind_byte(b'/') {
            path = &path[..slash];
            // Those above are in already.
            if !folders.insert(path) {
                break;
            }
        }
    }
    let is_link = |folder: &&[u8]| {
        let path = gix::path::from_bstr(folder.as_bstr()).ok();
        let metadata = path.and_then(|path| worktree.join(path).symlink_metadata().ok());
        metadata.is_some_and(|metadata| metadata.is_symlink())
    };
    folders.into_iter().filter(is_link).collect()
}

/// Whether a file surely is what its entry says: kind, size and times, and those old enough to be
/// trusted (Git's `Documentation/technical/racy-git`).
fn stands(
    entry: &gix::index::Entry,
    (worktree, index): (&Path, &gix::index::File),
    (options, modes_count): (Options, bool),
) -> bool {
    let Ok(path) = gix::path::from_bstr(entry.path(index)) else {
        return false;
    };
    let file = worktree.join(path);
    let Ok(metadata) = gix::index::fs::Metadata::from_path_no_follow(&file) else {
        return false;
    };
    let same_kind = match entry.mode {
        Mode::SYMLINK => metadata.is_symlink(),
        Mode::FILE => metadata.is_file() && !(modes_count && metadata.is_executable()),
        Mode::FILE_EXECUTABLE => metadata.is_file() && (!modes_count || metadata.is_executable()),
        _ => false,
    };
    let looks_same = same_kind
        && !entry.flags.contains(Flags::INTENT_TO_ADD)
        && gix::index::entry::Stat::from_fs(&metadata)
            .is_ok_and(|stat| stat.matches(&entry.stat, options));
    // Git marks an entry whose time it does not trust by a size of 0.
    let is_marked = entry.stat.size == 0 && !entry.id.is_empty_blob();
    looks_same
        && !is_marked
        && (!entry.stat.is_racy(index.timestamp(), options) || holds_blob(entry, &file))
}

/// Whether a file that is as new as the index has the very bytes of its entry. Where a filter
/// made other bytes of them, `git` is asked.
fn holds_blob(entry: &gix::index::Entry, file: &Path) -> bool {
    if entry.mode == Mode::SYMLINK {
        return false;
    }
    let Ok(bytes) = std::fs::read(file) else {
        return false;
    };
    let mut hasher = ObjectFormat(entry.id.kind()).blob_of(bytes.len() as u64);
    hasher.update(&bytes);
    hasher.finish() == Some(ObjectId(entry.id))
}

/// What `git ls-files -z --stage -v` says of an index file; `None` where `git` should be asked.
pub(super) fn listing(repository: &gix::Repository, index: &Path) -> Option<Vec<u8>> {
    if !index.exists() {
        return Some(Vec::new());
    }
    let index = staged::read_index(repository, index)?;
    let mut listing = Vec::with_capacity(index.entries().len() * 96);
    let mut line = String::new();
    for entry in index.entries() {
        let tag = if entry.stage() != Stage::Unconflicted {
            'M'
        } else if entry.flags.contains(Flags::SKIP_WORKTREE) {
            'S'
        } else {
            'H'
        };
        let tag = if entry.flags.contains(Flags::ASSUME_VALID) {
            tag.to_ascii_lowercase()
        } else {
            tag
        };
        line.clear();
        let (mode, stage) = (entry.mode.bits(), entry.stage_raw());
        let _ = write!(line, "{tag} {mode:06o} {} {stage}\t", entry.id);
        listing.extend_from_slice(line.as_bytes());
        listing.extend_from_slice(entry.path(&index).as_bytes());
        listing.push(0);
    }
    Some(listing)
}

/// What an index file holds for some paths, submodules and conflicts left out; `None` where `git`
/// should be asked.
pub(super) fn blobs(
    repository: &gix::Repository,
    index: &Path,
    paths: &BTreeSet<RepoPath>,
) -> Option<Vec<(RepoPath, FileMode, ObjectId)>> {
    if !index.exists() {
        return Some(Vec::new());
    }
    let index = staged::read_index(repository, index)?;
    let found = paths.iter().filter_map(|path| {
        let name = path.as_bytes().as_bstr();
        let entry = index.entry_by_path_and_stage(name, Stage::Unconflicted)?;
        let mode = FileMode::from_octal(entry.mode.bits())?;
        (mode != FileMode::Gitlink).then(|| (path.clone(), mode, ObjectId(entry.id)))
    });
    Some(found.collect())
}
