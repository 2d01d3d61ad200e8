//! `gpuguard backup`: saving files, and looking at, proving and restoring what was saved.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::paths::{bytes_shown, repo_path, shown};
use super::{Failure, Screen};
use super::{backup_create as create, backup_diff as diff, backup_prune as prune};
use crate::backup::{BackupError, BackupId, Entry, Listed, Store, VerifiedBackup, Version};
use crate::git::Repository;
use crate::outcome::Answer;
use crate::rollback::Workplace;
use crate::sys::{clock, environment, file};

/// Save files, list what is saved, prove it whole, restore it
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Save files of the working tree as they are now
    Create(create::Arguments),
    /// List all backups, newest first
    List {
        /// Form of the output
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: Format,
    },
    /// Show what a backup holds
    Show {
        /// The backup: an id, its beginning, or `latest`
        id: String,
        /// Form of the output
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: Format,
    },
    Diff(diff::Arguments),
    /// Compare every byte of a backup with its sums
    Verify {
        /// The backup: an id, its beginning, or `latest`
        #[arg(default_value = "latest", conflicts_with = "all")]
        id: String,
        /// All backups
        #[arg(long)]
        all: bool,
    },
    /// Put saved files back, after saving what they replace
    Restore(RestoreArguments),
    Prune(prune::Arguments),
}

#[derive(Debug, clap::Args)]
struct RestoreArguments {
    /// The backup: an id, its beginning, or `latest`, the newest that was not made by a restore,
    /// a rollback or an undo
    id: String,
    /// Restore only these files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Which of a file's versions; by default the one nearest to the working tree
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionWord>,
    /// Write below this folder, byte for byte, instead of into the working tree
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum VersionWord {
    Before,
    Staged,
    Worktree,
}

impl From<VersionWord> for Version {
    fn from(word: VersionWord) -> Self {
        match word {
            VersionWord::Before => Self::Before,
            VersionWord::Staged => Self::Staged,
            VersionWord::Worktree => Self::Worktree,
        }
    }
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder cannot be found").because(&error))?;
    let repository = Repository::discover(&directory)?;
    let store = Store::at(repository.common_dir());
    match &arguments.command {
        Command::Create(arguments) => create::run(arguments, (&repository, &directory), screen),
        Command::Diff(arguments) => diff::run(arguments, (&repository, &directory, &store), screen),
        Command::Prune(arguments) => prune::run(arguments, (&repository, &store), screen),
        Command::List { format } => list(&store, *format, screen),
        Command::Show { id, format } => show(&store.listed(&store.find(id)?)?, *format, screen),
        Command::Verify { id, all } => {
            let ids = if *all {
                store.ids()?
            } else {
                vec![store.find(id)?]
            };
            verify(&store, &ids, screen)
        }
        Command::Restore(arguments) => {
            let mut paths = Vec::new();
            for path in &arguments.paths {
                paths.push(repo_path(repository.worktree()?, &directory, path)?);
            }
            let id = store.find_to_restore(&arguments.id)?;
            let version = arguments.version.map(Version::from);
            let mut backup = store.verify(&id, &mut |_| ())?;
            let chosen = backup.manifest().choose(&paths, version)?;
            match &arguments.to {
                Some(folder) => restore_beside(&mut backup, &chosen, folder, screen),
                None => restore(&repository, &mut backup, &chosen, screen),
            }
        }
    }
}

fn list(store: &Store, format: Format, screen: &Screen) -> Result<Answer, Failure> {
    let listing = store.list()?;
    match format {
        Format::Json => {
            let backups: Vec<_> = listing.backups.iter().map(listed_json).collect();
            let json = serde_json::json!({"version": 1, "backups": backups});
            screen.print(&format!("{json:#}\n"))?;
        }
        Format::Human => {
            for backup in &listing.backups {
                screen.print(&listed_line(backup))?;
            }
            if listing.backups.is_empty() {
                screen.say(&format!("no backups in `{}`", shown(store.folder())));
            }
        }
    }
    for error in &listing.unreadable {
        screen.warn(&format!("warning: {error}"));
    }
    Ok(Answer::Fine)
}

fn listed_json(backup: &Listed) -> serde_json::Value {
    let manifest = &backup.manifest;
    serde_json::json!({
        "id": backup.id.as_str(),
        "created": manifest.created.to_string(),
        "trigger": manifest.trigger,
        "commit": manifest.commit,
        "branch": manifest.branch,
        "files": manifest.files(),
        "bytes": manifest.bytes(),
        "archive_bytes": backup.archive_bytes,
        "sha256": backup.sha256.map(|sum| sum.to_string()),
        "path": shown(&backup.path),
    })
}

fn listed_line(backup: &Listed) -> String {
    let manifest = &backup.manifest;
    let files = manifest.files();
    format!(
        "{}  {:<10}  {:>5} {:<5}  {:>10}  {}\n",
        backup.id,
        crate::text::printable(manifest.trigger.as_bytes()),
        files,
        if files == 1 { "file" } else { "files" },
        bytes_shown(manifest.bytes()),
        crate::text::printable(manifest.branch.as_deref().unwrap_or("-").as_bytes()),
    )
}

fn show(backup: &Listed, format: Format, screen: &Screen) -> Result<Answer, Failure> {
    if format == Format::Json {
        let manifest = serde_json::to_value(&backup.manifest)
            .map_err(|error| Failure::new("the manifest cannot be shown").because(&error))?;
        screen.print(&format!("{manifest:#}\n"))?;
        return Ok(Answer::Fine);
    }
    let manifest = &backup.manifest;
    let mut text = listed_line(backup);
    let mut line = |label: &str, value: &str| {
        let value = crate::text::printable(value.as_bytes());
        let _ = writeln!(text, "{label:<9} {value}");
    };
    line("created", &manifest.created.to_string());
    line("commit", manifest.commit.as_deref().unwrap_or("-"));
    line("archive", &shown(&backup.path));
    for entry in &manifest.entries {
        let file = format!("{} ({})", entry.path.to_path(), bytes_shown(entry.size));
        line(entry.version.word(), &file);
    }
    for absent in &manifest.absent {
        let file = format!("{} (no such file)", absent.path.to_path());
        line(absent.version.word(), &file);
    }
    for missing in &manifest.missing {
        line("not found", &missing.to_path().to_string());
    }
    screen.print(&text)?;
    Ok(Answer::Fine)
}

fn verify(store: &Store, ids: &[BackupId], screen: &Screen) -> Result<Answer, Failure> {
    let size = |id| {
        store
            .archive_path(id)
            .metadata()
            .map_or(0, |found| found.len())
    };
    let mut progress = screen.progress("verifying", ids.iter().map(size).sum());
    let mut done = 0;
    let mut damaged = 0;
    for id in ids {
        match store.verify(id, &mut |read| {
            done += read;
            progress.at(done);
        }) {
            Ok(backup) => {
                let refused = backup.manifest().refused();
                for (path, reason) in &refused {
                    screen.warn(&format!(
                        "the backup `{id}` holds `{path}`, which must not be written: {reason}"
                    ));
                }
                damaged += usize::from(!refused.is_empty());
            }
            Err(error @ (BackupError::Damaged { .. } | BackupError::Newer { .. })) => {
                damaged += 1;
                screen.warn(&format!("{error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    drop(progress);
    let whole = ids.len() - damaged;
    screen.say(&match (ids.len(), damaged) {
        (0, _) => format!(
            "no backups in `{}`: nothing was verified",
            shown(store.folder())
        ),
        (1, 0) => format!("the backup `{}` is whole", ids[0]),
        _ => format!("{whole} whole, {damaged} damaged, {} in all", ids.len()),
    });
    Ok(if damaged == 0 {
        Answer::Fine
    } else {
        Answer::No
    })
}

fn restore_beside(
    backup: &mut VerifiedBackup,
    chosen: &[Entry],
    folder: &std::path::Path,
    screen: &Screen,
) -> Result<Answer, Failure> {
    file::create_folder(folder).map_err(|error| {
        Failure::new(format!(
            "the folder `{}` cannot be made; nothing was restored",
            shown(folder)
        ))
        .because(&error)
    })?;
    let waiting = screen.waiting("restoring files");
    let restored = backup.restore_beside(folder, chosen);
    drop(waiting);
    let written = restored?;
    let id = &backup.manifest().id;
    screen.say(&format!(
        "{written} restored from `{id}` to `{}`",
        shown(folder)
    ));
    Ok(Answer::Fine)
}

fn restore(
    repository: &Repository,
    backup: &mut VerifiedBackup,
    chosen: &[Entry],
    screen: &Screen,
) -> Result<Answer, Failure> {
    let workplace = Workplace::new(repository, clock::now())?;
    let mut hear = super::rollback::listener(screen);
    let done = workplace.restore(backup, chosen, &mut hear)?;
    screen.say(&format!(
        "{} restored from `{}`, {} as saved already; undo: gpuguard rollback --undo",
        done.written,
        backup.manifest().id,
        chosen.len() - done.written
    ));
    Ok(Answer::Fine)
}
