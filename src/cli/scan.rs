//! `gpuguard scan`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::ValueEnum;
use rayon::prelude::*;

use super::policy::{Tree, here, load_below, load_named, load_policy_for};
use super::{Failure, Screen};
use crate::git::Repository;
use crate::judge::{self, judge};
use crate::outcome::{Answer, Outcome};
use crate::policy::Policy;
use crate::report::{self, Format};
use crate::scan::{FileScan, Scanner, SkipReason};
use crate::source::{
    self, BelowRoot, Change, Content, Judged, PolicyFrom, Range, WorktreeError, WorktreeFile,
};
use crate::sys::clock;

/// Look for code that selects the wrong card
///
/// Whole files are judged, everything in them counts; with --staged and --range, what the change
/// brings in.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gpuguard scan .\n  gpuguard scan --staged\n  \
    gpuguard scan train.py --policy ~/rig.toml --format json\n  \
    gpuguard scan --range origin/main...HEAD     what this branch brings in, in CI\n  \
    gpuguard scan --range v1.0..v2.0             what is in v2.0 and was not in v1.0\n\n\
    A line is allowed by a comment on it or above it, which says why:\n  \
    # gpuguard: allow[GG007] the test rig has one card\n  \
    # gpuguard: allow[GG006, GG007] until=2027-01-31 the old rig"
)]
pub(super) struct Arguments {
    /// Files and folders; the current folder when none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge what is staged, as the hook would, without saving it or checking the card
    #[arg(long, conflicts_with = "paths")]
    staged: bool,
    /// Judge what B has and A had not (A..B), or what B has since the two parted (A...B)
    ///
    /// An end that is left out is HEAD. B's gpuguard.toml counts, else A's. Works in a bare
    /// repository too.
    #[arg(long, value_name = "A..B", conflicts_with_all = ["paths", "staged"])]
    range: Option<String>,
    /// The policy to judge all files by, instead of the nearest gpuguard.toml of each
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
    let policy = arguments.policy.as_deref();
    let mut outcome = if let Some(range) = &arguments.range {
        scan_range(range, policy, screen)?
    } else if arguments.staged {
        scan_staged(policy)?
    } else {
        Outcome {
            files: scan_worktree(arguments, screen)?,
            lists_dynamic: arguments.show_dynamic,
            ..Outcome::default()
        }
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
fn scan_staged(explicit: Option<&Path>) -> Result<Outcome, Failure> {
    let policy = load_policy_for(Judged::Staged, explicit)?;
    let repository = Repository::discover(&here()?)?;
    let change = Change::staged(&repository, policy.scan.max_file_bytes)?;
    judged(&repository, &change, &policy, explicit)
}

/// Judges a change by the policy at its root and those below; by `explicit` alone, if one was
/// named.
fn judged(
    repository: &Repository,
    change: &Change<'_>,
    policy: &Policy,
    explicit: Option<&Path>,
) -> Result<Outcome, Failure> {
    let now = clock::now();
    if explicit.is_some() {
        return Ok(Outcome {
            files: judge(&judge::scanner(policy, &BelowRoot::new(), now), change)?,
            ..Outcome::default()
        });
    }
    let by = (policy, change.new_side());
    let judged = judge::judge_by_policies(repository, change, by, now)?;
    Ok(Outcome {
        files: judged.files,
        weakened: judged.weakened,
        ..Outcome::default()
    })
}

/// Scans what a range of commits comes to; only what it brings in counts.
fn scan_range(range: &str, explicit: Option<&Path>, screen: &Screen) -> Result<Outcome, Failure> {
    let repository = Repository::discover(&here()?)?;
    let range = Range::resolve(&repository, range)?;
    let (policy, note) = match explicit {
        Some(path) => (load_named(path)?, None),
        None => policy_of_range(&repository, &range, screen)?,
    };
    let change = Change::of_range(&repository, &range, policy.scan.max_file_bytes)?;
    let waiting = screen.waiting("judging the range");
    let outcome = judged(&repository, &change, &policy, explicit);
    drop(waiting);
    let mut outcome = outcome?;
    outcome.notes.extend(note);
    Ok(outcome)
}

/// The policy that counts for a range, and which one it is where that should be said.
fn policy_of_range(
    repository: &Repository,
    range: &Range,
    screen: &Screen,
) -> Result<(Policy, Option<String>), Failure> {
    let (policy, from) = source::policy_of_range(repository, range)
        .map_err(|error| Failure::from(error).hint("`--policy FILE` judges by another"))?;
    let (base, tip) = (&range.base_name, &range.tip_name);
    let note = match from {
        PolicyFrom::Base => Some(format!(
            "`{tip}` has no gpuguard.toml: the one of `{base}` counts"
        )),
        _ => screen
            .verbose
            .then(|| format!("by the gpuguard.toml of `{tip}`")),
    };
    Ok((policy, note))
}

/// Scans files and folders of the disk, in parallel.
fn scan_worktree(arguments: &Arguments, screen: &Screen) -> Result<Vec<FileScan>, Failure> {
    let explicit = arguments.policy.as_deref();
    let directory = here()?;
    let tree = Tree::around(&directory)?;
    let policy = match explicit {
        Some(path) => load_named(path)?,
        None => tree.policy(Judged::WorkingTree)?,
    };
    let limit = policy.scan.max_file_bytes;
    let here = [PathBuf::new()];
    let paths = match &arguments.paths[..] {
        [] => &here[..],
        named => named,
    };
    let files = source::files(paths, &directory, &tree.root)?;
    let below = load_below(&tree.root, &files, explicit)?;
    let mut scanner = judge::scanner(&policy, &below, clock::now());
    if arguments.show_dynamic {
        scanner = scanner.listing_dynamic();
    }
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
    Ok(match read_file(scanner, limit, file)? {
        Some(Read::Content(content)) => Some(scanner.scan(&file.path, &content)),
        Some(Read::Skipped(scan)) => Some(scan),
        None => None,
    })
}

/// A file that was to be read.
pub(super) enum Read {
    /// Its bytes.
    Content(Vec<u8>),
    /// It is not to be scanned.
    Skipped(FileScan),
}

/// Reads one file; `None` where it is in no language that is scanned and nobody named it.
pub(super) fn read_file(
    scanner: &Scanner,
    limit: u64,
    file: &WorktreeFile,
) -> Result<Option<Read>, WorktreeError> {
    let skipped = |reason| {
        let scan = FileScan::skipped(file.path.clone(), reason);
        Ok(Some(Read::Skipped(scan)))
    };
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
    if !code_by_name && file.path.extension().is_some() {
        return no_language();
    }
    let content = match source::read(&file.file, limit) {
        Ok(Content::Bytes(content)) => content,
        Ok(Content::TooLarge { bytes }) if code_by_name => {
            return skipped(SkipReason::TooLarge { bytes });
        }
        Ok(Content::TooLarge { .. }) => return no_language(),
        Err(error) => return unreadable(error),
    };
    if !code_by_name && scanner.language(&file.path, &content).is_none() {
        return no_language();
    }
    Ok(Some(Read::Content(content)))
}
