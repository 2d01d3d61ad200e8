//! `gpuguard hook run framework`: what pre-commit and prek call, with the variables they set.

use crate::support::{Run, TestRepo, program};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

fn run(repo: &TestRepo, variables: &[(&str, &str)]) -> Run {
    repo.command(program())
        .args(["hook", "run", "framework"])
        .env("PRE_COMMIT", "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
        .into()
}

/// A remote with the policy, known by its remote-tracking branch.
fn pushed() -> TestRepo {
    let repo = TestRepo::with_policy();
    let server = repo.beside("server.git");
    let path = server.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    repo.git(&["remote", "add", "origin", path]);
    repo.git(&["push", "--quiet", "origin", "main"]);
    repo
}

#[test]
fn what_is_staged_is_judged_as_before_a_commit() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    repo.write("a.py", "print(1)\n");
    let run_it = run(&repo, &[]);
    assert_eq!(run_it.code, 1, "{run_it}");
    assert!(
        run_it.stderr.starts_with("gpuguard: commit refused"),
        "{run_it}"
    );
    let skipped = run(&repo, &[("SKIP", "gpuguard")]);
    assert_eq!(skipped.code, 0, "{skipped}");
    assert!(
        skipped.stderr.contains("skipped: SKIP=gpuguard"),
        "{skipped}"
    );
}

#[test]
fn where_nothing_is_staged_all_files_are_judged() {
    let repo = TestRepo::with_policy();
    repo.write("old.py", bad());
    repo.commit_all("old");
    // A commit without files, such as a new message, brings nothing to judge.
    let commit = run(&repo, &[("GIT_INDEX_FILE", ".git/index")]);
    assert_eq!(commit.code, 0, "{commit}");
    let found = run(&repo, &[]);
    assert_eq!(found.code, 1, "{found}");
    assert!(found.stderr.contains("old.py:5:23"), "{found}");
    let verdict = "gpuguard: run over all files refused: 1 new problem in 1 file\n";
    assert!(found.stderr.starts_with(verdict), "{found}");
    repo.write("old.py", HEADER);
    repo.commit_all("mended");
    let fine = run(&repo, &[]);
    assert_eq!(fine.code, 0, "{fine}");
    assert!(
        fine.stderr
            .starts_with("gpuguard: all files: passed: 1 file scanned"),
        "{fine}"
    );
}

#[test]
fn a_push_is_judged_by_its_variables() {
    let repo = pushed();
    let from = repo.git(&["rev-parse", "HEAD"]);
    let address = repo.git(&["config", "remote.origin.url"]);
    repo.write("a.py", bad());
    repo.commit_all("bad");
    let to = repo.git(&["rev-parse", "HEAD"]);
    let remote = [
        ("PRE_COMMIT_REMOTE_NAME", "origin"),
        ("PRE_COMMIT_REMOTE_URL", address.trim()),
        ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"),
        ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main"),
    ];
    let range = [
        ("PRE_COMMIT_FROM_REF", from.trim()),
        ("PRE_COMMIT_TO_REF", to.trim()),
    ];
    let found = run(&repo, &[&remote[..], &range].concat());
    assert_eq!(found.code, 1, "{found}");
    assert!(found.stderr.contains("push of main refused"), "{found}");
    // A range alone, as in CI.
    let found = run(&repo, &range);
    assert_eq!(found.code, 1, "{found}");
    assert!(found.stderr.contains("a.py:5:23"), "{found}");
    assert!(!found.stderr.contains("push"), "nobody pushes: {found}");
    let verdict = format!("gpuguard: {}..{} refused", &from[..12], &to[..12]);
    assert!(found.stderr.starts_with(&verdict), "{found}");
    // All of a branch without a known start.
    let found = run(&repo, &remote);
    assert_eq!(found.code, 1, "{found}");
    // What the remote has is not new on another branch.
    repo.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
    let new = [
        &remote[..3],
        &[("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/new")],
        &range,
    ]
    .concat();
    let fine = run(&repo, &new);
    assert_eq!(fine.code, 0, "{fine}");
    let lost = run(
        &repo,
        &[
            ("PRE_COMMIT_FROM_REF", "nowhere"),
            ("PRE_COMMIT_TO_REF", "HEAD"),
        ],
    );
    assert_eq!(lost.code, 2, "{lost}");
    assert!(lost.stderr.contains("no commit `nowhere`"), "{lost}");
}
