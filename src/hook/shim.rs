//! The hook file for Gits that know no hooks in the configuration: `hooks/hook.sh` with the
//! program's path and the event filled in, and the hook that was there before kept beside it. On
//! Windows, where no hook has to run before it, the program itself under the event's name: Git
//! starts that without its `sh`.

use std::io;
use std::path::{Path, PathBuf};

use super::hook_manager::Manager;
use super::install::InstallError;
use super::program_file::{self, ProgramFile};
use crate::sys::file;

/// The hook file, with placeholders where the program's path and the event go.
const TEMPLATE: &str = include_str!("../../hooks/hook.sh");
const PROGRAM: &str = "'@PROGRAM@'";
const EVENT: &str = "'@EVENT@'";
/// A line that only hook files of gpuguard have, of whatever version.
pub(super) const ID: &[u8] = b"# gpuguard-hook-id: 5f0c2d";

/// The last line where the folder was made for the hook file, and goes with it.
const MADE_FOLDER: &str = "# gpuguard made this folder.\n";

/// Hook files are shorter.
const MOST_BYTES: u64 = 1 << 20;

/// What lies at the place of the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A hook file of gpuguard.
    Ours,
    /// Somebody else's hook: a file or a symbolic link, perhaps a broken one.
    Foreign,
}

/// The place of an event's hook in one hooks folder.
#[derive(Debug)]
pub(super) struct HookFile {
    /// Git's name for the event.
    event: &'static str,
    /// The file Git starts.
    pub(super) path: PathBuf,
    /// Where the hook that was there before is kept.
    pub(super) previous: PathBuf,
    /// Where a hook file of ours is kept that somebody edited; nothing runs it.
    edited: PathBuf,
    /// The same hook as a program. Git takes the file without an ending first.
    program: ProgramFile,
}

/// What writing the hook file changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    New,
    Updated,
    Unchanged,
}

impl HookFile {
    pub(super) fn in_folder(folder: &Path, event: &'static str) -> Self {
        Self {
            event,
            path: folder.join(event),
            previous: folder.join(format!("{event}.gpuguard-previous")),
            edited: folder.join(format!("{event}.gpuguard-edited")),
            program: ProgramFile::in_folder(folder, event),
        }
    }

    /// The file that Git starts, of those that may be here.
    pub(super) fn started(&self) -> &Path {
        let is_script = self.path.symlink_metadata().is_ok();
        if !is_script && self.program.is_there() {
            &self.program.path
        } else {
            &self.path
        }
    }

    /// What is at the hook's place now.
    pub(super) fn found(&self) -> Result<Found, InstallError> {
        let metadata = match self.path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if absent(&error) => return self.program.found(),
            Err(source) => return Err(cannot("read", &self.path, source)),
        };
        // A link is kept as it is, wherever it leads: its target is not ours to replace.
        if metadata.is_symlink() {
            return Ok(Found::Foreign);
        }
        if !metadata.is_file() {
            return Err(InstallError::NotAFile {
                path: self.path.clone(),
            });
        }
        let content =
            std::fs::read(&self.path).map_err(|source| cannot("read", &self.path, source))?;
        Ok(if is_ours(&content) {
            Found::Ours
        } else {
            Found::Foreign
        })
    }

    /// Whether the hook file can be put here.
    pub(super) fn check(&self) -> Result<(), InstallError> {
        // Whoever put a hook over ours may call ours from it: do not guess.
        if self.found()? == Found::Foreign && self.has_previous() && !self.is_same_again() {
            return Err(InstallError::PreviousInTheWay {
                hook: self.path.clone(),
                previous: self.previous.clone(),
            });
        }
        Ok(())
    }

    /// Whether the hook here is the one that is kept, written again by its manager.
    fn is_same_again(&self) -> bool {
        let read = |path: &Path| file::read_at_most(path, MOST_BYTES).ok();
        let (Some(here), Some(kept)) = (read(&self.path), read(&self.previous)) else {
            return false;
        };
        here == kept
            || manager_of(&self.path).is_some_and(|here| manager_of(&self.previous) == Some(here))
    }

    /// Gives the kept hook another name where the one that takes its place differs: someone may
    /// have written into it, whoever made it.
    fn keep_other_previous(&self) -> io::Result<()> {
        let read = |path: &Path| file::read_at_most(path, MOST_BYTES).ok();
        if !self.has_previous() || read(&self.path) == read(&self.previous) {
            return Ok(());
        }
        for number in 2..=u32::MAX {
            let mut name = self.previous.clone().into_os_string();
            name.push(format!("-{number}"));
            let kept = PathBuf::from(name);
            if kept.symlink_metadata().is_err() {
                return file::rename(&self.previous, &kept);
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Removes hook files of ours that a manager moved aside when it wrote its own, and may start
    /// from there; gives their places. Another program's hook may not do without. Lines of somebody
    /// else's are kept, and `warnings` says where.
    pub(super) fn remove_moved_aside(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<PathBuf>, InstallError> {
        let mut removed = Vec::new();
        if manager_of(&self.path)
            .or(manager_of(&self.previous))
            .is_none()
        {
            return Ok(removed);
        }
        // pre-commit and prek call it the one, lefthook the other.
        for ending in ["legacy", "old"] {
            let path = self.path.with_file_name(format!("{}.{ending}", self.event));
            let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
            let content = is_file.then(|| file::read_at_most(&path, MOST_BYTES).ok());
            if content.flatten().is_some_and(|content| is_ours(&content)) {
                warnings.extend(self.keep_edited_file(&path)?);
                file::remove(&path).map_err(|source| cannot("remove", &path, source))?;
                removed.push(path);
            }
        }
        Ok(removed)
    }

    /// Whether an earlier hook is kept.
    pub(super) fn has_previous(&self) -> bool {
        self.previous.symlink_metadata().is_ok()
    }

    /// Whether there is a hook of somebody else that Git runs, or ran before ours took its place.
    pub(super) fn has_active_other(&self) -> Result<bool, InstallError> {
        let other = match self.found()? {
            Found::Foreign => self.started(),
            Found::Ours | Found::Nothing => &self.previous,
        };
        Ok(file::is_executable(other))
    }

    /// Copies a hook file of ours that is not as we write it, because it is about to go: lines of
    /// somebody else's may be in it. Gives a line to tell.
    pub(super) fn keep_edited(&self) -> Result<Option<String>, InstallError> {
        match self.found()? {
            Found::Ours if self.started() == self.path => self.keep_edited_file(&self.path),
            Found::Ours | Found::Nothing | Found::Foreign => Ok(None),
        }
    }

    /// The same for a hook file of ours that lies somewhere else. What was kept before stays.
    fn keep_edited_file(&self, path: &Path) -> Result<Option<String>, InstallError> {
        let content = std::fs::read(path).map_err(|source| cannot("read", path, source))?;
        if is_as_written(&content, self.event) {
            return Ok(None);
        }
        let mut kept = self.edited.clone();
        for number in 2..=u32::MAX {
            match std::fs::read(&kept) {
                Ok(there) if there == content => break,
                Err(error) if absent(&error) => {
                    file::write_atomic(&kept, &content)
                        .map_err(|source| cannot("write", &kept, source))?;
                    break;
                }
                Ok(_) | Err(_) => {
                    let mut name = self.edited.clone().into_os_string();
                    name.push(format!("-{number}"));
                    kept = PathBuf::from(name);
                }
            }
        }
        Ok(Some(format!(
            "`{}` was not as this version writes it; what it held is kept as `{}`, which nothing \
             runs",
            path.display(),
            kept.display()
        )))
    }

    /// Whether the hook file is one of ours, executable, and as this version writes it.
    pub(super) fn is_as_written(&self) -> bool {
        if self.started() != self.path {
            return self.program.found().is_ok_and(|found| found == Found::Ours);
        }
        let content = file::read_at_most(&self.path, MOST_BYTES).unwrap_or_default();
        file::is_executable(&self.path) && is_as_written(&content, self.event)
    }

    /// Our hook file under the name that pre-commit and prek start it by, where it is executable
    /// and as this version writes it.
    pub(super) fn moved_aside_whole(&self) -> Option<PathBuf> {
        let path = self.path.with_file_name(format!("{}.legacy", self.event));
        let content = file::read_at_most(&path, MOST_BYTES).ok()?;
        (file::is_executable(&path) && is_as_written(&content, self.event)).then_some(path)
    }

    /// Hooks that were kept before the one that is kept now, and that nothing runs.
    pub(super) fn kept_before(&self) -> Vec<PathBuf> {
        let name = |number: u32| {
            let mut name = self.previous.clone().into_os_string();
            name.push(format!("-{number}"));
            PathBuf::from(name)
        };
        let kept = (2..=u32::MAX).map(name);
        kept.take_while(|path| path.symlink_metadata().is_ok())
            .collect()
    }

    fn made_folder(&self) -> bool {
        std::fs::read(&self.path).is_ok_and(|content| content.ends_with(MADE_FOLDER.as_bytes()))
    }

    /// Puts the hook file in its place, keeping a foreign hook beside it, and makes the folder.
    pub(super) fn write(&self, program: &str) -> Result<Written, InstallError> {
        let folder_is_there = self.path.parent().is_some_and(Path::exists);
        let is_free = !self.has_previous() && self.found()? != Found::Foreign;
        // A folder that is made is marked in the script, to go with it.
        if super::STARTS_PROGRAMS && is_free && folder_is_there {
            let had_script = self.path.symlink_metadata().is_ok();
            let written = self.program.write(Path::new(program))?;
            if !had_script {
                return Ok(written);
            }
            file::remove(&self.path).map_err(|source| cannot("remove", &self.path, source))?;
            return Ok(Written::Updated);
        }
        let written = self.write_script(program)?;
        // Git would start the script, and `uninstall` would leave the program.
        Ok(if self.program.remove()? && written == Written::Unchanged {
            Written::Updated
        } else {
            written
        })
    }

    fn write_script(&self, program: &str) -> Result<Written, InstallError> {
        let mut content = TEMPLATE
            .replace(PROGRAM, &sh_quoted(program))
            .replace(EVENT, self.event);
        if let Some(folder) = self.path.parent() {
            let is_made = |event: super::Event| Self::in_folder(folder, event.name).made_folder();
            if !folder.exists() || super::EVENTS.into_iter().any(is_made) {
                content.push_str(MADE_FOLDER);
            }
            file::create_folder(folder).map_err(|source| cannot("create", folder, source))?;
        }
        let written = match self.found()? {
            Found::Nothing => Written::New,
            Found::Ours => {
                let same = std::fs::read(&self.path).is_ok_and(|found| found == content.as_bytes());
                if same && file::is_executable(&self.path) {
                    return Ok(Written::Unchanged);
                }
                Written::Updated
            }
            Found::Foreign => {
                self.check()?;
                self.keep_other_previous()
                    .map_err(|source| cannot("rename", &self.previous, source))?;
                let foreign = self.started();
                file::rename(foreign, &self.previous)
                    .map_err(|source| cannot("rename", foreign, source))?;
                Written::New
            }
        };
        file::write_executable(&self.path, content.as_bytes())
            .map_err(|source| cannot("write", &self.path, source))?;
        if !file::is_executable(&self.path) || self.found()? != Found::Ours {
            return Err(InstallError::NotWired {
                what: format!("`{}` is not an executable hook file", self.path.display()),
            });
        }
        Ok(written)
    }

    /// Takes the hook file away, and the folder that was made for it where it is empty then; the
    /// hook that was there before gets its name back, as it was.
    pub(super) fn remove(&self) -> Result<(), InstallError> {
        let made_folder = self.made_folder();
        let had_program = self.program.remove()?;
        let result = if self.has_previous() {
            if super::STARTS_PROGRAMS && program_file::is_program(&self.previous) {
                // Our script took its place, and may be gone already.
                file::remove(&self.path)
                    .or_else(|error| absent(&error).then_some(()).ok_or(error))
                    .and_then(|()| file::rename(&self.previous, &self.program.path))
            } else {
                file::rename(&self.previous, &self.path)
            }
        } else if had_program && self.path.symlink_metadata().is_err() {
            Ok(())
        } else {
            file::remove(&self.path)
        };
        result.map_err(|source| cannot("remove", &self.path, source))?;
        if made_folder && let Some(folder) = self.path.parent() {
            let _ = file::remove_folder(folder);
        }
        Ok(())
    }
}

/// The manager that wrote a hook file.
fn manager_of(hook: &Path) -> Option<Manager> {
    let content = file::read_at_most(hook, MOST_BYTES).ok()?;
    Manager::of_hook(&String::from_utf8_lossy(&content))
}

/// Also of a program of ours, which has the script in it.
pub(super) fn is_ours(content: &[u8]) -> bool {
    content
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(ID))
}

/// Whether a hook file is as this version writes it, for whatever program.
fn is_as_written(content: &[u8], event: &str) -> bool {
    let content = content
        .strip_suffix(MADE_FOLDER.as_bytes())
        .unwrap_or(content);
    let Ok(content) = std::str::from_utf8(content) else {
        return false;
    };
    let is_program = |line: &str| {
        let word = line.strip_prefix("program=").map(str::trim_end);
        word.and_then(sh_unquoted).is_some()
    };
    let expected = TEMPLATE.replace(EVENT, event);
    let mut expected = expected.split_inclusive('\n');
    let mut found = content.split_inclusive('\n');
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == found => {}
            (Some(expected), Some(found)) if expected.contains(PROGRAM) && is_program(found) => {}
            _ => return false,
        }
    }
}

/// What [`sh_quoted`] made a word of; `None` where it did not.
pub(super) fn sh_unquoted(word: &str) -> Option<String> {
    let inner = word
        .strip_prefix('\'')
        .and_then(|word| word.strip_suffix('\''));
    let text = match inner {
        Some(inner) => inner.replace(r"'\''", "'"),
        None => word.to_owned(),
    };
    (sh_quoted(&text) == word).then_some(text)
}

/// `text` as one word for sh: as it is where sh takes it so, else in single quotes.
pub(super) fn sh_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+,:@-".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// An error of the system, with what was tried on which file.
pub(super) fn cannot(action: &'static str, path: &Path, source: io::Error) -> InstallError {
    InstallError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

/// No such file, also where a parent is no folder.
fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_its_parts_and_unix_line_ends() {
        assert!(TEMPLATE.starts_with("#!/bin/sh\n"));
        assert!(TEMPLATE.contains(std::str::from_utf8(ID).unwrap()));
        assert_eq!(TEMPLATE.matches(PROGRAM).count(), 1);
        assert_eq!(TEMPLATE.matches(EVENT).count(), 1);
        assert!(!TEMPLATE.contains('\r'));
    }

    #[test]
    fn words_for_sh_are_quoted_only_when_they_must_be() {
        assert_eq!(sh_quoted("/opt/gpu-guard/bin"), "/opt/gpu-guard/bin");
        assert_eq!(sh_quoted("/a b/it's $x"), r"'/a b/it'\''s $x'");
        assert_eq!(sh_quoted(""), "''");
        for text in ["/opt/gpu-guard/bin", "/a b/it's $x", ""] {
            assert_eq!(sh_unquoted(&sh_quoted(text)).as_deref(), Some(text));
        }
        for word in ["a b", "'a'", "$x", "'a' b'", "\"a\"", "x; y"] {
            assert_eq!(sh_unquoted(word), None, "{word}");
        }
    }
}
