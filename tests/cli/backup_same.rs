//! Backups of what did not change: an entry that refers to the archive that is there already.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::PathBuf;

use super::backup::{archive, backup, created, json};
use crate::support::TestRepo;

fn reference(repo: &TestRepo, id: &str) -> PathBuf {
    archive(repo, id).with_extension("ref.json")
}

fn archives(repo: &TestRepo) -> usize {
    let folder = std::fs::read_dir(repo.path().join(".git/gpuguard/backups")).unwrap();
    folder
        .filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            path.extension().is_some_and(|ending| ending == "zip")
        })
        .count()
}

#[test]
fn unchanged_content_makes_no_second_archive_and_every_command_knows_the_entry() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.write("d/b.py", "2\n");
    repo.commit_all("one");
    let first = created(&repo, &["."]);
    repo.git(&["commit", "--quiet", "--allow-empty", "-m", "two"]);
    let second = created(&repo, &["."]);
    let third = created(&repo, &["."]);
    assert_eq!(archives(&repo), 1);
    assert!(!archive(&repo, &second).exists() && reference(&repo, &second).exists());

    let list = json(&repo, &["list", "--format", "json"]);
    let backups = list["backups"].as_array().unwrap();
    let ids: Vec<&str> = backups
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [third.as_str(), &second, &first]);
    assert_eq!(
        backups[0]["same_as"],
        first.as_str(),
        "never a reference to a reference"
    );
    assert_eq!(backups[2]["same_as"], serde_json::Value::Null);
    assert_eq!(
        backups[1]["commit"],
        repo.git(&["rev-parse", "HEAD"]).trim()
    );
    assert_eq!(
        backups[2]["commit"],
        repo.git(&["rev-parse", "HEAD^"]).trim()
    );
    for key in ["files", "bytes", "sha256", "path", "archive_bytes"] {
        assert_eq!(backups[1][key], backups[2][key], "{key}");
    }
    let human = backup(&repo, &["list"]).stdout;
    let line = human.lines().next().unwrap();
    assert!(
        line.ends_with(&format!("(same content as {first})")),
        "{line}"
    );
    let shown = json(&repo, &["show", &second, "--format", "json"]);
    assert_eq!(shown["id"], second.as_str());
    assert_eq!(shown["entries"].as_array().unwrap().len(), 2);

    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("3 whole, 0 damaged, 3 in all"), "{run}");
    repo.write("a.py", "edited\n");
    let run = backup(&repo, &["diff", &second, "--name-only"]);
    assert_eq!((run.code, &*run.stdout), (1, "a.py\n"), "{run}");
    let run = backup(&repo, &["restore", &second]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.contains(&format!("1 restored from `{second}`")),
        "{run}"
    );
    assert_eq!(repo.read("a.py"), b"1\n");
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(repo.read("a.py"), b"edited\n");
}

#[cfg(unix)]
#[test]
fn whatever_differs_makes_an_archive_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    let script = repo.path().join("a.py");
    created(&repo, &["a.py"]);
    let mode = |mode| {
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o600);
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo), 2, "other permissions");
    mode(0o700);
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo), 3, "executable");
    repo.write("a.py", "2\n");
    created(&repo, &["a.py"]);
    assert_eq!(archives(&repo), 4, "other bytes of the same length");
    repo.write("b.py", "2\n");
    created(&repo, &["."]);
    assert_eq!(archives(&repo), 5, "one more file");
    created(&repo, &["b.py"]);
    assert_eq!(archives(&repo), 6, "one less");
    created(&repo, &["b.py"]);
    assert_eq!(archives(&repo), 6);
}

#[test]
fn a_damaged_archive_is_not_referred_to() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    let first = created(&repo, &["a.py"]);
    let mut bytes = std::fs::read(archive(&repo, &first)).unwrap();
    bytes[50] ^= 1;
    std::fs::write(archive(&repo, &first), bytes).unwrap();
    let second = created(&repo, &["a.py"]);
    assert!(archive(&repo, &second).exists());
    assert_eq!(backup(&repo, &["verify", &second]).code, 0);
}

#[test]
fn what_refers_is_damaged_where_its_archive_is_gone_or_another_one() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    let first = created(&repo, &["a.py"]);
    let second = created(&repo, &["a.py"]);
    repo.write("a.py", "2\n");
    let third = created(&repo, &["a.py"]);
    let folder = archive(&repo, &first).parent().unwrap().to_owned();
    let other = std::fs::read(archive(&repo, &third)).unwrap();
    let sum = std::fs::read_to_string(folder.join(format!("{third}.zip.sha256"))).unwrap();
    let mine = folder.join(format!("{first}.zip.sha256"));
    std::fs::write(archive(&repo, &first), other).unwrap();
    std::fs::write(&mine, sum.replace(&third, &first)).unwrap();
    let run = backup(&repo, &["verify", &second]);
    assert_eq!(run.code, 1, "{run}");
    std::fs::remove_file(archive(&repo, &first)).unwrap();
    std::fs::remove_file(&mine).unwrap();
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains(&second), "{run}");
    assert!(run.stderr.contains("1 whole, 1 damaged, 2 in all"), "{run}");
    let run = backup(&repo, &["restore", &second, "--to", "out"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(!repo.exists("out/a.py"));
}

#[test]
fn a_prune_breaks_no_reference() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("one");
    let first = created(&repo, &["a.py"]);
    let second = created(&repo, &["a.py"]);
    let run = backup(&repo, &["prune", "--keep-last", "1"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .contains(&format!("{second} has the same content and refers to it")),
        "{run}"
    );
    assert_eq!(backup(&repo, &["verify", &second]).code, 0);
    repo.write("a.py", "2\n");
    created(&repo, &["a.py"]);
    let run = backup(&repo, &["prune", "--keep-last", "1"]);
    assert!(run.stderr.contains("1 kept, 2 removed"), "{run}");
    assert!(!archive(&repo, &first).exists() && !reference(&repo, &second).exists());
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn what_a_run_depends_on_has_an_archive_of_its_own() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    let first = created(&repo, &["a.py"]);
    repo.write("a.py", "2\n");
    created(&repo, &["a.py"]);
    assert_eq!(backup(&repo, &["restore", &first]).code, 0);
    assert_eq!(archives(&repo), 3);
    let run = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(run.code, 0, "{run}");
}
