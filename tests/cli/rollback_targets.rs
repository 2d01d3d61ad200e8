//! What a rollback can go back to beside a tag: branches, commits, backups.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use super::rollback::{rollback, rolled_back, state};
use crate::support::TestRepo;

/// Two commits on `main`, the first also on the branch `old`; no tag.
fn two_commits() -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "1\n");
    repo.write("gone.py", "1\n");
    repo.commit_all("one");
    repo.git(&["branch", "old"]);
    repo.write("a.py", "2\n");
    repo.git(&["rm", "-q", "gone.py"]);
    repo.write("new.py", "2\n");
    repo.commit_all("two");
    repo
}

/// The id of the newest backup.
fn newest(repo: &TestRepo) -> String {
    let run = repo.gpuguard(&["backup", "list", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    json["backups"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn branches_and_commits_are_gone_back_to_like_tags() {
    let repo = two_commits();
    let hash = repo.git(&["rev-parse", "old"]).trim().to_owned();
    repo.git(&["update-ref", "refs/remotes/origin/far", "old"]);
    let before = state(&repo);
    let head = repo.git(&["rev-parse", "HEAD"]);
    for (target, shown) in [
        ("old", "back to the branch `old`"),
        ("origin/far", "back to the branch `origin/far`"),
        ("HEAD~1", "back to `HEAD~1`"),
        (&hash[..], "back to `"),
        (&hash[..8], "back to `"),
        ("refs/heads/old", "back to `refs/heads/old`"),
    ] {
        let run = rolled_back(&repo, &[target, "--yes"]);
        assert!(run.stdout.contains(shown), "{target}: {run}");
        assert!(run.stdout.contains(&hash), "{target}: {run}");
        assert_eq!(repo.git(&["diff", "--cached", "old"]), "", "{target}");
        assert_eq!(repo.git(&["diff", "old"]), "", "{target}");
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), head, "{target}");
        rolled_back(&repo, &["--undo"]);
        assert_eq!(state(&repo), before, "{target}");
    }
    // A tag of the name comes first, and is called one.
    repo.git(&["tag", "old"]);
    let run = rollback(&repo, &["old", "--dry-run"]);
    assert!(run.stderr.contains("nothing to do"), "{run}");
}

#[test]
fn what_is_no_name_of_anything_is_refused_with_a_similar_one() {
    let repo = two_commits();
    for (target, hint) in [("odl", "did you mean `old`?"), ("zzz", "backup list")] {
        let run = rollback(&repo, &[target, "--yes"]);
        assert_eq!(run.code, 2, "{run}");
        let error = format!("there is no tag, branch or commit `{target}`");
        assert!(run.stderr.contains(&error), "{run}");
        assert!(run.stderr.contains(hint), "{run}");
    }
    for target in ["20261123T1", "latest"] {
        let run = rollback(&repo, &[target, "--yes"]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("backup"), "{run}");
    }
}

#[test]
fn files_and_index_become_what_the_hook_saved() {
    let repo = two_commits();
    repo.write("a.py", "staged\n");
    repo.write("both.py", "staged\n");
    repo.git(&["add", "a.py", "both.py"]);
    repo.git(&["rm", "-q", "--cached", "new.py"]);
    repo.write("both.py", "staged, and edited\n");
    std::fs::remove_file(repo.path().join("new.py")).unwrap();
    let saved = repo.git(&["ls-files", "-s", "-z"]);
    assert_eq!(repo.gpuguard(&["hook", "run", "pre-commit"]).code, 0);
    let id = newest(&repo);

    repo.commit_all("three");
    repo.write("a.py", "later\n");
    repo.write("new.py", "later\n");
    repo.write("both.py", "later\n");
    repo.write("other.py", "not in the backup\n");
    repo.git(&["add", "a.py", "new.py", "other.py"]);
    let before = state(&repo);

    let run = rollback(&repo, &[&id, "--dry-run"]);
    assert!(
        run.stdout
            .contains(&format!("what the backup `{id}` holds")),
        "{run}"
    );
    for line in [
        "restore            a.py",
        "remove             new.py",
        "restore            both.py",
    ] {
        assert!(run.stdout.contains(line), "{line}: {run}");
    }
    assert!(!run.stdout.contains("other.py"), "{run}");
    assert_eq!(state(&repo), before);

    rolled_back(&repo, &[&id[..20], "--yes"]);
    assert_eq!(repo.read("a.py"), b"staged\n");
    assert_eq!(repo.read("both.py"), b"staged, and edited\n");
    assert!(!repo.exists("new.py"));
    assert_eq!(repo.read("other.py"), b"not in the backup\n");
    let index = repo.git(&["ls-files", "-s", "-z"]);
    let entries = |index: &str| -> Vec<String> {
        let entries = index
            .split('\0')
            .filter(|entry| !entry.contains("other.py"));
        entries.map(str::to_owned).collect()
    };
    assert_eq!(entries(&index), entries(&saved));
    assert!(
        index.contains("other.py"),
        "what was staged beside it stays"
    );
    rolled_back(&repo, &["--undo"]);
    assert_eq!(state(&repo), before);
}

#[test]
fn a_backup_of_the_working_tree_leaves_the_index_alone() {
    let repo = two_commits();
    repo.write("a.py", "mine\n");
    repo.write("loose.py", "mine\n");
    assert_eq!(
        repo.gpuguard(&["backup", "create", "a.py", "loose.py"])
            .code,
        0
    );
    repo.write("a.py", "other\n");
    repo.git(&["add", "a.py"]);
    std::fs::remove_file(repo.path().join("loose.py")).unwrap();
    let index = repo.git(&["ls-files", "-s"]);
    let run = rolled_back(&repo, &["latest", "a.py", "--yes"]);
    assert!(
        run.stderr.contains("all that was asked for is as in"),
        "{run}"
    );
    assert_eq!(repo.read("a.py"), b"mine\n");
    assert!(!repo.exists("loose.py"));
    let run = rolled_back(&repo, &["latest", "--yes"]);
    assert!(run.stdout.contains("recreate           loose.py"), "{run}");
    assert!(!run.stdout.contains("a.py\n  "), "{run}");
    assert_eq!(repo.git(&["ls-files", "-s"]), index);
    let run = rollback(&repo, &["latest", "--yes"]);
    assert!(run.stderr.contains("nothing to do"), "{run}");
    let run = rollback(&repo, &["latest", "nowhere.py", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("does not hold `nowhere.py`"), "{run}");
}

#[test]
fn only_the_index_is_changed_where_only_the_index_differs() {
    let repo = two_commits();
    repo.write("a.py", "staged\n");
    repo.git(&["add", "a.py"]);
    assert_eq!(repo.gpuguard(&["hook", "run", "pre-commit"]).code, 0);
    repo.git(&["reset", "-q"]);
    let run = rolled_back(&repo, &["latest", "--yes"]);
    assert!(run.stdout.contains("stage              a.py"), "{run}");
    assert_eq!(repo.git(&["diff", "--cached", "--name-only"]), "a.py\n");
    assert_eq!(repo.git(&["diff", "--name-only"]), "");
}

#[test]
fn what_a_rollback_had_replaced_can_be_gone_back_to_by_its_id() {
    let repo = two_commits();
    repo.write("a.py", "staged\n");
    repo.git(&["add", "a.py"]);
    repo.write("a.py", "edited\n");
    let before = state(&repo);
    rolled_back(&repo, &["old", "--yes"]);
    let id = newest(&repo);
    repo.write("a.py", "something else\n");
    rolled_back(&repo, &[&id, "--yes"]);
    assert_eq!(state(&repo), before);
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let repo = two_commits();
    repo.write("a.py", "mine\n");
    assert_eq!(repo.gpuguard(&["backup", "create", "a.py"]).code, 0);
    let id = newest(&repo);
    let archive = repo.path().join(format!(".git/gpuguard/backups/{id}.zip"));
    let mut bytes = std::fs::read(&archive).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    repo.write("a.py", "other\n");
    let run = rollback(&repo, &[&id, "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("is damaged"), "{run}");
    assert_eq!(repo.read("a.py"), b"other\n");
}

#[test]
fn the_plan_names_what_is_in_no_other_place() {
    let repo = two_commits();
    repo.write("a.py", "edited\n");
    repo.write("new.py", "staged\n");
    repo.git(&["add", "new.py"]);
    let run = rollback(&repo, &["old", "--dry-run"]);
    assert!(
        run.stdout
            .contains("a.py (with edits that are not staged)\n"),
        "{run}"
    );
    assert!(run.stdout.contains("new.py\n"), "{run}");
    assert!(run.stdout.contains("gone.py\n"), "{run}");
    assert!(run.stdout.contains("saved as a backup first"), "{run}");
}
