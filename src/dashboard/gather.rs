//! Puts the facts together.

use std::collections::{BTreeMap, HashMap};

use super::counted::{allowed, counts, file_facts, findings, rules, skipped};
use super::facts::{Card, CommitFact, Commits, Counts, Dashboard, RepositoryFacts, Since, Step};
use super::history::{Trees, steps};
use super::recorded::{backups, card_facts, second};
use super::unverified::{Doubts, not_verified};
use crate::backup::BackupError;
use crate::git::{Commit, GitError, NewSide, ObjectId, RepoPath, Repository};
use crate::gpu;
use crate::policy::{Policy, Usage};
use crate::scan::{FileScan, Scanner, mark_introduced};
use crate::sys::clock::Timestamp;
use crate::text::printable;

/// So many commits are listed.
const MOST_COMMITS: usize = 1000;

/// What a report is asked for.
pub struct Asked<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The policy to judge by.
    pub policy: &'a Policy,
    /// Where that came from, for people.
    pub policy_from: String,
    /// The tag (or branch, or commit) to hold now against.
    pub since: Option<&'a str>,
    /// The commits that no gate has seen, in words.
    pub unchecked: Unchecked,
    /// The time of now.
    pub now: Timestamp,
    /// The files as they are now, scanned, by path.
    pub files: Vec<FileScan>,
}

/// What is known of commits that no gate has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// Nobody notes them here.
    NotNoted,
    /// They are noted; in words, where there are any.
    Noted(Option<String>),
}

/// What takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The files of then are scanned; counted in files.
    Then,
    /// The commits since then are gone through; counted in commits.
    History,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The backups cannot be listed.
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// The files of HEAD, scanned, where there is no working tree.
pub fn now_of_bare(repository: &Repository, scanner: &Scanner) -> Result<Vec<FileScan>, GitError> {
    let Some(commit) = repository.head()?.commit else {
        return Ok(Vec::new());
    };
    let scans = Trees::new(scanner, repository).of_commit(commit, &mut |_, _| {})?;
    Ok(scans.into_values().collect())
}

/// Gathers all that is known. `told` hears which stage it is at, and how much of it is done.
pub fn gather(
    asked: Asked<'_>,
    scanner: &Scanner,
    told: &mut dyn FnMut(Stage, u64, u64),
) -> Result<Dashboard, DashboardError> {
    let Asked {
        repository,
        policy,
        policy_from,
        since,
        now,
        mut files,
        unchecked,
    } = asked;
    let head = repository.head()?;
    let mut doubts = Doubts {
        unchecked,
        dynamic: files.iter().map(|file| file.dynamic.len()).sum(),
        missing: 0,
        is_ancestor: true,
    };
    let past = match (since, head.commit) {
        (Some(name), Some(head)) => {
            let past = Past::read(repository, scanner, (name, head), told)?;
            doubts.missing = past.missing;
            doubts.is_ancestor = past.is_ancestor;
            Some(past)
        }
        (Some(name), None) => {
            // Before the first commit there is nothing that a name could mean.
            repository.named_commit(name)?;
            None
        }
        (None, _) => None,
    };
    if let Some(past) = &past {
        for file in &mut files {
            let then = past.scan_of(&file.path);
            mark_introduced(file, then.map_or(&[], std::slice::from_ref));
        }
    }
    let repository_facts = RepositoryFacts {
        name: name_of(repository),
        branch: head.branch,
        commit: head.commit.map(|id| id.to_string()),
        uncommitted: uncommitted(repository, head.commit),
        untracked: untracked(repository, &files),
    };
    let count = counts(files.iter());
    let folder = repository.common_dir().join("gpuguard");
    let (checks, soaks) = card_facts(&gpu::recorded(&folder));
    let mut dashboard = Dashboard {
        version: 1,
        made: second(now.as_second()),
        gpuguard: env!("CARGO_PKG_VERSION").to_owned(),
        policy: policy_from,
        cards: policy.cards.iter().map(card).collect(),
        now: count,
        then: past.as_ref().map(|past| counts(past.scans.values())),
        rules: rules(&files, past.as_ref()),
        files: file_facts(&files, past.as_ref()),
        findings: findings(&files, past.is_some()),
        allowed: allowed(&files),
        skipped: skipped(&files),
        steps: all_steps(past.as_ref(), &repository_facts, count),
        commits: past.as_ref().map(Past::commits),
        since: past.map(|past| past.since),
        repository: repository_facts,
        backups: backups(repository)?,
        card_checks: checks,
        soaks,
        not_verified: Vec::new(),
    };
    dashboard.not_verified = not_verified(&dashboard, &doubts);
    Ok(dashboard)
}

/// How it was then, and what happened since.
pub(super) struct Past {
    since: Since,
    pub(super) scans: BTreeMap<RepoPath, FileScan>,
    /// Old paths by the new ones.
    renames: HashMap<RepoPath, RepoPath>,
    count: usize,
    list: Vec<Commit>,
    steps: Vec<Step>,
    missing: usize,
    is_ancestor: bool,
}

impl Past {
    fn read(
        repository: &Repository,
        scanner: &Scanner,
        (name, head): (&str, ObjectId),
        told: &mut dyn FnMut(Stage, u64, u64),
    ) -> Result<Self, GitError> {
        let (_, id) = repository.named_commit(name)?;
        let base = repository.commit(id)?;
        let mut trees = Trees::new(scanner, repository);
        let scans = trees.of_commit(id, &mut |done, all| told(Stage::Then, done, all))?;
        let list = repository.first_parents(id, head)?;
        let steps = steps(&mut trees, (&base, &scans), &list, &mut |done, all| {
            told(Stage::History, done, all);
        })?;
        Ok(Self {
            since: Since {
                name: printable(name.as_bytes()),
                commit: id.to_string(),
                date: base.date,
            },
            renames: repository.renames_since(Some(id), NewSide::Commit(head))?,
            count: repository.count_commits(id, head)?,
            is_ancestor: repository.merge_bases(id, head)?.contains(&id),
            missing: trees.missing,
            scans,
            list,
            steps,
        })
    }

    /// The scan of a path then, perhaps under another name.
    pub(super) fn scan_of(&self, path: &RepoPath) -> Option<&FileScan> {
        let old = self.renames.get(path);
        self.scans.get(path).or_else(|| self.scans.get(old?))
    }

    fn commits(&self) -> Commits {
        let newest = self.list.iter().rev().take(MOST_COMMITS);
        Commits {
            count: self.count,
            list: newest
                .map(|commit| CommitFact {
                    id: commit.id.to_string(),
                    date: commit.date.clone(),
                    subject: printable(commit.subject.as_bytes()),
                })
                .collect(),
        }
    }
}

fn name_of(repository: &Repository) -> String {
    let folder = repository.worktree().unwrap_or(repository.git_dir());
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    printable(name.as_encoded_bytes())
}

fn uncommitted(repository: &Repository, head: Option<ObjectId>) -> Option<usize> {
    if repository.worktree().is_err() {
        return Some(0);
    }
    Some(repository.compare(head?).ok()?.differences.len())
}

/// The files that were read and that Git does not track.
fn untracked(repository: &Repository, files: &[FileScan]) -> usize {
    if repository.worktree().is_err() {
        return 0;
    }
    let Ok(tracked) = repository.tracked_paths(&RepoPath::new("")) else {
        return 0;
    };
    let new = files.iter().filter(|file| !tracked.contains(&file.path));
    new.count()
}

fn card(card: &crate::policy::Card) -> Card {
    Card {
        name: printable(card.name.as_bytes()),
        allowed: card.usage == Usage::Allowed,
    }
}

/// The steps, and behind them what lies in the working tree, where that is something else.
fn all_steps(past: Option<&Past>, repository: &RepositoryFacts, now: Counts) -> Vec<Step> {
    let mut steps = past.map_or_else(Vec::new, |past| past.steps.clone());
    let Some(last) = steps.last() else {
        return steps;
    };
    let differs = last.findings != now.findings || last.with_problems != now.with_problems;
    if differs || repository.uncommitted != Some(0) || repository.untracked > 0 {
        steps.push(Step {
            commit: None,
            date: None,
            subject: None,
            findings: now.findings,
            with_problems: now.with_problems,
        });
    }
    steps
}
