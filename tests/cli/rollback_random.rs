//! Rollback and undo in random repositories, the same ones each time, with Git as the judge.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use fastrand::Rng;

use super::rollback::{assert_tidy, rollback, rolled_back, state};
use crate::support::TestRepo;

/// Some are folders of others: a file takes the place of a folder, and the other way round.
const PATHS: [&str; 10] = [
    "a", "b.txt", "c", "c/d", "c/d/e", "c/f", "g/h", "g/i", "sp ace", "[*]",
];

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
        let path = PATHS[random.usize(..PATHS.len())];
        let file = repo.path().join(path);
        clear(&repo.path(), Path::new(path));
        let kind = random.u8(..10);
        if kind < 2 {
            continue;
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if kind == 2 {
            symlink(PATHS[random.usize(..PATHS.len())], &file).unwrap();
            continue;
        }
        let text = ["", "1\n", "2\n", "1\n2\n"][random.usize(..4)];
        std::fs::write(&file, text).unwrap();
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
    if !run.stderr.contains("nothing to do") {
        rolled_back(&repo, &["--undo"]);
    }
    assert_eq!(state(&repo), before, "seed {seed}: {run}");
    false
}

#[test]
fn random_repositories_go_to_the_tag_and_back() {
    // Several at a time: most of it is waiting for the disk.
    let refused: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..5)
            .map(|first| {
                let seeds = (first..25).step_by(5);
                scope.spawn(|| seeds.filter(|seed| there_and_back(*seed)).count())
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert!(refused < 5, "{refused} are refused");
}
