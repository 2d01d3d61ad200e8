//! What a change brings in: findings that neither a parent's version nor moved code had.

use std::collections::HashMap;

use super::finding::{FileScan, Finding, Fingerprint};

/// Findings of files that the same change deletes: found again elsewhere, they are moved, not
/// new. Each counts once.
#[derive(Debug, Default)]
pub struct MovedCode {
    left: HashMap<(Fingerprint, String), usize>,
}

impl MovedCode {
    /// Takes the scans of the deleted files.
    pub fn from_deleted<'f>(deleted: impl IntoIterator<Item = &'f FileScan>) -> Self {
        let mut left = HashMap::new();
        for finding in deleted.into_iter().flat_map(|scan| &scan.findings) {
            *left.entry(key(finding)).or_default() += 1;
        }
        Self { left }
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

/// A finding on a whole file ("the mask is missing") is only moved when the line that it points
/// at came along: deleting one bad file must not excuse another.
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
    for finding in &mut new.findings {
        let known = match old.get_mut(&finding.fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        finding.introduced = !known && !moved.take(finding);
    }
}
