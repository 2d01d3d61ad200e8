//! `gpuguard install` and `uninstall`, with the Git of this machine and with one that says it is
//! newer. Whether the hook fires is seen without the scanner: a program that was copied, then
//! taken away, makes the hook file refuse.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, TestRepo, command, git, program};

const HOOK: &str = ".git/hooks/pre-commit";
const PREVIOUS: &str = ".git/hooks/pre-commit.gpuguard-previous";
const NEW_GIT: &str = "git version 2.55.0";
const OLD_GIT: &str = "git version 2.47.3";

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
            "for last; do :; done\n[ \"$last\" = version ] && {{ echo '{version}'; exit; }}\n\
             exec '{}' \"$@\"\n",
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
    let status = Command::new("sh")
        .args([
            "-c",
            r#"printf '#!/bin/sh\n%s' "$2" >"$1" && chmod 755 "$1""#,
            "sh",
        ])
        .args([path.as_os_str(), body.as_ref()])
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
    let folder = repo.beside(folder);
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("gpuguard");
    let status = Command::new("cp")
        .args([program(), &copy])
        .status()
        .unwrap();
    assert!(status.success());
    let run = run_with_git(repo, repo.command(&copy).arg("install"), OLD_GIT);
    assert_eq!(run.code, 0, "{run}");
    fs::remove_file(&copy).unwrap();
    copy
}

#[test]
fn a_hook_file_is_written_and_git_runs_it() {
    let repo = TestRepo::new();
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("installed: "), "{run}");
    assert!(run.stderr.contains(HOOK), "{run}");
    assert!(
        run.stderr.contains("gpuguard init --preset rtx3090"),
        "{run}"
    );
    assert_eq!(mode(&repo.path().join(HOOK)), 0o755);
    let content = String::from_utf8(repo.read(HOOK)).unwrap();
    assert!(content.contains(program().to_str().unwrap()), "{content}");
    assert!(!content.contains('\r'));

    let copy = install_from_vanished_program(&repo, "bin");
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("the gpuguard program is missing"),
        "{run}"
    );
    assert!(run.stderr.contains(copy.to_str().unwrap()), "{run}");
    let run: Run = repo
        .command(git())
        .args(["commit", "--allow-empty", "-m", "change"])
        .env("GPUGUARD", "0")
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn paths_with_spaces_and_quotes_reach_sh_whole() {
    let repo = TestRepo::new();
    let copy = install_from_vanished_program(&repo, "my \"tools\" $HOME it's");
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains(copy.to_str().unwrap()), "{run}");
}

#[test]
fn the_program_on_path_stands_in_for_a_missing_one() {
    let repo = TestRepo::new();
    install_from_vanished_program(&repo, "bin");
    let other = repo.beside("other");
    fs::create_dir(&other).unwrap();
    let stand_in = other.join("gpuguard");
    script(&stand_in, "echo \"called with $*\" >&2\nexit 1\n");
    let run: Run = repo
        .command(git())
        .args(["commit", "--allow-empty", "-m", "change"])
        .env("PATH", before_path(&other))
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("called with hook run pre-commit"),
        "{run}"
    );
}

#[test]
fn the_hook_that_was_there_runs_first_and_can_refuse() {
    let repo = TestRepo::new();
    hook(&repo, "echo earlier hook >&2\nexit 3\n");
    let run = install(&repo);
    assert!(
        run.stderr.contains("keeps running, before gpuguard"),
        "{run}"
    );
    install_from_vanished_program(&repo, "bin");
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("earlier hook"), "{run}");
    assert!(
        !run.stderr.contains("missing"),
        "gpuguard ran after a refusal: {run}"
    );

    script(&repo.path().join(PREVIOUS), "echo earlier hook >&2\n");
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("earlier hook"), "{run}");
    assert!(run.stderr.contains("missing"), "{run}");
}

#[test]
fn installing_again_changes_nothing_or_the_path() {
    let repo = TestRepo::new();
    hook(&repo, "exit 0\n");
    install(&repo);
    let before = repo.read(HOOK);
    let run = install(&repo);
    assert!(run.stderr.starts_with("already installed: "), "{run}");
    assert_eq!(repo.read(HOOK), before);
    assert_eq!(
        repo.read(PREVIOUS),
        b"#!/bin/sh\nexit 0\n",
        "chained itself"
    );

    install_from_vanished_program(&repo, "bin");
    let run = install(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert_eq!(repo.read(HOOK), before);
    fs::set_permissions(repo.path().join(HOOK), fs::Permissions::from_mode(0o644)).unwrap();
    let run = install(&repo);
    assert!(run.stderr.starts_with("updated: "), "{run}");
    assert_eq!(mode(&repo.path().join(HOOK)), 0o755);
}

#[test]
fn uninstall_restores_the_earlier_hook_as_it_was() {
    let repo = TestRepo::new();
    let odd = b"#!/bin/sh\r\n# no line end, \xff byte".as_slice();
    repo.write(HOOK, odd);
    let path = repo.path().join(HOOK);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o741)).unwrap();
    install(&repo);
    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the earlier hook is back"), "{run}");
    assert_eq!(repo.read(HOOK), odd);
    assert_eq!(mode(&path), 0o741);
    assert!(!repo.exists(PREVIOUS));

    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("not installed"), "{run}");
    assert_eq!(repo.read(HOOK), odd);
}

#[test]
fn uninstall_without_an_earlier_hook_leaves_none() {
    let repo = TestRepo::new();
    let before = repo.read(".git/config");
    install(&repo);
    uninstall(&repo);
    assert!(!repo.exists(HOOK));
    assert_eq!(repo.read(".git/config"), before);
    assert_eq!(commit(&repo).code, 0);
}

#[test]
fn an_earlier_hook_that_is_a_link_or_not_executable_is_kept_as_it_is() {
    let repo = TestRepo::new();
    fs::create_dir(repo.path().join("tools")).unwrap();
    script(
        &repo.path().join("tools/check.sh"),
        "echo from the link >&2\nexit 1\n",
    );
    fs::create_dir_all(repo.path().join(".git/hooks")).unwrap();
    symlink("../../tools/check.sh", repo.path().join(HOOK)).unwrap();
    install(&repo);
    assert!(commit(&repo).stderr.contains("from the link"));
    uninstall(&repo);
    let target = fs::read_link(repo.path().join(HOOK)).unwrap();
    assert_eq!(target, Path::new("../../tools/check.sh"));

    fs::remove_file(repo.path().join(HOOK)).unwrap();
    repo.write(HOOK, "#!/bin/sh\necho asleep >&2\nexit 1\n");
    let run = install(&repo);
    assert!(run.stderr.contains("is not executable"), "{run}");
    install_from_vanished_program(&repo, "bin");
    let run = commit(&repo);
    assert!(!run.stderr.contains("asleep"), "{run}");
}

#[test]
fn a_tool_that_calls_our_file_as_its_own_earlier_hook_makes_no_circle() {
    let repo = TestRepo::new();
    install(&repo);
    let legacy = ".git/hooks/pre-commit.legacy";
    fs::rename(repo.path().join(HOOK), repo.path().join(legacy)).unwrap();
    hook(
        &repo,
        &format!("echo other tool >&2\nexec {legacy} \"$@\"\n"),
    );
    install_from_vanished_program(&repo, "bin");
    let run = commit(&repo);
    assert_eq!(run.stderr.matches("other tool").count(), 1, "{run}");
    assert!(run.stderr.contains("missing"), "{run}");
}

#[test]
fn two_foreign_hooks_are_not_guessed_about() {
    let repo = TestRepo::new();
    hook(&repo, "# first\n");
    install(&repo);
    hook(&repo, "# second\n");
    let run = install(&repo);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\n# second\n");
    assert_eq!(repo.read(PREVIOUS), b"#!/bin/sh\n# first\n");
    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("still kept"), "{run}");
}

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
    let absolute = repo.beside("hooks elsewhere");
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
    assert!(!repo.exists(HOOK));
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
    repo.git(&["init", "--quiet", "--bare", none.to_str().unwrap()]);
    let run = repo.gpuguard(&["install", none.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("bare repository"), "{run}");
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
