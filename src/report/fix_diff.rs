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
    let mut lines: Vec<(usize, char, &str, usize)> = Vec::new();
    for change in &fix.diff {
        for (mark, side, other) in [
            ('-', &change.removed, &change.added),
            ('+', &change.added, &change.removed),
        ] {
            lines.extend(side.iter().enumerate().map(|(at, text)| {
                let differs = other.get(at).map_or(0, |other| common_start(text, other));
                (change.line + at, mark, text.as_str(), differs)
            }));
        }
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
    for (line, mark, code, differs) in lines {
        let color = if mark == '-' {
            AnsiColor::Red
        } else {
            AnsiColor::Green
        };
        let width = style.width.saturating_sub(digits + 3);
        let code = cut(&shown(code, style), differs, width);
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

/// So many characters are the same at the start of both.
fn common_start(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).count()
}

/// A line that fits on the screen, with what is at character `differs` in it.
fn cut(line: &str, differs: usize, width: usize) -> String {
    const LEFT_OUT: &str = "...";
    let all = line.chars().count();
    if all <= width {
        return line.to_owned();
    }
    let most = width.saturating_sub(2 * LEFT_OUT.len());
    // Some of what stands before it, so that it can be found in the file.
    let start = differs.saturating_sub(most / 3);
    if differs.saturating_add(most / 3) < most {
        let kept: String = line.chars().take(most + LEFT_OUT.len()).collect();
        return format!("{kept}{LEFT_OUT}");
    }
    let start = start.min(all.saturating_sub(most + LEFT_OUT.len()));
    let rest = line.chars().skip(start);
    if all - start <= most + LEFT_OUT.len() {
        return format!("{LEFT_OUT}{}", rest.collect::<String>());
    }
    let kept: String = rest.take(most).collect();
    format!("{LEFT_OUT}{kept}{LEFT_OUT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_what_differs_is_shown() {
        let line = format!("{}x{}", "a".repeat(90), "b".repeat(90));
        for differs in [0, 10, 60, 90, 91, 180] {
            let shown = cut(&line, differs, 40);
            assert!(shown.chars().count() <= 40, "{differs}: {shown}");
            assert!(shown.contains("..."), "{differs}: {shown}");
        }
        assert!(cut(&line, 90, 40).contains('x'));
        assert!(cut(&line, 0, 40).starts_with("aaa"));
        assert!(cut(&line, 180, 40).ends_with("bbb"));
        assert_eq!(cut("short", 2, 40), "short");
        assert_eq!(cut("übrig", 2, 5), "übrig");
    }
}
