//! How many problems there were at each step from a commit to now. A file that did not change is
//! not scanned again.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::facts::Step;
use crate::git::{Blob, Commit, GitError, NewSide, ObjectId, RepoPath, Repository};
use crate::scan::{FileScan, Scanner, SkipReason};

/// More points than this are not told apart in a picture, and each costs time.
const MOST_STEPS: usize = 60;

/// So many files are in memory at once.
const AT_ONCE: usize = 64;

/// Files of commits through the scanner.
pub(super) struct Trees<'r> {
    pub(super) scanner: &'r Scanner,
    pub(super) repository: &'r Repository,
    /// How many problems a version of a path has.
    known: HashMap<(RepoPath, ObjectId), usize>,
    /// Files that a partial clone lacks.
    pub(super) missing: usize,
}

impl<'r> Trees<'r> {
    pub(super) fn new(scanner: &'r Scanner, repository: &'r Repository) -> Self {
        Self {
            scanner,
            repository,
            known: HashMap::new(),
            missing: 0,
        }
    }

    /// The scans of all code in a commit, by path. `told` hears how many of how many files are done.
    pub(super) fn of_commit(
        &mut self,
        commit: ObjectId,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<BTreeMap<RepoPath, FileScan>, GitError> {
        let mut files = self.repository.files_of(commit)?;
        files.retain(|(path, _)| self.scanner.may_be_code(path));
        let scans = self.scan(&files, told)?;
        let named = files.into_iter().zip(scans);
        Ok(named
            .filter_map(|((path, _), scan)| Some((path, scan?)))
            .collect())
    }

    /// The scan of each file; `None` for what is no code.
    fn scan(
        &mut self,
        files: &[(RepoPath, ObjectId)],
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<Vec<Option<FileScan>>, GitError> {
        let mut scans = Vec::with_capacity(files.len());
        for part in files.chunks(AT_ONCE) {
            told(scans.len() as u64, files.len() as u64);
            let ids: Vec<ObjectId> = part.iter().map(|(_, id)| *id).collect();
            let contents = self.repository.blobs(&ids, self.scanner.most_bytes())?;
            self.missing += contents
                .iter()
                .filter(|content| matches!(content, Blob::Missing))
                .count();
            let scanner = self.scanner;
            let found = part.par_iter().zip(&contents);
            let found = found.map(|((path, _), content)| scan(scanner, path, content));
            scans.extend(found.collect::<Vec<_>>());
        }
        for ((path, id), scan) in files.iter().zip(&scans) {
            let count = scan.as_ref().map_or(0, |scan| scan.findings.len());
            self.known.insert((path.clone(), *id), count);
        }
        Ok(scans)
    }

    /// The number of problems in each file, scanned where it is not known.
    fn counts(
        &mut self,
        files: &[(RepoPath, ObjectId)],
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<Vec<usize>, GitError> {
        let unknown: Vec<(RepoPath, ObjectId)> = files
            .iter()
            .filter(|file| !self.known.contains_key(*file))
            .cloned()
            .collect();
        self.scan(&unknown, told)?;
        let count = |file| self.known.get(file).copied().unwrap_or_default();
        Ok(files.iter().map(count).collect())
    }
}

fn scan(scanner: &Scanner, path: &RepoPath, content: &Blob) -> Option<FileScan> {
    match content {
        Blob::Bytes(content) => {
            scanner.language(path, content)?;
            Some(scanner.scan(path, content))
        }
        Blob::TooLarge { bytes } => {
            scanner.language(path, b"")?;
            let reason = SkipReason::TooLarge { bytes: *bytes };
            Some(FileScan::skipped(path.clone(), reason))
        }
        Blob::Missing => None,
    }
}

/// The steps from `base`, whose scans are given, over `commits` (oldest first). `told` hears how
/// many of how many are done, and again and again while one is worked on.
pub(super) fn steps(
    trees: &mut Trees<'_>,
    (base, scans): (&Commit, &BTreeMap<RepoPath, FileScan>),
    commits: &[Commit],
    told: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Step>, GitError> {
    let mut problems: BTreeMap<RepoPath, usize> = scans
        .iter()
        .filter(|(_, scan)| !scan.findings.is_empty())
        .map(|(path, scan)| (path.clone(), scan.findings.len()))
        .collect();
    let mut steps = vec![step(base, &problems)];
    let mut last = base.id;
    let chosen = chosen(commits);
    for (done, commit) in chosen.iter().enumerate() {
        let (done, all) = (done as u64, chosen.len() as u64);
        told(done, all);
        let changes = trees
            .repository
            .changes_since(Some(last), NewSide::Commit(commit.id))?;
        let mut code = Vec::new();
        for change in changes {
            problems.remove(&change.path);
            if let Some((mode, id)) = change.after
                && mode.is_file()
                && trees.scanner.may_be_code(&change.path)
            {
                code.push((change.path, id));
            }
        }
        let counts = trees.counts(&code, &mut |_, _| told(done, all))?;
        for ((path, _), count) in code.into_iter().zip(counts) {
            if count > 0 {
                problems.insert(path, count);
            }
        }
        steps.push(step(commit, &problems));
        last = commit.id;
    }
    Ok(steps)
}

fn step(commit: &Commit, problems: &BTreeMap<RepoPath, usize>) -> Step {
    Step {
        commit: Some(commit.id.to_string()),
        date: Some(commit.date.clone()),
        subject: Some(commit.subject.clone()),
        findings: problems.values().sum(),
        with_problems: problems.len(),
    }
}

/// At most [`MOST_STEPS`] of them, at even distances, the last one among them.
fn chosen(commits: &[Commit]) -> Vec<&Commit> {
    let all = commits.len();
    if all <= MOST_STEPS {
        return commits.iter().collect();
    }
    let at = (1..=MOST_STEPS).map(|step| step * all / MOST_STEPS - 1);
    at.filter_map(|at| commits.get(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_has_its_last_commit_and_no_more_points_than_are_told_apart() {
        let commit = |number: usize| Commit {
            id: ObjectId::from_hex(&format!("{number:040x}")).unwrap(),
            date: String::new(),
            subject: number.to_string(),
        };
        for all in [0, 1, MOST_STEPS, MOST_STEPS + 1, 1000] {
            let commits: Vec<Commit> = (1..=all).map(commit).collect();
            let chosen = chosen(&commits);
            assert_eq!(chosen.len(), all.min(MOST_STEPS));
            assert_eq!(chosen.last(), commits.last().as_ref());
            let mut different: Vec<&str> = chosen.iter().map(|it| &it.subject[..]).collect();
            different.dedup();
            assert_eq!(different.len(), chosen.len());
        }
    }
}
