//! `gpuguard policy show --explain PATH[:LINE]`: why a file, or a line of it, is flagged or not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::policy::{Policies, Tree, here};
use super::policy_show::{said_by, sources};
use super::{Failure, paths};
use crate::git::RepoPath;
use crate::judge;
use crate::policy::{Origin, Policy, Severity};
use crate::scan::rule::Rule;
use crate::scan::{FileScan, Finding, Reading, SaidBy, Scanner, Selection, SkipReason, Standing};
use crate::source::{Content, FileReader};
use crate::sys::clock;
use crate::text::{LineIndex, printable};

/// How one file stands.
pub(super) struct Explanation {
    path: RepoPath,
    line: Option<usize>,
    policy: Policy,
    standing: Standing,
    scan: FileScan,
    selections: Vec<Selection>,
    /// What rules would find that are off.
    silent: Vec<Finding>,
}

/// Looks at the file of the working tree that `place` names, with or without a line.
pub(super) fn explain(place: &str, explicit: Option<&Path>) -> Result<Explanation, Failure> {
    let directory = here()?;
    let (file, line) = split(place, &directory)?;
    let tree = Tree::around(&directory)?;
    let path = tree
        .path_of(&file)
        .unwrap_or_else(|| RepoPath::new(file.as_os_str().as_encoded_bytes()));
    let policies = Policies::of(&tree, &path.folders().collect(), explicit)?;
    let scanner = judge::scanner(&policies.root, &policies.below, clock::now()).listing_dynamic();
    let policy = scanner.policy_for(&path).clone();
    let mut reader = FileReader::default();
    let content = reader
        .read(&file, policy.scan.max_file_bytes)
        .map_err(|error| {
            Failure::new(format!("`{}` cannot be read", paths::shown(&file))).because(&error)
        })?;
    let (scan, content) = match content {
        Content::Bytes(content) => (scanner.scan(&path, content), content.to_vec()),
        Content::TooLarge { bytes } => {
            let reason = SkipReason::TooLarge { bytes };
            (FileScan::skipped(path.clone(), reason), Vec::new())
        }
    };
    has_line(&file, &content, line)?;
    let standing = scanner.standing(&path, &content);
    let silent = silent(&policy, &standing, &path, &content);
    Ok(Explanation {
        selections: scanner.selections(&path, &content),
        path,
        line,
        policy,
        standing,
        scan,
        silent,
    })
}

/// Refuses a line that a text does not have.
fn has_line(file: &Path, content: &[u8], line: Option<usize>) -> Result<(), Failure> {
    let (Some(line), Ok(text)) = (line, std::str::from_utf8(content)) else {
        return Ok(());
    };
    let ends = usize::from(text.ends_with(['\n', '\r']));
    let lines = LineIndex::new(text).lines() - ends;
    if text.is_empty() || line <= lines {
        return Ok(());
    }
    let plural = if lines == 1 { "" } else { "s" };
    let file = paths::shown(file);
    let error = format!("there is no line {line}: `{file}` has {lines} line{plural}");
    Err(Failure::new(error))
}

/// The path, and the line behind its last colon, if it has one.
fn split(place: &str, directory: &Path) -> Result<(PathBuf, Option<usize>), Failure> {
    let whole = directory.join(place);
    let number = |place: &str| {
        let (path, number) = place.rsplit_once(':')?;
        Some((path.to_owned(), number.parse::<usize>().ok()?))
    };
    // As findings have it, with a column behind the line.
    let parts = number(place)
        .map(|(path, last)| number(&path).unwrap_or((path, last)))
        .map(|(path, line)| (directory.join(path), line));
    let (file, line) = match parts {
        Some((file, line)) if !whole.exists() => (file, Some(line)),
        _ => (whole, None),
    };
    if line == Some(0) {
        return Err(Failure::new("there is no line 0: lines count from 1"));
    }
    if !file.is_file() {
        let shown = printable(place.as_bytes());
        return Err(Failure::new(format!("there is no file `{shown}`"))
            .hint("write a path, and a line behind a colon if you like: `train.py:12`"));
    }
    Ok((file, line))
}

/// What would be found with every rule that is off in this file switched on.
fn silent(policy: &Policy, standing: &Standing, path: &RepoPath, content: &[u8]) -> Vec<Finding> {
    let off = |code: &str| {
        let mut rules = standing.rules.iter();
        rules.any(|(other, severity, _)| *other == code && *severity == Severity::Off)
    };
    let mut loud = policy.clone();
    for entry in &mut loud.overrides {
        entry
            .severities
            .retain(|_, severity| *severity != Severity::Off);
    }
    loud.severities
        .retain(|_, severity| *severity != Severity::Off);
    let found = Scanner::new(&loud).scan(path, content);
    let silent = found.findings.into_iter();
    silent.filter(|finding| off(finding.rule)).collect()
}

impl Explanation {
    fn speaks_of(&self, finding: &Finding) -> bool {
        self.speaks_of_lines(finding.start.line, finding.end.line)
    }

    fn speaks_of_lines(&self, first: usize, last: usize) -> bool {
        self.line.is_none_or(|line| (first..=last).contains(&line))
    }

    /// Who says the severity of a rule in this file.
    fn origin_of(&self, code: &str) -> Option<&Origin> {
        let mut rules = self.standing.rules.iter();
        let (_, _, said_by) = rules.find(|(other, ..)| *other == code)?;
        match said_by {
            SaidBy::Rule => None,
            SaidBy::Rules => self.policy.origin_of(&format!("rules.{code}")),
            SaidBy::Override(at) => self
                .policy
                .origin_of(&format!("override[{at}].rules.{code}")),
        }
    }

    fn severity_in_words(&self, finding: &Finding) -> String {
        let word = finding.severity.word();
        let mut rules = self.standing.rules.iter();
        let said = rules.find(|(code, ..)| *code == finding.rule);
        match (said, self.origin_of(finding.rule)) {
            (Some((_, severity, _)), _) if *severity > finding.severity => format!(
                "{word}, and not {}: it is not certain that this code does it",
                severity.word()
            ),
            (_, None) => format!("{word}, as the rule itself has it"),
            (_, origin) => format!("{word}, {}", said_by(origin)),
        }
    }

    /// The lines for a terminal.
    pub(super) fn for_people(&self) -> String {
        let place = match self.line {
            Some(line) => format!("{}:{line}", self.path),
            None => self.path.to_string(),
        };
        let mut text = format!("{place}\n{}", sources(&self.policy));
        let mask = self.policy.origin_of("environment.CUDA_VISIBLE_DEVICES");
        let _ = writeln!(
            text,
            "variables: CUDA_VISIBLE_DEVICES={} is asked for, {}",
            self.policy.environment.visible_devices,
            said_by(mask)
        );
        let language_by = self.standing.language_by;
        let language_by = language_by
            .map(|at| format!("language[{at}].as"))
            .and_then(|key| self.policy.origin_of(&key));
        let _ = match (self.standing.language, language_by) {
            (Some(name), Some(origin)) => {
                writeln!(text, "language: {name}, {}", said_by(Some(origin)))
            }
            (Some(name), None) => writeln!(text, "language: {name}, by its name or first line"),
            (None, Some(origin)) => {
                writeln!(text, "language: not read, {}", said_by(Some(origin)))
            }
            (None, None) => writeln!(text, "language: none that gpuguard reads"),
        };
        if let Some(at) = self.standing.excluded_by {
            let origin = self.policy.origin_of(&format!("scan.exclude[{at}]"));
            let _ = writeln!(text, "not scanned: excluded {}", said_by(origin));
        } else if let Reading::Skipped(reason) = &self.scan.reading {
            let _ = writeln!(text, "not scanned: {reason}");
        }
        text.push('\n');
        text.push_str(&self.found());
        text
    }

    fn found(&self) -> String {
        let mut text = String::new();
        let place = |finding: &Finding| format!("{}:{}", finding.start.line, finding.start.column);
        for finding in self.scan.findings.iter().filter(|one| self.speaks_of(one)) {
            let act = if finding.severity == Severity::Error {
                "flagged: a commit that brings it in is refused"
            } else {
                "flagged, never refused"
            };
            let _ = writeln!(
                text,
                "{}: {act}\n  rule: {} ({})\n  why: {}\n  severity: {}",
                place(finding),
                finding.rule,
                Rule::of(finding.rule).map_or("", |rule| rule.summary),
                printable(finding.message.as_bytes()),
                self.severity_in_words(finding)
            );
        }
        for allowed in &self.scan.suppressed {
            if self.speaks_of(&allowed.finding) {
                let until = allowed.until;
                let until = until.map_or_else(String::new, |until| format!(" until {until}"));
                let _ = writeln!(
                    text,
                    "{}: not flagged: a comment allows {}{until}: {}\n  why else: {}",
                    place(&allowed.finding),
                    allowed.finding.rule,
                    printable(allowed.reason.as_bytes()),
                    printable(allowed.finding.message.as_bytes())
                );
            }
        }
        text.push_str(&self.not_found());
        if text.is_empty() {
            let where_to = if self.line.is_some() {
                "this line"
            } else {
                "this file"
            };
            let _ = writeln!(text, "not flagged: no rule finds anything in {where_to}");
        }
        text
    }

    /// What is no finding: of rules that are off, and what indices select.
    fn not_found(&self) -> String {
        let mut text = String::new();
        for finding in self.silent.iter().filter(|one| self.speaks_of(one)) {
            let _ = writeln!(
                text,
                "{}: not flagged: {} is off here, {}\n  why else: {}",
                format_args!("{}:{}", finding.start.line, finding.start.column),
                finding.rule,
                said_by(self.origin_of(finding.rule)),
                printable(finding.message.as_bytes())
            );
        }
        let here = |line: usize| self.speaks_of_lines(line, line);
        for one in self.selections.iter().filter(|one| here(one.start.line)) {
            let _ = writeln!(
                text,
                "{}:{}: `{}` selects index {}: {}",
                one.start.line,
                one.start.column,
                one.api,
                one.index,
                printable(one.card.as_bytes())
            );
        }
        for place in self.scan.dynamic.iter().filter(|one| here(one.start.line)) {
            let _ = writeln!(
                text,
                "{}:{}: `{}`: the card is decided at run time, not judged",
                place.start.line, place.start.column, place.api
            );
        }
        text
    }

    /// One JSON object.
    pub(super) fn as_json(&self) -> String {
        let key = |key: String| self.policy.origin_of(&key);
        let finding = |finding: &Finding| {
            json!({
                "rule": finding.rule,
                "severity": finding.severity.word(),
                "severity_origin": self.origin_of(finding.rule).unwrap_or(&Origin::Default),
                "line": finding.start.line,
                "column": finding.start.column,
                "message": finding.message,
            })
        };
        let findings = self.scan.findings.iter();
        let findings: Vec<Value> = findings
            .filter(|one| self.speaks_of(one))
            .map(finding)
            .collect();
        let allowed = self.scan.suppressed.iter();
        let allowed = allowed.filter(|one| self.speaks_of(&one.finding));
        let allowed: Vec<Value> = allowed
            .map(|one| {
                let mut value = finding(&one.finding);
                value["reason"] = json!(one.reason);
                value["until"] = json!(one.until.map(|until| until.to_string()));
                value
            })
            .collect();
        let silent = self.silent.iter().filter(|one| self.speaks_of(one));
        let silent: Vec<Value> = silent.map(finding).collect();
        let (selections, dynamic) = self.places();
        let skipped = match &self.scan.reading {
            Reading::Skipped(reason) => Some(reason.to_string()),
            Reading::Whole | Reading::WithErrors { .. } => None,
        };
        let excluded = self.standing.excluded_by;
        let language_by = self.standing.language_by;
        let object = json!({
            "version": 1,
            "path": self.path.to_string(),
            "line": self.line,
            "sources": self.policy.sources,
            "language": self.standing.language,
            "language_origin": language_by.and_then(|at| key(format!("language[{at}].as"))),
            "skipped": skipped,
            "excluded_by": excluded.and_then(|at| key(format!("scan.exclude[{at}]"))),
            "findings": findings,
            "suppressed": allowed,
            "off": silent,
            "selections": selections,
            "dynamic": dynamic,
        });
        format!("{object:#}\n")
    }

    /// The indices, and the places whose card is decided at run time, for programs.
    fn places(&self) -> (Vec<Value>, Vec<Value>) {
        let here = |line: usize| self.speaks_of_lines(line, line);
        let selections = self.selections.iter().filter(|one| here(one.start.line));
        let selections: Vec<Value> = selections
            .map(|one| {
                json!({
                    "line": one.start.line,
                    "column": one.start.column,
                    "api": one.api,
                    "index": one.index,
                    "card": one.card,
                })
            })
            .collect();
        let dynamic = self.scan.dynamic.iter().filter(|one| here(one.start.line));
        let dynamic: Vec<Value> = dynamic
            .map(|one| json!({"line": one.start.line, "column": one.start.column, "api": one.api}))
            .collect();
        (selections, dynamic)
    }
}
