//! `gpuguard backup`: what is saved, listed, proved and restored.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::Write as _;
#[cfg(unix)]
use std::process::Command;
use std::process::Stdio;

#[cfg(unix)]
use super::rollback::tree;
use crate::support::{Run, TestRepo, program};

pub(super) fn backup(repo: &TestRepo, arguments: &[&str]) -> Run {
    let mut all = vec!["backup"];
    all.extend(arguments);
    repo.gpuguard(&all)
}

/// Makes a backup of everything asked for; gives its id.
pub(super) fn created(repo: &TestRepo, arguments: &[&str]) -> String {
    let mut all = vec!["create"];
    all.extend(arguments);
    let run = backup(repo, &all);
    assert_eq!(run.code, 0, "{run}");
    run.stdout.trim_end().to_owned()
}

pub(super) fn json(repo: &TestRepo, arguments: &[&str]) -> serde_json::Value {
    let run = backup(repo, arguments);
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

pub(super) fn archive(repo: &TestRepo, id: &str) -> std::path::PathBuf {
    repo.path().join(format!(".git/gpuguard/backups/{id}.zip"))
}

/// The archive's members and their content, as any unzip program sees them.
pub(super) fn members(repo: &TestRepo, id: &str) -> Vec<(String, Vec<u8>)> {
    use std::io::Read as _;
    let file = std::fs::File::open(archive(repo, id)).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut member = zip.by_index(at).unwrap();
            let mut content = Vec::new();
            member.read_to_end(&mut content).unwrap();
            (member.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn files_of_one_name_in_different_folders_stay_apart() {
    let repo = TestRepo::new();
    repo.write("a/train.py", "first\n");
    repo.write("b/train.py", "second\n");
    let id = created(&repo, &["a", "b/train.py"]);
    let found = members(&repo, &id);
    let content = |name: &str| &found.iter().find(|(member, _)| member == name).unwrap().1;
    assert_eq!(content("worktree/a/train.py"), b"first\n");
    assert_eq!(content("worktree/b/train.py"), b"second\n");
    assert_eq!(found.last().unwrap().0, "manifest.json");
}

#[test]
fn forty_asked_for_two_missing_thirty_eight_saved() {
    let repo = TestRepo::new();
    let mut list = String::new();
    for number in 0..40 {
        if number % 20 != 3 {
            repo.write(&format!("src/{number}.py"), format!("{number}\n"));
        }
        let end = if number % 2 == 0 { "\r\n" } else { "\n" };
        list.extend(["src/", &number.to_string(), ".py", end]);
        if number == 7 {
            list.push('\n');
        }
    }
    repo.write("list.txt", &list);
    let run = backup(&repo, &["create", "--paths-from", "list.txt"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("38 saved, 2 not found, 40 in all"),
        "{run}"
    );
    assert!(
        run.stderr.contains("`src/3.py`") && run.stderr.contains("`src/23.py`"),
        "{run}"
    );
    let shown = json(&repo, &["show", run.stdout.trim(), "--format", "json"]);
    assert_eq!(shown["entries"].as_array().unwrap().len(), 38);
    assert_eq!(shown["missing"][0]["path"], "src/23.py");

    let mut child = repo
        .command(program())
        .args(["backup", "create", "--paths-from", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(list.as_bytes()).unwrap();
    drop(input);
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(
        run.stderr.contains("38 saved, 2 not found, 40 in all"),
        "{run}"
    );
}

#[test]
fn folders_leave_out_what_git_ignores_and_named_files_are_always_saved() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.bin\n");
    repo.write("pkg/.hidden", "x");
    repo.write("pkg/model.bin", "x");
    repo.write("pkg/deep/code.py", "x");
    let names = |id: &str| -> Vec<String> {
        let mut names: Vec<_> = members(&repo, id)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.pop();
        names
    };
    let id = created(&repo, &["pkg"]);
    assert_eq!(
        names(&id),
        ["worktree/pkg/.hidden", "worktree/pkg/deep/code.py"]
    );
    let id = created(&repo, &["pkg/model.bin"]);
    assert_eq!(names(&id), ["worktree/pkg/model.bin"]);
    let id = created(&repo, &[]);
    assert_eq!(names(&id).len(), 3, "without paths, the whole tree");
}

#[test]
fn nothing_to_save_makes_no_backup() {
    let repo = TestRepo::new();
    let run = backup(&repo, &["create", "nowhere"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("no backup was made"), "{run}");
    let run = backup(&repo, &["create", "../outside"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("not in this working tree"), "{run}");
    let run = backup(&repo, &["create", ".git/config"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("no backup was made"), "{run}");
    assert_eq!(
        json(&repo, &["list", "--format", "json"])["backups"],
        serde_json::json!([])
    );
}

#[test]
fn the_list_is_the_contract_newest_first() {
    let repo = TestRepo::new();
    repo.write("a.py", "12345");
    repo.commit_all("one");
    let first = created(&repo, &["a.py"]);
    repo.write("b.py", "more");
    let second = created(&repo, &["."]);
    let list = json(&repo, &["list", "--format", "json"]);
    assert_eq!(list["version"], 1);
    let backups = list["backups"].as_array().unwrap();
    assert_eq!(backups[0]["id"], second.as_str());
    assert_eq!(backups[1]["id"], first.as_str());
    let entry = backups[1].as_object().unwrap();
    let mut keys: Vec<&str> = entry.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "archive_bytes",
            "branch",
            "bytes",
            "card_refused",
            "commit",
            "created",
            "errors",
            "files",
            "id",
            "path",
            "same_as",
            "sha256",
            "trigger",
            "verdict",
            "warnings"
        ]
    );
    assert_eq!(entry["bytes"], 5);
    assert_eq!(entry["files"], 1);
    assert_eq!(entry["trigger"], "manual");
    assert_eq!(entry["branch"], "main");
    assert_eq!(entry["commit"], repo.git(&["rev-parse", "HEAD"]).trim());
    let path = entry["path"].as_str().unwrap();
    assert_eq!(
        std::fs::metadata(path).unwrap().len(),
        entry["archive_bytes"].as_u64().unwrap()
    );
    let human = backup(&repo, &["list"]);
    assert_eq!(human.stdout.lines().count(), 2, "{human}");
    assert!(human.stdout.starts_with(&second), "{human}");
}

#[cfg(unix)]
#[test]
fn sha256sum_accepts_the_sum_and_only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let repo = TestRepo::new();
    repo.write("a.py", "x");
    let id = created(&repo, &["a.py"]);
    let folder = archive(&repo, &id).parent().unwrap().to_owned();
    let line = std::fs::read_to_string(folder.join(format!("{id}.zip.sha256"))).unwrap();
    assert_eq!(line.len(), 64 + 2 + id.len() + 4 + 1);
    assert!(line.ends_with(&format!("  {id}.zip\n")));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&archive(&repo, &id)), 0o600);
    let checked = Command::new("sha256sum")
        .arg("--check")
        .arg(format!("{id}.zip.sha256"))
        .current_dir(&folder)
        .output();
    // Where the program is missing, the unit tests' own sum has to do.
    if let Ok(checked) = checked {
        assert!(checked.status.success(), "{checked:?}");
    }
}

#[test]
fn a_damaged_backup_is_named_and_never_restored() {
    let repo = TestRepo::new();
    repo.write("a.py", "good\n");
    let damaged = created(&repo, &["a.py"]);
    repo.write("b.py", "other\n");
    let whole = created(&repo, &["b.py"]);
    let bytes = std::fs::read(archive(&repo, &damaged)).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    repo.write("a.py", "mine\n");
    for content in [flipped.as_slice(), &bytes[..bytes.len() / 2], b""] {
        std::fs::write(archive(&repo, &damaged), content).unwrap();
        let run = backup(&repo, &["verify", "--all"]);
        assert_eq!(run.code, 1, "{run}");
        assert!(
            run.stderr.contains(&damaged) && !run.stderr.contains(&whole),
            "{run}"
        );
        assert!(run.stderr.contains("1 whole, 1 damaged, 2 in all"), "{run}");
        let run = backup(&repo, &["restore", &damaged]);
        assert_eq!(run.code, 2, "{run}");
        let run = backup(&repo, &["restore", &damaged, "--to", "elsewhere"]);
        assert_eq!(run.code, 2, "{run}");
        assert_eq!(repo.read("a.py"), b"mine\n");
        assert!(!repo.exists("elsewhere/a.py"));
    }
    let run = backup(&repo, &["verify", &whole]);
    assert_eq!(run.code, 0, "{run}");
    let run = backup(&repo, &["list"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.contains(&whole) && run.stderr.contains(&damaged),
        "{run}"
    );
}

#[cfg(unix)]
#[test]
fn a_restore_brings_back_every_kind_of_file_and_can_be_undone() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repo = TestRepo::new();
    repo.write("a.py", "old\r\n");
    repo.write("run.sh", "#!/bin/sh\n");
    let script = repo.path().join("run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    repo.write("empty", "");
    symlink("nowhere/../a.py", repo.path().join("link")).unwrap();
    for name in [&b"new\nline"[..], b"caf\xe9", b"100%"] {
        let path = repo.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, name).unwrap();
    }
    let saved = tree(&repo.path());
    let id = created(&repo, &["."]);
    repo.git(&["add", "a.py"]);
    let index = repo.read(".git/index");
    repo.write("a.py", "new\n");
    std::fs::remove_file(&script).unwrap();
    std::fs::remove_file(repo.path().join("link")).unwrap();
    repo.write("link", "a file now");
    repo.write("untouched", "mine");
    let mut edited = tree(&repo.path());
    let run = backup(&repo, &["restore", "latest"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("3 restored"), "{run}");
    let mut restored = tree(&repo.path());
    restored.remove("untouched");
    assert_eq!(restored, saved);
    assert_eq!(repo.read(".git/index"), index, "the index is left alone");
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(tree(&repo.path()), edited);
    edited.clear();

    let run = backup(&repo, &["restore", &id[..20], "--to", "out"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(tree(&repo.path().join("out")), saved);
    let run = backup(&repo, &["restore", &id, "--to", "out", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("exists already"), "{run}");
    let run = backup(&repo, &["restore", &id, "a.py", "nowhere.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("`nowhere.py`"), "{run}");
    let run = backup(&repo, &["restore", &id, "--version", "staged"]);
    assert_eq!(run.code, 2, "{run}");
}

#[cfg(unix)]
#[test]
fn a_restore_never_writes_through_a_linked_folder() {
    let repo = TestRepo::new();
    repo.write("d/x.py", "saved\n");
    created(&repo, &["d"]);
    let outside = repo.beside("outside");
    std::fs::rename(repo.path().join("d"), &outside).unwrap();
    std::fs::write(outside.join("x.py"), "canary\n").unwrap();
    std::os::unix::fs::symlink(&outside, repo.path().join("d")).unwrap();
    let run = backup(&repo, &["create", "d/x.py"]);
    assert_eq!(
        run.code, 1,
        "a file behind a link is no file of the repository: {run}"
    );
    let run = backup(&repo, &["restore", "latest"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(std::fs::read(outside.join("x.py")).unwrap(), b"canary\n");
    assert_eq!(repo.read("d/x.py"), b"saved\n");
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.path().join("d").is_symlink(), "the link was saved too");
}

#[test]
fn unknown_backups_and_a_store_that_cannot_be_written_are_told() {
    let repo = TestRepo::new();
    repo.write("a.py", "x");
    let run = backup(&repo, &["show", "20000101"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("gpuguard backup list"), "{run}");
    let run = backup(&repo, &["restore", "latest"]);
    assert_eq!(run.code, 2, "{run}");
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("nothing was verified"), "{run}");
    // A file where the folder should be cannot be written into, not even by root.
    repo.write(".git/gpuguard", "in the way");
    let run = backup(&repo, &["create", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("cannot be used"), "{run}");
    assert_eq!(repo.read("a.py"), b"x");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.py", "y");
    let run = repo.gpuguard(&["rollback", "v1", "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(repo.read("a.py"), b"y");
    assert!(!repo.exists(".git/index.lock"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_backup() {
    let repo = TestRepo::new();
    repo.write("a.py", "x".repeat(100_000));
    let whole = created(&repo, &["a.py"]);
    let mut random = fastrand::Rng::with_seed(3);
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(200_000)
        .collect();
    repo.write("noise.bin", noise);
    // A file may not grow beyond 64 KiB: what a full disk does, without one.
    let run: Run = crate::support::command("/bin/sh".as_ref(), &repo.path(), repo.home())
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 128; exec \"$0\" backup create noise.bin",
        ])
        .arg(program())
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("none was made"), "{run}");
    let folder = archive(&repo, &whole).parent().unwrap().to_owned();
    let left = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(left, 2, "the other backup and its sum, nothing else");
}
