//! What nobody has verified, in sentences: a report that leaves this out would be read as more
//! than it is.

use std::collections::BTreeMap;

use super::facts::{Counts, Dashboard};
use super::gather::Unchecked;

/// Some reasons name a line or a size; so many are told.
const MOST_REASONS: usize = 8;

/// What a report cannot vouch for, besides what its own figures say.
pub(super) struct Doubts {
    /// Places whose card only the running program knows.
    pub(super) dynamic: usize,
    /// The commits that no gate has seen.
    pub(super) unchecked: Unchecked,
    /// Files of commits that this clone lacks.
    pub(super) missing: usize,
    /// Whether the commit of then leads to now.
    pub(super) is_ancestor: bool,
}

pub(super) fn not_verified(dashboard: &Dashboard, doubts: &Doubts) -> Vec<String> {
    let mut told = Vec::new();
    code(dashboard, doubts, &mut told);
    commits(dashboard, doubts, &mut told);
    backups(dashboard, &mut told);
    card(dashboard, &mut told);
    told
}

fn code(dashboard: &Dashboard, doubts: &Doubts, told: &mut Vec<String>) {
    let Counts {
        analysed,
        allowed,
        with_syntax_errors,
        ..
    } = dashboard.now;
    if analysed == 0 {
        told.push("No file was analysed: nothing is known about this code.".to_owned());
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for skipped in &dashboard.skipped {
        *reasons.entry(&skipped.reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons.iter().take(MOST_REASONS) {
        told.push(format!("{} not read: {reason}.", files(*count)));
    }
    let more = reasons.iter().skip(MOST_REASONS);
    let more: usize = more.map(|(_, count)| count).sum();
    if more > 0 {
        told.push(format!("{} more not read, for other reasons.", files(more)));
    }
    if with_syntax_errors > 0 {
        told.push(format!(
            "{} with syntax errors: read as far as possible.",
            files(with_syntax_errors)
        ));
    }
    if doubts.dynamic > 0 {
        told.push(format!(
            "{} in the code where only the running program knows the card: not judged.",
            number(doubts.dynamic, "place")
        ));
    }
    if allowed > 0 {
        told.push(format!(
            "{} allowed by comments in the code, not counted as problems.",
            number(allowed, "finding")
        ));
    }
}

fn commits(dashboard: &Dashboard, doubts: &Doubts, told: &mut Vec<String>) {
    let repository = &dashboard.repository;
    match repository.uncommitted {
        Some(0) => {}
        Some(count) => told.push(format!(
            "{} not as in the last commit: what was analysed is the working tree.",
            files(count)
        )),
        None => told.push("How the files differ from the last commit is not known.".to_owned()),
    }
    if repository.untracked > 0 {
        told.push(format!(
            "{} analysed that Git does not track.",
            files(repository.untracked)
        ));
    }
    match &dashboard.since {
        None => told
            .push("Nothing is held against an earlier state; `--since TAG` does that.".to_owned()),
        Some(since) if !doubts.is_ancestor => told.push(format!(
            "`{}` does not lead to what is here now: the two are compared, but the history between \
             them is not one line.",
            since.name
        )),
        Some(_) => {}
    }
    if doubts.missing > 0 {
        told.push(format!(
            "{} of earlier commits not in this clone: not analysed.",
            files(doubts.missing)
        ));
    }
    match &doubts.unchecked {
        Unchecked::NotNoted => told.push(
            "Which commits the hook has seen is known only from the backups it made: nobody notes \
             those that go past it. `gpuguard install --hooks all` wires post-commit, which does."
                .to_owned(),
        ),
        Unchecked::Noted(unchecked) => {
            told.extend(unchecked.iter().map(|words| format!("{words}.")));
            told.push(
                "Commits made before post-commit was wired are not known to have been judged."
                    .to_owned(),
            );
        }
    }
}

fn backups(dashboard: &Dashboard, told: &mut Vec<String>) {
    let backups = &dashboard.backups;
    if backups.list.is_empty() {
        told.push("There is no backup.".to_owned());
    }
    if backups.never_verified > 0 {
        told.push(format!(
            "{} never verified: `gpuguard backup verify --all` does it.",
            number(backups.never_verified, "backup")
        ));
    }
    if backups.damaged > 0 {
        told.push(format!(
            "{} damaged when last verified.",
            number(backups.damaged, "backup")
        ));
    }
    if backups.unreadable > 0 {
        told.push(format!(
            "{} with a manifest that cannot be read.",
            number(backups.unreadable, "backup")
        ));
    }
}

fn card(dashboard: &Dashboard, told: &mut Vec<String>) {
    match dashboard.card_checks.first() {
        None => told.push(
            "No check of the card is recorded here: `gpuguard gpu check` makes one.".to_owned(),
        ),
        Some(last) if last.status != "ok" => told.push(format!(
            "The last check of the card did not end well: {}.",
            last.message
        )),
        Some(_) => {}
    }
    match dashboard.soaks.first() {
        None => told.push(
            "No long run of the card is recorded here: `gpuguard gpu soak` makes one.".to_owned(),
        ),
        Some(last) if last.status != "ok" || !last.finished => told.push(format!(
            "The last long run of the card was not finished, or did not end well: {}.",
            last.message
        )),
        Some(_) => {}
    }
    told.push(
        "Which card programs really used is not recorded: `gpuguard run --report FILE` writes that \
         of one program."
            .to_owned(),
    );
}

fn files(count: usize) -> String {
    number(count, "file")
}

fn number(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
