//! `gpuguard doctor hook`: whether the hook fires is seen by running it, and nothing else runs or
//! changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Run, TestRepo, gpuguard, program};

const HOOK: &str = ".git/hooks/pre-commit";

/// A repository with the founding rig's policy and the hook installed as a file.
fn installed() -> TestRepo {
    let repo = TestRepo::with_policy();
    assert_eq!(repo.gpuguard(&["install", "--shim"]).code, 0);
    repo
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

/// Runs `gpuguard doctor hook` with a `git` that says to be of `version`, and does `more` first.
pub(super) fn doctor_with_git(repo: &TestRepo, version: &str, more: &str) -> Run {
    let bin = repo.beside("fake-git");
    fs::create_dir_all(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path)
        .map(|folder| folder.join(crate::support::git()))
        .find(|file| file.is_file())
        .unwrap();
    let body = format!(
        "real='{}'\nfor last; do :; done\n\
         [ \"$last\" = version ] && {{ echo 'git version {version}'; exit; }}\n{more}\n\
         exec \"$real\" \"$@\"\n",
        real.display()
    );
    script(&bin.join("git"), &body);
    let older = repo.beside("older-git");
    fs::create_dir_all(&older).unwrap();
    script(&older.join("git"), "echo 'git version 2.30.2'\n");
    repo.command(program())
        .args(["doctor", "hook"])
        .env(
            "PATH",
            format!("{}:{}:{path}", bin.display(), older.display()),
        )
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_hook_is_run_in_every_working_tree_and_nothing_changes() {
    let repo = installed();
    repo.write("a.py", "print(1)\n");
    repo.commit_all("first");
    repo.git(&["worktree", "add", "--quiet", "../linked"]);
    repo.git(&["worktree", "add", "--quiet", "../gone"]);
    fs::remove_dir_all(repo.beside("gone")).unwrap();
    // Something is staged, and something else is not.
    repo.write("a.py", "import torch\ntorch.device('cuda:1')\n");
    repo.git(&["add", "."]);
    repo.write("a.py", "print(2)\n");
    let index = repo.read(".git/index");
    let linked = repo.read(".git/worktrees/linked/index");
    let run = doctor(&repo);
    assert_eq!(run.code, 0, "{run}");
    for tree in [repo.path(), repo.beside("linked")] {
        let tree = format!("`{}`", tree.display());
        let words = [
            "pre-commit fires in",
            &tree,
            "this shell's",
            "no PATH, no terminal",
        ];
        assert_line(&run, "ok ", &words);
    }
    let gone = repo.beside("gone").display().to_string();
    assert_line(&run, "note", &[&gone, "is gone", "`git worktree prune`"]);
    let hook = repo.path().join(HOOK).display().to_string();
    assert_line(&run, "ok ", &["pre-commit in", "runs", &hook]);
    assert_line(
        &run,
        "ok ",
        &["policy as it is staged: gpuguard.toml", "no user file"],
    );
    assert_line(
        &run,
        "note",
        &[
            "`git commit --no-verify`",
            "GPUGUARD=0",
            "rebase",
            "; cure: `gpuguard scan --range",
        ],
    );
    assert_eq!(repo.read(".git/index"), index);
    assert_eq!(repo.read(".git/worktrees/linked/index"), linked);
    assert_eq!(repo.read("a.py"), b"print(2)\n");
    assert!(!repo.exists(".git/gpuguard/backups"));
    // From the linked one it is the same.
    let run = gpuguard_in(&repo, &repo.beside("linked"));
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout.matches("pre-commit fires").count(), 2, "{run}");
}

fn gpuguard_in(repo: &TestRepo, folder: &Path) -> Run {
    let mut command = repo.command(program());
    command.current_dir(folder).args(["doctor", "hook"]);
    command.output().unwrap().into()
}

#[test]
fn before_the_first_commit_it_works_too() {
    let repo = TestRepo::new();
    repo.write(
        "gpuguard.toml",
        include_str!("../../src/policy/preset_rtx3090.toml"),
    );
    repo.gpuguard(&["install", "--shim"]);
    let run = doctor(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "note",
        &["which Git does not track", "`git add gpuguard.toml`"],
    );
    assert_line(&run, "ok ", &["pre-commit fires"]);
}

#[test]
fn hooks_of_others_are_named_and_do_not_run() {
    let repo = TestRepo::with_policy();
    let touch = repo.beside("it-ran");
    script(
        &repo.path().join(HOOK),
        &format!("touch '{}'\n", touch.display()),
    );
    repo.gpuguard(&["install", "--shim"]);
    repo.git(&["config", "hook.lint.event", "pre-commit"]);
    repo.git(&["config", "hook.lint.command", "false"]);
    let run = doctor_with_git(&repo, "2.53.0", "");
    assert_eq!(run.code, 0, "{run}");
    let order = [
        "hook.lint of local",
        "(not by this Git), then",
        "pre-commit.gpuguard-previous`, then",
    ];
    assert_line(&run, "ok ", &order);
    assert_line(&run, "ok ", &["pre-commit fires"]);
    assert!(!touch.exists());
    // A hook of somebody else that calls gpuguard.
    repo.gpuguard(&["uninstall"]);
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &[
            "nothing runs gpuguard for pre-commit",
            "; cure: `gpuguard install`",
        ],
    );
    // A remark runs nothing, and neither does a word in another file.
    let script_of = |line: &str| format!("touch '{}'\n{line}\n", touch.display());
    let hook = repo.path().join(HOOK);
    script(&hook, &script_of("# gpuguard was taken out of here"));
    repo.write("package.json", "{\"keywords\": [\"gpuguard\"]}\n");
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(&run, "wrong", &["nothing runs gpuguard for pre-commit"]);
    // What is not tried is not known to work.
    script(&hook, &script_of("gpuguard hook run pre-commit"));
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["pre-commit` names gpuguard", "was not tried"],
    );
    assert!(!touch.exists());
}

#[test]
fn a_hook_that_cannot_fire_is_wrong() {
    let repo = installed();
    repo.git(&["worktree", "add", "--quiet", "../linked"]);
    // Relative: each working tree looks in its own folder.
    repo.git(&["config", "core.hooksPath", "own"]);
    repo.gpuguard(&["install", "--shim"]);
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    let linked = repo.beside("linked").display().to_string();
    assert_line(
        &run,
        "ok ",
        &["pre-commit fires", &repo.path().display().to_string()],
    );
    assert_line(
        &run,
        "wrong",
        &["nothing runs gpuguard", &linked, &format!("{linked}/own`")],
    );
    repo.git(&["worktree", "remove", "../linked"]);

    fs::set_permissions(
        repo.path().join("own/pre-commit"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["is not executable", "; cure: `gpuguard install`"],
    );

    repo.git(&["config", "core.hooksPath", "/dev/null"]);
    assert_line(
        &doctor(&repo),
        "wrong",
        &["nothing runs gpuguard", "`/dev/null`"],
    );
}

#[test]
fn a_program_that_has_gone_is_found_out_also_where_this_shell_has_another() {
    let repo = TestRepo::with_policy();
    let copy = repo.beside("bin").join("gpuguard");
    fs::create_dir(repo.beside("bin")).unwrap();
    let copied = Command::new("cp")
        .args([program(), &copy])
        .status()
        .unwrap();
    assert!(copied.success());
    let run: Run = repo
        .command(&copy)
        .args(["install", "--shim"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    let moved = repo.beside("elsewhere");
    fs::rename(repo.beside("bin"), &moved).unwrap();
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    let cure = "; cure: install gpuguard again, then run: gpuguard install";
    assert_line(
        &run,
        "wrong",
        &["does not work: ", "the gpuguard program is missing", cure],
    );

    let path = format!("{}:{}", moved.display(), std::env::var("PATH").unwrap());
    let run: Run = repo
        .command(program())
        .args(["doctor", "hook"])
        .env("PATH", path)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["does not work with a graphical client's variables", cure],
    );
}

#[test]
fn variables_that_pass_everything_are_wrong() {
    let repo = installed();
    for (name, value) in [("GPUGUARD", "0"), ("SKIP", "ruff, gpuguard")] {
        let mut command = repo.command(program());
        command.args(["doctor", "hook"]).env(name, value);
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 1, "{run}");
        assert_line(
            &run,
            "wrong",
            &[&format!("{name}={value} is set here"), "; cure: "],
        );
        // The hook itself is as good as it was.
        assert_line(&run, "ok ", &["pre-commit fires"]);
    }
}

#[test]
fn what_is_missing_is_said() {
    let nowhere = TestRepo::new();
    let folder = nowhere.beside("plain");
    fs::create_dir(&folder).unwrap();
    let run = gpuguard(&folder, &["doctor"]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(&run, "note", &["there is no repository here"]);
    let asked = gpuguard(&folder, &["doctor", "hook"]);
    assert_eq!(asked.code, 2, "{asked}");
    assert!(
        asked.stderr.contains("is not in a Git repository"),
        "{asked}"
    );
    assert_line(
        &run,
        "note",
        &["the cards were not looked at: there is no policy"],
    );

    let repo = TestRepo::new();
    repo.gpuguard(&["install", "--shim"]);
    let run = repo.gpuguard(&["doctor"]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["there is no policy", "; cure: `gpuguard init`"],
    );
    assert_line(&run, "ok ", &["fires and refuses for want of a policy"]);
    repo.write("gpuguard.toml", "version = 1\n[[card\n");
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["the policy is wrong: ", "gpuguard.toml:2:"],
    );

    let without: Run = repo
        .command(program())
        .args(["doctor", "hook"])
        .env("PATH", folder.as_os_str())
        .output()
        .unwrap()
        .into();
    assert_eq!(without.code, 1, "{without}");
    assert_line(
        &without,
        "wrong",
        &["there is no `git` on PATH", "; cure: install Git"],
    );

    let bare = repo.beside("bare.git");
    repo.git(&["init", "--quiet", "--bare", "../bare.git"]);
    let run = gpuguard(&bare, &["doctor", "hook"]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(&run, "note", &["is a bare repository"]);
    assert_line(&run, "wrong", &["nothing runs gpuguard for pre-receive"]);
}

#[test]
fn policies_below_the_root_are_looked_at() {
    let repo = installed();
    let below = "version = 1\nextends = \"../gpuguard.toml\"\n[hook]\nsnapshot = false\n";
    repo.write("sub/gpuguard.toml", below);
    repo.write("bad/gpuguard.toml", "version = 2\n");
    repo.git(&["add", "."]);
    let run = doctor(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_line(&run, "ok ", &["policy below the root: sub/gpuguard.toml"]);
    assert_line(
        &run,
        "note",
        &["hook.snapshot (sub/gpuguard.toml:4) has no effect"],
    );
    assert_line(
        &run,
        "wrong",
        &["bad/gpuguard.toml:1:11", "; cure: mend `bad/gpuguard.toml`"],
    );
}

#[test]
fn gits_of_all_ages_are_told_apart() {
    let repo = installed();
    let run = doctor_with_git(&repo, "2.20.1", "");
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &[
            "git version 2.20.1",
            "needs 2.31",
            "; cure: install a newer Git",
        ],
    );
    // Too old to run one hook itself: the hook file is started as it is.
    let refuse = "for word; do [ \"$word\" = hook ] && { echo unknown >&2; exit 1; }; done";
    let run = doctor_with_git(&repo, "2.34.1", refuse);
    assert_eq!(run.code, 0, "{run}");
    assert_line(&run, "ok ", &["pre-commit fires"]);
    // Whoever made the entries had a newer one.
    repo.gpuguard(&["uninstall"]);
    repo.git(&["config", "hook.gpuguard.event", "pre-commit"]);
    repo.git(&[
        "config",
        "hook.gpuguard.command",
        "/opt/gpuguard hook run pre-commit",
    ]);
    let run = doctor_with_git(&repo, "2.53.0", "");
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong",
        &["does not read hook.gpuguard", "; cure: `gpuguard install`"],
    );
}

/// What Git 2.54 does with the hooks of its configuration: `-c` settings, then the command in a
/// shell, with its own programs first on PATH.
pub(super) const RUN_CONFIGURED: &str = r#"
run= entry= off=
for word; do
	case $run$word in
	run) run=yes- ;;
	yes-pre-commit) entry=gpuguard ;;
	yes-pre-merge-commit) entry=gpuguard-pre-merge-commit off=yes ;;
	yes-pre-push) entry=gpuguard-pre-push off=yes ;;
	yes---to-stdin=*) exec <"${word#--to-stdin=}" ;;
	hook.lint.enabled=false) off=yes ;;
	esac
done
if [ -n "$entry" ] && "$real" -C "$2" config "hook.$entry.command" >/dev/null; then
	"$real" -C "$2" config hook.lint.event >/dev/null || off=yes
	[ "$off" = yes ] || { echo 'another hook ran' >&2; exit 1; }
	cd "$2" || exit
	PATH=$("$real" --exec-path):$PATH
	command=$("$real" config "hook.$entry.command")
	exec /bin/sh -c "$command \"\$@\"" hook
fi
"#;

#[test]
fn entries_of_the_configuration_are_run_as_git_runs_them() {
    let repo = TestRepo::with_policy();
    repo.git(&["worktree", "add", "--quiet", "../linked"]);
    let bin = repo.beside("fake-git");
    // `install` asks for the version alone.
    doctor_with_git(&repo, "2.55.0", RUN_CONFIGURED);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut install = repo.command(program());
    install.arg("install").env("PATH", path);
    assert!(install.output().unwrap().status.success());
    repo.git(&["config", "--global", "hook.lint.event", "pre-commit"]);
    repo.git(&["config", "--global", "hook.lint.command", "false"]);
    let run = doctor_with_git(&repo, "2.55.0", RUN_CONFIGURED);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "ok ",
        &["hook.lint of global", "then hook.gpuguard of local"],
    );
    assert_eq!(run.stdout.matches("pre-commit fires").count(), 2, "{run}");
    // Another Git that is found here is older.
    assert_line(
        &run,
        "note",
        &[
            "git version 2.30.2",
            "passes by the hook in the configuration",
            "--shim",
        ],
    );

    for key in ["hook.gpuguard.enabled", "hook.pre-commit.enabled"] {
        repo.git(&["config", "hook.gpuguard.enabled", "true"]);
        repo.git(&["config", key, "false"]);
        let run = doctor_with_git(&repo, "2.55.0", RUN_CONFIGURED);
        assert_eq!(run.code, 1, "{run}");
        let switched = format!("is switched off by {key}");
        let cure = format!("; cure: `git config {key} true`");
        assert_line(&run, "wrong", &[&switched, &cure]);
    }
}

#[test]
fn programs_get_json() {
    let repo = installed();
    let run = repo.gpuguard(&["doctor", "--format", "json"]);
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    let found = object["found"].as_array().unwrap();
    let of = |about: &str| found.iter().filter(|one| one["about"] == about).count();
    assert!(of("hook") >= 4 && of("card") >= 2, "{run}");
    let quiet = repo.gpuguard(&["doctor", "hook", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""), "{quiet}");
}
