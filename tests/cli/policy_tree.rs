//! Several policies in one repository: the nearest counts, `extends` takes over another.

use crate::support::{Run, TestRepo, gpuguard};

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");
/// An index that the founding rig's mask does not show.
const BAD: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                   os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n\
                   device = torch.device(\"cuda:1\")\n";

/// A repository with the founding rig's policy at its root, and `below` in `sub/`.
fn with_below(below: &str) -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("sub/gpuguard.toml", below);
    repo.commit_all("policy below");
    repo
}

fn quiet(rule: &str) -> String {
    format!("version = 1\nextends = \"../gpuguard.toml\"\n[rules]\n{rule} = \"off\"\n")
}

#[track_caller]
fn assert_says(run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, code, "{run}");
    for part in parts {
        assert!(
            run.stdout.contains(part) || run.stderr.contains(part),
            "no {part:?} in {run}"
        );
    }
}

#[test]
fn each_file_goes_by_the_nearest_policy_at_every_gate() {
    let repo = with_below(&quiet("GG006"));
    for path in ["a.py", "sub/b.py", "sub/deep/c.py", "subway/d.py"] {
        repo.write(path, BAD);
    }
    let refused = |run: &Run| {
        assert_says(run, 1, &["a.py:5", "subway/d.py:5"]);
        for path in ["b.py:", "c.py:"] {
            assert!(!run.stdout.contains(path), "{run}");
        }
    };
    refused(&repo.gpuguard(&["scan", "."]));
    repo.git(&["add", "."]);
    refused(&repo.gpuguard(&["scan", "--staged"]));
    let hook = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_says(&hook, 1, &["refused: 2 new problems in 2 files"]);
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "bad"]);
    refused(&repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]));
    // A policy that is named counts for all.
    let all = repo.gpuguard(&["scan", ".", "--policy", "gpuguard.toml"]);
    assert_says(&all, 1, &["4 with problems"]);
    // So it is for commands without files, by the current folder.
    let mut shown = repo.command(crate::support::program());
    shown.current_dir(repo.path().join("sub/deep"));
    let shown: Run = shown.args(["policy", "show"]).output().unwrap().into();
    assert_says(
        &shown,
        0,
        &["policy: sub/gpuguard.toml", "extends: gpuguard.toml"],
    );
}

#[test]
fn fix_goes_by_the_nearest_policy() {
    let repo = with_below(&quiet("GG006"));
    repo.write("a.py", BAD);
    repo.write("sub/b.py", BAD);
    repo.gpuguard(&["fix", "."]);
    assert!(
        String::from_utf8(repo.read("a.py"))
            .unwrap()
            .contains("cuda:0")
    );
    assert_eq!(repo.read("sub/b.py"), BAD.as_bytes());
}

#[test]
fn what_is_staged_counts_and_not_what_lies_there() {
    let repo = with_below("version = 1\nextends = \"../gpuguard.toml\"\n");
    repo.write("sub/b.py", BAD);
    repo.git(&["add", "."]);
    // Not part of the commit: an edit, and a policy that Git does not know.
    repo.write("sub/gpuguard.toml", quiet("GG006"));
    repo.write(
        "gpuguard.toml",
        RIG.replace("[rules]", "[rules]\nGG006 = \"off\""),
    );
    assert_says(&repo.gpuguard(&["scan", "--staged"]), 1, &["sub/b.py:5"]);
    assert_says(&repo.gpuguard(&["scan", "sub"]), 0, &[]);
    repo.git(&["add", "."]);
    assert_says(&repo.gpuguard(&["scan", "--staged"]), 0, &[]);
}

#[test]
fn a_policy_that_is_not_needed_may_be_broken_and_one_that_is_may_not() {
    let repo = with_below("version = 1\n[[card\n");
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "."]);
    let hook = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_says(&hook, 0, &["1 file scanned"]);
    repo.write("sub/b.py", "print(1)\n");
    repo.git(&["add", "."]);
    for arguments in [&["hook", "run", "pre-commit"][..], &["scan", "sub"]] {
        assert_says(&repo.gpuguard(arguments), 2, &["sub/gpuguard.toml:2"]);
    }
}

#[test]
fn globs_count_from_the_folder_of_their_file() {
    let below = "version = 1\nextends = \"../gpuguard.toml\"\n[scan]\nexclude = [\"/old\"]\n\
                 [[override]]\npaths = [\"x/*.py\"]\nrules = { GG006 = \"warning\" }\n";
    let repo = with_below(below);
    repo.write(
        "gpuguard.toml",
        RIG.replace("exclude = []", "exclude = [\"/third\", \"gen/\"]"),
    );
    for path in ["third/a.py", "sub/old/a.py", "sub/gen/a.py", "sub/x/w.py"] {
        repo.write(path, BAD);
    }
    assert_says(
        &repo.gpuguard(&["scan", "."]),
        0,
        &["warning[GG006]", "sub/x/w.py:5"],
    );
    for path in ["old/a.py", "sub/third/a.py", "sub/y/x/w.py"] {
        repo.write(path, BAD);
        assert_says(&repo.gpuguard(&["scan", "."]), 1, &[path]);
        std::fs::remove_file(repo.path().join(path)).unwrap();
    }
}

#[test]
fn a_base_gives_what_is_left_open() {
    let repo = TestRepo::new();
    repo.write(
        "conf/base.toml",
        RIG.replace("exclude = []", "exclude = [\"gen/\"]")
            .replace("[rules]", "[rules]\nGG006 = \"warning\"\nGG001 = \"off\""),
    );
    repo.write(
        "gpuguard.toml",
        "version = 1\nextends = \"conf/base.toml\"\n[rules]\nGG006 = \"error\"\n",
    );
    repo.write("a.py", BAD);
    repo.write("gen/b.py", BAD);
    assert_says(
        &repo.gpuguard(&["scan", "."]),
        1,
        &["a.py:5", "skipped gen/b.py"],
    );
    // What is staged extends what is staged.
    repo.git(&["add", "gpuguard.toml", "a.py"]);
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_says(
        &run,
        2,
        &["gpuguard.toml:2:11", "conf/base.toml", "`git add` it too"],
    );
    repo.git(&["add", "conf"]);
    assert_says(&repo.gpuguard(&["scan", "--staged"]), 1, &["a.py:5"]);
    // It names cards, and selects none.
    assert_says(&repo.gpuguard(&["scan", "conf"]), 0, &[]);
    // Cards of the nearer file come with a mask of their own.
    repo.write(
        "gpuguard.toml",
        "version = 1\nextends = \"conf/base.toml\"\n[[card]]\nname = \"A\"\npci-rank = 0\nuse = \"allowed\"\n",
    );
    let run = repo.gpuguard(&["gpu", "env", "--shell", "dotenv"]);
    assert_says(&run, 0, &["CUDA_VISIBLE_DEVICES=0"]);
}

#[test]
fn an_absolute_base_is_read_and_one_out_of_the_repository_is_not() {
    let repo = TestRepo::new();
    std::fs::write(repo.beside("rig.toml"), RIG).unwrap();
    let absolute = repo.beside("rig.toml");
    let text = |path: &str| format!("version = 1\nextends = '{path}'\n");
    repo.write("gpuguard.toml", text(&absolute.display().to_string()));
    repo.write("a.py", BAD);
    repo.git(&["add", "."]);
    for arguments in [&["scan", "."][..], &["scan", "--staged"]] {
        assert_says(&repo.gpuguard(arguments), 1, &["a.py:5"]);
    }
    repo.commit_all("absolute");
    repo.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = gpuguard(&repo.beside("bare.git"), &["scan", "--range", "HEAD..HEAD"]);
    assert_says(&bare, 2, &["cannot be extended", "whoever pushes"]);

    repo.write("gpuguard.toml", text("../rig.toml"));
    repo.git(&["add", "."]);
    for arguments in [&["scan", "."][..], &["scan", "--staged"]] {
        let run = repo.gpuguard(arguments);
        assert_says(
            &run,
            2,
            &["gpuguard.toml:2:11", "leads out of the repository"],
        );
    }
    // A policy that is named lies in no repository.
    repo.write("named.toml", text("../rig.toml"));
    let run = repo.gpuguard(&["scan", ".", "--policy", "named.toml"]);
    assert_says(&run, 1, &["a.py:5"]);
}

#[test]
fn circles_chains_and_links_are_refused() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    let text = |path: &str| format!("version = 1\nextends = \"{path}\"\n");
    repo.write("gpuguard.toml", text("x/one.toml"));
    repo.write("x/one.toml", text("../gpuguard.toml"));
    let run = repo.gpuguard(&["scan", "."]);
    let circle = "extends itself: gpuguard.toml -> x/one.toml -> gpuguard.toml";
    assert_says(&run, 2, &["x/one.toml:2:11", circle]);
    repo.write("gpuguard.toml", text("./gpuguard.toml"));
    assert_says(&repo.gpuguard(&["scan", "."]), 2, &["extends itself"]);

    repo.write("gpuguard.toml", text("1.toml"));
    for at in 1..9 {
        repo.write(&format!("{at}.toml"), text(&format!("{}.toml", at + 1)));
    }
    repo.write("9.toml", RIG);
    let run = repo.gpuguard(&["scan", "."]);
    assert_says(&run, 2, &["7.toml:2:11", "8 files at most"]);
    repo.write("7.toml", RIG);
    assert_says(&repo.gpuguard(&["scan", "."]), 0, &[]);
}

#[cfg(unix)]
#[test]
fn below_the_root_a_policy_is_a_file() {
    let repo = TestRepo::with_policy();
    repo.write("sub/b.py", "print(1)\n");
    std::os::unix::fs::symlink("../gpuguard.toml", repo.path().join("sub/gpuguard.toml")).unwrap();
    repo.git(&["add", "."]);
    for arguments in [&["scan", "sub"][..], &["scan", "--staged"]] {
        let run = repo.gpuguard(arguments);
        assert_says(&run, 2, &["sub/gpuguard.toml` is a link", "extends"]);
    }
    let mut env = repo.command(crate::support::program());
    env.current_dir(repo.path().join("sub"))
        .args(["gpu", "env"]);
    assert_says(&env.output().unwrap().into(), 2, &["is a link"]);
}

#[test]
fn outside_of_a_repository_the_current_folder_is_the_root() {
    let repo = TestRepo::new();
    let folder = repo.beside("plain");
    std::fs::create_dir_all(folder.join("src/deep")).unwrap();
    std::fs::write(folder.join("gpuguard.toml"), RIG).unwrap();
    std::fs::write(folder.join("src/gpuguard.toml"), quiet("GG006")).unwrap();
    std::fs::write(folder.join("src/deep/a.py"), BAD).unwrap();
    std::fs::write(folder.join("b.py"), BAD).unwrap();
    let run = gpuguard(&folder, &["scan", "."]);
    assert_says(&run, 1, &["b.py:5", "1 clean, 1 with problems"]);
    // What lies above is anybody's.
    let run = gpuguard(&folder.join("src/deep"), &["scan", "."]);
    assert_says(&run, 2, &["no policy"]);
}

/// A repository that gix does not read for certain: the `git` program is asked.
#[test]
fn a_repository_that_only_git_reads_has_the_same_policies() {
    let repo = with_below(&quiet("GG006"));
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.partialClone", "origin"]);
    for folder in ["sub", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        repo.write(&format!("{folder}/b.py"), BAD);
    }
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_says(&run, 1, &["9 with problems", "9/b.py:5"]);
    assert!(!run.stdout.contains("sub/b.py:5"), "{run}");
    repo.commit_all("bad");
    let run = repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
    assert_says(&run, 1, &["9 with problems"]);
    assert!(!run.stdout.contains("sub/b.py:5"), "{run}");
}
