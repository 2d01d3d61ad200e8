//! A configuration file of Git's that `install` writes into: how it was before is kept, so that
//! `uninstall` gives it back byte for byte where nobody wrote into it since.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::EVENTS;
use super::config_entry::ConfigEntry;
use crate::git::Repository;
use crate::sys::{environment, file};

/// No configuration comes near.
const MOST_BYTES: u64 = 16 << 20;
/// In the folder of gpuguard's own things.
const NOTE: &str = "config-before";

/// The file, and where it is noted how it was.
pub(super) struct ConfigFile {
    path: PathBuf,
    note: PathBuf,
}

/// What a file held; `None` where there was none.
type Content = Option<Vec<u8>>;

/// What is noted: the digest of the file as `install` left it, and what it held before.
struct Note {
    digest: String,
    before: Content,
}

impl ConfigFile {
    /// The repository's own, which linked working trees share.
    pub(super) fn of(repository: &Repository) -> Self {
        let common_dir = repository.common_dir();
        Self {
            path: common_dir.join("config"),
            note: common_dir.join("gpuguard").join(NOTE),
        }
    }

    /// The user's own, which `git config --global` writes into (git-config(1), FILES); `folder` is
    /// that of gpuguard's own things.
    pub(super) fn of_user(home: &Path, folder: &Path) -> Self {
        let usual = home.join(".gitconfig");
        let named = environment::variable("GIT_CONFIG_GLOBAL").map(PathBuf::from);
        let base = environment::variable("XDG_CONFIG_HOME").filter(|base| !base.is_empty());
        let base = base.map_or_else(|| home.join(".config"), PathBuf::from);
        let other = base.join("git").join("config");
        let path = match named {
            Some(named) => named,
            None if !usual.exists() && other.exists() => other,
            None => usual,
        };
        Self {
            path,
            note: folder.join(NOTE),
        }
    }

    /// What it holds now.
    pub(super) fn content(&self) -> Content {
        file::read_at_most(&self.path, MOST_BYTES).ok()
    }

    fn noted(&self) -> Option<Note> {
        let content = file::read_at_most(&self.note, MOST_BYTES).ok()?;
        let at = content.iter().position(|byte| *byte == b'\n')?;
        let (first, rest) = (content.get(..at)?, content.get(at + 1..)?);
        let first = std::str::from_utf8(first).ok()?;
        let (digest, was_there) = first.split_once(' ')?;
        Some(Note {
            digest: digest.to_owned(),
            before: (was_there == "was").then(|| rest.to_vec()),
        })
    }

    /// Notes how it was before entries were written, `before`; `had_entries`: that is not how it
    /// was without gpuguard.
    pub(super) fn note(&self, before: Content, had_entries: bool) -> io::Result<()> {
        let now = self.content();
        if now == before {
            return Ok(());
        }
        let original = match self.noted() {
            Some(note) if note.digest == digest(&before) => note.before,
            _ if had_entries => return self.forget(),
            _ => before,
        };
        if now == original {
            return self.forget();
        }
        let was = if original.is_some() { "was" } else { "was-not" };
        let mut content = format!("{} {was}\n", digest(&now)).into_bytes();
        content.extend(original.unwrap_or_default());
        if let Some(folder) = self.note.parent() {
            file::create_private_folder(folder)?;
        }
        // It may hold what others must not read, as the file itself may.
        file::write_atomic(&self.note, &content)
    }

    /// Forgets how it was.
    pub(super) fn forget(&self) -> io::Result<()> {
        match file::remove(&self.note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// After the entries were removed from what was `left`: gives back how it was before them, if
    /// nobody wrote into it since; else takes out the headers of sections that are empty now.
    pub(super) fn give_back(&self, left: &Content, names: &[String]) -> io::Result<()> {
        let now = self.content();
        let Some(bytes) = &now else {
            return Ok(());
        };
        let tidy = without_empty_sections(bytes, names);
        let wanted = match self.noted() {
            Some(note) if note.digest == digest(left) => note.before,
            // Git ends the last line, which others may not have done.
            Some(Note {
                before: Some(before),
                ..
            }) if tidy.strip_suffix(b"\n") == Some(&before) => Some(before),
            _ => Some(tidy),
        };
        if wanted != now {
            self.replace(wanted.as_deref())?;
        }
        self.forget()
    }

    /// Under Git's own lock.
    fn replace(&self, content: Option<&[u8]>) -> io::Result<()> {
        let path = self.path.canonicalize()?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        file::create_new(&lock, content.unwrap_or_default())?;
        let moved = match content {
            Some(_) => path
                .metadata()
                .and_then(|metadata| file::set_permissions(&lock, metadata.permissions()))
                .and_then(|()| file::rename(&lock, &path)),
            None => file::remove(&path).and_then(|()| file::remove(&lock)),
        };
        if moved.is_err() {
            let _ = file::remove(&lock);
        }
        moved
    }
}

/// What the sections are called that `install` writes into a repository's configuration.
pub(super) fn own_names() -> Vec<String> {
    EVENTS
        .into_iter()
        .map(|event| ConfigEntry::name_for(event.name))
        .collect()
}

fn digest(content: &Content) -> String {
    let mut text = String::new();
    if let Some(content) = content {
        for byte in Sha256::digest(content) {
            let _ = write!(text, "{byte:02x}");
        }
    } else {
        text.push_str("none");
    }
    text
}

/// Without the headers, as Git writes them, of named sections that hold nothing.
fn without_empty_sections(content: &[u8], names: &[String]) -> Vec<u8> {
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let is_header = |line: &[u8]| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        names
            .iter()
            .any(|name| text == format!("[hook \"{name}\"]").as_bytes())
    };
    let mut kept = Vec::with_capacity(content.len());
    let mut goes_on = false;
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1);
        let holds_nothing = next.is_none_or(|next| next.starts_with(b"["));
        if goes_on || !is_header(line) || !holds_nothing {
            kept.extend_from_slice(line);
        }
        // A value that goes on may look like anything.
        goes_on = line.ends_with(b"\\\n");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_sections_of_ours_go_and_nothing_else() {
        let names = own_names();
        for (before, after) in [
            ("[a]\n\tb = c\n[hook \"gpuguard\"]\n", "[a]\n\tb = c\n"),
            (
                "[hook \"gpuguard\"]\n[hook \"gpuguard-pre-push\"]\n[a]\n",
                "[a]\n",
            ),
            (
                "[hook \"gpuguard\"] ; mine\n[a]\n",
                "[hook \"gpuguard\"] ; mine\n[a]\n",
            ),
            (
                "[hook \"gpuguard\"]\n# mine\n[a]\n",
                "[hook \"gpuguard\"]\n# mine\n[a]\n",
            ),
            ("[hook \"lint\"]\n[a]\n", "[hook \"lint\"]\n[a]\n"),
            (
                "[a]\n\tb = \\\n[hook \"gpuguard\"]\n[c]\n",
                "[a]\n\tb = \\\n[hook \"gpuguard\"]\n[c]\n",
            ),
        ] {
            let found = without_empty_sections(before.as_bytes(), &names);
            assert_eq!(String::from_utf8_lossy(&found), after, "{before}");
        }
    }
}
