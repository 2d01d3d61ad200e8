//! `gpuguard fix`: mends what can be mended, after saving it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;

use super::policy::{Tree, load_below, load_policy_for};
use super::scan::{Read, read_file};
use super::{Failure, Screen};
use crate::backup::{SafeName, Sum};
use crate::git::{GitError, RepoPath, Repository};
use crate::judge;
use crate::outcome::{Answer, Outcome};
use crate::report;
use crate::rollback::{Replacement, Workplace};
use crate::scan::rule::Rule;
use crate::scan::{FileScan, FixResult, FixedFile, Safety, Scanner};
use crate::source::{self, FileReader, Judged, WorktreeError, WorktreeFile};
use crate::sys::clock;
use crate::sys::environment::current_dir;
use crate::sys::real_path::real_path;
use crate::text::unified_diff;

/// Mend code that selects the wrong card
///
/// Only what is sure to be right is changed, in the files of the working tree; nothing is staged.
/// Every file is saved before, and `gpuguard rollback --undo` takes it all back. The answer is
/// "no" while errors remain, or with --diff where something would change.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gpuguard fix --diff\n  gpuguard fix train.py\n  \
    gpuguard fix . --unsafe-fixes"
)]
pub(super) struct Arguments {
    /// Files and folders; the current folder when none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// Also make changes that may mean more than the card: a late block moved up, a default or
    /// constant that others may use
    #[arg(long)]
    unsafe_fixes: bool,
    /// The policy to judge by, instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// A file that was looked at.
struct Looked {
    file: WorktreeFile,
    before: Vec<u8>,
    fixed: FixedFile,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let started = Instant::now();
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = match Repository::discover(&directory) {
        Ok(repository) => Some(repository),
        Err(GitError::NoRepository { .. }) if arguments.diff => None,
        Err(error @ GitError::NoRepository { .. }) => {
            return Err(Failure::new(
                "there is no repository here, and so no place to save the files; nothing was changed",
            )
            .because(&error)
            .hint("`gpuguard fix --diff` shows what would change; `git init` makes a repository"));
        }
        Err(error) => return Err(error.into()),
    };
    let root = match &repository {
        Some(repository) => repository.worktree()?.to_owned(),
        None => Tree::around(&directory)?.root,
    };
    let explicit = arguments.policy.as_deref();
    let policy = load_policy_for(Judged::WorkingTree, explicit)?;
    let here = [PathBuf::new()];
    let paths = if arguments.paths.is_empty() {
        &here[..]
    } else {
        &arguments.paths
    };
    let files = source::files(paths, &directory, &root)?;
    let below = load_below(&root, &files, explicit)?;
    let scanner = judge::scanner(&policy, &below, clock::now());
    let allowed = if arguments.unsafe_fixes {
        Safety::Unsafe
    } else {
        Safety::Safe
    };
    let (skipped, looked) = look(&scanner, files, allowed)?;
    let mut work = Work::new(&scanner, repository.as_ref(), &root)?;
    work.outcome.files = skipped;
    for looked in looked {
        work.take(looked);
    }
    work.outcome.files.sort_by(|a, b| a.path.cmp(&b.path));
    work.outcome.elapsed = started.elapsed();
    if arguments.diff {
        return work.show_diff(screen);
    }
    if let (Some(repository), false) = (&repository, work.changes.is_empty()) {
        let workplace = Workplace::new(repository, clock::now())?;
        let replacements: Vec<Replacement> = work.changes.iter().map(Change::replacement).collect();
        let mut hear = super::rollback::listener(screen);
        workplace.replace("fix", &replacements, &mut hear)?;
    }
    work.show(screen)
}

/// Reads and mends all files, in parallel; nothing is written.
fn look(
    scanner: &Scanner,
    files: Vec<WorktreeFile>,
    allowed: Safety,
) -> Result<(Vec<FileScan>, Vec<Looked>), WorktreeError> {
    let all = files
        .into_par_iter()
        .map(|file| FileReader::with(|reader| look_at(scanner, file, reader, allowed)));
    let all: Vec<(Option<FileScan>, Option<Looked>)> = all.collect::<Result<_, WorktreeError>>()?;
    let (skipped, looked): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    Ok((
        skipped.into_iter().flatten().collect(),
        looked.into_iter().flatten().collect(),
    ))
}

/// What is not to be scanned, or what became of a file.
fn look_at(
    scanner: &Scanner,
    file: WorktreeFile,
    reader: &mut FileReader,
    allowed: Safety,
) -> Result<(Option<FileScan>, Option<Looked>), WorktreeError> {
    let before = match read_file(scanner, scanner.most_bytes(), &file, reader)? {
        None => return Ok((None, None)),
        Some(Read::Skipped(scan)) => return Ok((Some(scan), None)),
        Some(Read::Content(before)) => before,
    };
    let fixed = scanner.fix(&file.path, before, allowed);
    let looked = Looked {
        file,
        // Only what is written anew is kept.
        before: match &fixed.result {
            FixResult::Mended { .. } => before.to_vec(),
            _ => Vec::new(),
        },
        fixed,
    };
    Ok((None, Some(looked)))
}

/// A file to be changed.
struct Change {
    path: RepoPath,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Change {
    fn replacement(&self) -> Replacement {
        Replacement {
            path: self.path.clone(),
            before: Sum::of(&self.before),
            content: self.after.clone(),
        }
    }
}

/// What is to be done, and what is told afterwards.
struct Work<'w> {
    scanner: &'w Scanner,
    root: &'w Path,
    /// The root without links on the way to it.
    real_root: PathBuf,
    unmerged: BTreeSet<RepoPath>,
    outcome: Outcome,
    changes: Vec<Change>,
    taken: BTreeSet<RepoPath>,
    fixes: BTreeMap<&'static str, usize>,
    /// Files that could be mended and are not, with the reason.
    left: Vec<(RepoPath, String)>,
}

impl<'w> Work<'w> {
    fn new(
        scanner: &'w Scanner,
        repository: Option<&Repository>,
        root: &'w Path,
    ) -> Result<Self, Failure> {
        Ok(Self {
            scanner,
            root,
            real_root: real_path(root).unwrap_or_else(|_| root.to_owned()),
            unmerged: match repository {
                Some(repository) => repository.unmerged_paths()?,
                None => BTreeSet::new(),
            },
            outcome: Outcome::default(),
            changes: Vec::new(),
            taken: BTreeSet::new(),
            fixes: BTreeMap::new(),
            left: Vec::new(),
        })
    }

    fn take(&mut self, looked: Looked) {
        let Looked {
            file,
            before,
            fixed,
        } = looked;
        let mut scan = fixed.scan;
        match fixed.result {
            FixResult::Nothing => {}
            FixResult::LeftAlone(reason) => self.left.push((file.path, reason.to_string())),
            FixResult::Mended { content, fixes } => match self.place(&file) {
                Err(reason) => {
                    scan = self.scanner.scan(&file.path, &before);
                    self.left.push((file.path, reason));
                }
                // The same file under another name.
                Ok(path) if !self.taken.insert(path.clone()) => {}
                Ok(path) => {
                    for (rule, count) in fixes {
                        *self.fixes.entry(rule).or_default() += count;
                    }
                    self.changes.push(Change {
                        path,
                        before,
                        after: content,
                    });
                }
            },
        }
        self.outcome.files.push(scan);
    }

    /// The path below the root where a file really lies, links followed; or why it must not be
    /// changed.
    fn place(&self, file: &WorktreeFile) -> Result<RepoPath, String> {
        let cannot = |error: std::io::Error| format!("it cannot be read: {error}");
        let real = real_path(&file.file).map_err(cannot)?;
        let path = real
            .strip_prefix(&self.real_root)
            .ok()
            .and_then(RepoPath::from_relative)
            .ok_or("it lies outside this working tree")?;
        SafeName::new(&path)
            .and_then(|name| name.below(self.root))
            .map_err(|fault| fault.to_string())?;
        if self.scanner.excludes(&path) {
            return Err("the policy excludes the file it links to".to_owned());
        }
        if self.unmerged.contains(&path) {
            return Err("it is in conflict: resolve it and `git add` it first".to_owned());
        }
        let mut folders = real.ancestors().skip(1);
        let own = folders
            .by_ref()
            .take_while(|folder| *folder != self.real_root)
            .any(|folder| folder.join(".git").symlink_metadata().is_ok());
        if own {
            return Err("it belongs to another repository".to_owned());
        }
        let metadata = real.metadata().map_err(cannot)?;
        if metadata.permissions().readonly() {
            return Err("it is read-only".to_owned());
        }
        Ok(path)
    }

    fn show_diff(&self, screen: &Screen) -> Result<Answer, Failure> {
        for change in &self.changes {
            let path = change.path.as_bytes();
            screen.print_bytes(&unified_diff(path, &change.before, &change.after))?;
        }
        self.tell_left(screen);
        screen.say(&match self.changes.len() {
            0 if self.outcome.scanned() == 0 => "no files were scanned".to_owned(),
            0 => "nothing to fix".to_owned(),
            _ => format!("{}; nothing was changed", self.counts("would fix")),
        });
        Ok(if self.changes.is_empty() {
            Answer::Fine
        } else {
            Answer::No
        })
    }

    fn show(&self, screen: &Screen) -> Result<Answer, Failure> {
        let style = screen.style_on_stdout();
        let mut text = report::findings(&self.outcome, &style);
        if !screen.quiet {
            text.push_str(&self.summary());
            text.push_str(&report::summary(&self.outcome, &style));
        }
        screen.print(&text)?;
        self.tell_left(screen);
        if !self.changes.is_empty() {
            screen.say("undo: gpuguard rollback --undo");
        }
        Ok(self.outcome.answer())
    }

    fn summary(&self) -> String {
        if self.changes.is_empty() {
            return "nothing was changed\n".to_owned();
        }
        let mut text = format!("{}\n", self.counts("fixed"));
        for (rule, count) in &self.fixes {
            let summary = Rule::of(rule).map_or("", |rule| rule.summary);
            let _ = writeln!(text, "  {rule} x{count}: {summary}");
        }
        text
    }

    fn counts(&self, verb: &str) -> String {
        let problems: usize = self.fixes.values().sum();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let files = self.changes.len();
        format!(
            "{verb} {problems} problem{} in {files} file{}",
            plural(problems),
            plural(files)
        )
    }

    fn tell_left(&self, screen: &Screen) {
        for (path, reason) in &self.left {
            screen.warn(&format!("left alone: `{path}`: {reason}"));
        }
    }
}
