//! The cases in `tests/languages/*.md`: code, and the findings it must give.
//!
//! A case is a heading, a fenced block of code, and one line for each finding:
//! `GG007 3:10 torch.device` (rule, line:column, API), or `none`. A line `off: GG001 GG018`
//! under a chapter's heading switches rules off for the chapter, a line `file: a/name` says how the
//! file is called. A line `broken: line 3` says where the first syntax error is; a file without
//! such a line has none. A second block, below a line `fixed:`, is what `gpuguard fix` makes of it.
//!
//! In `notebook.md` each block is a cell, and the place is `cell:line:column`. A block of the kind
//! `python` is code, `output` is what the cell above printed, other kinds are cells of that kind.

use std::path::Path;

use gpuguard::git::RepoPath;
use gpuguard::policy::{Policy, Preset, SetIn, Severity, parse};
use gpuguard::scan::{Finding, FixResult, Reading, Safety, Scanner};
use serde_json::{Value, json};

struct Case {
    title: String,
    off: Vec<String>,
    file: String,
    blocks: Vec<Block>,
    fixed: Option<Block>,
    broken: Option<usize>,
    expected: Vec<String>,
}

struct Block {
    kind: String,
    text: String,
}

impl Case {
    fn code(&self) -> String {
        self.blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect()
    }

    /// The blocks as the cells of a notebook, written as Jupyter writes it.
    fn notebook(&self) -> String {
        let mut cells: Vec<Value> = Vec::new();
        for block in &self.blocks {
            // Jupyter keeps no line end at the end of a cell.
            let text = block.text.strip_suffix('\n').unwrap_or(&block.text);
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            match (block.kind.as_str(), cells.last_mut()) {
                ("output", Some(cell)) => {
                    let output = json!({"output_type": "stream", "name": "stdout", "text": lines});
                    cell["outputs"] = json!([output]);
                }
                ("python", _) => cells.push(json!({
                    "cell_type": "code", "execution_count": 1, "metadata": {},
                    "outputs": [], "source": lines,
                })),
                (kind, _) => {
                    cells.push(json!({"cell_type": kind, "metadata": {}, "source": lines}));
                }
            }
        }
        let kernel = json!({"display_name": "Python 3", "language": "python", "name": "python3"});
        let notebook = json!({
            "cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
        });
        serde_json::to_string_pretty(&notebook).expect("a notebook is JSON")
    }
}

fn cases(page: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut off = Vec::new();
    let mut file = String::new();
    // What ends the block that is open: a block with fences in it has longer ones.
    let mut fence: Option<String> = None;
    let mut is_fixed = false;
    for line in page.lines() {
        if let Some(end) = &fence {
            let case = cases.last_mut().expect("code before a heading");
            let block = if is_fixed {
                case.fixed.as_mut()
            } else {
                case.blocks.last_mut()
            };
            if line == end {
                fence = None;
                is_fixed = false;
            } else {
                let block = block.expect("a block");
                block.text.push_str(line);
                block.text.push('\n');
            }
        } else if line.starts_with("```") {
            let kind = line.trim_start_matches('`');
            fence = Some(line[..line.len() - kind.len()].to_owned());
            let case = cases.last_mut().expect("code before a heading");
            let block = Block {
                kind: kind.to_owned(),
                text: String::new(),
            };
            if is_fixed {
                case.fixed = Some(block);
            } else {
                case.blocks.push(block);
            }
        } else if line == "fixed:" {
            is_fixed = true;
        } else if line.starts_with("# ") {
            off = Vec::new();
        } else if let Some(name) = line.strip_prefix("file: ") {
            name.clone_into(&mut file);
        } else if let Some(rules) = line.strip_prefix("off: ") {
            off = rules.split(' ').map(str::to_owned).collect();
        } else if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case {
                title: title.to_owned(),
                off: off.clone(),
                file: file.clone(),
                blocks: Vec::new(),
                fixed: None,
                broken: None,
                expected: Vec::new(),
            });
        } else if let Some(line) = line.strip_prefix("broken: line ") {
            let case = cases.last_mut().expect("a heading");
            case.broken = Some(line.parse().expect("a number"));
        } else if let Some(case) = cases.last_mut()
            && (line.starts_with("GG") || line == "none")
        {
            case.expected.push(line.to_owned());
        }
    }
    cases
}

fn preset(off: &[String]) -> Policy {
    let text = Preset::Rtx3090.text();
    let mut policy =
        parse(Path::new("gpuguard.toml"), text.as_bytes()).expect("the preset is a policy");
    for rule in off {
        policy.severities.insert(rule.clone(), Severity::Off);
    }
    policy
}

/// Holds all cases of a page against what is found in `file` made of each; `place` says where.
/// A warning is marked as one where the page has `severities`.
fn check(
    page: &str,
    severities: bool,
    file: impl Fn(&Case) -> (String, String),
    place: impl Fn(&str, &Finding) -> String,
) -> usize {
    let cases = cases(page);
    let mut wrong = Vec::new();
    for case in &cases {
        let (name, content) = file(case);
        let scanner = Scanner::new(&preset(&case.off));
        let path = RepoPath::new(name);
        let scan = scanner.scan(&path, content.as_bytes());
        let mut found: Vec<String> = scan
            .findings
            .iter()
            .map(|finding| {
                let place = place(&content, finding);
                let warns = severities && finding.severity == Severity::Warning;
                let mark = if warns { " (warning)" } else { "" };
                format!("{} {place} {}{mark}", finding.rule, finding.api)
            })
            .collect();
        if found.is_empty() {
            found.push("none".to_owned());
        }
        if found != case.expected {
            wrong.push(format!(
                "{}\n  expected {:?}\n  found    {found:?}",
                case.title, case.expected
            ));
        }
        let broken = match scan.reading {
            Reading::WithErrors { line } => Some(line),
            _ => None,
        };
        if broken != case.broken {
            wrong.push(format!(
                "{}\n  broken   {:?}\n  found    {broken:?}",
                case.title, case.broken
            ));
        }
        if let Some(expected) = &case.fixed {
            let fixed = match scanner.fix(&path, content.as_bytes(), Safety::Safe).result {
                FixResult::Mended { content, .. } => {
                    let again = scanner.fix(&path, &content, Safety::Safe).result;
                    assert!(
                        matches!(again, FixResult::Nothing),
                        "{}: fixed twice",
                        case.title
                    );
                    String::from_utf8(content).expect("text")
                }
                other => format!("{other:?}"),
            };
            if fixed != expected.text {
                wrong.push(format!(
                    "{}\n  expected {:?}\n  fixed    {fixed:?}",
                    case.title, expected.text
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    cases.len()
}

#[test]
fn python_cases_give_their_findings() {
    let cases = check_python(include_str!("languages/python.md"), false);
    assert!(cases >= 60, "{cases} cases");
    let cases = check_python(include_str!("languages/python_values.md"), false);
    assert!(cases >= 20, "{cases} cases");
    let cases = check_python(include_str!("languages/python_names.md"), false);
    assert!(cases >= 25, "{cases} cases");
}

#[test]
fn cards_of_others_and_masks_that_are_put_back() {
    let cases = check_python(include_str!("languages/python_vendors.md"), true);
    assert!(cases >= 20, "{cases} cases");
}

#[test]
fn every_rule_has_cases_with_severities() {
    let cases = check_python(include_str!("languages/python_rules.md"), true);
    assert!(cases >= 60, "{cases} cases");
}

fn check_python(page: &str, severities: bool) -> usize {
    check(
        page,
        severities,
        |case| ("case.py".to_owned(), case.code()),
        |_, finding| {
            assert_eq!(finding.cell, None);
            format!("{}:{}", finding.start.line, finding.start.column)
        },
    )
}

/// Pages of the other languages, each with the least number of its cases.
const PAGES: &[(&str, usize)] = &[
    (include_str!("languages/counts.md"), 8),
    (include_str!("languages/broken.md"), 45),
    (include_str!("languages/dotenv.md"), 6),
    (include_str!("languages/dockerfile.md"), 10),
    (include_str!("languages/toml.md"), 8),
    (include_str!("languages/ini.md"), 8),
    (include_str!("languages/make.md"), 8),
    (include_str!("languages/just.md"), 6),
    (include_str!("languages/xml.md"), 5),
    (include_str!("languages/markdown.md"), 6),
    (include_str!("languages/yaml.md"), 40),
    (include_str!("languages/json.md"), 14),
    (include_str!("languages/cpp.md"), 20),
    (include_str!("languages/rust.md"), 10),
    (include_str!("languages/shell.md"), 20),
    (include_str!("languages/shells.md"), 20),
    (include_str!("languages/placeholders.md"), 12),
    (include_str!("languages/order.md"), 20),
];

#[test]
fn cases_of_other_languages_give_their_findings() {
    for (page, least) in PAGES {
        let cases = check(
            page,
            true,
            |case| (case.file.clone(), case.code()),
            |_, finding| format!("{}:{}", finding.start.line, finding.start.column),
        );
        assert!(cases >= *least, "{cases} cases");
    }
}

#[test]
fn notebook_cases_give_their_findings() {
    let page = include_str!("languages/notebook.md");
    let cases = check(
        page,
        false,
        |case| ("case.ipynb".to_owned(), case.notebook()),
        |file, finding| {
            let place = finding.cell.expect("a place in a cell");
            // Line and column of the file are of the same code, as JSON writes it.
            let line = file.lines().nth(finding.start.line - 1).expect("a line");
            let rest: String = line.chars().skip(finding.start.column - 1).collect();
            let before = finding.span.start - finding.source_offset;
            let after = finding.source[before..].lines().next().expect("code");
            let after = serde_json::to_string(after).expect("JSON");
            let after = after.trim_matches('"').trim_end_matches('\\');
            assert!(rest.starts_with(after), "{after} is not where {rest} is");
            format!("{}:{}:{}", place.cell, place.line, place.column)
        },
    );
    assert!(cases >= 20, "{cases} cases");
}

/// The same Python gives the same findings in a file and in a cell.
#[test]
fn python_means_the_same_in_a_cell() {
    for case in cases(include_str!("languages/python.md")) {
        let mut policy = preset(&case.off);
        policy.environment.set_in = SetIn::EachFile;
        let scanner = Scanner::new(&policy);
        let found = |name, content: &str| -> Vec<String> {
            let scan = scanner.scan(&RepoPath::new(name), content.as_bytes());
            let findings = scan.findings.iter();
            findings.map(|found| found.fingerprint.0.clone()).collect()
        };
        let in_file = found("case.py", &case.code());
        assert_eq!(
            found("case.ipynb", &case.notebook()),
            in_file,
            "{}",
            case.title
        );
    }
}

/// What is nested too deep to be parsed is passed over, and the rest of the page is not.
#[test]
fn a_fence_that_cannot_be_read_is_told() {
    let scanner = Scanner::new(&preset(&[]));
    let reading = |page: &str| {
        let scan = scanner.scan(&RepoPath::new("a.md"), page.as_bytes());
        let found: Vec<_> = scan.findings.iter().map(|found| found.start.line).collect();
        (scan.reading, found)
    };
    let deep = "[".repeat(100_001);
    let sound = "```python\nimport torch\ntorch.zeros(1, device=\"cuda:1\")\n```\n";
    let page = format!("cuda\n\n```python\nx.to(\"cuda:1\")\n{deep}\n```\n{sound}");
    assert_eq!(reading(&page), (Reading::WithErrors { line: 3 }, vec![9]));
    let page = format!("cuda\n\n```python\n{deep}\n```\n{sound}");
    assert_eq!(reading(&page), (Reading::Whole, vec![8]));
}

/// Windows' own `PowerShell` writes such files.
#[test]
fn a_script_in_utf_16_is_read() {
    let text =
        "\u{feff}$env:CUDA_DEVICE_ORDER = \"PCI_BUS_ID\"\r\n$env:CUDA_VISIBLE_DEVICES = \"0\"\r\n";
    let content: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let scanner = Scanner::new(&preset(&[]));
    let scan = scanner.scan(&RepoPath::new("a.ps1"), &content);
    let found: Vec<_> = scan
        .findings
        .iter()
        .map(|found| (found.rule, found.start.line))
        .collect();
    assert_eq!(found, [("GG002", 2)]);
}
