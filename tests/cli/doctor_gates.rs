//! `gpuguard doctor hook` at the gates beside the commit, on a server, and beside other hooks; it
//! changes nothing.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use super::doctor::{RUN_CONFIGURED, doctor_with_git};
use crate::support::{Run, TestRepo, git, gpuguard, program};

/// A repository with the founding rig's policy and all its gates as hook files.
fn guarded() -> TestRepo {
    let repo = TestRepo::with_policy();
    install(&repo, &[]);
    repo
}

fn install(repo: &TestRepo, more: &[&str]) {
    let all = [&["install", "--shim", "--hooks", "all"][..], more].concat();
    let run = repo.gpuguard(&all);
    assert_eq!(run.code, 0, "{run}");
}

fn doctor(repo: &TestRepo) -> Run {
    repo.gpuguard(&["doctor", "hook"])
}

#[track_caller]
fn assert_line(run: &Run, word: &str, parts: &[&str]) {
    let fits = |line: &str| line.starts_with(word) && parts.iter().all(|part| line.contains(part));
    assert!(
        run.stdout.lines().any(fits),
        "no {word} with {parts:?}: {run}"
    );
}

/// Every file below a folder, with its content and the time it was written.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let written = path.symlink_metadata().unwrap().modified().unwrap();
        if path.is_dir() {
            found.extend(tree(&path));
            found.push((path, Vec::new(), written));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content, written));
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_in_the_git_folder_changes() {
    let repo = guarded();
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "--all"]);
    // A commit has been judged, and its editor is still open.
    assert_eq!(repo.gpuguard(&["hook", "run", "pre-commit"]).code, 0);
    assert!(repo.exists(".git/gpuguard/passed"));
    let before = tree(&repo.path().join(".git"));
    let run = doctor(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(tree(&repo.path().join(".git")), before);
    for event in ["pre-commit", "pre-merge-commit", "post-commit", "pre-push"] {
        assert_line(&run, "ok ", &[&format!("{event} fires in")]);
    }
}

#[test]
fn a_trial_is_no_way_past_the_gate() {
    let repo = guarded();
    repo.write("a.py", "import torch\nd = torch.device(\"cuda:1\")\n");
    repo.git(&["add", "--all"]);
    let mut commit = repo.command(git());
    commit
        .args(["commit", "-m", "a"])
        .env("GPUGUARD_HOOK_TRIAL", "1");
    let run = Run::from(commit.output().unwrap());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("a.py:2"), "{run}");
}

#[test]
fn a_hook_that_ends_before_gpuguard_does_not_fire() {
    for event in ["pre-commit", "pre-merge-commit", "post-commit", "pre-push"] {
        let repo = guarded();
        let hook = format!(".git/hooks/{event}");
        let text = String::from_utf8(repo.read(&hook)).unwrap();
        repo.write(&hook, text.replacen("\n\n", "\nexit 0\n\n", 1));
        let run = doctor(&repo);
        assert_eq!(run.code, 1, "{event}: {run}");
        let words = [event, "does not work", "gpuguard did not run"];
        assert_line(&run, "wrong", &words);
    }
}

#[test]
fn a_server_is_tried_with_a_push_that_brings_nothing() {
    let repo = TestRepo::with_policy();
    let server = repo.beside("server.git");
    let path = server.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    let bin = repo.beside("bin");
    fs::create_dir(&bin).unwrap();
    let copy = bin.join("gpuguard");
    let copied = std::process::Command::new("cp")
        .args([program(), &copy])
        .status();
    assert!(copied.unwrap().success());
    let mut install = repo.command(&copy);
    assert!(
        install
            .args(["install", path])
            .output()
            .unwrap()
            .status
            .success()
    );
    let run = gpuguard(&server, &["doctor", "hook"]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(&run, "ok ", &["pre-receive fires in"]);
    assert_line(&run, "note", &["has no commits: the first policy"]);
    assert_line(
        &run,
        "note",
        &["these go past the hook of a push", "git update-ref"],
    );
    assert!(!run.stdout.contains("git commit --no-verify"), "{run}");

    repo.git(&["push", "--quiet", path, "main"]);
    let before = tree(&server);
    let run = gpuguard(&server, &["doctor", "hook"]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "ok ",
        &["policy of the default branch: HEAD:gpuguard.toml"],
    );
    assert_line(&run, "ok ", &["pre-receive fires in"]);
    assert_eq!(tree(&server), before);

    repo.git(&["-C", path, "symbolic-ref", "HEAD", "refs/heads/master"]);
    let run = gpuguard(&server, &["doctor", "hook"]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &[
            "leads to a branch that is not there",
            "; cure: `git symbolic-ref",
        ],
    );
    repo.git(&["-C", path, "symbolic-ref", "HEAD", "refs/heads/main"]);

    fs::remove_file(&copy).unwrap();
    let run = repo.gpuguard(&["doctor", "hook", path]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["pre-receive in", "the gpuguard program is missing"],
    );
}

#[test]
fn a_submodule_is_named_by_its_working_tree() {
    let repo = TestRepo::new();
    let inner = TestRepo::with_policy();
    let from = inner.path();
    let add = ["submodule", "--quiet", "add", from.to_str().unwrap(), "sub"];
    repo.git(&[&["-c", "protocol.file.allow=always"][..], &add].concat());
    let sub = repo.path().join("sub");
    assert_eq!(gpuguard(&sub, &["install", "--shim"]).code, 0);
    let run = gpuguard(&sub, &["doctor", "hook"]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "ok ",
        &[&format!("pre-commit fires in `{}`", sub.display())],
    );
    assert!(!run.stdout.contains("modules/sub`"), "{run}");
}

#[test]
fn a_store_that_cannot_be_written_to_is_wrong() {
    let repo = guarded();
    repo.write(".git/gpuguard/backups", "in the way\n");
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["backups cannot be written to", "; cure: mend its rights"],
    );
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "--all"]);
    let refused = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(refused.code, 2, "{refused}");
    for hint in ["GPUGUARD_BACKUP_STORE", "snapshot = false"] {
        assert!(refused.stderr.contains(hint), "{refused}");
    }
    // Where nothing is saved, nothing has to be.
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("snapshot = true", "snapshot = false"),
    );
    repo.git(&["add", "--all"]);
    let run = doctor(&repo);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn what_is_not_wired_is_told_with_a_cure_that_wires_it() {
    let repo = TestRepo::with_policy();
    repo.gpuguard(&["install", "--shim"]);
    let run = doctor(&repo);
    let cure = "; cure: `gpuguard install --hooks all`";
    assert_line(&run, "note", &["nothing runs gpuguard for pre-push", cure]);
    install(&repo, &[]);
    assert!(!doctor(&repo).stdout.contains("nothing runs"));
}

#[test]
fn a_manager_that_runs_gpuguard_is_said_to_and_not_tried() {
    let repo = TestRepo::with_policy();
    let lefthook = repo.beside("lefthook");
    let mode = || std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::write(&lefthook, "#!/bin/sh\ntouch it-ran\n").unwrap();
    fs::set_permissions(&lefthook, mode()).unwrap();
    for event in ["pre-commit", "pre-merge-commit"] {
        let hook = repo.path().join(".git/hooks").join(event);
        // As lefthook writes it, with a program that leaves a trace.
        let text = format!(
            "#!/bin/sh\ncall_lefthook()\n{{\n  {} \"$@\"\n}}\n\n\
             call_lefthook run \"{event}\" \"$@\"\n",
            lefthook.display()
        );
        fs::write(&hook, text).unwrap();
        fs::set_permissions(&hook, mode()).unwrap();
    }
    let job = |event: &str| {
        format!("{event}:\n  jobs:\n    - name: gpuguard\n      run: gpuguard hook run {event}\n")
    };
    let both = job("pre-commit") + &job("pre-merge-commit");
    repo.write("lefthook.yml", &both);
    let run = doctor(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "note",
        &["pre-commit in", "lefthook runs gpuguard", "not tried"],
    );
    assert!(!run.stdout.contains("merges without a conflict"), "{run}");
    repo.write("lefthook.yml", both.replace("jobs:", "skip: true\n  jobs:"));
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["`lefthook.yml` names gpuguard, but not surely"],
    );
    assert!(!repo.exists("it-ran"));
}

/// `gpuguard install` with a Git that says to be of 2.55, and `gpuguard doctor hook` with it.
struct NewGit<'r>(&'r TestRepo);

impl NewGit<'_> {
    fn install(&self, more: &[&str]) {
        // Makes the program.
        self.doctor();
        let bin = self.0.beside("fake-git");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut install = self.0.command(program());
        install.arg("install").args(more).env("PATH", path);
        let run = Run::from(install.output().unwrap());
        assert_eq!(run.code, 0, "{run}");
    }

    fn doctor(&self) -> Run {
        doctor_with_git(self.0, "2.55.0", RUN_CONFIGURED)
    }
}

#[test]
fn what_git_takes_for_false_switches_off() {
    let repo = TestRepo::with_policy();
    let git = NewGit(&repo);
    git.install(&["--hooks", "pre-commit,pre-push"]);
    assert_eq!(git.doctor().code, 0);
    for (value, code) in [("", 1), ("off", 1), ("0", 1), ("tru", 0), ("yes", 0)] {
        repo.git(&["config", "hook.gpuguard-pre-push.enabled", value]);
        let run = git.doctor();
        assert_eq!(run.code, code, "{value}: {run}");
        let words = ["pre-push", "switched off by hook.gpuguard-pre-push.enabled"];
        if code == 1 {
            assert_line(&run, "wrong", &words);
        }
    }
}

#[test]
fn a_hook_that_came_later_and_runs_after_gpuguard_is_wrong() {
    let repo = TestRepo::with_policy();
    let git = NewGit(&repo);
    git.install(&["--hooks", "pre-commit"]);
    let hook = repo.path().join(".git/hooks/pre-commit");
    let write = |text: &str| {
        fs::write(&hook, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&hook, mode).unwrap();
    };
    write("#!/bin/sh\ngit add late.py\n");
    let run = git.doctor();
    assert_eq!(run.code, 1, "{run}");
    let words = ["after gpuguard", "is not judged; cure: `gpuguard install`"];
    assert_line(&run, "wrong", &words);
    git.install(&[]);
    let run = git.doctor();
    assert!(!run.stdout.contains("after gpuguard"), "{run}");
    // Beside a manager it has to be so.
    repo.gpuguard(&["uninstall"]);
    write("#!/bin/sh\nexec lefthook run pre-commit \"$@\"\n");
    git.install(&["--hooks", "pre-commit"]);
    let run = git.doctor();
    assert_eq!(run.code, 0, "{run}");
    assert_line(&run, "note", &["after gpuguard", "let lefthook run it"]);
}

#[test]
fn one_for_all_repositories_and_one_of_its_own_are_healthy() {
    let repo = TestRepo::with_policy();
    let git = NewGit(&repo);
    git.install(&["--global", "--hooks", "pre-commit"]);
    git.install(&["--hooks", "pre-commit"]);
    let run = git.doctor();
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "ok ",
        &[
            "hook.gpuguard-global-pre-commit",
            "then hook.gpuguard of local",
        ],
    );
    assert_line(&run, "ok ", &["pre-commit fires"]);
}

#[test]
fn an_entry_whose_name_only_begins_so_is_somebody_elses() {
    let repo = TestRepo::with_policy();
    let git = NewGit(&repo);
    let ran = repo.beside("it-ran");
    let command = format!("touch '{}'", ran.display());
    for name in ["gpuguard-notes", "gpuguard-global-notes"] {
        repo.git(&["config", &format!("hook.{name}.command"), &command]);
        repo.git(&["config", &format!("hook.{name}.event"), "pre-commit"]);
    }
    let run = git.doctor();
    assert_eq!(run.code, 1, "{run}");
    assert_line(&run, "wrong", &["nothing runs gpuguard for pre-commit"]);
    assert!(!ran.exists());
}
