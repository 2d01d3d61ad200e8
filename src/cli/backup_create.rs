//! `gpuguard backup create`: which files to save, and what became of each.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::paths::{repo_path, shown};
use super::{Failure, Screen};
use crate::backup::{
    BackupError, ContentSource, SafeName, SnapshotEntry, SnapshotRequest, Store, Version,
};
use crate::git::{FileMode, RepoPath, Repository};
use crate::outcome::Answer;
use crate::sys::{clock, file};

/// Save files of the working tree as they are now.
///
/// A folder is saved with all that is in it, less what Git ignores; a file that is named is
/// always saved. Without paths, the whole working tree.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read more paths from a file, one on each line; `-` is the standard input
    #[arg(long, value_name = "FILE")]
    paths_from: Option<PathBuf>,
}

/// What was found of what was asked for.
#[derive(Default)]
struct Found {
    entries: BTreeMap<RepoPath, SnapshotEntry>,
    missing: BTreeSet<RepoPath>,
}

pub(super) fn run(
    arguments: &Arguments,
    (repository, directory): (&Repository, &Path),
    screen: &Screen,
) -> Result<Answer, Failure> {
    let root = repository.worktree()?;
    let mut paths = arguments.paths.clone();
    match &arguments.paths_from {
        Some(list) => paths.extend(read_list(list)?),
        None if paths.is_empty() => paths.push(root.to_owned()),
        None => {}
    }
    let mut found = Found::default();
    for path in &paths {
        find(root, directory, path, &mut found)?;
    }
    for missing in &found.missing {
        screen.warn(&format!("not found: `{missing}`"));
    }
    let (saved, missing) = (found.entries.len(), found.missing.len());
    if saved == 0 {
        if missing == 0 {
            return Err(Failure::new("there is nothing to save; no backup was made"));
        }
        screen.warn(&format!(
            "0 saved, {missing} not found, {missing} in all; no backup was made"
        ));
        return Ok(Answer::No);
    }
    let mut request = SnapshotRequest::new("manual", repository.head()?);
    request.entries = found.entries.into_values().collect();
    request.missing = found.missing.into_iter().collect();
    let summary = Store::at(repository.common_dir()).create(&request, clock::now())?;
    screen.print(&format!("{}\n", summary.id))?;
    let counts = format!(
        "{saved} saved, {missing} not found, {} in all",
        saved + missing
    );
    if missing > 0 {
        screen.warn(&counts);
        return Ok(Answer::No);
    }
    screen.say(&counts);
    Ok(Answer::Fine)
}

/// The lines of a list of paths: blank ones are ignored, a line end may be `\r\n`.
fn read_list(list: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut bytes = Vec::new();
    let read = if list == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
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
    let mut paths = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        paths.push(PathBuf::from(name_of(line)?));
    }
    Ok(paths)
}

/// A name of this system from its bytes.
fn name_of(bytes: &[u8]) -> Result<OsString, Failure> {
    let path = RepoPath::new(bytes).below(Path::new(""));
    path.map(PathBuf::into_os_string).ok_or_else(|| {
        let shown = crate::text::printable(bytes);
        Failure::new(format!(
            "this system cannot have a file `{shown}`; no backup was made"
        ))
    })
}

fn find(root: &Path, directory: &Path, path: &Path, found: &mut Found) -> Result<(), Failure> {
    let asked = repo_path(root, directory, path)?;
    let whole = asked.below(root).unwrap_or_else(|| directory.join(path));
    let Ok(metadata) = whole.symlink_metadata() else {
        found.missing.insert(asked);
        return Ok(());
    };
    if !metadata.is_dir() {
        return add(root, &asked, &whole, found);
    }
    let walk = ignore::WalkBuilder::new(&whole)
        .hidden(false)
        .require_git(false)
        .ignore(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| {
            Failure::new(format!(
                "the folder `{}` cannot be read whole; no backup was made",
                shown(path)
            ))
            .because(&error)
        })?;
        let is_file = entry
            .file_type()
            .is_some_and(|kind| kind.is_file() || kind.is_symlink());
        if is_file {
            let inside = repo_path(root, directory, entry.path())?;
            add(root, &inside, entry.path(), found)?;
        }
    }
    Ok(())
}

fn add(root: &Path, path: &RepoPath, file: &Path, found: &mut Found) -> Result<(), Failure> {
    // What could not be restored is not saved either: the time to hear of it is now.
    SafeName::new(path)
        .and_then(|name| name.below(root))
        .map_err(|reason| {
            Failure::new(format!(
                "`{path}` cannot be saved: {reason}; no backup was made"
            ))
        })?;
    let metadata = file
        .symlink_metadata()
        .map_err(|source| BackupError::Source {
            path: path.to_string(),
            source,
        })?;
    let executable = file::permission_bits(&metadata).is_some_and(|bits| bits & 0o100 != 0);
    let mode = match (metadata.is_symlink(), executable) {
        (true, _) => FileMode::Symlink,
        (false, true) => FileMode::Executable,
        (false, false) => FileMode::Regular,
    };
    let entry = SnapshotEntry {
        path: path.clone(),
        version: Version::Worktree,
        mode,
        content: ContentSource::File(file.to_owned()),
    };
    found.entries.insert(path.clone(), entry);
    Ok(())
}
