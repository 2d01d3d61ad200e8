//! Files and findings, counted, now and then.

use std::collections::{BTreeSet, HashMap};

use super::facts::{AllowedFact, Counts, FileFact, FileState, FindingFact, RuleFact, SkippedFact};
use super::gather::Past;
use crate::git::RepoPath;
use crate::policy::Severity;
use crate::scan::rule::{RULES, Rule};
use crate::scan::{FileScan, Finding, Reading};
use crate::text::printable;

/// So much of a line of code is shown, in characters.
const MOST_CODE: usize = 160;

pub(super) fn counts<'f>(files: impl Iterator<Item = &'f FileScan>) -> Counts {
    let mut counts = Counts::default();
    for file in files {
        match file.reading {
            Reading::Skipped(_) => {
                counts.skipped += 1;
                continue;
            }
            Reading::WithErrors { .. } => counts.with_syntax_errors += 1,
            Reading::Whole => {}
        }
        counts.analysed += 1;
        counts.with_problems += usize::from(!file.findings.is_empty());
        counts.use_gpu += usize::from(file.uses_gpu);
        counts.findings += file.findings.len();
        let errors = file.findings.iter().filter(|finding| is_error(finding));
        counts.errors += errors.count();
        counts.allowed += file.suppressed.len();
    }
    counts.clean = counts.analysed - counts.with_problems;
    counts
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

pub(super) fn rules(files: &[FileScan], past: Option<&Past>) -> Vec<RuleFact> {
    let mut now: HashMap<&str, (usize, BTreeSet<&RepoPath>)> = HashMap::new();
    for file in files {
        for finding in &file.findings {
            let (count, paths) = now.entry(finding.rule).or_default();
            *count += 1;
            paths.insert(&file.path);
        }
    }
    let mut then: HashMap<&str, usize> = HashMap::new();
    for file in past.iter().flat_map(|past| past.scans.values()) {
        for finding in &file.findings {
            *then.entry(finding.rule).or_default() += 1;
        }
    }
    let fact = |rule: &Rule| {
        let (count, paths) = match now.get(rule.code) {
            Some((count, paths)) => (*count, paths.len()),
            None => (0, 0),
        };
        let before = then.get(rule.code).copied().unwrap_or_default();
        (count + before > 0).then(|| RuleFact {
            rule: rule.code.to_owned(),
            summary: rule.summary.to_owned(),
            now: count,
            files: paths,
            then: past.map(|_| before),
        })
    };
    RULES.iter().filter_map(fact).collect()
}

pub(super) fn file_facts(files: &[FileScan], past: Option<&Past>) -> Vec<FileFact> {
    let mut facts = Vec::new();
    let mut seen: BTreeSet<&RepoPath> = BTreeSet::new();
    for file in files {
        let then = past.and_then(|past| past.scan_of(&file.path));
        seen.extend(then.map(|then| &then.path));
        let (now, before) = (file.findings.len(), then.map_or(0, |it| it.findings.len()));
        if now + before == 0 {
            continue;
        }
        let state = match (past, now, before) {
            (None, ..) => FileState::Problems,
            _ if matches!(file.reading, Reading::Skipped(_)) => FileState::Gone,
            (_, 0, _) => FileState::Corrected,
            (_, _, 0) => FileState::New,
            (_, now, before) if now > before => FileState::Worse,
            _ => FileState::Open,
        };
        let renamed = then.filter(|then| then.path != file.path);
        facts.push(FileFact {
            path: path_text(&file.path),
            was: renamed.map(|then| path_text(&then.path)),
            state,
            now,
            then: past.map(|_| before),
            rules: codes(if now > 0 { Some(file) } else { then }),
        });
    }
    let gone = past.into_iter().flat_map(|past| past.scans.values());
    for file in gone.filter(|file| !file.findings.is_empty() && !seen.contains(&file.path)) {
        facts.push(FileFact {
            path: path_text(&file.path),
            was: None,
            state: FileState::Gone,
            now: 0,
            then: Some(file.findings.len()),
            rules: codes(Some(file)),
        });
    }
    facts.sort_by(|one, other| one.path.cmp(&other.path));
    facts
}

fn codes(file: Option<&FileScan>) -> Vec<String> {
    let findings = file.iter().flat_map(|file| &file.findings);
    let codes: BTreeSet<&str> = findings.map(|finding| finding.rule).collect();
    codes.into_iter().map(str::to_owned).collect()
}

pub(super) fn findings(files: &[FileScan], compared: bool) -> Vec<FindingFact> {
    let all = files.iter().flat_map(|file| {
        let own = file.findings.iter();
        own.map(move |finding| FindingFact {
            rule: finding.rule.to_owned(),
            error: is_error(finding),
            path: path_text(&file.path),
            line: finding.start.line,
            column: finding.start.column,
            message: printable(finding.message.as_bytes()),
            help: printable(finding.help.as_bytes()),
            fixable: finding.is_fixable(),
            new: compared.then_some(finding.introduced),
            code: code(finding),
        })
    });
    all.collect()
}

pub(super) fn allowed(files: &[FileScan]) -> Vec<AllowedFact> {
    let all = files.iter().flat_map(|file| {
        let own = file.suppressed.iter();
        own.map(|suppressed| AllowedFact {
            rule: suppressed.finding.rule.to_owned(),
            path: path_text(&file.path),
            line: suppressed.finding.start.line,
            reason: printable(suppressed.reason.as_bytes()),
            until: suppressed.until.map(|until| until.to_string()),
            code: code(&suppressed.finding),
        })
    });
    all.collect()
}

/// The first line of the code, from its first sign on.
fn code(finding: &Finding) -> String {
    let line = finding.source.lines().next().unwrap_or_default();
    let line = printable(line.replace('\t', "    ").trim().as_bytes());
    match line.char_indices().nth(MOST_CODE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

pub(super) fn skipped(files: &[FileScan]) -> Vec<SkippedFact> {
    let all = files.iter().filter_map(|file| match &file.reading {
        Reading::Skipped(reason) => Some(SkippedFact {
            path: path_text(&file.path),
            reason: printable(reason.to_string().as_bytes()),
        }),
        Reading::Whole | Reading::WithErrors { .. } => None,
    });
    all.collect()
}

/// Only bytes that are not UTF-8 need words; what shows a path escapes the rest.
fn path_text(path: &RepoPath) -> String {
    path.as_str()
        .map_or_else(|| printable(path.as_bytes()), str::to_owned)
}
