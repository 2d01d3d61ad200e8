//! The hook's steps: exact index → snapshot → scan → card check.
//!
//! Reads only. The index, the working tree and HEAD are the same afterwards, whatever happens.

use std::fmt::Write as _;
use std::sync::Arc;

use rayon::prelude::*;

use super::Event;
use crate::backup::{
    BackupError, BackupSummary, ContentSource, SnapshotEntry, SnapshotRequest, Store, Version,
};
use crate::git::{Blob, FileMode, GitError, Head, Repository};
use crate::gpu;
use crate::outcome::Outcome;
use crate::policy::{GpuCheckMode, OnError, Policy};
use crate::scan::{FileScan, MovedCode, Scanner, SkipReason, mark_introduced};
use crate::source::index::{self, StagedFile};
use crate::sys::clock::Timestamp;

/// Why a hook could not judge.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// What is staged cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The snapshot cannot be made.
    #[error("the snapshot could not be made")]
    Backup(#[from] BackupError),
}

/// From here on fewer files are scanned one after the other: threads would cost more.
const WORTH_THREADS: usize = 16;

/// Judges what is staged, after saving it.
pub fn run(
    event: Event,
    repository: &Repository,
    policy: &Policy,
    now: Timestamp,
) -> Result<Outcome, HookError> {
    let limit = policy.scan.max_file_bytes;
    let staged = index::staged_files(repository, limit)?;
    let mut outcome = Outcome::default();
    if staged.is_empty() {
        return Ok(outcome);
    }
    if policy.hook.snapshot {
        match snapshot(event, repository, &staged, now, &mut outcome.notes) {
            Ok(summary) => outcome.backup = Some(summary),
            // Nothing saved is no reason to judge nothing.
            Err(error) if policy.hook.on_error == OnError::Pass => {
                outcome
                    .notes
                    .push(format!("{}; `hook.on-error` lets that pass", chain(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    outcome.files = judge(repository, policy, &staged)?;
    let uses_gpu = outcome.files.iter().any(|file| file.uses_gpu);
    let refused = outcome.findings().any(|(_, finding)| finding.blocks());
    if uses_gpu && !refused && policy.gpu_check.mode != GpuCheckMode::Off {
        let cache = repository.common_dir().join("gpuguard");
        outcome.card = Some(gpu::check(policy, Some(&cache), now));
    }
    Ok(outcome)
}

/// An error and what caused it, in one line.
fn chain(error: &HookError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        let _ = write!(text, ": {error}");
        next = error.source();
    }
    text
}

/// Scans what is staged and marks what the change introduces.
pub fn judge(
    repository: &Repository,
    policy: &Policy,
    staged: &[StagedFile],
) -> Result<Vec<FileScan>, GitError> {
    let scanner = Scanner::new(policy);
    let mut news = scan_all(&scanner, staged, |file| file.staged.as_ref());
    let found =
        |scan: &Option<FileScan>| scan.as_ref().is_some_and(|scan| !scan.findings.is_empty());
    if news.iter().any(found) {
        // What was there before is read only where something was found.
        let befores = scan_all(&scanner, staged, |file| file.before.as_ref());
        let mut moved = MovedCode::default();
        for (before, new) in befores.iter().zip(&news) {
            if let Some(before) = before {
                moved.add_removed(before, new.as_ref());
            }
        }
        for (before, new) in befores.into_iter().zip(&mut news) {
            let Some(new) = new.as_mut().filter(|new| !new.findings.is_empty()) else {
                continue;
            };
            let mut parents: Vec<FileScan> = before.into_iter().collect();
            let limit = policy.scan.max_file_bytes;
            for blob in index::merged_versions(repository, &new.path, limit)? {
                if let Blob::Bytes(content) = blob {
                    parents.push(scanner.scan(&new.path, &content));
                }
            }
            mark_introduced(new, &parents, &mut moved);
        }
    }
    Ok(news.into_iter().flatten().collect())
}

/// One side of each change, in order.
fn scan_all<'f>(
    scanner: &Scanner,
    staged: &'f [StagedFile],
    side: impl Fn(&'f StagedFile) -> Option<&'f index::Version> + Sync,
) -> Vec<Option<FileScan>> {
    let scan = |file| scan_version(scanner, file, side(file));
    if staged.len() < WORTH_THREADS {
        staged.iter().map(scan).collect()
    } else {
        staged.par_iter().map(scan).collect()
    }
}

/// One side of a change as the scanner sees it; `None` where there is nothing to scan in it (no
/// such side, a link, a submodule, no known language).
fn scan_version(
    scanner: &Scanner,
    file: &StagedFile,
    version: Option<&index::Version>,
) -> Option<FileScan> {
    let version = version.filter(|version| version.mode.is_file())?;
    let path = &file.change.path;
    match version.content.as_ref()? {
        Blob::Bytes(content) => scanner
            .language(path, content)
            .map(|_| scanner.scan(path, content)),
        Blob::Missing => None,
        Blob::TooLarge { bytes } => scanner
            .language(path, b"")
            .map(|_| FileScan::skipped(path.clone(), SkipReason::TooLarge { bytes: *bytes })),
    }
}

/// Saves what the commit touches: what it replaces, what it commits, and what is not staged.
fn snapshot(
    event: Event,
    repository: &Repository,
    staged: &[StagedFile],
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<BackupSummary, HookError> {
    let head: Head = repository.head()?;
    let mut request = SnapshotRequest::new(event.name, head);
    for file in staged {
        for (version, side) in [
            (Version::Before, file.before.as_ref()),
            (Version::Staged, file.staged.as_ref()),
        ] {
            match side.and_then(|side| Some((side.mode, side.content.as_ref()?))) {
                Some((mode, Blob::Bytes(content))) => request.entries.push(SnapshotEntry {
                    path: file.change.path.clone(),
                    version,
                    mode,
                    content: ContentSource::Bytes(Arc::clone(content)),
                }),
                Some((_, Blob::TooLarge { bytes })) => notes.push(format!(
                    "{} ({version}, {} MiB) is larger than `scan.max-file-mib` and not in the \
                     snapshot; Git holds it",
                    file.change.path,
                    bytes.div_ceil(1 << 20),
                )),
                Some((_, Blob::Missing)) => notes.push(format!(
                    "{} ({version}) is not in this clone: it is not in the snapshot, and all of \
                     the file counts as new",
                    file.change.path,
                )),
                None if side.is_none() => {
                    request.absent.push((file.change.path.clone(), version));
                }
                None => {}
            }
        }
        request.entries.extend(unstaged(repository, file));
    }
    Ok(Store::at(repository.common_dir()).create(&request, now)?)
}

/// The working tree's version, where it is not what is staged: bytes Git could not bring back.
fn unstaged(repository: &Repository, file: &StagedFile) -> Option<SnapshotEntry> {
    let found = file.unstaged_file(repository)?;
    let metadata = found.symlink_metadata().ok()?;
    let mode = FileMode::of_file(&metadata)?;
    let staged = match file
        .staged
        .as_ref()
        .and_then(|staged| staged.content.as_ref())
    {
        Some(Blob::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    // The same length: only then can it be the same, and only then is it read here.
    let same = mode != FileMode::Symlink
        && staged.is_some_and(|staged| {
            staged.len() as u64 == metadata.len()
                && std::fs::read(&found).is_ok_and(|bytes| bytes == **staged)
        });
    (!same).then(|| SnapshotEntry {
        path: file.change.path.clone(),
        version: Version::Worktree,
        mode,
        content: ContentSource::File(found),
    })
}
