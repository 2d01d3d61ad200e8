//! `gpuguard report`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::policy::{Policies, Tree, load_named};
use super::progress::Unit;
use super::scan::scan_files;
use super::{Failure, Screen};
use crate::dashboard::{self, Asked, DashboardError, Stage};
use crate::git::Repository;
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
    /// Write the report into this file instead
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
    fn of(arguments: &Arguments) -> Self {
        let ending = || arguments.output.as_ref()?.extension()?.to_str();
        arguments.format.unwrap_or_else(|| match ending() {
            Some("html" | "htm") => Self::Html,
            Some("json") => Self::Json,
            _ => Self::Markdown,
        })
    }
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let directory = current_dir()
        .map_err(|error| Failure::new("the current folder is gone").because(&error))?;
    let repository = Repository::discover(&directory)?;
    // Better now than after all the work.
    let output = match &arguments.output {
        Some(path) => Some((
            path,
            Output::create(path).map_err(|error| {
                let failure = Failure::new(unwritable(path)).because(&error);
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
    let text = match Format::of(arguments) {
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
    screen.say(&format!("the report is in `{}`", super::paths::shown(path)));
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
