//! All gates: chosen, skipped, beside other hooks, and taken out again.

use std::path::Path;

use super::{bad, good, guarded, install, server_of, tree, write_hook};
use crate::support::{Run, TestRepo, git};

#[test]
fn gates_of_a_push_can_be_skipped_and_say_so() {
    let pair = guarded();
    pair.slip("a.py", bad());
    for (name, value) in [("GPUGUARD", "0"), ("SKIP", "lint,gpuguard")] {
        let run: Run = pair
            .repo
            .command(git())
            .args(["push", "--dry-run"])
            .env(name, value)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stderr.contains("this push is not judged"),
            "{name}: {run}"
        );
    }
}

#[test]
fn uninstall_leaves_both_sides_as_they_were() {
    let repo = TestRepo::with_policy();
    let server = server_of(&repo);
    let foreign = "#!/bin/sh\ncat >\"$GIT_DIR/told\" 2>/dev/null || cat >.git/told\n";
    for hook in [
        repo.path().join(".git/hooks/pre-push"),
        server.join("hooks/pre-receive"),
    ] {
        write_hook(&hook, foreign);
    }
    let before = (tree(&repo.path().join(".git")), tree(&server));
    for path in [repo.path(), server.clone()] {
        let run = repo.gpuguard(&[
            "install",
            "--shim",
            "--hooks",
            "all",
            path.to_str().unwrap(),
        ]);
        assert_eq!(run.code, 0, "{run}");
        let run = repo.gpuguard(&["install", "--hooks", "all", path.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{run}");
    }
    for path in [repo.path(), server.clone()] {
        let run = repo.gpuguard(&["uninstall", path.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{run}");
    }
    assert_eq!((tree(&repo.path().join(".git")), tree(&server)), before);
}

#[test]
fn both_hooks_of_a_push_hear_what_git_says() {
    let pair = guarded();
    pair.guard_server_only();
    let pair_hooks = [
        pair.repo.path().join(".git/hooks/pre-push"),
        pair.server.join("hooks/pre-receive"),
    ];
    pair.repo
        .gpuguard(&["uninstall", pair.server.to_str().unwrap()]);
    for hook in &pair_hooks {
        write_hook(
            hook,
            &format!("#!/bin/sh\ncat >'{}.told'\n", hook.display()),
        );
    }
    install(&pair.repo, &["--shim"]);
    install(&pair.repo, &["--shim", pair.server.to_str().unwrap()]);
    pair.slip("a.py", bad());
    pair.assert_push_refused(&[], &["a.py:5"]);
    pair.assert_push_refused(&["--no-verify"], &["a.py:5"]);
    for hook in &pair_hooks {
        let told = std::fs::read_to_string(hook.with_extension("told")).unwrap();
        assert!(told.contains("refs/heads/main"), "{told}");
        assert!(told.ends_with('\n'));
    }
    // Either can refuse, and one need not listen.
    for hook in &pair_hooks {
        let previous = format!("{}.gpuguard-previous", hook.display());
        write_hook(
            Path::new(&previous),
            "#!/bin/sh\necho the other one refuses >&2\nexit 1\n",
        );
    }
    pair.commit("a.py", good(), &[]);
    pair.assert_push_refused(&[], &["the other one refuses"]);
    pair.assert_push_refused(&["--no-verify"], &["the other one refuses"]);
}

#[test]
fn a_push_that_an_earlier_hook_makes_is_judged_for_itself() {
    let pair = guarded();
    let mirror = pair.repo.beside("mirror.git");
    let path = mirror.to_str().unwrap();
    pair.repo.git(&["init", "--quiet", "--bare", path]);
    pair.repo.git(&["remote", "add", "mirror", path]);
    let git = git();
    let git = git.display();
    let hook = pair.repo.path().join(".git/hooks/pre-push");
    for body in [
        format!("'{git}' push mirror main || :\n"),
        format!("exec '{git}' push mirror main\n"),
    ] {
        for shebang in ["#!/bin/sh\n", "#!/bin/sh\n# BASH_SOURCE\n"] {
            pair.repo.gpuguard(&["uninstall"]);
            let is_first = "[ \"$1\" = mirror ] && exit 0\necho \"the other to $1\" >&2\n";
            write_hook(&hook, &format!("{shebang}{is_first}{body}"));
            install(&pair.repo, &["--shim"]);
            pair.slip("a.py", bad());
            let run = pair.assert_push_refused(&["origin", "main"], &["the other to origin"]);
            let told = "push of main refused: 1 new problem";
            let expected = if body.starts_with("exec") { 1 } else { 2 };
            assert_eq!(run.stderr.matches(told).count(), expected, "{run}");
            assert_eq!(
                std::fs::read_dir(mirror.join("refs/heads"))
                    .unwrap()
                    .count(),
                0
            );
            pair.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        }
    }
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
    assert!(mirror.join("refs/heads/main").exists());
}

#[test]
fn the_events_can_be_chosen_and_stay_chosen() {
    let repo = TestRepo::with_policy();
    let wired = |repo: &TestRepo| -> Vec<String> {
        let run = repo.gpuguard(&["install", "--shim"]);
        assert_eq!(run.code, 0, "{run}");
        let events = [
            "pre-commit",
            "pre-merge-commit",
            "post-commit",
            "pre-push",
            "pre-receive",
        ];
        let is_wired = |event: &&str| repo.exists(&format!(".git/hooks/{event}"));
        events
            .into_iter()
            .filter(is_wired)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(wired(&repo), ["pre-commit", "pre-merge-commit"]);
    let run = repo.gpuguard(&["install", "--shim", "--hooks", "pre-commit,pre-push"]);
    assert!(run.stderr.contains("each commit and push"), "{run}");
    assert!(run.stderr.contains("pre-merge-commit: no longer"), "{run}");
    assert_eq!(wired(&repo), ["pre-commit", "pre-merge-commit", "pre-push"]);
    let run = repo.gpuguard(&["install", "--hooks", "post-teapot"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("pre-receive, or all"), "{run}");
}
