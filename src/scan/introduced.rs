//! What a change brings in: findings that neither a parent's version nor moved code had.

use std::collections::HashMap;

use super::finding::{FileScan, Finding, Fingerprint};

/// What the same change removes elsewhere: found again, it is moved, not new. Each counts once.
#[derive(Debug, Default)]
pub struct MovedCode {
    left: HashMap<(Fingerprint, String), usize>,
    files: Vec<DeletedFile>,
}

/// A deleted file that lacked something as a whole.
#[derive(Debug)]
struct DeletedFile {
    lines: Vec<u64>,
    rules: Vec<&'static str>,
}

impl MovedCode {
    /// Takes the scans of the deleted files.
    pub fn from_deleted<'f>(deleted: impl IntoIterator<Item = &'f FileScan>) -> Self {
        let mut moved = Self::default();
        for scan in deleted {
            moved.add_removed(scan, None);
        }
        moved
    }

    /// Takes what a changed file no longer has: the findings of its version `before` that its
    /// version `after` has less often; all of them where the file is deleted.
    pub fn add_removed(&mut self, before: &FileScan, after: Option<&FileScan>) {
        let mut kept: HashMap<&Fingerprint, usize> = HashMap::new();
        for finding in after.into_iter().flat_map(|scan| &scan.findings) {
            *kept.entry(&finding.fingerprint).or_default() += 1;
        }
        let mut rules = Vec::new();
        for finding in &before.findings {
            if finding.is_about_file() {
                rules.push(finding.rule);
            } else if let Some(left) = kept.get_mut(&finding.fingerprint)
                && *left > 0
            {
                *left -= 1;
            } else {
                *self.left.entry(key(finding)).or_default() += 1;
            }
        }
        if after.is_none() && !rules.is_empty() {
            self.files.push(DeletedFile {
                lines: before.lines.clone(),
                rules,
            });
        }
    }

    fn take(&mut self, finding: &Finding) -> bool {
        match self.left.get_mut(&key(finding)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Whether an added file, by its lines, is a deleted one that broke the same rule.
    fn take_file(&mut self, rule: &'static str, lines: &[u64]) -> bool {
        let same = |file: &DeletedFile| file.rules.contains(&rule);
        let at = self
            .files
            .iter()
            .position(|file| same(file) && file.lines == lines)
            .or_else(|| {
                self.files
                    .iter()
                    .position(|file| same(file) && share_most(&file.lines, lines))
            });
        let Some(at) = at else { return false };
        self.files[at].rules.retain(|known| *known != rule);
        true
    }
}

/// Whether more than half of the lines of each are in the other; both are sorted.
fn share_most(one: &[u64], other: &[u64]) -> bool {
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    if shorter * 2 <= longer {
        return false;
    }
    let (mut left, mut right, mut common) = (0, 0, 0_usize);
    while let (Some(a), Some(b)) = (one.get(left), other.get(right)) {
        common += usize::from(a == b);
        left += usize::from(a <= b);
        right += usize::from(b <= a);
    }
    common * 2 > longer
}

/// A finding moved to another file is the same line of code: deleting one use of a card must not
/// excuse another.
fn key(finding: &Finding) -> (Fingerprint, String) {
    let words: Vec<&str> = finding.source.split_whitespace().collect();
    (finding.fingerprint.clone(), words.join(" "))
}

/// Sets [`Finding::introduced`] in `new`: false for what any of the `parents`' versions of the
/// file had as often, and for what `moved` accounts for.
pub fn mark_introduced(new: &mut FileScan, parents: &[FileScan], moved: &mut MovedCode) {
    let mut old: HashMap<&Fingerprint, usize> = HashMap::new();
    for parent in parents {
        let mut here: HashMap<&Fingerprint, usize> = HashMap::new();
        for finding in &parent.findings {
            *here.entry(&finding.fingerprint).or_default() += 1;
        }
        for (fingerprint, times) in here {
            let most = old.entry(fingerprint).or_default();
            *most = times.max(*most);
        }
    }
    let FileScan {
        findings, lines, ..
    } = new;
    for finding in findings {
        let known = match old.get_mut(&finding.fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        let is_moved = |moved: &mut MovedCode| {
            if finding.is_about_file() {
                parents.is_empty() && moved.take_file(finding.rule, lines)
            } else {
                moved.take(finding)
            }
        };
        finding.introduced = !known && !is_moved(moved);
    }
}
