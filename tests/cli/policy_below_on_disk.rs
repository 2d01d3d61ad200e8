//! Policies only in folders below the root, asked of the commands that look at files of the disk
//! or at a range: the nearest one going up counts, and what has none is not judged, which is said.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use crate::support::{Run, TestRepo, command, program};

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");
const BAD: &str = "import torch\nd = torch.device(\"cuda:1\")\n";

/// A repository with the founding rig's policy in `ml/` alone, which Git does not know yet.
fn below_only() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("ml/gpuguard.toml", RIG);
    repo.write("ml/deep/t.py", BAD);
    repo.write("web/a.py", BAD);
    repo.write("b.py", BAD);
    repo
}

fn inside(repo: &TestRepo, folder: &str, arguments: &[&str]) -> Run {
    command(program(), &repo.path().join(folder), repo.home())
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

const LEFT: &str = "2 files not judged: no gpuguard.toml in their folders or above them";

#[test]
fn files_of_the_disk_go_by_the_nearest_policy() {
    let repo = below_only();
    let run = repo.gpuguard(&["scan", "."]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("ml/deep/t.py:2"), "{run}");
    assert!(!run.stdout.contains("a.py"), "{run}");
    assert!(run.stdout.contains(LEFT), "{run}");
    assert!(run.stdout.contains("1 file scanned"), "{run}");

    let run = repo.gpuguard(&["scan", ".", "--format", "concise"]);
    assert!(run.stderr.contains(LEFT), "{run}");
    let run = repo.gpuguard(&["scan", ".", "--format", "json"]);
    assert_eq!(run.stdout.matches("\"no-policy\"").count(), 2, "{run}");

    for (folder, arguments) in [
        (".", &["scan", "ml/deep/t.py"][..]),
        ("ml", &["scan", "."]),
        ("ml/deep", &["scan"]),
        ("ml", &["fix", "--diff"]),
        (".", &["fix", "--diff"]),
    ] {
        let run = inside(&repo, folder, arguments);
        assert_eq!(run.code, 1, "{arguments:?}: {run}");
        assert!(run.stdout.contains("t.py"), "{arguments:?}: {run}");
    }
    let run = repo.gpuguard(&["policy", "show", "--explain", "ml/deep/t.py:2"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("ml/gpuguard.toml"), "{run}");
    let run = repo.gpuguard(&["report"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("GG007"), "{run}");
}

#[test]
fn where_no_file_has_a_policy_there_is_none() {
    let repo = below_only();
    for arguments in [
        &["scan", "web"][..],
        &["scan", "b.py"],
        &["fix", "web/a.py"],
        &["policy", "show", "--explain", "b.py"],
        &["policy", "show"],
    ] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains("no policy"), "{arguments:?}: {run}");
    }
    // Nor does it help that Git knows the other one.
    repo.git(&["add", "ml"]);
    for arguments in [&["scan", "web"][..], &["policy", "show", "--staged"]] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
    }
}

#[test]
fn what_an_editor_holds_goes_by_the_nearest_policy() {
    use std::io::Write as _;
    let repo = below_only();
    for (name, code) in [("ml/deep/new.py", 1), ("web/new.py", 2)] {
        let mut editor = repo
            .command(program())
            .args(["scan", "--stdin", "--stdin-filename", name])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Where there is no policy nobody reads it.
        let _ = editor.stdin.take().unwrap().write_all(BAD.as_bytes());
        let run = Run::from(editor.wait_with_output().unwrap());
        assert_eq!(run.code, code, "{run}");
    }
}

#[test]
fn a_repository_inside_the_current_folder_has_its_own() {
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", RIG);
    repo.write("t.py", BAD);
    let outside = repo.path().parent().unwrap().to_owned();
    let run: Run = command(program(), &outside, repo.home())
        .args(["scan", "repo/t.py"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 1, "{run}");
}

#[test]
fn a_range_goes_by_the_policies_of_its_end() {
    let repo = TestRepo::new();
    repo.write("ml/gpuguard.toml", RIG);
    repo.commit_all("policy");
    repo.write("web/a.py", BAD);
    repo.commit_all("web");
    let run = repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
    assert_eq!(run.code, 0, "{run}");
    let said = "no gpuguard.toml at the root";
    assert!(run.stdout.contains(said), "{run}");
    let run = repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD", "--format", "sarif"]);
    assert!(run.stderr.contains(said), "{run}");
    repo.write("ml/t.py", BAD);
    repo.commit_all("ml");
    let run = repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("ml/t.py:2"), "{run}");
    let run = repo.gpuguard(&["scan", "--range", "HEAD~3..HEAD"]);
    assert_eq!(run.code, 2, "there is no such commit: {run}");
}
