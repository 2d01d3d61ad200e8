//! The hook that was there before, started by the hook file: it finds its parts by its own name,
//! runs in its own language, and its refusal counts.

use std::fs;

use super::{HOOK, commit, hook, install, install_from_vanished_program, script};
use crate::support::{Run, TestRepo, git};

/// The husky 9 layout: every file of `core.hooksPath` reads `h`, which runs the script of the
/// same name one folder up.
pub(super) fn husky(repo: &TestRepo, folder: &str) {
    repo.git(&["config", "core.hooksPath", &format!("{folder}/_")]);
    repo.write(
        &format!("{folder}/_/h"),
        "#!/usr/bin/env sh\n[ \"$HUSKY\" = \"2\" ] && set -x\nn=$(basename \"$0\")\n\
         s=$(dirname \"$(dirname \"$0\")\")/$n\n\n[ ! -f \"$s\" ] && exit 0\n\n\
         sh -e \"$s\" \"$@\"\nc=$?\n\n[ $c != 0 ] && echo \"husky - $n script failed (code $c)\"\n\
         exit $c\n",
    );
    raw(
        repo,
        &format!("{folder}/_/pre-commit"),
        "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"",
    );
}

/// An executable file of exactly this content.
fn raw(repo: &TestRepo, path: &str, content: &str) {
    let place = repo.path().join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    script(&place, "");
    repo.write(path, content);
}

#[test]
fn husky_finds_its_script() {
    let repo = TestRepo::new();
    husky(&repo, ".husky");
    repo.write(".husky/pre-commit", "echo from husky >&2\nexit 1\n");
    let run = install(&repo);
    assert_eq!(run.code, 0, "{run}");
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("from husky"), "{run}");
    assert!(run.stderr.contains("husky - pre-commit script failed"));
}

#[test]
fn a_hook_that_starts_itself_again_is_itself() {
    // As husky does up to version 8, which relies on `-e`.
    let repo = TestRepo::new();
    repo.write(
        ".git/hooks/_/husky.sh",
        "if [ -z \"$husky_skip_init\" ]; then\n  husky_skip_init=1\n  export husky_skip_init\n  \
         sh -e \"$0\" \"$@\"\n  exit $?\nfi\n",
    );
    hook(
        &repo,
        ". \"$(dirname \"$0\")/_/husky.sh\"\necho once >&2\nfalse\necho not reached >&2\n",
    );
    install(&repo);
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(run.stderr.matches("once").count(), 1, "{run}");
    assert!(!run.stderr.contains("not reached"), "{run}");
}

#[test]
fn a_dispatcher_finds_its_parts_by_its_own_name() {
    let repo = TestRepo::new();
    hook(
        &repo,
        "for part in \"$0.d\"/* \"$(dirname \"$0\")/$(basename \"$0\").d\"/*; do\n  \
         \"$part\" || exit\ndone\n",
    );
    fs::create_dir(repo.path().join(".git/hooks/pre-commit.d")).unwrap();
    script(
        &repo.path().join(".git/hooks/pre-commit.d/10-part"),
        "echo a part >&2\n",
    );
    install(&repo);
    install_from_vanished_program(&repo, "bin");
    let run = commit(&repo);
    assert_eq!(run.stderr.matches("a part").count(), 2, "{run}");
    assert!(run.stderr.contains("program is missing"), "{run}");
}

#[test]
fn each_language_runs_as_it_did() {
    let repo = TestRepo::new();
    install(&repo);
    fs::remove_file(repo.path().join(HOOK)).unwrap();
    for (first, body) in [
        (
            "#!/bin/bash -eu\n",
            "list=(a b); [[ ${list[1]} == b ]]; fail",
        ),
        ("#!/usr/bin/env bash\n", "list=(a b); fail \"${list[@]}\""),
        ("#! /bin/sh -\n", "fail"),
        ("", "fail"),
        ("#!/bin/bash\n", "[[ ${BASH_SOURCE[0]} == \"$0\" ]] && fail"),
    ] {
        let text = format!("{first}fail() {{ echo \"name ${{0##*/}}\" >&2; exit 7; }}\n{body}\n");
        raw(&repo, HOOK, &text);
        install(&repo);
        let run = start(&repo);
        assert_eq!(run.code, 7, "{text}: {run}");
        let own = format!("{run}").contains("name pre-commit\n");
        assert!(own || text.contains("BASH_SOURCE"), "{text}: {run}");
        fs::remove_file(repo.path().join(".git/hooks/pre-commit.gpuguard-previous")).unwrap();
        fs::remove_file(repo.path().join(HOOK)).unwrap();
    }
    // Not a shell: started as it is.
    raw(&repo, HOOK, "#!/usr/bin/awk -f\nBEGIN { exit 9 }\n");
    install(&repo);
    assert_eq!(start(&repo).code, 9);
}

/// The hook file as Git starts it; Git itself tells only 0 from the rest.
fn start(repo: &TestRepo) -> Run {
    repo.command(repo.path().join(HOOK))
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_commit_that_the_earlier_hook_makes_elsewhere_is_guarded_there() {
    let repo = TestRepo::new();
    let other = TestRepo::new();
    install_from_vanished_program(&other, "bin");
    let there = other.path();
    hook(
        &repo,
        &format!(
            "unset $(git rev-parse --local-env-vars)\ncd '{}' && '{}' commit --allow-empty -m x\n",
            there.display(),
            git().display()
        ),
    );
    install(&repo);
    let run = commit(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("program is missing"), "{run}");
}

#[test]
fn nothing_but_git_need_be_on_path() {
    let repo = TestRepo::new();
    let bin = repo.beside("only-git");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(super::which(&git()), bin.join("git")).unwrap();
    let start = |skip: &str| -> Run {
        let mut hook = repo.command(repo.path().join(HOOK));
        hook.env("PATH", &bin).env("SKIP", skip);
        hook.output().unwrap().into()
    };
    let body = "#!/bin/bash\n[[ ${BASH_SOURCE[0]} == \"$0\" ]] && exit 7\n";
    raw(&repo, HOOK, body);
    install(&repo);
    let run = start("");
    assert_eq!(run.code, 7, "{run}");
    assert!(!run.stderr.contains("not found"), "{run}");

    fs::remove_file(repo.path().join(super::PREVIOUS)).unwrap();
    install_from_vanished_program(&repo, "bin");
    for (skip, code) in [
        ("lint, gpuguard ,x", 0),
        ("gpuguard", 0),
        ("", 1),
        ("gpuguards, my gpuguard", 1),
    ] {
        let run = start(skip);
        assert_eq!(run.code, code, "{skip}: {run}");
        assert!(!run.stderr.contains("not found"), "{run}");
    }
}
