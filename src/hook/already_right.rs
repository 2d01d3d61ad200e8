//! Files that were mended and not staged again: what refuses the commit is in the index alone.

use std::collections::HashSet;

use crate::git::{RepoPath, Repository};
use crate::judge;
use crate::outcome::Outcome;
use crate::policy::{Policy, Severity};
use crate::scan::{FileScan, Finding};
use crate::source::{self, Change, Content, FileReader, Unstaged};
use crate::sys::clock::Timestamp;

/// More files than this are not looked at again.
const MOST: usize = 20;

/// Of the files that refuse the change those whose version in the working tree would not. What
/// cannot be read is none of them: it only decides what is said.
pub(super) fn right_in_worktree(
    repository: &Repository,
    change: &Change<'_>,
    outcome: &Outcome,
    (policy, now): (&Policy, Timestamp),
) -> Vec<RepoPath> {
    let refused: Vec<&FileScan> = outcome
        .files
        .iter()
        .filter(|file| file.findings.iter().any(Finding::blocks))
        .collect();
    if refused.is_empty() || refused.len() > MOST {
        return Vec::new();
    }
    let Ok(below) = source::below_root(repository, change.new_side(), &change.folders()) else {
        return Vec::new();
    };
    let scanner = judge::scanner(policy, &below, now);
    let mut reader = FileReader::default();
    let mut right = Vec::new();
    for staged in refused {
        let file = change.file(&staged.path).map(|it| it.unstaged(repository));
        let Some(Unstaged::File(file)) = file else {
            continue;
        };
        if !file.symlink_metadata().is_ok_and(|it| it.is_file()) {
            continue;
        }
        let Ok(Content::Bytes(content)) = reader.read(&file, scanner.most_bytes()) else {
            continue;
        };
        let old: HashSet<&str> = staged
            .findings
            .iter()
            .filter(|finding| !finding.introduced)
            .map(|finding| finding.fingerprint.0.as_str())
            .collect();
        let scan = scanner.scan(&staged.path, content);
        let mut errors = scan
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        if errors.all(|finding| old.contains(finding.fingerprint.0.as_str())) {
            right.push(staged.path.clone());
        }
    }
    right
}
