//! The guard's side of the watching process: asks it, and starts another where it fails.

use std::time::{Duration, Instant};

use super::lists::{COMMAND, Look, WatchLine};
use crate::gpu::inventory::Inventory;
use crate::gpu::probe::{ProbeError, Trouble, environment_of_child};
use crate::sys::child::{Ending, Program};
use crate::sys::companion::{Companion, NoLine};
use crate::sys::environment;

/// What the driver does while a process waits for it, as errors name it.
const STEP: &str = "watch";

/// So long, while an answer is awaited, it is not looked whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

/// How long an answer is awaited that is wanted no more.
const FAREWELL: Duration = Duration::from_millis(300);

/// The cards of this machine, being watched.
#[derive(Debug)]
pub struct Watch {
    companion: Option<Companion>,
    /// Processes that watched and cannot be ended: they are inside a driver call.
    stuck: Vec<u32>,
    inventory: Inventory,
    minors: Vec<Option<u32>>,
    /// Up to when, in the driver's time, the samples of each card were seen.
    sampled: Vec<u64>,
    limit: Duration,
}

/// How long an answer is awaited.
struct Patience<'w> {
    end: Instant,
    limit: Duration,
    /// Whether it is still wanted.
    wanted: &'w mut dyn FnMut() -> bool,
}

impl Watch {
    /// Starts to watch. NVML has `limit` for each answer.
    pub fn start(limit: Duration) -> Result<Self, ProbeError> {
        let mut wanted = || true;
        let mut patience = Patience::new(limit, &mut wanted);
        let started = start(&[], &mut patience).map_err(|failed| failed.error)?;
        Ok(Self {
            companion: Some(started.companion),
            stuck: Vec::new(),
            inventory: started.inventory,
            minors: started.minors,
            sampled: Vec::new(),
            limit,
        })
    }

    /// The cards.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The number in `/dev/nvidiaN` of each card, by PCI rank.
    pub fn minors(&self) -> &[Option<u32>] {
        &self.minors
    }

    /// The processes that watch, or did.
    pub(super) fn processes(&self) -> Vec<u32> {
        let watching = self.companion.as_ref().map(Companion::id);
        self.stuck.iter().copied().chain(watching).collect()
    }

    /// Looks at all lists, in a new process if the last one failed. Takes no longer than the
    /// limit, and little longer than the look is `wanted`.
    pub(super) fn look(&mut self, wanted: &mut dyn FnMut() -> bool) -> Result<Look, ProbeError> {
        let mut patience = Patience::new(self.limit, wanted);
        let mut companion = match self.companion.take() {
            Some(companion) => companion,
            None => self.another(&mut patience)?,
        };
        // Where it cannot be asked, it has ended, and why is in what it said before.
        let _ = companion.ask();
        let failure = match patience.next(&mut companion) {
            Ok(WatchLine::Look(look)) if look.cards.len() == self.inventory.cards.len() => {
                self.companion = Some(companion);
                self.sampled = look.cards.iter().map(|card| card.sampled_until).collect();
                return Ok(look);
            }
            Ok(_) => out_of_turn(),
            Err(failure) => failure,
        };
        let failed = Failed::of(failure, companion);
        self.stuck.extend(failed.stuck);
        Err(failed.error)
    }

    /// Another process that watches the same cards, from where the last one was seen to be.
    fn another(&mut self, patience: &mut Patience<'_>) -> Result<Companion, ProbeError> {
        if let Some(stuck) = self.stuck.first() {
            // It would wait for the same driver, and be one more.
            return Err(patience.timed_out(Some(*stuck)));
        }
        let started = start(&self.sampled, patience).map_err(|failed| {
            self.stuck.extend(failed.stuck);
            failed.error
        })?;
        let uuids = |inventory: &Inventory| -> Vec<String> {
            let cards = &inventory.cards;
            cards.iter().map(|card| card.facts.uuid.clone()).collect()
        };
        if uuids(&started.inventory) == uuids(&self.inventory) {
            return Ok(started.companion);
        }
        Err(trouble(Trouble::Ended {
            phase: STEP.to_owned(),
            how: "the machine has other cards than at the start".to_owned(),
        }))
    }
}

/// A process that watches, and what it said of the machine.
struct Started {
    companion: Companion,
    inventory: Inventory,
    minors: Vec<Option<u32>>,
}

/// One that gave no answer.
struct Failed {
    error: ProbeError,
    /// Its id, where it could not even be ended.
    stuck: Option<u32>,
}

impl Failed {
    fn of(mut error: ProbeError, companion: Companion) -> Self {
        let stuck = match companion.end() {
            Ok(Ending::LeftBehind { process }) => Some(process),
            _ => None,
        };
        if let Trouble::TimedOut { left_behind, .. } = &mut error.trouble {
            *left_behind = stuck;
        }
        Self { error, stuck }
    }
}

/// Starts a process that watches, and tells what worked on the cards after the times `since`.
fn start(since: &[u64], patience: &mut Patience<'_>) -> Result<Started, Failed> {
    let not_started = |error| Failed {
        error: trouble(Trouble::NotStarted(error)),
        stuck: None,
    };
    let since = since.iter().map(|time| time.to_string().into());
    let program = Program {
        file: environment::current_exe().map_err(not_started)?,
        arguments: std::iter::once(COMMAND.into()).chain(since).collect(),
        environment: environment_of_child(None),
    };
    let mut companion = Companion::start(&program).map_err(not_started)?;
    match patience.next(&mut companion) {
        Ok(WatchLine::Cards { inventory, minors }) => Ok(Started {
            companion,
            inventory,
            minors,
        }),
        Ok(_) => Err(Failed::of(out_of_turn(), companion)),
        Err(error) => Err(Failed::of(error, companion)),
    }
}

impl<'w> Patience<'w> {
    fn new(limit: Duration, wanted: &'w mut dyn FnMut() -> bool) -> Self {
        Self {
            end: Instant::now() + limit,
            limit,
            wanted,
        }
    }

    /// The next line that is ours: a driver may print.
    fn next(&mut self, companion: &mut Companion) -> Result<WatchLine, ProbeError> {
        loop {
            let now = Instant::now();
            let line = match companion.line(self.end.min(now + SLICE)) {
                Ok(line) => line,
                Err(NoLine::TimedOut) if now < self.end => {
                    if !(self.wanted)() {
                        self.end = self.end.min(now + FAREWELL);
                    }
                    continue;
                }
                Err(NoLine::TimedOut) => return Err(self.timed_out(None)),
                Err(NoLine::Ended) => {
                    return Err(trouble(Trouble::Ended {
                        phase: STEP.to_owned(),
                        how: "it gave no answer".to_owned(),
                    }));
                }
            };
            match serde_json::from_slice(&line) {
                Ok(WatchLine::Failed(failure)) => {
                    return Err(trouble(Trouble::Failed {
                        phase: STEP.to_owned(),
                        failure,
                    }));
                }
                Ok(line) => return Ok(line),
                Err(_) => {}
            }
        }
    }

    fn timed_out(&self, left_behind: Option<u32>) -> ProbeError {
        trouble(Trouble::TimedOut {
            phase: STEP.to_owned(),
            deadline: self.limit,
            left_behind,
        })
    }
}

fn trouble(trouble: Trouble) -> ProbeError {
    ProbeError {
        phases: Vec::new(),
        trouble,
    }
}

fn out_of_turn() -> ProbeError {
    trouble(Trouble::Ended {
        phase: STEP.to_owned(),
        how: "it answered something else".to_owned(),
    })
}
