//! `rollback --continue`: a run that was killed is finished, and can be undone as if it had not
//! been.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests damage files on purpose")]

use super::rollback::{assert_tidy, busy_repo, rollback, rolled_back, state};
use super::rollback_refused::killed_at;
use super::rollback_since::{killed_before_the_index, new};

#[test]
fn a_rollback_killed_at_any_step_is_finished_or_given_up() {
    let mut stop = 0;
    loop {
        let repo = busy_repo();
        let before = state(&repo);
        if !killed_at(&repo, false, stop) {
            break;
        }
        // Killed once more while it is being finished.
        if stop % 2 == 1 {
            super::rollback_refused::killed_resuming_at(&repo, 2);
        }
        let run = rollback(&repo, &["--continue"]);
        assert_tidy(&repo);
        if run.code == 1 {
            assert!(run.stderr.contains("is given up"), "at {stop}: {run}");
            assert_eq!(state(&repo), before, "at {stop}");
            stop += 1;
            continue;
        }
        assert_eq!(run.code, 0, "at {stop}: {run}");
        for judge in [&["diff", "v1", "--"][..], &["diff", "--cached", "v1", "--"]] {
            assert_eq!(repo.git(judge), "", "at {stop}: {run}");
        }
        assert_eq!(repo.read("untracked.txt"), b"mine\n");
        rolled_back(&repo, &["--undo"]);
        assert_eq!(state(&repo), before, "at {stop}");
        stop += 1;
    }
    assert!(stop > 10, "only {stop} places to stop at");
}

#[test]
fn a_killed_restore_and_a_killed_undo_are_finished() {
    let repo = new();
    repo.write("a", "mine\n");
    repo.write("c", "mine\n");
    assert_eq!(repo.gpuguard(&["backup", "create", "a", "c"]).code, 0);
    repo.git(&["checkout", "-q", "--", "a", "c"]);
    let before = state(&repo);
    super::rollback_refused::killed_restoring_at(&repo, 3);
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("restore of `"), "{run}");
    assert_tidy(&repo);
    assert_eq!(
        (repo.read("a"), repo.read("c")),
        (b"mine\n".to_vec(), b"mine\n".to_vec())
    );
    assert!(killed_at(&repo, true, 3));
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 0, "{run}");
    assert_tidy(&repo);
    assert_eq!(state(&repo), before);
}

#[test]
fn edits_made_after_the_kill_are_kept_and_named() {
    let repo = killed_before_the_index(new, &["rollback", "v1", "--yes"]);
    repo.write("a", "precious\n");
    repo.write("n/new", "precious too\n");
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 0, "{run}");
    assert_tidy(&repo);
    assert_eq!(repo.read("a"), b"precious\n");
    assert_eq!(repo.read("n/new"), b"precious too\n");
    assert_eq!(repo.read("c"), b"1\n");
    for path in ["a", "n/new"] {
        assert!(
            run.stderr.contains(&format!("`{path}` was changed")),
            "{run}"
        );
    }
    assert_eq!(repo.git(&["diff", "--cached", "v1", "--"]), "");
}

#[test]
fn there_must_be_something_to_continue() {
    let repo = new();
    for arguments in [
        &["--continue"][..],
        &["--undo", "--continue"],
        &["v1", "--continue"],
    ] {
        let run = rollback(&repo, arguments);
        assert_eq!(run.code, 2, "{run}");
    }
    let run = rollback(&repo, &["--continue"]);
    assert!(
        run.stderr.contains("was interrupted in this working tree"),
        "{run}"
    );
}

#[test]
fn where_what_lay_ready_is_lost_only_the_undo_is_left() {
    let repo = new();
    let before = state(&repo);
    // After the snapshot, what was made ready, and one file.
    assert!(killed_at(&repo, false, 2));
    std::fs::remove_dir_all(repo.path().join(".git/gpuguard/rollback/scratch/tree")).unwrap();
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("cannot be finished"), "{run}");
    assert!(run.stderr.contains("--undo"), "{run}");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(state(&repo), before);
}

#[test]
fn what_was_staged_after_the_kill_is_not_thrown_away() {
    let repo = new();
    assert!(killed_at(&repo, false, 3));
    // Somebody has removed the lock by hand, and gone on.
    std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
    repo.write("later", "staged\n");
    repo.git(&["add", "later"]);
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("an index that nobody else has changed"),
        "{run}"
    );
    assert!(!repo.exists(".git/index.lock"));
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.git(&["ls-files", "later"]).contains("later"));

    // Without anything staged meanwhile the lock is taken again.
    let repo = new();
    assert!(killed_at(&repo, false, 3));
    std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
    rolled_back(&repo, &["--continue"]);
    assert_eq!(repo.git(&["diff", "--cached", "v1", "--"]), "");
}

#[test]
fn a_lock_of_another_program_is_left_alone() {
    let repo = new();
    assert!(killed_at(&repo, false, 3));
    repo.write(".git/index.lock", "another's");
    let run = rollback(&repo, &["--continue"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("another program is changing the index"),
        "{run}"
    );
    assert_eq!(repo.read(".git/index.lock"), b"another's");
    std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
    rolled_back(&repo, &["--continue"]);
}

#[test]
fn an_interrupted_run_names_both_ways_out() {
    let repo = new();
    assert!(killed_at(&repo, false, 3));
    let run = rollback(&repo, &["v1", "--yes"]);
    assert!(
        run.stderr.contains("--undo") && run.stderr.contains("--continue"),
        "{run}"
    );
}
