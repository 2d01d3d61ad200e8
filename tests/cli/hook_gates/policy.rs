//! What a commit, a merge or a push does to the policies themselves.

use super::{Pair, RIG, at, bad, good, guarded, install, loose};
use crate::support::{Run, git};

const LOOSER: &str = "policy weakened: GG006 is `off`, it was `error`";
const GONE: &str = "policy weakened: `gpuguard.toml` is removed";

impl Pair {
    /// A commit of which nothing is known yet at any gate.
    fn try_commit(&self, options: &[&str]) -> Run {
        self.repo.git(&["add", "--all"]);
        self.repo
            .try_git(&[&["commit", "--quiet", "-m", "x"][..], options].concat())
    }

    fn back_to(&self, commit: &str) {
        self.repo.git(&["reset", "--quiet", "--hard", commit]);
    }

    /// Pushes past both gates.
    fn put_on_server(&self, refspec: &str) {
        let server = self.server.to_str().unwrap();
        self.repo.gpuguard(&["uninstall", server]);
        self.assert_pushed(&["--quiet", "--no-verify", "--force", "origin", refspec]);
        install(&self.repo, &[server]);
    }
}

/// Gates on both sides.
fn guarded_twice() -> Pair {
    let pair = guarded();
    install(&pair.repo, &[pair.server.to_str().unwrap()]);
    pair
}

#[track_caller]
fn assert_named(run: &Run, words: &str, times: usize) {
    assert_eq!(run.stderr.matches(words).count(), times, "{words}: {run}");
}

#[test]
fn a_server_names_what_a_push_loosens() {
    let pair = guarded_twice();
    let run = pair.commit("gpuguard.toml", loose(), &[]);
    assert_named(&run, LOOSER, 1);
    // Once by each side.
    assert_named(&pair.assert_pushed(&["origin", "main"]), LOOSER, 2);
    pair.commit("gpuguard.toml", RIG, &[]);
    assert_named(&pair.assert_pushed(&["origin", "main"]), "weakened", 0);
    // A branch of its own is held against the default one's.
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    let run = pair.assert_pushed(&["origin", "side"]);
    assert_named(&run, &format!("remote:   {LOOSER}"), 1);

    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    let run = pair.try_commit(&[]);
    assert_eq!(run.code, 0, "{run}");
    let run = pair.assert_pushed(&["origin", "main"]);
    assert_named(&run, &format!("remote:   {GONE}"), 1);
}

#[test]
fn a_merge_that_loosens_the_policy_is_named() {
    let pair = guarded_twice();
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit("gpuguard.toml", loose(), &[]);
    pair.assert_pushed(&["--quiet", "origin", "side"]);
    for options in [&["--no-ff"][..], &[]] {
        pair.repo
            .git(&["checkout", "--quiet", "-B", "main", "origin/main"]);
        if options.is_empty() {
            pair.commit("more.txt", "more\n", &[]);
        }
        let merge = [&["merge", "--quiet", "--no-edit"], options, &["side"]].concat();
        let run = pair.repo.try_git(&merge);
        assert_eq!(run.code, 0, "{run}");
        assert_named(&run, LOOSER, 1);
        let head = pair.repo.git(&["rev-parse", "main"]);
        let run = pair.push(&["--dry-run", "origin", "main"]);
        assert_named(&run, LOOSER, 1);
        let run = pair.assert_pushed(&["--no-verify", "origin", "main"]);
        assert_named(&run, LOOSER, 1);
        assert_eq!(pair.server_head("main"), head);
        pair.put_on_server("main~1:main");
        pair.repo.git(&["fetch", "--quiet", "origin"]);
    }
    // One that brings nothing that is read says so.
    pair.repo
        .git(&["checkout", "--quiet", "-B", "main", "origin/main"]);
    pair.repo
        .git(&["checkout", "--quiet", "-B", "notes", "main"]);
    pair.commit("notes.txt", "x\n", &[]);
    pair.repo.git(&["checkout", "--quiet", "main"]);
    let run = pair
        .repo
        .try_git(&["merge", "--quiet", "--no-ff", "--no-edit", "notes"]);
    let words = "gpuguard: it brings no file that is scanned, nothing was looked at";
    assert!(run.stderr.contains(words), "{run}");
}

#[test]
fn a_policy_can_refuse_to_be_loosened() {
    let pair = guarded_twice();
    let strict = RIG.replace("[hook]\n", "[hook]\nweakening = \"refuse\"\n");
    pair.commit("gpuguard.toml", &strict, &[]);
    pair.assert_pushed(&["--quiet", "origin", "main"]);
    let refused = "refused: it loosens the policy, which does not allow that";
    let relaxed = strict.replace("weakening = \"refuse\"\n", "");
    let change = |content: Option<&str>| {
        match content {
            Some(content) => pair.repo.write("gpuguard.toml", content),
            None => std::fs::remove_file(pair.repo.path().join("gpuguard.toml")).unwrap(),
        }
        let run = pair.try_commit(&[]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains(&format!("commit {refused}")), "{run}");
        let run = pair.try_commit(&["--no-verify"]);
        assert_eq!(run.code, 0, "{run}");
        let run = pair.assert_push_refused(&["origin", "main"], &["push of main refused: it"]);
        assert!(!run.stderr.contains("remote:"), "{run}");
        pair.assert_push_refused(
            &["--no-verify", "origin", "main"],
            &["remote: gpuguard: push of main refused: it loosens"],
        );
        let run = pair.repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
        assert_eq!(run.code, 1, "{run}");
        pair.back_to("HEAD~1");
        run
    };
    let run = change(Some(&loose()));
    assert!(run.stdout.contains(LOOSER), "{run}");
    let run = change(Some(&relaxed));
    assert!(
        run.stdout
            .contains("what loosens the policy is no longer refused"),
        "{run}"
    );
    change(None);
    // Stricter it may become.
    pair.commit(
        "gpuguard.toml",
        strict.replace("\"auto\"", "\"required\""),
        &[],
    );
    pair.assert_pushed(&["origin", "main"]);

    // A branch that is looser from before has the default branch's policy too.
    pair.repo
        .git(&["checkout", "--quiet", "-b", "lax", "main~1"]);
    pair.repo.write("gpuguard.toml", loose());
    pair.try_commit(&["--no-verify"]);
    pair.put_on_server("lax");
    pair.slip("bad.py", bad());
    pair.assert_push_refused(
        &["--no-verify", "origin", "lax"],
        &["push of lax refused", "bad.py:5"],
    );
    pair.commit("bad.py", good(), &[]);
    pair.assert_pushed(&["--no-verify", "origin", "lax"]);
}

#[test]
fn a_link_in_the_place_of_the_policy_is_refused_at_each_gate() {
    let pair = guarded_twice();
    std::fs::write(pair.repo.beside("outside.toml"), loose()).unwrap();
    let policy = pair.repo.path().join("gpuguard.toml");
    std::fs::remove_file(&policy).unwrap();
    std::os::unix::fs::symlink("../outside.toml", &policy).unwrap();
    pair.repo.write("bad.py", bad());
    let run = pair.try_commit(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("gpuguard.toml` is a link"), "{run}");
    pair.try_commit(&["--no-verify"]);
    pair.assert_push_refused(&["origin", "main"], &["gpuguard.toml` is a link"]);
    pair.assert_push_refused(
        &["--no-verify", "origin", "main"],
        &["remote:", "gpuguard.toml` is a link"],
    );
    let run = pair.repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
    assert_eq!(run.code, 2, "{run}");
}

#[test]
fn what_is_not_part_of_the_commit_does_not_judge_it() {
    let pair = guarded();
    pair.repo
        .git(&["rm", "--quiet", "--cached", "gpuguard.toml"]);
    pair.repo.write("gpuguard.toml", loose());
    pair.repo.write("bad.py", bad());
    pair.repo.git(&["add", "bad.py"]);
    for _ in 0..2 {
        let run = pair.repo.try_git(&["commit", "-m", "x"]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("bad.py:5"), "{run}");
        assert!(run.stderr.contains("gpuguard.toml is gone"), "{run}");
        // Nor with the file away.
        std::fs::rename(
            pair.repo.path().join("gpuguard.toml"),
            pair.repo.beside("x"),
        )
        .unwrap_or(());
    }
    // Where Git has none at all, the file that lies there counts.
    pair.repo.git(&["reset", "--quiet"]);
    pair.repo.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    pair.repo.git(&["rm", "--quiet", "-rf", "--cached", "."]);
    pair.repo.write("gpuguard.toml", loose());
    pair.repo.git(&["add", "bad.py"]);
    let run = pair.repo.try_git(&["commit", "-m", "x"]);
    assert_eq!(run.code, 0, "{run}");
}

/// Ways to break the policy of a folder.
const BROKEN: [(&str, &str); 3] = [
    ("rubbish\n", "sub/gpuguard.toml:1"),
    ("version = 1\n", "sub/gpuguard.toml"),
    ("link", "sub/gpuguard.toml` is a link"),
];

fn write_broken(pair: &Pair, content: &str) {
    let path = pair.repo.path().join("sub/gpuguard.toml");
    let _ = std::fs::remove_file(&path);
    if content == "link" {
        std::os::unix::fs::symlink("../gpuguard.toml", &path).unwrap();
    } else {
        pair.repo.write("sub/gpuguard.toml", content);
    }
}

#[test]
fn a_broken_policy_below_the_root_is_taken_at_no_gate() {
    let pair = guarded_twice();
    for on_error in ["block", "pass"] {
        let policy = RIG.replace(
            "on-error = \"block\"",
            &format!("on-error = \"{on_error}\""),
        );
        pair.commit("gpuguard.toml", policy, &["--allow-empty"]);
        pair.repo.write("sub/a.py", good());
        pair.try_commit(&["--no-verify"]);
        pair.put_on_server("main");
        for (content, words) in BROKEN {
            write_broken(&pair, content);
            let run = pair.try_commit(&[]);
            assert_eq!(run.code, 1, "{on_error}, {content}: {run}");
            assert!(run.stderr.contains(words), "{on_error}, {content}: {run}");
            pair.try_commit(&["--no-verify"]);
            pair.assert_push_refused(&["origin", "main"], &["gpuguard: push refused", words]);
            pair.assert_push_refused(
                &["--no-verify", "origin", "main"],
                &["remote: gpuguard: push refused", words],
            );
            pair.back_to("HEAD~1");
        }
    }
}

#[test]
fn taking_away_what_a_policy_elsewhere_is_built_on_is_refused() {
    let pair = guarded_twice();
    pair.repo.write(
        "conf/base.toml",
        "version = 1\n[rules]\nGG006 = \"error\"\n",
    );
    pair.repo.write(
        "sub/gpuguard.toml",
        RIG.replace(
            "version = 1",
            "version = 1\nextends = \"../conf/base.toml\"",
        ),
    );
    assert_eq!(pair.try_commit(&[]).code, 0);
    pair.assert_pushed(&["--quiet", "origin", "main"]);
    pair.repo.git(&["rm", "--quiet", "conf/base.toml"]);
    let run = pair.try_commit(&[]);
    assert_eq!(run.code, 1, "{run}");
    let words = [
        "sub/gpuguard.toml:",
        "conf/base.toml`, which this policy extends",
    ];
    assert!(
        words.iter().all(|words| run.stderr.contains(words)),
        "{run}"
    );
    pair.try_commit(&["--no-verify"]);
    for options in [&["origin", "main"][..], &["--no-verify", "origin", "main"]] {
        pair.assert_push_refused(options, &words);
    }
}

#[test]
fn a_broken_policy_that_is_there_guards_by_the_next_one_and_can_be_mended() {
    for on_error in ["block", "pass"] {
        for (content, _) in BROKEN {
            let pair = guarded();
            let policy = RIG.replace(
                "on-error = \"block\"",
                &format!("on-error = \"{on_error}\""),
            );
            pair.repo.write("gpuguard.toml", policy);
            write_broken(&pair, "rubbish\n");
            write_broken(&pair, content);
            pair.try_commit(&["--no-verify"]);
            pair.put_on_server("main");
            pair.guard_server_only();
            pair.commit("sub/bad.py", bad(), &[]);
            pair.assert_push_refused(&["origin", "main"], &["sub/bad.py:5"]);
            pair.commit("sub/bad.py", good(), &[]);
            pair.assert_pushed(&["origin", "main"]);
            let mended = "version = 1\nextends = \"../gpuguard.toml\"\n";
            let _ = std::fs::remove_file(pair.repo.path().join("sub/gpuguard.toml"));
            pair.commit("sub/gpuguard.toml", mended, &[]);
            pair.assert_pushed(&["origin", "main"]);
        }
    }
}

#[test]
fn a_server_takes_no_code_that_is_too_large_to_be_read() {
    let pair = guarded_twice();
    let small = RIG.replace("max-file-mib = 16", "max-file-mib = 1");
    pair.commit("gpuguard.toml", &small, &[]);
    pair.assert_pushed(&["--quiet", "origin", "main"]);
    let padding = "# padding\n".repeat(120_000);
    let content = format!("{padding}{}", bad());
    pair.repo.write("data.bin", &content);
    let run = pair.commit("large.py", content, &[]);
    assert!(run.stderr.contains("skipped large.py"), "{run}");
    let words = [
        "push of main refused: 1 file too large to be read",
        "skipped large.py",
        "max-file-mib",
    ];
    pair.assert_push_refused(&["origin", "main"], &words);
    let head = pair.repo.git(&["rev-parse", "HEAD"]);
    // Read, it is judged.
    pair.back_to("HEAD~1");
    pair.commit("gpuguard.toml", RIG, &[]);
    pair.assert_pushed(&["--quiet", "--no-verify", "origin", "main"]);
    pair.repo.git(&["cherry-pick", head.trim()]);
    pair.assert_push_refused(&["--no-verify", "origin", "main"], &["large.py:120005"]);
    let on_server = at(
        &pair.server,
        &pair.repo,
        &git(),
        &["log", "-1", "--format=%s", "main"],
    );
    assert_eq!(on_server.stdout, "gpuguard.toml\n");
}
