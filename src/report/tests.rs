//! What is shown of old findings, long lines and foreign bytes.

use std::path::Path;

use super::*;
use crate::git::RepoPath;
use crate::outcome::Act;
use crate::policy::{Preset, parse};
use crate::scan::{FileScan, Scanner, SkipReason, mark_introduced};

fn scan(path: &str, code: &str) -> FileScan {
    let preset = Preset::Rtx3090.text();
    let policy = parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    Scanner::new(&policy).scan(&RepoPath::new(path), code.as_bytes())
}

fn outcome(files: Vec<FileScan>) -> Outcome {
    Outcome {
        files,
        ..Outcome::default()
    }
}

#[test]
fn old_findings_are_counted_and_shown_on_request() {
    let bad = "x.to('cuda:1')\n";
    let mut file = scan("a.py", bad);
    mark_introduced(&mut file, &[scan("a.py", bad)]);
    let outcome = outcome(vec![file]);
    let short = render(Format::Human, &outcome, &Style::default());
    let lines: Vec<&str> = short.lines().collect();
    assert!(
        lines[0].trim_start().starts_with("3 ") && lines[0].contains("-v"),
        "{short}"
    );
    assert_eq!(lines[1], "1 file scanned: no problems (0 ms)");
    let style = Style {
        verbose: true,
        ..Style::default()
    };
    let long = render(Format::Human, &outcome, &style);
    assert!(
        long.contains("GG007") && long.contains("(was there before)"),
        "{long}"
    );
    let json = render(Format::Json, &outcome, &style);
    assert!(json.contains("\"introduced\": false"), "{json}");
    // What blocks nothing is no error.
    assert!(json.contains("\"errors\": 0"), "{json}");
}

#[test]
fn no_more_findings_are_shown_than_asked_for() {
    let outcome = outcome(vec![scan("a.py", "x.to('cuda:1')\n")]);
    let (text, shown, total) = findings_up_to(&outcome, &Style::default(), 1);
    assert_eq!((shown, total, text.matches("error[").count()), (1, 3, 1));
    let (text, shown, total) = findings_up_to(&outcome, &Style::default(), usize::MAX);
    assert_eq!((shown, total), (3, 3));
    assert_eq!(text, findings(&outcome, &Style::default()));
}

#[test]
fn the_place_named_is_that_in_the_file() {
    let long = format!("x = [{}'cuda:1']\n", "1, ".repeat(5_000));
    for (code, column) in [("\tx.to('cuda:1')\n", 7), (long.as_str(), 15_006)] {
        let text = findings(&outcome(vec![scan("a.py", code)]), &Style::default());
        let place = format!("--> a.py:1:{column}\n");
        assert!(text.contains(&place), "{place} in {text}");
    }
}

#[test]
fn nothing_scanned_is_never_a_pass() {
    let skipped = FileScan::skipped(RepoPath::new("a.py"), SkipReason::Binary);
    for files in [vec![], vec![skipped]] {
        let text = render(Format::Human, &outcome(files), &Style::default());
        assert!(text.starts_with("no files were scanned"), "{text}");
        assert!(
            !text.contains("no problems") && !text.contains("pass"),
            "{text}"
        );
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let long = format!(
        "data = [{}'cuda:1', {}]\n",
        "1, ".repeat(5_000),
        "2, ".repeat(5_000)
    );
    for code in [long.as_str(), "x.to('cuda:1')\n"] {
        let style = Style {
            width: 80,
            ..Style::default()
        };
        let outcome = outcome(vec![scan("a.py", code)]);
        assert!(
            outcome
                .findings()
                .all(|(_, finding)| finding.source.len() < 1_000)
        );
        let text = findings(&outcome, &style);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(text.contains("'cuda:1'"), "{text}");
    }
}

#[test]
fn tabs_line_ends_and_escapes_stay_in_their_place() {
    let code = "def f():\r\n\ty = 'é\u{1b}[2J'; x.to('cuda:1')\r\n";
    let text = findings(&outcome(vec![scan("a.py", code)]), &Style::default());
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("x.to("))
        .unwrap();
    let column = |line: &str, what: &str| {
        let byte = line.find(what).unwrap();
        line[..byte].chars().count()
    };
    assert_eq!(
        column(lines[at], "'cuda:1'"),
        column(lines[at + 1], "^"),
        "{text}"
    );
}

#[test]
fn a_finding_over_several_lines_is_shown_whole() {
    let code = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                os.environ.setdefault(\n    'CUDA_VISIBLE_DEVICES',\n    '0',\n)\n";
    let text = findings(&outcome(vec![scan("a.py", code)]), &Style::default());
    assert!(
        text.contains("GG002") && text.contains("'CUDA_VISIBLE_DEVICES',"),
        "{text}"
    );
}

#[test]
fn a_fix_is_shown_as_a_diff_and_once_where_it_mends_several() {
    let outcome = outcome(vec![scan(
        "a.py",
        "import torch\ntorch.cuda.set_device(1)\n",
    )]);
    let text = findings(&outcome, &Style::default());
    assert_eq!(text.matches("error[").count(), 3, "{text}");
    let diff = "  |\n1 + import os\n2 +\n3 + os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                4 + os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n5 +\n\n";
    assert_eq!(text.matches(diff).count(), 1, "{text}");
    assert_eq!(text.matches("import os").count(), 1, "{text}");
    let again = "(the change shown above mends this too)";
    assert_eq!(text.matches(again).count(), 2, "{text}");
    let style = Style {
        color: true,
        ..Style::default()
    };
    let text = findings(&outcome, &style);
    assert!(text.contains("\u{1b}[32m+ import os\u{1b}[0m"), "{text:?}");
}

#[test]
fn a_fix_that_is_not_safe_says_so() {
    let code = "import os\nimport torch\nx = torch.cuda.device_count()\n\
                os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
    let text = findings(&outcome(vec![scan("a.py", code)]), &Style::default());
    let note = "  | may mean more than the card: only `--unsafe-fixes` writes this\n";
    assert!(text.contains(note), "{text}");
    assert!(
        text.contains("4 - os.environ['CUDA_DEVICE_ORDER']"),
        "{text}"
    );
}

#[test]
fn the_last_line_says_what_was_looked_at_how_long_it_took_and_what_to_type() {
    let last = |files, elapsed| {
        let outcome = Outcome {
            files,
            elapsed,
            ..Outcome::default()
        };
        let style = Style {
            width: 200,
            ..Style::default()
        };
        let text = render(Format::Human, &outcome, &style);
        text.lines().last().unwrap().to_owned()
    };
    let millisecond = std::time::Duration::from_millis(1);
    assert_eq!(
        last(vec![scan("a.py", "x = 1\n")], millisecond * 7),
        "1 file scanned: no problems (7 ms)"
    );
    let bad = vec![scan("a.py", "x = 1\n"), scan("b.py", "x.to('cuda:1')\n")];
    assert_eq!(
        last(bad, millisecond * 61_000),
        "2 files scanned: 1 clean, 1 with problems (61 s); next: `gpuguard fix --diff` shows what can be \
         mended, `gpuguard rule GG001` explains"
    );
}

#[test]
fn a_terminal_of_ascii_gets_no_other_character() {
    let style = Style {
        ascii: true,
        ..Style::default()
    };
    let outcome = outcome(vec![scan("é/a.py", "x.to('cuda:1')  # …é\n")]);
    for text in [
        render(Format::Human, &outcome, &style),
        verdict(&Act::commit(), &outcome, &style),
    ] {
        assert!(
            text.is_ascii() && text.contains("\\u{e9}/a.py:1:6"),
            "{text}"
        );
    }
}
