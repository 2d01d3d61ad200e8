//! Choosing what to restore, and writing it into a folder beside the working tree. Writing over
//! the user's files goes through `rollback`, which saves them first and can go back.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{
    BackupError, Collision, Entry, Manifest, NameFault, SafeName, VerifiedBackup, Version,
    collision,
};
use crate::git::{FileMode, RepoPath};
use crate::sys::file::{self, PendingFile, WrittenFile};
use crate::sys::name_folding::{NameFolding, name_folding};

impl Manifest {
    /// The entries to restore: one for each saved path, or for each path at or below one of
    /// `paths`. Without a version, what the working tree held, else what was staged, else what
    /// was there before.
    pub fn choose(
        &self,
        paths: &[RepoPath],
        version: Option<Version>,
    ) -> Result<Vec<Entry>, BackupError> {
        let mut chosen: Vec<Entry> = Vec::new();
        let mut met = vec![false; paths.len()];
        for entry in &self.entries {
            if version.is_some_and(|version| version != entry.version) {
                continue;
            }
            let path = entry.path.to_path();
            let mut wanted = paths.is_empty();
            for (asked, met) in paths.iter().zip(&mut met) {
                if path.is_at_or_below(asked) {
                    *met = true;
                    wanted = true;
                }
            }
            if wanted {
                chosen.push(entry.clone());
            }
        }
        if let Some((asked, _)) = paths.iter().zip(met).find(|(_, met)| !met) {
            return Err(BackupError::NotHeld {
                id: self.id.clone(),
                path: asked.to_string(),
                version,
            });
        }
        if let (Some(version), true) = (version, chosen.is_empty()) {
            return Err(BackupError::NoVersion {
                id: self.id.clone(),
                version,
            });
        }
        // The versions are ordered by how close to the working tree they are.
        chosen.sort_by(|a, b| (a.path.to_path(), b.version).cmp(&(b.path.to_path(), a.version)));
        chosen.dedup_by(|later, kept| later.path == kept.path);
        Ok(chosen)
    }
}

impl Manifest {
    /// What it holds under names that no restore writes, and why not. No backup that gpuguard
    /// made on a system of this kind holds any.
    pub fn refused(&self) -> Vec<(RepoPath, NameFault)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.path.to_path(), judge(entry).err()?)))
            .collect()
    }
}

/// A file that will be written, its name found harmless.
struct Target<'e> {
    entry: &'e Entry,
    file: PathBuf,
    mode: FileMode,
}

impl VerifiedBackup {
    /// Writes `entries` below `folder`, where none of them may exist yet. All targets are judged
    /// before the first byte is written. Gives how many files were written.
    pub fn restore_beside(
        &mut self,
        folder: &Path,
        entries: &[Entry],
    ) -> Result<usize, BackupError> {
        let mut targets = Vec::with_capacity(entries.len());
        let mut known = None;
        for entry in entries {
            targets.push(target(folder, entry, &mut known)?);
        }
        check_room_for_all(folder, &targets)?;
        // Links last: nothing is ever written through one.
        let (links, files): (Vec<_>, Vec<_>) = targets
            .iter()
            .partition(|target| target.mode == FileMode::Symlink);
        let mut written = 0;
        let result = self.write_files(folder, &files, &mut written);
        result
            .and_then(|()| self.write_links(folder, &links, &mut written))
            .and_then(|()| sync_folders(folder, &targets))
            .map_err(|source| BackupError::Halted {
                written,
                total: targets.len(),
                source: Box::new(source),
            })?;
        Ok(targets.len())
    }

    /// Writes files, many together under temporary names before they get theirs.
    fn write_files(
        &mut self,
        root: &Path,
        targets: &[&Target<'_>],
        written: &mut usize,
    ) -> Result<(), BackupError> {
        let mut known = None;
        for together in targets.chunks(TOGETHER) {
            let mut pending = Vec::with_capacity(together.len());
            let mut failed = Ok(());
            for target in together {
                match self.write(root, target, &mut known) {
                    Ok(file) => pending.push(file),
                    Err(error) => {
                        failed = Err(error);
                        break;
                    }
                }
            }
            // Also where one cannot be written: those before it are whole.
            let (named, result) = file::commit_all_new(pending);
            *written += named;
            if let Err(source) = result {
                let path = together.get(named).map(|target| target.file.clone());
                return Err(BackupError::Target {
                    path: path.unwrap_or_else(|| root.to_owned()),
                    source,
                });
            }
            failed?;
        }
        Ok(())
    }

    fn write_links(
        &mut self,
        root: &Path,
        targets: &[&Target<'_>],
        written: &mut usize,
    ) -> Result<(), BackupError> {
        for target in targets {
            prepare_place(root, target, &mut None)?;
            let content = self.content(target.entry)?;
            file::create_link(&target.file, &content).map_err(|source| BackupError::Target {
                path: target.file.clone(),
                source,
            })?;
            *written += 1;
        }
        Ok(())
    }

    fn write(
        &mut self,
        root: &Path,
        target: &Target<'_>,
        known: &mut Option<PathBuf>,
    ) -> Result<WrittenFile, BackupError> {
        let failed = |source: io::Error| BackupError::Target {
            path: target.file.clone(),
            source,
        };
        prepare_place(root, target, known)?;
        let mut pending = PendingFile::create(&target.file).map_err(failed)?;
        self.copy_into(target.entry, pending.file_mut(), &target.file)?;
        let bits = target.entry.permission_bits();
        pending.set_mode(bits).map_err(failed)?;
        Ok(pending.close())
    }
}

/// So many files are made durable and get their names together.
const TOGETHER: usize = 1024;

/// Makes the folders that a file is to lie in, none of them through a link; `known` is the folder
/// that was made for the last file.
fn prepare_place(
    root: &Path,
    target: &Target<'_>,
    known: &mut Option<PathBuf>,
) -> Result<(), BackupError> {
    let failed = |source: io::Error| BackupError::Target {
        path: target.file.clone(),
        source,
    };
    if let Some(parent) = target.file.parent()
        && known.as_deref() != Some(parent)
    {
        file::create_folder(parent).map_err(failed)?;
    }
    // Once more: a link may have appeared since all names were judged.
    SafeName::new(&target.entry.path.to_path())
        .and_then(|name| name.below_knowing(root, known))
        .map(drop)
        .map_err(|fault| failed(io::Error::new(io::ErrorKind::NotADirectory, fault)))
}

/// Makes the names durable, in all folders that hold one.
fn sync_folders(root: &Path, targets: &[Target<'_>]) -> Result<(), BackupError> {
    let folders: BTreeSet<&Path> = targets
        .iter()
        .flat_map(|target| {
            let folders = target.file.ancestors().skip(1);
            folders.take_while(|folder| folder.starts_with(root))
        })
        .collect();
    for folder in folders {
        file::sync_folder(folder).map_err(|source| BackupError::Target {
            path: folder.to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// Versions of different times do not always fit together: what was a file then may be a folder
/// now. And the file system may take for one what are two names elsewhere; it is asked only where
/// that matters.
fn check_room_for_all(root: &Path, targets: &[Target<'_>]) -> Result<(), BackupError> {
    let paths: Vec<RepoPath> = targets.iter().map(|it| it.entry.path.to_path()).collect();
    if collision(&paths, NameFolding::ALL).is_none() {
        return Ok(());
    }
    let folding = name_folding(root).map_err(|source| BackupError::Target {
        path: root.to_owned(),
        source,
    })?;
    match collision(&paths, folding) {
        None => Ok(()),
        Some(Collision::Same(first, second)) => Err(BackupError::Collide {
            first: first.to_string(),
            second: second.to_string(),
        }),
        Some(Collision::Below(file, below)) => Err(BackupError::Clash {
            file: file.to_string(),
            below: below.to_string(),
        }),
    }
}

fn unsafe_name(path: &RepoPath, reason: NameFault) -> BackupError {
    BackupError::UnsafeName {
        path: path.to_string(),
        reason,
    }
}

/// What kind of file an entry is, where it may be written at all.
fn judge(entry: &Entry) -> Result<(SafeName, FileMode), NameFault> {
    let path = entry.path.to_path();
    let name = SafeName::new(&path)?;
    let mode = match entry.mode() {
        Some(mode) if mode.is_file() || mode == FileMode::Symlink => mode,
        _ => return Err(NameFault::Submodule),
    };
    let through_git = entry.version != Version::Worktree;
    let modules = path.file_name().eq_ignore_ascii_case(b".gitmodules");
    if through_git && mode == FileMode::Symlink && modules {
        return Err(NameFault::LinkedModules);
    }
    Ok((name, mode))
}

fn target<'e>(
    folder: &Path,
    entry: &'e Entry,
    known: &mut Option<PathBuf>,
) -> Result<Target<'e>, BackupError> {
    let refused = |reason| unsafe_name(&entry.path.to_path(), reason);
    let (name, mode) = judge(entry).map_err(refused)?;
    let file = name.below_knowing(folder, known).map_err(refused)?;
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: file });
    }
    Ok(Target { entry, file, mode })
}
