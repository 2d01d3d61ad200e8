//! For people: what was looked at, and what to type next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::Style;
use super::human::{count, shown, wrapped};
use crate::outcome::Outcome;
use crate::policy::Severity;
use crate::scan::rule::Rule;
use crate::scan::{Finding, Reading, Safety, SkipReason};

/// No pass.
const NOTHING_SCANNED: &str = "no files were scanned: nothing is known about this code";

/// What was looked at: rules, skipped files, files with syntax errors; in the last line how many
/// files, how long it took, and what to type next.
pub fn summary(outcome: &Outcome, style: &Style) -> String {
    summary_for(outcome, style, Reader::Scanned)
}

/// The same for whoever has just had mended what could be: what is left is theirs.
pub fn summary_after_fix(outcome: &Outcome, style: &Style) -> String {
    summary_for(outcome, style, Reader::Fixed)
}

/// What was done before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Scanned,
    Fixed,
}

fn summary_for(outcome: &Outcome, style: &Style, reader: Reader) -> String {
    let mut text = String::new();
    if outcome.scanned() == 0 {
        let _ = writeln!(text, "{NOTHING_SCANNED}");
    }
    rules(outcome, &mut text);
    text.push_str(&details(outcome, style));
    if outcome.refuses_weakened {
        text.push_str(
            "  refused: `weakening = \"refuse\"` under `[hook]` in the policy from before says so\n",
        );
    }
    text.push_str(&fixable(outcome, reader));
    dynamic(outcome, &mut text);
    if outcome.scanned() > 0 {
        text.push_str(&last_line(outcome, style, reader));
    }
    style.in_its_characters(text)
}

fn last_line(outcome: &Outcome, style: &Style, reader: Reader) -> String {
    let mut line = looked_at(outcome);
    if let Some(next) = next_step(outcome, reader) {
        let _ = write!(line, "; next: {next}");
    }
    format!("{}\n", wrapped(&line, style.width.saturating_add(16)))
}

/// How many files were scanned, what came of it, and how long it took, in one line.
pub fn looked_at(outcome: &Outcome) -> String {
    let scanned = outcome.scanned();
    if scanned == 0 {
        return NOTHING_SCANNED.to_owned();
    }
    let with_problems = outcome
        .files
        .iter()
        .filter(|file| file.findings.iter().any(|finding| finding.introduced))
        .count();
    let clean = scanned - with_problems;
    let problems = match with_problems {
        0 => "no problems".to_owned(),
        _ => format!("{clean} clean, {with_problems} with problems"),
    };
    let files = count(scanned, "file");
    let time = how_long(outcome.elapsed);
    format!("{files} scanned: {problems} ({time})")
}

/// A time in the unit that people would use.
pub(super) fn how_long(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs())
    }
}

/// What to type where something was found.
fn next_step(outcome: &Outcome, reader: Reader) -> Option<String> {
    let new = || outcome.introduced().map(|(_, finding)| finding);
    let first = new().find(|finding| finding.blocks()).or(new().next())?;
    let explain = format!("`gpuguard rule {}` explains", first.rule);
    Some(
        if reader == Reader::Scanned && new().any(Finding::is_fixable) {
            format!("`gpuguard fix --diff` shows what can be mended, {explain}")
        } else {
            explain
        },
    )
}

/// What decides nothing but should be known: old problems, skipped files, syntax errors, notes.
pub(super) fn details(outcome: &Outcome, style: &Style) -> String {
    let mut text = String::new();
    for weakening in &outcome.weakened {
        let place = weakening.origin.as_ref();
        let place = place.map_or_else(String::new, |origin| format!(" ({origin})"));
        let _ = writeln!(
            text,
            "  policy weakened: {}{}",
            shown(&weakening.what, style),
            shown(&place, style)
        );
    }
    let old = outcome
        .findings()
        .filter(|(_, finding)| !finding.introduced)
        .count();
    if old > 0 {
        let shown = if style.verbose { "" } else { " (`-v` shows)" };
        let _ = writeln!(
            text,
            "  {}{shown}: there before, not blocking",
            count(old, "old finding")
        );
    }
    let allowed = outcome.suppressed().count();
    if allowed > 0 {
        let shown = if style.verbose { "" } else { " (`-v` shows)" };
        let _ = writeln!(text, "  {allowed} allowed by comments{shown}");
    }
    if let Some(left) = not_judged(outcome) {
        let _ = writeln!(text, "  {left}");
    }
    for line in read_in_part(outcome) {
        let _ = writeln!(text, "  {}", shown(&line, style));
    }
    for note in &outcome.notes {
        let _ = writeln!(text, "  {}", shown(note, style));
    }
    text
}

/// The files that were not read, or not to their end, a line each.
pub fn read_in_part(outcome: &Outcome) -> Vec<String> {
    let named = |reason: &&SkipReason| **reason != SkipReason::NoPolicy;
    let skipped = outcome.skipped().filter(|(_, reason)| named(reason));
    let mut lines: Vec<String> = skipped
        .map(|(file, reason)| format!("skipped {}: {reason}", file.path))
        .collect();
    for file in &outcome.files {
        if let Reading::WithErrors { line } = file.reading {
            let path = &file.path;
            lines.push(format!(
                "{path}: syntax error on line {line}; the rest was scanned"
            ));
        }
    }
    lines
}

/// How many files have no policy, where that is some; one line, since they can be most of a tree.
pub fn not_judged(outcome: &Outcome) -> Option<String> {
    let is_left = |reason: &SkipReason| *reason == SkipReason::NoPolicy;
    let left = outcome.skipped().filter(|(_, reason)| is_left(reason));
    match left.count() {
        0 => None,
        1 => Some("1 file not judged: no gpuguard.toml in its folder or above it".to_owned()),
        left => Some(format!(
            "{left} files not judged: no gpuguard.toml in their folders or above them"
        )),
    }
}

/// How many of the findings that count `gpuguard fix` would mend; nothing where it is none.
fn fixable(outcome: &Outcome, reader: Reader) -> String {
    let fixes = || {
        let counting = outcome.introduced();
        counting.filter_map(|(_, finding)| finding.fix.as_ref())
    };
    let safe = fixes().filter(|fix| fix.safety == Safety::Safe).count();
    let more = fixes().count() - safe;
    let safe = if reader == Reader::Fixed { 0 } else { safe };
    match (safe, more) {
        (0, 0) => String::new(),
        (0, _) => format!("  {more} fixable with `gpuguard fix --unsafe-fixes`\n"),
        (_, 0) => format!("  {safe} fixable with `gpuguard fix`\n"),
        _ => format!("  {safe} fixable with `gpuguard fix`, {more} more with `--unsafe-fixes`\n"),
    }
}

/// The places whose card is decided at run time, where they were asked for.
fn dynamic(outcome: &Outcome, text: &mut String) {
    if !outcome.lists_dynamic {
        return;
    }
    let places = outcome.dynamic().count();
    let _ = writeln!(
        text,
        "  {}: the card is decided at run time, not judged",
        count(places, "dynamic place")
    );
    for (file, place) in outcome.dynamic() {
        let _ = writeln!(
            text,
            "    {}:{}:{}: {}",
            file.path, place.start.line, place.start.column, place.api
        );
    }
}

fn rules(outcome: &Outcome, text: &mut String) {
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for (_, finding) in outcome.introduced() {
        *counts.entry((finding.rule, finding.severity)).or_default() += 1;
    }
    for ((rule, severity), count) in counts {
        let summary = Rule::of(rule).map_or("", |rule| rule.summary);
        let kind = if severity == Severity::Warning {
            " (warning)"
        } else {
            ""
        };
        let _ = writeln!(text, "  {rule} x{count}{kind}: {summary}");
    }
}
