//! `post-commit`: what was committed without being judged.

use super::{bad, good, guarded, install, write_hook};
use crate::support::{Run, git, program};

#[test]
fn what_is_committed_unchecked_is_noted_and_nothing_else() {
    let pair = guarded();
    let noted = |run: &Run| run.stderr.contains("this commit was not judged");
    let folder = pair.repo.path().join(".git/gpuguard/unchecked");
    let count = || std::fs::read_dir(&folder).unwrap().count();
    for options in [&[][..], &["--amend"], &["--allow-empty"]] {
        let run = pair.commit("a.py", format!("{}# {options:?}\n", good()), options);
        assert!(!noted(&run), "{options:?}: {run}");
    }
    // A path of two, and everything by itself.
    pair.repo.write("b.py", good());
    pair.repo.write("c.py", good());
    pair.repo.git(&["add", "--all"]);
    for arguments in [&["commit", "-m", "b", "b.py"][..], &["commit", "-am", "c"]] {
        let run = pair.repo.try_git(arguments);
        assert!(run.code == 0 && !noted(&run), "{run}");
    }
    assert_eq!(count(), 0);
    assert!(noted(&pair.slip("d.py", good())));
    assert_eq!(count(), 1);
    // The message alone changes nothing about it.
    let run = pair.repo.try_git(&["commit", "--amend", "-m", "d"]);
    assert!(noted(&run), "{run}");
    // A rebase is noted, and does not talk about each commit.
    let run: Run = pair
        .repo
        .command(git())
        .args(["rebase", "--force-rebase", "HEAD~2"])
        .output()
        .unwrap()
        .into();
    assert!(run.code == 0 && !noted(&run), "{run}");
    assert_eq!(count(), 2);
    // So is one that was let by on purpose, without being told twice.
    pair.repo.write("e.py", good());
    pair.repo.git(&["add", "--all"]);
    let run: Run = pair
        .repo
        .command(git())
        .args(["commit", "-m", "e"])
        .env("GPUGUARD", "0")
        .output()
        .unwrap()
        .into();
    assert!(run.code == 0 && !noted(&run), "{run}");
    assert_eq!(count(), 3);
    let told = "3 commits were made without being judged";
    let doctor = pair.repo.gpuguard(&["doctor", "hook"]);
    assert!(doctor.stdout.contains(told), "{doctor}");
    let run = pair.assert_pushed(&[]);
    assert!(
        run.stderr.contains("were made without being judged"),
        "{run}"
    );
    assert_eq!(count(), 0, "they were judged now");
    let doctor = pair.repo.gpuguard(&["doctor", "hook"]);
    assert!(!doctor.stdout.contains("without being judged"), "{doctor}");
}

#[test]
fn a_hook_that_changes_what_was_judged_makes_it_unchecked() {
    let pair = guarded();
    install(&pair.repo, &["--shim"]);
    let hook = pair.repo.path().join(".git/hooks/pre-commit");
    let ours = std::fs::read_to_string(&hook).unwrap();
    let wrapped = ours.replace("exec \"$program\"", "\"$program\"")
        + "\necho '# more' >>a.py && git add a.py\n";
    write_hook(&hook, &wrapped);
    let run = pair.commit("a.py", good(), &[]);
    assert!(run.stderr.contains("this commit was not judged"), "{run}");
}

#[test]
fn no_variable_silences_a_gate() {
    let pair = guarded();
    pair.repo.write("a.py", bad());
    pair.repo.git(&["add", "--all"]);
    let hook = pair.repo.path().join(".git/hooks/pre-commit");
    let hook = hook.to_str().unwrap();
    for variables in [
        &[("GPUGUARD_HOOK_SCOPE", "global")][..],
        &[("GPUGUARD_HOOK_FOLDER", hook)],
        &[
            ("GPUGUARD_HOOK_FOLDER", hook),
            ("GPUGUARD_HOOK_EARLIER", "1"),
        ],
    ] {
        let mut command = pair.repo.command(git());
        command
            .args(["commit", "-m", "a"])
            .envs(variables.iter().copied());
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 1, "{variables:?}: {run}");
        assert!(run.stderr.contains("commit refused"), "{run}");
        let mut command = pair.repo.command(program());
        command
            .args(["hook", "run", "pre-commit"])
            .envs(variables.iter().copied());
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 1, "{variables:?}: {run}");
    }
}
