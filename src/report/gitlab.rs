//! GitLab's code quality report
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use serde::Serialize;

use super::{fingerprints, json_text, path_text, with_help};
use crate::backup::Sum;
use crate::outcome::Outcome;
use crate::policy::{FILE_NAME, Severity};

#[derive(Serialize)]
struct Issue<'o> {
    description: String,
    check_name: &'o str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// An issue of its own: a report without issues says that all is well.
pub(super) fn unjudged(told: &str) -> String {
    json_text(&[Issue {
        description: told.to_owned(),
        check_name: "gpuguard",
        fingerprint: Sum::of(b"gpuguard could not judge").to_string(),
        severity: "blocker",
        location: Location {
            path: FILE_NAME.to_owned(),
            lines: Lines { begin: 1, end: 1 },
        },
    }])
}

pub(super) fn render(outcome: &Outcome) -> String {
    let issues = outcome.introduced().zip(fingerprints(outcome));
    let issues = issues.map(|((file, finding), fingerprint)| Issue {
        description: with_help(finding),
        check_name: finding.rule,
        fingerprint,
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning | Severity::Off => "minor",
        },
        location: Location {
            path: path_text(file),
            lines: Lines {
                begin: finding.start.line,
                end: finding.end.line,
            },
        },
    });
    let refused = outcome.refused_weakenings().map(|weakening| Issue {
        description: format!("policy weakened, which is refused: {}", weakening.what),
        check_name: "gpuguard",
        fingerprint: Sum::of(format!("weakened: {}", weakening.what).as_bytes()).to_string(),
        severity: "blocker",
        location: Location {
            path: FILE_NAME.to_owned(),
            lines: Lines { begin: 1, end: 1 },
        },
    });
    json_text(&refused.chain(issues).collect::<Vec<_>>())
}
