//! What is saved and what was checked, as it is recorded in gpuguard's own folder.

use super::facts::{BackupFact, BackupFacts, CardFact, SoakFact};
use crate::backup::{BackupError, Decision, Listed, Store, Verification};
use crate::git::Repository;
use crate::gpu::Recorded;
use crate::sys::clock::Timestamp;
use crate::text::printable;

pub(super) fn backups(repository: &Repository) -> Result<BackupFacts, BackupError> {
    let store = Store::of_whatever_policy(repository);
    let listing = store.list()?;
    let verified = store.verified();
    let mut facts = BackupFacts {
        unreadable: listing.unreadable.len(),
        ..BackupFacts::default()
    };
    for backup in &listing.backups {
        let found = verified.get(backup.id.as_str());
        match found.map(|found| found.whole) {
            Some(true) => facts.whole += 1,
            Some(false) => facts.damaged += 1,
            None => facts.never_verified += 1,
        }
        match backup.verdict.as_ref().map(|verdict| verdict.verdict) {
            Some(Decision::Passed) => facts.passed += 1,
            Some(Decision::Blocked) => facts.blocked += 1,
            Some(Decision::NotJudged) => facts.not_judged += 1,
            None => {}
        }
        facts.list.push(backup_fact(backup, found));
    }
    Ok(facts)
}

fn backup_fact(backup: &Listed, verified: Option<&Verification>) -> BackupFact {
    let manifest = &backup.manifest;
    BackupFact {
        id: backup.id.to_string(),
        created: manifest.created.to_string(),
        trigger: printable(manifest.trigger.as_bytes()),
        commit: manifest.commit.clone(),
        files: manifest.files(),
        sha256: backup.sha256.map(|sum| sum.to_string()),
        verdict: backup.verdict.as_ref().map(ToString::to_string),
        whole: verified.map(|found| found.whole),
        verified: verified.map(|found| second(found.at)),
    }
}

/// Checks and soaks, newest first.
pub(super) fn card_facts(recorded: &[Recorded]) -> (Vec<CardFact>, Vec<SoakFact>) {
    let (mut checks, mut soaks) = (Vec::new(), Vec::new());
    for entry in recorded.iter().rev() {
        let at = second(entry.at);
        let status = word(entry);
        let card = entry.card.as_ref();
        let name = card.map(|card| printable(card.name.as_bytes()));
        let message = printable(entry.message.as_bytes());
        match &entry.soak {
            None => checks.push(CardFact {
                at,
                status,
                card: name,
                uuid: card.map(|card| printable(card.uuid.as_bytes())),
                message,
            }),
            Some(soak) => soaks.push(SoakFact {
                at,
                status,
                card: name,
                finished: soak.finished,
                seconds: soak.seconds,
                rounds: soak.rounds,
                patterns: soak.patterns,
                memory_mib: soak.memory_bytes >> 20,
                hottest_celsius: soak.hottest_celsius,
                message,
            }),
        }
    }
    (checks, soaks)
}

/// The status in the words that JSON has.
fn word(entry: &Recorded) -> String {
    let value = serde_json::to_value(entry.status).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A time to the second, as ISO 8601 in UTC; empty for one that no calendar has.
pub(super) fn second(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}
