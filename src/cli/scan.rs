//! `gpuguard scan`.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::ValueEnum;
use rayon::prelude::*;

use super::policy::load_policy_for;
use super::{Failure, Screen};
use crate::git::{GitError, Repository};
use crate::hook;
use crate::outcome::{Answer, Outcome};
use crate::policy::Policy;
use crate::report::{self, Format};
use crate::scan::{FileScan, Scanner, SkipReason};
use crate::source::{self, Judged, WorktreeError, WorktreeFile};
use crate::sys::environment::current_dir;

/// Look for code that selects the wrong card
///
/// Whole files are judged, everything in them counts; with --staged, what the next commit would
/// bring in.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gpuguard scan .\n  gpuguard scan --staged\n  \
    gpuguard scan train.py --policy ~/rig.toml --format json"
)]
pub(super) struct Arguments {
    /// Files and folders; the current folder when none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge what is staged, as the hook would, without saving it or checking the card
    #[arg(long, conflicts_with = "paths")]
    staged: bool,
    /// The policy to judge by, instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: FormatWord,
    /// Print a table of counts by rule and by API instead of each finding
    #[arg(long, conflicts_with = "format")]
    statistics: bool,
    /// List the places whose card only the running program knows; they decide nothing
    #[arg(long, conflicts_with = "staged")]
    show_dynamic: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatWord {
    Human,
    Json,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let started = Instant::now();
    let judged = if arguments.staged {
        Judged::Staged
    } else {
        Judged::WorkingTree
    };
    let policy = load_policy_for(judged, arguments.policy.as_deref())?;
    let files = if arguments.staged {
        scan_staged(&policy)?
    } else {
        scan_worktree(&policy, arguments, screen)?
    };
    let mut outcome = Outcome {
        files,
        lists_dynamic: arguments.show_dynamic,
        ..Outcome::default()
    };
    outcome.elapsed = started.elapsed();
    show(&outcome, arguments, screen)?;
    Ok(outcome.answer())
}

fn show(outcome: &Outcome, arguments: &Arguments, screen: &Screen) -> Result<(), Failure> {
    if arguments.statistics {
        return screen.print(&report::statistics(outcome));
    }
    let format = match arguments.format {
        FormatWord::Human => Format::Human,
        FormatWord::Json => Format::Json,
    };
    let style = screen.style_on_stdout();
    if screen.quiet && format == Format::Human {
        return screen.print(&report::findings(outcome, &style));
    }
    screen.print(&report::render(format, outcome, &style))
}

/// Scans what is staged; only what the change brings in counts.
fn scan_staged(policy: &Policy) -> Result<Vec<FileScan>, Failure> {
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = Repository::discover(&directory)?;
    let staged = source::index::staged_files(&repository, policy.scan.max_file_bytes)?;
    Ok(hook::judge(&repository, policy, &staged)?)
}

/// Scans files and folders of the disk, in parallel.
fn scan_worktree(
    policy: &Policy,
    arguments: &Arguments,
    screen: &Screen,
) -> Result<Vec<FileScan>, Failure> {
    let mut scanner = Scanner::new(policy);
    if arguments.show_dynamic {
        scanner = scanner.listing_dynamic();
    }
    let limit = policy.scan.max_file_bytes;
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let root = match Repository::discover(&directory) {
        Ok(repository) => repository.worktree()?.to_owned(),
        Err(GitError::NoRepository { .. }) => directory.clone(),
        Err(error) => return Err(error.into()),
    };
    let here = [PathBuf::new()];
    let paths = match &arguments.paths[..] {
        [] => &here[..],
        named => named,
    };
    let files = source::files(paths, &directory, &root)?;
    let done = AtomicU64::new(0);
    let progress = Mutex::new(screen.progress("scanning", files.len() as u64));
    let scans = files.par_iter().filter_map(|file| {
        let scan = scan_file(&scanner, limit, file);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        // Whoever holds the bar draws it; nobody waits for it.
        if let Ok(mut progress) = progress.try_lock() {
            progress.at(done);
        }
        scan.transpose()
    });
    Ok(scans.collect::<Result<_, WorktreeError>>()?)
}

/// Reads and scans one file; `None` where it is in no language that is scanned and nobody named it.
fn scan_file(
    scanner: &Scanner,
    limit: u64,
    file: &WorktreeFile,
) -> Result<Option<FileScan>, WorktreeError> {
    let skipped = |reason| Ok(Some(FileScan::skipped(file.path.clone(), reason)));
    let no_language = || {
        file.named
            .then_some(SkipReason::NoLanguage)
            .map_or(Ok(None), skipped)
    };
    // Whoever names a file wants to know about this one.
    let unreadable = |source: io::Error| {
        if file.named {
            return Err(WorktreeError::Unreadable {
                path: PathBuf::from(file.path.to_string()),
                source,
            });
        }
        skipped(SkipReason::Unreadable {
            reason: source.to_string(),
        })
    };
    let code_by_name = scanner.language(&file.path, b"").is_some();
    if file.path.extension().is_some() && !code_by_name {
        return no_language();
    }
    let size = match file.file.metadata() {
        Ok(metadata) => metadata.len(),
        Err(error) => return unreadable(error),
    };
    if let Some(reason) = scanner.too_large(size) {
        return if code_by_name {
            skipped(reason)
        } else {
            no_language()
        };
    }
    let content = match source::read(&file.file, limit) {
        Ok(content) => content,
        Err(error) => return unreadable(error),
    };
    if scanner.language(&file.path, &content).is_none() {
        return no_language();
    }
    Ok(Some(scanner.scan(&file.path, &content)))
}
