//! Backups as the hook makes them, with Git's side of a file, and as nobody should make them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::Write as _;

use gpuguard::backup::{BackupId, SnapshotEntry, SnapshotRequest, Store, Sum, Version};
use gpuguard::git::{FileMode, RepoPath, Repository};
use gpuguard::sys::clock;

use super::rollback::tree;
use crate::support::TestRepo;

pub(super) fn staged_backup(repo: &TestRepo, versions: &[(Version, &[u8])]) -> String {
    let files: Vec<_> = versions
        .iter()
        .map(|(version, content)| (*version, "a.txt", *content))
        .collect();
    backup_of(repo, "pre-commit", &files)
}

fn backup_of(repo: &TestRepo, trigger: &'static str, files: &[(Version, &str, &[u8])]) -> String {
    let repository = Repository::discover(&repo.path()).unwrap();
    let mut request = SnapshotRequest::new(trigger, repository.head().unwrap());
    for (version, path, content) in files {
        request.entries.push(SnapshotEntry {
            path: RepoPath::new(path.as_bytes()),
            version: *version,
            mode: FileMode::Regular,
            content: content.to_vec().into(),
        });
    }
    let store = Store::at(repository.common_dir());
    store.create(&request, clock::now()).unwrap().id
}

#[test]
fn what_git_had_staged_is_written_as_a_checkout_writes_it() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.txt text eol=crlf\n");
    repo.write("a.txt", "now\r\n");
    let id = staged_backup(
        &repo,
        &[
            (Version::Before, b"before\n"),
            (Version::Staged, b"staged\n"),
        ],
    );
    let run = repo.gpuguard(&["backup", "restore", &id]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.txt"), b"staged\r\n");
    let run = repo.gpuguard(&["backup", "restore", &id, "--version", "before", "a.txt"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.txt"), b"before\r\n");
    let run = repo.gpuguard(&["backup", "restore", &id, "--to", "out"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        repo.read("out/a.txt"),
        b"staged\n",
        "elsewhere, as it was saved"
    );
    for _ in 0..2 {
        assert_eq!(repo.gpuguard(&["rollback", "--undo"]).code, 0);
    }
    assert_eq!(
        repo.read("a.txt"),
        b"before\r\n",
        "an undo, and the undo of it"
    );
}

#[test]
fn a_forged_backup_with_a_name_outside_is_refused_whole() {
    let repo = TestRepo::new();
    let id = staged_backup(&repo, &[(Version::Worktree, b"x")]);
    assert!(BackupId::parse(&id).is_some());
    let archive = repo.path().join(format!(".git/gpuguard/backups/{id}.zip"));
    for evil in [
        "../evil",
        ".git/hooks/post-checkout",
        "/evil",
        #[cfg(windows)]
        "C:evil",
        "a/../../evil",
    ] {
        let entry = |path: &str, member: &str| {
            serde_json::json!({"path": path, "version": "worktree", "member": member,
                "mode": "100755", "size": 1, "sha256": Sum::of(b"x").to_string()})
        };
        let manifest = serde_json::json!({"version": 1, "id": id, "trigger": "manual",
            "created": "2026-01-01T00:00:00Z", "commit": null, "branch": null, "tool": "x",
            "entries": [entry("good", "worktree/good"), entry(evil, "worktree/evil")]});
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let manifest = manifest.to_string();
        for (name, content) in [
            ("worktree/good", "x"),
            ("worktree/evil", "x"),
            ("manifest.json", &manifest),
        ] {
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        std::fs::write(&archive, &bytes).unwrap();
        let line = format!("{}  {id}.zip\n", Sum::of(&bytes));
        std::fs::write(archive.with_extension("zip.sha256"), line).unwrap();
        for verify in [&["verify", &id], &["verify", "--all"]] {
            let run = repo.gpuguard(&[&["backup"], &verify[..]].concat());
            assert_eq!(run.code, 1, "well formed, and no good: {evil}: {run}");
            assert!(run.stderr.contains("must not be written"), "{evil}: {run}");
        }
        for arguments in [
            &["backup", "restore", &id][..],
            &["backup", "restore", &id, "--to", "o"],
        ] {
            let run = repo.gpuguard(arguments);
            assert_eq!(run.code, 2, "{evil}: {run}");
            assert!(run.stderr.contains("must not be written"), "{evil}: {run}");
        }
        assert!(tree(&repo.path()).is_empty(), "{evil}");
        assert!(!repo.beside("evil").exists() && !repo.exists(".git/hooks/post-checkout"));
    }
}

#[test]
fn every_kind_of_index_goes_back_and_comes_back() {
    for kind in [
        &["update-index", "--index-version", "4"][..],
        &["update-index", "--split-index"],
        &["update-index", "--untracked-cache"],
    ] {
        let repo = TestRepo::new();
        repo.write("a/b.py", "v1\n");
        repo.write("c.py", "v1\n");
        repo.commit_all("one");
        repo.git(&["tag", "v1"]);
        repo.write("a/b.py", "v2\n");
        repo.write("d.py", "v2\n");
        repo.commit_all("two");
        repo.git(kind);
        repo.write("c.py", "staged\n");
        repo.git(&["add", "c.py"]);
        let index = repo.read(".git/index");
        let listing = repo.git(&["ls-files", "-s"]);
        let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
        assert_eq!(run.code, 0, "{kind:?}: {run}");
        assert_eq!(repo.git(&["diff", "--cached", "v1"]), "", "{kind:?}");
        assert_eq!(repo.git(&["diff", "v1"]), "", "{kind:?}");
        repo.git(&["fsck", "--strict"]);
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(run.code, 0, "{kind:?}: {run}");
        // A split index comes back in one piece.
        if !kind.contains(&"--split-index") {
            assert_eq!(repo.read(".git/index"), index, "{kind:?}");
        }
        assert_eq!(repo.git(&["ls-files", "-s"]), listing, "{kind:?}");
    }
}

#[test]
fn what_was_only_staged_comes_back_even_after_git_threw_it_away() {
    let repo = TestRepo::new();
    repo.write("a.py", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.py", "only staged\n");
    repo.git(&["add", "a.py"]);
    repo.write("a.py", "and edited on\n");
    let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
    assert_eq!(run.code, 0, "{run}");
    repo.git(&["gc", "--quiet", "--prune=now"]);
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.git(&["show", ":a.py"]), "only staged\n");
    assert_eq!(repo.read("a.py"), b"and edited on\n");
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn files_that_cannot_lie_side_by_side_are_told_before_the_first_is_written() {
    let repo = TestRepo::new();
    let id = backup_of(
        &repo,
        "pre-commit",
        &[
            (Version::Before, "a", b"a file once"),
            (Version::Staged, "a/b", b"below a folder now"),
            (Version::Staged, "0", b"the first"),
        ],
    );
    let run = repo.gpuguard(&["backup", "restore", &id, "--to", "out"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("nothing was restored"), "{run}");
    assert!(tree(&repo.path().join("out")).is_empty());
    let run = repo.gpuguard(&[
        "backup",
        "restore",
        &id,
        "--version",
        "staged",
        "--to",
        "out",
    ]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("out/a/b"), b"below a folder now");
}

#[test]
fn a_linked_gitmodules_from_gits_side_is_refused() {
    let repo = TestRepo::new();
    let repository = Repository::discover(&repo.path()).unwrap();
    let mut request = SnapshotRequest::new("pre-commit", repository.head().unwrap());
    request.entries.push(SnapshotEntry {
        path: RepoPath::new(&b".gitmodules"[..]),
        version: Version::Staged,
        mode: FileMode::Symlink,
        content: b"elsewhere".to_vec().into(),
    });
    let store = Store::at(repository.common_dir());
    let id = store.create(&request, clock::now()).unwrap().id;
    let run = repo.gpuguard(&["backup", "verify"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("`.gitmodules`"), "{run}");
    let run = repo.gpuguard(&["backup", "restore", &id, "--to", "out"]);
    assert_eq!(run.code, 2, "{run}");
}

#[test]
fn the_latest_to_restore_is_never_what_a_restore_replaced() {
    let repo = TestRepo::new();
    repo.write("a.txt", "good\n");
    let run = repo.gpuguard(&["backup", "create"]);
    let good = run.stdout.trim().to_owned();
    for _ in 0..3 {
        repo.write("a.txt", "bad\n");
        let run = repo.gpuguard(&["backup", "restore", "latest"]);
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains(&good), "{run}");
        assert_eq!(repo.read("a.txt"), b"good\n");
        let run = repo.gpuguard(&["backup", "restore", "latest", "a.txt"]);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(repo.read("a.txt"), b"good\n", "again changes nothing");
    }
    let run = repo.gpuguard(&["backup", "restore", "latest", "--to", "out"]);
    assert!(run.stderr.contains(&good), "{run}");
    let archive = format!(".git/gpuguard/backups/{good}.zip");
    for name in [archive.clone(), format!("{archive}.sha256")] {
        std::fs::remove_file(repo.path().join(name)).unwrap();
    }
    let run = repo.gpuguard(&["backup", "restore", "latest"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("rollback --undo"), "{run}");
    assert_eq!(repo.gpuguard(&["backup", "show", "latest"]).code, 0);
}

#[test]
fn a_sum_without_its_archive_is_a_damaged_backup() {
    let repo = TestRepo::new();
    let whole = staged_backup(&repo, &[(Version::Worktree, b"x")]);
    let lost = staged_backup(&repo, &[(Version::Worktree, b"x")]);
    let archive = |id: &str| repo.path().join(format!(".git/gpuguard/backups/{id}.zip"));
    std::fs::remove_file(archive(&lost)).unwrap();
    for arguments in [&["verify", "--all"], &["verify", lost.as_str()]] {
        let run = repo.gpuguard(&[&["backup"], &arguments[..]].concat());
        assert_eq!(run.code, 1, "{run}");
        let told = format!("`{lost}` is damaged: its archive is missing");
        assert!(run.stderr.contains(&told), "{run}");
    }
    let run = repo.gpuguard(&["backup", "list"]);
    assert!(run.stderr.contains(&lost), "{run}");
    let run = repo.gpuguard(&["backup", "restore", "latest"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains(&whole), "{run}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_midway_is_told_with_what_is_there() {
    use crate::support::{Run, program};
    let repo = TestRepo::new();
    let large = vec![7; 200_000];
    let files: [(Version, &str, &[u8]); 3] = [
        (Version::Worktree, "a.py", b"small"),
        (Version::Worktree, "b.bin", &large),
        (Version::Worktree, "c.py", b"small"),
    ];
    let id = backup_of(&repo, "manual", &files);
    // A file may not grow beyond 64 KiB: what a full disk does, without one.
    let run: Run = repo
        .command("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(program())
        .args(["backup", "restore", &id, "--to", "out"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("1 of 3 files were restored"), "{run}");
    assert!(run.stderr.contains("b.bin` cannot be written"), "{run}");
    let left: Vec<_> = tree(&repo.path().join("out")).into_keys().collect();
    assert_eq!(left, ["a.py"]);
}
