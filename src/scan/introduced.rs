//! What a change brings in: findings that neither a parent's version nor moved code had.

use std::collections::HashMap;

use super::decode::decode;
use super::finding::{FileScan, Finding, Fingerprint, Suppressed};

/// What the same change removes elsewhere: found again, it is moved, not new. Each counts once.
#[derive(Debug, Default)]
pub struct MovedCode {
    left: HashMap<(Fingerprint, String), usize>,
}

impl MovedCode {
    /// Takes what a changed file no longer has: the findings of its version `before` that its
    /// version `after` has less often, those that comments allow there among them; all of them
    /// where the file is deleted. What a file lacks as a whole cannot be moved; a file that was
    /// renamed has a parent's version.
    pub fn add_removed(&mut self, before: &FileScan, after: Option<&FileScan>) {
        let mut kept: HashMap<&Fingerprint, usize> = HashMap::new();
        for finding in after.into_iter().flat_map(FileScan::with_suppressed) {
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

    /// Whether nothing was removed that could be found again.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Takes the mark of being introduced from findings in `new` that were only moved there:
    /// whose line `is_added` to the file. A line that stood there before, and is wrong since
    /// something else changed, was not moved.
    pub fn excuse(&mut self, new: &mut FileScan, is_added: impl Fn(&Finding) -> bool) {
        for finding in &mut new.findings {
            if finding.introduced && !finding.is_about_file() && is_added(finding) {
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

/// How often each line is in a file, whatever the blanks in it.
#[derive(Debug, Default)]
pub struct Lines(HashMap<String, usize>);

impl Lines {
    /// Of a file's content, in any encoding and with any line ends that a scan reads.
    pub fn of(content: &[u8]) -> Self {
        let mut lines = HashMap::new();
        let text = decode(content).unwrap_or_default();
        for line in text.split(['\n', '\r']) {
            *lines.entry(without_blanks(line)).or_default() += 1;
        }
        Self(lines)
    }

    /// Whether the first line of what a finding shows is here more often than in `before`.
    pub fn gained(&self, finding: &Finding, before: &Self) -> bool {
        let line = without_blanks(finding.source.lines().next().unwrap_or_default());
        let times = |lines: &Self| lines.0.get(&line).copied().unwrap_or_default();
        times(self) > times(before)
    }
}

fn without_blanks(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ")
}

/// A finding moved to another file is the same line of code: deleting one use of a card must not
/// excuse another.
fn key(finding: &Finding) -> (Fingerprint, String) {
    (finding.fingerprint.clone(), without_blanks(&finding.source))
}

/// Sets [`Finding::introduced`] in `new`: false for what any of the `parents`' versions of the
/// file had as often.
///
/// What a comment allows is not had: when the comment goes, it is new. And what a new comment
/// allows is still there: the same once more, elsewhere in the file, is new.
pub fn mark_introduced(new: &mut FileScan, parents: &[FileScan]) {
    let mut found = most_often(parents.iter().map(|parent| parent.findings.iter()));
    let allowed = parents.iter().map(|parent| &parent.suppressed);
    let mut allowed = most_often(allowed.map(|all| all.iter().map(|one| &one.finding)));
    for Suppressed { finding, .. } in &mut new.suppressed {
        let is_old = allowed.take(&finding.fingerprint) || found.take(&finding.fingerprint);
        finding.introduced = !is_old;
    }
    for finding in &mut new.findings {
        finding.introduced = !found.take(&finding.fingerprint);
    }
}

/// How often each finding may be found again.
struct Known<'f>(HashMap<&'f Fingerprint, usize>);

impl Known<'_> {
    fn take(&mut self, fingerprint: &Fingerprint) -> bool {
        match self.0.get_mut(fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

/// How often each finding is had by the version that has it most often.
fn most_often<'f, V>(versions: impl Iterator<Item = V>) -> Known<'f>
where
    V: IntoIterator<Item = &'f Finding>,
{
    let mut known: HashMap<&Fingerprint, usize> = HashMap::new();
    for version in versions {
        let mut here: HashMap<&Fingerprint, usize> = HashMap::new();
        for finding in version {
            *here.entry(&finding.fingerprint).or_default() += 1;
        }
        for (fingerprint, times) in here {
            let most = known.entry(fingerprint).or_default();
            *most = times.max(*most);
        }
    }
    Known(known)
}
