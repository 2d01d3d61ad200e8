//! Backups as the hook makes them, with Git's side of a file, and as nobody should make them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::Write as _;

use gpuguard::backup::{BackupId, SnapshotEntry, SnapshotRequest, Store, Sum, Version};
use gpuguard::git::{FileMode, RepoPath, Repository};
use gpuguard::sys::clock;

use super::rollback::tree;
use crate::support::TestRepo;

fn staged_backup(repo: &TestRepo, versions: &[(Version, &[u8])]) -> String {
    let repository = Repository::discover(&repo.path()).unwrap();
    let mut request = SnapshotRequest::new("pre-commit", repository.head().unwrap());
    for (version, content) in versions {
        request.entries.push(SnapshotEntry {
            path: RepoPath::new(&b"a.txt"[..]),
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
        assert_eq!(
            repo.gpuguard(&["backup", "verify", &id]).code,
            0,
            "well formed"
        );
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
