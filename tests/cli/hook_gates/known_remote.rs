//! `pre-push`: what is taken for known of the side that is pushed to.

use super::{RIG, bad, good, guarded, loose, pre_push_called};
use crate::support::TestRepo;

#[test]
fn nothing_is_known_of_an_address_that_is_only_pushed_to() {
    let pair = guarded();
    pair.slip("old.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify", "origin", "main"]);
    let other = pair.repo.beside("other.git");
    let other = other.to_str().unwrap();
    pair.repo.git(&["init", "--quiet", "--bare", other]);
    pair.repo.git(&["config", "remote.origin.pushurl", other]);
    let run = pair.push(&["origin", "main"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("old.py:5"), "{run}");
    // Another way to the same repository.
    let server = pair.server.to_str().unwrap();
    pair.repo
        .git(&["config", "--unset", "remote.origin.pushurl"]);
    let key = format!("url.{server}/.pushInsteadOf");
    pair.repo.git(&["config", &key, server]);
    pair.assert_pushed(&["origin", "main:side"]);
}

#[test]
fn a_remote_whose_name_begins_with_anothers_makes_nothing_known() {
    let pair = guarded();
    let other = pair.repo.beside("other.git");
    let other = other.to_str().unwrap();
    pair.repo.git(&["init", "--quiet", "--bare", other]);
    pair.repo.git(&["remote", "add", "origin/x", other]);
    pair.repo.git(&["checkout", "--quiet", "-b", "fix"]);
    pair.slip("bad.py", bad());
    pair.repo
        .git(&["push", "--quiet", "--no-verify", "origin/x", "fix"]);
    pair.assert_push_refused(&["origin", "fix"], &["bad.py:5"]);
}

#[test]
fn what_one_branchs_policy_allows_is_new_to_the_next() {
    let pair = guarded();
    pair.repo.git(&["checkout", "--quiet", "-b", "lax"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.commit("bad.py", bad(), &[]);
    pair.repo.git(&["checkout", "--quiet", "-b", "right"]);
    pair.commit("gpuguard.toml", RIG, &[]);
    let refused = ["push of right refused", "bad.py:5"];
    pair.assert_push_refused(&["origin", "lax", "right"], &refused);
    pair.assert_push_refused(&["origin", "right"], &refused);
    // By the same policy a commit is judged once.
    pair.commit("bad.py", good(), &[]);
    pair.repo.git(&["branch", "same"]);
    let run = pair.assert_pushed(&["origin", "right", "same"]);
    assert_eq!(run.stderr.matches("scanned").count(), 1, "{run}");
}

const GLOBAL: [&str; 4] = ["hook", "run", "--global", "pre-push"];

#[test]
fn a_gate_for_all_repositories_goes_by_what_is_pushed() {
    let repo = TestRepo::new();
    repo.write("a.py", good());
    repo.commit_all("first");
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    repo.write("gpuguard.toml", RIG);
    repo.write("bad.py", bad());
    repo.commit_all("policy");
    repo.git(&["checkout", "--quiet", "main"]);
    let told = |branch: &str| {
        let tip = repo.git(&["rev-parse", branch]);
        let none = "0".repeat(40);
        format!(
            "refs/heads/{branch} {} refs/heads/{branch} {none}\n",
            tip.trim()
        )
    };
    let run = pre_push_called(&repo, &GLOBAL, &told("dev"));
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("bad.py:5"), "{run}");
    // A branch that has no policy is no matter of its.
    let run = pre_push_called(&repo, &GLOBAL, &told("main"));
    assert_eq!((run.code, &run.stderr[..]), (0, ""), "{run}");
}
