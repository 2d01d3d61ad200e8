//! Shows an [`Outcome`], and a dashboard: one file for each format.

mod concise;
mod dashboard_chart;
mod dashboard_html;
mod dashboard_markdown;
mod dashboard_tables;
mod fix_diff;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod next_step;
mod sarif;
mod soak_plot;
mod statistics;
mod summary;
mod unjudged;
mod verdict;

use std::collections::HashMap;

use crate::backup::Sum;
use crate::git::RepoPath;
use crate::outcome::Outcome;
use crate::scan::{FileScan, Finding, Fingerprint};
use crate::text::{ascii, printable};

pub use dashboard_html::dashboard_html;
pub use dashboard_markdown::dashboard_markdown;
pub use human::{findings, findings_up_to};
pub use json::scan_schema;
pub use soak_plot::soak_plot;
pub use statistics::statistics;
pub use summary::{looked_at, not_judged, read_in_part, summary, summary_after_fix};
pub use unjudged::unjudged;
pub use verdict::verdict;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// One line for each finding.
    Concise,
    /// One JSON object, as the contract says.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
}

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// Also what decides nothing: old findings, how long it took.
    pub verbose: bool,
    /// Width of the terminal in columns.
    pub width: usize,
    /// In characters of ASCII alone: the terminal's locale has no others.
    pub ascii: bool,
}

impl Style {
    /// `text` in the characters that can be shown.
    fn in_its_characters(&self, text: String) -> String {
        if self.ascii { ascii(&text) } else { text }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            verbose: false,
            width: 100,
            ascii: false,
        }
    }
}

/// The outcome as text that ends with a line end.
pub fn render(format: Format, outcome: &Outcome, style: &Style) -> String {
    match format {
        Format::Human => human::render(outcome, style),
        Format::Concise => concise::render(outcome),
        Format::Json => json::render(outcome),
        Format::Sarif => sarif::render(outcome),
        Format::Github => github::render(outcome),
        Format::Gitlab => gitlab::render(outcome),
        Format::Junit => junit::render(outcome),
    }
}

/// A path for programs, which escape by themselves what a terminal would obey: only bytes that
/// are not UTF-8 need words.
fn path_text(file: &FileScan) -> String {
    let path = &file.path;
    path.as_str()
        .map_or_else(|| printable(path.as_bytes()), str::to_owned)
}

/// What is wrong, and on a line of its own what to do.
fn with_help(finding: &Finding) -> String {
    if finding.help.is_empty() {
        return finding.message.clone();
    }
    format!("{}\nfix: {}", finding.message, finding.help)
}

/// A name for each of [`Outcome::introduced`] that stays the same wherever its line moves, and
/// that no other of them has.
fn fingerprints(outcome: &Outcome) -> impl Iterator<Item = String> {
    let mut seen: HashMap<(&RepoPath, &Fingerprint), usize> = HashMap::new();
    outcome.introduced().map(move |(file, finding)| {
        let number = seen.entry((&file.path, &finding.fingerprint)).or_default();
        *number += 1;
        let number = number.to_string();
        let parts: [&[u8]; 5] = [
            file.path.as_bytes(),
            b"\0",
            finding.fingerprint.0.as_bytes(),
            b"\0",
            number.as_bytes(),
        ];
        Sum::of(&parts.concat()).to_string()
    })
}

/// JSON over several lines, with a line end. Strings and numbers only: it cannot fail.
fn json_text(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
