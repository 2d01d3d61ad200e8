//! What is so on Windows only. Run under wine by `tests/windows.sh`.

use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;

use super::backup::{backup, created};
use crate::support::{Run, TestRepo, program};

const BAD: &str = "import torch\r\ntorch.device(\"cuda:1\")\r\n";

fn hook(repo: &TestRepo, event: &str) -> std::path::PathBuf {
    repo.path().join(".git/hooks").join(event)
}

#[test]
fn on_windows_the_hook_is_a_program() {
    let repo = TestRepo::with_policy();
    fs::create_dir_all(hook(&repo, "")).unwrap();
    let run = repo.gpuguard(&["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("pre-commit.exe"), "{run}");
    let installed = hook(&repo, "pre-commit.exe");
    assert!(fs::read(&installed).unwrap() == fs::read(program()).unwrap());
    assert!(!hook(&repo, "pre-commit").exists());
    let again = repo.gpuguard(&["install"]);
    assert!(again.stderr.contains("already installed"), "{again}");

    // What Git for Windows does with it.
    repo.write("bad.py", BAD);
    repo.git(&["add", "bad.py"]);
    let run: Run = repo.command(&installed).output().unwrap().into();
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("bad.py:2:"), "{run}");

    let run = repo.gpuguard(&["uninstall"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!installed.exists(), "{run}");
    assert!(!hook(&repo, "pre-merge-commit.exe").exists(), "{run}");
}

#[test]
fn a_hook_that_is_there_makes_it_a_script_and_comes_back() {
    let repo = TestRepo::with_policy();
    fs::create_dir_all(hook(&repo, "")).unwrap();
    assert_eq!(repo.gpuguard(&["install"]).code, 0);
    fs::write(hook(&repo, "pre-commit"), "#!/bin/sh\nexit 0\n").unwrap();
    let run = repo.gpuguard(&["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!hook(&repo, "pre-commit.exe").exists(), "{run}");
    let script = fs::read_to_string(hook(&repo, "pre-commit")).unwrap();
    assert!(script.contains("gpuguard-hook-id"), "{script}");
    assert_eq!(repo.gpuguard(&["uninstall"]).code, 0);
    let back = fs::read_to_string(hook(&repo, "pre-commit")).unwrap();
    assert_eq!(back, "#!/bin/sh\nexit 0\n");
}

#[test]
fn a_path_of_more_than_260_characters_is_saved_judged_and_restored() {
    let repo = TestRepo::with_policy();
    let long = vec!["a_folder_with_a_rather_long_name_to_get_there"; 7].join("/") + "/train.py";
    assert!(long.len() > 260);
    repo.write(&long, BAD);
    let run = repo.gpuguard(&["scan", "."]);
    assert_eq!(run.code, 1, "{run}");
    let id = created(&repo, &["."]);
    repo.write(&long, "changed\r\n");
    let run = backup(&repo, &["restore", &id]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read(&long), BAD.as_bytes());
}

#[test]
fn a_read_only_file_is_restored_and_read_only_again() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "saved\r\n");
    let id = created(&repo, &["a.py"]);
    repo.write("a.py", "edited\r\n");
    let file = repo.path().join("a.py");
    let mut permissions = file.metadata().unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    let run = backup(&repo, &["restore", &id]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"saved\r\n");
    assert!(file.metadata().unwrap().permissions().readonly());
}

#[test]
fn a_file_that_another_program_has_open_is_left_and_told_of() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "saved\r\n");
    repo.write("b.py", "saved\r\n");
    let id = created(&repo, &["a.py", "b.py"]);
    repo.write("a.py", "edited\r\n");
    repo.write("b.py", "edited\r\n");
    // As an editor that shares nothing but reading.
    let open = OpenOptions::new()
        .read(true)
        .share_mode(1)
        .open(repo.path().join("b.py"))
        .unwrap();
    let run = backup(&repo, &["restore", &id]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("b.py"), "{run}");
    assert_eq!(repo.read("b.py"), b"edited\r\n");
    drop(open);
    let run = backup(&repo, &["restore", &id]);
    assert_eq!(run.code, 0, "{run}");
    let contents = (repo.read("a.py"), repo.read("b.py"));
    assert_eq!(contents, (b"saved\r\n".to_vec(), b"saved\r\n".to_vec()));
}

#[test]
fn names_that_differ_in_case_only_are_not_written_over_each_other() {
    let repo = TestRepo::with_policy();
    // Two entries of a tree that one folder here cannot hold.
    let blob = |content: &str| {
        repo.write("scratch", content);
        repo.git(&["hash-object", "-w", "scratch"])
            .trim()
            .to_owned()
    };
    let (upper, lower) = (blob("upper\n"), blob("lower\n"));
    for (name, id) in [("Model.py", upper), ("model.py", lower)] {
        repo.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("100644,{id},{name}"),
        ]);
    }
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "both"]);
    repo.git(&["tag", "both"]);
    repo.git(&["rm", "--quiet", "--cached", "Model.py", "model.py"]);
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "none"]);
    let run = repo.gpuguard(&["rollback", "both", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("odel.py"), "{run}");
    assert!(!repo.exists("model.py"), "{run}");
}

#[test]
fn names_that_windows_keeps_for_devices_are_not_written() {
    let repo = TestRepo::with_policy();
    repo.write("scratch", "x\n");
    let id = repo
        .git(&["hash-object", "-w", "scratch"])
        .trim()
        .to_owned();
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("100644,{id},aux.py"),
    ]);
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "device"]);
    repo.git(&["tag", "device"]);
    repo.git(&["rm", "--quiet", "--cached", "aux.py"]);
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "none"]);
    let run = repo.gpuguard(&["rollback", "device", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("aux.py"), "{run}");
}

#[test]
fn an_installation_by_powershell_does_what_the_script_says() {
    // The three things that `install.ps1` has the program or cargo do.
    let repo = TestRepo::with_policy();
    let script = include_str!("../../install.ps1");
    assert!(script.contains("& $program install $Repository"));
    let folder = repo.path();
    let run = crate::support::gpuguard(
        folder.parent().unwrap(),
        &["install", folder.to_str().unwrap()],
    );
    assert_eq!(run.code, 0, "{run}");
    assert!(script.contains(r"release\gpuguard.exe"));
    assert!(program().ends_with("gpuguard.exe"));
    assert!(script.contains("cargo metadata --format-version 1 --no-deps --locked"));
}
