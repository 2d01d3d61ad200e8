//! What is looser in lists in which a later entry may say the opposite of an earlier one: which
//! entries there are, and in which order.

use super::{LanguageOfFiles, NO_LANGUAGE, Override, Severity};

/// Whether those entries that both lists have stand in another order.
pub(super) fn is_reordered<T: PartialEq>(old: &[T], new: &[T]) -> bool {
    let before = old.iter().filter(|entry| new.contains(entry));
    let after = new.iter().filter(|entry| old.contains(entry));
    !before.eq(after)
}

/// What the entries say of one rule, in their order.
pub(super) fn said_of<'p>(overrides: &'p [Override], code: &str) -> Vec<Said<'p>> {
    let entries = overrides.iter().enumerate();
    entries
        .filter_map(|(at, entry)| {
            let severity = *entry.severities.get(code)?;
            Some(Said {
                at,
                paths: &entry.paths,
                severity,
            })
        })
        .collect()
}

/// What one entry says of a rule.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct Said<'p> {
    /// Its place among all entries.
    pub(super) at: usize,
    pub(super) paths: &'p [String],
    pub(super) severity: Severity,
}

impl PartialEq for Said<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.paths, self.severity) == (other.paths, other.severity)
    }
}

/// The entries of `new` that `old` has not, and that are below `general` or an earlier one that both
/// have: these lower something.
pub(super) fn lowering<'p>(
    old: &[Said<'p>],
    new: &[Said<'p>],
    general: Option<Severity>,
) -> Vec<Said<'p>> {
    let mut highest = general;
    let mut found = Vec::new();
    for entry in new {
        if old.contains(entry) {
            highest = highest.max(Some(entry.severity));
        } else if highest.is_some_and(|highest| entry.severity < highest) {
            found.push(*entry);
        }
    }
    found
}

/// The entries of `old` that `new` has not, and that are above `general` or an earlier one that both
/// have: without them something is lower.
pub(super) fn raising<'p>(
    old: &[Said<'p>],
    new: &[Said<'p>],
    general: Option<Severity>,
) -> Vec<Said<'p>> {
    let mut lowest = general;
    let mut found = Vec::new();
    for entry in old {
        if new.contains(entry) {
            lowest = Some(lowest.map_or(entry.severity, |lowest| lowest.min(entry.severity)));
        } else if lowest.is_some_and(|lowest| entry.severity > lowest) {
            found.push(*entry);
        }
    }
    found
}

/// Whether an entry that `old` has not can only make more files readable: its files have an
/// extension that is not read by itself, and that no entry of `old` may speak of.
pub(super) fn only_adds_files(
    entry: &LanguageOfFiles,
    old: &[LanguageOfFiles],
    is_read: &dyn Fn(&str) -> bool,
) -> bool {
    let is_new = |glob: &String| {
        extension_of(glob).is_some_and(|extension| {
            let mut others = old.iter().flat_map(|entry| &entry.paths);
            !is_read(extension)
                && others.all(|other| {
                    extension_of(other).is_some_and(|other| !other.eq_ignore_ascii_case(extension))
                })
        })
    };
    entry.name != NO_LANGUAGE && entry.paths.iter().all(is_new)
}

/// The extension of all files that a glob takes in; `None` where it is no plain `*.EXTENSION`.
fn extension_of(glob: &str) -> Option<&str> {
    let name = glob.rsplit('/').next().unwrap_or(glob);
    let extension = name.strip_prefix("*.")?;
    let is_plain = extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_plain && !extension.is_empty()).then_some(extension)
}
