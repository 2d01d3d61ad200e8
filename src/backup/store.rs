//! Where backups lie: one folder for all working trees of a repository, `<id>.zip` beside
//! `<id>.zip.sha256`. Archives are added, never changed.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use super::archive::{ArchiveWriter, ContentSource, MANIFEST, WriteFault};
use super::manifest::{self, Absence, Entry, Manifest, SavedIndex, StoredPath};
use super::pack::{self, Source, Summing};
use super::{BackupError, BackupSummary, Damage, IndexSource, SnapshotRequest, Sum, sweep};
use crate::git::FileMode;
use crate::sys::clock::Timestamp;
use crate::sys::file::{self, PendingFile};

/// Archives up to this size are made in memory: one write, and no second reading for the sum.
const IN_MEMORY: u64 = 8 * 1024 * 1024;
/// No manifest of a real backup comes near.
pub(super) const MANIFEST_LIMIT: u64 = 256 * 1024 * 1024;

/// The name of a backup: the second it was made, and eight digits of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(String);

impl BackupId {
    /// How many characters an id has.
    pub const LENGTH: usize = 25;

    /// Reads an id such as `20261123T180102Z-0a1b2c3d`.
    pub fn parse(text: &str) -> Option<Self> {
        const FORM: &[u8; BackupId::LENGTH] = b"00000000T000000Z-xxxxxxxx";
        let fits = text.len() == FORM.len()
            && text.bytes().zip(FORM).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
                other => byte == *other,
            });
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether a word can be meant as a backup: `latest`, or the beginning of an id with the day
    /// and more, which no object id of Git looks like.
    pub fn may_begin(word: &str) -> bool {
        let is_day = word.len() > 8 && word.bytes().take(8).all(|byte| byte.is_ascii_digit());
        word == "latest" || (is_day && word.as_bytes()[8] == b'T')
    }

    /// The second it was made; `None` where the digits are no time.
    pub fn created(&self) -> Option<Timestamp> {
        let (second, _) = self.0.split_once('-')?;
        second.parse().ok()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of a repository's backups.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where new backups lie.
    pub(super) folder: PathBuf,
    /// Where earlier ones lie.
    pub(super) earlier: Vec<PathBuf>,
    /// What is gpuguard's in the common Git directory.
    pub(super) home: PathBuf,
}

impl Store {
    /// Where new archives lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the archive of a backup lies.
    pub fn archive_path(&self, id: &BackupId) -> PathBuf {
        self.folder_of(id).join(format!("{id}.zip"))
    }

    /// Where its sum lies.
    pub fn sidecar_path(&self, id: &BackupId) -> PathBuf {
        self.folder_of(id).join(format!("{id}.zip.sha256"))
    }

    /// Saves a snapshot. Either a whole archive with its sum appears, or nothing does; where the
    /// newest backup has the same content already, what appears may be a reference to that.
    pub fn create(
        &self,
        request: &SnapshotRequest,
        now: Timestamp,
    ) -> Result<BackupSummary, BackupError> {
        file::create_private_folder(&self.folder)
            .and_then(|()| self.remember())
            .map_err(|source| BackupError::Store {
                path: self.folder.clone(),
                source,
            })?;
        let writing = sweep::enter(&self.folder);
        loop {
            let id = new_id(request, now);
            // Without the lock, that archive could be removed meanwhile.
            if request.may_refer
                && writing.is_some()
                && let Some(summary) = self.refer(request, (&id, now))?
            {
                return Ok(summary);
            }
            let path = self.archive_path(&id);
            match self.write(request, now, &id) {
                // Another backup of this very second has the same eight digits.
                Err(BackupError::Unwritable { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists && path.exists() => {}
                Err(error) => return Err(error),
                Ok(files) => {
                    return Ok(BackupSummary {
                        id: id.to_string(),
                        path,
                        files,
                    });
                }
            }
        }
    }

    fn write(
        &self,
        request: &SnapshotRequest,
        now: Timestamp,
        id: &BackupId,
    ) -> Result<usize, BackupError> {
        let path = self.archive_path(id);
        let unwritable = |source| BackupError::Unwritable {
            path: path.clone(),
            source,
        };
        let mut pending =
            PendingFile::create_named(&path, &sweep::prefix(id)).map_err(unwritable)?;
        let lengths = request.entries.iter().map(|entry| entry.content.length());
        let lengths: Vec<u64> = lengths.collect();
        let expected = lengths.iter().copied().fold(0, u64::saturating_add);
        let request = (request, &lengths[..]);
        let (files, sum) = if expected <= IN_MEMORY {
            let (output, files) =
                write_archive(Cursor::new(Vec::new()), request, (id, now), &path)?;
            let bytes = output.into_inner();
            pending.write_all(&bytes).map_err(unwritable)?;
            (files, Sum::of(&bytes))
        } else {
            let handle = pending.writer().map_err(unwritable)?;
            let output = io::BufWriter::with_capacity(256 * 1024, handle);
            let output = Summing::new(output);
            let (output, files) = write_archive(output, request, (id, now), &path)?;
            let (_, sum) = output.finish().map_err(unwritable)?;
            let read_again = || {
                let mut written = File::open(pending.temporary_path())?;
                Sum::of_reader(&mut written, &mut |_| ())
            };
            let sum = sum.map_or_else(read_again, Ok).map_err(unwritable)?;
            (files, sum)
        };
        // The sum first: an archive under its final name always has one.
        let sidecar = self.sidecar_path(id);
        let line = sidecar_line(id, sum);
        file::create_new(&sidecar, line.as_bytes()).map_err(|source| {
            // A sum cut short by a full disk is worth nothing.
            if source.kind() != io::ErrorKind::AlreadyExists {
                let _ = file::remove(&sidecar);
            }
            unwritable(source)
        })?;
        pending.commit_new().map_err(|source| {
            // One that could not be removed again is whole, and keeps its sum.
            if source.kind() == io::ErrorKind::AlreadyExists || !path.exists() {
                let _ = file::remove(&sidecar);
            }
            unwritable(source)
        })?;
        Ok(files)
    }
}

/// Opens an archive for reading.
pub(super) fn open_archive(path: &Path) -> Result<File, Damage> {
    file::open_regular(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Damage::Gone,
        _ => Damage::Unreadable(error.to_string()),
    })
}

/// The line that `sha256sum -c` reads.
pub(super) fn sidecar_line(id: &BackupId, sum: Sum) -> String {
    format!("{sum}  {id}.zip\n")
}

fn new_id(request: &SnapshotRequest, now: Timestamp) -> BackupId {
    let mut hasher = super::digest::Hasher::default();
    hasher.update(&fastrand::u128(..).to_le_bytes());
    hasher.update(&now.as_nanosecond().to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    for entry in &request.entries {
        hasher.update(entry.path.as_bytes());
    }
    let digits = hasher.finish().to_string();
    let second = now.strftime("%Y%m%dT%H%M%SZ");
    BackupId(format!("{second}-{}", &digits[..8]))
}

/// Writes members and manifest to `output`; `path` is only for messages.
fn write_archive<W: Write + io::Seek>(
    output: W,
    (request, lengths): (&SnapshotRequest, &[u64]),
    (id, now): (&BackupId, Timestamp),
    path: &Path,
) -> Result<(W, usize), BackupError> {
    let mut archive = ArchiveWriter::new(output);
    let failed = |fault: WriteFault, name: String| BackupError::of_write(fault, name, path);
    let mut sources: Vec<_> = request
        .entries
        .iter()
        .zip(lengths)
        .map(|(entry, length)| {
            let record = Entry::new(&entry.path, entry.version, entry.mode);
            (record, entry, *length)
        })
        .collect();
    sources.sort_by(|a, b| a.0.member.cmp(&b.0.member));
    let to_add: Vec<Source<'_>> = sources
        .iter()
        .map(|(record, entry, length)| Source {
            member: &record.member,
            mode: entry.mode,
            content: &entry.content,
            length: *length,
        })
        .collect();
    let all_written = pack::add_all(&mut archive, &to_add).map_err(|(place, fault)| {
        let source = sources.get(place);
        let name = source.map(|(record, ..)| record.path.to_path().to_string());
        failed(fault, name.unwrap_or_default())
    })?;
    let mut entries = Vec::with_capacity(sources.len());
    for ((mut record, entry, _), written) in sources.into_iter().zip(all_written) {
        record.size = written.size;
        record.sha256 = written.sha256;
        record.set_blob(entry.content.blob());
        record.set_permissions(written.permissions);
        entries.push(record);
    }
    let index = match &request.index {
        IndexSource::Left => None,
        IndexSource::Absent => Some(SavedIndex::Absent),
        IndexSource::File(file) => {
            let content = ContentSource::File(file.clone());
            let written = archive
                .add(INDEX, FileMode::Regular, &content)
                .map_err(|fault| failed(fault, file.display().to_string()))?;
            Some(SavedIndex::Saved {
                member: INDEX.to_owned(),
                size: written.size,
                sha256: written.sha256,
            })
        }
    };
    let manifest = Manifest {
        version: manifest::VERSION,
        id: id.to_string(),
        created: now,
        trigger: request.trigger.to_owned(),
        commit: request.head.commit.map(|commit| commit.to_string()),
        branch: request.head.branch.clone(),
        tool: manifest::TOOL.to_owned(),
        entries,
        absent: request
            .absent
            .iter()
            .map(|(path, version)| Absence {
                path: StoredPath::new(path),
                version: *version,
            })
            .collect(),
        missing: request.missing.iter().map(StoredPath::new).collect(),
        index,
    };
    let unwritable = |source: io::Error| failed(WriteFault::Archive(source), String::new());
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|error| unwritable(error.into()))?;
    json.push(b'\n');
    if json.len() as u64 > MANIFEST_LIMIT {
        // It could not be read again.
        return Err(unwritable(io::ErrorKind::FileTooLarge.into()));
    }
    archive
        .add(MANIFEST, FileMode::Regular, &json.into())
        .map_err(|fault| failed(fault, MANIFEST.to_owned()))?;
    Ok((archive.finish().map_err(unwritable)?, manifest.files()))
}

/// Name of Git's index file in the archive.
const INDEX: &str = "index";
