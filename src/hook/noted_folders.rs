//! The hooks folders that `install` wrote into, noted in the Git directory: `core.hooksPath` may say
//! another later, and a relative one means another folder in each working tree.

use std::io;
use std::path::{Path, PathBuf};

use super::hooks_folder::HooksFolder;
use crate::git::Repository;
use crate::sys::file;

/// No list comes near.
const MOST_BYTES: u64 = 1 << 20;

fn list(repository: &Repository) -> PathBuf {
    repository.common_dir().join("gpuguard").join("installed")
}

/// The folders, besides the usual one.
pub(super) fn noted_folders(repository: &Repository) -> Vec<PathBuf> {
    let content = file::read_at_most(&list(repository), MOST_BYTES).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let folders = text.lines().map(PathBuf::from);
    folders.filter(|folder| folder.is_absolute()).collect()
}

/// Notes a folder, once.
pub(super) fn note_folder(repository: &Repository, folder: &Path) -> io::Result<()> {
    let mut folders = noted_folders(repository);
    let is_known =
        *folder == HooksFolder::usual(repository) || folders.iter().any(|one| one == folder);
    let Some(name) = folder
        .to_str()
        .filter(|name| !is_known && !name.contains('\n'))
    else {
        return Ok(());
    };
    folders.push(PathBuf::from(name));
    let mut text = String::new();
    for folder in folders.iter().filter_map(|folder| folder.to_str()) {
        text.push_str(folder);
        text.push('\n');
    }
    let path = list(repository);
    if let Some(parent) = path.parent() {
        file::create_private_folder(parent)?;
    }
    file::write_atomic(&path, text.as_bytes())
}

/// Forgets all: nothing of ours is left in them.
pub(super) fn forget_folders(repository: &Repository) {
    let _ = file::remove(&list(repository));
}
