//! Gits from 2.54 on: entries in the configuration. The Git here only says that it is so new.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{
    HOOK, NEW_GIT, PREVIOUS, hook, install, install_from_vanished_program_with, uninstall, which,
    with_git,
};
use crate::support::{Run, TestRepo, command, git, program};

const SCRIPT: &str = ".git/gpuguard/pre-commit";

/// Runs the configured command as Git does.
fn start(repo: &TestRepo, variable: (&str, &str)) -> Run {
    let command = repo.git(&["config", "--local", "hook.gpuguard.command"]);
    repo.command("sh")
        .args(["-c", &format!("{} \"$@\"", command.trim_end()), "hook"])
        .env(variable.0, variable.1)
        .output()
        .unwrap()
        .into()
}

fn install_new(repo: &TestRepo) -> Run {
    with_git(repo, &repo.path(), NEW_GIT, &["install"])
}

#[test]
fn a_new_git_gets_entries_in_its_configuration() {
    let repo = TestRepo::new();
    let before = repo.read(".git/config");
    hook(&repo, "exit 0\n");
    // Where hook files are shared by all repositories, the configuration still works.
    repo.git(&["config", "--global", "core.hooksPath", "/etc"]);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.starts_with("installed: "), "{run}");
    assert!(
        run.stderr.contains("does not read it and checks nothing"),
        "{run}"
    );
    let script = String::from_utf8(repo.read(SCRIPT)).unwrap();
    assert!(script.contains(program().to_str().unwrap()), "{script}");
    assert_eq!(
        repo.git(&["config", "--local", "hook.gpuguard.event"]),
        "pre-commit\n"
    );
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");

    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert!(run.stderr.starts_with("already installed: "), "{run}");
    assert_eq!(
        repo.git(&["config", "--get-all", "hook.gpuguard.event"]),
        "pre-commit\n"
    );

    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("the entries of hook.gpuguard were removed"),
        "{run}"
    );
    assert_eq!(repo.read(".git/config"), before);
    assert!(!repo.exists(".git/gpuguard"));
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");
}

#[test]
fn a_new_git_takes_over_from_the_hook_file_of_an_old_one() {
    let repo = TestRepo::new();
    install(&repo);
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(!repo.exists(HOOK));
    assert!(repo.exists(SCRIPT));
}

#[test]
fn a_hook_file_that_is_there_runs_first_with_a_new_git_too() {
    let repo = TestRepo::new();
    install_new(&repo);
    hook(&repo, "exit 0\n");
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(run.stderr.contains("has to run first"), "{run}");
    assert_eq!(repo.read(PREVIOUS), b"#!/bin/sh\nexit 0\n");
    assert!(!repo.exists(SCRIPT));
    let left = repo.try_git(&["config", "--get-regexp", "^hook\\.gpuguard\\."]);
    assert_eq!(left.stdout, "", "Git would run both");
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("already installed: "), "{run}");

    // Git passes over it now, and the configuration will do.
    fs::set_permissions(repo.path().join(PREVIOUS), Permissions::from_mode(0o644)).unwrap();
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(run.stderr.contains("hook.gpuguard.command"), "{run}");
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");
    assert!(!repo.exists(PREVIOUS));
}

#[test]
fn entries_of_others_run_first() {
    let repo = TestRepo::new();
    repo.git(&["config", "--global", "hook.format.command", "format"]);
    repo.git(&["config", "--global", "hook.format.event", "post-commit"]);
    assert!(install_new(&repo).stderr.contains("hook.gpuguard.command"));
    repo.git(&["config", "--global", "hook.format.event", "pre-commit"]);
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(run.stderr.contains("has to run first"), "{run}");
    assert!(repo.exists(HOOK));
    assert!(!repo.exists(SCRIPT));
}

#[test]
fn a_hook_file_can_be_asked_for() {
    let repo = TestRepo::new();
    install_new(&repo);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install", "--shim"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("every Git runs it"), "{run}");
    assert!(repo.exists(HOOK));
    assert!(!repo.exists(SCRIPT));
    let left = repo.try_git(&["config", "--get-regexp", "^hook\\."]);
    assert_eq!(left.stdout, "", "Git would run both");
}

#[test]
fn a_program_that_has_gone_is_told_of_and_can_be_passed_by() {
    let repo = TestRepo::new();
    let copy = install_from_vanished_program_with(&repo, "my 'tools'", NEW_GIT);
    let run = start(&repo, ("NOTHING", ""));
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains(copy.to_str().unwrap()), "{run}");
    assert!(
        run.stderr.contains("--remove-section hook.gpuguard"),
        "{run}"
    );
    for variable in [("GPUGUARD", "0"), ("SKIP", "lint, gpuguard")] {
        let run = start(&repo, variable);
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains("skipped, nothing was checked"), "{run}");
    }
    assert_eq!(start(&repo, ("SKIP", "gpuguardian")).code, 1);
}

#[test]
fn the_entry_of_an_earlier_version_is_replaced() {
    let repo = TestRepo::new();
    repo.git(&[
        "config",
        "hook.gpuguard.command",
        "/old/gpuguard hook run pre-commit",
    ]);
    repo.git(&["config", "hook.gpuguard.event", "pre-commit"]);
    let run = install_new(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(
        !repo
            .git(&["config", "hook.gpuguard.command"])
            .contains("/old")
    );
}

#[test]
fn a_hook_file_takes_over_from_the_entries_of_a_new_git() {
    let repo = TestRepo::new();
    with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    let run = install(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(repo.exists(HOOK));
    let left = repo.try_git(&["config", "--get-regexp", "^hook\\."]);
    assert_eq!(left.stdout, "", "the new Git would run both");
}

#[test]
fn entries_of_others_stay_in_the_configuration() {
    let repo = TestRepo::new();
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    repo.git(&["config", "hook.gpuguard.enabled", "false"]);
    repo.git(&["config", "hook.lint.command", "lint"]);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert!(
        run.stderr.contains("`hook.gpuguard.enabled` is false"),
        "{run}"
    );
    assert!(
        run.stderr.contains("switched off: no commit is checked"),
        "{run}"
    );
    repo.git(&["config", "hook.gpuguard-pre-merge-commit.enabled", "false"]);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert!(
        run.stderr.starts_with("installed, but switched off"),
        "{run}"
    );
    uninstall(&repo);
    assert_eq!(repo.git(&["config", "hook.gpuguard.enabled"]), "false\n");
    assert_eq!(repo.git(&["config", "hook.lint.command"]), "lint\n");
    assert_eq!(repo.try_git(&["config", "hook.gpuguard.command"]).code, 1);

    // A command that somebody else wrote under our name is not ours to remove.
    repo.git(&["config", "hook.gpuguard.command", "my own"]);
    let run = uninstall(&repo);
    assert!(run.stderr.contains("not installed"), "{run}");
    let run = install_new(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("not by gpuguard: `my own`"), "{run}");
    assert!(!repo.exists(SCRIPT));
    assert_eq!(repo.git(&["config", "hook.gpuguard.command"]), "my own\n");
}

/// A folder in which there is only Git.
fn only_git(repo: &TestRepo) -> PathBuf {
    let bin = repo.beside("only-git");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(which(&git()), bin.join("git")).unwrap();
    bin
}

#[test]
fn entries_of_a_push_judge_with_nothing_but_git_on_path() {
    let repo = TestRepo::with_policy();
    let server = repo.beside("server.git");
    let path = server.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    repo.git(&["push", "--quiet", path, "main"]);
    for arguments in [&["install", "--hooks", "pre-push"][..], &["install", path]] {
        let run = with_git(&repo, &repo.path(), NEW_GIT, arguments);
        assert_eq!(run.code, 0, "{run}");
    }
    repo.write("a.py", "import torch\ntorch.device(\"cuda:1\")\n");
    repo.commit_all("bad");
    let in_server = |arguments: &[&str]| {
        let run: Run = command(&git(), &server, repo.home())
            .args(arguments)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 0, "{run}");
        run.stdout.trim().to_owned()
    };
    let source = repo.path();
    in_server(&[
        "fetch",
        "--quiet",
        source.to_str().unwrap(),
        "main:refs/pushed/main",
    ]);
    let (old, new) = (
        in_server(&["rev-parse", "main"]),
        in_server(&["rev-parse", "refs/pushed/main"]),
    );
    let bin = only_git(&repo);
    for (event, folder, told) in [
        (
            "pre-push",
            &source,
            format!("refs/heads/main {new} refs/heads/main {old}\n"),
        ),
        (
            "pre-receive",
            &server,
            format!("{old} {new} refs/heads/main\n"),
        ),
    ] {
        let key = format!("hook.gpuguard-{event}.command");
        let entry: Run = command(&git(), folder, repo.home())
            .args(["config", "--local", &key])
            .output()
            .unwrap()
            .into();
        let line = format!("{} \"$@\"", entry.stdout.trim_end());
        let said = repo.beside("told");
        fs::write(&said, told).unwrap();
        let run: Run = command("/bin/sh".as_ref(), folder, repo.home())
            .args(["-c", &line, "hook", path, path])
            .env("PATH", &bin)
            .stdin(fs::File::open(&said).unwrap())
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 1, "{event}: {run}");
        assert!(
            run.stderr.contains("push of main refused"),
            "{event}: {run}"
        );
        assert!(run.stderr.contains("a.py:2"), "{event}: {run}");
    }
}
