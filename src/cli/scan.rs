//! `gpuguard scan`.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;

use super::policy::{Policies, Tree, here, load_named};
use super::progress::Unit;
use super::scan_files::scan_files;
use super::{Failure, Screen};
use crate::git::Repository;
use crate::judge::{self, judge_telling};
use crate::outcome::{Answer, Outcome};
use crate::policy::Policy;
use crate::report::{self, Format};
use crate::scan::{FileScan, SkipReason};
use crate::source::{self, BelowRoot, Change, Judged, PolicyFrom, Range};
use crate::sys::clock;
use crate::text::printable;

/// Look for code that selects the wrong card
///
/// Whole files are judged, everything in them counts; with --staged and --range, what the change
/// brings in.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gpuguard scan .\n  gpuguard scan --staged\n  \
    gpuguard scan train.py --policy ~/rig.toml --format json\n  \
    gpuguard scan --range origin/main...HEAD --format sarif > gpuguard.sarif\n  \
    gpuguard scan --range origin/main...HEAD     what this branch brings in, in CI\n  \
    gpuguard scan --range v1.0..v2.0             what is in v2.0 and was not in v1.0\n  \
    gpuguard scan --stdin --stdin-filename a.py  what an editor holds\n\n\
    A line is allowed by a comment on it or above it, which says why:\n  \
    # gpuguard: allow[GG007] the test rig has one card\n  \
    # gpuguard: allow[GG006, GG007] until=2027-01-31 the old rig"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
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
    /// Judge what comes on standard input, as the whole content of one file
    #[arg(long, conflicts_with_all = ["paths", "staged", "range"], requires = "stdin_filename")]
    stdin: bool,
    /// The file's name: it says in which language it is and which parts of the policy are for it
    #[arg(long, value_name = "FILE", requires = "stdin")]
    stdin_filename: Option<PathBuf>,
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
    /// The line of code, the card, the fix; for people
    Human,
    /// One line for each finding: path:line:column: CODE message
    Concise,
    /// One JSON object; `gpuguard schema --of scan` describes it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, for GitHub Actions
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit's XML
    Junit,
}

impl From<FormatWord> for Format {
    fn from(word: FormatWord) -> Self {
        match word {
            FormatWord::Human => Self::Human,
            FormatWord::Concise => Self::Concise,
            FormatWord::Json => Self::Json,
            FormatWord::Sarif => Self::Sarif,
            FormatWord::Github => Self::Github,
            FormatWord::Gitlab => Self::Gitlab,
            FormatWord::Junit => Self::Junit,
        }
    }
}

/// Said where the policies lie only in folders below the root.
pub(super) const ONLY_BELOW: &str = "there is no gpuguard.toml at the root: files without one in a folder above them are not judged";

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let outcome = look(arguments, screen).inspect_err(|failure| {
        // Whoever reads a document reads one that says so; stopped on purpose, nobody does.
        let document = report::unjudged(arguments.format.into(), &failure.in_words());
        let wanted = failure.signal().is_none() && !arguments.statistics;
        if let Some(document) = document.filter(|_| wanted) {
            let _ = screen.print(&document);
        }
    })?;
    show(&outcome, arguments, screen)?;
    Ok(outcome.answer())
}

fn look(arguments: &Arguments, screen: &Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let policy = arguments.policy.as_deref();
    let mut outcome = if let Some(range) = &arguments.range {
        scan_range(range, policy, screen)?
    } else if arguments.staged {
        scan_staged(policy, screen)?
    } else if let Some(name) = &arguments.stdin_filename {
        Outcome {
            files: vec![scan_stdin(policy, name, arguments.show_dynamic)?],
            lists_dynamic: arguments.show_dynamic,
            ..Outcome::default()
        }
    } else {
        Outcome {
            files: scan_worktree(policy, (&arguments.paths, arguments.show_dynamic), screen)?,
            lists_dynamic: arguments.show_dynamic,
            ..Outcome::default()
        }
    };
    outcome.elapsed = started.elapsed();
    Ok(outcome)
}

fn show(outcome: &Outcome, arguments: &Arguments, screen: &Screen) -> Result<(), Failure> {
    if arguments.statistics {
        return screen.print(&report::statistics(outcome));
    }
    let format = Format::from(arguments.format);
    let style = screen.style_on_stdout();
    if screen.quiet && format == Format::Human {
        for weakening in outcome.refused_weakenings() {
            screen.warn(&format!(
                "gpuguard: policy weakened, which is refused: {}",
                printable(weakening.what.as_bytes())
            ));
        }
        return screen.print(&report::findings(outcome, &style));
    }
    screen.print(&report::render(format, outcome, &style))?;
    // These formats have no place for it, or none that people see; an empty list is no pass.
    if !matches!(format, Format::Human | Format::Json) {
        for weakening in &outcome.weakened {
            let refused = if outcome.refuses_weakened {
                ", which is refused"
            } else {
                ""
            };
            screen.warn(&format!(
                "gpuguard: policy weakened{refused}: {}",
                printable(weakening.what.as_bytes())
            ));
        }
        for line in report::read_in_part(outcome) {
            screen.warn(&format!("gpuguard: {line}"));
        }
        for note in &outcome.notes {
            screen.say(&format!("gpuguard: {}", printable(note.as_bytes())));
        }
        if let Some(left) = report::not_judged(outcome) {
            screen.say(&format!("gpuguard: {left}"));
        }
        screen.say(&report::looked_at(outcome));
    }
    Ok(())
}

/// Scans what is staged; only what the change brings in counts.
fn scan_staged(explicit: Option<&Path>, screen: &Screen) -> Result<Outcome, Failure> {
    let repository = Repository::discover(&here()?)?;
    let (policy, from) = if let Some(path) = explicit {
        (load_named(path)?, None)
    } else {
        let (policy, from) = source::policy_of(&repository, Judged::Staged)?;
        (policy, Some(from))
    };
    let change = Change::staged(&repository, policy.scan.max_file_bytes)?;
    let mut outcome = judged(&repository, &change, (&policy, explicit), screen)?;
    if from == Some(PolicyFrom::OnlyBelow) {
        outcome.notes.push(ONLY_BELOW.to_owned());
    }
    Ok(outcome)
}

/// Judges a change by the policy at its root and those below; by `explicit` alone, if one was
/// named. Ctrl+C ends it.
fn judged(
    repository: &Repository,
    change: &Change<'_>,
    (policy, explicit): (&Policy, Option<&Path>),
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let now = clock::now();
    let mut work = screen.interruptible("judging", Unit::Files, "nothing was judged")?;
    let mut told = |done, all| work.at(done, all);
    let judged = if explicit.is_some() {
        let scanner = judge::scanner(policy, &BelowRoot::new(), now);
        let files = judge_telling(&scanner, change, &mut told)?;
        judge::Judged {
            files,
            ..judge::Judged::default()
        }
    } else {
        let by = judge::By {
            root: policy,
            side: change.new_side(),
            before: change.base(),
        };
        judge::judge_by_policies(repository, change, by, now, &mut told)?
    };
    drop(work);
    Ok(Outcome {
        files: judged.files,
        weakened: judged.weakened.weakenings,
        refuses_weakened: judged.weakened.is_refused,
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
    let mut outcome = judged(&repository, &change, (&policy, explicit), screen)?;
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
        PolicyFrom::OnlyBelow => Some(ONLY_BELOW.to_owned()),
        _ => screen
            .verbose
            .then(|| format!("by the gpuguard.toml of `{tip}`")),
    };
    Ok((policy, note))
}

/// Scans what comes on standard input under the name of a file, which need not exist.
fn scan_stdin(
    explicit: Option<&Path>,
    name: &Path,
    lists_dynamic: bool,
) -> Result<FileScan, Failure> {
    let directory = here()?;
    let tree = Tree::around(&directory)?;
    let path = source::name_of(name, &directory, &tree.root);
    let policies = Policies::of(&tree, &path.folders().collect(), explicit)?;
    let mut scanner = judge::scanner(&policies.root, &policies.below, clock::now());
    if lists_dynamic {
        scanner = scanner.listing_dynamic();
    }
    let limit = policies.root.scan.max_file_bytes;
    let mut content = Vec::new();
    let most = limit.saturating_add(1);
    let read = io::stdin().lock().take(most).read_to_end(&mut content);
    let bytes =
        read.map_err(|error| Failure::new("standard input cannot be read").because(&error))? as u64;
    let skipped = |reason| Ok(FileScan::skipped(path.clone(), reason));
    if bytes > limit {
        return skipped(SkipReason::TooLarge { bytes });
    }
    if scanner.language(&path, &content).is_none() {
        return skipped(SkipReason::NoLanguage);
    }
    Ok(scanner.scan(&path, &content))
}

/// Scans all files of the working tree, for a gate that has nothing smaller to judge.
pub(super) fn scan_everything(screen: &Screen) -> Result<Outcome, Failure> {
    let root = Tree::around(&here()?)?.root;
    Ok(Outcome {
        files: scan_worktree(None, (&[root], false), screen)?,
        ..Outcome::default()
    })
}

/// Scans files and folders of the disk, in parallel.
fn scan_worktree(
    explicit: Option<&Path>,
    (paths, lists_dynamic): (&[PathBuf], bool),
    screen: &Screen,
) -> Result<Vec<FileScan>, Failure> {
    let directory = here()?;
    let tree = Tree::around(&directory)?;
    let here = [PathBuf::new()];
    let paths = match paths {
        [] => &here[..],
        named => named,
    };
    let files = source::files(paths, &directory, &tree.root)?;
    let policies = Policies::for_files(&tree, &files, explicit)?;
    let mut scanner = judge::scanner(&policies.root, &policies.below, clock::now());
    if lists_dynamic {
        scanner = scanner.listing_dynamic();
    }
    scan_files(&scanner, &files, screen)
}
