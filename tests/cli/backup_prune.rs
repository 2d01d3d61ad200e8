//! `gpuguard backup prune`: what goes, what stays, and why.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;

use gpuguard::backup::{BackupError, BackupId, Effort, Pruning, Store};
use gpuguard::git::Repository;
use gpuguard::policy::Retention;
use gpuguard::sys::clock;

use super::backup::{archive, backup, created};
use crate::support::{Run, TestRepo};

fn prune(repo: &TestRepo, arguments: &[&str]) -> Run {
    let mut all = vec!["prune"];
    all.extend(arguments);
    backup(repo, &all)
}

fn listed(repo: &TestRepo) -> Vec<String> {
    let run = backup(repo, &["list", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    json["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backup| backup["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A repository with so many backups of content that Git has; their ids, oldest first.
fn with_backups(count: usize) -> (TestRepo, Vec<String>) {
    let repo = TestRepo::new();
    let mut ids = Vec::new();
    for number in 0..count {
        repo.write("a.py", format!("{number}\n"));
        repo.commit_all("next");
        ids.push(created(&repo, &["a.py"]));
    }
    (repo, ids)
}

/// The files in the store besides archives and sums.
fn others(repo: &TestRepo) -> Vec<String> {
    let folder = std::fs::read_dir(repo.path().join(".git/gpuguard/backups")).unwrap();
    folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["zip", "sha256"].contains(&name.rsplit('.').next().unwrap()))
        .collect()
}

#[test]
fn what_no_rule_keeps_goes_with_its_sum_and_every_backup_has_a_reason() {
    let (repo, ids) = with_backups(4);
    let run = prune(&repo, &["--keep-last", "2", "--dry-run"]);
    assert_eq!(run.code, 0, "{run}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{run}");
    assert!(
        lines[0].starts_with(&format!("keep    {}", ids[3])),
        "{run}"
    );
    assert!(
        lines[0].ends_with("the newest, keep-last: number 1"),
        "{run}"
    );
    assert!(lines[1].ends_with("keep-last: number 2"), "{run}");
    assert!(
        lines[2].starts_with(&format!("remove  {}", ids[1])),
        "{run}"
    );
    assert!(lines[2].ends_with("no rule keeps it"), "{run}");
    assert!(run.stderr.contains("2 would be kept, 2 removed"), "{run}");
    assert_eq!(listed(&repo).len(), 4, "nothing was removed");
    let run = prune(&repo, &["--keep-last", "2"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("2 kept, 2 removed"), "{run}");
    assert_eq!(listed(&repo), [ids[3].clone(), ids[2].clone()]);
    let folder = archive(&repo, &ids[0]).parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4);
    let run = backup(&repo, &["verify", "--all"]);
    assert!(run.stderr.contains("2 whole, 0 damaged, 2 in all"), "{run}");
    let run = prune(&repo, &["--keep-last", "2"]);
    assert!(run.stderr.contains("2 kept, 0 removed"), "{run}");
}

#[test]
fn json_says_the_same() {
    let (repo, ids) = with_backups(2);
    let size = archive(&repo, &ids[0]).metadata().unwrap().len();
    let run = prune(&repo, &["--keep-last", "1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["dry_run"], false);
    assert_eq!(json["kept"][0]["id"], ids[1].as_str());
    assert_eq!(json["removed"][0]["id"], ids[0].as_str());
    assert_eq!(json["removed"][0]["reasons"][0], "no rule keeps it");
    assert_eq!(json["freed_bytes"], size);
    assert_eq!(listed(&repo).len(), 1);
}

#[test]
fn the_only_copy_of_anything_stays() {
    let repo = TestRepo::new();
    repo.write("in-git.py", "committed\n");
    repo.commit_all("one");
    repo.write("unsaved.py", "nowhere else\n");
    let only = created(&repo, &["."]);
    repo.write("unsaved.py", "another\n");
    let twice = created(&repo, &["."]);
    repo.write("more.py", "more\n");
    let newest = created(&repo, &["."]);
    let run = prune(&repo, &["--keep-last", "1"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.contains(&format!("keep    {only}"))
            && run.stdout.contains("the only copy of `unsaved.py`"),
        "{run}"
    );
    assert_eq!(
        listed(&repo),
        [newest, only.clone()],
        "{twice} is in the newest"
    );
    // Once Git has it, it may go.
    repo.write("unsaved.py", "nowhere else\n");
    repo.git(&["add", "unsaved.py"]);
    let run = prune(&repo, &["--keep-last", "1"]);
    assert!(run.stderr.contains("1 kept, 1 removed"), "{run}");
    assert!(!archive(&repo, &only).exists());
}

#[test]
fn of_several_copies_the_newest_stays_and_a_damaged_one_is_none() {
    let repo = TestRepo::new();
    repo.write("a.py", "unsaved\n");
    let first = created(&repo, &["a.py"]);
    repo.write("b.py", "x\n");
    let second = created(&repo, &["."]);
    repo.write("other.py", "something else\n");
    let last = created(&repo, &["other.py"]);
    let run = prune(&repo, &["--keep-last", "1", "--dry-run"]);
    assert!(run.stdout.contains(&format!("remove  {first}")), "{run}");
    assert!(run.stdout.contains(&format!("keep    {second}")), "{run}");
    let mut bytes = std::fs::read(archive(&repo, &second)).unwrap();
    // In the first file, behind its header and its name.
    bytes[30 + "worktree/a.py".len() + 2] ^= 1;
    std::fs::write(archive(&repo, &second), bytes).unwrap();
    let run = prune(&repo, &["--keep-last", "1"]);
    assert!(run.stderr.contains("3 kept, 0 removed"), "{run}");
    assert!(run.stdout.contains("cannot be told"), "{run}");
    assert_eq!(listed(&repo).len(), 3, "{last}");
}

#[test]
fn without_a_rule_nothing_goes_and_options_stand_for_the_policy() {
    let (repo, ids) = with_backups(3);
    let run = prune(&repo, &[]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("no rule says"), "{run}");
    let policy = include_str!("../../src/policy/preset_rtx3090.toml");
    repo.write(
        "gpuguard.toml",
        policy.replace("[backup]", "[backup]\nkeep-last = 2"),
    );
    let run = prune(&repo, &["--keep-last", "3"]);
    assert!(run.stderr.contains("3 kept, 0 removed"), "{run}");
    let run = prune(&repo, &[]);
    assert!(run.stderr.contains("2 kept, 1 removed"), "{run}");
    assert!(!archive(&repo, &ids[0]).exists());
    for wrong in [
        &["--keep-last", "0"][..],
        &["--keep-within", "5m"],
        &["--max-size", "1GB"],
    ] {
        let run = prune(&repo, wrong);
        assert_eq!(run.code, 2, "{run}");
    }
    assert_eq!(listed(&repo).len(), 2);
}

#[test]
fn the_oldest_go_where_all_together_are_too_large() {
    let (repo, ids) = with_backups(3);
    let size = archive(&repo, &ids[2]).metadata().unwrap().len();
    let most = format!("{}B", 2 * size + 20);
    let run = prune(&repo, &["--max-size", &most]);
    assert!(run.stdout.contains("max-size is exceeded"), "{run}");
    assert_eq!(listed(&repo), [ids[2].clone(), ids[1].clone()]);
    let run = prune(&repo, &["--keep-within", "1h"]);
    assert!(run.stderr.contains("2 kept, 0 removed"), "{run}");
}

#[test]
fn what_the_next_undo_needs_stays() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("one");
    let first = created(&repo, &["a.py"]);
    repo.write("a.py", "2\n");
    repo.commit_all("two");
    assert_eq!(backup(&repo, &["restore", &first]).code, 0);
    let snapshot = listed(&repo)[0].clone();
    for number in 0..3 {
        repo.write("b.py", format!("{number}\n"));
        repo.commit_all("more");
        created(&repo, &["b.py"]);
    }
    let run = prune(&repo, &["--keep-last", "1"]);
    assert!(
        run.stdout
            .lines()
            .any(|line| line.contains(&snapshot) && line.contains("rollback --undo")),
        "{run}"
    );
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"2\n");
}

#[test]
fn what_an_unfinished_run_names_stays_in_every_working_tree() {
    let (repo, ids) = with_backups(4);
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let journal = |folder: &str, content: &str| {
        repo.write(&format!("{folder}/gpuguard/rollback/journal.json"), content);
    };
    journal(".git", &format!("{{\"snapshot\": \"{}\"", ids[0]));
    journal(
        ".git/worktrees/linked",
        &format!("{{\"bring_to\": \"{}\"}}", ids[1]),
    );
    let run = prune(&repo, &["--keep-last", "1"]);
    assert_eq!(run.code, 0, "{run}");
    let left = [&ids[3], &ids[1], &ids[0]].map(Clone::clone);
    assert_eq!(listed(&repo), left);
    // One that has written down no snapshot yet may have made any of the last hour.
    journal(".git", "{\"snapshot\": null}");
    let run = prune(&repo, &["--keep-last", "1"]);
    assert_eq!(listed(&repo), left, "{run}");
}

#[test]
fn a_prune_tells_how_many_backups_it_has_looked_into() {
    let (repo, _) = with_backups(4);
    let repository = Repository::discover(&repo.path()).unwrap();
    let store = Store::at(repository.common_dir());
    let pruning = Pruning {
        retention: Retention {
            keep_last: Some(1),
            ..Retention::default()
        },
        now: clock::now(),
        needed: BTreeSet::new(),
        unsettled: false,
        effort: Effort::Full,
    };
    let mut told = Vec::new();
    store
        .plan_prune_telling(&pruning, &repository, &mut |done, all| {
            told.push((done, all));
        })
        .unwrap();
    assert_eq!(told, [(0, 3), (1, 3), (2, 3)]);
}

#[test]
fn nothing_goes_while_a_backup_is_being_restored() {
    let (repo, ids) = with_backups(2);
    let repository = Repository::discover(&repo.path()).unwrap();
    let store = Store::at(repository.common_dir());
    let newest = BackupId::parse(&ids[1]).unwrap();
    let reading = store.verify(&newest, &mut |_| ()).unwrap();
    let pruning = Pruning {
        retention: Retention {
            keep_last: Some(1),
            ..Retention::default()
        },
        now: clock::now(),
        needed: BTreeSet::new(),
        unsettled: false,
        effort: Effort::Slight,
    };
    let mut plan = store.plan_prune(&pruning, &repository).unwrap();
    assert_eq!(plan.removals().count(), 1);
    let busy = plan.carry_out();
    assert!(matches!(busy, Err(BackupError::InUse { .. })), "{busy:?}");
    let second = store.plan_prune(&pruning, &repository);
    assert!(
        matches!(second, Err(BackupError::InUse { .. })),
        "two do not decide at once"
    );
    assert_eq!(listed(&repo).len(), 2);
    drop(reading);
    // A program that another test is just starting may hold the lock for a moment more.
    let removed = loop {
        match plan.carry_out() {
            Err(BackupError::InUse { .. }) => std::thread::yield_now(),
            result => break result.unwrap(),
        }
    };
    assert_eq!(removed, 1);
    assert_eq!(listed(&repo), [ids[1].clone()]);
}

#[test]
fn a_killed_prune_is_no_damage_and_is_finished_by_the_next_backup() {
    let (repo, ids) = with_backups(2);
    let folder = repo.path().join(".git/gpuguard/backups");
    let outgoing = folder.join(format!(".gpuguard-{}-pruned.tmp", ids[0]));
    std::fs::rename(archive(&repo, &ids[0]), outgoing).unwrap();
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(listed(&repo), [ids[1].clone()]);
    repo.write("a.py", "changed\n");
    created(&repo, &["a.py"]);
    assert_eq!(others(&repo), [""; 0]);
    assert!(!folder.join(format!("{}.zip.sha256", ids[0])).exists());
}

#[test]
fn the_hook_removes_what_the_policy_no_longer_keeps() {
    let repo = TestRepo::new();
    let policy = include_str!("../../src/policy/preset_rtx3090.toml");
    repo.write(
        "gpuguard.toml",
        policy.replace("[backup]", "[backup]\nkeep-last = 2"),
    );
    repo.commit_all("policy");
    repo.write("mine.py", "only here\n");
    let only = created(&repo, &["mine.py"]);
    for number in 0..4 {
        repo.write("a.py", format!("x = {number}\n"));
        repo.git(&["add", "a.py"]);
        let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
        assert_eq!(run.code, 0, "{run}");
        repo.git(&["commit", "--quiet", "--no-verify", "-m", "next"]);
    }
    let left = listed(&repo);
    assert_eq!(left.len(), 3, "the newest two, and the only copy");
    assert_eq!(left[2], only);
}

#[test]
fn a_prune_that_cannot_be_made_refuses_no_commit() {
    let repo = TestRepo::new();
    let policy = include_str!("../../src/policy/preset_rtx3090.toml");
    repo.write(
        "gpuguard.toml",
        policy.replace("[backup]", "[backup]\nkeep-last = 1"),
    );
    repo.commit_all("policy");
    created(&repo, &["gpuguard.toml"]);
    // A folder where the lock would lie.
    repo.write(".git/gpuguard/backups.prune.lock/x", "");
    repo.write("a.py", "x = 1\n");
    repo.git(&["add", "a.py"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("old backups stay"), "{run}");
    assert_eq!(listed(&repo).len(), 2);
    let run = prune(&repo, &["--keep-last", "1"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("nothing was removed"), "{run}");
}

#[cfg(debug_assertions)]
#[test]
fn a_prune_killed_or_failing_at_every_touch_of_a_file_loses_nothing_that_stays() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("one");
    created(&repo, &["a.py"]);
    created(&repo, &["a.py"]);
    repo.write("a.py", "2\n");
    repo.commit_all("two");
    created(&repo, &["a.py"]);
    repo.write("a.py", "not in Git\n");
    let newest = created(&repo, &["a.py"]);
    let mut points = 0;
    for kind in ["kill", "EIO", "ENOSPC"] {
        for point in 1.. {
            let copy = repo.copy();
            let run: Run = copy
                .command(crate::support::program())
                .args(["backup", "prune", "--keep-last", "1"])
                .env("GPUGUARD_FAULT", format!("{kind}@{point}"))
                .output()
                .unwrap()
                .into();
            if !run.stderr.contains("fault ") {
                assert_eq!(run.code, 0, "{run}");
                break;
            }
            points += 1;
            let verify = backup(&copy, &["verify", "--all"]);
            assert_eq!(verify.code, 0, "{kind}@{point}: {run}\n{verify}");
            assert_eq!(listed(&copy)[0], newest, "{kind}@{point}: {run}");
            let again = prune(&copy, &["--keep-last", "1"]);
            assert_eq!(again.code, 0, "{kind}@{point}: {run}\n{again}");
            assert_eq!(listed(&copy), [newest.as_str()], "{kind}@{point}");
            copy.write("a.py", "swept now\n");
            created(&copy, &["a.py"]);
            let folder = copy.path().join(".git/gpuguard/backups");
            assert_eq!(
                std::fs::read_dir(folder).unwrap().count(),
                4,
                "{kind}@{point}: two archives and their sums"
            );
        }
    }
    assert!(points > 20, "only {points} points");
}
