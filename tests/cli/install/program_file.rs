//! The program itself as the hook, by the name of its file: what Git for Windows starts without
//! its `sh`, and what this Git starts as well.

use std::fs;

use crate::support::{Run, TestRepo, program};

const BAD: &str = "import torch\ntorch.device(\"cuda:1\")\n";

/// Puts the program in the hooks folder, under the event's name.
fn wire(repo: &TestRepo, event: &str) {
    let folder = repo.path().join(".git/hooks");
    fs::create_dir_all(&folder).unwrap();
    let hook = folder.join(event);
    // A link where it can be: the program is large.
    fs::hard_link(program(), &hook)
        .or_else(|_| fs::copy(program(), &hook).map(drop))
        .unwrap();
}

#[test]
fn as_pre_commit_it_judges_what_is_staged() {
    let repo = TestRepo::with_policy();
    wire(&repo, "pre-commit");
    repo.write("bad.py", BAD);
    repo.git(&["add", "bad.py"]);
    let run = repo.try_git(&["commit", "-m", "bad"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("bad.py:2:"), "{run}");
    repo.write("bad.py", "x = 1\n");
    repo.git(&["add", "bad.py"]);
    let run = repo.try_git(&["commit", "-m", "good"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("1 file scanned"), "{run}");
    assert!(run.stderr.contains("saved as"), "{run}");
}

#[test]
fn as_pre_push_it_reads_the_branches_that_git_tells() {
    let repo = TestRepo::with_policy();
    let server = repo.beside("server.git");
    repo.git(&["init", "--quiet", "--bare", server.to_str().unwrap()]);
    repo.git(&["remote", "add", "o", server.to_str().unwrap()]);
    repo.git(&["push", "--quiet", "o", "main"]);
    wire(&repo, "pre-push");
    repo.write("bad.py", BAD);
    repo.commit_all("bad");
    let run = repo.try_git(&["push", "o", "main"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("push of main refused"), "{run}");
}

#[test]
fn what_it_starts_of_itself_is_no_hook() {
    let repo = TestRepo::with_policy();
    wire(&repo, "pre-commit");
    let hook = repo.path().join(".git/hooks/pre-commit");
    let run: Run = repo
        .command(&hook)
        .args(["__probe", "--end-after", "5000", "inventory"])
        .output()
        .unwrap()
        .into();
    assert!(!run.stderr.contains("scanned"), "{run}");
    assert!(!run.stderr.contains("nothing"), "{run}");
}
