//! One line for each finding, as compilers print them and editors read them.

use std::fmt::Write as _;

use crate::outcome::Outcome;
use crate::policy::Severity;
use crate::text::printable;

/// `path:line:column: CODE message`, with `warning:` before the message of what does not block.
pub(super) fn render(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (file, finding) in outcome.introduced() {
        let kind = match finding.severity {
            Severity::Error => "",
            Severity::Warning | Severity::Off => "warning: ",
        };
        let _ = writeln!(
            text,
            "{}:{}:{}: {} {kind}{}",
            file.path,
            finding.start.line,
            finding.start.column,
            finding.rule,
            printable(finding.message.as_bytes()),
        );
    }
    text
}
