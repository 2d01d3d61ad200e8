//! Which folder the hook file goes to, and where none may go.

use std::fs;
use std::os::unix::fs::symlink;

use super::{
    HOOK, NEW_GIT, OLD_GIT, install, install_from_vanished_program, mode, uninstall, with_git,
};
use crate::support::{Run, TestRepo, command, git};

#[test]
fn hooks_paths_of_the_repository_are_honoured() {
    let repo = TestRepo::new();
    repo.commit_all("first");
    repo.git(&["config", "core.hooksPath", "my hooks"]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("do not commit it"), "{run}");
    assert!(repo.exists("my hooks/pre-commit"));
    assert!(!repo.exists(HOOK));
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let run = install(&repo);
    assert!(run.stderr.contains("each linked working tree"), "{run}");

    // Changed since: the hook file of the default place goes too.
    uninstall(&repo);
    repo.git(&["config", "--unset", "core.hooksPath"]);
    install(&repo);
    let absolute = linked.join("hooks of a linked working tree");
    repo.git(&["config", "core.hooksPath", absolute.to_str().unwrap()]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(mode(&absolute.join("pre-commit")), 0o755);
    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(!absolute.join("pre-commit").exists());
    assert!(!repo.exists(HOOK));
}

#[test]
fn a_folder_outside_the_repository_is_not_written_to() {
    let repo = TestRepo::new();
    let shared = repo.beside("hooks elsewhere");
    repo.git(&["config", "core.hooksPath", shared.to_str().unwrap()]);
    let run = install(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("lies outside this repository"), "{run}");
    assert!(run.stderr.contains("local"), "{run}");
    assert!(!shared.exists());

    // The same by links, the advice then names another folder; following it works.
    repo.git(&["config", "--unset", "core.hooksPath"]);
    fs::create_dir(&shared).unwrap();
    fs::remove_dir_all(repo.path().join(".git/hooks")).unwrap();
    symlink(&shared, repo.path().join(".git/hooks")).unwrap();
    let run = install(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("a link in the Git directory"), "{run}");
    let own = repo.path().join(".git/own-hooks");
    let advice = format!("git config --local core.hooksPath {}", own.display());
    assert!(run.stderr.contains(&advice), "{run}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
    repo.git(&["config", "core.hooksPath", own.to_str().unwrap()]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(own.join("pre-commit").exists());

    // A new Git does without the folder.
    repo.git(&["config", "--unset", "core.hooksPath"]);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
}

#[test]
fn a_hooks_folder_of_all_repositories_is_left_alone() {
    let repo = TestRepo::new();
    let shared = repo.home().join("all hooks");
    repo.git(&[
        "config",
        "--global",
        "core.hooksPath",
        shared.to_str().unwrap(),
    ]);
    let run = install(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("would run in every repository"),
        "{run}"
    );
    assert!(run.stderr.contains(".gitconfig"), "{run}");
    assert!(
        run.stderr
            .contains("[ ! -f gpuguard.toml ] || gpuguard hook run pre-commit \"$@\""),
        "{run}"
    );
    let own = repo.path().join(".git/hooks");
    let advice = format!("git config --local core.hooksPath {}", own.display());
    assert!(run.stderr.contains(&advice), "{run}");
    assert!(!shared.exists());

    repo.git(&["config", "--local", "core.hooksPath", own.to_str().unwrap()]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(HOOK));
}

#[test]
fn a_relative_hooks_path_for_all_is_each_repositorys_own() {
    let repo = TestRepo::new();
    repo.git(&["config", "--global", "core.hooksPath", ".githooks"]);
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(".githooks/pre-commit"));
    // Reached through a link, the folder is the same.
    let link = repo.beside("link");
    symlink(repo.path(), &link).unwrap();
    let run = with_git(&repo, &link, OLD_GIT, &["install", link.to_str().unwrap()]);
    assert!(run.stderr.starts_with("already installed: "), "{run}");
    assert!(run.stderr.contains("do not commit it"), "{run}");
}

#[test]
fn hooks_that_are_switched_off_are_said_to_be() {
    let repo = TestRepo::new();
    for value in ["/dev/null", ""] {
        repo.git(&["config", "core.hooksPath", value]);
        let run = install(&repo);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("Git runs no hook files"), "{run}");
    }
}

#[test]
fn linked_worktrees_share_one_hook() {
    let repo = TestRepo::new();
    repo.commit_all("first");
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::create_dir(linked.join("sub")).unwrap();
    let run = with_git(&repo, &linked.join("sub"), OLD_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(HOOK));
    install_from_vanished_program(&repo, "bin");
    let run: Run = command(&git(), &linked, repo.home())
        .args(["commit", "--allow-empty", "-m", "change"])
        .output()
        .unwrap()
        .into();
    assert!(
        run.stderr.contains("the gpuguard program is missing"),
        "{run}"
    );
}

#[test]
fn the_repository_can_be_named_and_the_hooks_folder_may_be_missing() {
    let repo = TestRepo::new();
    fs::rename(repo.path().join(".git/hooks"), repo.beside("moved")).unwrap();
    let elsewhere = repo.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let run = with_git(&repo, &elsewhere, OLD_GIT, &["install", "../repo"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(HOOK));
    let run = with_git(&repo, &elsewhere, OLD_GIT, &["uninstall", "../repo"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!repo.exists(".git/hooks"), "it was not there before");

    install(&repo);
    install(&repo);
    repo.write(".git/hooks/post-commit", "");
    uninstall(&repo);
    assert!(repo.exists(".git/hooks/post-commit"));
    fs::remove_file(repo.path().join(".git/hooks/post-commit")).unwrap();
    install(&repo);
    uninstall(&repo);
    assert!(repo.exists(".git/hooks"), "it was there before");
}

#[test]
fn a_working_tree_far_from_its_repository_is_told_of() {
    let repo = TestRepo::new();
    let tree = repo.beside("tree");
    fs::create_dir(&tree).unwrap();
    repo.git(&["config", "core.worktree", tree.to_str().unwrap()]);
    let run = install(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("(`core.worktree`): set GIT_WORK_TREE"),
        "{run}"
    );
    assert!(!repo.exists(HOOK));
    let run: Run = repo
        .command(crate::support::program())
        .args(["install", "--shim"])
        .env("GIT_DIR", repo.path().join(".git"))
        .env("GIT_WORK_TREE", &tree)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(HOOK));
}

#[test]
fn places_that_cannot_have_the_hook_are_refused() {
    let repo = TestRepo::new();
    let none = repo.beside("none");
    for command in ["install", "uninstall"] {
        let run = repo.gpuguard(&[command, none.to_str().unwrap()]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("is not a folder"), "{run}");
    }
    fs::create_dir(&none).unwrap();
    let run = repo.gpuguard(&["install", none.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("not in a Git repository"), "{run}");
}

#[test]
fn a_submodule_and_a_repository_from_a_template_have_hooks_of_their_own() {
    let repo = TestRepo::new();
    let inner = TestRepo::new();
    inner.commit_all("inner");
    let from = inner.path();
    let add = ["submodule", "--quiet", "add", from.to_str().unwrap(), "sub"];
    repo.git(&[&["-c", "protocol.file.allow=always"][..], &add].concat());
    let run = with_git(&repo, &repo.path().join("sub"), OLD_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.exists(".git/modules/sub/hooks/pre-commit"));
    assert!(!repo.exists(HOOK));

    // A template's hooks are copied; the hook file does not care where it lies.
    install_from_vanished_program(&repo, "bin");
    let template = repo.beside("template");
    fs::create_dir_all(template.join("hooks")).unwrap();
    fs::copy(repo.path().join(HOOK), template.join("hooks/pre-commit")).unwrap();
    let made = repo.beside("made");
    let option = format!("--template={}", template.display());
    repo.git(&["init", "--quiet", &option, made.to_str().unwrap()]);
    let run: Run = command(&git(), &made, repo.home())
        .args(["commit", "--allow-empty", "-m", "change"])
        .output()
        .unwrap()
        .into();
    assert!(
        run.stderr.contains("the gpuguard program is missing"),
        "{run}"
    );
}

#[test]
fn a_folder_of_no_name_is_no_matter_to_the_configuration() {
    let repo = TestRepo::with_policy();
    repo.git(&["config", "core.hooksPath", ""]);
    let run = with_git(&repo, &repo.path(), NEW_GIT, &["install"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("pre-commit: configuration"), "{run}");
}
