//! The run-time guard: a program is started with the environment that selects the allowed card,
//! and all cards' process lists are watched for it and for what it starts.
//!
//! What it sees is what NVML lists when it looks. NVML runs in a process of its own, which is
//! asked anew each time, so that a driver that hangs does not hang the program's guard.

mod environment;
mod ledger;
mod lists;
mod nodes;
mod report;
mod session;
mod watch;

use std::ffi::OsString;

pub use environment::{CLOSED, Replaced, are_others_closed, program_environment};
pub use ledger::Violation;
pub use lists::{COMMAND as WATCH_COMMAND, Kind, serve};
pub use nodes::{NodesError, forbidden_nodes};
pub use report::{CardUse, Limit, Outcome, RunReport, VIOLATION_CODE};
pub use session::{News, RunError, RunOptions, run};
pub use watch::Watch;

use super::identity::{self, policy_card};
use super::inventory::{Inventory, InventoryCard};
use super::probe::{Deadline, ProbeError, ProbeTask, probe_through};
use crate::policy::{Policy, Usage};

/// `policy` with the UUID of each of its cards that is in the machine; with `by_uuid`, its
/// environment selects the same cards by UUID. A number counts the cards that a program can
/// open, so it means another card once one is hidden.
pub fn pinned(
    policy: &Policy,
    inventory: &Inventory,
    by_uuid: bool,
) -> Result<Policy, identity::IdentityMismatch> {
    let mut pinned = policy.clone();
    for found in &inventory.cards {
        let Some(named) = policy_card(policy, found) else {
            continue;
        };
        for card in pinned.cards.iter_mut().filter(|card| *card == named) {
            card.uuid = Some(found.facts.uuid.clone());
        }
    }
    let expected = identity::expected(&pinned, inventory)?;
    if by_uuid {
        let uuids: Vec<&str> = expected.iter().map(|card| &*card.facts.uuid).collect();
        pinned.environment.visible_devices = uuids.join(",");
    }
    Ok(pinned)
}

/// Has a child, started by the hidden command with the arguments `launcher`, check what it sees
/// once cards are closed to it: still the allowed ones, under the `pinned` policy's environment.
/// Whether they compute was checked before: no context is made here, so a card may be full.
pub fn check_closed(
    pinned: &Policy,
    inventory: &Inventory,
    launcher: &[OsString],
) -> Result<(), ProbeError> {
    let uuids = identity::expected(pinned, inventory)
        .unwrap_or_default()
        .iter()
        .map(|card| card.facts.uuid.clone())
        .collect();
    let deadline = Deadline::starting_now(pinned.gpu_check.deadline);
    let environment = Some(&pinned.environment);
    let task = ProbeTask::Identity(uuids);
    probe_through(launcher, &task, environment, deadline).map(drop)
}

/// Whether the policy lets programs use a card of the machine. One that it does not name is not
/// for use.
fn is_allowed(policy: &Policy, card: &InventoryCard) -> bool {
    policy_card(policy, card).is_some_and(|card| card.usage == Usage::Allowed)
}
