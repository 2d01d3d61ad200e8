//! What the hook decided, as `gpuguard backup list` tells it.

use super::backup::{archive, backup, created, json};
use crate::support::TestRepo;

const HEADER: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                      os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n";

/// Stages a file and lets the hook judge it.
fn judged(repo: &TestRepo, line: &str) -> i32 {
    repo.write("a.py", format!("{HEADER}{line}\n"));
    repo.git(&["add", "a.py"]);
    repo.gpuguard(&["hook", "run", "pre-commit"]).code
}

fn newest(repo: &TestRepo) -> serde_json::Value {
    json(repo, &["list", "--format", "json"])["backups"][0].clone()
}

#[test]
fn each_entry_tells_what_was_decided() {
    let repo = TestRepo::with_policy();
    assert_eq!(
        judged(
            &repo,
            "d = torch.device(\"cuda:1\")\ne = torch.device(\"cuda:2\")"
        ),
        1
    );
    let blocked = newest(&repo);
    assert_eq!(blocked["verdict"], "blocked");
    assert_eq!(blocked["errors"], 2);
    assert_eq!(blocked["card_refused"], false);
    assert_eq!(judged(&repo, "d = torch.device(\"cuda:0\")"), 0);
    let passed = newest(&repo);
    assert_eq!(passed["verdict"], "passed");
    assert_eq!(passed["errors"], 0);
    created(&repo, &["a.py"]);
    let manual = newest(&repo);
    for key in ["verdict", "errors", "warnings", "card_refused"] {
        assert_eq!(manual[key], serde_json::Value::Null, "{key}");
    }
    let human = backup(&repo, &["list"]).stdout;
    let lines: Vec<&str> = human.lines().collect();
    assert!(lines[0].ends_with("  main"), "{human}");
    assert!(lines[1].ends_with("  main  passed"), "{human}");
    assert!(
        lines[2].ends_with("  main  blocked with 2 errors"),
        "{human}"
    );
    let commit = repo.git(&["rev-parse", "HEAD"]);
    assert!(lines[2].contains(&commit[..8]), "{human}");
}

#[test]
fn the_same_content_judged_twice_has_two_verdicts_and_one_archive() {
    let repo = TestRepo::with_policy();
    // A policy that is no part of what is saved.
    repo.git(&["rm", "--cached", "--quiet", "gpuguard.toml"]);
    repo.git(&[
        "commit",
        "--quiet",
        "--no-verify",
        "-m",
        "its policy lies beside it",
    ]);
    assert_eq!(judged(&repo, "d = torch.device(\"cuda:1\")"), 1);
    let first = newest(&repo);
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    let lenient = policy.replace("[rules]", "[rules]\nGG006 = \"warning\"");
    repo.write("gpuguard.toml", lenient);
    assert_eq!(judged(&repo, "d = torch.device(\"cuda:1\")"), 0);
    let second = newest(&repo);
    assert_eq!(second["same_as"], first["id"]);
    assert_eq!(
        (&first["verdict"], &second["verdict"]),
        (&"blocked".into(), &"passed".into())
    );
    assert_eq!(second["warnings"], 1);
    let human = backup(&repo, &["list"]).stdout;
    assert!(
        human.contains("  passed with 1 warning  (same content as"),
        "{human}"
    );
}

#[test]
fn a_verdict_changes_nothing_of_the_archive_and_a_missing_or_broken_one_is_not_known() {
    let repo = TestRepo::with_policy();
    assert_eq!(judged(&repo, "d = torch.device(\"cuda:0\")"), 0);
    let id = newest(&repo)["id"].as_str().unwrap().to_owned();
    let file = archive(&repo, &id).with_extension("verdict.json");
    assert_eq!(backup(&repo, &["verify", &id]).code, 0);
    std::fs::write(&file, "{\"version\":").unwrap();
    assert_eq!(newest(&repo)["verdict"], serde_json::Value::Null);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(newest(&repo)["verdict"], serde_json::Value::Null);
    assert_eq!(backup(&repo, &["verify", "--all"]).code, 0);
}

#[test]
fn a_verdict_goes_with_its_backup() {
    let repo = TestRepo::with_policy();
    for number in 0..3 {
        assert_eq!(judged(&repo, &format!("x = {number}")), 0);
        repo.git(&["commit", "--quiet", "--no-verify", "-m", "next"]);
    }
    let run = backup(&repo, &["prune", "--keep-last", "1"]);
    assert!(run.stderr.contains("1 kept, 2 removed"), "{run}");
    let folder = repo.path().join(".git/gpuguard/backups");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 3);
}

#[test]
fn a_commit_without_code_is_no_pass() {
    let repo = TestRepo::with_policy();
    repo.write("notes.txt", "nothing to scan\n");
    repo.git(&["add", "notes.txt"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert!(run.stderr.contains("nothing to judge"), "{run}");
    let human = backup(&repo, &["list"]).stdout;
    assert!(
        human
            .lines()
            .next()
            .unwrap()
            .ends_with("  nothing to judge"),
        "{human}"
    );
    assert_eq!(newest(&repo)["verdict"], "passed");
}
