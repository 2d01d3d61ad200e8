//! The guard's side of the watching process: asks it, and starts another where it fails.

use std::time::{Duration, Instant};

use super::lists::{COMMAND, Look, WatchLine};
use crate::gpu::inventory::Inventory;
use crate::gpu::probe::{ProbeError, Trouble, environment_of_child};
use crate::sys::child::Program;
use crate::sys::companion::{Companion, NoLine};
use crate::sys::environment;
use crate::sys::process_tree::{Descent, descent_of};

/// What the driver does while a process waits for it, as errors name it.
const STEP: &str = "watch";

/// The cards of this machine, being watched.
#[derive(Debug)]
pub struct Watch {
    companion: Option<Companion>,
    /// Processes that watched and cannot be ended: they are inside a driver call.
    stuck: Vec<u32>,
    inventory: Inventory,
    minors: Vec<Option<u32>>,
    limit: Duration,
}

impl Watch {
    /// Starts to watch. NVML has `limit` for each answer.
    pub fn start(limit: Duration) -> Result<Self, ProbeError> {
        let (companion, inventory, minors) = start(limit)?;
        Ok(Self {
            companion: Some(companion),
            stuck: Vec::new(),
            inventory,
            minors,
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

    /// Looks at all lists, in a new process if the last one failed.
    pub(super) fn look(&mut self) -> Result<Look, ProbeError> {
        let mut companion = match self.companion.take() {
            Some(companion) => companion,
            None => self.another()?,
        };
        // Where it cannot be asked, it has ended, and why is in what it said before.
        let _ = companion.ask();
        let failure = match next(&mut companion, self.limit) {
            Ok(WatchLine::Look(look)) if look.cards.len() == self.inventory.cards.len() => {
                self.companion = Some(companion);
                return Ok(look);
            }
            Ok(_) => out_of_turn(),
            Err(failure) => failure,
        };
        let id = companion.id();
        drop(companion);
        if matches!(descent_of(id, &[]), Descent::Ours(_)) {
            self.stuck.push(id);
        }
        Err(failure)
    }

    /// Another process that watches the same cards.
    fn another(&self) -> Result<Companion, ProbeError> {
        let (companion, inventory, _) = start(self.limit)?;
        let uuids = |inventory: &Inventory| -> Vec<String> {
            let cards = &inventory.cards;
            cards.iter().map(|card| card.facts.uuid.clone()).collect()
        };
        if uuids(&inventory) == uuids(&self.inventory) {
            return Ok(companion);
        }
        Err(trouble(Trouble::Ended {
            phase: STEP.to_owned(),
            how: "the machine has other cards than at the start".to_owned(),
        }))
    }
}

fn start(limit: Duration) -> Result<(Companion, Inventory, Vec<Option<u32>>), ProbeError> {
    let not_started = |error| trouble(Trouble::NotStarted(error));
    let program = Program {
        file: environment::current_exe().map_err(not_started)?,
        arguments: vec![COMMAND.into()],
        environment: environment_of_child(None),
    };
    let mut companion = Companion::start(&program).map_err(not_started)?;
    match next(&mut companion, limit)? {
        WatchLine::Cards { inventory, minors } => Ok((companion, inventory, minors)),
        _ => Err(out_of_turn()),
    }
}

/// The next line that is ours: a driver may print.
fn next(companion: &mut Companion, limit: Duration) -> Result<WatchLine, ProbeError> {
    let end = Instant::now() + limit;
    loop {
        let line = companion.line(end).map_err(|no_line| {
            trouble(match no_line {
                NoLine::TimedOut => Trouble::TimedOut {
                    phase: STEP.to_owned(),
                    deadline: limit,
                    left_behind: None,
                },
                NoLine::Ended => Trouble::Ended {
                    phase: STEP.to_owned(),
                    how: "it gave no answer".to_owned(),
                },
            })
        })?;
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
