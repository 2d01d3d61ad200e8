//! Hooks, backups, prunes and proofs at the same time, in linked working trees of one repository.
//! `GPUGUARD_TEST_ROUNDS=200` lets each of the eight do so much; the default is a little.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::{Run, TestRepo, command, git, program};

const AT_ONCE: usize = 8;

fn rounds() -> usize {
    let asked = std::env::var("GPUGUARD_TEST_ROUNDS");
    asked.map_or(3, |number| number.parse().unwrap())
}

fn run_in(repo: &TestRepo, folder: &Path, program: &Path, arguments: &[&str]) -> Run {
    command(program, folder, repo.home())
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

/// The ids that a `backup list` or `backup prune` in JSON has under a key.
fn ids(run: &Run, key: &str) -> BTreeSet<String> {
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let entries = json[key].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_archive_is_lost_or_broken_when_eight_work_at_once() {
    let repo = TestRepo::with_policy();
    let trees: Vec<PathBuf> = (0..AT_ONCE)
        .map(|number| {
            let folder = repo.beside(&format!("tree-{number}"));
            let branch = format!("b{number}");
            let target = folder.to_str().unwrap();
            repo.git(&["worktree", "add", "-q", "-b", &branch, target]);
            folder
        })
        .collect();
    let made: Mutex<BTreeSet<String>> = Mutex::default();
    let removed: Mutex<BTreeSet<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for (number, folder) in trees.iter().enumerate() {
            let (repo, made, removed) = (&repo, &made, &removed);
            scope.spawn(move || {
                let gpuguard = |arguments: &[&str]| {
                    let run = run_in(repo, folder, program(), arguments);
                    assert_eq!(run.code, 0, "{arguments:?} in {number}: {run}");
                    run
                };
                for round in 0..rounds() {
                    let file = folder.join("a.py");
                    std::fs::write(&file, format!("x = {number}, {round}\n")).unwrap();
                    let staged = run_in(repo, folder, &git(), &["add", "a.py"]);
                    assert_eq!(staged.code, 0, "{staged}");
                    gpuguard(&["hook", "run", "pre-commit"]);
                    let run = gpuguard(&["backup", "create", "a.py"]);
                    made.lock().unwrap().insert(run.stdout.trim().to_owned());
                    if number % 4 == 0 {
                        let keep = ["--keep-last", "5", "--format", "json"];
                        let run = gpuguard(&[&["backup", "prune"][..], &keep].concat());
                        removed.lock().unwrap().extend(ids(&run, "removed"));
                    }
                    if number % 4 == 1 {
                        gpuguard(&["backup", "verify", "--all"]);
                    }
                    if number % 4 == 2 {
                        gpuguard(&[
                            "backup",
                            "restore",
                            "latest",
                            "--to",
                            &format!("out-{round}"),
                        ]);
                    }
                }
            });
        }
    });
    let run = repo.gpuguard(&["backup", "verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    let listed = ids(
        &repo.gpuguard(&["backup", "list", "--format", "json"]),
        "backups",
    );
    let removed = removed.into_inner().unwrap();
    for id in made.into_inner().unwrap() {
        assert!(listed.contains(&id) != removed.contains(&id), "{id}");
    }
    // Nothing passing is left, and no sum without its archive.
    for entry in std::fs::read_dir(repo.path().join(".git/gpuguard/backups")).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.extension() != Some("tmp".as_ref()), "{path:?}");
    }
}
