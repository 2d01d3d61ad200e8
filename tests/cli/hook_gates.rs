//! The gates beside `pre-commit`: a clean merge, what was committed unchecked, a push on both of
//! its sides. All are wired by `gpuguard install`, and Git starts them.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::{Run, TestRepo, command, git, program};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn good() -> String {
    format!("{HEADER}device = torch.device(\"cuda:0\")\n")
}

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

/// A repository with the founding policy, every gate, and a bare one to push to.
struct Pair {
    repo: TestRepo,
    server: PathBuf,
}

fn server_of(repo: &TestRepo) -> PathBuf {
    let server = repo.beside("server.git");
    let path = server.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    repo.git(&["remote", "add", "origin", path]);
    server
}

/// With the policy pushed and gates on the side that pushes.
fn guarded() -> Pair {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    repo.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    install(&repo, &[]);
    Pair { repo, server }
}

fn install(repo: &TestRepo, more: &[&str]) {
    let run = repo.gpuguard(&[&["install", "--hooks", "all"][..], more].concat());
    assert_eq!(run.code, 0, "{run}");
}

impl Pair {
    fn commit(&self, path: &str, content: impl AsRef<[u8]>, options: &[&str]) -> Run {
        self.repo.write(path, content);
        self.repo.git(&["add", "--all"]);
        let run = self
            .repo
            .try_git(&[&["commit", "--quiet", "-m", path][..], options].concat());
        assert_eq!(run.code, 0, "{run}");
        run
    }

    /// Commits past every gate.
    fn slip(&self, path: &str, content: impl AsRef<[u8]>) -> Run {
        self.commit(path, content, &["--no-verify"])
    }

    fn push(&self, arguments: &[&str]) -> Run {
        self.repo.try_git(&[&["push"][..], arguments].concat())
    }

    fn on_server(&self, arguments: &[&str]) -> String {
        let run = at(&self.server, &self.repo, &git(), arguments);
        assert_eq!(run.code, 0, "{run}");
        run.stdout
    }

    fn server_head(&self, branch: &str) -> String {
        let run = at(
            &self.server,
            &self.repo,
            &git(),
            &["rev-parse", "--verify", "--quiet", branch],
        );
        run.stdout
    }

    /// Wires the server's gate and takes away the sender's.
    fn guard_server_only(&self) {
        let server = self.server.to_str().unwrap();
        for arguments in [&["uninstall"][..], &["install", server]] {
            let run = self.repo.gpuguard(arguments);
            assert_eq!(run.code, 0, "{run}");
        }
    }

    #[track_caller]
    fn assert_push_refused(&self, arguments: &[&str], expected: &[&str]) -> Run {
        let before = self.on_server(&["for-each-ref"]);
        let run = self.push(arguments);
        assert_eq!(run.code, 1, "{run}");
        for part in expected {
            assert!(run.stderr.contains(part), "no {part:?} in {run}");
        }
        assert_eq!(self.on_server(&["for-each-ref"]), before, "a ref moved");
        run
    }

    #[track_caller]
    fn assert_pushed(&self, arguments: &[&str]) -> Run {
        let run = self.push(arguments);
        assert_eq!(run.code, 0, "{run}");
        run
    }
}

fn at(folder: &Path, repo: &TestRepo, program: &Path, arguments: &[&str]) -> Run {
    command(program, folder, repo.home())
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_commit_that_slipped_by_is_stopped_before_the_push_and_by_the_server() {
    let pair = guarded();
    let run = pair.slip("train.py", bad());
    assert!(run.stderr.contains("this commit was not judged"), "{run}");
    pair.commit("other.py", good(), &[]);
    let run = pair.assert_push_refused(
        &[],
        &[
            "gpuguard: push of main refused: 1 new problem in 1 file",
            "train.py:5:23",
            "nothing was pushed, nothing was changed",
            "1 commit was made without being judged",
            "train.py",
        ],
    );
    assert!(!run.stderr.contains("other.py:"), "{run}");
    assert!(run.stderr.contains("GPUGUARD=0 git push"), "{run}");

    // Around the sender's gate there is the server's.
    let server = pair.server.to_str().unwrap();
    let run = pair.repo.gpuguard(&["install", server]);
    assert_eq!(run.code, 0, "{run}");
    pair.assert_push_refused(
        &["--no-verify"],
        &[
            "remote: gpuguard: push of main refused",
            "train.py:5:23",
            "pre-receive hook declined",
        ],
    );

    // Mended, it passes both, and the commits count as judged.
    pair.commit("train.py", good(), &[]);
    let run = pair.assert_pushed(&[]);
    assert!(run.stderr.contains("made without being judged"), "{run}");
    pair.commit("more.py", good(), &[]);
    let run = pair.assert_pushed(&[]);
    assert!(!run.stderr.contains("without being judged"), "{run}");
}

#[test]
fn gates_of_a_push_can_be_skipped_and_say_so() {
    let pair = guarded();
    pair.slip("a.py", bad());
    for (name, value) in [("GPUGUARD", "0"), ("SKIP", "lint,gpuguard")] {
        let run: Run = pair
            .repo
            .command(git())
            .args(["push", "--dry-run"])
            .env(name, value)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stderr.contains("this push is not judged"),
            "{name}: {run}"
        );
    }
}

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

/// The gate, told of new tags.
fn pre_push_of(pair: &Pair, tags: &[&str], options: &[&str]) -> Run {
    let none = "0".repeat(40);
    let told: String = tags
        .iter()
        .flat_map(|tag| {
            let commit = pair.repo.git(&["rev-parse", tag]);
            let line = format!("refs/tags/{tag} {} refs/tags/{tag} {none}", commit.trim());
            [line, "\n".to_owned()]
        })
        .collect();
    pre_push_with(&pair.repo, options, &told)
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
fn a_server_goes_by_its_own_policy_until_the_push_is_taken() {
    let pair = guarded();
    pair.guard_server_only();
    let policy = String::from_utf8(pair.repo.read("gpuguard.toml")).unwrap();
    let loose = policy.replace("[rules]\n", "[rules]\nGG006 = \"off\"\n");
    assert_ne!(loose, policy);
    pair.repo.write("gpuguard.toml", &loose);
    pair.commit("a.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5"]);
    // Nor by a branch of its own, which has the default branch's policy at first.
    pair.assert_push_refused(
        &["origin", "main:side"],
        &["push of side refused", "a.py:5"],
    );
    // Nor without one.
    pair.repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    pair.repo.git(&["commit", "--quiet", "-m", "no policy"]);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5"]);
    // The policy alone is taken, and counts from then on.
    pair.repo
        .git(&["reset", "--quiet", "--hard", "origin/main"]);
    pair.commit("gpuguard.toml", &loose, &[]);
    pair.assert_pushed(&["origin", "main"]);
    pair.commit("a.py", bad(), &[]);
    pair.assert_pushed(&["origin", "main"]);
}

#[test]
fn a_policy_that_cannot_be_read_is_not_taken() {
    let pair = guarded();
    pair.guard_server_only();
    pair.commit("gpuguard.toml", "version = 1\nnonsense\n", &[]);
    pair.assert_push_refused(
        &["origin", "main"],
        &["gpuguard: push refused", "gpuguard.toml"],
    );
    // One that is there already can be mended.
    pair.repo
        .gpuguard(&["uninstall", pair.server.to_str().unwrap()]);
    pair.assert_pushed(&["--quiet", "origin", "main"]);
    let server = pair.server.to_str().unwrap();
    assert_eq!(pair.repo.gpuguard(&["install", server]).code, 0);
    pair.repo
        .git(&["checkout", "--quiet", "HEAD~1", "--", "gpuguard.toml"]);
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
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
        include_str!("../../src/policy/preset_rtx3090.toml"),
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

/// The gate as Git starts it, told of a push.
fn pre_push(repo: &TestRepo, told: &str) -> Run {
    pre_push_with(repo, &[], told)
}

fn pre_push_with(repo: &TestRepo, options: &[&str], told: &str) -> Run {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = repo
        .command(program())
        .args(options)
        .args(["hook", "run", "pre-push", "origin", "somewhere"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(told.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
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
fn a_clean_merge_is_judged_by_what_neither_side_has() {
    let pair = guarded();
    // Each side alone is right; together the mask is gone and the index is used.
    pair.commit("a.py", "import torch\n", &[]);
    let head = format!("{HEADER}\n\n\n\n\n\n\n\n\nx = 1\n");
    pair.commit("b.py", &head, &[]);
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit(
        "b.py",
        head.replace("x = 1", "x = torch.device(\"cuda:0\")"),
        &[],
    );
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("b.py", head.replace(HEADER, "import torch\n"), &[]);
    let before = pair.repo.git(&["rev-parse", "HEAD"]);
    let run = pair.repo.try_git(&["merge", "--no-edit", "side"]);
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("gpuguard: merge refused"), "{run}");
    assert!(run.stderr.contains("git merge --abort"), "{run}");
    assert_eq!(pair.repo.git(&["rev-parse", "HEAD"]), before);
    pair.repo.git(&["merge", "--abort"]);
    assert_eq!(pair.repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_clean_merge_blames_nobody_for_the_other_side() {
    let pair = guarded();
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.slip("side.py", bad());
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("main.py", good(), &[]);
    let run = pair.repo.try_git(&["merge", "--no-edit", "side"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("1 old finding"), "{run}");
}

#[test]
fn what_is_committed_unchecked_is_noted_and_nothing_else() {
    let pair = guarded();
    let noted = |run: &Run| run.stderr.contains("this commit was not judged");
    let folder = pair.repo.path().join(".git/gpuguard/unchecked");
    let count = || std::fs::read_dir(&folder).unwrap().count();
    for options in [&[][..], &["--amend"], &["--allow-empty"]] {
        let run = pair.commit("a.py", format!("{}# {options:?}\n", good()), options);
        assert!(!noted(&run), "{options:?}: {run}");
    }
    // A path of two, and everything by itself.
    pair.repo.write("b.py", good());
    pair.repo.write("c.py", good());
    pair.repo.git(&["add", "--all"]);
    for arguments in [&["commit", "-m", "b", "b.py"][..], &["commit", "-am", "c"]] {
        let run = pair.repo.try_git(arguments);
        assert!(run.code == 0 && !noted(&run), "{run}");
    }
    assert_eq!(count(), 0);
    assert!(noted(&pair.slip("d.py", good())));
    assert_eq!(count(), 1);
    // The message alone changes nothing about it.
    let run = pair.repo.try_git(&["commit", "--amend", "-m", "d"]);
    assert!(noted(&run), "{run}");
    // A rebase is noted, and does not talk about each commit.
    let run: Run = pair
        .repo
        .command(git())
        .args(["rebase", "--force-rebase", "HEAD~2"])
        .output()
        .unwrap()
        .into();
    assert!(run.code == 0 && !noted(&run), "{run}");
    assert_eq!(count(), 2);
    // So is one that was let by on purpose, without being told twice.
    pair.repo.write("e.py", good());
    pair.repo.git(&["add", "--all"]);
    let run: Run = pair
        .repo
        .command(git())
        .args(["commit", "-m", "e"])
        .env("GPUGUARD", "0")
        .output()
        .unwrap()
        .into();
    assert!(run.code == 0 && !noted(&run), "{run}");
    assert_eq!(count(), 3);
    let run = pair.assert_pushed(&[]);
    assert!(
        run.stderr.contains("were made without being judged"),
        "{run}"
    );
    assert_eq!(count(), 0, "they were judged now");
}

#[test]
fn a_hook_that_changes_what_was_judged_makes_it_unchecked() {
    let pair = guarded();
    install(&pair.repo, &["--shim"]);
    let hook = pair.repo.path().join(".git/hooks/pre-commit");
    let ours = std::fs::read_to_string(&hook).unwrap();
    let wrapped = ours.replace("exec \"$program\"", "\"$program\"")
        + "\necho '# more' >>a.py && git add a.py\n";
    write_hook(&hook, &wrapped);
    let run = pair.commit("a.py", good(), &[]);
    assert!(run.stderr.contains("this commit was not judged"), "{run}");
}

#[test]
fn quarantined_objects_are_read_and_no_ref_is_written() {
    let pair = guarded();
    pair.guard_server_only();
    // Enough that Git keeps a pack.
    for n in 0..120 {
        pair.repo
            .write(&format!("files/{n}.py"), format!("print({n})\n"));
    }
    pair.commit("a.py", bad(), &[]);
    let count = |pair: &Pair| pair.on_server(&["count-objects", "-v"]);
    let before = count(&pair);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5", "121 files scanned"]);
    assert_eq!(count(&pair), before, "refused objects stayed");
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
    assert!(!pair.server.join("gpuguard/backups").exists());
}

#[test]
fn uninstall_leaves_both_sides_as_they_were() {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    let foreign = "#!/bin/sh\ncat >\"$GIT_DIR/told\" 2>/dev/null || cat >.git/told\n";
    for hook in [
        repo.path().join(".git/hooks/pre-push"),
        server.join("hooks/pre-receive"),
    ] {
        write_hook(&hook, foreign);
    }
    let before = (tree(&repo.path().join(".git")), tree(&server));
    for path in [repo.path(), server.clone()] {
        let run = repo.gpuguard(&[
            "install",
            "--shim",
            "--hooks",
            "all",
            path.to_str().unwrap(),
        ]);
        assert_eq!(run.code, 0, "{run}");
        let run = repo.gpuguard(&["install", "--hooks", "all", path.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{run}");
    }
    for path in [repo.path(), server.clone()] {
        let run = repo.gpuguard(&["uninstall", path.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{run}");
    }
    assert_eq!((tree(&repo.path().join(".git")), tree(&server)), before);
}

#[test]
fn both_hooks_of_a_push_hear_what_git_says() {
    let pair = guarded();
    pair.guard_server_only();
    let pair_hooks = [
        pair.repo.path().join(".git/hooks/pre-push"),
        pair.server.join("hooks/pre-receive"),
    ];
    pair.repo
        .gpuguard(&["uninstall", pair.server.to_str().unwrap()]);
    for hook in &pair_hooks {
        write_hook(
            hook,
            &format!("#!/bin/sh\ncat >'{}.told'\n", hook.display()),
        );
    }
    install(&pair.repo, &["--shim"]);
    install(&pair.repo, &["--shim", pair.server.to_str().unwrap()]);
    pair.slip("a.py", bad());
    pair.assert_push_refused(&[], &["a.py:5"]);
    pair.assert_push_refused(&["--no-verify"], &["a.py:5"]);
    for hook in &pair_hooks {
        let told = std::fs::read_to_string(hook.with_extension("told")).unwrap();
        assert!(told.contains("refs/heads/main"), "{told}");
        assert!(told.ends_with('\n'));
    }
    // Either can refuse, and one need not listen.
    for hook in &pair_hooks {
        let previous = format!("{}.gpuguard-previous", hook.display());
        write_hook(
            Path::new(&previous),
            "#!/bin/sh\necho the other one refuses >&2\nexit 1\n",
        );
    }
    pair.commit("a.py", good(), &[]);
    pair.assert_push_refused(&[], &["the other one refuses"]);
    pair.assert_push_refused(&["--no-verify"], &["the other one refuses"]);
}

#[test]
fn the_events_can_be_chosen_and_stay_chosen() {
    let repo = TestRepo::with_policy();
    let wired = |repo: &TestRepo| -> Vec<String> {
        let run = repo.gpuguard(&["install", "--shim"]);
        assert_eq!(run.code, 0, "{run}");
        let events = [
            "pre-commit",
            "pre-merge-commit",
            "post-commit",
            "pre-push",
            "pre-receive",
        ];
        let is_wired = |event: &&str| repo.exists(&format!(".git/hooks/{event}"));
        events
            .into_iter()
            .filter(is_wired)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(wired(&repo), ["pre-commit", "pre-merge-commit"]);
    let run = repo.gpuguard(&["install", "--shim", "--hooks", "pre-commit,pre-push"]);
    assert!(run.stderr.contains("each commit and push"), "{run}");
    assert!(run.stderr.contains("pre-merge-commit: no longer"), "{run}");
    assert_eq!(wired(&repo), ["pre-commit", "pre-merge-commit", "pre-push"]);
    let run = repo.gpuguard(&["install", "--hooks", "post-teapot"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("pre-receive, or all"), "{run}");
}

fn write_hook(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every file below a folder, with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.clone(), Vec::new()));
            found.extend(tree(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}
