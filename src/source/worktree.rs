//! Files as they lie on the disk: the paths a person names, folders walked.

use std::cell::{Cell, OnceCell};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;

use crate::git::RepoPath;
use crate::sys::real_path::real_path;

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
    let mut files = Vec::new();
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
        let names = Names::new(&path, directory, root);
        let mut found = |file: PathBuf, named: bool| {
            files.push(WorktreeFile {
                path: names.of(&file),
                file,
                named,
            });
        };
        if metadata.is_dir() {
            walk(named, &path, &mut |file| found(file, false))?;
        } else if !metadata.is_file() {
            // A pipe would be waited for, a device read for ever.
            return Err(WorktreeError::Unreadable {
                path: named.clone(),
                source: io::Error::other("it is neither a file nor a folder"),
            });
        } else {
            found(path.clone(), true);
        }
    }
    // Of two of the same path the named one comes first, and stays.
    files.sort_by(|one, other| (&one.path, other.named).cmp(&(&other.path, one.named)));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}

fn walk(named: &Path, folder: &Path, found: &mut dyn FnMut(PathBuf)) -> Result<(), WorktreeError> {
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
            found(entry.into_path());
        }
    }
    Ok(())
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'r> {
    /// Its bytes.
    Bytes(&'r [u8]),
    /// More than was asked for.
    TooLarge {
        /// How many there are.
        bytes: u64,
    },
}

/// Reads one file after the other into the same memory.
#[derive(Debug, Default)]
pub struct FileReader {
    buffer: Vec<u8>,
}

impl FileReader {
    /// Most files are read at once.
    const LEAST: usize = 64 * 1024;
    /// Memory for larger ones is given back.
    const KEPT: usize = 1024 * 1024;

    /// Works with the reader of this thread, so that many pieces of work share its memory.
    pub fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static READER: Cell<FileReader> = Cell::default();
        }
        // Work that comes in between gets another one.
        let mut reader = READER.take();
        let result = work(&mut reader);
        if reader.buffer.len() > Self::KEPT {
            reader = Self::default();
        }
        READER.set(reader);
        result
    }

    /// The content of a file of at most `limit` bytes.
    pub fn read(&mut self, file: &Path, limit: u64) -> io::Result<Content<'_>> {
        let mut file = File::open(file)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                let mut longer = filled + Self::LEAST;
                if filled > 0 {
                    let bytes = file.metadata()?.len();
                    if bytes > limit as u64 {
                        return Ok(Content::TooLarge { bytes });
                    }
                    // One more shows the end.
                    longer = longer.max(usize::try_from(bytes).map_or(longer, |bytes| bytes + 1));
                }
                self.buffer.resize(longer, 0);
            }
            let room = self.buffer.get_mut(filled..).unwrap_or_default();
            match file.read(room) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if filled > limit {
                // It may have become shorter meanwhile.
                let bytes = file.metadata()?.len().max(filled as u64);
                return Ok(Content::TooLarge { bytes });
            }
        }
        let content = self.buffer.get(..filled).unwrap_or_default();
        Ok(Content::Bytes(content))
    }
}

/// How a file is called in reports that `named` stands for, seen from `directory`; it need not be
/// there.
pub fn name_of(named: &Path, directory: &Path, root: &Path) -> RepoPath {
    let file = directory.join(named);
    // `..` by words: there may be no such folder to follow.
    let mut plain = PathBuf::new();
    for part in file.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    Names::new(&plain, directory, root).of(&plain)
}

/// How the files at or below a named path are called in reports: by their path below the root,
/// else below the current folder, else as they are.
struct Names<'p> {
    named: &'p Path,
    directory: &'p Path,
    root: &'p Path,
    /// Where the named path lies below the root, once both are without links.
    real: OnceCell<Option<PathBuf>>,
}

impl<'p> Names<'p> {
    fn new(named: &'p Path, directory: &'p Path, root: &'p Path) -> Self {
        Self {
            named,
            directory,
            root,
            real: OnceCell::new(),
        }
    }

    fn of(&self, file: &Path) -> RepoPath {
        let below = |folder: &Path| RepoPath::from_relative(file.strip_prefix(folder).ok()?);
        below(self.root)
            .or_else(|| below(self.directory))
            .or_else(|| {
                // No link is followed below the named path.
                let rest = file.strip_prefix(self.named).ok()?;
                RepoPath::from_relative(&self.real()?.join(rest))
            })
            .unwrap_or_else(|| RepoPath::new(file.as_os_str().as_encoded_bytes()))
    }

    /// `../other` from a folder below the root, or a root behind a link.
    fn real(&self) -> Option<&Path> {
        let find = || {
            let real = real_path(self.named).ok()?;
            let root = real_path(self.root).ok()?;
            Some(real.strip_prefix(root).ok()?.to_owned())
        };
        self.real.get_or_init(find).as_deref()
    }
}
