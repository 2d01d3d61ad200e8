//! Both sides of a push, and `pre-receive` by itself.

use super::{Pair, bad, good, guarded, write_hook};
use crate::support::{Run, git};

#[test]
fn a_commit_that_slipped_by_is_stopped_before_the_push_and_by_the_server() {
    let pair = guarded();
    let run = pair.slip("train.py", bad());
    assert!(run.stderr.contains("this commit was not judged"), "{run}");
    pair.commit("other.py", good(), &[]);
    let run = pair.assert_push_refused(
        &[],
        &[
            "gpuguard: push of main refused: 1 new problem in 1 file",
            "train.py:5:23",
            "nothing was pushed, nothing was changed",
            "1 commit was made without being judged",
            "train.py",
        ],
    );
    assert!(!run.stderr.contains("other.py:"), "{run}");
    assert!(run.stderr.contains("GPUGUARD=0 git push"), "{run}");

    // Around the sender's gate there is the server's.
    let server = pair.server.to_str().unwrap();
    let run = pair.repo.gpuguard(&["install", server]);
    assert_eq!(run.code, 0, "{run}");
    pair.assert_push_refused(
        &["--no-verify"],
        &[
            "remote: gpuguard: push of main refused",
            "train.py:5:23",
            "pre-receive hook declined",
        ],
    );

    // Mended, it passes both, and the commits count as judged.
    pair.commit("train.py", good(), &[]);
    let run = pair.assert_pushed(&[]);
    assert!(run.stderr.contains("made without being judged"), "{run}");
    pair.commit("more.py", good(), &[]);
    let run = pair.assert_pushed(&[]);
    assert!(!run.stderr.contains("without being judged"), "{run}");
}

#[test]
fn a_server_goes_by_its_own_policy_until_the_push_is_taken() {
    let pair = guarded();
    pair.guard_server_only();
    let policy = String::from_utf8(pair.repo.read("gpuguard.toml")).unwrap();
    let loose = policy.replace("[rules]\n", "[rules]\nGG006 = \"off\"\n");
    assert_ne!(loose, policy);
    pair.repo.write("gpuguard.toml", &loose);
    pair.commit("a.py", bad(), &[]);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5"]);
    // Nor by a branch of its own, which has the default branch's policy at first.
    pair.assert_push_refused(
        &["origin", "main:side"],
        &["push of side refused", "a.py:5"],
    );
    // Nor without one.
    pair.repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    pair.repo.git(&["commit", "--quiet", "-m", "no policy"]);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5"]);
    // The policy alone is taken, and counts from then on.
    pair.repo
        .git(&["reset", "--quiet", "--hard", "origin/main"]);
    pair.commit("gpuguard.toml", &loose, &[]);
    pair.assert_pushed(&["origin", "main"]);
    pair.commit("a.py", bad(), &[]);
    pair.assert_pushed(&["origin", "main"]);
}

#[test]
fn a_policy_that_cannot_be_read_is_not_taken() {
    let pair = guarded();
    pair.guard_server_only();
    pair.commit("gpuguard.toml", "version = 1\nnonsense\n", &[]);
    pair.assert_push_refused(
        &["origin", "main"],
        &["gpuguard: push refused", "gpuguard.toml"],
    );
    // One that is there already can be mended.
    pair.repo
        .gpuguard(&["uninstall", pair.server.to_str().unwrap()]);
    pair.assert_pushed(&["--quiet", "origin", "main"]);
    let server = pair.server.to_str().unwrap();
    assert_eq!(pair.repo.gpuguard(&["install", server]).code, 0);
    pair.repo
        .git(&["checkout", "--quiet", "HEAD~1", "--", "gpuguard.toml"]);
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
}

#[test]
fn quarantined_objects_are_read_and_no_ref_is_written() {
    let pair = guarded();
    pair.guard_server_only();
    // Enough that Git keeps a pack.
    for n in 0..120 {
        pair.repo
            .write(&format!("files/{n}.py"), format!("print({n})\n"));
    }
    pair.commit("a.py", bad(), &[]);
    let count = |pair: &Pair| pair.on_server(&["count-objects", "-v"]);
    let before = count(&pair);
    pair.assert_push_refused(&["origin", "main"], &["a.py:5", "121 files scanned"]);
    assert_eq!(count(&pair), before, "refused objects stayed");
    pair.commit("a.py", good(), &[]);
    pair.assert_pushed(&["origin", "main"]);
    assert!(!pair.server.join("gpuguard/backups").exists());
}

#[test]
fn both_gates_judge_with_nothing_but_git_on_path() {
    let pair = guarded();
    pair.slip("train.py", bad());
    let bin = pair.repo.beside("bin");
    std::fs::create_dir(&bin).unwrap();
    let search = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&search)
        .map(|folder| folder.join(git()))
        .find(|file| file.is_file());
    let found = found.unwrap();
    // Some Gits have the two sides of a transport on PATH only.
    for name in ["git", "git-upload-pack", "git-receive-pack"] {
        let file = found.with_file_name(name);
        if file.exists() {
            std::os::unix::fs::symlink(file, bin.join(name)).unwrap();
        }
    }
    let refused = |arguments: &[&str], words: &str| {
        let mut command = pair.repo.command(bin.join("git"));
        command.args(arguments).env("PATH", &bin);
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains(words), "{run}");
    };
    refused(&["push"], "gpuguard: push of main refused");
    let server = pair.server.to_str().unwrap();
    let install = pair.repo.gpuguard(&["install", server]);
    assert_eq!(install.code, 0, "{install}");
    let words = "remote: gpuguard: push of main refused";
    refused(&["push", "--no-verify"], words);
    // Also behind a hook that was there before.
    let hook = pair.server.join("hooks/pre-receive");
    std::fs::remove_file(&hook).unwrap();
    write_hook(
        &hook,
        "#!/bin/sh\nread -r old new name && echo \"earlier $name\"\n",
    );
    let install = pair.repo.gpuguard(&["install", server]);
    assert_eq!(install.code, 0, "{install}");
    refused(&["push", "--no-verify"], words);
    refused(&["push", "--no-verify"], "remote: earlier refs/heads/main");
}
