//! What a change brings in: findings that neither a parent's version nor moved code had.

use std::collections::HashMap;

use super::finding::{FileScan, Finding, Fingerprint};

/// What the same change removes elsewhere: found again, it is moved, not new. Each counts once.
#[derive(Debug, Default)]
pub struct MovedCode {
    left: HashMap<(Fingerprint, String), usize>,
}

impl MovedCode {
    /// Takes what a changed file no longer has: the findings of its version `before` that its
    /// version `after` has less often; all of them where the file is deleted. What a file lacks
    /// as a whole cannot be moved; a file that was renamed has a parent's version.
    pub fn add_removed(&mut self, before: &FileScan, after: Option<&FileScan>) {
        let mut kept: HashMap<&Fingerprint, usize> = HashMap::new();
        for finding in after.into_iter().flat_map(|scan| &scan.findings) {
            *kept.entry(&finding.fingerprint).or_default() += 1;
        }
        for finding in &before.findings {
            if finding.is_about_file() {
                continue;
            }
            match kept.get_mut(&finding.fingerprint) {
                Some(left) if *left > 0 => *left -= 1,
                _ => *self.left.entry(key(finding)).or_default() += 1,
            }
        }
    }

    /// Takes the mark of being introduced from findings in `new` that were only moved there.
    pub fn excuse(&mut self, new: &mut FileScan) {
        for finding in &mut new.findings {
            if finding.introduced && !finding.is_about_file() {
                finding.introduced = !self.take(finding);
            }
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
}

/// A finding moved to another file is the same line of code: deleting one use of a card must not
/// excuse another.
fn key(finding: &Finding) -> (Fingerprint, String) {
    let words: Vec<&str> = finding.source.split_whitespace().collect();
    (finding.fingerprint.clone(), words.join(" "))
}

/// Sets [`Finding::introduced`] in `new`: false for what any of the `parents`' versions of the
/// file had as often.
pub fn mark_introduced(new: &mut FileScan, parents: &[FileScan]) {
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
    for finding in &mut new.findings {
        finding.introduced = match old.get_mut(&finding.fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
    }
}
