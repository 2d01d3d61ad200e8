//! The whole check: inventory, identity, kernel, in this order, to one verdict.

use std::borrow::Cow;
use std::path::Path;

use super::advice::{self, Advice};
use super::cache::{self, CacheKey, Cached};
use super::child_environment::note_on_redirections;
use super::health::{CardBefore, Health};
use super::identity::{self, IdentityMismatch};
use super::inventory::{ComputeMode, Inventory, InventoryCard};
use super::probe::{Deadline, ProbeError, ProbeReport, ProbeTask, Trouble, probe};
use super::record;
use super::verdict::{CardFacts, CardStatus, CardVerdict, Phase};
use super::{guard, loader};
use crate::policy::{GpuCheckMode, Policy};
use crate::sys::clock::Timestamp;
use crate::sys::environment;

/// Checks that the policy's environment selects the allowed card, and that the card computes.
///
/// Which cards the machine has is looked up each time. The result of the kernel counts for
/// `policy.gpu_check.cache` when `cache_dir` is given: there the last good one is kept, for this
/// card, driver, program and boot. Takes at most `policy.gpu_check.deadline`, and half a second
/// for a child that does not die.
pub fn check(policy: &Policy, cache_dir: Option<&Path>, now: Timestamp) -> CardVerdict {
    checked(policy, Trust::Kept, cache_dir, now)
}

/// The same before a program is started: which card CUDA shows is looked up each time too, and
/// only what the card computes may be known from before.
pub fn check_before_start(
    policy: &Policy,
    cache_dir: Option<&Path>,
    now: Timestamp,
) -> CardVerdict {
    checked(policy, Trust::KeptOfKernel, cache_dir, now)
}

/// What an earlier result is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Which card CUDA shows, and what it computes.
    Kept,
    /// What it computes.
    KeptOfKernel,
}

fn checked(policy: &Policy, trust: Trust, cache_dir: Option<&Path>, now: Timestamp) -> CardVerdict {
    let mut run = Run {
        policy: Cow::Borrowed(policy),
        trust,
        card: None,
        phases: Vec::new(),
        notes: redirected(),
        health: Vec::new(),
    };
    let verdict = run.verdict(cache_dir, now);
    if let Some(folder) = cache_dir
        && verdict.status != CardStatus::Ok
    {
        cache::forget(folder);
    }
    if let Some(folder) = cache_dir {
        record::note_check(folder, &verdict, now);
    }
    verdict
}

/// Lists the cards; also gives the steps this took.
pub(super) fn take_inventory(deadline: Deadline) -> Result<(Inventory, Vec<Phase>), ProbeError> {
    let report = probe(&ProbeTask::Inventory, None, deadline)?;
    match report.inventory {
        Some(inventory) => Ok((inventory, report.phases)),
        None => Err(ProbeError {
            phases: report.phases,
            trouble: Trouble::Ended {
                phase: "cards".to_owned(),
                how: "it gave no list of cards".to_owned(),
            },
        }),
    }
}

/// A check on its way.
struct Run<'p> {
    policy: Cow<'p, Policy>,
    trust: Trust,
    card: Option<CardFacts>,
    phases: Vec<Phase>,
    notes: Vec<String>,
    health: Vec<Health>,
}

/// The least memory that must be free before the check makes a context, in bytes: what a context
/// takes at most, and the check's own blocks.
const LEAST_FREE: u64 = 600 << 20;

impl Run<'_> {
    fn verdict(&mut self, cache_dir: Option<&Path>, now: Timestamp) -> CardVerdict {
        let deadline = Deadline::starting_now(self.policy.gpu_check.deadline);
        let inventory = match take_inventory(deadline) {
            Ok((inventory, phases)) => {
                self.phases = phases;
                inventory
            }
            Err(error) => return self.no_answer(error),
        };
        if guard::are_others_closed() {
            match guard::pinned(&self.policy, &inventory, true) {
                Ok(pinned) => self.policy = Cow::Owned(pinned),
                Err(mismatch) => return self.wrong_card(&mismatch),
            }
        }
        let expected = match identity::expected(&self.policy, &inventory) {
            Ok(expected) => expected,
            Err(mismatch) => return self.wrong_card(&mismatch),
        };
        self.card = expected.first().map(|card| card.facts.clone());
        if let Some(advice) = prohibited(&expected) {
            return self.answer(CardStatus::Busy, advice);
        }
        let key = CacheKey::new(&self.policy, &inventory, &expected);
        if let Some(folder) = cache_dir
            && let Some(cached) = cache::find(folder, &key, self.policy.gpu_check.cache, now)
        {
            if self.trust == Trust::KeptOfKernel
                && let Err(verdict) = self.identity(&expected, deadline)
            {
                return *verdict;
            }
            return self.good(&expected, Some(cached));
        }
        // What NVML does not tell is held against the policy before a context is made.
        let is_told = |card: &&InventoryCard| {
            card.facts.memory_bytes.is_some() && card.facts.compute_capability.is_some()
        };
        let full = full(&expected);
        if (full.is_some() || !expected.iter().all(is_told))
            && let Err(verdict) = self.identity(&expected, deadline)
        {
            return *verdict;
        }
        if let Some(advice) = full {
            return self.answer(CardStatus::Busy, advice);
        }
        let checked = self.kernel(&expected, deadline);
        if let Err(verdict) = checked.and_then(|()| self.afterwards(&expected, deadline)) {
            return *verdict;
        }
        if let Some(folder) = cache_dir {
            cache::keep(folder, key, now);
        }
        self.good(&expected, None)
    }

    /// Has the kernel run on the `expected` cards.
    fn kernel(
        &mut self,
        expected: &[&InventoryCard],
        deadline: Deadline,
    ) -> Result<(), Box<CardVerdict>> {
        self.asked(ProbeTask::Check, expected, deadline)
    }

    /// Has CUDA tell its cards, which must be the `expected` ones.
    fn identity(
        &mut self,
        expected: &[&InventoryCard],
        deadline: Deadline,
    ) -> Result<(), Box<CardVerdict>> {
        self.asked(ProbeTask::Identity, expected, deadline)
    }

    fn asked(
        &mut self,
        task: fn(Vec<String>) -> ProbeTask,
        expected: &[&InventoryCard],
        deadline: Deadline,
    ) -> Result<(), Box<CardVerdict>> {
        let uuids = expected.iter().map(|c| c.facts.uuid.clone()).collect();
        let environment = Some(&self.policy.environment);
        let report = probe(&task(uuids), environment, deadline)
            .map_err(|error| Box::new(self.no_answer(error)))?;
        self.phases.extend(report.phases.iter().cloned());
        self.described_alike(expected, &report)
            .map_err(|mismatch| Box::new(self.wrong_card(&mismatch)))
    }

    /// Looks at how the `expected` cards are after the kernel.
    fn afterwards(
        &mut self,
        expected: &[&InventoryCard],
        deadline: Deadline,
    ) -> Result<(), Box<CardVerdict>> {
        let before = |card: &&InventoryCard| CardBefore {
            uuid: card.facts.uuid.clone(),
            memory_used_bytes: card.memory_used_bytes,
        };
        let task = ProbeTask::Health(expected.iter().map(before).collect());
        let report =
            probe(&task, None, deadline).map_err(|error| Box::new(self.no_answer(error)))?;
        self.phases.extend(report.phases);
        self.health = report.health;
        for (card, health) in expected.iter().zip(&self.health) {
            let notes = advice::notes_on(&card.facts.name, card.memory_used_bytes, health);
            self.notes.extend(notes);
        }
        let errors = |health: &Health| Some((health.clone(), health.uncorrected_ecc_errors?));
        match self.health.iter().filter_map(errors).find(|(_, n)| *n > 0) {
            Some((health, errors)) => Err(Box::new(
                self.answer(CardStatus::Unhealthy, advice::ecc_errors(&health, errors)),
            )),
            None => Ok(()),
        }
    }

    /// Holds what CUDA says of the cards against the policy, as NVML's words were before.
    fn described_alike(
        &self,
        expected: &[&InventoryCard],
        report: &ProbeReport,
    ) -> Result<(), IdentityMismatch> {
        for (card, facts) in expected.iter().zip(&report.cards) {
            if let Some(named) = identity::policy_card(&self.policy, card) {
                identity::describes(named, card.pci_rank, facts)?;
            }
        }
        Ok(())
    }

    fn good(&self, expected: &[&InventoryCard], cached: Option<Cached>) -> CardVerdict {
        let names: Vec<String> = expected
            .iter()
            .map(|card| format!("{} ({})", card.facts.name, card.facts.uuid))
            .collect();
        let selected = format!(
            "CUDA_VISIBLE_DEVICES={} selects {}",
            self.policy.environment.visible_devices,
            names.join(", ")
        );
        let message = match cached {
            None => format!("{selected}; the kernel's results are right"),
            Some(Cached { age_seconds }) => {
                format!("{selected}; its kernel was right {age_seconds} s ago")
            }
        };
        let advice = Advice {
            message,
            hint: None,
        };
        CardVerdict {
            cached: cached.is_some(),
            ..self.answer(CardStatus::Ok, advice)
        }
    }

    fn wrong_card(&self, mismatch: &IdentityMismatch) -> CardVerdict {
        self.answer(CardStatus::WrongCard, advice::for_mismatch(mismatch))
    }

    fn no_answer(&mut self, error: ProbeError) -> CardVerdict {
        self.phases.extend(error.phases);
        let (status, advice) = advice::for_trouble(&error.trouble);
        self.answer(status, advice)
    }

    fn answer(&self, status: CardStatus, advice: Advice) -> CardVerdict {
        CardVerdict {
            status,
            card: self.card.clone(),
            phases: self.phases.clone(),
            message: advice.message,
            hint: advice.hint,
            notes: self.notes.clone(),
            health: self.health.clone(),
            cached: false,
            required: self.policy.gpu_check.mode == GpuCheckMode::Required,
        }
    }
}

/// What of this process's environment the driver is not told, as notes.
pub(super) fn redirected() -> Vec<String> {
    let variables: Vec<_> = environment::all().collect();
    let note = note_on_redirections(&variables, loader::repository().as_deref());
    note.into_iter().collect()
}

/// Why a context on these cards would fail, as far as NVML tells.
pub(super) fn unusable(cards: &[&InventoryCard]) -> Option<Advice> {
    prohibited(cards).or_else(|| full(cards))
}

fn prohibited(cards: &[&InventoryCard]) -> Option<Advice> {
    cards
        .iter()
        .find(|card| card.compute_mode == Some(ComputeMode::Prohibited))
        .map(|card| advice::prohibited(card))
}

fn full(cards: &[&InventoryCard]) -> Option<Advice> {
    cards
        .iter()
        .filter_map(|card| Some((free_memory(card)?, card)))
        .find(|(free, _)| *free < LEAST_FREE)
        .map(|(free, card)| advice::full(card, free))
}

/// The memory of a card that no program uses, in bytes.
fn free_memory(card: &InventoryCard) -> Option<u64> {
    Some(
        card.facts
            .memory_bytes?
            .saturating_sub(card.memory_used_bytes?),
    )
}
