//! Files as they lie on the disk: the paths a person names, folders walked.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::git::RepoPath;

/// One file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorktreeFile {
    /// Its name in reports and for the policy's globs: relative to the root where it lies below it.
    pub path: RepoPath,
    /// Where it is.
    pub file: PathBuf,
    /// Whether it was named itself, not found in a folder.
    pub named: bool,
}

/// Why the files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// A path that was named is not there.
    #[error("there is no file or folder `{}`", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A path that was named cannot be looked at.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder below a path that was named cannot be walked.
    #[error("a folder below `{}` cannot be read", path.display())]
    Walk {
        /// The path.
        path: PathBuf,
        /// What was said.
        source: ignore::Error,
    },
}

/// The files at `paths` (relative to `directory`): files as named, folders with all that
/// `.gitignore` leaves, without `.git`. Sorted, each file once. Links are not followed.
pub fn files(
    paths: &[PathBuf],
    directory: &Path,
    root: &Path,
) -> Result<Vec<WorktreeFile>, WorktreeError> {
    let mut found = Vec::new();
    for named in paths {
        let path = directory.join(named);
        let metadata = path.metadata().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => WorktreeError::Missing {
                path: named.clone(),
            },
            _ => WorktreeError::Unreadable {
                path: named.clone(),
                source,
            },
        })?;
        if metadata.is_dir() {
            walk(named, &path, &mut found)?;
        } else if !metadata.is_file() {
            // A pipe would be waited for, a device read for ever.
            return Err(WorktreeError::Unreadable {
                path: named.clone(),
                source: io::Error::other("it is neither a file nor a folder"),
            });
        } else {
            found.push((path, true));
        }
    }
    let mut files: Vec<WorktreeFile> = found
        .into_iter()
        .map(|(file, named)| WorktreeFile {
            path: name_of(&file, directory, root),
            file,
            named,
        })
        .collect();
    // Of two of the same path the named one comes first, and stays.
    files.sort_by(|one, other| (&one.path, other.named).cmp(&(&other.path, one.named)));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}

fn walk(
    named: &Path,
    folder: &Path,
    found: &mut Vec<(PathBuf, bool)>,
) -> Result<(), WorktreeError> {
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.map_err(|source| WorktreeError::Walk {
            path: named.to_owned(),
            source,
        })?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            found.push((entry.into_path(), false));
        }
    }
    Ok(())
}

/// The bytes of a file: all of them, or one more than `limit`.
pub fn read(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    Ok(content)
}

/// The path below the root, else below the current folder, else as it is.
fn name_of(file: &Path, directory: &Path, root: &Path) -> RepoPath {
    let below = |folder: &Path| {
        let relative = file.strip_prefix(folder).ok()?;
        RepoPath::from_relative(relative)
    };
    below(root)
        .or_else(|| below(directory))
        .or_else(|| {
            // `../other/file.py` from a folder below the root, or a root behind a link.
            let real = file.canonicalize().ok()?;
            let root = root.canonicalize().ok()?;
            RepoPath::from_relative(real.strip_prefix(root).ok()?)
        })
        .unwrap_or_else(|| RepoPath::new(file.as_os_str().as_encoded_bytes()))
}
