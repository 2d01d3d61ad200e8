//! Which backups are kept and which may go, by the rules of a policy. Pure: the time and the
//! backups are parameters, and every backup gets its reasons.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::BackupId;
use crate::policy::Retention;
use crate::sys::clock::{self, Date, Timestamp};

/// A backup as far as the rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: BackupId,
    /// When it was made; `None` where its name tells no time.
    pub created: Option<Timestamp>,
    /// The backup whose archive holds its content: mostly itself.
    pub archive: BackupId,
    /// The length of that archive in bytes.
    pub archive_bytes: u64,
}

/// Why a backup stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is the newest of all, which always stays.
    Newest,
    /// `keep-last`: its place among the newest, from 1.
    Last(u32),
    /// `keep-daily`: it is the newest of this day.
    Daily(Date),
    /// `keep-within`: it is not older.
    Within,
    /// Only the size is limited, and it fits.
    Fits,
    /// A rollback, restore or fix that was not finished needs it, or the next undo.
    Undo,
    /// Another backup that stays refers to its archive.
    ReferredTo(BackupId),
    /// It holds what is in no Git object and in no other backup that stays.
    OnlyCopy(String),
    /// What it holds cannot be told.
    Unreadable(String),
    /// Whether it holds the only copy of something was not looked at: not in this run.
    NotExamined,
}

/// Why a backup may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remove {
    /// No rule keeps it.
    NoRule,
    /// All together are larger than `max-size`, and it is among the oldest.
    OverSize,
}

/// What becomes of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Kept(Vec<Keep>),
    /// It goes.
    Removed(Remove),
}

/// The fate of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The backup.
    pub held: Held,
    /// What becomes of it.
    pub fate: Fate,
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("the newest"),
            Self::Last(place) => write!(f, "keep-last: number {place}"),
            Self::Daily(day) => write!(f, "keep-daily: {day}"),
            Self::Within => f.write_str("keep-within"),
            Self::Fits => f.write_str("within max-size"),
            Self::Undo => f.write_str("`rollback --undo` may need it"),
            Self::ReferredTo(id) => write!(f, "{id} has the same content and refers to it"),
            Self::OnlyCopy(path) => write!(f, "the only copy of `{path}`"),
            Self::Unreadable(why) => write!(f, "what it holds cannot be told: {why}"),
            Self::NotExamined => f.write_str("not looked at in this run"),
        }
    }
}

impl fmt::Display for Remove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRule => "no rule keeps it",
            Self::OverSize => "max-size is exceeded",
        })
    }
}

/// What becomes of `held`, newest first as it is given. `needed` are those that an undo or an
/// unfinished run needs.
pub fn rule(
    retention: &Retention,
    now: Timestamp,
    held: Vec<Held>,
    needed: &BTreeSet<BackupId>,
) -> Vec<Ruling> {
    let mut days: Vec<Date> = Vec::new();
    let mut rulings = Vec::with_capacity(held.len());
    for (place, held) in (1..).zip(held) {
        let mut keeps = Vec::new();
        if place == 1 {
            keeps.push(Keep::Newest);
        }
        if needed.contains(&held.id) {
            keeps.push(Keep::Undo);
        }
        if retention.keep_last.is_some_and(|last| place <= last) {
            keeps.push(Keep::Last(place));
        }
        match held.created {
            Some(created) => {
                let day = clock::day_of(created);
                if let Some(daily) = retention.keep_daily
                    && !days.contains(&day)
                    && days.len() < daily as usize
                {
                    days.push(day);
                    keeps.push(Keep::Daily(day));
                }
                if retention.keep_within.is_some_and(|within| {
                    // What a wrong clock dated into the future is not old.
                    u64::try_from(now.as_second().saturating_sub(created.as_second()))
                        .map_or(true, |age| age <= within.as_secs())
                }) {
                    keeps.push(Keep::Within);
                }
            }
            None => keeps.push(Keep::Unreadable("its name tells no time".to_owned())),
        }
        if !retention.keeps_by_rule() && keeps.is_empty() {
            keeps.push(Keep::Fits);
        }
        let fate = if keeps.is_empty() {
            Fate::Removed(Remove::NoRule)
        } else {
            Fate::Kept(keeps)
        };
        rulings.push(Ruling { held, fate });
    }
    if let Some(most) = retention.max_size {
        fit(&mut rulings, most);
    }
    keep_referred_to(&mut rulings);
    rulings
}

/// Lets the oldest go until what stays has `most` bytes.
fn fit(rulings: &mut [Ruling], most: u64) {
    let mut counted: BTreeSet<BackupId> = BTreeSet::new();
    let mut bytes: u64 = 0;
    let mut full = false;
    for ruling in rulings {
        let Fate::Kept(keeps) = &ruling.fate else {
            continue;
        };
        let stays_anyway = keeps.iter().any(|keep| {
            !matches!(
                keep,
                Keep::Last(_) | Keep::Daily(_) | Keep::Within | Keep::Fits
            )
        });
        let own = if counted.contains(&ruling.held.archive) {
            0
        } else {
            ruling.held.archive_bytes
        };
        full |= bytes.saturating_add(own) > most;
        if full && !stays_anyway {
            ruling.fate = Fate::Removed(Remove::OverSize);
        } else {
            bytes = bytes.saturating_add(own);
            counted.insert(ruling.held.archive.clone());
        }
    }
}

/// An archive stays for as long as another backup that stays refers to it.
pub(super) fn keep_referred_to(rulings: &mut [Ruling]) {
    let mut referring: HashMap<BackupId, BackupId> = HashMap::new();
    for ruling in &*rulings {
        if matches!(ruling.fate, Fate::Kept(_)) && ruling.held.archive != ruling.held.id {
            referring
                .entry(ruling.held.archive.clone())
                .or_insert_with(|| ruling.held.id.clone());
        }
    }
    for ruling in rulings {
        if let (Fate::Removed(_), Some(by)) = (&ruling.fate, referring.get(&ruling.held.id)) {
            ruling.fate = Fate::Kept(vec![Keep::ReferredTo(by.clone())]);
        }
    }
}

/// How many bytes the archives of those that go take.
pub fn freed(rulings: &[Ruling]) -> u64 {
    let gone: BTreeMap<&BackupId, u64> = rulings
        .iter()
        .filter(|ruling| matches!(ruling.fate, Fate::Removed(_)))
        .filter(|ruling| ruling.held.archive == ruling.held.id)
        .map(|ruling| (&ruling.held.id, ruling.held.archive_bytes))
        .collect();
    gone.values().sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(number: u32) -> BackupId {
        BackupId::parse(&format!("20260101T000000Z-{number:08x}")).unwrap()
    }

    fn held(number: u32, created: &str) -> Held {
        Held {
            id: id(number),
            created: Some(created.parse().unwrap()),
            archive: id(number),
            archive_bytes: 100,
        }
    }

    fn kept(retention: &Retention, all: &[Held]) -> Vec<u32> {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let rulings = rule(retention, now, all.to_vec(), &BTreeSet::new());
        assert_eq!(rulings.len(), all.len(), "every backup has its ruling");
        let number = |id: &BackupId| u32::from_str_radix(&id.as_str()[17..], 16).unwrap();
        rulings
            .iter()
            .filter(|ruling| matches!(ruling.fate, Fate::Kept(_)))
            .map(|ruling| number(&ruling.held.id))
            .collect()
    }

    fn week() -> Vec<Held> {
        vec![
            held(7, "2026-11-27T11:00:00Z"),
            held(6, "2026-11-27T10:00:00Z"),
            held(5, "2026-11-26T23:00:00Z"),
            held(4, "2026-11-26T01:00:00Z"),
            held(3, "2026-11-20T12:00:00Z"),
            held(2, "2026-11-19T12:00:01Z"),
            held(1, "2026-11-19T12:00:00Z"),
        ]
    }

    #[test]
    fn each_rule_keeps_its_own_and_the_newest_always_stays() {
        let last = Retention {
            keep_last: Some(2),
            ..Retention::default()
        };
        assert_eq!(kept(&last, &week()), [7, 6]);
        let daily = Retention {
            keep_daily: Some(3),
            ..Retention::default()
        };
        assert_eq!(kept(&daily, &week()), [7, 5, 3]);
        let within = Retention {
            keep_within: Some(Duration::from_secs(8 * 24 * 3600 - 1)),
            ..Retention::default()
        };
        assert_eq!(kept(&within, &week()), [7, 6, 5, 4, 3, 2]);
        let hour = Retention {
            keep_within: Some(Duration::from_hours(1)),
            ..Retention::default()
        };
        assert_eq!(kept(&hour, &week()[3..]), [4], "the newest of all");
        let together = Retention {
            keep_last: Some(1),
            keep_daily: Some(2),
            ..Retention::default()
        };
        assert_eq!(kept(&together, &week()), [7, 5]);
        assert_eq!(kept(&Retention::default(), &week()).len(), 7);
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        let size = |most| Retention {
            max_size: Some(most),
            ..Retention::default()
        };
        assert_eq!(kept(&size(350), &week()), [7, 6, 5]);
        assert_eq!(kept(&size(700), &week()).len(), 7);
        assert_eq!(
            kept(&size(1), &week()),
            [7],
            "the newest stays, whatever its size"
        );
        let both = Retention {
            keep_daily: Some(9),
            ..size(200)
        };
        assert_eq!(kept(&both, &week()), [7, 5]);
    }

    #[test]
    fn what_a_clock_dated_into_the_future_is_not_old() {
        let retention = Retention {
            keep_within: Some(Duration::from_hours(1)),
            ..Retention::default()
        };
        let all = [
            held(2, "2030-01-01T00:00:00Z"),
            held(1, "2029-01-01T00:00:00Z"),
        ];
        assert_eq!(kept(&retention, &all), [2, 1]);
    }

    #[test]
    fn an_archive_stays_as_long_as_something_that_stays_refers_to_it() {
        let mut all = week();
        all[0].archive = id(2);
        all[4].archive = id(1);
        let retention = Retention {
            keep_last: Some(1),
            ..Retention::default()
        };
        assert_eq!(kept(&retention, &all), [7, 2]);
        let size = Retention {
            max_size: Some(250),
            ..Retention::default()
        };
        assert_eq!(
            kept(&size, &all),
            [7, 6, 2],
            "its archive counts for the newest"
        );
    }

    #[test]
    fn what_an_undo_needs_stays_and_says_so() {
        let retention = Retention {
            keep_last: Some(1),
            max_size: Some(1),
            ..Retention::default()
        };
        let needed = BTreeSet::from([id(3)]);
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let rulings = rule(&retention, now, week(), &needed);
        assert_eq!(rulings[4].fate, Fate::Kept(vec![Keep::Undo]));
        assert_eq!(
            rulings[0].fate,
            Fate::Kept(vec![Keep::Newest, Keep::Last(1)])
        );
        assert_eq!(rulings[1].fate, Fate::Removed(Remove::NoRule));
        assert_eq!(freed(&rulings), 500);
    }
}
