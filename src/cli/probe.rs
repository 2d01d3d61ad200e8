//! `gpuguard __probe`: the child process that asks the driver, started by gpuguard itself only.

use std::time::Duration;

use super::{Failure, Screen};
use crate::gpu::{self, CardBefore, ProbeTask, SoakTask};
use crate::outcome::Answer;
use crate::sys::child;

/// Ask the GPU driver; gpuguard starts this itself, under a deadline
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// End by itself after this long, should nobody be left to end it
    #[arg(long, value_name = "MILLISECONDS")]
    end_after: u64,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// List the cards through NVML
    Inventory,
    /// Run the kernel on the cards with these UUIDs
    Check {
        #[arg(required = true, value_name = "UUID")]
        uuids: Vec<String>,
    },
    /// Tell whether CUDA shows the cards with these UUIDs
    Identity {
        #[arg(required = true, value_name = "UUID")]
        uuids: Vec<String>,
    },
    /// List the cards in CUDA's default order
    Order,
    /// Look at cards after a check; each is a UUID, with the bytes in use before behind a `=`
    Health {
        #[arg(required = true, value_name = "UUID=BYTES")]
        cards: Vec<String>,
    },
    /// Work on one of the cards with these UUIDs for a time, or until standard input ends
    Soak {
        #[arg(long)]
        milliseconds: u64,
        #[arg(long)]
        share: f64,
        #[arg(long)]
        ordinal: usize,
        #[arg(required = true, value_name = "UUID")]
        uuids: Vec<String>,
    },
}

pub(super) fn run(arguments: Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let task = match arguments.task {
        Task::Inventory => ProbeTask::Inventory,
        Task::Check { uuids } => ProbeTask::Check(uuids),
        Task::Identity { uuids } => ProbeTask::Identity(uuids),
        Task::Order => ProbeTask::Order,
        Task::Soak {
            milliseconds,
            share,
            ordinal,
            uuids,
        } => {
            let duration = Duration::from_millis(milliseconds);
            let task = SoakTask {
                duration,
                share,
                ordinal,
            };
            ProbeTask::Soak(uuids, task)
        }
        Task::Health { cards } => {
            ProbeTask::Health(cards.iter().map(|card| before(card)).collect())
        }
    };
    child::end_this_process_after(Duration::from_millis(arguments.end_after));
    let mut unheard = None;
    gpu::run_probe(&task, &mut |line| {
        if let Err(failure) = screen.print(line) {
            unheard.get_or_insert(failure);
        }
    });
    unheard.map_or(Ok(Answer::Fine), Err)
}

fn before(text: &str) -> CardBefore {
    let (uuid, used) = text.split_once('=').unwrap_or((text, ""));
    CardBefore {
        uuid: uuid.to_owned(),
        memory_used_bytes: used.parse().ok(),
    }
}
