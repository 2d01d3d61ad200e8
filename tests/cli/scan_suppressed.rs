//! What comments allow, as `gpuguard scan` and the hook tell it.

use serde_json::Value;

use crate::support::{Run, TestRepo};

const MASK: &str = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

fn repository(code: &str) -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("a.py", format!("{MASK}{code}"));
    repo
}

#[test]
fn what_is_allowed_is_counted_and_shown_on_request() {
    let repo = repository(
        "x.to('cuda:1')  # gpuguard: allow[GG006] until=9999-12-31 the \u{1b}[2J rig\n\
         # gpuguard: allow[GG006] the other rig\nx.to('cuda:2')\n",
    );
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout_without_times(),
        "  2 allowed by comments (`-v` shows)\n1 file scanned: no problems (… ms)\n"
    );
    let run = repo.gpuguard(&["scan", "-v", "a.py"]);
    assert!(run.stdout.starts_with("note[GG006]: "), "{run}");
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "(allowed until 9999-12-31: the \\u{1b}[2J rig)",
        "(allowed: the other rig)",
        "--> a.py:6:6",
        "2 allowed by comments 1 file scanned: no problems (",
    ] {
        assert!(words.contains(part), "no {part:?} in {run}");
    }
    let report = json(&repo.gpuguard(&["scan", "--format=json", "a.py"]));
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["summary"]["suppressed"], 2);
    assert_eq!(report["summary"]["errors"], 0);
    let first = &report["suppressed"][0];
    for (key, value) in [
        ("rule", Value::from("GG006")),
        ("severity", "error".into()),
        ("line", 4.into()),
        ("until", "9999-12-31".into()),
        ("introduced", true.into()),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(report["suppressed"][1]["reason"], "the other rig");
    assert_eq!(report["suppressed"][1]["until"], Value::Null);
    let run = repo.gpuguard(&["scan", "--statistics", "a.py"]);
    assert!(
        run.stdout.contains("allowed by comments       2\n"),
        "{run}"
    );
    let run = repo.gpuguard(&["scan", "--statistics", "gpuguard.toml"]);
    assert!(!run.stdout.contains("allowed"), "{run}");
}

#[test]
fn a_comment_whose_day_is_over_allows_nothing() {
    let repo = repository("x.to('cuda:1')  # gpuguard: allow[GG006] until=2020-02-29 the rig\n");
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("error[GG006]"), "{run}");
    assert!(run.stdout.contains("warning[GG102]"), "{run}");
    assert!(run.stdout.contains("2020-02-29 was its last day"), "{run}");
    // The hook has the same calendar.
    repo.git(&["add", "."]);
    assert_eq!(repo.gpuguard(&["hook", "run", "pre-commit"]).code, 1);
    // Old where it was there before: nobody is stopped who edits another line of the file.
    repo.commit_all("over");
    repo.write("a.py", [&b"y = 1\n"[..], &repo.read("a.py")].concat());
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("2 old findings"), "{run}");
}

#[test]
fn the_hook_counts_what_is_allowed_and_misses_a_comment_that_goes() {
    let repo = repository("x.to('cuda:1')  # gpuguard: allow[GG006] the rig\n");
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("1 allowed by comments"), "{run}");
    repo.commit_all("allowed");
    repo.git(&["tag", "allowed"]);
    repo.write("a.py", format!("{MASK}x.to('cuda:1')\n"));
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("error[GG006]"), "{run}");
    // Moved without its comment it is no better.
    repo.git(&["mv", "a.py", "b.py"]);
    let run = repo.gpuguard(&["scan", "--staged"]);
    assert_eq!(run.code, 1, "{run}");
    repo.commit_all("gone");
    assert_eq!(repo.gpuguard(&["scan", "--range", "allowed..HEAD"]).code, 1);
    assert_eq!(repo.gpuguard(&["scan", "--range", "HEAD..allowed"]).code, 0);
}

#[test]
fn a_comment_that_is_not_understood_blocks_and_the_policy_can_say_otherwise() {
    let repo = repository("x = 1  # gpuguard: allow GG006 the rig\n");
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("error[GG101]"), "{run}");
    assert!(run.stdout.contains("a.py:4:10"), "{run}");
    let policy = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        policy.replace("[rules]", "[rules]\nGG101 = \"off\"\nGG102 = \"error\""),
    );
    assert_eq!(repo.gpuguard(&["scan", "a.py"]).code, 0);
    repo.write("a.py", "x = 1  # gpuguard: allow[GG006] nothing\n");
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("error[GG102]"), "{run}");
}

#[test]
fn what_is_allowed_is_not_mended_until_its_day_is_over() {
    let repo = repository("x.to('cuda:1')  # gpuguard: allow[GG006] until=9999-12-31 the rig\n");
    let run = repo.gpuguard(&["fix", "--diff", "a.py"]);
    assert!(!run.stdout.contains("+x.to"), "{run}");
    repo.write(
        "a.py",
        format!("{MASK}x.to('cuda:1')  # gpuguard: allow[GG006] until=2020-12-31 the rig\n"),
    );
    let run = repo.gpuguard(&["fix", "--diff", "a.py"]);
    assert!(run.stdout.contains("+x.to('cuda:0')"), "{run}");
}

/// A notebook of code cells.
fn notebook(cells: &[&[&str]]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .map(|lines| {
            serde_json::json!({
                "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null,
                "source": lines.join("\n"),
            })
        })
        .collect();
    serde_json::json!({
        "cells": cells, "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"language_info": {"name": "python"}},
    })
    .to_string()
}

#[test]
fn in_a_notebook_comments_speak_of_their_cell() {
    let repo = TestRepo::with_policy();
    let cells: [&[&str]; 3] = [
        &[
            "# gpuguard: allow[GG002] shows what the other card is called",
            "%env CUDA_VISIBLE_DEVICES=0",
            "%env CUDA_DEVICE_ORDER=PCI_BUS_ID",
        ],
        &["%env CUDA_VISIBLE_DEVICES=1", "import torch"],
        &[
            "x = torch.device('cuda:1')  # gpuguard: allow[GG006] the rig",
            "y = torch.device('cuda:1')",
            "# gpuguard: allow[GG006] nothing below in this cell",
        ],
    ];
    repo.write("a.ipynb", notebook(&cells));
    let report = json(&repo.gpuguard(&["scan", "--format=json", "a.ipynb"]));
    let told = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|finding| {
            let (rule, cell) = (finding["rule"].as_str().unwrap(), &finding["cell"]);
            format!("{rule} {cell}:{}", finding["cell_line"])
        })
        .collect()
    };
    assert_eq!(
        told(&report["suppressed"]),
        ["GG002 1:2", "GG006 3:1"],
        "{report}"
    );
    assert_eq!(
        told(&report["findings"]),
        ["GG006 3:2", "GG102 3:3"],
        "{report}"
    );
}
