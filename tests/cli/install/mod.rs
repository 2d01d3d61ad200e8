//! `gpuguard install` and `uninstall`, with the Git of this machine and with one that says it is
//! newer. Whether the hook fires is seen without the scanner: a program that was copied, then
//! taken away, makes the hook file refuse.

mod config;
mod earlier_hook;
mod given_back;
mod global;
mod hook_file;
mod hooks_folder;
mod manager;
mod program_file;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, TestRepo, command, git, program};

const HOOK: &str = ".git/hooks/pre-commit";
const PREVIOUS: &str = ".git/hooks/pre-commit.gpuguard-previous";
const NEW_GIT: &str = "git version 2.55.0";
const OLD_GIT: &str = "git version 2.47.3";

/// What Git 2.54 does with the hooks of the configuration, as far as `install` tries them.
const RUN_CONFIGURED: &str = r#"
run= name=
for word; do
	case $run$word in
	run) run=yes- ;;
	yes---to-stdin=*) exec <"${word#--to-stdin=}" ;;
	yes-pre-commit) name=gpuguard ;;
	yes-p*) name=gpuguard-${word} ;;
	esac
done
if [ -n "$name" ] && command=$("$real" -C "$2" config "hook.$name.command"); then
	cd "$2" || exit
	exec /bin/sh -c "$command \"\$@\"" hook
fi
"#;

/// Runs `gpuguard ARGUMENTS` in `folder` with a `git` that gives `version` as its own.
fn with_git(repo: &TestRepo, folder: &Path, version: &str, arguments: &[&str]) -> Run {
    let mut child = command(program(), folder, repo.home());
    child.args(arguments);
    run_with_git(repo, &mut child, version)
}

fn run_with_git(repo: &TestRepo, child: &mut Command, version: &str) -> Run {
    let bin = repo.beside("fake-git");
    fs::create_dir_all(&bin).unwrap();
    script(
        &bin.join("git"),
        &format!(
            "real='{}'\nfor last; do :; done\n\
             [ \"$last\" = version ] && {{ echo '{version}'; exit; }}\n{RUN_CONFIGURED}\n\
             exec \"$real\" \"$@\"\n",
            which(&git()).display()
        ),
    );
    child
        .env("PATH", before_path(&bin))
        .output()
        .unwrap()
        .into()
}

/// PATH with `folder` first.
fn before_path(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// Writes an executable sh script. A child does it: a program that this process has open for
/// writing while another test forks cannot be started ("text file busy").
fn script(path: &Path, body: &str) {
    runnable(path, &format!("#!/bin/sh\n{body}"));
}

/// The same with a first line of its own.
fn runnable(path: &Path, text: &str) {
    let status = Command::new("sh")
        .args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"])
        .args([path.as_os_str(), text.as_ref()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Where on PATH a program lies.
fn which(program: &Path) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

/// The way of Gits before 2.54, whatever Git runs the tests.
fn install(repo: &TestRepo) -> Run {
    with_git(repo, &repo.path(), OLD_GIT, &["install"])
}

fn uninstall(repo: &TestRepo) -> Run {
    repo.gpuguard(&["uninstall"])
}

fn commit(repo: &TestRepo) -> Run {
    repo.try_git(&["commit", "--allow-empty", "-m", "change"])
}

fn hook(repo: &TestRepo, body: &str) {
    script(&repo.path().join(HOOK), body);
}

/// Installs from a copy of the program in `folder`, then takes the copy away: now the hook file
/// can only refuse, which shows that it ran and which program it looked for.
fn install_from_vanished_program(repo: &TestRepo, folder: &str) -> PathBuf {
    install_from_vanished_program_with(repo, folder, OLD_GIT)
}

fn install_from_vanished_program_with(repo: &TestRepo, folder: &str, version: &str) -> PathBuf {
    let folder = repo.beside(folder);
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("gpuguard");
    let status = Command::new("cp")
        .args([program(), &copy])
        .status()
        .unwrap();
    assert!(status.success());
    let run = run_with_git(repo, repo.command(&copy).arg("install"), version);
    assert_eq!(run.code, 0, "{run}");
    fs::remove_file(&copy).unwrap();
    copy
}
