//! `gpu soak`: a card at work for a long time, each result held against what it must be, and the
//! card looked at meanwhile.
//!
//! Inventory and identity come first, as in the check. The work itself is done by
//! `kernel/soak.rs` in a child process, which has the policy's deadline for each of its steps.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::advice::{self, Advice};
use super::check::{redirected, take_inventory, unusable};
use super::health::{CardBefore, Health};
use super::identity;
use super::inventory::InventoryCard;
use super::probe::{
    Deadline, Listener, ProbeError, ProbeReport, ProbeTask, Trouble, probe, program,
};
use super::verdict::{CardFacts, CardStatus, Phase};
use crate::policy::Policy;
use crate::sys::companion::{Companion, NoLine};

/// How often it is asked whether to go on.
const SLICE: Duration = Duration::from_millis(100);

/// So many times its deadline a child may take to begin and to end, should nobody be left to end
/// it; each of its steps has that deadline.
const STEPS_AROUND: u32 = 20;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub struct SoakTask {
    /// For how long; each memory pattern is tried once all the same.
    pub duration: Duration,
    /// The share of the free memory that is tested, above 0 and at most 1.
    pub share: f64,
    /// Which of the cards that the policy's environment selects, from 0: what `cuda:0` means.
    pub ordinal: usize,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Seconds of work.
    pub seconds: f64,
    /// Kernel rounds with right results.
    pub rounds: u64,
    /// Memory patterns, each written to all of the tested memory and found right in it.
    pub patterns: u64,
    /// How much memory is tested, in bytes.
    pub memory_bytes: u64,
}

/// The card at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the work began.
    pub seconds: f64,
    /// How it was.
    #[serde(flatten)]
    pub health: Health,
}

/// What a soak showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SoakReport {
    /// The answer.
    pub status: CardStatus,
    /// Whether it ran for the whole time.
    pub finished: bool,
    /// The card, if it came to that.
    pub card: Option<CardFacts>,
    /// What happened, in one line without a final period.
    pub message: String,
    /// What to do next, if there is something to do.
    pub hint: Option<String>,
    /// What is worth knowing and decides nothing, one line each.
    pub notes: Vec<String>,
    /// For how long it was to run, in seconds.
    pub asked_seconds: f64,
    /// How far it came.
    #[serde(flatten)]
    pub progress: Progress,
    /// The hottest that it was, in °C.
    pub hottest_celsius: Option<u32>,
    /// The steps before and after the work.
    pub phases: Vec<Phase>,
    /// The card over time.
    pub samples: Vec<Sample>,
}

/// Soaks a card that the policy allows. `watch` is told how far it is, at least every tenth of a
/// second, and says whether to go on.
pub fn soak(
    policy: &Policy,
    task: &SoakTask,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> SoakReport {
    let mut run = Run {
        policy,
        task,
        card: None,
        heard: ProbeReport::default(),
        notes: redirected(),
        stopped: false,
    };
    let (status, advice) = run.verdict(watch);
    run.report(status, advice)
}

/// A soak on its way.
struct Run<'p> {
    policy: &'p Policy,
    task: &'p SoakTask,
    card: Option<CardFacts>,
    heard: ProbeReport,
    notes: Vec<String>,
    stopped: bool,
}

impl Run<'_> {
    fn verdict(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> (CardStatus, Advice) {
        let deadline = self.policy.gpu_check.deadline;
        let inventory = match take_inventory(Deadline::starting_now(deadline)) {
            Ok((inventory, phases)) => {
                self.heard.phases = phases;
                inventory
            }
            Err(error) => return self.no_answer(error),
        };
        let expected = match identity::expected(self.policy, &inventory) {
            Ok(expected) => expected,
            Err(mismatch) => return (CardStatus::WrongCard, advice::for_mismatch(&mismatch)),
        };
        let Some(card) = expected.get(self.task.ordinal).copied() else {
            return (
                CardStatus::WrongCard,
                advice::no_such_ordinal(self.task.ordinal, expected.len()),
            );
        };
        self.card = Some(card.facts.clone());
        if let Some(advice) = unusable(&[card]) {
            return (CardStatus::Busy, advice);
        }
        let uuids = expected.iter().map(|c| c.facts.uuid.clone()).collect();
        if let Err(trouble) = self.work(uuids, watch) {
            return advice::for_trouble(&trouble);
        }
        self.afterwards(card)
    }

    /// Has the child work, and listens to it.
    fn work(
        &mut self,
        uuids: Vec<String>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<(), Trouble> {
        let deadline = self.policy.gpu_check.deadline;
        let program = program(
            &ProbeTask::Soak(uuids, self.task.clone()),
            Some(&self.policy.environment),
            self.task.duration + deadline * STEPS_AROUND,
        )?;
        let mut child = Companion::start(&program)?;
        let mut listener = Listener::default();
        let mut last = Instant::now();
        loop {
            if !watch(&self.heard.progress) && !self.stopped {
                self.stopped = true;
                child.ask_to_stop();
            }
            match child.line(Instant::now() + SLICE) {
                Ok(line) => {
                    if listener.hear(&line, &mut self.heard) {
                        last = Instant::now();
                    }
                }
                Err(NoLine::TimedOut) if last.elapsed() < deadline => {}
                Err(NoLine::TimedOut | NoLine::Ended) => break,
            }
        }
        let left = deadline.saturating_sub(last.elapsed());
        let (ending, stderr) = child.finish(left)?;
        listener.conclude(&ending, &stderr, deadline)
    }

    /// Looks at the card once more, when all programs of the soak have ended.
    fn afterwards(&mut self, card: &InventoryCard) -> (CardStatus, Advice) {
        let before = CardBefore {
            uuid: card.facts.uuid.clone(),
            memory_used_bytes: card.memory_used_bytes,
        };
        let task = ProbeTask::Health(vec![before]);
        let deadline = Deadline::starting_now(self.policy.gpu_check.deadline);
        let found = match probe(&task, None, deadline) {
            Ok(found) => found,
            Err(error) => return self.no_answer(error),
        };
        self.heard.phases.extend(found.phases);
        self.note_slowness(&card.facts.name);
        for health in &found.health {
            let notes = advice::notes_on(&card.facts.name, card.memory_used_bytes, health);
            self.notes.extend(notes);
            if let Some(errors @ 1..) = health.uncorrected_ecc_errors {
                return (CardStatus::Unhealthy, advice::ecc_errors(health, errors));
            }
        }
        let Progress {
            seconds,
            rounds,
            patterns,
            memory_bytes,
        } = self.heard.progress;
        let message = format!(
            "{} worked for {seconds:.0} s: {rounds} kernel rounds and {patterns} patterns over {} MiB of its memory, all right",
            card.facts.name,
            memory_bytes >> 20,
        );
        let advice = Advice {
            message,
            hint: None,
        };
        (CardStatus::Ok, advice)
    }

    /// Notes how often the card was slowed down by heat or for lack of power.
    fn note_slowness(&mut self, name: &str) {
        let all = self.heard.samples.len();
        let mut reasons: Vec<String> = Vec::new();
        let mut slowed = 0;
        for sample in &self.heard.samples {
            let bad = sample.health.bad_reasons();
            slowed += usize::from(!bad.is_empty());
            reasons.extend(bad.into_iter().map(str::to_owned));
        }
        reasons.sort_unstable();
        reasons.dedup();
        if slowed > 0 {
            self.notes.push(format!(
                "{name} was slowed down in {slowed} of {all} samples ({}): look at its cooling and its power supply",
                reasons.join(", ")
            ));
        }
    }

    fn no_answer(&mut self, error: ProbeError) -> (CardStatus, Advice) {
        self.heard.phases.extend(error.phases);
        advice::for_trouble(&error.trouble)
    }

    fn report(self, status: CardStatus, advice: Advice) -> SoakReport {
        let temperatures = |sample: &Sample| sample.health.temperature_celsius;
        SoakReport {
            status,
            finished: status == CardStatus::Ok && !self.stopped,
            card: self.card,
            message: advice.message,
            hint: advice.hint,
            notes: self.notes,
            asked_seconds: self.task.duration.as_secs_f64(),
            progress: self.heard.progress,
            hottest_celsius: self.heard.samples.iter().filter_map(temperatures).max(),
            phases: self.heard.phases,
            samples: self.heard.samples,
        }
    }
}
