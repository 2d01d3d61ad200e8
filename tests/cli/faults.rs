//! The process is killed, or an operation fails, at every touch of a file in turn: whatever
//! happens, each file is whole, the next command knows what to do, and nothing is lost.
//!
//! The fail points (`src/sys/fault.rs`) are in builds with debug assertions only. By default some
//! of the points are tried; `GPUGUARD_TEST_FAULTS=all` tries every one.
#![cfg(all(unix, debug_assertions))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::rollback::{State, assert_tidy, state};
use crate::support::{Run, TestRepo, program};

const KINDS: [&str; 5] = ["kill", "ENOSPC", "EIO", "EACCES", "full"];

/// Of so many points one is tried, unless all are asked for.
const STRIDE: usize = 3;

/// One command that changes something.
struct Scenario {
    repo: TestRepo,
    arguments: &'static [&'static str],
    /// Whether what was interrupted is finished by undoing again: it is an undo itself.
    only_forward: bool,
    /// Whether it may come to an end half-way: it writes beside the tree, or saves what it can.
    in_parts: bool,
    before: State,
    after: State,
}

impl Scenario {
    fn new(repo: TestRepo, arguments: &'static [&'static str]) -> Self {
        let done = repo.copy();
        let before = state(&done);
        let run = done.gpuguard(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run}");
        let after = state(&done);
        Self {
            repo,
            arguments,
            only_forward: false,
            in_parts: false,
            before,
            after,
        }
    }

    /// Tries all points with all kinds of faults; gives how many that were.
    fn try_all(&self) -> usize {
        let every = std::env::var("GPUGUARD_TEST_FAULTS").is_ok_and(|value| value == "all");
        let tried = AtomicUsize::new(0);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut ended = [false; KINDS.len()];
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                // By default each point has one kind, and the kinds take turns.
                let (point, kind) = if every {
                    (turn / KINDS.len() + 1, turn % KINDS.len())
                } else {
                    (turn * STRIDE + 1, turn % KINDS.len())
                };
                if ended[kind] {
                    if ended.iter().all(|ended| *ended) || !every {
                        return;
                    }
                    continue;
                }
                let fault = format!("{}@{point}", KINDS[kind]);
                if self.try_one(&fault, point) {
                    tried.fetch_add(1, Ordering::Relaxed);
                } else {
                    ended[kind] = true;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(work);
            }
        });
        let tried = tried.into_inner();
        // Seen with `--nocapture`.
        #[expect(
            clippy::print_stdout,
            reason = "the harness shows it where it is asked to"
        )]
        {
            println!("{:?}: {tried} faults", self.arguments);
        }
        tried
    }

    /// Tries one fault; gives whether the command came to that point at all.
    fn try_one(&self, fault: &str, point: usize) -> bool {
        let repo = self.repo.copy();
        let run = faulty(&repo, self.arguments, fault);
        let told = || format!("{:?} with {fault}: {run}", self.arguments);
        if !run.stderr.contains("fault ") {
            assert_eq!(run.code, 0, "{}", told());
            return false;
        }
        self.assert_whole(&repo, &told());
        let now = state(&repo);
        let interrupted = repo.exists(".git/gpuguard/rollback/journal.json");
        match run.code {
            0 => assert!(now == self.after, "{}", told()),
            -1 => assert!(fault.starts_with("kill"), "{}", told()),
            2 => {}
            1 if self.in_parts && run.stderr.contains("not saved") => {}
            _ => panic!("{}", told()),
        }
        let claims = [
            "nothing was changed",
            "as it was before",
            "no backup was made",
            "none was made",
        ];
        if claims.iter().any(|claim| run.stderr.contains(claim)) {
            assert!(now == self.before || interrupted, "{}", told());
        }
        if interrupted {
            self.recover(&repo, point, &told());
        } else if !self.in_parts {
            assert!(now == self.before || now == self.after, "{}", told());
        }
        assert_tidy(&repo);
        let verify = repo.gpuguard(&["backup", "verify", "--all"]);
        assert_eq!(verify.code, 0, "{}\n{verify}", told());
        // What was tried can be done now, where it was not.
        if state(&repo) == self.before {
            let again = repo.gpuguard(self.arguments);
            assert_eq!(again.code, 0, "{}\n{again}", told());
            assert!(state(&repo) == self.after, "{}\n{again}", told());
        }
        true
    }

    /// Each file is what it was or what it was to become.
    fn assert_whole(&self, repo: &TestRepo, told: &str) {
        let now = super::rollback::tree(&repo.path());
        let (before, after) = (&self.before.files, &self.after.files);
        // A killed process leaves what it was writing, under a name that tells so.
        let passing = |path: &&String| self.in_parts && path.contains(".gpuguard-");
        let paths = before.keys().chain(after.keys()).chain(now.keys());
        for path in paths.filter(|path| !passing(path)) {
            let is = now.get(path);
            assert!(
                is == before.get(path) || is == after.get(path),
                "{path}: {told}"
            );
        }
    }

    /// The next command says what happened; every other time the run is finished, else undone.
    fn recover(&self, repo: &TestRepo, point: usize, told: &str) {
        let next = repo.gpuguard(&["rollback", "HEAD", "--dry-run"]);
        assert_eq!(next.code, 2, "{told}\n{next}");
        assert!(next.stderr.contains("--undo"), "{told}\n{next}");
        if point % 4 < 2 {
            let run = repo.gpuguard(&["rollback", "--continue"]);
            match run.code {
                0 => {
                    assert!(state(repo) == self.after, "{told}\n{run}");
                    return;
                }
                1 => {
                    assert!(run.stderr.contains("is given up"), "{told}\n{run}");
                    assert!(state(repo) == self.before, "{told}\n{run}");
                    return;
                }
                // Going back had begun, and failed: there is only one way out.
                _ => assert!(run.stderr.contains("cannot be finished"), "{told}\n{run}"),
            }
        }
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(run.code, 0, "{told}\n{run}");
        if self.only_forward {
            // Where nothing was changed yet, there is still something to undo.
            let now = state(repo);
            assert!(now == self.before || now == self.after, "{told}\n{run}");
        } else {
            assert!(state(repo) == self.before, "{told}\n{run}");
        }
    }
}

fn faulty(repo: &TestRepo, arguments: &[&str], fault: &str) -> Run {
    let mut command = repo.command(program());
    // A fixed order of operations, as far as there is one.
    command.args(arguments).env("GPUGUARD_FAULT", fault);
    command.env("RAYON_NUM_THREADS", "1");
    command.output().unwrap().into()
}

/// A few files of every kind, the tag `v1`, and changes since, staged and not.
fn changed() -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "1\n");
    repo.write("d/b.py", "1\n");
    repo.write("gone.py", "1\n");
    symlink("a.py", repo.path().join("link")).unwrap();
    repo.write("place", "a file\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.py", "2\n");
    repo.git(&["rm", "-q", "gone.py", "place", "link"]);
    repo.write("place/inner.py", "in a folder\n");
    repo.write("link", "a file\n");
    repo.commit_all("two");
    repo.write("d/b.py", "staged\n");
    repo.git(&["add", "d/b.py"]);
    repo.write("d/b.py", "staged, and edited\n");
    repo.write("untracked.py", "mine\n");
    repo
}

#[test]
fn a_rollback() {
    let tried = Scenario::new(changed(), &["rollback", "v1", "--yes"]).try_all();
    assert!(tried > 20, "{tried}");
}

#[test]
fn an_undo() {
    let repo = changed();
    assert_eq!(repo.gpuguard(&["rollback", "v1", "--yes"]).code, 0);
    let mut scenario = Scenario::new(repo, &["rollback", "--undo"]);
    scenario.only_forward = true;
    let tried = scenario.try_all();
    assert!(tried > 20, "{tried}");
}

#[test]
fn finishing_and_undoing_what_was_killed() {
    for (end, least) in [("--continue", 5), ("--undo", 20)] {
        // Somewhere among the files.
        let interrupted = |repo: &TestRepo| {
            let mut point = 1;
            loop {
                let copy = repo.copy();
                let run = faulty(
                    &copy,
                    &["rollback", "v1", "--yes"],
                    &format!("kill@{point}"),
                );
                assert!(run.stderr.contains("fault "), "{run}");
                if copy.read("a.py") == b"1\n" {
                    return copy;
                }
                point += 1;
            }
        };
        let repo = interrupted(&changed());
        let arguments: &[&str] = if end == "--undo" {
            &["rollback", "--undo"]
        } else {
            &["rollback", "--continue"]
        };
        let scenario = Scenario::new(repo, arguments);
        let mut tried = 0;
        for point in 1.. {
            let kind = KINDS[point % KINDS.len()];
            let copy = scenario.repo.copy();
            let run = faulty(&copy, arguments, &format!("{kind}@{point}"));
            if !run.stderr.contains("fault ") {
                break;
            }
            scenario.assert_whole(&copy, &format!("{kind}@{point}: {run}"));
            if run.code != 0 {
                let again = copy.gpuguard(arguments);
                // Killed when all was done.
                let done = again.stderr.contains("nothing to undo")
                    || again
                        .stderr
                        .contains("was interrupted in this working tree");
                assert!(again.code == 0 || done, "{kind}@{point}: {run}\n{again}");
            }
            assert!(state(&copy) == scenario.after, "{kind}@{point}: {run}");
            assert_tidy(&copy);
            tried += 1;
        }
        assert!(tried > least, "{end}: {tried}");
    }
}

#[test]
fn a_backup() {
    let mut scenario = Scenario::new(changed(), &["backup", "create", "a.py", "d", "link"]);
    scenario.in_parts = true;
    let tried = scenario.try_all();
    assert!(tried > 2, "{tried}");
}

/// One that is not made in memory.
#[test]
fn a_large_backup() {
    let repo = changed();
    let mut random = fastrand::Rng::with_seed(1);
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(9 << 20)
        .collect();
    repo.write("weights.bin", noise);
    let mut scenario = Scenario::new(repo, &["backup", "create", "weights.bin", "a.py"]);
    scenario.in_parts = true;
    let tried = scenario.try_all();
    assert!(tried > 10, "{tried}");
}

#[test]
fn a_prune() {
    let repo = changed();
    for content in ["one", "two", "three"] {
        repo.write("a.py", content);
        assert_eq!(repo.gpuguard(&["backup", "create", "a.py"]).code, 0);
    }
    // What is in a commit is in no need of an archive.
    repo.commit_all("three");
    let prune = &["backup", "prune", "--keep-last", "1"];
    let mut scenario = Scenario::new(repo, prune);
    scenario.in_parts = true;
    let tried = scenario.try_all();
    assert!(tried > 1, "{tried}");
}

#[test]
fn the_hooks_snapshot() {
    let tried = Scenario::new(changed(), &["hook", "run", "pre-commit"]).try_all();
    assert!(tried > 2, "{tried}");
}

#[test]
fn a_restore() {
    let repo = changed();
    assert_eq!(
        repo.gpuguard(&["backup", "create", "a.py", "d", "untracked.py"])
            .code,
        0
    );
    repo.write("a.py", "later\n");
    repo.write("d/b.py", "later\n");
    std::fs::remove_file(repo.path().join("untracked.py")).unwrap();
    let tried = Scenario::new(repo, &["backup", "restore", "latest"]).try_all();
    assert!(tried > 15, "{tried}");
}

#[test]
fn a_restore_beside_the_tree() {
    let repo = changed();
    assert_eq!(
        repo.gpuguard(&["backup", "create", "a.py", "d", "untracked.py"])
            .code,
        0
    );
    let mut scenario = Scenario::new(repo, &["backup", "restore", "latest", "--to", "out"]);
    scenario.in_parts = true;
    let tried = scenario.try_all();
    assert!(tried > 4, "{tried}");
}

#[test]
fn a_fix() {
    let repo = changed();
    repo.write("bad.py", "import torch\n\nx = torch.device(\"cuda:1\")\n");
    repo.write("d/bad.py", "import torch\n\nx = torch.device(\"cuda:1\")\n");
    let tried = Scenario::new(repo, &["fix"]).try_all();
    assert!(tried > 15, "{tried}");
}
