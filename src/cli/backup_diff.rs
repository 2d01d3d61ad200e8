//! `gpuguard backup diff`: what has changed since a backup, or between two of them.

mod change;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::change::{Body, Change, statistics};
use super::backup::{Format, VersionWord};
use super::paths::repo_path;
use super::{Failure, Screen};
use crate::backup::{
    BackupError, Difference, Found, Origin, SafeName, Side, Store, VerifiedBackup, Version,
    differences, look, worktree_side,
};
use crate::git::{FileMode, RepoPath, Repository, TreeSide};
use crate::outcome::Answer;
use crate::sys::file;
use crate::text::{diff_of_sides, quoted};

/// Show what has changed since a backup
///
/// From the backup to the working tree, or to another backup with --with. Only paths that a
/// backup speaks of are compared. The answer is "no" where something differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard backup diff latest\n  \
    gpuguard backup diff latest src/ --stat\n  \
    gpuguard backup diff 20260101T --with latest")]
pub(super) struct Arguments {
    /// The backup: an id, its beginning, or `latest`
    id: String,
    /// Compare only these files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Compare with this backup instead of the working tree
    #[arg(long, value_name = "ID")]
    with: Option<String>,
    /// Which of a file's versions; by default the one nearest to the working tree
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionWord>,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Show only how many lines of each file differ
    #[arg(long, conflicts_with_all = ["format", "name_only"])]
    stat: bool,
    /// Show only the names of files that differ
    #[arg(long, conflicts_with = "format")]
    name_only: bool,
}

/// Larger files are compared, and their lines not shown.
const MOST_SHOWN: u64 = 16 * 1024 * 1024;
/// How much of a file decides whether it is text: as much as Git looks at.
const LOOKED_AT: usize = 8000;

pub(super) fn run(
    arguments: &Arguments,
    (repository, directory, store): (&Repository, &Path, &Store),
    screen: &Screen,
) -> Result<Answer, Failure> {
    let root = repository.worktree()?;
    let mut paths = Vec::new();
    for path in &arguments.paths {
        paths.push(repo_path(root, directory, path)?);
    }
    let version = arguments.version.map(Version::from);
    let waiting = screen.waiting("reading the backup");
    let mut backups = Backups {
        old: store.verify(&store.find(&arguments.id)?, &mut |_| ())?,
        new: match &arguments.with {
            Some(word) => Some(store.verify(&store.find(word)?, &mut |_| ())?),
            None => None,
        },
    };
    let old = backups.old.manifest().side(&paths, version);
    let new = match &backups.new {
        Some(backup) => backup.manifest().side(&paths, version),
        None => worktree_side(root, old.keys())?,
    };
    check_held(&backups.old, &paths, (&old, &new), version)?;
    let scratch = tempfile::tempdir()
        .map_err(|error| Failure::new("no passing folder can be made").because(&error))?;
    let mut found = differences(old, new);
    if found.iter().any(needs_git) {
        found = as_checked_out(repository, &mut backups, found, scratch.path())?;
    }
    drop(waiting);
    let answer = if found.is_empty() {
        Answer::Fine
    } else {
        Answer::No
    };
    let mut shown = Vec::new();
    for difference in found.into_iter().flat_map(whole_changes) {
        let change = backups.read(difference)?;
        if arguments.format == Format::Json || arguments.stat {
            shown.push(change.without_lines());
        } else if arguments.name_only {
            screen.print_bytes(&[&quoted(change.path.as_bytes()), &b"\n"[..]].concat())?;
        } else {
            screen.print_bytes(&change.text())?;
        }
    }
    if arguments.format == Format::Json {
        let with = backups.new.as_ref().map(|backup| &backup.manifest().id);
        let changes: Vec<_> = shown.iter().map(Change::json).collect();
        let id = &backups.old.manifest().id;
        let json = serde_json::json!({
            "version": 1, "backup": id, "with": with, "changes": changes,
        });
        screen.print(&format!("{json:#}\n"))?;
    } else if arguments.stat {
        screen.print(&statistics(&shown))?;
    }
    Ok(answer)
}

/// A path that no side speaks of is a mistake, not a file without a difference.
fn check_held(
    backup: &VerifiedBackup,
    paths: &[RepoPath],
    (old, new): (&Side, &Side),
    version: Option<Version>,
) -> Result<(), BackupError> {
    let known = |asked: &RepoPath| {
        let mut paths = old.keys().chain(new.keys());
        paths.any(|path| path.is_at_or_below(asked))
    };
    match paths.iter().find(|asked| !known(asked)) {
        Some(asked) => Err(BackupError::NotHeld {
            id: backup.manifest().id.clone(),
            path: asked.to_string(),
            version,
        }),
        None => Ok(()),
    }
}

/// Whether one side has the bytes that Git keeps and the other those of a working tree.
fn needs_git(difference: &Difference) -> bool {
    match (&difference.old, &difference.new) {
        (Some(old), Some(new)) => {
            old.is_of_git() != new.is_of_git() && old.mode.is_file() && new.mode.is_file()
        }
        _ => false,
    }
}

/// Where the sides cannot be compared as they are, Git's side is written as a checkout would
/// write it: that is what a restore would bring.
fn as_checked_out(
    repository: &Repository,
    backups: &mut Backups,
    found: Vec<Difference>,
    scratch: &Path,
) -> Result<Vec<Difference>, Failure> {
    let unusable = |error| Failure::new("no passing file can be written").because(&error);
    let (raw, tree) = (scratch.join("raw"), scratch.join("tree"));
    file::create_private_folder(&raw).map_err(unusable)?;
    file::create_private_folder(&tree).map_err(unusable)?;
    let mut files = Vec::new();
    let mut entries: Vec<(&RepoPath, FileMode)> = Vec::new();
    for (number, difference) in found.iter().enumerate() {
        if !needs_git(difference) || SafeName::new(&difference.path).is_err() {
            continue;
        }
        let (is_old, side) = match (&difference.old, &difference.new) {
            (Some(old), _) if old.is_of_git() => (true, old),
            (_, Some(new)) => (false, new),
            _ => continue,
        };
        let Origin::Saved(entry) = &side.origin else {
            continue;
        };
        let file = raw.join(number.to_string());
        backups.backup(is_old).copy_to(entry, &file)?;
        files.push(file);
        entries.push((&difference.path, side.mode));
    }
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let ids = repository.store_blobs(&files)?;
    let entries: Vec<(&RepoPath, TreeSide)> = entries
        .into_iter()
        .zip(ids)
        .map(|((path, mode), id)| (path, Some((mode, id))))
        .collect();
    repository.check_out_beside(&entries, None, (&tree, &scratch.join("index")))?;
    let mut written: BTreeMap<RepoPath, Found> = BTreeMap::new();
    for (path, side) in &entries {
        let file = path.below(&tree);
        let checked_out = file.and_then(|file| look(&file).transpose());
        if let (Some(checked_out), Some((mode, _))) = (checked_out, side) {
            let mut checked_out = checked_out.map_err(unusable)?;
            checked_out.mode = *mode;
            written.insert((*path).clone(), checked_out);
        }
    }
    let again = found.into_iter().filter_map(|mut difference| {
        if let Some(checked_out) = written.remove(&difference.path) {
            let old_is_of_git = difference.old.as_ref().is_some_and(Found::is_of_git);
            let side = if old_is_of_git {
                &mut difference.old
            } else {
                &mut difference.new
            };
            *side = Some(checked_out);
        }
        match (&difference.old, &difference.new) {
            (Some(old), Some(new)) if old.same_as(new) => None,
            _ => Some(difference),
        }
    });
    Ok(again.collect())
}

/// What became something else (a file a link) has gone, and something new has come.
fn whole_changes(difference: Difference) -> Vec<Difference> {
    let Difference { path, old, new } = difference;
    match (old, new) {
        (Some(old), Some(new)) if old.mode.is_file() != new.mode.is_file() => vec![
            Difference {
                path: path.clone(),
                old: Some(old),
                new: None,
            },
            Difference {
                path,
                old: None,
                new: Some(new),
            },
        ],
        (old, new) => vec![Difference { path, old, new }],
    }
}

/// What is compared: one backup, and perhaps another.
struct Backups {
    old: VerifiedBackup,
    new: Option<VerifiedBackup>,
}

impl Backups {
    fn backup(&mut self, is_old: bool) -> &mut VerifiedBackup {
        match &mut self.new {
            Some(new) if !is_old => new,
            _ => &mut self.old,
        }
    }

    /// Reads what a difference is about.
    fn read(&mut self, difference: Difference) -> Result<Change, Failure> {
        let old = self.bytes(difference.old.as_ref(), true)?;
        let new = self.bytes(difference.new.as_ref(), false)?;
        let same = difference.old.as_ref().map(|found| found.sum)
            == difference.new.as_ref().map(|found| found.sum);
        let body = match (old, new) {
            (Bytes::TooMany, _) | (_, Bytes::TooMany) => Body::TooLarge,
            (old, new) if !same && (old.are_binary() || new.are_binary()) => Body::Binary,
            (old, new) => {
                let path = difference.path.as_bytes();
                Body::Lines(diff_of_sides(path, old.known(), new.known()))
            }
        };
        let sides = (difference.old, difference.new);
        Ok(Change::new(difference.path, sides, body))
    }

    /// A side's bytes.
    fn bytes(&mut self, found: Option<&Found>, is_old: bool) -> Result<Bytes, Failure> {
        let Some(found) = found else {
            return Ok(Bytes::None);
        };
        if found.size > MOST_SHOWN {
            return Ok(Bytes::TooMany);
        }
        let bytes = match &found.origin {
            Origin::Saved(entry) => self.backup(is_old).content(entry)?,
            Origin::File(path) => {
                let read = if found.mode.is_file() {
                    std::fs::read(path)
                } else {
                    file::link_target(path)
                };
                read.map_err(|error| {
                    let path = super::paths::shown(path);
                    Failure::new(format!("`{path}` cannot be read")).because(&error)
                })?
            }
        };
        Ok(Bytes::Known(bytes))
    }
}

/// What a side has at a path.
enum Bytes {
    /// No file.
    None,
    /// More than is shown.
    TooMany,
    Known(Vec<u8>),
}

impl Bytes {
    fn known(&self) -> Option<&[u8]> {
        match self {
            Self::Known(bytes) => Some(bytes),
            Self::None | Self::TooMany => None,
        }
    }

    /// Whether they are no text, by Git's rule.
    fn are_binary(&self) -> bool {
        let known = self.known().unwrap_or_default();
        known.iter().take(LOOKED_AT).any(|byte| *byte == 0)
    }
}
