//! What killed runs left in a store: temporaries that nobody will finish.
//!
//! Who writes to the store holds a shared lock for as long. Whoever gets that lock alone knows
//! that no temporary in the store has an owner left; age would only guess.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BackupId;
use crate::sys::file;
use crate::sys::lock::FileLock;

/// A sweep takes milliseconds; who waits longer goes on without the lock.
const PATIENCE: Duration = Duration::from_secs(2);
const PREFIX: &str = ".gpuguard-";
const SUFFIX: &str = ".tmp";

/// How the temporary of an archive begins.
pub(super) fn prefix(id: &BackupId) -> String {
    format!("{PREFIX}{id}-")
}

/// Whether a name in the store is that of a temporary.
fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The archive that a temporary was to become, where its name tells.
pub(super) fn archive_of(name: &str) -> Option<BackupId> {
    let rest = name.strip_suffix(SUFFIX)?.strip_prefix(PREFIX)?;
    BackupId::parse(rest.rsplit_once('-')?.0)
}

/// Removes what killed runs left in `folder`, unless another run writes there now, and gives the
/// lock to hold while writing. `None` where the file system has no locks: then nothing is swept.
pub(super) fn enter(folder: &Path) -> Option<FileLock> {
    let lock = lock_beside(folder, ".lock");
    if let Ok(alone) = FileLock::acquire(&lock, Duration::ZERO) {
        // What cannot be removed now is tried again the next time.
        let _ = sweep(folder);
        drop(alone);
    }
    FileLock::acquire_shared(&lock, PATIENCE).ok()
}

/// The lock to hold while backups are read that must not go meanwhile.
pub(super) fn read(folder: &Path) -> Option<FileLock> {
    FileLock::acquire_shared(&lock_beside(folder, ".lock"), PATIENCE).ok()
}

/// The lock under which backups are removed: nobody else writes or reads then.
pub(super) fn alone(folder: &Path, patience: Duration) -> io::Result<FileLock> {
    FileLock::acquire(&lock_beside(folder, ".lock"), patience)
}

/// The lock of who decides what is removed: what one keeps because another copy stays must not
/// lose that copy to the next.
pub(super) fn deciding(home: &Path, patience: Duration) -> io::Result<FileLock> {
    // One for all folders that a repository has backups in.
    file::create_private_folder(home)?;
    FileLock::acquire(&home.join("backups.prune.lock"), patience)
}

/// Beside the folder, which holds nothing but backups.
fn lock_beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The name of an archive on its way out: that of a temporary, so that a killed prune is
/// finished by the next sweep, and its sum is not taken for that of a lost archive.
pub(super) fn outgoing(folder: &Path, id: &BackupId) -> PathBuf {
    folder.join(format!("{}pruned{SUFFIX}", prefix(id)))
}

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_temporary(name)) else {
            continue;
        };
        if !entry.file_type()?.is_file() {
            continue;
        }
        // The sum is written just before the archive gets its name. It goes first: while the
        // temporary lies there, it is known to be the sum of no archive.
        if let Some(id) = archive_of(name)
            && !folder.join(format!("{id}.zip")).exists()
        {
            for ending in ["zip.sha256", "verdict.json"] {
                match file::remove(&folder.join(format!("{id}.{ending}"))) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        file::remove(&entry.path())?;
    }
    Ok(())
}
