//! `gpuguard scan --range`: what a range of commits brings in, with Git as the judge of what was
//! renamed.

use serde_json::Value;

use crate::support::{Run, TestRepo, gpuguard};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn good() -> String {
    format!("{HEADER}device = torch.device(\"cuda:0\")\n")
}

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

/// A file of many lines, so that one more leaves it similar.
fn long(name: &str, last: &str) -> String {
    let body = (0..20).fold(String::new(), |text, at| {
        format!("{text}{name}_{at} = {at}\n")
    });
    format!("{HEADER}{body}{last}")
}

fn scan(repo: &TestRepo, range: &str) -> Run {
    repo.gpuguard(&["scan", "--format=json", "--range", range])
}

/// `path:line rule` of what the range brings in; the exit code has to fit.
#[track_caller]
fn introduced(repo: &TestRepo, range: &str) -> Vec<String> {
    told(&scan(repo, range))
}

#[track_caller]
fn told(run: &Run) -> Vec<String> {
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["introduced"] == true)
        .map(|finding| {
            let (path, rule) = (finding["path"].as_str(), finding["rule"].as_str());
            format!("{}:{} {}", path.unwrap(), finding["line"], rule.unwrap())
        })
        .collect();
    assert_eq!(run.code, i32::from(!found.is_empty()), "{run}");
    found
}

const NOTHING: [&str; 0] = [];

/// A repository with the policy and a tag `base` on what `files` hold.
fn repository(files: &[(&str, &str)]) -> TestRepo {
    let repo = TestRepo::with_policy();
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.commit_all("base");
    repo.git(&["tag", "base"]);
    repo
}

fn commit(repo: &TestRepo, path: &str, content: &str) {
    repo.write(path, content);
    repo.commit_all(path);
}

#[test]
fn what_is_added_and_modified_is_judged_and_what_was_there_is_not() {
    let repo = repository(&[
        ("old.py", &bad()),
        ("changed.py", &good()),
        ("gone.py", &bad()),
    ]);
    commit(&repo, "changed.py", &bad());
    commit(&repo, "added.py", &bad());
    commit(&repo, "old.py", &format!("{}print(1)\n", bad()));
    repo.git(&["rm", "--quiet", "gone.py"]);
    repo.commit_all("gone");
    commit(&repo, "notes.txt", "cuda:1");
    assert_eq!(
        introduced(&repo, "base..HEAD"),
        // `added.py` is `gone.py` under another name.
        ["changed.py:5 GG006"]
    );
    let shown = repo.gpuguard(&["scan", "--range", "base..HEAD"]);
    assert!(shown.stdout.contains("changed.py:5:23"), "{shown}");
    assert!(shown.stdout.contains("2 old findings"), "{shown}");
    // Ends that are left out are HEAD.
    assert_eq!(introduced(&repo, "base.."), ["changed.py:5 GG006"]);
    assert_eq!(introduced(&repo, "..base"), NOTHING);
    assert_eq!(introduced(&repo, "HEAD..HEAD"), NOTHING);
    let empty = repo.gpuguard(&["scan", "--range", "HEAD..HEAD"]);
    assert_eq!(
        empty.stdout,
        "no files were scanned: nothing is known about this code\n"
    );
}

#[test]
fn what_was_brought_in_and_taken_out_again_is_not_there() {
    let repo = repository(&[("a.py", &good())]);
    commit(&repo, "a.py", &bad());
    commit(&repo, "a.py", &good());
    assert_eq!(introduced(&repo, "base..HEAD"), NOTHING);
    assert_eq!(introduced(&repo, "base..HEAD~1"), ["a.py:5 GG006"]);
}

#[test]
fn a_deleted_mask_line_counts() {
    let repo = repository(&[("a.py", &good())]);
    let mask = "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
    commit(&repo, "a.py", &good().replace(mask, ""));
    assert!(introduced(&repo, "base..HEAD").contains(&"a.py:4 GG018".to_owned()));
}

#[test]
fn a_renamed_file_is_held_against_the_one_it_was() {
    let use_1 = "device = torch.device(\"cuda:1\")\n";
    let repo = repository(&[
        ("a.py", &long("a", use_1)),
        ("lib.py", "import torch\ntorch.zeros(2).cuda()\n"),
    ]);
    repo.git(&["mv", "a.py", "sub.py"]);
    repo.git(&["mv", "lib.py", "lib2.py"]);
    repo.commit_all("renamed");
    assert_eq!(introduced(&repo, "base..HEAD"), NOTHING);
    // Renamed and changed: what is more than before is new.
    commit(
        &repo,
        "sub.py",
        &long("a", &format!("print(1)\n{use_1}{use_1}")),
    );
    assert_eq!(introduced(&repo, "base..HEAD").len(), 1);
    commit(
        &repo,
        "sub.py",
        &long("a", &format!("{use_1}torch.cuda.set_device(1)\n")),
    );
    assert_eq!(introduced(&repo, "base..HEAD"), ["sub.py:26 GG006"]);
    // A renamed file without its mask.
    commit(
        &repo,
        "sub.py",
        &long("a", use_1).replace("os.environ[\"CUDA_VISIBLE", "os.environ[\"OTHER"),
    );
    assert!(introduced(&repo, "base..HEAD").contains(&"sub.py:25 GG018".to_owned()));
}

#[test]
fn a_file_that_is_not_similar_is_new_and_a_copy_too() {
    let repo = repository(&[("a.py", "import torch\ntorch.zeros(2).cuda()\n")]);
    repo.git(&["rm", "--quiet", "a.py"]);
    commit(
        &repo,
        "b.py",
        &format!(
            "import torch\n{}torch.zeros(2).cuda()\n",
            "x = 1\n".repeat(30)
        ),
    );
    let status = repo.git(&["diff", "-M", "--name-status", "base", "HEAD"]);
    assert!(status.starts_with("D\ta.py"), "{status}");
    assert_eq!(
        introduced(&repo, "base..HEAD"),
        ["b.py:32 GG001", "b.py:32 GG018"]
    );

    let repo = repository(&[("a.py", &bad())]);
    commit(&repo, "b.py", &bad());
    assert_eq!(introduced(&repo, "base..HEAD"), ["b.py:5 GG006"]);
    // Copied, then the first deleted: renamed.
    repo.git(&["rm", "--quiet", "a.py"]);
    repo.commit_all("only the copy");
    assert_eq!(introduced(&repo, "base..HEAD"), NOTHING);
}

#[test]
fn a_line_that_moved_to_another_file_is_not_new() {
    let repo = repository(&[("from.py", &bad()), ("to.py", &good())]);
    repo.write("from.py", HEADER);
    let line = "device = torch.device(\"cuda:1\")\n";
    commit(&repo, "to.py", &format!("{}{line}", good()));
    assert_eq!(introduced(&repo, "base..HEAD"), NOTHING);
    commit(&repo, "to.py", &format!("{}{line}{line}", good()));
    assert_eq!(introduced(&repo, "base..HEAD").len(), 1);
}

#[cfg(unix)]
#[test]
fn modes_links_and_submodules_bring_nothing_in() {
    let repo = repository(&[("a.py", &bad()), ("b.py", &bad())]);
    repo.git(&["update-index", "--chmod=+x", "a.py"]);
    repo.git(&["commit", "--quiet", "-m", "mode"]);
    std::fs::remove_file(repo.path().join("b.py")).unwrap();
    std::os::unix::fs::symlink("a.py", repo.path().join("b.py")).unwrap();
    std::os::unix::fs::symlink("a.py", repo.path().join("c.py")).unwrap();
    let id = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["add", "b.py", "c.py"]);
    let entry = format!("160000,{},inner.py", id.trim());
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repo.git(&["commit", "--quiet", "-m", "links"]);
    assert_eq!(introduced(&repo, "base..HEAD"), NOTHING);
    // A link that becomes a file is new.
    std::fs::remove_file(repo.path().join("c.py")).unwrap();
    repo.write("c.py", bad().replace("cuda:1", "cuda:2"));
    repo.git(&["add", "c.py"]);
    repo.git(&["commit", "--quiet", "-m", "file"]);
    assert_eq!(introduced(&repo, "base..HEAD"), ["c.py:5 GG006"]);
}

#[test]
fn merges_in_a_range_count_by_what_they_come_to() {
    let repo = repository(&[("a.py", &good()), ("b.py", &good())]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    commit(&repo, "b.py", &bad());
    repo.git(&["checkout", "--quiet", "main"]);
    commit(&repo, "a.py", &bad());
    repo.git(&["tag", "before-merge"]);
    repo.git(&["merge", "--quiet", "--no-edit", "side"]);
    assert_eq!(introduced(&repo, "base..HEAD").len(), 2);
    assert_eq!(introduced(&repo, "before-merge..HEAD"), ["b.py:5 GG006"]);
    assert_eq!(introduced(&repo, "side..HEAD"), ["a.py:5 GG006"]);
}

#[test]
fn three_dots_judge_what_came_since_the_two_parted() {
    let repo = repository(&[("a.py", &bad()), ("b.py", &good())]);
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    commit(&repo, "b.py", &bad());
    repo.git(&["checkout", "--quiet", "main"]);
    // What was mended on main since is not the topic's fault.
    commit(&repo, "a.py", &good());
    assert_eq!(introduced(&repo, "main...topic"), ["b.py:5 GG006"]);
    assert_eq!(introduced(&repo, "main..topic").len(), 2);
    repo.git(&["checkout", "--quiet", "topic"]);
    assert_eq!(introduced(&repo, "main..."), ["b.py:5 GG006"]);
    assert_eq!(introduced(&repo, "...main"), NOTHING);
}

#[test]
fn after_a_criss_cross_merge_what_either_ancestor_had_is_old() {
    let repo = repository(&[("a.py", &good()), ("b.py", &good())]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    commit(&repo, "b.py", &bad());
    repo.git(&["tag", "s1"]);
    repo.git(&["checkout", "--quiet", "main"]);
    commit(&repo, "a.py", &bad());
    repo.git(&["tag", "m1"]);
    repo.git(&["merge", "--quiet", "--no-edit", "s1"]);
    repo.git(&["checkout", "--quiet", "side"]);
    repo.git(&["merge", "--quiet", "--no-edit", "m1"]);
    commit(&repo, "c.py", &good());
    let bases = repo.git(&["merge-base", "--all", "main", "side"]);
    assert_eq!(bases.lines().count(), 2);
    assert_eq!(introduced(&repo, "main...side"), NOTHING);
    commit(
        &repo,
        "b.py",
        &format!("{}other = torch.device(\"cuda:3\")\n", bad()),
    );
    assert_eq!(introduced(&repo, "main...side"), ["b.py:6 GG006"]);
}

#[test]
fn what_is_no_range_is_a_mistake_and_what_is_not_there_is_named() {
    let repo = repository(&[("a.py", &good())]);
    for text in [
        "HEAD",
        "..",
        "...",
        "a..b..c",
        "",
        "base....HEAD",
        "..HEAD",
        "...HEAD",
    ] {
        let run = scan(&repo, text);
        assert_eq!(run.code, 2, "{text}: {run}");
        assert!(
            run.stderr.contains("is not a range of commits"),
            "{text}: {run}"
        );
        assert!(run.stderr.contains("hint: write `A..B`"), "{run}");
    }
    let run = scan(&repo, "nowhere..HEAD");
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("there is no commit `nowhere` in this clone"),
        "{run}"
    );
    let run = scan(&repo, &format!("{}..HEAD", "0".repeat(40)));
    assert!(run.stderr.contains("origin/main...HEAD"), "{run}");
    // A tree is no commit.
    assert_eq!(scan(&repo, "HEAD^{tree}..HEAD").code, 2);
    // What looks like an option is a name.
    let run = repo.gpuguard(&["scan", "--range=--help..HEAD"]);
    assert!(run.stderr.contains("there is no commit `--help`"), "{run}");
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.commit_all("alone");
    let run = scan(&repo, "main...other");
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("no commit in common"), "{run}");
    for other in [&["a.py"][..], &["--staged"]] {
        let run = repo.gpuguard(&[&["scan", "--range", "base.."], other].concat());
        assert_eq!(run.code, 2, "{run}");
    }
}

#[test]
fn a_shallow_clone_that_lacks_the_start_says_so() {
    let repo = repository(&[("a.py", &good())]);
    repo.git(&["branch", "start"]);
    commit(&repo, "a.py", &bad());
    commit(&repo, "b.txt", "x");
    let start = repo.git(&["rev-parse", "base"]);
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", repo.path().display());
    let folder = shallow.to_str().unwrap();
    repo.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--no-single-branch",
        &url,
        folder,
    ]);
    let range = format!("{}..HEAD", "1".repeat(40));
    for range in [&range, "HEAD~2..HEAD", "origin/start...HEAD"] {
        let run = gpuguard(&shallow, &["scan", "--range", range]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.contains("git fetch --unshallow"), "{run}");
        assert!(run.stderr.contains("fetch-depth: 0"), "{run}");
    }
    // The two trees are there, which is all that two dots need.
    let run = gpuguard(
        &shallow,
        &["scan", "--format=json", "--range", "origin/start..HEAD"],
    );
    assert_eq!(told(&run), ["a.py:5 GG006"]);
    repo.git(&["-C", folder, "fetch", "--quiet", "--unshallow"]);
    let range = format!("{}...HEAD", start.trim());
    let run = gpuguard(&shallow, &["scan", "--format=json", "--range", &range]);
    assert_eq!(told(&run), ["a.py:5 GG006"]);
}

#[test]
fn a_partial_clone_that_lacks_a_version_does_not_guess() {
    let repo = repository(&[("a.py", &bad())]);
    commit(&repo, "a.py", &format!("{}print(1)\n", bad()));
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = repo.beside("partial");
    let url = format!("file://{}", repo.path().display());
    let folder = clone.to_str().unwrap();
    repo.git(&["clone", "--quiet", "--filter=blob:none", &url, folder]);
    let run = gpuguard(&clone, &["scan", "--range", "HEAD~1..HEAD"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(run.stderr.contains("git diff --stat"), "{run}");
    repo.git(&["-C", folder, "diff", "--stat", "HEAD~1", "HEAD"]);
    let run = gpuguard(
        &clone,
        &["scan", "--format=json", "--range", "HEAD~1..HEAD"],
    );
    assert_eq!(told(&run), NOTHING);
}

#[test]
fn it_works_in_a_bare_repository_and_in_other_formats() {
    let repo = repository(&[("a.py", &good())]);
    commit(&repo, "a.py", &bad());
    let bare = repo.beside("bare.git");
    let source = repo.path();
    let (source, folder) = (source.to_str().unwrap(), bare.to_str().unwrap());
    repo.git(&["clone", "--quiet", "--bare", source, folder]);
    let run = gpuguard(&bare, &["scan", "--format=json", "--range", "base..HEAD"]);
    assert_eq!(told(&run), ["a.py:5 GG006"]);
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let other = repo.beside(&format[2..5]);
        let folder = other.to_str().unwrap();
        if repo.try_git(&["init", "--quiet", format, folder]).code != 0 {
            // A `git` without this format has no such repositories.
            continue;
        }
        for code in [good(), bad()] {
            std::fs::write(other.join("gpuguard.toml"), repo.read("gpuguard.toml")).unwrap();
            std::fs::write(other.join("a.py"), code).unwrap();
            repo.git(&["-C", folder, "add", "--all"]);
            repo.git(&["-C", folder, "commit", "--quiet", "-m", "x"]);
        }
        let run = gpuguard(
            &other,
            &["scan", "--format=json", "--range", "HEAD~1..HEAD"],
        );
        assert_eq!(told(&run), ["a.py:5 GG006"], "{format}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_judged_and_followed() {
    use std::os::unix::ffi::OsStrExt;
    let repo = repository(&[]);
    let file = |name: &[u8]| repo.path().join(std::ffi::OsStr::from_bytes(name));
    std::fs::write(file(b"caf\xe9.py"), bad()).unwrap();
    repo.commit_all("one");
    assert_eq!(introduced(&repo, "base..HEAD"), ["caf\\xe9.py:5 GG006"]);
    std::fs::rename(file(b"caf\xe9.py"), file(b"\xff\n.py")).unwrap();
    repo.commit_all("two");
    assert_eq!(introduced(&repo, "HEAD~1..HEAD"), NOTHING);
}

#[test]
fn the_policy_of_the_end_counts_else_that_of_the_start() {
    let repo = repository(&[("a.py", &good())]);
    commit(&repo, "a.py", &bad());
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    let lenient = policy.replace("[rules]", "[rules]\nGG006 = \"warning\"");
    // What lies in the folder is not part of the range.
    repo.write("gpuguard.toml", &lenient);
    assert_eq!(introduced(&repo, "base..HEAD"), ["a.py:5 GG006"]);
    let run = repo.gpuguard(&["scan", "-v", "--range", "base..HEAD"]);
    assert!(
        run.stdout.contains("by the gpuguard.toml of `HEAD`"),
        "{run}"
    );
    let named = repo.gpuguard(&["scan", "--range=base..", "--policy=gpuguard.toml"]);
    assert_eq!(named.code, 0, "{named}");
    repo.commit_all("lenient");
    assert_eq!(scan(&repo, "base..HEAD").code, 0);
    // Removed inside the range: the start's counts.
    repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    repo.commit_all("none");
    let run = repo.gpuguard(&["scan", "--range", "base..HEAD"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout
            .contains("`HEAD` has no gpuguard.toml: the one of `base` counts"),
        "{run}"
    );
    commit(&repo, "b.py", "x = 1\n");
    let run = scan(&repo, "HEAD~1..HEAD");
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("HEAD:gpuguard.toml") && run.stderr.contains("--policy"),
        "{run}"
    );
}

/// What Git takes for added among what is staged; counts what it takes for renamed.
fn added_for_git(repo: &TestRepo, renamed: &mut usize) -> Vec<String> {
    let status = repo.git(&["diff", "--cached", "--name-status", "-z", "-M", "-l1000"]);
    let mut words = status.split_terminator('\0');
    let mut added = Vec::new();
    while let (Some(kind), Some(path)) = (words.next(), words.next()) {
        match kind.as_bytes()[0] {
            b'R' => {
                *renamed += 1;
                words.next();
            }
            b'A' => added.push(path.to_owned()),
            _ => {}
        }
    }
    added
}

/// What Git calls a rename is held against the file it was, and nothing else is: on random
/// histories of files that are moved and changed more or less.
#[test]
fn renames_are_those_that_git_sees() {
    let (mut renamed, mut new) = (0, 0);
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let repo = repository(&[]);
        // Each file breaks GG018 and GG001 as a whole, which only a rename excuses.
        let text = |random: &mut fastrand::Rng| -> String {
            let lines = random.usize(4..20);
            (0..lines).fold(String::new(), |text, _| {
                format!("{text}x{} = 1\n", random.u32(..40))
            })
        };
        let whole = |body: &str| format!("import torch\n{body}torch.zeros(2).cuda()\n");
        let mut bodies: Vec<String> = Vec::new();
        for at in 0..8 {
            bodies.push(text(&mut random));
            repo.write(&format!("old{at}.py"), whole(&bodies[at]));
        }
        repo.commit_all("old");
        for (at, body) in bodies.iter().enumerate() {
            if random.u8(..4) > 0 {
                repo.git(&["rm", "--quiet", &format!("old{at}.py")]);
            }
            let kept: String = body
                .split_inclusive('\n')
                .filter(|_| random.u8(..3) > 0)
                .collect();
            let more = if random.bool() {
                text(&mut random)
            } else {
                String::new()
            };
            let name = if random.bool() {
                format!("new{at}.py")
            } else {
                format!("d/old{at}.py")
            };
            repo.write(&name, whole(&format!("{kept}{more}")));
        }
        repo.git(&["add", "--all"]);
        let expected = added_for_git(&repo, &mut renamed);
        let staged = repo.gpuguard(&["scan", "--staged", "--format=json"]);
        let lacking = |run: &Run| -> Vec<String> {
            let mut found = told(run);
            found.retain(|line| line.ends_with(" GG018"));
            found
                .into_iter()
                .map(|line| line.split(':').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(lacking(&staged), expected, "staged, seed {seed}");
        repo.commit_all("new");
        assert_eq!(
            lacking(&scan(&repo, "HEAD~1..HEAD")),
            expected,
            "range, seed {seed}"
        );
        new += expected.len();
    }
    assert!(renamed > 8 && new > 8, "{renamed} renamed, {new} new");
}
