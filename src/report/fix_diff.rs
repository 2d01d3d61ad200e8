//! The fix of a finding as a diff, in the columns of the code above it.

use std::fmt::Write as _;

use anstyle::AnsiColor;

use super::Style;
use super::human::shown;
use crate::scan::{Finding, Fix, Safety};

/// So many lines of a fix are shown.
const MOST: usize = 16;

/// Whether there is something to show.
pub(super) fn has_diff(fix: &Fix) -> bool {
    fix.diff
        .iter()
        .any(|change| !change.removed.is_empty() || !change.added.is_empty())
}

/// The lines that a fix takes away and puts in their place, with their numbers in the file.
pub(super) fn fix_diff(finding: &Finding, style: &Style) -> String {
    let Some(fix) = &finding.fix else {
        return String::new();
    };
    let mut lines: Vec<(usize, char, &str)> = Vec::new();
    for change in &fix.diff {
        let side = change.removed.iter().enumerate();
        lines.extend(side.map(|(at, text)| (change.line + at, '-', text.as_str())));
        let side = change.added.iter().enumerate();
        lines.extend(side.map(|(at, text)| (change.line + at, '+', text.as_str())));
    }
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    let last = lines.iter().map(|(line, ..)| *line).max().unwrap_or(0);
    let digits = last.max(finding.start.line).to_string().len();
    let mut text = String::new();
    let paint = |color: AnsiColor, words: &str| {
        let color = color.on_default();
        if style.color {
            format!("{color}{words}{color:#}")
        } else {
            words.to_owned()
        }
    };
    let bar = paint(AnsiColor::BrightBlue, "|");
    let _ = writeln!(text, "{:digits$} {bar}", "");
    for (line, mark, code) in lines {
        let color = if mark == '-' {
            AnsiColor::Red
        } else {
            AnsiColor::Green
        };
        let code = cut(&shown(code, style), style.width.saturating_sub(digits + 3));
        let words = format!("{mark} {code}");
        let number = paint(AnsiColor::BrightBlue, &format!("{line:>digits$}"));
        let _ = writeln!(text, "{number} {}", paint(color, words.trim_end()));
    }
    if more > 0 {
        let _ = writeln!(text, "{:digits$} {bar} and {more} more lines", "");
    }
    if fix.safety == Safety::Unsafe {
        let words = "may mean more than the card: only `--unsafe-fixes` writes this";
        let _ = writeln!(text, "{:digits$} {bar} {words}", "");
    }
    text
}

/// A line that fits on the screen.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let most = width.saturating_sub(3);
    let kept: String = line.chars().take(most).collect();
    format!("{kept}...")
}
