//! A backup whose content is that of an archive which is there already: `<id>.ref.json` instead
//! of an archive of its own. It says when and why it was made and whose content it has, and ends
//! with its own sum.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::archive::ContentSource;
use super::manifest::{self, Manifest, StoredPath};
use super::{
    BackupError, BackupId, BackupSummary, Damage, Entry, IndexSource, Listed, SnapshotEntry,
    SnapshotRequest, Store, Sum, Version, sweep,
};
use crate::git::{FileMode, RepoPath};
use crate::sys::clock::Timestamp;
use crate::sys::file::{self, PendingFile};

/// No reference comes near, unless very many paths were asked for and not found.
const LIMIT: u64 = 64 * 1024 * 1024;

/// The file of such a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference {
    version: u64,
    id: String,
    #[serde(
        serialize_with = "manifest::write_time",
        deserialize_with = "manifest::read_time"
    )]
    created: Timestamp,
    trigger: String,
    commit: Option<String>,
    branch: Option<String>,
    tool: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<StoredPath>,
    /// The backup whose archive holds the content.
    archive: String,
    archive_sha256: Sum,
    /// The sum of this file with zeros in the place of these digits.
    sha256: Sum,
}

impl Reference {
    fn to_json(&self) -> io::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    fn sum(&self) -> io::Result<Sum> {
        let without = Self {
            sha256: Sum::zeros(),
            ..self.clone()
        };
        Ok(Sum::of(&without.to_json()?))
    }

    /// Reads the file of the backup `id`; whatever is not what was written is refused.
    pub(super) fn from_json(id: &BackupId, json: &[u8]) -> Result<Self, BackupError> {
        let damaged = |reason: String| BackupError::Damaged {
            id: id.to_string(),
            damage: Damage::Reference(reason),
        };
        let version = manifest::version_of(json).map_err(damaged)?;
        if version != manifest::VERSION {
            return Err(BackupError::Newer {
                id: id.to_string(),
                version,
            });
        }
        let reference: Self =
            serde_json::from_slice(json).map_err(|error| damaged(error.to_string()))?;
        let written = reference.to_json().is_ok_and(|written| written == json)
            && reference.sum().is_ok_and(|sum| sum == reference.sha256);
        if !written {
            return Err(damaged("its sum is another one".to_owned()));
        }
        if reference.id != id.as_str() || BackupId::parse(&reference.archive).is_none() {
            return Err(damaged("it is that of another backup".to_owned()));
        }
        Ok(reference)
    }

    /// The manifest of the backup: its own words about the archive's content.
    pub(super) fn over(&self, content: Manifest) -> Manifest {
        Manifest {
            id: self.id.clone(),
            created: self.created,
            trigger: self.trigger.clone(),
            commit: self.commit.clone(),
            branch: self.branch.clone(),
            tool: self.tool.clone(),
            missing: self.missing.clone(),
            ..content
        }
    }

    /// The sum of the archive that was referred to.
    pub(super) fn archive_sum(&self) -> Sum {
        self.archive_sha256
    }
}

/// Where the content of a backup lies.
pub(super) struct Resolved {
    /// The backup whose archive it is: itself, or the one that it refers to.
    pub(super) archive: BackupId,
    pub(super) reference: Option<Reference>,
}

impl Store {
    pub(super) fn reference_path(&self, id: &BackupId) -> std::path::PathBuf {
        self.folder_of(id).join(format!("{id}.ref.json"))
    }

    /// Which archive has the content of a backup.
    pub(super) fn resolve(&self, id: &BackupId) -> Result<Resolved, BackupError> {
        let own = || Resolved {
            archive: id.clone(),
            reference: None,
        };
        let json = match file::read_at_most(&self.reference_path(id), LIMIT) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(own()),
            Err(error) => {
                return Err(BackupError::Damaged {
                    id: id.to_string(),
                    damage: Damage::Unreadable(error.to_string()),
                });
            }
        };
        let reference = Reference::from_json(id, &json)?;
        let archive = BackupId::parse(&reference.archive);
        Ok(Resolved {
            archive: archive.unwrap_or_else(|| id.clone()),
            reference: Some(reference),
        })
    }

    /// The backup whose archive has the content of this one, once what refers to it was found to
    /// be what was written, and to mean the archive that is there.
    pub fn archive_of(&self, id: &BackupId) -> Result<BackupId, BackupError> {
        let resolved = self.resolve(id)?;
        if let Some(reference) = &resolved.reference {
            let damage = if !self.archive_path(&resolved.archive).exists() {
                Damage::Gone
            } else if self.sidecar(&resolved.archive) != Some(reference.archive_sha256) {
                Damage::Reference("it means another archive than the one there".to_owned())
            } else {
                return Ok(resolved.archive);
            };
            return Err(BackupError::Damaged {
                id: id.to_string(),
                damage,
            });
        }
        Ok(resolved.archive)
    }

    /// Saves a snapshot as a reference, where its content is that of the newest backup; `None`
    /// where it is not, or that archive is not whole.
    pub(super) fn refer(
        &self,
        request: &SnapshotRequest,
        (id, now): (&BackupId, Timestamp),
    ) -> Result<Option<BackupSummary>, BackupError> {
        let Some(newest) = self.newest_with(request) else {
            return Ok(None);
        };
        let Some(sum) = self.whole_sum(&newest.archive) else {
            return Ok(None);
        };
        let mut reference = Reference {
            version: manifest::VERSION,
            id: id.to_string(),
            created: now,
            trigger: request.trigger.to_owned(),
            commit: request.head.commit.map(|commit| commit.to_string()),
            branch: request.head.branch.clone(),
            tool: manifest::TOOL.to_owned(),
            missing: request.missing.iter().map(StoredPath::new).collect(),
            archive: newest.archive.to_string(),
            archive_sha256: sum,
            sha256: Sum::zeros(),
        };
        let path = self.folder.join(format!("{id}.ref.json"));
        let unwritable = |source| BackupError::Unwritable {
            path: path.clone(),
            source,
        };
        reference.sha256 = reference.sum().map_err(unwritable)?;
        let json = reference.to_json().map_err(unwritable)?;
        let mut pending =
            PendingFile::create_named(&path, &sweep::prefix(id)).map_err(unwritable)?;
        pending.write_all(&json).map_err(unwritable)?;
        pending.commit_new().map_err(unwritable)?;
        Ok(Some(BackupSummary {
            id: id.to_string(),
            path: self.archive_path(&newest.archive),
            files: newest.manifest.files(),
        }))
    }

    /// The newest backup, if it holds exactly what is asked for.
    fn newest_with(&self, request: &SnapshotRequest) -> Option<Listed> {
        let newest = self.find("latest").ok()?;
        let listed = self.listed(&newest).ok()?;
        // Who chose another place wants the content there too.
        let here = listed.path.parent() == Some(&self.folder);
        (here && request.index == IndexSource::Left && holds(&listed.manifest, request))
            .then_some(listed)
    }

    /// The sum of an archive that still is what was written.
    fn whole_sum(&self, id: &BackupId) -> Option<Sum> {
        let expected = self.sidecar(id)?;
        let mut file = fs::File::open(self.archive_path(id)).ok()?;
        let found = Sum::of_reader(&mut file, &mut |_| ()).ok()?;
        (found == expected).then_some(found)
    }
}

/// Whether a backup holds exactly what a request asks for. What can be told without reading comes
/// first.
fn holds(manifest: &Manifest, request: &SnapshotRequest) -> bool {
    let absent =
        |all: &mut dyn Iterator<Item = (RepoPath, Version)>| -> BTreeSet<_> { all.collect() };
    let absent_then = absent(
        &mut manifest
            .absent
            .iter()
            .map(|absent| (absent.path.to_path(), absent.version)),
    );
    if manifest.index.is_some()
        || manifest.entries.len() != request.entries.len()
        || absent_then != absent(&mut request.absent.iter().cloned())
    {
        return false;
    }
    let saved: BTreeMap<(RepoPath, Version), &Entry> = manifest
        .entries
        .iter()
        .map(|entry| ((entry.path.to_path(), entry.version), entry))
        .collect();
    let mut pairs = Vec::with_capacity(request.entries.len());
    for asked in &request.entries {
        let Some(entry) = saved.get(&(asked.path.clone(), asked.version)) else {
            return false;
        };
        if entry.mode() != Some(asked.mode) || entry.size != asked.content.length() {
            return false;
        }
        pairs.push((*entry, asked));
    }
    pairs
        .par_iter()
        .all(|(entry, asked)| same_content(entry, asked).unwrap_or(false))
}

fn same_content(entry: &Entry, asked: &SnapshotEntry) -> io::Result<bool> {
    match &asked.content {
        ContentSource::Blob(id, _) if entry.blob().is_some() => Ok(entry.blob() == Some(*id)),
        ContentSource::Blob(..) => Ok(false),
        // Where it came from is part of what a manifest says.
        ContentSource::Bytes(_) | ContentSource::File(_) if entry.blob().is_some() => Ok(false),
        ContentSource::Bytes(bytes) => Ok(Sum::of(bytes) == entry.sha256),
        ContentSource::File(path) if asked.mode == FileMode::Symlink => {
            Ok(Sum::of(&file::link_target(path)?) == entry.sha256)
        }
        ContentSource::File(path) => {
            let mut opened = file::open_regular(path)?;
            let permissions = file::permission_bits(&opened.metadata()?);
            if permissions.is_some_and(|bits| !entry.has_permissions(bits)) {
                return Ok(false);
            }
            Ok(Sum::of_reader(&mut opened, &mut |_| ())? == entry.sha256)
        }
    }
}
