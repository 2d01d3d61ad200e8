//! The index in a run: locked, kept as it is, and given its new content in one rename.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::place::{Marks, sum_of};
use super::transaction::{IndexPart, Job, NewIndex};
use super::{Event, RollbackError, Workplace};
use crate::backup::{SavedIndex, Sum, VerifiedBackup};
use crate::git::{GitError, RepoPath, TreeSide};
use crate::sys::file::{self, PendingFile};

impl Workplace<'_> {
    pub(super) fn index_lock_path(&self) -> PathBuf {
        let mut path = self.repository.index_path().as_os_str().to_owned();
        path.push(".lock");
        path.into()
    }

    /// Marks of the index file that change with every write; `None` where there is none.
    pub(super) fn index_marks(&self) -> Option<Marks> {
        let path = self.repository.index_path();
        path.symlink_metadata().ok().as_ref().map(Marks::of)
    }

    /// Takes Git's lock. It gets its name whole, with the line that the journal knows: whenever
    /// this process ends, the lock can be told from a foreign one.
    pub(super) fn lock_index(
        &self,
        job: &Job,
        journal: &Journal,
        scratch: &Path,
    ) -> Result<(), RollbackError> {
        if matches!(job.index, IndexPart::Left) {
            return Ok(());
        }
        let path = self.index_lock_path();
        let line = scratch.join("lock");
        let locked = file::create_new(&line, journal.lock_line().as_bytes()).and_then(|()| {
            match file::link_new(&line, &path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    // A file system without hard links, or an index on another one.
                    let mut pending = PendingFile::create(&path)?;
                    pending.write_all(journal.lock_line().as_bytes())?;
                    pending.commit_new()
                }
                result => result,
            }
        });
        match locked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RollbackError::IndexLocked { path });
            }
            Err(source) => return Err(RollbackError::Scratch { path, source }),
        }
        match &job.index {
            IndexPart::Planned(marks) if *marks != self.index_marks() => {
                Err(RollbackError::IndexChanged)
            }
            _ => Ok(()),
        }
    }

    /// Removes our lock, if it is still there.
    pub(super) fn release_index(&self, journal: &Journal) -> io::Result<()> {
        let lock = self.index_lock_path();
        if journal.owns_lock(&lock) {
            file::remove(&lock)?;
        }
        Ok(())
    }

    /// Copies the index into `scratch`, made to stand alone where it is a split one.
    pub(super) fn keep_index(&self, scratch: &Path) -> Result<(), RollbackError> {
        let kept = kept_index(scratch);
        match file::copy(self.repository.index_path(), &kept) {
            Ok(()) => Ok(self.repository.join_split_index(&kept)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(RollbackError::Scratch { path: kept, source }),
        }
    }

    /// The sum of what an index file says, whatever times it holds.
    fn index_sum(&self, index: &Path) -> Result<Sum, GitError> {
        Ok(Sum::of(&self.repository.index_listing(index)?))
    }

    /// Whether the index still says what the kept one does.
    pub(super) fn index_is_as_kept(&self, scratch: &Path) -> Result<bool, RollbackError> {
        let (index, kept) = (self.repository.index_path(), kept_index(scratch));
        if !index.exists() || !kept.exists() {
            return Ok(index.exists() == kept.exists());
        }
        Ok(self.index_sum(index)? == self.index_sum(&kept)?)
    }

    /// The kept index with other entries; those that go make room for those that come, as a file
    /// for a folder of its name.
    pub(super) fn index_with(
        &self,
        scratch: &Path,
        mut entries: Vec<(&RepoPath, TreeSide)>,
    ) -> Result<PathBuf, RollbackError> {
        let (kept, index) = (kept_index(scratch), scratch.join("index.new"));
        if kept.exists() {
            file::copy(&kept, &index).map_err(|source| RollbackError::Scratch {
                path: index.clone(),
                source,
            })?;
        }
        entries.sort_by_key(|(_, side)| side.is_some());
        self.repository.write_index_entries(&index, &entries)?;
        Ok(index)
    }

    /// The index that goes with a snapshot. The saved one as a whole only where the index still
    /// says what it said then, or what the run to be undone left (`accepted`); else what was
    /// staged or committed since must stay, and only the entries of the paths that run touched go
    /// back.
    pub(super) fn stage_saved_index(
        &self,
        goal: &mut VerifiedBackup,
        touched: &BTreeSet<RepoPath>,
        (accepted, refresh): (&[Sum], &BTreeSet<RepoPath>),
        scratch: &Path,
    ) -> Result<NewIndex, RollbackError> {
        let saved = match goal.manifest().index {
            None => return Ok(NewIndex::Keep),
            Some(SavedIndex::Absent) => None,
            Some(SavedIndex::Saved { .. }) => Some(()),
        };
        let file = scratch.join("index.saved");
        goal.copy_index_to(&file)?;
        // Saved by an earlier gpuguard, it may be a split one.
        if saved.is_some() {
            self.repository.join_split_index(&file)?;
        }
        let now = self.index_sum(&kept_index(scratch))?;
        if accepted.contains(&now) || now == self.index_sum(&file)? {
            // Byte for byte: to let it learn times would write other bytes.
            let refresh = Vec::new();
            return Ok(saved.map_or(NewIndex::Remove, |()| NewIndex::Replace { file, refresh }));
        }
        let then: BTreeMap<RepoPath, TreeSide> = self
            .repository
            .index_blobs(&file, touched)?
            .into_iter()
            .map(|(path, mode, id)| (path, Some((mode, id))))
            .collect();
        let entries = touched
            .iter()
            .map(|path| (path, then.get(path).copied().flatten()))
            .collect();
        Ok(NewIndex::Replace {
            file: self.index_with(scratch, entries)?,
            refresh: refresh.iter().cloned().collect(),
        })
    }

    /// Gives the new index its name: first over our lock, then, in one step, over the old one.
    pub(super) fn replace_index(
        &self,
        journal: &mut Journal,
        index: &NewIndex,
        hear: &mut dyn FnMut(&Event),
    ) -> io::Result<()> {
        let lock = self.index_lock_path();
        match index {
            NewIndex::Keep => Ok(()),
            NewIndex::Replace { file, refresh } => {
                let refresh: Vec<&RepoPath> = refresh.iter().collect();
                self.repository
                    .refresh_index(file, &refresh)
                    .map_err(io::Error::other)?;
                file::sync_file(file)?;
                journal.index = Some(sum_of(file)?);
                journal.left = Some(self.index_sum(file).map_err(io::Error::other)?);
                self.desk.write_journal(journal).map_err(io::Error::other)?;
                if let Ok(old) = self.repository.index_path().metadata() {
                    file::set_permissions(file, old.permissions())?;
                }
                file::move_over(file, &lock)?;
                hear(&Event::IndexReady);
                file::rename(&lock, self.repository.index_path())?;
                // From here on there is no way back but the undo. Should the name be lost in a
                // crash, the lock is there again, and the journal with it.
                if let Some(folder) = self.repository.index_path().parent() {
                    let _ = file::sync_folder(folder);
                }
                Ok(())
            }
            NewIndex::Remove => {
                journal.left = Some(Sum::of(b""));
                self.desk.write_journal(journal).map_err(io::Error::other)?;
                match file::remove(self.repository.index_path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Where a run's copy of the index lies; there is none where there is no index.
pub(super) fn kept_index(scratch: &Path) -> PathBuf {
    scratch.join("index.kept")
}
