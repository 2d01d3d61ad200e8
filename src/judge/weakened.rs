//! What a change does to the policies themselves: what it loosens, and what it breaks.

use std::collections::BTreeSet;

use crate::git::{NewSide, ObjectId, RepoPath, Repository};
use crate::policy::{
    FILE_NAME, OnWeakening, Policy, Severity, Surroundings, Weakening, WithoutWord,
    root_weakenings, weakenings,
};
use crate::scan::language::Language;
use crate::scan::rule::RULES;
use crate::source::{self, BelowRoot, Change, RepositoryPolicyError};

/// In what the policies after a change are weaker than before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weakened {
    /// Each thing.
    pub weakenings: Vec<Weakening>,
    /// Whether the policy before it refuses that.
    pub is_refused: bool,
}

/// In what the policies after `change` are weaker than those of the commit `before`.
///
/// # Errors
/// Also where the change brings a policy below the root that cannot be read, or takes away what
/// one is built on.
pub fn weakened(
    repository: &Repository,
    change: &Change<'_>,
    before: Option<ObjectId>,
) -> Result<Weakened, RepositoryPolicyError> {
    let files = change.files.iter();
    // Every policy and every base is such a file.
    let touched: BTreeSet<&RepoPath> = files
        .map(|file| &file.path)
        .filter(|path| path.extension() == Some(b"toml"))
        .collect();
    if touched.is_empty() {
        return Ok(Weakened::default());
    }
    let new = change.new_side();
    let mut folders = source::folders_with_policy(repository, new)?;
    let root = source::policy_in(repository, new)?;
    let mut below = BelowRoot::new();
    let mut broken = Vec::new();
    for (folder, policy) in source::each_below_root(repository, new, &folders)? {
        match policy {
            Ok(policy) => drop(below.insert(folder, policy)),
            Err(error) => broken.push((folder, error)),
        }
    }
    let is_policy = |path: &RepoPath| path.file_name() == FILE_NAME.as_bytes();
    let sources = below
        .values()
        .chain(&root)
        .flat_map(|policy| &policy.sources);
    let sources: BTreeSet<&[u8]> = sources.map(|source| source.path.as_bytes()).collect();
    let is_base = |path: &RepoPath| sources.contains(path.as_bytes());
    let changed = touched.iter().copied();
    if broken.is_empty() && !changed.clone().any(is_policy) && !changed.clone().any(is_base) {
        return Ok(Weakened::default());
    }
    // What was a policy before is one still, or is taken away by the change.
    folders.extend(
        changed
            .filter(|path| is_policy(path))
            .filter_map(|path| path.folders().next()),
    );
    let old_below = match before {
        Some(before) => source::sound_below_root(repository, NewSide::Commit(before), &folders)?,
        None => BelowRoot::new(),
    };
    let brought = broken.into_iter().find(|(folder, _)| {
        touched.contains(&folder.join(FILE_NAME.as_bytes())) || old_below.contains_key(folder)
    });
    if let Some((_, error)) = brought {
        return Err(error.into());
    }
    let before = before.map(NewSide::Commit);
    let old_root = match before.map(|before| source::policy_in(repository, before)) {
        Some(Ok(root)) => root,
        None | Some(Err(RepositoryPolicyError::Policy(_))) => return Ok(Weakened::default()),
        Some(Err(error)) => return Err(error),
    };
    let mut found = Vec::new();
    if root.is_none() && old_root.is_some() {
        found.push(Weakening {
            what: format!("`{FILE_NAME}` is removed: what comes after is not judged"),
            origin: None,
        });
    }
    let old_root = match old_root {
        Some(root) => root,
        None => Policy::of_no_file(&Surroundings::of_this_process()?),
    };
    let root = root.as_ref().unwrap_or(&old_root);
    found.extend(compared((&old_root, &old_below), (root, &below), &folders));
    Ok(Weakened {
        is_refused: !found.is_empty() && old_root.hook.weakening == OnWeakening::Refuse,
        weakenings: found,
    })
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
    let without = WithoutWord {
        rules: &rules,
        is_read: &|extension| {
            let path = RepoPath::new(format!("x.{extension}"));
            Language::of(&path, b"").is_some()
        },
    };
    // Where there was none, or is none, there is nothing to compare.
    let mut found = if old_root.judges_nothing() || root.judges_nothing() {
        Vec::new()
    } else {
        root_weakenings(old_root, root, &without)
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
        let weaker = weakenings(before, after, &without).into_iter();
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
