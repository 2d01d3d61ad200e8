//! Counts by rule and by API, as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::git::RepoPath;
use crate::outcome::Outcome;

/// How many files were looked at, are clean and have problems; then each rule with each API that
/// it was found at, most frequent rule first.
pub fn statistics(outcome: &Outcome) -> String {
    let analysed = outcome.scanned();
    let with_problems = outcome
        .files
        .iter()
        .filter(|file| !file.findings.is_empty())
        .count();
    let mut text = format!(
        "files analysed       {analysed:>6}\n\
         files clean          {:>6}\n\
         files with problems  {with_problems:>6}\n\
         files skipped        {:>6}\n",
        analysed - with_problems,
        outcome.skipped().count(),
    );
    let allowed = outcome.suppressed().count();
    if allowed > 0 {
        let _ = writeln!(text, "allowed by comments  {allowed:>6}");
    }
    let mut by_rule: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    let mut by_api: BTreeMap<(&str, &str), Tally<'_>> = BTreeMap::new();
    for (file, finding) in outcome.findings() {
        by_rule.entry(finding.rule).or_default().add(&file.path);
        by_api
            .entry((finding.rule, finding.api))
            .or_default()
            .add(&file.path);
    }
    if by_rule.is_empty() {
        return text;
    }
    let width = by_api
        .keys()
        .map(|(_, api)| api.len())
        .max()
        .unwrap_or(0)
        .max("api".len());
    let _ = writeln!(text, "\nrule   {:<width$}  count  files", "api");
    let mut rules: Vec<_> = by_rule.into_iter().collect();
    rules.sort_by_key(|(rule, tally)| (std::cmp::Reverse(tally.count), *rule));
    for (rule, tally) in rules {
        let _ = writeln!(text, "{rule}  {:<width$}  {tally}", "all");
        for ((_, api), tally) in by_api.iter().filter(|((of, _), _)| *of == rule) {
            let _ = writeln!(text, "       {api:<width$}  {tally}");
        }
    }
    text
}

#[derive(Default)]
struct Tally<'o> {
    count: usize,
    files: BTreeSet<&'o RepoPath>,
}

impl<'o> Tally<'o> {
    fn add(&mut self, file: &'o RepoPath) {
        self.count += 1;
        self.files.insert(file);
    }
}

impl std::fmt::Display for Tally<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>5}  {:>5}", self.count, self.files.len())
    }
}
