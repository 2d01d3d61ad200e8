//! What the index changes against HEAD: through gix with whole unchanged folders skipped, or
//! through `git diff-index`. Both give the same list (`tests/git_readers.rs`).

use std::ops::Range;
use std::path::Path;

use gix::bstr::{BStr, ByteSlice};
use gix::index::entry::{Flags, Stage};
use gix::prelude::FindExt as _;

use super::{FileMode, GitError, GitProgram, ObjectId, RepoPath, StagedChange, raw_diff};

/// Why gix gave no answer.
pub(super) enum Doubt {
    /// The index holds a conflict on this (printable) path.
    Unmerged(String),
    /// The `git` program should be asked.
    AskProgram,
}

/// The index as gix reads it, empty where there is none yet; `None` where `git` should be asked.
pub(super) fn read_index(
    repository: &gix::Repository,
    index_path: &Path,
) -> Option<gix::index::File> {
    // As Git itself does, the index's own checksum is not verified on each read.
    let index = gix::index::File::at_or_default(
        index_path,
        repository.object_hash(),
        true,
        gix::index::decode::Options::default(),
    )
    .ok()?;
    (!index.is_sparse()).then_some(index)
}

/// Mode and blob of a path in the index, without conflicts and what is intended to be added.
pub(super) fn entry(index: &gix::index::File, path: &RepoPath) -> Option<(FileMode, ObjectId)> {
    let entry = index.entry_by_path_and_stage(path.as_bytes().as_bstr(), Stage::Unconflicted)?;
    if entry.flags.contains(Flags::INTENT_TO_ADD) {
        return None;
    }
    let mode = FileMode::from_octal(entry.mode.bits())?;
    Some((mode, ObjectId(entry.id)))
}

/// The staged changes as gix reads them. Neither expands HEAD's whole tree nor visits folders
/// whose id the index's cache-tree extension (gitformat-index(5)) holds and HEAD shares.
pub(super) fn with_gix(
    repository: &gix::Repository,
    worktree: Option<&Path>,
    index: &gix::index::File,
) -> Result<Vec<StagedChange>, Doubt> {
    let tree = repository
        .head_tree_id_or_empty()
        .map_err(|_| Doubt::AskProgram)?
        .detach();
    against(repository, (worktree, index), tree)
}

/// The same against another tree than HEAD's.
pub(super) fn against(
    repository: &gix::Repository,
    (worktree, index): (Option<&Path>, &gix::index::File),
    tree: gix::ObjectId,
) -> Result<Vec<StagedChange>, Doubt> {
    let mut walk = Walk {
        repository,
        index,
        worktree,
        changes: Vec::new(),
    };
    let whole = 0..index.entries().len();
    if let Some(entry) = index
        .entries()
        .iter()
        .find(|entry| entry.stage() != Stage::Unconflicted)
    {
        return Err(Doubt::Unmerged(crate::text::printable(entry.path(index))));
    }
    walk.folder(tree, b"", whole, index.tree())?;
    let mut changes = walk.changes;
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(merge_replacements(changes))
}

struct Walk<'r> {
    repository: &'r gix::Repository,
    index: &'r gix::index::File,
    worktree: Option<&'r Path>,
    changes: Vec<StagedChange>,
}

impl Walk<'_> {
    /// Compares one folder of HEAD with the index entries below it.
    fn folder(
        &mut self,
        tree: gix::ObjectId,
        prefix: &[u8],
        range: Range<usize>,
        cached: Option<&gix::index::extension::Tree>,
    ) -> Result<(), Doubt> {
        if let Some(cached) = cached
            && cached.num_entries.is_some()
            && cached.id == tree
        {
            return Ok(());
        }
        let mut buffer = Vec::new();
        let tree = self
            .repository
            .objects
            .find_tree(&tree, &mut buffer)
            .map_err(|_| Doubt::AskProgram)?;
        let mut at = range.start;
        for entry in &tree.entries {
            let is_folder = entry.mode.is_tree();
            // Git sorts a folder as if its name ended in `/`, trees and index alike.
            let key = sort_key(prefix, entry.filename, is_folder);
            at = self.added_before(at, range.end, &key);
            if is_folder {
                let inside = self.below(at, range.end, &key, cached);
                let child = cached.and_then(|cached| child(cached, entry.filename));
                self.folder(entry.oid.to_owned(), &key, inside.clone(), child)?;
                at = inside.end;
            } else {
                let before = FileMode::from_octal(u32::from(entry.mode.value()))
                    .map(|mode| (mode, ObjectId(entry.oid.to_owned())));
                let same_path = self
                    .index
                    .entries()
                    .get(at)
                    .filter(|_| at < range.end)
                    .is_some_and(|found| found.path(self.index) == key.as_bstr());
                if same_path {
                    self.compare(at, before);
                    at += 1;
                } else {
                    self.push(RepoPath::new(key), before, None, false);
                }
            }
        }
        for index in at..range.end {
            self.compare(index, None);
        }
        Ok(())
    }

    /// Records the index entries that sort before `key`, which HEAD does not have.
    fn added_before(&mut self, start: usize, end: usize, key: &[u8]) -> usize {
        let mut at = start;
        while at < end && self.index.entries()[at].path(self.index) < key.as_bstr() {
            self.compare(at, None);
            at += 1;
        }
        at
    }

    /// The entries from `start` on that lie below the folder `key` (with its `/`).
    fn below(
        &self,
        start: usize,
        end: usize,
        key: &[u8],
        cached: Option<&gix::index::extension::Tree>,
    ) -> Range<usize> {
        let entries = self.index.entries();
        let inside = |at: usize| entries[at].path(self.index).starts_with(key);
        // The cache-tree's count saves a search, when the entries bear it out.
        let name = &key[key[..key.len() - 1]
            .rfind_byte(b'/')
            .map_or(0, |slash| slash + 1)..];
        if let Some(count) = cached
            .and_then(|cached| child(cached, name.trim_end_with(|c| c == '/').as_bstr()))
            .and_then(|child| child.num_entries)
        {
            let stop = start + count as usize;
            if count > 0 && stop <= end && inside(stop - 1) && (stop == end || !inside(stop)) {
                return start..stop;
            }
        }
        let count =
            entries[start..end].partition_point(|entry| entry.path(self.index).starts_with(key));
        start..start + count
    }

    fn compare(&mut self, at: usize, before: Option<(FileMode, ObjectId)>) {
        let entry = &self.index.entries()[at];
        let path = RepoPath::new(entry.path(self.index).to_vec());
        if entry.flags.contains(Flags::INTENT_TO_ADD) {
            if before.is_some() {
                self.push(path, before, None, false);
            }
            return;
        }
        let staged = FileMode::from_octal(entry.mode.bits()).map(|mode| (mode, ObjectId(entry.id)));
        if staged == before {
            return;
        }
        let unchanged = self.stat_is_staged(entry, &path);
        self.push(path, before, staged, unchanged);
    }

    /// Whether size and times of the file are those in the index, and old enough to be trusted
    /// (Git's `Documentation/technical/racy-git`).
    fn stat_is_staged(&self, entry: &gix::index::Entry, path: &RepoPath) -> bool {
        let Some(file) = self.worktree.and_then(|root| path.below(root)) else {
            return false;
        };
        let options = gix::index::entry::stat::Options::default();
        let Ok(metadata) = gix::index::fs::Metadata::from_path_no_follow(&file) else {
            return false;
        };
        // Git marks an entry whose time it does not trust by a size of 0.
        let is_marked = entry.stat.size == 0 && !entry.id.is_empty_blob();
        !is_marked
            && !entry.stat.is_racy(self.index.timestamp(), options)
            && gix::index::entry::Stat::from_fs(&metadata)
                .is_ok_and(|stat| stat.matches(&entry.stat, options))
    }

    fn push(
        &mut self,
        path: RepoPath,
        before: Option<(FileMode, ObjectId)>,
        staged: Option<(FileMode, ObjectId)>,
        worktree_is_staged: bool,
    ) {
        self.changes.push(StagedChange {
            path,
            before,
            staged,
            worktree_is_staged,
        });
    }
}

fn child<'t>(
    cached: &'t gix::index::extension::Tree,
    name: &BStr,
) -> Option<&'t gix::index::extension::Tree> {
    cached
        .children
        .iter()
        .find(|child| child.name.as_slice() == name.as_bytes())
}

fn sort_key(prefix: &[u8], name: &BStr, is_folder: bool) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + name.len() + 1);
    key.extend_from_slice(prefix);
    key.extend_from_slice(name);
    if is_folder {
        key.push(b'/');
    }
    key
}

/// A path that HEAD has and the index has under another kind comes out as two records; they are
/// one change.
fn merge_replacements(changes: Vec<StagedChange>) -> Vec<StagedChange> {
    let mut merged: Vec<StagedChange> = Vec::with_capacity(changes.len());
    for change in changes {
        match merged.last_mut() {
            Some(last) if last.path == change.path => {
                last.before = last.before.or(change.before);
                last.staged = last.staged.or(change.staged);
                last.worktree_is_staged |= change.worktree_is_staged;
            }
            _ => merged.push(change),
        }
    }
    merged
}

/// The staged changes as `git diff-index` tells them.
pub(super) fn with_program(
    git: &GitProgram,
    head: Option<ObjectId>,
) -> Result<Vec<StagedChange>, GitError> {
    let base = super::compared::tree_or_empty(git, head)?;
    let mut changes: Vec<StagedChange> = raw_diff::staged_against(git, &base)?
        .into_iter()
        .map(|(path, before, staged)| StagedChange {
            path,
            before,
            staged,
            worktree_is_staged: false,
        })
        .collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}
