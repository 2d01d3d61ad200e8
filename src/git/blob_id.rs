//! Whether the repository has some bytes: the id that they would have as a blob, and a question
//! for that id. Nothing is written, nothing fetched.

use std::fmt;

use super::{GitError, ObjectId, Repository, batch};

/// How a repository names its objects: by SHA-1 or SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectFormat(pub(super) gix::hash::Kind);

impl ObjectFormat {
    /// Begins the id of a blob of `size` bytes (gitformat-loose(5): the sum of `blob`, the size
    /// and the bytes).
    pub fn blob_of(self, size: u64) -> BlobHasher {
        let mut hasher = gix::hash::hasher(self.0);
        hasher.update(format!("blob {size}\0").as_bytes());
        BlobHasher(hasher)
    }
}

/// A blob's id in the making.
pub struct BlobHasher(gix::hash::Hasher);

impl fmt::Debug for BlobHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobHasher")
    }
}

impl BlobHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id; `None` for bytes that were made to collide, which Git refuses too.
    pub fn finish(self) -> Option<ObjectId> {
        self.0.try_finalize().ok().map(ObjectId)
    }
}

impl Repository {
    /// How objects are named here.
    pub fn object_format(&self) -> Result<ObjectFormat, GitError> {
        if let Some(repository) = self.gix() {
            return Ok(ObjectFormat(repository.object_hash()));
        }
        let output = self
            .program()
            .run(&["rev-parse", "--show-object-format"], b"")?;
        match output.line().as_str() {
            "sha1" => Ok(ObjectFormat(gix::hash::Kind::Sha1)),
            "sha256" => Ok(ObjectFormat(gix::hash::Kind::Sha256)),
            _ => Err(GitError::Unexpected {
                command: "rev-parse".to_owned(),
            }),
        }
    }

    /// Which of these blobs are in this clone.
    pub fn has_blobs(&self, ids: &[ObjectId]) -> Result<Vec<bool>, GitError> {
        if let Some(repository) = self.gix() {
            return Ok(ids.iter().map(|id| repository.has_object(id.0)).collect());
        }
        let sizes = batch::sizes(&self.reading_program(), ids)?;
        Ok(sizes.iter().map(Option::is_some).collect())
    }
}
