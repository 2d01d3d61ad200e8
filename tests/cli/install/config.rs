//! Gits from 2.54 on: entries in the configuration. The Git here only says that it is so new.

use super::{HOOK, NEW_GIT, PREVIOUS, hook, install, uninstall, with_git};
use crate::support::{TestRepo, program};

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
    let command = format!("{} hook run pre-commit\n", program().display());
    assert_eq!(
        repo.git(&["config", "--local", "hook.gpuguard.command"]),
        command
    );
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
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");
}

#[test]
fn a_new_git_takes_over_from_the_hook_file_of_an_old_one() {
    let repo = TestRepo::new();
    hook(&repo, "exit 0\n");
    install(&repo);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert!(
        run.stderr.contains("keeps running, after gpuguard"),
        "{run}"
    );
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");
    assert!(!repo.exists(PREVIOUS));
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
    uninstall(&repo);
    assert_eq!(repo.git(&["config", "hook.gpuguard.enabled"]), "false\n");
    assert_eq!(repo.git(&["config", "hook.lint.command"]), "lint\n");
    assert_eq!(repo.try_git(&["config", "hook.gpuguard.command"]).code, 1);

    // A command that somebody else wrote under our name is not ours to remove.
    repo.git(&["config", "hook.gpuguard.command", "my own"]);
    let run = uninstall(&repo);
    assert!(run.stderr.contains("not installed"), "{run}");
    assert_eq!(repo.git(&["config", "hook.gpuguard.command"]), "my own\n");
}
