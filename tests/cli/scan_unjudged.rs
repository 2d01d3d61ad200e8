//! `gpuguard scan --format …` where the code could not be judged: a document that says so, and a
//! clone in CI that lacks the other branch.

use quick_xml::events::Event;
use serde_json::Value;

use crate::support::{Run, TestRepo, command, git, gpuguard, program};

fn unjudged(repo: &TestRepo, format: &str) -> String {
    let run = repo.gpuguard(&["scan", "--range", "origin/main...HEAD", "--format", format]);
    assert_eq!(run.code, 2, "{format}: {run}");
    assert!(run.stderr.contains("no commit `origin/main`"), "{run}");
    run.stdout
}

#[test]
fn programs_are_given_a_document_that_says_so() {
    let repo = TestRepo::with_policy();
    let said = "gpuguard could not judge this code: there is no commit `origin/main`";
    let json: Value = serde_json::from_str(&unjudged(&repo, "json")).unwrap();
    assert!(json["error"].as_str().unwrap().starts_with(said), "{json}");
    assert_eq!(json["summary"]["files"], 0);
    let schema = gpuguard(&repo.path(), &["schema", "--of", "scan"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let valid = jsonschema::validator_for(&schema).unwrap();
    assert!(valid.is_valid(&json), "{json}");

    let sarif: Value = serde_json::from_str(&unjudged(&repo, "sarif")).unwrap();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false, "{sarif}");
    let told = &invocation["toolExecutionNotifications"][0];
    assert_eq!(told["level"], "error");
    assert!(told["message"]["text"].as_str().unwrap().starts_with(said));

    let gitlab: Value = serde_json::from_str(&unjudged(&repo, "gitlab")).unwrap();
    assert_eq!(gitlab[0]["severity"], "blocker", "{gitlab}");
    let described = gitlab[0]["description"].as_str().unwrap();
    assert!(described.starts_with(said), "{gitlab}");

    let github = unjudged(&repo, "github");
    let start = format!("::error title=gpuguard::{said}");
    assert!(github.starts_with(&start), "{github}");
    assert_eq!(github.lines().count(), 1);

    let junit = unjudged(&repo, "junit");
    let mut reader = quick_xml::Reader::from_str(&junit);
    let mut errors = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "error" => errors += 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(errors, 1, "{junit}");
    assert!(
        junit.contains("tests=\"1\" failures=\"0\" errors=\"1\""),
        "{junit}"
    );

    for format in ["human", "concise"] {
        assert_eq!(unjudged(&repo, format), "");
    }
}

#[test]
fn a_loosened_policy_stands_in_what_code_hosts_show() {
    let repo = TestRepo::with_policy();
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write("gpuguard.toml", format!("{policy}\nGG006 = \"off\"\n"));
    repo.commit_all("loosened");
    let scan = |format: &str| {
        let run = repo.gpuguard(&["scan", "--range", "HEAD~1..HEAD", "--format", format]);
        assert_eq!(run.code, 0, "{run}");
        run.stdout
    };
    let sarif: Value = serde_json::from_str(&scan("sarif")).unwrap();
    let told = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(told["level"], "warning", "{sarif}");
    let text = told["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("policy weakened: ") && text.contains("GG006"));
    let github = scan("github");
    assert!(
        github.starts_with("::warning title=gpuguard::policy weakened: "),
        "{github}"
    );
}

#[test]
fn the_hints_of_a_shallow_clone_of_one_branch_lead_to_a_verdict() {
    let repo = TestRepo::with_policy();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write("a.py", "print(1)\n");
    repo.commit_all("topic");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("b.py", "print(2)\n");
    repo.commit_all("main");
    let url = format!("file://{}", repo.path().display());
    let clone = repo.beside("clone");
    let clone_name = clone.to_str().unwrap();
    repo.git(&[
        "clone", "-q", "--depth", "1", "-b", "topic", &url, clone_name,
    ]);
    let here = |name: &std::path::Path, arguments: &[&str]| -> Run {
        let mut command = command(name, &clone, repo.home());
        command.args(arguments).output().unwrap().into()
    };
    let scan = || here(program(), &["scan", "--range", "origin/main...HEAD"]);
    let run = scan();
    assert_eq!(run.code, 2, "{run}");
    let hint = "git fetch --unshallow origin main:refs/remotes/origin/main";
    assert!(run.stderr.contains(hint), "{run}");
    let words: Vec<&str> = hint.split(' ').skip(1).collect();
    let fetched = here(&git(), &words);
    assert_eq!(fetched.code, 0, "{fetched}");
    let run = scan();
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("1 file scanned"), "{run}");
}

#[test]
fn a_refused_weakening_fails_in_every_format() {
    let repo = TestRepo::new();
    let rig = include_str!("../../src/policy/preset_rtx3090.toml");
    let strict = rig.replace("[hook]", "[hook]\nweakening = \"refuse\"");
    repo.write("gpuguard.toml", &strict);
    repo.commit_all("strict");
    repo.write(
        "gpuguard.toml",
        strict.replace("[rules]", "[rules]\nGG001 = \"off\""),
    );
    repo.git(&["add", "."]);
    let scan = |options: &[&str]| {
        let run = repo.gpuguard(&[&["scan", "--staged"], options].concat());
        assert_eq!(run.code, 1, "{run}");
        run
    };
    for format in ["concise", "github", "gitlab", "junit", "sarif"] {
        let run = scan(&["--format", format]);
        assert!(
            run.stderr.contains("weakened, which is refused: "),
            "{format}: {run}"
        );
        let expected = match format {
            "github" => "::error title=gpuguard::policy weakened, which is refused: ",
            "gitlab" => "policy weakened, which is refused: ",
            "junit" => "<failure type=\"policy weakened\"",
            "sarif" => "\"level\": \"error\"",
            _ => "",
        };
        assert!(run.stdout.contains(expected), "{format}: {run}");
    }
    let run = scan(&[]);
    assert!(
        run.stdout
            .contains("  refused: `weakening = \"refuse\"` under"),
        "{run}"
    );
    let run = scan(&["--quiet"]);
    assert!(run.stderr.contains("weakened, which is refused: "), "{run}");
}

#[test]
fn what_was_not_read_or_not_to_its_end_is_named_beside_every_format() {
    let repo = TestRepo::with_policy();
    repo.write(
        "big.py",
        "import torch\n#".to_owned() + &"x".repeat(17 << 20),
    );
    repo.write("broken.py", "import torch\nm = torch.device(\"cuda:0\"\n");
    for format in ["concise", "github", "gitlab", "junit"] {
        let run = repo.gpuguard(&["scan", "big.py", "broken.py", "--format", format]);
        assert!(run.stderr.contains("skipped big.py: "), "{format}: {run}");
        // Its last line, not one behind it.
        let expected = "broken.py: syntax error on line 2; the rest was scanned";
        assert!(run.stderr.contains(expected), "{format}: {run}");
    }
}
