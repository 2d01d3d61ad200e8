//! `gpuguard scan --stdin`: what an editor holds, before it is saved.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, TestRepo, command, program};

const BAD: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                   os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n\
                   device = torch.device(\"cuda:1\")\n";

fn scan(repo: &TestRepo, folder: &Path, arguments: &[&str], content: &[u8]) -> Run {
    let mut child = command(program(), folder, repo.home())
        .arg("scan")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(content);
    child.wait_with_output().unwrap().into()
}

#[test]
fn what_comes_on_standard_input_is_judged_as_the_named_file() {
    let repo = TestRepo::with_policy();
    std::fs::create_dir(repo.path().join("src")).unwrap();
    // The file on the disk is another one, or there is none.
    repo.write("src/a.py", "print(1)\n");
    for (folder, name) in [
        ("", "src/a.py"),
        ("src", "a.py"),
        ("src", "../src/a.py"),
        ("", "src/new.py"),
    ] {
        let run = scan(
            &repo,
            &repo.path().join(folder),
            &["--stdin", "--stdin-filename", name, "--format", "json"],
            BAD.as_bytes(),
        );
        assert_eq!(run.code, 1, "{name}: {run}");
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let finding = &report["findings"][0];
        assert_eq!(finding["rule"], "GG006", "{run}");
        assert_eq!(finding["line"], 5);
        let path = if name.ends_with("new.py") {
            "src/new.py"
        } else {
            "src/a.py"
        };
        assert_eq!(finding["path"], path, "{run}");
    }
    let absolute = repo.path().join("src/a.py");
    let arguments = ["--stdin", "--stdin-filename", absolute.to_str().unwrap()];
    let run = scan(&repo, &repo.path(), &arguments, BAD.as_bytes());
    assert!(run.stdout.contains(" src/a.py:5:23"), "{run}");
    assert_eq!(repo.read("src/a.py"), b"print(1)\n");
}

#[test]
fn name_and_content_say_the_language_and_the_policy_what_counts() {
    let repo = TestRepo::with_policy();
    let run = |name: &str, content: &[u8]| {
        scan(
            &repo,
            &repo.path(),
            &["--stdin", "--stdin-filename", name],
            content,
        )
    };
    let found = run("run", b"#!/bin/sh\nexport CUDA_VISIBLE_DEVICES=0\n");
    assert_eq!(found.code, 1, "{found}");
    let skipped = run("a.bin", BAD.as_bytes());
    assert_eq!(skipped.code, 0, "{skipped}");
    assert!(
        skipped.stdout.contains("skipped a.bin: in no language"),
        "{skipped}"
    );
    let excluded = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        excluded.replace("exclude = []", "exclude = [\"old/\"]"),
    );
    assert_eq!(run("old/a.py", BAD.as_bytes()).code, 0);
    assert_eq!(run("a.py", b"print(1)\n").code, 0);
    assert_eq!(run("a.py", b"").code, 0);
}

#[test]
fn outside_a_repository_the_policy_is_named() {
    let repo = TestRepo::with_policy();
    let elsewhere = repo.beside("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let policy = repo.path().join("gpuguard.toml");
    let arguments = [
        "--stdin",
        "--stdin-filename",
        "a.py",
        "--policy",
        policy.to_str().unwrap(),
    ];
    let run = scan(&repo, &elsewhere, &arguments, BAD.as_bytes());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains(" a.py:5:23"), "{run}");
}

#[test]
fn both_options_go_together_and_with_no_other_source() {
    let repo = TestRepo::with_policy();
    for arguments in [
        &["--stdin"][..],
        &["--stdin-filename", "a.py"],
        &["--stdin", "--stdin-filename", "a.py", "b.py"],
        &["--stdin", "--stdin-filename", "a.py", "--staged"],
        &[
            "--stdin",
            "--stdin-filename",
            "a.py",
            "--range",
            "HEAD..HEAD",
        ],
    ] {
        let run = scan(&repo, &repo.path(), arguments, b"");
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
    }
}
