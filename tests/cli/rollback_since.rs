//! What happens between a rollback, finished or killed, and its undo is not lost.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use super::rollback::{assert_tidy, rollback, rolled_back, state};
use crate::support::{Run, TestRepo};

/// Two commits; the first has the tag `v1`.
pub(super) fn new() -> TestRepo {
    let repo = TestRepo::new();
    for path in ["a", "c", "d/b"] {
        repo.write(path, "1\n");
    }
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    for path in ["a", "c", "d/b", "n/new"] {
        repo.write(path, "2\n");
    }
    repo.commit_all("two");
    repo
}

/// A rollback that is killed with signal 9 from inside `git`, at its call number `at`.
fn killed_at_git_call(repo: &TestRepo, arguments: &[&str], at: usize) -> Run {
    use std::os::unix::fs::PermissionsExt;
    let folder = repo.beside("wrapper");
    let calls = folder.join("calls");
    let _ = std::fs::remove_dir_all(&calls);
    std::fs::create_dir_all(&calls).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let git = crate::support::git();
    let git = std::env::split_paths(&path)
        .map(|folder| folder.join(&git))
        .find(|file| file.is_file())
        .unwrap();
    // Folders count: several calls may run at a time. Only calls of gpuguard's own are counted.
    let script = format!(
        "#!/bin/sh\nn=1\nwhile ! mkdir \"{0}/$n\" 2>/dev/null; do n=$((n+1)); done\n\
         if [ $n = {at} ]; then kill -9 $PPID; exit 1; fi\nexec \"{1}\" \"$@\"\n",
        calls.display(),
        git.display()
    );
    let wrapper = folder.join("git");
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut all = vec![folder];
    all.extend(std::env::split_paths(&path));
    repo.command(crate::support::program())
        .args(arguments)
        .env("PATH", std::env::join_paths(all).unwrap())
        .output()
        .unwrap()
        .into()
}

/// A rollback that is killed once all its files are in their places, the index not yet.
pub(super) fn killed_before_the_index(make: fn() -> TestRepo, arguments: &[&str]) -> TestRepo {
    let calls = |repo: &TestRepo| {
        let calls = repo.beside("wrapper").join("calls");
        std::fs::read_dir(calls).unwrap().count()
    };
    let whole = make();
    assert_eq!(killed_at_git_call(&whole, arguments, 0).code, 0);
    let mut at = calls(&whole) + 1;
    loop {
        let repo = make();
        // Files as new as the index cost one call more, to see whether they are changed.
        let run = killed_at_git_call(&repo, arguments, at);
        if run.code == 0 {
            at -= 1;
            continue;
        }
        assert_eq!(run.code, -1, "{run}");
        if repo.read("a") == b"1\n" && repo.exists(".git/index.lock") {
            return repo;
        }
        at -= 1;
    }
}

#[test]
fn what_was_committed_since_stays_committed() {
    let repo = new();
    let before = repo.git(&["ls-files", "-s"]);
    rolled_back(&repo, &["v1", "--yes"]);
    repo.git(&["commit", "-qm", "back"]);
    repo.write("z.py", "x\n");
    repo.git(&["add", "z.py"]);
    repo.git(&["commit", "-qm", "z"]);
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.read("a"), b"2\n");
    let index = repo.git(&["ls-files", "-s"]);
    assert!(index.contains("z.py"), "{index}");
    for line in before.lines() {
        assert!(index.contains(line), "{line}: {index}");
    }
    assert_eq!(repo.git(&["diff-files", "--name-only"]), "");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_was_staged_since_on_other_paths_stays_staged() {
    let repo = new();
    rolled_back(&repo, &["v1", "a", "--yes"]);
    repo.write("c", "staged\n");
    repo.git(&["add", "c"]);
    repo.write("c", "worktree\n");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.git(&["show", ":c"]), "staged\n");
    assert_eq!(repo.read("c"), b"worktree\n");
    assert_eq!(repo.git(&["show", ":a"]), "2\n");
}

#[test]
fn a_staged_blob_that_git_has_thrown_away_comes_back_with_its_entry() {
    let repo = new();
    repo.write("a", "only staged\n");
    repo.git(&["add", "a"]);
    repo.write("a", "working tree\n");
    let before = state(&repo);
    rolled_back(&repo, &["v1", "--yes"]);
    repo.git(&["reset", "-q", "--hard"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    rolled_back(&repo, &["--undo", "--yes"]);
    assert_eq!(repo.git(&["show", ":a"]), "only staged\n");
    assert_eq!(state(&repo), before);
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn after_looking_around_the_saved_index_still_comes_back_as_it_was() {
    let repo = new();
    repo.write("later", "");
    repo.git(&["add", "--intent-to-add", "later"]);
    let index = repo.read(".git/index");
    rolled_back(&repo, &["v1", "--yes"]);
    // Lets the index learn new times.
    repo.try_git(&["update-index", "--really-refresh"]);
    repo.git(&["status"]);
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.read(".git/index"), index);
}

#[test]
fn the_way_back_is_told_once_there_is_one() {
    let repo = new();
    let run = rolled_back(&repo, &["v1", "a", "--yes"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let saved = lines.iter().find(|line| line.contains("saved as"));
    assert!(saved.is_some_and(|line| !line.contains("--undo")), "{run}");
    assert!(lines.last().unwrap().contains("--undo"), "{run}");
}

#[test]
fn edits_made_after_a_kill_are_kept_and_named() {
    let repo = killed_before_the_index(new, &["rollback", "v1", "--yes"]);
    repo.write("a", "precious\n");
    repo.write("n/new", "precious too\n");
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_tidy(&repo);
    assert_eq!(repo.read("a"), b"precious\n");
    assert_eq!(repo.read("c"), b"2\n");
    assert_eq!(repo.read("d/b"), b"2\n");
    assert_eq!(repo.read("n/new"), b"precious too\n");
    let snapshots = repo.gpuguard(&["backup", "list"]);
    for path in ["a", "n/new"] {
        let line = run
            .stderr
            .lines()
            .find(|line| line.contains(&format!("`{path}`")));
        let line = line.unwrap_or_else(|| panic!("{path} is not named: {run}"));
        let id = line.rsplit('`').nth(1).unwrap();
        assert!(snapshots.stdout.contains(id), "{id}: {snapshots}");
    }
    assert_eq!(repo.git(&["diff", "--cached", "--name-only"]), "");
}

#[test]
fn a_file_made_after_a_kill_where_a_folder_was_is_kept_with_what_it_hides_named() {
    let repo = killed_before_the_index(new, &["rollback", "v1", "--yes"]);
    std::fs::remove_dir_all(repo.path().join("d")).unwrap();
    repo.write("d", "precious\n");
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_tidy(&repo);
    assert_eq!(repo.read("d"), b"precious\n");
    assert_eq!(repo.read("a"), b"2\n");
    assert!(run.stderr.contains("`d/b`"), "{run}");
}

#[test]
fn a_split_index_is_kept_whole_and_its_shared_part_is_left_to_git() {
    for expiry in ["now", "2.weeks.ago"] {
        let repo = new();
        repo.git(&["config", "splitIndex.sharedIndexExpire", "never"]);
        repo.git(&["update-index", "--split-index"]);
        repo.write("a", "staged\n");
        repo.git(&["add", "a"]);
        repo.git(&["config", "splitIndex.sharedIndexExpire", expiry]);
        repo.git(&["config", "core.splitIndex", "true"]);
        let before = state(&repo);
        rolled_back(&repo, &["v1", "--yes"]);
        assert_eq!(repo.git(&["diff", "--cached", "v1"]), "", "{expiry}");
        for name in std::fs::read_dir(repo.path().join(".git")).unwrap() {
            let name = name.unwrap();
            if name
                .file_name()
                .to_string_lossy()
                .starts_with("sharedindex.")
            {
                std::fs::remove_file(name.path()).unwrap();
            }
        }
        rolled_back(&repo, &["--undo"]);
        assert_eq!(state(&repo), before, "{expiry}");
        repo.git(&["fsck", "--strict"]);
    }
}

/// With `strace`, where the machine has it: killed or failing at each write, link and rename.
#[cfg(target_os = "linux")]
#[test]
fn no_lock_of_ours_outlives_a_recovery() {
    let strace = |repo: &TestRepo, calls: &str, what: &str, at: usize| -> Option<Run> {
        let run = repo
            .command("strace")
            .args(["-f", "-b", "execve", "-o", "/dev/null", "-e"])
            .arg(format!("trace={calls}"))
            .args(["-e", &format!("inject={calls}:{what}:when={at}")])
            .arg(crate::support::program())
            .args(["rollback", "v1", "--yes"])
            .output()
            .ok()?;
        Some(run.into())
    };
    if strace(&new(), "write", "delay_exit=0", 1).is_none_or(|run| run.code != 0) {
        return;
    }
    let mut went_back = 0;
    for (calls, what) in [
        ("write", "signal=KILL"),
        ("write", "error=ENOSPC"),
        ("link,linkat", "signal=KILL"),
        ("rename,renameat,renameat2", "signal=KILL"),
        ("rename,renameat,renameat2", "error=EIO"),
    ] {
        for at in 1..20 {
            let repo = new();
            let before = state(&repo);
            let Some(run) = strace(&repo, calls, what, at) else {
                return;
            };
            if run.code == 0 {
                break;
            }
            let place = format!("{calls} {what} {at}");
            if run.stderr.contains("every file is as it was before") {
                // There is no run to undo but an older one.
                assert!(run.stderr.contains("` is kept"), "{place}: {run}");
                assert!(!run.stderr.contains("--undo"), "{place}: {run}");
                assert_eq!(state(&repo), before, "{place}: {run}");
                went_back += 1;
            }
            rollback(&repo, &["--undo"]);
            assert!(!repo.exists(".git/index.lock"), "{place}: {run}");
            assert_eq!(state(&repo), before, "{place}: {run}");
            repo.git(&["add", "a"]);
        }
    }
    assert!(went_back > 1, "only {went_back} went back by themselves");
}

#[test]
fn killed_at_any_call_of_git_it_is_brought_back() {
    let mut at = 1;
    let mut recovered = 0;
    loop {
        let repo = new();
        repo.write("a", "staged\n");
        repo.git(&["add", "a"]);
        repo.write("c", "edited\n");
        let before = state(&repo);
        let run = killed_at_git_call(&repo, &["rollback", "v1", "--yes"], at);
        if run.code == 0 {
            break;
        }
        assert_eq!(run.code, -1, "at {at}: {run}");
        let run = rollback(&repo, &["--undo"]);
        recovered += i32::from(run.code == 0);
        assert_tidy(&repo);
        assert_eq!(state(&repo), before, "at {at}: {run}");
        repo.git(&["add", "c"]);
        at += 1;
    }
    assert!(
        recovered > 3,
        "only {recovered} kills left something to recover"
    );
}

#[test]
fn a_lost_snapshot_or_journal_is_no_dead_end() {
    let journal = ".git/gpuguard/rollback/journal.json";
    let go_on = |repo: &TestRepo, run: &Run| {
        assert_eq!(run.code, 2, "{run}");
        assert!(
            run.stderr
                .contains(&*repo.path().join(journal).to_string_lossy()),
            "{run}"
        );
        std::fs::rename(repo.path().join(journal), repo.beside("aside")).unwrap();
        let _ = std::fs::remove_file(repo.path().join(".git/index.lock"));
        rolled_back(repo, &["v1", "--yes"]);
    };
    let repo = killed_before_the_index(new, &["rollback", "v1", "--yes"]);
    let text = String::from_utf8(repo.read(journal)).unwrap();
    let id = text.split("\"snapshot\": \"").nth(1).unwrap();
    let id = &id[..id.find('"').unwrap()];
    repo.write(journal, &text[..text.len() - 2]);
    let run = rollback(&repo, &["--undo"]);
    assert!(run.stderr.contains(id), "{run}");
    assert!(run.stderr.contains("index.lock"), "{run}");
    go_on(&repo, &run);

    let repo = killed_before_the_index(new, &["rollback", "v1", "--yes"]);
    let text = String::from_utf8(repo.read(journal)).unwrap();
    let id = text.split("\"snapshot\": \"").nth(1).unwrap();
    let zip = format!(".git/gpuguard/backups/{}.zip", &id[..id.find('"').unwrap()]);
    std::fs::remove_file(repo.path().join(&zip)).unwrap();
    let run = rollback(&repo, &["--undo"]);
    assert!(run.stderr.contains(&zip), "{run}");
    go_on(&repo, &run);
}

#[test]
fn a_run_that_cannot_be_noted_says_so_and_can_be_taken_back() {
    let repo = new();
    let before = state(&repo);
    let record = repo.path().join(".git/gpuguard/rollback/operations.jsonl");
    std::fs::create_dir_all(&record).unwrap();
    let run = rollback(&repo, &["v1", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(!run.stderr.contains("nothing was changed"), "{run}");
    assert!(run.stderr.contains("every file is in its place"), "{run}");
    assert_eq!(repo.read("a"), b"1\n");
    std::fs::remove_dir(&record).unwrap();
    rolled_back(&repo, &["--undo"]);
    assert_eq!(state(&repo), before);
}
