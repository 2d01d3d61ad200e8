//! What a message adds so that one knows what to type next.

use crate::support::{Run, TestRepo, program};

/// Fails unless `arguments` end with 2 and say each of `parts`.
fn says(repo: &TestRepo, arguments: &[&str], parts: &[&str]) -> Run {
    let run = repo.gpuguard(arguments);
    assert_eq!(run.code, 2, "{arguments:?}: {run}");
    for part in parts {
        assert!(run.stderr.contains(part), "no {part:?}: {run}");
    }
    run
}

#[test]
fn names_that_are_nearly_right_are_met_halfway() {
    let repo = TestRepo::with_policy();
    repo.git(&["tag", "v-before-gpu-correction"]);
    says(
        &repo,
        &["rollback", "v-before", "--yes"],
        &["did you mean `v-before-gpu-correction`?"],
    );
    repo.write("a.py", "print(1)\n");
    let made = repo.gpuguard(&["backup", "create", "a.py"]);
    let day = &made.stdout[..8];
    let id = format!(
        "a backup begins so: write its id with the `T` and more, as `gpuguard backup list` has it (`{day}T…`)"
    );
    says(&repo, &["rollback", day, "--yes"], &[&id]);
    says(
        &repo,
        &["rollback", "99999999", "--yes"],
        &["no tag, branch or commit `99999999`", "`git tag` lists"],
    );
    let run = says(
        &repo,
        &["scan", "nope.py"],
        &["relative to the current folder"],
    );
    assert!(!run.stderr.contains("--stdin"), "{run}");
    says(
        &repo,
        &["scan", "-"],
        &["gpuguard scan --stdin --stdin-filename FILE"],
    );
}

#[test]
fn a_policy_that_was_named_and_is_not_there_is_not_made_by_init() {
    let repo = TestRepo::with_policy();
    repo.write("t.py", "print(1)\n");
    for arguments in [
        &["scan", "t.py", "--policy", "nope.toml"][..],
        &["gpu", "env", "--policy", "nope.toml"],
    ] {
        let run = says(
            &repo,
            arguments,
            &[
                "there is no policy `nope.toml`",
                "check the path behind `--policy`",
            ],
        );
        assert!(!run.stderr.contains("gpuguard init"), "{run}");
    }
}

#[test]
fn nothing_to_undo_or_continue_points_to_the_backups() {
    let repo = TestRepo::with_policy();
    for option in ["--undo", "--continue"] {
        says(&repo, &["rollback", option], &["`gpuguard backup list`"]);
    }
}

#[test]
fn a_variable_that_decides_where_backups_lie_is_named() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "print(1)\n");
    let run: Run = repo
        .command(program())
        .args(["backup", "create", "a.py"])
        .env("GPUGUARD_BACKUP_STORE", repo.path().join("bk"))
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("the variable GPUGUARD_BACKUP_STORE says so"),
        "{run}"
    );
    assert!(!run.stderr.contains("below `[backup]`"), "{run}");
}

#[test]
fn what_the_usage_says_and_what_the_error_says_agree() {
    let repo = TestRepo::with_policy();
    let run = says(
        &repo,
        &["scan", "--range", "origin/main", "HEAD"],
        &["cannot be used with", "a range is one word: `--range A..B`"],
    );
    assert!(!run.stderr.contains("Usage:"), "{run}");
    for arguments in [
        &["scan", "--staged", "a.py"][..],
        &["rollback", "HEAD", "--undo"],
    ] {
        let run = says(&repo, arguments, &["cannot be used with"]);
        assert!(!run.stderr.contains("Usage:"), "{run}");
    }
    let run = says(
        &repo,
        &["scan", "--bogus"],
        &["unexpected argument '--bogus'", "Usage:"],
    );
    assert!(!run.stderr.contains("as a value"), "{run}");
}

#[test]
fn a_report_goes_where_it_can_be_read() {
    let repo = TestRepo::with_policy();
    let run = repo.gpuguard(&["report", "--output", "-"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("# "), "{run}");
    assert!(!repo.exists("-"));
    assert!(!run.stdout.contains("| then |"), "{run}");
    says(
        &repo,
        &["report", "--output", "r.pdf"],
        &[
            "there is no report of the kind of `r.pdf`",
            "no report was made",
        ],
    );
    assert!(!repo.exists("r.pdf"));
    let run = says(
        &repo,
        &["report", "--output", "nope/r.html"],
        &["the folder `nope` does not exist"],
    );
    assert!(!run.stderr.contains(".tmp"), "{run}");
    for (said, again) in [(false, "first"), (true, "second")] {
        let run = repo.gpuguard(&["report", "--output", "r.md"]);
        assert_eq!(run.code, 0, "{again}: {run}");
        assert_eq!(
            run.stderr.contains("in place of what was there"),
            said,
            "{run}"
        );
    }
    let run = repo.gpuguard(&["report", "--since", "HEAD"]);
    assert!(run.stdout.contains("|  | then | now |"), "{run}");
}

#[test]
fn a_line_that_is_not_there_is_not_explained() {
    let repo = TestRepo::with_policy();
    repo.write("t.py", "import torch\nprint(1)\n");
    says(
        &repo,
        &["policy", "show", "--explain", "t.py:3"],
        &["there is no line 3: ", "has 2 lines"],
    );
    // As a finding has it.
    let run = repo.gpuguard(&["policy", "show", "--explain", "t.py:2:1"]);
    assert_eq!(run.code, 0, "{run}");
    let run = repo.gpuguard(&["policy", "show", "--explain", "t.py:2"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn a_file_elsewhere_is_named_by_its_own_path() {
    let repo = TestRepo::with_policy();
    let elsewhere = repo.beside("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(
        elsewhere.join("t.py"),
        "import torch\ntorch.cuda.set_device(1)\n",
    )
    .unwrap();
    for asked in ["../elsewhere/t.py", "../elsewhere"] {
        let run = repo.gpuguard(&["scan", asked, "--format", "concise"]);
        assert_eq!(run.code, 1, "{run}");
        let place = format!("{}:2:", elsewhere.join("t.py").display());
        assert!(run.stdout.contains(&place), "{run}");
        assert!(!run.stdout.contains(".."), "{run}");
    }
}

#[test]
fn what_is_no_pytorch_is_not_told_of_its_names() {
    let repo = TestRepo::with_policy();
    repo.write("a.cu", "int main() { cudaSetDevice(1); }\n");
    let run = repo.gpuguard(&["scan", "a.cu"]);
    assert!(run.stdout.contains("use index 0: under the mask"), "{run}");
}

#[test]
fn a_policy_that_is_only_shown_is_not_taken_for_written() {
    let repo = TestRepo::new();
    let run = repo.gpuguard(&["init"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.starts_with("nothing was written; "), "{run}");
    assert_eq!(run.stderr.matches("cannot be asked").count(), 1, "{run}");
    assert!(run.stdout.contains("version = 1"), "{run}");
    assert!(!repo.exists("gpuguard.toml"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_repository_of_somebody_else_is_told_in_a_sentence_and_a_command() {
    let repo = TestRepo::with_policy();
    let run: Run = repo
        .command(program())
        .args(["scan", "."])
        // So Git asks its own tests (setup.c, `ensure_valid_ownership`).
        .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        .env("GIT_OBJECT_DIRECTORY", repo.path().join(".git/objects"))
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("belongs to another user"), "{run}");
    let command = "hint: if you trust it: `git config --global --add safe.directory /";
    assert!(run.stderr.contains(command), "{run}");
    assert!(!run.stderr.contains("; To add an exception"), "{run}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_backup_that_cannot_be_told_of_is_made_all_the_same() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "print(1)\n");
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run: Run = repo
        .command(program())
        .args(["backup", "create", "a.py"])
        .stdout(full)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("was made all the same"), "{run}");
    let list = repo.gpuguard(&["backup", "list"]);
    let id = run.stderr.split("the backup `").nth(1).unwrap();
    assert!(list.stdout.contains(&id[..25]), "{list}");
}
