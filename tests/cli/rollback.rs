//! `gpuguard rollback` and `--undo`, with Git as the judge of what a tag's files are.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Run, TestRepo, command, git, program};

/// A name with whatever is not text escaped, so that no two look alike.
fn shown(path: &Path) -> String {
    path.as_os_str()
        .as_encoded_bytes()
        .escape_ascii()
        .to_string()
}

/// Every file, link and mode below a folder, without `.git`.
pub(super) fn tree(folder: &Path) -> BTreeMap<String, (String, Vec<u8>)> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, (String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == ".git" {
                continue;
            }
            let metadata = path.symlink_metadata().unwrap();
            let name = shown(path.strip_prefix(root).unwrap());
            if metadata.is_dir() {
                walk(root, &path, found);
            } else if metadata.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                found.insert(name, ("link".into(), shown(&target).into_bytes()));
            } else {
                found.insert(name, (mode(&metadata), std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt;
    format!("{:o}", metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> String {
    "file".into()
}

/// All that a rollback may change: files, index, status, HEAD.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, (String, Vec<u8>)>,
    index: String,
    status: String,
    head: String,
}

pub(super) fn state(repo: &TestRepo) -> State {
    State {
        files: tree(&repo.path()),
        index: repo.git(&["ls-files", "-s", "-z"]),
        status: repo.git(&["status", "--porcelain=v1", "-z", "--ignored"]),
        head: repo.git(&["rev-parse", "HEAD"]),
    }
}

/// No lock, no journal, no passing files.
pub(super) fn assert_tidy(repo: &TestRepo) {
    assert!(!repo.exists(".git/index.lock"), "the index is still locked");
    assert!(
        !repo.exists(".git/gpuguard/rollback/journal.json"),
        "the journal is still there"
    );
    assert!(
        !repo.exists(".git/gpuguard/rollback/scratch"),
        "passing files are still there"
    );
}

#[cfg(unix)]
/// The tag's files as `git clone` writes them.
fn as_cloned(repo: &TestRepo, tag: &str, options: &[&str]) -> BTreeMap<String, (String, Vec<u8>)> {
    let target = repo.beside("clone");
    let mut clone: Vec<&str> = vec!["clone", "--quiet"];
    clone.extend(options);
    let run: Run = command(&git(), &repo.path(), repo.home())
        .args(clone)
        .args(["--no-local", "--branch", tag, "."])
        .arg(&target)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    tree(&target)
}

pub(super) fn rollback(repo: &TestRepo, arguments: &[&str]) -> Run {
    let mut all = vec!["rollback"];
    all.extend(arguments);
    repo.gpuguard(&all)
}

pub(super) fn rolled_back(repo: &TestRepo, arguments: &[&str]) -> Run {
    let run = rollback(repo, arguments);
    assert_eq!(run.code, 0, "{run}");
    assert_tidy(repo);
    run
}

/// Whether this Git is too old to follow another tree's attributes (`--attr-source`, Git 2.41):
/// then the rollback must say so and change nothing, which is asserted here.
pub(super) fn refuses_other_attributes(repo: &TestRepo) -> bool {
    let known = repo
        .try_git(&["--attr-source=HEAD", "rev-parse", "HEAD"])
        .code
        == 0;
    if !known {
        let before = tree(&repo.path());
        let run = rollback(repo, &["v1", "--yes"]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("use Git 2.41 or later"), "{run}");
        assert!(run.stderr.contains("nothing was changed"), "{run}");
        assert_eq!(tree(&repo.path()), before);
    }
    !known
}

#[cfg(unix)]
fn set_mode(repo: &TestRepo, path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(repo.path().join(path), permissions).unwrap();
}

/// Tag `v1`, then a commit that changes, adds, removes and swaps, then edits staged and not.
#[cfg(unix)]
pub(super) fn busy_repo() -> TestRepo {
    use std::os::unix::fs::symlink;
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.bin\n");
    repo.write("changed.py", "v1\n");
    repo.write("edited.py", "v1\n");
    repo.write("staged.py", "v1\n");
    repo.write("removed.py", "v1\n");
    repo.write("run.sh", "#!/bin/sh\n");
    set_mode(&repo, "run.sh", 0o755);
    repo.write("empty", "");
    symlink("changed.py", repo.path().join("link")).unwrap();
    repo.write("link_to_file", "file in v1\n");
    repo.write("file_to_folder/inner.py", "v1\n");
    repo.write("folder_to_file", "v1\n");
    repo.write("deep/a/b/c.py", "v1\n");
    repo.write("same.py", "same\n");
    repo.commit_all("one");
    repo.git(&["tag", "-a", "-m", "one", "v1"]);
    repo.write("changed.py", "v2\n");
    repo.git(&[
        "rm",
        "-q",
        "removed.py",
        "deep/a/b/c.py",
        "file_to_folder/inner.py",
        "link",
    ]);
    repo.git(&["rm", "-q", "folder_to_file", "link_to_file"]);
    set_mode(&repo, "run.sh", 0o644);
    repo.write("link", "now a file\n");
    symlink("same.py", repo.path().join("link_to_file")).unwrap();
    repo.write("file_to_folder", "now a file\n");
    repo.write("folder_to_file/x.py", "now a folder\n");
    repo.write("added/new.py", "v2\n");
    repo.write("empty", "not any more");
    repo.commit_all("two");
    repo.write("edited.py", "unstaged\r\nedit");
    set_mode(&repo, "edited.py", 0o600);
    repo.write("staged.py", "staged\n");
    repo.git(&["add", "staged.py"]);
    repo.write("staged.py", "staged and more\n");
    repo.write("just_added.py", "never committed\n");
    repo.git(&["add", "just_added.py"]);
    std::fs::remove_file(repo.path().join("same.py")).unwrap();
    repo.write("untracked.txt", "mine\n");
    repo.write("removed.py", "untracked at a path of the tag\n");
    repo.write("model.bin", "ignored\n");
    repo
}

#[cfg(unix)]
#[test]
fn every_kind_of_difference_goes_back_and_comes_back() {
    let repo = busy_repo();
    let before = state(&repo);
    let index = repo.read(".git/index");
    let expected = as_cloned(&repo, "v1", &[]);

    let run = rolled_back(&repo, &["v1", "--yes"]);
    assert!(run.stderr.contains("gpuguard rollback --undo"), "{run}");
    assert!(
        run.stdout.contains("replace untracked  removed.py"),
        "{run}"
    );
    let mut files = tree(&repo.path());
    for own in ["untracked.txt", "model.bin"] {
        assert!(files.remove(own).is_some(), "{own} must stay");
    }
    assert_eq!(files, expected);
    assert_eq!(repo.git(&["diff", "v1", "--"]), "");
    assert_eq!(repo.git(&["diff", "--cached", "v1", "--"]), "");
    assert_eq!(
        repo.git(&["diff-files", "--name-only"]),
        "",
        "the index knows the new times"
    );
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before.head);

    rolled_back(&repo, &["--undo"]);
    assert_eq!(state(&repo), before);
    let edited = repo.path().join("edited.py").metadata().unwrap();
    assert_eq!(mode(&edited), "600");
    assert!(repo.git(&["fsck", "--strict"]).is_empty());
    // `git status` above may have refreshed it: the entries are what counts here.
    assert_eq!(index[..4], repo.read(".git/index")[..4]);

    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.git(&["diff", "v1", "--"]), "", "an undo can be undone");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(state(&repo), before);
}

#[cfg(unix)]
#[test]
fn the_index_comes_back_byte_for_byte() {
    let repo = busy_repo();
    let index = repo.read(".git/index");
    rolled_back(&repo, &["v1", "--yes"]);
    assert_ne!(repo.read(".git/index"), index);
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.read(".git/index"), index);
}

#[cfg(unix)]
#[test]
fn edits_made_after_a_rollback_are_not_lost_by_its_undo() {
    let repo = busy_repo();
    rolled_back(&repo, &["v1", "--yes"]);
    repo.write("changed.py", "edited after the rollback\n");
    rolled_back(&repo, &["--undo", "--yes"]);
    assert_eq!(repo.read("changed.py"), b"v2\n");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(repo.read("changed.py"), b"edited after the rollback\n");
}

#[cfg(unix)]
#[test]
fn a_dry_run_changes_nothing_and_no_terminal_means_no() {
    let repo = busy_repo();
    let before = state(&repo);
    let run = rollback(&repo, &["v1", "--dry-run"]);
    assert_eq!(run.code, 0, "{run}");
    for line in [
        "restore            changed.py",
        "recreate           deep/a/b/c.py",
        "remove             added/new.py",
        "remove             just_added.py",
    ] {
        assert!(run.stdout.contains(line), "{line}: {run}");
    }
    assert!(!run.stdout.contains("untracked.txt"), "{run}");
    assert_eq!(state(&repo), before);
    let run = rollback(&repo, &["v1"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stdout.contains("changed.py"),
        "the plan is shown: {run}"
    );
    assert!(run.stderr.contains("--yes"), "{run}");
    assert_eq!(state(&repo), before);
    assert!(!repo.exists(".git/gpuguard/backups"));
}

#[test]
fn nothing_to_do_is_said() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    // A touched file is not a changed file.
    repo.write("a.py", "1\n");
    let run = rolled_back(&repo, &["v1", "--yes"]);
    assert!(run.stderr.contains("nothing to do"), "{run}");
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("nothing to undo"), "{run}");
}

// Its names are none for Windows.
#[cfg(not(windows))]
#[test]
fn paths_limit_a_rollback_and_are_taken_from_the_current_folder() {
    let repo = TestRepo::new();
    for path in ["sub/a.py", "sub/b.py", "sub2/a.py", "a.py", "sub/*.py"] {
        repo.write(path, "v1\n");
    }
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    for path in ["sub/a.py", "sub/b.py", "sub2/a.py", "a.py", "sub/*.py"] {
        repo.write(path, "v2\n");
    }
    repo.commit_all("two");
    let in_sub = |arguments: &[&str]| -> Run {
        let mut command = command(program(), &repo.path().join("sub"), repo.home());
        command.args(arguments).output().unwrap().into()
    };
    let run = in_sub(&["rollback", "v1", "a.py", "*.py", "--yes"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("sub/a.py"), b"v1\n");
    assert_eq!(repo.read("sub/*.py"), b"v1\n");
    assert_eq!(repo.read("sub/b.py"), b"v2\n", "a name is no pattern");
    assert_eq!(repo.read("a.py"), b"v2\n");
    rolled_back(&repo, &["v1", "sub", "--yes"]);
    assert_eq!(repo.read("sub/b.py"), b"v1\n");
    assert_eq!(repo.read("sub2/a.py"), b"v2\n");
    let status = repo.git(&["diff", "--name-only", "v1"]);
    assert_eq!(status, "a.py\nsub2/a.py\n");
    let run = in_sub(&["rollback", "v1", "nowhere.py", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("`sub/nowhere.py`"), "{run}");
}

#[test]
fn a_tag_is_not_taken_for_a_branch_of_its_name() {
    let repo = TestRepo::new();
    repo.write("a.py", "tag\n");
    repo.commit_all("one");
    repo.git(&["tag", "same"]);
    repo.write("a.py", "branch\n");
    repo.commit_all("two");
    repo.git(&["branch", "same"]);
    repo.write("a.py", "now\n");
    repo.commit_all("three");
    rolled_back(&repo, &["same", "--yes"]);
    assert_eq!(repo.read("a.py"), b"tag\n");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_or_removed_through_a_linked_folder() {
    let repo = TestRepo::new();
    repo.write("d/x", "v1\n");
    repo.write("d/y", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("d/x", "v2\n");
    repo.write("d/only_later", "v2\n");
    repo.commit_all("two");
    let outside = repo.beside("outside");
    std::fs::rename(repo.path().join("d"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, repo.path().join("d")).unwrap();
    let canary = tree(&outside);
    rolled_back(&repo, &["v1", "--yes"]);
    assert_eq!(tree(&outside), canary);
    assert_eq!(repo.read("d/x"), b"v1\n");
    assert!(!repo.path().join("d").is_symlink());
    assert_eq!(repo.git(&["diff", "v1"]), "");
    rolled_back(&repo, &["--undo"]);
    assert!(repo.path().join("d").is_symlink());
    assert_eq!(tree(&outside), canary);
}
