//! Where backups lie, by the policy.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::{Path, PathBuf};

use super::backup::{backup, created, json};
use crate::support::TestRepo;

fn with_store(store: &str) -> TestRepo {
    let repo = TestRepo::new();
    set_store(&repo, store);
    repo.write("a.py", "1\n");
    repo
}

fn set_store(repo: &TestRepo, store: &str) {
    let policy = include_str!("../../src/policy/preset_rtx3090.toml");
    let key = format!("[backup]\nstore = {}", serde_json::json!(store));
    repo.write("gpuguard.toml", policy.replace("[backup]", &key));
}

/// The archives below a folder, wherever.
fn archives(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "zip") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn backups_lie_where_the_policy_says_and_every_command_finds_them() {
    let outside = TestRepo::new().beside("backups");
    let repo = with_store(outside.to_str().unwrap());
    let id = created(&repo, &["a.py"]);
    let found = archives(&outside);
    assert_eq!(found.len(), 1);
    assert_eq!(archives(&repo.path()).len(), 0);
    // Each repository has a folder of its own there.
    let folder = found[0].parent().unwrap();
    assert_eq!(folder.parent(), Some(&*outside));
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("repo-") && name.len() == 13, "{name}");
    let listed = json(&repo, &["list", "--format", "json"]);
    assert_eq!(listed["backups"][0]["path"], found[0].to_str().unwrap());
    assert_eq!(backup(&repo, &["verify", "--all"]).code, 0);
    repo.write("a.py", "2\n");
    assert_eq!(backup(&repo, &["diff", &id]).code, 1);
    let run = backup(&repo, &["restore", &id]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"1\n");
    assert_eq!(
        archives(&outside).len(),
        2,
        "what was replaced is saved there too"
    );
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"2\n");
    repo.git(&["add", "a.py"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(archives(&repo.path()).len(), 0, "{run}");
    assert_eq!(
        json(&repo, &["list", "--format", "json"])["backups"][0]["verdict"],
        "passed"
    );
}

#[test]
fn a_tilde_is_home_and_a_relative_folder_begins_at_the_common_git_directory() {
    let repo = with_store("~/saved");
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo.home().join("saved")).len(), 1);
    let linked = repo.beside("linked");
    set_store(&repo, "../../saved");
    repo.commit_all("one");
    repo.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo.beside("saved")).len(), 1);
    let run = crate::support::gpuguard(&linked, &["backup", "create", "a.py"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(backup(&repo, &["list"]).stdout.lines().count(), 3);
    set_store(&repo, "gpuguard/elsewhere");
    created(&repo, &["."]);
    assert_eq!(
        archives(&repo.path().join(".git/gpuguard/elsewhere")).len(),
        1
    );
}

#[test]
fn what_lies_in_earlier_places_is_still_there() {
    let repo = with_store("~/one");
    let first = created(&repo, &["a.py"]);
    set_store(&repo, "~/two");
    let second = created(&repo, &["a.py"]);
    assert_eq!(
        archives(&repo.home().join("two")).len(),
        1,
        "never a reference to another place"
    );
    std::fs::remove_file(repo.path().join("gpuguard.toml")).unwrap();
    repo.write("b.py", "x\n");
    let third = created(&repo, &["b.py"]);
    assert_eq!(archives(&repo.path()).len(), 1);
    let listed = json(&repo, &["list", "--format", "json"]);
    let ids: Vec<&str> = listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backup| backup["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [third.as_str(), &second, &first]);
    let run = backup(&repo, &["verify", "--all"]);
    assert!(run.stderr.contains("3 whole, 0 damaged, 3 in all"), "{run}");
    repo.commit_all("now Git has it");
    let run = backup(&repo, &["prune", "--keep-last", "1"]);
    assert!(run.stderr.contains("1 kept, 2 removed"), "{run}");
    assert_eq!(archives(repo.home()).len(), 0);
    let left = std::fs::read_dir(repo.home().join("one")).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(
        std::fs::read_dir(&left[0]).unwrap().count(),
        0,
        "its sum is gone too"
    );
}

#[test]
fn a_place_that_would_be_committed_or_is_git_s_own_is_refused() {
    for (place, reason) in [
        ("../backups", "Git does not ignore it"),
        ("objects", "among Git's own files"),
        ("..", "Git does not ignore it"),
        ("gpuguard", "among Git's own files"),
    ] {
        let repo = with_store(place);
        let run = backup(&repo, &["create", "a.py"]);
        assert_eq!(run.code, 2, "{place}: {run}");
        assert!(run.stderr.contains(reason), "{place}: {run}");
        assert!(run.stderr.contains("[backup]"), "{place}: {run}");
        assert_eq!(archives(&repo.path()).len(), 0);
        repo.git(&["add", "a.py"]);
        let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
        assert_eq!(run.code, 2, "{place}: {run}");
    }
    let repo = with_store("../backups");
    repo.write(".gitignore", "/backups/\n");
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo.path().join("backups")).len(), 1);
    let status = repo.git(&["status", "--porcelain"]);
    assert!(!status.contains("backups"), "{status}");
}

#[test]
fn a_broken_policy_does_not_stand_between_people_and_their_backups() {
    let repo = with_store("~/saved");
    let id = created(&repo, &["a.py"]);
    repo.write("gpuguard.toml", "version = ");
    repo.write("a.py", "2\n");
    let run = backup(&repo, &["restore", &id, "--to", "out"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("out/a.py"), b"1\n");
    assert_eq!(backup(&repo, &["list"]).stdout.lines().count(), 1);
    // Nor does one with a place that is refused.
    set_store(&repo, "../in-the-tree");
    let run = backup(&repo, &["restore", &id, "a.py"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"1\n");
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"2\n");
    assert!(!repo.exists("in-the-tree"));
}

#[cfg(unix)]
#[test]
fn a_link_leads_neither_around_the_check_nor_to_another_place() {
    let repo = with_store("~/link/backups");
    std::os::unix::fs::symlink(repo.path(), repo.home().join("link")).unwrap();
    let run = backup(&repo, &["create", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("Git does not ignore it"), "{run}");
    set_store(&repo, "~/saved");
    created(&repo, &["a.py"]);
    let inside = repo.home().join("link");
    repo.write("a.py", "2\n");
    let run: crate::support::Run = repo
        .command(crate::support::program())
        .current_dir(&inside)
        .args(["backup", "create", "a.py"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    let folders: Vec<_> = archives(&repo.home().join("saved"))
        .into_iter()
        .map(|archive| archive.parent().unwrap().to_owned())
        .collect();
    assert_eq!(folders.len(), 2);
    assert_eq!(folders[0], folders[1]);
}
