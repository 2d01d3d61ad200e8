//! What a verdict says to type next.

use crate::support::{Run, TestRepo};

const MASK: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
const LATE: &str = "import torch\nimport os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nx = torch.zeros(1).cuda()\n";

fn bad() -> String {
    format!("{MASK}import torch\nd = torch.device(\"cuda:1\")\n")
}

/// The verdict on all that is staged, and its line about the next step.
fn judged(repo: &TestRepo) -> (Run, String) {
    repo.git(&["add", "--all"]);
    verdict(repo)
}

fn verdict(repo: &TestRepo) -> (Run, String) {
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    let next = run
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("  next: "));
    let next = next.unwrap_or_default().to_owned();
    (run, next)
}

#[test]
fn what_is_only_not_staged_is_said_to_be() {
    let repo = TestRepo::with_policy();
    repo.write("train.py", bad());
    repo.git(&["add", "train.py"]);
    repo.write("train.py", MASK);
    let (run, next) = verdict(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(
        next,
        "the working tree is right already: `git add train.py`, and commit again; `gpuguard rule GG006` explains"
    );
    // What is only another error is not right.
    repo.write(
        "train.py",
        format!("{}e = torch.device(\"cuda:2\")\n", bad()),
    );
    let (_, next) = verdict(&repo);
    assert!(next.starts_with("`gpuguard fix train.py`"), "{next}");
}

#[test]
fn the_files_that_can_be_mended_are_named_also_with_blanks() {
    let repo = TestRepo::with_policy();
    repo.write("a b/t 1.py", bad());
    repo.write("c.py", bad());
    let (_, next) = judged(&repo);
    assert_eq!(
        next,
        "`gpuguard fix \"a b/t 1.py\" c.py`, `git add` and commit again; `gpuguard rule GG006` explains"
    );
    let fixed = repo.gpuguard(&["fix", "a b/t 1.py", "c.py"]);
    assert_eq!(fixed.code, 0, "{fixed}");
    for number in 0..5 {
        repo.write(&format!("m{number}.py"), bad());
    }
    let (_, next) = judged(&repo);
    assert!(
        next.starts_with("`gpuguard fix` with these files (`--diff` shows it), "),
        "{next}"
    );
}

#[test]
fn names_are_as_one_types_them_where_one_stands() {
    let repo = TestRepo::with_policy();
    repo.write("sub/s.py", bad());
    repo.write("other/o.py", bad());
    repo.git(&["add", "--all"]);
    // What Git tells a hook.
    let run: Run = repo
        .command(crate::support::program())
        .args(["hook", "run", "pre-commit"])
        .env("GIT_PREFIX", "sub/")
        .output()
        .unwrap()
        .into();
    assert!(
        run.stderr
            .contains("  next: `gpuguard fix ../other/o.py s.py`, "),
        "{run}"
    );
    let typed = ["fix", "../other/o.py", "s.py"];
    let fixed = crate::support::gpuguard(&repo.path().join("sub"), &typed);
    assert_eq!(fixed.code, 0, "{fixed}");
}

#[test]
fn what_only_unsafe_fixes_mend_and_what_nothing_mends_is_told_apart() {
    let repo = TestRepo::with_policy();
    let default = format!("{MASK}import torch\ndef f(device=\"cuda:1\"):\n    pass\n");
    repo.write("m.py", &default);
    let (run, next) = judged(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        next.starts_with("`gpuguard fix --unsafe-fixes m.py` (`--diff` shows it), "),
        "{run}"
    );
    repo.write("ok.py", bad());
    let (run, next) = judged(&repo);
    assert!(
        next.starts_with("`gpuguard fix --unsafe-fixes m.py ok.py` (`--diff` shows it), "),
        "{run}"
    );
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.write(
        "r.sh",
        "export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0\ndocker run --gpus all x\n",
    );
    let (run, next) = judged(&repo);
    assert!(
        next.starts_with("`gpuguard fix r.sh` mends 1 of 2, then fix the rest, "),
        "{run}"
    );
}

#[test]
fn warnings_that_pass_are_explained_and_stand_behind_what_blocks() {
    let repo = TestRepo::with_policy();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write("gpuguard.toml", format!("{policy}\nGG005 = \"warning\"\n"));
    repo.commit_all("late is a warning here");
    repo.write("a.py", LATE);
    let (run, next) = judged(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.starts_with("gpuguard: passed: "), "{run}");
    assert!(next.ends_with("`gpuguard rule GG005` explains"), "{run}");
    repo.write("b.py", bad());
    let (run, _) = judged(&repo);
    let headline = run.stderr.lines().next().unwrap();
    assert!(
        headline.starts_with("gpuguard: commit refused: 1 new problem in 1 file, and "),
        "{run}"
    );
    let places: Vec<&str> = run.stderr.lines().filter(|l| l.contains("-->")).collect();
    assert!(places[0].contains("b.py"), "{places:?}");
}

#[cfg(unix)]
#[test]
fn after_a_fix_nobody_is_told_to_fix() {
    use std::os::unix::fs::PermissionsExt;
    let repo = TestRepo::with_policy();
    repo.write("m.py", bad());
    let file = repo.path().join("m.py");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    let run = repo.gpuguard(&["fix", "m.py"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout
            .contains("nothing was changed: `m.py` is left alone, it is read-only"),
        "{run}"
    );
    assert!(!run.stdout.contains("fixable with `gpuguard fix`"), "{run}");
    assert!(!run.stdout.contains("next: `gpuguard fix --diff`"), "{run}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_fix_that_cannot_be_told_of_is_one_all_the_same() {
    let repo = TestRepo::with_policy();
    repo.write("m.py", bad());
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run: Run = repo
        .command(crate::support::program())
        .args(["fix", "m.py"])
        .stdout(full)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("fixed 1 problem in 1 file"), "{run}");
    assert!(run.stderr.contains("`gpuguard rollback --undo`"), "{run}");
    assert_ne!(repo.read("m.py"), bad().as_bytes());
}
