//! A program from its start to its end, and what is looked at meanwhile.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::ledger::{Ledger, Violation, Whose};
use super::lists::{Kind, Look};
use super::report::{Limit, Outcome, RunReport, milliseconds};
use super::{Watch, is_allowed};
use crate::gpu::probe::{ProbeError, driver_folder};
use crate::policy::{OnViolation, Policy, RunPolicy};
use crate::sys::foreground::{Foreground, Running, exit_code, signal};
use crate::sys::process_tree::{self, Descent, Process};

/// The first look comes so soon after the start; the steps grow from there.
const FIRST_STEP: Duration = Duration::from_millis(25);

/// How often it is looked again for memory to be given back, and how long after each other.
const LATE: (u32, Duration) = (3, Duration::from_millis(50));

/// How often, while programs are ended, it is looked whether they have.
const ENDING_STEP: Duration = Duration::from_millis(10);

/// How long killed programs have to be gone. One inside a driver call may never be.
const DEATH: Duration = Duration::from_millis(500);

/// How a program is run.
#[derive(Debug)]
pub struct RunOptions<'p> {
    /// What to start.
    pub program: Foreground,
    /// The cards, being watched; `None` starts it without a watch.
    pub watch: Option<Watch>,
    /// Which cards are allowed.
    pub policy: &'p Policy,
    /// How it is watched.
    pub run: RunPolicy,
}

/// Why a program was not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The cards cannot be watched, so it was not started.
    #[error("the program cannot be watched, and was not started")]
    Unwatchable(#[from] ProbeError),
    /// The system does not take in orphans, so that daemons could not be watched.
    #[error("the processes of a program cannot be followed, and it was not started")]
    Unfollowable(#[source] io::Error),
    /// It cannot be started.
    #[error("the program cannot be started")]
    NotStarted(#[source] io::Error),
    /// It was started, and cannot be waited for.
    #[error("the program cannot be waited for")]
    Lost(#[source] io::Error),
}

/// What is worth telling at once.
#[derive(Clone, Copy, Debug)]
pub enum News<'n> {
    /// The program is on a card that is not allowed.
    Violation(&'n Violation),
    /// NVML gave no answer; said once in a row.
    Blind(&'n ProbeError),
}

/// Runs a program to its end.
pub fn run(options: RunOptions<'_>, tell: &mut dyn FnMut(News<'_>)) -> Result<RunReport, RunError> {
    let Some(mut watch) = options.watch else {
        let mut running = options.program.start().map_err(RunError::NotStarted)?;
        let status = wait(&mut running)?;
        return Ok(RunReport::not_watched(status));
    };
    let before = watch.look(&mut || true)?;
    let cards = &watch.inventory().cards;
    let allowed = cards
        .iter()
        .map(|card| (card, is_allowed(options.policy, card)));
    let ledger = Ledger::new(allowed, before);
    process_tree::take_orphans_in().map_err(RunError::Unfollowable)?;
    let running = options.program.start().map_err(RunError::NotStarted)?;
    // It may have ended before the first look.
    let known = HashMap::from([(running.id(), options.program.name())]);
    let now = Instant::now();
    let session = Session {
        running,
        watch,
        run: options.run,
        ledger,
        started: now,
        looks: 0,
        failed_looks: 0,
        last_look: now,
        longest_gap: Duration::ZERO,
        known,
        blind: false,
        status: None,
        ended_by_guard: false,
        tell,
    };
    session.follow()
}

fn wait(running: &mut Running) -> Result<ExitStatus, RunError> {
    loop {
        let end = Instant::now() + Duration::from_hours(1);
        if let Some(status) = running.wait_until(end).map_err(RunError::Lost)? {
            return Ok(status);
        }
    }
}

/// A program that runs and is watched.
struct Session<'t> {
    running: Running,
    watch: Watch,
    run: RunPolicy,
    ledger: Ledger,
    started: Instant,
    looks: u64,
    failed_looks: u64,
    /// When the last look was answered.
    last_look: Instant,
    longest_gap: Duration,
    /// All processes of the program that were seen so far, by id, with their names.
    known: HashMap<u32, String>,
    /// Whether the last look failed.
    blind: bool,
    status: Option<ExitStatus>,
    ended_by_guard: bool,
    tell: &'t mut dyn FnMut(News<'_>),
}

impl Session<'_> {
    fn follow(mut self) -> Result<RunReport, RunError> {
        let mut step = FIRST_STEP.min(self.run.every);
        let mut next = self.started + step;
        while self.status.is_none() {
            self.wait_until(next)?;
            self.look();
            step = (step * 2).min(self.run.every);
            // A look that took long is not made up for.
            next = (next + step).max(Instant::now());
            if self.must_end() {
                self.end_all()?;
                break;
            }
        }
        self.note_gap();
        // What it left behind may have come to a card just now.
        if self.must_end() && !self.ended_by_guard {
            self.end_all()?;
        }
        let left_running = self.descendants().unwrap_or_default();
        let after = self.look_after();
        Ok(self.report(&left_running, after.as_ref()))
    }

    fn must_end(&self) -> bool {
        self.run.on_violation == OnViolation::End && !self.ledger.violations.is_empty()
    }

    fn wait_until(&mut self, end: Instant) -> Result<(), RunError> {
        self.status = self.running.wait_until(end).map_err(RunError::Lost)?;
        Ok(())
    }

    /// Looks once, and tells what is new.
    fn look(&mut self) {
        let living = self.descendants().unwrap_or_default();
        self.known
            .extend(living.into_iter().map(|process| (process.id, process.name)));
        // An answer that comes after the program's end is not waited for.
        let (running, status) = (&mut self.running, &mut self.status);
        let mut runs = || {
            if status.is_none() {
                *status = running.wait_until(Instant::now()).unwrap_or_default();
            }
            status.is_none()
        };
        let look = match self.watch.look(&mut runs) {
            Ok(look) => look,
            Err(error) => {
                self.failed_looks += 1;
                if !self.blind {
                    (self.tell)(News::Blind(&error));
                }
                self.blind = true;
                return;
            }
        };
        self.blind = false;
        self.looks += 1;
        self.note_gap();
        self.last_look = Instant::now();
        let except = self.except();
        let known = &self.known;
        let mut whose = |id| match process_tree::descent_of(id, &except) {
            Descent::Ours(process) => Whose::Programs(process.name),
            Descent::Foreign => Whose::Foreign,
            // It may have ended just now.
            Descent::Unseen => match known.get(&id) {
                Some(name) => Whose::Programs(name.clone()),
                None => Whose::Unknown,
            },
        };
        let at = self.started.elapsed();
        let new = self.ledger.enter(at, &look, &mut whose);
        let known = self.ledger.violations.len() - new;
        for violation in self.ledger.violations.iter().skip(known) {
            (self.tell)(News::Violation(violation));
        }
    }

    fn note_gap(&mut self) {
        self.longest_gap = self.longest_gap.max(self.last_look.elapsed());
    }

    /// Children of this process that are none of the program's.
    fn except(&self) -> Vec<u32> {
        self.watch.processes()
    }

    fn descendants(&self) -> io::Result<Vec<Process>> {
        process_tree::descendants(&self.except(), self.running.id())
    }

    /// Ends the program with all that it started: each is asked to end, and killed when the
    /// grace is over.
    fn end_all(&mut self) -> Result<(), RunError> {
        self.ended_by_guard = true;
        let mut asked: HashSet<Process> = HashSet::new();
        self.until_all_are_gone(self.run.grace, &mut |process| {
            if asked.insert(process.clone()) {
                let _ = process_tree::ask_to_end(process);
            }
        })?;
        self.until_all_are_gone(DEATH, &mut |process| {
            let _ = process_tree::end(process);
        })
    }

    /// Does `act` to each process of the program, again for those that it starts meanwhile,
    /// until there is none or `limit` is over.
    fn until_all_are_gone(
        &mut self,
        limit: Duration,
        act: &mut dyn FnMut(&Process),
    ) -> Result<(), RunError> {
        let end = Instant::now() + limit;
        loop {
            let living = self.descendants().map_err(RunError::Lost)?;
            living.iter().for_each(&mut *act);
            let step = Instant::now() + ENDING_STEP;
            if self.status.is_none() {
                self.wait_until(step)?;
            } else if !living.is_empty() {
                std::thread::sleep(ENDING_STEP);
            }
            if living.is_empty() && self.status.is_some() || Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// What is on the cards after the program's end. Memory is given back a little later.
    fn look_after(&mut self) -> Option<Look> {
        if self.blind {
            return None;
        }
        let (times, pause) = LATE;
        let mut after = self.watch.look(&mut || false).ok()?;
        for _ in 1..times {
            let given_back = |one: &super::CardUse| one.not_given_back_bytes == Some(0);
            if self.ledger.allowed(Some(&after)).iter().all(given_back) {
                break;
            }
            std::thread::sleep(pause);
            after = self.watch.look(&mut || false).ok()?;
        }
        Some(after)
    }

    fn report(self, left_running: &[Process], after: Option<&Look>) -> RunReport {
        let outcome = if !self.ledger.violations.is_empty() {
            Outcome::Violation
        } else if self.blind || self.looks == 0 {
            Outcome::NotWatched
        } else {
            Outcome::Clean
        };
        RunReport {
            outcome,
            program_code: self.status.map(exit_code),
            program_signal: self.status.and_then(signal),
            ended_by_guard: self.ended_by_guard,
            left_running: left_running.iter().map(|process| process.id).collect(),
            looks: self.looks,
            failed_looks: self.failed_looks,
            every_ms: milliseconds(self.run.every),
            longest_gap_ms: milliseconds(self.longest_gap),
            limits: limits(
                &self.watch.inventory().driver_version,
                &self.ledger.not_listed,
            ),
            untold: self.ledger.untold.iter().copied().collect(),
            forbidden: self.ledger.forbidden(),
            cards: self.ledger.allowed(after),
            violations: self.ledger.violations,
        }
    }
}

/// What the guard cannot see here.
fn limits(driver: &str, not_listed: &BTreeSet<Kind>) -> Vec<Limit> {
    let found = [
        (Limit::Container, !process_tree::ids_are_the_machines()),
        (Limit::Wsl, driver_folder().is_some()),
        (Limit::DriverLists, has_wrong_lists(driver)),
        (Limit::NoGraphicsList, not_listed.contains(&Kind::Graphics)),
        (Limit::NoMpsList, not_listed.contains(&Kind::Mps)),
        (Limit::NoSamples, not_listed.contains(&Kind::Sampled)),
    ];
    let found = found.into_iter().filter(|(_, there)| *there);
    found.map(|(limit, _)| limit).collect()
}

/// From 535.43 to 535.98, NVML wrote its lists in another layout than it said: nvitop's issue
/// 88.
fn has_wrong_lists(driver: &str) -> bool {
    let mut parts = driver.split('.').map(str::parse::<u32>);
    matches!(
        (parts.next(), parts.next()),
        (Some(Ok(535)), Some(Ok(43..104)))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_with_wrong_lists_are_known() {
        for (driver, wrong) in [
            ("535.43.02", true),
            ("535.98", true),
            ("535.104.05", false),
            ("535.30", false),
            ("570.86", false),
            ("odd", false),
        ] {
            assert_eq!(has_wrong_lists(driver), wrong, "{driver}");
        }
    }
}
