//! `manifest.json`: what an archive holds, in words that need no gpuguard to be read.

use serde::{Deserialize, Serialize};

use super::{BackupError, Damage, Sum};
use crate::git::{FileMode, ObjectId, RepoPath};
use crate::sys::clock::Timestamp;

/// The version of the form written here.
pub(super) const VERSION: u64 = 1;
/// The program that writes it.
pub(super) const TOOL: &str = concat!("gpuguard ", env!("CARGO_PKG_VERSION"));

/// Which bytes of a path: before the commit, about to be committed, or in the working tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// In the parent commit.
    Before,
    /// In the index.
    Staged,
    /// In the working tree.
    Worktree,
}

impl Version {
    /// The folder of this version in an archive, and its word in the manifest.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Staged => "staged",
            Self::Worktree => "worktree",
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// What an archive holds, and when and why it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub(super) version: u64,
    /// The backup's id.
    pub id: String,
    /// When it was made.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub created: Timestamp,
    /// What made it: `pre-commit`, `manual`, `rollback`, `undo`, `restore`, ….
    pub trigger: String,
    /// Where HEAD stood.
    pub commit: Option<String>,
    /// The branch, unless HEAD was detached.
    pub branch: Option<String>,
    /// The program that wrote it.
    pub tool: String,
    /// The files, sorted by member name.
    pub entries: Vec<Entry>,
    /// Paths that did not exist in a version: deletions, or files that were yet to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absence>,
    /// Paths that were asked for and not found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<StoredPath>,
    /// Git's index file, where it was saved too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<SavedIndex>,
}

/// One saved file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path in the repository.
    #[serde(flatten)]
    pub path: StoredPath,
    /// Which of the path's versions.
    pub version: Version,
    /// Its name in the archive.
    pub member: String,
    mode: String,
    /// Permission bits on Unix, in octal, where they are more than `mode` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<String>,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sum,
    /// The id of the blob that Git has of it, where it came from Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
}

impl Entry {
    pub(super) fn new(path: &RepoPath, version: Version, mode: FileMode) -> Self {
        Self {
            path: StoredPath::new(path),
            version,
            member: member_name(path, version),
            mode: format!("{:06o}", mode.octal()),
            permissions: None,
            size: 0,
            sha256: Sum::of(b""),
            blob: None,
        }
    }

    pub(super) fn set_blob(&mut self, blob: Option<ObjectId>) {
        self.blob = blob.map(|id| id.to_string());
    }

    /// The id of the blob that Git had of it, where it came from Git.
    pub fn blob(&self) -> Option<ObjectId> {
        ObjectId::from_hex(self.blob.as_deref()?)
    }

    /// Its kind; `None` where the manifest holds no mode that Git knows.
    pub fn mode(&self) -> Option<FileMode> {
        FileMode::from_octal(u32::from_str_radix(&self.mode, 8).ok()?)
    }

    /// Whether a file of these properties is of the same kind: link or not, executable or not,
    /// and with `exact` the very same permission bits.
    pub fn same_kind(&self, metadata: &std::fs::Metadata, exact: bool) -> bool {
        if metadata.is_symlink() || self.mode() == Some(FileMode::Symlink) {
            return metadata.is_symlink() && self.mode() == Some(FileMode::Symlink);
        }
        let Some(bits) = crate::sys::file::permission_bits(metadata) else {
            return true;
        };
        let counted = if exact { 0o777 } else { 0o100 };
        bits & counted == self.permission_bits() & counted
    }

    /// Whether a file with these bits is saved with just these.
    pub(super) fn has_permissions(&self, bits: u32) -> bool {
        self.permissions.as_deref() == Some(permissions_word(bits).as_str())
    }

    pub(super) fn set_permissions(&mut self, bits: Option<u32>) {
        self.permissions = bits.map(permissions_word);
    }

    /// Its permission bits on Unix: those saved, or those that go with its mode.
    pub fn permission_bits(&self) -> u32 {
        let saved = self.permissions.as_deref();
        let usual = match self.mode() {
            Some(FileMode::Executable) => 0o755,
            _ => 0o644,
        };
        // Never set-user-id, set-group-id or sticky from a file.
        saved
            .and_then(|octal| u32::from_str_radix(octal, 8).ok())
            .map_or(usual, |bits| bits & 0o777)
    }
}

fn permissions_word(bits: u32) -> String {
    format!("{bits:04o}")
}

/// A path that did not exist in a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The path.
    #[serde(flatten)]
    pub path: StoredPath,
    /// In which version it did not exist.
    pub version: Version,
}

/// Git's index file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SavedIndex {
    /// There was none.
    Absent,
    /// The file's bytes are a member of the archive.
    Saved {
        /// Its name in the archive.
        member: String,
        /// Its length in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: Sum,
    },
}

/// A repository path as JSON holds it: text, and the exact bytes where they are not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredPath {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_bytes: Option<Vec<u8>>,
}

impl StoredPath {
    /// How JSON is to hold `path`.
    pub fn new(path: &RepoPath) -> Self {
        match path.as_str() {
            Some(text) => Self {
                path: text.to_owned(),
                path_bytes: None,
            },
            None => Self {
                path: path.to_string(),
                path_bytes: Some(path.as_bytes().to_vec()),
            },
        }
    }

    /// The path, byte for byte.
    pub fn to_path(&self) -> RepoPath {
        match &self.path_bytes {
            Some(bytes) => RepoPath::new(bytes.clone()),
            None => RepoPath::new(self.path.as_bytes()),
        }
    }
}

pub(super) fn write_time<S: serde::Serializer>(
    time: &Timestamp,
    output: S,
) -> Result<S::Ok, S::Error> {
    output.collect_str(time)
}

pub(super) fn read_time<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// The version of the form that JSON is in.
pub(super) fn version_of(json: &[u8]) -> Result<u64, String> {
    #[derive(Deserialize)]
    struct Head {
        version: u64,
    }
    let head: Head = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Ok(head.version)
}

impl Manifest {
    pub(super) fn from_json(id: &str, json: &[u8]) -> Result<Self, BackupError> {
        let damaged = |reason: String| BackupError::Damaged {
            id: id.to_owned(),
            damage: Damage::Manifest(reason),
        };
        let read = serde_json::from_slice(json).map_err(|error| error.to_string());
        let manifest: Self = match read {
            Ok(manifest) => manifest,
            // Another version may have another form.
            Err(reason) => match version_of(json) {
                Ok(version) if version != VERSION => {
                    return Err(BackupError::Newer {
                        id: id.to_owned(),
                        version,
                    });
                }
                _ => return Err(damaged(reason)),
            },
        };
        if manifest.version != VERSION {
            return Err(BackupError::Newer {
                id: id.to_owned(),
                version: manifest.version,
            });
        }
        if manifest.id != id {
            return Err(damaged("it is the manifest of another backup".to_owned()));
        }
        Ok(manifest)
    }

    /// Whether a restore, a rollback or an undo made it of what it was about to replace.
    pub fn is_safety(&self) -> bool {
        ["restore", "rollback", "undo"].contains(&self.trigger.as_str())
    }

    /// How many different paths are saved.
    pub fn files(&self) -> usize {
        let paths: std::collections::HashSet<&StoredPath> =
            self.entries.iter().map(|entry| &entry.path).collect();
        paths.len()
    }

    /// How many bytes the saved files have together.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }
}

/// The readable name of a file in the archive. What some unzip program would stumble over
/// (control characters, bytes that are not UTF-8, characters Windows forbids) stands as `%XX`,
/// and so does `%`: different paths get different names.
pub(super) fn member_name(path: &RepoPath, version: Version) -> String {
    let mut name = String::from(version.word());
    name.push('/');
    let escape = |name: &mut String, bytes: &[u8]| {
        for byte in bytes {
            use std::fmt::Write as _;
            let _ = write!(name, "%{byte:02X}");
        }
    };
    for chunk in path.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            let plain = !character.is_control() && !r#"%\:*?"<>|"#.contains(character);
            if plain {
                name.push(character);
            } else {
                escape(&mut name, character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_names_are_readable_and_never_the_same_for_two_paths() {
        let name = |bytes: &[u8]| member_name(&RepoPath::new(bytes), Version::Staged);
        assert_eq!(name("models/é.py".as_bytes()), "staged/models/é.py");
        assert_eq!(name(b"a\nb"), "staged/a%0Ab");
        assert_eq!(name(b"a%0Ab"), "staged/a%250Ab");
        assert_eq!(name(b"caf\xe9"), "staged/caf%E9");
        assert_eq!(name(b"a:b\\c"), "staged/a%3Ab%5Cc");
    }

    #[test]
    fn a_path_survives_json_byte_for_byte() {
        for bytes in [
            &b"plain.py"[..],
            b"new\nline",
            b"caf\xe9",
            "é\u{202e}".as_bytes(),
        ] {
            let json = serde_json::to_string(&StoredPath::new(&RepoPath::new(bytes))).unwrap();
            let back: StoredPath = serde_json::from_str(&json).unwrap();
            assert_eq!(back.to_path().as_bytes(), bytes, "{json}");
        }
    }
}
