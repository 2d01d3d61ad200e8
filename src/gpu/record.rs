//! What checks and soaks of the card have shown here, one line of JSON each, oldest first.
//!
//! It decides nothing: a line that cannot be read is passed over, and one that cannot be written is
//! missing. Results that come out of the cache are not noted again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::soak::SoakReport;
use super::verdict::{CardFacts, CardStatus, CardVerdict};
use crate::sys::clock::Timestamp;
use crate::sys::file;

/// Name of the file in the folder that the caller gives.
const FILE_NAME: &str = "gpu-record.jsonl";
/// Where it grows past this, in bytes, the older half goes.
const MOST_BYTES: u64 = 512 << 10;
/// More is not read.
const LIMIT: u64 = 4 * MOST_BYTES;

/// A check or a soak that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    version: u64,
    /// When it ended, in seconds since 1970.
    pub at: i64,
    /// The answer.
    pub status: CardStatus,
    /// The card, if it came to that.
    pub card: Option<CardFacts>,
    /// What happened, in one line.
    pub message: String,
    /// Of a soak, how much work it was; `None` for a check.
    pub soak: Option<RecordedSoak>,
}

/// How much work a soak was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedSoak {
    /// Whether it ran for the whole time.
    pub finished: bool,
    /// Seconds of work.
    pub seconds: f64,
    /// Kernel rounds with right results.
    pub rounds: u64,
    /// Memory patterns that were found right.
    pub patterns: u64,
    /// How much memory was tested, in bytes.
    pub memory_bytes: u64,
    /// The hottest that it was, in °C.
    pub hottest_celsius: Option<u32>,
}

/// Notes a check. Where there is no driver, nothing was checked.
pub(super) fn note_check(folder: &Path, verdict: &CardVerdict, now: Timestamp) {
    let nothing = matches!(verdict.status, CardStatus::NoDriver | CardStatus::Skipped);
    if !verdict.cached && !nothing {
        let entry = Recorded {
            version: 1,
            at: now.as_second(),
            status: verdict.status,
            card: verdict.card.clone(),
            message: verdict.message.clone(),
            soak: None,
        };
        note(folder, &entry);
    }
}

/// Notes a soak, also one that was ended early.
pub fn note_soak(folder: &Path, report: &SoakReport, now: Timestamp) {
    if matches!(report.status, CardStatus::NoDriver | CardStatus::Skipped) {
        return;
    }
    let entry = Recorded {
        version: 1,
        at: now.as_second(),
        status: report.status,
        card: report.card.clone(),
        message: report.message.clone(),
        soak: Some(RecordedSoak {
            finished: report.finished,
            seconds: report.progress.seconds,
            rounds: report.progress.rounds,
            patterns: report.progress.patterns,
            memory_bytes: report.progress.memory_bytes,
            hottest_celsius: report.hottest_celsius,
        }),
    };
    note(folder, &entry);
}

fn note(folder: &Path, entry: &Recorded) {
    let path = path_in(folder);
    let Ok(mut line) = serde_json::to_vec(entry) else {
        return;
    };
    line.push(b'\n');
    let _ = file::create_private_folder(folder)
        .and_then(|()| shorten(&path))
        .and_then(|()| file::append(&path, &line));
}

/// Drops the older half of a record that has grown too long.
fn shorten(path: &Path) -> std::io::Result<()> {
    if path.metadata().map_or(0, |found| found.len()) <= MOST_BYTES {
        return Ok(());
    }
    let content = file::read_at_most(path, LIMIT).unwrap_or_default();
    let half = content.get(content.len() / 2..).unwrap_or_default();
    let line = half.iter().position(|byte| *byte == b'\n');
    let kept = line.and_then(|at| half.get(at + 1..)).unwrap_or_default();
    file::write_atomic(path, kept)
}

/// What is noted in `folder`, oldest first.
pub fn recorded(folder: &Path) -> Vec<Recorded> {
    let content = file::read_at_most(&path_in(folder), LIMIT).unwrap_or_default();
    content
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .filter(|entry: &Recorded| entry.version == 1)
        .collect()
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests damage files on purpose")]
mod tests {
    use super::*;

    fn verdict(status: CardStatus, cached: bool) -> CardVerdict {
        CardVerdict {
            status,
            cached,
            ..CardVerdict::skipped("RTX 3090", None)
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_checked_is_noted_and_what_was_not_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(recorded(folder.path()), []);
        for (second, status, cached) in [
            (1, CardStatus::Ok, false),
            (2, CardStatus::Ok, true),
            (3, CardStatus::NoDriver, false),
            (4, CardStatus::Skipped, false),
            (5, CardStatus::WrongCard, false),
        ] {
            note_check(folder.path(), &verdict(status, cached), at(second));
        }
        let found = recorded(folder.path());
        let found: Vec<_> = found.iter().map(|it| (it.at, it.status)).collect();
        assert_eq!(found, [(1, CardStatus::Ok), (5, CardStatus::WrongCard)]);
    }

    #[test]
    fn a_torn_line_costs_itself_alone_and_the_record_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        note_check(folder.path(), &verdict(CardStatus::Ok, false), at(1));
        file::append(&path_in(folder.path()), b"{\"version\":1,\"at\n").unwrap();
        note_check(folder.path(), &verdict(CardStatus::Busy, false), at(2));
        assert_eq!(recorded(folder.path()).len(), 2);
        let many = "x".repeat(1 << 10) + "\n";
        std::fs::write(path_in(folder.path()), many.repeat(600)).unwrap();
        note_check(folder.path(), &verdict(CardStatus::Ok, false), at(3));
        let length = path_in(folder.path()).metadata().unwrap().len();
        assert!(length < MOST_BYTES, "{length}");
        assert_eq!(recorded(folder.path()).len(), 1);
    }
}
