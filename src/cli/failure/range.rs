//! What to do where a range of commits cannot be judged; in CI it is mostly that the clone lacks
//! history.

use super::Failure;
use crate::source::RangeError;

impl From<RangeError> for Failure {
    fn from(error: RangeError) -> Self {
        let failure = match error {
            RangeError::Git(error) => return error.into(),
            ref error => Self::of(error).note("nothing was scanned"),
        };
        match &error {
            RangeError::NotARange { .. } => failure.hint(
                "write `A..B` for what B has and A had not, `A...B` for what B has since the two parted",
            ),
            // A clone with `--depth` or `--single-branch` fetches no other branch by itself.
            RangeError::NoCommit {
                remote_branch: Some((remote, branch)),
                shallow,
                ..
            } => {
                let (why, rest, settings) = if *shallow {
                    let settings = ", in GitHub's checkout `fetch-depth: 0`, in GitLab `GIT_DEPTH: 0`";
                    ("this clone is shallow: ", "--unshallow ", settings)
                } else {
                    ("", "", "")
                };
                failure.hint(format!(
                    "{why}`git fetch {rest}{remote} {branch}:refs/remotes/{remote}/{branch}` brings that branch{settings}"
                ))
            }
            RangeError::NoCommit { shallow: true, .. }
            | RangeError::NothingInCommon { shallow: true, .. } => failure.hint(
                "this clone is shallow: `git fetch --unshallow` brings the rest, in GitHub's checkout `fetch-depth: 0`, in GitLab `GIT_DEPTH: 0`",
            ),
            RangeError::NoCommit { name, .. } if name.bytes().all(|byte| byte == b'0') => failure
                .note("zeros stand for a branch that was not there before")
                .hint("compare with the branch it comes from: `--range origin/main...HEAD`"),
            RangeError::NoCommit { .. } => {
                failure.hint("`git fetch` brings what the server has; `git log --oneline` lists commits")
            }
            RangeError::NothingInCommon { base, tip, .. } => {
                failure.hint(format!("`--range {base}..{tip}` compares the two as they are"))
            }
            RangeError::Git(_) => failure,
        }
    }
}
