//! Many files made durable at once, before they get their names.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::super::fault::{Needs, point};
use super::sync_file;

/// A written file that is closed and still has its temporary name; dropping it removes it.
#[derive(Debug)]
pub struct WrittenFile {
    temporary: TempPath,
    target: PathBuf,
}

impl WrittenFile {
    pub(super) fn new(temporary: TempPath, target: PathBuf) -> Self {
        Self { temporary, target }
    }
}

/// Makes the contents of many files of one file system durable, then gives them their names one
/// after the other, as [`super::PendingFile::commit_new`] gives them; their folders are left to
/// [`super::sync_folder`]. Gives how many have their names, and what happened.
pub fn commit_all_new(files: Vec<WrittenFile>) -> (usize, io::Result<()>) {
    let paths: Vec<&Path> = files.iter().map(|file| &*file.temporary).collect();
    if let Err(error) = sync_together(&paths) {
        return (0, Err(error));
    }
    let mut named = 0;
    for file in files {
        let allowed = point("name", &file.target, Needs::Space);
        let result = allowed.and_then(|()| {
            let named = file.temporary.persist_noclobber(&file.target);
            named.map_err(|failed| failed.error)
        });
        if let Err(error) = result {
            return (named, Err(error));
        }
        named += 1;
    }
    (named, Ok(()))
}

/// Makes files of one file system durable. Many are synced at once where the system can do so
/// (syncfs(2)), else several at a time: the disk takes them together.
fn sync_together(files: &[&Path]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let [first, rest @ ..] = files
        && rest.len() >= MANY
    {
        point("sync", first, Needs::Space)?;
        return rustix::fs::syncfs(File::open(first)?).map_err(io::Error::from);
    }
    let share = files.len().div_ceil(AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let shares: Vec<_> = files
            .chunks(share)
            .map(|share| scope.spawn(|| share.iter().try_for_each(|file| sync_file(file))))
            .collect();
        shares.into_iter().try_for_each(|share| {
            let broken = |_| {
                Err(io::Error::other(
                    "a thread that wrote to the disk broke off",
                ))
            };
            share.join().unwrap_or_else(broken)
        })
    })
}

/// So many threads sync files at once: each waits for the disk and for nothing else.
const AT_ONCE: usize = 8;

/// From so many files on, one sync of the whole file system costs less.
#[cfg(target_os = "linux")]
const MANY: usize = 32;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::super::{PendingFile, create_new};
    use super::*;

    #[test]
    fn many_files_get_their_names_together_and_replace_nothing() {
        for count in [3, 100] {
            let folder = tempfile::tempdir().unwrap();
            let target = |number: usize| folder.path().join(number.to_string());
            let written = |number: usize| {
                let mut pending = PendingFile::create(&target(number)).unwrap();
                pending.file_mut().write_all(b"new").unwrap();
                pending.close()
            };
            let files: Vec<WrittenFile> = (0..count).map(written).collect();
            create_new(&target(count - 1), b"old").unwrap();
            let (named, result) = commit_all_new(files);
            assert_eq!(named, count - 1);
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(target(0)).unwrap(), b"new");
            assert_eq!(fs::read(target(count - 1)).unwrap(), b"old");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), count);
        }
    }
}
