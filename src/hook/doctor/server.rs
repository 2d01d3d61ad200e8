//! By which policy a bare repository judges what is pushed to it.

use super::{shown, words};
use crate::git::{GitProgram, Repository};
use crate::gpu::Diagnosis;
use crate::policy::FILE_NAME;
use crate::source;

pub(super) fn diagnose(repository: &Repository) -> Vec<Diagnosis> {
    let head = match repository.head() {
        Ok(head) => head,
        Err(error) => {
            return vec![Diagnosis::wrong(
                format!("HEAD cannot be read: {}", words(&error)),
                "`git symbolic-ref HEAD refs/heads/main` makes it lead to a branch",
            )];
        }
    };
    let place = shown(repository.git_dir());
    let Some(commit) = head.commit else {
        let git = GitProgram::in_directory(repository.git_dir());
        let branches = git.run(&["for-each-ref", "--count=1", "refs/heads"], b"");
        let has_branches = branches.is_ok_and(|branches| !branches.line().is_empty());
        return vec![if has_branches {
            Diagnosis::wrong(
                format!(
                    "HEAD of `{place}` leads to a branch that is not there, so it is not known whose \
                     policy counts for new branches"
                ),
                "`git symbolic-ref HEAD refs/heads/main`, with the branch that is the default",
            )
        } else {
            Diagnosis::note(
                format!("`{place}` has no commits: the first policy that is pushed counts"),
                None,
            )
        }];
    };
    vec![match source::policy_at(repository, commit, "HEAD") {
        Ok(Some(_)) => Diagnosis::ok(format!("policy of the default branch: HEAD:{FILE_NAME}")),
        Ok(None) => Diagnosis::note(
            format!(
                "the default branch has no {FILE_NAME} at its root: a branch that has one is judged \
                 by its own"
            ),
            Some("push one to it"),
        ),
        Err(error) => Diagnosis::wrong(
            format!(
                "the policy of the default branch is wrong: {}",
                words(&error)
            ),
            "push one that can be read",
        ),
    }]
}
