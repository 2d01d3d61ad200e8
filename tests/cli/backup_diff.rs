//! `gpuguard backup diff`: what changed since a backup, and between two.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use gpuguard::backup::Version;

use super::backup::{backup, created};
use super::backup_versions::staged_backup;
use crate::support::{Run, TestRepo};

fn diff(repo: &TestRepo, arguments: &[&str]) -> Run {
    let mut all = vec!["diff"];
    all.extend(arguments);
    backup(repo, &all)
}

fn changes(repo: &TestRepo, arguments: &[&str]) -> serde_json::Value {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    serde_json::from_str(&diff(repo, &all).stdout).unwrap()
}

#[test]
fn a_working_tree_as_saved_has_no_difference() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    let id = created(&repo, &["."]);
    repo.write("not/saved.py", "2\n");
    let run = diff(&repo, &[&id]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{run}");
    let json = changes(&repo, &["latest"]);
    assert_eq!(json["backup"], id.as_str());
    assert_eq!(json["with"], serde_json::Value::Null);
    assert_eq!(json["changes"], serde_json::json!([]));
}

#[test]
fn the_difference_is_one_that_git_applies() {
    let repo = TestRepo::new();
    repo.write("changed.py", "1\n2\n3\n");
    repo.write("gone with blank.py", "gone\n");
    repo.write("last", "no line end");
    let id = created(&repo, &["."]);
    repo.write("changed.py", "1\ntwo\n3\n");
    std::fs::remove_file(repo.path().join("gone with blank.py")).unwrap();
    repo.write("last", "no line end\n");
    let run = diff(&repo, &[&id]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout.starts_with(
            "diff --git a/changed.py b/changed.py\n--- a/changed.py\n+++ b/changed.py\n\
             @@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
        ),
        "{run}"
    );
    assert!(run.stdout.contains("deleted file mode 100644\n"), "{run}");
    repo.write("the.patch", &run.stdout);
    repo.git(&["apply", "--reverse", "the.patch"]);
    assert_eq!(diff(&repo, &[&id]).code, 0);
    assert_eq!(repo.read("gone with blank.py"), b"gone\n");
}

#[test]
fn paths_names_and_statistics_say_less() {
    let repo = TestRepo::new();
    repo.write("a/x.py", "1\n");
    repo.write("b/x.py", "1\n");
    let id = created(&repo, &["."]);
    repo.write("a/x.py", "2\n3\n");
    let run = diff(&repo, &[&id, "b"]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{run}");
    let run = diff(&repo, &[&id, "a", "--name-only"]);
    assert_eq!((run.code, &*run.stdout), (1, "a/x.py\n"), "{run}");
    let run = diff(&repo, &[&id, "--stat"]);
    let expected = " a/x.py | +2 -1\n1 file changed, +2 -1\n";
    assert_eq!((run.code, &*run.stdout), (1, expected), "{run}");
    let run = diff(&repo, &[&id, "nowhere.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("does not hold `nowhere.py`"), "{run}");
}

#[test]
fn binary_files_are_named_and_never_printed() {
    let repo = TestRepo::new();
    repo.write("model.bin", b"\0\x1b[31mred");
    let id = created(&repo, &["."]);
    repo.write("model.bin", b"\0other");
    let run = diff(&repo, &[&id]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(
        run.stdout,
        "diff --git a/model.bin b/model.bin\nBinary files a/model.bin and b/model.bin differ\n"
    );
    let change = &changes(&repo, &[&id])["changes"][0];
    assert_eq!(change["binary"], true);
    assert_eq!(change["change"], "modified");
    assert_eq!(
        (&change["old_size"], &change["new_size"]),
        (&9.into(), &6.into())
    );
    assert_eq!(change["insertions"], serde_json::Value::Null);
    let run = diff(&repo, &[&id, "--stat"]);
    assert!(
        run.stdout.starts_with(" model.bin | 9 -> 6 bytes\n"),
        "{run}"
    );
}

#[test]
fn two_backups_are_compared_with_each_other() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.write("b.py", "1\n");
    let first = created(&repo, &["."]);
    repo.write("a.py", "2\n");
    std::fs::remove_file(repo.path().join("b.py")).unwrap();
    repo.write("c.py", "1\n");
    let second = created(&repo, &["."]);
    repo.write("a.py", "in the working tree\n");
    let json = changes(&repo, &[&first, "--with", &second]);
    assert_eq!(json["with"], second.as_str());
    let words: Vec<_> = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                change["path"].as_str().unwrap(),
                change["change"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        words,
        [("a.py", "modified"), ("b.py", "deleted"), ("c.py", "added")]
    );
    let run = diff(&repo, &[&second, "--with", &first, "a.py"]);
    assert!(run.stdout.ends_with("@@ -1,1 +1,1 @@\n-2\n+1\n"), "{run}");
    let run = diff(&repo, &[&first, "--with", &first]);
    assert_eq!(run.code, 0, "{run}");
}

#[cfg(unix)]
#[test]
fn modes_and_links_are_told() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repo = TestRepo::new();
    repo.write("run.sh", "#!/bin/sh\n");
    repo.write("was", "a file\n");
    let id = created(&repo, &["."]);
    let script = repo.path().join("run.sh");
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(repo.path().join("was")).unwrap();
    symlink("run.sh", repo.path().join("was")).unwrap();
    let run = diff(&repo, &[&id]);
    assert!(
        run.stdout
            .contains("b/run.sh\nold mode 100644\nnew mode 100755\ndiff --git"),
        "{run}"
    );
    assert!(run.stdout.contains("deleted file mode 100644\n"), "{run}");
    assert!(run.stdout.contains("new file mode 120000\n"), "{run}");
    let json = changes(&repo, &[&id]);
    let words: Vec<&str> = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["change"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["mode", "deleted", "added"]);
}

#[test]
fn what_git_had_staged_is_compared_as_a_checkout_writes_it() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.txt text eol=crlf\n");
    repo.write("a.txt", "staged\r\n");
    let id = staged_backup(
        &repo,
        &[
            (Version::Before, b"before\n"),
            (Version::Staged, b"staged\n"),
        ],
    );
    let run = diff(&repo, &[&id]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{run}");
    let run = diff(&repo, &[&id, "--version", "before"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.ends_with("-before\r\n+staged\r\n"), "{run}");
}

#[cfg(unix)]
#[test]
fn a_damaged_backup_is_not_compared_and_nothing_is_read_through_a_link() {
    let repo = TestRepo::new();
    repo.write("d/x.py", "saved\n");
    let id = created(&repo, &["d"]);
    let outside = repo.beside("outside");
    std::fs::rename(repo.path().join("d"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, repo.path().join("d")).unwrap();
    let change = &changes(&repo, &[&id])["changes"][0];
    assert_eq!(change["change"], "deleted", "it is not in the repository");
    std::fs::write(super::backup::archive(&repo, &id), "no archive").unwrap();
    let run = diff(&repo, &[&id]);
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(run.stdout, "", "{run}");
}
