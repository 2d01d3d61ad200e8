//! `pre-push`: what a push brings to each branch.

use super::{
    Pair, at, bad, good, guarded, install, pre_push, pre_push_of, pre_push_with, server_of,
};
use crate::support::{TestRepo, git};

#[test]
fn a_new_branch_is_held_against_all_that_the_remote_has() {
    let pair = guarded();
    pair.slip("old.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit("new.py", good(), &[]);
    pair.assert_pushed(&["--set-upstream", "origin", "side"]);
    pair.slip("new.py", bad());
    pair.repo.git(&["branch", "third"]);
    pair.assert_push_refused(&["origin", "third"], &["push of third refused", "new.py:5"]);
    // It is there before its first commit is made: nothing new.
    pair.assert_pushed(&["origin", "HEAD~1:refs/heads/fourth"]);
}

#[test]
fn deleted_branches_and_tags_of_what_is_there_are_not_judged() {
    let pair = guarded();
    pair.slip("old.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify", "origin", "main", "main:side"]);
    pair.repo.git(&["tag", "-a", "v1", "-m", "v1"]);
    pair.assert_pushed(&["origin", "v1"]);
    pair.assert_pushed(&["origin", ":side"]);
    pair.slip("new.py", bad());
    pair.repo.git(&["tag", "v2"]);
    pair.assert_push_refused(&["origin", "v2"], &["push of v2 refused", "new.py:5"]);
    // A tag may lead to no commit at all.
    let blob = pair.repo.git(&["hash-object", "-w", "new.py"]);
    pair.repo.git(&["tag", "blob", blob.trim()]);
    pair.assert_pushed(&["origin", "blob"]);
}

#[test]
fn of_several_branches_each_is_told_of_and_one_refuses_all() {
    let pair = guarded();
    pair.repo.git(&["branch", "one"]);
    pair.repo.git(&["branch", "two"]);
    for branch in ["one", "two"] {
        pair.repo.git(&["checkout", "--quiet", branch]);
        pair.slip(&format!("{branch}.py"), bad());
    }
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("main.py", good(), &[]);
    pair.assert_push_refused(
        &["--all", "origin"],
        &[
            "push of one refused",
            "push of two refused",
            "one.py:5",
            "two.py:5",
        ],
    );
    pair.guard_server_only();
    pair.assert_push_refused(
        &["--all", "origin"],
        &["push of one refused", "push of two refused"],
    );
    assert_eq!(pair.server_head("one"), "");
}

#[test]
fn many_new_tags_of_what_is_there_are_one_question() {
    let pair = guarded();
    pair.slip("a.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    let names = ["v1", "v2", "v3", "v4"];
    for name in names {
        pair.repo.git(&["tag", name, "HEAD~1"]);
    }
    let run = pre_push_of(&pair, &names, &["-v"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("4 new branches and tags: no new commits"),
        "{run}"
    );
    // One that brings something is judged, and the others do not hide it.
    pair.slip("b.py", bad());
    pair.repo.git(&["tag", "v5"]);
    let run = pre_push_of(&pair, &["v1", "v5", "v2"], &[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("push of v5 refused"), "{run}");
}

#[test]
fn what_several_new_branches_share_is_told_once() {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    install(&repo, &[]);
    let pair = Pair { repo, server };
    pair.slip("old.py", bad());
    pair.repo.git(&["branch", "one"]);
    pair.repo.git(&["branch", "two"]);
    pair.repo.git(&["checkout", "--quiet", "two"]);
    pair.commit("two.py", good(), &[]);
    let run = pair.assert_push_refused(&["--all", "origin"], &["old.py:5"]);
    assert_eq!(run.stderr.matches("old.py:5").count(), 1, "{run}");
    assert!(
        run.stderr.contains("gpuguard: two: passed: 1 file scanned"),
        "{run}"
    );
}

#[test]
fn rewritten_history_is_held_against_what_the_branch_had() {
    let pair = guarded();
    pair.slip("old.py", bad());
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    // The same files by other commits.
    pair.repo.git(&["reset", "--quiet", "--soft", "HEAD~2"]);
    pair.repo
        .git(&["commit", "--quiet", "--no-verify", "-m", "squashed"]);
    pair.assert_pushed(&["--force"]);
    pair.slip("b.py", bad());
    pair.assert_push_refused(&["--force"], &["b.py:5", "1 new problem"]);
    // Back to what was there long ago: nothing new.
    pair.repo.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    pair.assert_pushed(&["--force"]);
}

#[test]
fn what_was_pushed_by_others_in_between_need_not_be_here() {
    let pair = guarded();
    let clone = pair.repo.beside("clone");
    pair.repo.git(&[
        "clone",
        "--quiet",
        pair.server.to_str().unwrap(),
        clone.to_str().unwrap(),
    ]);
    std::fs::write(clone.join("theirs.py"), "print(1)\n").unwrap();
    for arguments in [
        &["add", "."][..],
        &["commit", "-qm", "theirs"],
        &["push", "-q"],
    ] {
        let run = at(&clone, &pair.repo, &git(), arguments);
        assert_eq!(run.code, 0, "{run}");
    }
    pair.slip("mine.py", bad());
    pair.assert_push_refused(&["--force"], &["mine.py:5"]);
    pair.commit("mine.py", good(), &[]);
    pair.assert_pushed(&["--force"]);
}

#[test]
fn what_the_default_branch_has_is_not_blamed_on_a_branch_that_takes_it_in() {
    let pair = guarded();
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit("side.py", good(), &[]);
    pair.assert_pushed(&["--quiet", "--set-upstream", "origin", "side"]);
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.slip("theirs.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify", "origin", "main"]);
    pair.repo.git(&["checkout", "--quiet", "side"]);
    pair.repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    pair.assert_pushed(&["origin", "side"]);
    pair.guard_server_only();
    pair.repo
        .git(&["commit", "--quiet", "--allow-empty", "-m", "more"]);
    pair.assert_pushed(&["origin", "side"]);
}

#[test]
fn another_branch_that_was_let_by_is_new_to_the_default_branch() {
    let pair = guarded();
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.slip("side.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify", "origin", "side"]);
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.repo.git(&["merge", "--quiet", "side"]);
    pair.assert_push_refused(&["origin", "main"], &["push of main refused", "side.py:5"]);
    pair.guard_server_only();
    pair.assert_push_refused(&["origin", "main"], &["push of main refused", "side.py:5"]);
}

#[test]
fn a_first_push_is_judged_whole() {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    install(&repo, &[]);
    let pair = Pair { repo, server };
    pair.slip("a.py", bad());
    pair.assert_push_refused(&["origin", "main"], &["a.py:5"]);
    // To an address instead of a remote, and to a server that knows no policy yet.
    let address = pair.server.to_str().unwrap();
    pair.assert_push_refused(&[address, "main"], &["a.py:5"]);
    pair.guard_server_only();
    pair.assert_push_refused(&["origin", "main"], &["a.py:5", "no gpuguard.toml here"]);
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
}

#[test]
fn of_a_remote_that_nothing_is_known_of_everything_is_new() {
    let pair = guarded();
    pair.slip("a.py", bad());
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    let other = pair.repo.beside("other.git");
    let path = other.to_str().unwrap();
    pair.repo.git(&["init", "--quiet", "--bare", path]);
    pair.repo.git(&["remote", "add", "other", path]);
    for remote in ["other", path] {
        let run = pair.assert_push_refused(&[remote, "main"], &["push of main refused", "a.py:5"]);
        assert_eq!(
            run.stderr.contains("`git fetch other`"),
            remote == "other",
            "{run}"
        );
    }
    // What it is known to have is not new to it, also by its address.
    pair.repo
        .git(&["push", "--quiet", "--no-verify", "other", "main"]);
    for remote in ["other", path, pair.server.to_str().unwrap()] {
        pair.assert_pushed(&[remote, "main:side"]);
    }
    pair.slip("b.py", bad());
    for remote in ["other", path] {
        let run = pair.assert_push_refused(&[remote, "main:third"], &["b.py:5", "1 new problem"]);
        assert!(!run.stderr.contains("git fetch"), "{run}");
    }
}

#[test]
fn without_a_policy_a_push_is_refused_with_the_cure() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    repo.commit_all("first");
    let server = server_of(&repo);
    install(&repo, &[]);
    let pair = Pair { repo, server };
    pair.assert_push_refused(
        &["origin", "main"],
        &["gpuguard: push refused", "gpuguard init"],
    );
    // A branch without a policy is judged by the one that the working tree has.
    pair.repo.write(
        "gpuguard.toml",
        include_str!("../../../src/policy/preset_rtx3090.toml"),
    );
    pair.assert_pushed(&["origin", "main"]);
}

#[test]
fn a_failure_of_its_own_blocks_a_push_or_lets_it_pass_as_the_policy_says() {
    let pair = guarded();
    for (rule, code) in [("block", 1), ("pass", 0)] {
        let policy = String::from_utf8(pair.repo.read("gpuguard.toml")).unwrap();
        let policy = policy.split("[hook]").next().unwrap();
        pair.repo.write(
            "gpuguard.toml",
            format!("{policy}[hook]\non-error = \"{rule}\"\n"),
        );
        pair.repo.write("lost.py", format!("{}# {rule}\n", good()));
        pair.repo.commit_all("lost");
        let blob = pair.repo.git(&["rev-parse", "HEAD:lost.py"]);
        let (folder, name) = blob.trim().split_at(2);
        let object = pair
            .repo
            .path()
            .join(".git/objects")
            .join(folder)
            .join(name);
        std::fs::remove_file(&object).unwrap();
        let head = pair.repo.git(&["rev-parse", "HEAD"]);
        let run = pre_push(
            &pair.repo,
            &format!(
                "refs/heads/main {} refs/heads/main {}\n",
                head.trim(),
                pair.server_head("main").trim()
            ),
        );
        assert_eq!(run.code.min(1), code, "{run}");
        assert!(
            run.stderr.contains("is not in this clone") || run.stderr.contains("cannot be read"),
            "{run}"
        );
        if rule == "pass" {
            assert!(run.stderr.contains("as `hook.on-error` says"), "{run}");
        }
    }
}

#[test]
fn it_says_by_which_policy_and_what_is_not_judged_when_asked() {
    let pair = guarded();
    pair.commit("a.py", good(), &[]);
    let head = pair.repo.git(&["rev-parse", "HEAD"]);
    let (head, old) = (head.trim(), pair.server_head("main"));
    let told = format!(
        "refs/heads/main {head} refs/heads/main {0}\nrefs/heads/x {0} refs/heads/x {1}\n",
        old.trim(),
        "0".repeat(40)
    );
    let run = pre_push_with(&pair.repo, &["-v"], &told);
    assert_eq!(run.code, 0, "{run}");
    let by = format!("by the gpuguard.toml of {}", &head[..12]);
    assert!(run.stderr.contains(&by), "{run}");
    assert!(run.stderr.contains("x: no new commits"), "{run}");
    let quiet = pre_push(&pair.repo, &told);
    assert!(!quiet.stderr.contains("by the gpuguard.toml"), "{quiet}");
}

#[test]
fn what_git_would_not_say_is_refused() {
    let pair = guarded();
    let run = pre_push(&pair.repo, "rubbish\n");
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("`rubbish` is not what Git tells"),
        "{run}"
    );
    assert_eq!(pre_push(&pair.repo, "").code, 0);
}

#[test]
fn a_shallow_clone_pushes_what_is_new_in_it() {
    let pair = guarded();
    pair.slip("old.py", bad());
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    let clone = pair.repo.beside("shallow");
    let url = format!("file://{}", pair.server.display());
    pair.repo.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &url,
        clone.to_str().unwrap(),
    ]);
    let run = pair
        .repo
        .gpuguard(&["install", "--hooks", "pre-push", clone.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    let in_clone = |arguments: &[&str]| at(&clone, &pair.repo, &git(), arguments);
    std::fs::write(clone.join("b.py"), good()).unwrap();
    in_clone(&["add", "."]);
    in_clone(&["commit", "-qm", "b"]);
    let run = in_clone(&["push", "origin", "HEAD:main"]);
    assert_eq!(run.code, 0, "{run}");
    std::fs::write(clone.join("b.py"), bad()).unwrap();
    in_clone(&["commit", "-qam", "b"]);
    let run = in_clone(&["push", "origin", "HEAD:side"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("b.py:5"), "{run}");
    assert!(!run.stderr.contains("old.py"), "{run}");
}

#[test]
fn a_shallow_clone_that_meets_nothing_says_what_it_did() {
    let pair = guarded();
    pair.slip("old.py", bad());
    for n in 0..3 {
        pair.commit(&format!("{n}.py"), good(), &[]);
    }
    pair.assert_pushed(&["--quiet", "--no-verify"]);
    let clone = pair.repo.beside("shallow");
    let url = format!("file://{}", pair.server.display());
    pair.repo.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &url,
        clone.to_str().unwrap(),
    ]);
    pair.repo
        .gpuguard(&["install", "--hooks", "pre-push", clone.to_str().unwrap()]);
    // Another branch that is fetched as shallow does not meet the first one in this clone.
    pair.repo
        .git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    pair.commit("side.py", good(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "side"]);
    let in_clone = |arguments: &[&str]| {
        let run = at(&clone, &pair.repo, &git(), arguments);
        assert_eq!(run.code, 0, "{run}");
        run
    };
    in_clone(&["fetch", "--quiet", "--depth=1", "origin", "side"]);
    let run = in_clone(&["push", "origin", "FETCH_HEAD:refs/heads/third"]);
    assert!(run.stderr.contains("this clone is shallow"), "{run}");
    assert!(run.stderr.contains("git fetch --unshallow"), "{run}");
}

#[test]
fn a_push_that_loosens_the_policy_alone_is_named() {
    let pair = guarded();
    install(&pair.repo, &["--hooks", "pre-push"]);
    let policy = String::from_utf8(pair.repo.read("gpuguard.toml")).unwrap();
    let loose = policy.replace("[rules]", "[rules]\nGG006 = \"off\"");
    assert_ne!(loose, policy);
    pair.repo.write("gpuguard.toml", loose);
    pair.repo.git(&["add", "."]);
    pair.repo
        .git(&["commit", "-q", "--no-verify", "-m", "loose"]);
    let run = pair.assert_pushed(&[]);
    assert!(
        run.stderr.contains("policy weakened: GG006 is `off`"),
        "{run}"
    );
}
