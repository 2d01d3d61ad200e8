//! What `uninstall` gives back: the configuration byte for byte, hook files wherever they were
//! written, and lines of somebody else's in ours.

use std::fs;
use std::path::Path;

use super::{HOOK, NEW_GIT, OLD_GIT, commit, hook, install, script, uninstall, with_git};
use crate::support::{Run, TestRepo};

fn run_in(repo: &TestRepo, folder: &Path, version: &str, arguments: &[&str]) -> Run {
    let run = with_git(repo, folder, version, arguments);
    assert_eq!(run.code, 0, "{run}");
    run
}

#[test]
fn a_configuration_is_the_same_byte_for_byte() {
    for ending in [
        "",
        "\n",
        "\n# mine",
        "\n[hook \"gpuguard\"] ; mine\n",
        "\n[hook \"lint\"]\n\tcommand = x\n\n",
    ] {
        let repo = TestRepo::new();
        let text = String::from_utf8(repo.read(".git/config")).unwrap();
        let text = format!("{}{ending}", text.trim_end());
        repo.write(".git/config", &text);
        let mode = super::mode(&repo.path().join(".git/config"));
        for more in [&["--hooks", "pre-commit"][..], &["--hooks", "all"], &[]] {
            let all = [&["install"][..], more].concat();
            run_in(&repo, &repo.path(), NEW_GIT, &all);
        }
        assert_ne!(repo.read(".git/config"), text.as_bytes());
        run_in(&repo, &repo.path(), NEW_GIT, &["uninstall"]);
        let found = String::from_utf8(repo.read(".git/config")).unwrap();
        assert_eq!(found, text, "{ending:?}");
        assert_eq!(super::mode(&repo.path().join(".git/config")), mode);
        assert!(!repo.exists(".git/gpuguard"));
    }
}

#[test]
fn what_is_written_into_a_configuration_since_stays() {
    let repo = TestRepo::new();
    let text = String::from_utf8(repo.read(".git/config")).unwrap();
    let text = format!("{text}# mine");
    repo.write(".git/config", &text);
    run_in(&repo, &repo.path(), NEW_GIT, &["install"]);
    repo.git(&["config", "user.nickname", "ada"]);
    run_in(&repo, &repo.path(), NEW_GIT, &["uninstall"]);
    let found = String::from_utf8(repo.read(".git/config")).unwrap();
    assert_eq!(found, format!("{text}\n[user]\n\tnickname = ada\n"));
}

#[test]
fn the_users_own_configuration_is_the_same_byte_for_byte() {
    for text in [
        None,
        Some("[user]\n\tname = Ada"),
        Some("[user]\n\tname = Ada\n; mine"),
    ] {
        let repo = TestRepo::new();
        let path = repo.home().join(".gitconfig");
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        run_in(&repo, &repo.path(), NEW_GIT, &["install", "--global"]);
        run_in(&repo, &repo.path(), NEW_GIT, &["uninstall", "--global"]);
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), text);
        assert!(!repo.home().join(".config/gpuguard").exists());
    }
}

#[test]
fn hook_files_are_found_where_they_were_written() {
    let repo = TestRepo::with_policy();
    script(&repo.path().join(".git/my-pre-commit"), "");
    fs::create_dir(repo.path().join(".git/my")).unwrap();
    script(&repo.path().join(".git/my/pre-commit"), "exit 0\n");
    repo.git(&["config", "core.hooksPath", ".git/my"]);
    install(&repo);
    repo.git(&["config", "core.hooksPath", ".git/other"]);
    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains(".git/my/pre-commit"), "{run}");
    assert_eq!(repo.read(".git/my/pre-commit"), b"#!/bin/sh\nexit 0\n");
    assert!(!repo.exists(".git/my/pre-commit.gpuguard-previous"));
    assert!(!repo.exists(".git/gpuguard"));

    // A relative folder of another working tree.
    repo.git(&["config", "core.hooksPath", ".hk"]);
    repo.git(&["worktree", "add", "--quiet", "../linked"]);
    let linked = repo.beside("linked");
    run_in(&repo, &linked, OLD_GIT, &["install"]);
    assert!(linked.join(".hk/pre-commit").exists());
    let run = uninstall(&repo);
    assert!(run.stderr.starts_with("uninstalled: "), "{run}");
    assert!(!linked.join(".hk").exists(), "{run}");
}

#[test]
fn what_somebody_wrote_into_our_hook_file_is_kept_each_time() {
    let repo = TestRepo::new();
    install(&repo);
    let ours = String::from_utf8(repo.read(HOOK)).unwrap();
    let edited = |number: &str| format!("{HOOK}.gpuguard-edited{number}");
    let kept = |number: &str, text: &str| {
        assert_eq!(String::from_utf8(repo.read(&edited(number))).unwrap(), text);
    };
    let first = format!("{ours}first line of mine\n");
    let second = format!("{ours}second line of mine\n");
    // Lines that begin as ours do are somebody else's too, if they say something else.
    let third = ours.replace("event=pre-commit", "event=pre-commit; ./precious.sh");
    let fourth = ours.replacen("program=", "program=$(./precious.sh)\nprogram=", 1);
    for text in [&first, &second, &third, &fourth, &second] {
        assert_ne!(**text, ours);
        repo.write(HOOK, text);
        let run = install(&repo);
        assert!(run.stderr.contains("is kept as"), "{run}");
        assert_eq!(String::from_utf8(repo.read(HOOK)).unwrap(), ours);
    }
    kept("", &first);
    kept("-2", &second);
    kept("-3", &third);
    kept("-4", &fourth);
    assert!(!repo.exists(&edited("-5")), "it is kept already");
}

#[test]
fn what_a_manager_moved_aside_is_kept_where_somebody_wrote_into_it() {
    let repo = TestRepo::new();
    install(&repo);
    let mut ours = repo.read(HOOK);
    ours.extend(b"my own line\n");
    repo.write(".git/hooks/pre-commit.legacy", &ours);
    hook(
        &repo,
        "# File generated by pre-commit: https://pre-commit.com\n",
    );
    let run = uninstall(&repo);
    assert!(run.stderr.contains("is kept as"), "{run}");
    assert!(!repo.exists(".git/hooks/pre-commit.legacy"));
    assert_eq!(repo.read(&format!("{HOOK}.gpuguard-edited")), ours);
}

#[test]
fn a_command_of_ones_own_is_neither_taken_over_nor_removed() {
    for command in [
        "mytool --x hook run pre-commit",
        "nice /opt/gpuguard hook run pre-commit",
        "/opt/guard hook run pre-commit",
    ] {
        let repo = TestRepo::new();
        repo.git(&["config", "hook.gpuguard.command", command]);
        repo.git(&["config", "hook.gpuguard.event", "pre-commit"]);
        let before = repo.read(".git/config");
        let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
        // It is somebody else's hook, and so runs first.
        assert!(!run.stderr.contains("updated"), "{run}");
        let run = with_git(&repo, &repo.path(), NEW_GIT, &["uninstall"]);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(repo.read(".git/config"), before, "{command}");
    }
}

#[test]
fn uninstall_says_what_still_runs_gpuguard() {
    let repo = TestRepo::with_policy();
    hook(&repo, "exec lefthook run pre-commit \"$@\"\n");
    let job =
        "pre-commit:\n  jobs:\n    - name: gpuguard\n      run: gpuguard hook run pre-commit\n";
    repo.write("lefthook.yml", job);
    install(&repo);
    for _ in 0..2 {
        let run = uninstall(&repo);
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stderr.contains("`lefthook.yml` still names gpuguard"),
            "{run}"
        );
        assert!(!run.stderr.contains("nothing in"), "{run}");
    }
    repo.write("lefthook.yml", "pre-commit:\n");
    with_git(&repo, &repo.path(), NEW_GIT, &["install", "--global"]);
    let run = uninstall(&repo);
    assert!(
        run.stderr.contains("`gpuguard uninstall --global` takes"),
        "{run}"
    );
}

#[test]
fn a_hook_that_does_not_run_is_no_installation() {
    let repo = TestRepo::with_policy();
    // As on a file system that runs no programs.
    let broken = "case \" $* \" in *\" hook run \"*) echo 'cannot run it' >&2; exit 1 ;; esac";
    let bin = repo.beside("broken");
    fs::create_dir(&bin).unwrap();
    let real = super::which(&crate::support::git());
    script(
        &bin.join("git"),
        &format!("{broken}\nexec '{}' \"$@\"\n", real.display()),
    );
    let mut command = repo.command(crate::support::program());
    command.arg("install").env("PATH", super::before_path(&bin));
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("pre-commit was tried and does not work"),
        "{run}"
    );
    assert!(run.stderr.contains("cannot run it"), "{run}");
}

#[test]
fn a_policy_that_cannot_be_used_is_told_of() {
    let repo = TestRepo::with_policy();
    let run = install(&repo);
    assert!(run.stderr.contains("  policy: gpuguard.toml"), "{run}");
    repo.write("gpuguard.toml", "version = 1\n[[card\n");
    repo.git(&["add", "--all"]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the policy cannot be used"), "{run}");
    assert!(run.stderr.contains("gpuguard.toml:2:"), "{run}");
    assert_eq!(commit(&repo).code, 1);
}
