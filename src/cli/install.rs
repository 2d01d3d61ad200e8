//! `gpuguard install` and `gpuguard uninstall`.

use super::{Failure, Screen};
use crate::outcome::Answer;

/// TO BE WRITTEN
#[derive(Debug, clap::Args)]
pub(super) struct InstallArguments {}

/// TO BE WRITTEN
#[derive(Debug, clap::Args)]
pub(super) struct UninstallArguments {}

pub(super) fn install(_arguments: &InstallArguments, _screen: &Screen) -> Result<Answer, Failure> {
    Ok(Answer::Fine)
}

pub(super) fn uninstall(
    _arguments: &UninstallArguments,
    _screen: &Screen,
) -> Result<Answer, Failure> {
    Ok(Answer::Fine)
}
