//! `gpuguard install --global`: entries in the user's own configuration. The Git here may only say
//! that it is so new; then the command is started as that Git would.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{HOOK, NEW_GIT, OLD_GIT, script, with_git};
use crate::support::{Run, TestRepo, command, git, program};

const BAD: &str = "import torch\nd = torch.device(\"cuda:1\")\n";

fn config(repo: &TestRepo, key: &str) -> String {
    repo.try_git(&["config", "--global", "--get-all", key])
        .stdout
}

fn global(repo: &TestRepo, arguments: &[&str]) -> Run {
    let all = [&["install", "--global"][..], arguments].concat();
    with_git(repo, &repo.path(), NEW_GIT, &all)
}

fn uninstall(repo: &TestRepo) -> Run {
    repo.gpuguard(&["uninstall", "--global"])
}

fn scripts(repo: &TestRepo) -> PathBuf {
    repo.home().join(".config/gpuguard/hooks")
}

/// The configured command, as Git starts it at the root of a working tree.
fn start(repo: &TestRepo, folder: &std::path::Path) -> Run {
    let command_line = config(repo, "hook.gpuguard-global-pre-commit.command");
    command("sh".as_ref(), folder, repo.home())
        .args(["-c", &format!("{} \"$@\"", command_line.trim_end()), "hook"])
        .output()
        .unwrap()
        .into()
}

#[test]
fn every_repository_with_a_policy_is_guarded_and_no_other() {
    let repo = TestRepo::with_policy();
    fs::write(repo.home().join(".gitconfig"), "[user]\n\tname = Ada\n").unwrap();
    let run = global(&repo, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("nothing happens where there is no policy"),
        "{run}"
    );
    for event in ["pre-commit", "pre-merge-commit"] {
        let key = format!("hook.gpuguard-global-{event}.event");
        assert_eq!(config(&repo, &key), format!("{event}\n"));
    }
    repo.write("a.py", BAD);
    repo.git(&["add", "."]);
    let run = start(&repo, &repo.path());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("a.py:2"), "{run}");

    let other = repo.beside("other");
    fs::create_dir(&other).unwrap();
    repo.git(&["init", "--quiet", other.to_str().unwrap()]);
    fs::write(other.join("a.py"), BAD).unwrap();
    let add = command(&git(), &other, repo.home())
        .args(["add", "."])
        .status();
    assert!(add.unwrap().success());
    let run = start(&repo, &other);
    assert_eq!((run.code, &run.stderr[..]), (0, ""), "{run}");

    // Again changes nothing, and what is chosen stays chosen.
    let before = fs::read(repo.home().join(".gitconfig")).unwrap();
    global(&repo, &[]);
    assert_eq!(fs::read(repo.home().join(".gitconfig")).unwrap(), before);
    let run = global(&repo, &["--hooks", "pre-commit,pre-push"]);
    assert!(run.stderr.contains("pre-merge-commit: no longer"), "{run}");
    global(&repo, &["--hooks", "pre-commit"]);
    assert_eq!(config(&repo, "hook.gpuguard-global-pre-push.event"), "");
    assert_eq!(config(&repo, "hook.gpuguard-global-pre-push.command"), "");

    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        fs::read_to_string(repo.home().join(".gitconfig")).unwrap(),
        "[user]\n\tname = Ada\n"
    );
    assert!(!repo.home().join(".config/gpuguard").exists());
    let run = uninstall(&repo);
    assert!(run.stderr.contains("nothing was changed"), "{run}");
}

#[test]
fn a_repository_with_a_gate_of_its_own_is_judged_once() {
    let repo = TestRepo::with_policy();
    global(&repo, &[]);
    repo.write("a.py", BAD);
    repo.git(&["add", "."]);
    for version in [OLD_GIT, NEW_GIT] {
        let run = with_git(&repo, &repo.path(), version, &["install"]);
        assert_eq!(run.code, 0, "{run}");
        // Its entries are no reason for a hook file.
        assert_eq!(repo.exists(HOOK), version == OLD_GIT, "{run}");
        let run = start(&repo, &repo.path());
        assert_eq!((run.code, &run.stderr[..]), (0, ""), "{run}");
    }
    repo.gpuguard(&["uninstall"]);
    assert_eq!(start(&repo, &repo.path()).code, 1);
}

#[test]
fn a_gate_of_its_own_that_does_not_run_silences_nothing() {
    let repo = TestRepo::with_policy();
    global(&repo, &[]);
    repo.write("a.py", BAD);
    repo.git(&["add", "."]);
    let refuses = |why: &str| {
        let run = start(&repo, &repo.path());
        assert_eq!(run.code, 1, "{why}: {run}");
    };
    let install = |version| {
        let run = with_git(&repo, &repo.path(), version, &["install"]);
        assert_eq!(run.code, 0, "{run}");
        let run = start(&repo, &repo.path());
        assert_eq!((run.code, &run.stderr[..]), (0, ""), "{run}");
    };
    install(NEW_GIT);
    repo.git(&["config", "--unset", "hook.gpuguard.event"]);
    refuses("the entry is gone");
    install(NEW_GIT);
    // Git takes it for false.
    repo.git(&["config", "hook.gpuguard.enabled", ""]);
    refuses("switched off");
    repo.git(&["config", "hook.gpuguard.enabled", "true"]);
    install(NEW_GIT);
    let own = repo.path().join(".git/gpuguard/pre-commit");
    fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    refuses("the script cannot be run");
    install(OLD_GIT);
    let file = repo.path().join(HOOK);
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    refuses("the hook file cannot be run");
    install(OLD_GIT);
    let text = String::from_utf8(repo.read(HOOK)).unwrap();
    repo.write(HOOK, text.replacen("\n\n", "\nexit 0\n\n", 1));
    refuses("the hook file does something else");
}

#[test]
fn a_policy_in_a_folder_alone_is_one() {
    let repo = TestRepo::new();
    global(&repo, &[]);
    repo.write(
        "train/gpuguard.toml",
        include_str!("../../../src/policy/preset_rtx3090.toml"),
    );
    repo.write("train/a.py", BAD);
    repo.write("b.py", BAD);
    repo.git(&["add", "."]);
    let run = start(&repo, &repo.path());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("train/a.py:2"), "{run}");
    assert!(!run.stderr.contains(" b.py:2"), "{run}");
}

#[test]
fn what_is_gone_stops_no_other_repository() {
    let repo = TestRepo::with_policy();
    let other = TestRepo::new();
    let bin = repo.beside("bin");
    fs::create_dir(&bin).unwrap();
    let copy = bin.join("gpuguard");
    // By a child, for the reason that `script` has.
    let copied = Command::new("cp")
        .args([program(), &copy])
        .status()
        .unwrap();
    assert!(copied.success());
    let mut install = repo.command(&copy);
    let run = super::run_with_git(&repo, install.args(["install", "--global"]), NEW_GIT);
    assert_eq!(run.code, 0, "{run}");
    fs::remove_file(&copy).unwrap();
    let run = start(&repo, &other.path());
    assert_eq!((run.code, &run.stderr[..]), (0, ""), "{run}");
    other.write("train/gpuguard.toml", "version = 1\n");
    other.commit_all("policy below");
    assert_eq!(start(&repo, &other.path()).code, 1);
    let run = start(&repo, &repo.path());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("gpuguard install --global"), "{run}");
    assert!(
        run.stderr
            .contains("git config --global --remove-section hook.gpuguard-global-pre-commit"),
        "{run}"
    );
    fs::remove_dir_all(scripts(&repo)).unwrap();
    assert_eq!(start(&repo, &repo.path()).code, 0);
    assert_eq!(uninstall(&repo).code, 0);
    assert_eq!(config(&repo, "hook.gpuguard-global-pre-commit.event"), "");
}

#[test]
fn what_cannot_be_global_is_refused_before_anything_is_changed() {
    let repo = TestRepo::new();
    let old = with_git(&repo, &repo.path(), OLD_GIT, &["install", "--global"]);
    assert_eq!(old.code, 2, "{old}");
    assert!(old.stderr.contains("need Git 2.54"), "{old}");
    let server = global(&repo, &["--hooks", "pre-commit,pre-receive"]);
    assert_eq!(server.code, 2, "{server}");
    assert!(
        server.stderr.contains("`pre-receive` cannot be wired"),
        "{server}"
    );
    for arguments in [&["--shim"][..], &["somewhere"]] {
        assert_eq!(global(&repo, arguments).code, 2);
    }
    assert!(!scripts(&repo).exists());
    assert!(!repo.home().join(".gitconfig").exists());
    // Somebody else's file in the place of a script.
    fs::create_dir_all(scripts(&repo)).unwrap();
    script(&scripts(&repo).join("pre-commit"), "echo mine\n");
    let run = global(&repo, &[]);
    assert_eq!(run.code, 0, "kept, and started first: {run}");
    uninstall(&repo);
    let kept = fs::read_to_string(scripts(&repo).join("pre-commit")).unwrap();
    assert_eq!(kept, "#!/bin/sh\necho mine\n");
}
