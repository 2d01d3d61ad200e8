//! By which policies the hook judges, and where they were found.

use super::words;
use crate::git::{NewSide, Repository};
use crate::gpu::Diagnosis;
use crate::policy::{FILE_NAME, Policy, PolicyError, SourceRole, Surroundings, user_file};
use crate::source::{self, Judged, PolicyFrom, RepositoryPolicyError};
use crate::text::printable;

pub(super) fn diagnose(repository: &Repository) -> Vec<Diagnosis> {
    // Which policy counts for a push is a matter of the push.
    if repository.worktree().is_err() {
        return Vec::new();
    }
    let (policy, from) = match source::policy_of(repository, Judged::Staged) {
        Ok(found) => found,
        Err(RepositoryPolicyError::Policy(PolicyError::Missing { path })) => {
            return vec![Diagnosis::wrong(
                format!(
                    "there is no policy: `{}` does not exist, so the hook refuses every commit",
                    super::shown(&path)
                ),
                "`gpuguard init` writes one",
            )];
        }
        Err(error) => {
            return vec![Diagnosis::wrong(
                format!("the policy is wrong: {}", words(&error)),
                "mend what it names; `gpuguard policy show --staged` says more",
            )];
        }
    };
    let mut found = vec![root(&policy, from)];
    found.extend(below(repository));
    found
}

fn root(policy: &Policy, from: PolicyFrom) -> Diagnosis {
    let sources = policy.sources.iter();
    let sources: Vec<String> = sources
        .map(|source| {
            let path = printable(source.path.as_bytes());
            match source.role {
                SourceRole::Policy => path,
                SourceRole::Base => format!("extends {path}"),
                SourceRole::User => format!("user file {path}"),
            }
        })
        .collect();
    let has_users = policy
        .sources
        .iter()
        .any(|source| source.role == SourceRole::User);
    let user = user_file().filter(|_| !has_users);
    let user = user.map_or_else(String::new, |path| {
        format!(", no user file ({})", super::shown(&path))
    });
    let words = format!("{}{user}", sources.join(", "));
    match from {
        PolicyFrom::Index => Diagnosis::ok(format!("policy as it is staged: {words}")),
        PolicyFrom::WorkingTree => Diagnosis::note(
            format!("policy in the working tree, which Git does not track: {words}"),
            Some("`git add gpuguard.toml`: a clone has none"),
        ),
        PolicyFrom::OnlyBelow => Diagnosis::note(
            "there is no gpuguard.toml at the root: files without one in a folder above them are \
             not judged",
            Some("`gpuguard init` writes one for all of them"),
        ),
        _ => Diagnosis::note(
            format!("policy of the last commit, as the file is gone: {words}"),
            Some("`git checkout HEAD gpuguard.toml` brings it back"),
        ),
    }
}

/// The policies in folders below.
fn below(repository: &Repository) -> Vec<Diagnosis> {
    let entries = match repository.named_in(NewSide::Index, FILE_NAME.as_bytes(), None) {
        Ok(entries) => entries,
        Err(error) => {
            return vec![Diagnosis::wrong(
                format!("the index cannot be read: {}", words(&error)),
                "mend what Git complains about: `git status`",
            )];
        }
    };
    let mut found = Vec::new();
    let Ok(surroundings) = Surroundings::of_this_process() else {
        return found;
    };
    for (folder, _) in entries {
        let name = folder.join(FILE_NAME.as_bytes());
        let shown = name.to_string();
        match source::policy_below(repository, NewSide::Index, &folder, &surroundings) {
            Ok(policy) => {
                found.push(Diagnosis::ok(format!("policy below the root: {shown}")));
                for setting in policy.without_effect() {
                    found.push(Diagnosis::note(
                        format!(
                            "{} ({}) has no effect: it counts in the policy at the root only",
                            setting.key, setting.origin
                        ),
                        Some("take it out, or write it at the root"),
                    ));
                }
            }
            Err(error) => found.push(Diagnosis::wrong(
                format!("a policy below the root is wrong: {}", words(&error)),
                format!("mend `{shown}` and `git add` it"),
            )),
        }
    }
    found
}
