//! What lies in a store, and which backup a person means by a word.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, MANIFEST};
use super::store::{self, MANIFEST_LIMIT};
use super::{BackupError, BackupId, Damage, Manifest, Store, Sum, Verdict, sweep};
use crate::sys::lock::FileLock;

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The backup.
    pub id: BackupId,
    /// What it holds.
    pub manifest: Manifest,
    /// The archive's length.
    pub archive_bytes: u64,
    /// The archive's sum, as its `.sha256` file has it.
    pub sha256: Option<Sum>,
    /// The archive.
    pub path: PathBuf,
    /// The backup whose archive that is: itself, or the one that it refers to.
    pub archive: BackupId,
    /// What was decided about the commit that it was made for, where that is known.
    pub verdict: Option<Verdict>,
}

/// All backups of a store.
#[derive(Debug, Default)]
pub struct Listing {
    /// Newest first.
    pub backups: Vec<Listed>,
    /// Those whose manifest cannot be read.
    pub unreadable: Vec<BackupError>,
}

/// As long as it is held, no backup is removed.
#[derive(Debug)]
pub struct Reading {
    _locks: Vec<FileLock>,
}

impl Store {
    /// Keeps backups from being removed, for who first looks which there are and then reads them.
    /// Where the file system has no locks, nothing is ever removed.
    pub fn reading(&self) -> Reading {
        Reading {
            _locks: self
                .folders()
                .filter_map(|folder| sweep::read(folder))
                .collect(),
        }
    }

    /// The ids of all backups, newest second first: of every archive, and of every sum whose
    /// archive is gone.
    pub fn ids(&self) -> Result<Vec<BackupId>, BackupError> {
        let mut names = self.names()?;
        names.archives.append(&mut names.references);
        names.archives.append(&mut names.lost);
        names.archives.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names.archives)
    }

    /// The ids of all that can be restored, newest second first.
    pub(super) fn present(&self) -> Result<Vec<BackupId>, BackupError> {
        let mut names = self.names()?;
        names.archives.append(&mut names.references);
        names.archives.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names.archives)
    }

    /// The ids of those that refer to another one's archive.
    pub(super) fn references(&self) -> Result<Vec<BackupId>, BackupError> {
        Ok(self.names()?.references)
    }

    fn names(&self) -> Result<Names, BackupError> {
        let mut names = Names::default();
        for folder in self.folders() {
            names.read(folder).map_err(|source| BackupError::Store {
                path: folder.clone(),
                source,
            })?;
        }
        Ok(names)
    }

    /// All backups with what they hold, newest first. Reads the manifests only.
    pub fn list(&self) -> Result<Listing, BackupError> {
        let mut listing = Listing::default();
        for id in self.ids()? {
            match self.listed(&id) {
                Ok(listed) => listing.backups.push(listed),
                Err(error) => listing.unreadable.push(error),
            }
        }
        listing
            .backups
            .sort_by(|a, b| (b.manifest.created, &b.id).cmp(&(a.manifest.created, &a.id)));
        Ok(listing)
    }

    /// One backup with what it holds, by its manifest only.
    pub fn listed(&self, id: &BackupId) -> Result<Listed, BackupError> {
        let resolved = self.resolve(id)?;
        let path = self.archive_path(&resolved.archive);
        let damaged = |damage| BackupError::Damaged {
            id: id.to_string(),
            damage,
        };
        let file = store::open_archive(&path).map_err(damaged)?;
        let archive_bytes = file
            .metadata()
            .map_err(|error| damaged(Damage::Unreadable(error.to_string())))?
            .len();
        let mut archive =
            archive::open(file).map_err(|error| damaged(Damage::Archive(error.to_string())))?;
        let json = archive::read_member(&mut archive, MANIFEST, MANIFEST_LIMIT)
            .map_err(|error| damaged(Damage::Manifest(error.to_string())))?;
        let manifest = Manifest::from_json(resolved.archive.as_str(), &json)?;
        Ok(Listed {
            id: id.clone(),
            manifest: match &resolved.reference {
                Some(reference) => reference.over(manifest),
                None => manifest,
            },
            archive_bytes,
            sha256: self.sidecar(&resolved.archive),
            path,
            archive: resolved.archive,
            verdict: self.verdict(id),
        })
    }

    /// The sum beside the archive, where there is one line of exactly the right form.
    pub(super) fn sidecar(&self, id: &BackupId) -> Option<Sum> {
        let line = fs::read_to_string(self.sidecar_path(id)).ok()?;
        let sum = Sum::from_hex(line.get(..64)?)?;
        (line == store::sidecar_line(id, sum)).then_some(sum)
    }

    /// The backup a person means: an id, the beginning of one, or `latest`.
    pub fn find(&self, word: &str) -> Result<BackupId, BackupError> {
        if word == "latest" {
            let none = || BackupError::None {
                folder: self.folder.clone(),
            };
            return self.latest(&self.present()?, |_| true).ok_or_else(none);
        }
        self.find_by_beginning(word)
    }

    /// The same for what is to be restored: there `latest` is the newest backup that somebody
    /// made of their work. What a restore, a rollback or an undo saved before it changed anything
    /// is what they wanted to be rid of; `rollback --undo` brings that back.
    pub fn find_to_restore(&self, word: &str) -> Result<BackupId, BackupError> {
        if word != "latest" {
            return self.find_by_beginning(word);
        }
        let present = self.present()?;
        let found = self.latest(&present, |manifest| !manifest.is_safety());
        let folder = self.folder.clone();
        found.ok_or(if present.is_empty() {
            BackupError::None { folder }
        } else {
            BackupError::OnlySafety { folder }
        })
    }

    fn find_by_beginning(&self, word: &str) -> Result<BackupId, BackupError> {
        let ids = self.ids()?;
        let mut fitting = ids
            .iter()
            .filter(|id| !word.is_empty() && id.as_str().starts_with(word));
        match (fitting.next(), fitting.count()) {
            (Some(id), 0) => Ok(id.clone()),
            (Some(_), others) => Err(BackupError::Ambiguous {
                word: word.to_owned(),
                count: others + 1,
            }),
            (None, _) => Err(BackupError::Unknown {
                word: crate::text::printable(word.as_bytes()),
            }),
        }
    }

    /// The newest that is wanted; of those made in the same second, the manifests tell. One whose
    /// manifest cannot be read is not passed over in silence.
    fn latest(&self, ids: &[BackupId], wanted: impl Fn(&Manifest) -> bool) -> Option<BackupId> {
        let second = |id: &BackupId| id.as_str().split('-').next().map(str::to_owned);
        ids.chunk_by(|a, b| second(a) == second(b))
            .find_map(|of_one_second| {
                of_one_second
                    .iter()
                    .map(|id| (self.listed(id).ok(), id))
                    .filter(|(listed, _)| {
                        listed
                            .as_ref()
                            .is_none_or(|listed| wanted(&listed.manifest))
                    })
                    .max_by_key(|(listed, _)| listed.as_ref().map(|one| one.manifest.created))
                    .map(|(_, id)| id.clone())
            })
    }
}

/// The ids in a store's folders.
#[derive(Default)]
struct Names {
    /// Of the archives.
    archives: Vec<BackupId>,
    /// Of those that refer to another one's archive.
    references: Vec<BackupId>,
    /// Of the sums that have no archive.
    lost: Vec<BackupId>,
}

impl Names {
    fn read(&mut self, folder: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let (mut archives, mut sums) = (HashSet::new(), Vec::new());
        let mut unfinished = HashSet::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let id_before = |ending| name.strip_suffix(ending).and_then(BackupId::parse);
            if let Some(id) = id_before(".zip") {
                archives.insert(id);
            } else if let Some(id) = id_before(".ref.json") {
                self.references.push(id);
            } else if let Some(id) = id_before(".zip.sha256") {
                sums.push(id);
            } else {
                unfinished.extend(sweep::archive_of(name));
            }
        }
        // A sum comes before its archive: one that is being made, or whose maker was killed, is
        // not lost. It may also have come while the names were read.
        sums.retain(|id| {
            let archive = folder.join(format!("{id}.zip"));
            !archives.contains(id) && !unfinished.contains(id) && !archive.exists()
        });
        self.archives.extend(archives);
        self.lost.append(&mut sums);
        Ok(())
    }
}
