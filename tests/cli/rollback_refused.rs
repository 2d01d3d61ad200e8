//! What `gpuguard rollback` refuses, and what it does after it was stopped half-way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use gpuguard::backup::Store;
use gpuguard::git::Repository;
use gpuguard::rollback::{Event, Workplace};
use gpuguard::sys::clock;

use super::rollback::assert_tidy;
#[cfg(unix)]
use super::rollback::{busy_repo, state};
use crate::support::{Run, TestRepo};

fn two_versions() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("a.py", "v1\n");
    repo.write("b.py", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "before-gpu-fix"]);
    repo.write("a.py", "v2\n");
    repo.write("b.py", "v2\n");
    repo.commit_all("two");
    repo
}

pub(super) fn refused(repo: &TestRepo, why: &str) -> Run {
    let before = super::rollback::tree(&repo.path());
    let index = repo.read(".git/index");
    let run = repo.gpuguard(&["rollback", "before-gpu-fix", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains(why), "{run}");
    assert_eq!(super::rollback::tree(&repo.path()), before);
    assert_eq!(repo.read(".git/index"), index);
    run
}

#[test]
fn a_missing_tag_is_named_with_a_similar_one() {
    let repo = two_versions();
    let run = repo.gpuguard(&["rollback", "before-gpu-fxi", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("there is no tag, branch or commit `before-gpu-fxi`"),
        "{run}"
    );
    assert!(
        run.stderr.contains("did you mean `before-gpu-fix`"),
        "{run}"
    );
    repo.git(&["tag", "blob", "HEAD:a.py"]);
    let run = repo.gpuguard(&["rollback", "blob", "--yes"]);
    assert!(run.stderr.contains("does not point to a commit"), "{run}");
}

#[test]
fn repositories_git2_cannot_read_are_read_with_git() {
    for form in ["--object-format=sha256", "--ref-format=reftable"] {
        let repo = TestRepo::new();
        std::fs::remove_dir_all(repo.path().join(".git")).unwrap();
        if repo
            .try_git(&["init", "-q", "--initial-branch=main", form])
            .code
            != 0
        {
            // A Git that cannot make such a repository (reftables came with 2.45) has none.
            continue;
        }
        repo.write("a.py", "v1\n");
        repo.commit_all("one");
        repo.git(&["tag", "v1"]);
        repo.write("a.py", "v2\n");
        repo.write("new.py", "v2\n");
        repo.commit_all("two");
        let run = repo.gpuguard(&["rollback", "v2", "--yes"]);
        assert!(run.stderr.contains("did you mean `v1`"), "{run}");
        let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
        assert_eq!(run.code, 0, "{form}: {run}");
        assert_eq!(repo.git(&["diff", "v1"]), "");
        assert!(!repo.exists("new.py"));
    }
}

#[test]
fn a_conflict_or_a_merge_in_progress_is_refused() {
    let repo = two_versions();
    repo.git(&["checkout", "-q", "-b", "side", "before-gpu-fix"]);
    repo.write("a.py", "side\n");
    repo.commit_all("side");
    assert_ne!(repo.try_git(&["merge", "main"]).code, 0);
    refused(&repo, "a merge is in progress");
    std::fs::remove_file(repo.path().join(".git/MERGE_HEAD")).unwrap();
    refused(&repo, "`a.py` is unmerged");
}

#[test]
fn a_foreign_lock_is_named_and_kept() {
    let repo = two_versions();
    repo.write(".git/index.lock", "someone else's");
    let run = refused(&repo, "index.lock` exists");
    assert!(run.stderr.contains("never removes a lock"), "{run}");
    assert_eq!(repo.read(".git/index.lock"), b"someone else's");
    assert!(!repo.exists(".git/gpuguard/rollback/journal.json"));
}

#[test]
fn a_bare_repository_has_nothing_to_put_back() {
    let repo = two_versions();
    repo.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let run = crate::support::gpuguard(&repo.beside("bare.git"), &["rollback", "before-gpu-fix"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("bare repository"), "{run}");
}

#[test]
fn untracked_folders_and_nested_repositories_in_the_way_are_refused() {
    let repo = two_versions();
    repo.git(&["rm", "-q", "a.py"]);
    repo.git(&["commit", "-q", "-m", "three"]);
    repo.write("a.py/mine.txt", "untracked\n");
    refused(&repo, "a folder with untracked files");
    std::fs::remove_file(repo.path().join("a.py/mine.txt")).unwrap();
    repo.git(&["init", "-q", "a.py"]);
    refused(&repo, "a Git repository of its own");
}

#[test]
fn paths_outside_a_sparse_checkout_are_left_and_named() {
    for form in ["--no-sparse-index", "--sparse-index"] {
        let repo = TestRepo::new();
        repo.write("in/a.py", "v1\n");
        repo.write("out/b.py", "v1\n");
        repo.commit_all("one");
        repo.git(&["tag", "v1"]);
        repo.write("in/a.py", "v2\n");
        repo.write("out/b.py", "v2\n");
        repo.commit_all("two");
        repo.git(&["sparse-checkout", "set", form, "in"]);
        assert!(!repo.exists("out/b.py"));
        let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
        assert_eq!(run.code, 0, "{form}: {run}");
        let left = "out/b.py (outside the sparse checkout)";
        assert!(run.stdout.contains(left), "{form}: {run}");
        assert_eq!(repo.read("in/a.py"), b"v1\n");
        assert!(!repo.exists("out/b.py"));
        assert!(repo.git(&["ls-files", "-t"]).contains("S out/b.py"));
        repo.git(&["write-tree"]);
        repo.git(&["fsck", "--strict"]);
    }
}

#[test]
fn a_submodule_is_left_and_named() {
    let repo = two_versions();
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{},sub", commit.trim());
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    let run = repo.gpuguard(&["rollback", "before-gpu-fix", "--yes"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("sub (a submodule"), "{run}");
    assert!(repo.git(&["ls-files", "-s"]).contains("160000"));
    assert_eq!(repo.read("a.py"), b"v1\n");
}

#[cfg(unix)]
/// Something to be done in a working tree, with someone who listens.
type Act = dyn Fn(&Repository, &Workplace<'_>, &mut dyn FnMut(&Event));

#[cfg(unix)]
/// Does something in this process and kills it when it has come to event `stop`. Gives whether
/// it came that far.
fn killed(repo: &TestRepo, stop: usize, act: &Act) -> bool {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let repository = Repository::discover(&repo.path()).unwrap();
        let workplace = Workplace::new(&repository, clock::now()).unwrap();
        let mut heard = 0;
        let mut hear = |_: &_| {
            assert!(heard != stop, "killed");
            heard += 1;
        };
        act(&repository, &workplace, &mut hear);
    }));
    result.is_err()
}

#[cfg(unix)]
/// The same of a rollback to `v1`, or of an undo.
pub(super) fn killed_at(repo: &TestRepo, undo: bool, stop: usize) -> bool {
    killed(repo, stop, &move |_, workplace, hear| {
        if undo {
            workplace.undo(hear).unwrap();
        } else {
            let plan = workplace.plan("v1", &[]).unwrap();
            workplace.apply(&plan, hear).unwrap();
        }
    })
}

#[cfg(unix)]
/// The same of finishing what was killed.
pub(super) fn killed_resuming_at(repo: &TestRepo, stop: usize) -> bool {
    killed(repo, stop, &move |_, workplace, hear| {
        workplace.resume(hear).unwrap();
    })
}

#[cfg(unix)]
/// The same of restoring all of the newest backup.
pub(super) fn killed_restoring_at(repo: &TestRepo, stop: usize) -> bool {
    killed(repo, stop, &move |repository, workplace, hear| {
        let store = Store::at(repository.common_dir());
        let id = store.find("latest").unwrap();
        let mut backup = store.verify(&id, &mut |_| ()).unwrap();
        let entries = backup.manifest().choose(&[], None).unwrap();
        workplace.restore(&mut backup, &entries, hear).unwrap();
    })
}

#[cfg(unix)]
#[test]
fn a_rollback_killed_at_any_step_is_brought_back() {
    let mut stop = 0;
    loop {
        let repo = busy_repo();
        let before = state(&repo);
        if !killed_at(&repo, false, stop) {
            break;
        }
        let run = repo.gpuguard(&["rollback", "v1", "--dry-run"]);
        assert_eq!(run.code, 2, "at {stop}: {run}");
        assert!(run.stderr.contains("was interrupted"), "at {stop}: {run}");
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(run.code, 0, "at {stop}: {run}");
        assert_tidy(&repo);
        assert_eq!(state(&repo), before, "at {stop}");
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert!(run.stderr.contains("nothing to undo"), "at {stop}: {run}");
        stop += 1;
    }
    assert!(stop > 10, "only {stop} places to stop at");
}

#[cfg(unix)]
#[test]
fn an_undo_killed_at_any_step_is_finished() {
    let mut stop = 0;
    loop {
        let repo = busy_repo();
        let before = state(&repo);
        assert!(!killed_at(&repo, false, usize::MAX));
        let after = state(&repo);
        if !killed_at(&repo, true, stop) {
            break;
        }
        // Killed once more while it is being finished.
        killed_at(&repo, true, 3);
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(run.code, 0, "at {stop}: {run}");
        assert_tidy(&repo);
        assert_eq!(state(&repo), before, "at {stop}");
        let run = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(run.code, 0, "at {stop}: {run}");
        assert_eq!(state(&repo), after, "the undo is undone, at {stop}");
        stop += 1;
    }
    assert!(stop > 10, "only {stop} places to stop at");
}

#[test]
fn what_is_only_staged_and_cannot_be_read_stops_the_rollback() {
    let repo = TestRepo::new();
    repo.write("a.py", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.py", "v2\n");
    repo.commit_all("two");
    repo.write("a.py", "only staged\n");
    repo.git(&["add", "."]);
    repo.write("a.py", "not staged\n");
    let id = repo.git(&["rev-parse", ":a.py"]);
    let (folder, file) = id.trim().split_at(2);
    std::fs::remove_file(repo.path().join(".git/objects").join(folder).join(file)).unwrap();
    let index = repo.read(".git/index");
    let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains(id.trim()), "{run}");
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    assert_eq!(repo.read("a.py"), b"not staged\n");
    assert_eq!(repo.read(".git/index"), index);
    assert!(!repo.exists(".git/index.lock"));
}

#[cfg(unix)]
#[test]
fn the_hook_tells_of_a_killed_rollback() {
    let repo = busy_repo();
    repo.write(
        "gpuguard.toml",
        include_str!("../../src/policy/preset_rtx3090.toml"),
    );
    let warning = "`gpuguard rollback --undo` brings everything back";
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert!(!run.stderr.contains(warning), "{run}");
    assert!(killed_at(&repo, false, 4));
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert!(run.stderr.contains(warning), "{run}");
}

#[cfg(unix)]
#[test]
fn a_killed_rollback_does_not_take_a_foreign_lock_for_its_own() {
    let repo = busy_repo();
    assert!(killed_at(&repo, false, 4));
    repo.write(".git/index.lock", "someone else's");
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(repo.read(".git/index.lock"), b"someone else's");
    std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
}

/// A file that turns into a folder under the hands of the rollback.
#[cfg(unix)]
#[test]
fn a_rollback_that_cannot_go_on_goes_back_by_itself() {
    let repo = busy_repo();
    let before = state(&repo);
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    let plan = workplace.plan("v1", &[]).unwrap();
    let target = repo.path().join("staged.py");
    let aside = repo.beside("aside");
    let mut moved = false;
    let failed = workplace.apply(&plan, &mut |event| {
        if matches!(event, Event::Prepared) {
            std::fs::rename(&target, &aside).unwrap();
            std::fs::create_dir(&target).unwrap();
            moved = true;
        }
    });
    assert!(moved);
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("`staged.py`"), "{error}");
    std::fs::remove_dir(&target).unwrap();
    std::fs::rename(&aside, &target).unwrap();
    assert_tidy(&repo);
    assert_eq!(state(&repo), before);
}

#[cfg(unix)]
#[test]
fn an_edit_made_while_it_runs_is_kept() {
    let repo = busy_repo();
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    let plan = workplace.plan("v1", &[]).unwrap();
    let failed = workplace.apply(&plan, &mut |event| {
        if matches!(event, Event::Prepared) {
            repo.write("staged.py", "saved by an editor just now\n");
        }
    });
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("changed by another program")
    );
    assert_eq!(repo.read("staged.py"), b"saved by an editor just now\n");
    assert_eq!(repo.read("changed.py"), b"v2\n");
    assert_tidy(&repo);
}

#[test]
fn an_index_changed_after_the_plan_is_noticed() {
    let repo = two_versions();
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    let plan = workplace.plan("before-gpu-fix", &[]).unwrap();
    repo.write("c.py", "new\n");
    repo.git(&["add", "c.py"]);
    let failed = workplace.apply(&plan, &mut |_| ());
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("index was changed")
    );
    assert_eq!(repo.read("a.py"), b"v2\n");
    assert_tidy(&repo);
}

#[cfg(unix)]
#[test]
fn while_one_is_at_work_git_and_a_second_one_are_kept_out() {
    let repo = busy_repo();
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    let plan = workplace.plan("v1", &[]).unwrap();
    let mut tried = false;
    let mut hear = |event: &_| {
        if matches!(event, Event::IndexNext) {
            tried = true;
            let run = repo.try_git(&["add", "untracked.txt"]);
            assert!(run.stderr.contains("index.lock"), "{run}");
            for arguments in [&["rollback", "v1", "--yes"][..], &["rollback", "--undo"]] {
                let run = repo.gpuguard(arguments);
                assert_eq!(run.code, 2, "{run}");
                assert!(run.stderr.contains("another gpuguard"), "{run}");
            }
        }
    };
    workplace.apply(&plan, &mut hear).unwrap();
    assert!(tried);
    assert_tidy(&repo);
    assert_eq!(repo.git(&["diff", "v1", "--"]), "");
}

/// A terminal from `script`, where the machine has it.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_it_asks_and_only_yes_is_yes() {
    use std::io::Write as _;
    use std::process::Stdio;
    let repo = two_versions();
    let answer = |to: &str, answer: &str| -> Option<Run> {
        let program = crate::support::program().display();
        let mut child = repo
            .command("script")
            .args(["--quiet", "--return", "--command"])
            .arg(format!("{program} rollback {to}"))
            .arg("/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(answer.as_bytes()).ok()?;
        Some(child.wait_with_output().ok()?.into())
    };
    let Some(run) = answer("before-gpu-fix", "n\n") else {
        return;
    };
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("change 2 files? [y/N]"), "{run}");
    assert_eq!(repo.read("a.py"), b"v2\n");
    let run = answer("before-gpu-fix", "y\n").unwrap();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"v1\n");
    // An undo is asked about as well.
    let run = answer("--undo", "n\n").unwrap();
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("change 2 files? [y/N]"), "{run}");
    assert_eq!(repo.read("a.py"), b"v1\n");
    let run = answer("--undo", "y\n").unwrap();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"v2\n");
}

#[cfg(unix)]
#[test]
fn the_folder_one_is_in_stays() {
    let repo = two_versions();
    repo.write("later/only.py", "v2\n");
    repo.commit_all("three");
    let later = repo.path().join("later");
    let run: Run = crate::support::command(crate::support::program(), &later, repo.home())
        .args(["rollback", "before-gpu-fix", "--yes"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
    assert!(later.is_dir() && !repo.exists("later/only.py"));
}
