//! What surrounds Git: terminals, owners, variables, and what ends the hook early.

use std::process::Stdio;

use super::{Place, Setting, bad, good, in_each_setting};
use crate::support::{Run, git, program};

#[test]
fn nothing_is_asked_and_nothing_is_read_from_standard_input() {
    in_each_setting(|place| {
        place.stage("a.py", bad());
        // A pipe that nobody writes to nor closes: a hook that read it would wait for ever.
        let mut child = place
            .command(&git())
            .args(["commit", "-m", "x"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let held = child.stdin.take();
        let run: Run = child.wait_with_output().unwrap().into();
        drop(held);
        assert_eq!(run.code, 1, "{run}");
        assert_eq!(place.seen(), ["1"]);
        // The first line is all that some clients show.
        let first = run.stderr.lines().next().unwrap();
        assert_eq!(first, "gpuguard: commit refused: 1 new problem in 1 file");
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
    });
}

#[test]
fn a_terminal_gets_the_same_verdict() {
    use crate::cli::screen::on_terminal;
    in_each_setting(|place| {
        place.stage("a.py", bad());
        let mut commit = place.command(&git());
        commit.args(["commit", "-m", "x"]);
        let shown = on_terminal(&mut commit);
        assert!(
            shown.contains("gpuguard: commit refused: 1 new problem in 1 file"),
            "{shown}"
        );
        assert_eq!(place.seen(), ["1"]);
    });
}

#[test]
fn what_git_is_told_by_variables_holds_for_the_hook_too() {
    in_each_setting(|place| {
        place.stage("a.py", bad());
        // Another owner, whom Git trusts by configuration alone.
        for trusted in [true, false] {
            let mut hook = place.command(program());
            hook.args(["hook", "run", "pre-commit"])
                .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
                // What is asked from Git, where the owner is not sure.
                .env("GIT_OBJECT_DIRECTORY", place.folder.join(".git/objects"));
            if trusted {
                hook.env("GIT_CONFIG_COUNT", "1")
                    .env("GIT_CONFIG_KEY_0", "safe.directory")
                    .env("GIT_CONFIG_VALUE_0", "*");
            }
            let run: Run = hook.output().unwrap().into();
            assert_eq!(
                run.code,
                if trusted { 1 } else { 2 },
                "{:?} {run}",
                place.setting
            );
            let expected = if trusted {
                "a.py:5"
            } else {
                "dubious ownership"
            };
            assert!(run.stderr.contains(expected), "{run}");
        }
        // Where the search for a repository ends.
        std::fs::create_dir(place.folder.join("sub")).unwrap();
        let run: Run = place
            .command(program())
            .current_dir(place.folder.join("sub"))
            .args(["hook", "run", "pre-commit"])
            .env("GIT_CEILING_DIRECTORIES", &place.folder)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("not in a Git repository"), "{run}");
    });
}

#[test]
fn a_hook_that_is_killed_leaves_nothing_to_restore() {
    in_each_setting(|place| {
        place.stage("a.py", bad());
        let hook = place.folder.join(".git/hooks/pre-commit");
        let script = std::fs::read_to_string(&hook).unwrap();
        // After each of its first touches of a file.
        for point in [1, 3, 6, 10] {
            let killed = script.replace(
                "PATH=$given '",
                &format!("GPUGUARD_FAULT=kill@{point} PATH=$given '"),
            );
            super::executable(&hook, &killed);
            let run = place.try_git(&["commit", "-m", "x"]);
            assert_eq!(run.code, 1, "{run}");
            assert_eq!(place.seen().len(), 1, "nothing but the store was touched");
        }
        super::executable(&hook, &script);
        place.assert_refused(&["commit", "-m", "x"], &["a.py:5"]);
        place.stage("a.py", good());
        place.assert_passes(&["commit", "-m", "x"]);
        assert_eq!(place.gpuguard(&["backup", "verify", "--all"]).code, 0);
        let store = place.folder.join(".git/gpuguard/backups");
        let left: Vec<_> = std::fs::read_dir(store)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.contains(".tmp"))
            .collect();
        assert!(left.is_empty(), "swept by the next one: {left:?}");
    });
}

#[test]
fn a_commit_past_the_hook_is_legal() {
    let place = Place::new(Setting::Plain, &[]);
    place.stage("a.py", bad());
    place.git(&["commit", "--no-verify", "-m", "x"]);
    assert_eq!(place.seen(), [""; 0]);
}
