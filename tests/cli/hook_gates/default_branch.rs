//! `pre-receive`: what is new to a server is held against its default branch, and judged by that
//! branch's policy.

use super::{Pair, RIG, bad, good, guarded, loose, server_of};
use crate::support::TestRepo;

/// A server with a branch `lax` that has a policy of its own, and a local one that uses it.
fn with_lax_branch() -> Pair {
    let pair = guarded();
    pair.guard_server_only();
    pair.repo.git(&["checkout", "--quiet", "-b", "lax"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.assert_pushed(&["origin", "lax"]);
    pair.commit("bad.py", bad(), &[]);
    pair
}

#[test]
fn where_head_leads_nowhere_a_branch_that_has_a_policy_says_it() {
    let pair = guarded();
    pair.guard_server_only();
    pair.on_server(&["symbolic-ref", "HEAD", "refs/heads/master"]);
    pair.repo.git(&["checkout", "--quiet", "--orphan", "evil"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.commit("bad.py", bad(), &[]);
    for name in ["main", "work/trunk"] {
        let run =
            pair.assert_push_refused(&["origin", "evil"], &["push of evil refused", "bad.py:5"]);
        assert!(
            !run.stderr.contains("no gpuguard.toml here"),
            "{name}: {run}"
        );
        if name == "main" {
            pair.on_server(&["branch", "-m", "main", "work/trunk"]);
        }
    }
    pair.commit("bad.py", good(), &[]);
    pair.assert_pushed(&["origin", "evil"]);
}

#[test]
fn a_branch_from_before_the_policy_goes_by_the_default_branch() {
    let pair = guarded();
    pair.guard_server_only();
    pair.repo.git(&["checkout", "--quiet", "--orphan", "early"]);
    pair.repo.git(&["rm", "--quiet", "-r", "--cached", "."]);
    std::fs::remove_file(pair.repo.path().join("gpuguard.toml")).unwrap();
    pair.commit("bad.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "early"], &["bad.py:5"]);
}

#[test]
fn what_one_branch_may_have_gets_to_no_new_branch_or_tag() {
    let pair = with_lax_branch();
    let refused = ["push of release refused", "bad.py:5"];
    // With the branch that may have it, and behind it.
    pair.assert_push_refused(&["origin", "lax", "lax:release"], &refused);
    pair.assert_pushed(&["origin", "lax"]);
    pair.assert_push_refused(&["origin", "lax:release"], &refused);
    pair.assert_push_refused(
        &["origin", "lax:refs/tags/v1"],
        &["push of v1 refused", "bad.py:5"],
    );
    // Nor by the place of one that goes.
    pair.assert_pushed(&["--quiet", "origin", "main:release"]);
    pair.assert_pushed(&["--quiet", "origin", ":release"]);
    pair.assert_push_refused(&["origin", "lax:release"], &refused);
    // Mended, it may go anywhere.
    pair.commit("bad.py", good(), &[]);
    pair.assert_pushed(&["origin", "lax:release", "lax:refs/tags/v1"]);
}

#[test]
fn a_tag_has_no_policy_of_its_own() {
    let pair = with_lax_branch();
    pair.assert_pushed(&["--quiet", "origin", "lax~1:refs/tags/moving"]);
    pair.assert_push_refused(
        &["--force", "origin", "lax:refs/tags/moving"],
        &["push of moving refused", "bad.py:5"],
    );
}

#[test]
fn many_tags_and_branches_of_good_commits_pass_at_once() {
    let pair = guarded();
    pair.guard_server_only();
    for n in 0..12 {
        pair.commit("a.py", format!("{}# {n}\n", good()), &[]);
        pair.repo.git(&["tag", &format!("v{n}")]);
        pair.repo
            .git(&["tag", "-a", &format!("signed{n}"), "-m", "x"]);
        pair.repo.git(&["branch", &format!("b{n}")]);
    }
    // The default branch goes first, and the others bring nothing to it.
    let run = pair.assert_pushed(&["origin", "--tags", "main", "refs/heads/b*:refs/heads/b*"]);
    assert_eq!(run.stderr.matches("file scanned").count(), 1, "{run}");
    pair.repo.git(&["tag", "again"]);
    let run = pair.assert_pushed(&["origin", "again", "main:refs/heads/c"]);
    assert!(!run.stderr.contains("scanned"), "{run}");
    // One that is bad among many is found.
    pair.slip("b.py", bad());
    pair.repo.git(&["tag", "bad"]);
    pair.repo.git(&["tag", "fine", "HEAD~1"]);
    pair.assert_push_refused(&["origin", "bad", "fine"], &["push of bad refused"]);
}

#[test]
fn a_first_push_of_everything_tells_each_problem_once() {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    let pair = Pair { repo, server };
    let run = pair
        .repo
        .gpuguard(&["install", pair.server.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    pair.slip("old.py", bad());
    for name in ["v1", "v2"] {
        pair.repo.git(&["tag", name]);
    }
    pair.repo.git(&["branch", "a"]);
    let run = pair.assert_push_refused(&["--tags", "origin", "main", "a"], &["old.py:5"]);
    assert_eq!(run.stderr.matches("old.py:5").count(), 1, "{run}");
    pair.commit("old.py", good(), &[]);
    pair.assert_pushed(&["--tags", "origin", "main", "a"]);
}

#[test]
fn a_server_without_a_default_branch_serves_all_the_same() {
    let repo = TestRepo::new();
    repo.write("old.py", bad());
    repo.commit_all("old");
    let server = server_of(&repo);
    let pair = Pair { repo, server };
    pair.on_server(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    pair.assert_pushed(&["--quiet", "origin", "main:one", "main:two"]);
    let run = pair
        .repo
        .gpuguard(&["install", pair.server.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    // No branch has a policy: the pushed one counts, and what is there is not new.
    pair.commit("gpuguard.toml", RIG, &[]);
    pair.commit("new.py", good(), &[]);
    let run = pair.assert_pushed(&["origin", "main:three"]);
    assert!(run.stderr.contains("no gpuguard.toml here"), "{run}");
    pair.repo.git(&["tag", "v1"]);
    pair.assert_pushed(&["origin", "v1", "main:four"]);
    pair.slip("bad.py", bad());
    pair.assert_push_refused(&["origin", "main:five"], &["bad.py:5", "1 new problem"]);
}
