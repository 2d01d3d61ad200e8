//! Kinds of commits, and what commits without a hook.

use std::process::Stdio;

use super::{HEADER, Place, Setting, bad, executable, good, in_each_setting};
use crate::support::{Run, git, program};

#[test]
fn the_index_that_git_names_is_the_one_that_is_read() {
    in_each_setting(|place| {
        place.stage("sub/a.py", good());
        place.stage("b.py", good());
        place.slip("good");
        // By its own index, a locked one, one of a path.
        place.stage("sub/a.py", bad());
        place.assert_refused(&["-C", "sub", "commit", "-m", "x"], &["sub/a.py:5:23"]);
        place.write("b.py", format!("{}# more\n", good()));
        place.assert_refused(&["commit", "-am", "x"], &["sub/a.py:5"]);
        place.assert_refused(&["commit", "-m", "x", "-i", "b.py"], &["sub/a.py:5"]);
        place.assert_passes(&["commit", "-m", "x", "b.py"]);
        place.assert_refused(
            &["commit", "-m", "x", "--only", "sub/a.py"],
            &["sub/a.py:5"],
        );
        // A part of a file, chosen by hand.
        place.write("b.py", format!("{}# most\n", bad()));
        let mut patch = place.command(&git());
        patch.args(["-c", "color.ui=never", "commit", "-m", "x", "-p", "b.py"]);
        let mut child = patch
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"y\n").unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(place.seen(), ["1"]);
        place.git(&["checkout", "--quiet", "HEAD", "--", "."]);
        // Named by words of the command line, and by the user.
        place.stage("c.py", bad());
        let named = ["--git-dir=.git", "--work-tree=.", "commit", "-m", "x"];
        place.assert_refused(&named, &["c.py:5"]);
        place.assert_refused(&[&named[..], &["-a"]].concat(), &["c.py:5"]);
        let other = place.repo.beside("other-index");
        std::fs::copy(place.folder.join(".git/index"), &other).unwrap();
        place.git(&["rm", "--quiet", "--cached", "c.py"]);
        let run: Run = place
            .command(&git())
            .args(["commit", "-m", "x"])
            .env("GIT_INDEX_FILE", &other)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("c.py:5"), "{run}");
        assert_eq!(place.seen(), ["1"]);
    });
}

#[test]
fn no_program_but_git_is_started_and_git_only_reads() {
    let place = Place::new(Setting::Plain, &[]);
    place.stage("a.py", good());
    place.stage("moved.py", bad());
    place.slip("good");
    let log = place.repo.beside("started");
    let bin = place.repo.beside("logging");
    std::fs::create_dir(&bin).unwrap();
    let real = place.git(&["--exec-path"]);
    executable(
        &bin.join("git"),
        &format!(
            "#!/bin/sh\necho \"$PWD|$GIT_OPTIONAL_LOCKS|$GIT_TERMINAL_PROMPT|$GIT_NO_LAZY_FETCH|$*\" >>'{}'\n\
             exec '{}/git' \"$@\"\n",
            log.display(),
            real.trim()
        ),
    );
    place.git(&["mv", "moved.py", "new-name.py"]);
    place.stage("b.py", bad());
    let run: Run = place
        .command(program())
        .args(["hook", "run", "pre-commit"])
        .env("PATH", &bin)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 1, "{run}");
    let started = std::fs::read_to_string(&log).unwrap();
    assert!(started.contains("diff-index"), "{started}");
    for line in started.lines() {
        let (folder, rest) = line.split_once('|').unwrap();
        assert_eq!(folder, place.folder.to_str().unwrap(), "{line}");
        assert!(rest.starts_with("0|0|1|"), "{line}");
        let reads = [
            "diff-index",
            "diff-tree",
            "cat-file",
            "ls-files",
            "ls-tree",
            "rev-parse",
        ];
        let command = |word: &str| reads.contains(&word);
        assert!(rest.split(' ').any(command), "{line}");
    }
}

#[test]
fn the_first_commit_is_held_against_nothing() {
    for (setting, format) in [
        (Setting::Plain, "sha1"),
        (Setting::Hostile, "sha1"),
        (Setting::NarrowPath, "sha256"),
    ] {
        let place = Place::new(setting, &[&format!("--object-format={format}")]);
        place.git(&["checkout", "--quiet", "--orphan", "fresh"]);
        place.stage("a.py", bad());
        place.assert_refused(&["commit", "-m", "x"], &["a.py:5:23"]);
        place.stage("a.py", good());
        place.assert_passes(&["commit", "-m", "x"]);
        assert_eq!(place.git(&["rev-list", "--count", "HEAD"]), "1\n");
    }
}

#[test]
fn an_amended_commit_is_judged_by_what_it_adds() {
    in_each_setting(|place| {
        place.write("a.py", bad());
        place.slip("slipped");
        place.stage("b.py", good());
        place.assert_passes(&["commit", "--amend", "--no-edit"]);
        place.stage("c.py", bad());
        place.assert_refused(
            &["commit", "--amend", "--no-edit"],
            &["1 new problem", "c.py:5"],
        );
    });
}

#[test]
fn a_commit_without_files_saves_nothing_and_passes() {
    in_each_setting(|place| {
        for arguments in [
            &["commit", "--allow-empty", "-m", "x"][..],
            &["commit", "--amend", "--allow-empty", "-m", "other words"],
        ] {
            let run = place.assert_passes(arguments);
            assert!(
                run.stderr
                    .contains("nothing is staged, nothing was looked at"),
                "{run}"
            );
        }
        assert!(!place.folder.join(".git/gpuguard/backups").exists());
    });
}

/// Two branches that part at `main`; `side` has what is given.
fn part(place: &Place, side: &str, main: &str) {
    place.write("a.py", format!("{HEADER}\n\n\n\n\n\n\n\nx = 0\n"));
    place.slip("base");
    place.git(&["checkout", "--quiet", "-b", "side"]);
    place.write("a.py", side);
    place.write("side.txt", "side\n");
    place.slip("side");
    place.git(&["checkout", "--quiet", "main"]);
    place.write("a.py", main);
    place.write("main.txt", "main\n");
    place.slip("main");
}

#[test]
fn a_clean_merge_is_asked_about_by_its_own_event() {
    in_each_setting(|place| {
        let base = format!("{HEADER}\n\n\n\n\n\n\n\nx = 0\n");
        part(
            place,
            &base.replace("x = 0", "x = torch.device('cuda:1')"),
            &base,
        );
        // What one side has is not new.
        place.assert_passes(&["merge", "--no-edit", "side"]);
        place.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        place.git(&["checkout", "--quiet", "-B", "side", "HEAD~1"]);
        place.write("a.py", base.replace("x = 0", "x = torch.device('cuda:0')"));
        place.slip("side");
        place.git(&["checkout", "--quiet", "main"]);
        place.write("a.py", base.replace(HEADER, "import torch\n"));
        place.slip("main");
        // Neither has what both make.
        place.assert_refused(
            &["merge", "--no-edit", "side"],
            &["gpuguard: merge refused"],
        );
        place.git(&["merge", "--abort"]);
        // A fast-forward commits nothing.
        place.git(&["checkout", "--quiet", "-b", "behind", "HEAD~1"]);
        place.git(&["merge", "--quiet", "--ff-only", "main"]);
        assert_eq!(place.seen(), [""; 0]);
    });
}

#[test]
fn a_merge_with_conflicts_is_judged_when_it_is_committed() {
    in_each_setting(|place| {
        part(place, &bad(), &good());
        assert_ne!(place.try_git(&["merge", "side"]).code, 0);
        assert_eq!(place.seen(), [""; 0]);
        // Unresolved: Git refuses before it asks, and by hand it is said plainly.
        assert_ne!(place.try_git(&["commit", "-m", "x"]).code, 0);
        assert_eq!(place.seen(), [""; 0]);
        let run = place.gpuguard(&["hook", "run", "pre-commit"]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("`a.py` is unmerged"), "{run}");
        // The markers themselves, committed by `-a`, are broken code that is told of.
        let run = place.assert_passes(&["commit", "-am", "with markers"]);
        assert!(run.stderr.contains("a.py"), "{run}");
        place.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

        // One side as it is: nobody's fault here. Something of its own: new.
        assert_ne!(place.try_git(&["merge", "side"]).code, 0);
        place.stage("a.py", bad());
        place.assert_passes(&["commit", "-m", "theirs"]);
        place.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        assert_ne!(place.try_git(&["merge", "side"]).code, 0);
        place.stage("a.py", format!("{}other = torch.device('cuda:3')\n", bad()));
        place.assert_refused(&["commit", "-m", "mine"], &["1 new problem", "a.py:6"]);
    });
}

#[test]
fn what_git_commits_without_asking_is_stopped_at_the_push() {
    in_each_setting(|place| {
        let server = place.repo.beside("server.git");
        let server = server.to_str().unwrap();
        place.git(&["init", "--quiet", "--bare", server]);
        place.git(&["remote", "add", "origin", server]);
        place.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
        place.git(&["checkout", "--quiet", "-b", "side"]);
        place.write("a.py", bad());
        place.slip("bad");
        let bad = place.git(&["rev-parse", "HEAD"]);
        let bad = bad.trim();
        let patch = place.git(&[
            "format-patch",
            "--no-signature",
            "--no-ext-diff",
            "--no-color",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--stdout",
            "-1",
        ]);
        let patch_file = place.repo.beside("patch");
        std::fs::write(&patch_file, patch).unwrap();
        place.git(&["checkout", "--quiet", "main"]);
        place.write("main.txt", "main\n");
        place.slip("main");
        let main = place.git(&["rev-parse", "HEAD"]);
        let tree = place.git(&["rev-parse", &format!("{bad}^{{tree}}")]);
        let plumbed = place.git(&[
            "commit-tree",
            "-p",
            main.trim(),
            "-m",
            "plumbed",
            tree.trim(),
        ]);
        for arguments in [
            &["cherry-pick", bad][..],
            &["am", "--quiet", patch_file.to_str().unwrap()],
            &["rebase", "--quiet", "main", "side"],
            &["merge", "--quiet", "--ff-only", plumbed.trim()],
            &["reset", "--quiet", "--hard", plumbed.trim()],
        ] {
            place.git(arguments);
            assert_eq!(place.seen(), [""; 0], "{arguments:?}");
            place.assert_refused(
                &["push", "origin", "HEAD:main"],
                &["gpuguard: push of main refused", "a.py:5"],
            );
            place.git(&["checkout", "--quiet", "-B", "main", main.trim()]);
            place.git(&["branch", "--quiet", "--force", "side", bad]);
        }
        // To revert what was mended brings it back.
        place.git(&["checkout", "--quiet", "-B", "main", bad]);
        place.write("a.py", good());
        place.slip("mended");
        place.git(&["push", "--quiet", "origin", "main"]);
        assert_eq!(place.seen(), ["0"]);
        place.git(&["revert", "--no-edit", "HEAD"]);
        assert_eq!(place.seen(), [""; 0]);
        place.assert_refused(&["push", "origin", "main"], &["a.py:5"]);
    });
}

#[test]
fn what_is_intended_to_be_added_is_not_committed_and_not_judged() {
    in_each_setting(|place| {
        place.write("later.py", bad());
        place.git(&["add", "--intent-to-add", "later.py"]);
        place.stage("a.py", good());
        place.assert_passes(&["commit", "-m", "x"]);
        let saved = place.gpuguard(&["backup", "show", "latest"]);
        assert!(!saved.stdout.contains("later.py"), "{saved}");
        place.assert_refused(&["commit", "-am", "x"], &["later.py:5"]);
    });
}
