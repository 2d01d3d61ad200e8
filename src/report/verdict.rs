//! What a Git hook says: the verdict first (a GUI client shows only the first line), then why,
//! then what was looked at and what to type next.

use std::fmt::Write as _;

use super::Style;
use super::human::{count, findings_up_to};
use super::summary::{details, how_long};
use crate::gpu::{CardStatus, CardVerdict};
use crate::outcome::{Act, Answer, Outcome};
use crate::text::printable;

/// The verdict on what Git was about to do. Ends without a line end.
pub fn verdict(act: &Act, outcome: &Outcome, style: &Style) -> String {
    let text = match outcome.answer() {
        Answer::Fine => passed(act, outcome, style),
        Answer::No => refused(act, outcome, style),
    };
    style.in_its_characters(text.trim_end().to_owned())
}

fn passed(act: &Act, outcome: &Outcome, style: &Style) -> String {
    let of = match &act.subject {
        Some(subject) => format!("{subject}: "),
        None => String::new(),
    };
    let is_silent = outcome.notes.is_empty() && outcome.weakened.is_empty();
    if outcome.files.is_empty() && outcome.backup.is_none() && is_silent {
        return format!("gpuguard: {of}{}, nothing was looked at", act.nothing);
    }
    let mut parts = Vec::new();
    let warnings = outcome
        .findings()
        .filter(|(_, finding)| finding.introduced)
        .count();
    parts.push(match (outcome.scanned(), warnings) {
        (0, _) => "no file in a language that is read was scanned".to_owned(),
        (scanned, 0) => format!("{} scanned, nothing new found", count(scanned, "file")),
        (scanned, _) => {
            format!(
                "{} scanned, {}",
                count(scanned, "file"),
                count(warnings, "new warning")
            )
        }
    });
    if !outcome.weakened.is_empty() {
        parts.push("the policy is weakened".to_owned());
    }
    parts.extend(
        outcome
            .backup
            .as_ref()
            .map(|backup| format!("saved as {}", backup.id)),
    );
    if style.verbose {
        parts.push(how_long(outcome.elapsed));
    }
    let word = if outcome.scanned() == 0 {
        "nothing to judge"
    } else {
        "passed"
    };
    let mut text = format!("gpuguard: {of}{word}: {}\n", parts.join("; "));
    text.push_str(&shown_findings(act, outcome, style));
    text.push_str(&details(outcome, style));
    text.push_str(
        &outcome
            .card
            .as_ref()
            .map(|verdict| card(verdict, style))
            .unwrap_or_default(),
    );
    text
}

fn refused(act: &Act, outcome: &Outcome, style: &Style) -> String {
    let blocking = outcome
        .findings()
        .filter(|(_, finding)| finding.blocks())
        .count();
    let too_large = outcome.refused_as_too_large().count();
    let reason = if blocking > 0 {
        let files = outcome
            .files
            .iter()
            .filter(|file| file.findings.iter().any(crate::scan::Finding::blocks))
            .count();
        format!(
            "{} in {}",
            count(blocking, "new problem"),
            count(files, "file")
        )
    } else if outcome.refuses_weakened {
        "it loosens the policy, which does not allow that".to_owned()
    } else if too_large > 0 {
        format!("{} too large to be read", count(too_large, "file"))
    } else {
        "the card check failed".to_owned()
    };
    let weakened = if outcome.weakened.is_empty() || (outcome.refuses_weakened && blocking == 0) {
        ""
    } else {
        ", and the policy is weakened"
    };
    let mut text = format!("gpuguard: {} refused: {reason}{weakened}\n\n", act.name);
    text.push_str(&shown_findings(act, outcome, style));
    if blocking == 0 {
        text.push_str(
            &outcome
                .card
                .as_ref()
                .map(|verdict| card(verdict, style))
                .unwrap_or_default(),
        );
    }
    let _ = writeln!(
        text,
        "{} scanned in {}; {}",
        count(outcome.scanned(), "file"),
        how_long(outcome.elapsed),
        act.kept
    );
    text.push_str(&details(outcome, style));
    if let Some(backup) = &outcome.backup {
        let _ = writeln!(
            text,
            "  saved as {} (`gpuguard backup show latest`)",
            backup.id
        );
    }
    if too_large > 0 {
        text.push_str(
            "  next: raise `max-file-mib` in the policy and push that first, or keep what is so \
             large elsewhere (Git LFS)\n",
        );
    }
    if outcome.refuses_weakened {
        text.push_str(
            "  what is said by `hook.weakening = \"refuse\"` in the policy that was there before\n",
        );
    }
    let mut rules: Vec<&str> = outcome
        .findings()
        .filter(|(_, finding)| finding.blocks())
        .map(|(_, finding)| finding.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    if let Some(rule) = rules.first() {
        let lines = if blocking == 1 { "line" } else { "lines" };
        let fix = fix_command(outcome).unwrap_or_else(|| format!("fix the {lines}"));
        let _ = writeln!(
            text,
            "  next: {fix}, {}; `gpuguard rule {rule}` explains",
            act.again
        );
    }
    text
}

/// What to type where a machine can mend all that blocks. One file only: more than is asked for
/// must not be changed by a command that was copied.
fn fix_command(outcome: &Outcome) -> Option<String> {
    let blocking = || outcome.findings().filter(|(_, finding)| finding.blocks());
    let (file, _) = blocking().next()?;
    let path = file.path.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let all = blocking().all(|(other, finding)| other.path == file.path && finding.is_fixable());
    (all && path.chars().all(plain) && !path.starts_with('-'))
        .then(|| format!("`gpuguard fix {path}`"))
}

/// More findings than this would scroll the verdict away.
const SHOWN: usize = 20;

fn shown_findings(act: &Act, outcome: &Outcome, style: &Style) -> String {
    let (mut text, shown, total) = findings_up_to(outcome, style, SHOWN);
    if shown < total {
        let _ = writeln!(
            text,
            "and {} more: `{}` shows all\n",
            total - shown,
            act.shows_all
        );
    }
    text
}

/// What the card check said, in a line or two.
fn card(verdict: &CardVerdict, style: &Style) -> String {
    let message = printable(verdict.message.as_bytes());
    let mut text = match (&verdict.status, &verdict.card) {
        (CardStatus::Ok, Some(card)) => {
            let cached = if verdict.cached {
                ", checked before"
            } else {
                ""
            };
            format!(
                "  card: {} is right and computes correctly{cached}\n",
                printable(card.name.as_bytes())
            )
        }
        // Nothing to do about it, on a laptop without such a card: a note without a hint.
        (CardStatus::NoDriver, _) if !verdict.refuses() => {
            return format!("  card: not checked, there is no NVIDIA driver here ({message})\n");
        }
        // The rule, not the exception, where there is nothing to do about it.
        (CardStatus::Skipped, _) if verdict.hint.is_none() && !style.verbose => {
            return String::new();
        }
        (CardStatus::Skipped, _) => format!("  card: not checked, {message}\n"),
        _ => format!("  card: {message}\n"),
    };
    for note in &verdict.notes {
        let _ = writeln!(text, "  note: {}", printable(note.as_bytes()));
    }
    if let Some(hint) = &verdict.hint {
        let _ = writeln!(text, "  hint: {}", printable(hint.as_bytes()));
    }
    text
}
