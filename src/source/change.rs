//! A change to be judged: what is staged, or what a range of commits comes to; each path with
//! its new version and with those of the commits it is held against.

use std::collections::{BTreeSet, HashMap};

use crate::git::{Blob, FileMode, GitError, NewSide, ObjectId, PathChange, RepoPath, Repository};

/// One version of a path.
#[derive(Clone, Debug)]
pub struct Version {
    /// File, executable, symbolic link or submodule.
    pub mode: FileMode,
    /// The blob, or the submodule's commit.
    pub id: ObjectId,
    /// The content, where it was read already.
    pub content: Option<Blob>,
}

/// A path that a change touches.
#[derive(Clone, Debug)]
pub struct ChangedFile {
    /// The path.
    pub path: RepoPath,
    /// What the change replaces; `None` for a new path.
    pub before: Option<Version>,
    /// What it puts there; `None` for a deleted path.
    pub after: Option<Version>,
    /// Whether the working tree is sure to hold what is put there; `false` where that is not
    /// known without reading.
    pub in_worktree: bool,
}

/// A change: the paths on which the new side differs from a commit.
#[derive(Debug)]
pub struct Change<'r> {
    /// The paths, sorted.
    pub files: Vec<ChangedFile>,
    pub(super) repository: &'r Repository,
    pub(super) limit: u64,
    /// What `files` are compared with; `None` before the first commit.
    pub(super) base: Option<ObjectId>,
    /// Further parents: what one of them has is not new either.
    pub(super) parents: Vec<ObjectId>,
    pub(super) new: NewSide,
}

/// How the new side differs from one of the further parents.
#[derive(Debug)]
pub struct ParentChange {
    /// The paths, sorted; what is not among them is the same there.
    files: Vec<ChangedFile>,
    /// Old paths by the new ones.
    renames: HashMap<RepoPath, RepoPath>,
}

/// What a further parent has of a path.
#[derive(Debug)]
pub enum Known<'p> {
    /// The same version.
    Same,
    /// Another version, perhaps under another path.
    Other(&'p RepoPath, &'p Version),
    /// None.
    Nothing,
}

impl Version {
    pub(super) fn unread((mode, id): (FileMode, ObjectId)) -> Self {
        Self {
            mode,
            id,
            content: None,
        }
    }
}

impl From<PathChange> for ChangedFile {
    fn from(change: PathChange) -> Self {
        Self {
            path: change.path,
            before: change.before.map(Version::unread),
            after: change.after.map(Version::unread),
            in_worktree: false,
        }
    }
}

impl Change<'_> {
    /// The contents of files, in order. Those above the limit are not loaded.
    ///
    /// # Errors
    /// [`GitError::Missing`] where a range needs a version that is not in this clone. What a commit
    /// replaces need not be there: then all of the file counts as new.
    pub fn contents(&self, versions: &[&Version]) -> Result<Vec<Blob>, GitError> {
        let unread: Vec<ObjectId> = versions
            .iter()
            .filter(|version| version.content.is_none())
            .map(|version| version.id)
            .collect();
        let mut read = self.repository.blobs(&unread, self.limit)?.into_iter();
        let mut contents = Vec::with_capacity(versions.len());
        for version in versions {
            let content = match &version.content {
                Some(content) => content.clone(),
                None => read.next().unwrap_or(Blob::Missing),
            };
            if content == Blob::Missing && self.new != NewSide::Index {
                return Err(GitError::Missing {
                    id: version.id.to_string(),
                });
            }
            contents.push(content);
        }
        Ok(contents)
    }

    /// What it is compared with; `None` before the first commit.
    pub fn base(&self) -> Option<ObjectId> {
        self.base
    }

    /// Where its new versions are.
    pub fn new_side(&self) -> NewSide {
        self.new
    }

    /// The folders below the root that its files lie in, at whatever depth.
    pub fn folders(&self) -> BTreeSet<RepoPath> {
        self.files
            .iter()
            .flat_map(|file| file.path.folders())
            .collect()
    }

    /// The file of a path.
    pub fn file(&self, path: &RepoPath) -> Option<&ChangedFile> {
        find(&self.files, path)
    }

    /// The renamed files: old paths by the new ones, as Git pairs them.
    pub fn renames(&self) -> Result<HashMap<RepoPath, RepoPath>, GitError> {
        self.repository.renames_since(self.base, self.new)
    }

    /// How the new side differs from each further parent.
    pub fn against_parents(&self) -> Result<Vec<ParentChange>, GitError> {
        let against = |parent: &ObjectId| {
            let changes = self.repository.changes_since(Some(*parent), self.new)?;
            Ok(ParentChange {
                files: changes.into_iter().map(ChangedFile::from).collect(),
                renames: self.repository.renames_since(Some(*parent), self.new)?,
            })
        };
        self.parents.iter().map(against).collect()
    }
}

impl ParentChange {
    /// What the parent has of `path`, or of the file that became it.
    pub fn version_of(&self, path: &RepoPath) -> Known<'_> {
        let Some(file) = find(&self.files, path) else {
            return Known::Same;
        };
        let file = match (&file.before, self.renames.get(path)) {
            (None, Some(old)) => find(&self.files, old),
            _ => Some(file),
        };
        match file.and_then(|file| Some((&file.path, file.before.as_ref()?))) {
            Some((path, version)) => Known::Other(path, version),
            None => Known::Nothing,
        }
    }
}

fn find<'f>(files: &'f [ChangedFile], path: &RepoPath) -> Option<&'f ChangedFile> {
    let at = files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    files.get(at)
}
