//! `pre-receive`: no push of another branch decides by which policy the default branch is judged.

use super::{Pair, RIG, bad, good, guarded, loose, server_of};
use crate::support::{TestRepo, command, program};

fn refusing(policy: &str) -> String {
    policy.replace("[hook]\n", "[hook]\nweakening = \"refuse\"\n")
}

/// A server whose gate is wired, and a clone without one.
fn served(repo: TestRepo) -> Pair {
    let server = server_of(&repo);
    let pair = Pair { repo, server };
    let path = pair.server.to_str().unwrap();
    let run = pair.repo.gpuguard(&["install", path]);
    assert_eq!(run.code, 0, "{run}");
    pair
}

/// With a policy in `train/` alone, pushed to `main`.
fn served_below_only() -> Pair {
    let repo = TestRepo::new();
    repo.write("train/gpuguard.toml", RIG);
    repo.write("train/a.py", good());
    repo.commit_all("policy");
    let pair = served(repo);
    let run = pair.assert_pushed(&["origin", "main"]);
    assert!(run.stderr.contains("no gpuguard.toml at the root"), "{run}");
    pair
}

#[test]
fn policies_below_the_root_judge_a_push_by_themselves() {
    let pair = served_below_only();
    pair.commit("other.py", bad(), &[]);
    pair.commit("train/b.py", good(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "main", "main:side"]);
    pair.commit("train/b.py", bad(), &[]);
    for name in ["main", "main:side", "main:new", "main:refs/tags/v1"] {
        pair.assert_push_refused(&["origin", name], &["train/b.py:5"]);
    }
    // The policy that goes judges once more.
    pair.repo.git(&["rm", "--quiet", "train/gpuguard.toml"]);
    pair.repo.git(&["commit", "--quiet", "-m", "x"]);
    pair.assert_push_refused(&["origin", "main"], &["train/b.py:5"]);
    // Where there is none at all, nothing passes.
    let none = TestRepo::new();
    none.write("a.py", good());
    none.commit_all("first");
    served(none).assert_push_refused(&["origin", "main"], &["no policy"]);
}

#[test]
fn policies_below_the_root_judge_a_push_from_a_bare_clone() {
    let pair = served_below_only();
    pair.commit("train/b.py", good(), &[]);
    let clone = pair.repo.beside("clone.git");
    let run = pair
        .repo
        .try_git(&["clone", "--quiet", "--bare", ".", clone.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    let judge = |tip: &str| -> crate::support::Run {
        let told = format!("refs/heads/main {tip} refs/heads/main {}\n", "0".repeat(40));
        let file = pair.repo.beside("told");
        std::fs::write(&file, told).unwrap();
        command(program(), &clone, pair.repo.home())
            .args(["hook", "run", "pre-push", "elsewhere", "../elsewhere"])
            .stdin(std::fs::File::open(file).unwrap())
            .output()
            .unwrap()
            .into()
    };
    let tip = |pair: &Pair| pair.repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let run = judge(&tip(&pair));
    assert_eq!(run.code, 0, "{run}");
    pair.commit("train/b.py", bad(), &[]);
    let clone_path = clone.to_str().unwrap();
    pair.repo.git(&["push", "--quiet", clone_path, "main"]);
    let run = judge(&tip(&pair));
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("train/b.py:5"), "{run}");
}

#[test]
fn a_new_branch_with_a_policy_at_the_root_replaces_none_below_it() {
    let pair = served_below_only();
    pair.repo.git(&["checkout", "--quiet", "-b", "exp"]);
    pair.repo.git(&["rm", "--quiet", "train/gpuguard.toml"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "exp"]);
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("train/b.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "main"], &["train/b.py:5"]);
}

#[test]
fn a_branch_that_sorts_before_takes_nothing_over() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    repo.commit_all("first");
    let server = server_of(&repo);
    repo.git(&["push", "--quiet", "origin", "main"]);
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    repo.write("gpuguard.toml", RIG);
    repo.commit_all("policy");
    let path = server.to_str().unwrap().to_owned();
    assert_eq!(repo.gpuguard(&["install", &path]).code, 0);
    let pair = Pair { repo, server };
    pair.assert_pushed(&["--quiet", "origin", "dev"]);
    pair.repo.git(&["checkout", "--quiet", "--orphan", "aaa"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "aaa"]);
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("bad.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "main"], &["bad.py:5"]);
}

#[test]
fn a_branch_that_head_was_waiting_for_judges_beside_main() {
    let pair = guarded();
    pair.guard_server_only();
    pair.on_server(&["symbolic-ref", "HEAD", "refs/heads/master"]);
    pair.repo.git(&["checkout", "--quiet", "-b", "lax"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "lax:master"]);
    pair.commit("bad.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "lax:release"], &["bad.py:5"]);
    // Nor does it get in by the branch whose own policy lets it pass.
    pair.assert_pushed(&["--quiet", "origin", "lax:master"]);
    pair.assert_push_refused(&["origin", "lax:release"], &["bad.py:5"]);
}

#[test]
fn a_branch_whose_policy_refuses_to_be_loosened_is_not_deleted() {
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", refusing(RIG));
    repo.commit_all("policy");
    let pair = served(repo);
    pair.on_server(&["symbolic-ref", "HEAD", "refs/heads/master"]);
    pair.assert_pushed(&["--quiet", "origin", "main", "main:side"]);
    pair.assert_push_refused(
        &["origin", ":main"],
        &["push refused", "refuses to be loosened"],
    );
    pair.assert_pushed(&["--quiet", "origin", ":side"]);
}
