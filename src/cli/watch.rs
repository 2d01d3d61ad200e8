//! `gpuguard __watch`: the process that asks NVML while a program runs, started by gpuguard
//! itself only.

use super::{Failure, Screen};
use crate::gpu::guard;
use crate::outcome::Answer;
use crate::sys::companion;

/// Say on each question who uses which card; gpuguard starts this itself
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// Up to when the samples of each card were seen, in the driver's time
    #[arg(value_name = "TIME")]
    since: Vec<u64>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let questions = companion::questions()
        .map_err(|error| Failure::new("no questions can be heard").because(&error))?;
    let mut unheard = None;
    guard::serve(questions, &arguments.since, &mut |line| {
        if let Err(failure) = screen.print(line) {
            unheard.get_or_insert(failure);
        }
    });
    unheard.map_or(Ok(Answer::Fine), Err)
}
