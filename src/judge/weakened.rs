//! What a change loosens in the policies themselves.

use std::collections::BTreeSet;

use crate::git::{NewSide, ObjectId, RepoPath, Repository};
use crate::policy::{
    FILE_NAME, Policy, Severity, Surroundings, Weakening, root_weakenings, weakenings,
};
use crate::scan::rule::RULES;
use crate::source::{self, BelowRoot, Change, RepositoryPolicyError};

/// In what the policies after `change` are weaker than before it; `root` is the policy that
/// judges it. Nothing where no TOML file is touched, as every policy is one.
pub fn weakened(
    repository: &Repository,
    change: &Change<'_>,
    root: &Policy,
) -> Result<Vec<Weakening>, RepositoryPolicyError> {
    let touches = |path: &RepoPath| path.extension() == Some(b"toml");
    let Some(base) = change.base() else {
        return Ok(Vec::new());
    };
    if !change.files.iter().any(|file| touches(&file.path)) {
        return Ok(Vec::new());
    }
    let surroundings = Surroundings::of_this_process()?;
    let Some(old) = Policies::at(repository, base, &surroundings)? else {
        return Ok(Vec::new());
    };
    let below = source::every_policy_below(repository, change.new_side(), &surroundings)?;
    let folders: BTreeSet<&RepoPath> = old.below.keys().chain(below.keys()).collect();
    let rules: Vec<(&str, Severity)> = RULES
        .iter()
        .map(|rule| (rule.code, rule.severity))
        .collect();

    let mut found: Vec<Weakening> = Vec::new();
    let is_removed = |file: &source::ChangedFile| file.before.is_some() && file.after.is_none();
    if change
        .file(&RepoPath::new(FILE_NAME))
        .is_some_and(is_removed)
    {
        found.push(Weakening {
            what: format!("`{FILE_NAME}` is removed: what comes after is not judged"),
            origin: None,
        });
    }
    found.extend(root_weakenings(&old.root, root, &rules));
    for folder in folders {
        let before = nearest(&old.root, &old.below, folder);
        let after = nearest(root, &below, folder);
        let weaker = weakenings(before, after, &rules);
        let unseen = weaker.into_iter().filter(|weaker| !found.contains(weaker));
        let below = unseen.map(|weaker| Weakening {
            what: format!("below `{folder}/`, {}", weaker.what),
            ..weaker
        });
        let below: Vec<Weakening> = below.collect();
        found.extend(below);
    }
    Ok(found)
}

/// The policies of a commit.
struct Policies {
    root: Policy,
    below: BelowRoot,
}

impl Policies {
    /// `None` where there is none at the root, or a broken one.
    fn at(
        repository: &Repository,
        commit: ObjectId,
        surroundings: &Surroundings,
    ) -> Result<Option<Self>, RepositoryPolicyError> {
        let root = match source::policy_at(repository, commit, "HEAD") {
            Ok(Some(root)) => root,
            Ok(None) | Err(RepositoryPolicyError::Policy(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let side = NewSide::Commit(commit);
        let below = source::every_policy_below(repository, side, surroundings)?;
        Ok(Some(Self { root, below }))
    }
}

/// The policy that counts in `folder`.
fn nearest<'p>(root: &'p Policy, below: &'p BelowRoot, folder: &RepoPath) -> &'p Policy {
    below
        .get(folder)
        .or_else(|| folder.folders().find_map(|above| below.get(&above)))
        .unwrap_or(root)
}
