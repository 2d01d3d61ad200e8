//! Which commits were made without being judged: with `--no-verify`, with `GPUGUARD=0`, by a
//! rebase or a cherry-pick, for which Git runs no hook beforehand.
//!
//! The hook before a commit notes what it let pass; the one after it holds the commit against
//! that. Notes are files of their own, so that commits in two working trees never wait.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::git::{FileMode, GitError, NewSide, ObjectId, RepoPath, Repository};
use crate::source::Change;
use crate::sys::file;

/// So many unchecked commits are named.
const NAMED: usize = 5;

/// How many of the unchecked commits a sentence names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The first five.
    Few,
    /// Each.
    All,
}
/// So many unchecked commits are remembered; the oldest are forgotten first.
const MOST: usize = 1000;

/// A side of a changed path: what the commit has there.
type NewVersion = Option<(FileMode, ObjectId)>;

/// Where the last change that was let pass is noted: beside this working tree's own index.
fn passed_file(repository: &Repository) -> PathBuf {
    repository.git_dir().join("gpuguard").join("passed")
}

/// The folder whose files are named by the unchecked commits.
fn unchecked_folder(repository: &Repository) -> PathBuf {
    repository.common_dir().join("gpuguard").join("unchecked")
}

/// Begins to take notes; without its folder nothing is noted.
pub(super) fn begin(repository: &Repository) -> io::Result<()> {
    file::create_private_folder(&unchecked_folder(repository))
}

/// Notes that a change was judged and may be committed, where somebody looks at it.
pub(super) fn note_passed(repository: &Repository, change: &Change<'_>) -> io::Result<()> {
    if !unchecked_folder(repository).is_dir() {
        return Ok(());
    }
    let head = repository.head().map_err(io::Error::other)?.commit;
    let paths = change.files.iter().map(|file| {
        let after = file.after.as_ref();
        (&file.path, after.map(|after| (after.mode, after.id)))
    });
    let note = passed_note(head, paths);
    let place = passed_file(repository);
    if let Some(folder) = place.parent() {
        file::create_private_folder(folder)?;
    }
    // Cut short by a crash it fits no commit, and the commit counts as unchecked.
    file::write_loosely(&place, note.as_bytes())
}

/// Forgets what was let pass: another change is being judged.
pub(super) fn forget_passed(repository: &Repository) {
    let _ = file::remove(&passed_file(repository));
}

/// The parent and a digest of what changes against it.
fn passed_note<'p>(
    head: Option<ObjectId>,
    paths: impl Iterator<Item = (&'p RepoPath, NewVersion)>,
) -> String {
    let mut digest = Sha256::new();
    for (path, after) in paths {
        digest.update(path.as_bytes());
        let after = after.map_or_else(String::new, |(mode, id)| format!("{:o} {id}", mode.octal()));
        // No path holds a NUL.
        digest.update(b"\0");
        digest.update(after.as_bytes());
        digest.update(b"\0");
    }
    let mut note = match head {
        Some(head) => head.to_string(),
        None => "none".to_owned(),
    };
    note.push(' ');
    for byte in digest.finalize() {
        let _ = write!(note, "{byte:02x}");
    }
    note.push('\n');
    note
}

/// Why a commit could not be noted.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// Git cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The note cannot be written.
    #[error("cannot write into `{}`", folder.display())]
    File {
        /// The folder of the notes.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Notes the commit that was just made, if what it holds was not judged and let pass; gives it.
pub fn note_last_commit(repository: &Repository) -> Result<Option<ObjectId>, NoteError> {
    let Some(commit) = repository.head()?.commit else {
        return Ok(None);
    };
    // Two ids and no more.
    let note = file::read_at_most(&passed_file(repository), 256).unwrap_or_default();
    // It stands for one commit.
    forget_passed(repository);
    if was_passed(repository, commit, &note)? || is_empty(repository, commit)? {
        return Ok(None);
    }
    let folder = unchecked_folder(repository);
    // A hook manager calls for the first time: the hook before knew nothing of it.
    let is_first = !folder.is_dir();
    let noted = if is_first {
        begin(repository)
    } else {
        make_room(&folder).and_then(|()| file::write_loosely(&folder.join(commit.to_string()), b""))
    };
    noted.map_err(|source| NoteError::File { folder, source })?;
    Ok((!is_first).then_some(commit))
}

/// Whether a commit changes nothing, so that there is nothing in it to judge.
fn is_empty(repository: &Repository, commit: ObjectId) -> Result<bool, GitError> {
    let parents = repository.parents_of(commit)?;
    let [parent] = parents.as_slice() else {
        return Ok(false);
    };
    let changes = repository.changes_since(Some(*parent), NewSide::Commit(commit))?;
    Ok(changes.is_empty())
}

fn was_passed(repository: &Repository, commit: ObjectId, note: &[u8]) -> Result<bool, GitError> {
    let Some(head) = note.split(|byte| *byte == b' ').next() else {
        return Ok(false);
    };
    let head = match head {
        b"none" => None,
        hex => match std::str::from_utf8(hex).ok().and_then(ObjectId::from_hex) {
            Some(head) => Some(head),
            None => return Ok(false),
        },
    };
    // An amended commit is held against the one it replaces, as it was judged.
    let changes = repository.changes_since(head, NewSide::Commit(commit))?;
    let paths = changes.iter().map(|change| (&change.path, change.after));
    if passed_note(head, paths).as_bytes() != note {
        return Ok(false);
    }
    // What the replaced one held was not judged, if that one was not.
    let Some(head) = head else { return Ok(true) };
    let replaces_unchecked = !unchecked_among(repository, &[head]).is_empty()
        && !repository.parents_of(commit)?.contains(&head);
    if replaces_unchecked {
        forget_unchecked(repository, &[head]);
    }
    Ok(!replaces_unchecked)
}

/// Removes the oldest notes where there are too many.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut notes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        notes.push((entry.metadata()?.modified()?, entry.path()));
    }
    if notes.len() >= MOST {
        notes.sort();
        for (_, path) in notes.iter().take(notes.len() + 1 - MOST) {
            let _ = file::remove(path);
        }
    }
    Ok(())
}

/// Those of `commits` that were noted as unchecked, in the order given.
pub fn unchecked_among(repository: &Repository, commits: &[ObjectId]) -> Vec<ObjectId> {
    let folder = unchecked_folder(repository);
    if !folder.is_dir() {
        return Vec::new();
    }
    let is_noted = |commit: &&ObjectId| folder.join(commit.to_string()).exists();
    commits.iter().filter(is_noted).copied().collect()
}

/// Whether commits that no gate has seen are noted here at all.
pub fn notes_unchecked(repository: &Repository) -> bool {
    unchecked_folder(repository).is_dir()
}

/// All commits that were noted as unchecked; some of them may be gone from every branch.
pub fn unchecked(repository: &Repository) -> Vec<ObjectId> {
    let Ok(entries) = std::fs::read_dir(unchecked_folder(repository)) else {
        return Vec::new();
    };
    let mut commits: Vec<ObjectId> = entries
        .flatten()
        .filter_map(|entry| ObjectId::from_hex(entry.file_name().to_str()?))
        .collect();
    commits.sort_unstable();
    commits
}

/// Names commits that no gate has seen, in a sentence; `None` where there are none.
pub fn unchecked_in_words(
    repository: &Repository,
    unchecked: &[ObjectId],
    named: Named,
) -> Option<String> {
    let most = match named {
        Named::Few => NAMED,
        Named::All => unchecked.len(),
    };
    let first = unchecked.get(..most).unwrap_or(unchecked);
    let named = repository.commit_titles(first).unwrap_or_default();
    let (count, were) = match unchecked.len() {
        0 => return None,
        1 => ("1 commit".to_owned(), "was"),
        many => (format!("{many} commits"), "were"),
    };
    let more = if unchecked.len() > most { ", …" } else { "" };
    Some(format!(
        "{count} {were} made without being judged (`--no-verify`, `GPUGUARD=0`, `SKIP`, rebase, cherry-pick): {}{more}",
        named.join(", ")
    ))
}

/// Forgets notes: the commits were judged by another gate.
pub fn forget_unchecked(repository: &Repository, commits: &[ObjectId]) {
    let folder = unchecked_folder(repository);
    for commit in commits {
        let _ = file::remove(&folder.join(commit.to_string()));
    }
}

/// Forgets everything, when gpuguard is taken out of the repository.
pub(super) fn forget_all(repository: &Repository) {
    forget_unchecked(repository, &unchecked(repository));
    let _ = file::remove_folder(&unchecked_folder(repository));
    forget_passed(repository);
    let linked = repository.common_dir().join("worktrees");
    let own = std::fs::read_dir(linked).into_iter().flatten().flatten();
    for worktree in own {
        let folder = worktree.path().join("gpuguard");
        let _ = file::remove(&folder.join("passed"));
        let _ = file::remove_folder(&folder);
    }
    // Backups may lie there.
    let _ = file::remove_folder(&repository.common_dir().join("gpuguard"));
}
