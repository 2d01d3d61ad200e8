//! The hook as a program, where Git starts such a one itself: `hooks/pre-commit.exe` of Git for
//! Windows, whose scripts need the `sh` that comes with it. It is gpuguard under another name, by
//! which it knows what it was started for.

use std::path::{Path, PathBuf};

use super::EVENTS;
use super::install::InstallError;
use super::shim::{Found, Written, cannot, is_ours};
use crate::sys::file;

/// The place of an event's hook as a program.
#[derive(Debug)]
pub(super) struct ProgramFile {
    pub(super) path: PathBuf,
}

impl ProgramFile {
    pub(super) fn in_folder(folder: &Path, event: &str) -> Self {
        Self {
            path: folder.join(format!("{event}.exe")),
        }
    }

    /// Whether Git would find something here.
    pub(super) fn is_there(&self) -> bool {
        super::STARTS_PROGRAMS && self.path.symlink_metadata().is_ok()
    }

    /// What is here now.
    pub(super) fn found(&self) -> Result<Found, InstallError> {
        if !self.is_there() {
            return Ok(Found::Nothing);
        }
        Ok(if is_ours(&self.content()?) {
            Found::Ours
        } else {
            Found::Foreign
        })
    }

    fn content(&self) -> Result<Vec<u8>, InstallError> {
        std::fs::read(&self.path).map_err(|source| cannot("read", &self.path, source))
    }

    /// Puts a copy of `program` here. It is large, so all events share one; not the program's own
    /// file, which Windows would keep from being taken away while it runs.
    pub(super) fn write(&self, program: &Path) -> Result<Written, InstallError> {
        let content = std::fs::read(program).map_err(|source| cannot("read", program, source))?;
        let written = match self.found()? {
            Found::Nothing => Written::New,
            Found::Ours if self.content()? == content => return Ok(Written::Unchanged),
            Found::Ours => Written::Updated,
            Found::Foreign => {
                return Err(InstallError::NotWired {
                    what: format!("`{}` is not gpuguard's", self.path.display()),
                });
            }
        };
        if written == Written::New
            && let Some(same) = self.same_of_other_event(&content)
            && file::link_new(&same, &self.path).is_ok()
        {
            return Ok(written);
        }
        file::write_executable(&self.path, &content)
            .map_err(|source| cannot("write", &self.path, source))?;
        Ok(written)
    }

    fn same_of_other_event(&self, content: &[u8]) -> Option<PathBuf> {
        let paths = EVENTS.map(|event| self.path.with_file_name(format!("{}.exe", event.name)));
        let mut others = paths.into_iter().filter(|path| *path != self.path);
        others.find(|path| std::fs::read(path).is_ok_and(|other| other == content))
    }

    /// Takes it away where it is gpuguard's; whether it was.
    pub(super) fn remove(&self) -> Result<bool, InstallError> {
        if self.found()? != Found::Ours {
            return Ok(false);
        }
        file::remove(&self.path).map_err(|source| cannot("remove", &self.path, source))?;
        Ok(true)
    }
}

/// Whether a file is a program of Windows (the PE format begins with `MZ`).
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|content| content.starts_with(b"MZ"))
}
