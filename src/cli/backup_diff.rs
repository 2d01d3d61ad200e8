//! `gpuguard backup diff`: what has changed since a backup, or between two of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::backup::{Format, VersionWord};
use super::paths::repo_path;
use super::{Failure, Screen};
use crate::backup::{
    BackupError, Difference, Found, Origin, SafeName, Side, Store, StoredPath, VerifiedBackup,
    Version, differences, look, worktree_side,
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
        let both = [&old, &new];
        let same = difference.old.as_ref().map(|found| found.sum)
            == difference.new.as_ref().map(|found| found.sum);
        let body = if both.iter().any(|side| matches!(side, Some(None))) {
            Body::TooLarge
        } else {
            let text = |side: &Option<Option<Vec<u8>>>| side.clone().flatten();
            let (old, new) = (text(&old), text(&new));
            let binary = |side: &Option<Vec<u8>>| side.as_deref().is_some_and(is_binary);
            if !same && (binary(&old) || binary(&new)) {
                Body::Binary
            } else {
                let path = difference.path.as_bytes();
                Body::Lines(diff_of_sides(path, old.as_deref(), new.as_deref()))
            }
        };
        Ok(Change {
            path: difference.path,
            old: difference.old.map(Into::into),
            new: difference.new.map(Into::into),
            counts: body.counts(),
            body,
        })
    }

    /// A side's bytes; an inner `None` where they are too many to be shown.
    fn bytes(
        &mut self,
        found: Option<&Found>,
        is_old: bool,
    ) -> Result<Option<Option<Vec<u8>>>, Failure> {
        let Some(found) = found else {
            return Ok(None);
        };
        if found.size > MOST_SHOWN {
            return Ok(Some(None));
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
        Ok(Some(Some(bytes)))
    }
}

/// Whether content is no text, by Git's rule.
fn is_binary(content: &[u8]) -> bool {
    content.iter().take(LOOKED_AT).any(|byte| *byte == 0)
}

/// One side of a change, for the output.
struct SideShown {
    mode: u32,
    size: u64,
}

impl From<Found> for SideShown {
    fn from(found: Found) -> Self {
        Self {
            mode: found.mode.octal(),
            size: found.size,
        }
    }
}

enum Body {
    Lines(Vec<u8>),
    Binary,
    TooLarge,
}

impl Body {
    /// How many lines came and how many went.
    fn counts(&self) -> Option<(usize, usize)> {
        let Self::Lines(lines) = self else {
            return None;
        };
        let mut counts = (0, 0);
        // Two lines of names stand above the first place.
        for line in lines.split(|byte| *byte == b'\n').skip(2) {
            match line.first() {
                Some(b'+') => counts.0 += 1,
                Some(b'-') => counts.1 += 1,
                _ => {}
            }
        }
        Some(counts)
    }
}

/// A difference, read.
struct Change {
    path: RepoPath,
    old: Option<SideShown>,
    new: Option<SideShown>,
    counts: Option<(usize, usize)>,
    body: Body,
}

impl Change {
    fn without_lines(self) -> Self {
        let body = match self.body {
            Body::Lines(_) => Body::Lines(Vec::new()),
            other => other,
        };
        Self { body, ..self }
    }

    /// The change as `git apply` reads it.
    fn text(&self) -> Vec<u8> {
        let name = |side: &str| quoted(&[side.as_bytes(), self.path.as_bytes()].concat());
        let mut text = [b"diff --git ", &name("a/")[..], b" ", &name("b/"), b"\n"].concat();
        let modes = match (&self.old, &self.new) {
            (None, Some(new)) => format!("new file mode {:06o}\n", new.mode),
            (Some(old), None) => format!("deleted file mode {:06o}\n", old.mode),
            (Some(old), Some(new)) if old.mode != new.mode => {
                format!("old mode {:06o}\nnew mode {:06o}\n", old.mode, new.mode)
            }
            _ => String::new(),
        };
        text.extend(modes.as_bytes());
        let why = match &self.body {
            Body::Lines(lines) => {
                text.extend(lines);
                return text;
            }
            Body::Binary => "Binary files",
            Body::TooLarge => "Files too large to be shown,",
        };
        let side = |exists: bool, side| match exists {
            true => name(side),
            false => b"/dev/null".to_vec(),
        };
        text.extend(why.as_bytes());
        text.push(b' ');
        text.extend(side(self.old.is_some(), "a/"));
        text.extend(b" and ");
        text.extend(side(self.new.is_some(), "b/"));
        text.extend(b" differ\n");
        text
    }

    fn word(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "added",
            (_, None) => "deleted",
            (Some(_), Some(_)) if self.counts == Some((0, 0)) => "mode",
            _ => "modified",
        }
    }

    fn json(&self) -> serde_json::Value {
        let mode = |side: &Option<SideShown>| side.as_ref().map(|it| format!("{:06o}", it.mode));
        let size = |side: &Option<SideShown>| side.as_ref().map(|it| it.size);
        let mut json = serde_json::json!({
            "change": self.word(),
            "old_mode": mode(&self.old),
            "new_mode": mode(&self.new),
            "old_size": size(&self.old),
            "new_size": size(&self.new),
            "binary": matches!(self.body, Body::Binary),
            "insertions": self.counts.map(|(insertions, _)| insertions),
            "deletions": self.counts.map(|(_, deletions)| deletions),
        });
        // The path as all other output has it: text, and the bytes where they are not UTF-8.
        let path = serde_json::to_value(StoredPath::new(&self.path)).unwrap_or_default();
        if let (Some(json), serde_json::Value::Object(path)) = (json.as_object_mut(), path) {
            json.extend(path);
        }
        json
    }
}

fn statistics(changes: &[Change]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let (mut insertions, mut deletions) = (0, 0);
    for change in changes {
        let path = &change.path;
        let _ = match change.counts {
            Some((0, 0)) if change.word() == "mode" => writeln!(text, " {path} | mode"),
            Some((added, removed)) => {
                insertions += added;
                deletions += removed;
                writeln!(text, " {path} | +{added} -{removed}")
            }
            None => {
                let size = |side: &Option<SideShown>| side.as_ref().map_or(0, |it| it.size);
                let (old, new) = (size(&change.old), size(&change.new));
                writeln!(text, " {path} | {old} -> {new} bytes")
            }
        };
    }
    let files = if changes.len() == 1 { "file" } else { "files" };
    let _ = writeln!(
        text,
        "{} {files} changed, +{insertions} -{deletions}",
        changes.len()
    );
    text
}
