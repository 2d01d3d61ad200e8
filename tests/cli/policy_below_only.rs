//! A repository that has policies only in folders below its root: what lies in them is judged, all
//! else is not, and that is said.

use crate::support::{Run, TestRepo};

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");
const BAD: &str = "import torch\nd = torch.device(\"cuda:1\")\n";
const GOOD: &str = "print(1)\n";
const SAID: &str = "there is no gpuguard.toml at the root";

/// A repository with the founding rig's policy in `train/` alone.
fn below_only() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("train/gpuguard.toml", RIG);
    repo.commit_all("policy");
    repo
}

fn judge(repo: &TestRepo) -> Run {
    repo.git(&["add", "--all"]);
    repo.gpuguard(&["hook", "run", "pre-commit"])
}

#[test]
fn the_hook_judges_by_the_nearest_policy_and_says_what_it_does_not_judge() {
    let repo = below_only();
    repo.write("other/a.py", BAD);
    let run = judge(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stderr.matches(SAID).count(), 1, "{run}");
    assert!(!run.stderr.contains("a.py"), "not named one by one: {run}");
    repo.write("train/deep/b.py", BAD);
    repo.write("train/c.py", GOOD);
    let run = judge(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("train/deep/b.py:2"), "{run}");
    assert!(run.stderr.contains("2 files scanned"), "{run}");
    assert!(run.stderr.contains(SAID), "{run}");
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_eq!(run.code, 1, "{run}");

    // Where there is none at all, nothing passes.
    let none = TestRepo::new();
    none.write("a.py", GOOD);
    let run = judge(&none);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("no policy"), "{run}");
}

#[test]
fn removing_the_only_policy_is_judged_by_it_and_named() {
    let repo = below_only();
    repo.git(&["rm", "--quiet", "train/gpuguard.toml"]);
    repo.write("train/b.py", BAD);
    let run = judge(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("train/b.py:2"), "{run}");
    repo.write("train/b.py", GOOD);
    let run = judge(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.contains("`train/gpuguard.toml` is removed"),
        "{run}"
    );
}

#[test]
fn a_policy_below_that_is_weakened_is_named() {
    let repo = below_only();
    repo.write(
        "train/gpuguard.toml",
        RIG.replace("[rules]", "[rules]\nGG006 = \"off\""),
    );
    let run = judge(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("policy weakened: "), "{run}");
    assert!(run.stderr.contains("below `train/`"), "{run}");
    // A first policy at the root weakens nothing.
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.write("gpuguard.toml", RIG);
    let run = judge(&repo);
    assert!(!run.stderr.contains("weakened"), "{run}");
    assert!(!run.stderr.contains(SAID), "{run}");
}

#[test]
fn the_doctor_says_so_and_finds_nothing_wrong_in_it() {
    let repo = below_only();
    repo.gpuguard(&["install", "--shim"]);
    let run = repo.gpuguard(&["doctor", "hook"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains(SAID), "{run}");
    assert!(
        run.stdout
            .contains("policy below the root: train/gpuguard.toml"),
        "{run}"
    );
}
