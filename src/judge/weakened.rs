//! What a change loosens in the policies themselves.

use std::collections::BTreeSet;

use crate::git::{NewSide, RepoPath, Repository};
use crate::policy::{
    FILE_NAME, Policy, Severity, Surroundings, Weakening, root_weakenings, weakenings,
};
use crate::scan::rule::RULES;
use crate::source::{self, BelowRoot, Change, RepositoryPolicyError};

/// In what the policies after `change` are weaker than before it; `root` is the policy that
/// judges it.
pub fn weakened(
    repository: &Repository,
    change: &Change<'_>,
    root: &Policy,
) -> Result<Vec<Weakening>, RepositoryPolicyError> {
    let files = change.files.iter();
    // Every policy and every base is such a file.
    let touched: Vec<&RepoPath> = files
        .map(|file| &file.path)
        .filter(|path| path.extension() == Some(b"toml"))
        .collect();
    let Some(base) = change.base().filter(|_| !touched.is_empty()) else {
        return Ok(Vec::new());
    };
    let surroundings = Surroundings::of_this_process()?;
    let mut folders = source::folders_with_policy(repository, change.new_side())?;
    let load = |side, folders: &BTreeSet<RepoPath>| {
        source::sound_policies_below(repository, side, folders, &surroundings)
    };
    let below = load(change.new_side(), &folders);
    let is_policy = |path: &RepoPath| path.file_name() == FILE_NAME.as_bytes();
    let mut policies = below.values().chain([root]);
    let is_base = |path: &RepoPath| {
        policies.any(|policy| {
            let mut sources = policy.sources.iter();
            sources.any(|source| source.path.as_bytes() == path.as_bytes())
        })
    };
    let changed = touched.iter().copied();
    if !changed.clone().any(is_policy) && !changed.clone().any(is_base) {
        return Ok(Vec::new());
    }
    // What was a policy before is one still, or is taken away by the change.
    folders.extend(
        changed
            .filter(|path| is_policy(path))
            .filter_map(|path| path.folders().next()),
    );
    let old_root = match source::policy_at(repository, base, "HEAD") {
        Ok(Some(root)) => root,
        Ok(None) => Policy::of_no_file(&surroundings),
        Err(RepositoryPolicyError::Policy(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let before = (&old_root, &load(NewSide::Commit(base), &folders));
    let mut found = removed(change);
    found.extend(compared(before, (root, &below), &folders));
    Ok(found)
}

/// Whether the policy at the root goes.
fn removed(change: &Change<'_>) -> Vec<Weakening> {
    let file = change.file(&RepoPath::new(FILE_NAME));
    let is_removed = file.is_some_and(|file| file.before.is_some() && file.after.is_none());
    let weakening = is_removed.then(|| Weakening {
        what: format!("`{FILE_NAME}` is removed: what comes after is not judged"),
        origin: None,
    });
    weakening.into_iter().collect()
}

/// The policy at the root, and those below it.
type Policies<'p> = (&'p Policy, &'p BelowRoot);

/// What is weaker at the root, then in each folder what is not said already.
fn compared(
    (old_root, old_below): Policies<'_>,
    (root, below): Policies<'_>,
    folders: &BTreeSet<RepoPath>,
) -> Vec<Weakening> {
    let rules: Vec<(&str, Severity)> = RULES
        .iter()
        .map(|rule| (rule.code, rule.severity))
        .collect();
    // Where there was none, or is none, there is nothing to compare.
    let mut found = if old_root.judges_nothing() || root.judges_nothing() {
        Vec::new()
    } else {
        root_weakenings(old_root, root, &rules)
    };
    for folder in folders {
        let before = nearest(old_root, old_below, folder);
        let after = nearest(root, below, folder);
        if before.judges_nothing() {
            continue;
        }
        if after.judges_nothing() {
            found.push(Weakening {
                what: format!("`{folder}/{FILE_NAME}` is removed: what comes after is not judged"),
                origin: None,
            });
            continue;
        }
        let weaker = weakenings(before, after, &rules).into_iter();
        let unseen = weaker.filter(|weaker| !found.contains(weaker));
        let unseen: Vec<Weakening> = unseen
            .map(|weaker| Weakening {
                what: format!("below `{folder}/`, {}", weaker.what),
                ..weaker
            })
            .collect();
        found.extend(unseen);
    }
    found
}

/// The policy that counts in `folder`.
fn nearest<'p>(root: &'p Policy, below: &'p BelowRoot, folder: &RepoPath) -> &'p Policy {
    below
        .get(folder)
        .or_else(|| folder.folders().find_map(|above| below.get(&above)))
        .unwrap_or(root)
}
