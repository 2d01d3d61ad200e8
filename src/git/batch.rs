//! Reading many blobs through one `git cat-file`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Blob, GitError, GitProgram, ObjectId};

/// The contents of `ids`, in order; sizes are asked first, so that a huge blob is never loaded.
pub(super) fn blobs(git: &GitProgram, ids: &[ObjectId], limit: u64) -> Result<Vec<Blob>, GitError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sizes = sizes(git, ids)?;
    let mut wanted = String::new();
    let loaded = |size: &Option<u64>| size.is_some_and(|size| size <= limit);
    for (id, _) in ids.iter().zip(&sizes).filter(|(_, size)| loaded(size)) {
        let _ = writeln!(wanted, "{id}");
    }
    let output = git.run(&["cat-file", "--batch"], wanted.as_bytes())?;
    let mut rest = output.stdout.as_slice();
    let mut blobs = Vec::with_capacity(ids.len());
    for size in sizes {
        let size = match size {
            None => {
                blobs.push(Blob::Missing);
                continue;
            }
            Some(bytes) if bytes > limit => {
                blobs.push(Blob::TooLarge { bytes });
                continue;
            }
            Some(size) => size,
        };
        // `<id> blob <size>\n<content>\n`
        let unexpected = || GitError::Unexpected {
            command: "cat-file".to_owned(),
        };
        let header = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(unexpected)?;
        let start = header + 1;
        let end = usize::try_from(size)
            .ok()
            .and_then(|size| start.checked_add(size));
        let content = end
            .and_then(|end| rest.get(start..end))
            .ok_or_else(unexpected)?;
        blobs.push(Blob::Bytes(Arc::from(content)));
        rest = rest.get(start + content.len() + 1..).unwrap_or_default();
    }
    Ok(blobs)
}

/// The size of each blob; `None` for one that is not in this clone.
pub(super) fn sizes(git: &GitProgram, ids: &[ObjectId]) -> Result<Vec<Option<u64>>, GitError> {
    let mut input = String::new();
    for id in ids {
        let _ = writeln!(input, "{id}");
    }
    let arguments = ["cat-file", "--batch-check=%(objecttype) %(objectsize)"];
    let output = match git.run(&arguments, input.as_bytes()) {
        Ok(output) => output,
        // Before 2.44, one object that a partial clone lacks ends the whole batch.
        Err(GitError::Program { .. }) => return ids.iter().map(|id| size(git, *id)).collect(),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    ids.iter()
        .map(|id| {
            let line = lines.next().unwrap_or_default();
            if line.ends_with(" missing") {
                return Ok(None);
            }
            let size = line
                .strip_prefix("blob ")
                .and_then(|size| size.parse().ok());
            size.map(Some).ok_or_else(|| GitError::Object {
                id: id.to_string(),
                reason: line.to_owned(),
            })
        })
        .collect()
}

/// The size of one blob, asked alone.
fn size(git: &GitProgram, id: ObjectId) -> Result<Option<u64>, GitError> {
    let (code, output, _) = git.run_for_code(&["cat-file", "-s", &id.to_string()], b"")?;
    Ok(output.line().parse().ok().filter(|_| code == Some(0)))
}
