//! A dashboard as Markdown, as GitHub and GitLab show it. What comes from files stands in code
//! spans, so that no name and no line can be more than text.

use std::fmt::Write as _;

use crate::dashboard::{Counts, Dashboard, FileState};
use crate::text::printable;

/// So many rows of a table are shown; JSON has all.
const MOST_ROWS: usize = 100;
/// So many findings are.
const MOST_FINDINGS: usize = 1000;

/// One of the counts.
type Figure = fn(&Counts) -> usize;

/// The whole report.
pub fn dashboard_markdown(dashboard: &Dashboard) -> String {
    let mut text = String::new();
    head(dashboard, &mut text);
    counts(dashboard, &mut text);
    section(&mut text, "Not verified");
    for sentence in &dashboard.not_verified {
        let _ = writeln!(text, "- {}", plain(sentence));
    }
    rules(dashboard, &mut text);
    files(dashboard, &mut text);
    findings(dashboard, &mut text);
    allowed(dashboard, &mut text);
    commits(dashboard, &mut text);
    backups(dashboard, &mut text);
    card(dashboard, &mut text);
    text
}

fn head(dashboard: &Dashboard, text: &mut String) {
    let repository = &dashboard.repository;
    let _ = writeln!(text, "# GPU report: {}\n", code(&repository.name));
    let mut line = format!("Made {} by gpuguard {}", dashboard.made, dashboard.gpuguard);
    if let Some(commit) = &repository.commit {
        let _ = write!(line, ", at commit {}", code(short(commit)));
    }
    if let Some(branch) = &repository.branch {
        let _ = write!(line, " of {}", code(branch));
    }
    let _ = writeln!(text, "{line}, by the policy {}.\n", code(&dashboard.policy));
    for card in &dashboard.cards {
        let word = if card.allowed { "allowed" } else { "forbidden" };
        let _ = writeln!(text, "- {}: {word}", code(&card.name));
    }
    if let Some(since) = &dashboard.since {
        let _ = writeln!(
            text,
            "\nHeld against {} (commit {}, {}).",
            code(&since.name),
            code(short(&since.commit)),
            since.date
        );
    }
}

fn counts(dashboard: &Dashboard, text: &mut String) {
    section(text, "Files");
    let then = dashboard.then;
    table(text, &columns(dashboard, &["", "then", "now"]));
    let figures: [(&str, Figure); 9] = [
        ("analysed", |counts| counts.analysed),
        ("clean", |counts| counts.clean),
        ("with problems", |counts| counts.with_problems),
        ("use the GPU", |counts| counts.use_gpu),
        ("not read", |counts| counts.skipped),
        ("with syntax errors", |counts| counts.with_syntax_errors),
        ("problems", |counts| counts.findings),
        ("of these blocking", |counts| counts.errors),
        ("allowed by comments", |counts| counts.allowed),
    ];
    for (name, value) in figures {
        let then = then_cell(dashboard, then.map(|then| value(&then)));
        let _ = writeln!(text, "| {name} |{then} {} |", value(&dashboard.now));
    }
    if dashboard.then.is_some() {
        let count = |state| {
            let of = dashboard.files.iter().filter(|file| file.state == state);
            of.count()
        };
        let _ = writeln!(
            text,
            "\nFiles corrected since then: {}. Gone: {}. Still open: {}. Worse: {}. New: {}.",
            count(FileState::Corrected),
            count(FileState::Gone),
            count(FileState::Open),
            count(FileState::Worse),
            count(FileState::New)
        );
    }
}

fn rules(dashboard: &Dashboard, text: &mut String) {
    if dashboard.rules.is_empty() {
        return;
    }
    section(text, "Problems by rule");
    let names = ["rule", "what", "then", "now", "files now"];
    table(text, &columns(dashboard, &names));
    for rule in &dashboard.rules {
        let then = then_cell(dashboard, rule.then);
        let _ = writeln!(
            text,
            "| {} | {} |{then} {} | {} |",
            rule.rule,
            plain(&rule.summary),
            rule.now,
            rule.files
        );
    }
}

fn files(dashboard: &Dashboard, text: &mut String) {
    if dashboard.files.is_empty() {
        return;
    }
    section(text, "Problems by file");
    let names = ["file", "state", "then", "now", "rules"];
    table(text, &columns(dashboard, &names));
    for file in dashboard.files.iter().take(MOST_FINDINGS) {
        let was = file
            .was
            .as_ref()
            .map_or_else(String::new, |was| format!(" (was {})", cell(was)));
        let then = then_cell(dashboard, file.then);
        let _ = writeln!(
            text,
            "| {}{was} | {} |{then} {} | {} |",
            cell(&file.path),
            file.state.word(),
            file.now,
            file.rules.join(", ")
        );
    }
    more(text, dashboard.files.len(), MOST_FINDINGS);
}

fn findings(dashboard: &Dashboard, text: &mut String) {
    section(text, "Problems");
    if dashboard.findings.is_empty() {
        text.push_str("None.\n");
    }
    for finding in dashboard.findings.iter().take(MOST_FINDINGS) {
        let place = format!("{}:{}:{}", finding.path, finding.line, finding.column);
        let warning = if finding.error { "" } else { " (warning)" };
        let new = match finding.new {
            Some(true) => " (new)",
            Some(false) | None => "",
        };
        let _ = writeln!(
            text,
            "- {} {}{warning}{new}: {}  \n  {}",
            code(&place),
            finding.rule,
            plain(&finding.message),
            code(&finding.code)
        );
    }
    more(text, dashboard.findings.len(), MOST_FINDINGS);
}

fn allowed(dashboard: &Dashboard, text: &mut String) {
    if dashboard.allowed.is_empty() {
        return;
    }
    section(text, "Allowed by comments");
    for allowed in dashboard.allowed.iter().take(MOST_ROWS) {
        let place = code(&format!("{}:{}", allowed.path, allowed.line));
        let until = allowed.until.as_ref();
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        let (rule, reason) = (&allowed.rule, plain(&allowed.reason));
        let _ = writeln!(
            text,
            "- {place} {rule}{until}: {reason}  \n  {}",
            code(&allowed.code)
        );
    }
    more(text, dashboard.allowed.len(), MOST_ROWS);
}

fn commits(dashboard: &Dashboard, text: &mut String) {
    let Some(commits) = &dashboard.commits else {
        return;
    };
    section(text, "Commits since then");
    let _ = writeln!(text, "{} in all.\n", commits.count);
    for commit in commits.list.iter().take(MOST_ROWS) {
        let (id, date) = (code(short(&commit.id)), &commit.date);
        let _ = writeln!(text, "- {id} {date} {}", code(&commit.subject));
    }
    more(text, commits.list.len(), MOST_ROWS);
}

fn backups(dashboard: &Dashboard, text: &mut String) {
    let backups = &dashboard.backups;
    section(text, "Backups");
    let _ = writeln!(
        text,
        "{} in all: {} verified whole, {} damaged, {} never verified. The hook let {} commits pass, refused \
         {} and could not judge {}, as far as it was noted.\n",
        backups.list.len(),
        backups.whole,
        backups.damaged,
        backups.never_verified,
        backups.passed,
        backups.blocked,
        backups.not_judged
    );
    if backups.list.is_empty() {
        return;
    }
    table(
        text,
        &["id", "made by", "files", "verdict", "verified", "sha256"],
    );
    for backup in backups.list.iter().take(MOST_ROWS) {
        let verified = match (&backup.verified, backup.whole) {
            (Some(at), Some(true)) => format!("whole, {at}"),
            (Some(at), _) => format!("damaged, {at}"),
            (None, _) => "never".to_owned(),
        };
        let sum = backup.sha256.as_deref().map_or_else(String::new, code);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {verified} | {sum} |",
            code(&backup.id),
            plain(&backup.trigger),
            backup.files,
            backup.verdict.as_deref().unwrap_or_default(),
        );
    }
    more(text, backups.list.len(), MOST_ROWS);
}

fn card(dashboard: &Dashboard, text: &mut String) {
    section(text, "The card");
    if dashboard.card_checks.is_empty() && dashboard.soaks.is_empty() {
        text.push_str("Nothing is recorded here.\n");
    }
    for check in dashboard.card_checks.iter().take(MOST_ROWS) {
        let uuid = check.uuid.as_deref().map_or_else(String::new, code);
        let _ = writeln!(
            text,
            "- {} check: {}: {} {uuid}",
            check.at,
            check.status,
            plain(&check.message)
        );
    }
    more(text, dashboard.card_checks.len(), MOST_ROWS);
    for soak in dashboard.soaks.iter().take(MOST_ROWS) {
        let hottest = soak
            .hottest_celsius
            .map_or_else(String::new, |celsius| format!(", at most {celsius} °C"));
        let early = if soak.finished { "" } else { " (ended early)" };
        let _ = writeln!(
            text,
            "- {} soak: {}{early}: {:.0} s, {} MiB of memory{hottest}: {}",
            soak.at,
            soak.status,
            soak.seconds,
            soak.memory_mib,
            plain(&soak.message)
        );
    }
    more(text, dashboard.soaks.len(), MOST_ROWS);
}

fn section(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n## {title}\n");
}

/// Of these columns those that there is something for: without an earlier state there is no "then".
fn columns<'n>(dashboard: &Dashboard, names: &[&'n str]) -> Vec<&'n str> {
    let has_then = dashboard.then.is_some();
    let names = names.iter().copied();
    names.filter(|name| has_then || *name != "then").collect()
}

/// The cell of "then" with the bar behind it; nothing where the column is not there.
fn then_cell(dashboard: &Dashboard, then: Option<usize>) -> String {
    match (dashboard.then, then) {
        (None, _) => String::new(),
        (Some(_), None) => "  |".to_owned(),
        (Some(_), Some(then)) => format!(" {then} |"),
    }
}

fn table(text: &mut String, columns: &[&str]) {
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(columns.len()));
}

fn more(text: &mut String, all: usize, shown: usize) {
    if all > shown {
        let _ = writeln!(text, "\n{} more; `--format json` has all.", all - shown);
    }
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// Text that is no markup; backticks of our own sentences stay.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for character in printable(text.as_bytes()).chars() {
        if "\\*_[]<>|#&~".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

/// A code span in a table, where a bar would end the cell (GitHub's tables, example 200).
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A code span, whatever is in it (CommonMark, "code spans").
fn code(text: &str) -> String {
    let text = printable(text.as_bytes());
    let runs = text.split(|character| character != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    if text.is_empty() {
        return String::new();
    }
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_file_is_markup() {
        assert_eq!(code("a.py"), "`a.py`");
        assert_eq!(code("`x` <b>|"), "`` `x` <b>| ``");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        assert_eq!(plain("<script>*|_"), "\\<script\\>\\*\\|\\_");
    }
}
