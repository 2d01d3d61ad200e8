//! `gpuguard report`: each figure held against what was done.

use serde_json::{Value, json};

use crate::support::{Run, TestRepo, git, gpuguard};

const MASK: &str = "import os\n\
                    os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n\
                    import torch\n";
const TAG: &str = "v-before";

fn bad(lines: usize) -> String {
    format!("{MASK}{}", "x.to('cuda:1')\n".repeat(lines))
}

fn good() -> String {
    format!("{MASK}x.to('cuda:0')\n")
}

fn facts(repo: &TestRepo, arguments: &[&str]) -> Value {
    let run = repo.gpuguard(&[&["report", "--format=json"], arguments].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn report(repo: &TestRepo, arguments: &[&str]) -> Run {
    let run = repo.gpuguard(&[&["report"], arguments].concat());
    assert_eq!(run.code, 0, "{run}");
    run
}

/// A tag with four bad files, and three commits since then.
fn mission() -> TestRepo {
    let repo = TestRepo::with_policy();
    for (path, lines) in [("a.py", 2), ("b.py", 1), ("old.py", 3), ("c.py", 1)] {
        // So much of its own that Git takes no other file for this one.
        let own = format!("# this is {path}\n").repeat(20);
        repo.write(path, bad(lines) + &own);
    }
    repo.write("clean.py", good());
    repo.write("binary.py", "\0");
    repo.commit_all("as it was");
    repo.git(&["tag", "-a", TAG, "-m", "before"]);
    repo.write("a.py", good());
    repo.commit_all("correct a");
    repo.git(&["rm", "--quiet", "old.py"]);
    repo.git(&["mv", "b.py", "sub_b.py"]);
    repo.commit_all("tidy up");
    repo.write("c.py", bad(3));
    repo.write("e.py", bad(1));
    repo.commit_all("more work");
    repo
}

#[test]
fn now_is_held_against_the_tag() {
    let repo = mission();
    let facts = facts(&repo, &["--since", TAG]);
    assert_eq!(facts["version"], 1);
    assert_eq!(facts["since"]["name"], TAG);
    let counts = |of: &str| {
        let of = &facts[of];
        ["analysed", "clean", "with_problems", "findings", "skipped"]
            .map(|key| of[key].as_u64().unwrap())
    };
    assert_eq!(counts("then"), [5, 1, 4, 7, 1]);
    assert_eq!(counts("now"), [5, 2, 3, 5, 1]);
    let files: Vec<Value> = facts["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            json!([
                file["path"],
                file["state"],
                file["then"],
                file["now"],
                file["was"]
            ])
        })
        .collect();
    assert_eq!(
        files,
        [
            json!(["a.py", "corrected", 2, 0, null]),
            json!(["c.py", "worse", 1, 3, null]),
            json!(["e.py", "new", 0, 1, null]),
            json!(["old.py", "gone", 3, 0, null]),
            json!(["sub_b.py", "open", 1, 1, "b.py"]),
        ]
    );
    let rules = &facts["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1, "{rules}");
    assert_eq!(rules[0]["rule"], "GG006");
    assert_eq!(
        (&rules[0]["then"], &rules[0]["now"]),
        (&7.into(), &5.into())
    );
    assert_eq!(rules[0]["files"], 3);
    let new = facts["findings"].as_array().unwrap().iter();
    let new: Vec<Value> = new
        .map(|it| json!([it["path"], it["line"], it["new"]]))
        .collect();
    // The same line once more is new once more; a renamed file's lines are not.
    assert_eq!(
        new[0..3].iter().filter(|it| it[2] == true).count(),
        2,
        "{new:?}"
    );
    assert_eq!(new[3], json!(["e.py", 5, true]));
    assert_eq!(new[4], json!(["sub_b.py", 5, false]));
    assert_eq!(facts["findings"][4]["code"], "x.to('cuda:1')");
    assert_eq!(facts["commits"]["count"], 3);
    assert_eq!(facts["commits"]["list"][0]["subject"], "more work");
    let steps = facts["steps"].as_array().unwrap().iter();
    let steps: Vec<Value> = steps
        .map(|step| json!([step["subject"], step["findings"], step["with_problems"]]))
        .collect();
    assert_eq!(
        steps,
        [
            json!(["as it was", 7, 4]),
            json!(["correct a", 5, 3]),
            json!(["tidy up", 2, 2]),
            json!(["more work", 5, 3]),
        ]
    );
    assert_eq!(facts["repository"]["uncommitted"], 0);
    assert_eq!(
        facts["cards"][1],
        json!({"name": "RTX 3090", "allowed": true})
    );
}

#[test]
fn the_working_tree_is_now_and_what_is_not_committed_is_said() {
    let repo = mission();
    repo.write("c.py", good());
    repo.write("untracked.py", bad(1));
    let facts = facts(&repo, &["--since", TAG]);
    assert_eq!(facts["now"]["findings"], 3);
    assert_eq!(facts["repository"]["uncommitted"], 1);
    assert_eq!(facts["repository"]["untracked"], 1);
    let last = facts["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["commit"], &last["findings"]),
        (&Value::Null, &3.into())
    );
    let doubts = facts["not_verified"].to_string();
    for sentence in [
        "1 file not as in the last commit",
        "1 file analysed that Git does not track",
        "1 file not read: binary",
        "nobody notes those that go past it",
        "There is no backup.",
        "No check of the card is recorded here",
        "No long run of the card is recorded here",
        "Which card programs really used",
    ] {
        assert!(doubts.contains(sentence), "no {sentence:?} in {doubts}");
    }
}

#[test]
fn a_tag_beside_the_way_here_is_compared_and_that_is_said() {
    let repo = mission();
    repo.git(&["checkout", "--quiet", "-b", "side", TAG]);
    repo.write("side.py", bad(2));
    repo.commit_all("elsewhere");
    repo.git(&["tag", "beside"]);
    repo.git(&["checkout", "--quiet", "main"]);
    let facts = facts(&repo, &["--since", "beside"]);
    assert_eq!(facts["then"]["findings"], 9);
    assert_eq!(facts["commits"]["count"], 3);
    let steps = facts["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["findings"], 5, "{steps:?}");
    let doubts = facts["not_verified"].to_string();
    assert!(
        doubts.contains("`beside` does not lead to what is here now"),
        "{doubts}"
    );
}

#[test]
fn without_a_tag_it_tells_of_now_alone() {
    let repo = mission();
    let facts = facts(&repo, &[]);
    for key in ["since", "then", "commits"] {
        assert_eq!(facts[key], Value::Null, "{key}");
    }
    assert_eq!(facts["steps"], json!([]));
    assert_eq!(facts["files"][0]["state"], "problems");
    assert_eq!(facts["findings"][0]["new"], Value::Null);
    assert!(facts["not_verified"].to_string().contains("--since TAG"));
}

#[test]
fn dynamic_places_and_allowed_lines_are_said() {
    let repo = TestRepo::with_policy();
    repo.write(
        "a.py",
        format!("{MASK}def f(args):\n    x.to(torch.device(args.gpu))\n"),
    );
    repo.write(
        "b.py",
        format!("{MASK}x.to('cuda:1')  # gpuguard: allow[GG006] the rig\n"),
    );
    repo.write("c.py", format!("{MASK}def f(:\n"));
    let facts = facts(&repo, &[]);
    assert_eq!(facts["now"]["allowed"], 1);
    assert_eq!(facts["now"]["with_syntax_errors"], 1);
    let line = "x.to('cuda:1')  # gpuguard: allow[GG006] the rig";
    assert_eq!(
        facts["allowed"],
        json!([{"rule": "GG006", "path": "b.py", "line": 5, "reason": "the rig", "until": null, "code": line}])
    );
    let text = report(&repo, &[]).stdout;
    assert!(
        text.contains(&format!("- `b.py:5` GG006: the rig  \n  `{line}`\n")),
        "{text}"
    );
    let doubts = facts["not_verified"].to_string();
    for sentence in [
        "only the running program knows the card",
        "1 finding allowed by comments",
        "1 file with syntax errors",
    ] {
        assert!(doubts.contains(sentence), "no {sentence:?} in {doubts}");
    }
}

#[test]
fn backups_have_their_sums_decisions_and_when_they_were_verified() {
    let repo = TestRepo::with_policy();
    let judged = |line: &str| {
        repo.write("a.py", format!("{MASK}{line}\n"));
        repo.git(&["add", "a.py"]);
        repo.gpuguard(&["hook", "run", "pre-commit"]).code
    };
    assert_eq!(judged("x.to('cuda:1')"), 1);
    assert_eq!(judged("x.to('cuda:0')"), 0);
    let before = facts(&repo, &[])["backups"].clone();
    let figures = |of: &Value| {
        ["passed", "blocked", "never_verified", "whole", "damaged"]
            .map(|key| of[key].as_u64().unwrap())
    };
    assert_eq!(figures(&before), [1, 1, 2, 0, 0]);
    let sum = before["list"][0]["sha256"].as_str().unwrap();
    assert_eq!(sum.len(), 64);
    assert_eq!(before["list"][1]["verdict"], "blocked with 1 error");
    assert_eq!(repo.gpuguard(&["backup", "verify", "--all"]).code, 0);
    let after = facts(&repo, &[])["backups"].clone();
    assert_eq!(figures(&after), [1, 1, 0, 2, 0]);
    assert_eq!(after["list"][0]["whole"], true);
    assert!(
        after["list"][0]["verified"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
    // What is damaged since then is known only once it is looked at again.
    let id = after["list"][0]["id"].as_str().unwrap();
    let archive = format!(".git/gpuguard/backups/{id}.zip");
    let sidecar = format!("{archive}.sha256");
    let line = String::from_utf8(repo.read(&sidecar)).unwrap();
    repo.write(&sidecar, line.replacen(&line[..8], "01234567", 1));
    assert_eq!(repo.gpuguard(&["backup", "verify", "--all"]).code, 1);
    let damaged = facts(&repo, &[]);
    assert_eq!(figures(&damaged["backups"])[2..], [0, 1, 1]);
    assert_eq!(damaged["backups"]["list"][0]["whole"], false);
    let doubts = damaged["not_verified"].to_string();
    assert!(doubts.contains("1 backup damaged"), "{doubts}");
    repo.write(&archive, "no zip");
    let unreadable = facts(&repo, &[]);
    assert_eq!(unreadable["backups"]["unreadable"], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn checks_and_soaks_of_the_card_are_recorded() {
    use crate::support::fake_driver::{ALLOWED_UUID, FakeDriver};
    use crate::support::program;

    let repo = TestRepo::with_policy();
    let driver = FakeDriver::new();
    let gpu = |arguments: &[&str]| {
        let mut command = repo.command(program());
        command.arg("gpu").args(arguments);
        driver.add_to(&mut command);
        Run::from(command.output().unwrap())
    };
    assert_eq!(gpu(&["check"]).code, 0);
    // Out of the cache: nothing new.
    assert_eq!(gpu(&["check"]).code, 0);
    let run = gpu(&["soak", "--minutes", "0.00001"]);
    assert_eq!(run.code, 0, "{run}");
    let facts = facts(&repo, &[]);
    let checks = facts["card_checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0]["status"], "ok");
    assert_eq!(checks[0]["uuid"], ALLOWED_UUID);
    let soaks = facts["soaks"].as_array().unwrap();
    assert_eq!(soaks.len(), 1, "{soaks:?}");
    assert_eq!(
        (&soaks[0]["status"], &soaks[0]["finished"]),
        (&"ok".into(), &true.into())
    );
    assert_eq!(soaks[0]["hottest_celsius"], 41);
    let doubts = facts["not_verified"].to_string();
    assert!(!doubts.contains("recorded here"), "{doubts}");
    let page = report(&repo, &["--format", "html"]).stdout;
    assert!(
        page.contains(ALLOWED_UUID) && page.contains("41 °C"),
        "{page}"
    );
    let text = report(&repo, &[]).stdout;
    assert!(
        text.contains(ALLOWED_UUID) && text.contains("41 °C"),
        "{text}"
    );
}

#[test]
fn json_is_what_its_schema_says() {
    let run = gpuguard(std::path::Path::new("."), &["schema", "--of", "report"]);
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let repo = mission();
    repo.gpuguard(&["backup", "create", "a.py"]);
    for arguments in [&["--since", TAG][..], &[]] {
        let facts = facts(&repo, arguments);
        let errors = validator.iter_errors(&facts);
        let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let mut wrong = facts(&repo, &[]);
    wrong["files"][0]["state"] = "forgotten".into();
    assert!(!validator.is_valid(&wrong));
}

/// A name, a line and a subject that want to be more than text.
#[cfg(unix)]
fn hostile() -> TestRepo {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = TestRepo::with_policy();
    repo.write("a.py", good());
    repo.commit_all("<b>begin");
    repo.git(&["tag", TAG]);
    let name = b"\"><img src=x onerror=alert(1)>|`\n# \x1b\xff.py";
    let line = "x.to('cuda:1')  # </script><script>alert(2)</script> `|` \u{202e}\n";
    std::fs::write(
        repo.path().join(std::ffi::OsStr::from_bytes(name)),
        format!("{MASK}{line}"),
    )
    .unwrap();
    repo.commit_all("</td><script>alert(3)</script> | `x` <!--");
    repo
}

#[cfg(unix)]
#[test]
fn the_page_stands_alone_and_what_is_foreign_is_text() {
    let repo = hostile();
    let page = report(&repo, &["--since", TAG, "--format=html"]).stdout;
    assert!(
        page.starts_with("<!DOCTYPE html><html lang=\"en\">"),
        "{page}"
    );
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert_eq!(page.matches("</script>").count(), 1, "{page}");
    assert!(!page.contains("<img") && !page.contains("<!--") && !page.contains("<b>begin"));
    assert!(
        page.contains("&lt;script&gt;alert(3)&lt;/script&gt;"),
        "{page}"
    );
    assert!(
        page.contains("&lt;/script&gt;&lt;script&gt;alert(2)"),
        "{page}"
    );
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt;|`\\n# \\u{1b}\\xff.py"),
        "{page}"
    );
    assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page}");
    // Nothing is fetched: no address in the page at all, and a policy that forbids it.
    for address in [
        "http:", "https:", "//", "src=\"", "href=", "@import", "url(",
    ] {
        let found = page.replace("// ", "").matches(address).count();
        assert_eq!(found, 0, "{address} in {page}");
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    let nonce = page.split("nonce-").nth(1).unwrap().get(..64).unwrap();
    assert_eq!(page.matches(nonce).count(), 4, "{nonce}");
    assert!(
        !page.contains(" style=\"") && !page.contains(" onclick"),
        "{page}"
    );
    assert_eq!(page.matches("<svg").count(), 2, "{page}");
    for part in [
        "prefers-color-scheme: dark",
        "@media print",
        "viewport",
        "aria-labelledby",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    // Another report has another nonce: nobody can write it into code.
    repo.write("b.py", bad(1));
    let other = report(&repo, &["--format=html"]).stdout;
    assert!(!other.contains(nonce), "{nonce}");
}

#[cfg(unix)]
#[test]
fn markdown_shows_foreign_text_as_text() {
    let repo = hostile();
    let text = report(&repo, &["--since", TAG]).stdout;
    for part in [
        "| ``\"><img src=x onerror=alert(1)>\\|`\\n# \\u{1b}\\xff.py`` | new |",
        "- ``\"><img src=x onerror=alert(1)>|`\\n# \\u{1b}\\xff.py:5:6`` GG006 (new): ",
        " ``</td><script>alert(3)</script> | `x` <!--``\n",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    for section in [
        "# GPU report: `repo`",
        "## Files",
        "## Not verified",
        "## Problems by rule",
        "## Problems by file",
        "## Commits since then",
        "## Backups",
        "## The card",
    ] {
        assert!(
            text.lines().any(|line| line == section),
            "no {section} in\n{text}"
        );
    }
    assert!(text.contains("| analysed | 1 | 2 |"), "{text}");
}

#[test]
fn ten_thousand_problems_are_less_than_five_megabytes() {
    let repo = TestRepo::with_policy();
    for at in 0..100 {
        let line =
            format!("    model_{at} = load_checkpoint('weights/run-{at}.pt').to('cuda:1')\n");
        repo.write(
            &format!("packages/training/experiments/run_{at:03}/evaluate.py"),
            format!("{MASK}def evaluate():\n{}", line.repeat(100)),
        );
    }
    let page = report(&repo, &["--format", "html"]).stdout;
    assert_eq!(page.matches("<tr class=\"e\">").count(), 10_000);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn it_is_written_where_and_as_asked() {
    let repo = mission();
    for (name, start) in [
        ("a report.html", "<!DOCTYPE html>"),
        ("report.json", "{"),
        ("report.md", "# GPU report"),
    ] {
        let run = report(&repo, &["--output", name]);
        assert_eq!(run.stdout, "");
        assert_eq!(run.stderr, format!("the report is in `{name}`\n"));
        assert!(repo.read(name).starts_with(start.as_bytes()), "{name}");
    }
    let run = report(&repo, &["-q", "--format=md", "--output", "report.html"]);
    assert_eq!(run.stderr, "");
    assert!(repo.read("report.html").starts_with(b"# GPU report"));
    let run = repo.gpuguard(&["report", "--output", "no/such/folder.html"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(run.stderr.contains("no report was made"), "{run}");
}

#[test]
fn a_tag_that_is_not_there_is_named_and_a_repository_needs_no_commit() {
    let repo = mission();
    let run = repo.gpuguard(&["report", "--since", "v-befor"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(run.stderr.contains(TAG), "{run}");
    let empty = TestRepo::new();
    let run = empty.gpuguard(&["report"]);
    assert_eq!(run.code, 2, "{run}");
    empty.write("gpuguard.toml", repo.read("gpuguard.toml"));
    let facts = facts(&empty, &[]);
    assert_eq!(facts["repository"]["commit"], Value::Null);
    assert!(
        facts["not_verified"]
            .to_string()
            .contains("No file was analysed")
    );
}

#[test]
fn a_bare_repository_is_told_by_its_head() {
    let repo = mission();
    let bare = repo.beside("bare");
    let mut clone = repo.command(git());
    clone.args(["clone", "--quiet", "--bare", "."]).arg(&bare);
    assert!(clone.status().unwrap().success());
    let run = gpuguard(&bare, &["report", "--since", TAG, "--format=json"]);
    assert_eq!(run.code, 0, "{run}");
    let facts: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(facts["now"]["findings"], 5);
    assert_eq!(facts["policy"], "HEAD:gpuguard.toml");
    assert_eq!(facts["steps"].as_array().unwrap().len(), 4);
}
