//! For people: each finding with its line of code, then what was looked at.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Style;
use crate::outcome::Outcome;
use crate::policy::Severity;
use crate::scan::{FileScan, Finding, Reading, Safety, Suppressed};
use crate::text::printable;

pub(super) fn render(outcome: &Outcome, style: &Style) -> String {
    let mut text = findings(outcome, style);
    text.push_str(&summary(outcome, style));
    text
}

/// The findings of the change (with [`Style::verbose`] the old and the allowed ones too), an
/// empty line behind each.
pub fn findings(outcome: &Outcome, style: &Style) -> String {
    findings_up_to(outcome, style, usize::MAX).0
}

/// The first `limit` of what [`findings`] shows, how many these are, and how many there are.
pub fn findings_up_to(outcome: &Outcome, style: &Style, limit: usize) -> (String, usize, usize) {
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer
        .decor_style(DecorStyle::Ascii)
        .term_width(style.width);
    let mut text = String::new();
    let mut total = 0;
    let mut add = |file: &FileScan, finding: &Finding, standing: Standing<'_>| {
        if total < limit {
            let shown = one(&renderer, style, (file, finding), standing);
            let _ = write!(text, "{shown}\n\n");
        }
        total += 1;
    };
    for (file, finding) in outcome.findings() {
        if finding.introduced {
            add(file, finding, Standing::New);
        } else if style.verbose {
            add(file, finding, Standing::Old);
        }
    }
    for (file, suppressed) in outcome.suppressed().filter(|_| style.verbose) {
        add(file, &suppressed.finding, Standing::Allowed(suppressed));
    }
    (text, total.min(limit), total)
}

/// What becomes of a finding.
#[derive(Clone, Copy)]
enum Standing<'o> {
    New,
    Old,
    Allowed(&'o Suppressed),
}

impl Standing<'_> {
    /// What is said behind the message.
    fn words(self) -> String {
        match self {
            Self::New => String::new(),
            Self::Old => " (was there before)".to_owned(),
            Self::Allowed(Suppressed { reason, until, .. }) => {
                let until = until.map_or(String::new(), |until| format!(" until {until}"));
                let why = if reason.is_empty() {
                    String::new()
                } else {
                    format!(": {}", shown(reason))
                };
                format!(" (allowed{until}{why})")
            }
        }
    }
}

fn one(
    renderer: &Renderer,
    style: &Style,
    (file, finding): (&FileScan, &Finding),
    standing: Standing<'_>,
) -> String {
    let level = match (standing, finding.severity) {
        (Standing::Allowed(_), _) => Level::NOTE,
        (_, Severity::Error) => Level::ERROR,
        (_, Severity::Warning | Severity::Off) => Level::WARNING,
    };
    // Line ends and control characters of foreign code must not reach the terminal; the place
    // moves with what is escaped before it.
    let before = finding.span.start.saturating_sub(finding.source_offset);
    let length = finding.span.end.saturating_sub(finding.span.start);
    let (head, rest) = split(&finding.source, before);
    let (marked, tail) = split(rest, length);
    let (head, marked, tail) = (shown(head), shown(marked), shown(tail));
    let span = head.len()..head.len() + marked.len();
    let source = format!("{head}{marked}{tail}");
    // In a notebook people see cells, not the lines of the file.
    let (path, line) = match finding.cell {
        Some(place) => (format!("{}:cell {}", file.path, place.cell), place.line),
        None => (file.path.to_string(), finding.start.line),
    };
    let snippet = Snippet::source(source)
        .line_start(line)
        .path(path.clone())
        .annotation(
            AnnotationKind::Primary
                .span(span)
                .label(finding.label.clone()),
        );
    // What `gpuguard fix` would do is called so.
    let help = if finding.is_fixable() {
        Level::HELP.with_name("fix")
    } else {
        Level::HELP
    };
    let group = level
        .primary_title(wrapped(
            &format!("{}{}", shown(&finding.message), standing.words()),
            style.width,
        ))
        .id(finding.rule)
        .element(snippet)
        .element(help.message(wrapped(&finding.help, style.width)));
    let text = renderer.render(&[group]);
    let place = format!("{path}:{line}:");
    let column = match finding.cell {
        Some(place) => format!("{} (line {})", place.column, finding.start.line),
        None => finding.start.column.to_string(),
    };
    with_column(&text, &place, &column)
}

/// `text` with the column in the file behind the first `place`: the renderer counts in what it is
/// given to show.
fn with_column(text: &str, place: &str, column: &str) -> String {
    let Some((before, after)) = text.split_once(place) else {
        return text.to_owned();
    };
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{place}{column}{after}")
}

/// `text` in lines that leave room for what stands before them (`error[GG006]: `). The renderer
/// cuts long lines of code by itself, but not what is said about them.
fn wrapped(text: &str, width: usize) -> String {
    let width = width.saturating_sub(16).max(40);
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > width {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word_length;
    }
    lines
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// `text` with its line ends and tabs, all else made printable.
fn shown(text: &str) -> String {
    text.split('\n')
        .map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let parts: Vec<String> = line
                .split('\t')
                .map(|part| printable(part.as_bytes()))
                .collect();
            parts.join("    ")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// What was looked at: counts, rules, skipped files, files with syntax errors.
pub fn summary(outcome: &Outcome, style: &Style) -> String {
    let mut text = String::new();
    let scanned = outcome.scanned();
    if scanned == 0 {
        text.push_str("no files were scanned: nothing is known about this code\n");
    } else {
        let with_problems = outcome
            .files
            .iter()
            .filter(|file| file.findings.iter().any(|finding| finding.introduced))
            .count();
        let clean = scanned - with_problems;
        let problems = match with_problems {
            0 => "no problems".to_owned(),
            1 => format!("{clean} clean, 1 with problems"),
            _ => format!("{clean} clean, {with_problems} with problems"),
        };
        let _ = writeln!(text, "{} scanned: {problems}", count(scanned, "file"));
    }
    rules(outcome, &mut text);
    text.push_str(&details(outcome, style));
    text.push_str(&fixable(outcome));
    dynamic(outcome, &mut text);
    if style.verbose {
        let _ = writeln!(text, "  took {} ms", outcome.elapsed.as_millis());
    }
    text
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
            shown(&weakening.what),
            shown(&place)
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
    for (file, reason) in outcome.skipped() {
        let _ = writeln!(
            text,
            "  skipped {}: {}",
            file.path,
            shown(&reason.to_string())
        );
    }
    for file in &outcome.files {
        if let Reading::WithErrors { line } = file.reading {
            let _ = writeln!(
                text,
                "  {}: syntax error on line {line}; the rest was scanned",
                file.path
            );
        }
    }
    for note in &outcome.notes {
        let _ = writeln!(text, "  {}", shown(note));
    }
    text
}

/// How many of the findings that count `gpuguard fix` would mend; nothing where it is none.
fn fixable(outcome: &Outcome) -> String {
    let fixes = || {
        let counting = outcome.findings().filter(|(_, finding)| finding.introduced);
        counting.filter_map(|(_, finding)| finding.fix.as_ref())
    };
    let safe = fixes().filter(|fix| fix.safety == Safety::Safe).count();
    let more = fixes().count() - safe;
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
    for (_, finding) in outcome.findings().filter(|(_, finding)| finding.introduced) {
        *counts.entry((finding.rule, finding.severity)).or_default() += 1;
    }
    for ((rule, severity), count) in counts {
        let summary = crate::scan::rule::Rule::of(rule).map_or("", |rule| rule.summary);
        let kind = if severity == Severity::Warning {
            " (warning)"
        } else {
            ""
        };
        let _ = writeln!(text, "  {rule} x{count}{kind}: {summary}");
    }
}

/// `1 file`, `2 files`.
pub(super) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
