//! Git's words as types: object ids, file modes, paths, staged changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The id of an object, SHA-1 or SHA-256; shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub(super) gix::ObjectId);

impl ObjectId {
    /// Reads 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        gix::ObjectId::from_hex(hex.as_bytes()).ok().map(Self)
    }

    /// Its first twelve digits, for people.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(12).to_string()
    }

    /// Whether this is Git's "no object", all zeros.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({})", self.0)
    }
}

/// The kinds of entries a tree or index can hold (gitformat-index(5), "mode").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileMode {
    /// 100644
    Regular,
    /// 100755
    Executable,
    /// 120000; the content is the target.
    Symlink,
    /// 160000; a submodule's commit, not a blob.
    Gitlink,
}

impl FileMode {
    /// Reads a mode as Git writes it in octal.
    pub fn from_octal(mode: u32) -> Option<Self> {
        match mode {
            0o100_755 => Some(Self::Executable),
            // Trees written by old Gits hold 100664 and the like; Git reads them as 100644.
            mode if mode & 0o170_000 == 0o100_000 => Some(if mode & 0o100 == 0 {
                Self::Regular
            } else {
                Self::Executable
            }),
            0o120_000 => Some(Self::Symlink),
            0o160_000 => Some(Self::Gitlink),
            _ => None,
        }
    }

    /// The kind that a file of the working tree has on its own, by `lstat`; `None` for folders
    /// and devices. Windows knows no executable bit.
    pub fn of_file(metadata: &std::fs::Metadata) -> Option<Self> {
        if metadata.is_symlink() {
            return Some(Self::Symlink);
        }
        if !metadata.is_file() {
            return None;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o100 != 0 {
                return Some(Self::Executable);
            }
        }
        Some(Self::Regular)
    }

    /// The mode as Git writes it.
    pub fn octal(self) -> u32 {
        match self {
            Self::Regular => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Gitlink => 0o160_000,
        }
    }

    /// Whether the entry is a file with content of its own.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Regular | Self::Executable)
    }
}

/// A path as Git stores it: bytes, relative to the root of the working tree, `/` between parts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes Git's bytes as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The last part.
    pub fn file_name(&self) -> &[u8] {
        self.0
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// What follows the last dot of the file name, if anything.
    pub fn extension(&self) -> Option<&[u8]> {
        let name = self.file_name();
        let dot = name.iter().rposition(|byte| *byte == b'.')?;
        (dot > 0).then(|| &name[dot + 1..])
    }

    /// The folders that it lies in below the root, the nearest first.
    pub fn folders(&self) -> impl Iterator<Item = Self> {
        let ends = self.0.iter().enumerate().rev();
        ends.filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| Self(self.0.get(..at).unwrap_or_default().to_vec()))
    }

    /// The path of `name` in this folder; the empty path is the root.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        let mut bytes = self.0.clone();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self(bytes)
    }

    /// Whether this path is `folder` or lies below it; the empty path is the root.
    pub fn is_at_or_below(&self, folder: &Self) -> bool {
        match self.0.strip_prefix(folder.0.as_slice()) {
            Some(rest) => rest.is_empty() || folder.0.is_empty() || rest.starts_with(b"/"),
            None => false,
        }
    }

    /// The file below `root` on this system; `None` where the system cannot have such a name
    /// (bytes that are not UTF-8, on Windows).
    pub fn below(&self, root: &Path) -> Option<PathBuf> {
        gix::path::from_bstr(gix::bstr::BStr::new(&self.0))
            .ok()
            .map(|path| root.join(path))
    }

    /// The repository path of a relative path of this system; `None` where it leaves the root.
    pub fn from_relative(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        for part in path.components() {
            match part {
                std::path::Component::Normal(name) => {
                    if !bytes.is_empty() {
                        bytes.push(b'/');
                    }
                    bytes.extend_from_slice(gix::path::os_str_into_bstr(name).ok()?);
                }
                std::path::Component::CurDir => {}
                _ => return None,
            }
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::printable(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({self})")
    }
}

/// The content of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blob {
    /// Its bytes, before any conversion to a working-tree file.
    Bytes(Arc<[u8]>),
    /// It is not in this clone (a partial clone that has not fetched it), and nothing is fetched.
    Missing,
    /// It is larger than the reader wanted.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
}

/// One path on which the index differs from the commit it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedChange {
    /// The path.
    pub path: RepoPath,
    /// Mode and blob in the parent commit; `None` for a new path.
    pub before: Option<(FileMode, ObjectId)>,
    /// Mode and blob about to be committed; `None` for a deleted path.
    pub staged: Option<(FileMode, ObjectId)>,
    /// Whether the file's size and times are those that Git noted when it was staged: then the
    /// working tree holds what is staged. `false` means "not known without reading".
    pub worktree_is_staged: bool,
}
