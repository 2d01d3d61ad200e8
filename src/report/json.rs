//! The contract's JSON object.

use serde::Serialize;

use crate::outcome::Outcome;
use crate::policy::{Origin, Severity, Weakening};
use crate::scan::{FileScan, Finding, Reading, SkipReason};
use crate::text::printable;

#[derive(Serialize)]
struct Report<'o> {
    version: u32,
    findings: Vec<Entry<'o>>,
    suppressed: Vec<SuppressedEntry<'o>>,
    /// In what the change loosens the policy.
    weakened: Vec<Weakened<'o>>,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic: Option<Vec<Dynamic<'o>>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Entry<'o> {
    rule: &'o str,
    severity: &'static str,
    path: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell_line: Option<usize>,
    message: &'o str,
    introduced: bool,
    fixable: bool,
    api: &'o str,
    label: &'o str,
    help: &'o str,
    fingerprint: &'o str,
}

/// A finding that a comment allows.
#[derive(Serialize)]
struct SuppressedEntry<'o> {
    #[serde(flatten)]
    entry: Entry<'o>,
    reason: &'o str,
    until: Option<String>,
}

/// `path` and `line` of the policy file that says so now, where one does.
#[derive(Serialize)]
struct Weakened<'o> {
    what: &'o str,
    path: Option<&'o str>,
    line: Option<usize>,
}

#[derive(Serialize)]
struct Dynamic<'o> {
    path: String,
    line: usize,
    column: usize,
    api: &'o str,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    skipped: Vec<Skipped>,
    syntax_errors: Vec<SyntaxError>,
    errors: usize,
    warnings: usize,
    suppressed: usize,
}

#[derive(Serialize)]
struct Skipped {
    path: String,
    reason: &'static str,
    detail: String,
}

#[derive(Serialize)]
struct SyntaxError {
    path: String,
    line: usize,
}

pub(super) fn render(outcome: &Outcome) -> String {
    let count = |severity| {
        outcome
            .findings()
            .filter(|(_, finding)| finding.introduced && finding.severity == severity)
            .count()
    };
    let report = Report {
        version: 1,
        findings: outcome
            .findings()
            .map(|(file, finding)| entry(file, finding))
            .collect(),
        suppressed: outcome
            .suppressed()
            .map(|(file, suppressed)| SuppressedEntry {
                entry: entry(file, &suppressed.finding),
                reason: &suppressed.reason,
                until: suppressed.until.map(|until| until.to_string()),
            })
            .collect(),
        weakened: outcome.weakened.iter().map(weakened).collect(),
        dynamic: outcome.lists_dynamic.then(|| dynamic(outcome)),
        summary: Summary {
            files: outcome.scanned(),
            skipped: outcome
                .skipped()
                .map(|(file, reason)| Skipped {
                    path: path(file),
                    reason: word(reason),
                    detail: reason.to_string(),
                })
                .collect(),
            syntax_errors: outcome
                .files
                .iter()
                .filter_map(|file| match file.reading {
                    Reading::WithErrors { line } => Some(SyntaxError {
                        path: path(file),
                        line,
                    }),
                    Reading::Whole | Reading::Skipped(_) => None,
                })
                .collect(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            suppressed: outcome.suppressed().count(),
        },
    };
    // Strings and numbers only: this cannot fail.
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn weakened(weakening: &Weakening) -> Weakened<'_> {
    let place = match &weakening.origin {
        Some(Origin::File { path, line } | Origin::User { path, line }) => {
            Some((path.as_str(), *line))
        }
        Some(Origin::Environment { .. } | Origin::Default) | None => None,
    };
    Weakened {
        what: &weakening.what,
        path: place.map(|(path, _)| path),
        line: place.map(|(_, line)| line),
    }
}

fn dynamic(outcome: &Outcome) -> Vec<Dynamic<'_>> {
    let places = outcome.dynamic().map(|(file, place)| Dynamic {
        path: path(file),
        line: place.start.line,
        column: place.start.column,
        api: place.api,
    });
    places.collect()
}

fn entry<'o>(file: &FileScan, finding: &'o Finding) -> Entry<'o> {
    Entry {
        rule: finding.rule,
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Off => "off",
        },
        path: path(file),
        line: finding.start.line,
        column: finding.start.column,
        end_line: finding.end.line,
        end_column: finding.end.column,
        cell: finding.cell.map(|place| place.cell),
        cell_line: finding.cell.map(|place| place.line),
        message: &finding.message,
        introduced: finding.introduced,
        fixable: finding.is_fixable(),
        api: finding.api,
        label: &finding.label,
        help: &finding.help,
        fingerprint: &finding.fingerprint.0,
    }
}

/// JSON escapes by itself what a terminal would obey; only bytes that are not UTF-8 need words.
fn path(file: &FileScan) -> String {
    file.path
        .as_str()
        .map_or_else(|| printable(file.path.as_bytes()), str::to_owned)
}

fn word(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Excluded => "excluded",
        SkipReason::Binary => "binary",
        SkipReason::TooLarge { .. } => "too-large",
        SkipReason::Undecodable => "undecodable",
        SkipReason::NoLanguage => "no-language",
        SkipReason::LfsPointer => "lfs-pointer",
        SkipReason::Checkpoint => "checkpoint",
        SkipReason::Malformed { .. } => "malformed",
        SkipReason::Unreadable { .. } => "unreadable",
    }
}
