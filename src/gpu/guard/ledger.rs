//! The account of what each look saw: who was on which card, since when, with how much memory.
//! Pure: whose a process is, is asked of the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::lists::{CardLook, Kind, Look};
use super::report::CardUse;
use crate::gpu::inventory::InventoryCard;

/// Memory that a driver may still hold after a program has ended, in bytes.
const TOLERANCE: u64 = 16 << 20;

/// A process of the program on a card that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Its id.
    pub process: u32,
    /// The name of its program.
    pub name: String,
    /// How it uses the card.
    pub kind: Kind,
    /// The card's name.
    pub card: String,
    /// The card's UUID.
    pub uuid: String,
    /// The card's memory that it used when it was seen, in bytes.
    pub bytes: Option<u64>,
    /// How long after the program's start it was seen, in milliseconds.
    pub at_ms: u64,
}

/// Whose a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The program's: itself, or one that it started, of this name.
    Programs(String),
    /// Somebody else's.
    Foreign,
    /// That cannot be told.
    Unknown,
}

/// The account of all cards.
#[derive(Debug)]
pub(super) struct Ledger {
    cards: Vec<Account>,
    last_at: Duration,
    pub(super) violations: Vec<Violation>,
    /// Processes that came to a card that is not allowed, and of which it cannot be told whose
    /// they are.
    pub(super) untold: BTreeSet<u32>,
    /// The lists that are not kept of some card that is not allowed.
    pub(super) not_listed: BTreeSet<Kind>,
}

/// The account of one card.
#[derive(Debug)]
struct Account {
    name: String,
    uuid: String,
    allowed: bool,
    before: CardLook,
    /// The most memory of the program's processes together, as the driver tells it of each.
    peak: Option<u64>,
    /// The most memory in use beyond what was before, for drivers that do not.
    peak_increase: Option<u64>,
    in_use: bool,
    time: Duration,
}

impl Ledger {
    /// An account that begins with what was seen `before` the program started. Each card comes
    /// with whether it is allowed.
    pub(super) fn new<'i>(
        cards: impl Iterator<Item = (&'i InventoryCard, bool)>,
        before: Look,
    ) -> Self {
        Self {
            cards: cards
                .zip(before.cards)
                .map(|((card, allowed), before)| Account {
                    name: card.facts.name.clone(),
                    uuid: card.facts.uuid.clone(),
                    allowed,
                    before,
                    peak: None,
                    peak_increase: None,
                    in_use: false,
                    time: Duration::ZERO,
                })
                .collect(),
            last_at: Duration::ZERO,
            violations: Vec::new(),
            untold: BTreeSet::new(),
            not_listed: BTreeSet::new(),
        }
    }

    /// Enters what a look saw, `at` so long after the program's start. Gives how many violations
    /// are new.
    pub(super) fn enter(
        &mut self,
        at: Duration,
        look: &Look,
        whose: &mut dyn FnMut(u32) -> Whose,
    ) -> usize {
        let since = at.saturating_sub(self.last_at);
        self.last_at = at;
        let known = self.violations.len();
        for (account, look) in self.cards.iter_mut().zip(&look.cards) {
            if !account.allowed {
                self.not_listed.extend(&look.not_listed);
            }
            // One process can be in several lists.
            let mut own: BTreeMap<u32, Option<u64>> = BTreeMap::new();
            // A sample says nothing of memory, and on an allowed card nothing of interest.
            let processes = look.processes.iter();
            for listed in processes.filter(|one| !account.allowed || one.kind != Kind::Sampled) {
                let whose = whose(listed.process);
                match &whose {
                    Whose::Programs(name) => {
                        let bytes = own.entry(listed.process).or_default();
                        *bytes = (*bytes).max(listed.bytes);
                        let seen = |old: &Violation| {
                            old.process == listed.process && old.uuid == account.uuid
                        };
                        if !account.allowed && !self.violations.iter().any(seen) {
                            self.violations.push(Violation {
                                process: listed.process,
                                name: name.clone(),
                                kind: listed.kind,
                                card: account.name.clone(),
                                uuid: account.uuid.clone(),
                                bytes: listed.bytes,
                                at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
                            });
                        }
                    }
                    Whose::Unknown if !account.allowed && !was_there(account, listed.process) => {
                        self.untold.insert(listed.process);
                    }
                    Whose::Unknown | Whose::Foreign => {}
                }
            }
            account.enter(since, look, &own);
        }
        self.violations.len() - known
    }

    /// The cards that the program may use, as seen `after` its end.
    pub(super) fn allowed(&self, after: Option<&Look>) -> Vec<CardUse> {
        self.cards
            .iter()
            .enumerate()
            .filter(|(_, account)| account.allowed)
            .map(|(place, account)| account.used(after.and_then(|look| look.cards.get(place))))
            .collect()
    }

    /// Names of the cards that it may not use.
    pub(super) fn forbidden(&self) -> Vec<String> {
        let forbidden = self.cards.iter().filter(|account| !account.allowed);
        forbidden.map(|account| account.name.clone()).collect()
    }
}

fn was_there(account: &Account, process: u32) -> bool {
    let mut before = account.before.processes.iter();
    before.any(|listed| listed.process == process)
}

impl Account {
    fn enter(&mut self, since: Duration, look: &CardLook, own: &BTreeMap<u32, Option<u64>>) {
        if self.in_use && !own.is_empty() {
            self.time += since;
        }
        self.in_use = !own.is_empty();
        if own.is_empty() {
            return;
        }
        // Of a process whose memory is not told, the sum would be too small.
        if let Some(sum) = own.values().copied().sum::<Option<u64>>() {
            self.peak = self.peak.max(Some(sum));
        }
        if let (Some(now), Some(before)) = (look.used_bytes, self.before.used_bytes) {
            self.peak_increase = self.peak_increase.max(Some(now.saturating_sub(before)));
        }
    }

    fn used(&self, after: Option<&CardLook>) -> CardUse {
        CardUse {
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            peak_bytes: self.peak.or(self.peak_increase),
            peak_is_estimate: self.peak.is_none() && self.peak_increase.is_some(),
            seconds: self.time.as_secs_f64(),
            used_before_bytes: self.before.used_bytes,
            used_after_bytes: after.and_then(|after| after.used_bytes),
            not_given_back_bytes: after.and_then(|after| self.not_given_back(after)),
        }
    }

    /// The memory in use after the program that was not in use before it; `None` where others
    /// came or went, whose memory this could be.
    fn not_given_back(&self, after: &CardLook) -> Option<u64> {
        let ids = |look: &CardLook| -> BTreeSet<u32> {
            let there = look
                .processes
                .iter()
                .filter(|one| one.kind != Kind::Sampled);
            there.map(|listed| listed.process).collect()
        };
        if ids(&self.before) != ids(after) {
            return None;
        }
        let more = after.used_bytes?.saturating_sub(self.before.used_bytes?);
        Some(if more > TOLERANCE { more } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lists::Listed;
    use super::*;
    use crate::gpu::verdict::CardFacts;

    const GIB: u64 = 1 << 30;

    fn card(name: &str) -> InventoryCard {
        InventoryCard {
            pci_rank: 0,
            nvml_index: 0,
            facts: CardFacts {
                name: name.to_owned(),
                uuid: format!("GPU-{name}"),
                pci_bus_id: String::new(),
                memory_bytes: None,
                compute_capability: None,
            },
            memory_used_bytes: None,
            compute_mode: None,
            display_active: None,
            persistence_mode: None,
        }
    }

    /// A look at a forbidden and an allowed card: processes with their memory, and used memory.
    fn look(forbidden: &[u32], allowed: &[(u32, Option<u64>)], used: u64) -> Look {
        let listed = |process, bytes| Listed {
            process,
            kind: Kind::Compute,
            bytes,
        };
        Look {
            cards: vec![
                CardLook {
                    used_bytes: Some(GIB),
                    processes: forbidden.iter().map(|id| listed(*id, Some(GIB))).collect(),
                    not_listed: Vec::new(),
                    sampled_until: 0,
                },
                CardLook {
                    used_bytes: Some(used),
                    processes: allowed.iter().map(|(id, b)| listed(*id, *b)).collect(),
                    not_listed: Vec::new(),
                    sampled_until: 0,
                },
            ],
        }
    }

    fn ledger(before: Look) -> Ledger {
        let cards = [card("forbidden"), card("allowed")];
        Ledger::new(cards.iter().zip([false, true]), before)
    }

    /// Processes from 100 on are the program's, from 200 on nobody knows.
    fn whose(process: u32) -> Whose {
        match process {
            0..100 => Whose::Foreign,
            100..200 => Whose::Programs("python".to_owned()),
            _ => Whose::Unknown,
        }
    }

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn only_the_programs_processes_on_a_forbidden_card_count_and_once() {
        let mut ledger = ledger(look(&[1, 201], &[], GIB));
        let mut enter = |at, forbidden: &[u32]| {
            ledger.enter(
                second(at),
                &look(forbidden, &[(100, None)], GIB),
                &mut whose,
            )
        };
        assert_eq!(enter(1, &[1, 2, 201]), 0);
        assert_eq!(enter(2, &[1, 101, 102]), 2);
        assert_eq!(enter(3, &[1, 101, 202]), 0);
        assert_eq!(ledger.violations.len(), 2);
        assert_eq!(ledger.violations[0].process, 101);
        assert_eq!(ledger.violations[0].at_ms, 2000);
        assert_eq!(ledger.untold, BTreeSet::from([202]));
    }

    #[test]
    fn peak_and_time_are_those_of_the_programs_processes_together() {
        let mut ledger = ledger(look(&[], &[(1, Some(GIB))], GIB));
        let both = [(1, Some(GIB)), (100, Some(2 * GIB)), (101, Some(GIB))];
        for (at, seen) in [(1, &both[..1]), (2, &both), (4, &both), (5, &both[..2])] {
            ledger.enter(second(at), &look(&[], seen, 5 * GIB), &mut whose);
        }
        ledger.enter(second(6), &look(&[], &both[..1], GIB), &mut whose);
        let after = look(&[], &both[..1], GIB + 1000);
        let used = &ledger.allowed(Some(&after))[0];
        assert_eq!(used.peak_bytes, Some(3 * GIB));
        assert!(!used.peak_is_estimate);
        assert!((used.seconds - 3.0).abs() < 1e-9);
        assert_eq!(used.not_given_back_bytes, Some(0));
        let after = look(&[], &both[..1], 2 * GIB);
        assert_eq!(
            ledger.allowed(Some(&after))[0].not_given_back_bytes,
            Some(GIB)
        );
        let others = look(&[], &both[..2], 2 * GIB);
        assert_eq!(ledger.allowed(Some(&others))[0].not_given_back_bytes, None);
    }

    #[test]
    fn without_memory_of_each_process_the_cards_memory_is_the_estimate() {
        let mut ledger = ledger(look(&[], &[], GIB));
        ledger.enter(second(1), &look(&[], &[(100, None)], 4 * GIB), &mut whose);
        let used = &ledger.allowed(None)[0];
        assert_eq!(used.peak_bytes, Some(3 * GIB));
        assert!(used.peak_is_estimate);
        assert_eq!(used.not_given_back_bytes, None);
    }
}
