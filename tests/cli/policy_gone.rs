//! Going back to a commit without a policy, and what is said once there is none.

use super::rollback::rolled_back;
use crate::support::TestRepo;

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");
const WITHOUT: &str = "that commit has no gpuguard.toml: going back takes the policy out";

#[test]
fn a_tag_on_a_commit_without_the_policy_says_so() {
    let repo = TestRepo::new();
    repo.write("t.py", "print(1)\n");
    repo.commit_all("code");
    let run = repo.gpuguard(&["init", "--preset", "rtx3090", "--tag", "before"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains(WITHOUT), "{run}");
    assert!(
        run.stderr.contains("`git tag --annotate --force before`"),
        "{run}"
    );
    repo.commit_all("policy");
    let run = repo.gpuguard(&["init", "--tag", "with"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!run.stderr.contains(WITHOUT), "{run}");
}

#[test]
fn a_plan_that_takes_the_policy_out_says_so() {
    let repo = TestRepo::new();
    repo.write("t.py", "print(1)\n");
    repo.commit_all("code");
    repo.git(&["tag", "before"]);
    repo.write("gpuguard.toml", RIG);
    repo.write("t.py", "print(2)\n");
    repo.commit_all("policy");
    let run = rolled_back(&repo, &["before", "--dry-run"]);
    assert!(run.stdout.contains("this takes the policy out"), "{run}");
    let run = rolled_back(&repo, &["before", "t.py", "--dry-run"]);
    assert!(!run.stdout.contains("takes the policy out"), "{run}");
}

#[test]
fn where_there_was_a_policy_the_way_back_is_named_first() {
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", RIG);
    repo.commit_all("policy");
    let edited = RIG.replace("exclude = []", "exclude = [\"old/\"]");
    repo.write("gpuguard.toml", &edited);
    repo.commit_all("edited");
    repo.git(&["rm", "-q", "gpuguard.toml"]);
    repo.git(&["commit", "-q", "-m", "gone"]);
    repo.write("t.py", "print(1)\n");
    repo.git(&["add", "t.py"]);
    for arguments in [&["hook", "run", "pre-commit"][..], &["scan", "t.py"]] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 2, "{run}");
        let hints: Vec<&str> = run.stderr.lines().filter(|l| l.contains("hint:")).collect();
        let first = hints.first().unwrap();
        assert!(first.contains("brings back the last one"), "{run}");
        let command = first.split('`').nth(1).unwrap();
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        repo.git(&words);
        assert_eq!(repo.read("gpuguard.toml"), edited.as_bytes());
        repo.git(&["rm", "-q", "--force", "gpuguard.toml"]);
    }
    // Where there never was one, there is no such way.
    let new = TestRepo::new();
    new.write("t.py", "print(1)\n");
    let run = new.gpuguard(&["scan", "t.py"]);
    assert!(!run.stderr.contains("brings back"), "{run}");
}
