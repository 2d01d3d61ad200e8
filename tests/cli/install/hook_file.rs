//! Gits before 2.54: the hook file, what it does, and the hook that was there before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{
    HOOK, PREVIOUS, before_path, commit, hook, install, install_from_vanished_program, mode,
    script, uninstall,
};
use crate::support::{Run, TestRepo, git, program};

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
    fs::set_permissions(repo.path().join(HOOK), Permissions::from_mode(0o644)).unwrap();
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
    fs::set_permissions(&path, Permissions::from_mode(0o741)).unwrap();
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
fn the_earlier_hook_comes_back_also_when_our_file_was_removed_by_hand() {
    let repo = TestRepo::new();
    hook(&repo, "exit 0\n");
    install(&repo);
    fs::remove_file(repo.path().join(HOOK)).unwrap();
    let run = uninstall(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the earlier hook is back"), "{run}");
    assert_eq!(repo.read(HOOK), b"#!/bin/sh\nexit 0\n");
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
fn lines_that_somebody_added_are_kept() {
    let repo = TestRepo::new();
    let edited = ".git/hooks/pre-commit.gpuguard-edited";
    install(&repo);
    install_from_vanished_program(&repo, "bin");
    let run = install(&repo);
    assert!(!run.stderr.contains("is kept as"), "{run}");
    assert!(!repo.exists(edited));

    let mut content = repo.read(HOOK);
    content.extend(b"my own line\n");
    repo.write(HOOK, &content);
    let run = install(&repo);
    assert!(run.stderr.contains("is kept as"), "{run}");
    assert_eq!(repo.read(edited), content);
    fs::remove_file(repo.path().join(edited)).unwrap();
    repo.write(HOOK, &content);
    let run = uninstall(&repo);
    assert!(run.stderr.contains("is kept as"), "{run}");
    assert_eq!(repo.read(edited), content);
    assert!(!repo.exists(HOOK));
}
