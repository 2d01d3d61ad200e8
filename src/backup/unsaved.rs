//! Whether a backup that may go holds something that is nowhere else: in no Git object, and in no
//! backup that stays.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use super::archive;
use super::retention::Keep;
use super::{BackupError, BackupId, Entry, Listed, Store, Sum};
use crate::git::{ObjectFormat, ObjectId, Repository};

/// Where else content may be.
pub(super) struct Elsewhere<'s> {
    store: &'s Store,
    repository: &'s Repository,
    format: ObjectFormat,
    /// Backups that stay and whose manifests were not read yet, the next one last.
    unread: Vec<BackupId>,
    /// What the backups that stay hold, as far as it was read.
    kept: HashMap<(Sum, u64), BackupId>,
    /// Whether the archive of a backup was found to be what was written.
    whole: HashMap<BackupId, bool>,
    /// How many bytes may still be read; `None` for as many as it takes.
    budget: Option<u64>,
}

/// There is more to read than this run may.
struct Exhausted;

impl<'s> Elsewhere<'s> {
    /// `stay` are the backups that stay, newest first.
    pub(super) fn new(
        store: &'s Store,
        repository: &'s Repository,
        mut stay: Vec<BackupId>,
        budget: Option<u64>,
    ) -> Result<Self, BackupError> {
        stay.reverse();
        Ok(Self {
            store,
            repository,
            format: repository.object_format()?,
            unread: stay,
            kept: HashMap::new(),
            whole: HashMap::new(),
            budget,
        })
    }

    /// Notes that a backup stays after all.
    pub(super) fn stays(&mut self, id: &BackupId) {
        self.unread.push(id.clone());
    }

    /// Why a backup has to stay, if it has to: something that it holds is nowhere else, or that
    /// cannot be told.
    pub(super) fn reason_to_keep(&mut self, id: &BackupId) -> Result<Option<Keep>, BackupError> {
        let unreadable = |error: &dyn std::fmt::Display| Some(Keep::Unreadable(error.to_string()));
        let listed = match self.store.listed(id) {
            Ok(listed) => listed,
            Err(BackupError::Damaged { damage, .. }) => return Ok(unreadable(&damage)),
            Err(error) => return Ok(unreadable(&error)),
        };
        let entries = &listed.manifest.entries;
        // Git's own blobs first: nothing has to be read for them.
        let named: Vec<ObjectId> = entries.iter().filter_map(Entry::blob).collect();
        let has = self.repository.has_blobs(&named)?;
        let mut has = has.into_iter();
        let mut reader = None;
        for entry in entries {
            // What is empty is not lost.
            if entry.size == 0 || (entry.blob().is_some() && has.next() == Some(true)) {
                continue;
            }
            match self.is_elsewhere(&listed, entry, &mut reader) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => {
                    return Ok(Some(Keep::OnlyCopy(entry.path.to_path().to_string())));
                }
                Ok(None) => return Ok(Some(Keep::NotExamined)),
                Err(NotTold::Git(error)) => return Err(error.into()),
                Err(NotTold::Unread(error)) => return Ok(unreadable(&error)),
            }
        }
        Ok(None)
    }

    /// `None` where the budget does not reach.
    fn is_elsewhere(
        &mut self,
        listed: &Listed,
        entry: &Entry,
        reader: &mut Option<archive::Reader>,
    ) -> Result<Option<bool>, NotTold> {
        match self.is_in_kept(entry) {
            Ok(true) => return Ok(Some(true)),
            Ok(false) => {}
            Err(Exhausted) => return Ok(None),
        }
        if self.spend(entry.size).is_err() {
            return Ok(None);
        }
        let opened = if let Some(opened) = reader {
            opened
        } else {
            let file = File::open(&listed.path).map_err(NotTold::Unread)?;
            reader.insert(archive::open(file).map_err(NotTold::Unread)?)
        };
        let mut hasher = self.format.blob_of(entry.size);
        let sum = archive::copy_member(opened, &entry.member, entry.size, &mut |piece| {
            hasher.update(piece);
            Ok(())
        })
        .map_err(NotTold::Unread)?;
        if sum != Some(entry.sha256) {
            let reason = "a file in it is not what was saved";
            return Err(NotTold::Unread(io::Error::other(reason)));
        }
        let Some(id) = hasher.finish() else {
            return Ok(Some(false));
        };
        let has = self.repository.has_blobs(&[id]).map_err(NotTold::Git)?;
        Ok(Some(has == [true]))
    }

    /// Whether a backup that stays, and is whole, holds the same bytes.
    fn is_in_kept(&mut self, entry: &Entry) -> Result<bool, Exhausted> {
        let wanted = (entry.sha256, entry.size);
        loop {
            if let Some(holder) = self.kept.get(&wanted).cloned() {
                if self.is_whole(&holder)? {
                    return Ok(true);
                }
                self.kept.remove(&wanted);
            }
            let Some(next) = self.unread.pop() else {
                return Ok(false);
            };
            let Ok(listed) = self.store.listed(&next) else {
                continue;
            };
            self.spend(listed.manifest.entries.len() as u64 * 256)?;
            for held in listed.manifest.entries {
                self.kept.insert((held.sha256, held.size), next.clone());
            }
        }
    }

    fn is_whole(&mut self, id: &BackupId) -> Result<bool, Exhausted> {
        if let Some(known) = self.whole.get(id) {
            return Ok(*known);
        }
        let path = self.store.archive_path(id);
        self.spend(path.metadata().map_or(0, |found| found.len()))?;
        let sum = File::open(path).and_then(|mut file| Sum::of_reader(&mut file, &mut |_| ()));
        let whole = sum.is_ok_and(|sum| self.store.sidecar(id) == Some(sum));
        self.whole.insert(id.clone(), whole);
        Ok(whole)
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Exhausted> {
        if let Some(left) = &mut self.budget {
            *left = left.checked_sub(bytes).ok_or(Exhausted)?;
        }
        Ok(())
    }
}

/// Why it cannot be told where else content is.
enum NotTold {
    Unread(io::Error),
    Git(crate::git::GitError),
}
