//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), with the properties that
//! GitHub's code scanning asks for
//! (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};

use super::{fingerprints, json_text, with_help};
use crate::outcome::{Answer, Outcome};
use crate::policy::Severity;
use crate::scan::rule::{RULES, Rule};
use crate::scan::{FileScan, Finding, Reading};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What stands for itself in the path of a URI (RFC 3986, section 2.3), and what divides it.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn render(outcome: &Outcome) -> String {
    let results: Vec<Value> = outcome
        .introduced()
        .zip(fingerprints(outcome))
        .map(|((file, finding), fingerprint)| result(file, finding, &fingerprint))
        .collect();
    let invocation = json!({
        "executionSuccessful": true,
        "exitCode": match outcome.answer() {
            Answer::Fine => 0,
            Answer::No => 1,
        },
        "toolExecutionNotifications": notifications(outcome),
    });
    document(outcome, &invocation, &results)
}

pub(super) fn unjudged(told: &str) -> String {
    let invocation = json!({
        "executionSuccessful": false,
        "exitCode": 2,
        "exitCodeDescription": "it could not be judged",
        "toolExecutionNotifications": [{"level": "error", "message": {"text": told}}],
    });
    document(&Outcome::default(), &invocation, &[])
}

fn document(outcome: &Outcome, invocation: &Value, results: &[Value]) -> String {
    json_text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "gpuguard",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [invocation],
            "automationDetails": {"id": "gpuguard/"},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "filesScanned": outcome.scanned(),
                "filesSkipped": outcome.skipped().count(),
            },
        }],
    }))
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "tags": ["gpu"],
            "precision": "high",
            "problem.severity": level(rule.severity),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Off => "none",
    }
}

fn result(file: &FileScan, finding: &Finding, fingerprint: &str) -> Value {
    let mut location = location(file);
    location["physicalLocation"]["region"] = json!({
        "startLine": finding.start.line,
        "startColumn": finding.start.column,
        "endLine": finding.end.line,
        "endColumn": finding.end.column,
    });
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.code == finding.rule),
        "level": level(finding.severity),
        "message": {"text": with_help(finding)},
        "locations": [location],
        "partialFingerprints": {"gpuguardFinding/v1": fingerprint},
    })
}

/// The file, as its path from the root of what was scanned.
fn location(file: &FileScan) -> Value {
    let uri = percent_encode(file.path.as_bytes(), PATH).to_string();
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
    }})
}

/// In what the policy is loosened, what was not read, or not to its end.
fn notifications(outcome: &Outcome) -> Vec<Value> {
    let told = outcome.files.iter().filter_map(|file| {
        let (level, text) = match &file.reading {
            Reading::Whole => return None,
            Reading::Skipped(reason) => ("note", format!("not scanned: {reason}")),
            Reading::WithErrors { line } => {
                let text = format!("syntax error on line {line}; the rest was scanned");
                ("warning", text)
            }
        };
        Some(json!({
            "level": level,
            "message": {"text": text},
            "locations": [location(file)],
        }))
    });
    let weakened = outcome.weakened.iter().map(|weakening| {
        let text = format!("policy weakened: {}", weakening.what);
        let level = if outcome.refuses_weakened {
            "error"
        } else {
            "warning"
        };
        json!({"level": level, "message": {"text": text}})
    });
    weakened.chain(told).collect()
}
