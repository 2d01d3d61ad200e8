//! The cases in `tests/languages/*.md`: code, and the findings it must give.
//!
//! A case is a heading, a fenced block of code, and one line for each finding:
//! `GG007 3:10 torch.device` (rule, line:column, API), or `none`. A line `off: GG001 GG018`
//! under a chapter's heading switches rules off for the chapter.

use std::path::Path;

use gpuguard::git::RepoPath;
use gpuguard::policy::{Policy, Preset, Severity, parse};
use gpuguard::scan::Scanner;

/// The pages about Python.
const PYTHON: &[&str] = &[
    include_str!("languages/python.md"),
    include_str!("languages/python_values.md"),
];

struct Case {
    title: String,
    off: Vec<String>,
    code: String,
    expected: Vec<String>,
}

fn cases(page: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut off = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            let case = cases.last_mut().expect("code before a heading");
            case.code.push_str(line);
            case.code.push('\n');
        } else if line.starts_with("# ") {
            off = Vec::new();
        } else if let Some(rules) = line.strip_prefix("off: ") {
            off = rules.split(' ').map(str::to_owned).collect();
        } else if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case {
                title: title.to_owned(),
                off: off.clone(),
                code: String::new(),
                expected: Vec::new(),
            });
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

#[test]
fn python_cases_give_their_findings() {
    let cases: Vec<Case> = PYTHON.iter().flat_map(|page| cases(page)).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let scan =
            Scanner::new(&preset(&case.off)).scan(&RepoPath::new("case.py"), case.code.as_bytes());
        let mut found: Vec<String> = scan
            .findings
            .iter()
            .map(|finding| {
                let (line, column) = (finding.start.line, finding.start.column);
                format!("{} {line}:{column} {}", finding.rule, finding.api)
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
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(cases.len() >= 60, "{} cases", cases.len());
}
