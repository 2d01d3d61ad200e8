//! `gpuguard fix` with the real binary: what it changes, what it leaves, and the way back.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Run, TestRepo, gpuguard};

const BAD: &str = "import torch\nmodel.to(\"cuda:1\")\n";
const GOOD: &str = "import os\n\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n\nimport torch\nmodel.to(\"cuda:0\")\n";
/// An error that no fix is sure to mend.
const HARD: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\nx.to(\"cuda\" \":1\")\n";

fn backups(repo: &TestRepo) -> Vec<Value> {
    let run = repo.gpuguard(&["backup", "list", "--format", "json"]);
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    list["backups"].as_array().unwrap().clone()
}

/// The index and what Git says of it.
fn index(repo: &TestRepo) -> (Vec<u8>, String) {
    (repo.read(".git/index"), repo.git(&["diff", "--cached"]))
}

#[track_caller]
fn is_done(run: &Run) {
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn files_are_mended_saved_and_taken_back() {
    let repo = TestRepo::with_policy();
    repo.write("a/train.py", BAD);
    repo.write("fine.py", GOOD);
    repo.commit_all("work");
    repo.write("untracked.py", BAD);
    let before = index(&repo);

    let run = repo.gpuguard(&["fix"]);
    is_done(&run);
    assert!(
        run.stdout.starts_with("fixed 6 problems in 2 files\n"),
        "{run}"
    );
    assert!(
        run.stdout.contains("  GG007 x2: ") && run.stdout.contains("  GG018 x2: "),
        "{run}"
    );
    assert!(
        run.stdout.contains("3 files scanned: no problems ("),
        "{run}"
    );
    assert_eq!(repo.read("a/train.py"), GOOD.as_bytes());
    assert_eq!(repo.read("untracked.py"), GOOD.as_bytes());
    assert!(before == index(&repo), "the index was touched");

    let saved = backups(&repo);
    assert_eq!(
        (saved.len(), &saved[0]["trigger"], &saved[0]["files"]),
        (1, &"fix".into(), &2.into())
    );
    let id = saved[0]["id"].as_str().unwrap();
    assert!(
        run.stderr.contains(id) && run.stderr.contains("rollback --undo"),
        "{run}"
    );
    is_done(&repo.gpuguard(&["backup", "verify", id]));

    // A second time there is nothing to do, and nothing is saved.
    let again = repo.gpuguard(&["fix"]);
    is_done(&again);
    assert!(again.stdout.starts_with("nothing was changed\n"), "{again}");
    assert_eq!(backups(&repo).len(), 1);

    let undo = repo.gpuguard(&["rollback", "--undo"]);
    is_done(&undo);
    assert!(
        undo.stderr.contains("the fix of `2 files` is undone"),
        "{undo}"
    );
    assert_eq!(repo.read("a/train.py"), BAD.as_bytes());
    assert_eq!(repo.read("untracked.py"), BAD.as_bytes());
    is_done(&repo.gpuguard(&["rollback", "--undo"]));
    assert_eq!(repo.read("a/train.py"), GOOD.as_bytes());

    is_done(&repo.gpuguard(&["backup", "restore", id]));
    assert_eq!(repo.read("a/train.py"), BAD.as_bytes());
}

#[test]
fn only_what_is_named_is_mended_and_what_the_policy_excludes_is_not() {
    let repo = TestRepo::with_policy();
    let preset = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    assert!(preset.contains("exclude = []"));
    repo.write(
        "gpuguard.toml",
        preset.replace("exclude = []", "exclude = [\"old/\"]"),
    );
    for path in ["a.py", "sub/b.py", "old/c.py"] {
        repo.write(path, BAD);
    }
    let run = repo.gpuguard(&["fix", "sub", "old/c.py"]);
    is_done(&run);
    assert_eq!(repo.read("a.py"), BAD.as_bytes());
    assert_eq!(repo.read("sub/b.py"), GOOD.as_bytes());
    assert_eq!(repo.read("old/c.py"), BAD.as_bytes());
    assert!(
        run.stdout
            .contains("skipped old/c.py: excluded by the policy"),
        "{run}"
    );
}

#[test]
fn what_remains_is_shown_and_is_the_answer() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", BAD);
    repo.write("b.py", HARD);
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.starts_with("error[GG006]"), "{run}");
    assert!(run.stdout.contains("fixed 3 problems in 1 file\n"), "{run}");
    assert_eq!(repo.read("a.py"), GOOD.as_bytes());
    assert_eq!(repo.read("b.py"), HARD.as_bytes());
    // Nothing could be done at all: nothing is saved, and it says so.
    let again = repo.gpuguard(&["fix", "b.py"]);
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stdout.contains("nothing was changed\n"), "{again}");
    assert_eq!(backups(&repo).len(), 1);
}

#[test]
fn doubtful_changes_are_made_only_when_asked_for() {
    let repo = TestRepo::with_policy();
    let default = format!(
        "{}\n\ndef f(gpu_device_index=1):\n    pass\n",
        GOOD.trim_end()
    );
    repo.write("a.py", &default);
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout
            .contains("1 fixable with `gpuguard fix --unsafe-fixes`"),
        "{run}"
    );
    assert_eq!(repo.read("a.py"), default.as_bytes());
    is_done(&repo.gpuguard(&["fix", "--unsafe-fixes"]));
    assert_eq!(
        repo.read("a.py"),
        default.replace("index=1", "index=0").as_bytes()
    );
}

/// One file in each encoding and with each kind of line end.
fn peculiar() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let crlf = |text: &str| bytes(&text.replace('\n', "\r\n"));
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let utf_16 = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let latin = |text: &str| {
        let head: &[u8] = b"# -*- coding: latin-1 -*-\n# d\xe9j\xe0 vu\n\n";
        [head, text.as_bytes()].concat()
    };
    let head = "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n\"\"\"Doc.\"\"\"\n\
                from __future__ import annotations\n\n";
    let open = |text: &str| bytes(text.trim_end());
    let tabs = |text: &str| bytes(&format!("{text}if x:\n\tif y:\n\t\tpass"));
    vec![
        ("crlf.py", crlf(BAD), crlf(GOOD)),
        ("bom.py", marked(BAD), marked(GOOD)),
        ("latin.py", latin(BAD), latin(GOOD)),
        ("utf16.py", utf_16(BAD), utf_16(GOOD)),
        (
            "head.py",
            bytes(&format!("{head}{BAD}")),
            bytes(&format!("{head}{GOOD}")),
        ),
        ("open.py", open(BAD), open(GOOD)),
        ("tabs.py", tabs(BAD), tabs(GOOD)),
        ("a file é.py", bytes(BAD), bytes(GOOD)),
    ]
}

#[test]
fn encodings_line_ends_and_heads_stay() {
    let repo = TestRepo::with_policy();
    for (path, bad, _) in peculiar() {
        repo.write(path, bad);
    }
    is_done(&repo.gpuguard(&["fix"]));
    for (path, _, good) in peculiar() {
        assert_eq!(repo.read(path), good, "{path}");
    }
}

#[test]
fn a_diff_changes_nothing_and_can_be_applied() {
    let repo = TestRepo::with_policy();
    for (path, bad, _) in peculiar() {
        repo.write(path, bad);
    }
    let before = index(&repo);
    let diff = repo
        .command(crate::support::program())
        .args(["fix", "--diff"])
        .output()
        .unwrap();
    let run = Run::from(diff.clone());
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout.contains("--- a/crlf.py\n+++ b/crlf.py\n@@ "),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("would fix 24 problems in 8 files; nothing was changed"),
        "{run}"
    );
    assert!(backups(&repo).is_empty() && before == index(&repo));
    for (path, bad, _) in peculiar() {
        assert_eq!(repo.read(path), bad, "{path}");
    }
    let mut git = repo.command(crate::support::git());
    git.args(["apply", "--whitespace=nowarn", "-"])
        .stdin(Stdio::piped());
    let mut apply = git
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    apply.stdin.take().unwrap().write_all(&diff.stdout).unwrap();
    let run = Run::from(apply.wait_with_output().unwrap());
    is_done(&run);
    for (path, _, good) in peculiar() {
        assert_eq!(repo.read(path), good, "{path}");
    }
    let run = repo.gpuguard(&["fix", "--diff"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run}");
    assert_eq!(run.stderr, "nothing to fix\n");
}

#[test]
fn a_misspelt_variable_is_mended_and_not_set_twice() {
    let repo = TestRepo::with_policy();
    repo.write(
        "a.py",
        "import os\nos.environ[\"CUDA_VISIBLE_DEVICE\"] = \"1\"\nimport torch\nmodel.to(\"cuda:0\")\n",
    );
    is_done(&repo.gpuguard(&["fix"]));
    let mended = String::from_utf8(repo.read("a.py")).unwrap();
    assert_eq!(
        mended.matches("CUDA_VISIBLE_DEVICES").count(),
        1,
        "{mended}"
    );
    assert_eq!(mended.matches("CUDA_DEVICE_ORDER").count(), 1, "{mended}");
}

#[test]
fn outside_a_repository_it_only_shows() {
    let folder = tempfile::TempDir::new().unwrap();
    let preset = include_str!("../../src/policy/preset_rtx3090.toml");
    std::fs::write(folder.path().join("gpuguard.toml"), preset).unwrap();
    std::fs::write(folder.path().join("a.py"), BAD).unwrap();
    let run = gpuguard(folder.path(), &["fix"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("nothing was changed") && run.stderr.contains("--diff"),
        "{run}"
    );
    let run = gpuguard(folder.path(), &["fix", "--diff"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("+import os\n"), "{run}");
    assert_eq!(
        std::fs::read(folder.path().join("a.py")).unwrap(),
        BAD.as_bytes()
    );
}

#[test]
fn files_in_conflict_and_of_other_repositories_are_left_alone() {
    let repo = TestRepo::with_policy();
    repo.write("both.py", "import torch\n");
    repo.commit_all("base");
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("both.py", "import torch\nx.to('cuda:1')\n");
    repo.commit_all("other");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("both.py", "import torch\nx.to('cuda:2')\n");
    repo.commit_all("ours");
    assert_ne!(repo.try_git(&["merge", "--quiet", "other"]).code, 0);
    let conflict = repo.read("both.py");
    std::fs::create_dir(repo.path().join("nested")).unwrap();
    repo.git(&["init", "--quiet", "nested"]);
    repo.write("nested/a.py", BAD);
    repo.write("mine.py", BAD);

    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .contains("left alone: `both.py`: it is in conflict"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("left alone: `nested/a.py`: it belongs to another repository"),
        "{run}"
    );
    assert_eq!(repo.read("both.py"), conflict);
    assert_eq!(repo.read("nested/a.py"), BAD.as_bytes());
    assert_eq!(repo.read("mine.py"), GOOD.as_bytes());
}

#[test]
fn an_encoding_that_cannot_be_written_back_is_left_alone() {
    let repo = TestRepo::with_policy();
    let gbk = [b"# coding: gbk\nx = '\xd6\xd0'\n", BAD.as_bytes()].concat();
    repo.write("gbk.py", &gbk);
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .contains("left alone: `gbk.py`: its encoding `gbk` cannot be written back"),
        "{run}"
    );
    assert_eq!(repo.read("gbk.py"), gbk);
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_the_working_tree_only() {
    use std::os::unix::fs::symlink;
    let repo = TestRepo::with_policy();
    repo.write("real.py", BAD);
    symlink("real.py", repo.path().join("link.py")).unwrap();
    let outside = repo.beside("outside.py");
    std::fs::write(&outside, BAD).unwrap();
    symlink(&outside, repo.path().join("away.py")).unwrap();
    let run = repo.gpuguard(&["fix", "link.py", "away.py"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .contains("left alone: `away.py`: it lies outside this working tree"),
        "{run}"
    );
    assert_eq!(repo.read("real.py"), GOOD.as_bytes());
    assert!(repo.path().join("link.py").is_symlink() && repo.path().join("away.py").is_symlink());
    assert_eq!(std::fs::read(&outside).unwrap(), BAD.as_bytes());
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_read_only_files_are_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = TestRepo::with_policy();
    let mode = |path: &str| {
        repo.path()
            .join(path)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    for (path, bits) in [("run.py", 0o755), ("own.py", 0o600), ("fixed.py", 0o444)] {
        repo.write(path, BAD);
        let bits = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(repo.path().join(path), bits).unwrap();
    }
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .contains("left alone: `fixed.py`: it is read-only"),
        "{run}"
    );
    assert_eq!(repo.read("run.py"), GOOD.as_bytes());
    assert_eq!(
        (mode("run.py"), mode("own.py"), mode("fixed.py")),
        (0o755, 0o600, 0o444)
    );
    assert_eq!(repo.read("fixed.py"), BAD.as_bytes());
}

#[test]
fn where_nothing_can_be_saved_nothing_is_changed() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", BAD);
    // A file stands where the folder of backups should be.
    repo.write(".git/gpuguard/backups", "in the way");
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    assert_eq!(repo.read("a.py"), BAD.as_bytes());
}
