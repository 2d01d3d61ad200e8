//! For people: each finding with its line of code, the card, and the fix.

use std::collections::HashSet;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::fix_diff::{fix_diff, has_diff};
use super::{Style, summary::summary};
use crate::outcome::Outcome;
use crate::policy::Severity;
use crate::scan::{FileScan, Finding, Suppressed};
use crate::text::{Edit, ascii, printable};

/// On a terminal narrower than this, what stands beside the carets moves below the code.
const NARROW: usize = 60;

pub(super) fn render(outcome: &Outcome, style: &Style) -> String {
    let mut text = findings(outcome, style);
    text.push_str(&summary(outcome, style));
    text
}

/// The findings of the change (with [`Style::verbose`] the old and the allowed ones too), an
/// empty line behind each.
pub fn findings(outcome: &Outcome, style: &Style) -> String {
    let all: Vec<Shown<'_>> = shown_findings(outcome, style).collect();
    written(&all, style)
}

/// The first `limit` of what [`findings`] shows, those that block before all others; how many these
/// are, and how many there are.
pub fn findings_up_to(outcome: &Outcome, style: &Style, limit: usize) -> (String, usize, usize) {
    let mut all: Vec<Shown<'_>> = shown_findings(outcome, style).collect();
    all.sort_by_key(|(_, finding, _)| !finding.blocks());
    let total = all.len();
    all.truncate(limit);
    (written(&all, style), all.len(), total)
}

/// A finding with its file, and what becomes of it.
type Shown<'o> = (&'o FileScan, &'o Finding, Standing<'o>);

fn written(findings: &[Shown<'_>], style: &Style) -> String {
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer
        .decor_style(DecorStyle::Ascii)
        .term_width(style.width);
    let mut text = String::new();
    let mut diffs = ShownDiffs::default();
    for (file, finding, standing) in findings {
        let shown = one(&renderer, style, (*file, *finding), *standing);
        let _ = writeln!(text, "{shown}");
        match diffs.take(file, finding, *standing) {
            Some(Shows::New) => text.push_str(&fix_diff(finding, style)),
            Some(Shows::Again) => text.push_str("  (the change shown above mends this too)\n"),
            None => {}
        }
        text.push('\n');
    }
    style.in_its_characters(text)
}

/// What is shown, and what becomes of it: the allowed ones behind the others.
fn shown_findings<'o>(outcome: &'o Outcome, style: &Style) -> impl Iterator<Item = Shown<'o>> {
    let verbose = style.verbose;
    let standing = |finding: &Finding| {
        if finding.introduced {
            Standing::New
        } else {
            Standing::Old
        }
    };
    let found = outcome
        .findings()
        .filter(move |(_, finding)| finding.introduced || verbose)
        .map(move |(file, finding)| (file, finding, standing(finding)));
    let allowed = outcome
        .suppressed()
        .filter(move |_| verbose)
        .map(|(file, it)| (file, &it.finding, Standing::Allowed(it)));
    found.chain(allowed)
}

/// The diffs that were shown: what mends several findings of a file is shown once.
#[derive(Default)]
struct ShownDiffs<'o>(HashSet<(&'o [u8], &'o [Edit])>);

/// Whether a diff is one that was not shown yet.
enum Shows {
    New,
    Again,
}

impl<'o> ShownDiffs<'o> {
    /// The diff that a finding has to show, if it has one.
    fn take(
        &mut self,
        file: &'o FileScan,
        finding: &'o Finding,
        of: Standing<'_>,
    ) -> Option<Shows> {
        let fix = finding.fix.as_ref().filter(|fix| has_diff(fix))?;
        if matches!(of, Standing::Allowed(_)) {
            return None;
        }
        let is_new = self.0.insert((file.path.as_bytes(), &fix.edits));
        Some(if is_new { Shows::New } else { Shows::Again })
    }
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
                    format!(": {}", shown(reason, &Style::default()))
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
    let [head, marked, tail] = [head, marked, tail].map(|part| shown(part, style));
    let span = head.len()..head.len() + marked.len();
    let source = format!("{head}{marked}{tail}");
    // In a notebook people see cells, not the lines of the file.
    let (path, line) = match finding.cell {
        Some(place) => (format!("{}:cell {}", file.path, place.cell), place.line),
        None => (file.path.to_string(), finding.start.line),
    };
    let mark = AnnotationKind::Primary.span(span);
    let is_narrow = style.width < NARROW;
    let mark = if is_narrow {
        mark
    } else {
        mark.label(finding.label.clone())
    };
    let snippet = Snippet::source(source)
        .line_start(line)
        .path(path.clone())
        .annotation(mark);
    // What `gpuguard fix` would do is called so.
    let help = if finding.is_fixable() {
        Level::HELP.with_name("fix")
    } else {
        Level::HELP
    };
    let mut group = level
        .primary_title(wrapped(
            &format!("{}{}", shown(&finding.message, style), standing.words()),
            style.width,
        ))
        .id(finding.rule)
        .element(snippet);
    if is_narrow {
        group = group.element(Level::NOTE.message(wrapped(&finding.label, style.width)));
    }
    let group = group.element(help.message(wrapped(&finding.help, style.width)));
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
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let width = width.saturating_sub(16).max(16);
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
pub(super) fn shown(text: &str, style: &Style) -> String {
    let text = text
        .split('\n')
        .map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let parts: Vec<String> = line
                .split('\t')
                .map(|part| printable(part.as_bytes()))
                .collect();
            parts.join("    ")
        })
        .collect::<Vec<_>>()
        .join("\n");
    if style.ascii { ascii(&text) } else { text }
}

/// `1 file`, `2 files`.
pub(super) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
