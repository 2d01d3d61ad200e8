//! `gpuguard backup create`: which files to save, and what became of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::Metadata;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::paths::{path_inside, shown};
use super::{Failure, Screen};
use crate::backup::{ContentSource, SafeName, SnapshotEntry, SnapshotRequest, Store, Version};
use crate::git::{FileMode, RepoPath, Repository};
use crate::outcome::Answer;
use crate::sys::real_path::real_path;
use crate::sys::{clock, file};
use crate::text::printable;

/// Save files of the working tree as they are now.
///
/// A folder is saved with all that is in it, less what Git ignores; a file that Git tracks or
/// that is named is always saved. Without paths, the whole working tree.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard backup create\n  \
    gpuguard backup create src/ train.py\n  \
    git diff --name-only | gpuguard backup create --paths-from -")]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read more paths from a file, one on each line; `-` is the standard input
    #[arg(long, value_name = "FILE")]
    paths_from: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    (repository, directory, store): (&Repository, &Path, &Store),
    screen: &Screen,
) -> Result<Answer, Failure> {
    let root = repository.worktree()?;
    let mut search = Search {
        repository,
        root,
        directory,
        found: Found::default(),
        harmless_folder: None,
    };
    for path in &arguments.paths {
        search.find(path)?;
    }
    match &arguments.paths_from {
        Some(list) => {
            for name in read_list(list)? {
                match RepoPath::new(name.as_slice()).below(Path::new("")) {
                    Some(path) => search.find(&path)?,
                    None => search
                        .found
                        .refuse(&name, &"this system cannot have such a name"),
                }
            }
        }
        None if arguments.paths.is_empty() => search.find(root)?,
        None => {}
    }
    let found = search.found;
    found.tell(screen);
    let answer = if found.missing.len() + found.refused.len() == 0 {
        Answer::Fine
    } else {
        Answer::No
    };
    let counts = found.counts();
    if found.entries.is_empty() {
        if answer == Answer::Fine {
            return Err(Failure::new("there is nothing to save; no backup was made"));
        }
        screen.warn(&format!("{counts}; no backup was made"));
        return Ok(answer);
    }
    let mut request = SnapshotRequest::new("manual", repository.head()?);
    request.may_refer = true;
    request.entries = found.entries.into_values().collect();
    request.missing = found.missing.into_iter().collect();
    let waiting = screen.waiting("saving files");
    let made = store.create(&request, clock::now());
    drop(waiting);
    let summary = made?;
    screen.print(&format!("{}\n", summary.id))?;
    match answer {
        Answer::Fine => screen.say(&counts),
        Answer::No => screen.warn(&counts),
    }
    Ok(answer)
}

/// The lines of a list of paths: blank ones are ignored, a line end may be `\r\n`, and the list
/// may begin with the mark that Windows programs put before UTF-8.
fn read_list(list: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let read = if list == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(list).map(|content| bytes = content)
    };
    read.map_err(|error| {
        Failure::new(format!(
            "the list of paths `{}` cannot be read; no backup was made",
            shown(list)
        ))
        .because(&error)
    })?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .filter(|line| !line.is_empty())
        .collect())
}

/// What was found of what was asked for.
#[derive(Default)]
struct Found {
    entries: BTreeMap<RepoPath, SnapshotEntry>,
    missing: BTreeSet<RepoPath>,
    /// What is there and cannot be saved, as it is shown, and why.
    refused: BTreeMap<String, String>,
    /// Pipes, sockets and devices met in a folder.
    skipped: BTreeSet<RepoPath>,
}

impl Found {
    fn refuse(&mut self, name: &[u8], reason: &dyn Display) {
        self.refused.insert(printable(name), reason.to_string());
    }

    fn tell(&self, screen: &Screen) {
        for path in &self.skipped {
            screen.warn(&format!("skipped `{path}`: not a file"));
        }
        for missing in &self.missing {
            screen.warn(&format!("not found: `{missing}`"));
        }
        for (name, reason) in &self.refused {
            screen.warn(&format!("not saved: `{name}`: {reason}"));
        }
    }

    fn counts(&self) -> String {
        let (saved, missing) = (self.entries.len(), self.missing.len());
        let refused = self.refused.len();
        let all = saved + missing + refused;
        if refused == 0 {
            return format!("{saved} saved, {missing} not found, {all} in all");
        }
        format!("{saved} saved, {missing} not found, {refused} not saved, {all} in all")
    }
}

/// Looks for what was asked for. One path that cannot be saved does not keep the others from it.
struct Search<'r> {
    repository: &'r Repository,
    root: &'r Path,
    directory: &'r Path,
    found: Found,
    /// The folder of the last file, once no folder on the way to it is a link.
    harmless_folder: Option<Vec<u8>>,
}

impl Search<'_> {
    /// A file or folder that was named.
    fn find(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(asked) = path_inside(self.root, self.directory, path) else {
            let name = path.as_os_str().as_encoded_bytes();
            self.found.refuse(name, &"it is not in this working tree");
            return Ok(());
        };
        let whole = self.directory.join(path);
        let whole = asked.below(self.root).unwrap_or(whole);
        match whole.symlink_metadata() {
            Err(error) if is_absent(&error) => drop(self.found.missing.insert(asked)),
            Err(error) => self.found.refuse(asked.as_bytes(), &error),
            Ok(metadata) if metadata.is_dir() => {
                let harmless = asked.as_bytes().is_empty() || self.is_harmless(&asked);
                if harmless {
                    self.find_in(&asked, &whole)?;
                }
            }
            Ok(metadata) => match FileMode::of_file(&metadata) {
                Some(mode) => self.add(asked, &whole, mode),
                None => self.found.refuse(asked.as_bytes(), &"it is not a file"),
            },
        }
        Ok(())
    }

    /// All files in a folder that Git does not ignore. What it tracks it does not ignore, whatever
    /// its rules say, so that comes from the index.
    fn find_in(&mut self, asked: &RepoPath, folder: &Path) -> Result<(), Failure> {
        let walk = ignore::WalkBuilder::new(folder)
            .hidden(false)
            .require_git(false)
            .ignore(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let name = format!("{asked}/");
                    self.found.refuse(name.as_bytes(), &error);
                    continue;
                }
            };
            let path = path_inside(self.root, self.directory, entry.path());
            let (Some(path), Ok(metadata)) = (path, entry.path().symlink_metadata()) else {
                continue;
            };
            self.meet(path, entry.path(), &metadata);
        }
        for path in self.repository.tracked_paths(asked)? {
            if self.found.entries.contains_key(&path) {
                continue;
            }
            // What Git tracks and the working tree no longer has is not there to be saved.
            let name = SafeName::new(&path).and_then(|name| name.below(self.root));
            if let Ok(file) = name
                && let Ok(metadata) = file.symlink_metadata()
                && !(metadata.is_file() && self.has_other_name(&file))
            {
                self.meet(path, &file, &metadata);
            }
        }
        Ok(())
    }

    /// Whether a file is found already under the name that it has on the disk: where case makes
    /// no difference, the index may know it by another.
    fn has_other_name(&self, file: &Path) -> bool {
        let real = real_path(file).ok();
        real.and_then(|real| path_inside(self.root, self.directory, &real))
            .is_some_and(|real| self.found.entries.contains_key(&real))
    }

    /// Something in a folder.
    fn meet(&mut self, path: RepoPath, file: &Path, metadata: &Metadata) {
        match FileMode::of_file(metadata) {
            Some(mode) => self.add(path, file, mode),
            None if metadata.is_dir() => {}
            None => drop(self.found.skipped.insert(path)),
        }
    }

    /// What could not be restored is not saved either: the time to hear of it is now.
    fn is_harmless(&mut self, path: &RepoPath) -> bool {
        let bytes = path.as_bytes();
        let folder = bytes.len() - path.file_name().len();
        let folder = bytes.get(..folder).unwrap_or_default();
        let name = SafeName::new(path);
        let known = self.harmless_folder.as_deref() == Some(folder);
        let name = if known {
            name.map(drop)
        } else {
            name.and_then(|name| name.below(self.root)).map(drop)
        };
        match name {
            Err(fault) => self.found.refuse(bytes, &fault),
            Ok(()) if !known => self.harmless_folder = Some(folder.to_owned()),
            Ok(()) => {}
        }
        name.is_ok()
    }

    fn add(&mut self, path: RepoPath, file: &Path, mode: FileMode) {
        if !self.is_harmless(&path) {
            return;
        }
        let readable = match mode {
            FileMode::Symlink => file::link_target(file).map(drop),
            _ => file::open_regular(file).map(drop),
        };
        if let Err(error) = readable {
            return self.found.refuse(path.as_bytes(), &error);
        }
        let entry = SnapshotEntry {
            path: path.clone(),
            version: Version::Worktree,
            mode,
            content: ContentSource::File(file.to_owned()),
        };
        self.found.entries.insert(path, entry);
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
