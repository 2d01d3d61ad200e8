//! Workflow commands, which GitHub Actions shows beside the changed lines
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! GitHub shows ten errors and ten warnings of each step; SARIF has no such limit.

use std::fmt::Write as _;

use super::{path_text, with_help};
use crate::outcome::Outcome;
use crate::policy::Severity;

pub(super) fn render(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (file, finding) in outcome.introduced() {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning | Severity::Off => "warning",
        };
        let (start, end) = (finding.start, finding.end);
        let _ = write!(
            text,
            "::{command} title=gpuguard {},file={},line={},endLine={}",
            finding.rule,
            property(&path_text(file)),
            start.line,
            end.line,
        );
        // The runner drops columns that are not of one line.
        if start.line == end.line {
            let _ = write!(text, ",col={},endColumn={}", start.column, end.column);
        }
        let _ = writeln!(text, "::{}", data(&with_help(finding)));
    }
    for weakening in &outcome.weakened {
        let (command, refused) = if outcome.refuses_weakened {
            ("error", ", which is refused")
        } else {
            ("warning", "")
        };
        let what = format!("policy weakened{refused}: {}", weakening.what);
        let _ = writeln!(text, "::{command} title=gpuguard::{}", data(&what));
    }
    text
}

pub(super) fn unjudged(told: &str) -> String {
    format!("::error title=gpuguard::{}\n", data(told))
}

/// What stands behind `::`, as the runner takes it apart (actions/toolkit, `command.ts`): a line
/// end would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The same for the value of a property. A terminal that shows the log obeys nothing in it.
fn property(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| match c {
            '\r' | '\n' => c,
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    data(&text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_end_a_command_or_begin_one() {
        assert_eq!(
            property("a,b:c%\r\n::error::x"),
            "a%2Cb%3Ac%25%0D%0A%3A%3Aerror%3A%3Ax"
        );
        assert_eq!(data("50% of\n::x"), "50%25 of%0A::x");
        assert_eq!(property("a\u{1b}[31m.py"), "a\u{fffd}[31m.py");
    }
}
