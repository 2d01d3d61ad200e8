//! `gpuguard backup`: saving files, and looking at, proving and restoring what was saved.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::backup_list::{list, show};
use super::backup_verify::verify;
use super::paths::{repo_path, shown};
use super::{Failure, Screen};
use super::{backup_create as create, backup_diff as diff, backup_prune as prune};
use crate::backup::{Entry, Store, VerifiedBackup, Version};
use crate::git::Repository;
use crate::outcome::Answer;
use crate::rollback::Workplace;
use crate::sys::{clock, environment, file};

/// Save files, list what is saved, prove it whole, restore it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard backup list\n  \
    gpuguard backup diff latest\n  \
    gpuguard backup restore latest train.py\n  \
    gpuguard backup verify --all")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Save files of the working tree as they are now
    Create(create::Arguments),
    /// List all backups, newest first
    #[command(after_help = "Examples:\n  \
    gpuguard backup list\n  \
    gpuguard backup list --format json")]
    List {
        /// Form of the output
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: Format,
    },
    /// Show what a backup holds
    #[command(after_help = "Examples:\n  \
    gpuguard backup show latest\n  \
    gpuguard backup show 20260102T --format json")]
    Show {
        /// The backup: an id, its beginning, or `latest`
        id: String,
        /// Form of the output
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: Format,
    },
    Diff(diff::Arguments),
    /// Compare every byte of a backup with its sums
    #[command(after_help = "Examples:\n  \
    gpuguard backup verify\n  \
    gpuguard backup verify --all")]
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
#[command(after_help = "Examples:\n  \
    gpuguard backup restore latest train.py\n  \
    gpuguard backup restore latest --to ../saved       byte for byte, beside the working tree\n  \
    gpuguard backup restore 20260102T030405Z --version before src/")]
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
    let store = match &arguments.command {
        Command::Create(_) => Store::of(&repository)?,
        _ => Store::of_whatever_policy(&repository),
    };
    // What is listed now must still be there when it is read.
    let _reading = match &arguments.command {
        Command::Create(_) | Command::Prune(_) => None,
        _ => Some(store.reading()),
    };
    match &arguments.command {
        Command::Create(arguments) => {
            create::run(arguments, (&repository, &directory, &store), screen)
        }
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
                None => restore((&repository, &store), &mut backup, &chosen, screen),
            }
        }
    }
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
    (repository, store): (&Repository, &Store),
    backup: &mut VerifiedBackup,
    chosen: &[Entry],
    screen: &Screen,
) -> Result<Answer, Failure> {
    let workplace = Workplace::with_store(repository, store.clone(), clock::now())?;
    let mut hear = super::rollback::listener(screen);
    let done = workplace.restore(backup, chosen, &mut hear)?;
    let id = &backup.manifest().id;
    screen.say(&match (&done.snapshot, chosen.len()) {
        (None, 1) => format!("nothing to do: the file is as saved in `{id}`"),
        (None, files) => format!("nothing to do: all {files} files are as saved in `{id}`"),
        (Some(_), files) => format!(
            "{} restored from `{id}`, {} as saved already; undo: gpuguard rollback --undo",
            done.written,
            files - done.written
        ),
    });
    Ok(Answer::Fine)
}
