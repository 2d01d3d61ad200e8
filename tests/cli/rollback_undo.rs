//! What `gpuguard rollback --undo` shows and asks before it takes the last run back, and which
//! runs there are to take back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use super::rollback::{assert_tidy, rollback, rolled_back};
#[cfg(unix)]
use super::rollback::{busy_repo, tree};
#[cfg(unix)]
use super::rollback_refused::killed_at;
use crate::support::TestRepo;

const BAD: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport torch\n";

/// A file that `fix` has just mended, and what it was mended to.
fn fixed() -> (TestRepo, Vec<u8>) {
    let repo = TestRepo::with_policy();
    repo.write("t.py", BAD);
    let run = repo.gpuguard(&["fix", "t.py"]);
    assert_eq!(run.code, 0, "{run}");
    let mended = repo.read("t.py");
    assert_ne!(mended, BAD.as_bytes());
    (repo, mended)
}

fn number_of_backups(repo: &TestRepo) -> usize {
    let run = repo.gpuguard(&["backup", "list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    list["backups"].as_array().unwrap().len()
}

#[test]
fn an_undo_can_be_looked_at_and_names_the_files() {
    let (repo, mended) = fixed();
    let run = rolled_back(&repo, &["--undo", "--dry-run"]);
    assert_eq!(
        run.stdout,
        "back to before the fix of `1 file`\n  restore            t.py\n\
         what stands there now is saved as a backup first\n"
    );
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    assert_eq!(repo.read("t.py"), mended);
    let undone = rolled_back(&repo, &["--undo"]);
    assert_eq!(undone.stdout, run.stdout);
    assert_eq!(repo.read("t.py"), BAD.as_bytes());
}

#[test]
fn edits_made_since_are_taken_back_by_nobody_unasked() {
    let (repo, mut mended) = fixed();
    mended.extend(b"my_precious = 1\n");
    repo.write("t.py", &mended);
    let backups = number_of_backups(&repo);
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stdout
            .contains("  restore            t.py (edited since)\n"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("there is no terminal to ask on; nothing was changed")
            && run.stderr.contains("`--yes`"),
        "{run}"
    );
    assert_eq!(repo.read("t.py"), mended);
    assert_eq!(number_of_backups(&repo), backups);
    assert_tidy(&repo);

    rolled_back(&repo, &["--undo", "--yes"]);
    assert_eq!(repo.read("t.py"), BAD.as_bytes());
    // The edits were saved: what is undone comes back with them, and now nobody has edited.
    let run = rolled_back(&repo, &["--undo"]);
    assert!(!run.stdout.contains("edited since"), "{run}");
    assert_eq!(repo.read("t.py"), mended);
}

#[test]
fn a_file_that_came_or_went_since_was_edited_too() {
    let repo = TestRepo::new();
    repo.write("a.py", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("b.py", "v2\n");
    repo.write("c.py", "v2\n");
    repo.commit_all("two");
    repo.git(&["rm", "-q", "a.py"]);
    repo.git(&["commit", "-q", "-m", "three"]);
    rolled_back(&repo, &["v1", "--yes"]);
    repo.write("b.py", "my own\n");
    std::fs::remove_file(repo.path().join("a.py")).unwrap();
    let run = rollback(&repo, &["--undo"]);
    assert_eq!(run.code, 2, "{run}");
    let plan = "  restore            b.py (edited since)\n  recreate           c.py\n";
    assert!(run.stdout.contains(plan), "{run}");
    assert!(!run.stdout.contains("a.py"), "it is gone already: {run}");
    assert_eq!(repo.read("b.py"), b"my own\n");
    assert!(!repo.exists("c.py"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_can_be_looked_at_too() {
    let mut seen = (0, 0);
    for stop in 0.. {
        let repo = busy_repo();
        if !killed_at(&repo, false, stop) {
            break;
        }
        let before = tree(&repo.path());
        let run = rollback(&repo, &["--undo", "--dry-run"]);
        assert_eq!(run.code, 0, "at {stop}: {run}");
        let title = "back to before the interrupted rollback of `v1`\n";
        assert!(run.stdout.starts_with(title), "at {stop}: {run}");
        assert_eq!(tree(&repo.path()), before, "at {stop}");
        if run.stdout.contains("no file has to be changed") {
            seen.0 += 1;
        } else {
            seen.1 += 1;
        }
        let undone = rolled_back(&repo, &["--undo"]);
        assert_eq!(undone.stdout, run.stdout, "at {stop}");
    }
    assert!(seen.0 > 0 && seen.1 > 3, "{seen:?}");
}

#[test]
fn a_restore_that_finds_everything_as_saved_leaves_no_trace() {
    let (repo, _) = fixed();
    let run = repo.gpuguard(&["backup", "create", "t.py"]);
    assert_eq!(run.code, 0, "{run}");
    let backups = number_of_backups(&repo);
    let run = repo.gpuguard(&["backup", "restore", "latest", "t.py"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .starts_with("nothing to do: the file is as saved in `"),
        "{run}"
    );
    assert!(!run.stderr.contains("--undo"), "{run}");
    assert_eq!(number_of_backups(&repo), backups);
    assert_tidy(&repo);
    // The last run still is the fix.
    let run = rolled_back(&repo, &["--undo"]);
    assert!(
        run.stderr.contains("the fix of `1 file` is undone"),
        "{run}"
    );
    assert_eq!(repo.read("t.py"), BAD.as_bytes());
}

#[cfg(unix)]
#[test]
fn a_restore_of_permissions_alone_is_something_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let repo = TestRepo::new();
    repo.write("run.sh", "#!/bin/sh\n");
    repo.write("plain.py", "x\n");
    let run = repo.gpuguard(&["backup", "create", "run.sh", "plain.py"]);
    assert_eq!(run.code, 0, "{run}");
    let file = repo.path().join("run.sh");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = repo.gpuguard(&["backup", "restore", "latest"]);
    assert!(
        run.stderr.contains("1 restored") && run.stderr.contains("1 as saved already"),
        "{run}"
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o100, 0);
    let run = repo.gpuguard(&["backup", "restore", "latest"]);
    assert!(run.stderr.contains("nothing to do: all 2 files"), "{run}");
}
