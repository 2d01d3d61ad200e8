//! `gpuguard __watch`: the process that asks NVML while a program runs, started by gpuguard
//! itself only.

use super::{Failure, Screen};
use crate::gpu::guard;
use crate::outcome::Answer;
use crate::sys::companion;

/// Say on each question who uses which card; gpuguard starts this itself
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let questions = companion::questions()
        .map_err(|error| Failure::new("no questions can be heard").because(&error))?;
    let mut unheard = None;
    guard::serve(questions, &mut |line| {
        if let Err(failure) = screen.print(line) {
            unheard.get_or_insert(failure);
        }
    });
    unheard.map_or(Ok(Answer::Fine), Err)
}
