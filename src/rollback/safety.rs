//! Before anything is changed: the snapshot that can bring it all back, and the list of what is
//! left to do once what is right already has been left out.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::apply::Step;
use super::index::kept_index;
use super::place::{Place, Standing, mode_of, sum_of};
use super::transaction::{IndexPart, Job, NewIndex, Staging};
use super::{Obstacle, RollbackError, Workplace};
use crate::backup::{
    BackupError, BackupId, ContentSource, IndexSource, SnapshotEntry, SnapshotRequest,
    VerifiedBackup, Version,
};
use crate::git::{Blob, GitError, ObjectId, RepoPath};
use crate::sys::file;

impl Workplace<'_> {
    /// Saves every path the job touches, and the index with it, and reads the archive back.
    pub(super) fn snapshot(
        &self,
        job: &Job,
        scratch: &Path,
    ) -> Result<(VerifiedBackup, Vec<(Place, Standing)>), RollbackError> {
        let mut request = SnapshotRequest::new(job.kind, self.repository.head()?);
        let mut standings = Vec::new();
        for path in job.removals.union(&job.writes) {
            let place = Place::new(&self.root, path)?;
            let standing = place
                .look(&self.root)
                .map_err(|source| RollbackError::Scratch {
                    path: place.file.clone(),
                    source,
                })?;
            match &standing {
                Standing::Leaf { mode, .. } => request.entries.push(SnapshotEntry {
                    path: path.clone(),
                    version: Version::Worktree,
                    mode: *mode,
                    content: ContentSource::File(place.file.clone()),
                }),
                Standing::Absent | Standing::Folder => {
                    request.absent.push((path.clone(), Version::Worktree));
                }
                Standing::Special => {
                    return Err(RollbackError::Blocked {
                        path: path.to_string(),
                        reason: Obstacle::Special,
                    });
                }
            }
            standings.push((place, standing));
        }
        let ids: Vec<ObjectId> = job.staged.iter().map(|(_, _, id)| *id).collect();
        let blobs = self.repository.blobs(&ids, u64::MAX)?;
        for ((path, mode, id), blob) in job.staged.iter().zip(blobs) {
            // What cannot be saved must not be replaced.
            let Blob::Bytes(content) = blob else {
                return Err(RollbackError::Git(GitError::Object {
                    id: id.to_string(),
                    reason: format!("the staged `{path}` is not in this repository"),
                }));
            };
            request.entries.push(SnapshotEntry {
                path: path.clone(),
                version: Version::Staged,
                mode: *mode,
                content: ContentSource::Bytes(content),
            });
        }
        let index = kept_index(scratch);
        request.index = match job.index {
            IndexPart::Left => IndexSource::Left,
            _ if index.exists() => IndexSource::File(index),
            _ => IndexSource::Absent,
        };
        let summary = self.store.create(&request, self.now)?;
        let id = BackupId::parse(&summary.id).ok_or(BackupError::Unknown { word: summary.id })?;
        Ok((self.store.verify(&id, &mut |_| ())?, standings))
    }
}

impl Workplace<'_> {
    /// Whether every file of the job is as it is to be, before it is saved.
    pub(super) fn is_done_already(
        &self,
        job: &Job,
        staging: &Staging,
    ) -> Result<bool, RollbackError> {
        if !job.removals.is_empty() || !matches!(staging.index, NewIndex::Keep) {
            return Ok(false);
        }
        for path in &job.writes {
            let place = Place::new(&self.root, path)?;
            let failed = |source| RollbackError::Scratch {
                path: place.file.clone(),
                source,
            };
            let Some(staged) = staging.files.get(path) else {
                return Ok(false);
            };
            let Standing::Leaf { mode, .. } = place.look(&self.root).map_err(failed)? else {
                return Ok(false);
            };
            let metadata = staged.symlink_metadata().map_err(failed)?;
            if Some(mode) != mode_of(&metadata)
                || sum_of(&place.file).map_err(failed)? != sum_of(staged).map_err(failed)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The steps to take: those paths that are not already as they should be.
pub(super) fn steps(
    job: &Job,
    saved: &VerifiedBackup,
    standings: Vec<(Place, Standing)>,
    staging: &Staging,
) -> Result<Vec<Step>, RollbackError> {
    let mut entries: BTreeMap<RepoPath, _> = saved
        .manifest()
        .entries
        .iter()
        .filter(|entry| entry.version == Version::Worktree)
        .map(|entry| (entry.path.to_path(), entry.clone()))
        .collect();
    let mut steps = Vec::new();
    for (place, before) in standings {
        let saved = entries.remove(&place.path);
        let staged = match staging.files.get(&place.path) {
            Some(staged) => {
                let failed = |source| RollbackError::Scratch {
                    path: staged.clone(),
                    source,
                };
                let sum = sum_of(staged).map_err(failed)?;
                let metadata = staged.symlink_metadata().map_err(failed)?;
                let same = saved.as_ref().is_some_and(|saved| {
                    saved.sha256 == sum && saved.same_kind(&metadata, staging.exact_permissions)
                });
                if same {
                    continue;
                }
                Some((staged.clone(), sum))
            }
            None if job.writes.contains(&place.path) => {
                return Err(RollbackError::Scratch {
                    path: place.file,
                    source: io::ErrorKind::NotFound.into(),
                });
            }
            None if saved.is_none() => continue,
            None => None,
        };
        steps.push(Step {
            place,
            before,
            saved,
            staged,
        });
    }
    Ok(steps)
}

/// Makes the staged contents durable, several at a time: the journal of the file system takes
/// them together.
pub(super) fn sync_all(steps: &[Step]) -> io::Result<()> {
    use rayon::prelude::*;
    steps.par_iter().try_for_each(|step| match &step.staged {
        Some((staged, _)) if !staged.is_symlink() => file::sync_file(staged),
        _ => Ok(()),
    })
}
