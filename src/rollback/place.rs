//! One place in the working tree: what stands there now, and whether that is still so. Never
//! looks or writes through a linked folder.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::RollbackError;
use crate::backup::{NameFault, SafeName, Sum};
use crate::git::{FileMode, RepoPath};
use crate::sys::{environment, file};

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing, or something that is reached only through a link or a file.
    Absent,
    /// A folder.
    Folder,
    /// A file or a link, with marks that change when it is written or replaced.
    Leaf { mode: FileMode, marks: Marks },
    /// A pipe, socket or device.
    Special,
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    length: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, i64, i64)>,
}

impl Marks {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let identity = None;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            identity,
        }
    }
}

/// One path below the root of the working tree.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: RepoPath,
    pub(super) file: PathBuf,
    name: SafeName,
}

impl Place {
    pub(super) fn new(root: &Path, path: &RepoPath) -> Result<Self, RollbackError> {
        let unsafe_name = |reason| RollbackError::UnsafeName {
            path: path.to_string(),
            reason,
        };
        let name = SafeName::new(path).map_err(unsafe_name)?;
        let file = path
            .below(root)
            .ok_or_else(|| unsafe_name(NameFault::Reserved))?;
        Ok(Self {
            path: path.clone(),
            file,
            name,
        })
    }

    /// What stands here now.
    pub(super) fn look(&self, root: &Path) -> io::Result<Standing> {
        if self.name.below(root).is_err() {
            return Ok(Standing::Absent);
        }
        let metadata = match self.file.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Standing::Absent),
                    _ => Err(error),
                };
            }
        };
        if metadata.is_dir() {
            return Ok(Standing::Folder);
        }
        Ok(match mode_of(&metadata) {
            Some(mode) => Standing::Leaf {
                mode,
                marks: Marks::of(&metadata),
            },
            None => Standing::Special,
        })
    }

    /// Puts a file that lies elsewhere here, making the folders on the way.
    pub(super) fn put(&self, root: &Path, staged: &Path) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            file::create_folder(folder)?;
        }
        // A link may have taken the place of a folder since the last look.
        self.name
            .below(root)
            .map_err(|fault| io::Error::new(io::ErrorKind::NotADirectory, fault))?;
        file::move_over(staged, &self.file)
    }

    /// Removes the folders above that nothing is left in, but not the one the person is in: as
    /// with Git, a shell must not find itself nowhere.
    pub(super) fn remove_empty_parents(&self, root: &Path) {
        let here = environment::current_dir().unwrap_or_default();
        for folder in self.file.ancestors().skip(1) {
            // Fails on the first folder that still holds something, which is as it should be.
            let stays = folder == root || here.starts_with(folder);
            if stays || file::remove_folder(folder).is_err() {
                return;
            }
        }
    }
}

/// What Git would call a file or a link; nothing for all else.
pub(super) fn mode_of(metadata: &Metadata) -> Option<FileMode> {
    let kind = metadata.file_type();
    let executable = file::permission_bits(metadata).is_some_and(|bits| bits & 0o100 != 0);
    if kind.is_symlink() {
        Some(FileMode::Symlink)
    } else if !kind.is_file() {
        None
    } else if executable {
        Some(FileMode::Executable)
    } else {
        Some(FileMode::Regular)
    }
}

/// The sum of a file's bytes, or of a link's target.
pub(super) fn sum_of(path: &Path) -> io::Result<Sum> {
    if path.symlink_metadata()?.is_symlink() {
        return Ok(Sum::of(&file::link_target(path)?));
    }
    Sum::of_reader(&mut file::open_regular(path)?, &mut |_| ())
}

/// Removes a folder that holds nothing but empty folders.
pub(super) fn remove_empty_tree(folder: &Path) -> io::Result<()> {
    for name in std::fs::read_dir(folder)? {
        let name = name?;
        if name.file_type()?.is_dir() {
            remove_empty_tree(&name.path())?;
        }
    }
    file::remove_folder(folder)
}
