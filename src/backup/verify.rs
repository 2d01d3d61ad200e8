//! The proof that an archive still is what was written. Nothing else makes a
//! [`VerifiedBackup`], and nothing else can be restored.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;

use super::archive::{self, MANIFEST, Reader};
use super::store::{self, MANIFEST_LIMIT};
use super::{BackupError, BackupId, Damage, Entry, Manifest, SavedIndex, Store, Sum, sweep};
use crate::git::FileMode;
use crate::sys::fault::{Needs, point};
use crate::sys::file;
use crate::sys::lock::FileLock;

/// A backup whose every byte was just found to be what was written.
#[derive(Debug)]
pub struct VerifiedBackup {
    manifest: Manifest,
    archive: Reader,
    /// As long as it is held, no backup is removed.
    _reading: Option<FileLock>,
}

impl Store {
    /// Reads a whole backup and compares it with its sums; `step` hears of each piece read.
    pub fn verify(
        &self,
        id: &BackupId,
        step: &mut dyn FnMut(u64),
    ) -> Result<VerifiedBackup, BackupError> {
        let damaged = |damage| BackupError::Damaged {
            id: id.to_string(),
            damage,
        };
        let reading = sweep::read(self.folder_of(id));
        let resolved = self.resolve(id)?;
        let path = self.archive_path(&resolved.archive);
        let mut file = store::open_archive(&path).map_err(damaged)?;
        let expected = self.sidecar(&resolved.archive);
        let expected = expected.ok_or_else(|| damaged(Damage::Sidecar))?;
        if let Some(reference) = &resolved.reference
            && reference.archive_sum() != expected
        {
            let reason = "it means another archive than the one there".to_owned();
            return Err(damaged(Damage::Reference(reason)));
        }
        let unreadable = |error: io::Error| damaged(Damage::Unreadable(error.to_string()));
        if Sum::of_reader(&mut file, step).map_err(unreadable)? != expected {
            return Err(damaged(Damage::Sum));
        }
        let mut archive = open_whole(file).map_err(damaged)?;
        let json = archive::read_member(&mut archive, MANIFEST, MANIFEST_LIMIT)
            .map_err(|error| damaged(Damage::Manifest(error.to_string())))?;
        let mut manifest = Manifest::from_json(resolved.archive.as_str(), &json)?;
        check_members(&mut archive, &manifest, step).map_err(damaged)?;
        if let Some(reference) = &resolved.reference {
            manifest = reference.over(manifest);
        }
        Ok(VerifiedBackup {
            manifest,
            archive,
            _reading: reading,
        })
    }
}

/// Opens an archive that has nothing before it, nothing behind it and says the same everywhere.
fn open_whole(mut file: File) -> Result<Reader, Damage> {
    let broken = |reason: &str| Damage::Archive(reason.to_owned());
    // The end record without a comment; anything behind it would push it away from the end.
    let mut end = [0; 22];
    file.seek(SeekFrom::End(-22))
        .and_then(|_| file.read_exact(&mut end))
        .map_err(|_| broken("too short"))?;
    if !end.starts_with(b"PK\x05\x06") || end[20..] != [0, 0] {
        return Err(broken("its end is missing"));
    }
    let mut archive = archive::open(file).map_err(|error| Damage::Archive(error.to_string()))?;
    if archive.offset() != 0 {
        return Err(broken("something stands before it"));
    }
    if archive.has_duplicate_names() {
        return Err(broken("a name appears twice"));
    }
    archive
        .validate_header_consistency()
        .map_err(|error| Damage::Archive(error.to_string()))?;
    Ok(archive)
}

/// Holds every member against the manifest and the manifest against the members.
fn check_members(
    archive: &mut Reader,
    manifest: &Manifest,
    step: &mut dyn FnMut(u64),
) -> Result<(), Damage> {
    let mut expected: HashMap<&str, (u64, Sum)> = HashMap::new();
    let index = match &manifest.index {
        Some(SavedIndex::Saved {
            member,
            size,
            sha256,
        }) => Some((member.as_str(), *size, *sha256)),
        Some(SavedIndex::Absent) | None => None,
    };
    let files = manifest
        .entries
        .iter()
        .map(|entry| (entry.member.as_str(), entry.size, entry.sha256));
    for (member, size, sum) in files.chain(index) {
        if member == MANIFEST || expected.insert(member, (size, sum)).is_some() {
            return Err(Damage::Manifest(format!(
                "it names `{}` twice",
                shown(member)
            )));
        }
    }
    let mut versions = HashSet::new();
    for entry in &manifest.entries {
        if !versions.insert((&entry.path, entry.version)) {
            return Err(Damage::Manifest("it names a path twice".to_owned()));
        }
        if entry.mode().is_none() {
            return Err(Damage::Manifest(
                "it holds a mode Git does not know".to_owned(),
            ));
        }
    }
    for name in archive.file_names_raw() {
        let known = std::str::from_utf8(name)
            .is_ok_and(|name| name == MANIFEST || expected.contains_key(name));
        if !known {
            return Err(Damage::Unlisted(crate::text::printable(name)));
        }
    }
    let mut members: Vec<Member<'_>> = Vec::with_capacity(expected.len());
    for (name, (size, sum)) in expected {
        let place = archive.index_for_name(name);
        let place = place.ok_or_else(|| Damage::Missing(shown(name)))?;
        members.push(Member {
            name,
            size,
            sum,
            place,
        });
    }
    // In the order in which they lie there.
    members.sort_unstable_by_key(|member| member.place);
    let work: Vec<&[Member<'_>]> = members.chunks(TOGETHER).collect();
    for round in work.chunks(rayon::current_num_threads().max(1) * 2) {
        let results: Vec<Result<u64, Damage>> = match round {
            [few] => vec![check_contents(&mut archive.clone(), few)],
            many => many
                .par_iter()
                .map(|members| check_contents(&mut archive.clone(), members))
                .collect(),
        };
        for read in results {
            step(read?);
        }
    }
    Ok(())
}

/// So many members are read by one thread before the next.
const TOGETHER: usize = 64;

/// A member as the manifest has it, and its place in the archive.
struct Member<'m> {
    name: &'m str,
    size: u64,
    sum: Sum,
    place: usize,
}

/// Reads members and compares them; gives how many bytes of the archive that were.
fn check_contents(archive: &mut Reader, members: &[Member<'_>]) -> Result<u64, Damage> {
    let mut read = 0_u64;
    for member in members {
        let damage = || Damage::Content(shown(member.name));
        let compressed = archive
            .by_index_raw(member.place)
            .map_err(|_| damage())?
            .compressed_size();
        if member.size > compressed.saturating_mul(MOST_DEFLATED).saturating_add(64) {
            return Err(damage());
        }
        match archive::copy_member(archive, member.name, member.size, &mut |_| Ok(())) {
            Ok(Some(found)) if found == member.sum => {}
            _ => return Err(damage()),
        }
        read = read.saturating_add(compressed);
    }
    Ok(read)
}

/// A byte of deflated data becomes at most 1032 (zlib's "Maximum Compression Factor"); who says
/// more is not believed, and nothing is unpacked to find out.
const MOST_DEFLATED: u64 = 1040;

fn shown(member: &str) -> String {
    crate::text::printable(member.as_bytes())
}

impl VerifiedBackup {
    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Makes the new file or link `target` as one was saved, with its permissions.
    pub fn unpack(&mut self, entry: &Entry, target: &Path) -> Result<(), BackupError> {
        let failed = |source| BackupError::Target {
            path: target.to_owned(),
            source,
        };
        if entry.mode() == Some(FileMode::Symlink) {
            let content = self.content(entry)?;
            return file::create_link(target, &content).map_err(failed);
        }
        self.copy_to(entry, target)?;
        file::set_mode(target, entry.permission_bits()).map_err(failed)
    }

    /// Writes one saved file's bytes to the new file `target`. They are compared once more: the
    /// archive may have been overwritten in place since it was verified.
    pub fn copy_to(&mut self, entry: &Entry, target: &Path) -> Result<(), BackupError> {
        self.copy(&entry.member, (entry.size, entry.sha256), target)
    }

    /// Writes the saved index file's bytes to the new file `target`; `false` where none is saved.
    pub fn copy_index_to(&mut self, target: &Path) -> Result<bool, BackupError> {
        let Some(SavedIndex::Saved {
            member,
            size,
            sha256,
        }) = self.manifest.index.clone()
        else {
            return Ok(false);
        };
        self.copy(&member, (size, sha256), target).map(|()| true)
    }

    /// Writes one saved file's bytes to an open file.
    pub(super) fn copy_into(
        &mut self,
        entry: &Entry,
        output: &mut File,
        target: &Path,
    ) -> Result<(), BackupError> {
        let failed = |source| BackupError::Target {
            path: target.to_owned(),
            source,
        };
        self.copy_open(&entry.member, (entry.size, entry.sha256), output)
            .map_err(failed)?
    }

    fn copy(&mut self, member: &str, wanted: (u64, Sum), target: &Path) -> Result<(), BackupError> {
        let failed = |source| BackupError::Target {
            path: target.to_owned(),
            source,
        };
        let mut output = file::open_new(target).map_err(failed)?;
        self.copy_open(member, wanted, &mut output)
            .map_err(failed)?
    }

    fn copy_open(
        &mut self,
        member: &str,
        (size, sum): (u64, Sum),
        output: &mut File,
    ) -> io::Result<Result<(), BackupError>> {
        use std::io::Write as _;
        let copied = archive::copy_member(&mut self.archive, member, size, &mut |piece| {
            point("write", Path::new(member), Needs::Space)?;
            output.write_all(piece)
        })?;
        if copied == Some(sum) {
            return Ok(Ok(()));
        }
        Ok(Err(BackupError::Damaged {
            id: self.manifest.id.clone(),
            damage: Damage::Content(shown(member)),
        }))
    }

    /// One saved file's bytes in memory.
    pub fn content(&mut self, entry: &Entry) -> Result<Vec<u8>, BackupError> {
        let damage = || BackupError::Damaged {
            id: self.manifest.id.clone(),
            damage: Damage::Content(shown(&entry.member)),
        };
        let content = archive::read_member(&mut self.archive, &entry.member, entry.size)
            .map_err(|_| damage())?;
        if Sum::of(&content) == entry.sha256 {
            Ok(content)
        } else {
            Err(damage())
        }
    }
}
