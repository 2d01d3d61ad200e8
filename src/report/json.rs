//! The contract's JSON object, and its schema.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::{json_text, path_text as path};
use crate::outcome::Outcome;
use crate::policy::{Origin, Severity, Weakening};
use crate::scan::{FileScan, Finding, Reading, SkipReason};

/// What `gpuguard scan --format json` prints. Keys may be added; none is renamed or removed, and
/// none changes its meaning, as long as `version` is 1.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "gpuguard scan")]
struct Report<'o> {
    #[schemars(extend("const" = 1))]
    version: u32,
    /// By path and place.
    findings: Vec<Entry<'o>>,
    /// What comments in the code allow; none of these is among the findings.
    suppressed: Vec<SuppressedEntry<'o>>,
    /// In what the change loosens the policy.
    weakened: Vec<Weakened<'o>>,
    /// With `--show-dynamic`: the places whose card only the running program knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic: Option<Vec<Dynamic<'o>>>,
    summary: Summary,
}

/// One place where code breaks a rule.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
struct Entry<'o> {
    /// The rule's code: `gpuguard rule CODE` explains it.
    #[schemars(regex(pattern = "^GG[0-9]{3}$"))]
    rule: &'o str,
    /// Only `error` blocks.
    #[schemars(extend("enum" = ["error", "warning", "off"]))]
    severity: &'static str,
    /// Relative to the repository, or to the folder that was scanned, with `/`. Bytes that are not
    /// UTF-8 stand as `\xff`.
    path: String,
    /// From 1; in a notebook the line of the `.ipynb` file.
    #[schemars(range(min = 1))]
    line: usize,
    /// In characters, from 1.
    #[schemars(range(min = 1))]
    column: usize,
    #[schemars(range(min = 1))]
    end_line: usize,
    /// Of the character behind the last one.
    #[schemars(range(min = 1))]
    end_column: usize,
    /// In a notebook: the cell, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<usize>,
    /// In a notebook: the line in the cell, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell_line: Option<usize>,
    /// What is wrong, and which card would be used.
    message: &'o str,
    /// Whether the change that was judged brings it in; of whole files always.
    introduced: bool,
    /// Whether `gpuguard fix` mends it.
    fixable: bool,
    /// The API or variable, such as `torch.device`.
    api: &'o str,
    /// A few words for the place itself.
    label: &'o str,
    /// How to mend it.
    help: &'o str,
    /// The same for this finding wherever its line moves.
    fingerprint: &'o str,
}

/// A finding that a comment allows.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Suppressed")]
struct SuppressedEntry<'o> {
    #[serde(flatten)]
    entry: Entry<'o>,
    /// Why, in the comment's words.
    reason: &'o str,
    /// The last day on which it is allowed, `2027-01-31`.
    until: Option<String>,
}

/// In what a change loosens the policy; `path` and `line` of the policy file that says so now,
/// where one does.
#[derive(Serialize, JsonSchema)]
struct Weakened<'o> {
    what: &'o str,
    path: Option<&'o str>,
    line: Option<usize>,
}

/// A place whose card only the running program knows.
#[derive(Serialize, JsonSchema)]
struct Dynamic<'o> {
    path: String,
    line: usize,
    column: usize,
    api: &'o str,
}

/// What was looked at.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// How many files were scanned.
    files: usize,
    /// The files that were not scanned.
    skipped: Vec<Skipped>,
    /// The files that were scanned as far as they could be understood.
    syntax_errors: Vec<SyntaxError>,
    /// How many findings of the change block.
    errors: usize,
    /// How many findings of the change do not.
    warnings: usize,
    /// How many findings comments allow.
    suppressed: usize,
}

#[derive(Serialize, JsonSchema)]
struct Skipped {
    path: String,
    #[schemars(extend("enum" = [
        "excluded", "no-policy", "binary", "too-large", "undecodable", "no-language", "lfs-pointer",
        "checkpoint", "malformed", "unreadable",
    ]))]
    reason: &'static str,
    /// The reason for people.
    detail: String,
}

#[derive(Serialize, JsonSchema)]
struct SyntaxError {
    path: String,
    /// Of the first error.
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
    json_text(&report)
}

/// The JSON schema of what `scan --format json` prints.
pub fn scan_schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.into_generator();
    generator
        .into_root_schema_for::<Report<'static>>()
        .to_value()
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

fn word(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Excluded => "excluded",
        SkipReason::NoPolicy => "no-policy",
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
