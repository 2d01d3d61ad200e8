//! `gpuguard scan --staged` in the midst of merges: what one of the parents had is not new.

use crate::support::{Run, TestRepo};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

/// A masked file of many lines that ends in `last`.
fn long(last: &str) -> String {
    let body = (0..20).fold(String::new(), |text, at| format!("{text}a_{at} = {at}\n"));
    format!("{HEADER}{body}{last}")
}

const USE_1: &str = "one = torch.device(\"cuda:1\")\n";
const USE_2: &str = "two = torch.device(\"cuda:2\")\n";

/// A repository whose branches `main` and `side` have made what the functions do of `base`.
fn parted(base: &str, main: impl Fn(&TestRepo), side: impl Fn(&TestRepo)) -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("a.py", base);
    repo.commit_all("base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    side(&repo);
    repo.commit_all("side");
    repo.git(&["checkout", "--quiet", "main"]);
    main(&repo);
    repo.commit_all("main");
    repo
}

fn merge(repo: &TestRepo, branches: &[&str]) -> Run {
    repo.try_git(&[&["merge", "--quiet", "--no-commit", "--no-ff"], branches].concat())
}

/// The exit code has to say whether `expected` is empty.
#[track_caller]
fn assert_new(repo: &TestRepo, expected: &[&str]) {
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_eq!(run.code, i32::from(!expected.is_empty()), "{run}");
    for part in expected {
        assert!(run.stdout.contains(part), "no {part:?} in {run}");
    }
    let new = run.stdout.matches("error[").count();
    assert_eq!(new, expected.len(), "{run}");
}

#[test]
fn a_file_renamed_here_and_changed_there_is_nobodys_fault() {
    let repo = parted(
        &long(""),
        |repo| drop(repo.git(&["mv", "a.py", "b.py"])),
        |repo| repo.write("a.py", long(USE_1)),
    );
    assert_eq!(merge(&repo, &["side"]).code, 0);
    assert!(repo.exists("b.py") && !repo.exists("a.py"));
    assert_new(&repo, &[]);
    // What the merge itself adds is new.
    repo.write("b.py", long(&format!("{USE_1}{USE_2}")));
    repo.git(&["add", "."]);
    assert_new(&repo, &["b.py:26"]);
}

#[test]
fn a_file_changed_here_and_renamed_there_is_nobodys_fault() {
    let repo = parted(
        &long(""),
        |repo| repo.write("a.py", long(USE_1)),
        |repo| drop(repo.git(&["mv", "a.py", "b.py"])),
    );
    assert_eq!(merge(&repo, &["side"]).code, 0);
    assert!(repo.exists("b.py") && !repo.exists("a.py"));
    assert_new(&repo, &[]);
    repo.write("b.py", long(&format!("{USE_1}{USE_1}")));
    repo.git(&["add", "."]);
    assert_new(&repo, &["b.py:26"]);
}

#[test]
fn a_resolved_conflict_is_held_against_both_sides() {
    let repo = parted(
        &long(""),
        |repo| repo.write("a.py", long(USE_1)),
        |repo| repo.write("a.py", long(USE_2)),
    );
    assert_ne!(merge(&repo, &["side"]).code, 0);
    repo.write("a.py", long(&format!("{USE_1}{USE_2}")));
    repo.git(&["add", "."]);
    assert_new(&repo, &[]);
    repo.write(
        "a.py",
        long(&format!("{USE_1}{USE_2}torch.cuda.set_device(3)\n")),
    );
    repo.git(&["add", "."]);
    assert_new(&repo, &["set_device"]);
    // Both sides set the mask; the resolution must keep it.
    let mask = "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
    repo.write("a.py", long("torch.zeros(2).cuda()\n").replace(mask, ""));
    repo.git(&["add", "."]);
    assert_new(&repo, &["GG018"]);
}

#[test]
fn an_octopus_is_held_against_each_of_its_arms() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", long(""));
    repo.commit_all("base");
    for (branch, file, line) in [("one", "one.py", USE_1), ("two", "two.py", USE_2)] {
        repo.git(&["checkout", "--quiet", "-b", branch, "main"]);
        repo.write(file, long(line));
        repo.commit_all(branch);
    }
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("main.txt", "x");
    repo.commit_all("main");
    assert_eq!(merge(&repo, &["one", "two"]).code, 0);
    let heads = String::from_utf8(repo.read(".git/MERGE_HEAD")).unwrap();
    assert_eq!(heads.lines().count(), 2);
    assert_new(&repo, &[]);
    // Taken over from an arm and changed: only what no arm had is new.
    repo.write("two.py", long(&format!("{USE_2}{USE_1}")));
    repo.git(&["add", "."]);
    assert_new(&repo, &["two.py:26"]);
}

#[test]
fn a_rename_excuses_no_more_than_the_file_had() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", long(USE_1));
    repo.commit_all("base");
    repo.git(&["mv", "a.py", "b.py"]);
    repo.write("b.py", long(&format!("{USE_1}{USE_2}")));
    repo.git(&["add", "."]);
    assert_new(&repo, &["b.py:26"]);
    // One file cannot become two.
    repo.write("b.py", long(USE_1));
    repo.write("c.py", long(USE_1));
    repo.git(&["add", "."]);
    assert_new(&repo, &["c.py:25"]);
    // The mask is lost on the way.
    repo.git(&["rm", "--quiet", "--cached", "c.py"]);
    repo.write(
        "b.py",
        long("torch.zeros(2).cuda()\n")
            .replace("os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", ""),
    );
    repo.git(&["add", "b.py"]);
    assert_new(&repo, &["GG018"]);
}

#[test]
fn a_line_that_stays_has_not_moved() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", long(USE_1));
    repo.write("c.py", long(""));
    repo.commit_all("base");
    // Renamed, and its line copied.
    repo.git(&["mv", "a.py", "b.py"]);
    repo.write("c.py", long(USE_1));
    repo.git(&["add", "."]);
    assert_new(&repo, &["c.py:25"]);
    // Allowed now, and copied: with and without the new name.
    let allowed = long(&USE_1.replace('\n', "  # gpuguard: allow[GG006] why\n"));
    repo.write("b.py", &allowed);
    repo.git(&["add", "."]);
    assert_new(&repo, &["c.py:25"]);
    repo.git(&["mv", "b.py", "a.py"]);
    assert_new(&repo, &["c.py:25"]);
    // Renamed, and its line moved.
    repo.git(&["mv", "a.py", "b.py"]);
    repo.write("b.py", long(""));
    repo.git(&["add", "."]);
    assert_new(&repo, &[]);
}

#[test]
fn what_was_not_scanned_before_excuses_nothing() {
    let repo = TestRepo::with_policy();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("exclude = []", "exclude = [\"third/\"]"),
    );
    repo.write("third/a.py", long(USE_1));
    repo.write("b.txt", long(USE_2));
    repo.commit_all("base");
    repo.git(&["mv", "third/a.py", "a.py"]);
    repo.git(&["mv", "b.txt", "b.py"]);
    assert_new(&repo, &["a.py:25", "b.py:25"]);
}
