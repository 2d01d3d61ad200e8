//! Notebooks, with the real binary: what `scan` says of them, and what the hook does.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Run, TestRepo};

/// A notebook as Jupyter writes it: a Markdown cell, one that sets the variables, and one that
/// uses card 1 on line 26; `printed` is its output.
fn notebook(printed: &str) -> String {
    let file = r##"{
 "cells": [
  {
   "cell_type": "markdown",
   "metadata": {},
   "source": [
    "# Training on `cuda:1`"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 1,
   "metadata": {},
   "outputs": [],
   "source": [
    "%env CUDA_DEVICE_ORDER=PCI_BUS_ID\n",
    "%env CUDA_VISIBLE_DEVICES=1"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 2,
   "metadata": {},
   "outputs": [{"output_type": "stream", "name": "stdout", "text": ["PRINTED"]}],
   "source": [
    "import torch\n",
    "model.to(torch.device(\"cuda:1\"))"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
  "language_info": {"name": "python"}
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
"##;
    file.replace("PRINTED", printed)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

/// A repository with the founding policy and these files, staged.
fn staged(files: &[(&str, &str)]) -> TestRepo {
    let repo = TestRepo::with_policy();
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.git(&["add", "."]);
    repo
}

#[test]
fn a_finding_names_the_cell_and_the_line_of_the_file() {
    let repo = staged(&[("a/train.ipynb", &notebook("cuda:2"))]);
    let run = repo.gpuguard(&["scan"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run}");
    let expected = r#"error[GG006]: index 1 is beyond the mask: with CUDA_VISIBLE_DEVICES=1 only index 0 exists
 --> a/train.ipynb:cell 3:2:23 (line 27)
  |
2 | model.to(torch.device("cuda:1"))
  |                       ^^^^^^^^ selects no card: "invalid device ordinal"
  |
  = fix: use index 0 ("cuda:0"): under the mask that is the RTX 3090
   |
27 -     "model.to(torch.device(\"cuda:1\"))"
27 +     "model.to(torch.device(\"cuda:0\"))"

  GG006 x1: a card index that does not exist under CUDA_VISIBLE_DEVICES
  1 fixable with `gpuguard fix`
1 file scanned: 0 clean, 1 with problems (… ms); next: `gpuguard fix --diff` shows what can be
mended, `gpuguard rule GG006` explains
"#;
    assert_eq!(run.stdout_without_times(), expected);
    for arguments in [
        &["scan", "--format=json"][..],
        &["scan", "--format=json", "--staged"],
        &["scan", "--format=json", "a/train.ipynb"],
    ] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 1, "{run}");
        let report = json(&run);
        let finding = &report["findings"][0];
        for (key, value) in [
            ("rule", Value::from("GG006")),
            ("path", "a/train.ipynb".into()),
            ("line", 27.into()),
            ("column", 28.into()),
            ("end_line", 27.into()),
            ("end_column", 38.into()),
            ("cell", 3.into()),
            ("cell_line", 2.into()),
            ("fixable", true.into()),
        ] {
            assert_eq!(finding[key], value, "{key}: {run}");
        }
        assert_eq!(report["summary"]["errors"], 1, "{run}");
    }
}

#[test]
fn what_is_no_notebook_has_no_cells() {
    let repo = staged(&[("a.py", "x.to('cuda:1')\n")]);
    let report = json(&repo.gpuguard(&["scan", "--format=json"]));
    let finding = report["findings"][0].as_object().unwrap();
    assert!(!finding.contains_key("cell") && !finding.contains_key("cell_line"));
}

#[test]
fn the_hook_judges_a_staged_notebook_and_no_new_output() {
    let repo = staged(&[("train.ipynb", &notebook(""))]);
    let hook = |repo: &TestRepo| repo.gpuguard(&["hook", "run", "pre-commit"]);
    let run = hook(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("GG006") && run.stderr.contains("train.ipynb:cell 3:2:23 (line 27)"),
        "{run}"
    );
    // What was committed before is old; running the notebook again changes outputs only.
    repo.commit_all("old");
    repo.write(
        "train.ipynb",
        notebook("cuda:1, cuda:1").replace("\": 2", "\": 7"),
    );
    repo.git(&["add", "."]);
    let run = hook(&repo);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.contains("1 file scanned, nothing new found"),
        "{run}"
    );
    // The mask goes: what it held back is new.
    repo.write(
        "train.ipynb",
        notebook("").replace("VISIBLE_DEVICES=1", "X=1"),
    );
    repo.git(&["add", "."]);
    let run = hook(&repo);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("GG018") && run.stderr.contains("GG007"),
        "{run}"
    );
}

#[test]
fn what_cannot_be_read_is_named_with_the_reason() {
    let cut = notebook("").replace("\"nbformat\": 4", "<<<<<<< HEAD");
    let repo = staged(&[
        ("cut.ipynb", &cut),
        ("empty.ipynb", ""),
        ("list.ipynb", "[\"cuda\"]"),
        (".ipynb_checkpoints/a-checkpoint.ipynb", &notebook("")),
        (".ipynb_checkpoints/a-checkpoint.py", "x.to('cuda:1')\n"),
    ]);
    let expected = "  skipped .ipynb_checkpoints/a-checkpoint.ipynb: a copy that Jupyter keeps of another file
  skipped .ipynb_checkpoints/a-checkpoint.py: a copy that Jupyter keeps of another file
  skipped cut.ipynb: not a Jupyter notebook: key must be a string at line 35 column 2
  skipped list.ipynb: not a Jupyter notebook: invalid type: sequence, expected a notebook at line 1 column 0
";
    for arguments in [&["scan"][..], &["scan", "--staged"]] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(
            run.stdout_without_times(),
            format!("{expected}1 file scanned: no problems (… ms)\n"),
            "{run}"
        );
    }
    let report = json(&repo.gpuguard(&["scan", "--format=json"]));
    let reasons = report["summary"]["skipped"].as_array().unwrap();
    let reasons: Vec<&str> = reasons
        .iter()
        .map(|skipped| skipped["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        ["checkpoint", "checkpoint", "malformed", "malformed"]
    );
}

#[test]
fn every_encoding_and_line_end_gives_the_same_place() {
    let plain = notebook("é");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(plain.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let repo = TestRepo::with_policy();
    repo.write("bom.ipynb", [b"\xef\xbb\xbf", plain.as_bytes()].concat());
    repo.write("crlf.ipynb", plain.replace('\n', "\r\n"));
    let latin = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
    repo.write("latin.ipynb", latin.collect::<Vec<u8>>());
    repo.write("plain.ipynb", &plain);
    repo.write("utf16.ipynb", utf16);
    let report = json(&repo.gpuguard(&["scan", "--format=json"]));
    let findings = report["findings"].as_array().unwrap();
    let mut places = String::new();
    for finding in findings {
        let _ = writeln!(
            places,
            "{} {}:{} cell {}:{}",
            finding["path"],
            finding["line"],
            finding["column"],
            finding["cell"],
            finding["cell_line"]
        );
    }
    let mut expected = String::new();
    for name in ["bom", "crlf", "latin", "plain", "utf16"] {
        let _ = writeln!(expected, "\"{name}.ipynb\" 27:28 cell 3:2");
    }
    assert_eq!(places, expected);
}

/// All in one line, as some tools write it, with thousands of findings far to the right.
#[test]
fn a_notebook_in_one_line_is_scanned() {
    // So large that counting each column from the start of the line would be noticed.
    let cells = 2_000;
    let output = "cuda ".repeat(500_000);
    let mut file = format!(
        r#"{{"cells":[{{"cell_type":"code","outputs":[{{"text":"{output}"}}],"source":""}}"#
    );
    for _ in 0..cells {
        file.push_str(r#",{"cell_type":"code","source":"x.to(\"cuda:1\")\ny.to('cuda:2')"}"#);
    }
    file.push_str("]}");
    let repo = staged(&[("one.ipynb", &file)]);
    let report = json(&repo.gpuguard(&["scan", "--format=json"]));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2 * cells + 2);
    let last = &findings[findings.len() - 1];
    assert_eq!(
        (&last["cell"], &last["cell_line"]),
        (&(cells + 1).into(), &2.into())
    );
    assert_eq!(last["column"], file.rfind("'cuda:2'").unwrap() + 1);
}
