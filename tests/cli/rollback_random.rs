//! Rollback and undo in random repositories, the same ones each time, with Git as the judge.
//! `GPUGUARD_TEST_HISTORIES=1000` tries so many of them; the default is a few.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use fastrand::Rng;

use super::rollback::{assert_tidy, rollback, rolled_back, state};
use crate::support::TestRepo;

/// Some are folders of others: a file takes the place of a folder, and the other way round.
const PATHS: [&[u8]; 14] = [
    b"a",
    b"b.txt",
    b"c",
    b"c/d",
    b"c/d/e",
    b"c/f",
    b"g/h",
    b"g/i",
    b"sp ace",
    b"[*]",
    b"new\nline",
    b"latin-\xe9",
    "\u{e9}/\u{202e}x".as_bytes(),
    b"-x",
];

/// Contents that a text conversion would spoil among them.
const CONTENTS: [&[u8]; 6] = [
    b"",
    b"1\n",
    b"2\n",
    b"1\n2\n",
    b"1\r\n2\r\n",
    b"\0\xff\x1f\x8b",
];

fn path(random: &mut Rng) -> &'static Path {
    Path::new(OsStr::from_bytes(PATHS[random.usize(..PATHS.len())]))
}

/// Removes whatever stands at a path, and files and links where its folders are to be.
fn clear(root: &Path, path: &Path) {
    let file = root.join(path);
    for place in file.ancestors().take_while(|place| *place != root) {
        let Ok(metadata) = place.symlink_metadata() else {
            continue;
        };
        if !metadata.is_dir() {
            std::fs::remove_file(place).unwrap();
        } else if place == file {
            std::fs::remove_dir_all(place).unwrap();
        }
    }
}

/// Writes, links, deletes or makes executable some files.
fn change(repo: &TestRepo, random: &mut Rng, times: usize) {
    for _ in 0..times {
        let place = path(random);
        let file = repo.path().join(place);
        clear(&repo.path(), place);
        let kind = random.u8(..10);
        if kind < 2 {
            continue;
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if kind == 2 {
            symlink(path(random), &file).unwrap();
            continue;
        }
        std::fs::write(&file, CONTENTS[random.usize(..CONTENTS.len())]).unwrap();
        let mode = if kind == 3 { 0o755 } else { 0o644 };
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Judges one repository; gives whether something untracked stood in the way.
fn there_and_back(seed: u64) -> bool {
    let random = &mut Rng::with_seed(seed);
    let repo = TestRepo::new();
    change(&repo, random, 9);
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    change(&repo, random, 6);
    repo.commit_all("two");
    change(&repo, random, 3);
    repo.git(&["add", "--all"]);
    change(&repo, random, 3);
    let before = state(&repo);
    let run = rollback(&repo, &["v1", "--yes"]);
    assert_tidy(&repo);
    if run.code != 0 {
        assert!(run.stderr.contains("untracked files"), "seed {seed}: {run}");
        assert_eq!(state(&repo), before, "seed {seed}: {run}");
        return true;
    }
    for judge in [
        &["diff", "--quiet", "v1"][..],
        &["diff", "--cached", "--quiet", "v1"],
    ] {
        assert_eq!(repo.try_git(judge).code, 0, "seed {seed}, {judge:?}: {run}");
    }
    let changed = !run.stderr.contains("nothing to do");
    if changed {
        // There and back once more: an undo is undone like anything else.
        let there = state(&repo);
        rolled_back(&repo, &["--undo"]);
        assert!(state(&repo) == before, "seed {seed}: {run}");
        rolled_back(&repo, &["--undo"]);
        assert!(state(&repo) == there, "seed {seed}: {run}");
        rolled_back(&repo, &["--undo"]);
    }
    assert!(state(&repo) == before, "seed {seed}: {run}");
    false
}

/// A snapshot as the hook makes it, further edits, and back to the snapshot by its id.
fn saved_and_back(seed: u64) {
    let random = &mut Rng::with_seed(seed);
    let repo = TestRepo::with_policy();
    change(&repo, random, 9);
    repo.commit_all("one");
    change(&repo, random, 5);
    repo.git(&["add", "--all"]);
    change(&repo, random, 2);
    let touched = repo.git(&["diff", "--cached", "--name-only", "-z"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "seed {seed}: {run}");
    if touched.is_empty() {
        return;
    }
    // What the hook saves are the paths of the commit.
    let of_commit = |repo: &TestRepo| {
        let index = repo.git(&["ls-files", "-s", "-z"]);
        let state = state(repo);
        let is_touched = |path: &str| touched.split('\0').any(|touched| touched == path);
        let entries = index.split('\0').filter(|entry| {
            let path = entry.split('\t').nth(1);
            path.is_some_and(is_touched)
        });
        let entries: Vec<String> = entries.map(str::to_owned).collect();
        let shown: Vec<String> = touched
            .split('\0')
            .map(|path| path.as_bytes().escape_ascii().to_string())
            .collect();
        let files = state.files.into_iter();
        let files: Vec<_> = files.filter(|(path, _)| shown.contains(path)).collect();
        (entries, files)
    };
    let then = of_commit(&repo);
    change(&repo, random, 6);
    if random.bool() {
        repo.git(&["add", "--all"]);
    }
    let before = state(&repo);
    let run = rollback(&repo, &["latest", "--yes"]);
    assert_tidy(&repo);
    if run.code != 0 {
        assert!(run.stderr.contains("untracked files"), "seed {seed}: {run}");
        assert!(state(&repo) == before, "seed {seed}: {run}");
        return;
    }
    assert_eq!(of_commit(&repo), then, "seed {seed}: {run}");
    if !run.stderr.contains("nothing to do") {
        rolled_back(&repo, &["--undo"]);
    }
    assert!(state(&repo) == before, "seed {seed}: {run}");
}

/// How many repositories are tried.
fn histories() -> u64 {
    let asked = std::env::var("GPUGUARD_TEST_HISTORIES");
    asked.map_or(24, |number| number.parse().unwrap())
}

/// Does something with each seed, several at a time: most of it is waiting for the disk.
fn with_all<T: Send>(act: impl Fn(u64) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = (0..4)
            .map(|first| {
                let seeds = (first..histories()).step_by(4);
                scope.spawn(move || seeds.map(act).collect::<Vec<T>>())
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn random_repositories_go_to_the_tag_and_back() {
    let refused = with_all(there_and_back);
    let refused = refused.iter().filter(|refused| **refused).count();
    assert!(refused as u64 <= histories() / 5, "{refused} are refused");
}

#[test]
fn random_repositories_go_to_a_snapshot_and_back() {
    with_all(saved_and_back);
    // Only the mode was edited; a file, or a link to itself, stood where a staged folder was to be.
    for seed in [143, 153, 600, 813] {
        saved_and_back(seed);
    }
}
