//! The wired hook in the situations in which Git makes a commit. Each refused commit must leave
//! everything as it was: HEAD, status, index and files.

use std::path::Path;

use crate::support::{Run, TestRepo, program};

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

fn good() -> String {
    format!("{HEADER}device = torch.device(\"cuda:0\")\n")
}

fn bad() -> String {
    format!("{HEADER}device = torch.device(\"cuda:1\")\n")
}

/// A repository with the founding policy and the hook wired by hand.
fn guarded() -> TestRepo {
    let repo = TestRepo::with_policy();
    wire(&repo.path().join(".git/hooks/pre-commit"));
    repo
}

fn wire(hook: &Path) {
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let shim = format!(
        "#!/bin/sh\nexec {} hook run pre-commit \"$@\"\n",
        crate::support::program_in_sh()
    );
    std::fs::write(hook, shim).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Everything a refused commit must leave alone.
#[derive(PartialEq, Debug)]
struct State {
    head: String,
    status: String,
    staged: String,
    files: Vec<(String, Vec<u8>)>,
}

fn state(repo: &TestRepo) -> State {
    let mut files: Vec<(String, Vec<u8>)> = walk(&repo.path());
    files.sort();
    State {
        head: repo
            .try_git(&["rev-parse", "--verify", "--quiet", "HEAD"])
            .stdout,
        status: repo.git(&["status", "--porcelain=v2", "-z"]),
        staged: repo.git(&["ls-files", "--stage", "-z"]),
        files,
    }
}

fn walk(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".git") {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            files.extend(walk(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            files.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
    files
}

fn commit(repo: &TestRepo, arguments: &[&str]) -> Run {
    let mut all = vec!["commit", "--quiet", "-m", "change"];
    all.extend(arguments);
    repo.try_git(&all)
}

#[track_caller]
fn assert_refused(repo: &TestRepo, arguments: &[&str], expected: &[&str]) -> Run {
    let before = state(repo);
    let run = commit(repo, arguments);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.starts_with("gpuguard: commit refused"), "{run}");
    for part in expected {
        assert!(run.stderr.contains(part), "no {part:?} in {run}");
    }
    assert_eq!(state(repo), before, "the refused commit changed something");
    run
}

#[track_caller]
fn assert_passes(repo: &TestRepo, arguments: &[&str]) -> Run {
    let run = commit(repo, arguments);
    assert_eq!(run.code, 0, "{run}");
    run
}

#[test]
fn a_plain_commit_is_refused_with_place_card_and_cure() {
    let repo = guarded();
    repo.write("src/train.py", bad());
    repo.git(&["add", "."]);
    let run = assert_refused(
        &repo,
        &[],
        &[
            "GG006",
            "src/train.py:5:23",
            "cuda:1",
            "^^^^^^^^",
            "CUDA_VISIBLE_DEVICES=1",
            "cuda:0",
        ],
    );
    assert!(
        run.stderr
            .contains("nothing was committed, nothing was changed"),
        "{run}"
    );
    assert_eq!(repo.gpuguard(&["backup", "list"]).code, 0);

    repo.write("src/train.py", good());
    repo.git(&["add", "."]);
    let run = assert_passes(&repo, &[]);
    assert!(run.stderr.contains("1 file scanned"), "{run}");
    assert!(run.stderr.contains("no NVIDIA driver"), "{run}");
}

#[test]
fn the_first_commit_is_judged() {
    let repo = TestRepo::new();
    wire(&repo.path().join(".git/hooks/pre-commit"));
    repo.write(
        "gpuguard.toml",
        include_str!("../../src/policy/preset_rtx3090.toml"),
    );
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG006", "a.py:5"]);
    repo.write("a.py", good());
    repo.git(&["add", "."]);
    assert_passes(&repo, &[]);
}

#[test]
fn commit_all_is_judged_by_its_own_index() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.commit_all("good");
    repo.write("a.py", bad());
    assert_refused(&repo, &["--all"], &["GG006"]);
    repo.write("a.py", format!("{}print(1)\n", good()));
    assert_passes(&repo, &["--all"]);
}

#[test]
fn commit_of_a_path_leaves_what_else_is_staged_out() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.write("b.py", good());
    repo.commit_all("good");
    repo.write("a.py", format!("{}print(1)\n", good()));
    repo.write("b.py", bad());
    repo.git(&["add", "b.py"]);
    assert_passes(&repo, &["a.py"]);
    assert_refused(&repo, &["b.py"], &["b.py:5"]);
}

#[test]
fn what_is_staged_counts_not_what_lies_in_the_folder() {
    let repo = guarded();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    repo.write("a.py", good());
    assert_refused(&repo, &[], &["a.py:5"]);
    repo.git(&["add", "."]);
    repo.write("a.py", bad());
    assert_passes(&repo, &[]);
    assert_eq!(repo.read("a.py"), bad().into_bytes());
}

#[test]
fn a_linked_worktree_is_judged_by_its_own_index() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.commit_all("good");
    let linked = repo.beside("linked");
    repo.git(&[
        "worktree",
        "add",
        "--quiet",
        linked.to_str().unwrap(),
        "-b",
        "side",
    ]);
    std::fs::write(linked.join("a.py"), bad()).unwrap();
    let in_linked = |arguments: &[&str]| -> Run {
        let mut command = repo.command("git");
        command
            .current_dir(&linked)
            .args(arguments)
            .output()
            .unwrap()
            .into()
    };
    assert_eq!(in_linked(&["add", "."]).code, 0);
    let run = in_linked(&["commit", "-qm", "bad"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("a.py:5"), "{run}");
    let run = in_linked(&["commit", "-qam", "bad"]);
    assert_eq!(run.code, 1, "{run}");
    std::fs::write(linked.join("a.py"), format!("{}print(1)\n", good())).unwrap();
    let run = in_linked(&["commit", "-qam", "good"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn old_findings_are_counted_and_never_block() {
    let repo = guarded();
    repo.write("a.py", bad());
    repo.commit_all("old");
    repo.write("a.py", format!("# a new first line\n{}print(1)\n", bad()));
    repo.git(&["add", "."]);
    let run = assert_passes(&repo, &[]);
    assert!(run.stderr.contains("1 old finding"), "{run}");
    // A second one of the same kind is new.
    repo.write(
        "a.py",
        format!(
            "# a new first line\n{}other = torch.device(\"cuda:1\")\n",
            bad()
        ),
    );
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["a.py:7"]);
}

#[test]
fn a_deleted_mask_is_new() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.commit_all("good");
    repo.write(
        "a.py",
        good().replace("os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", ""),
    );
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG018"]);
}

#[test]
fn moved_code_is_not_new() {
    let repo = guarded();
    repo.write("old/a.py", bad());
    repo.commit_all("old");
    repo.git(&["mv", "old/a.py", "b.py"]);
    repo.write("b.py", format!("{}print(1)\n", bad()));
    repo.git(&["add", "."]);
    assert_passes(&repo, &[]);
    // But a copy is: the old file stays.
    repo.write("c.py", bad());
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["c.py:5"]);
    // And one deleted file makes up for one new file, not for two.
    repo.git(&["mv", "c.py", "d.py"]);
    repo.git(&["rm", "--quiet", "--cached", "b.py"]);
    repo.write("e.py", bad());
    repo.git(&["add", "d.py", "e.py"]);
    assert_refused(&repo, &[], &["GG006"]);
}

#[test]
fn a_line_moved_between_files_is_not_new() {
    let repo = guarded();
    repo.write("from.py", bad());
    repo.write("to.py", good());
    repo.commit_all("old");
    let line = "device = torch.device(\"cuda:1\")\n";
    repo.write("from.py", HEADER);
    repo.write("to.py", format!("{}{line}", good()));
    repo.git(&["add", "."]);
    assert_passes(&repo, &[]);
    // Twice in the place of once: one of them is new.
    repo.write("to.py", HEADER);
    repo.write("from.py", format!("{HEADER}{line}{line}"));
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["1 new problem in 1 file"]);
}

#[test]
fn what_two_files_swap_excuses_neither() {
    let repo = guarded();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("# GG018", "GG001 = \"off\"\nGG018 = \"warning\" # "),
    );
    let mask =
        |card: u32| format!("import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"{card}\"\n");
    let line = "import torch\ndevice = torch.device(\"cuda:0\")\n";
    repo.write("a.py", mask(1));
    repo.write("b.py", mask(0));
    repo.write("c.py", mask(1) + line);
    repo.write("d.py", line);
    repo.commit_all("old");
    // A mask that is wrong now, though another file had the same.
    repo.write("a.py", mask(0));
    repo.write("b.py", mask(1));
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG002", "a.py"]);
    repo.git(&["reset", "--quiet", "--hard"]);
    // A line that stays, and is wrong now that its mask has gone to another file.
    repo.write("c.py", line);
    repo.write("d.py", mask(1) + line);
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG007", "c.py"]);
}

#[test]
fn comments_and_messages_are_not_violations() {
    let repo = guarded();
    repo.write(
        "a.py",
        format!("{}# not \"cuda:1\"\nprint(\"never cuda:1\")\n", good()),
    );
    repo.git(&["add", "."]);
    assert_passes(&repo, &[]);
}

#[test]
fn a_merge_blames_nobody_for_the_other_side() {
    let repo = guarded();
    repo.write("shared.txt", "base\n");
    repo.write("a.py", good());
    repo.commit_all("base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a.py", bad());
    repo.write("shared.txt", "side\n");
    repo.commit_all("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("shared.txt", "main\n");
    repo.commit_all("main");
    assert_ne!(
        repo.try_git(&["merge", "side"]).code,
        0,
        "the merge must conflict"
    );
    repo.write("shared.txt", "both\n");
    repo.git(&["add", "."]);
    let run = assert_passes(&repo, &[]);
    assert!(run.stderr.contains("old finding"), "{run}");
}

#[test]
fn a_message_only_amend_does_nothing() {
    let repo = guarded();
    let run = repo.try_git(&["commit", "--amend", "--quiet", "-m", "new words"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("nothing is staged"), "{run}");
    assert!(
        !repo.exists(".git/gpuguard/backups"),
        "an empty commit makes no snapshot"
    );
}

#[test]
fn intent_to_add_is_not_part_of_the_commit() {
    let repo = guarded();
    repo.write("later.py", bad());
    repo.git(&["add", "--intent-to-add", "later.py"]);
    repo.write("a.py", good());
    repo.git(&["add", "a.py"]);
    assert_passes(&repo, &[]);
    assert!(repo.git(&["status", "--porcelain"]).contains(" A later.py"));
}

#[test]
fn it_can_be_skipped_and_says_so() {
    let repo = guarded();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    for (name, value) in [("GPUGUARD", "0"), ("SKIP", "ruff,gpuguard")] {
        let mut command = repo.command("git");
        command
            .args(["commit", "--allow-empty", "-qm", "skipped"])
            .env(name, value);
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stderr.contains(&format!("skipped: {name}={value}")),
            "{run}"
        );
    }
    let mut command = repo.command(program());
    command
        .args(["hook", "run", "pre-commit"])
        .env("SKIP", "ruff");
    assert!(
        !Run::from(command.output().unwrap())
            .stderr
            .contains("skipped")
    );
}

#[test]
fn without_a_policy_or_with_a_broken_one_the_commit_is_refused() {
    let repo = TestRepo::new();
    wire(&repo.path().join(".git/hooks/pre-commit"));
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "."]);
    let run = commit(&repo, &[]);
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("gpuguard init"), "{run}");
    repo.write("gpuguard.toml", "version = \"one\"\n");
    let run = commit(&repo, &[]);
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("gpuguard.toml:1:11"), "{run}");
}

#[test]
fn the_policy_is_read_from_the_index_too() {
    let repo = guarded();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    // An edit of the policy that is not part of the commit excuses nothing.
    let lenient = policy.replace("[rules]", "[rules]\nGG006 = \"off\"");
    repo.write("gpuguard.toml", &lenient);
    assert_refused(&repo, &[], &["GG006"]);
    assert_eq!(repo.gpuguard(&["scan", "--staged"]).code, 1);
    assert_eq!(repo.gpuguard(&["scan", "a.py"]).code, 0);
    repo.git(&["add", "gpuguard.toml"]);
    assert_eq!(repo.gpuguard(&["scan", "--staged"]).code, 0);
    assert_passes(&repo, &[]);
}

#[test]
fn a_git_directory_elsewhere_is_no_bare_repository() {
    let repo = TestRepo::new();
    let (folder, directory) = (repo.beside("tree"), repo.beside("separate.git"));
    let separate = format!("--separate-git-dir={}", directory.display());
    repo.git(&["init", "--quiet", &separate, folder.to_str().unwrap()]);
    wire(&directory.join("hooks/pre-commit"));
    std::fs::write(
        folder.join("gpuguard.toml"),
        include_str!("../../src/policy/preset_rtx3090.toml"),
    )
    .unwrap();
    std::fs::create_dir(folder.join("sub")).unwrap();
    for (code, expected) in [(bad(), 1), (good(), 0)] {
        std::fs::write(folder.join("a.py"), code).unwrap();
        let run = |arguments: &[&str]| -> Run {
            let mut command = repo.command("git");
            command
                .current_dir(folder.join("sub"))
                .args(arguments)
                .output()
                .unwrap()
                .into()
        };
        assert_eq!(run(&["add", "--all", ".."]).code, 0);
        let run = run(&["commit", "-qm", "change"]);
        assert_eq!(run.code, expected, "{run}");
    }
}

#[test]
fn removing_the_policy_does_not_switch_the_guard_off() {
    let repo = guarded();
    repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG006", "gpuguard.toml"]);
}

#[test]
fn a_failure_of_its_own_blocks_or_passes_as_the_policy_says() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.git(&["add", "."]);
    // A file stands where the folder of the snapshots has to be.
    std::fs::write(repo.path().join(".git/gpuguard"), "in the way").unwrap();
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("snapshot could not be made"), "{run}");
    assert!(
        run.stderr
            .contains("nothing was committed, nothing was changed"),
        "{run}"
    );
    assert_ne!(commit(&repo, &[]).code, 0);

    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("on-error = \"block\"", "on-error = \"pass\""),
    );
    repo.git(&["add", "gpuguard.toml"]);
    let run = commit(&repo, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.contains("the snapshot could not be made: "),
        "{run}"
    );
    // What could not be saved is judged all the same.
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    assert_refused(&repo, &[], &["GG006"]);
}

#[test]
fn what_cannot_be_read_blocks_or_passes_as_the_policy_says() {
    let repo = guarded();
    repo.write("a.py", good());
    repo.git(&["add", "."]);
    let id = repo.git(&["rev-parse", ":a.py"]);
    let (folder, file) = id.trim().split_at(2);
    std::fs::remove_file(repo.path().join(".git/objects").join(folder).join(file)).unwrap();
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.starts_with("gpuguard: commit refused: "),
        "{run}"
    );
    assert!(run.stderr.contains("`a.py` is not in this clone"), "{run}");
    assert!(run.stderr.contains("GPUGUARD=0 git commit"), "{run}");
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("on-error = \"block\"", "on-error = \"pass\""),
    );
    repo.git(&["add", "gpuguard.toml"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.contains("this commit was not judged and passes"),
        "{run}"
    );
}

#[test]
fn a_partial_clone_that_lacks_the_old_version_judges_the_new_one() {
    let origin = TestRepo::with_policy();
    origin.write("a.py", bad());
    origin.write("b.txt", "old\n");
    origin.commit_all("old");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = origin.beside("clone");
    let url = format!("file://{}", origin.path().display());
    let folder = clone.to_str().unwrap();
    origin.git(&[
        "clone",
        "--quiet",
        "--no-checkout",
        "--filter=blob:none",
        &url,
        folder,
    ]);
    let run = |arguments: &[&str]| -> Run {
        let mut command = origin.command("git");
        command
            .current_dir(&clone)
            .args(arguments)
            .output()
            .unwrap()
            .into()
    };
    assert_eq!(run(&["read-tree", "HEAD"]).code, 0);
    std::fs::write(clone.join("gpuguard.toml"), origin.read("gpuguard.toml")).unwrap();
    std::fs::write(clone.join("a.py"), format!("{}print(1)\n", bad())).unwrap();
    std::fs::write(clone.join("b.txt"), "new\n").unwrap();
    assert_eq!(run(&["add", "gpuguard.toml", "b.txt"]).code, 0);
    let hook = || crate::support::gpuguard(&clone, &["hook", "run", "pre-commit"]);
    let told = hook();
    assert_eq!(told.code, 0, "{told}");
    assert!(
        told.stderr.contains("b.txt (before) is not in this clone"),
        "{told}"
    );
    assert_eq!(run(&["add", "a.py"]).code, 0);
    let told = hook();
    assert_eq!(told.code, 1, "{told}");
    assert!(
        told.stderr.contains("all of the file counts as new"),
        "{told}"
    );
}

#[test]
fn a_replaced_object_is_judged_as_what_is_committed() {
    let repo = guarded();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    repo.write("good.py", good());
    let good = repo.git(&["hash-object", "-w", "good.py"]);
    let staged = repo.git(&["rev-parse", ":a.py"]);
    repo.git(&["replace", staged.trim(), good.trim()]);
    assert_refused(&repo, &[], &["GG006"]);
}

#[test]
fn a_long_list_of_findings_is_cut_and_counted() {
    let repo = guarded();
    let uses: String = "d = torch.device(\"cuda:1\")\n".repeat(30);
    repo.write("a.py", format!("{HEADER}{uses}"));
    repo.git(&["add", "."]);
    let run = assert_refused(&repo, &[], &["30 new problems in 1 file", "and 10 more"]);
    assert_eq!(run.stderr.matches("error[GG006]").count(), 20, "{run}");
    let all = repo.gpuguard(&["scan", "--staged"]);
    assert_eq!(all.stdout.matches("error[GG006]").count(), 30, "{all}");
}

#[test]
fn a_new_warning_is_counted_in_the_verdict() {
    let repo = guarded();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("[rules]", "[rules]\nGG006 = \"warning\""),
    );
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    let run = assert_passes(&repo, &[]);
    assert!(
        run.stderr
            .starts_with("gpuguard: passed: 1 file scanned, 1 new warning"),
        "{run}"
    );
}

#[test]
fn odd_files_are_skipped_by_name_and_lose_nothing() {
    let repo = guarded();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("max-file-mib = 16", "max-file-mib = 1"),
    );
    repo.write("binary.py", b"torch.device('cuda:1')\0\0");
    repo.write("huge.py", "# x\n".repeat(300_000));
    repo.write("latin.py", b"# caf\xe9\nprint(1)\n");
    repo.write("broken.py", "def f(:\n  torch.cuda.set_device(\n");
    repo.write(
        "pointer.py",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    );
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere.py", repo.path().join("link.py")).unwrap();
    repo.git(&["add", "."]);
    let before = repo.git(&["ls-files", "--stage"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit", "-v"]);
    assert_eq!(run.code, 0, "{run}");
    for part in [
        "binary.py",
        "huge.py",
        "too large",
        "pointer.py",
        "LFS",
        "broken.py",
    ] {
        assert!(run.stderr.contains(part), "no {part:?} in {run}");
    }
    assert_eq!(repo.git(&["ls-files", "--stage"]), before);
    assert_passes(&repo, &[]);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_unicode_are_judged_and_shown_safely() {
    use std::os::unix::ffi::OsStrExt;
    let repo = guarded();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\x1b[31m\n.py");
    std::fs::write(repo.path().join(name), bad()).unwrap();
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("caf\\xe9\\u{1b}[31m\\n.py:5"), "{run}");
    assert!(!run.stderr.contains('\u{1b}'), "{run}");
}

#[test]
fn a_submodule_is_left_alone() {
    let repo = guarded();
    let other = TestRepo::new();
    other.write("a.py", bad());
    other.commit_all("inner");
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        other.path().to_str().unwrap(),
        "inner",
    ]);
    assert_passes(&repo, &[]);
}

#[test]
fn outside_a_repository_or_in_a_bare_one_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = crate::support::gpuguard(folder.path(), &["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("not in a Git repository"), "{run}");
    let repo = TestRepo::new();
    let bare = repo.beside("bare.git");
    repo.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let run = crate::support::gpuguard(&bare, &["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("bare repository"), "{run}");
}

#[test]
fn run_by_hand_it_judges_what_is_staged_and_writes_neither_index_nor_files() {
    let repo = guarded();
    repo.write("a.py", bad());
    repo.git(&["add", "."]);
    repo.write("a.py", "print('not staged')\n");
    let index = std::fs::read(repo.path().join(".git/index")).unwrap();
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(
        std::fs::read(repo.path().join(".git/index")).unwrap(),
        index
    );
    let unknown = repo.gpuguard(&["hook", "run", "post-teapot"]);
    assert_eq!(unknown.code, 2, "{unknown}");
    assert!(unknown.stderr.contains("pre-commit"), "{unknown}");
}

#[test]
fn the_snapshot_holds_what_was_there_what_is_committed_and_what_is_not_staged() {
    let repo = guarded();
    repo.write("a.py", "print('before')\n");
    repo.write("same/a.py", "print('other before')\n");
    repo.commit_all("before");
    repo.write("a.py", "print('staged')\n");
    repo.git(&["rm", "--quiet", "same/a.py"]);
    repo.git(&["add", "a.py"]);
    repo.write("a.py", "print('unstaged')\n");
    assert_passes(&repo, &[]);
    let listed = repo.gpuguard(&["backup", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let backup = &listed["backups"][0];
    assert_eq!(backup["trigger"], "pre-commit");
    assert_eq!(backup["branch"], "main");
    let archive = std::fs::File::open(backup["path"].as_str().unwrap()).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let mut content = |name: &str| {
        std::io::read_to_string(
            archive
                .by_name(name)
                .unwrap_or_else(|_| panic!("no {name}")),
        )
        .unwrap()
    };
    assert_eq!(content("before/a.py"), "print('before')\n");
    assert_eq!(content("staged/a.py"), "print('staged')\n");
    assert_eq!(content("worktree/a.py"), "print('unstaged')\n");
    assert_eq!(content("before/same/a.py"), "print('other before')\n");
}
