//! A file that a person names for a result: whatever stands at that name, as a shell would write it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{PendingFile, parent_of};
use crate::sys::real_path::real_path;

/// A file for a result, taken before the work begins, so that it is known then whether it can be
/// written. Nothing stands at its name until it is finished.
#[derive(Debug)]
pub struct Output(Place);

#[derive(Debug)]
enum Place {
    /// A file, new or with new content, behind any links.
    File(PendingFile),
    /// A device, a pipe or the like, which stays what it is.
    Special(PathBuf),
}

impl Output {
    /// Takes a place. A new file can be read by whom the process's umask allows.
    ///
    /// # Errors
    /// A folder of that name, or a folder that is not there or not to be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let place = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if found.is_file() => {
                let pending = PendingFile::create(&real_path(path)?)?;
                super::set_permissions(pending.temporary_path(), found.permissions())?;
                Place::File(pending)
            }
            Ok(_) => Place::Special(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let target = match fs::read_link(path) {
                    // A link to nothing yet.
                    Ok(target) => parent_of(path).join(target),
                    Err(_) => path.to_owned(),
                };
                Place::File(PendingFile::create_shared(&target)?)
            }
            Err(error) => return Err(error),
        };
        Ok(Self(place))
    }

    /// Writes the result.
    pub fn finish(self, content: &[u8]) -> io::Result<()> {
        match self.0 {
            Place::File(mut pending) => {
                pending.write_all(content)?;
                pending.commit_replacing()
            }
            Place::Special(path) => OpenOptions::new()
                .write(true)
                .open(path)?
                .write_all(content),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "tests look at what was written")]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path, content: &str) -> io::Result<()> {
        Output::create(path)?.finish(content.as_bytes())
    }

    #[test]
    fn whatever_stands_there_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("new"), "1").unwrap();
        let mode = at("new").metadata().unwrap().permissions().mode();
        fs::write(at("as others are made"), "").unwrap();
        let others = at("as others are made").metadata().unwrap();
        assert_eq!(mode, others.permissions().mode());

        fs::set_permissions(at("new"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("new", at("link")).unwrap();
        write(&at("link"), "2").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("new")).unwrap(), b"2");
        let mode = at("new").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);

        symlink("later", at("to nothing")).unwrap();
        write(&at("to nothing"), "3").unwrap();
        assert_eq!(fs::read(at("later")).unwrap(), b"3");

        let null = Path::new("/dev/null");
        write(null, "4").unwrap();
        assert!(null.metadata().unwrap().file_type().is_char_device());
    }

    #[test]
    fn what_cannot_be_written_is_known_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Output::create(folder.path()).is_err());
        assert!(Output::create(&folder.path().join("none/file")).is_err());
        let given_up = Output::create(&folder.path().join("file")).unwrap();
        drop(given_up);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
