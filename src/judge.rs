//! What a change introduces: its files through the scanner, then each finding held against what
//! was there before. The same for a commit that is about to be made and for a range of commits.

mod weakened;

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

pub use weakened::{Weakened, weakened};

use crate::git::{Blob, GitError, NewSide, ObjectId, RepoPath, Repository};
use crate::policy::{FILE_NAME, Policy};
use crate::scan::{FileScan, Finding, Lines, MovedCode, Scanner, SkipReason, mark_introduced};
use crate::source::{
    self, BelowRoot, Change, ChangedFile, Known, ParentChange, RepositoryPolicyError, Version,
};
use crate::sys::clock::{self, Timestamp};

/// Fewer files than this are scanned one after the other: threads would cost more.
const WORTH_THREADS: usize = 16;

/// So many files are in memory at once.
const AT_ONCE: usize = 128;

/// After so many files it is told how far it is, which is also when Ctrl+C is heeded.
const TOLD: usize = 32;

/// A version of a path that is to be scanned, and the name it counts under.
type Side<'c> = Option<(&'c RepoPath, &'c Version)>;

/// What a change brings in.
#[derive(Debug, Default)]
pub struct Judged {
    /// The files in which there was something to scan, by path.
    pub files: Vec<FileScan>,
    /// In what it loosens the policies themselves.
    pub weakened: Weakened,
    /// Policies of the other side that are broken: the next one up judges what they speak of.
    pub passed_over: Vec<RepoPath>,
}

/// The policies that judge, and those that they are held against.
#[derive(Clone, Copy, Debug)]
pub struct By<'p> {
    /// The policy at the root.
    pub root: &'p Policy,
    /// Where it and those below it are taken from.
    pub side: NewSide,
    /// The commit whose policies those after the change should not be weaker than.
    pub before: Option<ObjectId>,
}

/// Judges a change by the policy at the root and those below it. `told` hears how many of how many
/// files of the change are scanned.
///
/// # Errors
/// Also where a policy that the change has is broken; one of the other side judges nothing.
pub fn judge_by_policies(
    repository: &Repository,
    change: &Change<'_>,
    by: By<'_>,
    now: Timestamp,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Judged, RepositoryPolicyError> {
    let folders = change.folders();
    let mut below = BelowRoot::new();
    let mut passed_over = Vec::new();
    if by.side == change.new_side() {
        below = source::below_root(repository, by.side, &folders)?;
    } else {
        for (folder, policy) in source::each_below_root(repository, by.side, &folders)? {
            match policy {
                Ok(policy) => drop(below.insert(folder, policy)),
                Err(_) => passed_over.push(folder.join(FILE_NAME.as_bytes())),
            }
        }
    }
    if by.root.judges_nothing() {
        below.extend(policies_removed(repository, change)?);
    }
    Ok(Judged {
        passed_over,
        files: judge_telling(&scanner(by.root, &below, now), change, told)?,
        weakened: weakened(repository, change, by.before)?,
    })
}

/// The policies in folders that a change takes away and puts nothing in place of: without one at
/// the root, they still judge that change.
fn policies_removed(
    repository: &Repository,
    change: &Change<'_>,
) -> Result<BelowRoot, RepositoryPolicyError> {
    let removed = change
        .files
        .iter()
        .filter(|file| file.after.is_none() && file.path.file_name() == FILE_NAME.as_bytes());
    let folders: BTreeSet<RepoPath> = removed
        .filter_map(|file| file.path.folders().next())
        .collect();
    let Some(base) = change.base().filter(|_| !folders.is_empty()) else {
        return Ok(BelowRoot::new());
    };
    source::sound_below_root(repository, NewSide::Commit(base), &folders)
}

/// The scanner of a tree: by the policy at its root, and by those below it.
pub fn scanner(root: &Policy, below: &BelowRoot, now: Timestamp) -> Scanner {
    let scanner = Scanner::new(root).on(clock::day_of(now));
    below.iter().fold(scanner, |scanner, (folder, policy)| {
        scanner.with_below(folder.clone(), policy)
    })
}

/// Scans what a change puts in place and marks what it introduces. The files are those in which
/// there is something to scan, by path.
///
/// # Errors
/// Where Git cannot be read.
pub fn judge(scanner: &Scanner, change: &Change<'_>) -> Result<Vec<FileScan>, GitError> {
    judge_telling(scanner, change, &mut |_, _| {})
}

/// The same; `told` hears how many of how many files of the change are scanned, and again and
/// again while these are held against what was there before.
pub fn judge_telling(
    scanner: &Scanner,
    change: &Change<'_>,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Vec<FileScan>, GitError> {
    let sides: Vec<Side<'_>> = change.files.iter().map(after).collect();
    let mut judgement = Judgement {
        scanner,
        change,
        news: scan_telling(scanner, change, &sides, told)?,
        renamed: HashMap::new(),
        told,
    };
    judgement.hold_against_parents()?;
    judgement.excuse_moved_code()?;
    Ok(judgement.news.into_iter().flatten().collect())
}

struct Judgement<'c, 'r, 't> {
    scanner: &'c Scanner,
    change: &'c Change<'r>,
    /// The scan of each of the change's files, `None` where there is nothing to scan.
    news: Vec<Option<FileScan>>,
    /// Old paths by the new ones.
    renamed: HashMap<RepoPath, RepoPath>,
    told: &'t mut dyn FnMut(u64, u64),
}

impl<'c> Judgement<'c, '_, '_> {
    /// The files for which `matters` holds for a finding that is still taken for new.
    fn open(&self, matters: fn(&Finding) -> bool) -> Vec<usize> {
        let is_open = |scan: &FileScan| {
            let mut new = scan.findings.iter().filter(|finding| finding.introduced);
            new.any(matters)
        };
        (0..self.news.len())
            .filter(|at| self.news[*at].as_ref().is_some_and(is_open))
            .collect()
    }

    /// What was there before is read only where something was found.
    fn hold_against_parents(&mut self) -> Result<(), GitError> {
        let mut parents: HashMap<usize, Vec<FileScan>> = HashMap::new();
        let found = self.open(|_| true);
        if !found.is_empty() && self.may_have_renamed() {
            self.renamed = self.change.renames()?;
        }
        let sides: Vec<Side<'_>> = found.iter().map(|at| self.before(*at)).collect();
        for (at, scan) in found.iter().zip(self.scan(&sides)?) {
            parents.entry(*at).or_default().extend(scan);
        }
        self.mark(&found, &parents);

        let found = self.open(|_| true);
        if found.is_empty() {
            return Ok(());
        }
        for parent in self.change.against_parents()? {
            let scans = self.scans_in(&parent, &found)?;
            for (at, scan) in found.iter().zip(scans) {
                parents.entry(*at).or_default().extend(scan);
            }
        }
        self.mark(&found, &parents);
        Ok(())
    }

    /// Whether a file with findings can be another under a new name.
    fn may_have_renamed(&self) -> bool {
        let files = &self.change.files;
        let has_findings = |scan: &FileScan| scan.with_suppressed().next().is_some();
        let mut scans = files.iter().zip(&self.news);
        let added = scans
            .any(|(file, scan)| file.before.is_none() && scan.as_ref().is_some_and(has_findings));
        added && files.iter().any(|file| file.after.is_none())
    }

    fn mark(&mut self, files: &[usize], parents: &HashMap<usize, Vec<FileScan>>) {
        for at in files {
            if let (Some(new), Some(parents)) = (&mut self.news[*at], parents.get(at)) {
                mark_introduced(new, parents);
            }
        }
    }

    /// What a further parent has of the files.
    fn scans_in(
        &mut self,
        parent: &ParentChange,
        files: &[usize],
    ) -> Result<Vec<Option<FileScan>>, GitError> {
        let known: Vec<Known<'_>> = files
            .iter()
            .map(|at| parent.version_of(&self.change.files[*at].path))
            .collect();
        let sides: Vec<Side<'_>> = known
            .iter()
            .map(|known| match known {
                Known::Other(path, version) => Some((*path, *version)),
                Known::Same | Known::Nothing => None,
            })
            .collect();
        let mut scans = self.scan(&sides)?;
        for ((at, known), scan) in files.iter().zip(known).zip(&mut scans) {
            if matches!(known, Known::Same) {
                scan.clone_from(&self.news[*at]);
            }
        }
        Ok(scans)
    }

    /// What the change takes out in one place and puts in another was there before: looked for
    /// only where something is still taken for new.
    fn excuse_moved_code(&mut self) -> Result<(), GitError> {
        let open = self.open(|finding| !finding.is_about_file());
        if open.is_empty() {
            return Ok(());
        }
        let renamed: HashSet<&RepoPath> = self.renamed.values().collect();
        let sides: Vec<Side<'_>> = (0..self.news.len())
            // A renamed file is held against the file it became.
            .map(|at| {
                let is_source = renamed.contains(&self.change.files[at].path);
                if is_source { None } else { self.before(at) }
            })
            .collect();
        let mut moved = MovedCode::default();
        for (before, new) in self.scan(&sides)?.iter().zip(&self.news) {
            if let Some(before) = before {
                moved.add_removed(before, new.as_ref());
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        for at in open {
            let before_lines = self.lines(self.before(at))?;
            let after_lines = match before_lines {
                Some(_) => self.lines(after(&self.change.files[at]))?,
                None => None,
            };
            if let Some(new) = &mut self.news[at] {
                moved.excuse(new, |finding| match (&before_lines, &after_lines) {
                    // What a file sets decides for all of it: a mask that comes into a file that
                    // was there is new, wherever it stood before.
                    (Some(before), Some(after)) => {
                        !finding.is_about_variable()
                            && (finding.cell.is_some() || after.gained(finding, before))
                    }
                    _ => true,
                });
            }
        }
        Ok(())
    }

    /// The lines of a version; `None` where there is none that can be read.
    fn lines(&self, side: Side<'_>) -> Result<Option<Lines>, GitError> {
        let Some((_, version)) = side else {
            return Ok(None);
        };
        let contents = self.change.contents(&[version])?;
        Ok(contents.first().and_then(|content| match content {
            Blob::Bytes(content) => Some(Lines::of(content)),
            Blob::Missing | Blob::TooLarge { .. } => None,
        }))
    }

    /// What the change replaces: the version of the same path, or of the file that was renamed.
    fn before(&self, at: usize) -> Side<'c> {
        let file = &self.change.files[at];
        let file = match (&file.before, self.renamed.get(&file.path)) {
            (None, Some(old)) => self.change.file(old)?,
            _ => file,
        };
        Some((&file.path, file.before.as_ref()?))
    }

    fn scan(&mut self, sides: &[Side<'_>]) -> Result<Vec<Option<FileScan>>, GitError> {
        let all = self.news.len() as u64;
        let told = &mut self.told;
        scan_telling(self.scanner, self.change, sides, &mut |_, _| told(all, all))
    }
}

fn after(file: &ChangedFile) -> Side<'_> {
    Some((&file.path, file.after.as_ref()?))
}

/// Scans versions, in order; `None` where there is nothing to scan (no such version, a link, a
/// submodule, no known language). `told` hears how many of how many are done.
fn scan_telling(
    scanner: &Scanner,
    change: &Change<'_>,
    sides: &[Side<'_>],
    told: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Option<FileScan>>, GitError> {
    let mut scans = Vec::new();
    scans.resize_with(sides.len(), || None);
    let code: Vec<(usize, (&RepoPath, &Version))> = sides
        .iter()
        .enumerate()
        .filter_map(|(at, side)| Some((at, (*side)?)))
        .filter(|(_, (path, version))| version.mode.is_file() && scanner.may_be_code(path))
        .collect();
    let mut done = 0;
    for part in code.chunks(AT_ONCE) {
        let versions: Vec<&Version> = part.iter().map(|(_, (_, version))| *version).collect();
        let contents = change.contents(&versions)?;
        let pairs: Vec<(_, &Blob)> = part.iter().zip(&contents).collect();
        for few in pairs.chunks(TOLD) {
            told(done, code.len() as u64);
            let scan = |((_, (path, _)), content): &(&(usize, (&RepoPath, &Version)), &Blob)| {
                scan_content(scanner, path, content)
            };
            let found: Vec<Option<FileScan>> = if few.len() < WORTH_THREADS {
                few.iter().map(scan).collect()
            } else {
                few.par_iter().map(scan).collect()
            };
            for (((at, _), _), scan) in few.iter().zip(found) {
                scans[*at] = scan;
            }
            done += few.len() as u64;
        }
    }
    Ok(scans)
}

fn scan_content(scanner: &Scanner, path: &RepoPath, content: &Blob) -> Option<FileScan> {
    match content {
        Blob::Bytes(content) => scanner
            .language(path, content)
            .map(|_| scanner.scan(path, content)),
        Blob::Missing => None,
        Blob::TooLarge { bytes } => {
            let reason = if scanner.excludes(path) {
                SkipReason::Excluded
            } else {
                SkipReason::TooLarge { bytes: *bytes }
            };
            scanner
                .language(path, b"")
                .map(|_| FileScan::skipped(path.clone(), reason))
        }
    }
}
