//! `gpuguard report`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::policy::{Policies, Tree, load_named};
use super::progress::Unit;
use super::scan_files::scan_files;
use super::{Failure, Screen};
use crate::dashboard::{self, Asked, DashboardError, Stage, Unchecked};
use crate::git::Repository;
use crate::hook;
use crate::judge;
use crate::outcome::Answer;
use crate::policy::FILE_NAME;
use crate::report::{dashboard_html, dashboard_markdown};
use crate::scan::{FileScan, Scanner};
use crate::source::{self, BelowRoot, Range, WorktreeFile};
use crate::sys::clock;
use crate::sys::environment::current_dir;
use crate::sys::file::Output;

/// Tell what is known of this repository and its cards, from facts alone
///
/// How many files are clean, what was corrected since a tag and what is still wrong, by rule and by
/// file, the commits, the backups with their sums, the recorded checks of the card, and what
/// nobody has verified. The tag is scanned by the policy of now. Nothing is judged: the exit code is
/// 0 whatever is found.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gpuguard report\n  \
    gpuguard report --since v-before-gpu-correction\n  \
    gpuguard report --since v-before-gpu-correction --output report.html\n  \
    gpuguard report --format json | jq .now")]
pub(super) struct Arguments {
    /// Hold now against this tag (or branch, or commit)
    #[arg(long, value_name = "TAG")]
    since: Option<String>,
    /// Form of the report; by default the one that the ending of --output says, else markdown
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write the report into this file instead, in place of one that is there; `-` is the terminal or pipe
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The policy to judge by, instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown, as GitHub and GitLab show it
    #[value(alias = "md")]
    Markdown,
    /// One JSON object with all facts; `gpuguard schema --of report` describes it
    Json,
    /// One page with pictures, for any browser; it needs nothing from elsewhere
    Html,
}

impl Format {
    /// What is asked for by name, else what the ending of the file says.
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let output = arguments.output.as_ref().filter(|path| !is_stdout(path));
        let (None, Some(output)) = (arguments.format, output) else {
            return Ok(arguments.format.unwrap_or(Self::Markdown));
        };
        let ending = output.extension().unwrap_or_default();
        match ending.to_ascii_lowercase().to_str() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("json") => Ok(Self::Json),
            Some("" | "md" | "markdown" | "txt") => Ok(Self::Markdown),
            _ => Err(Failure::new(format!(
                "there is no report of the kind of `{}`",
                super::paths::shown(output)
            ))
            .note("no report was made")
            .hint("a report is Markdown (`.md`), JSON (`.json`) or a page (`.html`); `--format` says which where the ending does not")),
        }
    }
}

/// Whether a name of a file stands for standard output, as in other programs.
fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = Repository::discover(&directory)?;
    // Better now than after all the work.
    let format = Format::of(arguments)?;
    let named = arguments.output.as_ref().filter(|path| !is_stdout(path));
    let replaces = named.is_some_and(|path| path.is_file());
    let output = match named {
        Some(path) => Some((
            path,
            Output::create(path).map_err(|error| {
                let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
                let failure = match folder {
                    Some(folder) if !folder.exists() => Failure::new(format!(
                        "the folder `{}` does not exist",
                        super::paths::shown(folder)
                    ))
                    .hint("make it first, or write the report elsewhere"),
                    _ => Failure::new(unwritable(path)).because(&error),
                };
                failure.note("no report was made")
            })?,
        )),
        None => None,
    };
    let now = clock::now();
    if let Some(name) = &arguments.since {
        // Better now than after a scan.
        repository.named_commit(name)?;
    }
    let listed = match repository.worktree() {
        Ok(root) => source::files(&[PathBuf::new()], root, root)?,
        Err(_) => Vec::new(),
    };
    let (policies, policy_from) = policies(&repository, &listed, arguments.policy.as_deref())?;
    let policy = policies.root;
    let scanner = judge::scanner(&policy, &policies.below, now);
    let files = files(&repository, &scanner, &listed, screen)?;
    let asked = Asked {
        repository: &repository,
        policy: &policy,
        policy_from,
        since: arguments.since.as_deref(),
        unchecked: unchecked(&repository),
        now,
        files,
    };
    let mut work = screen.interruptible("scanning then", Unit::Files, "no report was made")?;
    let mut last = Stage::Then;
    let report = dashboard::gather(asked, &scanner, &mut |stage, done, all| {
        if stage != last {
            work.begin("reading the history", Unit::Commits);
            last = stage;
        }
        work.at(done, all);
    });
    drop(work);
    let report = report?;
    let text = match format {
        Format::Markdown => dashboard_markdown(&report),
        Format::Html => dashboard_html(&report),
        Format::Json => format!(
            "{}\n",
            serde_json::to_string_pretty(&report).unwrap_or_default()
        ),
    };
    let Some((path, output)) = output else {
        screen.print(&text)?;
        return Ok(Answer::Fine);
    };
    output
        .finish(text.as_bytes())
        .map_err(|error| Failure::new(unwritable(path)).because(&error))?;
    let instead = if replaces {
        ", in place of what was there"
    } else {
        ""
    };
    screen.say(&format!(
        "the report is in `{}`{instead}",
        super::paths::shown(path)
    ));
    Ok(Answer::Fine)
}

fn unwritable(path: &Path) -> String {
    format!("`{}` cannot be written", super::paths::shown(path))
}

/// The policies that count now, and where the one at the root is.
fn policies(
    repository: &Repository,
    listed: &[WorktreeFile],
    named: Option<&Path>,
) -> Result<(Policies, String), Failure> {
    let alone = |root| Policies {
        root,
        below: BelowRoot::new(),
    };
    if let Some(path) = named {
        return Ok((alone(load_named(path)?), path.display().to_string()));
    }
    if repository.worktree().is_err() {
        let head = Range::resolve(repository, "HEAD..HEAD")?;
        let (policy, _) = source::policy_of_range(repository, &head)?;
        return Ok((alone(policy), format!("HEAD:{FILE_NAME}")));
    }
    let tree = Tree::around(repository.worktree()?)?;
    let policies = Policies::for_files(&tree, listed, None)?;
    let from = if policies.root.judges_nothing() {
        format!("no {FILE_NAME} at the root, only in folders below it")
    } else if tree.root.join(FILE_NAME).exists() {
        FILE_NAME.to_owned()
    } else {
        format!("HEAD:{FILE_NAME}")
    };
    Ok((policies, from))
}

/// The commits that no gate has seen, as post-commit noted them.
fn unchecked(repository: &Repository) -> Unchecked {
    if !hook::notes_unchecked(repository) {
        return Unchecked::NotNoted;
    }
    let noted = hook::unchecked(repository);
    Unchecked::Noted(hook::unchecked_in_words(
        repository,
        &noted,
        hook::Named::All,
    ))
}

/// All files as they are now, scanned, also for places whose card is decided at run time; of a
/// bare repository those of HEAD.
fn files(
    repository: &Repository,
    scanner: &Scanner,
    listed: &[WorktreeFile],
    screen: &Screen,
) -> Result<Vec<FileScan>, Failure> {
    if repository.worktree().is_err() {
        return Ok(dashboard::now_of_bare(repository, scanner)?);
    }
    let listing = scanner.clone().listing_dynamic();
    scan_files(&listing, listed, screen)
}

impl From<DashboardError> for Failure {
    fn from(error: DashboardError) -> Self {
        match error {
            DashboardError::Git(error) => error.into(),
            DashboardError::Backup(error) => error.into(),
        }
    }
}
