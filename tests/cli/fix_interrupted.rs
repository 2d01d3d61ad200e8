//! What `gpuguard fix` leaves behind when it is stopped half-way, or finds a file changed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gpuguard::backup::Sum;
use gpuguard::git::{RepoPath, Repository};
use gpuguard::rollback::{Event, Replacement, RollbackError, Workplace};
use gpuguard::sys::clock;

use super::rollback::assert_tidy;
use crate::support::TestRepo;

const FILES: [&str; 3] = ["a.py", "b.py", "new/c.py"];

fn repo() -> TestRepo {
    let repo = TestRepo::with_policy();
    for file in FILES {
        repo.write(file, format!("old {file}\n"));
    }
    repo.git(&["add", "a.py", "b.py"]);
    repo
}

fn replacements() -> Vec<Replacement> {
    let of = |file: &str| Replacement {
        path: RepoPath::new(file),
        before: Sum::of(format!("old {file}\n").as_bytes()),
        content: format!("new {file}\n").into_bytes(),
    };
    FILES.into_iter().map(of).collect()
}

fn contents(repo: &TestRepo) -> Vec<String> {
    let read = |file| String::from_utf8(repo.read(file)).unwrap();
    FILES.into_iter().map(read).collect()
}

/// Puts the new contents in place, and is killed at event number `stop`; whether it was.
fn killed_at(repo: &TestRepo, stop: usize) -> bool {
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    let mut heard = 0;
    let run = catch_unwind(AssertUnwindSafe(|| {
        workplace.replace("fix", &replacements(), &mut |_: &Event| {
            heard += 1;
            assert!(heard != stop, "killed");
        })
    }));
    run.is_err()
}

#[test]
fn killed_at_any_step_each_file_is_whole_and_comes_back() {
    let mut stop = 1;
    loop {
        let repo = repo();
        let index = repo.read(".git/index");
        if !killed_at(&repo, stop) {
            break;
        }
        for (file, content) in FILES.into_iter().zip(contents(&repo)) {
            let whole = [format!("old {file}\n"), format!("new {file}\n")];
            assert!(whole.contains(&content), "{stop}: {content}");
        }
        // Nothing else is changed before that is settled.
        repo.write("bad.py", "import torch\nx.to('cuda:1')\n");
        let refused = repo.gpuguard(&["fix"]);
        assert_eq!(refused.code, 2, "{stop}: {refused}");
        assert!(
            refused.stderr.contains("rollback --undo"),
            "{stop}: {refused}"
        );
        let undo = repo.gpuguard(&["rollback", "--undo"]);
        assert_eq!(undo.code, 0, "{stop}: {undo}");
        assert_eq!(
            contents(&repo),
            FILES.map(|file| format!("old {file}\n")),
            "{stop}"
        );
        assert!(repo.read(".git/index") == index, "{stop}");
        assert_tidy(&repo);
        stop += 1;
    }
    assert!(stop > 5, "only {stop} steps");
}

#[test]
fn a_file_that_changed_since_it_was_read_is_not_overwritten() {
    let repo = repo();
    let repository = Repository::discover(&repo.path()).unwrap();
    let workplace = Workplace::new(&repository, clock::now()).unwrap();
    repo.write("b.py", "edited\n");
    let error = workplace
        .replace("fix", &replacements(), &mut |_| ())
        .unwrap_err();
    assert!(
        matches!(&error, RollbackError::ChangedMeanwhile { path, .. } if path == "b.py"),
        "{error}"
    );
    assert_eq!(
        contents(&repo),
        ["old a.py\n", "edited\n", "old new/c.py\n"]
    );
    assert_tidy(&repo);
    // The same just before it would be replaced.
    repo.write("b.py", "old b.py\n");
    let path = repo.path().join("b.py");
    let error = workplace.replace("fix", &replacements(), &mut |event| {
        if *event == Event::Prepared {
            std::fs::write(&path, "edited\n").unwrap();
        }
    });
    assert!(matches!(error, Err(RollbackError::ChangedMeanwhile { .. })));
    assert_eq!(
        contents(&repo),
        ["old a.py\n", "edited\n", "old new/c.py\n"]
    );
    assert_tidy(&repo);
}
