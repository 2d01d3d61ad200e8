//! `gpuguard rollback` where Git would not tell: other attributes, hidden edits, repositories
//! inside. What it says is true.

use super::rollback::{refuses_other_attributes, rollback, rolled_back, tree};
use super::rollback_refused::refused;
use crate::support::TestRepo;

#[test]
fn nothing_is_written_or_removed_inside_a_repository_that_took_a_folders_place() {
    for (removed, added) in [(&["d/x"][..], &[][..]), (&[], &["d/x"])] {
        let repo = TestRepo::new();
        repo.write("a.py", "v1\n");
        for path in removed {
            repo.write(path, "v1\n");
        }
        repo.commit_all("one");
        repo.git(&["tag", "before-gpu-fix"]);
        for path in added {
            repo.write(path, "v2\n");
        }
        for path in removed {
            repo.git(&["rm", "-q", path]);
        }
        repo.write("a.py", "v2\n");
        repo.commit_all("two");
        repo.write("d/own", "theirs\n");
        repo.git(&["init", "-q", "d"]);
        refused(&repo, "`d` is in the way: a Git repository of its own");
    }
}

#[test]
fn files_follow_the_attributes_of_the_tag_though_their_blobs_are_the_same() {
    for folder in ["", "sub/"] {
        let repo = TestRepo::new();
        let (path, rules) = (format!("{folder}a.txt"), format!("{folder}.gitattributes"));
        repo.write(&path, "one\n");
        repo.write("b.txt", "two\n");
        repo.commit_all("one");
        repo.git(&["tag", "v1"]);
        repo.write(&rules, "* text eol=crlf\n");
        repo.commit_all("two");
        std::fs::remove_file(repo.path().join(&path)).unwrap();
        repo.git(&["checkout", "--", &path]);
        assert_eq!(repo.read(&path), b"one\r\n");
        if refuses_other_attributes(&repo) {
            continue;
        }
        let before = tree(&repo.path());
        let run = rolled_back(&repo, &["v1", "--yes"]);
        assert_eq!(repo.read(&path), b"one\n", "{run}");
        assert!(!run.stdout.contains("b.txt"), "{run}");
        assert!(!repo.exists(&rules));
        assert_eq!(repo.git(&["diff", "v1"]), "");
        assert_eq!(repo.git(&["diff-files"]), "");
        rolled_back(&repo, &["--undo"]);
        assert_eq!(tree(&repo.path()), before);
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
        // Only what was asked for: the rules of the tag hold for it as soon as they are there.
        rolled_back(&repo, &["v1", &rules, "--yes"]);
        assert_eq!(repo.read(&path), b"one\r\n");
        rolled_back(&repo, &["--undo"]);
        rolled_back(&repo, &["v1", &rules, &path, "--yes"]);
        assert_eq!(repo.read(&path), b"one\n");
    }
}

#[test]
fn a_single_file_is_written_as_the_attributes_around_it_ask() {
    let repo = TestRepo::new();
    repo.git(&["config", "filter.r.clean", "tr a-y b-z"]);
    repo.git(&["config", "filter.r.smudge", "tr b-z a-y"]);
    repo.write("s.txt", "bcd\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write(".gitattributes", "*.txt filter=r\n");
    repo.write("s.txt", "klm\n");
    repo.commit_all("two");
    repo.git(&["restore", "--source=v1", "s.txt"]);
    let expected = repo.read("s.txt");
    repo.git(&["restore", "s.txt"]);
    rolled_back(&repo, &["v1", "s.txt", "--yes"]);
    assert_eq!(repo.read("s.txt"), expected);
    assert_eq!(expected, b"abc\n");
    assert_eq!(repo.git(&["diff-files"]), "");
}

#[test]
fn no_more_is_said_than_is_true() {
    let repo = TestRepo::new();
    for path in ["a", "b", "c"] {
        repo.write(path, "1\n");
    }
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a", "2\n");
    repo.write("b", "2\n");
    repo.commit_all("two");
    let run = rolled_back(&repo, &["v1", "a", "--yes"]);
    assert!(
        run.stderr.contains("all that was asked for is as in `v1`"),
        "{run}"
    );
    rolled_back(&repo, &["v1", "--yes"]);
    for (flag, back) in [
        ("--assume-unchanged", "--no-assume-unchanged"),
        ("--skip-worktree", "--no-skip-worktree"),
    ] {
        repo.git(&["update-index", flag, "c"]);
        let run = rolled_back(&repo, &["v1", "--yes"]);
        assert!(run.stderr.contains("nothing to do: all is as in"), "{run}");
        repo.write("c", "hidden\n");
        let run = rollback(&repo, &["v1", "--yes"]);
        assert!(
            run.stderr
                .contains("leave              c (edited, but marked"),
            "{run}"
        );
        assert!(
            run.stderr.contains("all but the one path left is as in"),
            "{run}"
        );
        repo.write("c", "1\n");
        repo.git(&["update-index", back, "c"]);
    }
    repo.git(&["reset", "-q", "--hard"]);
    repo.git(&["update-index", "--skip-worktree", "b"]);
    let run = rolled_back(&repo, &["v1", "--yes"]);
    assert!(run.stdout.contains("b (marked `skip-worktree`)"), "{run}");
    assert!(
        run.stderr.contains("all but the one path left is as in"),
        "{run}"
    );
}
